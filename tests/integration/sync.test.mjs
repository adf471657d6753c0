/* GET /sync: the log for those who poll.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine, keys, refused } from '../lib/assert.mjs';
import { instance, test, withInstance } from '../lib/instance.mjs';

const started = instance({ auth: 'trusted' });
const sync = (api, query = '', headers = {}) => api.get(`/sync${query}`, { headers });

test('the same frames as the socket\'s, in order', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['same-a', 'same-b']);
    const [a, b] = [confab.api('same-a'), confab.api('same-b')];
    const socket = await confab.socket('same-b');
    const start = fine(await sync(b));
    keys(start, 'events', 'seq', 'more', 'reload');
    assert.deepEqual([start.events, start.more, start.reload], [[], false, false]);
    const { id } = await a.send(dialog, 'one');
    await a.send(dialog, 'reply', { reply_to: id });
    await b.read(dialog, id);
    await b.post(`/dialogs/${dialog}/archive`);
    const live = (await confab.drain(socket)).filter((f) => f.type !== 'presence.update');
    const got = fine(await sync(b, `?since=${start.seq}`));
    const events = got.events.filter((f) => f.dialog_id === dialog);
    assert.deepEqual(events, live);
    assert.equal(events.length, 4);
    assert.equal(got.more, false);
    assert.ok(got.seq >= events.at(-1).seq);
    assert.deepEqual(fine(await sync(b, `?since=${got.seq}`)).events, []);
    /* an outsider's cursor moves without hearing anything */
    const outside = fine(await sync(confab.api('same-x'), `?since=${start.seq}`));
    assert.deepEqual([outside.events, outside.seq], [[], got.seq]);
});

test('pages', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['page-a']);
    const a = confab.api('page-a');
    let { seq } = fine(await sync(a));
    const sent = [];
    for (let i = 0; i < 7; i++)
        sent.push((await a.send(dialog, `${i}`)).id);
    const seen = [];
    for (let page = 0; page < 3; page++) {
        const got = fine(await sync(a, `?since=${seq}&limit=3`));
        assert.equal(got.more, page < 2);
        assert.equal(got.events.length, page < 2 ? 3 : 1);
        if (got.more)
            assert.equal(got.seq, got.events.at(-1).seq);
        seen.push(...got.events.map((f) => f.id));
        seq = got.seq;
    }
    assert.deepEqual(seen, sent);
});

test('ETag and 304', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['etag-a']);
    const a = confab.api('etag-a');
    const first = await sync(a);
    const tag = first.headers.etag;
    assert.match(tag, /^"?\d+"?$/);
    assert.equal(tag.replaceAll('"', ''), String(fine(first).seq));
    const query = `?since=${fine(first).seq}`;
    const same = await sync(a, query, { 'If-None-Match': tag });
    assert.equal(same.status, 304);
    assert.equal(same.text, '');
    assert.equal(same.headers['access-control-allow-origin'], '*');
    fine(await sync(a, query));
    fine(await sync(a, query, { 'If-None-Match': '"0"' }));
    await a.send(dialog, 'x');
    const later = await sync(a, query, { 'If-None-Match': tag });
    assert.equal(fine(later).events.length, 1);
    assert.notEqual(later.headers.etag, tag);
    /* whoever must reload is told so, whatever he holds */
    const ahead = await sync(a, `?since=${fine(later).seq + 1000}`, { 'If-None-Match': later.headers.etag });
    assert.equal(fine(ahead).reload, true);
});

test('members of the past hear what they were members for, and their farewell', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['past-a'], { access_scopes: [{}] });
    const [a, b] = [confab.api('past-a'), confab.api('past-b')];
    const { seq } = fine(await sync(b));
    await a.send(dialog, 'before');
    fine(await b.post(`/dialogs/${dialog}/join`, { display_name: 'B', company: '' }, { scope: [[]] }));
    await a.send(dialog, 'during');
    fine(await b.post(`/dialogs/${dialog}/leave`));
    await a.send(dialog, 'after');
    fine(await b.post(`/dialogs/${dialog}/join`, { display_name: 'B', company: '' }, { scope: [[]] }));
    await a.send(dialog, 'again');
    fine(await confab.admin.delete(`/dialogs/${dialog}/participants/past-b`), 204);
    await a.send(dialog, 'too late');
    const { events } = fine(await sync(b, `?since=${seq}`));
    assert.deepEqual(events.map((f) => f.message_type === 'user' ? f.content : f.type), [
        'message.new', 'participant.joined', 'during', 'participant.left',
        'message.new', 'participant.joined', 'again', 'participant.left']);
});

test('what was deleted is not replayed', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['erase-a', 'erase-b']);
    const [a, b] = [confab.api('erase-a'), confab.api('erase-b')];
    const { seq } = fine(await sync(b));
    const { id } = await a.send(dialog, 'regretted words');
    fine(await a.put(`/dialogs/${dialog}/messages/${id}`, { content: 'regretted words, again' }));
    await a.send(dialog, 'kept');
    fine(await a.delete(`/dialogs/${dialog}/messages/${id}`), 204);
    const answer = await sync(b, `?since=${seq}`);
    assert.ok(!answer.text.includes('regretted'));
    assert.deepEqual(fine(answer).events.map((f) => f.content ?? f.type), ['kept', 'message.deleted']);
    /* and the whole dialog gone: nothing of its words */
    fine(await confab.admin.delete(`/dialogs/${dialog}`), 204);
    const gone = await sync(b, `?since=${seq}`);
    assert.ok(!gone.text.includes('kept'));
    assert.equal(fine(gone).events.at(-1).type, 'participant.left');
});

test('the future and bad values', async () => {
    const confab = await started;
    const a = confab.api('bad-a');
    const { seq } = fine(await sync(a));
    const ahead = fine(await sync(a, `?since=${seq + 1000000}`));
    assert.deepEqual([ahead.reload, ahead.events, ahead.more, ahead.seq], [true, [], false, seq]);
    for (const query of ['?since=x', '?since=', '?since=-1', '?since=1.5', '?since=0&limit=0', '?since=0&limit=501',
        '?since=0&limit=x', '?since=0&limit=-1'])
        refused(await sync(a, query), 400, null);
    fine(await sync(a, '?since=0&limit=500'));
    refused(await confab.nobody.get('/api/v1/sync'), 400, 'BAD_REQUEST');
});

test('a log that no longer reaches back says reload', async () => {
    await withInstance({ auth: 'trusted', relays: 0, env: { CONFAB_LOG_KEEP_EVENTS: '10' } }, async (confab) => {
        const dialog = await confab.dialog(['a']);
        const a = confab.api('a');
        const { seq } = fine(await sync(a));
        for (let i = 0; i < 25; i++)
            await a.send(dialog, `${i}`);
        await confab.ctl('prune');
        const head = fine(await sync(a)).seq;
        const old = fine(await sync(a, `?since=${seq}`));
        assert.deepEqual([old.reload, old.events, old.seq], [true, [], head]);
        const near = fine(await sync(a, `?since=${head - 3}`));
        assert.deepEqual([near.reload, near.events.length], [false, 3]);
    });
});

test('it works without any relay', async () => {
    await withInstance({ auth: 'jwt', relays: 0, handlers: 1 }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const { seq } = fine(await sync(confab.api('b')));
        await confab.api('a').send(dialog, 'polled');
        assert.deepEqual(fine(await sync(confab.api('b'), `?since=${seq}`)).events.map((f) => f.content), ['polled']);
    });
});
