/* A thief of a log or a backup. Plays docs/security.md.
 * SPDX-License-Identifier: MIT
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { NOWHERE, assert } from '../lib/assert.mjs';
import { request } from '../lib/http.mjs';
import { ADMIN, ROOMS_SECRET, RUNNER_KEY, SECRET, SOURCE, instance, test, withInstance } from '../lib/instance.mjs';
import { mint, now } from '../lib/jwt.mjs';
import { KEY, withPush } from '../lib/push.mjs';
import { Caller, PASSWORD, Runner, register } from '../lib/rooms.mjs';
import { withEcho } from '../lib/socketio.mjs';
import { until } from '../lib/wait.mjs';

const run = promisify(execFile);
const started = instance({ systems: 'mtchat,rooms,conversations,eventchat', auth: 'jwt', env: { CONFAB_LOG_LEVEL: 'debug', CONFAB_ROOMS_WEBHOOKS: '1', CONFAB_ROOMS_WEBHOOK_PAUSE_MS: '1', CONFAB_PUSH: '1', CONFAB_PUSH_API_LISTEN: '127.0.0.1:0' } });
const SAID = 'a sentence that no log may hold';

const logs = (confab) => [...confab.everything.map((one) => one.log), path.join(confab.dir, 'access.log')].map((file) => [file, existsSync(file) ? readFileSync(file) : Buffer.alloc(0)]);

test('No log holds a token, a key, a password, a session, a message or a query', async () => {
    const confab = await started;
    const secrets = { SECRET, ADMIN, ROOMS_SECRET, RUNNER_KEY, PASSWORD, SAID };
    const dialog = await confab.dialog(['anna', 'ben'], { title: SAID });
    const ben = await confab.socket('ben', { query: `token=${secrets.ben = confab.token('ben', { jti: 'ben' })}` });
    const sent = await confab.api('anna').send(dialog, SAID);
    await ben.next({ type: 'message.new', id: sent.id });
    await confab.api('anna').get(`/dialogs?search=${encodeURIComponent(SAID)}`);
    const owner = await register(confab);
    Object.assign(secrets, { owner: owner.token, refresh: owner.refreshToken ?? owner.refresh_token });
    const room = await owner.room('r', ['Cook']);
    const hooked = await owner.ok('POST', `/api/rooms/${room.id}/runners`, { name: 'k', webhookUrl: `http://127.0.0.1:1/hook?${secrets.url = 'the-webhook-s-own-key'}` });
    Object.assign(secrets, { runner: hooked.key, webhook: hooked.webhookSecret });
    const chat = await owner.chat(room.id);
    await new Runner(confab, hooked.key).stream();
    await owner.say(room.id, SAID);
    await chat.next('message');
    for (const [path, name] of [['/v1/ws', 'first'], ['/eventchat/ws', 'second']]) {     /* who says in his first frame who he is, and is not believed */
        secrets[name] = confab.token('7', { jti: name });
        const socket = new WebSocket(`ws://127.0.0.1:${confab.port}${path}`);
        await new Promise((resolve) => socket.on('open', resolve));
        socket.send(JSON.stringify({ event: 'auth', data: { token: secrets[name] } }));
        await new Promise((resolve) => socket.on('message', resolve));
        socket.send(JSON.stringify({ event: 'send_message', data: { chatId: SAID, message: { text: SAID } } }));
        await new Promise((resolve) => socket.on('message', resolve));
        socket.terminate();
    }
    secrets.launch = 'vk_user_id=7&vk_app_id=1&sign=abc';
    await request(confab.port, 'GET', '/v1/profile', { headers: { 'X-VK-Launch-Params': secrets.launch } });
    await until('the webhook to be given up', () => /given up/.test(confab.relays[0].text()), 60000);
    /* what goes wrong is no reason to say more */
    secrets.forged = mint({ sub: 'forged', exp: now() + 60 }, 'x');
    for (const target of ['/api/v1/ws', `/api/rooms/${room.id}/chat`, '/api/runner/stream', '/api/v1/dialogs', '/v1/ws', '/v1/profile', '/eventchat/ws', '/eventchat/v1/chats', '/nowhere', '/connection/websocket', '/socket.io/'])
        for (const credential of [secrets.forged, secrets.ben, secrets.owner, secrets.runner]) {
            await request(confab.port, 'GET', `${target}?token=${credential}&text=${encodeURIComponent(SAID)}`, { headers: { Authorization: `Bearer ${credential}`, 'X-API-Key': credential, Cookie: `token=${credential}` } });
            await request(confab.port, 'POST', `${target}?token=${credential}`, { body: `{"password":"${PASSWORD}","text":"${SAID}"` });
        }
    await request(confab.port, 'POST', '/api/auth/login', { body: { email: 'x@example.com', password: PASSWORD } });
    for (const [name, bytes] of logs(confab))
        for (const [what, secret] of Object.entries(secrets))
            assert.ok(!bytes.includes(secret) && !bytes.includes(encodeURIComponent(secret)), `${what} in ${name}`);

    await withPush({ settings: { log_level: 'debug' }, lighttpd: true }, async (push) => {
        const token = push.token('anna', { jti: 'push' });
        const client = await push.client({ user: 'anna', token, transport: 'http_stream', via: 'lighttpd' }).ready();
        await client.sub('open:x').ready();
        const session = client.sdk._session;
        await push.publish('open:x', SAID);
        await request(push.apiPort, 'GET', `/metrics?api_key=${encodeURIComponent(KEY)}`);
        await request(push.apiPort, 'POST', `/api/publish?api_key=${encodeURIComponent(KEY)}x`, { body: { channel: 'open:x', data: SAID } });
        await (await push.wire({ target: `/connection/websocket?token=${token}` })).opened;
        client.stop();
        for (const bytes of [push.relay.text(), push.lighttpd.text(), readFileSync(`${push.dir}/access.log`, 'utf8')])
            for (const secret of [token, session, KEY, encodeURIComponent(KEY), SAID])
                assert.ok(!bytes.includes(secret), secret);
    });
    await withEcho({}, async (server) => {
        const poller = await server.poller('/socket.io/', '&token=in-the-query');
        await poller.send('40{"token":"in-the-packet"}');
        await poller.send(`42["message","${SAID}"]`);
        await poller.post('nonsense');
        for (const secret of [poller.sid, 'in-the-query', 'in-the-packet', SAID])
            assert.ok(!server.relay.text().includes(secret), secret);
    });
});

test('Nobody forges a line of a log, nor steers the terminal that shows it', async () => {
    const confab = await started;
    const nasty = '\u001b[2J\u001b]0;x\u0007\r\n2026-01-01T00:00:00.000Z confab.fcgi error forged\u0085\u009b31m\u0000'.replace('\u0000', '');
    const dialog = await confab.dialog([nasty, 'plain']);
    const socket = await confab.socket(nasty);
    await confab.api(nasty).send(dialog, nasty);
    await socket.close();
    await register(confab, { name: 'x' });
    for (const target of ['/api/%1b%5b2J%0d%0aforged', '/%0aforged', `/api/v1/${encodeURIComponent(nasty)}`, `/api/v1/ws/${encodeURIComponent(nasty)}`])
        await request(confab.port, 'GET', target, { headers: { 'User-Agent': 'x\u009by', 'X-Forwarded-For': '\u009b31m, forged' } });
    for (const [name, bytes] of logs(confab)) {
        const text = bytes.toString('utf8');
        assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ufffd]/.test(text), name);
        assert.ok(!text.split('\n').some((line) => /^(2026-01-01|forged)/.test(line)), name);
    }
});

test('A stolen database holds no password, refresh token or runner\'s key that opens anything', async () => {
    const confab = await started;
    const owner = await register(confab);
    const room = await owner.room('r');
    const { key } = await owner.ok('POST', `/api/rooms/${room.id}/runners`, { name: 'k' });
    const bytes = Buffer.concat(readdirSync(confab.state).filter((name) => name.startsWith('confab.db') && statSync(path.join(confab.state, name)).isFile()).map((name) => readFileSync(path.join(confab.state, name))));
    assert.ok(bytes.includes('$argon2id$'));
    for (const secret of [PASSWORD, owner.token, owner.refreshToken ?? owner.refresh_token, key, SECRET, ADMIN, ROOMS_SECRET, RUNNER_KEY])
        assert.ok(!bytes.includes(secret) && !bytes.includes(secret.replace(/^\w+_/, '')), secret);
});

test('What the operator is shown of his settings has no secret in it', async () => {
    const confab = await started;
    const shown = await confab.ctl('config');
    for (const secret of [SECRET, ADMIN, ROOMS_SECRET, RUNNER_KEY])
        assert.ok(!shown.includes(secret));
    assert.ok(shown.includes('jwt_secret'));
});

test('A backup that is made as the page says is for the account alone', async () => {
    const confab = await started;
    const page = readFileSync(path.join(SOURCE, 'docs/operate.md'), 'utf8');
    const command = /^.*sqlite3 \/var\/lib\/confab\/confab\.db ".*$/m.exec(page)[0]
        .replaceAll('/var/lib/confab', confab.state).replaceAll('/backup/', `${confab.dir}/`);
    await run('sh', ['-c', command]);
    assert.equal((statSync(`${confab.dir}/confab.db`).mode & 0o777).toString(8), '600');
});

test('A secret that was changed opens nothing any more, and with two in force nobody is logged out', async () => {
    const [OLD, NEW] = ['the old secret, long enough for anybody', 'the new secret, long enough for anybody'].map((text) => text.replaceAll(',', ''));
    await withInstance({ systems: 'mtchat,rooms', auth: 'jwt', handlers: 1, env: { CONFAB_JWT_SECRETS: OLD } }, async (confab) => {
        const turn = async (env) => {
            Object.assign(confab.env, env);
            for (const one of [...confab.handlers, ...confab.relays])
                await one.restart(env);
        };
        const asks = async (secret) => (await request(confab.port, 'GET', '/api/v1/dialogs', { headers: { Authorization: `Bearer ${mint({ sub: 'anna', exp: now() + 60 }, secret)}` } })).status;
        const owner = await register(confab);
        assert.deepEqual([await asks(OLD), await asks(NEW)], [200, 401]);
        await turn({ CONFAB_JWT_SECRETS: `${NEW},${OLD}` });
        assert.deepEqual([await asks(OLD), await asks(NEW)], [200, 200]);
        await turn({ CONFAB_JWT_SECRETS: NEW, CONFAB_ADMIN_TOKEN: 'another admin token of this test', CONFAB_ROOMS_JWT_SECRET: `${NEW} of rooms` });
        assert.deepEqual([await asks(OLD), await asks(NEW)], [401, 200]);
        assert.equal((await confab.admin.get(`/dialogs/${NOWHERE}`)).status, 403);
        assert.equal((await owner.get('/api/rooms')).status, 401);
        const anew = await owner.ok('POST', '/api/auth/refresh', { refreshToken: owner.refreshToken });
        assert.equal((await new Caller(confab, anew.token).get('/api/rooms')).status, 200);
    });
    await withPush({}, async (push) => {
        await push.reload({ push_api_key: NEW });
        assert.deepEqual([(await push.api('info')).status, (await push.api('info', {}, { key: NEW })).status], [401, 200]);
    });
});
