/* client - the conversations API: calls by REST, events by a bare WebSocket; no state but who is asking
 *
 *     const client = new Client('https://chat.example.com/v1/', token);
 *     const line = client.listen({ onUp() { ... }, onEvent(name, data) { ... }, onRefused() { ... } });
 *
 * Calls are answered only while a socket is open, so nothing is asked before onUp.
 *
 * SPDX-License-Identifier: MIT
 */
import { EventLine } from '../../js/event-line.js';
import { Rest } from '../../js/rest.js';

export const pageSize = 100;
export const viewSize = 50;
export const everybody = 0;         /* the id of the global chat */

export class Client {
    #rest;
    #token;

    constructor(base, token) {
        this.#rest = new Rest(base, token);
        this.#token = token;
    }

    listen(on) {
        return new EventLine({ url: () => this.#rest.socketUrl('ws'), token: this.#token, first: 'connected', ...on });
    }

    async profile(changes) {
        return (await (changes ? this.#rest.post('profile', changes) : this.#rest.get('profile'))).profile;
    }

    /* mode: joined or new. All of them. */
    async conversations(mode) {
        const all = [];
        for (;;) {
            const { conversations } = await this.#rest.get('conversations/get', { mode, offset: all.length });
            all.push(...conversations);
            if (conversations.length < pageSize)
                return all;
        }
    }

    /* Oldest first. offset: so many of the newest are left out. Of everybody's chat this also asks for what comes. */
    async messages(chat, offset = 0) { return (await this.#rest.get('messages/get', { chat, offset })).messages; }
    send(chat, text) { return this.#rest.post('messages/send', { text, conversation_id: chat }); }

    async create(name) { return (await this.#rest.post('conversations/new', { name })).conversation_id; }
    async join(id) { return (await this.#on(id, 'join')).messages; }
    async view(id) { return (await this.#on(id, 'view')).messages; }
    async members(id) { return (await this.#rest.get(`conversations/members/${id}`)).members; }
    leave(id) { return this.#on(id, 'leave'); }
    stopView(id) { return this.#on(id, 'stopView'); }
    read(id) { return this.#on(id, 'read'); }
    delete(id) { return this.#rest.delete(`conversations/delete/${id}`); }

    #on(id, what) { return this.#rest.post(`conversations/${what}/${id}`); }
}
