/* Everything that is refused, in the contract's shape: routes, bodies, limits at their edges.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine, refused, NOWHERE } from '../lib/assert.mjs';
import { raw } from '../lib/http.mjs';
import { instance, test } from '../lib/instance.mjs';

const started = instance({ auth: 'trusted' });
const scope = [['lim']];

test('unknown paths and wrong methods', async () => {
    const confab = await started;
    const a = confab.api('path-a');
    for (const path of ['/api/v1', '/api/v1/', '/api/v1/dialog', '/api/v1/dialogs/x/y/z', '/api/v2/dialogs',
        '/api/v1/management', '/api/v1/management/nothing', `/api/v1/dialogs/${NOWHERE}/messages/${NOWHERE}/x`, '/api/', '/health/x',
        '/api/v1/dialogs/by-object/t', '/api/v1/upload', '/api/v1/API'])
        refused(await a.get(path, { absolute: true, headers: { Authorization: 'x' } }), 404, 'NOT_FOUND');
    for (const [method, path] of [['DELETE', '/dialogs'], ['PUT', '/dialogs'], ['PATCH', `/dialogs/${NOWHERE}`],
        ['GET', `/dialogs/${NOWHERE}/join`], ['POST', `/dialogs/${NOWHERE}/messages/${NOWHERE}`], ['PUT', `/dialogs/${NOWHERE}/messages`],
        ['GET', `/dialogs/${NOWHERE}/read`], ['POST', '/sync'], ['GET', '/management/dialogs/search'], ['DELETE', '/management/dialogs']]) {
        const answer = await a.call(method, path, method === 'GET' ? undefined : {});
        refused(answer, 405, 'METHOD_NOT_ALLOWED');
        assert.ok(answer.headers.allow?.length > 0, `Allow for ${method} ${path}`);
    }
    refused(await confab.nobody.post('/health', {}), 405, 'METHOD_NOT_ALLOWED');
});

test('every answer says no-store', async () => {
    const confab = await started;
    const a = confab.api('store-a');
    for (const path of ['/dialogs', '/dialogs/x', '/nothing', '/sync', `/dialogs/${NOWHERE}/messages`])
        assert.equal((await a.get(path)).headers['cache-control'], 'no-store', path);
});

test('malformed bodies', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['json-a']);
    const a = confab.api('json-a');
    const post = (body, options) => a.post(`/dialogs/${dialog}/messages`, body, options);
    const deep = (n) => `{"content":"x","extra":${'['.repeat(n)}${']'.repeat(n)}}`;
    const bad = ['{"content":"x"', '{"content":"x"}}', '{"content":"x"} y', "{'content':'x'}", '{"content":"x",}', '{content:"x"}', 'x', '""', '0',
        '{"content":"\\ud800"}x', '{"content":"a\nb"}', '{"content":"\\x"}', '{"content":"x","content":"y"}', '{"content":NaN}',
        '\ufeff{"content":"x"}', deep(128), '['.repeat(100000), Buffer.from('{"content":"\xff"}', 'latin1'), Buffer.from('{"content":"\xc0\x80"}', 'latin1'),
        Buffer.from('{"content":"\xed\xa0\x80"}', 'latin1'), Buffer.from([0]), Buffer.from('{"content":"a\0b"}')];
    for (const body of bad)
        refused(await post(body), 400, 'BAD_REQUEST');
    assert.equal((await a.messages(dialog)).messages.length, 1);
    fine(await post(deep(127)));
    fine(await post(' \r\n\t{"content" : "x"} \n'));
    fine(await post({ content: 'x' }, { headers: { 'Content-Type': 'text/plain' } }));
    fine(await post({ content: 'x' }, { chunked: true }));
    /* a lone surrogate is refused or replaced; what is stored is UTF-8 */
    const lone = await post('{"content":"\\ud800"}');
    assert.ok(lone.status === 400 || fine(lone).content === '\ufffd', lone.text);
    assert.equal(fine(await post('{"content":"\\ud83d\\ude00"}')).content, '😀');
    /* bodiless POSTs carry a JSON content type and nothing else */
    for (const verb of ['archive', 'unarchive', 'pin', 'unpin', 'leave'])
        fine(await a.post(`/dialogs/${dialog}/${verb}`));
});

test('NUL and broken UTF-8 in text, path and query', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['nul-a'], { title: 't' });
    const a = confab.api('nul-a');
    for (const path of ['/dialogs/by-object/a%00b/c', '/dialogs/by-object/a/c%00', '/dialogs?search=a%00b'])
        refused(await a.get(path), 400, 'INVALID_INPUT');
    refused(await a.get(`/dialogs/${dialog}%00`), 400, null);
    for (const path of ['/dialogs/by-object/a%ff/c', '/dialogs?search=%ff%fe']) {
        const answer = await a.get(path);
        assert.ok([200, 400].includes(answer.status), answer.text);
        assert.ok(answer.json);
    }
    for (const body of [{ title: 'a\0b' }, { object_id: 'a\0' }, { object_type: '\0' }, { object_url: '\0' },
        { participants: [{ user_id: 'a\0b', display_name: 'x' }] }, { participants: [{ user_id: 'a', display_name: 'x\0' }] },
        { access_scopes: [{ scope_level0: ['\0'] }] }, { meta: { a: ['\0'] } }, { meta: { '\\\0': 1 } }])
        refused(await confab.admin.post('/dialogs', { object_type: 't', object_id: 'o', ...body }), 400, 'INVALID_INPUT');
    assert.equal(fine(await a.post(`/dialogs/${dialog}/messages`, { content: 'a\0b' })).content, 'ab');
    refused(await a.post(`/dialogs/${dialog}/messages`, { content: '\0\0' }), 400, 'INVALID_INPUT');
    for (const path of ['/dialogs/%zz', '/dialogs/by-object/a/%', '/dialogs/by-object/a/%4']) {
        const answer = await a.get(path);
        assert.ok(answer.status < 500 && answer.json !== undefined, `${path}: ${answer.status} ${answer.text}`);
    }
});

/* Every row of the contract's table of lengths: [what, longest good length, call(text)] */
const edges = [
    ['title', 500, (confab, text) => confab.admin.post('/dialogs', { object_type: 't', object_id: 'o', title: text })],
    ['display_name', 200, (confab, text) => confab.admin.post('/dialogs', { object_type: 't', object_id: 'o', participants: [{ user_id: 'u', display_name: text }] })],
    ['company', 200, (confab, text) => confab.admin.post('/dialogs', { object_type: 't', object_id: 'o', participants: [{ user_id: 'u', display_name: 'x', company: text }] })],
    ['email', 254, (confab, text) => confab.admin.post('/dialogs', { object_type: 't', object_id: 'o', participants: [{ user_id: 'u', display_name: 'x', email: text }] })],
    ['phone', 50, (confab, text) => confab.admin.post('/dialogs', { object_type: 't', object_id: 'o', participants: [{ user_id: 'u', display_name: 'x', phone: text }] })],
    ['user_id', 255, (confab, text) => confab.admin.post('/dialogs', { object_type: 't', object_id: 'o', participants: [{ user_id: text, display_name: 'x' }] })],
    ['object_id', 255, (confab, text) => confab.admin.post('/dialogs', { object_type: 't', object_id: text })],
    ['object_type', 100, (confab, text) => confab.admin.post('/dialogs', { object_type: text, object_id: 'o' })],
    ['object_url', 2048, (confab, text) => confab.admin.post('/dialogs', { object_type: 't', object_id: 'o', object_url: text })],
    ['scope value', 255, (confab, text) => confab.admin.post('/dialogs', { object_type: 't', object_id: 'o', access_scopes: [{ scope_level2: [text] }] })],
    ['search object_id', 255, (confab, text) => confab.admin.post('/dialogs/search', { object_type: 't', object_id: text })],
    ['add user_id', 255, async (confab, text) => confab.admin.post(`/dialogs/${await confab.dialog([])}/participants`, { user_id: text, display_name: 'x' })],
    ['add display_name', 200, async (confab, text) => confab.admin.post(`/dialogs/${await confab.dialog([])}/participants`, { user_id: 'x', display_name: text })],
    ...[['display_name', 200], ['company', 200], ['email', 254], ['phone', 50]].map(([field, max]) =>
        [`join ${field}`, max, async (confab, text) => confab.api('lim').post(
            `/dialogs/${await confab.dialog([], { access_scopes: [{ scope_level0: ['lim'] }] })}/join`,
            { display_name: 'x', company: 'x', [field]: text }, { scope })]),
];

test('lengths: the longest is fine, one more is not; counted in code points', async () => {
    const confab = await started;
    for (const [what, max, call] of edges) {
        for (const letter of ['x', 'ж', '😀']) {
            if (letter !== 'x' && what.includes(' '))
                continue;
            const good = await call(confab, letter.repeat(max));
            assert.ok([200, 201].includes(good.status), `${what} of ${max} ${letter}: ${good.status} ${good.text.slice(0, 200)}`);
            refused(await call(confab, letter.repeat(max + 1)), 400, 'INVALID_INPUT');
        }
    }
    for (const text of ['/dialogs/by-object/t/', '/dialogs/by-object/'])
        assert.ok((await confab.api('lim').get(`${text}${'x'.repeat(300)}/y`)).status < 500);
});

test('numbers of things: the most is fine, one more is not', async () => {
    const confab = await started;
    const create = (more) => confab.admin.post('/dialogs', { object_type: 't', object_id: 'o', ...more });
    const people = (n) => Array.from({ length: n }, (_, i) => ({ user_id: `crowd-${i}`, display_name: 'x' }));
    fine(await create({ participants: people(1000) }));
    refused(await create({ participants: people(1001) }), 400, 'INVALID_INPUT');
    const scopes = (n) => Array.from({ length: n }, (_, i) => ({ scope_level0: [`${i}`] }));
    const made = fine(await create({ access_scopes: scopes(100) }));
    refused(await create({ access_scopes: scopes(101) }), 400, 'INVALID_INPUT');
    fine(await confab.admin.put(`/dialogs/${made.id}/access-scopes`, { access_scopes: scopes(100) }));
    refused(await confab.admin.put(`/dialogs/${made.id}/access-scopes`, { access_scopes: scopes(101) }), 400, 'INVALID_INPUT');
    const values = (n) => [{ scope_level1: Array.from({ length: n }, (_, i) => `${i}`) }];
    fine(await create({ access_scopes: values(1000) }));
    refused(await create({ access_scopes: values(1001) }), 400, 'INVALID_INPUT');
    /* {"k":"…"} is 8 bytes around the text */
    fine(await create({ meta: { k: 'x'.repeat(65536 - 8) } }));
    refused(await create({ meta: { k: 'x'.repeat(65536 - 7) } }), 400, 'INVALID_INPUT');
});

test('a body of 2 MiB, and one byte more', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['big-a']);
    const a = confab.api('big-a');
    const body = (size) => `{"content":"x","pad":"${'p'.repeat(size - 24)}"}`;
    assert.equal(body(2097152).length, 2097152);
    fine(await a.post(`/dialogs/${dialog}/messages`, body(2097152)));
    refused(await a.post(`/dialogs/${dialog}/messages`, body(2097153)), 413, 'PAYLOAD_TOO_LARGE');
    refused(await a.post(`/dialogs/${dialog}/messages`, body(2097153), { chunked: true }), 413, 'PAYLOAD_TOO_LARGE');
    /* and far beyond, where the web server itself refuses */
    const answer = await a.post(`/dialogs/${dialog}/messages`, body(4000000)).catch((error) => error);
    if (!(answer instanceof Error))         /* it may hang up while we are still sending */
        refused(answer, 413, 'PAYLOAD_TOO_LARGE');
    assert.equal((await a.messages(dialog)).messages.length, 2);
});

test('what the web server refuses has the API\'s form and headers', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['front-a']);
    const ask = async (head, status, word) => {
        const answer = (await raw(confab.port, `${head}\r\nHost: x\r\nConnection: close\r\n\r\n`)).toString();
        assert.match(answer, new RegExp(`^HTTP/1\\.[01] ${status} `));
        assert.match(answer, /^access-control-allow-origin: /mi);
        assert.match(answer, new RegExp(word));
    };
    const target = `/api/v1/dialogs/${dialog}/archive?user_id=front-a`;
    await ask(`POST ${target} HTTP/1.1`, 200, '"archived"');            /* curl -X POST sends no length */
    await ask(`POST /api/v1/dialogs/${dialog}/messages?user_id=front-a HTTP/1.1`, 400, 'BAD_REQUEST');
    await ask(`WHAT ${target} HTTP/1.1`, 405, 'METHOD_NOT_ALLOWED');
    await ask(`GET ${target} HTTP/3.0`, 400, 'BAD_REQUEST');
    await ask(`POST ${target} HTTP/1.1\r\nContent-Length: x`, 400, 'BAD_REQUEST');
    await ask(`POST ${target} HTTP/1.1\r\nContent-Length: 99999999`, 413, 'PAYLOAD_TOO_LARGE');
    await ask(`GET /${'x'.repeat(70000)} HTTP/1.1`, 400, 'BAD_REQUEST');
});

test('uploads are not configured: said so, in the contract\'s order', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['up-a']);
    const a = confab.api('up-a');
    const body = { dialog_id: dialog, filename: 'a.png', content_type: 'image/png', size: 5 };
    refused(await a.post('/upload/presign', body), 503, 'SERVICE_UNAVAILABLE');
    refused(await a.get(`/attachments/${NOWHERE}/url`), 404, 'ATTACHMENT_NOT_FOUND');
    refused(await a.get('/attachments/x/url'), 400, 'BAD_REQUEST');
});

test('raw requests that no client library would send', async () => {
    const confab = await started;
    for (const bytes of ['GET /api/v1/dialogs HTTP/1.0\r\n\r\n', 'GET /api/v1/dialogs?user_id=%ff HTTP/1.0\r\n\r\n',
        'GET //api//v1 HTTP/1.0\r\n\r\n', 'OPTIONS /api/v1/dialogs HTTP/1.0\r\n\r\n', 'HEAD /api/v1/dialogs?user_id=x HTTP/1.0\r\n\r\n',
        `GET /api/v1/dialogs?user_id=x&search=${'s'.repeat(9000)} HTTP/1.0\r\n\r\n`,
        'GET /api/v1/dialogs/by-object/%2e%2e/%2e%2e%2f%2e%2e?user_id=x HTTP/1.0\r\n\r\n',
        'POST /api/v1/dialogs/x/leave?user_id=x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n']) {
        const answer = await raw(confab.port, bytes);
        const status = Number(answer.match(/^HTTP\/1\.[01] (\d+)/gm)?.at(-1).slice(9));
        assert.ok(status >= 200 && status < 500, `${bytes.slice(0, 60)}: ${answer.slice(0, 200)}`);
    }
    const long = await raw(confab.port, `GET /api/v1/dialogs?user_id=${'x'.repeat(20000)} HTTP/1.0\r\n\r\n`);
    assert.match(long, /^HTTP\/1\.\d (400|414)/);
});

test('HEAD is GET without the body', async () => {
    const confab = await started;
    const answer = await confab.api('head-a').call('HEAD', '/dialogs');
    assert.ok([200, 405].includes(answer.status));
    assert.equal(answer.text, '');
});
