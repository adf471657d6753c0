/* session - who is logged in, for all tabs of this browser
 *
 * SPDX-License-Identifier: MIT
 */

const key = 'confab.rooms';

/* {id, username, token}, or null. */
export function session() {
    try {
        return JSON.parse(localStorage.getItem(key));
    } catch {
        return null;
    }
}

export function remember({ id, username, token }) {
    localStorage.setItem(key, JSON.stringify({ id, username, token }));
}

export function forget() {
    localStorage.removeItem(key);
}

/* Another tab logged in or out. */
export function onElsewhere(f) {
    window.addEventListener('storage', (event) => {
        if (event.key === key || event.key === null)
            f();
    });
}
