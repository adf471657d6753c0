/* rest - calls with a token and JSON, over fetch
 *
 * A call resolves to the answer's JSON (null where there is none) and rejects with a Refusal, whose message is meant
 * for people. Status 0 means that no answer came.
 *
 * SPDX-License-Identifier: MIT
 */

const answerWithin = 15000;

export class Refusal extends Error {
    constructor(status, code, message) {
        super(message);
        this.status = status;
        this.code = code;
    }
}

export class Rest {
    #base;
    #token;

    /* base: a URL that ends in a slash. */
    constructor(base, token) {
        this.#base = base;
        this.#token = token;
    }

    get(path, query = {}) {
        const asked = new URLSearchParams(query).toString();
        return this.#json('GET', asked ? `${path}?${asked}` : path);
    }

    post(path, body = {}) { return this.#json('POST', path, body); }
    put(path, body) { return this.#json('PUT', path, body); }
    delete(path) { return this.#json('DELETE', path); }

    /* A file goes as it is, with its own type. */
    async upload(path, file) {
        return unwrap(await this.#fetch('POST', path, { 'Content-Type': file.type }, file));
    }

    /* Bytes instead of JSON. */
    async blob(path) {
        const answer = await this.#fetch('GET', path, {});
        return answer.ok ? answer.blob() : unwrap(answer);
    }

    /* ws: or wss: beside the base. */
    socketUrl(path) {
        const url = new URL(path, this.#base);
        url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
        return url.href;
    }

    async #json(method, path, body) {
        const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
        return unwrap(await this.#fetch(method, path, headers, body === undefined ? undefined : JSON.stringify(body)));
    }

    async #fetch(method, path, headers, body) {
        try {
            return await fetch(new URL(path, this.#base), {
                method, body, headers: { ...headers, Authorization: `Bearer ${this.#token}` },
                cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(answerWithin),
            });
        } catch (error) {
            throw new Refusal(0, null, error.name === 'TimeoutError' ? 'No answer in time' : 'Not connected');
        }
    }
}

async function unwrap(answer) {
    if (answer.status === 204)
        return null;
    const body = await answer.json().catch(() => null);
    if (!answer.ok)
        throw new Refusal(answer.status, body?.error?.code ?? null, body?.error?.message ?? `Refused (${answer.status})`);
    if (body === null)
        throw new Refusal(0, null, 'The answer was cut off');
    return body;
}
