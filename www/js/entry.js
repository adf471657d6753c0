/* entry - a field that grows with what is typed: Enter sends, Shift+Enter breaks the line
 *
 * SPDX-License-Identifier: MIT
 */
import { icon } from './dom.js';

export class Entry {
    #form;
    #text;
    #send;
    #submit;

    /* form holds a textarea and a .send. submit(text) resolves to false when the text is to come back. */
    constructor(form, submit) {
        this.#form = form;
        this.#text = form.querySelector('textarea');
        this.#send = form.querySelector('.send');
        this.#submit = submit;
        this.#send.append(icon('send'));
        form.addEventListener('submit', (event) => {
            event.preventDefault();
            this.#go();
        });
        this.#text.addEventListener('input', () => this.fit());
        this.#text.addEventListener('keydown', (event) => {
            if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
                event.preventDefault();
                this.#go();
            }
        });
        this.fit();
    }

    /* May an empty text be sent (there is something beside it)? */
    mayBeEmpty = () => false;

    show(on) {
        this.#form.hidden = !on;
        if (on)
            this.fit();
    }

    focus() {
        this.#text.focus();
    }

    clear() {
        this.#text.value = '';
        this.fit();
    }

    /* As high as what is in it, up to the limit in the style sheet. */
    fit() {
        this.#send.disabled = !this.#text.value.trim() && !this.mayBeEmpty();
        this.#text.style.height = 'auto';
        this.#text.style.height = `${this.#text.scrollHeight}px`;
    }

    async #go() {
        const text = this.#text.value;
        if (!text.trim() && !this.mayBeEmpty())
            return;
        this.clear();
        if (await this.#submit(text) === false && !this.#text.value) {
            this.#text.value = text;
            this.fit();
        }
    }
}
