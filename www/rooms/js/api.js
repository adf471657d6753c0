/* api - the rooms API over fetch; no state but the token
 *
 * Every call resolves to the answer's JSON (null where there is none) and rejects with a Refusal, whose message is
 * meant for people. Status 0 means that no answer came.
 *
 * SPDX-License-Identifier: MIT
 */

const answerWithin = 15000;

export class Refusal extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

export class Api {
    #base;
    #token;

    /* base: URL of /api/, ending in a slash. */
    constructor(base, token = null) {
        this.#base = base;
        this.#token = token;
    }

    register(email, password, username) { return this.#call('POST', 'auth/register', { email, password, username }); }
    login(email, password) { return this.#call('POST', 'auth/login', { email, password }); }

    defaultAgents() { return this.#call('GET', 'default-agents'); }
    defaultAgent(id) { return this.#call('GET', `default-agents/${id}`); }

    async rooms() { return (await this.#call('GET', 'rooms')).rooms; }
    createRoom(room) { return this.#call('POST', 'rooms', room); }
    deleteRoom(room) { return this.#call('DELETE', `rooms/${room}`); }
    orchestrate(room, what) { return this.#call('POST', `rooms/${room}/orchestration/${what}`); }

    agent(room, agent) { return this.#call('GET', `rooms/${room}/agents/${agent}`); }
    addAgent(room, agent) { return this.#call('POST', `rooms/${room}/agents`, agent); }
    removeAgent(room, agent) { return this.#call('DELETE', `rooms/${room}/agents/${agent}`); }

    async feed(room, limit) { return (await this.#call('GET', `rooms/${room}/feed?limit=${limit}`)).items; }

    /* The messages before an id, newest first: {messages, hasMore} */
    older(room, before, limit) { return this.#call('GET', `rooms/${room}/messages?after_id=${before}&limit=${limit}`); }

    /* agent: whom it is addressed to; null: everybody */
    say(room, text, agent) {
        return this.#call('POST', agent ? `rooms/${room}/agents/${agent}/messages` : `rooms/${room}/messages`, { text });
    }

    happen(room, description) { return this.#call('POST', `rooms/${room}/events`, { description }); }

    /* {nodes, edges} */
    graph(room) { return this.#call('GET', `rooms/${room}/relationships`); }

    relate(room, agent1Id, agent2Id, sympathyLevel) {
        return this.#call('PATCH', `rooms/${room}/relationships`, { agent1Id, agent2Id, sympathyLevel });
    }

    /* kind: chat or graph */
    socketUrl(room, kind) {
        const url = new URL(`rooms/${room}/${kind}`, this.#base);
        url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
        return `${url.href}?token=${encodeURIComponent(this.#token)}`;
    }

    async #call(method, path, body) {
        const headers = { 'Content-Type': 'application/json' };
        if (this.#token)
            headers.Authorization = `Bearer ${this.#token}`;
        let answer;
        try {
            answer = await fetch(new URL(path, this.#base), {
                method, headers, cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(answerWithin),
                body: body === undefined ? undefined : JSON.stringify(body),
            });
        } catch (error) {
            throw new Refusal(0, error.name === 'TimeoutError' ? 'No answer in time' : 'Not connected');
        }
        return unwrap(answer);
    }
}

async function unwrap(answer) {
    if (answer.status === 204)
        return null;
    const body = await answer.json().catch(() => null);
    if (!answer.ok)
        throw new Refusal(answer.status, typeof body?.detail === 'string' ? body.detail : `Refused (${answer.status})`);
    if (body === null)
        throw new Refusal(0, 'The answer was cut off');
    return body;
}
