/* main - puts the page together
 *
 * The address says what is on screen: ?user= who, #/<dialog> which chat.
 *
 * SPDX-License-Identifier: MIT
 */
import { Api } from './api.js';
import { Chat } from './chat.js';
import { avatar } from './dom.js';
import { lineOf } from './format.js';
import { Live } from './live.js';
import { asBearer, asUser, forgetSession, takeSession } from './session.js';
import { scope } from './settings.js';
import { Store } from './store.js';
import { Composer } from './view-composer.js';
import { hideDoor, showDoor } from './view-door.js';
import { HeadView } from './view-head.js';
import { ListView } from './view-list.js';
import { LogView } from './view-log.js';

const at = (id) => document.getElementById(id);
const noticeFor = 6000;
const newsKept = 10;
const statusText = { connecting: 'Connecting…', live: 'Live', polling: 'Polling', offline: 'Offline, retrying' };

function start(session) {
    const store = new Store({ id: session.id, name: session.name });
    const api = new Api({ base: new URL('api/v1/', location.origin + location.pathname).href,
                          user: session.id, token: session.token, scope });
    const chat = new Chat(api, store);
    const live = new Live({
        socketUrl: (since) => api.socketUrl(since),
        sync: (since, etag) => api.sync(since, etag),
        onFrames: (frames) => chat.frames(frames),
        onReload: () => chat.reload(),
        onHello: (frame) => {
            store.me.id = frame.employee_id ?? store.me.id;
            if (frame.resumed)
                chat.refreshPeople();
        },
        onState: (state) => {
            store.status = state;
            store.changed();
        },
        onRefused: (error) => {
            forgetSession();
            door(session.token ? `The token was refused: ${error.message}` : 'This server wants a token.', true);
        },
    });
    chat.live = live;
    chat.onNotice = notice;
    chat.onNews = (frame) => announce(store, frame);
    showMe(session);
    const views = makeViews(store, chat);
    store.onChange(() => {
        for (const view of views.all)
            view.render();
        showStatus(store);
    });
    route(store, chat, views);
    watchPage(live, views);
    hideDoor();
    store.changed();
    live.start();
}

function makeViews(store, chat) {
    const composer = new Composer(store, chat, { form: at('composer'), text: at('text'), about: at('about') });
    const list = new ListView(store, { root: at('list'), search: at('search'),
                                       onOpen: (id) => { location.hash = `#/${id}`; } });
    const head = new HeadView(store, chat, { back: at('back'), head: at('talk-head'), title: at('talk-title'),
                                             sub: at('talk-sub'), menu: at('menu'), gate: at('gate'),
                                             nothing: at('nothing') });
    const log = new LogView(store, chat, {
        scroll: at('scroll'), log: at('log'), latest: at('latest'),
        on: { reply: (m) => composer.reply(m), edit: (m) => composer.edit(m), leave: () => composer.focus() },
    });
    composer.onSent = () => log.toEnd();
    return { composer, log, all: [list, head, log, composer] };
}

function route(store, chat, views) {
    const go = async () => {
        const id = /^#\/([0-9a-f-]{36})$/.exec(location.hash)?.[1] ?? null;
        at('app').dataset.pane = id ? 'talk' : 'list';
        await chat.open(id);
        if (id && matchMedia('(pointer: fine)').matches)
            views.composer.focus();
    };
    window.addEventListener('hashchange', go);
    at('back').addEventListener('click', () => { location.hash = ''; });
    go();
}

/* What tells that somebody is there, or that the world may have changed behind our back. */
function watchPage(live, views) {
    for (const type of ['pointerdown', 'keydown'])
        document.addEventListener(type, () => live.nudge(), { passive: true });
    document.addEventListener('visibilitychange', () => {
        live.setVisible(document.visibilityState === 'visible');
        views.log.look();
    });
    live.setVisible(document.visibilityState === 'visible');
    window.addEventListener('focus', () => views.log.look());
    window.addEventListener('online', () => live.wake());
}

function showMe(session) {
    at('me').replaceChildren(avatar(session.name || '?', session.id, 'small'), session.name);
    at('me').setAttribute('aria-label', `${session.name}: be somebody else`);
    at('me').title = 'Be somebody else';
    at('me').onclick = () => {
        forgetSession();
        location.reload();
    };
}

function showStatus(store) {
    at('status').dataset.state = store.status;
    if (at('status').textContent !== statusText[store.status])
        at('status').textContent = statusText[store.status];
    const title = store.dialog ? `${store.titleOf(store.dialog)} · Confab` : 'Confab';
    document.title = store.unread ? `(${store.unread}) ${title}` : title;
}

/* For those who listen instead of looking. */
function announce(store, frame) {
    const name = store.nameOf(frame.dialog_id, frame.sender_id);
    const where = store.dialogs.get(frame.dialog_id);
    const said = document.createElement('p');
    said.textContent = frame.dialog_id === store.open || !where ? `${name}: ${lineOf(frame)}`
        : `${name} in ${store.titleOf(where)}: ${lineOf(frame)}`;
    at('news').append(said);
    while (at('news').childElementCount > newsKept)
        at('news').firstElementChild.remove();
}

let noticeTimer = 0;

function notice(text) {
    at('notice').textContent = text;
    at('notice').hidden = false;
    clearTimeout(noticeTimer);
    noticeTimer = setTimeout(() => { at('notice').hidden = true; }, noticeFor);
}

/* A new person gets a new page, so nothing of the last one is left anywhere. */
function door(why, wantsToken) {
    showDoor({
        why, wantsToken,
        onUser: (id) => { asUser(id); location.reload(); },
        onToken: (token) => { asBearer(token); location.reload(); },
    });
}

const session = takeSession();
if (session)
    start(session);
else
    door('', false);
