/* Dialogs as their callers see them: lists, single reads, by object, search, order, switches.
 * SPDX-License-Identifier: MIT
 */
import { fine, keys, assert, refused, NOWHERE, TIME, UUID7 } from '../lib/assert.mjs';
import { instance, test } from '../lib/instance.mjs';

for (const auth of ['trusted', 'jwt']) {
    const started = instance({ auth });

    test(`${auth}: a member's item carries everything`, async () => {
        const confab = await started;
        const dialog = await confab.dialog([
            { user_id: 'full-a', display_name: 'Anna', company: 'Acme', email: 'a@x', phone: '1' },
            { user_id: 'full-b', display_name: 'Ben' },
        ], { title: 'T', object_url: 'https://x/y', meta: { a: [1, 2.50, null], b: 'ü' } });
        await confab.api('full-b').send(dialog, 'hello');
        const base = ['id', 'object_id', 'object_type', 'title', 'object_url', 'created_by', 'created_at', 'meta'];
        const member = [...base, 'participants_count', 'i_am_participant', 'can_join', 'unread_count',
            'is_archived', 'is_pinned', 'notifications_enabled', 'last_message_at', 'last_message', 'participants'];
        const anna = confab.api('full-a');
        const [listed] = fine(await anna.get('/dialogs'));
        const single = fine(await anna.get(`/dialogs/${dialog}`));
        for (const item of [listed, single]) {
            keys(item, member);
            assert.match(item.id, UUID7);
            assert.match(item.created_at, TIME);
            assert.equal(item.created_by, 'full-a');
            assert.equal(item.title, 'T');
            assert.deepEqual(item.meta, { a: [1, 2.5, null], b: 'ü' });
            assert.equal(item.participants_count, 2);
            assert.equal(item.i_am_participant, true);
            assert.equal(item.can_join, false);
            assert.equal(item.unread_count, 1);
            assert.equal(item.is_archived, false);
            assert.equal(item.is_pinned, false);
            assert.equal(item.notifications_enabled, true);
            assert.deepEqual(item.participants, [
                { user_id: 'full-a', display_name: 'Anna', company: 'Acme' },
                { user_id: 'full-b', display_name: 'Ben' }]);
            keys(item.last_message, 'id', 'content', 'sender_id', 'sender_name', 'sent_at', 'message_type');
            assert.equal(item.last_message.content, 'hello');
            assert.equal(item.last_message.sender_name, 'Ben');
            assert.equal(item.last_message_at, item.last_message.sent_at);
        }
    });

    test(`${auth}: an empty dialog leaves out what has no value`, async () => {
        const confab = await started;
        const dialog = await confab.dialog([], { access_scopes: [{ scope_level0: ['bare'] }] });
        const api = confab.api('bare-c');
        const scope = [['bare']];
        const [item] = fine(await api.get('/dialogs?type=available', { scope }));
        keys(item, 'id', 'object_id', 'object_type', 'title', 'object_url', 'created_by', 'created_at',
            'participants_count', 'i_am_participant', 'can_join');
        assert.equal(item.id, dialog);
        assert.equal(item.title, null);
        assert.equal(item.object_url, null);
        assert.equal(item.created_by, null);
        assert.equal(item.participants_count, 0);
        assert.equal(item.i_am_participant, false);
        assert.equal(item.can_join, true);
        /* by id: a candidate learns no count either */
        const single = fine(await api.get(`/dialogs/${dialog}`, { scope }));
        keys(single, 'id', 'object_id', 'object_type', 'title', 'object_url', 'created_by', 'created_at',
            'i_am_participant', 'can_join');
    });

    test(`${auth}: nobody reads before joining`, async () => {
        const confab = await started;
        const dialog = await confab.dialog(['shut-a'],
            { object_type: 'shut', object_id: 'one', access_scopes: [{ scope_level0: ['shut'] }] });
        await confab.api('shut-a').send(dialog, 'private words');
        const api = confab.api('shut-c');
        const scope = [['shut']];
        for (const path of ['/dialogs?type=available', `/dialogs/${dialog}`, '/dialogs/by-object/shut/one',
            '/dialogs/by-object/shut/one/list']) {
            const answer = await api.get(path, { scope });
            fine(answer);
            assert.ok(answer.text.includes(dialog), path);
            assert.ok(!answer.text.includes('private words'), path);
            assert.ok(!answer.text.includes('"last_message"'), path);
            assert.ok(!answer.text.includes('unread_count'), path);
        }
        refused(await api.get(`/dialogs/${dialog}`), 403, 'SCOPE_MISMATCH');
        refused(await api.get(`/dialogs/${dialog}`, { scope: [['else']] }), 403, 'SCOPE_MISMATCH');
        refused(await api.get(`/dialogs/${NOWHERE}`, { scope }), 404, 'DIALOG_NOT_FOUND');
        refused(await api.get('/dialogs/none', { scope }), 400, 'BAD_REQUEST');
        assert.equal(fine(await api.get('/dialogs/by-object/shut/one')), null);
        assert.equal(fine(await api.get('/dialogs/by-object/shut/two', { scope })), null);
    });

    test(`${auth}: order is pinned, then latest activity, then id`, async () => {
        const confab = await started;
        const api = confab.api('order-a');
        const made = [];
        for (let i = 0; i < 4; i++)
            made.push(await confab.dialog(['order-a', 'order-b']));
        const order = async (query = '') => fine(await api.get(`/dialogs${query}`)).map((d) => made.indexOf(d.id));
        assert.deepEqual(await order(), [3, 2, 1, 0]);
        await confab.api('order-b').send(made[0], 'up');
        assert.deepEqual(await order(), [0, 3, 2, 1]);
        await api.post(`/dialogs/${made[1]}/pin`);
        assert.deepEqual(await order(), [1, 0, 3, 2]);
        assert.deepEqual(await order('?limit=2'), [1, 0]);
        assert.deepEqual(await order('?limit=2&offset=1'), [0, 3]);
        assert.deepEqual(await order('?limit=2&offset=3'), [2]);
        assert.deepEqual(await order('?offset=9'), []);
        assert.deepEqual(await order('?offset=-5'), [1, 0, 3, 2]);
        assert.deepEqual(await order('?limit=0'), [1]);
        assert.deepEqual(await order('?limit=-3'), [1]);
        assert.deepEqual(await order('?limit=1000'), [1, 0, 3, 2]);
        for (const query of ['?limit=x', '?limit=', '?limit=1.5', '?offset=x', '?type=mine', '?archived=yes'])
            refused(await api.get(`/dialogs${query}`), 400, 'BAD_REQUEST');
    });

    test(`${auth}: switches`, async () => {
        const confab = await started;
        const dialog = await confab.dialog(['switch-a', 'switch-b']);
        const api = confab.api('switch-a');
        const seen = async (user = 'switch-a') => {
            const item = fine(await confab.api(user).get(`/dialogs/${dialog}`));
            return [item.is_archived, item.is_pinned, item.notifications_enabled];
        };
        for (const twice of [1, 2]) {
            assert.deepEqual(fine(await api.post(`/dialogs/${dialog}/archive`)), { status: 'archived' }, `${twice}`);
            assert.deepEqual(fine(await api.post(`/dialogs/${dialog}/pin`)), { status: 'pinned' });
            assert.deepEqual(fine(await api.post(`/dialogs/${dialog}/notifications`, { enabled: false })),
                { status: 'disabled' });
        }
        assert.deepEqual(await seen(), [true, true, false]);
        assert.deepEqual(await seen('switch-b'), [false, false, true]);
        assert.deepEqual(fine(await api.get('/dialogs?archived=true')).map((d) => d.id), [dialog]);
        assert.deepEqual(fine(await api.get('/dialogs?archived=false')), []);
        assert.deepEqual(fine(await api.post(`/dialogs/${dialog}/unarchive`)), { status: 'unarchived' });
        assert.deepEqual(fine(await api.post(`/dialogs/${dialog}/unpin`)), { status: 'unpinned' });
        assert.deepEqual(fine(await api.post(`/dialogs/${dialog}/notifications`, { enabled: true })),
            { status: 'enabled' });
        assert.deepEqual(await seen(), [false, false, true]);
        for (const body of [{}, { enabled: 'true' }, { enabled: 1 }, { enabled: null }, '', '[]', 'null'])
            refused(await api.post(`/dialogs/${dialog}/notifications`, body), 400, 'BAD_REQUEST');
        const stranger = confab.api('switch-x');
        for (const verb of ['archive', 'unarchive', 'pin', 'unpin'])
            for (const id of [dialog, NOWHERE])
                refused(await stranger.post(`/dialogs/${id}/${verb}`), 403, 'NOT_PARTICIPANT', 'Forbidden');
        refused(await stranger.post(`/dialogs/${NOWHERE}/notifications`, { enabled: true }), 403, 'NOT_PARTICIPANT');
        refused(await api.post('/dialogs/zzz/pin'), 400, 'BAD_REQUEST');
        /* a send brings it back for everybody */
        await api.post(`/dialogs/${dialog}/archive`);
        await api.send(dialog, 'back');
        assert.deepEqual(await seen(), [false, false, true]);
    });

    test(`${auth}: search in titles and companies, in every script, literally`, async () => {
        const confab = await started;
        const one = async (title, company) => confab.dialog(
            [{ user_id: 'search-a', display_name: 'A' }, { user_id: `s-${title}`, display_name: 'B', company }], { title });
        const dialogs = {
            plain: await one('Order 17', 'Müller AG'),
            russian: await one('Заказ ДОСТАВКИ', null),
            percent: await one('100%_sure\\', 'x'),
            untitled: await confab.dialog(['search-a']),
        };
        const name = (id) => Object.keys(dialogs).find((key) => dialogs[key] === id);
        const found = async (text) => fine(await confab.api('search-a')
            .get(`/dialogs?search=${encodeURIComponent(text)}`)).map((d) => name(d.id)).sort();
        assert.deepEqual(await found('order'), ['plain']);
        assert.deepEqual(await found('ORDER 1'), ['plain']);
        assert.deepEqual(await found('mÜLLER'), ['plain']);
        assert.deepEqual(await found('доставки'), ['russian']);
        assert.deepEqual(await found('аКАз'), ['russian']);
        assert.deepEqual(await found('%'), ['percent']);
        assert.deepEqual(await found('_'), ['percent']);
        assert.deepEqual(await found('\\'), ['percent']);
        assert.deepEqual(await found('%_SURE'), ['percent']);
        assert.deepEqual(await found('nowhere'), []);
        assert.deepEqual(await found(''), ['percent', 'plain', 'russian', 'untitled']);
        /* + is a space in REST */
        assert.deepEqual(fine(await confab.api('search-a').get('/dialogs?search=order+17')).map((d) => name(d.id)), ['plain']);
    });

    test(`${auth}: texts that bite come back as they went`, async () => {
        const confab = await started;
        const texts = ['"quoted" \\ back\\slash / </script>', 'line\nbreak\r\ttab', 'bell\u0007 esc\u001b del\u007f', 'a \u2028 \u2029 \ufeff z',
            '😀 👩‍👩‍👧 \u202eRTL', 'אבג عربي', "'; DROP TABLE entry; --", '%s%n%d {{x}} ${y}', '\ud7ff \ue000 \uffff'];
        for (const [i, text] of texts.entries()) {
            const user = `bite ${i} ${text}`;
            const dialog = await confab.dialog([{ user_id: user, display_name: text, company: text, email: text, phone: text }],
                { title: text, object_id: text, object_url: text, meta: { [text]: text } });
            const socket = auth === 'trusted' ? await confab.socket(user, { query: `user_id=${encodeURIComponent(user)}` }) : await confab.socket(user);
            assert.equal(socket.hello.employee_id, user);
            const item = fine(await confab.api(user).get(`/dialogs/${dialog}`));
            assert.deepEqual([item.title, item.object_id, item.object_url, item.meta, item.created_by], [text, text, text, { [text]: text }, user]);
            assert.deepEqual(item.participants, [{ user_id: user, display_name: text, company: text }]);
            assert.deepEqual(JSON.parse(item.last_message.content).participants, [{ name: text, company: text }]);
            assert.equal(fine(await confab.api(user).get(`/dialogs/by-object/thing/${encodeURIComponent(text)}`)).id, dialog);
            fine(await confab.api(user).post(`/dialogs/${dialog}/leave`));
            assert.equal((await socket.next('participant.left')).user_id, user);
        }
    });

    test(`${auth}: by object, the newest accessible one, ids with slashes`, async () => {
        const confab = await started;
        const api = confab.api('object-a');
        const first = await confab.dialog(['object-a', 'object-b'], { object_type: 'deal', object_id: 'a/b c' });
        const second = await confab.dialog(['object-a'], { object_type: 'deal', object_id: 'a/b c' });
        await confab.dialog(['object-z'], { object_type: 'deal', object_id: 'a/b c' });
        for (const path of ['deal/a/b%20c', 'deal/a%2Fb%20c', 'deal/a%2fb%20c', '%64eal/%61/b%20c']) {
            const item = fine(await api.get(`/dialogs/by-object/${path}`));
            assert.equal(item?.id, second, path);
            assert.equal(item.unread_count, 0);
            const list = fine(await api.get(`/dialogs/by-object/${path}/list`));
            assert.deepEqual(list.map((d) => d.id), [second, first], path);
        }
        assert.equal(fine(await api.get('/dialogs/by-object/deal/a')), null);
        /* + in a path is a plus */
        const plus = await confab.dialog(['object-a'], { object_type: 'deal', object_id: 'p+q' });
        for (const path of ['deal/p+q', 'deal/p%2Bq'])
            assert.equal(fine(await api.get(`/dialogs/by-object/${path}`))?.id, plus);
        assert.equal(fine(await api.get('/dialogs/by-object/deal/p%20q')), null);
        assert.deepEqual(fine(await api.get('/dialogs/by-object/deal/a/list')), []);
        /* an object whose id really ends in /list */
        const list = await confab.dialog(['object-a'], { object_type: 'deal', object_id: 'x/list' });
        assert.deepEqual(fine(await api.get('/dialogs/by-object/deal/x%2Flist')).id, list);
    });

    test(`${auth}: by-object list, its branches and filters`, async () => {
        const confab = await started;
        const scoped = { object_type: 'many', object_id: 'o', access_scopes: [{ scope_level0: ['many'] }] };
        const mine = await confab.dialog(['many-a'], { ...scoped, title: 'mine' });
        const archived = await confab.dialog(['many-a'], { ...scoped, title: 'archived' });
        const open = await confab.dialog(['many-b'], { ...scoped, title: 'open' });
        await confab.dialog(['many-b'], { object_type: 'many', object_id: 'o', title: 'hidden' });
        const api = confab.api('many-a');
        await api.post(`/dialogs/${archived}/archive`);
        const list = async (query, scope = [['many']]) =>
            fine(await api.get(`/dialogs/by-object/many/o/list${query}`, { scope })).map((d) => d.title);
        assert.deepEqual(await list(''), ['open', 'archived', 'mine']);
        assert.deepEqual(fine(await api.get('/dialogs/by-object/many/o/list')).map((d) => d.title), ['archived', 'mine']);
        assert.deepEqual(await list('?type=participating'), ['archived', 'mine']);
        assert.deepEqual(await list('?type=participating&archived=false'), ['mine']);
        assert.deepEqual(await list('?type=participating&archived=true'), ['archived']);
        assert.deepEqual(await list('?archived=false'), ['open', 'mine']);
        assert.deepEqual(await list('?archived=true'), ['open', 'archived']);
        assert.deepEqual(await list('?type=available'), ['open']);
        assert.deepEqual(await list('?search=IN'), ['mine']);
        refused(await api.get('/dialogs/by-object/many/o/list?type=x'), 400, 'BAD_REQUEST');
        refused(await api.get('/dialogs/by-object/many/o/list?archived=x'), 400, 'BAD_REQUEST');
        const single = fine(await api.get('/dialogs/by-object/many/o', { scope: [['many']] }));
        assert.equal(single.id, open);
        assert.equal(single.can_join, true);
        assert.ok(mine);
    });
}
