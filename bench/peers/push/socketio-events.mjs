/* socketio-events - PORT: a namespace whose sockets all get what is POSTed, as socket.io's documentation shows
 *
 * SPDX-License-Identifier: MIT
 */
import http from 'node:http';
import { Server } from 'socket.io';

const good = '{"response":true}';
let serial = 0;

const web = http.createServer((request, answer) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text) => { body += text; });
    request.on('end', () => {
        const message = { conversation_id: 0, id: ++serial, message: JSON.parse(body).text, time: Math.floor(Date.now() / 1000) };
        all.emit('new_message', message);
        answer.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': good.length }).end(good);
    });
});
web.keepAliveTimeout = 0;
const all = new Server(web, { serveClient: false }).of('/conversations');
web.listen(Number(process.argv[2]), '127.0.0.1', 4096);
