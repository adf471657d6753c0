/* client - the event chat API: calls by REST, commands and events by a bare WebSocket; no state but who is asking
 *
 *     const client = new Client('https://chat.example.com/eventchat/v1/', token);
 *     const line = client.listen({ onUp(initialData) { ... }, onEvent(name, data) { ... }, onRefused() { ... } });
 *     line.emit('send_message', { chatId, message: { text: 'Hello' } });
 *
 * SPDX-License-Identifier: MIT
 */
import { EventLine } from '../../js/event-line.js';
import { Rest } from '../../js/rest.js';

const meetingsAtOnce = 100;

export class Client {
    #rest;
    #token;

    constructor(base, token) {
        this.#rest = new Rest(base, token);
        this.#token = token;
    }

    listen(on) {
        return new EventLine({ url: () => this.#rest.socketUrl('../ws'), token: this.#token, first: 'initial_data', ...on });
    }

    profile() { return this.#rest.get('profile'); }
    rename(name) { return this.#rest.put('profile', { name }); }

    /* The newest: [{event, eventOwnerId}] */
    async meetings() { return (await this.#rest.get('events', { limit: meetingsAtOnce })).events; }
    createMeeting(event) { return this.#rest.post('events', event); }

    /* Those two may bring a first message; the chat. */
    open(event, text) { return this.#rest.post(`events/${event}/chat`, text ? { text } : {}); }
    request(event, text) { return this.#rest.post(`events/${event}/request`, text ? { text } : {}); }

    grant(chat) { return this.#rest.post(`chats/${chat}/grant`); }
    revoke(chat) { return this.#rest.post(`chats/${chat}/revoke`); }

    async upload(file) { return (await this.#rest.upload('photos', file)).uuid; }
    photo(uuid) { return this.#rest.blob(`photos/${uuid}`); }
}
