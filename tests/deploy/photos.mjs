/* photos - the largest bodies there are, and event chat's sockets, behind one web server
 *
 * SPDX-License-Identifier: MIT
 */
import { io } from 'socket.io-client';
import { assert } from '../lib/assert.mjs';
import { photo } from '../lib/eventchat.mjs';
import { request } from '../lib/http.mjs';
import { until } from '../lib/wait.mjs';

const MAX = 5242880;

export async function photos(confab) {
    const headers = { Authorization: `Bearer ${confab.token('7')}` };
    const target = `${confab.base}/eventchat/v1/photos`;
    const upload = (size, chunked = false) => request(confab.port, 'POST', target,
        { headers: { ...headers, 'Content-Type': 'image/png' }, body: photo('image/png', size), chunked });
    for (const chunked of [false, true]) {
        const stored = await upload(MAX, chunked);
        assert.equal(stored.status, 201, stored.text);
        const back = await request(confab.port, 'GET', `${target}/${stored.json.uuid}`, { headers });
        assert.deepEqual([back.status, back.headers['content-type'], back.headers['content-length']], [200, 'image/png', `${MAX}`]);
    }
    /* who goes on sending may find the connection closed before he looks for the answer */
    const refused = await upload(MAX + 1).catch(() => null);
    assert.ok(!refused || (refused.status === 413 && refused.json?.error), `${refused?.status} ${refused?.text}`);
}

export async function eventSockets(confab) {
    for (const transports of [['websocket'], ['polling', 'websocket']]) {
        const client = io(`http://127.0.0.1:${confab.port}/`, { path: `${confab.base}/eventchat/socket.io/`, transports, forceNew: true,
            auth: { token: confab.token('7') } });
        confab.atEnd.push(() => client.disconnect());
        let first;
        client.on('initial_data', (data) => { first = data; });
        await until('initial_data', () => first !== undefined);
        assert.ok(Array.isArray(first));
        await until('the move', () => client.io.engine.transport.name === 'websocket');
        client.disconnect();
    }
}
