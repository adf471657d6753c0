/* html - message content to DOM nodes and back to text
 *
 * The server has sanitised what it sends; this does it again with the same list, because the page
 * should not have to trust it. Nodes are made one by one: nothing is ever assigned as markup.
 *
 * SPDX-License-Identifier: MIT
 */

const kept = new Set(['P', 'BR', 'STRONG', 'B', 'EM', 'I', 'U', 'S', 'STRIKE', 'A', 'UL', 'OL', 'LI',
    'BLOCKQUOTE', 'CODE', 'PRE', 'SPAN']);
const dropped = new Set(['SCRIPT', 'STYLE', 'IFRAME', 'OBJECT', 'EMBED', 'TEMPLATE', 'NOSCRIPT', 'TITLE',
    'TEXTAREA', 'SVG', 'MATH', 'SELECT', 'XMP']);
const blocks = new Set(['P', 'LI', 'BLOCKQUOTE', 'PRE']);
const depthMax = 64;
const address = /\bhttps?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]]/g;

/* A fragment that shows html. */
export function toNodes(html) {
    const out = document.createDocumentFragment();
    copy(parse(html), out, 0, false);
    return out;
}

/* html as the text somebody would have typed. */
export function toText(html) {
    const out = [];
    read(parse(html), out, 0);
    return out.join('').replace(/\n{3,}/g, '\n\n').trim();
}

/* What was typed, as html: blank lines part paragraphs, other line ends break lines. */
export function fromText(text) {
    return text.trim().split(/\n{2,}/)
        .map((part) => `<p>${escape(part).replace(/\n/g, '<br>')}</p>`)
        .join('');
}

function parse(html) {
    return new DOMParser().parseFromString(html, 'text/html').body;
}

function escape(text) {
    return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function copy(from, to, depth, inLink) {
    for (const node of from.childNodes) {
        if (node.nodeType === Node.TEXT_NODE) {
            appendText(to, node.data, inLink);
        } else if (node.nodeType === Node.ELEMENT_NODE && depth < depthMax) {
            const tag = node.tagName.toUpperCase();
            if (dropped.has(tag))
                continue;
            const into = kept.has(tag) ? to.appendChild(element(tag, node)) : to;
            copy(node, into, depth + 1, inLink || tag === 'A');
        }
    }
}

function element(tag, node) {
    const made = document.createElement(tag);
    if (tag === 'A' && node.hasAttribute('href')) {
        link(made, node.getAttribute('href'));
    } else if (tag === 'SPAN' && (node.dataset.mention !== undefined || node.dataset.type === 'mention')) {
        made.className = 'mention';
    }
    return made;
}

function link(a, href) {
    const url = URL.canParse(href, location.href) ? new URL(href, location.href) : null;
    if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:'))
        return;
    a.href = url.href;
    a.target = '_blank';
    a.rel = 'noopener noreferrer';
}

/* Addresses in plain text become links. */
function appendText(to, text, inLink) {
    let done = 0;
    for (const found of inLink ? [] : text.matchAll(address)) {
        const a = document.createElement('a');
        link(a, found[0]);
        a.textContent = found[0];
        to.append(text.slice(done, found.index), a);
        done = found.index + found[0].length;
    }
    to.append(text.slice(done));
}

function read(from, out, depth) {
    for (const node of from.childNodes) {
        if (node.nodeType === Node.TEXT_NODE) {
            out.push(node.data);
        } else if (node.nodeType === Node.ELEMENT_NODE && depth < depthMax) {
            const tag = node.tagName.toUpperCase();
            if (dropped.has(tag))
                continue;
            if (tag === 'LI')
                out.push('- ');
            read(node, out, depth + 1);
            if (tag === 'BR' || tag === 'LI')
                out.push('\n');
            else if (blocks.has(tag))
                out.push('\n\n');
        }
    }
}
