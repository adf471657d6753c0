/* Event chat's limits: the rate, per user, on whatever the general limit says; bodies and photos, where the settings put them.
 * SPDX-License-Identifier: MIT
 */
import { assert } from '../lib/assert.mjs';
import { eventchat, fine, options, photo, refused, user } from '../lib/eventchat.mjs';
import { test, withInstance } from '../lib/instance.mjs';

const started = eventchat({ env: { CONFAB_EVENTCHAT_RATE: '1', CONFAB_EVENTCHAT_BURST: '5' } });

test('a user who asks too often is told to wait; others are not', async () => {
    const confab = await started;
    const [anna, boris] = [user(confab), user(confab)];
    const answers = [];
    for (let i = 0; i < 12; i++)
        answers.push(await anna.get('/chats'));
    assert.ok(answers.slice(0, 5).every(({ status }) => status === 200));
    const last = answers.filter(({ status }) => status !== 200);
    assert.ok(last.length >= 3, `${last.length} refused`);
    last.forEach((answer) => refused(answer, 429, 'RATE_LIMITED'));
    assert.equal((await boris.get('/chats')).status, 200);
});

test('bodies, their nesting and photos are taken up to what the settings say', async () => {
    const env = { CONFAB_EVENTCHAT_BODY_MAX: '1024', CONFAB_EVENTCHAT_JSON_DEPTH: '3', CONFAB_EVENTCHAT_PHOTO_MAX: '2000',
        CONFAB_EVENTCHAT_PHOTOS_MAX_BYTES: '100000' };
    await withInstance(options({ env }), async (confab) => {
        const anna = user(confab);
        const event = (more) => JSON.stringify({ name: 'x', dateFromS: 1, dateToS: 2, ...more });
        const room = 1024 - event({ more: '' }).length;
        fine(await anna.post('/events', event({ more: 'y'.repeat(room) })), 201);
        refused(await anna.post('/events', event({ more: 'y'.repeat(room + 1) })), 413, 'PAYLOAD_TOO_LARGE');
        fine(await anna.post('/events', event({ more: [[1]] })), 201);
        assert.equal((await anna.post('/events', event({ more: [[[1]]] }))).status, 400);
        fine(await anna.upload(photo('image/png', 2000)), 201);
        refused(await anna.upload(photo('image/png', 2001)), 413, 'PAYLOAD_TOO_LARGE');
    });
});
