/* live - users of a system of named events on their sockets, of either framing, by the same words
 *
 *     const socket = await connect(confab, '7', 'polling');
 *     await rest(confab, '8', 'POST', '/v1/conversations/new', { name: 'Tea' });
 *     await socket.next('new_conversation');
 *
 * A socket notes every event as [name, payload] in the order in which it came; what the library tells of itself stands
 * among them in brackets. That something does not come is proven by what comes after it.
 *
 * SPDX-License-Identifier: MIT
 */
import { io } from 'socket.io-client';
import WebSocket from 'ws';
import { assert } from './assert.mjs';
import { request } from './http.mjs';
import { until } from './wait.mjs';

export const FRAMINGS = ['bare', 'websocket', 'polling', 'polling, websocket', 'websocket, polling'];

/* The pairs of path and namespace by which Socket.IO reaches conversations. */
export const PLACES = [['/socket.io/', '/conversations'], ['/conversations/socket.io/', '/'], ['/socket.io/', '/']];

/* ---- REST ---- */

export function call(confab, user, method, target, body) {
    return request(confab.port, method, target, { body, headers: { Authorization: `Bearer ${confab.token(user)}` } });
}

/* One that has to succeed. */
export async function rest(confab, user, method, target, body) {
    const answer = await call(confab, user, method, target, body);
    assert.equal(answer.status, 200, `${method} ${target}: ${answer.text}`);
    return answer.json;
}

/* The status of a call that wants nothing but a socket: 200, or 428 without one. */
export async function presence(confab, user) {
    return (await call(confab, user, 'GET', '/v1/conversations/get')).status;
}

export function gone(confab, user, deadline) {
    return until(`${user} to be offline`, async () => await presence(confab, user) === 428, deadline);
}

/* ---- sockets ---- */

/* What both kinds of socket know. */
export class Live {
    events = [];
    cursor = 0;
    closed = null;

    get name() {
        return `${this.user}'s ${this.framing} socket`;
    }

    /* Events from the cursor to the first that fits, which is a name or a predicate. */
    async upTo(want) {
        const fits = typeof want === 'string' ? ([name]) => name === want : want;
        let at = -1;
        await until(`${want} at ${this.name}`, () => {
            at = this.events.findIndex((event, i) => i >= this.cursor && fits(event));
            if (at < 0 && this.closed !== null)
                assert.fail(`${this.name} closed with ${JSON.stringify(this.closed)} before ${want}; ${JSON.stringify(this.events.slice(-5))}`);
            return at >= 0;
        });
        const found = this.events.slice(this.cursor, at + 1);
        this.cursor = at + 1;
        return found;
    }

    /* The payload of the next of that name. */
    async next(want) {
        return (await this.upTo(want)).at(-1)[1];
    }

    /* The payload of the very next event, which is of that name. */
    async expect(name) {
        await until(`${name} at ${this.name}`, () => this.events.length > this.cursor || this.closed !== null);
        assert.ok(this.events.length > this.cursor, `${this.name} closed with ${JSON.stringify(this.closed)}`);
        const [got, payload] = this.events[this.cursor++];
        assert.equal(got, name, JSON.stringify(payload));
        return payload;
    }

    of(name) {
        return this.events.filter(([one]) => one === name).map(([, payload]) => payload);
    }

    /* A close code, { status } of a refused handshake, or { message, data } of a refused connect. */
    async ended(deadline) {
        await until(`the end of ${this.name}`, () => this.closed !== null, deadline);
        return this.closed;
    }
}

export class Bare extends Live {
    framing = 'bare';

    constructor(confab, user, { relay, path = '/v1/ws', query, ...options } = {}) {
        super();
        this.user = user;
        const target = `${path}${query ?? `?token=${confab.token(user)}`}`;
        this.ws = new WebSocket(relay === undefined ? `ws://127.0.0.1:${confab.port}${target}`
            : `ws+unix:${confab.relays[relay].socket}:${target}`, { perMessageDeflate: false, ...options });
        this.ws.on('message', (data) => {
            const { event, data: payload } = JSON.parse(data.toString());
            this.events.push([event, payload]);
        });
        this.ws.on('open', () => { this.open = true; });
        this.ws.on('ping', () => { this.pings = (this.pings ?? 0) + 1; });
        this.ws.on('close', (code) => { this.closed ??= code; });
        this.ws.on('unexpected-response', (req, res) => {
            const chunks = [];
            res.on('data', (chunk) => chunks.push(chunk));
            res.on('end', () => {
                this.refusal = Buffer.concat(chunks).toString();
                this.closed = { status: res.statusCode };
            });
        });
        this.ws.on('error', (error) => { this.error = error; });
        confab.sockets.push(this.ws);
    }

    async opened() {
        await until(`${this.name} to open`, () => this.open || this.closed !== null);
        assert.ok(this.open, `refused: ${JSON.stringify(this.closed)}`);
        return this;
    }

    ready() {
        return this.expect('connected');
    }

    raw(text, options) {
        this.ws.send(text, options ?? {});
    }

    send(event, data) {
        this.raw(JSON.stringify({ event, data }));
    }

    async close() {
        this.ws.close();
        await this.ended();
    }

    terminate() {
        this.ws.terminate();
    }
}

class Sio extends Live {
    constructor(confab, user, framing, { place = PLACES[0], reconnection = false, token = confab.token(user), ...options } = {}) {
        super();
        Object.assign(this, { user, framing, reconnection });
        this.sdk = io(`http://127.0.0.1:${confab.port}${place[1]}`, { path: place[0], transports: framing.split(', '), forceNew: true,
            reconnection, reconnectionDelay: 20, reconnectionDelayMax: 100, auth: { token }, ...options });
        this.sdk.onAny((...event) => this.events.push(event));
        this.sdk.on('connect', () => this.events.push(['(connect)', this.sdk.id]));
        this.sdk.on('disconnect', (reason) => this.#end('(disconnect)', reason));
        this.sdk.on('connect_error', (error) => this.#end('(connect_error)', { message: error.message, data: error.data }));
        confab.sockets.push(this);
    }

    #end(name, why) {
        this.events.push([name, why]);
        if (!this.reconnection)
            this.closed ??= why;
    }

    get transport() {
        return this.sdk.io.engine.transport.name;
    }

    ready() {
        return this.expect('(connect)');
    }

    /* The transport on which it stays. */
    settled() {
        return until(`${this.name} to move`, () => this.transport === (this.framing.includes('websocket') ? 'websocket' : 'polling'));
    }

    send(...event) {
        this.sdk.emit(...event);
    }

    async close() {
        this.sdk.disconnect();
    }

    terminate() {
        this.sdk.disconnect();
        this.sdk.io.engine?.close();
    }
}

/* A socket on its way. */
export function knock(confab, user, framing = 'bare', options = {}) {
    return framing === 'bare' ? new Bare(confab, user, options) : new Sio(confab, user, framing, options);
}

/* One that has been told that it is connected; what with stands in `hello`. */
export async function connect(confab, user, framing = 'bare', options = {}) {
    const socket = knock(confab, user, framing, options);
    socket.hello = await socket.ready();
    return socket;
}
