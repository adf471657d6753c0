/* pane - one side of the page: one user, his socket, his chats and the open one
 *
 * SPDX-License-Identifier: MIT
 */
import { forgetBearer, keepBearer, ofToken } from '../../js/bearer.js';
import { closeDialog, field, form, openDialog } from '../../js/dialog.js';
import { avatar, h, icon, keep } from '../../js/dom.js';
import { Entry } from '../../js/entry.js';
import { SaidView, messageRows, noteRow } from '../../js/view-said.js';
import { EventChat } from './chat.js';
import { Client } from './client.js';
import { Photos } from './photos.js';

const photosMax = 10;
const newsKept = 10;
const hour = 3600;
const dated = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' });

export class Pane {
    chat = null;
    #root;
    #side;
    #page;                      /* base, people, notice(text), changed(), madeMeeting() */
    #said;
    #entry;
    #photos;
    #attached = [];             /* references of photos that go with the next message */
    #rendering = 0;

    /* root: an empty element; side: its name, of a parameter and of a token's place in the fragment, too */
    constructor(root, side, page) {
        this.#root = root;
        this.#side = side;
        this.#page = page;
        root.append(document.getElementById('pane').content.cloneNode(true));
        this.#at('.to-list').append(icon('back'));
        this.#at('.attach').prepend(icon('photo'));
        this.#said = new SaidView({ scroll: this.#at('.scroll'), log: this.#at('.log'), older: () => this.chat.older() });
        this.#entry = new Entry(this.#at('.composer'), (text) => this.#say(text));
        this.#entry.mayBeEmpty = () => this.#attached.length > 0;
        this.#at('.to-list').onclick = () => this.chat.show(null);
        this.#at('.reload').onclick = () => this.chat.readMeetings();
        this.#at('.new-event').onclick = () => this.#askMeeting();
        this.#at('.me').onclick = () => this.#askMe();
        this.#at('.attach input').onchange = ({ target }) => this.#attach(target);
        this.#at('.raw').onsubmit = (event) => this.#sayRaw(event);
    }

    #at(selector) { return this.#root.querySelector(selector); }

    get name() { return this.chat ? this.chat.me.name ?? `User ${this.chat.me.id}` : 'Nobody'; }

    /* ---- who ---- */

    start({ id, name, token }) {
        const client = new Client(this.#page.base, token);
        this.#photos = new Photos((uuid) => client.photo(uuid));
        this.chat = new EventChat(client, { id, name }, {
            change: () => this.render(),
            news: (chat, message) => this.#announce(chat, message),
            failed: (error) => this.#page.notice(`${this.name}: ${error.message}`),
            sendFailed: (chat, text) => this.#page.notice(`${this.name}: not sent: ${text}`),
            refused: () => this.#leave('The token was refused.'),
        });
        this.#at('.pane-door').hidden = true;
        this.#at('.pane-app').hidden = false;
        this.render();
    }

    async showDoor(why = '') {
        const people = await this.#page.people();
        const tell = (text) => {
            this.#at('.door-why').textContent = text;
            this.#at('.door-why').hidden = !text;
        };
        const enter = (who, isDemo) => {
            keepBearer(this.#side, this.#side, who, isDemo);
            this.start(who);
        };
        this.#at('.pane-app').hidden = true;
        this.#at('.pane-door').hidden = false;
        this.#at('.door-demo').hidden = !people.length;
        this.#at('.door-users').replaceChildren(...people.map((one) => h('button', { class: 'door-user', type: 'button', onclick: () => enter(one, true) },
            avatar(one.name, String(one.id), 'big'), one.name)));
        tell(why);
        this.#at('.door-token').onsubmit = (event) => {
            event.preventDefault();
            const field = event.target.querySelector('textarea');
            const who = ofToken(field.value.trim());
            field.value = '';
            who ? enter(who, false) : tell('That is no token of a user.');
        };
        this.#page.changed();
    }

    #leave(why = '') {
        forgetBearer(this.#side, this.#side);
        this.chat?.close();
        this.chat = null;
        closeDialog();
        this.showDoor(why);
    }

    #askMe() {
        openDialog('You, on this side', form('Be called so', ({ name }) => this.chat.rename(name),
            field('Name', h('input', { name: 'name', maxlength: 100, required: true, autocomplete: 'off', value: this.chat.me.name ?? '' }))),
        h('div', { class: 'buttons fields' }, h('button', { class: 'plain', type: 'button', onclick: () => this.#leave() }, 'Somebody else on this side')));
    }

    /* ---- what is on screen ---- */

    /* Once for all that changes in one turn. */
    render() {
        this.#rendering ||= requestAnimationFrame(() => {
            this.#rendering = 0;
            if (this.chat)
                this.#renderNow();
        });
    }

    #renderNow() {
        const { chat } = this;
        const { current } = chat;
        keep(this.#at('.me'), [{ key: 'me', sign: this.name, make: () => h('span', { class: 'person' }, avatar(this.name, String(chat.me.id), 'small'),
            h('span', { class: 'item-title' }, this.name)) }]);
        this.#at('.me').setAttribute('aria-label', `${this.name}: another name, or somebody else`);
        this.#at('.status').dataset.state = chat.up ? 'live' : 'connecting';
        setText(this.#at('.status'), chat.up ? 'Live' : 'Connecting…');
        const chats = [...chat.chats.values()].sort((a, b) => a.event.id - b.event.id);
        keep(this.#at('.chats'), chats.map((one) => this.#chatRow(one)));
        this.#at('.chats-empty').hidden = chats.length > 0;
        keep(this.#at('.meetings'), chat.meetings.map((one) => this.#meetingRow(one)));
        this.#at('.meetings-empty').hidden = chat.meetings.length > 0;
        this.#renderTalk(current);
        keep(this.#at('.debug-list'), chat.debug.map((info) => {
            const text = `${info.event ?? ''} ${info.message}${info.field ? ` (${info.field})` : ''}`;
            return { key: String(info.key), sign: '', make: () => h('li', {}, h('strong', {}, info.code), ` ${text}`) };
        }));
        setText(this.#at('.debug-count'), chat.debug.length ? chat.debug.at(-1).code : 'nothing');
        this.#page.changed();
    }

    #renderTalk(current) {
        const list = this.#at('.pane-app > .list'), talk = this.#at('.talk');
        const turned = talk.hidden === Boolean(current);
        list.hidden = Boolean(current);
        talk.hidden = !current;
        this.#said.render(current ? current.chatId : null, current ? this.#saidRows(current) : []);
        if (!current)
            return;
        if (turned) {
            this.#detach();
            this.#entry.fit();
            this.#said.toEnd();
        }
        setText(this.#at('.talk-who h2'), current.event.name);
        keep(this.#at('.talk-sub'), [
            { key: 'with', sign: current.user.name, make: () => h('span', {}, `${this.chat.owns(current) ? 'with' : 'by'} ${current.user.name}`) },
            this.#chip(current)].filter(Boolean));
        keep(this.#at('.talk-acts'), this.#acts(current).map(([act, text, does]) => ({ key: act, sign: text, make: () =>
            h('button', { class: 'plain', type: 'button', 'data-act': act, onclick: does }, text) })));
        const { interlocutorUnreadCount: unread } = current;
        setText(this.#at('.theirs'), unread ? `${unread} not read by ${current.user.name}` : current.messages.some(({ fromUserId }) => fromUserId === this.chat.me.id) ? 'All read' : '');
    }

    #chip({ isRequestSended, isAccessGranted }) {
        const text = isAccessGranted ? 'Granted' : isRequestSended ? 'Requested' : '';
        return text && { key: 'chip', sign: text, make: () => h('span', { class: `chip${isAccessGranted ? ' on' : ''}` }, text) };
    }

    #acts(current) {
        if (!this.chat.owns(current))
            return current.isRequestSended ? [] : [['request', 'Ask to take part', () => this.chat.request(current.event.id)]];
        if (!current.isRequestSended)
            return [];
        return [current.isAccessGranted ? ['revoke', 'Revoke', () => this.chat.revoke()] : ['grant', 'Grant', () => this.chat.grant()]];
    }

    #chatRow(chat) {
        const { chatId, event, user, messages, myUnreadCount: unread } = chat;
        const last = messages.at(-1);
        const below = last ? `${last.fromUserId === this.chat.me.id ? 'You: ' : ''}${last.text.replace(/\s+/g, ' ') || 'Photo'}` : 'Nothing said yet';
        const title = `${user.name} · ${event.name}`;
        const chip = this.#chip(chat);
        return { key: chatId, sign: JSON.stringify([title, below, unread, chip.sign]), make: () => h('li', {},
            h('button', { class: 'item', type: 'button', 'data-act': 'open', onclick: () => this.#open(chatId) },
                avatar(user.name, String(user.id)),
                h('span', { class: 'item-main' }, h('span', { class: 'item-title' }, title), h('span', { class: 'item-last' }, below.slice(0, 200))),
                h('span', { class: 'item-side' }, chip && chip.make(),
                    unread ? [h('span', { class: 'badge' }, unread), h('span', { class: 'unseen' }, ' unread')] : null))) };
    }

    #meetingRow({ event, eventOwnerId }) {
        const own = eventOwnerId === this.chat.me.id;
        const mine = this.chat.mine(event.id);
        const below = `${event.location}, ${dated.format(event.dateFromS * 1000)}`;
        const act = (name, text, does) => h('button', { class: 'plain', type: 'button', 'data-act': name, onclick: does }, text);
        return { key: String(event.id), sign: JSON.stringify([event, own, mine?.chatId, mine?.isRequestSended]), make: () =>
            h('li', { class: 'meeting' }, avatar(event.name, `event ${event.id}`, 'group'),
                h('span', { class: 'item-main' }, h('span', { class: 'item-title' }, event.name), h('span', { class: 'item-last' }, below)),
                own ? h('span', { class: 'chip' }, 'Yours')
                    : [act('chat', 'Write', () => mine ? this.#open(mine.chatId) : this.chat.openAbout(event.id)),
                       mine?.isRequestSended ? null : act('request', 'Ask to take part', () => this.chat.request(event.id))]) };
    }

    #saidRows(chat) {
        const { messages, user, pending } = chat;
        const rows = messageRows(messages, ({ messageId, text, photos, date, fromUserId }) => {
            const mine = fromUserId === this.chat.me.id;
            return { id: messageId, at: date, who: mine ? this.name : user.name, seed: fromUserId, mine, body: () => this.#body(text, photos) };
        });
        if (this.chat.more)
            rows.unshift(noteRow('top', 'system', 'Loading…'));
        for (const { text, photos, key } of pending)
            rows.push({ key: `pending ${key}`, sign: text, make: () => h('li', { class: 'msg mine pending' },
                h('div', { class: 'bubble' }, this.#body(text, photos), h('span', { class: 'meta' }, 'sending…'))) });
        if (!rows.length)
            rows.push(noteRow('empty', 'system', 'Nothing said yet. Begin!'));
        return rows;
    }

    #body(text, photos) {
        const settle = () => this.#said.settle();
        return [photos.length > 0 && h('div', { class: 'photos' }, photos.map((uuid) => this.#photos.element(uuid, settle))),
            Boolean(text) && h('div', { class: 'text' }, text)];
    }

    /* For those who listen instead of looking. */
    #announce({ event }, { text, photos }) {
        this.#at('.news').append(h('p', {}, `To ${this.name}, about ${event.name}: ${text || `${photos.length} photos`}`));
        while (this.#at('.news').childElementCount > newsKept)
            this.#at('.news').firstElementChild.remove();
    }

    /* ---- what one can do ---- */

    #open(chatId) {
        this.chat.show(chatId);
        if (matchMedia('(pointer: fine)').matches)
            requestAnimationFrame(() => this.#entry.focus());
    }

    #say(text) {
        this.#said.toEnd();
        if (!this.chat.say(text, this.#attached))
            return false;
        this.#detach();
        return true;
    }

    #detach() {
        this.#attached = [];
        this.#showAttached();
    }

    async #attach(input) {
        for (const file of input.files) {
            if (this.#attached.length === photosMax) {
                this.#page.notice(`No more than ${photosMax} photos in a message`);
                break;
            }
            const uuid = await this.chat.upload(file);
            if (uuid && !this.#attached.includes(uuid))
                this.#attached.push(uuid);
            this.#showAttached();
        }
        input.value = '';
    }

    #showAttached() {
        keep(this.#at('.attached'), this.#attached.map((uuid) => ({ key: uuid, sign: '', make: () => h('li', {},
            h('button', { type: 'button', 'aria-label': 'Take this photo away', onclick: () => {
                this.#attached = this.#attached.filter((one) => one !== uuid);
                this.#showAttached();
            } }, this.#photos.element(uuid))) })));
        this.#entry.fit();
    }

    #askMeeting() {
        const seconds = (text) => Math.floor(new Date(text).getTime() / 1000);
        const local = (s) => new Date((s - new Date().getTimezoneOffset() * 60) * 1000).toISOString().slice(0, 16);
        const from = Math.ceil(Date.now() / 1000 / hour) * hour + 24 * hour;
        openDialog('New event', form('Make it', async ({ name, location, from: begins, to }) => {
            await this.chat.createMeeting({ name, location, dateFromS: seconds(begins), dateToS: seconds(to) });
            this.#page.madeMeeting();
        },
        field('Name', h('input', { name: 'name', maxlength: 120, required: true, autocomplete: 'off' })),
        field('Where', h('input', { name: 'location', maxlength: 100, required: true, autocomplete: 'off', value: 'ONLINE' })),
        field('From', h('input', { name: 'from', type: 'datetime-local', required: true, value: local(from) })),
        field('To', h('input', { name: 'to', type: 'datetime-local', required: true, value: local(from + 2 * hour) }))));
    }

    #sayRaw(event) {
        event.preventDefault();
        const text = event.target.querySelector('input').value;
        try {
            this.chat.emitRaw(JSON.parse(text));
        } catch {
            this.#page.notice('That is not even JSON');
        }
    }
}

function setText(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}
