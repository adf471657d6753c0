/* rude - a TCP connection that says things and remembers what it heard
 *
 * SPDX-License-Identifier: MIT
 */
import net from 'node:net';
import { assert } from './assert.mjs';
import { until } from './wait.mjs';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/* A good handshake, or one that more makes bad. */
export const upgrade = (target, more = '') => `GET ${target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
    + `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`;

/* A frame of a client; first is its first byte, length what it claims to be. */
export function masked(first, payload, length) {
    const bytes = Buffer.from(payload);
    const size = length ?? (bytes.length < 126 ? [bytes.length] : [126, bytes.length >> 8, bytes.length & 255]);
    return Buffer.concat([Buffer.from([first, 0x80 | size[0], ...size.slice(1), 0, 0, 0, 0]), bytes]);
}

export class Rude {
    got = Buffer.alloc(0);
    over = false;

    /* where: a port or the path of a socket */
    constructor(where, text) {
        const begin = () => text !== undefined && this.socket.write(text);
        this.socket = typeof where === 'number' ? net.connect(where, '127.0.0.1', begin) : net.connect(where, begin);
        this.socket.on('data', (data) => { this.got = Buffer.concat([this.got, data]); });
        this.socket.on('error', () => {});
        this.socket.on('close', () => { this.over = true; });
    }

    get text() {
        return this.got.toString('latin1');
    }

    /* How many answers it has heard. */
    get answers() {
        return this.text.split(/HTTP\/1\.1 \d\d\d /).length - 1;
    }

    /* Everything it heard, once the server has hung up. */
    async end(what) {
        await until(`the end of ${what}`, () => this.over);
        return this.text;
    }

    async upgraded() {
        await until('the upgrade', () => this.got.includes('\r\n\r\n') || this.over);
        assert.match(this.text, /^HTTP\/1.1 101 /);
        this.got = this.got.subarray(this.got.indexOf('\r\n\r\n') + 4);
        return this;
    }

    /* The code of the close frame; null when it just hung up. */
    async closeCode(what) {
        await until(`a close of ${what}`, () => this.over || this.got.indexOf(0x88) >= 0);
        const at = this.got.indexOf(0x88);
        this.socket.destroy();
        return at < 0 ? null : this.got.readUInt16BE(at + 2);
    }
}
