/* api - the Chat API over fetch; no state but who is asking
 *
 * Every call resolves to the "data" of the answer (or the bare answer where there is no
 * envelope) and rejects with an ApiError. Status 0 means that no answer came.
 *
 * SPDX-License-Identifier: MIT
 */

const answerWithin = 15000;

export class ApiError extends Error {
    constructor(status, code, message) {
        super(message);
        this.status = status;
        this.code = code;
    }
}

export class Api {
    #base;
    #user;
    #token;
    #scope;

    /* base: URL of /api/v1/, ending in a slash. user or token says who is asking. */
    constructor({ base, user, token, scope }) {
        this.#base = base;
        this.#user = user;
        this.#token = token;
        this.#scope = base64(JSON.stringify(scope));
    }

    dialogs(type) {
        return this.#call('GET', 'dialogs', { query: { type, limit: 100 }, scoped: true });
    }

    dialog(id) {
        return this.#call('GET', `dialogs/${id}`, { scoped: true });
    }

    participants(id) {
        return this.#call('GET', `dialogs/${id}/participants`, { scoped: true });
    }

    messages(id, query) {
        return this.#call('GET', `dialogs/${id}/messages`, { query });
    }

    message(id, message) {
        return this.#call('GET', `dialogs/${id}/messages/${message}`);
    }

    /* key makes the send repeatable: the same key never makes a second message. */
    send(id, { content, replyTo, key }) {
        const body = { content, client_message_id: key };
        if (replyTo)
            body.reply_to = replyTo;
        return this.#call('POST', `dialogs/${id}/messages`, { body });
    }

    edit(id, message, content) {
        return this.#call('PUT', `dialogs/${id}/messages/${message}`, { body: { content } });
    }

    remove(id, message) {
        return this.#call('DELETE', `dialogs/${id}/messages/${message}`);
    }

    read(id, message) {
        return this.#call('POST', `dialogs/${id}/read`, { body: { last_read_message_id: message } });
    }

    join(id, name) {
        return this.#call('POST', `dialogs/${id}/join`,
            { body: { display_name: name, company: '' }, scoped: true });
    }

    /* what: leave, pin, unpin, archive or unarchive */
    turn(id, what) {
        return this.#call('POST', `dialogs/${id}/${what}`);
    }

    /* Events after since; null when nothing is newer than etag. {events, seq, more, reload, etag} */
    async sync(since, etag) {
        const headers = etag ? { 'If-None-Match': etag } : {};
        const query = since === null ? {} : { since };
        const answer = await this.#fetch('GET', 'sync', { query, headers });
        if (answer.status === 304)
            return null;
        const body = await unwrap(answer);
        return { ...body, etag: answer.headers.get('ETag') };
    }

    /* The socket's address. Encoded by hand: there, unlike in REST, a plus is a plus. */
    socketUrl(since) {
        const url = new URL('ws', this.#base);
        url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
        const who = this.#token ? `token=${encodeURIComponent(this.#token)}`
            : `user_id=${encodeURIComponent(this.#user)}`;
        return `${url.href}?${who}${since === null ? '' : `&since=${since}`}`;
    }

    async #call(method, path, options) {
        return unwrap(await this.#fetch(method, path, options));
    }

    async #fetch(method, path, { query = {}, body, headers = {}, scoped = false } = {}) {
        const url = new URL(path, this.#base);
        if (!this.#token)
            url.searchParams.set('user_id', this.#user);
        for (const [name, value] of Object.entries(query))
            url.searchParams.set(name, value);
        const all = { 'Content-Type': 'application/json', ...headers };
        if (this.#token)
            all.Authorization = `Bearer ${this.#token}`;
        if (scoped)
            all['X-Scope-Config'] = this.#scope;
        try {
            return await fetch(url, {
                method, headers: all, cache: 'no-store', credentials: 'omit',
                signal: AbortSignal.timeout(answerWithin),
                body: body === undefined ? undefined : JSON.stringify(body),
            });
        } catch (e) {
            throw new ApiError(0, 'NO_ANSWER', e.name === 'TimeoutError' ? 'No answer in time' : 'Not connected');
        }
    }
}

async function unwrap(answer) {
    if (answer.status === 204)
        return null;
    let body = null;
    try {
        body = await answer.json();
    } catch {
        if (answer.ok)
            throw new ApiError(0, 'NO_ANSWER', 'The answer was cut off');
    }
    if (!answer.ok)
        throw new ApiError(answer.status, body?.error?.code ?? '', body?.error?.message ?? answer.statusText);
    return body && 'data' in body ? body.data : body;
}

/* Bytes of UTF-8, so that scopes may hold any text. */
function base64(text) {
    return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
