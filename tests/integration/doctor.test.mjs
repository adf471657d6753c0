/* confabctl doctor: each line that it can say.
 * SPDX-License-Identifier: MIT
 */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { assert } from '../lib/assert.mjs';
import { BUILD, SECRET, test, withInstance } from '../lib/instance.mjs';

/* Runs it; { status, lines: check -> finding and text, all }. as: another user's number. */
function doctor(env, args = [], { as } = {}) {
    const program = path.join(BUILD, 'ctl/confabctl');
    const [command, before] = as ? ['setpriv', [`--reuid=${as}`, `--regid=${as}`, '--clear-groups', program]] : [program, []];
    return new Promise((resolve) => execFile(command, [...before, 'doctor', ...args], { env: { PATH: process.env.PATH, ...env } },
        (error, stdout, stderr) => {
            const lines = {};
            for (const line of stdout.trimEnd().split('\n')) {
                const [, finding, check, text] = line.match(/^(ok|warning|error) +([a-z-]+) +(.+)$/) ?? assert.fail(line);
                lines[check] = `${finding}: ${text}`;
            }
            resolve({ status: error ? error.code : 0, lines, all: stdout + stderr });
        }));
}

class Place {
    constructor(name = 'state') {
        this.dir = mkdtempSync(path.join(tmpdir(), 'confab-doctor-'));
        chmodSync(this.dir, 0o755);
        this.state = path.join(this.dir, name);
        this.config = path.join(this.dir, 'confab.conf');
        writeFileSync(this.config, '');
        this.env = { CONFAB_CONFIG: this.config, CONFAB_STATE: this.state };
        after(() => rmSync(this.dir, { recursive: true, force: true }));
    }

    init(...args) {
        this.ctl('init', ...args);
        return this;
    }

    ctl(...args) {
        return execFileSync(path.join(BUILD, 'ctl/confabctl'), args, { env: this.env, encoding: 'utf8' });
    }

    sql(text) {
        return execFileSync('sqlite3', [path.join(this.state, 'confab.db'), text], { encoding: 'utf8' });
    }

    file(name) {
        return path.join(this.state, name);
    }

    doctor(args, options) {
        return doctor(this.env, args, options);
    }
}

test('nothing is there, and then what init makes', async () => {
    const place = new Place();
    let { status, lines } = await place.doctor();
    assert.equal(status, 1);
    assert.match(lines.settings, /^error: .*jwt_secret.*confabctl init --secrets/);
    assert.match(lines.admin, /^warning: .*init --secrets/);
    assert.match(lines.state, /^error: .*No such file.*confabctl init/);
    place.init('--secrets');
    ({ status, lines } = await place.doctor());
    assert.equal(status, 0);
    for (const check of ['settings', 'auth', 'admin', 'state', 'place', 'run', 'database', 'schema', 'journal', 'clock'])
        assert.match(lines[check], /^ok: /, check);
    assert.match(lines.relay, /^warning: .*pages poll/);
    assert.equal(readFileSync(place.file('.htaccess'), 'utf8'), 'Require all denied\n');
    assert.equal(statSync(place.state).mode & 0o777, 0o700);
});

test('settings that let too many in', async () => {
    const place = new Place().init();
    writeFileSync(place.config, 'auth = trusted\nadmin_api_allow_unprotected = 1\n');
    const { status, lines } = await place.doctor();
    assert.equal(status, 1);
    assert.match(lines.auth, /^warning: .*trusted/);
    assert.match(lines.admin, /^error: .*open to everybody/);
});

test('directories and files that others may read', async () => {
    const place = new Place().init('--secrets');
    chmodSync(place.state, 0o750);
    assert.match((await place.doctor()).lines.state, /^warning: .*chmod 700/);
    chmodSync(place.state, 0o755);
    let answer = await place.doctor();
    assert.match(answer.lines.state, /^error: .*every user.*chmod 700/);
    assert.equal(answer.status, 1);
    chmodSync(place.state, 0o700);
    chmodSync(place.file('confab.db'), 0o644);
    answer = await place.doctor();
    assert.match(answer.lines.files, /^error: .*confab\.db is open.*chmod 600/);
    assert.equal(answer.status, 1);
    chmodSync(place.file('confab.db'), 0o600);
    chmodSync(place.file('jwt_secret'), 0o644);
    const refused = await new Promise((resolve) => execFile(path.join(BUILD, 'ctl/confabctl'), ['doctor'], { env: place.env },
        (error, _, stderr) => resolve({ code: error.code, stderr })));
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /jwt_secret: others may use it \(chmod o= it\)/);
});

const root = process.getuid() === 0;

test('what belongs to somebody else', { skip: !root }, async () => {
    const place = new Place().init();
    execFileSync('chown', ['-R', '65534', place.state]);
    writeFileSync(place.config, 'auth = trusted\n');
    chmodSync(place.config, 0o644);
    assert.match((await place.doctor()).lines.state, /^error: .*belongs to nobody; run: runuser -u nobody/);
    let answer = await place.doctor([], { as: 65534 });
    assert.equal(answer.status, 0, answer.all);
    execFileSync('chown', ['0', place.file('confab.db')]);
    answer = await place.doctor([], { as: 65534 });
    assert.match(answer.lines.state, /^error: .*confab\.db belongs to root, not to nobody.*chown -R nobody/);
    assert.equal(answer.lines.database, undefined);
    execFileSync('chown', ['65534', place.file('confab.db')]);
    chmodSync(place.file('confab.db'), 0o400);
    assert.match((await place.doctor([], { as: 65534 })).lines.files, /^error: .*confab\.db cannot be written/);
    chmodSync(place.file('confab.db'), 0o600);
    chmodSync(place.state, 0o500);
    assert.match((await place.doctor([], { as: 65534 })).lines.state, /^error: .*cannot be written to by nobody.*chmod u\+rwx/);
    chmodSync(place.state, 0o700);
});

test('a folder of a web server, and a socket\'s name that is too long', async () => {
    const place = new Place('public_html/var').init('--secrets');
    assert.match((await place.doctor()).lines.place, /^warning: .*web server/);
    const deep = new Place('d'.repeat(100)).init('--secrets');
    const { status, lines } = await deep.doctor();
    assert.match(lines.run, /^error: .*too long/);
    assert.equal(status, 1);
});

test('databases of other versions, and what is none', async () => {
    const place = new Place().init('--secrets');
    const version = Number(place.sql('PRAGMA user_version'));
    place.sql(`PRAGMA user_version = ${version + 1}`);
    assert.match((await place.doctor()).lines.schema, /^error: .*newer program/);
    place.sql(`PRAGMA user_version = ${version - 1}`);
    const old = await place.doctor();
    assert.match(old.lines.schema, new RegExp(`^error: version ${version - 1}, .*wants ${version}; run: confabctl migrate`));
    assert.equal(old.status, 1);
    writeFileSync(place.file('confab.db'), 'this is no database, but long enough to look at '.repeat(40));
    assert.match((await place.doctor()).lines.database ?? '', /^error: .*cannot be opened/);
    rmSync(place.file('confab.db'));
    assert.match((await place.doctor()).lines.database, /^error: .*confabctl init/);
    assert.ok(!existsSync(place.file('confab.db')), 'it changes nothing');
});

test('a clock that was set back', async () => {
    const place = new Place().init('--secrets');
    place.sql(`INSERT INTO event (seq, at, envelope, body) VALUES (1, ${Date.now() + 100000}, x'', '')`);
    assert.match((await place.doctor()).lines.clock, /^warning: .*\b(99|100) s ahead/);
});

/* A host that differs: its file system's kind, its clock. */
const strange = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <time.h>
int statfs(const char *path, struct statfs *st)
{
    int (*real)(const char *, struct statfs *) = (int (*)(const char *, struct statfs *))dlsym(RTLD_NEXT, "statfs");
    int status = real(path, st);
    if (getenv("STRANGE_FS")) st->f_type = strtol(getenv("STRANGE_FS"), NULL, 0);
    return status;
}
int clock_gettime(clockid_t id, struct timespec *t)
{
    int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(id, t);
    if (id == CLOCK_REALTIME && getenv("STRANGE_CLOCK")) t->tv_sec = atol(getenv("STRANGE_CLOCK"));
    return status;
}`;

test('network file systems, and a clock that was never set', { skip: BUILD.includes('asan') }, async () => {
    const place = new Place().init('--secrets');
    const library = path.join(place.dir, 'strange.so');
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, '-x', 'c', '-'], { input: strange });
    let { status, lines } = await doctor({ ...place.env, LD_PRELOAD: library, STRANGE_FS: '0x6969' });
    assert.match(lines.journal, /^warning: a rollback journal \(truncate\), .*network file system/);
    assert.equal(status, 0);
    ({ status, lines } = await doctor({ ...place.env, LD_PRELOAD: library, STRANGE_CLOCK: '1000000' }));
    assert.match(lines.clock, /^error: .*never set/);
    assert.equal(status, 1);
});

test('relays: running, gone, deaf', async () => {
    await withInstance({ auth: 'jwt', handlers: 1 }, async (confab) => {
        const env = { ...confab.env, CONFAB_RELAY_LISTEN: `unix:${confab.relays[0].socket}` };
        let { status, lines } = await doctor(env);
        assert.equal(status, 0);
        assert.match(lines.relay, /^ok: .*bus-relay0\.sock/);
        assert.match(lines.sockets, /^ok: the relay accepts/);
        ({ status, lines } = await doctor({ ...env, CONFAB_RELAY_LISTEN: `unix:${confab.dir}/nobody.sock` }));
        assert.match(lines.sockets, /^error: nobody accepts/);
        assert.equal(status, 1);
        await confab.relays[0].kill();
        ({ status, lines } = await doctor(env));
        assert.match(lines.relay, /^error: nobody listens/);
        assert.equal(status, 1);
    });
});

test('what answers at the URL', async () => {
    await withInstance({ auth: 'jwt', handlers: 1 }, async (confab) => {
        const env = { ...confab.env, CONFAB_RELAY_LISTEN: `unix:${confab.relays[0].socket}` };
        const url = `http://127.0.0.1:${confab.port}`;
        let { status, lines, all } = await doctor(env, ['--url', `${url}/`]);
        assert.equal(status, 0, all);
        assert.match(lines.url, /^ok: /);
        assert.match(lines.authorization, /^ok: reaches/);
        assert.match(lines.skew, /^ok: /);
        assert.match(lines['url-sockets'], /^ok: /);
        /* nobody else is told more than before */
        assert.deepEqual(Object.keys((await confab.nobody.get('/health')).json), ['status', 'version']);
        assert.ok(!all.includes(SECRET));

        ({ status, lines } = await doctor(env, ['--url', `${url}/elsewhere`]));
        assert.match(lines.url, /^error: .*leads to no handler \(status 404\)/);
        assert.equal(status, 1);
        ({ lines } = await doctor(env, ['--url', 'ftp://127.0.0.1']));
        assert.match(lines.url, /^error: .*http:\/\/ or https:\/\//);
        ({ lines } = await doctor({ ...env, PATH: confab.dir }, ['--url', url]));
        assert.match(lines.url, /^error: curl cannot be run/);
    });
});

/* A web server that answers with what it is told. */
async function front(answers) {
    const server = http.createServer((request, response) => {
        const { status = 200, headers = {}, body = '' } = answers[request.url] ?? { status: 404 };
        response.writeHead(status, headers).end(body);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    after(() => server.close());
    return `http://127.0.0.1:${server.address().port}`;
}

test('web servers that keep something back', async () => {
    const place = new Place().init('--secrets');
    const alive = (more, headers) => ({ headers, body: JSON.stringify({ status: 'ok', version: '0.0.1', ...more }) });
    let url = await front({ '/health': alive({}, { Date: new Date(Date.now() - 30000).toUTCString() }) });
    let { status, lines } = await place.doctor(['--url', url]);
    assert.equal(status, 1);
    assert.match(lines.url, /^warning: handlers of version 0\.0\.1 answer/);
    assert.match(lines.authorization, /^error: .*CGIPassAuth On/);
    assert.match(lines.skew, /^warning: .*-(30|31|29) s/);
    url = await front({ '/health': alive({ authorization: true }, { Date: new Date(Date.now() + 7200000).toUTCString() }) });
    ({ status, lines } = await place.doctor(['--url', url]));
    assert.match(lines.authorization, /^ok/);
    assert.match(lines.skew, /^error: .*7(200|199|201) s/);
    ({ lines } = await place.doctor(['--url', await front({ '/health': { body: '<html>a page</html>' } })]));
    assert.match(lines.url, /^error: .*leads to no handler \(status 200\)/);
    ({ lines } = await place.doctor(['--url', 'http://127.0.0.1:9']));
    assert.match(lines.url, /^error: no answer: curl/);
});

test('a relay that the web server does not know', async () => {
    await withInstance({ auth: 'jwt', handlers: 1 }, async (confab) => {
        const env = { ...confab.env, CONFAB_RELAY_LISTEN: `unix:${confab.relays[0].socket}` };
        const url = await front({ '/health': { body: '{"status":"ok","version":"0.1.0","authorization":true}' } });
        const { lines } = await doctor(env, ['--url', url]);
        assert.match(lines['url-sockets'], /^warning: .*status 404.*pages poll/);
    });
});

test('sockets at the URL: of each system that is served', async () => {
    for (const [systems, without] of [['rooms,eventchat', /\/api\/rooms\/1\/chat|\/eventchat\/ws/], ['conversations', /\/v1\/ws .*all calls are refused/]])
        await withInstance({ systems, auth: 'jwt', handlers: 1 }, async (confab) => {
            const env = { ...confab.env, CONFAB_RELAY_LISTEN: `unix:${confab.relays[0].socket}` };
            let { lines } = await doctor(env, ['--url', `http://127.0.0.1:${confab.port}`]);
            assert.match(lines['url-sockets'], /^ok: lead to the relay/);
            const url = await front({ '/health': { body: '{"status":"ok","version":"0.1.0","authorization":true}' } });
            ({ lines } = await doctor(env, ['--url', url]));
            assert.match(lines['url-sockets'], /^warning: /);
            assert.match(lines['url-sockets'], without);
        });
});
