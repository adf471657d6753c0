/* Rooms' sockets: who is let in, what is pushed to whom, what clients may say, how it ends.
 * SPDX-License-Identifier: MIT
 */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { assert } from '../lib/assert.mjs';
import { request } from '../lib/http.mjs';
import { RUNNER_KEY, test, withInstance } from '../lib/instance.mjs';
import { now } from '../lib/jwt.mjs';
import { ID, MOMENT, NOBODY, NO_ID, Runner, fine, register, rooms, roomsToken } from '../lib/rooms.mjs';
import { Socket } from '../lib/socket.mjs';
import { until, within } from '../lib/wait.mjs';

const started = rooms();
const KINDS = ['chat', 'graph'];

/* Straight to the relay, without the web server. */
function direct(confab, target, options = {}) {
    const socket = new Socket(`ws+unix:${confab.relays[0].socket}:${target}`, { user: target.split('?')[0], ...options });
    confab.sockets.push(socket);
    return socket;
}

/* Closed with that code, in time, without a frame before it. */
async function turnedAway(socket, code) {
    const { code: got, reason } = await socket.ended(2000);
    assert.equal(got, code, `${socket.user}: ${got} ${reason}`);
    assert.match(reason, /^[ -~]{1,40}$/);
    assert.deepEqual(socket.frames, []);
}

/* What a socket got since its cursor: something else is said, and nothing that was pushed before it can come later. */
async function since(socket, owner, room) {
    const end = await owner.say(room, `marker ${Math.random()}`);
    const frames = await socket.upTo((frame) => frame.payload?.id === end.id);
    return frames.slice(0, -1);
}

/* The same on a graph. */
async function graphSince(socket, owner, room, [a, b]) {
    const level = Math.random();
    await owner.relate(room, a, b, level);
    const frames = await socket.upTo((frame) => frame.payload?.sympathyLevel === level);
    return frames.slice(0, -1);
}

const frame = (type, payload) => ({ type, payload });

/* A message's frame from its answer. */
const messageFrame = (answer, more = {}) => frame('message', { ...more, ...answer });
const eventFrame = ({ type: eventType, ...rest }, more = {}) => frame('event', { ...more, ...rest, eventType });

/* ---- handshakes ---- */

test('the first frame, through the web server and straight', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room();
    for (const [kind, message] of [['chat', 'Подключено к чату комнаты'], ['graph', 'Подключено к графу отношений']]) {
        const target = `/api/rooms/${room.id}/${kind}?other=1&token=${anna.token}`;
        for (const socket of [anna.knock(room.id, kind), direct(confab, target)])
            assert.deepEqual(await socket.connected(), frame('connected', { roomId: room.id, message }));
    }
    /* every byte of the token percent-encoded, the id, too */
    const coded = [...anna.token].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('');
    const id = [...room.id].map((c) => `%3${c}`).join('');
    assert.equal((await direct(confab, `/api/rooms/${id}/chat?token=${coded}`).connected()).payload.roomId, room.id);
    assert.equal((await anna.knock(room.id, 'chat', { query: `token=${coded}` }).connected()).type, 'connected');
    /* from any page */
    assert.equal((await anna.knock(room.id, 'chat', { headers: { Origin: 'https://elsewhere.example' } }).connected()).type, 'connected');
});

test('4001: credentials that are none', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('a room', ['Cook']);
    const { token: key } = await anna.runner(room.id);
    const [head, claims, signature] = anna.token.split('.');
    const bad = ['', 'token', 'token=', 'token=x', 'token=a.b.c', 'token=%00', 'token=%ff', 'Token=x', `user_id=${anna.id}`,
        `token=${head}.${claims}.`, `token=${head}.${claims}`, `token=${head}.${claims}.${signature.slice(0, -3)}AAA`,
        `token=${anna.refreshToken}`, `token=${key}`, `token=${RUNNER_KEY}`, `token=Bearer%20${anna.token}`,
        `token=${roomsToken(anna.id, { exp: undefined })}`, `token=${roomsToken(anna.id, { exp: now() - 1 })}`,
        `token=${roomsToken(anna.id, { aud: undefined })}`, `token=${roomsToken(anna.id, { aud: 'confab:mtchat' })}`,
        `token=${roomsToken('999999')}`, `token=${roomsToken('anna')}`, `token=${roomsToken('')}`, `token=${roomsToken(undefined)}`,
        `token=${roomsToken(anna.id, {}, { alg: 'none' })}`, `token=${roomsToken(anna.id, {}, { alg: 'HS384' })}`,
        `token=${roomsToken(anna.id, {}, { header: { alg: 'NoNe' } })}`, `token=${roomsToken(anna.id, {}, {}, 'another secret of thirty-two bytes!')}`];
    for (const query of bad)
        for (const kind of KINDS) {
            await turnedAway(direct(confab, `/api/rooms/${room.id}/${kind}?${query}`), 4001);
            await turnedAway(anna.knock(999999, kind, { query }), 4001);     /* before the room */
        }
    await turnedAway(direct(confab, `/api/rooms/${room.id}/chat`), 4001);
    const runner = new Runner(confab);
    for (const query of ['', 'token=', 'token=rk_unknown', `token=${anna.token}`, 'token=%00', `token=${encodeURIComponent(anna.refreshToken)}`])
        await turnedAway(runner.knock({ query }), 4001);
});

test('4003: rooms that are none, or somebody else\'s', async () => {
    const confab = await started;
    const anna = await register(confab);
    const eve = await register(confab);
    const room = await anna.room();
    for (const kind of KINDS) {
        await turnedAway(eve.knock(room.id, kind), 4003);
        for (const id of [...NOBODY, ...NO_ID, '', '1%2F2'])
            await turnedAway(direct(confab, `/api/rooms/${id}/${kind}?token=${eve.token}`), 4003);
    }
    const foreign = await eve.knock(room.id, 'chat').ended();
    const missing = await eve.knock(999999, 'chat').ended();
    assert.deepEqual(foreign, missing);
});

test('what is said before a verdict is not answered', async () => {
    const confab = await started;
    const eve = await register(confab);
    for (const [socket, code] of [[eve.knock(999999, 'chat'), 4003], [eve.knock(1, 'chat', { query: 'token=x' }), 4001]]) {
        socket.ws.on('open', () => { socket.send({ type: 'ping' }); socket.send('nonsense'); });
        await turnedAway(socket, code);
    }
});

test('a path without upgrade, other methods, other paths', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room();
    for (const path of [`/api/rooms/${room.id}/chat`, `/api/rooms/${room.id}/graph`, '/api/runner/stream']) {
        const plain = await request(confab.port, 'GET', `${path}?token=${anna.token}`);
        assert.equal(plain.status, 426);
        assert.equal(typeof plain.json.detail, 'string');
        assert.equal((await request(confab.port, 'GET', path)).status, 426);
        assert.equal((await request(confab.port, 'POST', path, { body: {} })).status, 405);
    }
    for (const path of [`/api/rooms/${room.id}/chat/`, `/api/rooms/${room.id}/chats`, '/api/rooms/chat', '/nothing']) {
        const socket = direct(confab, `${path}?token=${anna.token}`);
        await socket.ended();
        assert.equal(socket.refused?.status, 404, path);
        assert.equal(typeof JSON.parse(socket.refused.text).detail, 'string');
    }
});

test('beside mtchat: neither hears the other, nor takes its tokens', async () => {
    await withInstance({ systems: 'mtchat,rooms', auth: 'jwt' }, async (confab) => {
        const anna = await register(confab);
        const room = await anna.room('r', ['A']);
        const dialog = await confab.dialog([anna.id]);
        const chat = await anna.chat(room.id);
        const ws = await confab.socket(anna.id);
        await confab.api(anna.id).send(dialog, 'over there');
        await anna.say(room.id, 'over here');
        assert.equal((await chat.next('message')).payload.text, 'over here');
        assert.equal((await ws.next('message.new')).content, 'over there');
        assert.deepEqual(await since(chat, anna, room.id), []);
        assert.deepEqual(await confab.drain(ws), []);
        await turnedAway(anna.knock(room.id, 'chat', { query: `token=${confab.token(anna.id)}` }), 4001);
        const other = confab.knock(anna.id, { query: `token=${anna.token}` });
        await other.ended();
        assert.equal(other.refused.status, 401);
        const unknown = direct(confab, '/nothing');
        await unknown.ended();
        assert.ok(JSON.parse(unknown.refused.text).error);
    });
});

test('beside the push server', async () => {
    const env = { CONFAB_PUSH: '1', CONFAB_PUSH_API_LISTEN: '127.0.0.1:0', CONFAB_PUSH_API_KEY: 'a key', CONFAB_PUSH_TOKEN_SECRET: 'x'.repeat(32) };
    await withInstance({ systems: 'rooms', env }, async (confab) => {
        const anna = await register(confab);
        const room = await anna.room('r', ['A']);
        const chat = await anna.chat(room.id);
        await anna.say(room.id, 'hello');
        await chat.next('message');
        const push = direct(confab, '/connection/websocket');
        await within('the push server to open', new Promise((resolve) => { push.ws.on('open', resolve); }));
        await turnedAway(direct(confab, '/api/rooms/1/graph?token=x'), 4001);
    });
});

/* ---- what is pushed ---- */

test('the push matrix', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('kitchen', ['Cook', 'Critic'], { orchestration_type: 'circular' });
    const { Cook, Critic } = room.agents;
    const pair = [Cook.id, Critic.id];
    const runner = await anna.runner(room.id);
    const all = new Runner(confab, RUNNER_KEY);
    const chats = [await anna.chat(room.id), await anna.chat(room.id)];
    const graphs = [await anna.graph(room.id), await anna.graph(room.id)];
    const streams = [await runner.stream(), await all.stream()];
    const roomId = room.id;

    /* What everybody gets until a last thing that all hear. */
    let markers = 0;
    const told = async (expected) => {
        const level = ++markers / 1024;
        const end = await anna.say(roomId, 'the end');
        await anna.relate(roomId, ...pair, level);
        for (const one of [...chats, ...streams]) {
            const frames = (await one.upTo((f) => f.payload?.id === end.id)).slice(0, -1);
            assert.deepEqual(frames.filter(({ payload }) => (payload.roomId ?? roomId) === roomId),
                (chats.includes(one) ? expected.chat : expected.runner) ?? []);
        }
        for (const graph of graphs)
            assert.deepEqual((await graph.upTo((f) => f.payload?.sympathyLevel === level)).slice(0, -1), expected.graph ?? []);
    };
    await told({});

    let answer = await anna.say(roomId, 'to all');
    assert.deepEqual({ ...answer, id: 0, timestamp: 0 },
        { id: 0, text: 'to all', sender: 'user', timestamp: 0, agentId: null, agentResponse: null });
    await told({ chat: [messageFrame(answer)], runner: [messageFrame(answer, { roomId })] });

    answer = await anna.say(roomId, 'to one', Cook.id);
    assert.equal(answer.agentId, Cook.id);
    await told({ chat: [messageFrame(answer)], runner: [messageFrame(answer, { roomId })] });

    answer = await runner.say(roomId, { text: 'an agent\'s', agentId: Cook.id });
    assert.equal(answer.sender, 'Cook');
    await told({ chat: [messageFrame(answer)], runner: [messageFrame(answer, { roomId })] });

    answer = await all.say(roomId, { text: 'a voice\'s', sender: 'Система' });
    await told({ chat: [messageFrame(answer)], runner: [messageFrame(answer, { roomId })] });

    answer = await anna.ok('POST', `/api/rooms/${roomId}/events`, { description: 'it rains', agentIds: [Critic.id] });
    await told({ chat: [eventFrame(answer)], runner: [eventFrame(answer, { roomId })] });

    answer = await runner.ok('POST', `/api/runner/rooms/${roomId}/events`, { description: 'it pours', type: 'weather' });
    assert.deepEqual(answer.agentIds, pair);
    await told({ chat: [eventFrame(answer)], runner: [eventFrame(answer, { roomId })] });

    answer = await anna.ok('POST', `/api/rooms/${roomId}/events/broadcast`, { description: 'the sun' });
    await told({ chat: [eventFrame(answer)], runner: [eventFrame(answer, { roomId })] });

    answer = await anna.ok('POST', `/api/rooms/${roomId}/events/broadcast`, { description: 'the moon', type: 'chat' });
    const [message] = (await anna.feed(roomId, 1));
    const { type, ...fields } = message;
    assert.equal(type, 'message');
    const said = { ...fields, agentResponse: null };
    await told({ chat: [eventFrame(answer), messageFrame(said)], runner: [eventFrame(answer, { roomId }), messageFrame(said, { roomId })] });

    for (const [who, base] of [[anna, '/api/rooms'], [runner, '/api/runner/rooms'], [anna, '/api/rooms']]) {
        const edge = await who.ok('PATCH', `${base}/${roomId}/relationships`,
            { agent1Id: Critic.id, agent2Id: Cook.id, sympathyLevel: -0.5 });
        await told({ graph: [frame('edge_update', { roomId, ...edge })] });
    }

    await anna.ok('POST', `/api/rooms/${roomId}/orchestration/start`);
    await told({ runner: [frame('orchestration', { roomId, running: true, orchestration_type: 'circular' })] });
    await anna.ok('POST', `/api/rooms/${roomId}/orchestration/stop`);
    await told({ runner: [frame('orchestration', { roomId, running: false, orchestration_type: 'circular' })] });

    await anna.agent(roomId, 'Third');
    fine(await anna.patch(`/api/rooms/${roomId}/speed`, { speed: 2 }));
    fine(await anna.patch(`/api/rooms/${roomId}`, { description: 'warm' }));
    const at = `/api/runner/rooms/${roomId}/agents/${Cook.id}`;
    fine(await runner.post(`${at}/memories`, { content: 'soup' }), 201);
    const plan = fine(await runner.post(`${at}/plans`, { description: 'stew' }), 201);
    fine(await runner.patch(`${at}/plans/${plan.id}`, { status: 'done' }));
    fine(await runner.patch(`${at}/mood`, { mood: 'happy' }));
    await told({});

    const third = fine(await anna.get(`/api/rooms/${roomId}/agents`)).agents.at(-1);
    assert.equal((await anna.delete(`/api/rooms/${roomId}/agents/${third.id}`)).status, 204);
    await told({});

    for (const bad of [anna.post(`/api/rooms/${roomId}/messages`, { text: ' ' }), anna.post(`/api/rooms/${roomId}/events`, {}),
        anna.patch(`/api/rooms/${roomId}/relationships`, { agent1Id: Cook.id, agent2Id: Cook.id, sympathyLevel: 0 })])
        assert.ok((await bad).status >= 400);
    await told({});

    assert.equal((await anna.delete(`/api/rooms/${roomId}`)).status, 204);
    for (const one of [...chats, ...graphs])
        assert.equal((await one.ended(5000)).code, 4003);
    assert.equal((await streams[0].ended(5000)).code, 4001);
    const other = await anna.room('another', ['A']);
    assert.deepEqual((await since(streams[1], anna, other.id)), []);
    for (const one of [...chats, ...graphs])
        assert.ok(one.frames.every((f) => ['connected', 'message', 'event', 'edge_update'].includes(f.type)));
});

test('frames: only type and payload, well-formed', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('kitchen', ['Cook', 'Critic']);
    const chat = await anna.chat(room.id);
    const texts = ['"quoted" \\ back', '\u2028 <b>&amp;</b>', '🥊'.repeat(5), 'a\nb\tc', ' padded ', '{"type":"message","payload":{'];
    for (const text of texts) {
        await anna.say(room.id, text, room.agents.Cook.id);
        const heard = await chat.next('message');
        assert.deepEqual(Object.keys(heard).sort(), ['payload', 'type']);
        assert.deepEqual(Object.keys(heard.payload).sort(), ['agentId', 'agentResponse', 'id', 'sender', 'text', 'timestamp']);
        assert.equal(heard.payload.text, text);
        assert.match(heard.payload.id, ID);
        assert.match(heard.payload.timestamp, MOMENT);
    }
});

test('what is acknowledged behind connected comes, and a GET at a frame sees it', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('kitchen', ['Cook', 'Critic']);
    await anna.say(room.id, 'history');
    for (let i = 0; i < 20; i++) {
        const chat = await anna.chat(room.id);
        const said = await anna.say(room.id, `after ${i}`);
        const heard = await chat.next('message');
        assert.deepEqual(heard, messageFrame(said), 'no history, nothing missing');
        const [newest] = await anna.feed(room.id, 1);
        assert.equal(newest.id, heard.payload.id);
        chat.terminate();
    }
});

test('sockets that open while others speak: no doubles, no holes behind the first', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('kitchen', ['Cook']);
    const all = [];
    let speaking = true;
    const speaker = (async () => {
        while (speaking)
            all.push((await anna.say(room.id, `no ${all.length}`)).id);
    })();
    const chats = [];
    for (let i = 0; i < 30; i++)
        chats.push(await anna.chat(room.id));
    speaking = false;
    await speaker;
    const end = await anna.say(room.id, 'end');
    for (const chat of chats) {
        await chat.upTo((f) => f.payload?.id === end.id);
        const heard = chat.frames.slice(1).map((f) => f.payload.id);
        assert.deepEqual(heard, [...all, end.id].slice(-heard.length));
    }
});

test('nothing crosses rooms, users or kinds', async () => {
    const confab = await started;
    const anna = await register(confab);
    const eve = await register(confab);
    const first = await anna.room('first', ['A', 'B']);
    const second = await anna.room('second', ['A', 'B']);
    const foreign = await eve.room('third', ['A', 'B']);
    const chat = await anna.chat(first.id);
    const graph = await anna.graph(first.id);
    const stream = await (await anna.runner(first.id)).stream();
    for (const [owner, room] of [[anna, second], [eve, foreign]]) {
        await owner.say(room.id, 'elsewhere');
        await owner.relate(room.id, room.agents.A.id, room.agents.B.id, 1);
        await owner.ok('POST', `/api/rooms/${room.id}/orchestration/stop`);
    }
    assert.deepEqual(await since(chat, anna, first.id), []);
    const { id } = chat.frames.at(-1).payload;
    assert.deepEqual((await since(stream, anna, first.id)).map(({ payload }) => payload.id), [id]);
    assert.deepEqual(await graphSince(graph, anna, first.id, [first.agents.A.id, first.agents.B.id]), []);
});

test('a room whose id begins with another\'s', async () => {
    await withInstance({ systems: 'rooms' }, async (confab) => {
        const anna = await register(confab);
        const list = [];
        for (let i = 0; i < 12; i++)
            list.push(await anna.room(`room ${i}`, ['A', 'B']));
        const [one, twelve] = [list[0], list.find((r) => r.id !== list[0].id && r.id.startsWith(list[0].id))];
        assert.ok(twelve, `${list.map((r) => r.id)}`);
        const chat = await anna.chat(one.id);
        await anna.say(twelve.id, 'not for the other');
        assert.deepEqual(await since(chat, anna, one.id), []);
    });
});

test('32 sockets of one room and kind, and then some', async () => {
    await withInstance({ systems: 'rooms', env: { CONFAB_ROOMS_SOCKETS_MAX: '33' } }, async (confab) => {
        const anna = await register(confab);
        const room = await anna.room('full', ['A', 'B']);
        const chats = await Promise.all(Array.from({ length: 33 }, () => anna.chat(room.id)));
        const graphs = await Promise.all(Array.from({ length: 33 }, () => anna.graph(room.id)));
        const said = await anna.say(room.id, 'everybody?');
        await anna.relate(room.id, room.agents.A.id, room.agents.B.id, 0.5);
        for (const chat of chats)
            assert.equal((await chat.next('message')).payload.id, said.id);
        for (const graph of graphs)
            await graph.next('edge_update');
        const late = anna.knock(room.id, 'chat');
        await late.ended();
        assert.equal(late.refused?.status, 503);
        assert.ok(Number(late.refused.headers['retry-after']) > 0);
        /* strangers take nobody's place */
        const eve = await register(confab);
        for (let i = 0; i < 40; i++)
            await turnedAway(eve.knock(room.id, 'chat'), 4003);
        await chats[0].close();
        await until('a place to be free', async () => {
            const again = anna.knock(room.id, 'chat');
            return again.connected().catch(() => undefined);
        });
    });
});

/* ---- what clients say ---- */

test('ping, and everything else', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['A', 'B']);
    const stream = await (await anna.runner(room.id)).stream();
    const pong = frame('pong', {});
    for (const socket of [await anna.chat(room.id), await anna.graph(room.id), stream]) {
        socket.send({ type: 'ping' });
        assert.deepEqual(await socket.next('pong'), pong);
        socket.send({ type: 'ping', at: 5, nested: { a: [null] } });
        assert.deepEqual(await socket.next('pong'), pong);
        const bad = ['', 'nonsense', '[]', '12', 'null', '"ping"', '{}', '{"type":null}', '{"type":5}', '{"type":"Ping"}', '{"type":"pong"}',
            '{"type":"message","payload":{"text":"x"}}', '{"type":"subscribe"}', '{"type":"ping"', '{"type":"ping"} x', '{"type":"ping",}',
            '['.repeat(5000), Buffer.from('{"type":"ping"}'), Buffer.from([0xff, 0])];
        for (const one of bad)
            socket.send(one);
        socket.send({ type: 'ping' });
        const answers = await socket.upTo('pong');
        assert.equal(answers.length, bad.length + 1);
        for (const { type, payload } of answers.slice(0, -1)) {
            assert.equal(type, 'error');
            assert.deepEqual(Object.keys(payload), ['message']);
            assert.ok(typeof payload.message === 'string' && payload.message);
        }
        socket.ws.ping('x');
        await within('a protocol pong', new Promise((resolve) => { socket.ws.on('pong', resolve); }));
        assert.equal(socket.closed, null);
    }
    assert.deepEqual(await anna.feed(room.id), []);
});

test('too long, too many, not UTF-8', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['A']);
    const long = (n) => JSON.stringify({ type: 'ping', pad: '' }).replace('""', `"${'x'.repeat(n - 24)}"`);
    const chat = await anna.chat(room.id);
    chat.send(long(16384));
    assert.equal(long(16384).length, 16384);
    await chat.next('pong');
    chat.send(long(16385));
    assert.equal((await chat.ended()).code, 1009);

    const quick = await anna.chat(room.id);
    for (let i = 0; i < 200; i++)
        quick.send({ type: 'ping' });
    assert.equal((await quick.ended()).code, 1008);
    assert.ok(quick.frames.length - 1 >= 50, 'as many as are allowed are answered');

    const broken = await anna.chat(room.id);
    broken.ws._socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]));
    assert.equal((await broken.ended()).code, 1007);
});

test('one that does not read is closed with 1013, and holds up nobody', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['A']);
    const slow = direct(confab, `/api/rooms/${room.id}/chat?token=${anna.token}`);
    await slow.connected();
    slow.ws.pause();
    const good = await anna.chat(room.id);
    for (let n = 1; n <= 150; n++) {        /* 3 MB: more than its bound and what the system holds for it */
        await anna.say(room.id, 'я'.repeat(10000));
        await good.count('message', n);
    }
    slow.ws.resume();
    assert.equal((await slow.ended()).code, 1013);
    const heard = slow.frames.slice(1).map((f) => f.payload.id);
    assert.ok(heard.length < 150);
    assert.deepEqual(heard, good.frames.slice(1, heard.length + 1).map((f) => f.payload.id), 'nothing is left out before the end');
    assert.equal(good.closed, null);
});

test('one that answers nothing is dropped, one that only answers pings is not', async () => {
    await withInstance({ systems: 'rooms', env: { CONFAB_ROOMS_SILENCE_S: '1' } }, async (confab) => {
        const anna = await register(confab);
        const room = await anna.room('r', ['A']);
        const quiet = await anna.chat(room.id);
        await rawClose(confab, `/api/rooms/${room.id}/chat?token=${anna.token}`, '');
        await quiet.pinged(4);
        assert.equal(quiet.closed, null);
    });
});

/* ---- ends ---- */

/* Opens a raw socket, reads its first frame, sends bytes, and gives what comes until the end. */
function rawClose(confab, target, bytes) {
    return within('a raw close', new Promise((resolve, reject) => {
        const chunks = [];
        let said = false;
        const socket = net.connect(confab.port, '127.0.0.1', () => socket.write(
            `GET ${target} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
            + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'));
        socket.on('error', reject);
        socket.on('data', (chunk) => {
            chunks.push(chunk);
            const all = Buffer.concat(chunks);
            const at = all.indexOf('"connected"');
            if (!said && at > 0) {
                said = true;
                chunks.length = 0;
                socket.write(bytes);
            }
        });
        socket.on('end', () => socket.end());
        socket.on('close', () => resolve(Buffer.concat(chunks)));
    }));
}

const maskedClose = (payload = []) => Buffer.from([0x88, 0x80 | payload.length, 0, 0, 0, 0, ...payload]);

test('a Close frame without a status is answered with 4003 on a chat, one with a status is echoed', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['A']);
    const target = `/api/rooms/${room.id}/chat?token=${anna.token}`;
    const bare = await rawClose(confab, target, maskedClose());
    assert.equal(bare.subarray(0, 1).toString('hex'), '88');
    assert.equal(bare.readUInt16BE(2), 4003);
    for (const code of [1000, 1001, 3000, 4001]) {
        const answer = await rawClose(confab, target, maskedClose([code >> 8, code & 255]));
        assert.deepEqual([...answer], [0x88, 2, code >> 8, code & 255]);
    }
    /* as pages do: close() */
    for (const [kind, code] of [['chat', 4003], ['graph', 1005]]) {
        const socket = await anna[kind](room.id);
        socket.ws.close();
        assert.equal((await socket.ended(2000)).code, code);
    }
    const chat = await anna.chat(room.id);
    chat.ws.close(1000, 'bye');
    assert.equal((await chat.ended(2000)).code, 1000);
});

test('a bare Close of one who has not read everything is answered, too', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['A']);
    const chat = direct(confab, `/api/rooms/${room.id}/chat?token=${anna.token}`);
    await chat.connected();
    chat.ws.pause();
    for (let i = 0; i < 40; i++)        /* more than a socket holds, less than a queue may */
        await anna.say(room.id, 'x'.repeat(9900) + i);
    chat.ws.close();
    chat.ws.resume();
    assert.equal((await chat.ended(5000)).code, 4003);
});

test('4001 when the token ends', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['A']);
    const exp = now() + 2;
    const query = `token=${roomsToken(anna.id, { exp })}`;
    for (const socket of KINDS.map((kind) => anna.knock(room.id, kind, { query }))) {
        await socket.connected();
        assert.equal((await socket.ended()).code, 4001);
        const late = Date.now() - exp * 1000;
        assert.ok(late > -100 && late < 5000, `${late} ms`);
    }
    await turnedAway(anna.knock(room.id, 'chat', { query }), 4001);
    const runner = await (await anna.runner(room.id)).stream();
    await anna.say(room.id, 'keys do not end');
    await runner.next('message');
});

test('4003 when the room is deleted, its keys\' streams 4001, others stay', async () => {
    const confab = await started;
    const anna = await register(confab);
    const [room, other] = [await anna.room('r', ['A']), await anna.room('o', ['A'])];
    const runner = await anna.runner(room.id);
    const mine = [await anna.chat(room.id), await anna.graph(room.id)];
    const stream = await runner.stream();
    const stay = [await anna.chat(other.id), await (await anna.runner(other.id)).stream(), await new Runner(confab, RUNNER_KEY).stream()];
    assert.equal((await anna.delete(`/api/rooms/${room.id}`)).status, 204);
    for (const one of mine)
        assert.equal((await one.ended(5000)).code, 4003);
    assert.equal((await stream.ended(5000)).code, 4001);
    await turnedAway(anna.knock(room.id, 'chat'), 4003);
    await turnedAway(runner.knock(), 4001);
    for (const one of stay) {
        await since(one, anna, other.id);
        assert.equal(one.closed, null);
    }
});

test('4001 when the account is deactivated, or erased', async () => {
    const confab = await started;
    const bystander = await register(confab);
    const other = await bystander.room('o', ['A']);
    const stays = await bystander.chat(other.id);
    for (const how of [['--active', 'no'], ['--erase']]) {
        const anna = await register(confab);
        const room = await anna.room('r', ['A']);
        const runner = await anna.runner(room.id);
        const sockets = [await anna.chat(room.id), await anna.graph(room.id)];
        const stream = await runner.stream();
        await confab.ctl('rooms-user', '--email', anna.email, ...how);
        for (const one of sockets)
            assert.equal((await one.ended(5000)).code, 4001);
        await turnedAway(anna.knock(room.id, 'chat'), 4001);
        if (how[0] === '--erase')
            assert.equal((await stream.ended(5000)).code, 4001);
        else
            stream.terminate();
    }
    assert.deepEqual(await since(stays, bystander, other.id), []);
});

test('1001 when the relay ends, and the room is there again after it', async () => {
    await withInstance({ systems: 'rooms' }, async (confab) => {
        const anna = await register(confab);
        const room = await anna.room('r', ['A']);
        const sockets = [await anna.chat(room.id), await anna.graph(room.id), await (await anna.runner(room.id)).stream()];
        await confab.relays[0].restart();
        for (const one of sockets)
            assert.equal((await one.ended()).code, 1001);
        const chat = await anna.chat(room.id);
        await anna.say(room.id, 'still here');
        assert.equal((await chat.next('message')).payload.text, 'still here');
    });
});

/* ---- runners ---- */

test('runner streams: scope, first frame, keys that die', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['A']);
    const runner = await anna.runner(room.id);
    const twin = await anna.runner(room.id, 'twin');
    const stream = await runner.stream();
    assert.equal(stream.hello.payload.scope, 'room');
    assert.equal(stream.hello.payload.roomId, room.id);
    assert.ok(stream.hello.payload.message);
    const all = await new Runner(confab, RUNNER_KEY).stream();
    assert.deepEqual([all.hello.payload.scope, all.hello.payload.roomId], ['all', null]);
    const other = await twin.stream();

    const later = await anna.room('made later', ['A']);
    const said = await anna.say(later.id, 'heard by the operator');
    assert.equal((await all.next((f) => f.payload?.id === said.id)).payload.roomId, later.id);

    assert.equal((await anna.delete(`/api/rooms/${room.id}/runners/${runner.key.id}`)).status, 204);
    assert.equal((await stream.ended(5000)).code, 4001);
    await turnedAway(runner.knock(), 4001);
    assert.deepEqual(await since(other, anna, room.id), []);
    assert.ok(!stream.frames.some((f) => f.payload?.id === said.id), 'not of another room');
});

/* ---- logs ---- */

test('a broadcast that nobody hears leaves one line, without what was said; tokens leave none', async () => {
    await withInstance({ systems: 'rooms' }, async (confab) => {
        const anna = await register(confab);
        const room = await anna.room('r', ['A', 'B']);
        const relay = confab.relays[0];
        const line = (channel, type) => `broadcast room_id=${room.id} — 0 подключений, сообщение не доставлено channel=${channel} type=${type}`;
        const times = (text) => relay.text().split(`${text}\n`).length - 1;
        const hears = async (what, n) => {
            await until(what, () => times(what) >= n);
            assert.equal(times(what), n);
        };
        const secret = 'a sentence that no log may hold';

        await anna.say(room.id, secret);
        await hears(line('chat', 'message'), 1);
        await anna.ok('POST', `/api/rooms/${room.id}/events`, { description: secret });
        await hears(line('chat', 'event'), 1);
        await anna.relate(room.id, room.agents.A.id, room.agents.B.id, 1);
        await hears(line('graph', 'edge_update'), 1);

        const graph = await anna.graph(room.id);
        await anna.say(room.id, secret);        /* a graph is no chat */
        await hears(line('chat', 'message'), 2);
        const chat = await anna.chat(room.id);
        await anna.relate(room.id, room.agents.A.id, room.agents.B.id, 0);
        await graph.next('edge_update');
        await anna.say(room.id, secret);
        await chat.next('message');
        await chat.close();
        await graph.close();
        await until('both to be gone', () => relay.text().split('disconnected').length - 1 >= 2);
        await anna.say(room.id, secret);
        await hears(line('chat', 'message'), 3);
        assert.equal(times(line('graph', 'edge_update')), 1);
        assert.equal(times(line('chat', 'event')), 1);
        await anna.ok('POST', `/api/rooms/${room.id}/orchestration/stop`);       /* no chat, no graph */

        await turnedAway(direct(confab, `/api/rooms/${room.id}/chat?token=a-bad-one`), 4001);
        await turnedAway(new Runner(confab, 'rk_a-bad-key').knock(), 4001);
        await request(confab.port, 'GET', `/api/rooms/${room.id}/chat?token=${anna.token}`);
        for (const one of confab.everything)
            for (const word of [secret, anna.token, 'a-bad-one', 'rk_a-bad-key'])
                assert.ok(!one.text().includes(word), `${word} in the log of ${one.name}`);
        const access = readFileSync(`${confab.dir}/access.log`, 'utf8');
        assert.ok(!access.includes(anna.token) && !access.includes('a-bad-one'));
    });
});
