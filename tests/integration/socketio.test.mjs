/* socketio - the unmodified socket.io-client on every transport; both protocols packet by packet; bounds and abuse
 *
 * SPDX-License-Identifier: MIT
 */
import net from 'node:net';
import { raw, request } from '../lib/http.mjs';
import { test } from '../lib/instance.mjs';
import { TRANSPORTS, assert, echo, until, withEcho } from '../lib/socketio.mjs';

/* As the public suites of both layers want it; patient with machines that are busy. */
const suites = echo({ sio_ping_interval_ms: 600, sio_ping_timeout_ms: 400, sio_connect_timeout_ms: 2000 });
/* As it is served. */
const usual = echo({}, { lighttpd: true });

const LONG = 'x'.repeat(1000000 - 1);

/* ---- the library ---- */

for (const via of ['relay', 'lighttpd'])
    for (const transports of TRANSPORTS) {
        test(`${transports.join(', then ')} through ${via}`, async () => {
            const server = await usual;
            const client = await server.client({ via, transports, auth: { token: 'a', n: 1 } }, '/custom').ready();
            assert.deepEqual(await client.next('auth'), [{ token: 'a', n: 1 }]);
            if (transports[0] === 'polling' && transports[1])
                await client.upgraded();
            assert.equal(client.transport, transports.includes('websocket') ? 'websocket' : 'polling');
            client.sdk.emit('message', 1, 'zwei ☃', { three: [true, null] });
            assert.deepEqual(await client.next('message-back'), [1, 'zwei ☃', { three: [true, null] }]);
            assert.deepEqual(await client.ask('message-with-ack', 1, '2'), [1, '2']);
            const bytes = Buffer.from([0, 1, 0x1e, 255]);
            client.sdk.emit('message', bytes, { deep: [bytes] });
            assert.deepEqual(await client.next('message-back'), [bytes, { deep: [bytes] }]);
            assert.deepEqual(await client.ask('message-with-ack', bytes), [bytes]);
        });
    }

test('everything that is said around the move comes once and in order', async () => {
    const server = await usual;
    const client = await server.client({ via: 'lighttpd' }).ready();
    let n = 0;
    while (n < 200 || client.transport !== 'websocket') {
        client.sdk.emit('message', n++);
        await new Promise((resolve) => setImmediate(resolve));
        assert.ok(n < 100000, 'it does not move');
    }
    const last = await client.ask('message-with-ack', 'end');
    assert.deepEqual(last, ['end']);
    await until('all', () => client.events.filter(([name]) => name === 'message-back').length === n);
    assert.deepEqual(client.events.filter(([name]) => name === 'message-back').map(([, i]) => i), Array.from({ length: n }, (_, i) => i));
});

test('two namespaces share one connection, and leave it one by one', async () => {
    const server = await usual;
    const root = await server.client({ multiplex: true, forceNew: false }).ready();
    const custom = root.sdk.io.socket('/custom');       /* which connects by itself */
    await new Promise((resolve) => { custom.on('connect', resolve); });
    custom.disconnect();
    assert.deepEqual(await root.ask('message-with-ack', 1), [1]);
    const nowhere = root.sdk.io.socket('/nowhere');
    const error = await new Promise((resolve) => { nowhere.on('connect_error', resolve); });
    assert.equal(error.message, 'Invalid namespace');
    assert.deepEqual(await root.ask('message-with-ack', 2), [2]);
});

for (const transports of TRANSPORTS.slice(0, 3)) {
    test(`a client comes again by itself: ${transports.join(', then ')}`, async () => {
        await withEcho({}, async (server) => {
            const client = await server.client({ transports }).ready();
            /* In the middle of the move the library notices by its ping timeout only. */
            await until('the move', () => client.transport === transports.at(-1));
            await server.relay.restart();
            await client.next('(disconnect)');
            await client.ready();
            assert.deepEqual(await client.ask('message-with-ack', 'again'), ['again']);
            client.engine.close();
            await client.next('(disconnect)');
        });
    });
}

test('much at once, both ways', async () => {
    const server = await usual;
    for (const transports of [['polling'], ['websocket']]) {
        const client = await server.client({ transports }).ready();
        client.sdk.emit('message', LONG.slice(100));
        assert.equal((await client.next('message-back'))[0].length, LONG.length - 100);
    }
});

/* ---- Engine.IO, packet by packet ---- */

test('the open packet', async () => {
    const server = await suites;
    const poller = await server.poller();
    const wire = await server.socket();
    for (const [hello, upgrades] of [[poller.hello, ['websocket']], [wire.hello, []]]) {
        assert.deepEqual(Object.keys(hello), ['sid', 'upgrades', 'pingInterval', 'pingTimeout', 'maxPayload']);
        assert.match(hello.sid, /^[A-Za-z0-9_-]{20,}$/);
        assert.deepEqual([hello.upgrades, hello.pingInterval, hello.pingTimeout, hello.maxPayload], [upgrades, 600, 400, 1000000]);
    }
    const answer = await server.get('/engine.io?EIO=4&transport=polling&t=abc');
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /^text\/plain; charset=UTF-8$/i);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['access-control-allow-origin'], '*');
    assert.equal(answer.headers['set-cookie'], undefined);
});

test('handshakes that are refused', async () => {
    const server = await suites;
    const cases = [
        ['GET', 'transport=polling', 5], ['GET', 'EIO=abc&transport=polling', 5], ['GET', 'EIO=3&transport=polling', 5],
        ['GET', 'EIO=4', 0], ['GET', 'EIO=4&transport=abc', 0], ['POST', 'EIO=4&transport=polling', 2],
        ['PUT', 'EIO=4&transport=polling', 2], ['DELETE', 'EIO=4&transport=polling', 2],
        ['GET', 'EIO=4&transport=websocket', 3], ['GET', 'EIO=4&transport=polling&sid=abc', 1],
    ];
    for (const base of ['/engine.io/', '/socket.io/'])
        for (const [method, query, code] of cases) {
            const answer = await request(server.port, method, `${base}?${query}`);
            assert.equal(answer.status, 400, `${method} ${query}`);
            assert.equal(answer.json.code, code, `${method} ${query}: ${answer.text}`);
            assert.equal(answer.headers['access-control-allow-origin'], '*');
            assert.equal(answer.headers['content-type'], 'application/json');
        }
    for (const query of ['transport=websocket', 'EIO=abc&transport=websocket', 'EIO=4', 'EIO=4&transport=abc',
                         'EIO=4&transport=websocket&sid=abc']) {
        const wire = server.wire(`/engine.io/?${query}`);
        await wire.end();
        assert.equal(wire.refused.status, 400, query);
    }
    const preflight = await request(server.port, 'OPTIONS', '/engine.io/', {
        headers: { Origin: 'https://app.example', 'Access-Control-Request-Headers': 'x-one, x-two' } });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers['access-control-allow-methods'], 'GET,POST,OPTIONS');
    assert.equal(preflight.headers['access-control-allow-headers'], 'x-one, x-two');
});

test('packets by polling', async () => {
    const server = await suites;
    const poller = await server.poller();
    await poller.send('4hello');
    assert.equal(await poller.poll(), '4hello');
    await poller.send('4test1\x1e4test2\x1e4test3');
    assert.equal(await poller.poll(), '4test1\x1e4test2\x1e4test3');
    await poller.send('4hello\x1ebAQIDBA==');
    assert.equal(await poller.poll(), '4hello\x1ebAQIDBA==');
    const held = poller.get();
    await poller.send('4late');
    assert.equal((await held).text, '4late');
});

test('polling that ends a session', async () => {
    const server = await suites;
    let poller = await server.poller();
    assert.equal((await poller.post('abc')).status, 400);
    assert.equal((await poller.get()).status, 400);

    poller = await server.poller();
    const both = await Promise.all([poller.get(), poller.get()]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 400]);
    assert.equal(both.find(({ status }) => status === 200).text, '1');
    assert.equal((await poller.get()).json.code, 1);

    poller = await server.poller();
    const held = poller.get();
    await poller.send('1');
    assert.equal((await held).text, '6');
    assert.equal((await poller.get()).status, 400);
});

test('other requests leave a session alone', async () => {
    const server = await suites;
    const poller = await server.poller();
    assert.equal((await poller.call('PUT', '4x')).json.code, 3);
    assert.equal((await poller.post('4x', { headers: { 'Content-Type': 'application/octet-stream' } })).status, 400);
    assert.equal((await poller.call('HEAD')).status, 400);
    assert.equal((await poller.call('OPTIONS')).status, 204);
    await poller.send('4on');
    assert.equal(await poller.poll(), '4on');
});

test('packets by WebSocket', async () => {
    const server = await suites;
    const wire = await server.socket();
    wire.send('4hello', Buffer.from([1, 2, 3, 4]));
    assert.equal(await wire.next(), '4hello');
    assert.deepEqual(await wire.next(), Buffer.from([1, 2, 3, 4]));
    wire.send('bAQIDBA==');     /* of a client that is told to forceBase64 */
    assert.deepEqual(await wire.next(), Buffer.from([1, 2, 3, 4]));
    wire.send('abc');
    await wire.end();
    for (const packet of ['b!', '2', '', '0', '5', '6', '2probe']) {
        const other = await server.socket();
        other.send(packet);
        await other.end();
    }
    const leaving = await server.socket();
    leaving.send('1');
    await leaving.end();
});

test('pings and pongs', async () => {
    const server = await suites;
    const poller = await server.poller();
    const wire = await server.socket();
    for (let i = 0; i < 3; i++) {
        assert.equal(await poller.poll(), '2');
        await poller.send('3');
        assert.equal(await wire.next(), '2');
        wire.send('3');
    }
});

test('who does not answer a ping', async () => {
    const server = await suites;
    const wire = await server.socket();
    const poller = await server.poller();
    await wire.end();
    await until('the end of the other, too', async () => (await poller.get()).status === 400);
    assert.deepEqual(wire.packets, ['2']);
});

test('the move to a WebSocket', async () => {
    const server = await suites;
    const poller = await server.poller();
    const held = poller.get();
    const wire = await poller.socket();
    wire.send('2probe');
    assert.equal(await wire.next(), '3probe');
    assert.equal((await held).text, '6');
    assert.equal(await poller.poll(), '6');
    await poller.send('4queued');
    wire.send('5', '4hello');
    assert.equal(await wire.next(), '4queued');
    assert.equal(await wire.next(), '4hello');
    assert.equal((await poller.get()).json.code, 3);
    assert.equal((await poller.post('4x')).json.code, 3);
    const second = await poller.socket();
    await second.end();
    wire.send('4still');
    assert.equal(await wire.next(), '4still');
});

test('a move that fails leaves the session where it was', async () => {
    await withEcho({ sio_upgrade_timeout_ms: 300 }, async (server) => {
        const poller = await server.poller();
        const strange = await poller.socket();
        const second = await poller.socket();
        await second.end();
        strange.send('4x');
        await strange.end();
        const slow = await poller.socket();
        slow.send('2probe');
        await slow.end();
        await poller.send('4on');
        assert.equal(await poller.poll(), '4on');
        const good = await poller.socket();
        good.send('2probe', '5', '4moved');
        assert.equal(await good.next(), '3probe');
        assert.equal(await good.next(), '4moved');
    });
});

/* ---- Socket.IO, packet by packet ---- */

test('joining', async () => {
    const server = await suites;
    const wire = await server.socket('/socket.io/');
    wire.send('40{"token":"123"}');
    const reply = await wire.next();
    assert.deepEqual(Object.keys(JSON.parse(reply.slice(2))), ['sid']);
    assert.notEqual(JSON.parse(reply.slice(2)).sid, wire.hello.sid);
    assert.equal(await wire.next(), '42["auth",{"token":"123"}]');
    wire.send('40/custom,{"token":"abc"}');
    assert.match(await wire.next(), /^40\/custom,\{"sid":"[^"]+"\}$/);
    assert.equal(await wire.next(), '42/custom,["auth",{"token":"abc"}]');
    wire.send('40/random');
    assert.equal(await wire.next(), '44/random,{"message":"Invalid namespace"}');
    wire.send('41/custom', '42["message","still"]');
    assert.equal(await wire.next(), '42["message-back","still"]');
    wire.send('41');
    assert.equal(await wire.next(), '2');
});

test('what ends a session before it joins', async () => {
    const server = await suites;
    const invalid = await server.socket('/socket.io/');
    invalid.send('4abc');
    await invalid.end();
    const lazy = await server.socket('/socket.io/');
    lazy.ws.on('message', () => lazy.send('3'));
    await lazy.end();
    const twice = await server.joined();
    twice.send('40');
    await twice.end();
});

for (const namespace of ['', '/custom,']) {
    test(`events, acks and attachments in ${namespace || '/'}`, async () => {
        const server = await suites;
        const wire = await server.joined(namespace);
        wire.send(`42${namespace}["message",1,"2",{"3":[true]}]`);
        assert.equal(await wire.next(), `42${namespace}["message-back",1,"2",{"3":[true]}]`);
        wire.send(`42${namespace}456["message-with-ack",1,"2",{"3":[false]}]`);
        assert.equal(await wire.next(), `43${namespace}456[1,"2",{"3":[false]}]`);
        const both = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
        wire.send(`452-${namespace}["message",${both}]`, Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6]));
        assert.equal(await wire.next(), `452-${namespace}["message-back",${both}]`);
        assert.deepEqual([await wire.next(), await wire.next()], [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])]);
        wire.send(`452-${namespace}789["message-with-ack",${both}]`, Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6]));
        assert.equal(await wire.next(), `462-${namespace}789[${both}]`);
        assert.deepEqual([await wire.next(), await wire.next()], [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])]);
    });
}

test('what breaks the rules ends the session', async () => {
    const server = await suites;
    const bytes = Buffer.from('x');
    for (const packets of [['4abc'], ['42{}'], ['42[]'], ['42'], ['42abc["message-with-ack",1]'], ['42/custom,["message"]'],
                           ['44{"message":"x"}'], ['42["disconnect"]'], [bytes], ['451-["message"]', '42["message"]'],
                           ['450-["message"]'], ['4511-["message"]'], ['451-["message",{"_placeholder":true,"num":1}]', bytes]]) {
        const wire = await server.joined();
        wire.send(...packets);
        await wire.end();
    }
    const poller = await server.poller('/socket.io/');
    await poller.send('40');
    assert.equal((await poller.post('42{}')).status, 400);
    assert.equal((await poller.get()).status, 400);
});

/* ---- bounds and abuse ---- */

test('long messages, at the bound', async () => {
    const server = await usual;
    const wire = await server.socket();
    wire.send(`4${LONG}`);
    assert.equal((await wire.next()).length, 1000000);
    wire.send(`4${LONG}x`);
    assert.equal(await wire.end(), 1009);

    const poller = await server.poller();
    await poller.send(`4${LONG}`);
    assert.equal((await poller.poll()).length, 1000000);
    assert.equal((await poller.post(`4${LONG}x`)).status, 413);
    assert.equal((await poller.get()).json.code, 1);
    const chunked = await server.poller();
    assert.equal((await chunked.post(`4${LONG}x`, { chunked: true })).status, 413);
    assert.equal((await chunked.get()).json.code, 1);
});

test('text that is not UTF-8', async () => {
    const server = await usual;
    const wire = await server.socket();
    wire.ws.send(Buffer.from([0x34, 0xff]), { binary: false });
    assert.equal(await wire.end(), 1007);
    const poller = await server.poller();
    assert.equal((await poller.post(Buffer.from([0x34, 0xff]))).status, 400);
    assert.equal((await poller.get()).json.code, 1);
});

test('a second POST while one is on its way', async () => {
    const server = await usual;
    const poller = await server.poller();
    const half = net.connect(server.port, '127.0.0.1');
    half.on('error', () => {});
    half.write(`POST ${poller.target} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4ab`);
    let status = 200;
    for (let i = 0; i < 100 && status === 200; i++)         /* the first ones may overtake it */
        status = (await poller.post('4x')).status;
    assert.equal(status, 400);
    assert.equal((await poller.get()).json.code, 1);
    half.destroy();

    const before = server.endings('post_gone');
    const cut = await server.poller();
    const gone = net.connect(server.port, '127.0.0.1');
    gone.write(`POST ${cut.target} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4ab`, () => gone.end());
    await server.ended('post_gone', before + 1);
    assert.equal((await cut.get()).json.code, 1);
});

test('who leaves a held request leaves the session', async () => {
    const server = await usual;
    const before = server.endings('poll_gone');
    const poller = await server.poller();
    const held = net.connect(server.port, '127.0.0.1');
    held.write(`GET ${poller.target} HTTP/1.1\r\nHost: x\r\n\r\n`, () => setTimeout(() => held.destroy(), 20));
    await server.ended('poll_gone', before + 1);
    assert.equal((await poller.get()).json.code, 1);
});

test('sids are guessed in vain, and told to nobody', async () => {
    const server = await usual;
    const poller = await server.poller();
    const { sid } = poller.hello;
    for (const guess of [sid.slice(0, -1), `${sid}0`, sid.toUpperCase(), 'null', '%', sid.slice(1)])
        assert.equal((await server.get(`/engine.io/?EIO=4&transport=polling&sid=${guess}`)).json.code, 1, guess);
    assert.equal((await server.get(`/socket.io/?EIO=4&transport=polling&sid=${sid}`)).json.code, 1);
    await poller.send('4on');
    assert.equal(await poller.poll(), '4on');
    assert.ok(!server.relay.text().includes(sid));
});

test('sessions, queries and headers are bounded', async () => {
    await withEcho({ sio_sessions_max: 2, sio_target_max: 300 }, async (server) => {
        const target = '/engine.io/?EIO=4&transport=polling';
        assert.equal((await server.get(`${target}&x=${'y'.repeat(300)}`)).json.code, 3);
        assert.equal((await server.get(target, { headers: { Authorization: 'x'.repeat(301) } })).json.code, 3);
        const [first] = [await server.poller(), await server.poller()];
        const refused = await server.get(target);
        assert.equal(refused.status, 403);
        assert.equal(refused.json.code, 4);
        await first.send('1');
        await server.poller();
    });
});

test('slow clients are closed, at the bound', async () => {
    await withEcho({ sio_queue_packets: 10, sio_queue_bytes: 20000000 }, async (server) => {
        const poller = await server.poller();
        await poller.send(Array(10).fill('4').join('\x1e'));
        assert.equal(await poller.poll(), Array(10).fill('4').join('\x1e'));
        await poller.post(Array(11).fill('4').join('\x1e'));
        assert.equal((await poller.get()).json.code, 1);
        await server.ended('too_slow');
    });
    await withEcho({ sio_queue_bytes: 2000000 }, async (server) => {
        const wire = await server.socket();
        wire.ws.pause();
        for (let i = 0; i < 60 && wire.ws.readyState === 1; i++)
            wire.send(`4${LONG}`);
        await server.ended('too_slow');
        wire.ws.terminate();
    });
});

test('attachments have to follow', async () => {
    await withEcho({ sio_binary_timeout_ms: 200, sio_max_payload: 2000 }, async (server) => {
        const late = await server.joined();
        late.send('451-["message",{"_placeholder":true,"num":0}]');
        await late.end();
        await server.ended('attachments_late');
        const much = await server.joined();
        much.send('452-["message"]', Buffer.alloc(1000), Buffer.alloc(1000));
        await much.end();
    });
});

test('origins', async () => {
    await withEcho({ cors_allowed_origins: 'https://app.example' }, async (server) => {
        const target = '/engine.io/?EIO=4&transport=polling';
        const good = await server.get(target, { headers: { Origin: 'https://app.example' } });
        assert.equal(good.status, 200);
        assert.equal(good.headers['access-control-allow-origin'], 'https://app.example');
        assert.equal(good.headers.vary, 'Origin');
        const bad = await server.get(target, { headers: { Origin: 'https://evil.example' } });
        assert.equal(bad.status, 403);
        assert.equal(bad.headers['access-control-allow-origin'], undefined);
        const wire = server.wire('/engine.io/?EIO=4&transport=websocket', { headers: { Origin: 'https://evil.example' } });
        await wire.end();
        assert.equal(wire.refused.status, 403);
        assert.equal((await server.get(target)).status, 200);
    });
});

test('heads that are abused', async () => {
    const server = await usual;
    const line = 'GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n';
    for (const head of ['Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 12\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n',
                        'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n'])
        assert.match(await raw(server.port, `${line}${head}Connection: close\r\n\r\n`), /^HTTP\/1\.1 400 /);
    assert.match(await raw(server.port, 'GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nOrigin: http://a b\r\nConnection: close\r\n\r\n'),
        /"code":3/);
});

test('a relay that ends takes leave of everybody', async () => {
    await withEcho({}, async (server) => {
        const wire = await server.socket();
        const poller = await server.poller();
        const held = poller.get();
        await until('the request to be held', async () => (await poller.post('3')).status === 200);
        server.relay.stop();
        assert.equal(await wire.end(), 1001);
        assert.equal((await held).text, '1');
    });
});
