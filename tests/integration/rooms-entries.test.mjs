/* What is said and what happens in a room: order, ids, pages, the feed, and what is pushed.
 * SPDX-License-Identifier: MIT
 */
import { assert, keys } from '../lib/assert.mjs';
import { test } from '../lib/instance.mjs';
import { fine, ID, MOMENT, NOBODY, refused, register, rooms } from '../lib/rooms.mjs';

const started = rooms();
const number = (one) => Number(one.id);

/* Times and ids rise together, strictly; no id twice. newest first */
function checkRun(items) {
    for (let i = 1; i < items.length; i++) {
        assert.ok(number(items[i - 1]) > number(items[i]), JSON.stringify(items.slice(i - 1, i + 1)));
        assert.ok(items[i - 1].timestamp > items[i].timestamp, JSON.stringify(items.slice(i - 1, i + 1)));
    }
}

test('a message: answer, lists, frame', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['Cook', 'Critic']);
    const runner = await anna.runner(room.id);
    const [chat, chat2, graph, stream] = await Promise.all([anna.chat(room.id), anna.chat(room.id), anna.graph(room.id), runner.stream()]);
    const text = '<b>"salt"</b> \\ \u2028 🎭\n\t  ';
    const answer = await anna.post(`/api/rooms/${room.id}/messages`, { text, sender: 'Система', agentId: room.agents.Cook.id });
    const message = fine(answer);
    assert.match(message.id, ID);
    assert.match(message.timestamp, MOMENT);
    assert.deepEqual(message, { id: message.id, text, sender: 'user', timestamp: message.timestamp, agentId: null, agentResponse: null });
    for (const socket of [chat, chat2])
        assert.deepEqual(await socket.next('message'), { type: 'message', payload: message });
    assert.deepEqual(await stream.next('message'), { type: 'message', payload: { roomId: room.id, ...message } });
    const { agentResponse, ...listed } = message;
    assert.deepEqual(fine(await anna.get(`/api/rooms/${room.id}/messages`)), { messages: [listed], hasMore: false });
    assert.deepEqual(await anna.feed(room.id), [{ type: 'message', ...listed }]);

    const direct = await anna.say(room.id, 'you', room.agents.Critic.id);
    assert.equal(direct.agentId, room.agents.Critic.id);
    assert.equal(direct.sender, 'user');
    assert.deepEqual((await chat.next('message')).payload, direct);
    const edge = await anna.relate(room.id, room.agents.Cook.id, room.agents.Critic.id, 1);
    assert.deepEqual((await graph.upTo('edge_update')).map((frame) => frame.type), ['edge_update']);
    assert.equal(edge.sympathyLevel, 1);
});

test('texts: at the bound and beyond it; a room without company', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['Cook']);
    const paths = [`/api/rooms/${room.id}/messages`, `/api/rooms/${room.id}/agents/${room.agents.Cook.id}/messages`];
    for (const path of paths) {
        for (const text of ['x', '🎭'.repeat(10000), '\u200b', ' x ', '\\', '\u007f', '\ufeff!'])
            assert.equal(fine(await anna.post(path, { text })).text, text);
        for (const text of ['', ' ', '\n\t', '\u00a0\u3000\u2028', 'x'.repeat(10001), '\u0000', 'a\u0000b', null, undefined, 5, true, [], {}])
            refused(await anna.post(path, { text }), 422, 'text');
        for (const body of ['', '{', '[]', '"x"', '5', 'null', '{"text":"a"}x', '{"text":"a",}', "{'text':'a'}", '{"text":"a\nb"}', '{"text":"\\ud800"}',
            '{"text":"\\udc00x"}', '{"text":"\\ud83c"}', '{"text":"a","x":NaN}', '{"text":"a","x":05}', '{"text":"a","x":.5}', '\ufeff{"text":"a"}',
            Buffer.from('7b2274657874223a22c328227d', 'hex'), Buffer.from('7b2274657874223a22eda080227d', 'hex')])
            refused(await anna.post(path, body), 422);
        const nested = (n) => `{"text":"deep","x":${'['.repeat(n - 1)}${']'.repeat(n - 1)}}`;
        fine(await anna.post(path, nested(32)));
        refused(await anna.post(path, nested(33)), 422);
        fine(await anna.post(path, { text: 'one', sender: 5, extra: { a: [1] } }));
    }
    const size = 256 * 1024;
    const filler = (n) => `{"text":"big","x":"${'x'.repeat(n - 21)}"}`;
    assert.equal(filler(size).length, size);
    fine(await anna.post(paths[0], filler(size)));
    assert.equal((await anna.post(paths[0], filler(size + 1))).status, 413);
    assert.equal((await anna.post(paths[0], filler(size + 1), { chunked: true })).status, 413);
    assert.equal((await anna.post(paths[0], filler(5 * 1024 * 1024))).status, 413);
    assert.equal((await anna.post(paths[0], filler(100 * 1024), { chunked: true })).status, 200);
    const empty = await anna.room('empty');
    refused(await anna.post(`/api/rooms/${empty.id}/messages`, { text: 'x' }), 400);
    refused(await anna.post(`/api/rooms/${empty.id}/agents/${room.agents.Cook.id}/messages`, { text: 'x' }), 404);
    assert.deepEqual(await anna.feed(empty.id), []);
});

test('pages of messages: backwards, exact', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['Cook']);
    const said = [];
    for (let i = 0; i < 45; i++) {
        said.unshift(await anna.say(room.id, `m${i}`));
        if (i % 3 === 0)
            await anna.ok('POST', `/api/rooms/${room.id}/events`, { description: `e${i}` });
    }
    const path = `/api/rooms/${room.id}/messages`;
    const ids = said.map((one) => one.id);
    const page = async (query) => {
        const { messages, hasMore } = fine(await anna.get(`${path}?${query}`));
        return [messages.map((one) => one.id), hasMore];
    };
    assert.deepEqual(await page(''), [ids.slice(0, 20), true]);
    assert.deepEqual(await page('limit=44'), [ids.slice(0, 44), true]);
    assert.deepEqual(await page('limit=45'), [ids, false]);
    assert.deepEqual(await page('limit=100'), [ids, false]);
    assert.deepEqual(await page(`after_id=${ids[19]}`), [ids.slice(20, 40), true]);
    assert.deepEqual(await page(`after_id=${ids[39]}&limit=5`), [ids.slice(40), false]);
    assert.deepEqual(await page(`after_id=${ids[44]}`), [[], false]);
    assert.deepEqual(await page(`after_id=${Number(ids[10]) + 0}&limit=1`), [[ids[11]], true]);
    for (const none of ['0', '-1', '-99999999999999999999'])
        assert.deepEqual(await page(`after_id=${none}`), [[], false]);
    for (const all of ['9223372036854775807', '99999999999999999999', '999999999999'])
        assert.deepEqual(await page(`after_id=${all}&limit=100`), [ids, false]);
    let [seen, cursor] = [[], ''];
    for (let more = true; more;) {
        const [some, has] = await page(`limit=7${cursor}`);
        seen.push(...some);
        more = has;
        cursor = `&after_id=${some.at(-1)}`;
    }
    assert.deepEqual(seen, ids);
    for (const query of ['limit=0', 'limit=101', 'limit=-1', 'limit=', 'limit=x', 'limit=2.0', 'limit=1e1', 'limit=%20', 'limit=true', 'limit=99999999999999999999',
        'after_id=', 'after_id=x', 'after_id=1.5', 'after_id=null', 'after_id=--1', 'after_id=-', 'after_id=1x', 'limit', 'after_id=%ff'])
        refused(await anna.get(`${path}?${query}`), 422);
});

test('the feed: a true merge, in one sequence', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['Cook']);
    const path = `/api/rooms/${room.id}`;
    for (let i = 0; i < 30; i++)
        await anna.say(room.id, `m${i}`);
    for (let i = 0; i < 3; i++)
        await anna.ok('POST', `${path}/events`, { description: `e${i}` });
    const feed = fine(await anna.get(`${path}/feed`)).items;
    assert.deepEqual(feed.map((item) => item.text ?? item.description), ['e2', 'e1', 'e0', ...Array.from({ length: 17 }, (_, i) => `m${29 - i}`)]);
    checkRun(feed);
    keys(feed[0], 'type', 'id', 'eventType', 'agentIds', 'description', 'timestamp');
    keys(feed[3], 'type', 'id', 'text', 'sender', 'agentId', 'timestamp');
    assert.equal((await anna.feed(room.id, 1)).length, 1);
    assert.equal((await anna.feed(room.id, 100)).length, 33);
    for (const query of ['limit=0', 'limit=101', 'limit=', 'limit=x'])
        refused(await anna.get(`${path}/feed?${query}`), 422);
});

test('many at once: one sequence, strictly rising, each pushed once', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['Cook', 'Critic']);
    const runner = await anna.runner(room.id);
    const chat = await anna.chat(room.id);
    const path = `/api/rooms/${room.id}`;
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => [
        () => anna.post(`${path}/messages`, { text: `m${i}` }),
        () => anna.post(`${path}/events`, { description: `e${i}` }),
        () => runner.post(`/api/runner/rooms/${room.id}/messages`, { text: `r${i}`, agentId: room.agents.Cook.id }),
        () => anna.post(`${path}/events/broadcast`, { description: `b${i}`, type: 'chat' }),
    ][i % 4]()));
    assert.ok(answers.every((one) => [200, 201].includes(one.status)), answers.map((one) => one.text).join());
    const feed = await anna.feed(room.id);
    assert.equal(feed.length, 75);
    checkRun(feed);
    const frames = await chat.count((frame) => ['message', 'event'].includes(frame.type), 75);
    assert.deepEqual(frames.map((frame) => frame.payload.id), feed.map((item) => item.id).reverse());
});

test('events: whom they concern', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['a', 'b', 'c']);
    const other = await anna.room('other', ['x']);
    const path = `/api/rooms/${room.id}/events`;
    const { a, b, c } = room.agents;
    const chat = await anna.chat(room.id);
    const event = fine(await anna.post(path, { description: '  it <rains> ', agentIds: [Number(c.id), a.id, a.id, `${c.id}`] }));
    keys(event, 'id', 'type', 'agentIds', 'description', 'timestamp');
    assert.equal(event.type, 'user_event');
    assert.deepEqual([...event.agentIds].sort(), [a.id, c.id].sort());
    assert.equal(event.description, '  it <rains> ');
    const { type, ...rest } = event;
    assert.deepEqual(await chat.next('event'), { type: 'event', payload: { ...rest, eventType: 'user_event' } });
    for (const agentIds of [[], null, undefined])
        assert.deepEqual(fine(await anna.post(path, { description: 'all', agentIds, type: 'A.b:c-d_9' })).agentIds, [a.id, b.id, c.id]);
    for (const id of [other.agents.x.id, ...NOBODY, 0, -1, 999999999, 1e20])
        refused(await anna.post(path, { description: 'd', agentIds: [a.id, id] }), 400);
    for (const agentIds of ['1', 1, {}, true, ['x'], [null], [1.5], [true], [[1]], [''], ['1 '], Array(1001).fill(a.id)])
        refused(await anna.post(path, { description: 'd', agentIds }), 422, 'agentIds');
    refused(await anna.post(path, `{"description":"d","agentIds":[1e999]}`), 422);
    for (const where of [path, `${path}/broadcast`]) {
        for (const description of ['x', '🎭'.repeat(4000)])
            fine(await anna.post(where, { description, type: 'x'.repeat(64) }));
        for (const description of ['', ' ', 'x'.repeat(4001), '\u0000', null, undefined, 5])
            refused(await anna.post(where, { description }), 422, 'description');
        for (const kind of ['', ' ', 'a b', 'é', 'x'.repeat(65), 'a/b', 5, true, '\u0000', 'a\n'])
            refused(await anna.post(where, { description: 'd', type: kind }), 422, 'type');
        assert.equal(fine(await anna.post(where, { description: 'd', type: null })).type, 'user_event');
    }
    const empty = await anna.room('empty');
    assert.deepEqual(fine(await anna.post(`/api/rooms/${empty.id}/events`, { description: 'd' })).agentIds, []);
});

test('broadcasts: an event, and what the user says with it', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['a', 'b']);
    const chat = await anna.chat(room.id);
    const path = `/api/rooms/${room.id}/events/broadcast`;
    const plain = fine(await anna.post(path, { description: 'thunder', agentIds: [room.agents.a.id] }));
    assert.deepEqual(plain.agentIds, [room.agents.a.id, room.agents.b.id]);
    for (const type of ['user_message', 'chat']) {
        const event = fine(await anna.post(path, { description: type, type }));
        assert.equal(event.type, type);
        assert.equal((await chat.next({ type: 'event' })).payload.description, type === 'chat' ? 'chat' : 'thunder');
        if (type === 'user_message')
            assert.equal((await chat.next('event')).payload.id, event.id);
        const frame = await chat.next('message');
        assert.equal(frame.payload.text, type);
        assert.equal(frame.payload.sender, 'user');
        const [message, before] = await anna.feed(room.id, 2);
        assert.deepEqual([message.id, before.id], [frame.payload.id, event.id]);
    }
    const empty = await anna.room('empty');
    refused(await anna.post(`/api/rooms/${empty.id}/events/broadcast`, { description: 'd', type: 'chat' }), 400);
    assert.deepEqual(await anna.feed(empty.id), []);
    fine(await anna.post(`/api/rooms/${empty.id}/events/broadcast`, { description: 'd' }));
});
