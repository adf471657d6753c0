/* The push server under load: readers who fall behind, limits at their bound, many connections, and the figures that
 * tell of it all.
 * SPDX-License-Identifier: MIT
 */
import { request } from '../lib/http.mjs';
import { test } from '../lib/instance.mjs';
import { KEY, assert, numbers, parseMetrics, until, withPush, within } from '../lib/push.mjs';

const shed = (reason) => `confab_push_shed_total{reason="${reason}"}`;
const RECOVERABLE = { recoverable: true, positioned: true };

/* Publishes n numbered, padded things in few calls. */
async function publishMany(push, channel, from, n, pad) {
    for (let next = from; next < from + n; next += 20) {
        const commands = numbers(Math.min(20, from + n - next), next).map((i) => ({ publish: { channel, data: { n: i, pad } } }));
        const { replies } = await push.ok('batch', { commands });
        assert.ok(replies.every((reply) => reply.publish), JSON.stringify(replies[0]));
    }
    return from + n;
}

test('slow = close: whoever does not read is ended, and delays nobody', async () => {
    await withPush({ settings: { push_queue_bytes: 200000, push_stall_ms: 600000 } }, async (push) => {
        const slow = await push.connected('slow');
        const quick = await push.connected('quick');
        for (const wire of [slow, quick])
            await wire.ask('subscribe', { channel: 'open:x' });
        slow.ws.pause();
        const pad = 'x'.repeat(60000);
        const closed = (figures) => figures['confab_connections_shed_total{reason="slow"}'] > 0;
        let next = 1;
        await until('the end of the slow one', async () => {
            next = await publishMany(push, 'open:x', next, 20, pad);
            return closed(await push.metrics());
        });
        await until('the quick one to have all', () => quick.pushes('pub').length === next - 1);
        assert.deepEqual(quick.pushes('pub').map(({ pub }) => pub.data.n), numbers(next - 1));
        slow.ws.resume();
        const { code } = await slow.ended();
        assert.ok([3008, 1006].includes(code), `${code}`);
        assert.equal(quick.closed, null);
    });
});

test('a peer that takes nothing at all is ended after push_stall_ms', async () => {
    await withPush({ settings: { push_queue_bytes: 100000000, push_stall_ms: 200 } }, async (push) => {
        const stuck = await push.connected('stuck');
        await stuck.ask('subscribe', { channel: 'open:x' });
        stuck.ws.pause();
        await until('its end', async () => {
            await publishMany(push, 'open:x', 1, 20, 'x'.repeat(60000));
            return (await push.metrics())['confab_connections_shed_total{reason="stalled"}'] > 0;
        });
    });
});

test('slow = latest: the newest when there is room again', async () => {
    await withPush({ channels: { ticker: { subscribe: 'anyone', slow: 'latest' } }, settings: { push_stall_ms: 600000, push_queue_bytes: 400000 } }, async (push) => {
        const slow = await push.connected('slow');
        await slow.ask('subscribe', { channel: 'ticker:x' });
        slow.ws.pause();
        let next = 1;
        await until('something to be left out', async () => {
            next = await publishMany(push, 'ticker:x', next, 20, 'x'.repeat(60000));
            return (await push.metrics())[shed('latest')] > 20;
        });
        slow.ws.resume();
        await slow.find((line) => line.push?.pub?.data.n === next - 1);
        const heard = slow.pushes('pub').map(({ pub }) => pub.data.n);
        assert.ok(heard.length < next - 1, `${heard.length} of ${next - 1}`);
        assert.deepEqual(heard, [...heard].sort((a, b) => a - b), 'in order');
        await push.publish('ticker:x', { n: 'after' });
        await slow.find((line) => line.push?.pub?.data.n === 'after');
        assert.equal(slow.closed, null);
    });
});

test('slow = recover: unsubscribed with 2500 or closed with 3010, back, and nothing is missing', async () => {
    await withPush({
        channels: { steady: { subscribe: 'anyone', slow: 'recover', history_size: 1000, recovery: 'always' } },
        settings: { push_stall_ms: 600000, push_history_max: 1000, push_queue_bytes: 8000000 },
    }, async (push) => {
        const client = await push.client({ user: 'slow' }).ready();
        const served = await push.client({ token: push.token('served', { channels: ['steady:x'] }) }).ready();
        const sub = await client.sub('steady:x', RECOVERABLE).ready();
        client.socket.pause();
        served.socket.pause();
        let next = 1;
        await until('something to be left out', async () => {
            next = await publishMany(push, 'steady:x', next, 20, 'x'.repeat(60000));
            return (await push.metrics())[shed('recover')] > 30;
        });
        client.socket.resume();
        served.socket.resume();
        await sub.next({ type: 'subscribing', code: 2500 });
        assert.equal((await sub.next('subscribed')).recovered, true);
        const again = await served.next((event) => event.type === 'connecting' && event.code >= 1000);
        assert.equal(again.code, 3010);
        for (const [one, what] of [[sub, 'subscription'], [served, 'connection']]) {
            await one.next((event) => event.type === 'publication' && event.data.n === next - 1);
            assert.deepEqual(one.all('publication').map((event) => event.offset), numbers(next - 1), what);
        }
        assert.equal(client.all('connected').length, 1);
    });
});

test('coalescing: together, in order, all', async () => {
    await withPush({ channels: { bundle: { subscribe: 'anyone', coalesce_ms: 150, history_size: 100, recovery: 'allowed' } } }, async (push) => {
        const wire = await push.connected('anna');
        let reads = 0;
        await wire.ask('subscribe', { channel: 'bundle:x', positioned: true });
        wire.ws._socket.on('data', () => reads++);
        await publishMany(push, 'bundle:x', 1, 20, '');
        await until('all', () => wire.pushes('pub').length === 20);
        assert.deepEqual(wire.pushes('pub').map(({ pub }) => pub.offset), numbers(20));
        assert.ok(reads <= 2, `${reads} reads`);
    });
});

test('a full memory refuses publications and newcomers, and keeps who is there', async () => {
    await withPush({ settings: { push_memory_max: 1048576 }, channels: { heap: { subscribe: 'anyone', history_size: 1000 } } }, async (push) => {
        const wire = await push.connected('there');
        await wire.ask('subscribe', { channel: 'plain:x' });
        let code = 0;
        for (let i = 0; i < 100 && !code; i++)
            code = (await push.api('publish', { channel: `heap:${i % 5}`, data: 'x'.repeat(60000) })).json.error?.code;
        assert.equal(code, 111);
        assert.ok((await push.metrics()).confab_push_memory_bytes <= 1048576 * 1.2);
        assert.ok((await push.metrics()).confab_push_history_refused_total > 0);
        for (let i = 0; i < 5; i++)
            await push.ok('history_remove', { channel: `heap:${i}` });
        await push.publish('plain:x', 'room again');
        await wire.find((line) => line.push?.pub?.data === 'room again');
    });
});

test('bounds that settings give reach what they bound', async () => {
    await withPush({
        settings: { push_queue_frames: 20, push_queue_bytes: 1 << 30, push_stall_ms: 600000, push_idempotency_s: 1, push_history: '@DIR@/push.db', push_history_queue: 5 },
        channels: { kept: { subscribe: 'anyone', history_size: 100, durable: true } },
    }, async (push) => {
        const slow = await push.connected('slow');
        await slow.ask('subscribe', { channel: 'open:x' });
        slow.ws.pause();
        await until('too many frames', async () => {
            await publishMany(push, 'open:x', 1, 20, 'x'.repeat(60000));
            return (await push.metrics())['confab_connections_shed_total{reason="slow"}'] > 0;
        });
        const once = async () => (await push.ok('publish', { channel: 'kept:key', data: 1, idempotency_key: 'k' })).offset;
        const first = await once();
        assert.equal(await once(), first);
        await until('the key to be forgotten', async () => await once() > first);
        const commands = numbers(50).map((data) => ({ publish: { channel: 'kept:many', data } }));
        const { replies } = await push.ok('batch', { commands, parallel: true });
        assert.equal(replies.filter((reply) => reply.publish).length, 5);
        assert.ok(replies.slice(5).every((reply) => reply.error.code === 111));
    });
});

test('more connects a second than allowed are told to come again', async () => {
    await withPush({ settings: { push_connects_per_s: 20 } }, async (push) => {
        const wires = numbers(80).map(() => push.wire());
        await Promise.all(wires.map((wire) => wire.opened));
        const refused = wires.filter((wire) => wire.refused);
        assert.ok(refused.length >= 20 && refused.length < 80, `${refused.length}`);
        for (const { refused: { status, headers } } of refused) {
            assert.equal(status, 503);
            assert.ok(Number(headers['retry-after']) > 0);
        }
        assert.ok((await push.metrics())[shed('admission')] >= refused.length);
        /* and libraries do come again */
        const clients = numbers(40).map((n) => push.client({ user: `u${n}`, transport: ['websocket', 'http_stream', 'sse'][n % 3] }).start());
        await Promise.all(clients.map((client) => client.next('connected')));
    });
});

test('metrics say what happened', async () => {
    await withPush({ api: 'own' }, async (push) => {
        assert.equal((await request(push.apiPort, 'GET', '/metrics')).status, 401);
        const answer = await request(push.apiPort, 'GET', '/metrics', { headers: { Authorization: `apikey ${KEY}` } });
        assert.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/);
        const before = parseMetrics(answer.text);
        const wires = [await push.connected('a'), await push.connected('a'), await push.connected('b')];
        const stream = await push.client({ user: 'c', transport: 'sse' }).ready();
        for (const wire of wires)
            await wire.ask('subscribe', { channel: 'open:m', recoverable: true });
        for (const n of numbers(7))
            await push.publish('open:m', n);
        await until('all of them', () => wires.every((wire) => wire.pushes('pub').length === 7));
        await wires[0].ask('unsubscribe', { channel: 'open:m' });
        await wires[0].ask('subscribe', { channel: 'open:m', recover: true, recoverable: true, offset: 3 });
        await wires[0].ask('unsubscribe', { channel: 'open:m' });
        await wires[0].ask('subscribe', { channel: 'open:m', recover: true, recoverable: true, offset: 99 });
        await push.code('publish', {});
        wires[2].terminate();
        await push.metric('confab_push_clients', (n) => n === 3);
        const after = await push.metrics();
        const grown = (name) => after[name] - before[name];
        assert.equal(grown('confab_push_connects_total'), 4);
        assert.equal(grown('confab_push_publications_total'), 7);
        assert.equal(grown('confab_push_deliveries_total'), 21);
        assert.equal(grown('confab_push_subscribes_total'), 5);
        assert.equal(grown('confab_push_recoveries_total{result="recovered"}'), 1);
        assert.equal(grown('confab_push_recoveries_total{result="failed"}'), 1);
        assert.equal(grown('confab_push_refused_total{by="api"}'), 1);
        assert.equal(grown('confab_push_latency_seconds_count'), 7);
        assert.deepEqual([after.confab_push_users, after.confab_push_channels, after.confab_push_subscriptions], [2, 1, 2]);
        assert.equal(after['confab_connections_opened_total{kind="websocket"}'], 3);
        assert.equal(after['confab_connections_opened_total{kind="stream"}'], 1);
        assert.ok(after.confab_loop_turn_seconds_count > 0);
        stream.stop();
        for (const wire of wires)
            wire.terminate();
        await push.metric('confab_push_clients', (n) => n === 0);
        await push.metric('confab_push_queued_bytes', (n) => n === 0);
    });
});

test('two thousand connections, hot channels, slow readers: no reordering, no gap', async () => {
    const CONNECTIONS = 2000;
    const CHANNELS = 10;
    const EACH = 30;
    const SLOW = 6;
    await withPush({
        channels: { hot: { subscribe: 'anyone', slow: 'recover', history_size: 2000, recovery: 'always' } },
        settings: { push_ping_s: 3600, push_history_max: 2000, push_connects_per_s: 100000, push_queue_bytes: 4000000, push_stall_ms: 600000 },
    }, async (push) => {
        const channels = numbers(CHANNELS).map((n) => `hot:${n}`);
        const wrong = [];
        let heard = 0;
        const join = async (i) => {
            const wire = push.wire();
            const offsets = {};
            wire.ws.removeAllListeners('message');
            wire.ws.on('message', (data) => {
                for (const line of data.toString().split('\n')) {
                    const { id, push: { channel, pub } = {} } = JSON.parse(line);
                    if (id)
                        wire.lines.push({ id });
                    if (!pub)
                        continue;
                    if (pub.offset !== (offsets[channel] ?? 0) + 1)
                        wrong.push(`${i} ${channel} ${offsets[channel]} ${pub.offset}`);
                    offsets[channel] = pub.offset;
                    heard++;
                }
            });
            await wire.send({ id: 1, connect: {} }, { id: 2, subscribe: { channel: channels[i % CHANNELS] } }, { id: 3, subscribe: { channel: channels[(i * 7 + 3) % CHANNELS] } });
            await wire.reply(3);
        };
        for (let i = 0; i < CONNECTIONS; i += 250)
            await Promise.all(numbers(250, i).map(join));
        const two = numbers(CONNECTIONS, 0).reduce((sum, i) => sum + (i % CHANNELS === (i * 7 + 3) % CHANNELS ? 1 : 2), 0);
        const slow = await Promise.all(numbers(SLOW).map((n) => push.client({ user: `slow${n}` }).ready()));
        const subs = await Promise.all(slow.map((client) => client.sub('hot:large', RECOVERABLE).ready()));
        await Promise.all(slow.map((client) => client.sub(channels[0], RECOVERABLE).ready()));
        for (const client of slow)
            client.socket.pause();
        const pad = 'x'.repeat(60000);
        const large = EACH * 3;
        await Promise.all([
            ...channels.map(async (channel) => {
                for (const n of numbers(EACH))
                    await push.publish(channel, n);
            }),
            publishMany(push, 'hot:large', 1, large, pad),
        ]);
        for (const client of slow)
            client.socket.resume();
        await until('all deliveries', () => heard >= two * EACH, 60000).catch((error) => { throw new Error(`${error.message}: ${heard} of ${two * EACH}`); });
        assert.deepEqual(wrong.slice(0, 10), []);
        assert.equal(heard, two * EACH);
        for (const sub of subs) {
            await sub.next((event) => event.type === 'publication' && event.offset === large, 60000);
            assert.deepEqual(sub.all('publication').map((event) => event.offset), numbers(large));
        }
        assert.equal((await push.metrics()).confab_push_clients, CONNECTIONS + SLOW);
    });
});
