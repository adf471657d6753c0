/* store - what the page knows, and how events change it
 *
 * Knows neither network nor DOM. Applying an event twice, or one that a snapshot already holds,
 * changes nothing; so events that arrive while a snapshot is on its way are simply applied again
 * on top of it (begin and end).
 *
 * SPDX-License-Identifier: MIT
 */

export class Store {
    me;                         /* {id, name} */
    status = 'connecting';
    dialogs = new Map();        /* id -> dialog of ours */
    available = new Map();      /* id -> dialog that may be joined */
    talks = new Map();          /* dialog id -> messages on this page, see talkFor() */
    people = new Map();         /* dialog id -> participants */
    online = new Map();         /* user id -> boolean */
    open = null;                /* id of the dialog on screen */
    loaded = false;             /* lists have been read once */

    #listeners = [];
    #due = false;
    #journal = [];
    #loads = 0;

    constructor(me) {
        this.me = me;
    }

    onChange(listener) {
        this.#listeners.push(listener);
    }

    /* Tell the views, once for all changes of this turn. */
    changed() {
        if (this.#due)
            return;
        this.#due = true;
        queueMicrotask(() => {
            this.#due = false;
            for (const listener of this.#listeners)
                listener();
        });
    }

    /* Around a read: frames that come between begin() and end() are applied again on what was read. */
    begin() {
        this.#loads++;
        return this.#journal.length;
    }

    end(mark) {
        for (const frame of this.#journal.slice(mark))
            this.#apply(frame, new Wishes());
        if (--this.#loads === 0)
            this.#journal = [];
        this.changed();
    }

    /* Returns what has to be read because the events did not say it. */
    apply(frames) {
        const wishes = new Wishes();
        for (const frame of frames) {
            if (this.#loads)
                this.#journal.push(frame);
            this.#apply(frame, wishes);
        }
        this.changed();
        return wishes;
    }

    /* -- snapshots -- */

    setLists(mine, available) {
        this.dialogs = new Map(mine.map((d) => [d.id, d]));
        this.available = new Map(available.map((d) => [d.id, d]));
        this.loaded = true;
        for (const id of this.talks.keys())
            if (!this.dialogs.has(id))
                this.talks.delete(id);
    }

    setPeople(id, people) {
        this.people.set(id, people);
        for (const one of people)
            this.online.set(one.user_id, one.is_online === true);
    }

    /* The newest page: whatever was there goes, sends under way stay. */
    setLatest(id, page) {
        const talk = this.talkFor(id);
        talk.messages = page.messages;
        talk.more = page.has_more_before;
        talk.firstUnread = page.first_unread_message_id ?? null;
        talk.loaded = true;
        talk.error = '';
        talk.pending = talk.pending.filter((p) => !page.messages.some((m) => m.client_message_id === p.key));
    }

    addOlder(id, page) {
        const talk = this.talkFor(id);
        const have = new Set(talk.messages.map((m) => m.id));
        talk.messages = [...page.messages.filter((m) => !have.has(m.id)), ...talk.messages];
        talk.more = page.has_more_before;
        if (talk.firstUnread && page.first_unread_message_id)
            talk.firstUnread = page.first_unread_message_id;
    }

    talkFor(id) {
        if (!this.talks.has(id))
            this.talks.set(id, { messages: [], more: false, firstUnread: null, loaded: false, loadingOlder: false,
                                 error: '', pending: [], quotes: new Map() });
        return this.talks.get(id);
    }

    /* -- questions -- */

    get dialog() {
        return this.dialogs.get(this.open) ?? this.available.get(this.open) ?? null;
    }

    get unread() {
        return [...this.dialogs.values()].filter((d) => !d.is_archived)
            .reduce((sum, d) => sum + (d.unread_count ?? 0), 0);
    }

    /* The name of a user as dialog id's participants know him. */
    nameOf(id, user) {
        const there = (list) => list?.find((p) => p.user_id === user)?.display_name;
        const dialog = this.dialogs.get(id) ?? this.available.get(id);
        return there(this.people.get(id)) || there(dialog?.participants) || user;
    }

    /* The others in it. */
    othersIn(dialog) {
        const list = this.people.get(dialog.id) ?? dialog.participants ?? [];
        return list.filter((p) => p.user_id !== this.me.id);
    }

    /* The other one of a talk between two, which has no title of its own. */
    partnerIn(dialog) {
        const others = dialog.title ? [] : this.othersIn(dialog);
        return others.length === 1 ? others[0] : null;
    }

    titleOf(dialog) {
        if (dialog.title)
            return dialog.title;
        return this.othersIn(dialog).map((p) => p.display_name || p.user_id).join(', ') || 'Just you';
    }

    pointerOf(id, user) {
        return this.people.get(id)?.find((p) => p.user_id === user)?.last_read_message_id ?? null;
    }

    /* -- changes of our own -- */

    addMessage(m) {
        const talk = this.talks.get(m.dialog_id);
        if (talk) {
            talk.pending = talk.pending.filter((p) => p.key !== m.client_message_id);
            if (talk.loaded && !talk.messages.some((have) => have.id === m.id))
                insert(talk.messages, m);
        }
        const dialog = this.dialogs.get(m.dialog_id);
        if (!dialog || (dialog.last_message && dialog.last_message.id >= m.id))
            return;
        dialog.last_message = { id: m.id, content: m.content, sender_id: m.sender_id, message_type: m.message_type,
                                sent_at: m.sent_at };
        dialog.last_message_at = m.sent_at;
        if (m.message_type === 'user' && m.sender_id !== this.me.id)
            dialog.unread_count = (dialog.unread_count ?? 0) + 1;
    }

    removeMessage(dialogId, id) {
        const talk = this.talks.get(dialogId);
        if (talk) {
            talk.messages = talk.messages.filter((m) => m.id !== id);
            talk.quotes.set(id, null);
        }
    }

    changeMessage(dialogId, id, content, editedAt) {
        const m = this.talks.get(dialogId)?.messages.find((one) => one.id === id);
        if (m && !(m.last_edited_at && new Date(m.last_edited_at) > new Date(editedAt)))
            Object.assign(m, { content, last_edited_at: editedAt });
        const quote = this.talks.get(dialogId)?.quotes.get(id);
        if (quote)
            quote.content = content;
        const last = this.dialogs.get(dialogId)?.last_message;
        if (last?.id === id)
            last.content = content;
    }

    /* -- events -- */

    #apply(frame, wishes) {
        const dialog = this.dialogs.get(frame.dialog_id);
        const mine = frame.user_id === this.me.id;
        switch (frame.type) {
        case 'message.new':
            if (!dialog)
                wishes.lists = true;
            this.addMessage({ reply_to_id: null, last_edited_at: null, ...flat(frame), ...frame.payload?.message });
            break;
        case 'message.edited':
            this.changeMessage(frame.dialog_id, frame.id, frame.content, frame.last_edited_at);
            break;
        case 'message.deleted':
            this.removeMessage(frame.dialog_id, frame.id);
            if (dialog && (dialog.unread_count || dialog.last_message?.id === frame.id))
                wishes.lists = true;
            break;
        case 'message.read':
            this.#read(frame, dialog, mine, wishes);
            break;
        case 'participant.joined':
        case 'participant.left':
            if (mine)
                wishes.lists = true;
            else
                wishes.people.add(frame.dialog_id);
            break;
        case 'dialog.archived':
        case 'dialog.unarchived':
            if (dialog)
                dialog.is_archived = frame.type === 'dialog.archived';
            else
                wishes.lists = true;
            break;
        case 'presence.update':
            this.online.set(frame.user_id, frame.is_online);
            break;
        }
    }

    #read(frame, dialog, mine, wishes) {
        const one = this.people.get(frame.dialog_id)?.find((p) => p.user_id === frame.user_id);
        if (one && (one.last_read_message_id ?? '') < frame.last_read_message_id)
            one.last_read_message_id = frame.last_read_message_id;
        if (!mine || !dialog?.unread_count)
            return;
        if (!dialog.last_message || dialog.last_message.id <= frame.last_read_message_id)
            dialog.unread_count = 0;
        else
            wishes.lists = true;
    }
}

class Wishes {
    lists = false;
    people = new Set();
}

function flat({ id, dialog_id, sender_id, content, sent_at, message_type, client_message_id }) {
    return { id, dialog_id, sender_id, content, sent_at, message_type, client_message_id };
}

/* Ids rise with time; what is new mostly belongs at the end. */
function insert(messages, m) {
    let at = messages.length;
    while (at > 0 && messages[at - 1].id > m.id)
        at--;
    messages.splice(at, 0, m);
}
