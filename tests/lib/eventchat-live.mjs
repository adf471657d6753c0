/* eventchat-live - users of eventchat on their sockets, of either framing, by the same words
 *
 *     const { owner, applicant, chat } = await pair(confab);
 *     const socket = await connect(confab, owner, 'bare');
 *     await socket.ask('send_message', { chatId: chat, message: { text: 'hi' } });
 *     await socket.next('chat_updates');
 *
 * A socket notes every event as [name, payload] in the order in which it came, and acknowledgements among them as
 * ['(ack)', answer, n]: the n-th that was asked for. Bare sockets have none.
 *
 * SPDX-License-Identifier: MIT
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { io } from 'socket.io-client';
import { assert } from './assert.mjs';
import { request } from './http.mjs';
import * as live from './live.mjs';
import { until, within } from './wait.mjs';

export const FRAMINGS = ['bare', 'websocket', 'polling'];

let serial = 0;

/* ---- REST ---- */

export async function call(confab, user, method, target, body) {
    return request(confab.port, method, `/eventchat/v1${target}`,
        { body, headers: { Authorization: `Bearer ${confab.token(user)}` } });
}

export async function rest(confab, user, method, target, body) {
    const answer = await call(confab, user, method, target, body);
    assert.ok(answer.status < 300, `${method} ${target}: ${answer.status} ${answer.text}`);
    return answer.json;
}

/* Two users who are not in anything yet, and the chat of an event of the first. */
export async function pair(confab, owner = String(1000 + ++serial), applicant = String(1000 + ++serial)) {
    const { event } = await rest(confab, owner, 'POST', '/events',
        { name: `event of ${owner}`, location: 'ONLINE', dateFromS: 1, dateToS: 2 });
    const { chatId } = await rest(confab, applicant, 'POST', `/events/${event.id}/chat`, {});
    return { owner, applicant, event: event.id, chat: chatId };
}

/* Everything said in a chat, as its owner's initial data and history have it. */
export async function said(confab, user, chat, options) {
    const socket = await connect(confab, user, 'bare', options);
    let messages = socket.initial.flatMap(({ chats }) => chats).find(({ chatId }) => chatId === chat).messages;
    for (let more = messages.length > 0 && messages[0].messageId > 1; more;) {
        await socket.send('load_history', { chatId: chat, lastMessageId: messages[0].messageId });
        const page = await socket.next('history');
        messages = [...page.messages, ...messages];
        more = page.hasMore;
    }
    await socket.close();
    return messages;
}

/* ---- sockets ---- */

/* What users of eventchat do on sockets of either kind. */
const user = (Socket) => class extends Socket {
    count(name, n) {
        return until(`${n} x ${name} at ${this.name}, not ${this.of(name).length}`, () => this.of(name).length >= n);
    }

    /* Nothing but what is already here was to come: the answer to a later question follows it. */
    async quiet() {
        const from = this.cursor;
        this.send('load_history', { chatId: 'no-such-chat', lastMessageId: 1 });
        await this.next(([name, payload]) => name === 'debug_info' && payload.event === 'load_history');
        return this.events.slice(from, this.cursor - 1).filter(([name]) => name !== '(ack)');
    }
};

class Bare extends user(live.Bare) {
    constructor(confab, who, options) {
        super(confab, who, { path: '/eventchat/ws', ...options });
    }

    ask(event, data) {
        this.send(event, data);
    }
}

class Sio extends user(live.Live) {
    asked = 0;

    constructor(confab, who, framing, { namespace = '/eventchat', path: at = '/socket.io/', reconnection = false, ...options } = {}) {
        super();
        Object.assign(this, { user: who, framing });
        this.sdk = io(`http://127.0.0.1:${confab.port}${namespace}`, { path: at, transports: [framing], forceNew: true, reconnection,
            reconnectionDelay: 20, reconnectionDelayMax: 100, auth: { token: confab.token(who) }, ...options });
        this.sdk.onAny((...event) => this.events.push(event));
        this.sdk.on('connect', () => { this.connects = (this.connects ?? 0) + 1; });
        this.sdk.on('disconnect', (reason) => { if (!reconnection) this.closed ??= reason; });
        this.sdk.on('connect_error', (error) => { if (!reconnection) this.closed ??= { message: error.message, data: error.data }; });
        confab.sockets.push({ terminate: () => this.terminate() });
    }

    send(...event) {
        this.sdk.emit(...event);
    }

    ask(event, data) {
        const n = ++this.asked;
        return new Promise((resolve) => this.sdk.emit(event, data, (answer) => {
            this.events.push(['(ack)', answer, n]);
            resolve(answer);
        }));
    }

    async close() {
        this.sdk.disconnect();
        await this.ended();
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

/* One that has its initial data, in `initial`. */
export async function connect(confab, user, framing = 'bare', options = {}) {
    const socket = knock(confab, user, framing, options);
    socket.initial = await socket.expect('initial_data');
    return socket;
}

/* ---- what holds everybody up ---- */

/* Holds the database's write lock until release(). */
export async function holdWrites(confab) {
    const holder = spawn('sqlite3', [path.join(confab.state, 'confab.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = new Promise((resolve) => { holder.on('exit', resolve); });
    holder.stdin.write(".timeout 10000\nBEGIN IMMEDIATE;\nSELECT 'held';\n");
    await within('the lock', new Promise((resolve) => { holder.stdout.once('data', resolve); }));
    return async () => {
        holder.stdin.end('ROLLBACK;\n');
        await exited;
    };
}
