/* The push server killed under load: what was acknowledged with a durable history is there, once, in order.
 * SPDX-License-Identifier: MIT
 */
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from '../lib/instance.mjs';
import { TRANSPORTS, assert, numbers, run, until, withPush } from '../lib/push.mjs';
import { seeded } from '../lib/seeded.mjs';

const RECOVERABLE = { recoverable: true, positioned: true };
const durable = { subscribe: 'anyone', durable: true, history_size: 100000, history_ttl_s: 3600, recovery: 'always' };

const withDurable = ({ channels } = {}, body) => withPush({
    channels: { kept: durable, ...channels },
    settings: { push_history: '@DIR@/push.db', push_history_max: 100000, push_queue_bytes: 64 << 20 },
}, body);

/* Publishes numbers until told to stop; acked: offset -> number. What failed is not published again: it may be there
 * all the same. */
function publisher(push, channel, counter) {
    const acked = new Map();
    let running = true;
    const work = (async () => {
        while (running) {
            const n = ++counter.n;
            try {
                const { status, json } = await push.api('publish', { channel, data: n });
                if (status === 200 && json.result) {
                    assert.ok(!acked.has(json.result.offset), `offset ${json.result.offset} given twice`);
                    acked.set(json.result.offset, { n, epoch: json.result.epoch });
                }
            } catch (error) {
                if (error.code === 'ERR_ASSERTION')
                    throw error;
                await delay(5);     /* nobody is there: not a wait for anything */
            }
        }
    })();
    return { acked, stop: () => { running = false; return work; } };
}

test('kill -9 under publishing load, again and again, with subscribers that recover', async () => {
    const { pick } = seeded(Number(process.env.CONFAB_TEST_SEED || 4711));
    await withDurable({}, async (push) => {
        const channels = ['kept:a', 'kept:b', 'kept:c'];
        const subs = await Promise.all(channels.flatMap((channel, i) => TRANSPORTS.map(async (transport) => {
            const client = await push.client({ user: `${transport}${i}`, transport }).ready();
            return client.sub(channel, RECOVERABLE).ready();
        })));
        const counter = { n: 0 };
        const publishers = channels.flatMap((channel) => [publisher(push, channel, counter), publisher(push, channel, counter)]);
        for (let round = 0; round < 5; round++) {
            const before = publishers.map(({ acked }) => acked.size);
            const enough = 10 + pick(60);
            await until('publications', () => publishers.every(({ acked }, i) => acked.size >= before[i] + enough));
            await push.kill();
            await push.relay.start();
        }
        await until('a few more', () => publishers.every(({ acked }) => acked.size > 20));
        await Promise.all(publishers.map((one) => one.stop()));
        for (const [i, channel] of channels.entries()) {
            const { offset: top, epoch } = await push.publish(channel, 'the last');
            const acked = new Map([...publishers[2 * i].acked, ...publishers[2 * i + 1].acked]);
            assert.equal(acked.size, publishers[2 * i].acked.size + publishers[2 * i + 1].acked.size, 'no offset given twice');
            assert.deepEqual([...new Set([...acked.values()].map((one) => one.epoch))], [epoch], 'one epoch all along');
            for (const sub of subs.filter((one) => one.sdk.channel === channel)) {
                await sub.next((event) => event.type === 'publication' && event.offset === top, 30000);
                const heard = sub.all('publication');
                assert.deepEqual(heard.map((event) => event.offset), numbers(top), `${sub.whose}: each offset once, in order`);
                for (const [offset, { n }] of acked)
                    assert.equal(heard[offset - 1].data, n, `${sub.whose}: what was acknowledged`);
                assert.ok(sub.all('subscribed').slice(1).every((event) => event.recovered), `${sub.whose}: always recovered`);
            }
        }
    });
});

test('killed before the answer: nobody heard what a restart forgets', async () => {
    await withDurable({}, async (push) => {
        for (let round = 0; round < 5; round++) {
            const wire = await push.connected('anna');
            await wire.ask('subscribe', { channel: 'kept:x', recoverable: true });
            const calls = Promise.allSettled(numbers(50).map((n) => push.publish('kept:x', `${round} ${n}`)));
            await until('something heard', () => wire.pushes('pub').length > 3);
            await push.kill();
            const acked = (await calls).filter((one) => one.status === 'fulfilled').map((one) => one.value.offset);
            await until('the end of the wire', () => wire.closed);
            await push.relay.start();
            const { publications, offset } = await push.ok('history', { channel: 'kept:x', limit: -1 });
            const kept = new Map(publications.map((one) => [one.offset, one.data]));
            assert.deepEqual([...kept.keys()], numbers(offset));
            for (const { pub } of wire.pushes('pub'))
                assert.equal(kept.get(pub.offset), pub.data, 'what was heard is kept');
            for (const one of acked)
                assert.ok(kept.has(one), 'what was acknowledged is kept');
        }
    });
});

test('an orderly restart keeps windows, versions, and keys as long as promised', async () => {
    await withDurable({ channels: { brief: { ...durable, history_size: 3 } } }, async (push) => {
        const first = await push.publish('kept:x', 1, { idempotency_key: 'k', tags: { a: 'b' } });
        await push.publish('kept:x', 2, { version: 5 });
        for (const n of numbers(5))
            await push.publish('brief:x', n);
        await push.publish('open:x', 'not durable');
        const open = await push.ok('history', { channel: 'open:x' });
        await push.ok('history_remove', { channel: 'kept:y' });
        await push.relay.restart();
        const { publications, offset, epoch } = await push.ok('history', { channel: 'kept:x', limit: -1 });
        assert.deepEqual([publications.map((one) => [one.offset, one.data]), offset, epoch], [[[1, 1], [2, 2]], 2, first.epoch]);
        assert.deepEqual(publications[0].tags, { a: 'b' });
        assert.equal((await push.publish('kept:x', 3, { version: 5 })).offset, 2, 'an old version');
        const brief = await push.ok('history', { channel: 'brief:x', limit: -1 });
        assert.deepEqual([brief.publications.map((one) => one.data), brief.offset], [[3, 4, 5], 5]);
        assert.notEqual((await push.ok('history', { channel: 'open:x' })).epoch, open.epoch);
        assert.equal(statSync(path.join(push.dir, 'push.db')).mode & 0o077, 0, 'nobody else may read it');
    });
});

test('a damaged file of histories, and one that is locked', async () => {
    await withDurable({}, async (push) => {
        await push.publish('kept:x', 1);
        await push.relay.stop();
        const file = path.join(push.dir, 'push.db');
        for (const ending of ['-wal', '-shm'])
            await run('rm', ['-f', `${file}${ending}`]);
        writeFileSync(file, Buffer.alloc(20000, 0x5a));
        const failure = await push.relay.start().then(() => null, (error) => error);
        assert.match(failure.message, /ended with exit 1/);
        assert.match(push.relay.text(), /not a database|malformed|push\.db/);
        push.relay.complaints.length = 0;
        await run('rm', ['-f', file]);
        await push.relay.start();
        assert.equal((await push.publish('kept:x', 1)).offset, 1);
    });
});
