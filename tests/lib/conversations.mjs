/* conversations - helpers for tests of that system: users on their sockets, and their calls
 *
 *     const confab = await conversations();
 *     const anna = await online(confab, 1, { name: 'Anna' });
 *     const id = await anna.make('Tea');
 *     await anna.socket.next('new_conversation');
 *
 * SPDX-License-Identifier: MIT
 */
import { assert } from './assert.mjs';
import { request } from './http.mjs';
import { instance, SECRET } from './instance.mjs';
import { mint, now } from './jwt.mjs';
import { connect } from './live.mjs';

const LOTS = { CONFAB_CONV_RATE: '100000', CONFAB_CONV_BURST: '100000' };

/* An instance of conversations alone, for all tests of a file. */
export const conversations = ({ env = {}, ...options } = {}) =>
    instance({ systems: 'conversations', env: { ...LOTS, ...env }, ...options });

/* Every method that names a group in its path: method, path, and the code of "no socket". */
export const OF_A_GROUP = [['GET', 'join', 4], ['GET', 'leave', 3], ['DELETE', 'delete', 3], ['GET', 'view', 3],
    ['GET', 'stopView', 3], ['GET', 'read', 3], ['GET', 'members', 3]];

let serial = 0;

/* A name that no other test uses. */
export const fresh = (what = 'group') => `${what} ${++serial}`;

export class User {
    constructor(confab, id, claims = {}) {
        Object.assign(this, { confab, id, claims });
        this.token = mint({ sub: id, exp: now() + 3600, ...claims }, SECRET);
    }

    call(method, target, body, { headers = {} } = {}) {
        return request(this.confab.port, method, `/v1${target}`, { body,
            headers: { Authorization: `Bearer ${this.token}`, ...headers } });
    }

    get(target, options) { return this.call('GET', target, undefined, options); }
    post(target, body, options) { return this.call('POST', target, body, options); }

    /* One that has to succeed: its JSON. */
    async ok(method, target, body) {
        const answer = await this.call(method, target, body);
        assert.equal(answer.status, 200, `${method} ${target}: ${answer.text}`);
        assert.equal(answer.json.response, true);
        return answer.json;
    }

    async make(name = fresh()) {
        return (await this.ok('POST', '/conversations/new', { name })).conversation_id;
    }

    async say(text, group) {
        return (await this.ok('POST', '/messages/send', { text, conversation_id: group })).message_id;
    }

    async messages(group, offset = 0) {
        return (await this.ok('GET', `/messages/get?chat=${group}&offset=${offset}`)).messages;
    }

    async list(mode, offset = 0) {
        return (await this.ok('GET', `/conversations/get?mode=${mode}&offset=${offset}`)).conversations;
    }

    join(group) { return this.ok('POST', `/conversations/join/${group}`); }
    leave(group) { return this.ok('POST', `/conversations/leave/${group}`); }
    view(group) { return this.ok('POST', `/conversations/view/${group}`); }
    stopView(group) { return this.ok('POST', `/conversations/stopView/${group}`); }
    read(group) { return this.ok('POST', `/conversations/read/${group}`); }
    delete(group) { return this.ok('DELETE', `/conversations/delete/${group}`); }

    /* One more socket. */
    connect(framing, options) {
        return connect({ port: this.confab.port, relays: this.confab.relays, sockets: this.confab.sockets,
            token: () => this.token }, String(this.id), framing, options);
    }
}

/* A user with a socket. */
export async function online(confab, id, claims) {
    const user = new User(confab, id, claims);
    user.socket = await user.connect();
    return user;
}

/* A refusal, exactly. */
export function refuses(answer, status, code, field) {
    const said = `${answer.status} ${answer.text}`;
    assert.equal(answer.status, status, said);
    assert.equal(answer.json?.response, false, said);
    assert.equal(answer.json.error.code, code, said);
    assert.equal(answer.json.error.field, field, said);
    assert.deepEqual(Object.keys(answer.json), ['response', 'error']);
    assert.equal(typeof answer.json.error.message, 'string');
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
    assert.equal(answer.headers['access-control-allow-origin'], '*');
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
}
