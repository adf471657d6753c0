/* socket - a WebSocket client that remembers every frame
 *
 * A cursor runs over the frames: upTo() gives those from the cursor to the first that fits and moves
 * it past that one. So a test says exactly what came and in which order. That something does
 * not come is proven by an event sent later (Instance.drain), never by waiting.
 *
 * SPDX-License-Identifier: MIT
 */
import WebSocket from 'ws';
import { DEADLINE_MS, within } from './wait.mjs';

const fits = (want, frame) => typeof want === 'function' ? want(frame)
    : typeof want === 'string' ? frame.type === want
    : Object.entries(want).every(([key, value]) => frame[key] === value);

export class Socket {
    frames = [];        /* parsed, oldest first */
    cursor = 0;
    closed = null;      /* { code, reason } */
    refused = null;     /* status of a refused handshake */
    pings = 0;
    #waiting = new Set();

    constructor(url, { user, ...options } = {}) {
        this.user = user;
        this.ws = new WebSocket(url, { perMessageDeflate: false, ...options });
        this.ws.on('message', (data, binary) => {
            const text = data.toString('utf8');
            this.frames.push(binary ? { type: '(binary)', text } : JSON.parse(text));
            this.#tell();
        });
        this.ws.on('ping', () => { this.pings++; this.#tell(); });
        this.ws.on('close', (code, reason) => {
            this.closed = { code, reason: reason.toString() };
            this.#tell();
        });
        this.ws.on('unexpected-response', (req, res) => {
            const chunks = [];
            res.on('data', (chunk) => chunks.push(chunk));
            res.on('end', () => {
                this.refused = { status: res.statusCode, headers: res.headers,
                                 text: Buffer.concat(chunks).toString() };
                this.closed = { code: 0, reason: `refused with ${res.statusCode}` };
                this.#tell();
            });
        });
        this.ws.on('error', (error) => {
            this.error = error;
            if (this.ws.readyState === WebSocket.CONNECTING || this.ws.readyState === WebSocket.CLOSED)
                this.closed ??= { code: 0, reason: error.message };
            this.#tell();
        });
    }

    #tell() {
        for (const look of [...this.#waiting])
            look();
    }

    /* Resolves with the first truthy look(), asked now and after whatever happens to the socket. */
    #wait(what, look, deadline = DEADLINE_MS) {
        let mine;
        const promise = new Promise((resolve, reject) => {
            mine = () => {
                try {
                    const result = look();
                    if (result !== undefined) {
                        this.#waiting.delete(mine);
                        resolve(result);
                    }
                } catch (error) {
                    this.#waiting.delete(mine);
                    reject(error);
                }
            };
            this.#waiting.add(mine);
            mine();
        });
        return within(`${what} at ${this.user}'s socket`, promise, deadline)
            .catch((error) => {
                this.#waiting.delete(mine);
                const seen = this.frames.slice(-12).map((f) => JSON.stringify(f).slice(0, 200)).join('\n  ');
                throw new Error(`${error.message}; last frames:\n  ${seen}\nclosed: ${JSON.stringify(this.closed)}`);
            });
    }

    /* Frames from the cursor to the first that fits want (predicate, type, or fields), inclusive. */
    upTo(want, deadline) {
        const what = typeof want === 'function' ? String(want) : JSON.stringify(want);
        return this.#wait(what, () => {
            for (let i = this.cursor; i < this.frames.length; i++) {
                if (fits(want, this.frames[i])) {
                    const found = this.frames.slice(this.cursor, i + 1);
                    this.cursor = i + 1;
                    return found;
                }
            }
            if (this.closed)
                throw new Error(`closed (${this.closed.code} ${this.closed.reason}) before ${what}`);
            return undefined;
        }, deadline);
    }

    /* The frame that ends upTo(). */
    async next(want, deadline) {
        return (await this.upTo(want, deadline)).at(-1);
    }

    /* How many frames there are once there are n. */
    count(want, n, deadline) {
        return this.#wait(`${n} x ${JSON.stringify(want)}`, () => {
            const found = this.frames.filter((frame) => fits(want, frame));
            return found.length >= n ? found : undefined;
        }, deadline);
    }

    /* The first frame of a good socket. */
    async connected() {
        return this.next('connected');
    }

    /* { code, reason } once it is closed, by whomever. */
    ended(deadline) {
        return this.#wait('the close', () => this.closed ?? undefined, deadline);
    }

    pinged(n = 1) {
        return this.#wait(`${n} pings`, () => this.pings >= n ? true : undefined);
    }

    send(value) {
        this.ws.send(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value));
    }

    async close() {
        if (!this.closed) {
            if (this.ws.isPaused)
                this.ws.resume();
            this.ws.close(1000);
            await this.ended().catch(() => this.ws.terminate());
        }
    }

    terminate() {
        this.ws.terminate();
    }
}
