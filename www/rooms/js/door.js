/* door - before the rooms: logging in, registering, being a guest
 *
 * SPDX-License-Identifier: MIT
 */

const at = (id) => document.getElementById(id);

/* why: a sentence, or ''. onAuth(auth) is told who came in. */
export function showDoor(api, { why, onAuth }) {
    const enter = async (ask) => {
        tell('');
        at('door-form').inert = at('door-guest').disabled = true;
        try {
            onAuth(await ask());
        } catch (error) {
            tell(error.status === 404 ? 'This server has no rooms: its setting systems does not name them.' : error.message);
        }
        at('door-form').inert = at('door-guest').disabled = false;
    };
    at('app').hidden = true;
    at('door').hidden = false;
    tell(why);
    at('door-form').onsubmit = (event) => {
        event.preventDefault();
        const [email, password] = [at('door-email').value, at('door-password').value];
        enter(() => event.submitter?.value === 'register' ? api.register(email, password) : api.login(email, password));
    };
    /* An account whose password nobody knows, not even the guest. */
    at('door-guest').onclick = () => enter(() => api.register(`guest-${random(6)}@example.com`, random(24), 'Guest'));
}

export function hideDoor() {
    at('door').hidden = true;
    at('app').hidden = false;
}

function tell(why) {
    at('door-why').textContent = why;
    at('door-why').hidden = !why;
}

function random(bytes) {
    return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
