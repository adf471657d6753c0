/* The push server's transports below the client library: heads, chunks, origins, one-way variants.
 * SPDX-License-Identifier: MIT
 */
import http from 'node:http';
import { request } from '../lib/http.mjs';
import { test } from '../lib/instance.mjs';
import { assert, now, pushServer, until } from '../lib/push.mjs';

const FRIEND = 'https://www.example.org';
const started = pushServer({ lighttpd: true, settings: { push_message_max: 4096, push_allowed_origins: `${FRIEND}, http://localhost:3000`, push_ping_s: 2, push_pong_s: 1 } });
let serial = 0;
const fresh = (namespace) => `${namespace}:${++serial}`;
const connectLine = (params = {}) => JSON.stringify({ id: 1, connect: params });

/* An answer that goes on: chunks as they came, lines or events of them. */
class Stream {
    chunks = [];
    ended = false;

    constructor(port, method, target, { body, headers = {} } = {}) {
        this.req = http.request({ host: '127.0.0.1', port, method, path: target, agent: false,
                                  headers: { 'Content-Type': 'application/json', ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }), ...headers } });
        this.req.on('error', () => { this.ended = true; });
        this.req.on('response', (res) => {
            this.status = res.statusCode;
            this.headers = res.headers;
            res.on('data', (chunk) => this.chunks.push(chunk.toString('utf8')));
            res.on('error', () => { this.ended = true; });
            res.on('end', () => { this.ended = true; });
        });
        this.req.end(body);
    }

    get text() {
        return this.chunks.join('');
    }

    get lines() {
        return this.text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
    }

    get events() {
        return this.text.replace(/^\r\n/, '').split('\n\n').filter(Boolean).map((event) => {
            assert.match(event, /^data: .*$/);
            return JSON.parse(event.slice(6));
        });
    }

    until(what, look) {
        return until(`${what}: ${look}`, () => look(this)).catch((error) => { throw new Error(`${error.message}\n${this.status} ${this.text}`); });
    }

    stop() {
        this.req.destroy();
    }
}

function quiet(headers) {
    assert.equal(headers['cache-control'], 'private, no-cache, no-store, must-revalidate, max-age=0');
    assert.equal(headers['x-accel-buffering'], 'no');
}

const emulate = (port, { session, node }, lines, more = {}) => request(port, 'POST', '/emulation', { body: { session, node, data: lines }, ...more });

test('http_stream: whole lines in chunks, and the way up', async () => {
    const push = await started;
    for (const port of [push.port, push.webPort]) {
        const stream = new Stream(port, 'POST', '/connection/http_stream', { body: connectLine({ token: push.token('anna') }) });
        await stream.until('the first line', (s) => s.lines.length === 1);
        assert.equal(stream.status, 200);
        quiet(stream.headers);
        if (port === push.port)
            assert.equal(stream.headers['transfer-encoding'], 'chunked');
        const { connect } = stream.lines[0];
        assert.match(connect.session, /^[\w-]{22,}$/);
        assert.equal(typeof connect.node, 'string');
        const channel = fresh('open');
        const up = await emulate(port, connect, `${JSON.stringify({ id: 2, subscribe: { channel } })}\n${JSON.stringify({ id: 3, publish: { channel, data: '𝄞ü' } })}`);
        assert.deepEqual([up.status, up.text], [204, '']);
        await stream.until('the replies', (s) => s.lines.some((line) => line.id === 3) && s.lines.some((line) => line.push?.pub));
        for (const chunk of stream.chunks)
            assert.ok(chunk.endsWith('\n'), 'whole lines');
        await emulate(port, connect, '{}');
        await push.ok('disconnect', { user: 'anna' });
        await stream.until('the end', (s) => s.ended);
        assert.deepEqual(stream.lines.at(-1), { push: { disconnect: { code: 3503, reason: 'force disconnect' } } });
        assert.equal((await emulate(port, connect, '{}')).status, 404);
    }
});

test('sse: events, by GET and by POST', async () => {
    const push = await started;
    for (const port of [push.port, push.webPort])
        for (const method of ['GET', 'POST']) {
            const line = connectLine({ token: push.token('ben') });
            const stream = new Stream(port, method, `/connection/sse${method === 'GET' ? `?x=1&cf_connect=${encodeURIComponent(line)}` : ''}`,
                method === 'POST' ? { body: line } : {});
            await stream.until('the first event', (s) => s.text.includes('\n\n'));
            assert.equal(stream.status, 200);
            assert.equal(stream.headers['content-type'], 'text/event-stream; charset=utf-8');
            quiet(stream.headers);
            assert.ok(stream.text.startsWith('\r\n'));
            const { connect } = stream.events[0];
            const channel = fresh('open');
            await emulate(port, connect, JSON.stringify({ id: 2, subscribe: { channel } }));
            await stream.until('subscribed', (s) => s.events.some((event) => event.id === 2));
            await push.publish(channel, { x: 1 });
            await stream.until('the publication', (s) => s.events.some((event) => event.push?.pub));
            await push.ok('disconnect', { user: 'ben', disconnect: { code: 4002, reason: 'later' } });
            await stream.until('the end', (s) => s.ended);
            assert.deepEqual(stream.events.at(-1), { push: { disconnect: { code: 4002, reason: 'later' } } });
        }
});

test('methods, bodies and sizes of the fallbacks', async () => {
    const push = await started;
    const ask = (method, target, body) => request(push.port, method, target, { body }).then(({ status }) => status);
    for (const method of ['GET', 'PUT', 'DELETE'])
        assert.equal(await ask(method, '/connection/http_stream'), 405, method);
    for (const method of ['PUT', 'DELETE'])
        assert.equal(await ask(method, '/connection/sse'), 405, method);
    assert.equal(await ask('GET', '/emulation'), 405);
    assert.equal(await ask('POST', '/connection/http_stream', ''), 400);
    for (const body of ['{}', 'x', '[]', '{"id":1}', '{"id":1,"subscribe":{"channel":"open:x"}}']) {
        const answer = await request(push.port, 'POST', '/connection/http_stream', { body });
        assert.ok(answer.status === 400 || answer.json.push.disconnect.code === 3501, `${body} ${answer.status} ${answer.text}`);
    }
    assert.equal(await ask('GET', '/connection/sse'), 400);
    assert.equal(await ask('GET', '/connection/sse?cf_connect='), 400);
    for (const text of ['%7B', '%zz', '%00', '%ff']) {
        const answer = await request(push.port, 'GET', `/connection/sse?cf_connect=${text}`);
        assert.ok(answer.status === 400 || answer.text.includes('"code":3501'), `${text} ${answer.status} ${answer.text}`);
    }
    assert.equal(await ask('POST', '/connection/sse', ''), 400);
    const long = connectLine({ token: 'x'.repeat(5000) });
    assert.equal(await ask('POST', '/connection/http_stream', long), 413);
    assert.equal(await ask('POST', '/connection/sse', long), 413);
    assert.equal(await ask('GET', `/connection/sse?cf_connect=${'%20'.repeat(30000)}`), 413);
    assert.equal(await ask('GET', `/connection/sse?cf_connect=&${'x'.repeat(60000)}`), 400);
    const stream = new Stream(push.port, 'POST', '/connection/http_stream', { body: connectLine() });
    await stream.until('connected', (s) => s.lines.length);
    const { session, node } = stream.lines[0].connect;
    for (const body of ['', 'x', '{}', '[]', { session, node }, { session, data: 5, node }, { session: 5, node, data: '{}' }])
        assert.ok([400, 404].includes(await ask('POST', '/emulation', body)), JSON.stringify(body));
    assert.equal(await ask('POST', '/emulation', 'x'), 400);
    for (const body of [{ session, node: 'other', data: '{}' }, { session: 'other', node, data: '{}' }, { session: session.slice(0, -1), node, data: '{}' }])
        assert.equal(await ask('POST', '/emulation', body), 404);
    assert.equal(await ask('POST', '/emulation', { session, node, data: 'x'.repeat(6000) }), 413);
    assert.equal(stream.ended, false, 'none of that touched it');
    assert.equal(await ask('POST', '/emulation', { session, node, data: 'nonsense' }), 204);
    await stream.until('the end', (s) => s.ended);
    assert.deepEqual(stream.lines.at(-1), { push: { disconnect: { code: 3501, reason: 'bad request' } } });
    const bad = new Stream(push.port, 'POST', '/connection/http_stream', { body: connectLine({ token: 'x' }) });
    await bad.until('the end', (s) => s.ended);
    assert.deepEqual(bad.lines, [{ push: { disconnect: { code: 3500, reason: 'invalid token' } } }]);
    const expired = new Stream(push.port, 'POST', '/connection/http_stream', { body: connectLine({ token: push.token('x', { exp: now() - 1 }) }) });
    await expired.until('an answer', (s) => s.lines.length);
    assert.equal(expired.lines[0].error.code, 109);
    expired.stop();
});

test('CORS for friends, nothing for others', async () => {
    const push = await started;
    for (const target of ['/connection/http_stream', '/connection/sse', '/emulation', '/connection/uni_sse', '/connection/uni_http_stream']) {
        const headers = { Origin: FRIEND, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type,x-own' };
        const { status, headers: got, text } = await request(push.port, 'OPTIONS', target, { headers });
        assert.deepEqual([status, text], [204, ''], target);
        assert.match(got['access-control-allow-methods'], /POST, OPTIONS/);
        assert.equal(got['access-control-allow-origin'], FRIEND);
        assert.equal(got['access-control-allow-credentials'], 'true');
        assert.equal(got['access-control-allow-headers'], 'content-type,x-own');
        for (const Origin of ['https://evil.example', 'null', `${FRIEND}.evil.example`, `${FRIEND}:444`, 'http://www.example.org', 'https://www.example.or', '', 'https://xwww.example.org', `${FRIEND}/`, `${FRIEND}\t@evil`]) {
            const other = await request(push.port, 'OPTIONS', target, { headers: { ...headers, Origin } });
            assert.equal(other.status, 403, `${target} ${Origin}`);
            assert.equal(other.headers['access-control-allow-origin'], undefined);
        }
    }
    const stream = new Stream(push.port, 'POST', '/connection/http_stream', { body: connectLine(), headers: { Origin: FRIEND } });
    await stream.until('connected', (s) => s.lines.length);
    assert.deepEqual([stream.headers['access-control-allow-origin'], stream.headers['access-control-allow-credentials']], [FRIEND, 'true']);
    const up = await emulate(push.port, stream.lines[0].connect, '{}', { headers: { Origin: FRIEND } });
    assert.deepEqual([up.status, up.headers['access-control-allow-origin']], [204, FRIEND]);
    stream.stop();
});

test('a wrong origin is refused everywhere, before anything else', async () => {
    const push = await started;
    const connect = encodeURIComponent(connectLine());
    for (const Origin of ['https://evil.example', 'null', 'file://', 'http://localhost', 'http://localhost:30000']) {
        for (const [method, target, body] of [['POST', '/connection/http_stream', connectLine()], ['POST', '/connection/sse', connectLine()], ['GET', `/connection/sse?cf_connect=${connect}`],
            ['POST', '/emulation', '{}'], ['POST', '/connection/uni_http_stream', '{}'], ['GET', '/connection/uni_sse?cf_connect=%7B%7D'], ['POST', '/connection/uni_sse', '{}']])
            assert.equal((await request(push.port, method, target, { body, headers: { Origin } })).status, 403, `${target} ${Origin}`);
        for (const target of ['/connection/websocket', '/connection/uni_websocket']) {
            const wire = push.wire({ target, headers: { Origin } });
            await wire.ended();
            assert.equal(wire.refused?.status, 403, `${target} ${Origin}`);
        }
    }
    await (await push.connected({}, { headers: { Origin: FRIEND } })).ask('unsubscribe', { channel: 'open:x' });
    await (await push.connected({}, { headers: { Origin: 'http://localhost:3000' } })).ask('unsubscribe', { channel: 'open:x' });
});

test('subprotocols', async () => {
    const push = await started;
    const json = push.wire({ protocols: ['centrifuge-json'] });
    await json.opened;
    assert.equal(json.ws.protocol, 'centrifuge-json');
    const both = push.wire({ protocols: ['centrifuge-protobuf', 'centrifuge-json'] });
    await both.opened;
    assert.equal(both.ws.protocol, 'centrifuge-json');
    for (const options of [{ protocols: ['centrifuge-protobuf'] }, { target: '/connection/websocket?format=protobuf' }, { target: '/connection/websocket?a=b&cf_protocol=protobuf' }]) {
        const wire = push.wire(options);
        await wire.ended();
        assert.equal(wire.refused?.status, 400, JSON.stringify(options));
    }
    const plain = await request(push.port, 'GET', '/connection/websocket');
    assert.ok([400, 426].includes(plain.status), `${plain.status}`);
});

test('messages in fragments, with pings between them; several lines, with empty ones', async () => {
    const push = await started;
    const wire = push.wire();
    await wire.opened;
    const text = `${connectLine({ name: 'x'.repeat(10) })}\n\n${JSON.stringify({ id: 2, subscribe: { channel: 'open:fragments' } })}\n`;
    let pongs = 0;
    wire.ws.on('pong', () => pongs++);
    for (let at = 0; at < text.length; at += 7) {
        wire.ws.send(text.slice(at, at + 7), { fin: at + 7 >= text.length });
        wire.ws.ping('between');
    }
    assert.ok((await wire.reply(2)).subscribe);
    await until('a pong', () => pongs >= 1);       /* the newest ping's may stand for all */
});

test('one-way: streams', async () => {
    const push = await started;
    const user = `one-way-${++serial}`;
    const channel = fresh('always');
    const token = push.token(user, { channels: [channel] });
    const query = encodeURIComponent(JSON.stringify({ token }));
    const streams = [
        [new Stream(push.port, 'POST', '/connection/uni_http_stream', { body: JSON.stringify({ token }) }), 'lines'],
        [new Stream(push.port, 'GET', `/connection/uni_sse?cf_connect=${query}`), 'events'],
        [new Stream(push.webPort, 'POST', '/connection/uni_sse', { body: JSON.stringify({ token }) }), 'events'],
    ];
    for (const [stream, kind] of streams) {
        await stream.until('the first', (s) => s[kind].length >= 1);
        const { connect } = stream[kind][0];
        assert.ok(connect.client && connect.subs[channel], JSON.stringify(connect));
    }
    await push.publish(channel, { n: 1 });
    for (const [stream, kind] of streams) {
        await stream.until('the publication', (s) => s[kind].some((one) => one.pub));
        assert.deepEqual(stream[kind].find((one) => one.pub).channel, channel);
        await stream.until('a ping', (s) => s[kind].some((one) => Object.keys(one).length === 0));
    }
    const client = streams[0][0].lines[0].connect.client;
    await push.ok('subscribe', { user, client, channel: fresh('open') });
    await streams[0][0].until('the subscription', (s) => s.lines.some((one) => one.subscribe));
    await push.ok('unsubscribe', { user, channel });
    for (const [stream, kind] of streams)
        await stream.until('unsubscribed', (s) => s[kind].some((one) => one.unsubscribe?.code === 2000));
    await push.ok('disconnect', { user });
    for (const [stream, kind] of streams) {
        await stream.until('the end', (s) => s.ended);
        assert.deepEqual(stream[kind].at(-1), { disconnect: { code: 3503, reason: 'force disconnect' } });
    }
    for (const [method, target, body] of [['POST', '/connection/uni_http_stream', 'x'], ['POST', '/connection/uni_http_stream', '[1]'],
        ['GET', '/connection/uni_sse?cf_connect=x'], ['POST', '/connection/uni_sse', '{"token":5}']])
        assert.equal((await request(push.port, method, target, { body })).status, 400, `${target} ${body}`);
});

test('one-way: WebSocket', async () => {
    const push = await started;
    const user = `one-way-${++serial}`;
    const channel = fresh('always');
    const params = { token: push.token(user, { channels: [channel] }) };
    const late = push.wire({ target: '/connection/uni_websocket' });
    await late.send(params);
    const early = push.wire({ target: `/connection/uni_websocket?cf_connect=${encodeURIComponent(JSON.stringify(params))}` });
    for (const wire of [late, early]) {
        const { connect } = await wire.find((line) => line.connect);
        assert.equal(wire.lines[0].connect, connect);
        assert.ok(connect.subs[channel]);
        await wire.send('nonsense');            /* read and ignored */
        await wire.send({ id: 1, subscribe: { channel: 'open:x' } });
    }
    await push.publish(channel, 1);
    for (const wire of [late, early])
        assert.deepEqual((await wire.find((line) => line.pub)).channel, channel);
    for (const wire of [late, early])
        await wire.find((line) => Object.keys(line).length === 0);
    await push.ok('disconnect', { user, disconnect: { code: 4003, reason: 'enough' } });
    for (const wire of [late, early]) {
        assert.deepEqual(await wire.ended(), { code: 4003, reason: 'enough' });
        assert.ok(!wire.lines.some((line) => line.disconnect || line.id));
    }
    for (const bad of ['x', '[]', '{"token":5}']) {
        const wire = push.wire({ target: '/connection/uni_websocket' });
        await wire.send(bad);
        assert.equal((await wire.ended()).code, 3501, bad);
    }
});

test('health, and what there is not', async () => {
    const push = await started;
    const health = await request(push.port, 'GET', '/health');
    assert.deepEqual([health.status, health.json], [200, {}]);
    for (const target of ['/', '/connection', '/connection/', '/connection/websocket/', '/connection/nosuch', '/emulation/', '/connection/../api/info', '/./health', '//health', '/HEALTH', '/health%00', '/connection/websocket%2f'])
        assert.equal((await request(push.port, 'GET', target)).status, 404, target);
});
