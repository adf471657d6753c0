/* A forger: has a credential of his own, and makes others of it. Plays docs/security.md.
 * SPDX-License-Identifier: MIT
 */
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { assert } from '../lib/assert.mjs';
import { request } from '../lib/http.mjs';
import { ADMIN, ROOMS_SECRET, RUNNER_KEY, SECRET, instance, test, withInstance } from '../lib/instance.mjs';
import { mint, now } from '../lib/jwt.mjs';
import { register } from '../lib/rooms.mjs';
import { Socket } from '../lib/socket.mjs';

const PUSH_SECRET = 'a secret of the push server that only this test knows';
const VK_SECRET = 'VK\'s secure key of this test';
const started = instance({ systems: 'mtchat,rooms,conversations,eventchat', auth: 'jwt', env: { CONFAB_PUSH: '1', CONFAB_PUSH_API_LISTEN: '127.0.0.1:0', CONFAB_PUSH_TOKEN_SECRET: PUSH_SECRET, CONFAB_PUSH_ANONYMOUS: '0', CONFAB_JWT_LEEWAY_S: '0', CONFAB_VK_APP_SECRET: VK_SECRET } });

/* Each answers whether it let the bearer in. */
const doors = {
    'mtchat': async (confab, token) => (await request(confab.port, 'GET', '/api/v1/dialogs', { headers: { Authorization: `Bearer ${token}` } })).status === 200,
    'mtchat\'s socket': async (confab, token) => enters(confab, `/api/v1/ws?token=${encodeURIComponent(token)}`),
    'management': async (confab, token) => (await request(confab.port, 'POST', '/api/v1/management/dialogs/search', { body: { object_type: 'x', object_id: 'x' }, headers: { Authorization: `Bearer ${token}` } })).status === 200,
    'rooms': async (confab, token) => (await request(confab.port, 'GET', '/api/rooms', { headers: { Authorization: `Bearer ${token}` } })).status === 200,
    'rooms\' socket': async (confab, token) => enters(confab, `/api/rooms/${confab.room}/chat?token=${encodeURIComponent(token)}`),
    'a refresh': async (confab, token) => (await request(confab.port, 'POST', '/api/auth/refresh', { body: { refreshToken: token, refresh_token: token } })).status === 200,
    'runners': async (confab, token) => (await request(confab.port, 'GET', '/api/runner/rooms', { headers: { Authorization: `Bearer ${token}` } })).status === 200,
    'runners\' stream': async (confab, token) => enters(confab, `/api/runner/stream?token=${encodeURIComponent(token)}`),
    'conversations': async (confab, token) => (await request(confab.port, 'GET', '/v1/profile', { headers: { Authorization: `Bearer ${token}` } })).status === 200,
    'conversations\' socket': async (confab, token) => enters(confab, `/v1/ws?token=${encodeURIComponent(token)}`),
    'conversations over Socket.IO': async (confab, token) => joins(confab, '/conversations', token),
    'eventchat': async (confab, token) => (await request(confab.port, 'GET', '/eventchat/v1/profile', { headers: { Authorization: `Bearer ${token}` } })).status === 200,
    'eventchat\'s socket': async (confab, token) => enters(confab, `/eventchat/ws?token=${encodeURIComponent(token)}`),
    'eventchat over Socket.IO': async (confab, token) => joins(confab, '/eventchat', token),
    'push': async (confab, token) => /"client":"/.test((await streamed(confab, { token })) ?? ''),
};

async function enters(confab, target) {
    const socket = new Socket(`ws://127.0.0.1:${confab.port}${target}`, { user: 'a forger' });
    confab.sockets.push(socket);
    const welcome = ({ type, event }) => type === 'connected' || event === 'connected' || event === 'initial_data';
    await socket.upTo(welcome).catch(() => {});
    const entered = socket.frames.some(welcome);
    socket.terminate();
    return entered;
}

/* Does Socket.IO let him into that namespace? */
async function joins(confab, namespace, token) {
    const at = (sid = '') => `/socket.io/?EIO=4&transport=polling${sid}`;
    const { sid } = JSON.parse((await request(confab.port, 'GET', at())).text.slice(1));
    await request(confab.port, 'POST', at(`&sid=${sid}`), { body: `40${namespace},${JSON.stringify({ token })}`, headers: { 'Content-Type': 'text/plain' } });
    const { text } = await request(confab.port, 'GET', at(`&sid=${sid}`));
    assert.match(text, /^4[04]/, text);
    return text.startsWith('40');
}

/* The first line of push's stream. */
async function streamed(confab, connect) {
    const answer = await fetch(`http://127.0.0.1:${confab.port}/connection/http_stream`, { method: 'POST', body: JSON.stringify({ id: 1, connect }) });
    const reader = answer.body.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return value && Buffer.from(value).toString();
}

let good;
async function credentials(confab) {
    good ??= (async () => {
        const owner = await register(confab);
        const room = await owner.room('r', ['Cook']);
        confab.room = room.id;
        const { key } = await owner.ok('POST', `/api/rooms/${room.id}/runners`, { name: 'k' });
        return {
            'a user of mtchat': [confab.token('anna'), 'mtchat', 'mtchat\'s socket'],
            'one with a number': [confab.token('7'), 'mtchat', 'mtchat\'s socket', 'conversations', 'conversations\' socket', 'conversations over Socket.IO', 'eventchat', 'eventchat\'s socket', 'eventchat over Socket.IO'],
            'VK\'s secret as a token\'s': [mint({ sub: 7, exp: now() + 3600 }, VK_SECRET)],
            'the admin': [ADMIN, 'management'],
            'a user of rooms': [owner.token, 'rooms', 'rooms\' socket'],
            'a refresh token': [owner.refreshToken ?? owner.refresh_token, 'a refresh'],
            'a runner': [key, 'runners', 'runners\' stream'],
            'the operator\'s runner': [RUNNER_KEY, 'runners', 'runners\' stream'],
            'a user of push': [mint({ sub: 'anna', exp: now() + 3600 }, PUSH_SECRET), 'push'],
            'a subscription of push': [mint({ sub: 'anna', channel: 'x', exp: now() + 3600 }, PUSH_SECRET)],
        };
    })();
    return good;
}

test('A credential opens what it is for, and nothing else', async () => {
    const confab = await started;
    for (const [who, [token, ...opens]] of Object.entries(await credentials(confab))) {
        assert.ok(token, who);
        for (const [door, knock] of Object.entries(doors).sort(([a]) => a === 'a refresh'))     /* which uses its token up: last */
            assert.equal(await knock(confab, token), opens.includes(door), `${who} at ${door}`);
    }
});

test('With one secret for all, tokens of rooms still open nothing else, and nothing else opens rooms', async () => {
    await withInstance({ systems: 'mtchat,rooms,conversations,eventchat', auth: 'jwt', handlers: 1, env: { CONFAB_JWT_SECRET: ROOMS_SECRET, CONFAB_PUSH: '1', CONFAB_PUSH_API_LISTEN: '127.0.0.1:0', CONFAB_PUSH_TOKEN_SECRET: ROOMS_SECRET } }, async (confab) => {
        const owner = await register(confab);
        const { id } = await owner.room('r');
        confab.room = id;
        const user = mint({ sub: String(JSON.parse(Buffer.from(owner.token.split('.')[1], 'base64url')).sub), exp: now() + 3600 }, ROOMS_SECRET);
        for (const door of ['mtchat', 'mtchat\'s socket', 'conversations', 'conversations\' socket', 'eventchat', 'eventchat over Socket.IO', 'push'])
            assert.equal(await doors[door](confab, owner.token), false, door);
        for (const door of ['rooms', 'rooms\' socket', 'runners'])
            assert.equal(await doors[door](confab, user), false, door);
        assert.equal(await doors.mtchat(confab, user), true);
    });
});

/* Headers that ask for a key or an algorithm of the forger's. */
test('The algorithm and the key are ours, never the token\'s choice', async () => {
    const confab = await started;
    await credentials(confab);
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = publicKey.export({ format: 'jwk' });
    const claims = { sub: '1', exp: now() + 3600, iat: now() };
    for (const [system, secret, more] of [['mtchat', SECRET, {}], ['mtchat\'s socket', SECRET, {}], ['conversations', SECRET, {}], ['conversations\' socket', SECRET, {}], ['eventchat over Socket.IO', SECRET, {}], ['eventchat', SECRET, {}], ['rooms', ROOMS_SECRET, { aud: 'confab:rooms' }], ['push', PUSH_SECRET, {}]]) {
        const all = { ...claims, ...more };
        const sound = mint(all, secret);
        const [head, body, signature] = sound.split('.');
        const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
        const forged = {
            'none': mint(all, secret, { alg: 'none' }), 'None': `${b64({ alg: 'None' })}.${body}.`, 'none, signed': `${b64({ alg: 'none' })}.${body}.${signature}`,
            'no algorithm': `${b64({ typ: 'JWT' })}.${body}.${signature}`, 'a list': mint(all, secret, { header: { alg: ['HS256'] } }),
            'RS256, by HMAC': mint(all, secret, { header: { alg: 'RS256' } }), 'RS256': mint(all, privateKey, { alg: 'RS256', header: { jwk } }),
            'the public key as a secret': mint(all, publicKey.export({ type: 'spki', format: 'pem' })), 'an empty secret': mint(all, ''),
            'a key in the header': mint(all, 'x', { header: { jwk: { kty: 'oct', k: Buffer.from('x').toString('base64url') } } }),
            'a key elsewhere': mint(all, 'x', { header: { jku: `http://127.0.0.1:${confab.port}/jwks`, x5u: 'http://127.0.0.1/' } }),
            'a file as key': mint(all, '', { header: { kid: '/dev/null' } }), 'a key by SQL': mint(all, 'x', { header: { kid: "x' UNION SELECT 'x" } }),
            'something critical': mint(all, secret, { header: { crit: ['b64'], b64: false } }),
            'another body': `${head}.${b64({ ...all, sub: '2' })}.${signature}`, 'another header': `${b64({ alg: 'HS256', x: 1 })}.${body}.${signature}`,
            'a signature cut': `${head}.${body}.${signature.slice(0, -1)}`, 'padding': `${head}.${body}.${signature}=`, 'a part more': `${sound}.x`,
            'two of them': `${sound}, ${sound}`, 'bits behind the signature': `${head}.${body}.${signature.slice(0, -1)}${String.fromCharCode(signature.charCodeAt(42) + 1)}`,
            'expired': mint({ ...all, exp: now() - 120 }, secret), 'not yet': mint({ ...all, nbf: now() + 120 }, secret), 'the end as text': mint({ ...all, exp: '9999999999' }, secret),
            'nobody': mint({ ...all, sub: '' }, secret), 'a key twice': `${head}.${Buffer.from(`{"sub":"1","sub":"2","exp":${now() + 60}${more.aud ? ',"aud":"confab:rooms"' : ''}}`).toString('base64url')}.`,
        };
        const doubled = forged['a key twice'].slice(0, -1);
        forged['a key twice'] = `${doubled}.${createHmac('sha256', secret).update(doubled).digest('base64url')}`;
        for (const [what, token] of Object.entries(forged))
            assert.equal(await doors[system](confab, token), false, `${what} at ${system}`);
    }
});

test('A socket ends when its token does', async () => {
    const confab = await started;
    const socket = new Socket(`ws://127.0.0.1:${confab.port}/api/v1/ws?token=${mint({ sub: 'brief', exp: now() + 2 }, SECRET)}`, { user: 'brief' });
    confab.sockets.push(socket);
    await socket.connected();
    assert.ok((await socket.ended()).code >= 4000 || socket.closed.code === 1008, JSON.stringify(socket.closed));
    assert.equal(await doors['mtchat\'s socket'](confab, mint({ sub: 'brief', exp: now() - 1 }, SECRET)), false);
});
