/* The bus may lose, double, reorder and invent: what is delivered is the database's order.
 * SPDX-License-Identifier: MIT
 */
import { execFile } from 'node:child_process';
import { renameSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { assert, fine } from '../lib/assert.mjs';
import { BUILD, test, withInstance } from '../lib/instance.mjs';
import { until } from '../lib/wait.mjs';

const run = promisify(execFile);

const busFile = (confab, relay = 0) => path.join(confab.state, 'run', `bus-relay${relay}.sock`);

/* Sends WHAT... as tests/faults/push does. */
async function push(confab, ...what) {
    await run('flock', [BUILD, 'make', '-s', '-C', BUILD, 'tests/faults/push']);     /* others may test this build, too */
    await run(path.join(BUILD, 'tests/faults/push'),
        [path.join(confab.state, 'confab.db'), `ipc://${busFile(confab)}`, ...what.map(String)]);
}

const said = (frames) => frames.filter((f) => f.type === 'message.new').map((f) => f.content);
const numbers = (n) => Array.from({ length: n }, (_, i) => `${i}`);

test('without the bus everything arrives by the log', async () => {
    await withInstance({ env: { CONFAB_TAIL_MS: '20' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const b = await confab.socket('b');
        unlinkSync(busFile(confab));
        for (const handler of confab.handlers)
            await handler.restart();
        for (const text of numbers(30))
            await confab.api('a').send(dialog, text);
        assert.deepEqual(said(await confab.drain(b)), numbers(30));
        /* and those who connect now are told as well */
        const late = await confab.socket('b', { since: b.hello.seq });
        assert.deepEqual(said(await confab.drain(late)), numbers(30));
    });
});

test('late, doubled, reordered, cut, forged and invented pushes', async () => {
    /* the tail is far away: what comes, comes by these pushes or to fill their gaps */
    await withInstance({ handlers: 1, env: { CONFAB_TAIL_MS: '5000' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const b = await confab.socket('b');
        await confab.drain(b);
        const { seq } = fine(await confab.api('a').get('/sync'));
        const [handler] = confab.handlers;
        /* a handler that finds no bus, and takes its queue with it when it stops */
        renameSync(busFile(confab), `${busFile(confab)}.away`);
        await handler.restart();
        for (const text of numbers(6))
            await confab.api('a').send(dialog, text);
        const sent = fine(await confab.api('b').get(`/sync?since=${seq}`)).events;
        assert.equal(sent.length, 6);
        await handler.stop();
        renameSync(`${busFile(confab)}.away`, busFile(confab));
        const s = sent.map((f) => f.seq);
        await push(confab, 'noise:0', 'noise:1', 'noise:28', 'noise:29', 'noise:5000', `forged:${s[0]}`, `cut:${s[0]}`, 'ahead:5', 'ahead:100000',
            s[3], s[3], `forged:${s[4]}`, s[1], s[5], s[0], s[0], s[2], s[1], s[4], `forged:${s[5]}`, s[5], s[0], 'noise:100');
        await b.next({ type: 'message.new', content: '5' });
        await handler.start();
        await confab.api('a').send(dialog, 'after');
        await b.next({ type: 'message.new', content: 'after' });
        assert.deepEqual(said(b.frames).filter((text) => !text.startsWith('marker')), [...numbers(6), 'after']);
        assert.deepEqual(said(await confab.drain(b)), []);
        const seqs = b.frames.filter((f) => f.seq && f.type !== 'connected').map((f) => f.seq);
        assert.deepEqual(seqs, [...new Set(seqs)].sort((p, q) => p - q));
    });
});

test('a gap alone is filled from the log', async () => {
    await withInstance({ handlers: 1, env: { CONFAB_TAIL_MS: '10000' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const b = await confab.socket('b');
        await confab.drain(b);
        const { seq } = fine(await confab.api('a').get('/sync'));
        renameSync(busFile(confab), `${busFile(confab)}.away`);
        await confab.handlers[0].restart();
        for (const text of numbers(8))
            await confab.api('a').send(dialog, text);
        const s = fine(await confab.api('b').get(`/sync?since=${seq}`)).events.map((f) => f.seq);
        await confab.handlers[0].stop();
        renameSync(`${busFile(confab)}.away`, busFile(confab));
        await push(confab, s[7]);
        await b.next({ type: 'message.new', content: '7' }, 5000);
        assert.deepEqual(said(b.frames).filter((text) => !text.startsWith('marker')), numbers(8));
        await confab.handlers[0].start();
    });
});

test('more than may be held is read again', async () => {
    await withInstance({ handlers: 1, env: { CONFAB_HOLD_MAX: '5', CONFAB_GAP_WAIT_MS: '200', CONFAB_TAIL_MS: '5000' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const b = await confab.socket('b');
        await confab.drain(b);
        const { seq } = fine(await confab.api('a').get('/sync'));
        renameSync(busFile(confab), `${busFile(confab)}.away`);
        await confab.handlers[0].restart();
        for (const text of numbers(40))
            await confab.api('a').send(dialog, text);
        const s = fine(await confab.api('b').get(`/sync?since=${seq}`)).events.map((f) => f.seq);
        await confab.handlers[0].stop();
        renameSync(`${busFile(confab)}.away`, busFile(confab));
        await push(confab, ...s.slice(1).reverse());
        await b.next({ type: 'message.new', content: '39' });
        assert.deepEqual(said(b.frames).filter((text) => !text.startsWith('marker')), numbers(40));
        await confab.handlers[0].start();
    });
});

test('a queue that overflows while the relay is stopped', async () => {
    await withInstance({ env: { CONFAB_BUS_QUEUE: '10' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const b = await confab.socket('b');
        const [relay] = confab.relays;
        relay.signal('SIGSTOP');
        for (const text of numbers(200))
            await confab.api('a').send(dialog, text);
        relay.signal('SIGCONT');
        assert.deepEqual(said(await confab.drain(b)), numbers(200));
    });
});

test('pushes that are too large are left to the log', async () => {
    await withInstance({ env: { CONFAB_BUS_MESSAGE_MAX: '2000' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const b = await confab.socket('b');
        const texts = ['small', 'L'.repeat(20000), 'small again', 'L'.repeat(30000)];
        for (const text of texts)
            await confab.api('a').send(dialog, text);
        assert.deepEqual(said(await confab.drain(b)), texts);
    });
});

test('a lease lost while the relay was stopped is taken anew', async () => {
    await withInstance({ env: { CONFAB_LEASE_MS: '500' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const b = await confab.socket('b');
        const [relay] = confab.relays;
        relay.signal('SIGSTOP');
        await until('the lease to be over', async () => (await confab.nobody.get('/health/ready')).status === 503);
        for (const text of numbers(20))
            await confab.api('a').send(dialog, text);
        relay.signal('SIGCONT');
        assert.deepEqual(said(await confab.drain(b)), numbers(20));
        await until('a new lease', async () => (await confab.nobody.get('/health/ready')).status === 200);
        await until('b to be online again', async () => fine(await confab.api('a').get(`/dialogs/${dialog}/participants`))
            .find((one) => one.user_id === 'b').is_online);
    });
});
