/* dom - making elements, and keeping a list of them in step with data
 *
 * SPDX-License-Identifier: MIT
 */

/* h('button', {class: 'x', onclick: f, 'aria-label': '...'}, child, ...): null children are left out. */
export function h(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value === null || value === undefined || value === false)
            continue;
        if (name.startsWith('on'))
            element.addEventListener(name.slice(2), value);
        else
            element.setAttribute(name, value === true ? '' : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return element;
}

const signs = new WeakMap();

/* Makes parent's children those of rows, in order: {key, sign, make}. An element is made again only
 * when its sign has changed; focus inside it moves to its successor. */
export function keep(parent, rows) {
    const have = new Map([...parent.children].map((child) => [child.dataset.key, child]));
    let next = parent.firstElementChild;
    for (const row of rows) {
        let element = have.get(row.key);
        have.delete(row.key);
        if (!element || signs.get(element) !== row.sign) {
            const made = row.make();
            made.dataset.key = row.key;
            signs.set(made, row.sign);
            if (element) {
                if (next === element)
                    next = made;
                replace(element, made);
            }
            element = made;
        }
        if (element === next)
            next = next.nextElementSibling;
        else
            parent.insertBefore(element, next);
    }
    for (const stale of have.values())
        stale.remove();
}

function replace(old, made) {
    const active = document.activeElement;
    const act = old.contains(active) ? active.dataset.act ?? '' : null;
    old.replaceWith(made);
    if (act !== null)
        (made.querySelector(`[data-act="${act}"]`) ?? made).focus({ preventScroll: true });
}

const shapes = {
    send: 'M4 12 20 4l-5 16-4-6.5z M11 13.5 20 4',
    back: 'M15 5l-7 7 7 7',
    more: 'M5 12h.01 M12 12h.01 M19 12h.01',
    reply: 'M9 7 4 12l5 5 M4 12h9a7 7 0 0 1 7 7',
    edit: 'M4 20l1-4L16 5l3 3L8 19z M14 7l3 3',
    remove: 'M5 7h14 M10 7V4h4v3 M7 7l1 13h8l1-13',
    close: 'M6 6l12 12 M18 6 6 18',
    down: 'M6 9l6 6 6-6',
    photo: 'M4 6h16v13H4z M4 16l5-5 4 4 3-3 4 4 M9 9.5h.01',
    pin: 'M9 4h6l-1 6 3 3H7l3-3z M12 13v7',
};

/* A small line drawing; says nothing to screen readers. */
export function icon(name) {
    const ns = 'http://www.w3.org/2000/svg';
    const svg = document.createElementNS(ns, 'svg');
    const path = document.createElementNS(ns, 'path');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    svg.setAttribute('class', `icon icon-${name}`);
    path.setAttribute('d', shapes[name]);
    svg.append(path);
    return svg;
}

/* A round with initials; the same name always has the same colour. */
export function avatar(name, seed, more = '') {
    let hash = 2166136261;
    for (const c of seed)
        hash = Math.imul(hash ^ c.codePointAt(0), 16777619);
    hash = Math.imul(hash ^ hash >>> 15, 0x165667b1) >>> 16;
    const words = name.trim().split(/\s+/);
    const letters = words.slice(0, 2).map((word) => [...word][0] ?? '').join('').toUpperCase();
    return h('span', { class: `avatar hue-${hash % 6} ${more}`, 'aria-hidden': 'true' }, letters || '?');
}
