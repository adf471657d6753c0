/* line - one socket, opened again whenever it is lost
 *
 * Some closes are final; after every other one it tries again, with growing pauses. History is not replayed, so
 * onUp is when to read it. Knows neither the page nor what the frames mean.
 *
 * SPDX-License-Identifier: MIT
 */

const retryFirst = 500;
const retryLast = 15000;
const answerBy = 10000;         /* handshake to the first frame, ping to pong */
const pingEvery = 25000;

export class Line {
    #o;
    #socket = null;
    #lost = 0;                  /* in a row */
    #timers = { open: 0, answer: 0, ping: 0 };
    #closed = false;

    /* url()            where to
     * hello()          what is said first, an object, or nothing
     * ping             what is said now and then, an object
     * kind(frame)      'up' (the first one: nothing is missed from here on), 'own' (nobody else's business), or 'news'
     * finals           {code of a close: what then}
     * onUp(frame), onFrame(frame)
     * onState(up)      whenever that changes
     */
    constructor(options) {
        this.#o = { WebSocket: globalThis.WebSocket, random: Math.random, hello() {}, onState() {}, ...options };
        this.#timers.ping = setInterval(() => this.#ping(), pingEvery);
        this.#open();
    }

    /* False when there is no socket to say it on. */
    say(frame) {
        if (this.#socket?.readyState !== 1)
            return false;
        this.#socket.send(JSON.stringify(frame));
        return true;
    }

    /* Leaves. With a status, which the server echoes: a close without one may be answered like an end. */
    close() {
        this.#end();
        this.#drop()?.close(1000);
    }

    /* The network or the tab came back: do not wait for the next try. */
    wake() {
        if (this.#closed)
            return;
        this.#lost = 0;
        if (!this.#socket)
            this.#open();
        else
            this.#ping();
    }

    #end() {
        this.#closed = true;
        clearInterval(this.#timers.ping);
        clearTimeout(this.#timers.open);
    }

    #open() {
        clearTimeout(this.#timers.open);
        const socket = new this.#o.WebSocket(this.#o.url());
        this.#socket = socket;
        this.#await();
        socket.onopen = () => {
            const hello = this.#o.hello();
            if (hello)
                this.say(hello);
        };
        socket.onmessage = ({ data }) => this.#receive(data);
        socket.onclose = ({ code }) => this.#gone(code);
    }

    #await() {
        clearTimeout(this.#timers.answer);
        this.#timers.answer = setTimeout(() => {
            this.#socket?.close(1000);
            this.#gone(0);
        }, answerBy);
    }

    #receive(data) {
        clearTimeout(this.#timers.answer);
        const frame = JSON.parse(data);
        const kind = this.#o.kind(frame);
        if (kind === 'up') {
            this.#lost = 0;
            this.#o.onState(true);
            this.#o.onUp(frame);
        } else if (kind === 'news') {
            this.#o.onFrame(frame);
        }
    }

    #ping() {
        if (this.say(this.#o.ping))
            this.#await();
    }

    #gone(code) {
        this.#drop();
        this.#o.onState(false);
        const final = this.#o.finals[code];
        if (final) {
            this.#end();
            final();
            return;
        }
        const pause = Math.min(retryLast, retryFirst * 2 ** this.#lost++);
        this.#timers.open = setTimeout(() => this.#open(), pause * (0.5 + this.#o.random() / 2));
    }

    /* Listens to the socket no more; the socket. */
    #drop() {
        const socket = this.#socket;
        this.#socket = null;
        clearTimeout(this.#timers.answer);
        if (socket)
            socket.onopen = socket.onmessage = socket.onclose = null;
        return socket;
    }
}
