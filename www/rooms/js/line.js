/* line - one socket of a room
 *
 * Two closes are final: 4001, the credential is no good (any more), and 4003, there is no such room (any more).
 *
 * SPDX-License-Identifier: MIT
 */
import { Line as AnyLine } from '../../js/line.js';

const kinds = { connected: 'up', pong: 'own', error: 'own' };

export class Line extends AnyLine {
    /* url(), onConnected(), onFrame({type, payload}), onState(up), onLogout() for 4001, onGone() for 4003 */
    constructor(options) {
        super({
            ...options,
            ping: { type: 'ping' },
            kind: ({ type }) => kinds[type] ?? 'news',
            finals: { 4001: options.onLogout, 4003: options.onGone },
            onUp: options.onConnected,
        });
    }
}
