/* Runners: keys, what they read and post, repeats.
 * SPDX-License-Identifier: MIT
 */
import { assert, keys } from '../lib/assert.mjs';
import { RUNNER_KEY, test } from '../lib/instance.mjs';
import { fine, ID, MOMENT, NO_ID, NOBODY, nobody, refused, register, rooms, roomsToken, Runner } from '../lib/rooms.mjs';

const started = rooms();
const VOICES = ['🎭 Рассказчик Нарратор', '📊 Сводка Суммаризатор', 'Система'];
const R = (room) => `/api/runner/rooms/${room.id}`;

test('keys: shown once, listed without, dead at once', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['a']);
    const path = `/api/rooms/${room.id}/runners`;
    const key = fine(await anna.post(path, { name: ' my runner ', webhookUrl: null }), 201);
    keys(key, 'id', 'roomId', 'name', 'key', 'webhookUrl', 'webhookSecret', 'createdAt');
    assert.match(key.id, ID);
    assert.match(key.key, /^rk_[\x21-\x7e]{20,}$/);
    assert.match(key.createdAt, MOMENT);
    assert.deepEqual([key.roomId, key.name, key.webhookUrl, key.webhookSecret], [room.id, ' my runner ', null, null]);
    const runner = new Runner(confab, key.key);
    assert.equal(fine(await anna.get(path)).runners[0].lastUsedAt, null);
    assert.deepEqual(fine(await runner.get('/api/runner/rooms')).rooms.map((one) => one.id), [room.id]);
    const { runners } = fine(await anna.get(path));
    assert.equal(runners.length, 1);
    keys(runners[0], 'id', 'roomId', 'name', 'webhookUrl', 'createdAt', 'lastUsedAt');
    assert.match(runners[0].lastUsedAt, MOMENT);
    const stream = await runner.stream();
    fine(await anna.delete(`${path}/${key.id}`), 204);
    refused(await runner.get('/api/runner/rooms'), 401);
    assert.equal((await stream.ended()).code, 4001);
    refused(await anna.delete(`${path}/${key.id}`), 404);
    assert.deepEqual(fine(await anna.get(path)), { runners: [] });
    for (let i = 0; i < 10; i++)
        fine(await anna.post(path, { name: `k${i}` }), 201);
    refused(await anna.post(path, { name: 'one more' }), 400);
    for (const name of ['', ' ', null, undefined, 5, 'x'.repeat(81), '\u0000'])
        refused(await anna.post(path, { name }), 422, 'name');
    for (const webhookUrl of ['https://example.com/hook', '', 'x', 5, {}])
        refused(await anna.post(path, { name: 'n', webhookUrl }), 422, 'webhookUrl');
});

/* Every call of a runner: method, path below the room, a body that would do. */
const calls = (agent) => [
    ['GET', ''], ['GET', '/messages'], ['POST', '/messages', { text: 't', agentId: agent }], ['POST', '/events', { description: 'd' }],
    ['PATCH', '/relationships', { agent1Id: agent, agent2Id: agent, sympathyLevel: 0 }],
    ['POST', `/agents/${agent}/memories`, { content: 'c' }], ['POST', `/agents/${agent}/plans`, { description: 'd' }],
    ['PATCH', `/agents/${agent}/plans/1`, { status: 'done' }], ['PATCH', `/agents/${agent}/mood`, { mood: 'sad' }],
];

test('keys and tokens are not interchangeable; what is out of scope is missing', async () => {
    const confab = await started;
    const anna = await register(confab);
    const [room, other] = [await anna.room('r', ['a']), await anna.room('other', ['b'])];
    const runner = await anna.runner(room.id);
    const operator = new Runner(confab, RUNNER_KEY);
    for (const token of [anna.token, roomsToken('1'), undefined, '', 'rk_', 'rk_unknown', `${runner.token}x`, runner.token.slice(0, -1), anna.refreshToken])
        for (const [method, rest, body] of calls(room.agents.a.id))
            refused(await new Runner(confab, token).call(method, R(room) + rest, body), 401);
    for (const [method, rest, body] of calls(other.agents.b.id)) {
        const foreign = await runner.call(method, R(other) + rest, body);
        refused(foreign, 404);
        assert.equal(foreign.text, (await runner.call(method, R({ id: '99999' }) + rest, body)).text);
    }
    for (const id of NOBODY)
        refused(await operator.get(R({ id })), 404);
    for (const id of NO_ID)
        refused(await operator.get(R({ id })), 422);
    for (const one of [runner, operator]) {
        for (const path of ['/api/rooms', '/api/auth/me', `/api/rooms/${room.id}/feed`, '/api/agents'])
            refused(await one.get(path), 401);
        assert.equal((await new Runner(confab, anna.token).knock().ended()).code, 4001);
    }
    assert.ok(fine(await operator.get('/api/runner/rooms')).rooms.length >= 2);
    assert.equal(fine(await operator.get(R(other))).room.id, other.id);
    refused(await nobody(confab).get(R(room)), 401);
    refused(await runner.delete(R(room)), 405);
    refused(await runner.get('/api/runner/nothing'), 404);
});

test('what a runner sees of a room', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['a', 'b'], { orchestration_type: 'circular' });
    const runner = await anna.runner(room.id);
    await anna.relate(room.id, room.agents.b.id, room.agents.a.id, 0.25);
    const seen = fine(await runner.get(R(room)));
    keys(seen, 'room', 'agents', 'edges', 'orchestrationRunning');
    assert.deepEqual(seen.room, fine(await anna.get(`/api/rooms/${room.id}`)));
    assert.deepEqual(seen.agents.map(({ character, ...agent }) => agent), Object.values(room.agents));
    assert.ok(seen.agents.every((agent) => agent.character.length > 0));
    assert.deepEqual(seen.edges, [{ from: room.agents.a.id, to: room.agents.b.id, sympathyLevel: 0.25 }]);
    assert.equal(seen.orchestrationRunning, false);
    const stream = await runner.stream();
    assert.deepEqual(stream.hello.payload.scope, 'room');
    assert.equal(stream.hello.payload.roomId, room.id);
    await anna.ok('POST', `/api/rooms/${room.id}/orchestration/start`);
    assert.deepEqual(await stream.next('orchestration'), { type: 'orchestration', payload: { roomId: room.id, running: true, orchestration_type: 'circular' } });
    assert.equal(fine(await runner.get(R(room))).orchestrationRunning, true);
});

test('replies: by an agent or by a stage voice, by nobody else', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['Cook', 'Critic']);
    const other = await anna.room('other', ['Guest']);
    const runner = await anna.runner(room.id);
    const chat = await anna.chat(room.id);
    const { id } = room.agents.Cook;
    const path = `${R(room)}/messages`;
    for (const body of [{ agentId: id }, { agentId: Number(id), sender: 'Cook' }, { agentId: id, sender: null }]) {
        const said = fine(await runner.post(path, { text: 'done', ...body }), 201);
        assert.deepEqual(said, { id: said.id, text: 'done', sender: 'Cook', timestamp: said.timestamp, agentId: id, agentResponse: null });
        assert.deepEqual((await chat.next('message')).payload, said);
    }
    for (const sender of VOICES) {
        const said = fine(await runner.post(path, { text: 'x', sender, agentId: null }), 201);
        assert.deepEqual([said.sender, said.agentId], [sender, null]);
        assert.deepEqual((await chat.next('message')).payload, said);
    }
    for (const body of [{ agentId: id, sender: 'Critic' }, { agentId: id, sender: 'user' }, { agentId: id, sender: '' }, { agentId: other.agents.Guest.id },
        { agentId: 0 }, { agentId: '-1' }, { agentId: '99999999999999999999' }, {}, { sender: 'user' }, { sender: 'Cook' }, { sender: '' }, { sender: 'система' },
        { sender: `${VOICES[0]} ` }, { agentId: id, sender: VOICES[2] }])
        refused(await runner.post(path, { text: 'x', ...body }), 400);
    for (const body of [{ agentId: 'x' }, { agentId: 1.5 }, { agentId: true }, { sender: 5 }, { text: ' ' }, { text: 'x'.repeat(10001) }, { text: null }, { sender: 'a\u0000' }])
        refused(await runner.post(path, { text: 'x', agentId: id, ...body }), 422);
    fine(await runner.post(path, { text: '🎭'.repeat(10000), agentId: id }), 201);
    assert.equal((await anna.feed(room.id)).length, 7);
});

test('a repeated key: the first answer again, nothing else', async () => {
    const confab = await started;
    const anna = await register(confab);
    const [room, second] = [await anna.room('r', ['Cook']), await anna.room('second', ['Cook'])];
    const runner = await anna.runner(room.id);
    const operator = new Runner(confab, RUNNER_KEY);
    const chat = await anna.chat(room.id);
    const agentId = room.agents.Cook.id;
    const key = (text) => ({ headers: { 'Idempotency-Key': text } });
    const first = fine(await runner.post(`${R(room)}/messages`, { text: 'once', agentId }, key('k')), 201);
    const answers = await Promise.all(Array.from({ length: 8 }, () => runner.post(`${R(room)}/messages`, { text: 'once', agentId }, key('k'))));
    for (const answer of answers)
        assert.deepEqual(fine(answer, 200), first);
    assert.deepEqual(fine(await operator.post(`${R(room)}/messages`, { text: 'other words', agentId }, key('k')), 200), first);
    const raced = await Promise.all(Array.from({ length: 8 }, () => runner.post(`${R(room)}/messages`, { text: 'raced', agentId }, key('race'))));
    assert.equal(raced.filter((one) => one.status === 201).length, 1);
    assert.equal(new Set(raced.map((one) => one.json.id)).size, 1);
    const event = fine(await runner.post(`${R(room)}/events`, { description: 'd' }, key('e')), 201);
    assert.deepEqual(fine(await runner.post(`${R(room)}/events`, { description: 'd' }, key('e')), 200), event);
    fine(await operator.post(`${R(second)}/messages`, { text: 'another room', agentId: second.agents.Cook.id }, key('k')), 201);
    for (const bad of ['a b', 'x'.repeat(129), 'caf\u00e9'])
        refused(await runner.post(`${R(room)}/messages`, { text: 'x', agentId }, key(bad)), 422);
    fine(await runner.post(`${R(room)}/messages`, { text: 'last', agentId }, key('~'.repeat(128))), 201);
    const frames = await chat.upTo((frame) => frame.payload.text === 'last');
    assert.deepEqual(frames.map((frame) => frame.payload.text ?? frame.payload.description), ['once', 'raced', 'd', 'last']);
});

test('events by a runner', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['a', 'b']);
    const runner = await anna.runner(room.id);
    const event = fine(await runner.post(`${R(room)}/events`, { description: 'd', type: 'quarrel', agentIds: [room.agents.b.id] }), 201);
    assert.deepEqual([event.type, event.agentIds], ['quarrel', [room.agents.b.id]]);
    refused(await runner.post(`${R(room)}/events`, { description: 'd', agentIds: ['999'] }), 400);
    refused(await runner.post(`${R(room)}/events`, { description: '' }), 422);
});

test('catching up: messages after one, oldest first', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['a']);
    const runner = await anna.runner(room.id);
    const said = [];
    for (let i = 0; i < 53; i++)
        said.push((await anna.say(room.id, `m${i}`)).id);
    const page = async (query) => {
        const { messages, hasMore } = fine(await runner.get(`${R(room)}/messages?${query}`));
        return [messages.map((one) => one.id), hasMore];
    };
    assert.deepEqual(await page(''), [said.slice(0, 50), true]);
    assert.deepEqual(await page(`since_id=${said[49]}`), [said.slice(50), false]);
    assert.deepEqual(await page(`since_id=${said[2]}&limit=50`), [said.slice(3), false]);
    assert.deepEqual(await page('since_id=-5&limit=1'), [said.slice(0, 1), true]);
    assert.deepEqual(await page('since_id=99999999999999999999'), [[], false]);
    const [one] = fine(await runner.get(`${R(room)}/messages?limit=1`)).messages;
    keys(one, 'id', 'text', 'sender', 'agentId', 'timestamp');
    for (const query of ['limit=0', 'limit=101', 'limit=', 'since_id=', 'since_id=x', 'since_id=1.5'])
        refused(await runner.get(`${R(room)}/messages?${query}`), 422);
});

test('memories, plans, moods', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['a', 'b']);
    const runner = await anna.runner(room.id);
    const path = `${R(room)}/agents/${room.agents.a.id}`;
    const memory = fine(await runner.post(`${path}/memories`, { content: 'salt' }), 201);
    keys(memory, 'id', 'content', 'timestamp', 'importance');
    assert.equal(memory.importance, 0.5);
    for (const importance of [0, 1, 0.7])
        assert.equal(fine(await runner.post(`${path}/memories`, { content: 'x'.repeat(2000), importance }), 201).importance, importance);
    for (const body of [{ content: '' }, { content: 'x'.repeat(2001) }, {}, { content: 'c', importance: 1.01 }, { content: 'c', importance: -0.1 }, { content: 'c', importance: '1' }])
        refused(await runner.post(`${path}/memories`, body), 422);

    const plan = fine(await runner.post(`${path}/plans`, { description: 'cook' }), 201);
    assert.deepEqual(plan, { id: plan.id, description: 'cook', status: 'pending' });
    const change = (body, id = plan.id) => runner.patch(`${path}/plans/${id}`, body);
    assert.deepEqual(fine(await change({ status: 'in_progress' })), { ...plan, status: 'in_progress' });
    assert.deepEqual(fine(await change({ description: 'eat', status: null })), { id: plan.id, description: 'eat', status: 'in_progress' });
    assert.deepEqual(fine(await change({})), { id: plan.id, description: 'eat', status: 'in_progress' });
    assert.deepEqual(fine(await change({ status: 'done' })).status, 'done');
    assert.equal(fine(await runner.post(`${path}/plans`, { description: 'x'.repeat(1000), status: 'done' }), 201).status, 'done');
    for (const body of [{ description: '' }, { description: ' ' }, { description: 'x'.repeat(1001) }, { description: 'd', status: 'over' }, { description: 'd', status: 1 }]) {
        refused(await runner.post(`${path}/plans`, body), 422);
        refused(await change(body), 422);
    }
    refused(await runner.post(`${path}/plans`, {}), 422);
    for (const id of NOBODY)
        refused(await change(id === '0' ? '{' : { status: 'done' }, id), 404);
    refused(await change({ status: 'done' }, 'x'), 422);
    refused(await runner.patch(`${R(room)}/agents/${room.agents.b.id}/plans/${plan.id}`, { status: 'done' }), 404);

    const presets = { happy: [0.8, '😊', '#4ade80'], neutral: [0.5, '😐', '#94a3b8'], sad: [0.2, '😢', '#f87171'], angry: [0.1, '😠', '#ef4444'], excited: [0.9, '🤩', '#eab308'] };
    for (const [mood, [level, icon, color]] of Object.entries(presets)) {
        assert.deepEqual(fine(await runner.patch(`${path}/mood`, { mood })), { mood, level, icon, color });
        assert.deepEqual(fine(await runner.patch(`${path}/mood`, { mood, level: 1 })), { mood, level: 1, icon, color });
        assert.equal(fine(await anna.get(`/api/rooms/${room.id}/agents`)).agents[0].mood.mood, mood);
    }
    for (const body of [{}, { mood: 'Happy' }, { mood: '' }, { mood: 5 }, { mood: 'sad', level: 2 }, { mood: 'sad', level: '1' }, { mood: null }])
        refused(await runner.patch(`${path}/mood`, body), 422);
    for (const id of NOBODY)
        for (const [method, rest, body] of [['POST', 'memories', { content: 'c' }], ['POST', 'plans', { description: 'd' }], ['PATCH', 'mood', { mood: 'sad' }]])
            refused(await runner.call(method, `${R(room)}/agents/${id}/${rest}`, body), 404);
});
