/* Relationships: one edge a pair, and what is pushed of it.
 * SPDX-License-Identifier: MIT
 */
import { assert, keys } from '../lib/assert.mjs';
import { test } from '../lib/instance.mjs';
import { fine, NOBODY, refused, register, rooms } from '../lib/rooms.mjs';

const started = rooms();

test('every pair, smaller id first, 0 where nothing was said', async () => {
    const confab = await started;
    const anna = await register(confab);
    await anna.room('so that ids have two digits', Array.from({ length: 8 }, (_, i) => `x${i}`));
    const room = await anna.room('r', ['a', 'b', 'c']);
    const path = `/api/rooms/${room.id}/relationships`;
    const [a, b, c] = ['a', 'b', 'c'].map((name) => room.agents[name].id);
    const graph = fine(await anna.get(path));
    keys(graph, 'nodes', 'edges');
    assert.deepEqual(graph.nodes, Object.values(room.agents));
    assert.deepEqual(graph.edges, [[a, b], [a, c], [b, c]].map(([from, to]) => ({ from, to, agentName: null, sympathyLevel: 0 })));
    assert.deepEqual(fine(await anna.patch(path, { agent1Id: c, agent2Id: Number(a), sympathyLevel: -0.7 })), { from: a, to: c, sympathyLevel: -0.7 });
    assert.deepEqual(fine(await anna.patch(path, { agent1Id: Number(a), agent2Id: c, sympathyLevel: 0.1 })), { from: a, to: c, sympathyLevel: 0.1 });
    assert.deepEqual(fine(await anna.get(path)).edges.map((edge) => edge.sympathyLevel), [0, 0.1, 0]);
    const { relationships } = fine(await anna.get(`/api/rooms/${room.id}/agents/${c}`));
    assert.deepEqual(relationships, [{ agentId: a, agentName: 'a', sympathyLevel: 0.1 }, { agentId: b, agentName: 'b', sympathyLevel: 0 }]);
    const model = fine(await anna.get(`/api/rooms/${room.id}/relationship-model`));
    assert.deepEqual(model, { graph: fine(await anna.get(path)), history: [], stats: {}, agent_ids: { a, b, c } });
    assert.deepEqual(fine(await anna.get(`/api/rooms/${room.id}/emotional-state`)), { agent_ids: { a, b, c }, states: {} });
    assert.deepEqual(fine(await anna.get(`/api/rooms/${room.id}/context-memory?query=%D0%BA`)), { summary: '', stats: {} });
});

test('levels: at the bound and beyond it; who may stand in a pair', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['a', 'b']);
    const other = await anna.room('other', ['x']);
    const path = `/api/rooms/${room.id}/relationships`;
    const [a, b] = ['a', 'b'].map((name) => room.agents[name].id);
    for (const level of [-1, 1, 0, 0.7, -0.1, 1 / 3, 5e-324, 0.1 + 0.2, 1e-10])
        assert.equal(fine(await anna.patch(path, { agent1Id: a, agent2Id: b, sympathyLevel: level })).sympathyLevel, level);
    const long = `0.${'1234567890'.repeat(20)}`;
    assert.equal(fine(await anna.patch(path, `{"agent1Id":${a},"agent2Id":${b},"sympathyLevel":${long}}`)).sympathyLevel, Number(long));
    fine(await anna.patch(path, `{"agent1Id":${a},"agent2Id":${b},"sympathyLevel":-0}`));
    for (const level of ['1.0000001', '-1.0000001', '2', '1e999', '-1e999', '"0.5"', 'true', 'null', '[]', '{}', 'NaN', '.5', '05', '0x1'])
        refused(await anna.patch(path, `{"agent1Id":${a},"agent2Id":${b},"sympathyLevel":${level}}`), 422);
    for (const body of [{ agent1Id: a, agent2Id: b }, { agent1Id: a, sympathyLevel: 0 }, { agent2Id: a, sympathyLevel: 0 }, {}])
        refused(await anna.patch(path, body), 422);
    for (const id of [null, true, 'x', '', [], {}, 1.5, '1.0', ' 1'])
        refused(await anna.patch(path, { agent1Id: a, agent2Id: id, sympathyLevel: 0 }), 422, 'agent2Id');
    for (const id of [a, Number(a), other.agents.x.id, ...NOBODY, 0, -5, 1e30])
        refused(await anna.patch(path, { agent1Id: a, agent2Id: id, sympathyLevel: 0 }), 400);
    refused(await anna.patch(path, { agent1Id: a, agent2Id: a, sympathyLevel: 5 }), 422);
});

test('each accepted call is one frame on every graph socket, and none elsewhere', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['a', 'b']);
    const neighbour = await anna.room('r2', ['a', 'b']);
    const runner = await anna.runner(room.id);
    const [a, b] = ['a', 'b'].map((name) => room.agents[name].id);
    const graphs = await Promise.all([1, 2, 3].map(() => anna.graph(room.id)));
    const [chat, elsewhere, stream] = await Promise.all([anna.chat(room.id), anna.graph(neighbour.id), runner.stream()]);
    const levels = [0.5, 0.5, -0.25, 0];
    for (const level of levels)
        await anna.relate(room.id, b, a, level);
    refused(await anna.patch(`/api/rooms/${room.id}/relationships`, { agent1Id: a, agent2Id: a, sympathyLevel: 0 }), 400);
    assert.deepEqual(fine(await runner.patch(`/api/runner/rooms/${room.id}/relationships`, { agent1Id: b, agent2Id: a, sympathyLevel: 0.75 })),
        { from: a, to: b, sympathyLevel: 0.75 });
    for (const graph of graphs) {
        const frames = await graph.upTo((frame) => frame.payload.sympathyLevel === 0.75);
        assert.deepEqual(frames, [...levels, 0.75].map((sympathyLevel) => ({ type: 'edge_update', payload: { roomId: room.id, from: a, to: b, sympathyLevel } })));
    }
    await anna.say(room.id, 'the end');
    await anna.relate(neighbour.id, neighbour.agents.a.id, neighbour.agents.b.id, 1);
    assert.deepEqual((await chat.upTo('message')).map((frame) => frame.type), ['message']);
    assert.deepEqual((await stream.upTo('message')).map((frame) => frame.type), ['message']);
    assert.equal((await elsewhere.upTo('edge_update')).length, 1);
});

test('many at once: the last word is one of theirs, and each is told', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['a', 'b']);
    const [a, b] = ['a', 'b'].map((name) => room.agents[name].id);
    const graph = await anna.graph(room.id);
    await Promise.all(Array.from({ length: 20 }, (_, i) => anna.relate(room.id, i % 2 ? a : b, i % 2 ? b : a, i / 20)));
    const frames = await graph.count('edge_update', 20);
    const { edges } = fine(await anna.get(`/api/rooms/${room.id}/relationships`));
    assert.equal(edges.length, 1);
    assert.equal(edges[0].sympathyLevel, frames.at(-1).payload.sympathyLevel);
});
