/* What somebody with bad intentions may try against the push server. Whatever it is: it ends there, and a bystander
 * goes on hearing everything.
 * SPDX-License-Identifier: MIT
 */
import { deflateRawSync } from 'node:zlib';
import { request } from '../lib/http.mjs';
import { test } from '../lib/instance.mjs';
import { Rude, masked, upgrade as knock } from '../lib/rude.mjs';
import { KEY, assert, mint, numbers, pushServer, until, SECRET, withPush, within } from '../lib/push.mjs';

const started = pushServer({
    api: 'own',
    settings: { push_message_max: 8192, push_stale_s: 2, push_commands_per_s: 50, push_bytes_per_s: 200000, push_errors_max: 10, push_channels_per_client: 20,
                push_allowed_origins: 'https://www.example.org', relay_handshake_s: 2, push_drain_s: 0 },
    channels: { secret: { subscribe: 'token' } },
});

let bystander = null;
async function unharmed(push) {
    bystander ??= (async () => {
        const wire = await push.connected('bystander');
        wire.ws.on('message', (data) => data.toString().split('\n').includes('{}') && wire.ws.send('{}'));
        await wire.ask('subscribe', { channel: 'open:bystander' });
        return wire;
    })();
    const wire = await bystander;
    const mark = `mark ${Math.random()}`;
    await push.publish('open:bystander', mark);
    await wire.find((line) => line.push?.pub?.data === mark);
    assert.ok(push.relay.running);
    assert.equal(push.relay.starts, 1);
}

const upgrade = (more) => knock('/connection/websocket', more);

test('tokens of others, and forged ones', async () => {
    const push = await started;
    const wire = await push.connected('mallory');
    const refused = async (token, channel) => {
        const one = await push.connected('mallory');
        await one.send({ id: 5, subscribe: { channel, token } });
        await until('an answer', () => one.closed || one.lines.some((line) => line.id === 5));
        assert.ok(one.closed?.code === 3500 || one.lines.some((line) => line.error?.code === 103), JSON.stringify([one.closed, one.lines]));
        one.terminate();
    };
    await refused(push.pass('anna', 'secret:1'), 'secret:1');
    await refused(push.pass('mallory', 'secret:1'), 'secret:2');
    await refused(push.pass('mallory', 'secret:1', { client: wire.hello.client }), 'secret:1');
    await refused(mint({ sub: 'mallory', channel: 'secret:1' }, SECRET, { alg: 'none' }), 'secret:1');
    await refused(mint({ sub: 'mallory', channel: 'secret:1' }, ''), 'secret:1');
    await refused(mint({ sub: 'mallory', channel: 'secret:1' }, SECRET, { alg: 'HS256', header: { alg: 'RS256' } }), 'secret:1');
    await refused(mint({ sub: 'mallory', channel: 'secret:1\u0000' }, SECRET), 'secret:1');
    await unharmed(push);
});

test('compression is not spoken: a bomb is no message', async () => {
    const push = await started;
    const offered = push.wire({ perMessageDeflate: true });
    await offered.opened;
    assert.equal(offered.ws.extensions, '');
    const bomb = deflateRawSync(Buffer.alloc(1 << 22, 0x20));
    assert.ok(bomb.length < 8000);
    const rude = await new Rude(push.port, upgrade('Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame\r\n')).upgraded();
    rude.socket.write(masked(0xc1, bomb));
    assert.ok([null, 1002].includes(await rude.closeCode('a bomb')));
    const gzip = await request(push.port, 'POST', '/connection/http_stream', { body: bomb, headers: { 'Content-Encoding': 'gzip' } });
    assert.ok(gzip.status >= 400 || gzip.text.includes('"code":350'), `${gzip.status} ${gzip.text}`);
    await unharmed(push);
});

test('too long, without end, and out of order', async () => {
    const push = await started;
    const long = await push.connected('long');
    await long.send(JSON.stringify({ id: 7, publish: { channel: 'open:x', data: 'x'.repeat(9000) } }));
    assert.equal((await long.ended()).code, 1009);
    const endless = await new Rude(push.port, upgrade()).upgraded();
    endless.socket.write(masked(0x01, '{"id":1,"connect":{"token":"'));
    for (let i = 0; i < 500 && !endless.over; i++)
        endless.socket.write(masked(0x00, 'x'.repeat(100)));
    assert.ok([null, 1009].includes(await endless.closeCode('endless fragments')));
    const empty = await new Rude(push.port, upgrade()).upgraded();      /* fragments of nothing: the deadline ends them */
    empty.socket.write(masked(0x01, ''));
    const more = setInterval(() => empty.socket.write(Buffer.concat(numbers(100).map(() => masked(0x00, '')))), 20);
    assert.ok([null, 3502, 1002, 3013, 1008, 3501].includes(await empty.closeCode('empty fragments')));
    clearInterval(more);
    for (const [what, ...frames] of [
        ['a length beyond reason', masked(0x81, 'x', [127, 0x7f, 255, 255, 255, 255, 255, 255, 255])], ['an unmasked frame', Buffer.from([0x81, 2, 0x7b, 0x7d])],
        ['a reserved bit', masked(0xa1, '{}')], ['a reserved opcode', masked(0x87, 'x')], ['a long ping', masked(0x89, 'x'.repeat(200))],
        ['a continuation of nothing', masked(0x80, '{}')], ['a message inside another', masked(0x01, '{'), masked(0x81, '{}')],
        ['bytes that are no text', masked(0x81, Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d]))], ['noise', Buffer.from(numbers(400).map((i) => (i * 89 + 13) & 255))],
    ]) {
        const rude = await new Rude(push.port, upgrade()).upgraded();
        for (const frame of frames)
            rude.socket.write(frame);
        const code = await rude.closeCode(what);
        assert.ok([null, 1002, 1007, 1009, 3501, 3502].includes(code), `${what}: ${code}`);
    }
    await unharmed(push);
});

test('slow heads, slow bodies, and those who say nothing', async () => {
    const push = await started;
    const body = new Rude(push.port, 'POST /connection/http_stream HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    const head = new Rude(push.port, 'GET /connection/websocket HTTP/1.1\r\nHost: x\r\n');
    const silent = new Rude(push.port);
    const drip = setInterval(() => {
        head.socket.write('X');
        body.socket.write(' ');
    }, 100);
    for (const [what, one] of Object.entries({ head, body, silent }))
        assert.ok(!(await one.end(what)).startsWith('HTTP/1.1 200'), what);
    clearInterval(drip);
    await unharmed(push);
});

test('floods of pings, pongs, commands, bytes and bad subscribes', async () => {
    const push = await started;
    const pings = await new Rude(push.port, upgrade()).upgraded();
    pings.socket.write(Buffer.concat(numbers(5000).map(() => masked(0x89, 'p'))));
    assert.ok([null, 3502, 1008, 3013].includes(await pings.closeCode('pings')));
    const pongs = await push.connected('pongs');
    const flood = setInterval(() => pongs.closed || pongs.ws.send(numbers(50).map(() => '{}').join('\n')), 5);
    const end = await pongs.ended();
    clearInterval(flood);
    assert.equal(end.code, 3013);
    const subscriber = await push.connected('subscriber');
    await subscriber.send(...numbers(40).map((n) => ({ id: 10 + n, subscribe: { channel: `open:flood-${n}` } })));
    assert.equal((await subscriber.ended()).code, 3509);
    assert.ok(subscriber.lines.filter((line) => line.subscribe).length <= 20);
    const bytes = await push.connected('bytes');
    for (let i = 0; i < 40; i++)
        await bytes.send(JSON.stringify({ id: 10 + i, publish: { channel: 'open:x', data: 'x'.repeat(8000) } }));
    assert.equal((await bytes.ended()).code, 3013);
    await until('none of them left', async () => Object.keys((await push.ok('channels', { pattern: 'open:flood-*' })).channels).length === 0);
    await unharmed(push);
});

test('deep and odd JSON', async () => {
    const push = await started;
    for (const text of [`{"id":5,"publish":{"channel":"open:x","data":${'['.repeat(3000)}${']'.repeat(3000)}}}`, `{"id":5,"publish":${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}}`,
        '{"id":5,"id":6,"publish":{}}', '{"id":1e1,"publish":{}}', '{"id":5,"publish":{"channel":"open:x","data":1}}\u0000', '{"id":5,"publish":{"channel":"open:\\u0000","data":1}}',
        '{"id":5,"publish":{"channel":"open:x","data":01}}', '{"id":5,"publish":{"channel":"open:x","data":NaN}}', '{"id":5,"publish":{"channel":"open:\\ud800","data":1}}', "{'id':5}"]) {
        const wire = await push.connected('odd');
        await wire.send(text);
        await until(text.slice(0, 60), () => wire.closed || wire.lines.some((line) => line.id > 1));
        assert.ok(wire.closed?.code === 3501 || wire.lines.some((line) => line.error), `${text.slice(0, 60)} ${JSON.stringify(wire.lines)}`);
        wire.terminate();
    }
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const answer = await push.api('publish', `{"channel":"open:x","data":${deep}}`);
    assert.ok(answer.status === 400 || answer.json.error, answer.text);
    await unharmed(push);
});

test('line ends and lookalikes in what publishers and users write', async () => {
    const push = await started;
    const wire = await push.connected({ token: push.token('{"push":{}}\u2028"', { info: { x: '\n{"id":1}\n' } }) });
    await wire.ask('subscribe', { channel: 'always:lines' });
    const nasty = '\r\n{"push":{"disconnect":{"code":3500,"reason":"x"}}}\n\u2028\u2029\u0000"\\';
    const told = await push.api('publish', `{"channel":"always:lines","data":\r\n[\n${JSON.stringify(nasty)}\r\n,\n\n1]\r\n,"tags":{"a":${JSON.stringify(nasty.replace('\u0000', ''))}}}`);
    assert.ok(told.json?.result, told.text);
    const { pub } = await wire.push('pub');
    assert.deepEqual([pub.data, pub.tags], [[nasty, 1], { a: nasty.replace('\u0000', '') }]);
    assert.deepEqual((await wire.push('join')).join.info.conn_info, { x: '\n{"id":1}\n' });
    const own = await wire.ask('publish', { channel: 'always:lines', data: nasty });
    assert.equal(own.error.code, 103);
    await unharmed(push);
});

test('heads no library would write', async () => {
    const push = await started;
    const many = (n, line) => numbers(n).map(line).join('');
    for (const [what, text] of Object.entries({
        'many lines': upgrade(many(3000, (i) => `X-${i}: y\r\n`)), 'a long line': upgrade(`X: ${'y'.repeat(100000)}\r\n`), 'a long path': `GET /connection/websocket?${'x'.repeat(100000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
        'no version': 'GET /health\r\n\r\n', 'another version': 'GET /health HTTP/3.7\r\nHost: x\r\n\r\n', 'a NUL': 'GET /health HTTP/1.1\r\nHost: x\r\nX: a\u0000b\r\n\r\n',
        'a folded line': 'GET /health HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n', 'a space before the colon': 'GET /health HTTP/1.1\r\nHost : x\r\n\r\n',
        'no name': 'GET /health HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n', 'two hosts': 'GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', 'a proxy\'s target': 'GET http://evil.example/health HTTP/1.1\r\nHost: x\r\n\r\n',
        'CONNECT': 'CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n', 'TLS': Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 13, 10, 13, 10]), 'two origins': upgrade('Origin: https://www.example.org\r\nOrigin: https://evil.example\r\n'),
        'an old WebSocket': upgrade().replace('13', '8'), 'a bad key': upgrade().replace(/Key: .*/, 'Key: x'), 'no key': upgrade().replace(/Sec-WebSocket-Key.*\r\n/, ''),
        'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    })) {
        const rude = new Rude(push.port, text);
        await until(what, () => rude.over || rude.got.length > 0);
        assert.ok(!/^HTTP\/1\.\d (101|50[0-4])/.test(rude.got.toString('latin1')), `${what}: ${rude.got.toString('latin1').slice(0, 200)}`);
        rude.socket.destroy();
    }
    await unharmed(push);
});

test('requests inside requests', async () => {
    const push = await started;
    const inner = `POST /api/publish HTTP/1.1\r\nHost: x\r\nX-API-Key: ${KEY}\r\nContent-Length: 39\r\n\r\n{"channel":"open:smuggled","data":true}`;
    const outer = (lines, body) => `POST /api/info HTTP/1.1\r\nHost: x\r\nX-API-Key: ${KEY}\r\n${lines}\r\n${body}`;
    for (const [what, text] of Object.entries({
        'both lengths': outer('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${inner}`), 'both, turned around': outer('Transfer-Encoding: chunked\r\nContent-Length: 6\r\n', `0\r\n\r\n${inner}`),
        'two lengths': outer(`Content-Length: 2\r\nContent-Length: ${2 + inner.length}\r\n`, `{}${inner}`), 'a list of lengths': outer('Content-Length: 2, 3\r\n', `{}${inner}`),
        'a signed length': outer('Content-Length: +2\r\n', `{}${inner}`), 'a negative length': outer('Content-Length: -1\r\n', `{}${inner}`), 'hexadecimal': outer('Content-Length: 0x2\r\n', `{}${inner}`),
        'an endless length': outer('Content-Length: 99999999999999999999999\r\n', `{}${inner}`), 'two encodings': outer('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', `0\r\n\r\n${inner}`),
        'an unknown encoding': outer('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${inner}`), 'chunked, not last': outer('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${inner}`),
        'a bad chunk': outer('Transfer-Encoding: chunked\r\n', `zz\r\n{}\r\n0\r\n\r\n${inner}`), 'an endless chunk': outer('Transfer-Encoding: chunked\r\n', `fffffffffffffffff\r\n{}\r\n0\r\n\r\n${inner}`),
        'a hidden header': outer('Content-Length : 2\r\n', `{}${inner}`), 'a vertical tab': outer('Transfer-Encoding: \u000bchunked\r\n', `0\r\n\r\n${inner}`),
    })) {
        const rude = new Rude(push.apiPort, text);
        await until(what, () => rude.over || rude.got.length > 0);
        const heard = (await rude.end(what)).split('HTTP/1.1 ').length - 1;
        assert.ok(heard <= 1, `${what}: ${heard} answers`);
        rude.socket.destroy();
    }
    assert.equal((await push.ok('history', { channel: 'open:smuggled' })).offset, 0);
    /* what is allowed: one after the other, well formed */
    const good = new Rude(push.apiPort, outer('Content-Length: 2\r\n', `{}${inner}`));
    await until('two answers', () => good.got.toString('latin1').split('HTTP/1.1 200').length === 3);
    good.socket.destroy();
    assert.equal((await push.ok('history', { channel: 'open:smuggled' })).offset, 1);
    await unharmed(push);
});

test('sessions of streams cannot be guessed, used from elsewhere after the end, or mixed up', async () => {
    const push = await started;
    const open = async () => {
        const client = await push.client({ user: 'streamer', transport: 'http_stream' }).ready();
        return { client, session: client.sdk._session, node: client.sdk._node };
    };
    const [one, two] = [await open(), await open()];
    assert.ok(one.session.length >= 22 && one.session !== two.session);
    assert.ok(!one.session.includes(one.client.id) && one.session !== one.client.id);
    const send = (session, node = one.node) => request(push.port, 'POST', '/emulation', { body: { session, node, data: '{"id":99,"publish":{"channel":"open:guess","data":1}}' } });
    for (const guess of [one.client.id, '', ' ', '0', one.session.toUpperCase() === one.session ? one.session.toLowerCase() : one.session.toUpperCase(), one.session.slice(1), `${one.session}0`, `${one.session}\u0000`, '*', '../', '%00'])
        assert.ok([400, 404].includes((await send(guess)).status), guess);
    assert.equal((await send(one.session)).status, 204);
    const { connections } = await push.ok('connections', { user: 'streamer' });
    assert.ok(!JSON.stringify(connections).includes(one.session), 'operators are not shown sessions');
    one.client.stop();
    await until('its end', async () => (await send(one.session)).status === 404);
    two.client.stop();
    await unharmed(push);
});

test('the clients\' port knows nothing of servers and operators', async () => {
    const push = await started;
    const paths = ['/api/publish', '/api/info', '/metrics', '/admin', '/admin/', '/admin/tail?channel=open:x', '/api/../metrics', '//metrics', '/connection/../metrics', '/%6detrics', '/health/../metrics',
        '/connection/%2e%2e/metrics', '/metrics?', '/metrics/', '/METRICS', '/;/metrics', '/connection/websocket/../../metrics'];
    for (const path of paths)
        for (const method of ['GET', 'POST']) {
            const { status, text } = await request(push.port, method, path, { headers: { 'X-API-Key': KEY }, body: '{}' });
            assert.ok([404, 405, 400].includes(status), `${method} ${path}: ${status} ${text.slice(0, 100)}`);
        }
    for (const path of ['/metrics', '/admin/tail?channel=open:x', '/api/info'])
        for (const headers of [{}, { 'X-API-Key': 'x' }, { Authorization: `Bearer ${KEY}` }]) {
            const { status, text } = await request(push.apiPort, path === '/api/info' ? 'POST' : 'GET', path, { headers, body: '' });
            assert.deepEqual([status, text], [401, ''], path);
        }
    for (const path of ['/connection/websocket', '/emulation', '/admin/../api/info', '/admin/..%2f..%2fetc/passwd', '/admin/../../etc/passwd', '/admin/%2e%2e/%2e%2e/etc/passwd', '/admin/.', '/admin/index.html%00.js'])
        assert.ok([400, 404, 405].includes((await request(push.apiPort, 'GET', path, { headers: { 'X-API-Key': KEY } })).status), path);
    await unharmed(push);
});

test('one address may not take every place', async () => {
    await withPush({ settings: { push_clients_per_address: 3, push_stale_s: 2 } }, async (push) => {
        const idle = numbers(3).map(() => push.wire());
        await Promise.all(idle.map((wire) => wire.opened));
        const fourth = push.wire();
        await fourth.ended();
        assert.equal(fourth.refused?.status, 429);
        assert.ok(Number(fourth.refused.headers['retry-after']) > 0);
        assert.equal((await request(push.port, 'POST', '/connection/http_stream', { body: '{"id":1,"connect":{}}' })).status, 429);
        idle[0].terminate();
        await within('a place', (async () => {
            for (;;) {
                const next = push.wire();
                if (await next.opened)
                    return next.terminate();
            }
        })());
    });
});
