/* view-list - the chats: pinned, ours, to join, archived
 *
 * One stop for the Tab key; arrows, Home and End move inside it.
 *
 * SPDX-License-Identifier: MIT
 */
import { avatar, h, keep } from './dom.js';
import { lineOf, whenOf } from './format.js';

const sections = [
    { key: 'pinned', title: 'Pinned' },
    { key: 'ours', title: 'Chats' },
    { key: 'join', title: 'Open to join' },
    { key: 'archived', title: 'Archived', folded: true },
];

export class ListView {
    #store;
    #root;
    #search;
    #onOpen;
    #parts = new Map();         /* section key -> {box, list} */
    #current = null;            /* dialog id that the Tab key reaches */
    #empty;

    constructor(store, { root, search, onOpen }) {
        this.#store = store;
        this.#root = root;
        this.#search = search;
        this.#onOpen = onOpen;
        for (const section of sections)
            this.#addSection(section);
        this.#empty = root.appendChild(h('p', { class: 'list-empty', hidden: true }));
        root.addEventListener('keydown', (event) => this.#move(event));
        root.addEventListener('focusin', (event) => {
            const item = event.target.closest('.item');
            if (item)
                this.#reach(item.dataset.id);
        });
        search.addEventListener('input', () => this.render());
        search.addEventListener('keydown', (event) => {
            if (event.key === 'ArrowDown') {
                event.preventDefault();
                this.#visible()[0]?.focus();
            }
        });
    }

    #addSection({ key, title, folded }) {
        const list = h('ul');
        const head = folded ? h('summary', { class: 'list-title' }, title) : h('h2', { class: 'list-title' }, title);
        const box = h(folded ? 'details' : 'section', { class: `list-part part-${key}`, hidden: true }, head, list);
        this.#parts.set(key, { box, list });
        this.#root.append(box);
    }

    render() {
        const wanted = this.#search.value.trim().toLowerCase();
        const fits = (d) => !wanted || this.#store.titleOf(d).toLowerCase().includes(wanted) ||
            (d.last_message && lineOf(d.last_message).toLowerCase().includes(wanted));
        const mine = [...this.#store.dialogs.values()].filter(fits).sort(latestFirst);
        const groups = {
            pinned: mine.filter((d) => d.is_pinned && !d.is_archived),
            ours: mine.filter((d) => !d.is_pinned && !d.is_archived),
            join: [...this.#store.available.values()].filter(fits).sort(latestFirst),
            archived: mine.filter((d) => d.is_archived),
        };
        for (const [key, dialogs] of Object.entries(groups)) {
            const { box, list } = this.#parts.get(key);
            box.hidden = !dialogs.length;
            keep(list, dialogs.map((d) => this.#row(d)));
        }
        const none = !Object.values(groups).some((group) => group.length);
        this.#empty.hidden = !none || !this.#store.loaded;
        this.#empty.textContent = wanted ? 'Nothing found.' : 'No chats yet.';
        this.#reach(this.#current ?? this.#store.open);
    }

    #row(dialog) {
        const store = this.#store;
        const title = store.titleOf(dialog);
        const partner = store.partnerIn(dialog);
        const online = partner !== null && store.online.get(partner.user_id) === true;
        const open = store.open === dialog.id;
        const last = this.#lastLine(dialog);
        const when = dialog.last_message_at ? whenOf(dialog.last_message_at) : '';
        const unread = open && document.hasFocus() ? 0 : dialog.unread_count ?? 0;
        return {
            key: dialog.id,
            sign: JSON.stringify([title, online, open, last, when, unread, partner?.user_id]),
            make: () => h('li', {}, h('button', {
                class: 'item', type: 'button', 'data-id': dialog.id, 'data-act': 'open', tabindex: '-1',
                'aria-current': open ? 'true' : null, onclick: () => this.#onOpen(dialog.id),
            },
            h('span', { class: 'face' }, avatar(title, partner?.user_id ?? title, partner ? '' : 'group'),
                online && h('span', { class: 'dot on' }, h('span', { class: 'unseen' }, 'online'))),
            h('span', { class: 'item-main' }, h('span', { class: 'item-title' }, title),
                h('span', { class: 'item-last' }, last)),
            h('span', { class: 'item-side' }, h('span', { class: 'item-when' }, when),
                unread > 0 && h('span', { class: 'badge' }, String(unread > 99 ? '99+' : unread),
                    h('span', { class: 'unseen' }, ' unread'))))),
        };
    }

    #lastLine(dialog) {
        const last = dialog.last_message;
        if (!last) {
            const n = dialog.participants_count ?? 0;
            if (dialog.i_am_participant !== false)
                return 'Nothing said yet';
            return n ? `${n} ${n === 1 ? 'person' : 'people'} inside` : 'Nobody inside yet';
        }
        const line = lineOf(last);
        if (last.message_type === 'system')
            return line;
        if (last.sender_id === this.#store.me.id)
            return `You: ${line}`;
        return this.#store.partnerIn(dialog) ? line : `${this.#store.nameOf(dialog.id, last.sender_id)}: ${line}`;
    }

    #visible() {
        return [...this.#root.querySelectorAll('.item')].filter((item) => item.checkVisibility());
    }

    #move(event) {
        const item = event.target.closest('.item');
        if (!item || event.ctrlKey || event.metaKey || event.altKey)
            return;
        const items = this.#visible();
        const at = items.indexOf(item);
        const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
        if (to === undefined)
            return;
        event.preventDefault();
        if (to < 0)
            this.#search.focus();
        else
            items[to]?.focus();
    }

    #reach(id) {
        const items = [...this.#root.querySelectorAll('.item')];
        const chosen = items.find((item) => item.dataset.id === id) ?? items[0];
        this.#current = chosen?.dataset.id ?? null;
        for (const item of items)
            item.tabIndex = item === chosen ? 0 : -1;
    }
}

function latestFirst(a, b) {
    const at = (d) => new Date(d.last_message_at ?? d.created_at).getTime();
    return at(b) - at(a) || (a.id < b.id ? 1 : -1);
}
