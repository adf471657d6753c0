/* ws - PORT PUBLISH_PORT: channels as sets of sockets, the least one writes with the ws package
 *
 * SPDX-License-Identifier: MIT
 */
import { WebSocketServer } from 'ws';
import { listenForLines } from './lines.mjs';

const [port, publishPort] = process.argv.slice(2).map(Number);
const channels = new Map();

const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false, backlog: 4096 });
server.on('connection', (socket, request) => {
    const names = new URL(request.url, 'http://localhost').searchParams.get('c').split(',');
    for (const name of names) {
        if (!channels.has(name))
            channels.set(name, new Set());
        channels.get(name).add(socket);
    }
    socket.on('close', () => {
        for (const name of names)
            channels.get(name).delete(socket);
    });
    socket.send('{}');
});
listenForLines(publishPort, (channel, data) => {
    const bytes = Buffer.from(data);
    for (const socket of channels.get(channel) ?? [])
        socket.send(bytes, { binary: false });
});
