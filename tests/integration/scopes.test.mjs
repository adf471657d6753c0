/* X-Scope-Config: matching, narrowing, encodings, malformed headers.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine, refused } from '../lib/assert.mjs';
import { instance, scopeHeader, test } from '../lib/instance.mjs';

const started = instance({ auth: 'trusted' });

test('one scope matches when every level is empty on the dialog side or shares a value', async () => {
    const confab = await started;
    const cases = [
        /* scopes of the dialog, caller's lists, does it match */
        [[], [['a'], ['b'], ['c']], false],
        [[[]], [], true],
        [[[]], [['a'], ['b'], ['c']], true],
        [[[['a']]], [['a']], true],
        [[[['a']]], [['b', 'a']], true],
        [[[['a', 'b']]], [['b']], true],
        [[[['a']]], [['b']], false],
        [[[['a']]], [[]], false],
        [[[['a']]], [['A']], false],
        [[[['a']]], [['a*']], false],
        [[[['a']]], [[' a']], false],
        [[[['a'], ['b']]], [['a'], ['b']], true],
        [[[['a'], ['b']]], [['a'], []], false],
        [[[['a'], ['b']]], [['a'], ['x']], false],
        [[[['a'], [], ['c']]], [['a'], ['whatever'], ['c']], true],
        [[[[], [], ['c']]], [[], [], ['c']], true],
        [[[['a']], [['b']]], [['b']], true],
        [[[['a'], ['x']], [['b'], ['y']]], [['a'], ['y']], false],      /* levels of different scopes do not mix */
        [[[['ж', 'ü']]], [['ж']], true],
    ];
    let n = 0;
    for (const [scopes, caller, matches] of cases) {
        const tag = `m${n++}`;
        const dialog = await confab.dialog([], { object_type: 'm', object_id: tag,
            access_scopes: scopes.map(([a = [], b = [], c = []]) => ({ scope_level0: a, scope_level1: b, scope_level2: c })) });
        const api = confab.api('matcher');
        const what = JSON.stringify([scopes, caller]);
        /* the browser's btoa cannot do more than Latin-1; UTF-8 bytes it is */
        const answer = await api.get(`/dialogs/${dialog}`, { scope: caller });
        assert.equal(answer.status, matches ? 200 : 403, what);
        const available = fine(await api.get('/dialogs?type=available&limit=100', { scope: caller }));
        assert.equal(available.filter((d) => d.id === dialog).length, matches ? 1 : 0, what);
        assert.equal(fine(await api.get(`/dialogs/by-object/m/${tag}`, { scope: caller }))?.id ?? null, matches ? dialog : null, what);
    }
});

test('several matching scopes list a dialog once', async () => {
    const confab = await started;
    const dialog = await confab.dialog([], { object_type: 'once', access_scopes: [{ scope_level0: ['once'] }, { scope_level0: ['once', 'x'] }] });
    const listed = fine(await confab.api('once-a').get('/dialogs?type=available', { scope: [['once', 'x']] }));
    assert.deepEqual(listed.filter((d) => d.id === dialog).length, 1);
});

test('the header narrows a member\'s lists, not his direct access', async () => {
    const confab = await started;
    const object = { object_type: 'narrow', object_id: 'n' };
    const plain = await confab.dialog(['narrow-a'], object);
    const scoped = await confab.dialog(['narrow-a'], { ...object, access_scopes: [{ scope_level0: ['t1'] }] });
    const a = confab.api('narrow-a');
    const ids = async (path, scope) => fine(await a.get(path, scope ? { scope } : {})).map((d) => d.id);
    for (const path of ['/dialogs', '/dialogs/by-object/narrow/n/list?type=participating']) {
        assert.deepEqual(await ids(path), [scoped, plain], path);
        assert.deepEqual(await ids(path, [['t1']]), [scoped, plain], path);
        assert.deepEqual(await ids(path, [['t2']]), [plain], path);
        assert.deepEqual(await ids(path, [[]]), [plain], path);
    }
    assert.equal(fine(await a.get('/dialogs/by-object/narrow/n', { scope: [['t2']] })).id, plain);
    assert.equal(fine(await a.get('/dialogs/by-object/narrow/n', { scope: [['t1']] })).id, scoped);
    assert.equal(fine(await a.get(`/dialogs/${scoped}`, { scope: [['t2']] })).i_am_participant, true);
    fine(await a.get(`/dialogs/${scoped}/messages`, { scope: [['t2']] }));
    fine(await a.get(`/dialogs/${scoped}/participants`, { scope: [['t2']] }));
    /* available never shows what the caller is in */
    assert.ok(!(await ids('/dialogs?type=available', [['t1']])).includes(scoped));
});

test('Latin-1 bytes are read as Latin-1', async () => {
    const confab = await started;
    const dialog = await confab.dialog([], { access_scopes: [{ scope_level0: ['Büro'] }] });
    const text = JSON.stringify({ scope_level0: ['Büro'] });
    for (const encoding of ['latin1', 'utf8'])
        fine(await confab.api('latin').get(`/dialogs/${dialog}`, { scope: Buffer.from(text, encoding).toString('base64') }));
});

test('malformed headers, and who does not look', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['mal-a'], { object_type: 'mal', object_id: 'm', access_scopes: [{}] });
    const a = confab.api('mal-a');
    const b64 = (text) => Buffer.from(text).toString('base64');
    const bad = ['%%%', 'e30', '{}', b64('not json'), b64('[]'), b64('"x"'), b64('null'), b64('7'),
        b64('{"scope_level0":"a"}'), b64('{"scope_level0":null}'), b64('{"scope_level1":[1]}'), b64('{"scope_level2":[null]}'),
        b64('{"scope_level2":{}}'), b64('{"scope_level0":["a"]} x'), `${b64('{}')}\t!`, b64('{"scope_level0":["a\\u0000"]}')];
    const readers = ['/dialogs', '/dialogs?type=available', `/dialogs/${dialog}`, '/dialogs/by-object/mal/m',
        '/dialogs/by-object/mal/m/list', `/dialogs/${dialog}/participants`];
    for (const header of bad)
        refused(await a.get(`/dialogs/${dialog}`, { scope: header }), 400, 'BAD_REQUEST');
    for (const path of readers)
        refused(await a.get(path, { scope: bad[3] }), 400, 'BAD_REQUEST');
    refused(await a.get('/dialogs?type=available'), 400, 'BAD_REQUEST');
    refused(await a.post(`/dialogs/${dialog}/join`, { display_name: 'x', company: '' }, { scope: bad[0] }), 400, 'BAD_REQUEST');
    fine(await a.get(`/dialogs/${dialog}/messages`, { scope: bad[0] }));
    fine(await a.post(`/dialogs/${dialog}/pin`, undefined, { scope: bad[0] }));
    fine(await a.post(`/dialogs/${dialog}/messages`, { content: 'x' }, { scope: bad[0] }));
    /* unknown keys and missing levels are fine */
    fine(await confab.api('mal-x').get(`/dialogs/${dialog}`, { scope: scopeHeader({ tenant: 5 }) }));
});
