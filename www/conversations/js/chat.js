/* chat - what one user sees: conversations, the open one, what is said there
 *
 * Events move it at once. Where they do not tell all (whose a new conversation is) or may cross an answer (counts), the
 * lists are read again soon after. Whenever the socket is up (again), lists and the open conversation are read: what
 * happened meanwhile is not replayed, and viewing and the global chat's pushes ended with the socket.
 *
 * SPDX-License-Identifier: MIT
 */
import { everybody, pageSize } from './client.js';

const readAgainMs = 250;

export class Chat {
    me;                         /* {id, name} */
    up = false;
    loaded = false;
    joined = new Map();         /* id -> Conversation of the API */
    others = new Map();
    open = null;                /* {id, as: 'everybody' | 'member' | 'viewer', messages, more, members, pending} */
    #client;
    #line;
    #on;
    #again = 0;
    #heard = 0;                 /* events so far */
    #fetching = false;
    #serial = 0;                /* of what was opened: an answer to an earlier one is late */
    #said = 0;

    /* on: change(), news(message, name), happened(text), failed(error), gone(), refused() */
    constructor(client, me, on) {
        this.me = me;
        this.#client = client;
        this.#on = on;
        this.#line = client.listen({
            onUp: () => this.#begin(),
            onEvent: (name, data) => this.#event(name, data),
            onState: (up) => { this.up = up; on.change(); },
            onRefused: () => on.refused(),
        });
    }

    find(id) { return this.joined.get(id) ?? this.others.get(id) ?? null; }

    get unread() { return [...this.joined.values()].reduce((sum, one) => sum + one.unreadCount, 0); }

    wake() { this.#line.wake(); }

    /* ---- lists ---- */

    async #begin() {
        await this.#readLists();
        if (this.open)
            this.show(this.open.id, { again: true });
        const profile = await this.#try(() => this.#client.profile());
        if (profile)
            this.#named(profile);
    }

    async #readLists() {
        const heard = this.#heard;
        const lists = await this.#try(async () => [await this.#client.conversations('joined'), await this.#client.conversations('new')]);
        if (!lists)
            return;
        [this.joined, this.others] = lists.map((list) => new Map(list.map((one) => [one.id, one])));
        this.loaded = true;
        if (heard !== this.#heard)
            this.#readListsSoon();      /* what was read may be older than what was told meanwhile */
        this.#on.change();
        this.look();
        const of = this.open;
        if (of && of.id !== everybody && !this.find(of.id))
            this.#on.gone();
        else if (of && of.as !== this.#asWhat(of.id))
            this.show(of.id, { again: true });
    }

    #readListsSoon() {
        clearTimeout(this.#again);
        this.#again = setTimeout(() => this.#readLists(), readAgainMs);
    }

    /* ---- the open one ---- */

    /* id: of a conversation, everybody, or null. again: it is open already, what is there stays on screen meanwhile */
    async show(id, { again = false } = {}) {
        const left = this.open;
        const serial = ++this.#serial;
        if (!again) {
            this.open = id === null ? null : { id, as: this.#asWhat(id), messages: [], loaded: false, more: false, members: [], pending: [] };
            this.#on.change();
            if (left?.as === 'viewer' && this.up && this.others.has(left.id))
                this.#try(() => this.#client.stopView(left.id));
        }
        const of = this.open;
        if (!of || !this.up || !this.loaded || (id !== everybody && !this.find(id)))
            return;
        of.as = this.#asWhat(id);
        const messages = await this.#try(() => of.as === 'viewer' ? this.#client.view(id) : this.#client.messages(id), id);
        if (!messages || serial !== this.#serial)
            return;
        this.#take(of, messages);
        of.more = of.as !== 'viewer' && messages.length === pageSize;
        of.loaded = true;
        this.#on.change();
        this.look();
        if (of.as === 'member')
            this.#readMembers(of);
    }

    #asWhat(id) {
        return id === everybody ? 'everybody' : this.joined.has(id) ? 'member' : 'viewer';
    }

    /* The newest page. Where it does not reach what we have, something in between is missing: begin anew. */
    #take(of, messages) {
        if (messages.length && of.messages.length && messages[0].id > of.messages.at(-1).id)
            of.messages = [];
        this.#add(of, messages);
    }

    /* By id, in order, each once. */
    #add(of, messages) {
        const byId = new Map([...of.messages, ...messages].map((one) => [one.id, one]));
        of.messages = [...byId.values()].sort((a, b) => a.id - b.id);
        this.#settle(of);
    }

    /* What was sent is shown as pending until it has come, so that it does not vanish in between. An id that is not known
     * yet is undefined; null: it was refused. */
    #settle(of) {
        of.pending = of.pending.filter(({ id }) => id === undefined || (id !== null && !of.messages.some((one) => one.id === id)));
    }

    async older() {
        const of = this.open;
        if (!of?.more || this.#fetching)
            return;
        this.#fetching = true;
        const messages = await this.#try(() => this.#client.messages(of.id, of.messages.length), of.id);
        this.#fetching = false;
        if (!messages)
            return;
        of.more = messages.length === pageSize;
        this.#add(of, messages);
        this.#on.change();
    }

    async #readMembers(of) {
        const members = await this.#try(() => this.#client.members(of.id), of.id);
        if (!members)
            return;
        of.members = members;
        this.#on.change();
    }

    #seen() { return document.visibilityState === 'visible'; }

    /* Somebody is looking at the open one: it is read. */
    look() {
        const of = this.open;
        if (of?.as !== 'member' || !of.loaded || !this.up || !this.#seen())
            return;
        const one = this.joined.get(of.id);
        if (one?.unreadCount) {
            one.unreadCount = 0;
            this.#on.change();
            this.#try(() => this.#client.read(of.id), of.id);
        }
    }

    /* ---- what one does; each says whether it worked ---- */

    async say(text) {
        const of = this.open;
        const pending = { text, key: ++this.#said };
        of.pending.push(pending);
        this.#on.change();
        const sent = await this.#try(() => this.#client.send(of.id, text), of.id, true);
        pending.id = sent?.message_id ?? null;
        this.#settle(of);
        this.#on.change();
        return sent !== null;
    }

    async create(name) {
        const id = await this.#client.create(name);
        await this.#readLists();
        return id;
    }

    async join() {
        const { id } = this.open;
        const messages = await this.#try(() => this.#client.join(id), id, true);
        if (!messages)
            return false;
        await this.#readLists();
        return true;
    }

    async leave() {
        const { id } = this.open;
        const left = await this.#try(() => this.#client.leave(id), id, true);
        if (!left)
            return false;
        this.show(null);
        await this.#readLists();
        return true;
    }

    async delete() {
        const { id } = this.open;
        return await this.#try(() => this.#client.delete(id), id, true) !== null;
    }

    async rename(name) {
        this.#named(await this.#client.profile({ name }));
        if (this.open)
            this.show(this.open.id, { again: true });
    }

    #named({ name }) {
        this.me.name = name;
        this.#on.change();
    }

    /* ---- what happens ---- */

    #event(name, data) {
        const handlers = {
            new_message: () => this.#message(data),
            joined_conversation: () => this.#moved(data, +1, `${data.name} joined`),
            leaved_conversation: () => this.#moved(data, -1, `${this.#memberName(data)} left`),
            new_conversation: () => this.#readListsSoon(),
            delete_conversation: () => this.#deleted(data.conversation_id),
            conversationViewersChange: () => this.#viewed(data),
            error: () => this.#on.failed(new Error(data.message)),
        };
        this.#heard++;
        handlers[name]?.();
        this.#on.change();
    }

    #message({ conversation_id: id, ...message }) {
        const of = this.open?.id === id ? this.open : null;
        const one = this.joined.get(id);
        if (of)
            this.#add(of, [message]);
        if (one) {
            one.message = message.message;
            one.senderAvatar = message.avatar;
            one.unreadCount += message.user_id === this.me.id ? 0 : 1;
        }
        this.look();
        if (message.user_id !== this.me.id)
            this.#on.news(message, id === everybody ? null : of ? '' : one?.name ?? '');
    }

    #memberName({ conversation_id: id, user_id: user }) {
        const of = this.open?.id === id ? this.open : null;
        return of?.members.find((one) => one.user_id === user)?.name ?? `id${user}`;
    }

    #moved({ conversation_id: id, user_id: user }, by, text) {
        const one = this.find(id);
        if (one)
            one.members += by;
        if (this.open?.id === id) {
            if (user !== this.me.id)
                this.#on.happened(text);
            if (this.open.as === 'member' && user !== this.me.id)
                this.#readMembers(this.open);
        }
        this.#readListsSoon();
    }

    #deleted(id) {
        this.joined.delete(id);
        this.others.delete(id);
        if (this.open?.id === id)
            this.#on.gone();
    }

    #viewed({ conversation_id: id, viewers }) {
        const one = this.find(id);
        if (one)
            one.viewers = viewers;
    }

    /* null when it did not work, of which the page has then been told. about: the conversation that may be gone. Without
     * a socket or a network nothing works, which mends itself: only who asked by a click is told. */
    async #try(does, about = null, clicked = false) {
        try {
            return await does();
        } catch (error) {
            if (error.status === 401)
                this.#on.refused();
            else if (error.status === 404 && about !== null && this.open?.id === about)
                this.#on.gone();
            else if (clicked || (error.status !== 428 && error.status !== 0))
                this.#on.failed(error);
            return null;
        }
    }
}
