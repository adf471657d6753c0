/* event-line - a socket of named events, {"event", "data"} both ways, for somebody with a token
 *
 * The token is the first thing that is said on the socket, so that it stands in no address and in no log. One close
 * is final: 4401, the token is no good (any more).
 *
 *     const line = new EventLine({ url: () => 'wss://chat.example.com/v1/ws', token, first: 'connected',
 *                                  onUp() { ... }, onEvent(name, data) { ... }, onRefused() { ... } });
 *
 * SPDX-License-Identifier: MIT
 */
import { Line } from './line.js';

const refused = 4401;

export class EventLine extends Line {
    /* url(), token, first (name of the event that comes first), onUp(its data), onEvent(name, data), onState(up), onRefused() */
    constructor({ token, first, onUp, onEvent, onRefused, ...options }) {
        const own = { [first]: 'up', pong: 'own' };
        super({
            ...options,
            hello: () => ({ event: 'auth', data: { token } }),
            ping: { event: 'ping' },
            kind: ({ event }) => own[event] ?? 'news',
            finals: { [refused]: onRefused },
            onUp: ({ data }) => onUp(data),
            onFrame: ({ event, data }) => onEvent(event, data),
        });
    }

    emit(event, data) {
        return this.say({ event, data });
    }
}
