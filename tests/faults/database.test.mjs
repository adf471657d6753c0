/* The database pruned, replaced, locked by others, of another version.
 * SPDX-License-Identifier: MIT
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { assert, fine, refused } from '../lib/assert.mjs';
import { test, withInstance } from '../lib/instance.mjs';
import { until } from '../lib/wait.mjs';

const run = promisify(execFile);
const database = (confab) => path.join(confab.state, 'confab.db');
const said = (frames) => frames.filter((f) => f.type === 'message.new').map((f) => f.content);

test('the log pruned under a client that sleeps', async () => {
    await withInstance({ env: { CONFAB_LOG_KEEP_EVENTS: '10' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const awake = await confab.socket('b');
        const sleeper = await confab.socket('b');
        const { seq } = sleeper.hello;
        await sleeper.close();
        for (let i = 0; i < 40; i++)
            await confab.api('a').send(dialog, `${i}`);
        await confab.ctl('prune');
        assert.equal(said(await confab.drain(awake)).length, 40);
        const back = await confab.socket('b', { since: seq });
        assert.equal(back.hello.resumed, false);
        await confab.api('a').send(dialog, 'live');
        assert.deepEqual(said(await confab.drain(back)), ['live']);
        assert.equal(fine(await confab.api('b').get(`/sync?since=${seq}`)).reload, true);
    });
});

test('the log pruned under a relay that was stopped: its sessions come back and reload', async () => {
    await withInstance({ env: { CONFAB_LOG_KEEP_EVENTS: '10', CONFAB_BUS_QUEUE: '1' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const b = await confab.socket('b');
        const [relay] = confab.relays;
        relay.signal('SIGSTOP');
        for (let i = 0; i < 60; i++)
            await confab.api('a').send(dialog, `${i}`);
        await confab.ctl('prune');
        relay.signal('SIGCONT');
        /* either closed to come back, or told to reload where it is */
        await until('the gap to be told', () => b.closed || b.frames.filter((f) => f.type === 'connected').length > 1
            || said(b.frames).length === 60);
        const next = await confab.socket('b');
        await confab.api('a').send(dialog, 'after');
        assert.deepEqual(said(await confab.drain(next)), ['after']);
    });
});

test('a backup put back: no old cursor fits', async () => {
    await withInstance({}, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const programs = [...confab.handlers, ...confab.relays];
        const stop = () => Promise.all(programs.map((one) => one.stop()));
        const start = () => Promise.all(programs.map((one) => one.start()));
        await confab.api('a').send(dialog, 'in the backup');
        await stop();
        copyFileSync(database(confab), `${database(confab)}.backup`);
        await start();
        const socket = await confab.socket('b');
        await confab.api('a').send(dialog, 'lost');
        const { seq } = await socket.next({ type: 'message.new', content: 'lost' });
        await stop();
        for (const suffix of ['', '-wal', '-shm'])
            rmSync(database(confab) + suffix, { force: true });
        copyFileSync(`${database(confab)}.backup`, database(confab));
        await confab.ctl('restored');
        await start();
        await until('service', async () => (await confab.nobody.get('/health/ready')).status === 200);
        const back = await confab.socket('b', { since: seq });
        assert.equal(back.hello.resumed, false);
        assert.ok(back.hello.seq > seq);
        assert.equal(fine(await confab.api('b').get(`/sync?since=${seq}`)).reload, true);
        await confab.api('a').send(dialog, 'new');
        assert.deepEqual(said(await confab.drain(back)), ['new']);
        assert.deepEqual((await confab.api('b').messages(dialog)).messages.filter((m) => m.message_type === 'user').map((m) => m.content),
            ['in the backup', 'new']);
    });
});

test('a backup written over the running database: everybody reloads, and hears no more of what was undone', async () => {
    /* presence brings no events, so that the relay learns of its new place by the log alone */
    await withInstance({ env: { CONFAB_PRESENCE_MAX_MEMBERS: '2' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b', 'c']);
        const b = await confab.socket('b');
        await confab.api('a').send(dialog, 'in the backup');
        await b.next({ type: 'message.new', content: 'in the backup' });
        const backup = path.join(confab.state, 'backup');
        await run('sqlite3', [database(confab), `.backup ${backup}`]);
        for (let i = 0; i < 5; i++)
            await confab.api('a').send(dialog, `undone ${i}`);
        const { seq } = await b.next({ type: 'message.new', content: 'undone 4' });
        await run('sqlite3', [database(confab), '.timeout 10000', `.restore ${backup}`]);
        assert.equal((await b.ended()).code, 1012);
        const next = await confab.socket('b');
        assert.ok(next.hello.seq < seq);
        await confab.api('a').send(dialog, 'after');
        assert.deepEqual(said(await confab.drain(next)), ['after']);
    });
});

test('a stranger holds the database: reads go on, writes wait, then 503', async () => {
    await withInstance({ env: { CONFAB_WRITE_WAIT_MS: '300' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const a = confab.api('a');
        const b = await confab.socket('b');
        const holder = spawn('sqlite3', [database(confab)], { stdio: ['pipe', 'pipe', 'inherit'] });
        holder.stdin.write(".timeout 10000\nBEGIN IMMEDIATE;\nSELECT 'held';\n");
        await once(holder.stdout, 'data');
        refused(await a.post(`/dialogs/${dialog}/messages`, { content: 'x' }, { headers: { 'Idempotency-Key': 'k' } }), 503, 'SERVICE_UNAVAILABLE');
        fine(await a.get('/dialogs'));
        fine(await a.get(`/dialogs/${dialog}/messages`));
        holder.stdin.end('ROLLBACK;\n');
        await once(holder, 'exit');
        fine(await a.post(`/dialogs/${dialog}/messages`, { content: 'x' }, { headers: { 'Idempotency-Key': 'k' } }));
        assert.deepEqual(said(await confab.drain(b)), ['x']);
    });
});

test('a row of presence that cannot be written: the client is told to try later', async () => {
    await withInstance({ env: { CONFAB_WRITE_WAIT_MS: '300' } }, async (confab) => {
        await confab.dialog(['a', 'b']);
        const holder = spawn('sqlite3', [database(confab)], { stdio: ['pipe', 'pipe', 'inherit'] });
        holder.stdin.write(".timeout 10000\nBEGIN IMMEDIATE;\nSELECT 'held';\n");
        await once(holder.stdout, 'data');
        const b = confab.knock('b');
        assert.equal((await b.ended()).code, 1013);
        assert.deepEqual(b.frames, []);
        holder.stdin.end('ROLLBACK;\n');
        await once(holder, 'exit');
        await confab.socket('b');
    });
});

test('writers queue rather than fail', async () => {
    await withInstance({ handlers: 4 }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const answers = await Promise.all(Array.from({ length: 150 }, (_, i) =>
            confab.api(i % 2 ? 'a' : 'b').post(`/dialogs/${dialog}/messages`, { content: `${i}` })));
        for (const answer of answers)
            fine(answer);
        const first = fine(await confab.api('a').get(`/dialogs/${dialog}/messages?limit=100`));
        assert.equal(first.has_more_before, true);
    });
});

test('another schema: 503, and nothing is touched', async () => {
    await withInstance({ handlers: 1 }, async (confab) => {
        const dialog = await confab.dialog(['a']);
        for (const one of [...confab.handlers, ...confab.relays])
            await one.stop();
        const version = async (text) => (await run('sqlite3', [database(confab), `PRAGMA user_version${text}`])).stdout.trim();
        const good = await version('');
        await version('=99');
        await confab.handlers[0].start();
        refused(await confab.api('a').get('/dialogs'), 503, 'SERVICE_UNAVAILABLE');
        refused(await confab.api('a').post(`/dialogs/${dialog}/messages`, { content: 'x' }), 503, 'SERVICE_UNAVAILABLE');
        assert.equal((await confab.nobody.get('/health')).status, 200);
        assert.equal((await confab.nobody.get('/health/ready')).status, 503);
        confab.relays[0].mayDie().launch();
        confab.relays[0].mayDie();
        assert.match(await confab.relays[0].died('the refusal'), /^exit [1-9]/);
        await assert.rejects(confab.ctl('migrate'));
        await version(`=${good}`);
        await until('service', async () => (await confab.api('a').get('/dialogs')).status === 200);
    });
});
