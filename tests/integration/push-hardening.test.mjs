/* What a push server must bear, whoever does it: readers who take almost nothing, short commands with long answers,
 * everybody coming and going at once. Afterwards nothing is left of them.
 * SPDX-License-Identifier: MIT
 */
import net from 'node:net';
import { test } from '../lib/instance.mjs';
import { KEY, assert, numbers, until, withPush, within } from '../lib/push.mjs';

const MIB = 1 << 20;

const upgrade = (more = '') => `GET /connection/websocket HTTP/1.1\r\nHost: www.example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`;

/* A client's frame, masked with zeros. */
function frame(text) {
    const payload = Buffer.from(text);
    const head = payload.length < 126 ? [0x81, 0x80 | payload.length] : [0x81, 0xfe, payload.length >> 8, payload.length & 255];
    return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}

/* A socket that reads only when it is told to. */
class Peer {
    over = false;

    constructor(push) {
        this.socket = net.connect(push.port, '127.0.0.1');
        this.socket.pause();
        this.socket.on('error', () => {});
        this.socket.on('close', () => { this.over = true; });
    }

    say(...what) {
        for (const one of what)
            this.socket.write(one);
        return this;
    }
}

/* What is counted of those who are there. */
const gauges = ['connections', 'owed_bytes', 'push_clients', 'push_users', 'push_channels', 'push_subscriptions'];

async function nothingIsLeft(push) {
    for (const name of gauges)
        await push.metric(`confab_${name}`, (n) => n === 0);
}

test('copies for slow sockets are within push_memory_max', () => withPush({
    settings: { push_memory_max: 64 * MIB, push_stall_ms: 600000, relay_handshake_s: 300, push_bytes_per_s: 100 * MIB },
    channels: { long: { subscribe: 'anyone', history: 'anyone', history_size: 100 } },
}, async (push) => {
    const bystander = await push.connected('bystander');
    await bystander.ask('subscribe', { channel: 'long:quiet' });
    for (const n of numbers(100))
        await push.publish('long:a', `${n}`.padEnd(60000, 'x'));
    /* each is given 12 MB, of which its socket takes a part: twenty are far above the bound */
    const peers = numbers(20).map(() => new Peer(push).say(upgrade(), frame('{"id":1,"connect":{}}'),
        frame('{"id":2,"history":{"channel":"long:a","limit":-1}}\n{"id":3,"history":{"channel":"long:a","limit":-1}}')));
    await push.metric('confab_push_shed_total{reason="memory"}');
    await push.publish('long:quiet', 'still there');
    await bystander.find((line) => line.push?.pub?.data === 'still there');
    await push.metric('confab_owed_bytes');
    const figures = await push.metrics();
    assert.ok(figures.confab_push_memory_bytes < 64 * MIB, `${figures.confab_push_memory_bytes}`);
    assert.ok(figures.confab_push_memory_bytes > figures.confab_owed_bytes);
    assert.equal(bystander.closed, null);
    for (const peer of peers)
        peer.socket.destroy();
    bystander.terminate();
    await nothingIsLeft(push);
}));

test('long answers are given now and then', () => withPush({
    settings: { push_bytes_per_s: 20000, push_errors_max: 100000, push_commands_per_s: 100000 },
}, async (push) => {
    for (const n of numbers(20))
        await push.publish('open:a', `${n}`.padEnd(2000, 'x'));
    const wire = await push.connected('greedy');
    const codes = [];
    const ask = async () => codes.push((await wire.ask('history', { channel: 'open:a', limit: -1 })).error?.code ?? 0);
    await until('a refusal', async () => { await ask(); return codes.at(-1) === 111; });
    await until('another second', async () => { await ask(); return codes.at(-1) === 0; });
    assert.equal(codes[0], 0);
    assert.equal(wire.closed, null);
}));

test('what is said to several channels is heard in that order', () => withPush({}, async (push) => {
    const wire = await push.connected('anna');
    const channels = numbers(10).map((n) => `plain:${n}`);
    for (const channel of channels)
        await wire.ask('subscribe', { channel });
    for (const order of [channels, [...channels].reverse()]) {
        const before = wire.pushes('pub').length;
        await push.ok('batch', { commands: order.map((channel) => ({ publish: { channel, data: 1 } })) });
        await until('all of them', () => wire.pushes('pub').length === before + order.length);
        assert.deepEqual(wire.pushes('pub').slice(before).map((one) => one.channel), order);
    }
}));

test('pages are known by scheme, host and port', () => withPush({}, async (push) => {
    for (const [origin, status] of [['http://www.example.org', 101], ['https://www.example.org', 101], ['app://www.example.org', 403],
        ['ftp://www.example.org', 403], ['http://www.example.org:81', 403], ['http://www.example.org@example.com', 403], ['null', 403]]) {
        const peer = new Peer(push).say(upgrade(`Origin: ${origin}\r\n`));
        const head = await within(`an answer to ${origin}`, new Promise((resolve) => { peer.socket.once('data', resolve).resume(); }));
        assert.equal(head.toString('latin1').slice(0, 12), `HTTP/1.1 ${status}`, origin);
        peer.socket.destroy();
    }
}));

/* Numbers from a seed, so that a failure can be had again. */
function dice(seed) {
    let state = seed;
    return (n) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor(state / 2 ** 32 * n);
    };
}

test('everybody comes and goes at once, and nothing is left', () => withPush({
    settings: { push_clients_per_user: 4, push_clients_per_address: 200, push_stale_s: 1, push_errors_max: 1000, push_ping_s: 2, push_pong_s: 1,
                push_queue_bytes: 50000, push_stall_ms: 300 },
    channels: {
        crowd: { subscribe: 'anyone', publish: 'anyone', history: 'anyone', presence: true, presence_for: 'anyone', join_leave: 'always',
                 history_size: 20, recovery: 'allowed' },
        newest: { subscribe: 'anyone', publish: 'anyone', history_size: 5, recovery: 'allowed', delta: true, slow: 'latest', coalesce_ms: 5 },
        missed: { subscribe: 'anyone', publish: 'anyone', history_size: 5, recovery: 'allowed', slow: 'recover', subscribers_max: 10 },
    },
}, async (push) => {
    const seed = Date.now() % 2 ** 32;
    const roll = dice(seed);
    const one = (...list) => list[roll(list.length)];
    const channel = () => `${one('crowd', 'newest', 'missed')}:${roll(5)}`;
    const user = () => `user${roll(20)}`;
    const token = () => one(push.token(user()), push.token(user(), { channels: [channel(), channel()] }), push.token(user(), { channels: ['nowhere:1'] }),
        push.token(user(), { exp: 1 }), 'nonsense', push.pass(user(), 'crowd:1'));
    const line = (id) => JSON.stringify(one(
        { id, subscribe: { channel: channel(), recover: true, offset: roll(30), delta: one('fossil', undefined), join_leave: true } },
        { id, unsubscribe: { channel: channel() } }, { id, publish: { channel: channel(), data: 'x'.repeat(roll(3000)) } },
        { id, history: { channel: channel(), limit: -1 } }, { id, presence: { channel: channel() } }, {}));
    const lines = (from, n) => numbers(n, from).map(line).join('\n');
    const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, roll(ms)); });

    async function socket() {
        const peer = new Peer(push).say(one(upgrade(), upgrade(), upgrade(), upgrade().slice(0, 50)),
            frame(`{"id":1,"connect":{"token":"${token()}"}}\n${lines(2, 1 + roll(5))}`));
        if (roll(3))
            peer.socket.resume();
        for (let i = 0; i < 10 && !peer.over; i++) {
            peer.say(frame(lines(10 + i * 5, 1 + roll(3))));
            await pause(15);
        }
        peer.socket.destroy();
    }

    async function stream() {
        const body = JSON.stringify({ id: 1, connect: { token: token() } });
        const peer = new Peer(push).say(`POST /connection/${one('http_stream', 'sse', 'uni_sse')} HTTP/1.${roll(2)}\r\nHost: x\r\n`
            + `Content-Length: ${body.length + one(0, 0, 0, 9)}\r\n\r\n${body}`);
        let heard = '';
        peer.socket.on('data', (data) => { heard += data; });
        await pause(100);
        const [, session, node] = /"session":"([^"]+)","node":"([^"]+)"/.exec(heard) ?? [];
        if (session) {
            const up = JSON.stringify({ session, node, data: lines(2, 3) });
            const other = new Peer(push).say(`POST /emulation HTTP/1.1\r\nHost: x\r\nContent-Length: ${up.length}\r\n\r\n${up}`);
            await pause(50);
            other.socket.destroy();
        }
        peer.socket.destroy();
    }

    async function server() {
        await one(() => push.api('publish', { channel: channel(), data: 'y'.repeat(roll(5000)) }),
            () => push.api('subscribe', { user: user(), channel: channel() }), () => push.api('unsubscribe', { user: user(), channel: channel() }),
            () => push.api('disconnect', { user: user() }), () => push.api('refresh', { user: user(), expire_at: one(1, 2 ** 40) }),
            () => push.api('history_remove', { channel: channel() }))();
    }

    const tail = () => new Peer(push).say(`GET /admin/tail?channel=${channel()} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${KEY}\r\n\r\n`);
    const watching = [tail(), tail(), tail()];
    const again = (what, times) => async () => {
        for (let i = 0; i < times; i++)
            await what();
    };
    const doing = [...numbers(20).map(() => again(socket, 5)), ...numbers(8).map(() => again(stream, 5)), again(server, 200),
        async () => { for (const size of [10, 20, 5]) { await pause(300); await push.reload({}, { crowd: { ...push.channels.crowd, history_size: size } }); } }];
    try {
        await Promise.all(doing.map((act) => act()));
        for (const peer of watching)
            peer.socket.destroy();
        await nothingIsLeft(push);
        /* nor is anybody counted for his address who is gone */
        const wires = numbers(198).map(() => push.wire());
        assert.deepEqual(new Set(await Promise.all(wires.map((wire) => wire.opened))), new Set([true]));
    } catch (error) {
        error.message = `seed ${seed}: ${error.message}`;
        throw error;
    }
}));
