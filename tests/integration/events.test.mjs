/* Who hears what: each kind of event, its fields, its audience, its order.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine, keys, TIME } from '../lib/assert.mjs';
import { instance, test } from '../lib/instance.mjs';

for (const auth of ['trusted', 'jwt']) {
    const started = instance({ auth });
    const scope = [['ev']];

    /* A dialog of a and b (two tabs), with an outsider x who shares another one with a. */
    async function stage(confab, name, more) {
        const [a, b, c, x] = ['a', 'b', 'c', 'x'].map((one) => `${name}-${one}`);
        const dialog = await confab.dialog([a, b], { access_scopes: [{ scope_level0: ['ev'] }], ...more });
        await confab.dialog([a, x]);
        const sockets = {
            a: await confab.socket(a), b: await confab.socket(b), b2: await confab.socket(b),
            c: await confab.socket(c), x: await confab.socket(x),
        };
        /* presence greetings are not what is looked at here */
        for (const socket of Object.values(sockets))
            await confab.drain(socket);
        const heard = async () => {
            const result = {};
            for (const [who, socket] of Object.entries(sockets))
                result[who] = (await confab.drain(socket)).filter((f) => f.type !== 'presence.update');
            return result;
        };
        return { dialog, sockets, heard, api: { a: confab.api(a), b: confab.api(b), c: confab.api(c), x: confab.api(x) } };
    }
    const types = (heard) => Object.fromEntries(Object.entries(heard).map(([who, frames]) => [who, frames.map((f) => f.type).join(' ')]));

    test(`${auth}: message.new, edited, deleted to all members`, async () => {
        const confab = await started;
        const { dialog, heard, api } = await stage(confab, 'msg');
        const sent = await api.a.send(dialog, '<b>hi</b>\u2028');
        const edited = fine(await api.a.put(`/dialogs/${dialog}/messages/${sent.id}`, { content: 'ho' }));
        fine(await api.a.delete(`/dialogs/${dialog}/messages/${sent.id}`), 204);
        const got = await heard();
        const all = 'message.new message.edited message.deleted';
        assert.deepEqual(types(got), { a: all, b: all, b2: all, c: '', x: '' });
        for (const frames of [got.a, got.b, got.b2]) {
            assert.ok(frames[0].seq < frames[1].seq && frames[1].seq < frames[2].seq);
            keys(frames[0], 'type', 'id', 'dialog_id', 'sender_id', 'content', 'sent_at', 'message_type', 'seq');
            assert.deepEqual({ ...frames[0], seq: 0 }, { type: 'message.new', id: sent.id, dialog_id: dialog, sender_id: 'msg-a',
                content: sent.content, sent_at: sent.sent_at, message_type: 'user', seq: 0 });
            assert.deepEqual({ ...frames[1], seq: 0 }, { type: 'message.edited', id: sent.id, dialog_id: dialog, content: 'ho',
                last_edited_at: edited.last_edited_at, seq: 0 });
            assert.deepEqual({ ...frames[2], seq: 0 }, { type: 'message.deleted', id: sent.id, dialog_id: dialog, seq: 0 });
            assert.match(frames[0].sent_at, TIME);
        }
        assert.deepEqual(got.a, got.b);
        assert.deepEqual(got.b, got.b2);
    });

    test(`${auth}: a reply carries the whole message`, async () => {
        const confab = await started;
        const { dialog, sockets, heard, api } = await stage(confab, 'reply');
        const first = await api.a.send(dialog, 'q');
        const reply = await api.a.send(dialog, 'a', { reply_to: first.id, client_message_id: 'c-1' });
        const { b } = await heard();
        assert.ok(!('payload' in b[0]));
        assert.equal(b[1].id, reply.id);
        const { client_message_id: id, ...whole } = reply;
        const { client_message_id: ignored, ...carried } = b[1].payload.message;
        assert.deepEqual(carried, whole);
        assert.equal(id, 'c-1');
        assert.ok(ignored === undefined || ignored === 'c-1');
        assert.equal(b[1].client_message_id, 'c-1');
        assert.ok(sockets);
    });

    test(`${auth}: read, with the effective pointer, and nothing when nothing moved`, async () => {
        const confab = await started;
        const { dialog, heard, api } = await stage(confab, 'read');
        const one = await api.a.send(dialog, '1');
        const two = await api.a.send(dialog, '2');
        await heard();
        await api.b.read(dialog, two.id);
        await api.b.read(dialog, two.id);
        await api.b.read(dialog, one.id);
        const got = await heard();
        assert.deepEqual(types(got), { a: 'message.read', b: 'message.read', b2: 'message.read', c: '', x: '' });
        assert.deepEqual({ ...got.a[0], seq: 0 }, { type: 'message.read', dialog_id: dialog, user_id: 'read-b', last_read_message_id: two.id, seq: 0 });
        /* a send by one who had unread messages reads them; by one who had none it does not */
        const three = await api.a.send(dialog, '3');
        const four = await api.b.send(dialog, '4');
        await api.b.send(dialog, '5');
        const { a } = await heard();
        assert.deepEqual(a.map((f) => [f.type, f.id ?? f.last_read_message_id, f.user_id]), [
            ['message.new', three.id, undefined], ['message.new', four.id, undefined],
            ['message.read', four.id, 'read-b'], ['message.new', a[3].id, undefined]]);
    });

    test(`${auth}: join and leave, and silence afterwards`, async () => {
        const confab = await started;
        const { dialog, heard, api } = await stage(confab, 'join');
        fine(await api.c.post(`/dialogs/${dialog}/join`, { display_name: 'C', company: '' }, { scope }));
        const joined = await heard();
        const both = 'message.new participant.joined';
        assert.deepEqual(types(joined), { a: both, b: both, b2: both, c: both, x: '' });
        keys(joined.a[0], 'type', 'id', 'dialog_id', 'sender_id', 'content', 'sent_at', 'message_type', 'seq');
        assert.equal(joined.a[0].sender_id, null);
        assert.equal(joined.a[0].message_type, 'system');
        assert.deepEqual(JSON.parse(joined.a[0].content), { event: 'participant_joined', name: 'C', company: '' });
        assert.deepEqual({ ...joined.c[1], seq: 0 }, { type: 'participant.joined', dialog_id: dialog, user_id: 'join-c', seq: 0 });
        await api.a.send(dialog, 'welcome');
        assert.equal((await api.c.post(`/dialogs/${dialog}/join`, { display_name: 'C', company: '' }, { scope })).status, 400);
        assert.deepEqual(types(await heard()), { a: 'message.new', b: 'message.new', b2: 'message.new', c: 'message.new', x: '' });
        fine(await api.c.post(`/dialogs/${dialog}/leave`));
        fine(await api.c.post(`/dialogs/${dialog}/leave`));
        await api.a.send(dialog, 'not for c');
        const left = await heard();
        const rest = 'message.new participant.left message.new';
        assert.deepEqual(types(left), { a: rest, b: rest, b2: rest, c: 'participant.left', x: '' });
        assert.deepEqual({ ...left.c[0], seq: 0 }, { type: 'participant.left', dialog_id: dialog, user_id: 'join-c', seq: 0 });
        /* a stranger's leave is nothing at all */
        fine(await api.x.post(`/dialogs/${dialog}/leave`));
        assert.deepEqual(types(await heard()), { a: '', b: '', b2: '', c: '', x: '' });
    });

    test(`${auth}: managers add and remove, only changes are told`, async () => {
        const confab = await started;
        const { dialog, heard, api } = await stage(confab, 'mgmt');
        const where = `/dialogs/${dialog}/participants`;
        for (let i = 0; i < 2; i++)
            fine(await confab.admin.post(where, { user_id: 'mgmt-c', display_name: 'C' }), 201);
        const one = 'participant.joined';
        assert.deepEqual(types(await heard()), { a: one, b: one, b2: one, c: one, x: '' });
        await api.a.send(dialog, 'c hears this');
        for (let i = 0; i < 2; i++)
            fine(await confab.admin.delete(`${where}/mgmt-c`), 204);
        await api.a.send(dialog, 'but not this');
        const got = await heard();
        const rest = 'message.new participant.left message.new';
        assert.deepEqual(types(got), { a: rest, b: rest, b2: rest, c: 'message.new participant.left', x: '' });
    });

    test(`${auth}: created and deleted dialogs`, async () => {
        const confab = await started;
        const { sockets, heard } = await stage(confab, 'life');
        const dialog = await confab.dialog(['life-a', 'life-b', 'life-c']);
        const made = await heard();
        for (const who of ['a', 'b', 'b2', 'c'])
            assert.deepEqual(made[who].map((f) => [f.type, f.dialog_id, f.user_id]),
                ['a', 'b', 'c'].map((one) => ['participant.joined', dialog, `life-${one}`]), who);
        assert.deepEqual(made.x, []);
        fine(await confab.admin.delete(`/dialogs/${dialog}`), 204);
        fine(await confab.admin.delete(`/dialogs/${dialog}`), 204);
        const gone = await heard();
        for (const [who, user] of [['a', 'life-a'], ['b', 'life-b'], ['b2', 'life-b'], ['c', 'life-c']])
            assert.deepEqual(gone[who].map((f) => [f.type, f.dialog_id, f.user_id]), [['participant.left', dialog, user]], who);
        assert.deepEqual(gone.x, []);
        assert.ok(sockets);
    });

    test(`${auth}: archive flags, to their owner alone`, async () => {
        const confab = await started;
        const { dialog, heard, api } = await stage(confab, 'arch');
        for (const verb of ['archive', 'archive', 'unarchive', 'unarchive', 'archive', 'pin', 'unpin'])
            fine(await api.b.post(`/dialogs/${dialog}/${verb}`));
        fine(await api.b.post(`/dialogs/${dialog}/notifications`, { enabled: false }));
        const flips = 'dialog.archived dialog.unarchived dialog.archived';
        const got = await heard();
        assert.deepEqual(types(got), { a: '', b: flips, b2: flips, c: '', x: '' });
        assert.deepEqual({ ...got.b[0], seq: 0 }, { type: 'dialog.archived', dialog_id: dialog, seq: 0 });
        /* a message brings it back, which is told first, to him whose flag flipped */
        await api.a.send(dialog, 'wake up');
        assert.deepEqual(types(await heard()), { a: 'message.new', b: 'dialog.unarchived message.new', b2: 'dialog.unarchived message.new', c: '', x: '' });
    });

    test(`${auth}: order of many writers is one order for everybody, the database's`, async () => {
        const confab = await started;
        const { dialog, sockets, api } = await stage(confab, 'many');
        await Promise.all(Array.from({ length: 60 }, (_, i) => (i % 2 ? api.a : api.b).send(dialog, `n${i}`)));
        const { messages } = await api.a.messages(dialog, '?limit=100');
        const wanted = messages.filter((m) => m.message_type === 'user').map((m) => m.id);
        for (const socket of [sockets.a, sockets.b, sockets.b2]) {
            const frames = await confab.drain(socket);
            assert.deepEqual(frames.filter((f) => f.type === 'message.new').map((f) => f.id), wanted);
            const seqs = frames.filter((f) => f.seq).map((f) => f.seq);
            assert.deepEqual(seqs, [...new Set(seqs)].sort((p, q) => p - q));
        }
    });

    test(`${auth}: what is read after an event contains it`, async () => {
        const confab = await started;
        const { dialog, sockets, api } = await stage(confab, 'snap');
        for (let i = 0; i < 10; i++) {
            const sent = api.a.send(dialog, `s${i}`);
            const frame = await sockets.b.next({ type: 'message.new', dialog_id: dialog });
            const { messages } = await api.b.messages(dialog, '?limit=1');
            assert.equal(messages[0].id, frame.id);
            await sent;
        }
    });
}
