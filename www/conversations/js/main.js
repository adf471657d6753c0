/* main - puts the page of conversations together
 *
 * The address says who one is, ?user=, and which conversation is open: #/<id>, #/0 for everybody's.
 *
 * SPDX-License-Identifier: MIT
 */
import { demoPeople, forgetBearer, hideTokens, keepBearer, ofToken, takeBearer } from '../../js/bearer.js';
import { closeDialog, field, form, openDialog } from '../../js/dialog.js';
import { avatar, h, icon, keep } from '../../js/dom.js';
import { Entry } from '../../js/entry.js';
import { SaidView, messageRows, noteRow } from '../../js/view-said.js';
import { Chat } from './chat.js';
import { Client, everybody } from './client.js';

const at = (id) => document.getElementById(id);
const base = new URL('../v1/', location.origin + location.pathname).href;
const bearerOf = ['user', 'token'];
const noticeFor = 6000;
const newsKept = 10;
const happenedKept = 20;

let chat;
let rendering = 0;
let happened = [];              /* in the open conversation, while it is open: {text, after, key} */
const said = new SaidView({ scroll: at('scroll'), log: at('log'), older: () => chat.older() });
const entry = new Entry(at('composer'), (text) => {
    said.toEnd();
    return chat.say(text);
});

/* ---- what is on screen ---- */

/* Once for all that changes in one turn. */
function render() {
    rendering ||= requestAnimationFrame(() => {
        rendering = 0;
        renderNow();
    });
}

function renderNow() {
    const { open } = chat;
    keep(at('list-everybody'), [everybodyRow()]);
    keep(at('list-joined'), [...chat.joined.values()].map(joinedRow));
    keep(at('list-others'), [...chat.others.values()].map(otherRow));
    at('list-empty').hidden = !chat.loaded || chat.joined.size > 0;
    at('others-title').hidden = chat.others.size === 0;
    at('status').dataset.state = chat.up ? 'live' : 'connecting';
    setText(at('status'), chat.up ? 'Live' : 'Connecting…');
    at('nothing').hidden = open !== null;
    at('talk-head').hidden = open === null;
    showMe();
    if (open)
        renderHead(open);
    at('watching').hidden = open?.as !== 'viewer';
    const mayWrite = open !== null && open.as !== 'viewer';
    if (at('composer').hidden === mayWrite)
        entry.show(mayWrite);
    said.render(open ? open.id : null, open ? saidRows(open) : []);
    const title = open ? `${titleOf(open.id)} · Confab` : 'Confab conversations';
    document.title = chat.unread ? `(${chat.unread}) ${title}` : title;
}

function setText(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}

const titleOf = (id) => id === everybody ? 'Everybody, unnamed' : chat.find(id)?.name ?? '';
const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

function about({ members, viewers }) {
    return count(members, 'member', 'members') + (viewers ? `, ${viewers} watching` : '');
}

function renderHead({ id, as, members }) {
    const one = chat.find(id);
    setText(at('talk-title'), titleOf(id));
    setText(at('talk-sub'), id === everybody ? 'Nobody is told who writes here'
        : !one ? '' : members.length ? `${about(one)}: ${members.map(({ name }) => name).join(', ')}` : about(one));
    at('join').hidden = as !== 'viewer' || !one;
    const mine = one?.creator_id === chat.me.id;
    at('menu').hidden = !one || (as === 'viewer' && !mine);
    keep(at('menu').querySelector('.menu-items'), [
        as === 'member' && menuRow('members', 'Who is in it', () => showMembers()),
        as === 'member' && menuRow('leave', 'Leave', async () => { if (await chat.leave()) location.hash = ''; }),
        mine && menuRow('delete', 'Delete for everybody', () => chat.delete(), 'danger'),
    ].filter(Boolean));
}

function menuRow(act, text, does, kind = '') {
    return { key: act, sign: text, make: () => h('button', { type: 'button', class: kind, 'data-act': act, onclick: () => {
        at('menu').open = false;
        does();
    } }, text) };
}

function row(id, face, below, side, sign) {
    const current = chat.open?.id === id;
    return { key: `c${id}`, sign: JSON.stringify([titleOf(id), below, sign, current]), make: () => h('li', {},
        h('button', { class: 'item', type: 'button', 'data-act': 'open', 'aria-current': current ? 'true' : null,
                      onclick: () => { location.hash = `#/${id}`; } }, face,
            h('span', { class: 'item-main' }, h('span', { class: 'item-title' }, titleOf(id)), h('span', { class: 'item-last' }, below)),
            h('span', { class: 'item-side' }, side))) };
}

const everybodyRow = () => row(everybody, h('span', { class: 'avatar mask', 'aria-hidden': 'true' }, '?'), 'One chat for all, without names', null, '');

function joinedRow(one) {
    const { id, name, unreadCount: unread } = one;
    const badge = unread ? [h('span', { class: 'badge' }, unread), h('span', { class: 'unseen' }, ' unread')] : null;
    return row(id, avatar(name, String(id), 'group'), one.message.replace(/\s+/g, ' ').slice(0, 200), badge, unread);
}

const otherRow = (one) => row(one.id, avatar(one.name, String(one.id), 'group'), about(one), null, '');

function saidRows({ id, as, messages, loaded, more, pending }) {
    const rows = messageRows(messages, (message) => ({
        id: message.id, at: message.time * 1000, who: id === everybody ? null : message.name, seed: message.user_id ?? '',
        mine: id !== everybody && message.user_id === chat.me.id, body: () => h('div', { class: 'text' }, message.message),
    }));
    if (!loaded || more)
        rows.unshift(noteRow('top', 'system', 'Loading…'));
    const end = rows.length;
    for (const { text, after, key } of [...happened].reverse())
        rows.splice(rows.findIndex((one) => one.key === `said ${after}`) + 1 || end, 0, noteRow(key, 'system', text));
    for (const { text, key } of pending)
        rows.push({ key: `pending ${key}`, sign: text, make: () => h('li', { class: 'msg mine pending' },
            h('div', { class: 'bubble' }, h('div', { class: 'text' }, text), h('span', { class: 'meta' }, 'sending…'))) });
    if (loaded && !messages.length && !pending.length)
        rows.push(noteRow('empty', 'system', as === 'viewer' ? 'Nothing said yet.' : 'Nothing said yet. Begin!'));
    return rows;
}

function showMe() {
    const name = chat.me.name ?? `id${chat.me.id}`;
    keep(at('me'), [{ key: 'me', sign: name, make: () => h('span', { class: 'person' },
        avatar(name, String(chat.me.id), 'small'), h('span', { class: 'item-title' }, name)) }]);
    at('me').setAttribute('aria-label', `${name}: another name, or somebody else`);
}

/* ---- told in passing ---- */

let noticeTimer = 0;

function notice(text) {
    at('notice').textContent = text;
    at('notice').hidden = false;
    clearTimeout(noticeTimer);
    noticeTimer = setTimeout(() => { at('notice').hidden = true; }, noticeFor);
}

/* For those who listen instead of looking. where: of another conversation; null: everybody's */
function announce({ name, message }, where) {
    at('news').append(h('p', {}, where === null ? `To everybody: ${message}` : where ? `${name} in ${where}: ${message}` : `${name}: ${message}`));
    while (at('news').childElementCount > newsKept)
        at('news').firstElementChild.remove();
}

function gone() {
    notice('This conversation is gone.');
    location.hash = '';
    if (chat.open)
        chat.show(null);
}

/* ---- what one can do ---- */

function askNew() {
    openDialog('New conversation', form('Begin it', async ({ name }) => {
        location.hash = `#/${await chat.create(name)}`;
    }, field('Name', h('input', { name: 'name', minlength: 3, maxlength: 50, required: true, autocomplete: 'off' }))));
}

function askMe() {
    openDialog('You', form('Be called so', ({ name }) => chat.rename(name),
        field('Name', h('input', { name: 'name', maxlength: 100, required: true, autocomplete: 'off', value: chat.me.name ?? '' }))),
    h('div', { class: 'buttons fields' }, h('button', { class: 'plain', type: 'button', onclick: leave }, 'Be somebody else in this tab')));
}

/* A new person gets a new page, so nothing of the last one is left anywhere. */
function leave() {
    forgetBearer(...bearerOf);
    closeDialog();
    location.hash = '';
    location.reload();
}

function showMembers() {
    openDialog('Who is in it', h('ul', { class: 'members' }, chat.open.members.map(({ user_id: id, name }) => h('li', { class: 'item' },
        avatar(name, String(id), 'small'), h('span', { class: 'item-main' }, name)))));
}

/* ---- beginning ---- */

function route() {
    const found = /^#\/(\d{1,8})$/.exec(location.hash)?.[1];
    const id = found === undefined ? null : Number(found);
    at('app').dataset.pane = id === null ? 'list' : 'talk';
    at('menu').open = false;
    if ((chat.open?.id ?? null) !== id) {
        happened = [];
        entry.clear();
        chat.show(id);
    }
    renderNow();
    if (id !== null && matchMedia('(pointer: fine)').matches)
        entry.focus();
}

let serial = 0;

function start({ id, name, token }) {
    chat = new Chat(new Client(base, token), { id, name }, {
        change: render, news: announce, gone,
        failed: (error) => notice(error.message),
        refused: () => { forgetBearer(...bearerOf); showDoor('The token was refused.'); },
        happened: (text) => { happened = [...happened, { text, after: chat.open.messages.at(-1)?.id, key: `happened ${++serial}` }].slice(-happenedKept); },
    });
    at('back').append(icon('back'));
    at('menu').querySelector('summary').append(icon('more'));
    at('back').onclick = () => { location.hash = ''; };
    at('new').onclick = askNew;
    at('me').onclick = askMe;
    at('join').onclick = () => chat.join();
    window.addEventListener('hashchange', route);
    window.addEventListener('online', () => chat.wake());
    document.addEventListener('visibilitychange', () => {
        if (document.visibilityState === 'visible') {
            chat.wake();
            chat.look();
        }
    });
    at('door').hidden = true;
    at('app').hidden = false;
    route();
}

async function showDoor(why) {
    const people = await demoPeople();
    const enter = (who, isDemo) => {
        keepBearer(...bearerOf, who, isDemo);
        location.reload();
    };
    const tell = (text) => {
        at('door-why').textContent = text;
        at('door-why').hidden = !text;
    };
    at('app').hidden = true;
    at('door').hidden = false;
    at('door-people').hidden = !people.length;
    at('door-users').replaceChildren(...people.map((one) => h('button', { class: 'door-user', type: 'button', onclick: () => enter(one, true) },
        avatar(one.name, String(one.id), 'big'), one.name)));
    tell(why);
    at('door-token').onsubmit = (event) => {
        event.preventDefault();
        const who = ofToken(at('door-token-text').value.trim());
        at('door-token-text').value = '';
        who ? enter(who, false) : tell('That is no token of a user.');
    };
}

const who = await takeBearer(...bearerOf, demoPeople);
hideTokens();
if (who)
    start(who);
else
    showDoor('');
