/* socketio - a relay that echoes over Socket.IO, and its clients: the unmodified npm package, and raw ones below it
 *
 *     const server = await Echo.start({ sio_ping_interval_ms: 300 });
 *     const client = await server.client({ transports: ['polling'] }).ready();
 *     const poller = await server.poller('/engine.io/');
 *     await server.stop();
 *
 * SPDX-License-Identifier: MIT
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { io } from 'socket.io-client';
import WebSocket from 'ws';
import { assert } from './assert.mjs';
import { freePort, listening, request } from './http.mjs';
import { BUILD, failed, hasFailed } from './instance.mjs';
import { lighttpdConfig } from './lighttpd.mjs';
import { Process } from './process.mjs';
import { until, within } from './wait.mjs';

export const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket'], ['websocket', 'polling']];
export { assert, until, within };

/* One HTTP long-polling session, request by request. */
class Poller {
    constructor(server, base, query) {
        Object.assign(this, { server, base, query });
    }

    get target() {
        return `${this.base}?EIO=4&transport=polling&sid=${this.sid}${this.query}`;
    }

    async open() {
        const answer = await request(this.server.port, 'GET', `${this.base}?EIO=4&transport=polling${this.query}`);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.text[0], '0');
        this.hello = JSON.parse(answer.text.slice(1));
        this.sid = this.hello.sid;
        return this;
    }

    call(method, body, options) {
        return request(this.server.port, method, this.target, { body, headers: { 'Content-Type': 'text/plain' }, ...options });
    }

    get() { return this.call('GET'); }
    post(body, options) { return this.call('POST', body, options); }

    /* What a poll brings. */
    async poll() {
        const answer = await this.get();
        assert.equal(answer.status, 200, answer.text);
        return answer.text;
    }

    async send(body) {
        const answer = await this.post(body);
        assert.deepEqual([answer.status, answer.text], [200, 'ok']);
    }

    /* The WebSocket to which it may move. */
    async socket() {
        return this.server.wire(`${this.base}?EIO=4&transport=websocket&sid=${this.sid}`).opened();
    }
}

/* A WebSocket, packet by packet: text, or bytes. */
class Wire {
    packets = [];
    closed = null;

    constructor(url, options) {
        this.ws = new WebSocket(url, { perMessageDeflate: false, ...options });
        this.ws.on('message', (data, binary) => this.packets.push(binary ? data : data.toString()));
        this.ws.on('open', () => { this.open = true; });
        this.ws.on('close', (code) => { this.closed ??= code; });
        this.ws.on('unexpected-response', (req, res) => {
            const chunks = [];
            res.on('data', (chunk) => chunks.push(chunk));
            res.on('end', () => {
                this.refused = { status: res.statusCode, text: Buffer.concat(chunks).toString() };
                this.closed = 0;
            });
        });
        this.ws.on('error', (error) => { this.error = error; });
    }

    async opened() {
        await until('the WebSocket to open', () => this.open || this.closed !== null);
        assert.ok(this.open, `refused: ${JSON.stringify(this.refused)}`);
        return this;
    }

    send(...packets) {
        for (const packet of packets)
            this.ws.send(packet);
    }

    /* The next packet. */
    async next() {
        await until('a packet', () => this.packets.length || this.closed !== null);
        assert.ok(this.packets.length, `closed with ${this.closed}`);
        return this.packets.shift();
    }

    async end() {
        await until('the close', () => this.closed !== null);
        return this.closed;
    }
}

/* The library. Events are noted in order. */
class Client {
    events = [];

    constructor(server, namespace, { via = 'relay', ...options } = {}) {
        this.sdk = io(`${server.base(via)}${namespace}`, { forceNew: true, reconnectionDelay: 20, reconnectionDelayMax: 100, ...options });
        this.sdk.onAny((...event) => this.events.push(event));
        this.sdk.on('connect', () => this.events.push(['(connect)', this.sdk.id]));
        this.sdk.on('disconnect', (reason) => this.events.push(['(disconnect)', reason]));
        this.sdk.on('connect_error', (error) => this.events.push(['(connect_error)', error.message, error.data]));
    }

    get engine() {
        return this.sdk.io.engine;
    }

    get transport() {
        return this.engine.transport.name;
    }

    /* The next event of that name, and nothing before it. */
    async next(name) {
        await until(`${name}, not ${JSON.stringify(this.events)}`, () => this.events.some((event) => event[0] === name));
        const at = this.events.findIndex((event) => event[0] === name);
        return this.events.splice(0, at + 1).at(-1).slice(1);
    }

    async ready() {
        await this.next('(connect)');
        return this;
    }

    upgraded() {
        return until('the move to a WebSocket', () => this.transport === 'websocket');
    }

    ask(...event) {
        return within(`the ack of ${event[0]}`, new Promise((resolve) => this.sdk.emit(...event, (...args) => resolve(args))));
    }

    stop() {
        this.sdk.disconnect();
        this.sdk.io.engine?.close();
    }
}

export class Echo {
    clients = [];
    wires = [];

    static async start(settings, options) {
        const server = new Echo(settings);
        await server.#start(options);
        return server;
    }

    constructor(settings = {}) {
        this.dir = mkdtempSync(path.join(tmpdir(), 'confab-sio-'));
        this.settings = settings;
    }

    async #start({ lighttpd = false } = {}) {
        const config = path.join(this.dir, 'confab.conf');
        writeFileSync(config, '');
        this.port = await freePort();
        const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CONFAB_')));
        const env = { ...inherited, CONFAB_CONFIG: config, CONFAB_STATE: this.dir, CONFAB_SYSTEMS: '', CONFAB_PUSH: '0',
                      CONFAB_SIO_CONFORMANCE: '1', CONFAB_RELAY_LISTEN: `127.0.0.1:${this.port}`, CONFAB_LOG_LEVEL: 'debug' };
        for (const [name, value] of Object.entries(this.settings))
            env[`CONFAB_${name.toUpperCase()}`] = String(value);
        this.relay = new Process('relay', path.join(BUILD, 'relay/confab-relay'), [],
            { env, cwd: this.dir, log: path.join(this.dir, 'relay.log'), ready: () => listening(this.port) });
        await this.relay.start();
        if (lighttpd)
            await this.#startWebServer(inherited);
    }

    async #startWebServer(env) {
        const config = path.join(this.dir, 'lighttpd.conf');
        this.webPort = await freePort();
        writeFileSync(config, lighttpdConfig({ dir: this.dir, port: this.webPort, handlers: [], env: {}, relays: [{ port: this.port }] }));
        this.lighttpd = new Process('lighttpd', process.env.LIGHTTPD || 'lighttpd', ['-D', '-f', config],
            { env, cwd: this.dir, log: path.join(this.dir, 'lighttpd.log'), ready: () => listening(this.webPort), goodEnd: /./ });
        await this.lighttpd.start();
    }

    base(via = 'relay') {
        return `http://127.0.0.1:${via === 'lighttpd' ? this.webPort : this.port}`;
    }

    client(options, namespace = '/') {
        const client = new Client(this, namespace, options);
        this.clients.push(client);
        return client;
    }

    poller(base = '/engine.io/', query = '') {
        return new Poller(this, base, query).open();
    }

    wire(target, options) {
        const wire = new Wire(`ws://127.0.0.1:${this.port}${target}`, options);
        this.wires.push(wire);
        return wire;
    }

    /* A session on a WebSocket from the start; its open packet in hello. */
    async socket(base = '/engine.io/') {
        const wire = await this.wire(`${base}?EIO=4&transport=websocket`).opened();
        wire.hello = JSON.parse((await wire.next()).slice(1));
        return wire;
    }

    /* ... which has joined a namespace. */
    async joined(namespace = '') {
        const wire = await this.socket('/socket.io/');
        wire.send(`40${namespace}`);
        assert.ok((await wire.next()).startsWith(`40${namespace}{"sid":"`));
        assert.equal(await wire.next(), `42${namespace}["auth",{}]`);
        return wire;
    }

    get(target, options) {
        return request(this.port, 'GET', target, options);
    }

    /* How often the log has told that a session ended for that reason. */
    endings(why) {
        return this.relay.text().split(`sio_closed why=${why} `).length - 1;
    }

    ended(why, n = 1) {
        return until(`${n} x ${why}`, () => this.endings(why) >= n);
    }

    async stop() {
        for (const client of this.clients)
            client.stop();
        for (const wire of this.wires)
            wire.ws.terminate();
        const all = [this.relay, this.lighttpd].filter(Boolean);
        await Promise.all(all.map((one) => one.stop()));
        const complaints = all.flatMap((one) => [...one.complaints, ...one.reports()]);
        if (hasFailed() || complaints.length)
            for (const one of all)
                process.stderr.write(`${one.tail()}\n`);
        rmSync(this.dir, { recursive: true, force: true });
        if (complaints.length)
            throw new Error(complaints.join('\n'));
    }
}

/* One for all tests of a file, stopped after them. */
export function echo(settings, options) {
    const started = Echo.start(settings, options);
    started.catch(() => {});
    after(async () => (await started).stop());
    return started;
}

/* Runs body with one of its own. */
export async function withEcho(settings, body) {
    const server = await Echo.start(settings);
    try {
        await body(server);
    } catch (error) {
        failed();
        await server.stop().catch((more) => { error.message += `\nand then: ${more.message}`; });
        throw error;
    }
    await server.stop();
}
