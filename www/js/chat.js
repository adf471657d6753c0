/* chat - what a person can do here: reads and writes through the Api, results into the Store
 *
 * SPDX-License-Identifier: MIT
 */
import { pageSize } from './settings.js';

const readAfter = 300;
const rereadAfter = 150;
const peopleOf = 30;            /* dialogs whose participants are read for dots and receipts */

export class Chat {
    #api;
    #store;
    #live = null;
    #queues = new Map();        /* dialog id -> the last send under way, so that they go in order */
    #reported = new Map();      /* dialog id -> newest message reported as read */
    #readTimer = 0;
    #listTimer = 0;
    onNotice = () => {};        /* (text) something to tell the person */
    onNews = () => {};          /* (frame) somebody else said something */

    constructor(api, store) {
        this.#api = api;
        this.#store = store;
    }

    set live(live) {
        this.#live = live;
    }

    /* -- reading -- */

    /* Everything anew: at the start, and when the past is not to be had. */
    async reload() {
        const store = this.#store;
        await this.#loadLists();
        for (const id of store.talks.keys())
            if (id !== store.open)
                store.talks.get(id).loaded = false;
        if (store.dialogs.has(store.open))
            await this.#loadTalk(store.open);
        this.#loadDots();
    }

    /* Presence is live only: whoever was not listening has to ask. */
    refreshPeople() {
        this.#loadDots();
    }

    frames(frames) {
        const wishes = this.#store.apply(frames);
        for (const id of wishes.people)
            this.#loadPeople(id);
        if (wishes.lists)
            this.#loadListsSoon();
        for (const frame of frames)
            if (frame.type === 'message.new' && frame.sender_id && frame.sender_id !== this.#store.me.id)
                this.onNews(frame);
    }

    async open(id) {
        const store = this.#store;
        store.open = id;
        store.changed();
        const dialog = store.dialogs.get(id);
        if (!dialog)
            return;
        const talk = store.talkFor(id);
        if (talk.loaded) {
            talk.firstUnread = dialog.unread_count ? this.#firstUnread(talk, id) : null;
            return;
        }
        talk.error = '';
        await this.#loadTalk(id).catch((error) => {
            talk.error = error.message;
            store.changed();
        });
    }

    async older() {
        const id = this.#store.open;
        const talk = this.#store.talks.get(id);
        if (!talk?.loaded || !talk.more || talk.loadingOlder)
            return;
        talk.loadingOlder = true;
        const mark = this.#store.begin();
        try {
            this.#store.addOlder(id, await this.#api.messages(id, { limit: pageSize, before: talk.messages[0].id }));
        } catch (error) {
            this.onNotice(`Older messages did not come: ${error.message}`);
        } finally {
            talk.loadingOlder = false;
            this.#store.end(mark);
        }
    }

    /* The message that a reply answers: on the page, remembered, or fetched for next time. */
    quoted(dialog, id) {
        const talk = this.#store.talkFor(dialog);
        const here = talk.messages.find((m) => m.id === id);
        if (here)
            return here;
        if (!talk.quotes.has(id)) {
            talk.quotes.set(id, undefined);
            this.#loadQuote(talk, dialog, id);
        }
        return talk.quotes.get(id);
    }

    /* The view says that the newest message is in sight of somebody. */
    seen() {
        const store = this.#store;
        const dialog = store.dialogs.get(store.open);
        const last = store.talks.get(store.open)?.messages.at(-1);
        if (!dialog || !last || !dialog.unread_count || this.#reported.get(dialog.id) === last.id)
            return;
        this.#reported.set(dialog.id, last.id);
        clearTimeout(this.#readTimer);
        this.#readTimer = setTimeout(() => this.#report(dialog.id, last.id), readAfter);
    }

    /* -- writing -- */

    send(content, replyTo) {
        const id = this.#store.open;
        const item = { key: crypto.randomUUID(), content, replyTo, state: 'sending', error: '',
                       at: new Date().toISOString() };
        this.#store.talkFor(id).pending.push(item);
        this.#queue(id, item);
    }

    /* The same key: if the first try did arrive, this makes no second message. */
    retry(key) {
        const id = this.#store.open;
        const item = this.#store.talkFor(id).pending.find((p) => p.key === key);
        if (item)
            this.#queue(id, item);
    }

    discard(key) {
        const talk = this.#store.talkFor(this.#store.open);
        talk.pending = talk.pending.filter((p) => p.key !== key);
        this.#store.changed();
    }

    async edit(message, content) {
        const done = await this.#try('Not changed', this.#api.edit(message.dialog_id, message.id, content));
        if (done)
            this.#store.changeMessage(message.dialog_id, message.id, done.content, done.last_edited_at);
        this.#store.changed();
        return Boolean(done);
    }

    async remove(message) {
        const done = await this.#try('Not deleted', this.#api.remove(message.dialog_id, message.id));
        if (done !== undefined)
            this.#store.removeMessage(message.dialog_id, message.id);
        this.#store.changed();
    }

    async join(id) {
        if (await this.#try('Not joined', this.#api.join(id, this.#store.me.name))) {
            await this.#loadLists().catch(() => this.#loadListsSoon());
            await this.open(id);
        }
    }

    /* what: leave, pin, unpin, archive or unarchive */
    async turn(id, what) {
        if (await this.#try('Not done', this.#api.turn(id, what)))
            await this.#loadLists().catch(() => this.#loadListsSoon());
    }

    /* -- inside -- */

    #queue(id, item) {
        item.state = 'sending';
        item.error = '';
        this.#store.changed();
        const before = this.#queues.get(id) ?? Promise.resolve();
        this.#queues.set(id, before.then(() => this.#deliver(id, item)));
    }

    async #deliver(id, item) {
        try {
            const m = await this.#api.send(id, item);
            this.#store.addMessage({ ...m, client_message_id: item.key });
        } catch (error) {
            item.state = 'failed';
            item.error = error.message;
        }
        this.#store.changed();
        this.#live?.nudge();
    }

    async #report(id, message) {
        try {
            await this.#api.read(id, message);
            const dialog = this.#store.dialogs.get(id);
            if (dialog && (dialog.last_message?.id ?? '') <= message)
                dialog.unread_count = 0;
            this.#store.changed();
        } catch {
            this.#reported.delete(id);      /* the next sight of it tries again */
        }
    }

    #firstUnread(talk, id) {
        const pointer = this.#store.pointerOf(id, this.#store.me.id) ?? '';
        return talk.messages.find((m) => m.message_type === 'user' && m.sender_id !== this.#store.me.id &&
                                  m.id > pointer)?.id ?? null;
    }

    async #loadLists() {
        const mark = this.#store.begin();
        try {
            const [mine, available] = await Promise.all([this.#api.dialogs('participating'),
                                                         this.#api.dialogs('available')]);
            this.#store.setLists(mine, available);
        } finally {
            this.#store.end(mark);
        }
    }

    #loadListsSoon() {
        clearTimeout(this.#listTimer);
        this.#listTimer = setTimeout(async () => {
            const open = this.#store.open;
            try {
                await this.#loadLists();
                this.#loadDots();
                if (this.#store.dialogs.has(open) && !this.#store.talkFor(open).loaded)
                    await this.open(open);
            } catch (error) {
                if (error.status === 0 || error.status >= 500)
                    this.#loadListsSoon();
            }
        }, rereadAfter);
    }

    async #loadTalk(id) {
        const mark = this.#store.begin();
        try {
            const [page] = await Promise.all([this.#api.messages(id, { limit: pageSize }), this.#loadPeople(id)]);
            this.#store.setLatest(id, page);
        } finally {
            this.#store.end(mark);
        }
    }

    async #loadPeople(id) {
        const mark = this.#store.begin();
        try {
            this.#store.setPeople(id, await this.#api.participants(id));
        } catch {
            /* names then come from the list; the next reload asks again */
        } finally {
            this.#store.end(mark);
        }
    }

    async #loadQuote(talk, dialog, id) {
        try {
            talk.quotes.set(id, await this.#api.message(dialog, id));
        } catch (error) {
            if (error.status !== 404) {
                talk.quotes.delete(id);     /* the next change of the page asks again */
                return;
            }
            talk.quotes.set(id, null);
        }
        this.#store.changed();
    }

    #loadDots() {
        for (const id of [...this.#store.dialogs.keys()].slice(0, peopleOf))
            this.#loadPeople(id);
    }

    async #try(what, promise) {
        try {
            return await promise;
        } catch (error) {
            this.onNotice(`${what}: ${error.message}`);
            return undefined;
        }
    }
}
