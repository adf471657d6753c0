/* dialog - what is asked or told in a window of its own: the page's one <dialog>
 *
 * SPDX-License-Identifier: MIT
 */
import { h, icon } from './dom.js';

const at = (id) => document.getElementById(id);

at('dialog-close').append(icon('close'));
at('dialog-close').addEventListener('click', closeDialog);

export function openDialog(title, ...children) {
    at('dialog-title').textContent = title;
    at('dialog-body').replaceChildren(...children);
    /* One who is asked something begins with that, not with the cross. */
    if (children[0]?.matches('form'))
        children[0].querySelector('input, textarea')?.setAttribute('autofocus', '');
    if (!at('dialog').open)
        at('dialog').showModal();
}

export function closeDialog() {
    at('dialog').close();
}

export const field = (label, input) => h('label', {}, label, input);

/* A form whose submit(values) may throw what is then shown; it closes the window when it is through. */
export function form(button, submit, ...fields) {
    const why = h('p', { class: 'refused', role: 'alert', hidden: true });
    const made = h('form', { class: 'fields' }, fields, why, h('div', { class: 'buttons' }, h('button', { class: 'primary' }, button)));
    made.addEventListener('submit', async (event) => {
        event.preventDefault();
        const send = made.querySelector('.primary');
        send.disabled = true;
        try {
            await submit(Object.fromEntries(new FormData(made)));
            closeDialog();
        } catch (error) {
            why.textContent = error.message;
            why.hidden = false;
        }
        send.disabled = false;
    });
    return made;
}
