/* rooms - helpers for tests of the rooms system: owners, runners, their calls and sockets
 *
 *     const confab = await rooms();
 *     const anna = await register(confab);
 *     const room = await anna.room('kitchen', ['Cook', 'Critic']);
 *     const chat = await anna.chat(room.id);
 *     await anna.say(room.id, 'is it done yet?');
 *     await chat.next('message');
 *
 * SPDX-License-Identifier: MIT
 */
import { assert } from './assert.mjs';
import { request } from './http.mjs';
import { instance, ROOMS_SECRET } from './instance.mjs';
import { mint, now } from './jwt.mjs';
import { Socket } from './socket.mjs';

/* An instance of rooms alone, for all tests of a file. */
export const rooms = (options = {}) => instance({ systems: 'rooms', ...options });

/* Times of rooms: exactly three digits. */
export const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
export const ID = /^[1-9]\d*$/;
export const PASSWORD = 'a password of this test';

/* Ids that no row has, and texts that are no ids. */
export const NOBODY = ['0', '-1', '999999999', '9007199254740993', '9223372036854775807', '9223372036854775808',
    '99999999999999999999999999', '-99999999999999999999999999'];
export const NO_ID = ['x', '1x', '1.5', '1e3', '%20', '0x1', 'null', '%F0%9F%8E%AD', '%00', '%ff', '--1'];

let serial = 0;

/* Somebody with a credential, or without one. */
export class Caller {
    constructor(confab, token, more = {}) {
        Object.assign(this, { confab, token, ...more });
    }

    call(method, target, body, { headers = {}, ...options } = {}) {
        const credential = this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` };
        return request(this.confab.port, method, target, { body, headers: { ...credential, ...headers }, ...options });
    }

    get(target, options) { return this.call('GET', target, undefined, options); }
    post(target, body, options) { return this.call('POST', target, body, options); }
    patch(target, body, options) { return this.call('PATCH', target, body, options); }
    delete(target, options) { return this.call('DELETE', target, undefined, options); }

    /* One that has to succeed: its JSON. */
    async ok(method, target, body, options) {
        const answer = await this.call(method, target, body, options);
        if (answer.status < 200 || answer.status > 299)
            throw new Error(`${method} ${target}: ${answer.status} ${answer.text}`);
        return answer.json;
    }
}

/* The owner of rooms. */
export class Owner extends Caller {
    /* A room with new agents of these names: the room, and agents, by name. */
    async room(name = 'a room', agents = [], more = {}) {
        const room = await this.ok('POST', '/api/rooms', { name, ...more });
        room.agents = {};
        for (const one of agents)
            room.agents[one] = await this.agent(room.id, one);
        return room;
    }

    agent(room, name, more = {}) {
        return this.ok('POST', `/api/rooms/${room}/agents`, { name, ...more });
    }

    /* agent: whom it is addressed to */
    say(room, text, agent) {
        return this.ok('POST', `/api/rooms/${room}${agent ? `/agents/${agent}` : ''}/messages`, { text });
    }

    relate(room, a, b, level) {
        return this.ok('PATCH', `/api/rooms/${room}/relationships`, { agent1Id: a, agent2Id: b, sympathyLevel: level });
    }

    feed(room, limit = 100) {
        return this.ok('GET', `/api/rooms/${room}/feed?limit=${limit}`).then((answer) => answer.items);
    }

    /* A runner with a key of its own for that room. */
    async runner(room, name = 'a runner') {
        const key = await this.ok('POST', `/api/rooms/${room}/runners`, { name });
        return new Runner(this.confab, key.key, { key, room });
    }

    /* An opened socket whose connected frame has come. */
    async chat(room) { return welcomed(this.knock(room, 'chat')); }
    async graph(room) { return welcomed(this.knock(room, 'graph')); }

    /* A socket on its way; query replaces the whole query string. */
    knock(room, kind, { query, ...options } = {}) {
        return knock(this.confab, `/api/rooms/${room}/${kind}?${query ?? `token=${encodeURIComponent(this.token)}`}`, options);
    }
}

export class Runner extends Caller {
    say(room, body, options) {
        return this.ok('POST', `/api/runner/rooms/${room}/messages`, body, options);
    }

    async stream() { return welcomed(this.knock()); }

    knock({ query, ...options } = {}) {
        return knock(this.confab, `/api/runner/stream?${query ?? `token=${encodeURIComponent(this.token)}`}`, options);
    }
}

function knock(confab, target, options) {
    const socket = new Socket(`ws://127.0.0.1:${confab.port}${target}`, { user: target.split('?')[0], ...options });
    confab.sockets.push(socket);
    return socket;
}

async function welcomed(socket) {
    socket.hello = await socket.connected();
    assert.equal(socket.frames[0], socket.hello, 'nothing precedes connected');
    return socket;
}

export const nobody = (confab) => new Caller(confab);

export const newEmail = () => `user${++serial}-${process.pid}@example.com`;

/* A new account. */
export async function register(confab, more = {}) {
    const auth = await nobody(confab).ok('POST', '/api/auth/register',
        { email: newEmail(), password: PASSWORD, ...more });
    return new Owner(confab, auth.token, auth);
}

/* A token of rooms with these claims, good unless they say otherwise. */
export const roomsToken = (sub, claims = {}, options = {}, secret = ROOMS_SECRET) =>
    mint({ sub, iat: now(), exp: now() + 3600, aud: 'confab:rooms', ...claims }, secret, options);

/* A refusal in rooms' shape: a sentence, CORS, and what else belongs to its status. */
export function refused(answer, status, word) {
    const said = `${answer.status} ${answer.text.slice(0, 300)}`;
    if (Array.isArray(status))
        assert.ok(status.includes(answer.status), said);
    else
        assert.equal(answer.status, status, said);
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/, said);
    assert.equal(typeof answer.json?.detail, 'string', said);
    assert.ok(answer.json.detail.length > 0, said);
    for (const error of answer.json.errors ?? []) {
        assert.ok(error.loc.every((one) => typeof one === 'string') && error.loc.length === 2, said);
        assert.ok(error.msg.length > 0 && error.type.length > 0, said);
    }
    assert.ok(!/sqlite|select |insert |\.c:|errno/i.test(answer.text), said);
    assert.equal(answer.headers['access-control-allow-origin'], '*', `CORS on ${said}`);
    assert.equal(answer.headers['www-authenticate'], answer.status === 401 ? 'Bearer' : undefined, said);
    if (answer.status === 429)
        assert.ok(Number(answer.headers['retry-after']) >= 1, said);
    if (answer.status === 405)
        assert.ok(answer.headers.allow, said);
    if (word)
        assert.ok(answer.text.includes(word), said);
}

/* A good answer's JSON. */
export function fine(answer, status = 200) {
    assert.equal(answer.status, status, `${answer.status} ${answer.text.slice(0, 300)}`);
    if (status === 204) {
        assert.equal(answer.text, '');
        return undefined;
    }
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
    assert.ok(answer.json !== undefined, answer.text);
    return answer.json;
}
