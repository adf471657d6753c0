/* chat - what one user sees: meetings, his chats about them, unread counts of both sides
 *
 * Every socket begins with initial_data, which holds all chats with their newest messages; events follow. What comes
 * twice is taken once, by the number of the message, and numbers have no holes. Knows nothing of the page.
 *
 * SPDX-License-Identifier: MIT
 */

const saidKept = 20;

export class EventChat {
    me;                         /* {id, name} */
    up = false;
    meetings = [];              /* {event, eventOwnerId}, newest first */
    chats = new Map();          /* chatId -> chat, its event, eventOwnerId and pending texts */
    open = null;                /* chatId */
    debug = [];                 /* what debug_info said, newest last */
    #client;
    #line;
    #on;
    #asked = 0;                 /* history of the open chat below this message */
    #serial = 0;

    /* on: change(), news(chat, message), failed(error), sendFailed(chat, text), refused() */
    constructor(client, me, on) {
        this.me = me;
        this.#client = client;
        this.#on = on;
        this.#line = client.listen({
            onUp: (data) => this.#begin(data),
            onEvent: (name, data) => this.#event(name, data),
            onState: (up) => this.#state(up),
            onRefused: () => on.refused(),
        });
    }

    get current() { return this.chats.get(this.open) ?? null; }

    get unread() { return [...this.chats.values()].reduce((sum, { myUnreadCount: n }) => sum + n, 0); }

    owns({ eventOwnerId }) { return eventOwnerId === this.me.id; }

    /* The chat in which I am the applicant to a meeting. */
    mine(event) {
        return [...this.chats.values()].find((chat) => chat.event.id === event && !this.owns(chat)) ?? null;
    }

    wake() { this.#line.wake(); }

    close() { this.#line.close(); }

    /* ---- beginning ---- */

    #state(up) {
        this.up = up;
        this.#asked = 0;
        /* What was under way may or may not have arrived; what has is in initial_data. */
        for (const chat of up ? [] : this.chats.values())
            chat.pending = [];
        this.#on.change();
    }

    #begin(groups) {
        for (const { event, eventOwnerId, chats } of groups)
            for (const chat of chats)
                this.#take({ ...chat, event, eventOwnerId });
        this.#on.change();
        this.look();
        this.readMeetings();
        this.try(async () => this.#named(await this.#client.profile()));
    }

    async readMeetings() {
        const meetings = await this.try(() => this.#client.meetings());
        if (meetings) {
            this.meetings = meetings;
            this.#on.change();
        }
    }

    #named({ name }) {
        this.me.name = name;
        this.#on.change();
    }

    /* ---- chats ---- */

    /* Which of its messages are new; where they do not reach what we have, what we have goes. */
    #take(chat) {
        const had = this.chats.get(chat.chatId);
        const [first] = chat.messages;
        const kept = !had || (first && had.messages.length && first.messageId > had.messages.at(-1).messageId + 1) ? [] : had.messages;
        const known = new Set(kept.map(({ messageId }) => messageId));
        const fresh = chat.messages.filter(({ messageId }) => !known.has(messageId));
        const messages = [...kept, ...fresh].sort((a, b) => a.messageId - b.messageId);
        this.chats.set(chat.chatId, { ...chat, messages, pending: had?.pending ?? [] });
        return fresh;
    }

    #event(name, data) {
        const handlers = {
            chat_updates: () => this.#updated(data),
            chat_unread: () => Object.assign(this.chats.get(data.chatId) ?? {}, data),
            history: () => this.#history(data),
            debug_info: () => this.#debugged(data),
        };
        handlers[name]?.();
        this.#on.change();
    }

    #updated(chat) {
        const fresh = this.#take(chat);
        const { pending } = this.chats.get(chat.chatId);
        for (const { fromUserId, text, ...message } of fresh) {
            const i = pending.findIndex((one) => fromUserId === this.me.id && one.text === text);
            if (i >= 0)
                pending.splice(i, 1);
            if (fromUserId !== this.me.id)
                this.#on.news(chat, { ...message, text });
        }
        this.look();
    }

    #history({ chatId, messages }) {
        const chat = this.chats.get(chatId);
        const first = chat?.messages[0]?.messageId ?? 0;
        chat?.messages.unshift(...messages.filter(({ messageId }) => messageId < first));
        this.#asked = 0;
    }

    #debugged(info) {
        this.debug = [...this.debug, { ...info, key: ++this.#serial }].slice(-saidKept);
        if (info.event !== 'send_message')
            return;
        /* Mine are run in the order in which I said them. */
        const chat = [...this.chats.values()].filter(({ pending }) => pending.length)
            .sort((a, b) => a.pending[0].key - b.pending[0].key)[0];
        if (chat)
            this.#on.sendFailed(chat, chat.pending.shift().text);
        this.#on.failed(new Error(info.message));
    }

    /* ---- what one does ---- */

    show(chatId) {
        this.open = chatId;
        this.#asked = 0;
        this.look();
        this.#on.change();
    }

    /* Somebody is looking at the open chat: it is read. */
    look() {
        const chat = this.current;
        if (chat?.myUnreadCount && document.visibilityState === 'visible')
            this.#line.emit('read_messages', { chatId: chat.chatId, lastReadedMessageId: chat.messages.at(-1).messageId });
    }

    /* False when there is no socket. */
    say(text, photos) {
        const chat = this.current;
        if (!this.#line.emit('send_message', { chatId: chat.chatId, message: { text, photos: [], attachedPhotos: photos } })) {
            this.#on.failed(new Error('Not connected'));
            return false;
        }
        chat.pending.push({ text, photos, key: ++this.#serial });
        this.#on.change();
        return true;
    }

    /* Numbers begin at 1. */
    get more() { return (this.current?.messages[0]?.messageId ?? 1) > 1; }

    older() {
        const chat = this.current;
        if (!this.more || this.#asked || !this.up)
            return;
        this.#asked = chat.messages[0].messageId;
        this.#line.emit('load_history', { chatId: chat.chatId, lastMessageId: this.#asked });
    }

    emitRaw(frame) { return this.#line.say(frame); }

    async openAbout(event) { return this.#shown(await this.try(() => this.#client.open(event))); }
    async request(event) { return this.#shown(await this.try(() => this.#client.request(event))); }
    grant() { return this.try(() => this.#client.grant(this.open)); }
    revoke() { return this.try(() => this.#client.revoke(this.open)); }
    upload(file) { return this.try(() => this.#client.upload(file)); }
    photo(uuid) { return this.#client.photo(uuid); }

    async createMeeting(event) {
        await this.#client.createMeeting(event);
        await this.readMeetings();
    }

    async rename(name) { this.#named(await this.#client.rename(name)); }

    /* The answer and chat_updates race; both are taken. */
    #shown(chat) {
        if (chat) {
            this.#take(chat);
            this.show(chat.chatId);
        }
    }

    /* null when it did not work, of which the page has then been told. */
    async try(does) {
        try {
            return await does();
        } catch (error) {
            error.status === 401 ? this.#on.refused() : this.#on.failed(error);
            return null;
        }
    }
}
