/* The Management API: create, search, inspect, delete, participants, scopes.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine, keys, refused, NOWHERE, TIME, UUID7 } from '../lib/assert.mjs';
import { instance, test } from '../lib/instance.mjs';

const started = instance({ auth: 'jwt' });
const BASE = ['id', 'object_id', 'object_type', 'title', 'object_url', 'created_by', 'created_at'];

test('create: everything given', async () => {
    const confab = await started;
    const made = fine(await confab.admin.post('/dialogs', {
        object_type: 'deal', object_id: 'd-1', title: 'Title', object_url: 'https://h/1', meta: { k: [1, 'x', { y: null }] },
        participants: [{ user_id: 'c-a', display_name: 'A', company: 'Co' }, { user_id: 'c-b', display_name: 'B', email: null, phone: null, company: null }],
        access_scopes: [{ scope_level0: ['t1'], scope_level1: ['a', 'b'] }, {}],
        unknown: 'ignored',
    }));
    keys(made, ...BASE, 'meta');
    assert.match(made.id, UUID7);
    assert.match(made.created_at, TIME);
    assert.deepEqual(made, { id: made.id, created_at: made.created_at, object_type: 'deal', object_id: 'd-1',
        title: 'Title', object_url: 'https://h/1', created_by: 'c-a', meta: { k: [1, 'x', { y: null }] } });
    const full = fine(await confab.admin.get(`/dialogs/${made.id}`));
    keys(full, ...BASE, 'meta', 'participants', 'access_scopes');
    assert.deepEqual(full.participants.map((p) => [p.user_id, p.display_name, p.company, p.email, p.phone, p.joined_as,
        p.unread_count, p.last_read_message_id, p.notifications_enabled, p.is_archived, p.is_pinned, p.dialog_id]), [
        ['c-a', 'A', 'Co', null, null, 'participant', 0, null, true, false, false, made.id],
        ['c-b', 'B', null, null, null, 'participant', 0, null, true, false, false, made.id]]);
    assert.equal(full.access_scopes.length, 2);
    for (const scope of full.access_scopes) {
        keys(scope, 'id', 'dialog_id', 'scope_level0', 'scope_level1', 'scope_level2', 'created_at');
        assert.equal(scope.dialog_id, made.id);
    }
    const { messages } = await confab.api('c-a').messages(made.id);
    assert.equal(messages.length, 1);
    assert.deepEqual(JSON.parse(messages[0].content), { event: 'chat_created',
        participants: [{ name: 'A', company: 'Co' }, { name: 'B' }] });
});

test('create: the least there is', async () => {
    const confab = await started;
    for (const more of [{}, { participants: [], access_scopes: [], title: null, object_url: null, meta: null }]) {
        const made = fine(await confab.admin.post('/dialogs', { object_type: 't', object_id: 'не uuid', ...more }));
        keys(made, ...BASE);
        assert.deepEqual([made.title, made.object_url, made.created_by, made.object_id], [null, null, null, 'не uuid']);
    }
    /* nothing is deduplicated */
    const [a, b] = [await confab.dialog(['same'], { object_id: 'o' }), await confab.dialog(['same'], { object_id: 'o' })];
    assert.notEqual(a, b);
});

test('create: what is refused leaves nothing', async () => {
    const confab = await started;
    const one = { user_id: 'r-a', display_name: 'A' };
    const base = { object_type: 'refused', object_id: 'o' };
    for (const body of ['', '{', '[]', 'null', {}, { object_type: 'x' }, { object_id: 'x' }, { object_type: 1, object_id: 'x' },
        { object_type: 'x', object_id: null }, { ...base, participants: {} }, { ...base, participants: ['a'] },
        { ...base, participants: [{ user_id: 'x' }] }, { ...base, participants: [{ display_name: 'x' }] },
        { ...base, participants: [{ user_id: 5, display_name: 'x' }] }, { ...base, title: 5 }, { ...base, access_scopes: 'x' },
        { ...base, access_scopes: [[]] }, { ...base, access_scopes: [{ scope_level0: 'x' }] },
        { ...base, access_scopes: [{ scope_level1: [1] }] }])
        refused(await confab.admin.post('/dialogs', body), 400, 'BAD_REQUEST');
    for (const body of [{ ...base, object_type: '' }, { ...base, object_id: '' }, { ...base, participants: [one, one] },
        { ...base, participants: [one, { ...one, user_id: '' }] }, { ...base, participants: [{ ...one, display_name: ' ' }] },
        { ...base, access_scopes: [{ scope_level0: [''] }] }])
        refused(await confab.admin.post('/dialogs', body), 400, 'INVALID_INPUT');
    assert.equal(fine(await confab.admin.post('/dialogs/search', base)), null);
    assert.deepEqual(fine(await confab.api('r-a').get('/dialogs')), []);
});

test('search: scopes are compared as sets', async () => {
    const confab = await started;
    const object = { object_type: 'search', object_id: 's' };
    const none = await confab.dialog(['s-a'], object);
    const two = await confab.dialog(['s-a'], { ...object, access_scopes: [
        { scope_level0: ['x', 'y'], scope_level2: ['z'] }, { scope_level1: ['q'] }] });
    const find = async (access_scopes) => fine(await confab.admin.post('/dialogs/search', { ...object, access_scopes }))?.id ?? null;
    assert.equal(await find(undefined), none);
    assert.equal(await find([]), none);
    assert.equal(await find([{ scope_level0: ['x', 'y'], scope_level2: ['z'] }, { scope_level1: ['q'] }]), two);
    assert.equal(await find([{ scope_level1: ['q', 'q'] }, { scope_level0: ['y', 'x', 'y'], scope_level1: [], scope_level2: ['z'] }]), two);
    for (const other of [[{ scope_level1: ['q'] }], [{ scope_level0: ['x'], scope_level2: ['z'] }, { scope_level1: ['q'] }],
        [{ scope_level1: ['q'] }, { scope_level1: ['q'] }], [{}], [{}, {}],
        [{ scope_level0: ['x', 'y'], scope_level2: ['z'] }, { scope_level1: ['q'] }, { scope_level1: ['q'] }]])
        assert.equal(await find(other), null, JSON.stringify(other));
    const newer = await confab.dialog(['s-b'], object);
    assert.equal(await find([]), newer);
    assert.equal(fine(await confab.admin.post('/dialogs/search', { object_type: 'search', object_id: 'other' })), null);
    const got = fine(await confab.admin.post('/dialogs/search', object));
    keys(got, ...BASE);
    for (const body of ['', {}, { object_type: 'x' }, { ...object, access_scopes: {} }])
        refused(await confab.admin.post('/dialogs/search', body), 400, 'BAD_REQUEST');
});

test('inspect and delete', async () => {
    const confab = await started;
    refused(await confab.admin.get(`/dialogs/${NOWHERE}`), 404, 'NOT_FOUND');
    refused(await confab.admin.get('/dialogs/x'), 400, 'BAD_REQUEST');
    refused(await confab.admin.delete('/dialogs/x'), 400, 'BAD_REQUEST');
    const dialog = await confab.dialog(['d-a', 'd-b'], { object_type: 'del', object_id: 'd', access_scopes: [{}] });
    const a = confab.api('d-a');
    await a.send(dialog, 'x');
    fine(await confab.admin.delete(`/dialogs/${dialog}`), 204);
    fine(await confab.admin.delete(`/dialogs/${dialog}`), 204);
    refused(await confab.admin.get(`/dialogs/${dialog}`), 404, 'NOT_FOUND');
    refused(await a.get(`/dialogs/${dialog}`), 404, 'DIALOG_NOT_FOUND');
    refused(await a.get(`/dialogs/${dialog}/messages`), 403, 'NOT_PARTICIPANT', 'Forbidden');
    refused(await a.post(`/dialogs/${dialog}/messages`, { content: 'x' }), 404, 'DIALOG_NOT_FOUND');
    refused(await a.post(`/dialogs/${dialog}/leave`), 404, 'DIALOG_NOT_FOUND');
    assert.deepEqual(fine(await a.get('/dialogs', { scope: [[]] })), []);
    assert.equal(fine(await a.get('/dialogs/by-object/del/d', { scope: [[]] })), null);
});

test('participants', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['p-a']);
    const where = `/dialogs/${dialog}/participants`;
    const added = fine(await confab.admin.post(where,
        { user_id: 'p/b+c d', display_name: 'B', company: 'C', email: 'e', phone: '5' }), 201);
    assert.deepEqual([added.user_id, added.display_name, added.company, added.email, added.phone, added.joined_as, added.dialog_id],
        ['p/b+c d', 'B', 'C', 'e', '5', 'participant', dialog]);
    const again = fine(await confab.admin.post(where, { user_id: 'p/b+c d', display_name: 'Other' }), 201);
    assert.equal(again.display_name, 'B');
    refused(await confab.admin.post(`/dialogs/${NOWHERE}/participants`, { user_id: 'x', display_name: 'x' }), 404, 'NOT_FOUND');
    refused(await confab.admin.post('/dialogs/x/participants', { user_id: 'x', display_name: 'x' }), 400, 'BAD_REQUEST');
    for (const body of ['', {}, { user_id: 'x' }, { user_id: 1, display_name: 'x' }, []])
        refused(await confab.admin.post(where, body), 400, 'BAD_REQUEST');
    for (const body of [{ user_id: '', display_name: 'x' }, { user_id: 'x', display_name: '' }])
        refused(await confab.admin.post(where, body), 400, 'INVALID_INPUT');
    assert.equal(fine(await confab.admin.get(`/dialogs/${dialog}`)).participants.length, 2);
    /* neither adding nor removing leaves a system message */
    fine(await confab.admin.delete(`${where}/${encodeURIComponent('p/b+c d')}`), 204);
    fine(await confab.admin.delete(`${where}/${encodeURIComponent('p/b+c d')}`), 204);
    fine(await confab.admin.delete(`${where}/nobody`), 204);
    refused(await confab.admin.delete('/dialogs/x/participants/nobody'), 400, 'BAD_REQUEST');
    fine(await confab.admin.delete(`/dialogs/${NOWHERE}/participants/nobody`), 204);
    assert.equal(fine(await confab.admin.get(`/dialogs/${dialog}`)).participants.length, 1);
    assert.equal((await confab.api('p-a').messages(dialog)).messages.length, 1);
});

test('scopes are replaced as a whole and count at once', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['q-a'], { access_scopes: [{ scope_level0: ['old'] }] });
    const put = (body, id = dialog) => confab.admin.put(`/dialogs/${id}/access-scopes`, body);
    const sees = async (value) => (await confab.api('q-x').get(`/dialogs/${dialog}`, { scope: [[value]] })).status === 200;
    assert.deepEqual([await sees('old'), await sees('new')], [true, false]);
    const scopes = fine(await put({ access_scopes: [{ scope_level0: ['new', 'new2'] }, { scope_level2: ['w'] }] }));
    assert.deepEqual(scopes.map((s) => [s.scope_level0, s.scope_level1, s.scope_level2]), [[['new', 'new2'], [], []], [[], [], ['w']]]);
    keys(scopes[0], 'id', 'dialog_id', 'scope_level0', 'scope_level1', 'scope_level2', 'created_at');
    assert.match(scopes[0].id, UUID7);
    assert.deepEqual([await sees('old'), await sees('new')], [false, true]);
    for (const body of ['', {}, { access_scopes: null }, { access_scopes: {} }, { access_scopes: [null] }, { access_scopes: [{ scope_level0: null }] }])
        refused(await put(body), 400, 'BAD_REQUEST');
    assert.deepEqual([await sees('old'), await sees('new')], [false, true]);
    assert.deepEqual(fine(await put({ access_scopes: [] })), []);
    assert.deepEqual([await sees('old'), await sees('new')], [false, false]);
    assert.equal(fine(await confab.api('q-a').get('/dialogs', { scope: [['zzz']] })).length, 1);
    refused(await put({ access_scopes: [] }, NOWHERE), 404, 'NOT_FOUND');
    refused(await put({ access_scopes: [] }, 'x'), 400, 'BAD_REQUEST');
});
