/* Conversations on sockets: who is online, what everybody hears, and what ends with a user's last socket; every framing,
 * every way to it, reconnection, the move, a relay that ends, two relays.
 * SPDX-License-Identifier: MIT
 */
import { assert } from '../lib/assert.mjs';
import { instance, test, withInstance } from '../lib/instance.mjs';
import { FRAMINGS, PLACES, call, connect, gone, knock, presence, rest } from '../lib/live.mjs';
import { until } from '../lib/wait.mjs';

const CLEAN_CLOSE_MS = 3000;

const shared = instance({ systems: 'conversations', auth: 'jwt' });

let serial = 100;
const someone = () => String(++serial);

const make = async (confab, user, name) => (await rest(confab, user, 'POST', '/v1/conversations/new', { name })).conversation_id;
const send = (confab, user, id, text) => rest(confab, user, 'POST', '/v1/messages/send', { conversation_id: id, text });
const texts = (socket) => socket.of('new_message').map(({ message }) => message);

/* Everything up to now has come to that socket: something is said that all hear. */
async function settle(confab, user, ...sockets) {
    const id = await make(confab, user, `marker ${++serial}`);
    for (const socket of sockets)
        await socket.next(([name, payload]) => name === 'new_conversation' && payload.conversation_id === id);
}

/* ---- framings ---- */

for (const framing of FRAMINGS) {
    test(`${framing}: online before it is told so, offline behind the last socket`, async () => {
        const confab = await shared;
        const user = someone();
        assert.equal(await presence(confab, user), 428);
        const first = await connect(confab, user, framing);
        assert.equal(await presence(confab, user), 200);
        const second = await connect(confab, user, framing);
        await first.close();
        await settle(confab, user, second);
        assert.equal(await presence(confab, user), 200);
        await second.close();
        await gone(confab, user, CLEAN_CLOSE_MS);
    });

    test(`${framing}: events come once to each socket, in order`, async () => {
        const confab = await shared;
        const [ann, bob] = [someone(), someone()];
        const sockets = await Promise.all([connect(confab, ann, framing), connect(confab, ann, framing), connect(confab, bob, framing)]);
        const id = await make(confab, ann, `order ${framing}`);
        await rest(confab, bob, 'POST', `/v1/conversations/join/${id}`);
        const said = Array.from({ length: 40 }, (_, i) => `${i}`);
        for (const text of said)
            await send(confab, Number(text) % 2 ? ann : bob, id, text);
        await settle(confab, ann, ...sockets);
        for (const socket of sockets) {
            assert.deepEqual(texts(socket), said);
            assert.equal(socket.of('joined_conversation').filter((one) => one.conversation_id === id).length, 1);
            assert.equal(socket.of('new_conversation').filter((one) => one.conversation_id === id).length, 1);
        }
        for (const socket of sockets)
            await socket.close();
    });

    test(`${framing}: what ends with the last socket: looking on, and the chat of all`, async () => {
        const confab = await shared;
        const [ann, bob] = [someone(), someone()];
        const watch = await connect(confab, ann);
        const id = await make(confab, ann, `viewers ${framing}`);
        const tabs = [await connect(confab, bob, framing), await connect(confab, bob)];
        await rest(confab, bob, 'POST', `/v1/conversations/view/${id}`);
        await rest(confab, bob, 'GET', '/v1/messages/get?chat=0');
        assert.deepEqual(await watch.next('conversationViewersChange'), { conversation_id: id, viewers: 1 });
        await send(confab, ann, 0, 'to all');
        for (const tab of tabs)
            assert.deepEqual(Object.keys(await tab.next('new_message')).sort(), ['conversation_id', 'id', 'message', 'time']);
        await tabs[0].close();
        await settle(confab, ann, watch, tabs[1]);
        assert.equal(watch.of('conversationViewersChange').length, 1);
        await tabs[1].close();
        assert.deepEqual(await watch.next('conversationViewersChange'), { conversation_id: id, viewers: 0 });
        const back = await connect(confab, bob, framing);
        await send(confab, ann, 0, 'to whoever is left');
        await send(confab, ann, id, 'to members');
        await settle(confab, ann, watch, back);
        assert.deepEqual(back.of('new_message'), []);
        await back.close();
        await watch.close();
    });
}

test('who is back at once has been away all the same', async () => {
    const confab = await shared;
    const [ann, bob] = [someone(), someone()];
    const watch = await connect(confab, ann);
    const id = await make(confab, ann, 'blinking');
    let socket = await connect(confab, bob, 'bare', { relay: 0 });
    for (let i = 0; i < 10; i++) {
        await rest(confab, bob, 'POST', `/v1/conversations/view/${id}`);
        assert.equal((await watch.next('conversationViewersChange')).viewers, 1);
        await socket.close();               /* else the new one might be there first */
        const next = knock(confab, bob, 'bare', { relay: 0 });
        assert.equal((await watch.next('conversationViewersChange')).viewers, 0);
        await next.ready();
        assert.equal(await presence(confab, bob), 200);
        socket = next;
    }
    await socket.close();
    await watch.close();
});

test('membership counts at once', async () => {
    const confab = await shared;
    const [ann, bob] = [someone(), someone()];
    const a = await connect(confab, ann, 'websocket');
    const b = await connect(confab, bob, 'polling');
    const id = await make(confab, ann, 'at once');
    await send(confab, ann, id, 'before');
    await rest(confab, bob, 'POST', `/v1/conversations/join/${id}`);
    await send(confab, ann, id, 'while');
    await rest(confab, bob, 'POST', `/v1/conversations/leave/${id}`);
    await send(confab, ann, id, 'after');
    await settle(confab, ann, a, b);
    assert.deepEqual(texts(a), ['before', 'while', 'after']);
    assert.deepEqual(texts(b), ['while']);
});

/* ---- Socket.IO ---- */

for (const place of PLACES) {
    test(`${place.join(' ')}: credentials`, async () => {
        const confab = await shared;
        const user = someone();
        const bearer = { Authorization: `Bearer ${confab.token(user)}` };
        for (const options of [{}, { auth: {}, extraHeaders: bearer }, { auth: {}, query: { token: confab.token(user) } },
                               { auth: { token: confab.token(user) }, extraHeaders: { Authorization: 'Bearer nonsense' } }]) {
            const socket = await connect(confab, user, 'websocket', { place, ...options });
            assert.equal(await presence(confab, user), 200);
            await socket.close();
            await gone(confab, user);
        }
        for (const options of [{ auth: {} }, { auth: { token: 'nonsense' }, extraHeaders: bearer }, { auth: { token: 7 } },
                               { auth: {}, query: { token: 'nonsense' } }, { auth: { vk: 'vk_user_id=1&sign=x' } }])
            for (const framing of ['websocket', 'polling'])
                assert.deepEqual(await knock(confab, user, framing, { place, ...options }).ended(),
                                 { message: 'Unauthorized', data: { code: 101 } });
        assert.equal(await presence(confab, user), 428);
    });
}

test('whose / is, a setting says', async () => {
    await withInstance({ systems: 'conversations', auth: 'jwt', env: { CONFAB_SOCKETIO_ROOT_SYSTEM: '' } }, async (confab) => {
        assert.deepEqual((await knock(confab, '7', 'websocket', { place: PLACES[2] }).ended()).message, 'Invalid namespace');
        await (await connect(confab, '7', 'websocket', { place: PLACES[1] })).close();
    });
});

test('unknown events are answered, and end nothing', async () => {
    const confab = await shared;
    const socket = await connect(confab, someone(), 'websocket');
    for (let i = 0; i < 50; i++) {
        socket.send('ping', { i });
        assert.deepEqual(await socket.expect('error'), { code: 100, message: 'No such event' });
    }
    socket.send('bytes', Buffer.from([1, 2, 3]));
    assert.equal((await socket.expect('error')).code, 100);
    await socket.close();
});

test('who asks for an acknowledgement of an unknown event gets it, once', async () => {
    const confab = await shared;
    const refusal = { code: 100, message: 'No such event' };
    for (const framing of ['websocket', 'polling']) {
        const socket = await connect(confab, someone(), framing);
        for (const args of [[], [{ a: 1 }], [Buffer.from([1, 2, 3])]]) {
            const acks = [];
            socket.send('no such', ...args, (...ack) => acks.push(ack));
            assert.deepEqual(await socket.expect('error'), refusal);
            await until('the acknowledgement', () => acks.length > 0);
            assert.deepEqual(acks, [[refusal]]);
        }
        await socket.close();
    }
});

test('everything said around the move comes once, in order', async () => {
    const confab = await shared;
    const [ann, bob] = [someone(), someone()];
    await connect(confab, ann);
    const id = await make(confab, ann, 'moving');
    const before = await connect(confab, bob, 'polling, websocket');
    await rest(confab, bob, 'POST', `/v1/conversations/join/${id}`);
    const said = [];
    for (let round = 0; round < 5; round++) {
        const socket = await connect(confab, bob, 'polling, websocket');
        const first = said.length;
        for (let i = 0; i < 10 || socket.transport !== 'websocket'; i++) {
            said.push(`${round}.${i}`);
            await send(confab, ann, id, said.at(-1));
        }
        await settle(confab, ann, socket);
        assert.deepEqual(texts(socket), said.slice(first));
        await socket.close();
    }
    await settle(confab, ann, before);
    assert.deepEqual(texts(before), said);
    assert.equal(before.transport, 'websocket');
});

test('two namespaces on one connection are two sockets of the user', async () => {
    const confab = await shared;
    const [ann, bob] = [someone(), someone()];
    const watch = await connect(confab, ann);
    const first = await connect(confab, bob, 'websocket');
    const second = first.sdk.io.socket('/', { auth: { token: confab.token(bob) } });
    const heard = [];
    second.onAny((name) => heard.push(name));       /* it connects by itself */
    await until('the second namespace', () => second.connected);
    await settle(confab, ann, watch, first);
    await until('the event in both', () => heard.includes('new_conversation'));
    first.sdk.disconnect();
    await settle(confab, ann, watch);
    assert.equal(await presence(confab, bob), 200);
    second.disconnect();
    await gone(confab, bob, CLEAN_CLOSE_MS);
});

/* ---- who does not answer ---- */

test('who is silent goes offline', async () => {
    const env = { CONFAB_SIO_PING_INTERVAL_MS: '200', CONFAB_SIO_PING_TIMEOUT_MS: '300' };
    await withInstance({ systems: 'conversations', auth: 'jwt', env }, async (confab) => {
        const bare = await connect(confab, '1');
        const lively = await connect(confab, '2');
        await until('pings', () => lively.pings > 3);
        bare.ws._socket.pause();
        await gone(confab, '1');
        const joined = await connect(confab, '3', 'websocket');
        joined.sdk.io.engine.transport.ws._socket.pause();
        await gone(confab, '3');
        assert.equal(await presence(confab, '2'), 200);
    });
});

/* ---- relays that end ---- */

for (const how of ['stop', 'kill'])
    test(`clients come again behind a relay that ended by ${how}`, async () => {
        await withInstance({ systems: 'conversations', auth: 'jwt' }, async (confab) => {
            const bare = await connect(confab, '1');
            const id = await make(confab, '1', 'staying');
            const others = [];
            for (const [i, framing] of FRAMINGS.slice(1).entries()) {
                others.push(await connect(confab, `${10 + i}`, framing, { reconnection: true }));
                await rest(confab, `${10 + i}`, 'POST', `/v1/conversations/join/${id}`);
                await others[i].settled();
            }
            await rest(confab, '10', 'GET', '/v1/messages/get?chat=0');
            await confab.relays[0][how]();
            assert.equal(await bare.ended(), how === 'stop' ? 1001 : 1006);
            for (const user of how === 'stop' ? ['1', '10', '11', '12', '13'] : [])
                assert.equal(await presence(confab, user), 428);
            await confab.relays[0].start();
            for (const socket of others)
                await socket.next('(connect)');
            const again = await connect(confab, '1');
            await send(confab, '1', 0, 'nobody listens');
            await send(confab, '1', id, 'here again');
            await settle(confab, '1', again, ...others);
            for (const socket of others)
                assert.deepEqual(texts(socket), ['here again']);
        });
    });

test('two relays: events on both, presence over both', async () => {
    const env = { CONFAB_LEASE_MS: '1500' };
    await withInstance({ systems: 'conversations', auth: 'jwt', relays: 2, env }, async (confab) => {
        const watch = await connect(confab, '1', 'bare', { relay: 0 });
        const id = await make(confab, '1', 'two relays');
        const tabs = [await connect(confab, '2', 'bare', { relay: 0 }), await connect(confab, '2', 'bare', { relay: 1 })];
        await rest(confab, '2', 'POST', `/v1/conversations/view/${id}`);
        assert.equal((await watch.next('conversationViewersChange')).viewers, 1);
        await send(confab, '1', id, 'to both');
        for (const tab of tabs)
            assert.equal((await tab.next('new_message')).message, 'to both');
        await tabs[0].close();
        await settle(confab, '1', watch, tabs[1]);
        assert.equal(watch.of('conversationViewersChange').length, 1);
        await tabs[1].close();
        assert.equal((await watch.next('conversationViewersChange')).viewers, 0);
        await gone(confab, '2', CLEAN_CLOSE_MS);

        /* with the relay that held him he goes, when its lease is over, and the other one says so */
        const held = await connect(confab, '2', 'bare', { relay: 1 });
        await rest(confab, '2', 'POST', `/v1/conversations/view/${id}`);
        await confab.relays[1].kill();
        await held.ended();
        assert.deepEqual((await watch.upTo(([name, { viewers }]) => name === 'conversationViewersChange' && viewers === 0))
            .filter(([name]) => name === 'conversationViewersChange').map(([, { viewers }]) => viewers), [1, 0]);
        assert.equal(await presence(confab, '2'), 428);
        await confab.relays[1].start();
    });
});

/* ---- what a credential says ---- */

test('names that a credential claims are noted before the socket is told', async () => {
    const confab = await shared;
    const user = someone();
    const token = confab.token(user, { name: 'Анна', avatar: 'https://example.org/a.png' });
    const socket = await connect(confab, user, 'bare', { query: `?token=${token}` });
    assert.deepEqual((await rest(confab, user, 'GET', '/v1/profile')).profile,
                     { user_id: Number(user), name: 'Анна', avatar: 'https://example.org/a.png' });
    const other = someone();
    const joined = await connect(confab, other, 'polling', { token: confab.token(other, { name: 'Ben' }) });
    assert.equal((await rest(confab, other, 'GET', '/v1/profile')).profile.name, 'Ben');
    const bad = knock(confab, user, 'bare', { query: `?token=${confab.token(user, { name: '' })}` });
    assert.equal((await bad.ended()).status, 401);
    await socket.close();
    await joined.close();
    assert.equal((await call(confab, user, 'GET', '/v1/profile')).status, 200);
});
