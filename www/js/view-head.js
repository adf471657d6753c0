/* view-head - above the messages: title, people, menu; and the gate of a chat not yet joined
 *
 * SPDX-License-Identifier: MIT
 */
import { avatar, h, icon, keep } from './dom.js';

const namesMax = 6;

export class HeadView {
    #store;
    #chat;
    #at;                        /* elements by name */
    #sure = false;              /* "leave" has been clicked once */

    constructor(store, chat, at) {
        this.#store = store;
        this.#chat = chat;
        this.#at = at;
        at.back.append(icon('back'));
        at.menu.querySelector('summary').append(icon('more'));
        at.menu.addEventListener('toggle', () => {
            this.#sure = false;
            this.render();
        });
        at.menu.addEventListener('keydown', (event) => {
            if (event.key === 'Escape' && at.menu.open) {
                event.stopPropagation();
                this.#close(true);
            }
        });
        document.addEventListener('click', (event) => {
            if (at.menu.open && !at.menu.contains(event.target))
                this.#close(false);
        });
    }

    render() {
        const store = this.#store;
        const dialog = store.dialog;
        const member = store.dialogs.has(store.open);
        this.#at.nothing.hidden = Boolean(dialog) || Boolean(store.open && !store.loaded);
        this.#at.head.hidden = !dialog;
        this.#at.menu.hidden = !member;
        this.#at.gate.hidden = !dialog || member;
        if (!dialog)
            return;
        this.#at.title.textContent = store.titleOf(dialog);
        this.#people(dialog);
        if (member)
            this.#items(dialog);
        else
            this.#gate(dialog);
    }

    #people(dialog) {
        const others = this.#store.othersIn(dialog);
        const people = others.slice(0, namesMax);
        const rows = people.map((p) => {
            const online = this.#store.online.get(p.user_id) === true;
            const name = p.display_name || p.user_id;
            return { key: p.user_id, sign: `${name} ${online}`, make: () => h('span', { class: 'person' },
                h('span', { class: `dot ${online ? 'on' : ''}` }, h('span', { class: 'unseen' }, online ? 'online' : 'offline')),
                name) };
        });
        if (others.length > namesMax)
            rows.push({ key: '+', sign: String(others.length), make: () => h('span', {}, `and ${others.length - namesMax} more`) });
        keep(this.#at.sub, rows);
    }

    #items(dialog) {
        const what = [
            dialog.is_pinned ? ['unpin', 'Unpin'] : ['pin', 'Pin to the top'],
            dialog.is_archived ? ['unarchive', 'Back from the archive'] : ['archive', 'Archive'],
            ['leave', this.#sure ? 'Really leave?' : 'Leave the chat'],
        ];
        keep(this.#at.menu.querySelector('.menu-items'), what.map(([verb, label]) => ({
            key: `${dialog.id} ${verb}`, sign: label, make: () => h('button', {
                class: verb === 'leave' ? 'danger' : null, type: 'button', 'data-act': verb,
                onclick: (event) => this.#do(event, dialog.id, verb),
            }, label),
        })));
    }

    #do(event, id, verb) {
        event.stopPropagation();
        if (verb === 'leave' && !this.#sure) {
            this.#sure = true;
            this.render();
            return;
        }
        this.#close(true);
        this.#chat.turn(id, verb);
    }

    #close(focus) {
        this.#at.menu.open = false;
        if (focus)
            this.#at.menu.querySelector('summary').focus();
    }

    #gate(dialog) {
        const people = dialog.participants ?? [];
        const n = dialog.participants_count ?? people.length;
        const title = this.#store.titleOf(dialog);
        keep(this.#at.gate, [{ key: dialog.id, sign: `${title} ${n}`, make: () => h('div', { class: 'gate-card' },
            avatar(title, title, 'big group'),
            h('h3', {}, title),
            h('p', {}, n ? `${n} ${n === 1 ? 'person is' : 'people are'} inside` : 'Nobody is inside yet',
                people.length ? `: ${people.slice(0, namesMax).map((p) => p.display_name || p.user_id).join(', ')}` : '', '.'),
            h('button', { class: 'primary', type: 'button', 'data-act': 'join',
                          onclick: () => this.#chat.join(dialog.id) }, 'Join')) }]);
    }
}
