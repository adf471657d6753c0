/* view-composer - where one writes: new messages, replies and changes
 *
 * Enter sends, Shift+Enter breaks the line, Escape gives a reply or change up, the up arrow in an
 * empty field changes one's last message. What was begun in one chat waits there.
 *
 * SPDX-License-Identifier: MIT
 */
import { h, icon } from './dom.js';
import { lineOf } from './format.js';
import { fromText, toText } from './html.js';

export class Composer {
    #store;
    #chat;
    #form;
    #text;
    #about;
    #send;
    #dialog = null;
    #drafts = new Map();        /* dialog id -> {text, mode} */
    #mode = null;               /* {kind: 'reply' | 'edit', message} */
    onSent = () => {};

    constructor(store, chat, { form, text, about }) {
        this.#store = store;
        this.#chat = chat;
        this.#form = form;
        this.#text = text;
        this.#about = about;
        this.#send = form.querySelector('.send');
        this.#send.append(icon('send'));
        form.addEventListener('submit', (event) => {
            event.preventDefault();
            this.#submit();
        });
        text.addEventListener('input', () => this.#fit());
        text.addEventListener('keydown', (event) => this.#key(event));
    }

    render() {
        const store = this.#store;
        const open = store.dialogs.has(store.open) ? store.open : null;
        this.#form.hidden = !open;
        if (open !== this.#dialog)
            this.#change(open);
        else if (this.#mode && this.#gone(this.#mode.message))
            this.#setMode(null);
        const title = store.dialog ? store.titleOf(store.dialog) : '';
        this.#text.placeholder = `Message ${title}`;
    }

    focus() {
        this.#text.focus();
    }

    reply(message) {
        if (this.#mode?.kind === 'edit')
            this.#text.value = '';
        this.#setMode({ kind: 'reply', message });
        this.focus();
    }

    edit(message) {
        this.#text.value = toText(message.content);
        this.#setMode({ kind: 'edit', message });
        this.focus();
    }

    #change(dialog) {
        if (this.#dialog)
            this.#drafts.set(this.#dialog, { text: this.#text.value, mode: this.#mode });
        const draft = this.#drafts.get(dialog) ?? { text: '', mode: null };
        this.#dialog = dialog;
        this.#text.value = draft.text;
        this.#setMode(draft.mode);
    }

    #key(event) {
        if (event.isComposing)
            return;
        if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault();
            this.#submit();
        } else if (event.key === 'Escape' && this.#mode) {
            event.preventDefault();
            this.#giveUp();
        } else if (event.key === 'ArrowUp' && !this.#text.value && !this.#mode) {
            const mine = this.#store.talks.get(this.#dialog)?.messages.findLast((m) => m.sender_id === this.#store.me.id);
            if (mine) {
                event.preventDefault();
                this.edit(mine);
            }
        }
    }

    async #submit() {
        const text = this.#text.value;
        const mode = this.#mode;
        if (!text.trim())
            return;
        this.#text.value = '';
        this.#setMode(null);
        if (mode?.kind === 'edit') {
            const dialog = this.#dialog;
            const done = await this.#chat.edit(mode.message, fromText(text));
            if (!done && this.#dialog === dialog && !this.#text.value) {
                this.#text.value = text;
                this.#setMode(mode);
            }
            return;
        }
        this.#chat.send(fromText(text), mode?.message.id ?? null);
        this.onSent();
    }

    #giveUp() {
        if (this.#mode.kind === 'edit')
            this.#text.value = '';
        this.#setMode(null);
        this.focus();
    }

    #gone(message) {
        const talk = this.#store.talks.get(this.#dialog);
        return talk?.quotes.get(message.id) === null;
    }

    #setMode(mode) {
        this.#mode = mode;
        this.#about.hidden = !mode;
        this.#about.replaceChildren();
        if (mode) {
            const { kind, message } = mode;
            const name = this.#store.nameOf(message.dialog_id, message.sender_id);
            this.#about.append(icon(kind),
                h('span', { class: 'about-text' },
                    h('strong', {}, kind === 'reply' ? `Reply to ${name}` : 'Change your message'), ` ${lineOf(message)}`),
                h('button', { class: 'icon-button', type: 'button', 'aria-label': 'Cancel',
                              onclick: () => this.#giveUp() }, icon('close')));
        }
        this.#fit();
    }

    /* As high as what is in it, up to the limit in the style sheet. */
    #fit() {
        this.#send.disabled = !this.#text.value.trim();
        this.#text.style.height = 'auto';
        this.#text.style.height = `${this.#text.scrollHeight}px`;
    }
}
