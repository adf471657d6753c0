/* view-said - what was said, oldest first, kept at its end; older things are asked for on the way up
 *
 * All texts are plain: they become text nodes, never markup.
 *
 * SPDX-License-Identifier: MIT
 */
import { avatar, h, keep } from './dom.js';
import { dayKey, dayOf, timeOf } from './format.js';

const bottomSlack = 60;         /* px from the end that still counts as the end */
const olderWithin = 300;        /* px from the top at which older ones are asked for */
const sameBreath = 5 * 60000;

export class SaidView {
    #scroll;
    #log;
    #what = null;
    #atEnd = true;
    #older;

    /* older() is called while the top is near */
    constructor({ scroll, log, older }) {
        this.#scroll = scroll;
        this.#log = log;
        this.#older = older;
        scroll.addEventListener('scroll', () => this.#scrolled(), { passive: true });
        new ResizeObserver(() => this.#atEnd && this.toEnd()).observe(scroll);
    }

    /* what: any value, another one for another conversation; null: none. rows as keep() wants them, those with an id
     * having data-id. */
    render(what, rows) {
        this.#scroll.hidden = what === null;
        if (what !== this.#what) {
            this.#what = what;
            this.#atEnd = true;
            this.#log.replaceChildren();
        }
        if (what === null)
            return;
        const { scrollHeight, scrollTop } = this.#scroll;
        const first = this.#firstId();
        keep(this.#log, rows);
        if (this.#atEnd)
            this.toEnd();
        else if (first !== this.#firstId())
            this.#scroll.scrollTop = scrollTop + this.#scroll.scrollHeight - scrollHeight;
        this.#scrolled();
    }

    toEnd() {
        this.#atEnd = true;
        this.#scroll.scrollTop = this.#scroll.scrollHeight;
    }

    /* Something in it has grown: stay at the end, if there. */
    settle() {
        if (this.#atEnd)
            this.toEnd();
    }

    #firstId() {
        return this.#log.querySelector('[data-id]')?.dataset.id;
    }

    #scrolled() {
        const s = this.#scroll;
        this.#atEnd = s.scrollHeight - s.scrollTop - s.clientHeight < bottomSlack;
        if (s.scrollTop < olderWithin && this.#what !== null)
            this.#older();
    }
}

/* A line of its own between messages; kind: system or day */
export function noteRow(key, kind, text) {
    return { key, sign: text, make: () => h('li', { class: kind }, h('span', {}, text)) };
}

/* Rows of messages with their days. one(message) gives {id, at, who, seed, mine, sign, body}: at a time, who a name or
 * null, seed what its colour is made of, body() what is in the bubble. */
export function messageRows(messages, one) {
    const rows = [];
    let before = null;
    for (const message of messages) {
        const said = one(message);
        if (!before || dayKey(said.at) !== dayKey(before.at)) {
            rows.push(noteRow(`day ${dayKey(said.at)}`, 'day', dayOf(said.at)));
            before = null;
        }
        const head = !before || before.seed !== said.seed || new Date(said.at) - new Date(before.at) > sameBreath;
        rows.push(messageRow(said, head));
        before = said;
    }
    return rows;
}

function messageRow({ id, at, who, seed, mine, sign = '', body, after = null }, head) {
    const face = mine || who === null ? null : head ? avatar(who, String(seed)) : h('span', { class: 'avatar none' });
    return { key: `said ${id}`, sign: JSON.stringify([head, who, mine, sign]), make: () =>
        h('li', { class: `msg${mine ? ' mine' : ''}${head ? ' head' : ''}`, 'data-id': id }, face,
            h('div', { class: 'bubble' },
                who === null ? null : h('span', { class: head && !mine ? 'who' : 'unseen' }, mine ? 'You' : who), body(),
                h('span', { class: 'meta' }, after, h('time', { datetime: new Date(at).toISOString() }, timeOf(at))))) };
}
