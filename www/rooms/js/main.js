/* main - puts the page of rooms together
 *
 * The address says which room is open: #/<room>.
 *
 * SPDX-License-Identifier: MIT
 */
import { closeDialog } from '../../js/dialog.js';
import { avatar, h, icon, keep } from '../../js/dom.js';
import { Api } from './api.js';
import { askAgent, askEvent, askRoom, showAgent } from './dialogs.js';
import { hideDoor, showDoor } from './door.js';
import { Room } from './room.js';
import { forget, onElsewhere, remember, session } from './session.js';
import { ComposerView, FeedView } from './view-feed.js';
import { GraphView } from './view-graph.js';

const at = (id) => document.getElementById(id);
const base = new URL('../api/', location.origin + location.pathname).href;
const noticeFor = 6000;
const newsKept = 10;

let api;
let rooms = [];
let room = null;
let rendering = 0;

/* ---- what is on screen ---- */

const feed = new FeedView({ scroll: at('scroll'), log: at('log') });
const composer = new ComposerView({ form: at('composer'), to: at('to'), text: at('text') });
const graph = new GraphView({ svg: at('graph'), pair: at('pair'), level: at('level'), text: at('level-text'), agents: at('agents') }, openAgent);
composer.onSent = () => feed.toEnd();

/* Once for all that changes in one turn. */
function render() {
    rendering ||= requestAnimationFrame(() => {
        rendering = 0;
        renderNow();
    });
}

function renderNow() {
    keep(at('list'), rooms.map(roomRow));
    at('list-empty').hidden = rooms.length > 0;
    for (const id of ['talk-head', 'people'])
        at(id).hidden = !room;
    at('nothing').hidden = room !== null;
    if (room) {
        setText(at('talk-title'), room.about.name);
        setState(at('status'), room.up.chat);
        setState(at('graph-status'), room.up.graph);
    }
    document.title = room ? `${room.about.name} · Confab rooms` : 'Confab rooms';
    for (const view of [feed, composer, graph])
        view.render(room);
}

function setText(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}

function setState(element, up) {
    element.dataset.state = up ? 'live' : 'connecting';
    setText(element, up ? 'Live' : 'Connecting…');
}

function roomRow({ id, name, agentCount, description }) {
    const count = room?.id === id ? room.agents.length || agentCount : agentCount;
    const below = description || `${count} ${count === 1 ? 'agent' : 'agents'}`;
    return { key: id, sign: JSON.stringify([name, below, room?.id === id]), make: () => h('li', {},
        h('button', { class: 'item', type: 'button', 'data-act': 'open', 'aria-current': room?.id === id ? 'true' : null,
                      onclick: () => { location.hash = `#/${id}`; } },
            avatar(name, id, 'group'), h('span', { class: 'item-main' }, h('span', { class: 'item-title' }, name),
                h('span', { class: 'item-last' }, below)))) };
}

let noticeTimer = 0;

function notice(text) {
    at('notice').textContent = text;
    at('notice').hidden = false;
    clearTimeout(noticeTimer);
    noticeTimer = setTimeout(() => { at('notice').hidden = true; }, noticeFor);
}

/* For those who listen instead of looking. */
function announce(item) {
    if (item.sender === 'user')
        return;
    at('news').append(h('p', {}, item.type === 'event' ? item.description : `${item.sender}: ${item.text}`));
    while (at('news').childElementCount > newsKept)
        at('news').firstElementChild.remove();
}

/* ---- coming and going ---- */

/* A new person gets a new page, so nothing of the last one is left anywhere. */
function logOut(why = '') {
    forget();
    sessionStorage.setItem('confab.rooms.why', why);
    location.reload();
}

function failed(error) {
    if (error.status === 401)
        logOut('Your session has ended. Please log in again.');
    else if (error.status === 404 && room)
        missing(room, error);
    else
        notice(error.message);
}

/* Is it the room that is gone, or only something in it? */
async function missing(from, error) {
    if (await readRooms() && from === room)
        rooms.some(({ id }) => id === from.id) ? notice(error.message) : gone();
}

/* For what is asked by a click: shows why not. */
async function attempt(does) {
    try {
        return await does();
    } catch (error) {
        failed(error);
        return null;
    }
}

function gone() {
    notice('This room is gone.');
    rooms = rooms.filter(({ id }) => id !== room?.id);
    location.hash = '';
}

/* False when no answer came. */
async function readRooms() {
    const found = await attempt(() => api.rooms());
    rooms = found ?? rooms;
    render();
    return found !== null;
}

async function route() {
    const id = /^#\/(\d+)$/.exec(location.hash)?.[1] ?? null;
    if (room?.id === id)
        return;
    room?.close();
    if (id && !rooms.some((one) => one.id === id) && !await readRooms())
        return;
    const about = rooms.find((one) => one.id === id);
    if (id && !about) {
        notice('There is no such room.');
        location.hash = '';
    }
    room = !about ? null : new Room(about, api, { change: render, news: announce, failed, gone,
                                                  logout: () => logOut('Your session has ended. Please log in again.') });
    show(room ? 'chat' : 'list');
    at('menu').open = false;
    makeMenu();
    renderNow();
    if (room && matchMedia('(pointer: fine)').matches)
        composer.focus();
}

function show(pane) {
    at('app').dataset.pane = pane;
}

/* ---- what one can do ---- */

async function createRoom(wanted) {
    const made = await api.createRoom(wanted);
    await readRooms();
    location.hash = `#/${made.id}`;
    return made;
}

/* Three who begin with feelings already, and who all answer. */
async function firstRoom() {
    const made = await createRoom({ name: 'First room', orchestration_type: 'circular' });
    const agents = [];
    for (const template of (await api.defaultAgents()).slice(0, 3))
        agents.push(await addTemplate(template, made.id));
    const [a, b, c] = agents.map(({ id }) => id);
    if (c) {
        await api.relate(made.id, a, b, 0.4);
        await api.relate(made.id, b, c, -0.6);
    }
    await api.orchestrate(made.id, 'start');
    await room?.readGraph();
}

async function addTemplate({ id }, to) {
    const { name, character, avatar: picture } = await api.defaultAgent(id);
    return api.addAgent(to, { name, character, avatar: picture });
}

async function addAgent() {
    const { id } = room;
    const templates = await attempt(() => api.defaultAgents());
    const added = async () => {
        await room?.readGraph();
        readRooms();
    };
    askAgent((templates ?? []).filter(({ name }) => !room.agents.some((one) => one.name === name)), {
        add: async (agent) => { await api.addAgent(id, agent); await added(); },
        addTemplate: async (template) => { await addTemplate(template, id); await added(); },
    });
}

async function openAgent(id) {
    const of = room;
    const agent = await attempt(() => api.agent(of.id, id).catch((error) => {
        if (error.status !== 404)
            throw error;
        of.readGraph();
        return null;
    }));
    if (!agent)
        return;
    showAgent(agent, {
        write: () => { closeDialog(); show('chat'); composer.address(id); },
        remove: async () => {
            closeDialog();
            await attempt(() => api.removeAgent(of.id, id));
            of.readGraph();
            readRooms();
        },
    });
}

function makeMenu() {
    const items = at('menu').querySelector('.menu-items');
    const entry = (text, does, kind = '') => h('button', { type: 'button', class: kind, onclick: () => {
        at('menu').open = false;
        does();
    } }, text);
    items.replaceChildren();
    if (!room)
        return;
    const { id, orchestration_type: kind } = room.about;
    items.append(entry('Something happens…', () => askEvent((description) => room.happen(description))));
    if (kind !== 'single')
        items.append(entry('Everybody answers', () => attempt(() => api.orchestrate(id, 'start'))),
            entry('Only one answers', () => attempt(() => api.orchestrate(id, 'stop'))));
    const last = entry('Delete the room', () => attempt(() => api.deleteRoom(id)), 'danger');
    items.append(h('button', { type: 'button', class: 'danger', onclick: (event) => event.target.replaceWith(last) }, 'Delete the room…'));
    last.textContent = 'Really delete it?';
}

/* ---- beginning ---- */

function start(who) {
    api = new Api(base, who.token);
    at('me').replaceChildren(avatar(who.username, who.id, 'small'), h('span', { class: 'item-title' }, who.username));
    at('me').setAttribute('aria-label', `${who.username}: log out`);
    at('me').title = 'Log out';
    at('me').onclick = () => logOut();
    at('back').append(icon('back'));
    at('to-chat').append(icon('back'));
    at('menu').querySelector('summary').append(icon('more'));
    at('back').onclick = () => { location.hash = ''; };
    at('to-chat').onclick = () => show('chat');
    at('to-graph').onclick = () => show('graph');
    at('new-room').onclick = () => askRoom(createRoom);
    at('first-room').onclick = () => attempt(firstRoom);
    at('add-agent').onclick = addAgent;
    window.addEventListener('hashchange', route);
    window.addEventListener('online', () => room ? room.wake() : readRooms().then(route));
    document.addEventListener('visibilitychange', () => {
        if (document.visibilityState === 'visible') {
            room?.wake();
            readRooms();
        }
    });
    hideDoor();
    readRooms().then(route);
}

onElsewhere(() => location.reload());
const who = session();
if (who) {
    start(who);
} else {
    showDoor(new Api(base), { why: sessionStorage.getItem('confab.rooms.why') ?? '',
                              onAuth: (auth) => { remember(auth); location.reload(); } });
    sessionStorage.removeItem('confab.rooms.why');
}
