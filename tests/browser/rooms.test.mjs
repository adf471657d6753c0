/* The page of rooms: two tabs of one user, agents that answer, a graph that moves.
 * SPDX-License-Identifier: MIT
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { RUNNER_KEY, SOURCE, instance, test } from '../lib/instance.mjs';
import { PASSWORD, nobody, register, rooms, roomsToken } from '../lib/rooms.mjs';
import { now } from '../lib/jwt.mjs';
import { until } from '../lib/wait.mjs';
import { place } from '../../www/rooms/js/layout.js';
import { Line } from '../../www/rooms/js/line.js';
import { Tab, noSocket } from './tab.mjs';

const started = rooms();

/* The example runner, once it listens; it answers until the test is over. */
async function runner(t, confab) {
    const child = spawn(process.execPath, [path.join(SOURCE, 'docs/examples/runner/runner.mjs')], {
        env: { ...process.env, NODE_PATH: path.join(SOURCE, 'tests/node_modules'), CONFAB_RUNNER_KEY: RUNNER_KEY,
               CONFAB_URL: `http://127.0.0.1:${confab.port}` },
    });
    t.after(() => child.kill());
    let said = '';
    for (const stream of [child.stdout, child.stderr])
        stream.on('data', (text) => { said += text; });
    await until('the runner to listen', () => said.includes('ready'));
}

/* A tab of somebody who is logged in. */
async function tab(confab, owner, { room, query = 'rooms/', ...options } = {}) {
    const made = await Tab.open(confab, owner.username, { query, ...options });
    await made.page.evaluate((who) => localStorage.setItem('confab.rooms', JSON.stringify(who)),
        { id: owner.id, username: owner.username, token: owner.token });
    await made.page.goto(`${made.home}rooms/${room ? `#/${room}` : ''}`);
    await made.page.reload();
    if (room)
        await live(made);
    return made;
}

async function live(one) {
    for (const id of ['status', 'graph-status'])
        await one.at(`#${id}[data-state="live"]`).waitFor({ state: 'attached' });
}

const level = (one, key) => one.at(`.edge[data-key="${key}"]`).getAttribute('data-level');
const leads = (one, key, wanted) => until(`the edge to be ${wanted}`, async () => Number(await level(one, key)) === wanted);

test('two tabs of one user see what is said, the agents\' answers, and an edge moving', async (t) => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('Kitchen', ['Cook', 'Critic', 'Guest'], { orchestration_type: 'circular' });
    const ids = Object.values(room.agents).map(({ id }) => id);
    const key = `${ids[0]}-${ids[1]}`;
    await anna.relate(room.id, ids[1], ids[2], -0.6);
    await runner(t, confab);
    const tabs = [await tab(confab, anna, { room: room.id }), await tab(confab, anna, { room: room.id })];
    const [first, second] = tabs;
    await first.say('is it done yet? <b>please</b> & thanks');
    for (const one of tabs) {
        await one.at('.msg .who', { hasText: 'Cook' }).waitFor();
        assert.deepEqual(await one.texts(), ['is it done yet? <b>please</b> & thanks', 'Cook heard: is it done yet? <b>please</b> & thanks']);
        await leads(one, key, 0.1);         /* kind words */
    }
    await second.page.fill('#text', '@critic what do you say?');
    assert.equal(await second.page.inputValue('#to'), ids[1]);
    await second.page.press('#text', 'Enter');
    for (const one of tabs) {
        await one.at('.msg .addressed', { hasText: 'to Critic' }).waitFor();
        await one.said('Critic heard: @critic what do you say?');
    }
    /* a line dragged up */
    const line = await first.at(`.edge[data-key="${key}"] .hit`).boundingBox();
    await first.page.mouse.move(line.x + line.width / 2, line.y + line.height / 2);
    await first.page.mouse.down();
    await first.page.mouse.move(line.x + line.width / 2, line.y + line.height / 2 - 84, { steps: 7 });
    await first.page.mouse.up();
    for (const one of tabs)
        await leads(one, key, 0.8);
    /* the slider, by keyboard */
    await second.page.selectOption('#pair', `${ids[0]}-${ids[2]}`);
    await second.page.focus('#level');
    for (let i = 0; i < 4; i++)
        await second.page.keyboard.press('ArrowLeft');
    for (const one of tabs)
        await leads(one, `${ids[0]}-${ids[2]}`, -0.2);
    const { edges } = await anna.ok('GET', `/api/rooms/${room.id}/relationships`);
    assert.deepEqual(edges.map(({ sympathyLevel }) => sympathyLevel), [0.8, -0.2, -0.6]);
    await until('the drawing to rest', () => first.page.evaluate(async () => {
        const places = () => [...document.querySelectorAll('.node')].map((node) => node.getAttribute('transform')).join();
        const before = places();
        await new Promise((resolve) => { setTimeout(resolve, 100); });
        return before === places();
    }));
    await first.shot('rooms');
    await first.clean();
    await second.clean();
});

test('registering, a room, agents, events; everything by keyboard and form', async () => {
    const confab = await started;
    const one = await Tab.open(confab, 'zoe', { query: 'rooms/', expected: /status of (401|422)/ });
    await one.page.fill('#door-email', 'Zoe@Example.com');
    await one.page.fill('#door-password', PASSWORD);
    await one.page.press('#door-password', 'Enter');
    await one.at('#door-why', { hasText: /\w/ }).waitFor();
    await one.at('button[value="register"]').click();
    await one.at('#me', { hasText: 'zoe' }).waitFor();
    await one.at('#new-room').click();
    await one.page.fill('[name="name"]', 'A <i>new</i> room');
    await one.page.keyboard.press('Enter');
    await one.at('#talk-title', { hasText: 'A <i>new</i> room' }).waitFor();
    await live(one);
    await one.at('.log', { hasText: 'Nobody is here yet' }).waitFor();
    await one.at('#add-agent').click();
    await one.at('.choices .item').first().click();
    await one.at('.agents .item').first().waitFor();
    await one.at('#add-agent').click();
    await one.page.fill('[name="name"]', 'user');
    await one.page.keyboard.press('Enter');
    await one.at('.dialog .refused', { hasText: /\w/ }).waitFor();
    await one.page.fill('[name="name"]', '<script>Bob</script>');
    await one.page.fill('[name="character"]', 'kind');
    await one.at('.dialog .primary').click();
    await one.at('.agents .item', { hasText: '<script>Bob</script>' }).waitFor();
    assert.equal(await one.at('.node').count(), 2);
    await one.at('#menu summary').click();
    await one.at('.menu-items button', { hasText: 'Something happens' }).click();
    await one.page.fill('[name="description"]', 'It begins to <em>rain</em>');
    await one.at('.dialog .primary').click();
    await one.at('.happened', { hasText: 'It begins to <em>rain</em>' }).waitFor();
    await one.at('.agents .item', { hasText: 'Bob' }).click();
    await one.at('.dialog .story', { hasText: 'kind' }).waitFor();
    await one.at('.dialog button', { hasText: 'Remove' }).click();
    await one.at('.dialog button', { hasText: 'Really' }).click();
    await until('one agent', async () => await one.at('.node').count() === 1);
    await one.at('#me').click();
    await one.at('#door').waitFor();
    assert.equal(await one.page.evaluate(() => localStorage.length), 0);
    await one.page.fill('#door-email', 'zoe@example.com');
    await one.page.fill('#door-password', PASSWORD);
    await one.page.press('#door-password', 'Enter');
    await one.at('.item-title', { hasText: 'A <i>new</i> room' }).waitFor();
    await one.clean();
});

test('a guest gets a room with three agents, and pages link to each other', async () => {
    const confab = await started;
    const one = await Tab.open(confab, 'guest', { query: '' });
    await one.at('#door .door-else a[href="rooms/"]').click();
    await one.at('#door-guest').click();
    await one.at('#first-room').click();
    await until('three agents', async () => await one.at('.node').count() === 3);
    await leads(one, await one.at('.edge').first().getAttribute('data-key'), 0.4);
    await one.at('.elsewhere a[href="../"]').click();
    await one.until('the other page', () => document.title === 'Confab');
    await one.clean();
});

test('older messages come by scrolling, without moving what one reads', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('Long', ['Cook']);
    for (let i = 0; i < 75; i++)
        await anna.say(room.id, `number ${i}.`);
    const one = await tab(confab, anna, { room: room.id });
    await one.said('number 74.');
    assert.equal(await one.at('.msg').count() < 75, true);
    await until('the first', async () => {
        await one.page.evaluate(() => { document.querySelector('#scroll').scrollTop = 0; });
        return await one.at('.msg', { hasText: 'number 0.' }).count() === 1;
    });
    assert.deepEqual(await one.texts(), Array.from({ length: 75 }, (_, i) => `number ${i}.`));
    await one.clean();
});

test('after a relay was away everything is there', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('Away', ['Cook', 'Critic']);
    const ids = Object.values(room.agents).map(({ id }) => id);
    const one = await tab(confab, anna, { room: room.id, expected: noSocket });
    await confab.relays[0].stop();
    await one.at('#status[data-state="connecting"]').waitFor();
    await anna.say(room.id, 'said meanwhile');
    await anna.relate(room.id, ...ids, 0.5);
    await one.say('said by the page');
    await confab.relays[0].start();
    await live(one);
    await one.said('said meanwhile');
    await one.said('said by the page');
    await leads(one, ids.join('-'), 0.5);
    await one.clean();
});

test('an agent that another tab removed: the room stays open', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('Fewer', ['Cook', 'Critic']);
    const one = await tab(confab, anna, { room: room.id, expected: /status of 404/ });
    await one.at('.node').nth(1).waitFor();
    await anna.delete(`/api/rooms/${room.id}/agents/${room.agents.Critic.id}`);
    await one.page.selectOption('#to', room.agents.Critic.id);
    await one.say('are you there?');
    await one.at('#notice', { hasText: /\w/ }).waitFor();
    assert.equal(await one.page.inputValue('#text'), 'are you there?');
    assert.equal(await one.at('#talk-title').innerText(), 'Fewer');
    await one.clean();
});

test('4003 leaves the room, 4001 logs out', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('Short', ['Cook']);
    const one = await tab(confab, anna, { room: room.id });
    await anna.delete(`/api/rooms/${room.id}`);
    await one.at('#notice', { hasText: 'gone' }).waitFor();
    await one.at('#nothing').waitFor();
    assert.equal(await one.at('#list .item').count(), 0);
    await one.clean();
    const second = await anna.room('Soon', ['Cook']);
    const brief = { ...anna, token: roomsToken(anna.id, { exp: now() + 4 }) };
    const other = await tab(confab, brief, { room: second.id, expected: /status of 401/ });
    await other.at('#door-why', { hasText: 'ended' }).waitFor();
    assert.equal(await other.page.evaluate(() => localStorage.length), 0);
    await other.clean();
});

test('on a phone: one pane at a time, nothing too wide; in the dark it is dark', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('A room with quite a long name, longer than a phone is wide', ['Cook', 'Critic', 'A guest with a long name too']);
    await anna.say(room.id, `a word ${'verylong'.repeat(40)}`);
    const phone = { viewport: { width: 360, height: 700 }, hasTouch: true, isMobile: true, colorScheme: 'dark' };
    const one = await tab(confab, anna, { ...phone });
    const fits = () => one.until('nothing too wide', () => document.documentElement.scrollWidth <= innerWidth);
    await fits();
    await one.at('#list .item').tap();
    await one.said('a word');
    await fits();
    await one.shot('rooms-phone-chat');
    assert.equal(await one.at('#graph').isVisible(), false);
    await one.at('#to-graph').tap();
    await one.at('#graph').waitFor();
    await fits();
    await one.shot('rooms-phone-graph');
    await one.at('#to-chat').tap();
    await one.at('#back').tap();
    await one.at('#new-room').waitFor();
    await one.clean();
});

test('places: alike in every tab, closer where there is sympathy, within the box', () => {
    const distance = ([a, b]) => Math.hypot(a.x - b.x, a.y - b.y);
    const pair = (value) => distance(place([[0, value], [value, 0]], 480, 400));
    assert.ok(pair(1) < pair(0) && pair(0) < pair(-1));
    for (const n of [0, 1, 2, 3, 7, 50]) {
        const levels = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => i === j ? 0 : Math.sin(i * j + i + j)));
        const spots = place(levels, 480, 400);
        assert.deepEqual(spots, place(levels, 480, 400));
        assert.ok(spots.every(({ x, y }) => x >= 0 && x <= 480 && y >= 0 && y <= 400), JSON.stringify(spots));
    }
});

test('a line: which closes are final, and that it leaves with a status', () => {
    const heard = [], sockets = [];
    class FakeSocket {
        constructor() { sockets.push(this); }
        close(code) { heard.push(`close ${code}`); }
    }
    const line = () => new Line({ WebSocket: FakeSocket, url: () => 'ws://x/', onConnected: () => heard.push('connected'),
                                  onFrame: ({ type }) => heard.push(type), onLogout: () => heard.push('logout'), onGone: () => heard.push('gone') });
    const lost = line();
    sockets[0].onmessage({ data: '{"type":"connected","payload":{}}' });
    sockets[0].onmessage({ data: '{"type":"pong","payload":{}}' });
    sockets[0].onmessage({ data: '{"type":"message","payload":{}}' });
    sockets[0].onclose({ code: 1006 });
    lost.wake();
    lost.close();
    for (const code of [4001, 4003]) {
        const ended = line();
        sockets.at(-1).onclose({ code });
        ended.wake();
    }
    assert.equal(sockets.length, 4);
    assert.deepEqual(heard, ['connected', 'message', 'close 1000', 'logout', 'gone']);
});
