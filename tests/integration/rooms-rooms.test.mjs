/* Rooms: making, changing, running, removing them; whose they are.
 * SPDX-License-Identifier: MIT
 */
import { assert, keys } from '../lib/assert.mjs';
import { test } from '../lib/instance.mjs';
import { fine, ID, MOMENT, NO_ID, NOBODY, nobody, refused, register, rooms } from '../lib/rooms.mjs';

const started = rooms();
const ROOM = ['id', 'name', 'description', 'speed', 'orchestration_type', 'createdAt', 'updatedAt', 'agentCount'];
const TYPES = ['single', 'circular', 'narrator', 'full_context'];

test('a new room', async () => {
    const confab = await started;
    const anna = await register(confab);
    assert.deepEqual(fine(await anna.get('/api/rooms')), { rooms: [] });
    const room = fine(await anna.post('/api/rooms', { name: ' <b>Küche</b> 🎭 ', unknown: 1 }), 201);
    keys(room, ROOM);
    assert.match(room.id, ID);
    assert.match(room.createdAt, MOMENT);
    assert.deepEqual({ ...room, id: 0, createdAt: 0 }, { id: 0, name: ' <b>Küche</b> 🎭 ', description: null, speed: 1,
        orchestration_type: 'single', createdAt: 0, updatedAt: null, agentCount: 0 });
    assert.deepEqual(fine(await anna.get(`/api/rooms/${room.id}`)), room);
    for (const type of TYPES) {
        const more = fine(await anna.post('/api/rooms', { name: type, description: 'd', orchestration_type: type }), 201);
        assert.equal(more.orchestration_type, type);
        assert.equal(more.agentCount, type === 'narrator' ? 1 : 0);
        assert.equal(more.description, 'd');
    }
    const { rooms: list } = fine(await anna.get('/api/rooms'));
    assert.deepEqual(list.map((one) => Number(one.id)), list.map((one) => Number(one.id)).sort((a, b) => a - b));
    assert.deepEqual(list.map((one) => one.name), [room.name, ...TYPES]);
    for (const nothing of [null, undefined])
        assert.equal(fine(await anna.post('/api/rooms', { name: 'n', description: nothing, orchestration_type: nothing }), 201).orchestration_type, 'single');
});

test('ids are sorted as numbers', async () => {
    const confab = await started;
    const anna = await register(confab);
    for (let i = 0; i < 12; i++)
        await anna.room(`r${i}`);
    const { rooms: list } = fine(await anna.get('/api/rooms'));
    assert.deepEqual(list.map((one) => one.name), Array.from({ length: 12 }, (_, i) => `r${i}`));
});

test('fields of a room: at the bound and beyond it', async () => {
    const confab = await started;
    const anna = await register(confab);
    for (const body of [{ name: 'x' }, { name: '🎭'.repeat(120) }, { name: 'n', description: '' }, { name: 'n', description: '🎭'.repeat(2000) },
        { name: 'n', description: '  \n\t' }, { name: '\u2028 x' }]) {
        const room = fine(await anna.post('/api/rooms', body), 201);
        assert.equal(room.name, body.name);
        assert.equal(room.description, body.description ?? null);
    }
    for (const [field, values] of Object.entries({
        name: ['', ' ', '\u00a0\u2003\n', 'x'.repeat(121), null, undefined, 5, true, ['n'], {}, 'a\u0000b'],
        description: ['x'.repeat(2001), 5, false, [], '\u0000'],
        orchestration_type: ['', 'Single', 'other', 1, true, [], {}],
    })) {
        for (const value of values)
            refused(await anna.post('/api/rooms', { name: 'n', [field]: value }), 422, field);
    }
});

test('changing: description and speed alone, and the time of it', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r');
    const path = `/api/rooms/${room.id}`;
    const described = fine(await anna.patch(path, { description: 'd', name: 'no', orchestration_type: 'narrator', id: '7' }));
    assert.equal(described.description, 'd');
    assert.equal(described.name, 'r');
    assert.equal(described.orchestration_type, 'single');
    assert.match(described.updatedAt, MOMENT);
    assert.equal(fine(await anna.patch(path, {})).description, 'd');
    assert.equal(fine(await anna.patch(path, { description: null, speed: null })).description, 'd');
    assert.equal(fine(await anna.patch(path, { description: '' })).description, '');
    assert.equal(fine(await anna.get(path)).description, '');
    for (const speed of [0.1, 0.7, 1, 1e0, 2.5, 3.141592653589793, 10, 0.1000000000000000055511151231257827]) {
        assert.deepEqual(fine(await anna.patch(`${path}/speed`, { speed })), { speed });
        assert.equal(fine(await anna.get(path)).speed, speed);
        assert.equal(fine(await anna.patch(path, { speed })).speed, speed);
    }
    for (const speed of [0, 0.0999, 10.001, -1, '1', true, [], {}, 1e300])
        for (const where of [path, `${path}/speed`])
            refused(await anna.patch(where, { speed }), 422, 'speed');
    for (const speed of ['1e999', '-1e999', 'NaN', '.5', '05', 'Infinity', '1.', '+1'])
        refused(await anna.patch(`${path}/speed`, `{"speed":${speed}}`), 422);
    for (const body of [{}, { speed: null }, '', '[]', '1'])
        refused(await anna.patch(`${path}/speed`, body), 422);
    refused(await anna.patch(path, { description: 'x'.repeat(2001) }), 422, 'description');
    assert.equal(fine(await anna.get(path)).speed, 0.1);
});

test('removing: 204 without a word, and everything is gone', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['one', 'two']);
    await anna.say(room.id, 'hello');
    const { token } = await anna.runner(room.id);
    fine(await anna.delete(`/api/rooms/${room.id}`), 204);
    refused(await anna.delete(`/api/rooms/${room.id}`), 404);
    for (const more of ['', '/agents', '/feed', '/messages', '/relationships', '/runners', `/agents/${room.agents.one.id}`])
        refused(await anna.get(`/api/rooms/${room.id}${more}`), 404);
    refused(await nobody(confab).get('/api/runner/rooms', { headers: { Authorization: `Bearer ${token}` } }), 401);
    assert.deepEqual(fine(await anna.get('/api/agents')), []);
    const next = await anna.room('next');
    assert.ok(Number(next.id) > Number(room.id), 'ids are not used again');
});

test('running: a flag that only rooms with company have', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['one'], { orchestration_type: 'circular' });
    const go = (verb, id = room.id) => anna.post(`/api/rooms/${id}/orchestration/${verb}`);
    assert.deepEqual(fine(await go('stop')), { status: 'stopped', roomId: Number(room.id), pipelineCancelled: false });
    for (let i = 0; i < 2; i++)
        assert.deepEqual(fine(await go('start')), { status: 'started', roomId: Number(room.id), orchestration_type: 'circular' });
    assert.equal(fine(await go('stop')).pipelineCancelled, true);
    assert.equal(fine(await go('stop')).pipelineCancelled, false);
    refused(await go('start', (await anna.room('single', ['one'])).id), 400);
    fine(await go('stop', (await anna.room('single', ['one'])).id));
    refused(await go('start', (await anna.room('empty', [], { orchestration_type: 'full_context' })).id), 400);
    fine(await go('start', (await anna.room('narrated', [], { orchestration_type: 'narrator' })).id));
});

/* Every call that names a room: method, rest of the path, a body that would do. */
const calls = (agent) => [
    ['GET', ''], ['PATCH', '', { speed: 2 }], ['DELETE', ''], ['PATCH', '/speed', { speed: 2 }],
    ['GET', '/agents'], ['POST', '/agents', { name: 'n' }], ['POST', '/agents', { agentId: agent }],
    ['GET', `/agents/${agent}`], ['DELETE', `/agents/${agent}`], ['GET', `/agents/${agent}/memories`],
    ['GET', `/agents/${agent}/plans`], ['POST', `/agents/${agent}/messages`, { text: 't' }],
    ['GET', '/messages'], ['POST', '/messages', { text: 't' }], ['GET', '/feed'],
    ['POST', '/events', { description: 'd' }], ['POST', '/events/broadcast', { description: 'd' }],
    ['GET', '/relationships'], ['PATCH', '/relationships', { agent1Id: agent, agent2Id: agent, sympathyLevel: 0 }],
    ['POST', '/orchestration/start'], ['POST', '/orchestration/stop'],
    ['GET', '/relationship-model'], ['GET', '/emotional-state'], ['GET', '/context-memory?query=x'],
    ['GET', '/runners'], ['POST', '/runners', { name: 'n' }], ['DELETE', '/runners/1'],
];

test("another's room and a missing one are the same to the byte", async () => {
    const confab = await started;
    const [anna, ben] = [await register(confab), await register(confab)];
    const room = await anna.room('r', ['one']);
    const before = fine(await anna.get(`/api/rooms/${room.id}/feed`));
    for (const [method, rest, body] of calls(room.agents.one.id)) {
        const foreign = await ben.call(method, `/api/rooms/${room.id}${rest}`, body);
        const missing = await ben.call(method, `/api/rooms/999999999${rest}`, body);
        refused(foreign, 404);
        assert.equal(foreign.status, missing.status, `${method} ${rest}`);
        assert.equal(foreign.text, missing.text, `${method} ${rest}`);
        refused(await nobody(confab).call(method, `/api/rooms/${room.id}${rest}`, body), 401);
    }
    assert.deepEqual(fine(await ben.get('/api/rooms')), { rooms: [] });
    assert.deepEqual(fine(await anna.get(`/api/rooms/${room.id}/feed`)), before);
    assert.equal(fine(await anna.get(`/api/rooms/${room.id}`)).agentCount, 1);
});

test('ids in paths that name nothing, and such as are none', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['one']);
    for (const id of NOBODY) {
        for (const [method, rest, body] of calls(1))
            refused(await anna.call(method, `/api/rooms/${id}${rest}`, body), 404);
        for (const [method, rest, body] of calls(id).filter((one) => one[1].includes(`/${id}`)))
            refused(await anna.call(method, `/api/rooms/${room.id}${rest}`, body), 404);
        refused(await anna.delete(`/api/rooms/${room.id}/runners/${id}`), 404);
    }
    for (const id of NO_ID) {
        for (const [method, rest, body] of calls(1))
            refused(await anna.call(method, `/api/rooms/${id}${rest}`, body), 422);
        refused(await anna.get(`/api/rooms/${room.id}/agents/${id}`), 422);
        refused(await anna.delete(`/api/rooms/${room.id}/runners/${id}`), 422);
    }
});

test('credential, size, path, body, rule: the first of them that is wrong counts', async () => {
    const confab = await started;
    const [anna, ben] = [await register(confab), await register(confab)];
    const room = await anna.room('r');
    const path = `/api/rooms/${room.id}/messages`;
    const huge = JSON.stringify({ text: 'x'.repeat(300 * 1024) });
    refused(await nobody(confab).post('/api/rooms/x/messages', huge), 401);
    assert.equal((await ben.post('/api/rooms/x/messages', huge)).status, 413);
    assert.equal((await ben.post(path, huge)).status, 413);
    refused(await ben.post('/api/rooms/x/messages', '{'), 422, 'room_id');
    refused(await ben.post(path, '{'), 404);
    refused(await ben.get(`${path}?limit=0`), 404);
    refused(await anna.post(`/api/rooms/${room.id}/agents/999/messages`, '{'), 404);
    refused(await anna.post(path, '{'), 422);
    refused(await anna.post(path, { text: '' }), 422);
    refused(await anna.post(path, { text: 'nobody is here' }), 400);
});

test('removed while everybody is at it: found or not found, never a fault', async () => {
    const confab = await started;
    const anna = await register(confab);
    for (let round = 0; round < 5; round++) {
        const room = await anna.room('r', ['one', 'two', 'three']);
        const [one, two] = [room.agents.one.id, room.agents.two.id];
        const runner = await anna.runner(room.id);
        const path = `/api/rooms/${room.id}`;
        const R = `/api/runner/rooms/${room.id}`;
        const answers = await Promise.all([
            ...calls(one).filter(([method, rest]) => method !== 'DELETE' || rest.startsWith('/agents')).map(([method, rest, body]) => anna.call(method, path + rest, body)),
            anna.patch(`${path}/relationships`, { agent1Id: one, agent2Id: two, sympathyLevel: 0.1 }),
            runner.post(`${R}/messages`, { text: 't', agentId: two }), runner.post(`${R}/agents/${one}/memories`, { content: 'c' }),
            runner.post(`${R}/agents/${one}/plans`, { description: 'd' }), runner.patch(`${R}/agents/${one}/mood`, { mood: 'sad' }), runner.get(R),
            anna.delete(path), anna.delete(path),
            ...calls(two).filter(([method]) => method !== 'DELETE').map(([method, rest, body]) => anna.call(method, path + rest, body)),
        ]);
        for (const answer of answers)
            assert.ok([200, 201, 204, 400, 401, 404].includes(answer.status), `${answer.status} ${answer.text}`);
        refused(await anna.get(path), 404);
        assert.deepEqual(fine(await anna.get('/api/agents')), []);
    }
});
