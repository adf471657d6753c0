/* What the push server's protocol promises and only shows under awkward circumstances: peers that vanish, commands
 * that come before their turn, those who come and go all the time, and every offset on the way.
 * SPDX-License-Identifier: MIT
 */
import { generateKeyPairSync } from 'node:crypto';
import net from 'node:net';
import { request } from '../lib/http.mjs';
import { test } from '../lib/instance.mjs';
import { TRANSPORTS, assert, mint, now, numbers, pushServer, until, withPush } from '../lib/push.mjs';

const pair = generateKeyPairSync('rsa', { modulusLength: 4096 });     /* long: its verification takes a while */
const started = pushServer({
    key: pair.publicKey.export({ type: 'spki', format: 'pem' }),
    settings: { push_commands_per_s: 100000, push_errors_max: 1000, push_history_max: 1000 },
    channels: {
        '': { subscribe: 'token', history_size: 10, recovery: 'allowed' },
        long: { subscribe: 'anyone', history_size: 1000, recovery: 'always' },
        brief: { subscribe: 'anyone', history_size: 5, history_ttl_s: 1, history_meta_ttl_s: 1, recovery: 'always' },
        newest: { subscribe: 'anyone', history_size: 5, recovery: 'always', recovery_mode: 'cache' },
    },
});
let serial = 0;
const fresh = (namespace) => `${namespace}:${++serial}`;
const slowToken = (user, claims = {}) => mint({ sub: user, exp: now() + 600, ...claims }, pair.privateKey, { alg: 'RS256' });

/* The outcome of a subscribe command on a connection of its own. */
async function outcome(push, params) {
    const wire = await push.connected({});
    const { subscribe, error } = await wire.ask('subscribe', params);
    wire.terminate();
    return subscribe ?? error;
}

/* A masked text message. */
function textFrame(text) {
    const body = Buffer.from(text);
    const length = body.length < 126 ? [0x80 | body.length] : [0xfe, body.length >> 8, body.length & 255];
    return Buffer.concat([Buffer.from([0x81, ...length, 0, 0, 0, 0]), body]);
}

/* A peer that says its part and takes nothing from then on, as one whose network is gone. */
async function vanishing(port, ...commands) {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET /connection/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    await new Promise((resolve) => { socket.once('data', resolve); });
    socket.pause();
    socket.write(textFrame(commands.map((one) => JSON.stringify(one)).join('\n')));
    return socket;
}

test('who vanished has left by the end of ping and pong', () => withPush({ settings: { push_ping_s: 2, push_pong_s: 1 } }, async (push) => {
    const anna = await push.client({ user: 'anna' }).ready();
    const room = await anna.sub('always:room').ready();
    const socket = await vanishing(push.port, { id: 1, connect: { token: push.token('ghost') } }, { id: 2, subscribe: { channel: 'always:room' } });
    await room.next((event) => event.type === 'join' && event.info.user === 'ghost');
    const from = Date.now();
    await room.next((event) => event.type === 'leave' && event.info.user === 'ghost');
    assert.ok(Date.now() - from < 4500, `${Date.now() - from} ms`);
    socket.destroy();
}));

test('a stream that misses its pong is told so before it ends', () => withPush({ settings: { push_ping_s: 2, push_pong_s: 1 } }, async (push) => {
    const answer = await request(push.port, 'POST', '/connection/http_stream', { body: { id: 1, connect: {} } });
    const lines = answer.text.trim().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(lines.slice(1), [{}, { push: { disconnect: { code: 3012, reason: 'no pong' } } }]);
}));

for (const transport of TRANSPORTS)
    test(`recover_since: what was missed follows the subscription, by ${transport}`, async () => {
        const push = await started;
        const channel = fresh('always');
        const user = `user${++serial}`;
        const anna = await push.client({ user, transport }).ready();
        const [first] = [await push.publish(channel, 1), await push.publish(channel, 2), await push.publish(channel, 3)];
        await push.ok('subscribe', { user, channel, recover_since: { offset: first.offset, epoch: first.epoch } });
        const hello = await anna.next({ type: 'subscribed', channel });
        assert.deepEqual(hello.streamPosition, { epoch: first.epoch, offset: 1 });
        await push.publish(channel, 4);
        await anna.count('publication', 3);
        assert.deepEqual(anna.all('publication').map(({ data, offset }) => [data, offset]), [[2, 2], [3, 3], [4, 4]]);
    });

test('commands wait for a verification, in their order', async () => {
    const push = await started;
    for (const round of numbers(8)) {
        const user = `user${++serial}`;
        const channels = [fresh('open'), fresh('open'), '$behind'];
        const pass = slowToken(user, { channel: channels[2] });
        const wire = push.wire();
        await wire.send({ id: 1, connect: { token: slowToken(user) } },
            { id: 2, subscribe: { channel: channels[0], flag: 1 } }, { id: 3, publish: { channel: channels[0], data: round } },
            { id: 4, subscribe: { channel: channels[2], token: pass } }, { id: 5, subscribe: { channel: channels[2], token: pass } });
        await wire.send({ id: 6, unsubscribe: { channel: channels[2] } }, { id: 7, subscribe: { channel: channels[2], token: pass } },
            { id: 8, subscribe: { channel: channels[1] } }, { id: 9, unsubscribe: { channel: channels[1] } });
        await wire.reply(9);
        assert.deepEqual(wire.lines.map((line) => line.id).filter(Boolean), numbers(9));
        assert.ok(wire.lines.findIndex((line) => line.push?.pub) > wire.lines.findIndex((line) => line.id === 2));
        assert.deepEqual(wire.lines.filter((line) => line.error).map((line) => [line.id, line.error.code]), [[5, 105]]);
        wire.terminate();
    }
});

test('who is gone before his verification ends leaves nothing behind', async () => {
    const push = await started;
    for (const one of numbers(20)) {
        const wire = push.wire();
        await wire.send({ id: 1, connect: { token: slowToken('hasty') } }, { id: 2, subscribe: { channel: 'always:hasty' } });
        if (one % 2)
            await new Promise(setImmediate);
        wire.terminate();
    }
    await until('nobody', async () => (await push.ok('presence_stats', { channel: 'always:hasty' })).num_clients === 0);
});

test('an epoch ends with what is known of its stream', async () => {
    const push = await started;
    const channel = fresh('brief');
    const old = await push.publish(channel, 1);
    await until('a new epoch', async () => (await outcome(push, { channel })).epoch !== old.epoch);
    const begun = await push.publish(channel, 2);
    assert.equal(begun.offset, 1);
    assert.notEqual(begun.epoch, old.epoch);
    const back = await outcome(push, { channel, recover: true, epoch: old.epoch, offset: old.offset });
    assert.equal(back.recovered, undefined, 'the same offset of another epoch is another publication');
    assert.equal(back.was_recovering, true);
});

test('only the newest, unless the client has it', async () => {
    const push = await started;
    const channel = fresh('newest');
    for (const n of numbers(8))
        await push.publish(channel, n);
    const { epoch } = await outcome(push, { channel });
    for (const [position, offsets] of [[{ epoch, offset: 2 }, [8]], [{ epoch, offset: 8 }, []], [{}, [8]], [{ epoch: 'another', offset: 8 }, [8]]]) {
        const result = await outcome(push, { channel, recover: true, ...position });
        assert.deepEqual([result.recovered, (result.publications ?? []).map((one) => one.offset)], [true, offsets], JSON.stringify(position));
    }
});

/* Reads on from position for a moment; every offset has to follow the one before. Where it got to. */
async function visit(push, channel, position, byServer) {
    const wire = push.wire();
    const recover = position && { recover: true, ...position };
    await (byServer
        ? wire.send({ id: 1, connect: { token: push.token('reader', { channels: [channel] }), subs: recover ? { [channel]: recover } : {} } })
        : wire.send({ id: 1, connect: {} }, { id: 2, subscribe: { channel, ...recover } }));
    await until('some publications', () => wire.pushes('pub').length >= 5);
    wire.terminate();
    const result = byServer ? wire.lines[0].connect.subs[channel] : wire.lines[1].subscribe;
    if (position) {
        assert.equal(result.recovered, true, JSON.stringify(result));
        assert.equal(result.offset ?? 0, position.offset);
    }
    let offset = result.offset ?? 0;
    for (const one of [...(result.publications ?? []), ...wire.pushes('pub').map((one) => one.pub)])
        assert.equal(one.offset, ++offset);
    return { epoch: result.epoch, offset };
}

test('many who come and go while much is published: no gap, nothing twice, in order', async () => {
    const push = await started;
    const channel = fresh('long');
    let going = true;
    const publishing = (async () => {
        for (let n = 1; going; n += 3) {
            const commands = numbers(3, n).map((data) => ({ publish: { channel, data } }));
            await push.ok('batch', { commands, parallel: n % 2 === 0 });
        }
    })();
    const readers = numbers(8).map(async (reader) => {
        let position;
        for (const _ of numbers(12))
            position = await visit(push, channel, position, reader % 3 === 0);
    });
    await Promise.all(readers).finally(() => { going = false; });
    await publishing;
});

test('subscribed and unsubscribed again and again: pushes only in between, without holes', async () => {
    const push = await started;
    const channels = numbers(30).map(() => fresh('always'));
    const wire = await push.connected({});
    let going = true;
    const publishing = (async () => {
        for (let data = 1; going; data++)
            await push.ok('broadcast', { channels, data });
    })();
    for (const round of numbers(8)) {
        await wire.send(...channels.map((channel, i) => ({ id: 1000 * round + i, subscribe: { channel } })));
        await until('a push', () => wire.lines.slice(-1)[0].push);
        await wire.send(...channels.map((channel, i) => ({ id: 1000 * round + 500 + i, unsubscribe: { channel } })));
        await wire.reply(1000 * round + 500 + channels.length - 1);
    }
    going = false;
    await publishing;
    const at = new Map();
    for (const { id, subscribe, unsubscribe, push: pushed } of wire.lines.slice(1)) {
        if (subscribe)
            at.set(channels[id % 500], subscribe.offset ?? 0);
        else if (unsubscribe)
            at.delete(channels[id % 500]);
        else
            assert.ok(at.has(pushed.channel), `not subscribed: ${JSON.stringify(pushed)}`);
        if (pushed?.pub) {
            assert.equal(pushed.pub.offset, at.get(pushed.channel) + 1);
            at.set(pushed.channel, pushed.pub.offset);
        }
    }
});
