/* Coming back with since: what was missed, in order, then live.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine, keys } from '../lib/assert.mjs';
import { instance, test, withInstance } from '../lib/instance.mjs';

const started = instance({ auth: 'trusted' });

test('what was missed comes first, in order, then what is new', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['miss-a', 'miss-b']);
    const [a, b] = [confab.api('miss-a'), confab.api('miss-b')];
    const socket = await confab.socket('miss-b');
    await a.send(dialog, 'live');
    const { seq } = await socket.next('message.new');
    await socket.close();
    const { id } = await a.send(dialog, 'missed 1');
    await a.put(`/dialogs/${dialog}/messages/${id}`, { content: 'missed 2' });
    await b.post(`/dialogs/${dialog}/archive`);
    await a.send(dialog, 'missed 3');
    const back = await confab.socket('miss-b', { since: seq });
    keys(back.hello, 'type', 'employee_id', 'seq', 'resumed', 'missed');
    assert.equal(back.hello.resumed, true);
    await a.send(dialog, 'new');
    const frames = (await confab.drain(back)).filter((f) => f.type !== 'presence.update');
    assert.deepEqual(frames.map((f) => f.content ?? f.type),
        ['missed 1', 'missed 2', 'dialog.archived', 'dialog.unarchived', 'missed 3', 'new']);
    assert.equal(back.hello.missed, 5);
    assert.ok(frames.every((f, i) => i === 0 || frames[i - 1].seq < f.seq));
    /* the same by polling */
    const { events } = fine(await b.get(`/sync?since=${seq}`));
    assert.deepEqual(events.filter((f) => f.dialog_id === dialog), frames);
});

test('nothing missed, and no since', async () => {
    const confab = await started;
    const { seq } = fine(await confab.api('calm').get('/sync'));
    const socket = await confab.socket('calm', { since: seq });
    assert.equal(socket.hello.resumed, true);
    assert.equal(socket.hello.missed, 0);
    assert.ok(socket.hello.seq >= seq);
    const plain = await confab.socket('calm');
    assert.ok(!('resumed' in plain.hello) && !('missed' in plain.hello));
});

test('the future is no past', async () => {
    const confab = await started;
    const { seq } = fine(await confab.api('ahead').get('/sync'));
    const socket = await confab.socket('ahead', { since: seq + 1000 });
    assert.equal(socket.hello.resumed, false);
    assert.ok(!socket.hello.missed);
    assert.ok(socket.hello.seq < seq + 1000);
});

test('bad values of since never break a socket', async () => {
    const confab = await started;
    for (const since of ['', 'x', '-1', '1.5', '99999999999999999999', '0x10']) {
        const socket = confab.knock('odd', { since });
        const hello = await socket.connected().catch(() => null);
        if (hello)
            assert.equal(hello.resumed ?? false, false, since);
        else
            assert.equal(socket.refused?.status, 400, since);
    }
});

test('one who was removed meanwhile hears what he was entitled to', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['gone-a', 'gone-b']);
    const a = confab.api('gone-a');
    const socket = await confab.socket('gone-b');
    const since = socket.hello.seq;
    await socket.close();
    await a.send(dialog, 'still for you');
    fine(await confab.admin.delete(`/dialogs/${dialog}/participants/gone-b`), 204);
    await a.send(dialog, 'no more');
    const back = await confab.socket('gone-b', { since });
    const frames = await confab.drain(back);
    assert.deepEqual(frames.filter((f) => f.type !== 'presence.update').map((f) => f.content ?? f.type), ['still for you', 'participant.left']);
});

test('too many to resume', async () => {
    await withInstance({ auth: 'jwt', env: { CONFAB_RESUME_MAX: '5' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const { seq } = fine(await confab.api('b').get('/sync'));
        for (let i = 0; i < 5; i++)
            await confab.api('a').send(dialog, `${i}`);
        const five = await confab.socket('b', { since: seq });
        assert.deepEqual([five.hello.resumed, five.hello.missed], [true, 5]);
        await confab.api('a').send(dialog, 'six');
        const six = await confab.socket('b', { since: seq });
        assert.equal(six.hello.resumed, false);
        await confab.api('a').send(dialog, 'live again');
        assert.deepEqual((await confab.drain(six)).filter((f) => f.type === 'message.new').map((f) => f.content), ['live again']);
    });
});

test('connecting in the middle of a stream loses and doubles nothing', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['mid-a', 'mid-b']);
    const a = confab.api('mid-a');
    const { seq } = fine(await confab.api('mid-b').get('/sync'));
    const sending = (async () => {
        for (let i = 0; i < 40; i++)
            await a.send(dialog, `${i}`);
    })();
    const sockets = [];
    for (let i = 0; i < 12; i++)
        sockets.push(await confab.socket('mid-b', { since: seq }));
    await sending;
    const wanted = Array.from({ length: 40 }, (_, i) => `${i}`);
    for (const socket of sockets)
        assert.deepEqual((await confab.drain(socket)).filter((f) => f.type === 'message.new').map((f) => f.content), wanted);
});

test('more happens while one connects than is kept for him: read again', async () => {
    await withInstance({ auth: 'trusted', handlers: 3, env: { CONFAB_RING_BYTES: '65536' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const long = '\u{1f600}'.repeat(9900);       /* of these one fits into the ring */
        let over = false;
        const sending = [0, 1, 2].map(async (who) => {
            for (let i = 0; !over; i++)
                await confab.api('a').send(dialog, `${who}-${i} ${long}`);
        });
        const sockets = [];
        for (let i = 0; i < 6; i++)
            sockets.push(...await Promise.all(Array.from({ length: 8 }, () => confab.socket('b'))));
        over = true;
        await Promise.all(sending);
        const { seq } = fine(await confab.api('b').get('/sync'));
        const of = (frames) => frames.filter((f) => f.type === 'message.new' && f.seq <= seq).map((f) => f.seq);
        for (const socket of sockets) {
            const heard = of(await confab.drain(socket));
            const wanted = [];
            for (let since = socket.hello.seq, more = true; more;) {
                const page = fine(await confab.api('b').get(`/sync?since=${since}&limit=500`));
                wanted.push(...of(page.events));
                ({ seq: since, more } = page);
            }
            assert.deepEqual(heard, wanted);
        }
    });
});
