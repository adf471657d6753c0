/* Every end that the push server's protocol knows: errors of commands, closes with their reasons, expiry, liveness.
 * SPDX-License-Identifier: MIT
 */
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { test } from '../lib/instance.mjs';
import { SECRET, TRANSPORTS, assert, mint, now, pushServer, until, withPush } from '../lib/push.mjs';

const started = pushServer({
    settings: { push_ping_s: 2, push_pong_s: 1, push_stale_s: 1, push_expiry_grace_s: 1, push_errors_max: 5,
                push_clients_per_user: 3, push_channels_per_client: 4, push_commands_per_s: 50, push_anonymous: false },
    channels: {
        secret: { subscribe: 'token' },
        few: { subscribe: 'user', subscribers_max: 2 },
        total: { subscribe: 'user', subscriptions_max: 2 },
        pattern: { subscribe: 'user', pattern: '[a-z]+' },
        gentle: { subscribe: 'user', publish: 'user', publish_per_s: 2 },
    },
});
let serial = 0;
const fresh = (namespace) => `${namespace}:${++serial}`;
const someone = () => `user${++serial}`;

/* The close that follows when a new wire sends this. */
async function closedBy(push, ...what) {
    const wire = push.wire();
    await wire.send(...what);
    const { code, reason } = await wire.ended();
    return { code, reason, lines: wire.lines };
}

async function closedAfter(push, ...what) {
    const wire = await push.connected(someone());
    await wire.send(...what);
    return (await wire.ended()).code;
}

test('what ends a connection before it has connected', async () => {
    const push = await started;
    const good = push.token(someone());
    for (const [code, ...what] of [
        [3501, ''], [3501, 'nonsense'], [3501, '[]'], [3501, '1'], [3501, 'null'], [3501, '{"id":1}'], [3501, '\n\n'],
        [3501, { id: 1, subscribe: { channel: 'open:x' } }], [3501, { connect: {} }], [3501, { id: 0, connect: {} }],
        [3501, { id: -1, connect: {} }], [3501, { id: 4294967296, connect: {} }], [3501, { id: 'x', connect: {} }],
        [3501, { id: 1, connect: [] }], [3501, { id: 1, connect: { token: 5 } }], [3501, { id: 1, ping: {} }], [3501, { id: 1, nosuch: {} }],
        [3501, { id: 1, send: {} }], [3501, { id: 1, connect: {} }], [3501, { id: 1, connect: { token: '' } }],
        [3501, { id: 1, connect: { token: good } }, { id: 2, connect: { token: good } }],
        [3500, { id: 1, connect: { token: 'x' } }], [3500, { id: 1, connect: { token: 'a.b.c' } }],
        [3500, { id: 1, connect: { token: mint({ sub: 'a' }, 'wrong secret') } }],
        [3500, { id: 1, connect: { token: mint({ sub: 'a' }, SECRET, { alg: 'none' }) } }],
        [3500, { id: 1, connect: { token: mint({ sub: 'a', nbf: now() + 100 }, SECRET) } }],
        [3507, { id: 1, connect: { token: mint({ sub: '' }, SECRET) } }],
        [3507, { id: 1, connect: { token: mint({}, SECRET) } }],
        [3506, Buffer.from([1, 2, 3])],
    ]) {
        const end = await closedBy(push, ...what);
        assert.equal(end.code, code, `${JSON.stringify(what)}: ${JSON.stringify(end)}`);
    }
});

test('what ends a connection that has connected', async () => {
    const push = await started;
    for (const [code, what] of [
        [3501, { id: 9, ping: {} }], [3501, { id: 9, nosuch: {} }], [3501, { id: 9 }], [3501, { subscribe: { channel: 'open:x' } }],
        [3501, { id: 9, subscribe: { channel: '' } }], [3501, { id: 9, subscribe: {} }], [3501, { id: 9, subscribe: { channel: 'open:x', delta: 'other' } }],
        [3501, { id: 9, subscribe: { channel: 5 } }], [3501, { id: 9, connect: {} }], [3501, { id: 9, refresh: {} }], [3501, '{"id":9,"rpc":'],
        [3508, { send: { data: {} } }], [3500, { id: 9, refresh: { token: 'x' } }], [3005, { id: 9, refresh: { token: push.token('x', { exp: now() - 5 }) } }],
        [3500, { id: 9, refresh: { token: push.token('somebody else') } }], [3506, Buffer.from([0])],
    ])
        assert.equal(await closedAfter(push, what), code, JSON.stringify(what));
});

test('an expired token is an error; after it nothing is run, then the deadline', async () => {
    const push = await started;
    const wire = push.wire();
    await wire.send({ id: 1, connect: { token: push.token('anna', { exp: now() - 1 }) } }, { id: 2, subscribe: { channel: 'open:x' } });
    assert.equal((await wire.reply(1)).error.code, 109);
    const end = await wire.ended();
    assert.ok([3501, 3502].includes(end.code), JSON.stringify(end));
    assert.equal(wire.lines.length, 1);
});

test('who does not connect is stale', async () => {
    const push = await started;
    const wire = push.wire();
    const { code, reason } = await wire.ended();
    assert.deepEqual({ code, reason }, { code: 3502, reason: 'stale' });
});

test('pings, pongs, and who gives none', async () => {
    const push = await started;
    const silent = await push.connected(someone());
    const native = await push.connected(someone(), { target: '/connection/websocket?cf_ws_frame_ping_pong=true' });
    assert.equal(native.hello.ping, undefined);
    const answering = await push.connected(someone());
    answering.ws.on('message', (data) => data.toString() === '{}' && answering.ws.send('{}'));
    await answering.send({}, {});                               /* nobody asked: ignored */
    const clients = await Promise.all(TRANSPORTS.map((transport) => push.client({ user: someone(), transport }).ready()));
    assert.deepEqual([silent.hello.ping, silent.hello.pong], [2, true]);
    let nativePings = 0;
    native.ws.on('ping', () => nativePings++);
    assert.equal((await silent.ended()).code, 3012);
    await until('two pings', () => answering.lines.filter((line) => Object.keys(line).length === 0).length >= 2 && nativePings >= 2);
    assert.ok(native.lines.every((line) => Object.keys(line).length > 0), 'no {} there');
    await answering.ask('unsubscribe', { channel: 'open:x' });
    for (const client of clients) {
        await assert.rejects(client.sdk.rpc('x', {}), { code: 108 });
        assert.equal(client.all('connected').length, 1);
        client.stop();
    }
});

test('a client hears that the server is silent, and comes back', async () => {
    await withPush({ settings: { push_ping_s: 2, push_pong_s: 1 } }, async (push) => {
        const clients = await Promise.all(TRANSPORTS.map((transport) =>
            push.client({ user: someone(), transport, maxServerPingDelay: 300 }).ready()));
        push.signal('SIGSTOP');
        await Promise.all(clients.map((client) => client.next({ type: 'connecting', code: 2, reason: 'no ping' })));
        push.signal('SIGCONT');
        await Promise.all(clients.map((client) => client.next('connected')));
    });
});

test('nothing after the end of a credential: the grace, then the close', async () => {
    const push = await started;
    /* Whole seconds: the first may be over at once. */
    const brief = () => ({ exp: now() + 2 });
    const wires = await Promise.all([
        push.connected({ token: push.token(someone(), brief()) }),
        push.connected({ token: mint({ sub: 'subber' }, SECRET) }),
        push.connected({ token: push.token('served') }),
        push.connected({ token: push.token(someone(), { ...brief(), expire_at: 0 }) }),
    ]);
    const [connection, subscription, server, endless] = wires;
    for (const wire of wires)       /* they answer pings, as libraries do */
        wire.ws.on('message', (data) => data.toString().split('\n').includes('{}') && wire.ws.send('{}'));
    assert.equal(connection.hello.expires, true);
    assert.ok(connection.hello.ttl >= 1);
    assert.ok(!('expires' in endless.hello) && !('ttl' in endless.hello));
    const channel = fresh('secret');
    const sub = (await subscription.ask('subscribe', { channel, token: push.pass('subber', channel, brief()) })).subscribe;
    assert.equal(sub.expires, true);
    await push.ok('subscribe', { user: 'served', channel: fresh('open'), expire_at: now() + 2 });
    assert.deepEqual((await subscription.push('unsubscribe')).unsubscribe, { code: 2501, reason: 'subscription expired' });
    const { code, reason } = await connection.ended();
    assert.deepEqual({ code, reason }, { code: 3005, reason: 'connection expired' });
    assert.equal((await server.ended()).code, 3006);
    assert.equal(endless.closed, null);
});

test('refresh and sub_refresh, good and bad', async () => {
    const push = await started;
    const user = someone();
    const channel = fresh('secret');
    const wire = await push.connected({ token: push.token(user, { exp: now() + 60 }) });
    await wire.ask('subscribe', { channel, token: push.pass(user, channel) });
    const { refresh } = await wire.ask('refresh', { token: push.token(user, { exp: now() + 500 }) });
    assert.ok(refresh.expires && refresh.ttl > 490 && refresh.ttl <= 500, JSON.stringify(refresh));
    const far = (await wire.ask('refresh', { token: push.token(user, { exp: now() + 10 * 31536000 }) })).refresh;
    assert.ok(far.ttl <= 31536000, 'a year at most');
    assert.equal((await wire.ask('refresh', { token: push.token(user, { expire_at: now() - 5 }) })).error.code, 110);
    const renewed = (await wire.ask('sub_refresh', { channel, token: push.pass(user, channel, { exp: now() + 300 }) })).sub_refresh;
    assert.ok(renewed.expires && renewed.ttl > 290);
    assert.equal((await wire.ask('sub_refresh', { channel, token: push.pass(user, channel, { exp: now() - 3 }) })).error.code, 110);
    assert.equal((await wire.ask('sub_refresh', { channel })).error.code, 107);
    assert.equal((await wire.ask('sub_refresh', { channel: fresh('secret'), token: 'x' })).error.code, 103);
    for (const token of ['x', push.pass('other', channel), push.pass(user, 'secret:other'), mint({ sub: user, channel }, 'wrong')]) {
        const other = await push.connected(user);
        await other.ask('subscribe', { channel, token: push.pass(user, channel) });
        await other.send({ id: 99, sub_refresh: { channel, token } });
        assert.equal((await other.ended()).code, 3500);
    }
});

test('subscription tokens, row by row', async () => {
    const push = await started;
    const user = someone();
    const channel = fresh('secret');
    const wire = await push.connected(user);
    const code = async (token, of = channel) => (await wire.ask('subscribe', { channel: of, ...(token && { token }) })).error?.code ?? 0;
    assert.equal(await code(push.pass(user, channel, { exp: now() - 1 })), 109);
    assert.equal(await code('nonsense'), 103);
    assert.equal(await code(push.token(user)), 103, 'one that opens connections');
    assert.equal(await code(mint({ sub: user, channel }, 'wrong')), 103);
    assert.equal(await code(), 103);
    assert.equal(await code(push.pass(user, channel, { client: wire.hello.client })), 0);
    for (const [token, of] of [[push.pass('other', channel)], [push.pass(user, fresh('secret'))], [push.pass(user, channel, { client: 'other' })],
        [push.pass(user, '$x'), '$y']]) {
        const other = await push.connected(user);
        await other.send({ id: 7, subscribe: { channel: of ?? channel, token } });
        assert.equal((await other.ended()).code, 3500, JSON.stringify([of ?? channel, token]));
    }
    /* a token that was made for a channel opens no connection */
    const end = await closedBy(push, { id: 1, connect: { token: push.pass(user, channel) } });
    assert.ok([3500, 3501].includes(end.code), JSON.stringify(end));
});

test('limits of one connection, one user, one namespace', async () => {
    const push = await started;
    const user = someone();
    const wire = await push.connected(user);
    const [one, two] = [await push.connected(user), await push.connected(user)];
    const fourth = push.wire();
    await fourth.send({ id: 1, connect: { token: push.token(user) } });
    assert.equal((await fourth.ended()).code, 3504);
    const code = async (who, channel) => (await who.ask('subscribe', { channel })).error?.code ?? 0;
    assert.deepEqual([await code(one, 'few:a'), await code(two, 'few:a'), await code(wire, 'few:a')], [0, 0, 106]);
    assert.deepEqual([await code(one, 'total:a'), await code(two, 'total:b'), await code(wire, 'total:c')], [0, 0, 106]);
    await two.ask('unsubscribe', { channel: 'total:b' });
    assert.equal(await code(wire, 'total:c'), 0);
    assert.notEqual(await code(wire, 'pattern:ABC'), 0);
    assert.equal(await code(wire, 'pattern:abc'), 0);
    assert.deepEqual([await code(wire, 'open:x'), await code(wire, 'open:y'), await code(wire, 'open:z')], [0, 0, 106]);
    assert.equal(await code(wire, 'open:x'), 105);
    await wire.send({ id: 50, subscribe: { channel: 'nowhere:x' } });      /* the sixth error */
    assert.equal((await wire.ended()).code, 3509);
    await until('a place for another', async () => (await push.ok('connections', { user })).connections.length === 2);
    assert.equal((await one.ask('subscribe', { channel: 'few:b' })).error, undefined);
});

test('more channels given by a token, or the API, than one connection may have', async () => {
    const push = await started;
    const user = someone();
    const end = await closedBy(push, { id: 1, connect: { token: push.token(user, { channels: ['open:1', 'open:2', 'open:3', 'open:4', 'open:5'] }) } });
    assert.equal(end.code, 3505);
    const wire = await push.connected({ token: push.token(user, { channels: ['open:1', 'open:2', 'open:3', 'open:4'] }) });
    assert.equal(Object.keys(wire.hello.subs).length, 4);
    const answer = await push.api('subscribe', { user, channel: 'open:5' });
    assert.ok(answer.json.error?.code === 106 || wire.closed || answer.json.result, answer.text);
    assert.equal((await push.ok('presence', { channel: 'open:5' })).presence[wire.hello.client], undefined);
});

test('publishing within the rate of the namespace, commands within theirs', async () => {
    const push = await started;
    const wire = await push.connected(someone());
    const codes = [];
    for (let i = 0; i < 4; i++)
        codes.push((await wire.ask('publish', { channel: 'gentle:x', data: i })).error?.code ?? 0);
    assert.deepEqual(codes.slice(0, 2), [0, 0]);
    assert.ok(codes.slice(2).includes(111), `${codes}`);
    const flood = await push.connected(someone());
    for (let i = 0; i < 300; i++)
        await flood.send({ id: 100 + i, unsubscribe: { channel: 'open:x' } });
    const { code, reason } = await flood.ended();
    assert.deepEqual({ code, reason }, { code: 3013, reason: 'too many requests' });
});

/* ---- keys ---- */

const pem = (key) => key.export({ type: 'spki', format: 'pem' });

test('public keys: their own algorithms and nothing else', async () => {
    for (const [algorithms, make] of [
        [['RS256', 'RS384', 'RS512'], () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
        [['ES256'], () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
        [['ES384'], () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ]) {
        const { privateKey, publicKey } = make();
        const other = make().privateKey;
        await withPush({ settings: { push_token_secret: null, push_anonymous: false }, key: pem(publicKey) }, async (push) => {
            const sign = (claims, alg, key = privateKey, header = {}) => mint(claims, key, { alg, header });
            for (const alg of algorithms) {
                const wire = await push.connected({ token: sign({ sub: 'anna', info: { alg } }, alg) });
                assert.ok(wire.hello.client);
                const client = await push.client({ token: sign({ sub: 'anna' }, alg), transport: 'http_stream' }).ready();
                client.stop();
            }
            const text = pem(publicKey);
            const [alg] = algorithms;
            const der = publicKey.export({ type: 'spki', format: 'der' });
            const good = sign({ sub: 'anna' }, alg);
            const [head, body, signature] = good.split('.');
            const forged = Buffer.from(JSON.stringify({ sub: 'eve' })).toString('base64url');
            for (const token of [
                mint({ sub: 'eve' }, text, { alg: 'HS256' }), mint({ sub: 'eve' }, text.trim(), { alg: 'HS256' }), mint({ sub: 'eve' }, der, { alg: 'HS256' }),
                mint({ sub: 'eve' }, '', { alg: 'HS256' }), sign({ sub: 'eve' }, alg, other), sign({ sub: 'eve' }, alg, privateKey, { alg: 'HS256' }),
                sign({ sub: 'eve' }, alg, privateKey, { alg: alg.startsWith('ES') ? 'RS256' : 'ES256' }), sign({ sub: 'eve' }, alg, privateKey, { alg: 'none' }),
                sign({ sub: 'eve' }, alg, privateKey, { crit: ['exp'] }), `${head}.${forged}.${signature}`, `${head}.${body}.`, `${head}.${body}`, `${good}.`, `.${good}`,
                `${head}.${body}.${signature}=`, `${head}.${body}.${'A'.repeat(signature.length)}`, `${good} `, sign({ sub: 'eve' }, alg, privateKey, { alg: alg.toLowerCase() }),
            ]) {
                const end = await closedBy(push, { id: 1, connect: { token } });
                assert.equal(end.code, 3500, token);
            }
        });
    }
});

test('a set of keys, chosen by kid; audience and issuer', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const ed = generateKeyPairSync('ed25519');
    const keys = Object.entries({ rsa, ec, ed }).map(([kid, { publicKey }]) => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' }));
    await withPush({ jwks: { keys }, settings: { push_token_secret: null, push_anonymous: false, push_token_audience: 'here', push_token_issuer: 'us' } }, async (push) => {
        const claims = { sub: 'anna', aud: ['there', 'here'], iss: 'us' };
        const token = (more, alg, key, kid) => mint({ ...claims, ...more }, key, { alg, header: kid === undefined ? {} : { kid } });
        for (const [alg, pair, kid] of [['RS256', rsa, 'rsa'], ['ES256', ec, 'ec'], ['EdDSA', ed, 'ed']])
            await push.connected({ token: token({}, alg, pair.privateKey, kid) });
        for (const [what, bad] of Object.entries({
            'another kid': token({}, 'RS256', rsa.privateKey, 'ec'), 'an unknown kid': token({}, 'RS256', rsa.privateKey, 'none'),
            'audience': token({ aud: 'there' }, 'RS256', rsa.privateKey, 'rsa'), 'no audience': token({ aud: undefined }, 'RS256', rsa.privateKey, 'rsa'),
            'issuer': token({ iss: 'them' }, 'RS256', rsa.privateKey, 'rsa'), 'HMAC': token({}, 'HS256', createHmac('sha256', 'x').digest(), 'rsa'),
            'the chat': token({ aud: 'confab:rooms' }, 'RS256', rsa.privateKey, 'rsa'),
        }))
            assert.equal((await closedBy(push, { id: 1, connect: { token: bad } })).code, 3500, what);
    });
});
