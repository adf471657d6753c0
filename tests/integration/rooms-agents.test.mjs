/* Agents: in rooms and out of them, templates, what they remember and plan.
 * SPDX-License-Identifier: MIT
 */
import { assert, keys } from '../lib/assert.mjs';
import { test, withInstance } from '../lib/instance.mjs';
import { fine, ID, MOMENT, NOBODY, nobody, refused, register, rooms } from '../lib/rooms.mjs';

const started = rooms();
const NEUTRAL = { mood: 'neutral', level: 0.5, icon: '😐', color: '#94a3b8' };

test('a new agent', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r');
    const path = `/api/rooms/${room.id}/agents`;
    const cook = fine(await anna.post(path, { name: 'Cook', character: ' <salty> ', avatar: 'https://example.com/cook.png' }), 201);
    assert.match(cook.id, ID);
    assert.deepEqual(cook, { id: cook.id, name: 'Cook', avatar: 'https://example.com/cook.png', mood: NEUTRAL });
    const critic = fine(await anna.post(path, { name: 'Critic', avatar: '' }), 201);
    assert.equal(critic.avatar, null);
    assert.deepEqual(fine(await anna.get(path)), { agents: [cook, critic] });
    assert.equal(fine(await anna.get(`/api/rooms/${room.id}`)).agentCount, 2);
    assert.deepEqual(fine(await anna.get(`${path}/${cook.id}`)), { ...cook, character: ' <salty> ', keyMemories: [], plans: [],
        relationships: [{ agentId: critic.id, agentName: 'Critic', sympathyLevel: 0 }] });
    const full = fine(await anna.get(`${path}/${critic.id}`));
    assert.ok(full.character.trim().length > 0, 'a stock text');
    refused(await anna.post(path, { name: 'Cook' }), 400);
    for (const character of ['', ' \n'])
        assert.ok(fine(await anna.get(`${path}/${(await anna.agent(room.id, `blank ${character.length}`, { character })).id}`)).character.trim());
});

test('fields of an agent: at the bound and beyond it', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r');
    const path = `/api/rooms/${room.id}/agents`;
    const url = (n) => `https://example.com/${'x'.repeat(n - 20)}`;
    for (const body of [{ name: '🦊'.repeat(80) }, { name: 'c', character: '🦊'.repeat(8000) }, { name: 'u', avatar: url(2048) },
        { name: 'v', avatar: 'HTTP://EXAMPLE.com' }, { name: 'Users' }, { name: 'my agent' }, { name: 'a🎭' }, { name: ' padded ' }])
        assert.equal(fine(await anna.post(path, body), 201).name, body.name);
    for (const [field, values] of Object.entries({
        name: ['', ' ', '\u3000', null, undefined, 5, true, [], {}, 'x'.repeat(81), '\u0000'],
        character: ['x'.repeat(8001), 5, {}, 'a\u0000'],
        avatar: ['x', 'ftp://a.example/', 'javascript:alert(1)', '//a.example', 'http://', 'https:///x', 'http:// a', 'https://a b', url(2049), 5, 'data:image/png;base64,x'],
    })) {
        for (const value of values)
            refused(await anna.post(path, { name: 'n', [field]: value }), 422, field);
    }
    for (const name of ['user', 'USER', ' User ', 'agent', 'Agent\n', 'system', 'SyStEm', 'система', 'СИСТЕМА', '\u00a0Система',
        '🎭', '🎭 Рассказчик Нарратор', ' 🎭x', '📊 x', '📊', 'Суммаризатор', 'мой сУММАРИЗАТОР тут'])
        refused(await anna.post(path, { name }), 422, 'name');
});

test('an agent in a second room: only his own owner puts him there', async () => {
    const confab = await started;
    const [anna, ben] = [await register(confab), await register(confab)];
    const [one, two] = [await anna.room('one', ['Cook', 'Critic']), await anna.room('two')];
    const theirs = await ben.room('theirs', ['Other']);
    const path = `/api/rooms/${two.id}/agents`;
    const { Cook } = one.agents;
    assert.deepEqual(fine(await anna.post(path, { agentId: Number(Cook.id), name: 'ignored' }), 201), Cook);
    refused(await anna.post(path, { agentId: Cook.id }), 400);
    fine(await anna.post(path, { name: 'Critic' }), 201);
    refused(await anna.post(path, { agentId: one.agents.Critic.id }), 400);
    for (const agentId of [theirs.agents.Other.id, ...NOBODY, ...NOBODY.slice(0, 3).map(Number)])
        refused(await anna.post(path, { agentId, name: 'n' }), 404);
    for (const agentId of ['', 'x', 1.5, '1.5', true, [], {}, [1]])
        refused(await anna.post(path, { agentId, name: 'n' }), 422, 'agentId');
    fine(await anna.post(path, { agentId: null, name: 'new' }), 201);
    assert.equal(fine(await anna.post(`/api/rooms/${(await anna.room('r')).id}/agents`, { agentId: ` ${Cook.id}`.trim(), name: 'x'.repeat(200) }), 201).id, Cook.id);
    fine(await anna.delete(`${path}/${Cook.id}`), 204);
    fine(await anna.get(`/api/rooms/${one.id}/agents/${Cook.id}`));
    refused(await anna.get(`${path}/${Cook.id}`), 404);
    const own = fine(await anna.get('/api/agents'));
    assert.ok(own.some((agent) => agent.id === Number(Cook.id)));
    assert.ok(!own.some((agent) => agent.name === 'Other'));
    keys(own[0], 'id', 'name', 'personality', 'avatar_url', 'state_vector');
    assert.deepEqual(fine(await nobody(confab).get('/api/agents')), []);
    refused(await nobody(confab).get('/api/agents', { headers: { Authorization: 'Bearer x' } }), 401);
});

test('at most as many agents as the setting says', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('full');
    for (let i = 0; i < 50; i++)
        await anna.agent(room.id, `a${i}`);
    refused(await anna.post(`/api/rooms/${room.id}/agents`, { name: 'one more' }), 400);
    assert.equal(fine(await anna.get(`/api/rooms/${room.id}`)).agentCount, 50);
    const { agents } = fine(await anna.get(`/api/rooms/${room.id}/agents`));
    assert.deepEqual(agents.map((one) => one.name), Array.from({ length: 50 }, (_, i) => `a${i}`), 'ascending as numbers');
    assert.equal(fine(await anna.get(`/api/rooms/${room.id}/relationships`)).edges.length, 50 * 49 / 2);
});

test('of many who add one name at once exactly one does', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r');
    const answers = await Promise.all(Array.from({ length: 8 }, () => anna.post(`/api/rooms/${room.id}/agents`, { name: 'same' })));
    assert.equal(answers.filter((one) => one.status === 201).length, 1);
    assert.ok(answers.every((one) => [201, 400].includes(one.status)));
    assert.equal(fine(await anna.get(`/api/rooms/${room.id}`)).agentCount, 1);
});

test('who leaves: edges go, messages stay without him, events keep his id', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['Cook', 'Critic']);
    const runner = await anna.runner(room.id);
    const { Cook, Critic } = room.agents;
    await anna.relate(room.id, Cook.id, Critic.id, 0.5);
    await anna.say(room.id, 'to you', Cook.id);
    await runner.say(room.id, { agentId: Cook.id, text: 'from me' });
    await anna.ok('POST', `/api/rooms/${room.id}/events`, { description: 'd', agentIds: [Cook.id] });
    fine(await anna.delete(`/api/rooms/${room.id}/agents/${Cook.id}`), 204);
    refused(await anna.delete(`/api/rooms/${room.id}/agents/${Cook.id}`), 404);
    const feed = await anna.feed(room.id);
    assert.deepEqual(feed.map((item) => [item.type, item.agentIds ?? item.agentId, item.sender, item.text ?? item.description]),
        [['event', [Cook.id], undefined, 'd'], ['message', null, 'Cook', 'from me'], ['message', null, 'user', 'to you']]);
    assert.deepEqual(fine(await anna.get(`/api/rooms/${room.id}/relationships`)).edges, []);
    assert.ok(!fine(await anna.get('/api/agents')).some((one) => one.id === Number(Cook.id)), 'in no room: gone');
    const back = await anna.agent(room.id, 'Cook');
    assert.notEqual(back.id, Cook.id);
    assert.equal(fine(await anna.get(`/api/rooms/${room.id}/relationships`)).edges[0].sympathyLevel, 0);
});

test('the narrator of a narrator room stays', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['Cook'], { orchestration_type: 'narrator' });
    const { agents } = fine(await anna.get(`/api/rooms/${room.id}/agents`));
    assert.deepEqual(agents.map((one) => one.name), ['Нарратор', 'Cook']);
    refused(await anna.delete(`/api/rooms/${room.id}/agents/${agents[0].id}`), 400);
    fine(await anna.delete(`/api/rooms/${room.id}/agents/${agents[1].id}`), 204);
    assert.ok(fine(await anna.get(`/api/rooms/${room.id}/agents/${agents[0].id}`)).character.length > 20);
    fine(await anna.delete(`/api/rooms/${room.id}`), 204);
});

test('memories and plans: pages, order, of this room only', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['Cook']);
    const other = await anna.room('other');
    const { id } = room.agents.Cook;
    fine(await anna.post(`/api/rooms/${other.id}/agents`, { agentId: id }), 201);
    const runner = await anna.runner(room.id);
    const path = `/api/rooms/${room.id}/agents/${id}`;
    const importances = [0.1, 0.9, 0.9, 0.5, 1, 0, 0.3, 0.3, 0.2, 0.7, 0.6, 0.8];
    for (const [i, importance] of importances.entries())
        await runner.ok('POST', `/api/runner${path.slice(4)}/memories`, { content: `m${i}`, importance });
    const all = fine(await anna.get(`${path}/memories`));
    keys(all, 'memories', 'total');
    assert.equal(all.total, 12);
    assert.deepEqual(all.memories.map((one) => one.content), importances.map((_, i) => `m${11 - i}`));
    keys(all.memories[0], 'id', 'content', 'timestamp', 'importance');
    assert.match(all.memories[0].timestamp, MOMENT);
    const page = fine(await anna.get(`${path}/memories?limit=5&offset=10`));
    assert.deepEqual(page, { memories: all.memories.slice(10), total: 12 });
    assert.deepEqual(fine(await anna.get(`${path}/memories?offset=9223372036854775807`)), { memories: [], total: 12 });
    for (const query of ['limit=0', 'limit=101', 'limit=', 'limit=x', 'limit=1.5', 'limit=-1', 'limit=99999999999999999999', 'limit=%2B5',
        'offset=-1', 'offset=', 'offset=x', 'limit=%zz'])
        refused(await anna.get(`${path}/memories?${query}`), 422);
    const full = fine(await anna.get(path));
    assert.deepEqual(full.keyMemories.map((one) => one.content), ['m4', 'm2', 'm1', 'm11', 'm9', 'm10', 'm3', 'm7', 'm6', 'm8']);
    for (let i = 0; i < 22; i++)
        await runner.ok('POST', `/api/runner${path.slice(4)}/plans`, { description: `p${i}` });
    const { plans } = fine(await anna.get(`${path}/plans`));
    assert.deepEqual(plans.map((one) => one.description), Array.from({ length: 22 }, (_, i) => `p${i}`));
    assert.deepEqual(fine(await anna.get(path)).plans, plans.slice(2).reverse());
    const there = `/api/rooms/${other.id}/agents/${id}`;
    assert.deepEqual(fine(await anna.get(`${there}/memories`)), { memories: [], total: 0 });
    assert.deepEqual(fine(await anna.get(`${there}/plans`)), { plans: [] });
    assert.deepEqual(fine(await anna.get(there)).keyMemories, []);
});

test('templates: for everybody, with numbers for ids', async () => {
    const confab = await started;
    const list = fine(await nobody(confab).get('/api/default-agents'));
    assert.ok(list.length > 0);
    for (const one of list) {
        keys(one, 'id', 'name', 'personality_preview', 'avatar_url');
        assert.equal(typeof one.id, 'number');
        const full = fine(await nobody(confab).get(`/api/default-agents/${one.id}`));
        keys(full, 'id', 'name', 'character', 'avatar');
        const points = [...full.character];
        assert.equal(one.personality_preview, points.length > 80 ? `${points.slice(0, 80).join('')}...` : full.character);
        assert.equal(full.name, one.name);
    }
    for (const id of ['0', '-1', '999', '99999999999999999999'])
        refused(await nobody(confab).get(`/api/default-agents/${id}`), 404);
    refused(await nobody(confab).get('/api/default-agents/x'), 422);
    const anna = await register(confab);
    const room = await anna.room('r');
    for (const one of list)
        await anna.agent(room.id, one.name);
});

test('limits that are settings', async () => {
    const env = { CONFAB_ROOMS_AGENTS_MAX: '2', CONFAB_ROOMS_PER_USER: '3', CONFAB_ROOMS_PLANS_MAX: '2', CONFAB_ROOMS_RUNNER_KEYS_MAX: '1' };
    await withInstance({ systems: 'rooms', relays: 0, env }, async (confab) => {
        const anna = await register(confab);
        const room = await anna.room('r', ['one', 'two']);
        refused(await anna.post(`/api/rooms/${room.id}/agents`, { name: 'three' }), 400);
        await anna.room('2');
        await anna.room('3');
        refused(await anna.post('/api/rooms', { name: '4' }), 400);
        const runner = await anna.runner(room.id);
        refused(await anna.post(`/api/rooms/${room.id}/runners`, { name: 'second' }), 400);
        const plans = `/api/runner/rooms/${room.id}/agents/${room.agents.one.id}/plans`;
        for (let i = 0; i < 2; i++)
            fine(await runner.post(plans, { description: 'p' }), 201);
        refused(await runner.post(plans, { description: 'p' }), 400);
    });
});
