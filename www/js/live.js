/* live - every event once and in order, by socket where there is one, else by asking
 *
 * A small client of its own: no DOM, nothing of this page. It holds a cursor, the seq up to
 * which everything has been handed on. Sockets are opened with since=cursor and polls ask
 * from the cursor, so it does not matter by which way, or how often, an event comes: what is
 * not above the cursor is dropped. While no socket is up it polls, quickly while somebody is
 * looking; the socket takes over by itself as soon as it answers.
 *
 * SPDX-License-Identifier: MIT
 */

const pollFast = 1000;          /* somebody is there */
const pollSlow = 15000;         /* nobody is, or the tab is hidden */
const activeFor = 30000;        /* how long after the last sign of life somebody is there */
const retryFirst = 400;
const retryLast = 15000;
const steadyAfter = 10000;      /* a socket that held this long starts the pauses anew */
const answerBy = 10000;         /* handshake to first frame */
const pingEvery = 30000;

export class Live {
    #o;
    #cursor = null;
    #missed = null;             /* {left, seq} while missed events are being replayed */
    #etag = null;
    #socket = null;
    #connected = false;
    #connectedAt = 0;
    #awaiting = false;          /* a ping is out and nothing has come since */
    #lost = 0;                  /* sockets lost in a row */
    #failed = 0;                /* polls failed in a row */
    #polling = false;
    #pollDelay = pollFast;
    #pollDue = Infinity;
    #activeAt = Date.now();
    #visible = true;
    #stopped = true;
    #timers = { open: 0, poll: 0, ping: 0, answer: 0 };
    #state = '';

    /* socketUrl(since), sync(since, etag)  as in Api
     * onFrames(frames)    in order, each once
     * onReload()          the past is not to be had: read everything anew (a promise)
     * onState(state)      connecting, live, polling or offline
     * onHello(frame)      each time a socket is up
     * onRefused(error)    the server does not know us; stopped
     */
    constructor(options) {
        this.#o = { WebSocket: globalThis.WebSocket, random: Math.random, onHello() {}, ...options };
    }

    start() {
        this.#stopped = false;
        this.#setState('connecting');
        this.#open();
        this.#pollIn(pollFast);
        this.#timers.ping = setInterval(() => this.#ping(), pingEvery);
    }

    stop() {
        this.#stopped = true;
        clearInterval(this.#timers.ping);
        for (const name of ['open', 'poll', 'answer'])
            clearTimeout(this.#timers[name]);
        this.#drop();
    }

    /* Somebody did something: look soon. */
    nudge() {
        this.#activeAt = Date.now();
        this.#pollDelay = pollFast;
        if (!this.#stopped && !this.#connected && !this.#failed && this.#pollDue - Date.now() > pollFast)
            this.#pollIn(0);
    }

    /* The network or the tab came back: believe nothing, try everything. */
    wake() {
        if (this.#stopped)
            return;
        this.#failed = 0;
        this.nudge();
        if (this.#connected) {
            this.#ping();
        } else {
            this.#pollIn(0);
            if (!this.#socket)
                this.#open();
        }
    }

    setVisible(visible) {
        const came = visible && !this.#visible;
        this.#visible = visible;
        if (came)
            this.wake();
    }

    /* -- socket -- */

    #open() {
        clearTimeout(this.#timers.open);
        const socket = new this.#o.WebSocket(this.#o.socketUrl(this.#cursor));
        this.#socket = socket;
        this.#missed = null;
        this.#awaiting = false;
        this.#timers.answer = setTimeout(() => this.#gone(socket), answerBy);
        socket.onmessage = (event) => {
            if (socket === this.#socket)
                this.#receive(socket, event.data);
        };
        socket.onclose = () => this.#gone(socket);
    }

    #receive(socket, text) {
        this.#awaiting = false;
        let frame;
        try {
            frame = JSON.parse(text);
        } catch {
            return;
        }
        if (frame.type === 'connected')
            this.#hello(socket, frame);
        else if (frame.type !== 'pong' && frame.type !== 'error')
            this.#arrived(frame);
    }

    async #hello(socket, frame) {
        clearTimeout(this.#timers.answer);
        clearTimeout(this.#timers.poll);
        this.#connected = true;
        this.#connectedAt = Date.now();
        this.#failed = 0;
        this.#o.onHello(frame);
        if (frame.resumed === true) {
            this.#missed = { left: frame.missed ?? 0, seq: frame.seq };
            this.#replayed(0);
        } else if (!(await this.#reset(frame.seq))) {
            return this.#gone(socket);
        }
        if (this.#connected && socket === this.#socket)
            this.#setState('live');
    }

    #arrived(frame) {
        this.#take([frame]);
        this.#replayed(1);
    }

    /* Only when all that was missed is here may the cursor jump to where the socket began. */
    #replayed(n) {
        if (!this.#missed)
            return;
        this.#missed.left -= n;
        if (this.#missed.left > 0)
            return;
        this.#cursor = Math.max(this.#cursor, this.#missed.seq);
        this.#missed = null;
    }

    #gone(socket) {
        if (socket !== this.#socket || this.#stopped)
            return;
        const was = this.#connected;
        if (was && Date.now() - this.#connectedAt > steadyAfter)
            this.#lost = 0;
        this.#drop();
        const pause = Math.min(retryLast, retryFirst * 2 ** this.#lost++);
        this.#timers.open = setTimeout(() => this.#open(), pause * (0.5 + this.#o.random() / 2));
        if (was) {
            this.#setState('connecting');
            this.#pollDelay = pollFast;
            this.#pollIn(pollFast);
        } else if (this.#state === 'connecting' && !this.#polling) {
            this.#pollIn(0);
        }
    }

    #drop() {
        clearTimeout(this.#timers.answer);
        const socket = this.#socket;
        this.#socket = null;
        this.#connected = false;
        if (socket) {
            socket.onmessage = socket.onclose = null;
            socket.close();
        }
    }

    /* A peer that let a whole round pass in silence is gone, whatever TCP says. */
    #ping() {
        if (!this.#connected)
            return;
        if (this.#awaiting)
            return this.#gone(this.#socket);
        this.#awaiting = true;
        this.#socket.send(JSON.stringify({ type: 'ping' }));
    }

    /* -- polling -- */

    #pollIn(ms) {
        clearTimeout(this.#timers.poll);
        this.#pollDue = Date.now() + ms;
        this.#timers.poll = setTimeout(() => this.#poll(), ms);
    }

    async #poll() {
        if (this.#polling || this.#stopped || this.#connected)
            return;
        this.#polling = true;
        let again = 0;
        try {
            again = await this.#ask() ? 0 : this.#nextPoll();
            this.#failed = 0;
            if (!this.#connected && !this.#stopped)
                this.#setState('polling');
        } catch (error) {
            if (this.#refused(error))
                return;
            again = Math.min(retryLast, pollFast * 2 ** this.#failed++) * (0.5 + this.#o.random() / 2);
            if (!this.#connected)
                this.#setState('offline');
        } finally {
            this.#polling = false;
        }
        if (!this.#connected && !this.#stopped)
            this.#pollIn(again);
    }

    /* True when there is more to ask for at once. */
    async #ask() {
        const since = this.#cursor;
        const answer = await this.#o.sync(since, this.#etag);
        if (!answer || this.#stopped)
            return false;
        this.#etag = answer.etag;
        if (since === null || answer.reload) {
            /* A socket that came meanwhile has settled the matter. */
            if (!this.#connected && this.#cursor === since && !(await this.#reset(answer.seq)))
                throw new Error('reload failed');
            return false;
        }
        if (answer.events.length)
            this.#activeAt = Date.now();
        this.#take(answer.events);
        this.#cursor = Math.max(this.#cursor, answer.seq);
        return answer.more;
    }

    #nextPoll() {
        if (!this.#visible)
            return pollSlow;
        const active = Date.now() - this.#activeAt < activeFor;
        this.#pollDelay = active ? pollFast : Math.min(pollSlow, this.#pollDelay * 1.5);
        return this.#pollDelay;
    }

    /* -- both -- */

    #take(frames) {
        const fresh = [];
        for (const frame of frames) {
            if (Number.isInteger(frame.seq)) {
                if (frame.seq <= this.#cursor)
                    continue;
                this.#cursor = frame.seq;
            }
            fresh.push(frame);
        }
        if (fresh.length)
            this.#o.onFrames(fresh);
    }

    /* The cursor is set before anything is read, so nothing falls between. */
    async #reset(seq) {
        this.#cursor = seq;
        this.#missed = null;
        try {
            await this.#o.onReload();
            return true;
        } catch (error) {
            if (!this.#refused(error))
                this.#cursor = null;
            return false;
        }
    }

    #refused(error) {
        if (error.status !== 401 || this.#stopped)
            return this.#stopped;
        this.stop();
        this.#o.onRefused(error);
        return true;
    }

    #setState(state) {
        if (state === this.#state)
            return;
        this.#state = state;
        this.#o.onState(state);
    }
}
