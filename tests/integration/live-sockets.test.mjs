/* The bare socket of conversations, frame by frame: who is let in, when and as whom; what is answered, what closes it; what
 * bounds it.
 * SPDX-License-Identifier: MIT
 */
import { createHmac } from 'node:crypto';
import { assert } from '../lib/assert.mjs';
import { raw, request } from '../lib/http.mjs';
import { instance, test, withInstance } from '../lib/instance.mjs';
import { now } from '../lib/jwt.mjs';
import { connect, gone, knock, presence } from '../lib/live.mjs';
import { until } from '../lib/wait.mjs';

const VK_SECRET = 'the secure key of an app that does not exist';

const shared = instance({ systems: 'conversations', auth: 'jwt', env: { CONFAB_VK_APP_SECRET: VK_SECRET } });

let serial = 500;
const someone = () => String(++serial);

/* Signed as VK does. */
function launch(user, more = {}) {
    const pairs = Object.entries({ vk_app_id: '1', vk_ts: String(now()), vk_user_id: user, ...more }).sort(([a], [b]) => a < b ? -1 : 1);
    const query = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
    return `${query}&sign=${createHmac('sha256', VK_SECRET).update(query).digest('base64url')}`;
}

const stranger = async (confab, options) => knock(confab, 'nobody', 'bare', { query: '', ...options }).opened();

/* ---- who ---- */

test('a credential in the query or the header', async () => {
    const confab = await shared;
    const user = someone();
    for (const options of [{}, { query: '', headers: { Authorization: `Bearer ${confab.token(user)}` } },
                           { query: '', headers: { authorization: `bearer ${confab.token(user)}` } },
                           { query: '', headers: { Authorization: `VK ${launch(user)}` } }]) {
        const socket = await connect(confab, user, 'bare', options);
        assert.deepEqual(Object.keys(socket.hello), ['socket_id', 'user_id']);
        assert.equal(socket.hello.user_id, Number(user));
        assert.equal(typeof socket.hello.socket_id, 'string');
        await socket.close();
    }
});

test('a bad one is refused before the upgrade', async () => {
    const confab = await shared;
    for (const options of [{ query: '?token=nonsense' }, { query: '?token=' },
                           { query: `?token=${confab.token('7', { exp: now() - 60 })}` },
                           { query: `?token=${confab.token('7', { aud: 'confab:rooms' })}` },
                           { query: `?token=${confab.token('ann')}` }, { query: `?token=${confab.token('0')}` },
                           { query: '', headers: { Authorization: 'Bearer nonsense' } },
                           { headers: { Authorization: 'Basic YTpi' } },
                           { query: '', headers: { Authorization: `VK ${launch('7')}x` } }]) {
        const socket = knock(confab, '7', 'bare', options);
        const { status } = await socket.ended();
        assert.equal(status, 401);
        assert.deepEqual(JSON.parse(socket.refusal), { response: false, error: { code: 101, message: 'A valid credential is required' } });
    }
});

test('who shows none says in his first frame who he is', async () => {
    const confab = await shared;
    for (const data of [{ token: confab.token('71') }, { vk: launch('71') }, { token: null, vk: `?${launch('71')}` }]) {
        const socket = await stranger(confab);
        assert.equal(await presence(confab, '71'), 428);
        socket.send('auth', data);
        for (let i = 0; i < 5; i++)
            socket.send('ping', i);             /* waits until it is connected */
        assert.equal((await socket.expect('connected')).user_id, 71);
        assert.equal(await presence(confab, '71'), 200);
        for (let i = 0; i < 5; i++)
            assert.equal(await socket.expect('pong'), i);
        socket.send('auth', data);
        assert.equal((await socket.expect('error')).code, 100);
        await socket.close();
        await gone(confab, '71');
    }
});

test('any other first frame closes with 4401, and so does none', async () => {
    await withInstance({ systems: 'conversations', auth: 'jwt', env: { CONFAB_SOCKET_AUTH_WAIT_S: '1' } }, async (confab) => {
        for (const text of ['', 'nonsense', '{}', '[]', '{"event":"ping"}', '{"event":"auth"}', '{"event":"auth","data":null}',
                            '{"event":"auth","data":{}}', '{"event":"auth","data":{"token":"nonsense"}}', '{"event":"auth","data":{"token":7}}',
                            `{"event":"auth","data":"${confab.token('7')}"}`, `{"event":"Auth","data":{"token":"${confab.token('7')}"}}`,
                            `{"event":"auth","data":{"vk":"${launch('7')}"}}`]) {
            const socket = await stranger(confab);
            socket.raw(text);
            socket.raw('{"event":"ping"}');
            assert.equal(await socket.ended(), 4401, text);
            assert.deepEqual(socket.events, []);
        }
        const silent = await stranger(confab);
        const began = Date.now();
        assert.equal(await silent.ended(), 4401);
        assert.ok(Date.now() - began > 800, 'not at once');
        const binary = await stranger(confab);
        binary.raw(Buffer.from('{"event":"auth"}'), { binary: true });
        assert.equal(await binary.ended(), 1003);
        const leaving = await stranger(confab);
        leaving.terminate();
        assert.equal(await presence(confab, '7'), 428);
    });
});

test('strangers from one address are bounded', async () => {
    await withInstance({ systems: 'conversations', auth: 'jwt', env: { CONFAB_SOCKET_STRANGERS_MAX: '3' } }, async (confab) => {
        const waiting = [await stranger(confab), await stranger(confab), await stranger(confab)];
        assert.equal((await knock(confab, 'nobody', 'bare', { query: '' }).ended()).status, 429);
        await (await connect(confab, '7')).close();
        waiting[0].send('auth', { token: confab.token('7') });
        await waiting[0].ready();
        const next = await stranger(confab);        /* in his place */
        await next.close();
        await waiting[1].close();
        await until('room', async () => {
            const one = knock(confab, 'nobody', 'bare', { query: '' });
            await until('an answer', () => one.open || one.closed);
            return one.open;
        });
    });
});

test('sockets of one user are bounded, whichever way they come', async () => {
    await withInstance({ systems: 'conversations', auth: 'jwt', env: { CONFAB_SOCKET_PER_USER: '2' } }, async (confab) => {
        const first = await connect(confab, '7');
        await connect(confab, '7', 'websocket');
        assert.equal((await knock(confab, '7').ended()).status, 429);
        assert.deepEqual(await knock(confab, '7', 'polling').ended(), { message: 'Too many connections', data: { code: 106 } });
        const late = await stranger(confab);
        late.send('auth', { token: confab.token('7') });
        assert.equal(await late.ended(), 1013);
        await connect(confab, '8');
        await first.close();
        await until('room', async () => {
            const one = knock(confab, '7');
            await until('an answer', () => one.events.length || one.closed);
            return one.events.length;
        });
    });
});

test('a socket ends with its credential', async () => {
    const confab = await shared;
    const user = someone();
    const claims = { exp: now() - 28 };             /* 30 s are forgiven */
    const bare = await connect(confab, user, 'bare', { query: `?token=${confab.token(user, claims)}` });
    const joined = await connect(confab, user, 'polling', { token: confab.token(user, claims) });
    assert.equal(await bare.ended(), 4401);
    await joined.ended();
    await gone(confab, user);
});

test('requests that are no handshake', async () => {
    const confab = await shared;
    const where = `/v1/ws?token=${confab.token('7')}`;
    assert.equal((await request(confab.port, 'GET', where)).status, 426);
    const post = await request(confab.port, 'POST', where, { body: {} });
    assert.deepEqual([post.status, post.headers.allow, post.json.error.code], [405, 'GET', 103]);
    assert.match(await raw(confab.port, `GET ${where} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUpgrade: websocket\r\n\r\n`), /^HTTP\/1\.1 4/);
});

test('pages of other origins are kept out where a setting names some', async () => {
    await withInstance({ systems: 'conversations', auth: 'jwt', env: { CONFAB_CORS_ALLOWED_ORIGINS: 'https://app.example' } }, async (confab) => {
        await (await connect(confab, '7', 'bare', { headers: { Origin: 'https://app.example' } })).close();
        await (await connect(confab, '7')).close();
        assert.equal((await knock(confab, '7', 'bare', { headers: { Origin: 'https://other.example' } }).ended()).status, 403);
        assert.equal((await knock(confab, '7', 'bare', { headers: { Origin: 'null' } }).ended()).status, 403);
        await (await connect(confab, '7', 'websocket', { extraHeaders: { Origin: 'https://app.example' } })).close();
        assert.ok((await knock(confab, '7', 'websocket', { extraHeaders: { Origin: 'https://other.example' } }).ended()).message);
    });
});

/* ---- what is said ---- */

test('ping brings its data back', async () => {
    const confab = await shared;
    const socket = await connect(confab, someone());
    for (const data of [1, 'text ☃', null, { a: [1.5, { b: false }] }, [], 'x'.repeat(60000)]) {
        socket.send('ping', data);
        assert.deepEqual(await socket.expect('pong'), data);
    }
    socket.raw('{"event":"ping"}');
    assert.equal(await socket.expect('pong'), null);
    socket.raw('{"data":1.0e2,"event":"p\\u0069ng"}');
    assert.equal(await socket.expect('pong'), 100);
    await socket.close();
});

test('bad frames are answered, and end nothing', async () => {
    const confab = await shared;
    const socket = await connect(confab, someone());
    for (const text of ['', 'nonsense', '{', '[]', '1', '"ping"', 'null', '{}', '{"event":1}', '{"event":null}', '{"event":""}',
                        '{"event":"what"}', '{"event":"connected"}', '{"event":"ping","event":"ping"}', '{"event":"ping"} x',
                        `{"event":"ping","data":${'['.repeat(5000)}`, '{"event":"ping","data":"\\ud800"}']) {
        socket.raw(text);
        const { code, message, ...rest } = await socket.expect('error');
        assert.equal(code, 100);
        assert.ok(typeof message === 'string' && message);
        assert.deepEqual(rest, {});
    }
    socket.send('ping');
    await socket.expect('pong');
    await socket.close();
});

test('more than 20 bad frames in a minute close with 1008', async () => {
    const confab = await shared;
    const socket = await connect(confab, someone());
    for (let i = 0; i < 20; i++)
        socket.raw('nonsense');
    socket.send('ping', 'still here');
    for (let i = 0; i < 20; i++)
        await socket.expect('error');
    assert.equal(await socket.expect('pong'), 'still here');
    socket.raw('nonsense');
    assert.equal(await socket.ended(), 1008);
});

test('bytes, what is too long and what is no text', async () => {
    const confab = await shared;
    const user = someone();
    const cases = [[1003, Buffer.from('{"event":"ping"}'), { binary: true }], [1009, JSON.stringify({ event: 'ping', data: 'x'.repeat(65536) }), {}],
                   [1007, Buffer.from([0x22, 0xff, 0x22]), { binary: false }]];
    for (const [code, bytes, options] of cases) {
        const socket = await connect(confab, user);
        socket.raw(bytes, options);
        assert.equal(await socket.ended(), code);
    }
    const socket = await connect(confab, user);
    const frame = (n) => JSON.stringify({ event: 'ping', data: 'x'.repeat(n) });
    socket.raw(frame(65536 - frame(0).length));
    assert.equal((await socket.expect('pong')).length, 65536 - frame(0).length);
    await socket.close();
    await gone(confab, user);
});

test('a flood is closed with 1008', async () => {
    await withInstance({ systems: 'conversations', auth: 'jwt', env: { CONFAB_SOCKET_FRAMES_PER_S: '50' } }, async (confab) => {
        const socket = await connect(confab, '7');
        for (let i = 0; i < 500; i++)
            socket.send('ping', i);
        assert.equal(await socket.ended(), 1008);
        const joined = await connect(confab, '8', 'websocket');
        for (let i = 0; i < 500; i++)
            joined.send('what');
        await joined.ended();
        await gone(confab, '8');
    });
});
