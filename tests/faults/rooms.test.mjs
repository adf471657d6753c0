/* Rooms under fire: handlers and relays killed at named moments and at random. What is acknowledged is there, a socket
 * gets each frame at most once and, while it stays open, exactly once; a runner catches up by ids.
 * Needs a build with --enable-fault-points.
 * SPDX-License-Identifier: MIT
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { assert } from '../lib/assert.mjs';
import { RUNNER_KEY, SOURCE, test, withInstance } from '../lib/instance.mjs';
import { Process } from '../lib/process.mjs';
import { register } from '../lib/rooms.mjs';
import { until } from '../lib/wait.mjs';

const handlerPoints = ['write.locked', 'write.begun', 'write.rows', 'write.numbered', 'write.committed', 'write.pushed',
    'answer.before', 'answer.after'];

/* Until it is acknowledged: network failures and 5xx are tried again. */
const surely = (what, call) => until(`${what} to be acknowledged`, async () => {
    const answer = await call();
    return answer.status >= 200 && answer.status < 300 ? answer.json : undefined;
}, 30000);

/* The handler is started again, and the web server has noticed. */
async function back(owner, handler) {
    await handler.start();
    await surely('anything', () => owner.get('/api/rooms'));
}

/* A room's messages, oldest first, from the database. */
async function stored(owner, room) {
    const all = [];
    for (let before = ''; ;) {
        const page = await surely('a page', () => owner.get(`/api/rooms/${room}/messages?limit=100${before}`));
        all.unshift(...page.messages.reverse());
        if (!page.hasMore)
            return all;
        before = `&after_id=${all[0].id}`;
    }
}

for (const point of handlerPoints)
    test(`handler killed at ${point}: sockets that stay open hear everything that is stored, once, in order`, async () => {
        await withInstance({ systems: 'rooms', handlers: 1, fault: point }, async (confab) => {
            const anna = await register(confab);
            const room = await anna.room('r', ['A', 'B']);
            const { A, B } = room.agents;
            const runner = await anna.runner(room.id);
            const sockets = [await anna.chat(room.id), await anna.chat(room.id), await runner.stream()];
            const graph = await anna.graph(room.id);
            const [handler] = confab.handlers;
            const hit = async (call) => {
                handler.mayDie();
                confab.arm();
                const calling = call();
                await handler.died(point);
                await back(anna, handler);
                return calling.catch(() => ({ status: 0 }));
            };
            for (let i = 0; i < 2; i++) {
                await hit(() => anna.post(`/api/rooms/${room.id}/messages`, { text: `user ${i}` }));
                /* a runner repeats what was not acknowledged */
                const post = () => runner.post(`/api/runner/rooms/${room.id}/messages`, { text: `agent ${i}`, agentId: A.id },
                    { headers: { 'Idempotency-Key': `key ${i}`.replace(' ', '-') } });
                const first = await hit(post);
                const again = await surely('the repetition', post);
                if (first.status === 201)
                    assert.equal(first.json.id, again.id);
                await hit(() => anna.patch(`/api/rooms/${room.id}/relationships`,
                    { agent1Id: A.id, agent2Id: B.id, sympathyLevel: (i + 1) / 8 }));
            }
            const end = await anna.say(room.id, 'the end');
            await anna.relate(room.id, A.id, B.id, -1);
            const all = await stored(anna, room.id);
            for (const i of [0, 1]) {
                assert.equal(all.filter(({ text }) => text === `agent ${i}`).length, 1);
                assert.ok(all.filter(({ text }) => text === `user ${i}`).length <= 1);
            }
            for (const socket of sockets) {
                await socket.upTo((f) => f.payload?.id === end.id);
                assert.deepEqual(socket.frames.slice(1).map((f) => f.payload.id), all.map(({ id }) => id));
                assert.equal(socket.closed, null);
            }
            await graph.upTo((f) => f.payload?.sympathyLevel === -1);
            const levels = graph.frames.slice(1).map((f) => f.payload.sympathyLevel);
            assert.deepEqual(levels, [...new Set(levels)].sort((a, b) => (a === -1) - (b === -1) || a - b), `${levels}`);
        });
    });

/* A room deleted, a key revoked by somebody who dies before he can tell: the log tells it. */
test('write.committed: closes that nobody pushed', async () => {
    await withInstance({ systems: 'rooms', handlers: 1, fault: 'write.committed' }, async (confab) => {
        const anna = await register(confab);
        const [room, other] = [await anna.room('r', ['A']), await anna.room('o', ['A'])];
        const runner = await anna.runner(other.id);
        const sockets = [await anna.chat(room.id), await anna.graph(room.id)];
        const stream = await runner.stream();
        const [handler] = confab.handlers;
        for (const target of [`/api/rooms/${room.id}`, `/api/rooms/${other.id}/runners/${runner.key.id}`]) {
            handler.mayDie();
            confab.arm();
            const calling = anna.delete(target);
            await handler.died(target);
            await back(anna, handler);
            await calling.catch(() => {});
        }
        for (const socket of sockets)
            assert.equal((await socket.ended(5000)).code, 4003);
        assert.equal((await stream.ended(5000)).code, 4001);
    });
});

for (const point of ['relay.received', 'relay.applied', 'relay.connected'])
    test(`relay killed at ${point}: nothing acknowledged is lost, and who comes back hears what comes`, async () => {
        await withInstance({ systems: 'rooms', fault: point }, async (confab) => {
            const anna = await register(confab);
            const room = await anna.room('r', ['A']);
            const [relay] = confab.relays;
            for (let i = 0; i < 2; i++) {
                const chat = await anna.chat(room.id);
                const before = await anna.say(room.id, `before ${i}`);
                await chat.upTo((f) => f.payload?.id === before.id);
                relay.mayDie();
                confab.arm();
                const late = point === 'relay.connected' ? anna.knock(room.id, 'chat') : undefined;
                const during = await anna.say(room.id, `during ${i}`);
                await relay.died(point);
                await chat.ended();
                assert.ok(chat.frames.filter((f) => f.payload.id === during.id).length <= 1);
                if (late)
                    await late.ended();
                const away = await anna.say(room.id, `nobody is there ${i}`);
                await relay.start();
                const again = await until('a new socket', () => anna.chat(room.id).catch(() => undefined));
                const after = await anna.say(room.id, `after ${i}`);
                await again.upTo((f) => f.payload?.id === after.id);
                assert.deepEqual(again.frames.slice(1).map((f) => f.payload.id), [after.id], 'what was before is in the feed');
                const ids = (await anna.feed(room.id)).map(({ id }) => id);
                for (const one of [before, during, away, after])
                    assert.ok(ids.includes(one.id));
                again.terminate();
            }
        });
    });

/* A client that comes back: what it heard, socket by socket. */
class Listener {
    lives = [];
    #open = true;

    constructor(confab, knock) {
        this.knock = knock;
        confab.atEnd.push(() => this.stop());
        this.running = this.#run();
    }

    async #run() {
        while (this.#open) {
            const socket = this.knock();
            this.socket = socket;
            this.lives.push(socket);
            await socket.ended(3600000).catch(() => {});
            if (this.#open)
                await delay(20);
        }
    }

    async stop() {
        this.#open = false;
        this.socket.terminate();
        await this.running;
    }
}

test('relays killed at random under load: in each life an unbroken run, once, in order', async () => {
    await withInstance({ systems: 'rooms', relays: 1, handlers: 2 }, async (confab) => {
        const anna = await register(confab);
        const room = await anna.room('r', ['A']);
        const listeners = [1, 2, 3].map(() => new Listener(confab, () => anna.knock(room.id, 'chat')));
        const [relay] = confab.relays;
        let speaking = true;
        const speakers = ['x', 'y'].map(async (who) => {
            for (let i = 0; speaking; i++)
                await anna.say(room.id, `${who} ${i}`);
        });
        for (let kill = 0; kill < 4; kill++) {
            const n = listeners[0].lives.length;
            await until('the listeners to hear', () => listeners.every(({ socket }) => socket.frames.length > 20));
            relay.mayDie();
            await relay.kill();
            await relay.start();
            await until('a new life', () => listeners[0].lives.length > n);
        }
        await until('the listeners to hear', () => listeners.every(({ socket }) => socket.frames.length > 20));
        speaking = false;
        await Promise.all(speakers);
        const end = await anna.say(room.id, 'the end');
        const all = (await stored(anna, room.id)).map(({ id }) => id);
        for (const listener of listeners) {
            await listener.socket.upTo((f) => f.payload?.id === end.id);
            for (const { frames } of listener.lives) {
                const heard = frames.filter((f) => f.type === 'message').map((f) => f.payload.id);
                const from = all.indexOf(heard[0]);
                assert.deepEqual(heard, heard.length ? all.slice(from, from + heard.length) : []);
            }
        }
    });
});

test('rooms deleted while sockets open: whoever was let in, or not yet, is closed for the room or its key', async () => {
    await withInstance({ systems: 'rooms', relays: 2 }, async (confab) => {
        const anna = await register(confab);
        for (let round = 0; round < 15; round++) {
            const room = await anna.room('r', ['A']);
            const runner = await anna.runner(room.id);
            const sockets = Array.from({ length: 21 }, (_, i) =>
                [() => runner.knock(), () => anna.knock(room.id, 'chat'), () => anna.knock(room.id, 'graph')][i % 3]());
            for (let i = 0; i < round; i++)
                await anna.say(room.id, `${i}`);
            assert.equal((await anna.delete(`/api/rooms/${room.id}`)).status, 204);
            for (const [i, socket] of sockets.entries())
                assert.equal((await socket.ended(5000)).code, i % 3 ? 4003 : 4001);
        }
    });
});

test('the example runner: killed, with relays killed around it, it answers every question once', async () => {
    await withInstance({ systems: 'rooms' }, async (confab) => {
        const anna = await register(confab);
        const old = await anna.room('before it', ['A']);
        await anna.say(old.id, 'said before anybody ran');
        const state = path.join(confab.dir, 'runner.json');
        const log = path.join(confab.dir, 'runner.log');
        const runner = new Process('runner', process.execPath,
            [path.join(SOURCE, 'docs/examples/runner/runner.mjs'), '--state', state],
            {
                env: {
                    ...process.env, NODE_PATH: path.join(SOURCE, 'tests/node_modules'), CONFAB_RUNNER_KEY: RUNNER_KEY,
                    CONFAB_URL: `http://127.0.0.1:${confab.port}`,
                },
                log, cwd: confab.dir, goodEnd: /./,
                ready: () => readFileSync(log, 'utf8').split('ready').length - 1 >= runner.starts,
            });
        confab.atEnd.push(() => runner.stop());
        await runner.start();
        const room = await anna.room('r', ['A', 'B']);
        const questions = [];
        let asking = true;
        const asker = (async () => {
            for (let i = 0; asking; i++)
                questions.push(await anna.say(room.id, `question ${i}`, i % 3 ? undefined : room.agents.B.id));
        })();
        const answered = async () => (await stored(anna, room.id)).filter(({ sender }) => sender !== 'user').length;
        for (let i = 0; i < 3; i++) {
            const n = await answered();
            await until('answers', async () => await answered() > n + 3, 30000);
            if (i === 1) {
                confab.relays[0].mayDie();
                await confab.relays[0].kill();
                await confab.relays[0].start();
            } else {
                await runner.kill();
                await runner.start();
            }
        }
        asking = false;
        await asker;
        await until('every answer', async () => await answered() >= questions.length, 60000);
        const all = await stored(anna, room.id);
        const answers = all.filter(({ sender }) => sender !== 'user');
        assert.deepEqual(answers.map(({ text }) => text).sort(),
            questions.map(({ text, agentId }) => `${agentId === room.agents.B.id ? 'B' : 'A'} heard: ${text}`).sort());
        assert.equal((await stored(anna, old.id)).length, 1, 'what was said before its first start is left alone');
    });
});
