/* view-log - the messages of the open chat: rows, scrolling, what can be done to one
 *
 * SPDX-License-Identifier: MIT
 */
import { avatar, h, icon, keep } from './dom.js';
import { dayKey, dayOf, lineOf, systemText, timeOf } from './format.js';
import { toNodes } from './html.js';

const bottomSlack = 60;         /* px from the end that still counts as the end */
const olderWithin = 400;        /* px from the top at which older ones are fetched */
const sameBreath = 5 * 60000;   /* messages this close by one person share a name */
const sureFor = 4000;

export class LogView {
    #store;
    #chat;
    #scroll;
    #log;
    #latest;
    #on;                        /* {reply(m), edit(m), leave()} */
    #shown = null;              /* dialog id on screen */
    #atEnd = true;
    #placed = false;            /* the first scroll position has been set */
    #below = 0;                 /* messages that came out of sight */
    #lastId = '';
    #current = null;            /* key that the Tab key reaches */
    #unsure = null;             /* id of the message whose deletion waits for the second click */

    constructor(store, chat, { scroll, log, latest, on }) {
        this.#store = store;
        this.#chat = chat;
        this.#scroll = scroll;
        this.#log = log;
        this.#latest = latest;
        this.#on = on;
        scroll.addEventListener('scroll', () => this.#scrolled(), { passive: true });
        new ResizeObserver(() => this.#atEnd && this.toEnd()).observe(scroll);
        log.addEventListener('keydown', (event) => this.#move(event));
        log.addEventListener('focusin', (event) => this.#reach(event.target.closest('li')?.dataset.key));
        latest.addEventListener('click', () => this.toEnd());
    }

    render() {
        const store = this.#store;
        const talk = store.dialogs.has(store.open) ? store.talks.get(store.open) : null;
        this.#scroll.hidden = !talk;
        if (store.open !== this.#shown)
            this.#begin(store.open);
        if (!talk)
            return;
        const anchor = this.#atEnd ? null : this.#anchor();
        keep(this.#log, this.#rows(talk));
        this.#reach(this.#current);
        this.#count(talk);
        if (!this.#placed && talk.loaded)
            this.#place();
        else if (this.#atEnd)
            this.toEnd();
        else if (anchor)
            this.#restore(anchor);
        this.#scrolled();
    }

    /* Somebody looks at the end: what is there counts as read. */
    look() {
        if (this.#atEnd && !this.#scroll.hidden && document.visibilityState === 'visible' && document.hasFocus())
            this.#chat.seen();
    }

    toEnd() {
        this.#atEnd = true;
        this.#scroll.scrollTop = this.#scroll.scrollHeight;
    }

    /* -- position -- */

    #begin(id) {
        this.#shown = id;
        this.#placed = false;
        this.#atEnd = true;
        this.#below = 0;
        this.#lastId = '';
        this.#current = null;
        this.#log.replaceChildren();
    }

    #place() {
        this.#placed = true;
        const divider = this.#log.querySelector('.new');
        this.toEnd();
        if (divider && divider.offsetTop < this.#scroll.scrollTop)
            this.#scroll.scrollTop = divider.offsetTop - 24;
    }

    #anchor() {
        const top = this.#scroll.scrollTop;
        const first = [...this.#log.querySelectorAll('.msg')].find((li) => li.offsetTop + li.offsetHeight > top);
        return first ? { key: first.dataset.key, offset: first.offsetTop - top } : null;
    }

    #restore({ key, offset }) {
        const now = this.#find(key);
        if (now)
            this.#scroll.scrollTop = now.offsetTop - offset;
    }

    #scrolled() {
        const s = this.#scroll;
        this.#atEnd = s.scrollHeight - s.scrollTop - s.clientHeight < bottomSlack;
        if (this.#atEnd)
            this.#below = 0;
        this.#latest.hidden = this.#atEnd || s.hidden;
        this.#latest.replaceChildren(icon('down'), this.#below ? `${this.#below} new` : 'Latest');
        if (this.#placed && s.scrollTop < olderWithin)
            this.#chat.older();
        this.look();
    }

    #count(talk) {
        const lastId = talk.messages.at(-1)?.id ?? '';
        if (this.#lastId && !this.#atEnd)
            this.#below += talk.messages.filter((m) => m.id > this.#lastId && m.sender_id !== this.#store.me.id).length;
        this.#lastId = lastId > this.#lastId ? lastId : this.#lastId;
    }

    #find(key) {
        return [...this.#log.children].find((li) => li.dataset.key === key);
    }

    /* -- keyboard -- */

    #move(event) {
        const at = event.target.closest('.msg');
        if (event.key === 'Escape') {
            this.#on.leave();
            return;
        }
        if (!at || event.target !== at)
            return;
        const all = [...this.#log.querySelectorAll('.msg')];
        const i = all.indexOf(at);
        const to = { ArrowUp: i - 1, ArrowDown: i + 1, Home: 0, End: all.length - 1 }[event.key];
        if (to === undefined)
            return;
        event.preventDefault();
        all[to]?.focus();
    }

    #reach(key) {
        const all = [...this.#log.querySelectorAll('.msg')];
        const chosen = all.find((li) => li.dataset.key === key) ?? all.at(-1);
        for (const li of all)
            li.tabIndex = li === chosen ? 0 : -1;
        this.#current = all.some((li) => li.dataset.key === key) ? key : null;
    }

    /* -- rows -- */

    #rows(talk) {
        const rows = [];
        if (talk.more || talk.error || !talk.loaded)
            rows.push(this.#topRow(talk));
        const receipt = this.#receipt(talk);
        let before = null;
        for (const m of talk.messages) {
            const day = dayKey(m.sent_at);
            if (!before || day !== dayKey(before.sent_at)) {
                rows.push(line(`day ${day}`, 'day', dayOf(m.sent_at)));
                before = null;
            }
            if (m.id === talk.firstUnread) {
                rows.push(line('new', 'new', 'New'));
                before = null;
            }
            rows.push(m.message_type === 'system' ? line(m.id, 'system', systemText(m.content))
                : this.#messageRow(m, before, receipt));
            before = m;
        }
        for (const p of talk.pending) {
            rows.push(this.#pendingRow(p, before));
            before = { sender_id: this.#store.me.id, sent_at: p.at, message_type: 'user' };
        }
        if (talk.loaded && !talk.more && !talk.messages.length && !talk.pending.length)
            rows.push(line('empty', 'system', 'Nothing said yet. Begin!'));
        return rows;
    }

    #topRow(talk) {
        if (!talk.error)
            return line('top', 'system', 'Loading…');
        return { key: 'top', sign: talk.error, make: () => h('li', { class: 'system' }, `${talk.error} `,
            h('button', { class: 'plain', type: 'button', onclick: () => this.#chat.open(this.#store.open) }, 'Try again')) };
    }

    #messageRow(m, before, receipt) {
        const mine = m.sender_id === this.#store.me.id;
        const head = !before || before.message_type === 'system' || before.sender_id !== m.sender_id ||
            new Date(m.sent_at) - new Date(before.sent_at) > sameBreath;
        const name = this.#store.nameOf(m.dialog_id, m.sender_id);
        const quote = m.reply_to_id ? this.#quote(m) : null;
        const read = receipt?.id === m.id ? receipt.text : null;
        const unsure = this.#unsure === m.id;
        const sign = JSON.stringify([m.content, m.last_edited_at, head, name, quote, read, unsure, m.attachments?.length]);
        return { key: m.id, sign, make: () => h('li', { class: `msg${mine ? ' mine' : ''}${head ? ' head' : ''}`,
                                                        tabindex: '-1', 'data-act': 'self' },
            mine ? null : head ? avatar(name, m.sender_id) : h('span', { class: 'avatar none' }),
            h('div', { class: 'bubble' },
                h('span', { class: head && !mine ? 'who' : 'unseen' }, mine ? 'You' : name),
                quote && this.#quoteButton(m, quote),
                h('div', { class: 'text' }, toNodes(m.content)),
                files(m),
                h('span', { class: 'meta' }, m.last_edited_at ? 'edited ' : '',
                    h('time', { datetime: m.sent_at }, timeOf(m.sent_at))),
                this.#acts(m, mine, unsure)),
            read && h('span', { class: 'receipt' }, read)) };
    }

    #pendingRow(p, before) {
        const failed = p.state === 'failed';
        const head = !before || before.sender_id !== this.#store.me.id;
        return { key: p.key, sign: `${p.state} ${p.error} ${head}`, make: () =>
            h('li', { class: `msg mine pending ${p.state}${head ? ' head' : ''}`, tabindex: '-1', 'data-act': 'self' },
                h('div', { class: 'bubble' }, h('div', { class: 'text' }, toNodes(p.content)),
                    h('span', { class: 'meta' }, failed ? 'not sent' : 'sending…')),
                failed && h('div', { class: 'failure' }, h('span', { role: 'alert' }, `${p.error}. `),
                    h('button', { class: 'plain', type: 'button', 'data-act': 'retry',
                                  onclick: () => this.#chat.retry(p.key) }, 'Retry'),
                    h('button', { class: 'plain', type: 'button', 'data-act': 'discard',
                                  onclick: () => this.#chat.discard(p.key) }, 'Discard'))) };
    }

    #acts(m, mine, unsure) {
        const act = (name, label, onclick) => h('button', { class: 'icon-button', type: 'button', 'data-act': name,
            'aria-label': label, title: label, onclick }, icon(name));
        return h('div', { class: `acts${unsure ? ' stay' : ''}` }, act('reply', 'Reply', () => this.#on.reply(m)),
            mine && act('edit', 'Edit', () => this.#on.edit(m)),
            mine && (unsure ? h('button', { class: 'plain danger', type: 'button', 'data-act': 'remove',
                                            onclick: () => this.#chat.remove(m) }, 'Delete?')
                : act('remove', 'Delete', () => this.#ask(m))));
    }

    /* The first click asks, the second within some seconds deletes. */
    #ask(m) {
        this.#unsure = m.id;
        this.#store.changed();
        setTimeout(() => {
            if (this.#unsure === m.id) {
                this.#unsure = null;
                this.#store.changed();
            }
        }, sureFor);
    }

    /* -- replies and receipts -- */

    #quote(m) {
        const other = this.#chat.quoted(m.dialog_id, m.reply_to_id);
        if (other === undefined)
            return { name: '', text: '…' };
        if (other === null)
            return { name: '', text: 'Message deleted' };
        return { name: this.#store.nameOf(m.dialog_id, other.sender_id), text: lineOf(other) };
    }

    #quoteButton(m, quote) {
        return h('button', { class: 'quote', type: 'button', 'data-act': 'quote', tabindex: '-1',
                             onclick: () => this.#goTo(m.reply_to_id) },
            quote.name && h('span', { class: 'quote-who' }, quote.name), h('span', {}, quote.text));
    }

    async #goTo(id) {
        const talk = this.#store.talks.get(this.#shown);
        const dialog = this.#shown;
        while (!this.#find(id) && talk.more && talk.messages[0]?.id > id && this.#shown === dialog) {
            const before = talk.messages[0].id;
            await this.#chat.older();
            await Promise.resolve();
            if (talk.messages[0].id === before)
                break;
        }
        const there = this.#find(id);
        if (!there)
            return;
        const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
        there.scrollIntoView({ block: 'center', behavior: calm ? 'auto' : 'smooth' });
        there.focus({ preventScroll: true });
        there.classList.add('found');
        there.addEventListener('blur', () => there.classList.remove('found'), { once: true });
    }

    /* Under the last own message: who has come that far. */
    #receipt(talk) {
        const last = talk.messages.findLast((m) => m.sender_id === this.#store.me.id);
        const people = (this.#store.people.get(this.#shown) ?? []).filter((p) => p.user_id !== this.#store.me.id);
        if (!last || !people.length || talk.pending.length)
            return null;
        const readers = people.filter((p) => (p.last_read_message_id ?? '') >= last.id);
        if (!readers.length)
            return { id: last.id, text: 'Sent' };
        if (people.length === 1)
            return { id: last.id, text: 'Read' };
        const names = readers.slice(0, 3).map((p) => p.display_name || p.user_id).join(', ');
        const more = readers.length > 3 ? ` and ${readers.length - 3} more` : '';
        return { id: last.id, text: readers.length === people.length ? 'Read by all' : `Read by ${names}${more}` };
    }
}

function line(key, kind, text) {
    return { key, sign: text, make: () => h('li', { class: kind }, h('span', {}, text)) };
}

function files(m) {
    return (m.attachments ?? []).map((file) => /^https?:/.test(file.url)
        ? h('a', { class: 'file', href: file.url, target: '_blank', rel: 'noopener noreferrer' }, file.filename)
        : h('span', { class: 'file' }, file.filename));
}
