/* session - who this tab is: a demo user (?user=) or the bearer of a token (#token=)
 *
 * Kept in sessionStorage, which every tab has its own of, so two tabs can be two people.
 * A token travels in the fragment, which never reaches a server or its logs, and is
 * taken out of the address bar at once.
 *
 * SPDX-License-Identifier: MIT
 */
import { demoUsers } from './settings.js';

const userKey = 'confab.user';
const tokenKey = 'confab.token';

export function takeSession() {
    const url = new URL(location.href);
    const inFragment = /^#token=(.+)$/.exec(url.hash);
    if (inFragment) {
        url.hash = '';
        url.searchParams.delete('user');
        history.replaceState(null, '', url);
        return asBearer(decode(inFragment[1]));
    }
    const named = url.searchParams.get('user');
    if (named)
        return asUser(named);
    const token = sessionStorage.getItem(tokenKey);
    if (token)
        return asBearer(token);
    const user = sessionStorage.getItem(userKey);
    return user ? asUser(user) : null;
}

/* In trusted mode the id is the whole proof. */
export function asUser(id) {
    sessionStorage.removeItem(tokenKey);
    sessionStorage.setItem(userKey, id);
    const url = new URL(location.href);
    url.searchParams.set('user', id);
    history.replaceState(null, '', url);
    const known = demoUsers.find((u) => u.id === id);
    return { id, name: known ? known.name : id, token: null };
}

/* The claims are read for display alone; whether they are true is the server's business. */
export function asBearer(token) {
    const claims = claimsOf(token);
    const id = String(claims.sub ?? '');
    sessionStorage.removeItem(userKey);
    sessionStorage.setItem(tokenKey, token);
    return { id, name: typeof claims.name === 'string' && claims.name ? claims.name : id, token };
}

export function forgetSession() {
    sessionStorage.removeItem(tokenKey);
    sessionStorage.removeItem(userKey);
    const url = new URL(location.href);
    url.searchParams.delete('user');
    url.hash = '';
    history.replaceState(null, '', url);
}

function claimsOf(token) {
    try {
        const part = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
        const bytes = Uint8Array.from(atob(part), (c) => c.charCodeAt(0));
        const claims = JSON.parse(new TextDecoder().decode(bytes));
        return claims && typeof claims === 'object' ? claims : {};
    } catch {
        return {};
    }
}

function decode(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}
