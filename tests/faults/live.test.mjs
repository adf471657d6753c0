/* A relay with users of conversations is killed: while they poll, while they move to a WebSocket, while they connect. They come
 * again by themselves, and what is known of who is there is the truth.
 * SPDX-License-Identifier: MIT
 */
import { setTimeout as delay } from 'node:timers/promises';
import { assert } from '../lib/assert.mjs';
import { test, withInstance } from '../lib/instance.mjs';
import { FRAMINGS, call, connect, gone, knock, presence, rest } from '../lib/live.mjs';
import { seeded } from '../lib/seeded.mjs';
import { until } from '../lib/wait.mjs';

const JOINED = FRAMINGS.slice(1);
const KILLS = 15;
/* A bad run can be had again. */
const seed = Number(process.env.CONFAB_TEST_SEED ?? 20260102);

const make = async (confab, user, name) => (await rest(confab, user, 'POST', '/v1/conversations/new', { name })).conversation_id;
const texts = (socket) => socket.of('new_message').map(({ message }) => message);

/* The viewers that a member is shown. */
const viewers = async (confab, user, id) =>
    (await rest(confab, user, 'GET', '/v1/conversations/get')).conversations.find((one) => one.id === id).viewers;

/* Messages come once, in the order in which they are stored; and since the last connect none is missing. */
async function check(confab, id, writer, sockets) {
    await rest(confab, writer, 'POST', '/v1/messages/send', { conversation_id: id, text: 'the end' });
    const stored = [];
    for (let offset = 0, page = [0]; page.length; offset += page.length) {
        page = (await rest(confab, writer, 'GET', `/v1/messages/get?chat=${id}&offset=${offset}`)).messages;
        stored.unshift(...page.map(({ message }) => message));
    }
    for (const socket of sockets) {
        await socket.next(([name, payload]) => name === 'new_message' && payload.message === 'the end');
        const heard = texts(socket);
        let at = -1;
        for (const text of heard) {
            const next = stored.indexOf(text, at + 1);
            assert.ok(next > at, `${text} twice or out of order at ${socket.framing}`);
            at = next;
        }
        const last = socket.events.findLastIndex(([name]) => name === '(connect)');
        const since = socket.events.slice(last).filter(([name]) => name === 'new_message').map(([, { message }]) => message);
        assert.deepEqual(since, stored.slice(stored.length - since.length), `a hole at ${socket.framing}`);
    }
}

for (const point of ['relay.received', 'relay.applied', 'relay.committed', 'relay.connected'])
    test(`relay killed at ${point}`, async () => {
        await withInstance({ systems: 'conversations', auth: 'jwt', fault: point }, async (confab) => {
            const [relay] = confab.relays;
            let ann = await connect(confab, '1', 'bare', { relay: 0 });
            const id = await make(confab, '1', 'point');
            const sockets = [];
            for (const [i, framing] of JOINED.entries()) {
                const socket = await connect(confab, `${10 + i}`, framing, { reconnection: true });
                await rest(confab, `${10 + i}`, 'POST', `/v1/conversations/join/${id}`);
                sockets.push(socket);
            }
            const looking = await connect(confab, '2', 'bare', { relay: 0 });
            await rest(confab, '2', 'POST', `/v1/conversations/view/${id}`);
            for (let i = 0; i < 3; i++) {
                relay.mayDie();
                confab.arm();
                const late = knock(confab, '3', 'bare', { relay: 0 });                /* brings the point about, one way or the other */
                await call(confab, '1', 'POST', '/v1/messages/send', { conversation_id: id, text: `hit ${i}` });
                await relay.died(point);
                await relay.start();
                await late.ended();
                ann = await connect(confab, '1', 'bare', { relay: 0 });
                for (const socket of sockets)
                    await until(`${socket.framing} to be back`, () => socket.sdk.connected);
                for (const user of ['1', '10', '11', '12', '13'])
                    assert.equal(await presence(confab, user), 200, `${user} is here`);
                await gone(confab, '3');
            }
            await looking.ended();
            await gone(confab, '2');
            await until('nobody to look on', async () => await viewers(confab, '1', id) === 0);
            await check(confab, id, '1', [ann, ...sockets]);
        });
    });

test('a relay that was away for longer than its lease: whoever looked on or heard the chat of all is told to come again', async () => {
    await withInstance({ systems: 'conversations', auth: 'jwt', relays: 2, env: { CONFAB_LEASE_MS: '600' } }, async (confab) => {
        const [relay] = confab.relays;
        const ann = await connect(confab, '1', 'bare', { relay: 1 });
        const id = await make(confab, '1', 'away');
        const looking = await connect(confab, '2', 'bare', { relay: 0 });
        const hearing = await connect(confab, '3', 'websocket', { reconnection: true });
        await rest(confab, '2', 'POST', `/v1/conversations/view/${id}`);
        await rest(confab, '3', 'GET', '/v1/messages/get?chat=0');
        relay.signal('SIGSTOP');
        await until('the other relay to see that nobody looks on', async () => await viewers(confab, '1', id) === 0);
        relay.signal('SIGCONT');
        assert.equal(await looking.ended(), 1012);
        await hearing.next('(disconnect)');
        await hearing.next('(connect)');
        await rest(confab, '3', 'GET', '/v1/messages/get?chat=0');
        await rest(confab, '1', 'POST', '/v1/messages/send', { text: 'anybody?' });
        assert.equal((await hearing.next('new_message')).message, 'anybody?');
        assert.equal(ann.closed, null);
    });
});

test(`kill -9 while clients poll, move and connect, seed ${seed}`, async () => {
    const env = { CONFAB_SIO_PING_INTERVAL_MS: '1000', CONFAB_SIO_PING_TIMEOUT_MS: '1000', CONFAB_CONV_RATE: '100000', CONFAB_CONV_BURST: '100000' };
    await withInstance({ systems: 'conversations', auth: 'jwt', env }, async (confab) => {
        const { pick } = seeded(seed);
        const [relay] = confab.relays;
        const writer = await connect(confab, '1', 'websocket', { reconnection: true });
        const id = await make(confab, '1', 'storm');
        const sockets = [writer];
        for (let i = 0; i < 12; i++) {
            const framing = JOINED[i % JOINED.length];
            const socket = await connect(confab, `${10 + i}`, framing, { reconnection: true });
            await rest(confab, `${10 + i}`, 'POST', `/v1/conversations/join/${id}`);
            sockets.push(socket);
        }
        let over = false, sent = 0;
        const talking = (async () => {
            for (let i = 0; !over; i++) {
                const { status } = await call(confab, '1', 'POST', '/v1/messages/send', { conversation_id: id, text: `${i}` });
                sent += status === 200;
                assert.ok(status === 200 || status === 428, `${status}`);
                await delay(5);
            }
        })();
        for (let i = 0; i < KILLS; i++) {
            const before = sent;
            /* some of them are on their way back still: that is what is wanted */
            await until('something to get through', () => sent > before && sockets.filter(({ sdk }) => sdk.connected).length > pick(sockets.length));
            await delay(pick(40));
            await relay.kill();
            await relay.start();
        }
        over = true;
        await talking;
        for (const socket of sockets)
            await until(`${socket.name} to be back`, () => socket.sdk.connected);
        for (const socket of sockets)
            await socket.settled();
        await check(confab, id, '1', sockets);
        for (const { user } of sockets)
            assert.equal(await presence(confab, user), 200);
        for (const socket of sockets.slice(1))
            await socket.close();
        for (const { user } of sockets.slice(1))
            await gone(confab, user);
        assert.equal(await presence(confab, '1'), 200);
    });
});
