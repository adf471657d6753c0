/* Another account on the same host, as on shared hosting. Plays docs/security.md.
 * SPDX-License-Identifier: MIT
 */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { assert } from '../lib/assert.mjs';
import { ADMIN, BUILD, Instance, SECRET, test } from '../lib/instance.mjs';
import { User as Guest, photo } from '../lib/eventchat.mjs';
import { Process } from '../lib/process.mjs';
import { PYTHON, withPush } from '../lib/push.mjs';

const run = promisify(execFile);
/* Under a umask that hides nothing, with cores of any size allowed. */
const started = (async () => {
    const before = process.umask(0);
    try {
        execFileSync('prlimit', ['--core=unlimited', '--pid', String(process.pid)], { stdio: 'ignore' });
    } catch {
        /* who may not raise it has none anyway */
    }
    try {
        return await Instance.start({ systems: 'mtchat,rooms,conversations,eventchat', auth: 'jwt', env: { CONFAB_RATE_LIMIT_ENABLED: '1', CONFAB_PUSH: '1', CONFAB_PUSH_API_LISTEN: '127.0.0.1:0' } });
    } finally {
        process.umask(before);
    }
})();
after(async () => (await started).stop());

const mode = (file) => (lstatSync(file).mode & 0o777).toString(8);
/* All there is, but the file that tells Apache to give out none of it. */
const below = (dir) => readdirSync(dir, { recursive: true }).filter((name) => name !== '.htaccess').map((name) => path.join(dir, name));

test('Under any umask what lies in the state directory is for the account alone', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['anna']);
    await confab.api('anna').send(dialog, 'x');
    await new Guest(confab).upload(photo());
    assert.equal(mode(confab.state), '700');
    const files = below(confab.state);
    assert.ok(files.some((file) => file.startsWith(path.join(confab.state, 'photos/'))));
    for (const name of ['confab.db', 'confab.db-wal', 'confab.db-shm', 'confab.db-writer', 'run/limits', 'run/bus-relay0.sock', 'run/relay-relay0.lock'])
        assert.ok(files.includes(path.join(confab.state, name)), name);
    for (const file of files)
        assert.ok(['600', '700'].includes(mode(file)), `${file} ${mode(file)}`);
    for (const one of [...confab.handlers, ...confab.relays])
        assert.equal(mode(one.socket), '660');
});

test('Secrets that are made are for the account alone, and those that others may read are refused', async () => {
    const dir = mkdtempSync('/tmp/confab-secrets-');
    try {
        writeFileSync(`${dir}/conf`, '');
        const env = { PATH: process.env.PATH, CONFAB_CONFIG: `${dir}/conf`, CONFAB_STATE: `${dir}/state` };
        const ctl = (...args) => run('sh', ['-c', 'umask 0; exec "$0" "$@"', path.join(BUILD, 'ctl/confabctl'), ...args], { env });
        await ctl('init', '--secrets');
        const files = below(`${dir}/state`);
        assert.ok(files.some((file) => file.endsWith('admin_token')));
        for (const file of files)
            assert.ok(['600', '700'].includes(mode(file)), `${file} ${mode(file)}`);
        for (const name of ['jwt_secret', 'admin_token', 'rooms_jwt_secret'])
            for (const wide of [0o604, 0o644, 0o666]) {
                chmodSync(`${dir}/state/${name}`, wide);
                env[`CONFAB_${name.toUpperCase()}_FILE`] = `${dir}/state/${name}`;
                await assert.rejects(ctl('config'), `${name} ${wide.toString(8)}`);
                chmodSync(`${dir}/state/${name}`, 0o600);
                await ctl('config');
            }
    } finally {
        rmSync(dir, { recursive: true, force: true });
    }
});

test('A durable history and sockets for publishers are no stranger\'s', async () => {
    const before = process.umask(0);
    await withPush({ settings: { push_history: '@DIR@/history.db', push_publish_pull: 'ipc://@DIR@/zmq/pull.sock' }, channels: { kept: { subscribe: 'anyone', history_size: 5, durable: true } } }, async (push) => {
        process.umask(before);
        await push.publish('kept:x', 'a');
        for (const file of below(push.dir).filter((name) => path.basename(name).startsWith('history.db')))
            assert.equal(mode(file), '600', file);
        assert.equal(mode(`${push.dir}/zmq/pull.sock`), '660');
    });
});

test('No secret stands on a command line', async () => {
    const confab = await started;
    for (const one of [...confab.handlers, ...confab.relays]) {
        const line = readFileSync(`/proc/${one.pid}/cmdline`, 'utf8');
        for (const secret of [SECRET, ADMIN])
            assert.ok(!line.includes(secret), line);
    }
    assert.ok(!/--(secret|key|token|password)\b/.test((await run(path.join(BUILD, 'ctl/confabctl'), ['help']).catch((error) => error)).stdout));
});

test('What is put on the bus without its key is dropped', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['bus-a']);
    const a = await confab.socket('bus-a');
    await confab.api('bus-a').send(dialog, 'before');
    await a.next('message.new');
    const said = Buffer.from(JSON.stringify({ type: 'message.new', dialog_id: dialog, content: 'forged' }));
    const forged = Buffer.alloc(32 + 8 + 4);
    forged.writeBigUInt64BE(1000n, 32);
    const messages = ['', 'x', 'x'.repeat(5000), Buffer.alloc(200), Buffer.concat([forged, said]), Buffer.concat([Buffer.from('confab01'), forged, said]), Buffer.alloc(100000, 255)]
        .map((one) => JSON.stringify([Buffer.from(one).toString('base64')])).join('\n');
    execFileSync(PYTHON, [fileURLToPath(new URL('../lib/publish.py', import.meta.url)), 'push', `ipc://${confab.state}/run/bus-relay0.sock`], { input: `${messages}\n` });
    const { id } = await confab.api('bus-a').send(dialog, 'after');
    const frames = await a.upTo({ type: 'message.new', id });
    assert.ok(!JSON.stringify(frames).includes('forged'));
    assert.ok(confab.relays[0].running);
});

/* What an account of these ids can do: a list of "what: outcome". */
const attempt = (uid, gid, targets) => {
    const script = `import os, socket, sys
os.setgroups([]); os.setgid(${gid}); os.setuid(${uid})
for target in sys.argv[1:]:
    kind, name = target.split(':', 1)
    try:
        if kind == 'read': open(name).close()
        elif kind == 'write': open(name, 'r+').close()
        elif kind == 'list': os.listdir(name)
        elif kind == 'make': open(name + '/made-by-a-stranger', 'w').close()
        else: socket.socket(socket.AF_UNIX).connect(name)
        print(target, 'yes')
    except OSError as e:
        print(target, 'no')`;
    return execFileSync(PYTHON, ['-c', script, ...targets], { encoding: 'utf8' }).trim().split('\n').map((line) => line.split(' '));
};

const root = process.getuid() === 0;

test('Another account opens nothing, the web server\'s the doors of handlers and relays and no more', { skip: !root && 'needs to be root to become somebody else' }, async () => {
    const confab = await started;
    chmodSync(confab.dir, 0o755);               /* as /run/confab's parents are */
    const doors = [...confab.handlers, ...confab.relays].map((one) => one.socket);
    for (const door of doors)
        chownSync(door, 0, 65533);
    const inside = below(confab.state).flatMap((file) => [`read:${file}`, `write:${file}`, `connect:${file}`]);
    const closed = [...inside, `list:${confab.state}`, `make:${confab.state}`, `make:${confab.state}/run`];
    const environ = [...confab.handlers, ...confab.relays].flatMap(({ pid }) => [`read:/proc/${pid}/environ`, `read:/proc/${pid}/mem`, `list:/proc/${pid}/fd`]);
    for (const [target, outcome] of attempt(65534, 65534, [...closed, ...environ, ...doors.map((door) => `connect:${door}`)]))
        assert.equal(outcome, 'no', target);
    for (const [target, outcome] of attempt(65534, 65533, [...closed, ...environ, ...doors.map((door) => `connect:${door}`)]))
        assert.equal(outcome, doors.includes(target.slice(8)) ? 'yes' : 'no', target);
    /* the run directory where the web server's group may enter it, as the units make it */
    chmodSync(confab.state, 0o711);
    chmodSync(`${confab.state}/run`, 0o750);
    chownSync(`${confab.state}/run`, 0, 65533);
    for (const [target, outcome] of attempt(65534, 65533, [...inside, `make:${confab.state}/run`]))
        assert.equal(outcome, 'no', target);
    chmodSync(confab.state, 0o700);
});

test('A handler on a TCP address says that whoever reaches it is the web server', async () => {
    const confab = await started;
    const open = new Process('open', path.join(BUILD, 'fcgi/confab.fcgi'), ['--listen', '127.0.0.1:0'],
        { env: confab.env, cwd: confab.dir, log: path.join(confab.dir, 'open.log'), ready: () => open.text().includes('open_listener on=127.0.0.1:0') });
    await open.start();
    await open.stop();
    assert.ok(!confab.handlers[0].text().includes('open_listener'));
});

test('A program that dies leaves no core behind', async () => {
    const confab = await started;
    for (const one of [...confab.handlers, ...confab.relays])
        assert.match(readFileSync(`/proc/${one.pid}/limits`, 'utf8'), /Max core file size +0 /, one.name);
});
