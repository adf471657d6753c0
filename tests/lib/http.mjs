/* http - requests exactly as written: nothing is normalised, followed or retried
 *
 * SPDX-License-Identifier: MIT
 */
import http from 'node:http';
import net from 'node:net';
import { within } from './wait.mjs';

/* One request on a connection of its own. body: string, Buffer, undefined, or anything else, which
 * is sent as JSON. from: the address it comes from. Answers { status, headers, bytes, text, json }; json is undefined when it
 * is none. */
export function request(port, method, target, { headers = {}, body, chunked = false, from } = {}) {
    const bytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
        ? body : JSON.stringify(body);
    const sent = { 'Content-Type': 'application/json', ...headers };
    if (!chunked)
        sent['Content-Length'] = bytes === undefined ? 0 : Buffer.byteLength(bytes);
    else
        sent['Transfer-Encoding'] = 'chunked';

    return within(`an answer to ${method} ${target}`, new Promise((resolve, reject) => {
        const req = http.request({ host: '127.0.0.1', port, method, path: target, headers: sent, agent: false, localAddress: from });
        req.on('error', reject);
        req.on('response', (res) => {
            const chunks = [];
            res.on('data', (chunk) => chunks.push(chunk));
            res.on('error', reject);
            res.on('end', () => {
                const bytes = Buffer.concat(chunks);
                const text = bytes.toString('utf8');
                let json;
                try {
                    json = JSON.parse(text);
                } catch {
                    json = undefined;
                }
                resolve({ status: res.statusCode, headers: res.headers, bytes, text, json });
            });
        });
        req.end(bytes);
    }), 30000);
}

/* Raw bytes to the server, the raw answer back, until it closes. */
export function raw(port, bytes) {
    return within('a raw answer', new Promise((resolve, reject) => {
        const chunks = [];
        const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.on('error', reject);
        socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    }));
}

/* Is somebody listening there? where: a port or the path of a unix socket. */
export function listening(where) {
    return new Promise((resolve) => {
        const socket = typeof where === 'number' ? net.connect(where, '127.0.0.1') : net.connect(where);
        socket.on('connect', () => { socket.destroy(); resolve(true); });
        socket.on('error', () => resolve(false));
    });
}

/* A port nobody uses at this moment. */
export function freePort() {
    return new Promise((resolve, reject) => {
        const server = net.createServer();
        server.on('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}
