/* instance - a complete Confab in a folder of its own
 *
 * Database, handlers, relays and lighttpd with the shipped configuration, all on unix sockets and
 * one free port. $CONFAB_BUILD names the build that is tested (default: the source tree).
 *
 *     const confab = await Instance.start({ auth: 'trusted' });
 *     const dialog = await confab.dialog(['anna', 'ben']);
 *     const ben = await confab.socket('ben');
 *     await confab.api('anna').post(`/dialogs/${dialog}/messages`, { content: 'hi' });
 *     await ben.next('message.new');
 *     await confab.stop();
 *
 * SPDX-License-Identifier: MIT
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test as nodeTest } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { assert } from './assert.mjs';
import { freePort, listening, request } from './http.mjs';
import { mint, now } from './jwt.mjs';
import { Process } from './process.mjs';
import { Socket } from './socket.mjs';
import { until } from './wait.mjs';
import { WEB } from './webserver.mjs';

const run = promisify(execFile);
export const SOURCE = fileURLToPath(new URL('../..', import.meta.url));
export const BUILD = process.env.CONFAB_BUILD || SOURCE;
export const SECRET = 'a secret that only this test knows, 32 bytes or more';
export const ADMIN = 'the admin token of this test';

export const ROOMS_SECRET = 'a secret of rooms that only this test knows, 32 bytes or more';
export const RUNNER_KEY = 'rk_the-operators-key-of-this-test';

/* Hashing that costs little, limits that no test meets by chance. */
const ROOMS_ENV = {
    CONFAB_ROOMS_JWT_SECRET: ROOMS_SECRET,
    CONFAB_RUNNER_KEY: RUNNER_KEY,
    CONFAB_ROOMS_PASSWORD_MEMORY_KIB: '64',
    CONFAB_ROOMS_PASSWORD_PASSES: '1',
    CONFAB_ROOMS_PASSWORD_PROCESSES: '64',
    CONFAB_ROOMS_LOGIN_PER_MINUTE: '100000',
    CONFAB_ROOMS_REGISTER_PER_MINUTE: '100000',
    CONFAB_ROOMS_READS_PER_S: '100000',
};

const NOBODY = 65534;

let failures = 0;

/* For other kinds of instances: a test has failed; has one? */
export const failed = () => { failures++; };
export const hasFailed = () => failures > 0;

/* node:test's test(); a failure makes instances print their logs when they stop. */
export function test(name, ...rest) {
    const body = rest.pop();
    nodeTest(name, { timeout: 120000, ...rest[0] }, async (t) => {
        try {
            await body(t);
        } catch (error) {
            failures++;
            throw error;
        }
    });
}

/* An instance for all tests of a file, stopped after them. */
export function instance(options) {
    const started = Instance.start(options);
    started.catch(() => {});
    after(async () => (await started).stop());
    return started;
}

/* Runs body with an instance of its own. */
export async function withInstance(options, body) {
    const confab = await Instance.start(options);
    try {
        await body(confab);
    } catch (error) {
        failures++;
        await confab.stop().catch((more) => { error.message += `\nand then: ${more.message}`; });
        throw error;
    }
    await confab.stop();
}

/* What the environment says, for programs that are started without it. */
function settingsFile(env) {
    return Object.entries(env).filter(([name]) => name.startsWith('CONFAB_') && name !== 'CONFAB_CONFIG')
        .map(([name, value]) => `${name.slice('CONFAB_'.length).toLowerCase()} = ${value}\n`).join('');
}

/* Copies what is installed into the instance's folder, so that it can be read, whatever the checkout is. The account:
 * not root's. */
function stageIn(confab) {
    const installed = path.join(confab.dir, 'installed');
    for (const program of ['fcgi/confab.fcgi', 'relay/confab-relay', 'ctl/confabctl'])
        cpSync(path.join(BUILD, program), path.join(installed, program));
    for (const files of ['www', 'deploy/errors'])
        cpSync(path.join(SOURCE, files), path.join(installed, files), { recursive: true });
    Object.assign(confab, { programs: installed, files: installed });
    if (process.getuid() !== 0)
        return {};
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, confab.dir]);
    return { uid: NOBODY, gid: NOBODY };
}

/* X-Scope-Config as the SDK makes it. */
export function scopeHeader(level0 = [], level1 = [], level2 = []) {
    const lists = typeof level0 === 'object' && !Array.isArray(level0) ? level0
        : { scope_level0: level0, scope_level1: level1, scope_level2: level2 };
    return Buffer.from(JSON.stringify(lists)).toString('base64');
}

/* REST as one caller. Paths are below /api/v1 unless absolute is set. */
class Api {
    constructor(confab, prefix, headers, user) {
        Object.assign(this, { confab, prefix, headers, user });
    }

    /* options: scope (lists or header text), headers, user (false: none), chunked, absolute */
    call(method, target, body, options = {}) {
        let where = this.confab.base + (options.absolute ? target : this.prefix + target);
        if (this.user !== undefined && options.user !== false)
            where += `${where.includes('?') ? '&' : '?'}user_id=${encodeURIComponent(this.user)}`;
        const headers = { ...this.headers };
        if (options.scope !== undefined)
            headers['X-Scope-Config'] = typeof options.scope === 'string' ? options.scope
                : Array.isArray(options.scope) ? scopeHeader(...options.scope) : scopeHeader(options.scope);
        return request(this.confab.port, method, where,
            { headers: { ...headers, ...options.headers }, body, chunked: options.chunked });
    }

    get(target, options) { return this.call('GET', target, undefined, options); }
    post(target, body, options) { return this.call('POST', target, body, options); }
    put(target, body, options) { return this.call('PUT', target, body, options); }
    delete(target, options) { return this.call('DELETE', target, undefined, options); }

    /* One that has to succeed: the answer's data, or its whole body where it is not wrapped. */
    async ok(method, target, body, options) {
        const answer = await this.call(method, target, body, options);
        if (answer.status < 200 || answer.status > 299)
            throw new Error(`${method} ${target}: ${answer.status} ${answer.text}`);
        return answer.json && 'data' in answer.json ? answer.json.data : answer.json;
    }

    send(dialog, content, more = {}, options) {
        return this.ok('POST', `/dialogs/${dialog}/messages`, { content, ...more }, options);
    }

    messages(dialog, query = '') {
        return this.ok('GET', `/dialogs/${dialog}/messages${query}`);
    }

    read(dialog, message) {
        return this.ok('POST', `/dialogs/${dialog}/read`, { last_read_message_id: message });
    }
}

export class Instance {
    handlers = [];
    logins = [];        /* handlers that do nothing else */
    relays = [];
    sockets = [];
    atEnd = [];         /* what else has to stop first */
    #serial = 0;
    #markers = new Map();

    /* options: systems ('mtchat', 'rooms' or both), auth 'trusted' | 'jwt', handlers, logins, relays (numbers), env (CONFAB_ settings), fault (the point
     * that arm() makes strike), faultIn ('handler' or 'relay': where, if the point does not tell), web (which server, and
     * how: webserver.mjs), base (the path below which it serves), stage (from a copy, as an account without rights) */
    static async start(options = {}) {
        const confab = new Instance(options);
        try {
            await confab.#start();
        } catch (error) {
            await confab.#end();
            throw error;
        }
        return confab;
    }

    constructor({ systems = 'mtchat', auth = 'trusted', handlers = 2, logins = 0, relays = 1, env = {}, fault, faultIn, web = 'lighttpd', base = '', stage = false, keep = false } = {}) {
        Object.assign(this, { systems, auth, fault, faultIn, base, web: WEB[web], programs: BUILD, files: SOURCE });
        this.keep = keep || Boolean(process.env.CONFAB_TEST_KEEP);
        this.dir = mkdtempSync(path.join(tmpdir(), 'confab-'));
        this.state = path.join(this.dir, 'state');
        this.marker = path.join(this.dir, 'armed');
        const inherited = Object.fromEntries(Object.entries(process.env)
            .filter(([name]) => !name.startsWith('CONFAB_')));
        const config = path.join(this.dir, 'confab.conf');
        this.env = {
            ...inherited,
            CONFAB_CONFIG: config,
            CONFAB_STATE: this.state,
            CONFAB_SYSTEMS: systems,
            ...(systems.includes('rooms') ? ROOMS_ENV : {}),
            CONFAB_AUTH: auth,
            CONFAB_JWT_SECRET: SECRET,
            CONFAB_ADMIN_TOKEN: ADMIN,
            CONFAB_PRESENCE_RESTART_GRACE_MS: '0',
            ...env,
        };
        for (const [name, value] of Object.entries(this.env))
            if (value === null || value === undefined)
                delete this.env[name];
        writeFileSync(config, this.web.starts ? settingsFile(this.env) : '', { mode: 0o600 });
        this.count = { handlers, logins, relays: process.env.NO_RELAY ? 0 : relays };
        if (stage)
            this.account = stageIn(this);
    }

    get everything() {
        return [...this.handlers, ...this.logins, ...this.relays, this.lighttpd].filter(Boolean);
    }

    async #start() {
        await this.ctl('init');
        const faulty = (program) => this.fault && (this.faultIn ?? (this.fault.startsWith('relay.') ? 'relay' : 'handler')) === program
            ? { CONFAB_FAULT: `${this.fault}:${this.marker}` } : {};
        const watched = (name, command, args, ready, env = {}, group = false) =>
            new Process(name, command, args, { env: { ...this.env, ...env }, ready, cwd: this.dir, group, ...this.account,
                                               log: path.join(this.dir, `${name}.log`) });
        if (this.web.starts)
            this.faultEnv = faulty('handler');
        else if (this.web.pool)
            this.#pool(watched, faulty('handler'));
        else
            this.#handlersApart(watched, faulty('handler'));
        for (let i = 0; i < this.count.relays; i++) {
            const socket = path.join(this.dir, `relay${i}.sock`);
            const one = watched(`relay${i}`, path.join(this.programs, 'relay/confab-relay'), [], () => listening(socket),
                { CONFAB_RELAY_NAME: `relay${i}`, CONFAB_RELAY_LISTEN: `unix:${socket}`, ...faulty('relay') });
            this.relays.push(Object.assign(one, { socket }));
        }
        await Promise.all([...this.handlers, ...this.logins, ...this.relays].map((one) => one.start()));
        await this.#startWebServer(watched);
        if (this.relays.length)
            await until('the instance to be ready', async () =>
                (await request(this.port, 'GET', `${this.base}/health/ready`)).status === 200);
    }

    /* Each with a socket of its own. */
    #handlersApart(watched, env) {
        for (let i = 0; i < this.count.handlers + this.count.logins; i++) {
            const socket = path.join(this.dir, `handler${i}.sock`);
            const one = watched(`handler${i}`, path.join(this.programs, 'fcgi/confab.fcgi'),
                ['--listen', `unix:${socket}`], () => listening(socket), env);
            (i < this.count.handlers ? this.handlers : this.logins).push(Object.assign(one, { socket }));
        }
    }

    /* All on one socket, as systemd starts them. */
    #pool(watched, env) {
        const socket = path.join(this.dir, 'handler.sock');
        const pool = watched('handlers', 'python3', [path.join(SOURCE, 'tests/lib/pool.py'), socket, String(this.count.handlers),
            path.join(this.programs, 'fcgi/confab.fcgi')], () => listening(socket), env, true);
        this.handlers.push(Object.assign(pool, { socket }));
    }

    async #startWebServer(watched) {
        this.port = await freePort();
        const { command, args } = this.web.prepare(this);
        this.lighttpd = watched(this.web.name, command, args, () => listening(this.port), {}, true);
        this.lighttpd.goodEnd = /./;        /* not ours to judge */
        await this.lighttpd.start();
    }

    /* Runs confabctl; its standard output. */
    async ctl(...args) {
        const { stdout } = await run(path.join(this.programs, 'ctl/confabctl'), args, { env: this.env, ...this.account });
        return stdout;
    }

    /* Next time a process reaches the fault point it dies. */
    arm() {
        writeFileSync(this.marker, '');
    }

    /* ---- callers ---- */

    token(user, claims = {}) {
        return mint({ sub: user, exp: now() + 3600, ...claims }, SECRET);
    }

    api(user) {
        return this.auth === 'jwt'
            ? new Api(this, '/api/v1', { Authorization: `Bearer ${this.token(user)}` }, undefined)
            : new Api(this, '/api/v1', {}, user);
    }

    get admin() {
        return new Api(this, '/api/v1/management', { Authorization: `Bearer ${ADMIN}` });
    }

    /* Nobody: no credential at all. */
    get nobody() {
        return new Api(this, '', {});
    }

    /* A new dialog; members are user ids or participant objects. Its id. */
    async dialog(members, more = {}) {
        const participants = members.map((one) =>
            typeof one === 'string' ? { user_id: one, display_name: `Name of ${one}` } : one);
        const made = await this.admin.ok('POST', '/dialogs',
            { object_type: 'thing', object_id: `object-${++this.#serial}`, participants, ...more });
        return made.id;
    }

    /* ---- sockets ---- */

    /* An opened socket whose connected frame has come. relay: straight to that relay, else through
     * the web server. since, query, headers and options of ws as needed. */
    async socket(user, options = {}) {
        const socket = this.knock(user, options);
        socket.hello = await socket.connected();
        assert.equal(socket.frames[0], socket.hello, 'nothing precedes connected');
        return socket;
    }

    /* A socket on its way; nothing is awaited. query replaces the whole query string. */
    knock(user, { relay, since, query, ...options } = {}) {
        let args = query;
        if (args === undefined) {
            args = this.auth === 'jwt' ? `token=${this.token(user)}` : `user_id=${user}`;
            if (since !== undefined)
                args += `&since=${since}`;
        }
        const target = `${relay === undefined ? this.base : ''}/api/v1/ws${args ? `?${args}` : ''}`;
        const url = relay === undefined ? `ws://127.0.0.1:${this.port}${target}`
            : `ws+unix:${this.relays[relay].socket}:${target}`;
        const socket = new Socket(url, { user, ...options });
        this.sockets.push(socket);
        return socket;
    }

    /* Every frame that socket gets between its cursor and now: something is said in a dialog of that
     * user alone, and since events come in the order of their seq, what had not come before it will
     * never come. */
    async drain(socket) {
        const user = socket.user;
        if (!this.#markers.has(user))
            this.#markers.set(user, await this.dialog([user]));
        const dialog = this.#markers.get(user);
        const { id } = await this.api(user).send(dialog, `marker ${++this.#serial}`);
        const frames = await socket.upTo({ type: 'message.new', id });
        return frames.filter((frame) => frame.dialog_id !== dialog);
    }

    /* ---- the end ---- */

    async #end() {
        await Promise.all(this.atEnd.map((stop) => stop()));
        for (const socket of this.sockets)
            socket.terminate();
        await Promise.all(this.everything.map((one) => one.stop()));
        const complaints = this.everything.flatMap((one) => [...one.complaints, ...one.reports()]);
        if (failures || complaints.length)
            for (const one of this.everything)
                process.stderr.write(`${one.tail()}\n`);
        if (!this.keep)
            rmSync(this.dir, { recursive: true, force: true });
        return complaints;
    }

    /* Stops everything. Throws when a process had died by itself or a sanitizer spoke. */
    async stop() {
        const complaints = await this.#end();
        if (complaints.length)
            throw new Error(complaints.join('\n'));
    }
}
