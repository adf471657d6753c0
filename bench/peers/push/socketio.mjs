/* socketio - PORT PUBLISH_PORT: rooms, as socket.io's documentation shows
 *
 * SPDX-License-Identifier: MIT
 */
import http from 'node:http';
import { Server } from 'socket.io';
import { listenForLines } from './lines.mjs';

const [port, publishPort] = process.argv.slice(2).map(Number);
const web = http.createServer();
const server = new Server(web, { transports: ['websocket'], serveClient: false });

server.on('connection', (socket) => {
    socket.on('join', (names, done) => {
        socket.join(names.split(','));
        done('ok');
    });
});
web.listen(port, '127.0.0.1', 4096);
listenForLines(publishPort, (channel, data) => server.to(channel).emit('m', data));
