/* view-door - before the chat: who are you?
 *
 * SPDX-License-Identifier: MIT
 */
import { avatar, h } from './dom.js';
import { demoUsers } from './settings.js';

/* why: a sentence, or '' . onUser(id), onToken(text). wantsToken hides the people. */
export function showDoor({ why, wantsToken, onUser, onToken }) {
    const at = (id) => document.getElementById(id);
    at('app').hidden = true;
    at('door').hidden = false;
    at('door-why').hidden = !why;
    at('door-why').textContent = why;
    at('door-people').hidden = wantsToken;
    at('door-users').replaceChildren(...demoUsers.map((user) =>
        h('button', { class: 'door-user', type: 'button', onclick: () => onUser(user.id) },
            avatar(user.name, user.id, 'big'), user.name)));
    at('door-name').onsubmit = (event) => {
        event.preventDefault();
        onUser(at('door-name-text').value.trim());
    };
    at('door-token').onsubmit = (event) => {
        event.preventDefault();
        onToken(at('door-token-text').value.trim());
        at('door-token-text').value = '';
    };
}

export function hideDoor() {
    document.getElementById('door').hidden = true;
    document.getElementById('app').hidden = false;
}
