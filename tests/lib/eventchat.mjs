/* eventchat - helpers for tests of event chat: users, their events and chats, photos, what is told
 *
 *     const confab = await eventchat();
 *     const [owner, guest] = [user(confab), user(confab)];
 *     const { event } = await owner.event();
 *     const chat = await guest.open(event.id, 'hello');
 *     await told(confab, owner);
 *
 * SPDX-License-Identifier: MIT
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { assert } from './assert.mjs';
import { request } from './http.mjs';
import { instance } from './instance.mjs';

const run = promisify(execFile);

/* Limits that no test meets by chance. */
export const ROOMY = { CONFAB_EVENTCHAT_RATE: '100000', CONFAB_EVENTCHAT_BURST: '100000' };

export const options = ({ env = {}, ...more } = {}) =>
    ({ systems: 'eventchat', auth: 'jwt', ...more, env: { ...ROOMY, ...env } });

/* An instance of event chat alone, for all tests of a file. */
export const eventchat = (more) => instance(options(more));

export const V1 = '/eventchat/v1';
export const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
export const REFERENCE = /^[A-Za-z0-9_-]{22,64}$/;

let serial = 1000;

/* Somebody with a credential; claims: what else it says. */
export class User {
    constructor(confab, claims = {}, id = ++serial) {
        Object.assign(this, { confab, id, claims });
    }

    get token() {
        return this.confab.token(this.id, this.claims);
    }

    /* target is below /eventchat/v1 */
    call(method, target, body, { headers = {}, ...more } = {}) {
        return request(this.confab.port, method, V1 + target,
            { body, headers: { Authorization: `Bearer ${this.token}`, ...headers }, ...more });
    }

    get(target, more) { return this.call('GET', target, undefined, more); }
    post(target, body, more) { return this.call('POST', target, body, more); }
    put(target, body, more) { return this.call('PUT', target, body, more); }

    /* One that has to succeed: its JSON. */
    async ok(method, target, body, more) {
        const answer = await this.call(method, target, body, more);
        if (answer.status < 200 || answer.status > 299)
            throw new Error(`${method} ${target}: ${answer.status} ${answer.text}`);
        return answer.json;
    }

    /* A new event: { event, eventOwnerId }. */
    event(more = {}) {
        return this.ok('POST', '/events', { name: 'an event', dateFromS: 1741000000, dateToS: 1741003600, ...more });
    }

    open(event, text) { return this.ok('POST', `/events/${event}/chat`, text === undefined ? undefined : { text }); }
    request(event, text) { return this.ok('POST', `/events/${event}/request`, text === undefined ? undefined : { text }); }
    chats() { return this.ok('GET', '/chats'); }

    upload(bytes, type = 'image/png', more = {}) {
        return this.post('/photos', bytes, { ...more, headers: { 'Content-Type': type, ...more.headers } });
    }
}

export const user = (confab, claims) => new User(confab, claims);

/* ---- what was said to somebody, from the log ---- */

export const query = async (confab, sql) =>
    JSON.parse((await run('sqlite3', ['-readonly', '-json', path.join(confab.state, 'confab.db'), sql])).stdout || '[]');

/* Frames for that user, in order; envelopes hold the channel as plain text. */
export async function told(confab, who) {
    const channel = Buffer.from(`user:eventchat:${who.id}`).toString('hex').toUpperCase();
    const rows = await query(confab,
        `SELECT body FROM event WHERE instr(hex(envelope) || '00', '${channel}') > 0 ORDER BY seq`);
    return rows.map(({ body }) => JSON.parse(body));
}

/* ---- photos ---- */

const heads = {
    'image/png': Buffer.from('89504e470d0a1a0a', 'hex'),
    'image/jpeg': Buffer.from('ffd8ffe0', 'hex'),
    'image/gif': Buffer.from('GIF89a'),
    'image/webp': Buffer.from('RIFF\x10\0\0\0WEBP', 'latin1'),
};

/* Bytes that begin as that type does. */
export function photo(type = 'image/png', size = 1000) {
    const bytes = Buffer.alloc(size, 'photo');
    heads[type].copy(bytes);
    return bytes;
}

/* ---- answers ---- */

/* A refusal in event chat's shape: code, sentence, CORS, and what else belongs to its status. */
export function refused(answer, status, code, field) {
    const said = `${answer.status} ${answer.text.slice(0, 300)}`;
    assert.equal(answer.status, status, said);
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/, said);
    assert.deepEqual(Object.keys(answer.json ?? {}), ['error'], said);
    assert.equal(answer.json.error.code, code, said);
    assert.ok(answer.json.error.message.length > 0, said);
    assert.equal(answer.json.error.field, field, said);
    assert.ok(!/sqlite|select |insert |\.c:|errno/i.test(answer.text), said);
    common(answer);
    assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined, said);
    if (status === 429)
        assert.ok(Number(answer.headers['retry-after']) >= 1, said);
    if (status === 405)
        assert.ok(answer.headers.allow, said);
}

export function common(answer) {
    assert.equal(answer.headers['access-control-allow-origin'], '*');
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
}

/* A good answer's JSON. */
export function fine(answer, status = 200) {
    assert.equal(answer.status, status, `${answer.status} ${answer.text.slice(0, 300)}`);
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
    assert.ok(answer.json !== undefined, answer.text);
    common(answer);
    return answer.json;
}
