/* Joining, leaving, reading, counting, and who sees what of whom.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine, keys, refused, NOWHERE, TIME } from '../lib/assert.mjs';
import { instance, test } from '../lib/instance.mjs';

for (const auth of ['trusted', 'jwt']) {
    const started = instance({ auth });
    const scope = [['room']];
    const open = (confab, members, more) =>
        confab.dialog(members, { access_scopes: [{ scope_level0: ['room'] }], ...more });
    const unread = async (api, dialog) => fine(await api.get(`/dialogs/${dialog}`)).unread_count;
    const member = async (api, dialog, user) =>
        fine(await api.get(`/dialogs/${dialog}/participants`)).find((one) => one.user_id === user);

    test(`${auth}: join`, async () => {
        const confab = await started;
        const dialog = await open(confab, ['join-a']);
        const a = confab.api('join-a');
        await a.send(dialog, 'one');
        await a.send(dialog, 'two');
        const b = confab.api('join-b');
        const body = { display_name: 'Ben <b>', company: 'Co & Co', email: 'b@x', phone: '7' };
        const where = `/dialogs/${dialog}/join`;
        refused(await b.post(where, body), 400, 'BAD_REQUEST');
        refused(await b.post(where, body, { scope: 'not base64!' }), 400, 'BAD_REQUEST');
        refused(await b.post(where, body, { scope: [['other']] }), 403, 'FORBIDDEN');
        refused(await b.post(where, body, { scope: [[]] }), 403, 'FORBIDDEN');
        refused(await b.post(`/dialogs/${NOWHERE}/join`, body, { scope }), 404, 'DIALOG_NOT_FOUND');
        for (const wrong of ['', {}, { display_name: 'x' }, { company: 'x' }, { display_name: 1, company: '' },
            { display_name: 'x', company: null }, { display_name: 'x', company: '', email: 5 }])
            refused(await b.post(where, wrong, { scope }), 400, 'BAD_REQUEST');
        for (const wrong of [{ display_name: '', company: '' }, { display_name: '  ', company: '' }])
            refused(await b.post(where, wrong, { scope }), 400, 'INVALID_INPUT');
        assert.deepEqual(fine(await b.post(where, body, { scope })), { status: 'joined', dialog_id: dialog });
        refused(await b.post(where, body, { scope }), 400, 'BAD_REQUEST');
        const me = await member(b, dialog, 'join-b');
        keys(me, 'dialog_id', 'user_id', 'joined_at', 'joined_as', 'notifications_enabled', 'last_read_message_id',
            'unread_count', 'display_name', 'company', 'email', 'phone', 'is_archived', 'is_pinned', 'is_online');
        assert.match(me.joined_at, TIME);
        assert.deepEqual({ ...me, joined_at: '' }, { dialog_id: dialog, user_id: 'join-b', joined_at: '', joined_as: 'joined',
            notifications_enabled: true, last_read_message_id: null, unread_count: 2, display_name: 'Ben <b>',
            company: 'Co & Co', email: 'b@x', phone: '7', is_archived: false, is_pinned: false, is_online: false });
        assert.equal(await unread(b, dialog), 2);
        const last = (await b.messages(dialog)).messages.at(-1);
        assert.deepEqual(JSON.parse(last.content), { event: 'participant_joined', name: 'Ben <b>', company: 'Co & Co' });
        assert.equal((await member(a, dialog, 'join-a')).joined_as, 'participant');
        /* the dialog without scopes is closed to all */
        const closed = await confab.dialog(['join-a']);
        refused(await b.post(`/dialogs/${closed}/join`, body, { scope }), 403, 'FORBIDDEN');
    });

    test(`${auth}: joins that race make one member`, async () => {
        const confab = await started;
        const dialog = await open(confab, ['race-a']);
        const b = confab.api('race-b');
        const answers = await Promise.all(Array.from({ length: 6 }, () =>
            b.post(`/dialogs/${dialog}/join`, { display_name: 'B', company: '' }, { scope })));
        assert.deepEqual(answers.map((one) => one.status).sort(), [200, 400, 400, 400, 400, 400]);
        assert.equal(fine(await b.get(`/dialogs/${dialog}/participants`)).length, 2);
        assert.equal((await b.messages(dialog)).messages.length, 2);
    });

    test(`${auth}: leave`, async () => {
        const confab = await started;
        const dialog = await open(confab, ['leave-a', { user_id: 'leave-n', display_name: 'N' }]);
        const a = confab.api('leave-a');
        refused(await a.post(`/dialogs/${NOWHERE}/leave`), 404, 'DIALOG_NOT_FOUND');
        assert.deepEqual(fine(await confab.api('leave-x').post(`/dialogs/${dialog}/leave`)), { status: 'left' });
        const count = (await a.messages(dialog)).messages.length;
        assert.equal(count, 1);
        assert.deepEqual(fine(await a.post(`/dialogs/${dialog}/leave`)), { status: 'left' });
        assert.deepEqual(fine(await a.post(`/dialogs/${dialog}/leave`)), { status: 'left' });
        const n = confab.api('leave-n');
        const { messages } = await n.messages(dialog);
        assert.equal(messages.length, 2);
        assert.deepEqual(JSON.parse(messages[1].content), { event: 'participant_left', name: 'Name of leave-a' });
        refused(await a.get(`/dialogs/${dialog}/messages`), 403, 'NOT_PARTICIPANT', 'Forbidden');
        assert.equal(await unread(n, dialog), 0);
        /* the last one out; the dialog stays, and can be joined afresh */
        fine(await n.post(`/dialogs/${dialog}/leave`));
        fine(await a.post(`/dialogs/${dialog}/join`, { display_name: 'Back', company: '' }, { scope }));
        assert.equal((await a.messages(dialog)).messages.length, 4);
        const me = await member(a, dialog, 'leave-a');
        assert.equal(me.joined_as, 'joined');
        assert.equal(me.last_read_message_id, null);
        assert.equal(fine(await a.get(`/dialogs/${dialog}`)).participants.length, 1);
    });

    test(`${auth}: the read pointer only moves forward, and counts`, async () => {
        const confab = await started;
        const dialog = await confab.dialog(['read-a', 'read-b']);
        const [a, b] = [confab.api('read-a'), confab.api('read-b')];
        const m = [];
        for (let i = 0; i < 5; i++)
            m.push((await a.send(dialog, `m${i}`)).id);
        const own = async () => (await member(b, dialog, 'read-b')).last_read_message_id;
        assert.equal(await unread(b, dialog), 5);
        assert.equal(await unread(a, dialog), 0);
        assert.deepEqual(fine(await b.post(`/dialogs/${dialog}/read`, { last_read_message_id: m[2].toUpperCase() })),
            { success: true });
        assert.equal(await unread(b, dialog), 2);
        assert.equal(await own(), m[2]);
        await b.read(dialog, m[0]);
        assert.equal(await unread(b, dialog), 2);
        assert.equal(await own(), m[2]);
        await b.read(dialog, m[4]);
        assert.equal(await unread(b, dialog), 0);
        /* the pointer of an own message, and the count that a send clears */
        await a.send(dialog, 'more');
        assert.equal(await unread(b, dialog), 1);
        const mine = await b.send(dialog, 'mine');
        assert.equal(await unread(b, dialog), 0);
        assert.equal(await own(), mine.id);
        assert.equal(await unread(a, dialog), 1);
        const other = await confab.dialog(['read-b']);
        const foreign = await b.send(other, 'foreign');
        for (const id of [NOWHERE, foreign.id])
            refused(await b.post(`/dialogs/${dialog}/read`, { last_read_message_id: id }), 400, 'INVALID_INPUT');
        for (const body of ['', {}, { last_read_message_id: 'x' }, { last_read_message_id: 4 }, { last_read_message_id: null }])
            refused(await b.post(`/dialogs/${dialog}/read`, body), 400, 'BAD_REQUEST');
        refused(await confab.api('read-x').post(`/dialogs/${dialog}/read`, { last_read_message_id: m[0] }),
            403, 'NOT_PARTICIPANT', 'Forbidden');
        refused(await b.post(`/dialogs/${NOWHERE}/read`, { last_read_message_id: m[0] }), 404, 'DIALOG_NOT_FOUND');
    });

    test(`${auth}: deleted messages leave neither badge nor pointer behind`, async () => {
        const confab = await started;
        const dialog = await confab.dialog(['del-a', 'del-b']);
        const [a, b] = [confab.api('del-a'), confab.api('del-b')];
        const system = (await a.messages(dialog)).messages[0].id;
        const m = [];
        for (let i = 0; i < 5; i++)
            m.push((await a.send(dialog, `m${i}`)).id);
        const gone = async (id) => fine(await a.delete(`/dialogs/${dialog}/messages/${id}`), 204);
        const own = async () => (await member(b, dialog, 'del-b')).last_read_message_id;
        await b.read(dialog, m[1]);
        assert.equal(await unread(b, dialog), 3);
        await gone(m[0]);                       /* read before: nothing changes */
        assert.equal(await unread(b, dialog), 3);
        await gone(m[3]);                       /* unread: one less */
        assert.equal(await unread(b, dialog), 2);
        await gone(m[1]);                       /* the pointer's own: falls back */
        assert.equal(await unread(b, dialog), 2);
        assert.equal(await own(), system);
        await b.read(dialog, m[2]);
        assert.equal(await unread(b, dialog), 1);
        await gone(m[4]);
        assert.equal(await unread(b, dialog), 0);
        await gone(m[2]);
        assert.equal(await own(), system);
        await a.send(dialog, 'later');
        assert.equal(await unread(b, dialog), 1);
    });

    test(`${auth}: one added later starts at zero and counts from there`, async () => {
        const confab = await started;
        const dialog = await confab.dialog(['late-a']);
        await confab.api('late-a').send(dialog, 'old');
        const added = fine(await confab.admin.post(`/dialogs/${dialog}/participants`, { user_id: 'late-b', display_name: 'B' }), 201);
        assert.equal(added.unread_count, 0);
        assert.equal(added.last_read_message_id, null);
        const b = confab.api('late-b');
        assert.equal(await unread(b, dialog), 0);
        await confab.api('late-a').send(dialog, 'new');
        assert.equal(await unread(b, dialog), 1);
    });

    test(`${auth}: what others may know`, async () => {
        const confab = await started;
        const dialog = await open(confab, [
            { user_id: 'priv-a', display_name: 'A', company: 'C', email: 'a@x', phone: '1' },
            { user_id: 'priv-b', display_name: 'B', email: 'b@x' }]);
        const [a, b] = [confab.api('priv-a'), confab.api('priv-b')];
        const { id } = await a.send(dialog, 'hi');
        await a.send(dialog, 'hi again');
        await b.read(dialog, id);
        await b.post(`/dialogs/${dialog}/archive`);
        await b.post(`/dialogs/${dialog}/pin`);
        await b.post(`/dialogs/${dialog}/notifications`, { enabled: false });
        const mine = await member(b, dialog, 'priv-b');
        assert.deepEqual([mine.unread_count, mine.is_archived, mine.is_pinned, mine.notifications_enabled], [1, true, true, false]);
        const his = await member(a, dialog, 'priv-b');      /* a member: receipts yes, state no */
        assert.deepEqual([his.unread_count, his.is_archived, his.is_pinned, his.notifications_enabled], [0, false, false, true]);
        assert.equal(his.last_read_message_id, id);
        assert.equal(his.email, 'b@x');
        const c = confab.api('priv-c');                     /* a candidate */
        const rows = fine(await c.get(`/dialogs/${dialog}/participants`, { scope }));
        assert.deepEqual(rows.map((one) => one.user_id), ['priv-a', 'priv-b']);
        for (const row of rows) {
            assert.deepEqual([row.email, row.phone, row.last_read_message_id, row.unread_count, row.is_archived, row.is_pinned],
                [null, null, null, 0, false, false]);
            assert.ok('display_name' in row && 'company' in row && 'is_online' in row);
        }
        for (const options of [{}, { scope: [['other']] }])
            refused(await c.get(`/dialogs/${dialog}/participants`, options), 403, 'NOT_PARTICIPANT', 'Forbidden');
        refused(await c.get(`/dialogs/${NOWHERE}/participants`, { scope }), 403, 'NOT_PARTICIPANT', 'Forbidden');
        refused(await c.get(`/dialogs/${dialog}/participants`, { scope: '%%' }), 400, 'BAD_REQUEST');
        refused(await a.get(`/dialogs/${dialog}/participants`, { scope: '%%' }), 400, 'BAD_REQUEST');
    });
}
