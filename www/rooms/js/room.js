/* room - one open room: what was said and happened, who is in it, how they feel about each other
 *
 * Two sockets keep it up to date; whenever one is up (again), what it tells of is read once by REST. The answer to a
 * call and the frame that tells of it race; both are taken, by id.
 *
 * SPDX-License-Identifier: MIT
 */
import { Line } from './line.js';

const pageSize = 30;

export class Room {
    about;                      /* Room, as the list has it */
    items = [];                 /* messages and events, by rising id */
    pending = [];               /* {text, to} being sent */
    agents = [];
    edges = new Map();          /* edgeKey -> {from, to, level, wish} */
    loaded = false;
    more = false;
    up = { chat: false, graph: false };
    #api;
    #on;
    #lines = [];
    #closed = false;
    #journal = null;            /* edges told of while the graph is being read */
    #fetching = false;

    /* on: change(), news(item), notice(text), failed(error), logout(), gone() */
    constructor(about, api, on) {
        this.about = about;
        this.#api = api;
        this.#on = on;
        this.#lines = [this.#line('chat', () => this.#readFeed(), (frame) => this.#chatFrame(frame)),
                       this.#line('graph', () => this.readGraph(), (frame) => this.#graphFrame(frame))];
        this.#readFeed();
        this.readGraph();
    }

    get id() { return this.about.id; }

    close() {
        this.#closed = true;
        for (const line of this.#lines)
            line.close();
    }

    wake() {
        for (const line of this.#lines)
            line.wake();
        this.readGraph();
    }

    agent(id) {
        return this.agents.find((one) => one.id === id);
    }

    #line(kind, onConnected, onFrame) {
        return new Line({
            url: () => this.#api.socketUrl(this.id, kind), onConnected, onFrame,
            onState: (up) => { this.up[kind] = up; this.#on.change(); },
            onLogout: () => { this.close(); this.#on.logout(); },
            onGone: () => { this.close(); this.#on.gone(); },
        });
    }

    /* Does something and shows what came of it, unless the room was left meanwhile. */
    async #try(does) {
        try {
            const result = await does();
            return this.#closed ? null : result;
        } catch (error) {
            if (!this.#closed)
                this.#on.failed(error);
            return null;
        }
    }

    /* ---- what is said and happens ---- */

    async #readFeed() {
        const items = await this.#try(() => this.#api.feed(this.id, pageSize));
        if (!items)
            return;
        const oldest = Number(items.at(-1)?.id ?? 0);
        /* Where it does not reach what we have, something in between is missing: begin anew. */
        if (!this.loaded || (this.items.length && oldest > Number(this.items.at(-1).id))) {
            this.items = this.items.filter((item) => Number(item.id) > oldest);
            this.more = items.length === pageSize;
        }
        this.loaded = true;
        this.#add(items);
    }

    async older() {
        if (!this.more || this.#fetching)
            return;
        this.#fetching = true;
        const page = await this.#try(() => this.#api.older(this.id, this.items[0].id, pageSize));
        this.#fetching = false;
        if (!page)
            return;
        this.more = page.hasMore;
        this.#add(page.messages.map((message) => ({ type: 'message', ...message })));
    }

    /* Returns those that were new. */
    #add(items) {
        const have = new Set(this.items.map(({ id }) => id));
        const fresh = items.filter(({ id }) => !have.has(id));
        this.items = [...this.items, ...fresh].sort((a, b) => Number(a.id) - Number(b.id));
        this.#on.change();
        return fresh;
    }

    #chatFrame({ type, payload }) {
        if (type !== 'message' && type !== 'event')
            return;
        if (payload.agentId && !this.agent(payload.agentId))
            this.readGraph();
        for (const item of this.#add([{ ...payload, type }]))
            this.#on.news(item);
    }

    /* to: an agent's id, or null for all. False when it was not sent. */
    async say(text, to) {
        const sending = { text, to };
        this.pending.push(sending);
        this.#on.change();
        const said = await this.#try(() => this.#api.say(this.id, text, to));
        this.pending = this.pending.filter((one) => one !== sending);
        if (said)
            this.#add([{ type: 'message', ...said }]);
        else
            this.#on.change();
        return said !== null || this.#closed;
    }

    async happen(description) {
        const { type, ...event } = await this.#api.happen(this.id, description);
        this.#add([{ ...event, eventType: type, type: 'event' }]);
    }

    /* ---- who is here, and how they feel ---- */

    async readGraph() {
        const journal = this.#journal = [];
        const graph = await this.#try(() => this.#api.graph(this.id));
        if (!graph || journal !== this.#journal)
            return;
        this.#journal = null;
        this.agents = graph.nodes;
        const before = this.edges;
        this.edges = new Map(graph.edges.map(({ from, to, sympathyLevel }) =>
            [edgeKey(from, to), Object.assign(before.get(edgeKey(from, to)) ?? { wish: null }, { from, to, level: sympathyLevel })]));
        for (const told of journal)
            this.#told(told);
        this.#on.change();
    }

    #graphFrame({ type, payload }) {
        if (type !== 'edge_update')
            return;
        this.#journal?.push(payload);
        if (!this.#told(payload) && !this.#journal)
            this.readGraph();
        this.#on.change();
    }

    #told({ from, to, sympathyLevel }) {
        const edge = this.edges.get(edgeKey(from, to));
        if (edge)
            edge.level = sympathyLevel;
        return edge !== undefined;
    }

    /* One call at a time for an edge; of what is wished meanwhile the last counts. */
    async feel(key, level) {
        const edge = this.edges.get(key);
        if (!edge)
            return;
        const busy = edge.wish !== null;
        edge.wish = level;
        this.#on.change();
        if (busy)
            return;
        for (let sent = null; edge.wish !== sent;) {
            sent = edge.wish;
            const told = await this.#try(() => this.#api.relate(this.id, edge.from, edge.to, sent));
            if (!told)
                break;
            edge.level = told.sympathyLevel;
        }
        edge.wish = null;
        this.#on.change();
    }
}

export function edgeKey(a, b) {
    return Number(a) < Number(b) ? `${a}-${b}` : `${b}-${a}`;
}

/* What an edge shows: what one is just about to make it, else what is told. */
export function levelOf(edge) {
    return edge.wish ?? edge.level;
}
