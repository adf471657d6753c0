/* push - a push server in a folder of its own, and its clients
 *
 * confab-relay with a push.conf that is written for it, without database and chat; behind lighttpd where a
 * test wants that. Clients are the unmodified npm package `centrifuge`, which the server's protocol is
 * made for, over each of its transports. Everything they emit is noted in order.
 *
 *     const push = await Push.start({ channels: { open: { subscribe: 'anyone' } } });
 *     const anna = await push.client({ user: 'anna', transport: 'sse' }).ready();
 *     const news = await anna.sub('open:news').ready();
 *     await push.ok('publish', { channel: 'open:news', data: { n: 1 } });
 *     await news.next('publication');
 *     await push.stop();
 *
 * SPDX-License-Identifier: MIT
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { promisify } from 'node:util';
import { Centrifuge } from 'centrifuge';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { assert } from './assert.mjs';
import { freePort, listening, request } from './http.mjs';
import { BUILD, SOURCE, failed, hasFailed } from './instance.mjs';
import { mint, now } from './jwt.mjs';
import { lighttpdConfig } from './lighttpd.mjs';
import { Process } from './process.mjs';
import { DEADLINE_MS, until, within } from './wait.mjs';

export const run = promisify(execFile);
export const KEY = 'the api key of this test';
export const SECRET = 'the token secret of this test, which is long enough';
export const TRANSPORTS = ['websocket', 'http_stream', 'sse'];
export { BUILD, SOURCE, assert, mint, now, until, within };

const PUBLISH = path.join(SOURCE, 'tests/lib/publish.py');
/* Debian's, which knows its zmq; another may come first in the path. */
export const PYTHON = process.env.PYTHON || '/usr/bin/python3';

/* A CURVE key pair: [public, secret]. */
export const curveKeys = async () => (await run(PYTHON, [PUBLISH, 'keys'])).stdout.trim().split(' ');

/* What most tests need. Names without a colon are by token only. */
const usual = {
    '': { user_limited: true, history_size: 10, recovery: 'allowed' },
    open: { subscribe: 'anyone', publish: 'anyone', history: 'anyone', presence_for: 'anyone',
            presence: true, join_leave: 'allowed', history_size: 20, recovery: 'allowed' },
    plain: { subscribe: 'anyone' },
    always: { subscribe: 'anyone', join_leave: 'always', presence: true, history_size: 20, recovery: 'always' },
};

function section(name, options) {
    const lines = Object.entries(options).map(([key, value]) => `${key} = ${value}`);
    return [`[${name}]`, ...lines, ''].join('\n');
}

const fits = (want, event) => typeof want === 'function' ? want(event)
    : typeof want === 'string' ? event.type === want
    : Object.entries(want).every(([key, value]) => event[key] === value);

/* Events in the order in which they came; a cursor runs over them. */
class Diary {
    events = [];
    cursor = 0;

    constructor(whose) {
        this.whose = whose;
    }

    listen(emitter, names) {
        for (const type of names)
            emitter.on(type, (event) => this.events.push({ ...event, type, error: event?.error, of: event?.type }));
    }

    /* Events from the cursor to the first that fits want (predicate, type, or fields), inclusive. */
    async upTo(want, deadline = DEADLINE_MS) {
        const what = typeof want === 'object' ? JSON.stringify(want) : String(want);
        let found;
        await until(`${what} at ${this.whose}`, () => {
            const at = this.events.findIndex((event, i) => i >= this.cursor && fits(want, event));
            found = at < 0 ? undefined : this.events.slice(this.cursor, this.cursor = at + 1);
            return found;
        }, deadline).catch((error) => {
            const seen = this.events.slice(-12).map((event) => JSON.stringify(event).slice(0, 200)).join('\n  ');
            throw new Error(`${error.message}; last events:\n  ${seen}`);
        });
        return found;
    }

    async next(want, deadline) {
        return (await this.upTo(want, deadline)).at(-1);
    }

    /* All that fit, so far. */
    all(want) {
        return this.events.filter((event) => fits(want, event));
    }

    /* All that fit, once there are n. */
    async count(want, n, deadline) {
        await until(`${n} x ${JSON.stringify(want)} at ${this.whose}`, () => this.all(want).length >= n, deadline)
            .catch((error) => { throw new Error(`${error.message}: ${this.all(want).length}`); });
        return this.all(want);
    }

    /* Data of the publications so far. */
    get heard() {
        return this.all('publication').map((event) => event.data);
    }
}

const SUB_EVENTS = ['subscribing', 'subscribed', 'unsubscribed', 'publication', 'join', 'leave', 'error'];

/* A client-side subscription. */
class Sub extends Diary {
    constructor(client, channel, options) {
        super(`${client.whose}'s ${channel}`);
        this.sdk = client.sdk.newSubscription(channel, { minResubscribeDelay: 10, maxResubscribeDelay: 50, ...options });
        this.listen(this.sdk, SUB_EVENTS);
    }

    start() {
        this.sdk.subscribe();
        return this;
    }

    /* Subscribed; the event is in this.hello. */
    async ready() {
        this.start();
        this.hello = await this.next('subscribed');
        return this;
    }
}

/* A client: its own events, with those of its server-side subscriptions. */
class Client extends Diary {
    constructor(push, { transport = 'websocket', via = 'relay', user, token, query = '', socket = {}, ca, ...options } = {}) {
        super(`${user ?? 'somebody'} by ${transport}`);
        this.transport = transport;
        this.user = user;
        const base = push.base(via);
        const endpoint = `${transport === 'websocket' ? base.replace(/^http/, 'ws') : base}/connection/${transport}${query}`;
        const client = this;
        class Socket extends WebSocket {        /* kept for tests that look below the library */
            constructor(url, protocols) {
                super(url, protocols?.length ? protocols : undefined, { perMessageDeflate: false, ca, ...socket });
                client.socket = this;
            }
        }
        const settings = {
            websocket: Socket, eventsource: EventSource, emulationEndpoint: `${base}/emulation`,
            minReconnectDelay: 20, maxReconnectDelay: 200, timeout: DEADLINE_MS, ...options,
        };
        if (token !== undefined || (user !== undefined && !options.getToken))
            settings.token = token ?? push.token(user);
        this.sdk = new Centrifuge([{ transport, endpoint }], settings);
        this.listen(this.sdk, ['connecting', 'connected', 'disconnected', 'error', 'message', ...SUB_EVENTS.slice(0, -1)]);
        push.clients.push(this);
    }

    start() {
        this.sdk.connect();
        return this;
    }

    /* Connected; the event is in this.hello. */
    async ready() {
        this.start();
        this.hello = await this.next('connected');
        return this;
    }

    get id() {
        return this.hello.client;
    }

    sub(channel, options) {
        return new Sub(this, channel, options);
    }

    /* Loses the transport, as by a broken network; comes back by itself. */
    async lose() {
        const n = this.all('connected').length;
        this.sdk._transport.close();
        await this.count('connected', n + 1);
        this.hello = this.all('connected').at(-1);
    }

    stop() {
        this.sdk.disconnect();
    }
}

/* A WebSocket below the library: lines up, lines down. */
export class Wire {
    lines = [];
    closed = null;
    refused = null;
    cursor = 0;
    #id = 0;

    constructor(url, options = {}) {
        this.ws = new WebSocket(url, options.protocols, { perMessageDeflate: false, ...options });
        this.opened = new Promise((resolve) => {
            this.ws.on('open', () => resolve(true));
            this.ws.on('close', () => resolve(false));
        });
        this.ws.on('message', (data, binary) => {
            assert.equal(binary, false);
            for (const line of data.toString('utf8').split('\n')) {
                assert.notEqual(line, '', 'no empty lines');
                this.lines.push(JSON.parse(line));
            }
        });
        this.ws.on('close', (code, reason) => { this.closed ??= { code, reason: reason.toString() }; });
        this.ws.on('unexpected-response', (req, res) => {
            this.refused = { status: res.statusCode, headers: res.headers };
            this.closed = { code: 0, reason: `refused with ${res.statusCode}` };
            res.resume();
            this.ws.terminate();
        });
        this.ws.on('error', (error) => { this.error = error; this.closed ??= { code: 0, reason: error.message }; });
    }

    /* Text is sent as it is; commands as lines of one message. */
    async send(...what) {
        await this.opened;
        this.ws.send(typeof what[0] === 'string' || Buffer.isBuffer(what[0]) ? what[0]
            : what.map((one) => JSON.stringify(one)).join('\n'));
    }

    /* The reply to one command. */
    async ask(method, params = {}) {
        const id = ++this.#id;
        await this.send({ id, [method]: params });
        return this.reply(id);
    }

    reply(id) {
        return this.find((line) => line.id === id);
    }

    /* The first line that fits. */
    async find(look) {
        await until(`${look} on the wire`, () => this.lines.some(look) || this.closed)
            .catch((error) => { throw new Error(`${error.message}: ${JSON.stringify(this.lines.slice(-5)).slice(0, 1000)}`); });
        const found = this.lines.find(look);
        assert.ok(found, `closed with ${JSON.stringify(this.closed)} before ${look}: ${JSON.stringify(this.lines.slice(-5))}`);
        return found;
    }

    pushes(kind) {
        return this.lines.map((line) => line.push).filter((push) => push && (!kind || push[kind]));
    }

    push(kind) {
        return this.find((line) => line.push?.[kind]).then((line) => line.push);
    }

    async connect(params = {}) {
        const reply = await this.ask('connect', params);
        assert.ok(reply.connect, JSON.stringify(reply));
        this.hello = reply.connect;
        return this;
    }

    /* { code, reason }, once it is closed by the server. Checks what is asked of every reason. */
    async ended(deadline) {
        await until('the close', () => this.closed, deadline).catch((error) => {
            throw new Error(`${error.message}: ${JSON.stringify(this.lines.slice(-5))}`);
        });
        cleanReason(this.closed);
        return this.closed;
    }

    terminate() {
        this.ws.terminate();
    }
}

/* Never empty, never JSON, never too long. */
export function cleanReason({ code, reason }) {
    if (code < 3000)
        return;
    assert.notEqual(reason, '', `reason of ${code}`);
    assert.ok(Buffer.byteLength(reason) <= 123);
    assert.throws(() => JSON.parse(reason), `reason of ${code}: ${reason}`);
}

/* Prometheus text as { 'name{labels}': number }; throws on what is none. */
export function parseMetrics(text) {
    const figures = {};
    const types = {};
    assert.ok(text.endsWith('\n'), 'ends with a line feed');
    for (const line of text.slice(0, -1).split('\n')) {
        const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
        if (comment) {
            if (comment[1] === 'TYPE') {
                assert.match(comment[3], /^(counter|gauge|histogram)$/, line);
                assert.ok(!(comment[2] in types), `two types: ${line}`);
                types[comment[2]] = comment[3];
            }
            continue;
        }
        const sample = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (-?[\d.]+(?:e[+-]?\d+)?|\+Inf|NaN)$/.exec(line);
        assert.ok(sample, `no Prometheus text: ${line}`);
        const base = sample[1].replace(/_(bucket|sum|count)$/, '');
        assert.ok(types[sample[1]] || types[base] === 'histogram', `no TYPE: ${line}`);
        const key = `${sample[1]}${sample[2] ?? ''}`;
        assert.ok(!(key in figures), `twice: ${line}`);
        figures[key] = Number(sample[3].replace('+Inf', 'Infinity'));
    }
    return figures;
}

export class Push {
    clients = [];
    wires = [];
    jobs = [];          /* programs that publish: not to outlive us */

    /* settings: those of confab.conf(5), push_ and others; @DIR@ is the instance's folder. channels: { namespace:
     * options }, '' for [channels], added to the usual ones unless only is set. lighttpd: start one, too. api:
     * 'clients' (default) or 'own'. key, jwks: texts of files with public keys. */
    static async start(options = {}) {
        const push = new Push(options);
        try {
            await push.#start();
        } catch (error) {
            await push.#end();
            throw error;
        }
        return push;
    }

    constructor({ settings = {}, channels = {}, only = false, lighttpd = false, api = 'clients', env = {}, key, jwks }) {
        Object.assign(this, { settings, lighttpdWanted: lighttpd, ownApi: api === 'own', extraEnv: env });
        this.channels = only ? channels : { ...usual, ...channels };
        this.dir = mkdtempSync(path.join(tmpdir(), 'confab-push-'));
        this.config = path.join(this.dir, 'push.conf');
        if (key)
            this.settings.push_token_public_key = this.file('key.pem', key);
        if (jwks)
            this.settings.push_token_jwks = this.file('jwks.json', JSON.stringify(jwks));
    }

    /* A file in the folder of this instance; its path. */
    file(name, text) {
        const where = path.join(this.dir, name);
        writeFileSync(where, text, { mode: 0o600 });
        return where;
    }

    /* Writes the file of settings; what is given stays changed. */
    configure(settings = {}, channels = {}) {
        Object.assign(this.settings, settings);
        Object.assign(this.channels, channels);
        const all = {
            push: true, systems: '', relay_listen: `127.0.0.1:${this.port}`,
            push_api_listen: this.ownApi ? `127.0.0.1:${this.apiPort}` : 'clients',
            push_api_key: KEY, push_token_secret: SECRET, push_anonymous: true, push_drain_s: 0, ...this.settings,
        };
        for (const [name, value] of Object.entries(all))
            if (value === null)
                delete all[name];
        const text = [section('push server', all),
            ...Object.entries(this.channels).map(([name, options]) => section(`channels ${name}`.trim(), options))].join('\n');
        writeFileSync(this.config, text.replaceAll('@DIR@', this.dir), { mode: 0o600 });
    }

    async #start() {
        this.port = await freePort();
        this.apiPort = this.ownApi ? await freePort() : this.port;
        this.configure();
        const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CONFAB_')));
        this.env = { ...inherited, ...this.extraEnv };
        this.relay = new Process('relay', path.join(BUILD, 'relay/confab-relay'), ['--config', this.config], {
            env: this.env, cwd: this.dir, log: path.join(this.dir, 'relay.log'), ready: () => listening(this.port),
        });
        await this.relay.start();
        if (this.lighttpdWanted)
            await this.#startWebServer();
    }

    async #startWebServer() {
        this.webPort = await freePort();
        const config = path.join(this.dir, 'lighttpd.conf');
        writeFileSync(config, lighttpdConfig({ dir: this.dir, port: this.webPort, handlers: [], env: {},
                                               relays: [{ port: this.port }] }));
        this.lighttpd = new Process('lighttpd', process.env.LIGHTTPD || 'lighttpd', ['-D', '-f', config], {
            env: this.env, cwd: this.dir, log: path.join(this.dir, 'lighttpd.log'), ready: () => listening(this.webPort), goodEnd: /./,
        });
        await this.lighttpd.start();
    }

    get everything() {
        return [this.relay, this.lighttpd].filter(Boolean);
    }

    base(via = 'relay') {
        const scheme = this.settings.relay_tls_certificate && via === 'relay' ? 'https' : 'http';
        return `${scheme}://127.0.0.1:${via === 'lighttpd' ? this.webPort : this.port}`;
    }

    /* ---- servers ---- */

    /* One call of the server API: { status, headers, text, json }. options: key (null: none), transport errors. */
    api(method, params = {}, { key = KEY, headers = {}, statuses = false, query = '' } = {}) {
        return request(this.apiPort, 'POST', `/api/${method}${query}`, {
            body: params,
            headers: { ...(key === null ? {} : { 'X-API-Key': key }),
                       ...(statuses ? { 'X-Centrifugo-Error-Mode': 'transport' } : {}), ...headers },
        });
    }

    /* One that has to succeed: its result. */
    async ok(method, params) {
        const answer = await this.api(method, params);
        assert.equal(answer.status, 200, `${method}: ${answer.status} ${answer.text}`);
        assert.ok(answer.json.result ?? answer.json.replies, `${method}: ${answer.text}`);
        return answer.json.result ?? answer.json;
    }

    /* One that has to fail: its code. */
    async code(method, params) {
        const answer = await this.api(method, params);
        assert.equal(answer.status, 200, `${method}: ${answer.status} ${answer.text}`);
        assert.ok(answer.json.error, `${method} ${JSON.stringify(params)}: ${answer.text}`);
        assert.ok(answer.json.error.message);
        return answer.json.error.code;
    }

    publish(channel, data, more = {}) {
        return this.ok('publish', { channel, data, ...more });
    }

    async metrics() {
        const answer = await request(this.apiPort, 'GET', '/metrics', { headers: { 'X-API-Key': KEY } });
        assert.equal(answer.status, 200);
        return parseMetrics(answer.text);
    }

    /* Waits until a figure of /metrics is as look() wants it; the figure. */
    metric(name, look = (n) => n > 0) {
        let figure;
        return until(`${name} to fit ${look}`, async () => {
            figure = (await this.metrics())[name];
            return figure !== undefined && look(figure);
        }).then(() => figure).catch((error) => { throw new Error(`${error.message}: ${figure}`); });
    }

    /* Runs confabctl; its standard output. */
    async ctl(...args) {
        const { stdout } = await run(path.join(BUILD, 'ctl/confabctl'), args,
            { env: { ...this.env, CONFAB_CONFIG: this.config, PUSH_API_KEY: KEY } });
        return stdout;
    }

    /* Sends messages (lists of frames: text, bytes, or anything else as JSON) over ZeroMQ as lib/publish.py does; the
     * answers, parsed. keys: CURVE's, of the server and our own. */
    async zmq(kind, endpoint, messages, ...keys) {
        const lines = messages.map((frames) => JSON.stringify(frames.map((frame) =>
            Buffer.from(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame)).toString('base64'))));
        const job = run(PYTHON, [PUBLISH, kind, endpoint, ...keys], { maxBuffer: 1 << 26 });
        this.jobs.push(job.child);
        job.child.stdin.on('error', () => {});
        job.child.stdin.end(lines.map((line) => `${line}\n`).join(''));
        const { stdout } = await job;
        return stdout.split('\n').filter(Boolean).map((line) => {
            const frames = JSON.parse(line).map((frame) => Buffer.from(frame, 'base64').toString());
            return frames.length === 1 ? JSON.parse(frames[0]) : [...frames.slice(0, -1), JSON.parse(frames.at(-1))];
        });
    }

    /* ---- clients ---- */

    token(user, claims = {}) {
        return mint({ sub: user, exp: now() + 3600, ...claims }, SECRET);
    }

    /* A token for one channel. */
    pass(user, channel, claims = {}) {
        return this.token(user, { channel, ...claims });
    }

    client(options) {
        return new Client(this, options);
    }

    /* A WebSocket below the library. options of ws; via, target */
    wire({ via = 'relay', target = '/connection/websocket', ...options } = {}) {
        const wire = new Wire(`${this.base(via).replace(/^http/, 'ws')}${target}`, options);
        this.wires.push(wire);
        return wire;
    }

    /* A wire that has connected. */
    async connected(params, options) {
        return this.wire(options).connect(typeof params === 'string' ? { token: this.token(params) } : params);
    }

    /* ---- lives ---- */

    signal(name) {
        this.relay.signal(name);
    }

    /* Reads the file of settings anew; resolves when the relay has said so in its log. */
    async reload(settings, channels) {
        this.configure(settings, channels);
        const before = this.reloads();
        this.signal('SIGHUP');
        await until('the reload to be logged', () => this.reloads() > before);
    }

    reloads() {
        return (this.relay.text().match(/\bsettings_(reloaded|kept)\b/g) ?? []).length;
    }

    /* The relay's log, parsed. */
    get log() {
        return this.relay.text().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    }

    kill() {
        return this.relay.kill();
    }

    async #end() {
        for (const client of this.clients)
            client.stop();
        for (const wire of this.wires)
            wire.terminate();
        for (const job of this.jobs)
            job.kill('SIGKILL');
        await Promise.all(this.everything.map((one) => one.stop()));
        const complaints = this.everything.flatMap((one) => [...one.complaints, ...one.reports()]);
        if (hasFailed() || complaints.length)
            for (const one of this.everything)
                process.stderr.write(`${one.tail()}\n`);
        if (!process.env.CONFAB_TEST_KEEP)
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

/* A push server for all tests of a file, stopped after them. */
export function pushServer(options) {
    const started = Push.start(options);
    started.catch(() => {});
    after(async () => (await started).stop());
    return started;
}

/* Runs body with a push server of its own. */
export async function withPush(options, body) {
    const push = await Push.start(options);
    try {
        await body(push);
    } catch (error) {
        failed();
        await push.stop().catch((more) => { error.message += `\nand then: ${more.message}`; });
        throw error;
    }
    await push.stop();
}

export const numbers = (n, from = 1) => Array.from({ length: n }, (_, i) => from + i);

/* The files of a folder of examples, by name. */
export const example = (name) => path.join(SOURCE, 'docs/examples/push', name);
export const readText = (file) => readFileSync(file, 'utf8');
