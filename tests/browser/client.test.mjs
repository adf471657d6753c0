/* The demo's live client alone: fake sockets, a fake server, a fake clock.
 * SPDX-License-Identifier: MIT
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import FakeTimers from '@sinonjs/fake-timers';
import { Live } from '../../www/js/live.js';

/* A server that holds a log, and sockets that a test plays by hand. */
function world(t, { random = () => 1 } = {}) {
    const clock = FakeTimers.install({ now: 0, toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
    t.after(() => clock.uninstall());
    const w = { sockets: [], polls: [], frames: [], states: [], reloads: 0, refusals: 0, answer: null, failReload: null };
    class FakeSocket {
        constructor(url) {
            this.url = url;
            this.sent = [];
            w.sockets.push(this);
        }

        send(text) { this.sent.push(text); }
        close() { this.closed = true; }
        gets(...frames) { frames.forEach((f) => this.onmessage?.({ data: JSON.stringify(f) })); }
        dies() { this.onclose?.(); }
    }
    w.live = new Live({
        WebSocket: FakeSocket, random,
        socketUrl: (since) => `ws://x/?since=${since}`,
        sync: async (since, etag) => {
            w.polls.push({ since, etag });
            const answer = typeof w.answer === 'function' ? w.answer(since) : w.answer;
            if (answer instanceof Error)
                throw answer;
            return answer;
        },
        onFrames: (frames) => w.frames.push(...frames.map((f) => f.seq)),
        onReload: async () => {
            w.reloads++;
            if (w.failReload)
                throw w.failReload;
        },
        onState: (state) => w.states.push(state),
        onRefused: () => w.refusals++,
    });
    w.socket = () => w.sockets.at(-1);
    w.tick = async (ms) => {
        clock.tick(ms);
        await settle();
    };
    t.after(() => w.live.stop());
    return w;
}

/* Lets promises that are ready run. */
async function settle() {
    for (let i = 0; i < 20; i++)
        await Promise.resolve();
}

const event = (seq) => ({ type: 'message.new', seq });
const page = (seqs, seq, more = false) => ({ events: seqs.map(event), seq, more, reload: false, etag: `"${seq}"` });
const hello = (seq, more = {}) => ({ type: 'connected', seq, ...more });
const refused = (status) => Object.assign(new Error(`status ${status}`), { status });

/* A client that is live at seq 10. */
async function liveAt10(t, options) {
    const w = world(t, options);
    w.live.start();
    w.socket().gets(hello(10));
    await settle();
    assert.equal(w.states.at(-1), 'live');
    assert.equal(w.reloads, 1);
    return w;
}

test('each event once, and the next socket begins where this one ended', async (t) => {
    const w = await liveAt10(t);
    w.socket().gets(event(11), event(12), event(12), event(11), event(15));
    w.socket().dies();
    await w.tick(500);
    assert.match(w.socket().url, /since=15$/);
    w.socket().gets(hello(20, { resumed: true, missed: 2 }), event(16), event(18), event(21));
    await settle();
    assert.deepEqual(w.frames, [11, 12, 15, 16, 18, 21]);
    assert.equal(w.reloads, 1);
});

test('the cursor does not jump before all that was missed has come', async (t) => {
    const w = await liveAt10(t);
    w.socket().dies();
    await w.tick(500);
    w.socket().gets(hello(20, { resumed: true, missed: 3 }), event(13));
    w.socket().dies();
    await w.tick(1000);
    assert.match(w.socket().url, /since=13$/);
    w.socket().gets(hello(20, { resumed: true, missed: 2 }), event(14), event(17));
    w.socket().dies();
    await w.tick(2000);
    assert.match(w.socket().url, /since=20$/);
    assert.deepEqual(w.frames, [13, 14, 17]);
});

test('nothing missed: the cursor is the socket\'s', async (t) => {
    const w = await liveAt10(t);
    w.socket().dies();
    await w.tick(500);
    w.socket().gets(hello(33, { resumed: true, missed: 0 }));
    w.socket().dies();
    await w.tick(1000);
    assert.match(w.socket().url, /since=33$/);
});

test('not resumed: everything anew', async (t) => {
    const w = await liveAt10(t);
    w.socket().dies();
    await w.tick(500);
    w.socket().gets(hello(5, { resumed: false }), event(6));
    await settle();
    assert.equal(w.reloads, 2);
    assert.deepEqual(w.frames, [6]);
    w.socket().gets(hello(9));
    await settle();
    assert.equal(w.reloads, 3);
});

test('without a socket it polls, and what came by both ways comes once', async (t) => {
    const w = await liveAt10(t);
    w.answer = (since) => page([11, 12, 13].filter((n) => n > since), 13);
    w.socket().dies();
    await w.tick(400);
    w.socket().dies();
    await w.tick(600);
    assert.equal(w.states.at(-1), 'polling');
    assert.deepEqual(w.frames, [11, 12, 13]);
    await w.tick(1000);
    assert.equal(w.polls.at(-1).etag, '"13"');
    w.socket().gets(hello(14, { resumed: true, missed: 4 }), event(11), event(12), event(13), event(14));
    await settle();
    assert.equal(w.states.at(-1), 'live');
    assert.deepEqual(w.frames, [11, 12, 13, 14]);
    const polls = w.polls.length;
    await w.tick(20000);
    assert.equal(w.polls.length, polls, 'no polls beside a socket');
});

test('a full page is followed at once by the next', async (t) => {
    const w = await liveAt10(t);
    w.answer = (since) => (since === 10 ? page([11, 12], 12, true) : page([13], 13));
    w.socket().dies();
    await w.tick(1000);
    await w.tick(0);
    assert.deepEqual(w.frames, [11, 12, 13]);
});

test('never a socket: the first poll gives the cursor and loads', async (t) => {
    const w = world(t);
    w.answer = (since) => (since === null ? page([], 7) : null);
    w.live.start();
    w.socket().dies();
    await w.tick(0);
    await settle();
    assert.equal(w.reloads, 1);
    assert.deepEqual(w.states, ['connecting', 'polling']);
    await w.tick(1000);
    assert.deepEqual(w.polls.map((p) => p.since), [null, 7]);
});

test('a log that no longer reaches back: everything anew', async (t) => {
    const w = await liveAt10(t);
    w.answer = (since) => (since === 10 ? { events: [], seq: 90, more: false, reload: true, etag: '"90"' } : null);
    w.socket().dies();
    await w.tick(1000);
    assert.equal(w.reloads, 2);
    await w.tick(1000);
    assert.equal(w.polls.at(-1).since, 90);
});

test('nobody is there: it asks less and less, and at once when somebody comes', async (t) => {
    const w = await liveAt10(t);
    w.answer = null;
    w.socket().dies();
    const pollsIn = async (ms) => {
        const before = w.polls.length;
        for (let i = 0; i < ms; i += 250) {
            await w.tick(250);
            w.sockets.filter((s) => !s.closed).forEach((s) => s.dies());
        }
        return w.polls.length - before;
    };
    assert.ok(await pollsIn(20000) >= 15, 'every second at first');
    await pollsIn(60000);
    const idle = await pollsIn(60000);
    assert.ok(idle >= 3 && idle <= 5, `${idle} polls a minute when idle`);
    const before = w.polls.length;
    w.live.nudge();
    await w.tick(0);
    assert.equal(w.polls.length, before + 1);
    w.live.setVisible(false);
    await pollsIn(20000);
    assert.ok(await pollsIn(60000) <= 5, 'hidden: slow');
    const hidden = w.polls.length;
    w.live.setVisible(true);
    await w.tick(0);
    assert.ok(w.polls.length > hidden);
});

test('pauses between sockets grow, with jitter, up to a bound', async (t) => {
    for (const random of [0, 1]) {
        const pauses = [];
        await t.test(`random ${random}`, async (t2) => {
            const w = world(t2, { random: () => random });
            w.answer = refused(0);
            w.live.start();
            for (let i = 0; i < 9; i++) {
                const n = w.sockets.length;
                w.socket().dies();
                let waited = 0;
                for (; w.sockets.length === n; waited += 50)
                    await w.tick(50);
                pauses.push(waited);
            }
            assert.equal(w.states.at(-1), 'offline');
        });
        const factor = random ? 1 : 0.5;
        assert.deepEqual(pauses.slice(0, 3), [400, 800, 1600].map((ms) => ms * factor));
        assert.equal(pauses.at(-1), 15000 * factor);
    }
});

test('a load that fails is tried again', async (t) => {
    const w = world(t);
    w.failReload = refused(503);
    w.answer = refused(0);
    w.live.start();
    w.socket().gets(hello(3));
    await settle();
    assert.notEqual(w.states.at(-1), 'live');
    w.failReload = null;
    await w.tick(400);
    assert.match(w.socket().url, /since=null$/);
    w.socket().gets(hello(4));
    await settle();
    assert.equal(w.states.at(-1), 'live');
    assert.equal(w.reloads, 2);
});

test('one that we are not known to is left alone', async (t) => {
    const w = world(t);
    w.answer = refused(401);
    w.live.start();
    w.socket().dies();
    await w.tick(0);
    assert.equal(w.refusals, 1);
    const sockets = w.sockets.length;
    await w.tick(120000);
    assert.equal(w.sockets.length, sockets);
    assert.equal(w.polls.length, 1);
});

test('a peer that does not answer a ping is given up', async (t) => {
    const w = await liveAt10(t);
    await w.tick(30000);
    assert.deepEqual(w.socket().sent, ['{"type":"ping"}']);
    w.socket().gets({ type: 'pong' });
    await w.tick(30000);
    assert.equal(w.sockets.length, 1);
    await w.tick(30000);
    assert.ok(w.sockets[0].closed);
    await w.tick(1000);
    assert.equal(w.sockets.length, 2);
});
