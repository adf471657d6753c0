/* view-feed - what was said and what happened, and the field to say something in
 *
 * All texts of rooms are plain: they become text nodes, never markup.
 *
 * SPDX-License-Identifier: MIT
 */
import { avatar, h, icon, keep } from '../../js/dom.js';
import { dayKey, dayOf, timeOf } from '../../js/format.js';

const bottomSlack = 60;         /* px from the end that still counts as the end */
const olderWithin = 300;        /* px from the top at which older ones are fetched */
const sameBreath = 5 * 60000;

export class FeedView {
    #scroll;
    #log;
    #room = null;
    #atEnd = true;

    constructor({ scroll, log }) {
        this.#scroll = scroll;
        this.#log = log;
        scroll.addEventListener('scroll', () => this.#scrolled(), { passive: true });
        new ResizeObserver(() => this.#atEnd && this.toEnd()).observe(scroll);
    }

    render(room) {
        this.#scroll.hidden = !room;
        if (room !== this.#room) {
            this.#room = room;
            this.#atEnd = true;
            this.#log.replaceChildren();
        }
        if (!room)
            return;
        const { scrollHeight, scrollTop } = this.#scroll;
        const first = this.#log.querySelector('[data-id]')?.dataset.id;
        keep(this.#log, this.#rows(room));
        if (this.#atEnd)
            this.toEnd();
        else if (first !== this.#log.querySelector('[data-id]')?.dataset.id)
            this.#scroll.scrollTop = scrollTop + this.#scroll.scrollHeight - scrollHeight;
        this.#scrolled();
    }

    toEnd() {
        this.#atEnd = true;
        this.#scroll.scrollTop = this.#scroll.scrollHeight;
    }

    #scrolled() {
        const s = this.#scroll;
        this.#atEnd = s.scrollHeight - s.scrollTop - s.clientHeight < bottomSlack;
        if (s.scrollTop < olderWithin && this.#room?.loaded)
            this.#room.older();
    }

    #rows(room) {
        const rows = [];
        if (!room.loaded || room.more)
            rows.push(note('top', 'system', 'Loading…'));
        let before = null;
        for (const item of room.items) {
            if (!before || dayKey(item.timestamp) !== dayKey(before.timestamp)) {
                rows.push(note(`day ${dayKey(item.timestamp)}`, 'day', dayOf(item.timestamp)));
                before = null;
            }
            rows.push(item.type === 'event' ? this.#event(item) : this.#message(room, item, before));
            before = item;
        }
        for (const [i, { text }] of room.pending.entries())
            rows.push({ key: `pending ${i}`, sign: text, make: () => h('li', { class: 'msg mine pending' },
                h('div', { class: 'bubble' }, h('div', { class: 'text' }, text), h('span', { class: 'meta' }, 'sending…'))) });
        if (room.loaded && !room.more && !room.items.length && !room.pending.length)
            rows.push(note('empty', 'system', room.agents.length ? 'Nothing said yet. Begin!' : 'Nobody is here yet. Add an agent first.'));
        return rows;
    }

    #event(item) {
        return { key: item.id, sign: item.id, make: () => h('li', { class: 'happened', 'data-id': item.id },
            h('span', { 'aria-hidden': 'true' }, '✦ '), item.description) };
    }

    #message(room, item, before) {
        const mine = item.sender === 'user';
        const to = mine && item.agentId ? room.agent(item.agentId)?.name ?? 'somebody who left' : '';
        const head = !before || before.type === 'event' || before.sender !== item.sender ||
            new Date(item.timestamp) - new Date(before.timestamp) > sameBreath;
        return { key: item.id, sign: JSON.stringify([head, to]), make: () =>
            h('li', { class: `msg${mine ? ' mine' : ''}${head ? ' head' : ''}`, 'data-id': item.id },
                mine ? null : head ? avatar(item.sender, item.agentId ?? item.sender) : h('span', { class: 'avatar none' }),
                h('div', { class: 'bubble' },
                    h('span', { class: (head && !mine) || to ? 'who' : 'unseen' }, mine ? 'You' : item.sender,
                        to && h('span', { class: 'addressed' }, ` to ${to}`)),
                    h('div', { class: 'text' }, item.text),
                    h('span', { class: 'meta' }, h('time', { datetime: item.timestamp }, timeOf(item.timestamp))))) };
    }
}

function note(key, kind, text) {
    return { key, sign: text, make: () => h('li', { class: kind }, h('span', {}, text)) };
}

/* The field below. Enter sends, Shift+Enter breaks the line; `@name ` at the beginning chooses who is addressed. */
export class ComposerView {
    #form;
    #to;
    #text;
    #send;
    #room = null;
    onSent = () => {};

    constructor({ form, to, text }) {
        this.#form = form;
        this.#to = to;
        this.#text = text;
        this.#send = form.querySelector('.send');
        this.#send.append(icon('send'));
        form.addEventListener('submit', (event) => {
            event.preventDefault();
            this.#submit();
        });
        text.addEventListener('input', () => this.#typed());
        text.addEventListener('keydown', (event) => {
            if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
                event.preventDefault();
                this.#submit();
            }
        });
    }

    render(room) {
        this.#form.hidden = !room;
        if (room !== this.#room) {
            this.#room = room;
            this.#text.value = '';
            this.#to.value = '';
        }
        if (!room)
            return;
        keep(this.#to, [{ id: '', name: 'everybody' }, ...room.agents].map(({ id, name }) =>
            ({ key: `to ${id}`, sign: name, make: () => h('option', { value: id }, name) })));
        this.#fit();
    }

    /* Begins a message to that agent. */
    address(agent) {
        this.#to.value = agent;
        this.focus();
    }

    focus() {
        this.#text.focus();
    }

    /* The longest name counts: Ann is not Anna. */
    #typed() {
        const said = this.#text.value;
        const named = this.#room.agents.filter(({ name }) => said.toLowerCase().startsWith(`@${name.toLowerCase()}`) &&
            !/^[\p{L}\p{N}]/u.test(said.slice(name.length + 1)) && said.length > name.length + 1)
            .sort((a, b) => b.name.length - a.name.length)[0];
        if (named)
            this.#to.value = named.id;
        this.#fit();
    }

    async #submit() {
        const text = this.#text.value;
        const room = this.#room;
        if (!text.trim())
            return;
        this.#text.value = '';
        this.#fit();
        const sent = room.say(text, this.#to.value || null);
        this.#to.value = '';
        this.onSent();
        if (!await sent && room === this.#room && !this.#text.value) {
            this.#text.value = text;
            this.#fit();
        }
    }

    /* As high as what is in it, up to the limit in the style sheet. */
    #fit() {
        this.#send.disabled = !this.#text.value.trim();
        this.#text.style.height = 'auto';
        this.#text.style.height = `${this.#text.scrollHeight}px`;
    }
}
