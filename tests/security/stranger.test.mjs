/* A stranger on the net: no credential, any bytes, as many connections as he likes. Plays docs/security.md.
 * SPDX-License-Identifier: MIT
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { assert } from '../lib/assert.mjs';
import { listening, request } from '../lib/http.mjs';
import { instance, test } from '../lib/instance.mjs';
import { run, withPush } from '../lib/push.mjs';
import { Rude, masked, upgrade } from '../lib/rude.mjs';
import { echo, withEcho } from '../lib/socketio.mjs';
import { until } from '../lib/wait.mjs';
import { everyRoute, leaks } from './routes.mjs';

const started = instance({ systems: 'mtchat,rooms,conversations,eventchat', auth: 'jwt', env: { CONFAB_RELAY_HANDSHAKE_S: '1', CONFAB_BODY_TIME_MS: '500', CONFAB_PUSH: '1', CONFAB_PUSH_API_LISTEN: '127.0.0.1:0' } });
const echoing = echo({ relay_handshake_s: 1, sio_connect_timeout_ms: 60000 });
const POLLING = '/socket.io/?EIO=4&transport=polling';
const SOCKET = '/socket.io/?EIO=4&transport=websocket';

test('One request is one request, whatever it claims to contain', async () => {
    const server = await echoing;
    const hidden = `GET ${POLLING} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    const post = (lines, body) => `POST ${POLLING} HTTP/1.1\r\nHost: x\r\n${lines}\r\n${body}${hidden}`;
    for (const [what, text] of Object.entries({
        'both lengths': post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
        'both, turned around': post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
        'two lengths': post(`Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n`, ''),
        'the same length twice': post('Content-Length: 0\r\nContent-Length: 0\r\n', ''),
        'a list of lengths': post('Content-Length: 0, 0\r\n', ''), 'a signed length': post('Content-Length: +0\r\n', ''),
        'a negative one': post('Content-Length: -1\r\n', ''), 'a hexadecimal one': post('Content-Length: 0x0\r\n', ''),
        'an empty one': post('Content-Length:\r\n', ''), 'one with a fraction': post('Content-Length: 0.0\r\n', ''),
        'an unknown coding': post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'), 'two codings': post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
        'a coding before it': post('Transfer-Encoding: identity, chunked\r\n', '0\r\n\r\n'), 'two lines of it': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n', '0\r\n\r\n'),
        'a space before the colon': post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'), 'a folded line': post('X: a\r\n Content-Length: 5\r\n', ''),
        'a vertical tab': post('Transfer-Encoding: \u000bchunked\r\n', '0\r\n\r\n'), 'a bare CR': post('X: a\rContent-Length: 5\r\n', ''),
        'bare LFs': post('', '').replaceAll('\r\n', '\n'), 'HTTP/1.0 in chunks': post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n').replace('HTTP/1.1', 'HTTP/1.0'),
        'a size with 0x': post('Transfer-Encoding: chunked\r\n', '0x0\r\n\r\n'), 'a size with a sign': post('Transfer-Encoding: chunked\r\n', '-0\r\n\r\n'),
        'an endless size': post('Transfer-Encoding: chunked\r\n', 'fffffffffffffffff\r\n'), 'chunks with bare LFs': post('Transfer-Encoding: chunked\r\n', '0\n\n'),
        'a body where none is read': `GET /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
        'a body of an upgrade': upgrade(SOCKET, `Content-Length: ${hidden.length}\r\n`) + hidden,
    })) {
        const rude = new Rude(server.port, text);
        await rude.end(what);
        assert.ok(rude.answers <= 1, `${what}: ${rude.text}`);
        assert.ok(!rude.text.includes('"sid"'), `${what}: ${rude.text}`);
    }
});

test('Behind a handshake that is refused no request follows', async () => {
    const server = await echoing;
    const hidden = `GET ${POLLING} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    for (const [what, head] of Object.entries({
        'another version': upgrade(SOCKET).replace('Version: 13', 'Version: 777'), 'no key': upgrade(SOCKET).replace(/Sec-WebSocket-Key.*\r\n/, ''),
        'nowhere': upgrade('/nowhere'), 'an unknown session': upgrade(`${SOCKET}&sid=x`),
    })) {
        const rude = new Rude(server.port, head + hidden);
        assert.match(await rude.end(what), /^HTTP\/1.1 40\d .*\r\nConnection: close\r\n/s);
        assert.equal(rude.answers, 1, `${what}: ${rude.text}`);
    }
});

test('Who sends slowly is ended: in a head, in a body, in a chunk, in a handshake', async () => {
    const server = await echoing, confab = await started;
    const slow = {
        'a head': [server.port, 'GET / HTTP/1.1\r\nHost: x\r\nX: '],
        'nothing': [server.port, ''],
        'a body': [server.port, `POST ${POLLING}&sid=${(await server.poller('/socket.io/')).sid} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n`],
        'a chunk': [server.port, `POST ${POLLING}&sid=${(await server.poller('/socket.io/')).sid} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n200\r\n`],
        'a head at the chat': [confab.relays[0].socket, 'GET /api/v1/ws HTTP/1.1\r\nX: '],
    };
    const all = Object.entries(slow).map(([what, [where, text]]) => [what, new Rude(where, text)]);
    const drip = setInterval(() => all.forEach(([, rude]) => rude.over || rude.socket.write('4')), 100);
    for (const [what, rude] of all)
        assert.ok(!/HTTP\/1.1 [25]/.test(await rude.end(what)), `${what}: ${rude.text}`);
    clearInterval(drip);
});

test('In a crowd that says nothing, who speaks is served', async () => withEcho({}, async (server) => {
    const crowd = Array.from({ length: 2500 }, () => new Rude(server.port, 'GET / HTTP/1.1\r\n'));
    for (let i = 0; i < 20; i++)
        assert.equal((await server.get(`${POLLING}&i=${i}`)).status, 200);
    assert.ok(crowd.some((rude) => rude.over), 'the oldest has gone');
    crowd.forEach((rude) => rude.socket.destroy());
}));

test('Sessions that join nothing make room for newcomers, those that have joined stay', async () => withEcho({ sio_sessions_max: 5 }, async (server) => {
    const joined = [await server.joined(), await server.joined()];
    const crowd = [];
    for (let i = 0; i < 40; i++)
        crowd.push(await server.poller('/socket.io/'));
    assert.deepEqual([(await crowd[0].post('40')).status, (await crowd.at(-1).post('40')).status], [400, 200]);
    joined.push(await server.joined(), await server.joined());
    for (const wire of joined) {
        wire.send('42["message","here"]');
        assert.equal(await wire.next(), '42["message-back","here"]');
    }
    assert.equal((await server.get(POLLING)).status, 403);
}));

const resident = (process) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))[1]) / 1024;

test('Messages that never end take a bounded memory, and who sends the rest at once is heard', async () => withEcho({ sio_connect_timeout_ms: 60000 }, async (server) => {
    const before = resident(server.relay);
    const piece = (first) => masked(first, 'x'.repeat(60000));
    const honest = await server.joined();
    const crowd = [];
    for (let i = 0; i < 110; i++) {        /* 100 MB of what may be 64 */
        const rude = await new Rude(server.port, upgrade(SOCKET)).upgraded();
        rude.socket.write(Buffer.concat([piece(0x01), ...Array.from({ length: 15 }, () => piece(0x00))]));
        crowd.push(rude);
    }
    await until('the oldest to be told', () => crowd.filter((rude) => rude.over || rude.got.includes(Buffer.from('too much is on its way'))).length > 20);
    assert.ok(crowd.at(-1).over === false);
    honest.send(`42["message","${'y'.repeat(100000)}"]`);
    assert.ok((await honest.next()).includes('yyyy'));
    const grown = resident(server.relay) - before;
    const sanitized = server.relay.text().includes('Sanitizer') || readFileSync(`/proc/${server.relay.pid}/maps`, 'utf8').includes('libasan');
    assert.ok(grown < (sanitized ? 600 : 130), `${grown} MB`);
    crowd.forEach((rude) => rude.socket.destroy());
}));

test('Nothing is kept of attachments for a namespace that was not joined', async () => {
    const server = await echoing;
    const wire = await server.socket('/socket.io/');
    wire.send(`451-["message","${'x'.repeat(500000)}",{"_placeholder":true,"num":0}]`);
    assert.ok([1000, 1005, 1006].includes(await wire.end()));
    const poller = await server.poller('/socket.io/');
    assert.equal((await poller.post('451-["message",{"_placeholder":true,"num":0}]')).status, 400);
});

test('What is refused tells nothing of the inside', async () => {
    const confab = await started;
    const odd = ['', 'x', '0', '-1', '%00', '%ff', "'", '"', '%27%3b--', '../../etc/passwd', '..%2f..%2fetc%2fpasswd', '9223372036854775808', '%F0%9F%8E%AD', '%0d%0aX:y', '{}', 'NaN'];
    const bodies = ['', '{', '[]', 'null', '{"a":1}', '\u0000', '"', '{"title":{"$ne":null}}'];
    for (const { method, target } of await everyRoute(confab, (i) => odd[i % odd.length]))
        for (const headers of [{}, { Authorization: 'Bearer x' }, { Authorization: 'Bearer a.b.c' }, { 'X-Scope-Config': '%' }]) {
            const answer = await request(confab.port, method, target, { headers, body: method === 'GET' ? undefined : bodies[target.length % bodies.length] });
            assert.ok(answer.status !== 500 && !leaks(confab, answer), `${method} ${target}: ${answer.status} ${answer.text}`);
        }
    for (const text of ['GET / HTTP/9.9\r\n\r\n', 'X\r\n\r\n', '\u0000\r\n\r\n', `GET /${'x'.repeat(20000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 'POST /api/v1/dialogs HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n'])
        assert.ok(!leaks(confab, { text: await new Rude(confab.port, text.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')).end(text), headers: {} }));
});

test('Outside there are no figures, no server API, no operator\'s page, no file but those of the demo', async () => {
    const confab = await started;
    for (const target of ['/metrics', '/api/publish', '/api/info', '/admin/figures', '/admin/tail?channel=x', '/emulation/../metrics', '/connection/../metrics', '/connection/%2e%2e/metrics', '/connection/..%2fapi/info',
        '/socket.io/../metrics', '//metrics', '/%6detrics', '/;/metrics', '/confab.db', '/state/confab.db', '/.htaccess', '/.git/config', '/%2egit/config', '/../state/confab.db', '/..%2f..%2fetc/passwd',
        '/js/..%2f..%2f..%2f..%2f..%2fetc/passwd', '/js/%2e%2e/%2e%2e/%2e%2e/deploy/confab.conf', '/js/..\\..\\x', '/js/x%00.js', '/js/'])
        for (const method of ['GET', 'POST']) {
            const { status, text } = await request(confab.port, method, target, { headers: { 'X-API-Key': 'x' }, body: method === 'GET' ? undefined : '{}' });
            assert.ok(status >= 400 && status < 500, `${method} ${target}: ${status}`);
            assert.ok(!/root:|SQLite format|process_|state =/.test(text), target);
        }
    for (const target of ['/metrics', '/admin/', '/api/publish'])
        assert.match(await new Rude(confab.relays[0].socket, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`).end(target), /^HTTP\/1.1 40[14] /);
    assert.ok(await listening(confab.relays[0].socket));
});

test('TLS of the relay\'s own begins with 1.2 and is not renegotiated', async () => {
    const make = async (push) => {
        await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
            '-keyout', path.join(push, 'key.pem'), '-out', path.join(push, 'cert.pem')]);
    };
    const { mkdtempSync, rmSync } = await import('node:fs');
    const dir = mkdtempSync('/tmp/confab-tls-');
    try {
        await make(dir);
        await withPush({ settings: { relay_tls_certificate: `${dir}/cert.pem`, relay_tls_key: `${dir}/key.pem` } }, async (push) => {
            const open = (options) => new Promise((resolve) => {
                const socket = tls.connect({ host: '127.0.0.1', port: push.port, rejectUnauthorized: false, ...options }, () => resolve(socket));
                socket.on('error', (error) => resolve(error.code ?? error.message));
            });
            for (const version of ['TLSv1', 'TLSv1.1'])
                assert.equal(typeof await open({ minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' }), 'string', version);
            const good = await open({ maxVersion: 'TLSv1.2' });
            assert.equal(good.getProtocol(), 'TLSv1.2');
            const told = await new Promise((resolve) => {
                good.removeAllListeners('error');
                good.on('error', (error) => resolve(error.message));
                good.renegotiate({}, (error) => resolve(error ? error.message : ''));
            });
            assert.notEqual(told, '');
            good.destroy();
        });
    } finally {
        rmSync(dir, { recursive: true, force: true });
    }
});
