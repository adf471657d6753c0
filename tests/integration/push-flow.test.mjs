/* The push server as an application's client sees it: connect, subscribe, publish, recover, refresh, end. Each over
 * every transport of the client library.
 * SPDX-License-Identifier: MIT
 */
import { test } from '../lib/instance.mjs';
import { TRANSPORTS, assert, now, numbers, pushServer, until } from '../lib/push.mjs';

const started = pushServer({
    lighttpd: true,
    settings: { push_history_max: 12, push_expiry_grace_s: 1 },
    channels: {
        small: { subscribe: 'anyone', history_size: 5, recovery: 'allowed' },
        large: { subscribe: 'anyone', history_size: 50, recovery: 'allowed' },
        newest: { subscribe: 'anyone', history_size: 5, recovery: 'always', recovery_mode: 'cache' },
        delta: { subscribe: 'anyone', history_size: 20, recovery: 'allowed', delta: true },
        secret: { subscribe: 'token', join_leave: 'allowed' },
        user: { user_limited: true },
    },
});

const RECOVERABLE = { recoverable: true, positioned: true };
let serial = 0;
const fresh = (namespace) => `${namespace}:${++serial}`;

/* Publishes numbers one after the other. */
async function publishAll(push, channel, list) {
    for (const n of list)
        await push.publish(channel, n);
}

for (const transport of TRANSPORTS) {
    const by = (name, body) => test(`${transport}: ${name}`, body);

    for (const via of ['relay', 'lighttpd'])
        by(`connect and first subscribes together, ${via}`, async () => {
            const push = await started;
            const client = push.client({ user: 'anna', transport, via });
            const subs = [fresh('open'), fresh('open'), fresh('plain')].map((channel) => client.sub(channel).start());
            await client.ready();
            assert.match(client.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
            for (const sub of subs) {
                await sub.next('subscribed');
                await push.publish(sub.sdk.channel, { text: 'zwölf Boxkämpfer 🥊', nested: [1, { a: null }] });
                const { data } = await sub.next('publication');
                assert.deepEqual(data, { text: 'zwölf Boxkämpfer 🥊', nested: [1, { a: null }] });
            }
            client.stop();
            await client.next('disconnected');
        });

    by('joins, leaves and publications in order, with who did it', async () => {
        const push = await started;
        const channel = fresh('always');
        const anna = await push.client({ user: 'anna', transport, token: push.token('anna', { info: { name: 'Anna' } }) }).ready();
        const heard = await anna.sub(channel).ready();
        const own = await heard.next('join');
        assert.deepEqual(own.info, { user: 'anna', client: anna.id, connInfo: { name: 'Anna' } });
        const ben = await push.client({ user: 'ben', transport }).ready();
        const bens = await ben.sub(channel).ready();
        assert.equal((await heard.next('join')).info.client, ben.id);
        bens.sdk.unsubscribe();
        assert.equal((await heard.next('leave')).info.client, ben.id);
        await ben.sub(fresh('open')).ready();
        bens.start();
        await heard.next('join');
        ben.stop();
        const { info } = await heard.next('leave');
        assert.deepEqual({ user: info.user, client: info.client }, { user: 'ben', client: ben.id });
    });

    by('publish, presence, numbers, history; rpc is not available', async () => {
        const push = await started;
        const channel = fresh('open');
        const anna = await push.client({ user: 'anna', transport }).ready();
        const sub = await anna.sub(channel).ready();
        for (const n of numbers(4))
            await sub.sdk.publish({ n });
        const last = (await sub.count('publication', 4)).at(-1);
        assert.deepEqual({ user: last.info.user, client: last.info.client, offset: last.offset, data: last.data },
            { user: 'anna', client: anna.id, offset: 4, data: { n: 4 } });
        assert.deepEqual(sub.heard, numbers(4).map((n) => ({ n })));
        const presence = await sub.sdk.presence();
        assert.deepEqual(Object.keys(presence.clients), [anna.id]);
        assert.equal(presence.clients[anna.id].user, 'anna');
        assert.deepEqual(await sub.sdk.presenceStats(), { numClients: 1, numUsers: 1 });
        const history = await sub.sdk.history({ limit: 2, reverse: true });
        assert.deepEqual(history.publications.map((one) => one.offset), [4, 3]);
        assert.equal(history.offset, 4);
        const later = await sub.sdk.history({ limit: -1, since: { offset: 1, epoch: history.epoch } });
        assert.deepEqual(later.publications.map((one) => one.data.n), [2, 3, 4]);
        assert.deepEqual((await sub.sdk.history({ limit: 0 })).publications, []);
        await assert.rejects(sub.sdk.history({ limit: 1, since: { offset: 1, epoch: 'other' } }), { code: 112 });
        await assert.rejects(anna.sdk.rpc('anything', {}), { code: 108 });
        const closed = await anna.sub(fresh('plain')).ready();
        await assert.rejects(closed.sdk.publish({}), { code: 103 });
        await assert.rejects(closed.sdk.presence(), (error) => [103, 108].includes(error.code));
        await assert.rejects(closed.sdk.history({ limit: 1 }), (error) => [103, 108].includes(error.code));
    });

    by('a refused subscription is final, an expired token is asked for anew', async () => {
        const push = await started;
        const anna = await push.client({ user: 'anna', transport }).ready();
        const refusedSub = anna.sub(fresh('secret')).start();
        assert.equal((await refusedSub.next('unsubscribed')).code, 103);
        const nowhere = anna.sub('nowhere:x').start();
        assert.equal((await nowhere.next('unsubscribed')).code, 102);
        const channel = fresh('secret');
        let asked = 0;
        const sub = await anna.sub(channel, {
            token: push.pass('anna', channel, { exp: now() - 10 }),
            getToken: async () => (asked++, push.pass('anna', channel, { info: { seat: 4 } })),
        }).ready();
        assert.equal(asked, 1);
        assert.equal(sub.all('error')[0].error.code, 109);
        await push.publish(channel, 'in');
        assert.equal((await sub.next('publication')).data, 'in');
    });

    by('unsubscribed by the server: for good', async () => {
        const push = await started;
        const channel = fresh('open');
        const anna = await push.client({ user: 'anna', transport }).ready();
        const sub = await anna.sub(channel).ready();
        await push.ok('unsubscribe', { user: 'anna', channel });
        const { code, reason } = await sub.next('unsubscribed');
        assert.deepEqual({ code, reason }, { code: 2000, reason: 'server unsubscribe' });
        assert.deepEqual(await push.ok('presence', { channel }), { presence: {} });
    });

    by('closes by which a client comes back, and final ones', async () => {
        const push = await started;
        for (const code of [3001, 3008, 3013, 4001, 4499]) {
            const user = fresh('returning');
            const client = await push.client({ user, transport }).ready();
            const sub = await client.sub(fresh('open')).ready();
            await push.ok('disconnect', { user, disconnect: { code, reason: 'come again' } });
            await sub.upTo({ type: 'subscribing' });
            await client.next('connecting');
            await client.next('connected');
            await sub.next('subscribed');
            const again = client.all('connecting').at(-1);
            assert.deepEqual({ code: again.code, reason: again.reason }, { code, reason: 'come again' });
            client.stop();
        }
        for (const code of [3500, 3503, 3509, 4500, 4999]) {
            const user = fresh('leaving');
            const client = await push.client({ user, transport }).ready();
            await push.ok('disconnect', { user, disconnect: { code, reason: '' } });
            const end = await client.next('disconnected');
            assert.equal(end.code, code);
            assert.notEqual(end.reason, '');
            assert.equal(client.all('connected').length, 1);
        }
        const user = fresh('leaving');
        const client = await push.client({ user, transport }).ready();
        await push.ok('disconnect', { user });
        const end = await client.next('disconnected');
        assert.deepEqual({ code: end.code, reason: end.reason }, { code: 3503, reason: 'force disconnect' });
    });

    by('recovery: what was missed, nothing missed, a break', async () => {
        const push = await started;
        const channel = fresh('small');
        const client = await push.client({ user: 'anna', transport }).ready();
        const sub = await client.sub(channel, RECOVERABLE).ready();
        assert.equal(sub.hello.recoverable, true);
        assert.equal(sub.hello.streamPosition.offset, 0);
        await publishAll(push, channel, numbers(3));
        await sub.count('publication', 3);
        client.stop();
        await client.next('disconnected');
        await publishAll(push, channel, numbers(4, 4));
        client.start();
        const back = await sub.next('subscribed');
        assert.deepEqual([back.wasRecovering, back.recovered], [true, true]);
        await sub.count('publication', 7);
        await client.lose();
        const again = await sub.next('subscribed');
        assert.deepEqual([again.wasRecovering, again.recovered, again.streamPosition.offset], [true, true, 7]);
        await publishAll(push, channel, [8]);
        await sub.count('publication', 8);
        assert.deepEqual(sub.heard, numbers(8));
        assert.deepEqual(sub.all('publication').map((event) => event.offset), numbers(8));
    });

    by('recovery: the window overrun, more than the limit, another epoch', async () => {
        const push = await started;
        for (const [namespace, n] of [['small', 6], ['large', 13]]) {
            const channel = fresh(namespace);
            const client = await push.client({ user: 'anna', transport }).ready();
            const sub = await client.sub(channel, RECOVERABLE).ready();
            await publishAll(push, channel, [1]);
            await sub.next('publication');
            client.stop();
            await publishAll(push, channel, numbers(n, 2));
            client.start();
            const back = await sub.next('subscribed');
            assert.deepEqual([back.wasRecovering, back.recovered, back.streamPosition.offset], [true, false, n + 1]);
            await publishAll(push, channel, ['after']);
            assert.equal((await sub.next('publication')).data, 'after');
            client.stop();
            assert.deepEqual(sub.heard, [1, 'after']);
        }
        const channel = fresh('large');
        await publishAll(push, channel, numbers(3));
        const client = await push.client({ user: 'anna', transport }).ready();
        const sub = await client.sub(channel, { ...RECOVERABLE, since: { epoch: 'elsewhere', offset: 2 } }).ready();
        assert.deepEqual([sub.hello.wasRecovering, sub.hello.recovered, sub.hello.streamPosition.offset], [true, false, 3]);
        const { epoch } = await push.ok('history', { channel });
        const other = await push.client({ user: 'ben', transport }).ready();
        const since = await other.sub(channel, { ...RECOVERABLE, since: { epoch, offset: 1 } }).ready();
        assert.equal(since.hello.recovered, true);
        await since.count('publication', 2);
        assert.deepEqual(since.heard, [2, 3]);
    });

    by('recovery of the newest only', async () => {
        const push = await started;
        const channel = fresh('newest');
        const client = await push.client({ user: 'anna', transport }).ready();
        const sub = await client.sub(channel, RECOVERABLE).ready();
        client.stop();
        await publishAll(push, channel, numbers(9));
        client.start();
        const back = await sub.next('subscribed');
        assert.equal(back.recovered, true);
        await publishAll(push, channel, [10]);
        await sub.next({ type: 'publication', data: 10 });
        assert.deepEqual(sub.heard, [9, 10]);
    });

    by('subscriptions that the server makes: by token, by the API, and after a break', async () => {
        const push = await started;
        const [first, second, third] = [fresh('open'), fresh('large'), fresh('large')];
        const user = fresh('served');
        const token = push.token(user, {
            channels: [first],
            subs: { [second]: { info: { role: 'guest' }, data: { hello: 1 }, override: { force_recovery: { value: true } } } },
        });
        const client = await push.client({ transport, token }).ready();
        await client.count('subscribed', 2);
        const told = client.all({ type: 'subscribed', channel: second })[0];
        assert.deepEqual([told.recoverable, told.positioned, told.data], [true, true, { hello: 1 }]);
        await push.publish(first, 'one');
        await push.publish(second, 'two');
        await client.count('publication', 2);
        await push.ok('subscribe', { user, channel: third, data: { by: 'api' }, override: { force_recovery: { value: true } } });
        const added = await client.next({ type: 'subscribed', channel: third });
        assert.deepEqual([added.recoverable, added.data], [true, { by: 'api' }]);
        await push.publish(third, 'three');
        await client.next({ type: 'publication', channel: third });
        await push.ok('unsubscribe', { user, channel: third });
        await client.next({ type: 'unsubscribed', channel: third });
        client.stop();
        await client.next('disconnected');
        await push.publish(second, 'missed');
        client.start();
        const back = await client.next({ type: 'subscribed', channel: second });
        assert.deepEqual([back.wasRecovering, back.recovered], [true, true]);
        await client.next({ type: 'publication', data: 'missed' });
        client.stop();
        assert.deepEqual(client.heard, ['one', 'two', 'three', 'missed']);
    });

    by('what a publisher wrote over several lines', async () => {
        const push = await started;
        const channel = fresh('open');
        const client = await push.client({ user: 'anna', transport }).ready();
        const sub = await client.sub(channel).ready();
        const data = { list: [1, 2, { deep: 'a\nb\r\nc\u2028d' }], empty: {} };
        await push.api('publish', `{\r\n "channel": "${channel}",\n "data": ${JSON.stringify(data, null, 4).replaceAll('\n', '\r\n')}\r\n}\n`);
        assert.deepEqual((await sub.next('publication')).data, data);
        const client2 = await push.client({ user: 'ben', transport }).ready();
        const { epoch } = await push.ok('history', { channel });
        const back = await client2.sub(channel, { ...RECOVERABLE, since: { epoch, offset: 0 } }).ready();
        assert.deepEqual((await back.next('publication')).data, data);
    });

    by('deltas: whole, patches, and after a recovery', async () => {
        const push = await started;
        const channel = fresh('delta');
        const client = await push.client({ user: 'anna', transport }).ready();
        const sub = await client.sub(channel, { ...RECOVERABLE, delta: 'fossil' }).ready();
        const plain = await client.sub(fresh('delta'), RECOVERABLE).ready();
        const text = numbers(60).map((n) => `Zeile ${n} äöü`).join(', ');
        const sent = numbers(6).map((n) => ({ text, n, other: n % 2 ? text.slice(n) : 'short' }));
        for (const data of sent.slice(0, 3))
            await push.publish(channel, data, { delta: true });
        await push.publish(plain.sdk.channel, sent[0], { delta: true });
        await plain.next('publication');
        await sub.count('publication', 3);
        client.stop();
        for (const data of sent.slice(3))
            await push.publish(channel, data, { delta: true });
        client.start();
        await sub.count('publication', 6);
        await push.publish(channel, { text }, { delta: true });
        await sub.count('publication', 7);
        client.stop();
        assert.deepEqual(sub.heard, [...sent, { text }]);
        assert.deepEqual(plain.heard, [sent[0]]);
    });
}

test('connections and subscriptions are refreshed in time, over every transport', async () => {
    const push = await started;
    await Promise.all(TRANSPORTS.map(async (transport) => {
        const channel = fresh('secret');
        const asked = { connection: 0, subscription: 0 };
        const brief = () => ({ exp: now() + 2 });
        const client = await push.client({
            user: 'anna', transport, getToken: async () => (asked.connection++, push.token('anna', brief())),
        }).ready();
        const sub = await client.sub(channel, { getToken: async () => (asked.subscription++, push.pass('anna', channel, brief())) }).ready();
        await until('three tokens each', () => asked.connection >= 3 && asked.subscription >= 3);
        await push.publish(channel, 'still here');
        await sub.next('publication');
        assert.equal(client.all('connected').length, 1);
        assert.equal(sub.all('subscribed').length, 1);
        client.stop();
    }));
});

test('the wire of deltas: a string each, patches only where shorter', async () => {
    const push = await started;
    const channel = fresh('delta');
    const wire = await push.connected('anna');
    const sub = (await wire.ask('subscribe', { channel, delta: 'fossil' })).subscribe;
    assert.equal(sub.delta, true);
    const text = 'x'.repeat(500);
    for (const data of [{ text, n: 1 }, { text, n: 2 }, 5, { text, n: 3 }])
        await push.publish(channel, data, { delta: true });
    await until('four', () => wire.pushes('pub').length === 4);
    const pubs = wire.pushes('pub').map(({ pub }) => pub);
    for (const pub of pubs)
        assert.equal(typeof pub.data, 'string');
    assert.deepEqual(pubs.map((pub) => Boolean(pub.delta)), [false, true, false, false]);
    assert.deepEqual(JSON.parse(pubs[0].data), { text, n: 1 });
    assert.equal(pubs[2].data, '5');
    assert.ok(pubs[1].data.length < 60, pubs[1].data);
});

test('one frame with connect and subscribes: answers in order, none before connect', async () => {
    const push = await started;
    const wire = push.wire();
    const channel = fresh('open');
    await wire.send({ id: 1, connect: { token: push.token('anna') } }, { id: 2, subscribe: { channel, positioned: true } },
        { id: 3, subscribe: { channel } }, { id: 4, publish: { channel, data: 1 } }, { id: 5, unsubscribe: { channel: 'open:never' } });
    await wire.reply(5);
    const ids = wire.lines.filter((line) => line.id).map((line) => line.id);
    assert.deepEqual(ids, [1, 2, 3, 4, 5]);
    assert.equal(wire.lines[2].error.code, 105);
    assert.deepEqual(wire.lines.find((line) => line.id === 4), { id: 4, publish: {} });
    assert.deepEqual(wire.lines.find((line) => line.id === 5), { id: 5, unsubscribe: {} });
    const { ping, pong } = wire.lines[0].connect;
    assert.deepEqual({ ping, pong }, { ping: 25, pong: true });
    assert.equal(wire.lines[0].connect.session, undefined);
    assert.ok(!('flag' in wire.lines[0].connect) && !('dict' in wire.lines[0].connect));
    assert.equal((await wire.push('pub')).pub.offset, 1);
});

test('recovery below the library: the given offset comes back, flag 2, no partial replay', async () => {
    const push = await started;
    const channel = fresh('large');
    await publishAll(push, channel, numbers(8));
    const wire = await push.connected('anna');
    const position = (await wire.ask('subscribe', { channel, recoverable: true })).subscribe;
    assert.deepEqual([position.recoverable, position.positioned, position.offset, typeof position.epoch], [true, true, 8, 'string']);
    assert.ok(!('recovered' in position) && !('was_recovering' in position) && !('publications' in position));
    const again = async (offset, more = {}) => {
        await wire.ask('unsubscribe', { channel });
        return wire.ask('subscribe', { channel, recoverable: true, recover: true, epoch: position.epoch, offset, ...more });
    };
    const hit = (await again(5)).subscribe;
    assert.deepEqual([hit.recovered, hit.was_recovering, hit.offset], [true, true, 5]);
    assert.deepEqual(hit.publications.map((one) => one.offset), [6, 7, 8]);
    const none = (await again(8)).subscribe;
    assert.deepEqual([none.recovered, none.offset, none.publications], [true, 8, undefined]);
    assert.equal((await again(undefined, { epoch: '' })).subscribe.publications.length, 8);
    const future = (await again(9)).subscribe;
    assert.deepEqual([future.was_recovering, future.recovered ?? false, future.offset, future.publications], [true, false, 8, undefined]);
    assert.equal((await again(9, { flag: 2 })).error.code, 112);
    assert.equal((await again(3, { flag: 2 })).subscribe.recovered, true);
    assert.equal((await again(3, { flag: 3, epoch: 'abc' })).error.code, 112);
    await push.ok('history_remove', { channel });
    const gone = (await again(3)).subscribe;
    assert.deepEqual([gone.recovered ?? false, gone.offset, gone.epoch], [false, 8, position.epoch]);
    assert.equal((await again(8)).subscribe.recovered, true);
});

test('a subscribe under way is cancelled; what is unknown is ignored', async () => {
    const push = await started;
    const wire = await push.connected('anna');
    const channel = fresh('open');
    await wire.send({ id: 10, subscribe: { channel, unknown: { deep: [] }, type: 0 }, extra: 1 }, { id: 11, unsubscribe: { channel } }, {});
    await wire.reply(11);
    assert.ok((await wire.reply(10)).subscribe);
    await push.publish(channel, 1);
    await wire.ask('unsubscribe', { channel });
    assert.deepEqual(wire.pushes('pub'), []);
    assert.equal((await push.ok('presence_stats', { channel })).num_clients, 0);
});

test('who may subscribe', async () => {
    const push = await started;
    const wire = await push.connected('42');
    const code = async (channel, more = {}) => {
        const reply = await wire.ask('subscribe', { channel, ...more });
        return reply.error?.code ?? 0;
    };
    assert.equal(await code(`$open:${++serial}`), 103);
    assert.equal(await code(`open:$${++serial}`), 103);
    assert.equal(await code('user:dialog#41,42'), 0);
    assert.equal(await code('user:dialog#42,43'), 0);
    for (const channel of ['user:dialog#41,43', 'user:dialog', 'user:dialog#4', 'user:dialog#', 'user:a#42#42', 'user:a#42,', 'user:a#,42', 'user:a# 42', 'user:b#042'])
        assert.equal(await code(channel), 103, channel);
    assert.equal(await code('user:dialog#1', { token: push.pass('42', 'user:dialog#1') }), 0);
    const hidden = `$secret:${++serial}`;
    assert.equal(await code(hidden, { token: push.pass('42', hidden) }), 0);
    assert.equal(await code('x'.repeat(256)), 107);
    assert.equal(await code(`open:${'x'.repeat(250)}`), 0);
    assert.equal(await code('open:a\u0001b'), 107);
    const nobody = await push.connected({});
    assert.equal((await nobody.ask('subscribe', { channel: 'user:dialog#' })).error.code, 103);
    assert.ok((await nobody.ask('subscribe', { channel: 'open:dialog' })).subscribe);
});
