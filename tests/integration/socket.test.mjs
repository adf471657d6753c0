/* The socket itself: handshakes, frames from the client, closing, limits.
 * SPDX-License-Identifier: MIT
 */
import net from 'node:net';
import { assert, fine, keys, refused } from '../lib/assert.mjs';
import { request } from '../lib/http.mjs';
import { SECRET, instance, test, withInstance } from '../lib/instance.mjs';
import { mint, now } from '../lib/jwt.mjs';
import { until, within } from '../lib/wait.mjs';

const trusted = instance({ auth: 'trusted' });
const jwt = instance({ auth: 'jwt' });

async function refusal(confab, query, options = {}) {
    const socket = confab.knock('nobody', { query, ...options });
    await socket.ended();
    const { status, headers, text } = socket.refused ?? {};
    refused({ status, headers, text, json: JSON.parse(text) }, status, null);
    return status;
}

test('handshakes, trusted', async () => {
    const confab = await trusted;
    assert.equal(await refusal(confab, ''), 400);
    assert.equal(await refusal(confab, 'user_id='), 400);
    assert.equal(await refusal(confab, 'x=1'), 400);
    assert.equal(await refusal(confab, `user_id=${'u'.repeat(256)}`), 400);
    const socket = await confab.socket('anna', { query: 'x=1&user_id=anna&y=2' });
    assert.equal(socket.hello.employee_id, 'anna');
    assert.equal(socket.frames[0].type, 'connected');
});

test('handshakes, jwt', async () => {
    const confab = await jwt;
    for (const query of ['', 'user_id=anna', 'token=', 'token=x', `token=${mint({ sub: 'anna' }, 'wrong')}`, `token=${mint({ sub: '' }, SECRET)}`,
        `token=${mint({ sub: 'a' }, SECRET, { alg: 'none' })}`, `token=${mint({ sub: 'a', exp: now() - 100 }, SECRET)}`,
        `token=${mint({ sub: 'a', aud: 'confab:rooms' }, SECRET)}`])
        assert.equal(await refusal(confab, query), 401, query);
    const socket = await confab.socket('anna', { query: `user_id=eve&token=${mint({ sub: 'anna' }, SECRET)}` });
    assert.equal(socket.hello.employee_id, 'anna');
    const number = await confab.socket('42', { query: `token=${encodeURIComponent(mint({ sub: 42 }, SECRET))}` });
    assert.equal(number.hello.employee_id, '42');
});

test('what is no WebSocket upgrade, and other paths', async () => {
    const confab = await trusted;
    const plain = await request(confab.port, 'GET', '/api/v1/ws?user_id=anna');
    assert.ok([400, 426].includes(plain.status), `${plain.status}`);
    assert.ok(plain.json?.error);
    assert.equal((await request(confab.port, 'POST', '/api/v1/ws?user_id=anna', { body: {} })).status, 405);
    assert.equal((await request(confab.port, 'DELETE', '/api/v1/ws?user_id=anna')).status, 405);
    const noUser = await request(confab.port, 'GET', '/api/v1/ws');
    assert.ok([400, 426].includes(noUser.status));
});

test('a + in the id stays one, %20 is a space', async () => {
    const confab = await trusted;
    for (const [query, user] of [['user_id=a+b@x', 'a+b@x'], ['user_id=a%2Bb', 'a+b'], ['user_id=a%20b', 'a b'], ['user_id=%D0%B6', 'ж']]) {
        const socket = await confab.socket(user, { query });
        assert.equal(socket.hello.employee_id, user);
    }
    const dialog = await confab.dialog(['c+d e']);
    const socket = await confab.socket('c+d e', { query: 'user_id=c+d%20e' });
    await confab.api('c+d e').send(dialog, 'to myself');        /* the REST client encodes the + */
    assert.equal((await socket.next('message.new')).sender_id, 'c+d e');
});

test('tokens may be long, but not endless', async () => {
    const confab = await jwt;
    const token = (pad) => mint({ sub: 'long', pad: 'x'.repeat(pad) }, SECRET);
    assert.ok(token(5900).length > 7900 && token(5900).length < 8192);
    const socket = await confab.socket('long', { query: `token=${token(5900)}` });
    assert.equal(socket.hello.employee_id, 'long');
    assert.equal(await refusal(confab, `token=${token(6300)}`), 401);
    assert.equal((await request(confab.port, 'GET', '/api/v1/dialogs', { headers: { Authorization: `Bearer ${token(5900)}` } })).status, 200);
    assert.equal((await request(confab.port, 'GET', '/api/v1/dialogs', { headers: { Authorization: `Bearer ${token(6300)}` } })).status, 401);
});

test('bad ids and long queries', async () => {
    const confab = await trusted;
    for (const query of ['user_id=a%00b', 'user_id=%00', 'user_id=a%ff', 'user_id=%zz']) {
        const socket = confab.knock('odd', { query });
        const hello = await socket.connected().catch(() => null);
        assert.ok(socket.refused?.status === 400 || (hello && !query.includes('%00')), query);
    }
    const socket = await confab.socket('padded', { query: `pad=${'x'.repeat(6000)}&user_id=padded` });
    assert.equal(socket.hello.employee_id, 'padded');
});

/* An upgraded connection straight to the relay, below the level of any library. The code of the relay's
 * close frame, or null when it just hung up. */
async function rawSocket(confab, frames) {
    const socket = net.connect(confab.relays[0].socket);
    let got = Buffer.alloc(0);
    let hungUp = false;
    socket.on('data', (data) => { got = Buffer.concat([got, data]); });
    socket.on('error', () => {});
    socket.on('close', () => { hungUp = true; });
    socket.write('GET /api/v1/ws?user_id=raw HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        + 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n');
    await until('the first frame', () => got.includes('"connected"'));
    const before = got.length;
    for (const frame of frames)
        socket.write(frame);
    await until('a close frame or the end', () => hungUp || got.indexOf(0x88, before) >= 0 && got.length >= got.indexOf(0x88, before) + 4);
    socket.destroy();
    const close = got.indexOf(0x88, before);
    return close < 0 ? null : got.readUInt16BE(close + 2);
}

const masked = (first, payload, length = [payload.length]) =>
    Buffer.concat([Buffer.from([first, 0x80 | length[0], ...length.slice(1), 0, 0, 0, 0]), Buffer.from(payload)]);

test('what no library would send ends that connection and nothing else', async () => {
    const confab = await trusted;
    const other = await confab.socket('bystander', { relay: 0 });
    const rude = {
        'a reserved bit': [masked(0xc1, 'x')],
        'a reserved opcode': [masked(0x83, 'x')],
        'a ping in fragments': [masked(0x09, 'x')],
        'a continuation of nothing': [masked(0x80, 'x')],
        'a message inside another': [masked(0x01, 'x'), masked(0x81, 'x')],
        'a ping that is too long': [masked(0x89, Buffer.alloc(200), [126, 0, 200])],
        'a length beyond reason': [masked(0x81, Buffer.alloc(70000, 0x20), [127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
        'noise': [Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 73 + 41) & 0xff))],
    };
    for (const [what, frames] of Object.entries(rude)) {
        const code = await rawSocket(confab, frames).catch((error) => { throw new Error(`${what}: ${error.message}`); });
        assert.ok([null, 1002, 1009].includes(code), `${what}: ${code}`);
    }
    other.send({ type: 'ping' });
    await other.next('pong');
});

test('handshakes that no library would make', async () => {
    const confab = await trusted;
    const ask = (text) => new Promise((resolve) => {
        const socket = net.connect(confab.relays[0].socket, () => socket.write(text));
        const chunks = [];
        socket.on('data', (data) => { chunks.push(data); socket.end(); });
        socket.on('error', () => {});
        socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    });
    const upgrade = 'Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
    for (const text of ['\r\n\r\n', 'nonsense\r\n\r\n', 'GET\r\n\r\n', 'GET /api/v1/ws HTTP/9.9\r\n\r\n', `GET /elsewhere HTTP/1.1\r\n${upgrade}\r\n`,
        `GET /api/v1/ws/ HTTP/1.1\r\n${upgrade}\r\n`, `GET /api/v1/ws?user_id=a HTTP/1.1\r\n${upgrade}${'X-Pad: x\r\n'.repeat(5000)}\r\n`,
        `GET /api/v1/ws?user_id=${'a'.repeat(60000)} HTTP/1.1\r\n${upgrade}\r\n`, Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 13, 10, 13, 10]),
        `GET /api/v1/ws?user_id=a HTTP/1.1\r\n${upgrade.replace('13', '8')}\r\n`]) {
        const answer = await within(`an end of ${String(text).slice(0, 50)}`, ask(text));
        assert.ok(!/^HTTP\/1\.\d (101|500)/.test(answer), `${String(text).slice(0, 60)}: ${answer.slice(0, 100)}`);
    }
    await confab.socket('fine', { relay: 0, perMessageDeflate: true });
});

test('connected, ping, and what is ignored', async () => {
    const confab = await trusted;
    const dialog = await confab.dialog(['calm-a', 'calm-b']);
    const socket = await confab.socket('calm-a');
    keys(socket.hello, 'type', 'employee_id', 'seq');
    assert.ok(Number.isSafeInteger(socket.hello.seq));
    socket.send({ type: 'ping' });
    assert.deepEqual(await socket.next('pong'), { type: 'pong' });
    const other = await confab.dialog(['calm-x']);
    for (const type of ['subscribe', 'unsubscribe'])
        for (const dialog_id of [dialog, other, 'nonsense', 7])
            socket.send({ type, dialog_id });
    for (const frame of [{ type: 'typing' }, { type: 'connected' }, { type: '' }, { type: 'x'.repeat(1000) }, { type: 'ping', more: [1] }])
        socket.send(frame);
    assert.deepEqual((await socket.upTo('pong')).map((f) => f.type), ['pong']);
    /* neither does subscribing open what is not his, nor unsubscribing close what is */
    await confab.api('calm-x').send(other, 'secret');
    await confab.api('calm-b').send(dialog, 'for you');
    const frames = await confab.drain(socket);
    assert.deepEqual(frames.map((f) => f.content), ['for you']);
});

test('malformed frames: an error each, and 1008 after twenty', async () => {
    const confab = await trusted;
    const socket = await confab.socket('rude');
    const bad = ['', 'x', '[]', '"ping"', 'null', '{}', '{"type":5}', '{"type":null}', '{"Type":"ping"}', '{"type":"ping"', '{"type":"ping"}x',
        Buffer.from('{"type":"ping"}'), Buffer.alloc(0), '7', 'true', '{"type":["ping"]}', "{'type':'ping'}", '{"type":{}}', ' ', '{"a":1}'];
    assert.equal(bad.length, 20);
    for (const frame of bad.slice(0, 19))
        socket.send(frame);
    const errors = await socket.count('error', 19);
    for (const error of errors)
        assert.deepEqual(error, { type: 'error', message: 'Invalid message format' });
    socket.send({ type: 'ping' });
    await socket.next('pong');
    socket.send(bad[19]);
    socket.send('x');
    assert.equal((await socket.ended()).code, 1008);
});

test('frames of clients have a size', async () => {
    const confab = await trusted;
    const frame = (size) => `{"type":"ping","pad":"${'x'.repeat(size - 24)}"}`;
    assert.equal(frame(100).length, 100);
    const socket = await confab.socket('wide');
    socket.send(frame(65536));
    await socket.next('pong');
    socket.send(frame(65537));
    assert.equal((await socket.ended()).code, 1009);
    /* a message in fragments counts as a whole */
    const parts = await confab.socket('parts');
    parts.ws.send(frame(60000).slice(0, 30000), { fin: false });
    parts.ws.send(frame(60000).slice(30000), { fin: true });
    await parts.next('pong');
    for (let i = 0; i < 4; i++)
        parts.ws.send('x'.repeat(30000), { fin: false });
    assert.equal((await parts.ended()).code, 1009);
});

test('text that is not UTF-8 closes with 1007', async () => {
    const confab = await trusted;
    const socket = await confab.socket('bytes');
    socket.ws.send(Buffer.from([0x7b, 0xff, 0x7d]), { binary: false });
    assert.equal((await socket.ended()).code, 1007);
});

test('fifty sockets of one user, and no more', async () => {
    const confab = await jwt;
    const sockets = await Promise.all(Array.from({ length: 50 }, () => confab.socket('crowd')));
    const one = confab.knock('crowd');
    await one.ended();
    assert.equal(one.refused?.status, 429);
    /* nobody was displaced, and a place that falls free can be taken */
    assert.ok(sockets.every((socket) => !socket.closed));
    await confab.socket('other');
    await sockets[0].close();
    await until('the free place', async () => {
        const next = confab.knock('crowd');
        return next.connected().then(() => true, () => false);
    });
});

test('a socket ends with its token', async () => {
    await withInstance({ auth: 'jwt', handlers: 1, env: { CONFAB_JWT_LEEWAY_S: '0' } }, async (confab) => {
        const lasting = await confab.socket('lasting', { query: `token=${mint({ sub: 'lasting' }, SECRET)}` });
        const brief = await confab.socket('brief', { query: `token=${mint({ sub: 'brief', exp: now() + 2 }, SECRET)}` });
        assert.equal((await brief.ended()).code, 1008);
        assert.ok(now() >= 0 && !lasting.closed);
    });
    await withInstance({ auth: 'jwt', handlers: 1, env: { CONFAB_JWT_CHECK_EXP: 'false' } }, async (confab) => {
        const socket = await confab.socket('old', { query: `token=${mint({ sub: 'old', exp: 1 }, SECRET)}` });
        socket.send({ type: 'ping' });
        await socket.next('pong');
    });
});

test('a slow reader is closed with 1013 and delays nobody', async () => {
    await withInstance({ auth: 'trusted', env: { CONFAB_WS_QUEUE_FRAMES: '20' } }, async (confab) => {
        const dialog = await confab.dialog(['slow', 'quick', 'sender']);
        const slow = await confab.socket('slow', { relay: 0 });
        const quick = await confab.socket('quick');
        slow.ws.pause();
        const sender = confab.api('sender');
        const text = 'x'.repeat(40000);
        for (let i = 0; i < 60; i++) {
            const { id } = await sender.send(dialog, text);
            assert.equal((await quick.next('message.new')).id, id);
        }
        slow.ws.resume();
        assert.equal((await slow.ended()).code, 1013);
        /* what it missed is there for it */
        const heard = slow.frames.filter((f) => f.type === 'message.new');
        const { events } = fine(await confab.api('slow').get(`/sync?since=${heard.at(-1).seq}`));
        assert.equal(heard.length + events.filter((f) => f.type === 'message.new').length, 60);
    });
});

test('the server pings, and a peer that is dead goes', async () => {
    await withInstance({ auth: 'trusted', env: { CONFAB_WS_PING_S: '1', CONFAB_WS_TIMEOUT_S: '3' } }, async (confab) => {
        const alive = await confab.socket('alive');
        const dead = await confab.socket('dead', { autoPong: false, relay: 0 });
        await dead.ended();
        await alive.pinged(3);
        assert.equal(alive.closed, null);
        alive.send({ type: 'ping' });
        await alive.next('pong');
    });
});

test('too many frames a second close with 1008', async () => {
    await withInstance({ auth: 'trusted', env: { CONFAB_WS_FRAMES_PER_S: '10' } }, async (confab) => {
        const socket = await confab.socket('flood');
        for (let i = 0; i < 200; i++)
            socket.send({ type: 'ping' });
        assert.equal((await socket.ended()).code, 1008);
    });
});

test('more connections than the relay may hold', async () => {
    await withInstance({ auth: 'trusted', env: { CONFAB_RELAY_CONNECTIONS_MAX: '3' } }, async (confab) => {
        const open = [];
        for (const user of ['a', 'b', 'c'])
            open.push(await confab.socket(user, { relay: 0 }));
        const fourth = confab.knock('d', { relay: 0 });
        await fourth.ended();
        assert.ok(fourth.refused === null || fourth.refused.status === 503, JSON.stringify(fourth.refused));
        for (const socket of open) {
            socket.send({ type: 'ping' });
            await socket.next('pong');
        }
        fine(await confab.nobody.get('/health'));
    });
});
