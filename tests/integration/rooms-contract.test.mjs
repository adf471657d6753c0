/* What the contract says of rooms in passing, and pages would stumble over.
 * SPDX-License-Identifier: MIT
 */
import { assert } from '../lib/assert.mjs';
import { test, withInstance } from '../lib/instance.mjs';
import { fine, refused, register, rooms } from '../lib/rooms.mjs';

const started = rooms();

test('NUL and lone surrogates: refused anywhere in a body', async () => {
    const anna = await register(await started);
    for (const body of ['{"name":"a","x":"\\u0000"}', '{"name":"a","\\u0000":1}', '{"name":"a","x":[{"y":"b\\u0000"}]}',
                        '{"name":"a\\u0000"}', '{"name":"a","x":"\\ud800"}', '{"name":"a","\\udc00":1}'])
        refused(await anna.post('/api/rooms', body), 422);
    const { rooms: none } = fine(await anna.get('/api/rooms'));
    assert.equal(none.length, 0);
    fine(await anna.post('/api/rooms', '{"name":"a","x":"\\\\u0000"}'), 201);
});

test('reserved names: in what pages take for white space, too', async () => {
    const anna = await register(await started);
    const room = await anna.room();
    for (const name of ['\ufeffuser', 'Agent\ufeff', '\ufeff \ufeffСистема \ufeff', '\ufeff📊 totals', '\u3000\ufeff🎭'])
        refused(await anna.post(`/api/rooms/${room.id}/agents`, { name }), 422, 'reserved');
    const verbatim = '\ufeffCook ';
    assert.equal((await anna.agent(room.id, verbatim)).name, verbatim);
});

test('who has read too much is still logged in when his page is loaded again', async () => {
    await withInstance({ systems: 'rooms', relays: 0, env: { CONFAB_ROOMS_READS_PER_S: '1' } }, async (confab) => {
        const anna = await register(confab);
        const answers = await Promise.all(Array.from({ length: 40 }, () => anna.get('/api/rooms')));
        refused(answers.find(({ status }) => status === 429), 429);
        for (let i = 0; i < 3; i++)
            assert.equal(fine(await anna.get('/api/auth/me')).id, anna.id);
    });
});
