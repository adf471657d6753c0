/* line - one socket of a room, opened again whenever it is lost
 *
 * Two closes are final: 4001, the credential is no good (any more), and 4003, there is no such room (any more). After every
 * other one it tries again, with growing pauses. History is not replayed, so onConnected is when to read it.
 * Knows nothing of the page.
 *
 * SPDX-License-Identifier: MIT
 */

const retryFirst = 500;
const retryLast = 15000;
const answerBy = 10000;         /* handshake to first frame, ping to pong */
const pingEvery = 25000;
const credentialEnded = 4001;
const roomEnded = 4003;

export class Line {
    #o;
    #socket = null;
    #lost = 0;                  /* in a row */
    #timers = { open: 0, answer: 0, ping: 0 };
    #closed = false;

    /* url()            where to
     * onConnected()    it is up: from here on nothing is missed
     * onFrame(frame)   {type, payload}, but those that are the line's own
     * onState(up)      whenever that changes
     * onLogout(), onGone()     4001, 4003
     */
    constructor(options) {
        this.#o = { WebSocket: globalThis.WebSocket, random: Math.random, onState() {}, ...options };
        this.#timers.ping = setInterval(() => this.#ping(), pingEvery);
        this.#open();
    }

    /* Leaves. With a status, which the server echoes: a close without one is answered like a room's end. */
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
        if (frame.type === 'connected') {
            this.#lost = 0;
            this.#o.onState(true);
            this.#o.onConnected();
        } else if (frame.type !== 'pong' && frame.type !== 'error') {
            this.#o.onFrame(frame);
        }
    }

    #ping() {
        if (this.#socket?.readyState !== 1)
            return;
        this.#socket.send('{"type":"ping"}');
        this.#await();
    }

    #gone(code) {
        this.#drop();
        this.#o.onState(false);
        if (code === credentialEnded || code === roomEnded) {
            this.#end();
            (code === credentialEnded ? this.#o.onLogout : this.#o.onGone)();
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
            socket.onmessage = socket.onclose = null;
        return socket;
    }
}
