/* The handler as a plain CGI program, one process a request.
 * SPDX-License-Identifier: MIT
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { assert, NOWHERE } from '../lib/assert.mjs';
import { BUILD, SECRET, instance, scopeHeader, test, withInstance } from '../lib/instance.mjs';
import { mint } from '../lib/jwt.mjs';
import { within } from '../lib/wait.mjs';

const started = instance({ auth: 'jwt', handlers: 1 });

/* What a web server would do: the request in the environment, the body on standard input. */
async function cgi(confab, method, target, { body, headers = {}, length, stalls = false, settings = {}, args = [] } = {}) {
    const [where, query = ''] = target.split('?');
    const env = { ...confab.env, ...settings, GATEWAY_INTERFACE: 'CGI/1.1', SERVER_PROTOCOL: 'HTTP/1.1', SERVER_NAME: 'localhost', SERVER_PORT: '80',
        REMOTE_ADDR: '127.0.0.1', REQUEST_METHOD: method, REQUEST_URI: target, SCRIPT_NAME: '', PATH_INFO: where, QUERY_STRING: query };
    if (body !== undefined) {
        env.CONTENT_LENGTH = `${length ?? Buffer.byteLength(body)}`;
        env.CONTENT_TYPE = 'application/json';
    }
    for (const [name, value] of Object.entries(headers))
        env[`HTTP_${name.toUpperCase().replaceAll('-', '_')}`] = value;
    const child = spawn(path.join(BUILD, 'fcgi/confab.fcgi'), args, { env, cwd: confab.dir });
    let out = '', log = '';
    child.stdout.on('data', (data) => { out += data; });
    child.stderr.on('data', (data) => { log += data; });
    child.stdin.on('error', () => {});          /* it need not read a body that it refuses */
    if (stalls)
        child.stdin.write(body);
    else
        child.stdin.end(body);
    const code = await within('the CGI process to end', new Promise((resolve) => child.on('close', resolve)));
    assert.ok(!/Sanitizer|runtime error/.test(log), log);
    const end = out.indexOf('\r\n\r\n');
    assert.ok(end > 0, `${out}\n${log}`);
    const head = out.slice(0, end);
    return { code, head, status: Number(head.match(/^Status: (\d+)/mi)?.[1] ?? 200), text: out.slice(end + 4) };
}

test('reads and writes, and an event that reaches the relay', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['a', 'b']);
    const b = await confab.socket('b');
    const headers = { Authorization: `Bearer ${mint({ sub: 'a' }, SECRET)}` };
    const health = await cgi(confab, 'GET', '/health');
    assert.equal(health.status, 200);
    assert.equal(JSON.parse(health.text).status, 'ok');
    assert.match(health.head, /^Content-Type: application\/json/mi);
    const sent = await cgi(confab, 'POST', `/api/v1/dialogs/${dialog}/messages`, { body: '{"content":"by CGI"}', headers });
    assert.equal(sent.status, 200, sent.text);
    const frame = await b.next({ type: 'message.new', dialog_id: dialog });
    assert.equal(frame.id, JSON.parse(sent.text).data.id);
    const listed = await cgi(confab, 'GET', '/api/v1/dialogs?limit=5', { headers: { ...headers, 'X-Scope-Config': scopeHeader() } });
    assert.equal(JSON.parse(listed.text).data[0].last_message.content, 'by CGI');
    const gone = await cgi(confab, 'DELETE', `/api/v1/dialogs/${dialog}/messages/${frame.id}`, { headers });
    assert.deepEqual([gone.status, gone.text], [204, '']);
    await b.next({ type: 'message.deleted', id: frame.id });
});

test('a process that ends takes its push to the relay first', async () => {
    /* the tail is far away: an event that comes soon came by the bus */
    await withInstance({ auth: 'jwt', handlers: 1, env: { CONFAB_TAIL_MS: '10000' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const b = await confab.socket('b');
        const headers = { Authorization: `Bearer ${mint({ sub: 'a' }, SECRET)}` };
        for (const content of ['first', 'second', 'third']) {
            await cgi(confab, 'POST', `/api/v1/dialogs/${dialog}/messages`, { body: JSON.stringify({ content }), headers });
            await b.next({ type: 'message.new', content }, 5000);
        }
    });
});

test('refusals', async () => {
    const confab = await started;
    const headers = { Authorization: `Bearer ${mint({ sub: 'a' }, SECRET)}` };
    const refusals = [
        [401, await cgi(confab, 'GET', '/api/v1/dialogs')],
        [404, await cgi(confab, 'GET', '/api/v1/nothing', { headers })],
        [405, await cgi(confab, 'PUT', '/api/v1/dialogs', { headers, body: '{}' })],
        [400, await cgi(confab, 'POST', `/api/v1/dialogs/${NOWHERE}/messages`, { headers, body: '{"content":' })],
        [400, await cgi(confab, 'POST', `/api/v1/dialogs/${NOWHERE}/messages`, { headers, body: '{"content":"x"', length: 100 })],
        [413, await cgi(confab, 'POST', `/api/v1/dialogs/${NOWHERE}/messages`, { headers, body: 'x'.repeat(3000000) })],
    ];
    for (const [status, answer] of refusals) {
        assert.equal(answer.status, status, answer.text);
        assert.ok(JSON.parse(answer.text).error.code);
        assert.match(answer.head, /^Access-Control-Allow-Origin: \*/mi);
    }
});

test('a body that never comes is not waited for', async () => {
    const confab = await started;
    const answer = await cgi(confab, 'POST', `/api/v1/dialogs/${NOWHERE}/messages`, { body: '{"content":"x"', length: 100, stalls: true,
        settings: { CONFAB_BODY_TIME_MS: '200' }, headers: { Authorization: `Bearer ${mint({ sub: 'a' }, SECRET)}` } });
    assert.ok([400, 408].includes(answer.status), answer.text);
    assert.ok(JSON.parse(answer.text).error.code);
});

test('words of the query that come as arguments are no options', async () => {
    const confab = await started;
    for (const args of [['--routes'], ['--version'], ['--listen', `unix:${confab.dir}/stranger.sock`], ['x', 'y']]) {
        const answer = await cgi(confab, 'GET', `/health?${args.join('+')}`, { args });
        assert.equal(JSON.parse(answer.text).status, 'ok');
    }
});

test('many at once', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['m']);
    const headers = { Authorization: `Bearer ${mint({ sub: 'm' }, SECRET)}` };
    const sent = await Promise.all(Array.from({ length: 12 }, (_, i) =>
        cgi(confab, 'POST', `/api/v1/dialogs/${dialog}/messages`, { body: `{"content":"${i}"}`, headers })));
    assert.deepEqual(sent.map((one) => one.status), Array(12).fill(200));
    const { messages } = await confab.api('m').messages(dialog);
    assert.equal(messages.length, 13);
});

test('rooms, too', async () => {
    await withInstance({ systems: 'rooms', handlers: 1, relays: 0 }, async (confab) => {
        const body = JSON.stringify({ email: 'cgi@example.com', password: 'a password of CGI' });
        const made = await cgi(confab, 'POST', '/api/auth/register', { body });
        assert.equal(made.status, 201, made.text);
        assert.equal((await cgi(confab, 'POST', '/api/auth/register', { body })).status, 400);
        const headers = { Authorization: `Bearer ${JSON.parse(made.text).token}` };
        const room = JSON.parse((await cgi(confab, 'POST', '/api/rooms', { body: '{"name":"r"}', headers })).text);
        const changed = await cgi(confab, 'PATCH', `/api/rooms/${room.id}/speed`, { body: '{"speed":0.7}', headers });
        assert.deepEqual([changed.status, changed.text], [200, '{"speed":0.7}']);
        const gone = await cgi(confab, 'DELETE', `/api/rooms/${room.id}`, { headers });
        assert.deepEqual([gone.status, gone.text], [204, '']);
        const alone = await cgi(confab, 'GET', '/api/rooms/1');
        assert.equal(alone.status, 401);
        assert.match(alone.head, /^WWW-Authenticate: Bearer/mi);
    });
});
