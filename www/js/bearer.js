/* bearer - who somebody is where a token is always wanted
 *
 * A token comes in the page's fragment, which never reaches a server or its logs, is taken out of the address bar at once
 * and kept in sessionStorage, which every tab has its own of, so two tabs can be two people. Where ./dev up runs a demo in
 * trusted mode, tokens of some people lie in demo-people.json beside the pages, for whoever asks: ?user=1 is one of them.
 *
 * SPDX-License-Identifier: MIT
 */

/* [{id, name, token}]; empty where this is no demo. */
export async function demoPeople() {
    try {
        const answer = await fetch(new URL('../demo-people.json', document.baseURI), { cache: 'no-store' });
        return answer.ok ? await answer.json() : [];
    } catch {
        return [];
    }
}

/* The claims are read for display alone; whether they are true is the server's business. null: this is no token. */
export function ofToken(token) {
    try {
        const part = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
        const bytes = Uint8Array.from(atob(part), (c) => c.charCodeAt(0));
        const { sub, user_id: userId, name } = JSON.parse(new TextDecoder().decode(bytes));
        const id = Number(sub ?? userId);
        return Number.isSafeInteger(id) && id > 0 ? { id, name: typeof name === 'string' && name ? name : null, token } : null;
    } catch {
        return null;
    }
}

/* parameter: of the query, for a demo's person; fragment: what names a token there. {id, name, token}, or null; people
 * is asked for only when it is needed. */
export async function takeBearer(parameter, fragment, people) {
    const key = `confab.${fragment}`;
    const url = new URL(location.href);
    const given = new URLSearchParams(url.hash.slice(1)).get(fragment);
    if (given) {
        sessionStorage.setItem(key, given);
        return ofToken(given);
    }
    const named = url.searchParams.get(parameter);
    if (named)
        return (await people()).find(({ id }) => String(id) === named) ?? null;
    return ofToken(sessionStorage.getItem(key) ?? '');
}

/* Once every token has been taken. */
export function hideTokens() {
    if (!location.hash.includes('='))
        return;
    const url = new URL(location.href);
    url.hash = '';
    history.replaceState(null, '', url);
}

/* A demo's person is remembered by the address, a token by the tab. */
export function keepBearer(parameter, fragment, { id, token }, isDemo) {
    const url = new URL(location.href);
    sessionStorage.removeItem(`confab.${fragment}`);
    url.searchParams.delete(parameter);
    if (isDemo)
        url.searchParams.set(parameter, id);
    else
        sessionStorage.setItem(`confab.${fragment}`, token);
    history.replaceState(null, '', url);
}

export function forgetBearer(parameter, fragment) {
    const url = new URL(location.href);
    sessionStorage.removeItem(`confab.${fragment}`);
    url.searchParams.delete(parameter);
    history.replaceState(null, '', url);
}
