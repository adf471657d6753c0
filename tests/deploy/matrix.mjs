/* matrix - what must hold behind every web server, however it reaches the handlers
 *
 *     matrix('apache-fcgid');
 *
 * The configurations are the shipped ones; programs and servers run as an account without rights.
 *
 * SPDX-License-Identifier: MIT
 */
import { readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { io } from 'socket.io-client';
import { assert } from '../lib/assert.mjs';
import { Follower, history } from '../lib/follower.mjs';
import { request } from '../lib/http.mjs';
import { ADMIN, SECRET, instance, test, withInstance } from '../lib/instance.mjs';
import { mint, now } from '../lib/jwt.mjs';
import { Socket } from '../lib/socket.mjs';
import { until, within } from '../lib/wait.mjs';
import { WEB } from '../lib/webserver.mjs';
import { attacks } from './attacks.mjs';
import { eventSockets, photos } from './photos.mjs';

const MiB = 1 << 20;
/* Under load more is missed than a socket is usually given. */
const SETTINGS = { CONFAB_RESUME_MAX: '100000', CONFAB_SIO_CONFORMANCE: '1', CONFAB_BODY_MAX: String(8 * MiB) };
const HINTS = [1001, 1012];
const SLOWEST_MS = 3000;        /* for whom others keep waiting; a machine under load needs some of it by itself */

/* Answers of the handlers, and not of the web server, have an id. */
const byHandler = (answer) => 'x-request-id' in answer.headers;

const options = (web, more = {}) => ({ web, stage: true, auth: 'jwt', handlers: 3, ...more, env: { ...SETTINGS, ...more.env } });

/* Everything that any program has written down. */
const logs = (confab) => readdirSync(confab.dir).filter((name) => name.endsWith('.log'))
    .map((name) => readFileSync(path.join(confab.dir, name), 'utf8')).join('\n');

/* ---- what works ---- */

async function rest(confab) {
    const dialog = await confab.dialog(['a', 'b'], { object_type: 'a/b', object_id: 'ü +%/?' });
    const found = await confab.admin.ok('POST', '/dialogs/search', { object_type: 'a/b', object_id: 'ü +%/?', access_scopes: [] });
    assert.ok(found === null || found.id === dialog);
    const sent = await confab.api('a').send(dialog, 'ü ☃ %2F');
    const { messages } = await confab.api('b').messages(dialog, '?limit=1');
    assert.deepEqual([messages[0].id, messages[0].content], [sent.id, 'ü ☃ %2F']);
    const edited = await confab.api('a').put(`/dialogs/${dialog}/messages/${sent.id}`, { content: 'edited' });
    assert.equal(edited.status, 200, edited.text);
    assert.equal((await confab.api('a').delete(`/dialogs/${dialog}/messages/${sent.id}`)).status, 204);

    /* a slash within a piece of the path stays within it, a long piece is no file's name */
    const object = await confab.api('b').get('/dialogs/by-object/a%2Fb/%C3%BC%20+%25%2F%3F');
    assert.ok(byHandler(object) && object.status === 200, object.text);
    for (const target of [`/dialogs/${'x'.repeat(3000)}/messages`, '/dialogs//messages', '/no/such/thing/'])
        assert.ok(byHandler(await confab.api('b').get(target)), target);
    const etag = (await confab.api('b').get('/sync')).headers.etag;
    assert.equal((await confab.api('b').get('/sync?since=0')).status, 200);
    assert.match(etag, /^"\d+"$/);
    assert.equal((await confab.api('b').get('/sync', { headers: { 'If-None-Match': etag } })).status, 304);

    const stranger = await confab.nobody.get('/api/v1/dialogs');
    assert.deepEqual([stranger.status, stranger.headers['www-authenticate']], [401, 'Bearer']);
    const broken = await confab.nobody.get('/api/v1/%ff%fe');
    assert.deepEqual([broken.status, Boolean(broken.json?.error)], [400, true], broken.text);
    const put = await confab.api('b').put('/dialogs', {});
    assert.equal(put.status, 405);
    assert.match(put.headers.allow, /GET/);
    const page = await confab.nobody.get('/');
    assert.equal(page.status, 200);
    assert.match(page.headers['content-security-policy'], /default-src 'none'/);
    for (const file of [...page.text.matchAll(/(?:src|href)="([^"#]+)"/g)].map((match) => match[1]))
        assert.equal((await confab.nobody.get(`/${file}`)).status, 200, file);
    assert.ok([403, 404].includes((await confab.nobody.get('/.htaccess')).status));
}

async function sockets(confab) {
    const dialog = await confab.dialog(['a', 'b']);
    const b = await confab.socket('b');
    const { id } = await confab.api('a').send(dialog, 'by socket');
    await b.next({ type: 'message.new', id });
    b.send({ type: 'ping' });
    await b.next('pong');
    const stranger = confab.knock('b', { query: 'token=x' });
    await stranger.ended();
    assert.equal(stranger.refused?.status, 401);
    assert.ok(JSON.parse(stranger.refused.text).error);
    const plain = await confab.nobody.get('/api/v1/ws');
    assert.equal(plain.status, 426, plain.text);
    await b.close();
}

async function socketio(confab, transports) {
    const client = io(`http://127.0.0.1:${confab.port}/`, { path: `${confab.base}/socket.io/`, transports, forceNew: true });
    confab.atEnd.push(() => client.disconnect());
    const echoes = [];
    client.on('message-back', (...args) => echoes.push(args));
    await until('the client to connect', () => client.connected);
    if (transports.length > 1)
        await until('the move', () => client.io.engine.transport.name === transports.at(-1));
    const large = 'x'.repeat(200000);
    client.emit('message', 1, 'zwei ☃', large);
    client.emit('message', Buffer.from([0, 1, 255]));
    await until('the echoes', () => echoes.length === 2);
    assert.deepEqual(echoes[0], [1, 'zwei ☃', large]);
    assert.deepEqual([...echoes[1][0]], [0, 1, 255]);
    client.disconnect();
}

/* ---- bodies ---- */

async function largeBodies(confab) {
    const dialog = await confab.dialog(['a']);
    const target = `/dialogs/${dialog}/messages`;
    for (const chunked of [false, true]) {
        /* it arrives whole: what is refused is the text's length, by the handler */
        const body = JSON.stringify({ content: 'x'.repeat(5 * MiB) });
        const answer = await confab.api('a').call('POST', target, body, { chunked });
        assert.ok(byHandler(answer) && answer.status === 400, `${chunked} ${answer.status} ${answer.text}`);
        assert.equal(answer.json.error.code, 'INVALID_INPUT');
        const padded = `${' '.repeat(5 * MiB)}{"content":"padded"}`;
        const sent = await confab.api('a').call('POST', target, padded, { chunked });
        assert.equal(sent.status, 200, sent.text);
    }
    /* who goes on sending may find the connection closed before he looks for the answer */
    const tooLarge = await confab.api('a').call('POST', target, Buffer.alloc(9 * MiB, 0x20)).catch(() => null);
    assert.ok(!tooLarge || (byHandler(tooLarge) && tooLarge.status === 413), `${tooLarge?.status} ${tooLarge?.text}`);
    /* above what the web server takes it says so itself, in the API's form */
    const huge = await confab.api('a').call('POST', target, Buffer.alloc(130 * MiB, 0x20)).catch(() => null);
    assert.ok(!huge || ([400, 413].includes(huge.status) && huge.json?.error), `${huge?.status} ${huge?.text}`);
    assert.equal((await confab.nobody.get('/health')).status, 200);
}

/* A request of which a few bytes come now and then, until it is whole or somebody hangs up. Its answer. */
function trickle(port, bytes, pieces) {
    return within('the end of a slow request', new Promise((resolve) => {
        const size = Math.ceil(bytes.length / pieces);
        const answer = [];
        let at = 0;
        const socket = net.connect(port, '127.0.0.1');
        const timer = setInterval(() => {
            socket.write(bytes.slice(at, at + size));
            at += size;
            if (at >= bytes.length)
                clearInterval(timer);
        }, 100);
        socket.on('data', (data) => answer.push(data));
        socket.on('error', () => {});
        socket.on('close', () => { clearInterval(timer); resolve(Buffer.concat(answer).toString()); });
    }), 30000);
}

async function slowClients(confab) {
    const dialog = await confab.dialog(['a']);
    const body = JSON.stringify({ content: 'at last' });
    const slow = (i) => trickle(confab.port, `POST ${confab.base}/api/v1/dialogs/${dialog}/messages HTTP/1.1\r\nHost: x\r\n`
        + `Authorization: Bearer ${confab.token('a')}\r\nIdempotency-Key: slow${i}\r\nContent-Type: application/json\r\n`
        + `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`, 20);
    /* more than there are handlers */
    const many = Array.from({ length: 12 }, (_, i) => slow(i));
    const silent = net.connect(confab.port, '127.0.0.1');
    silent.on('error', () => {});
    let worst = 0;
    let over = false;
    const others = Promise.all(many).then((all) => { over = true; return all; });
    while (!over) {
        const start = Date.now();
        assert.equal((await confab.nobody.get('/health')).status, 200);
        worst = Math.max(worst, Date.now() - start);
        await delay(50);
    }
    silent.destroy();
    for (const answer of await others)
        assert.match(answer, /^HTTP\/1\.1 200 /);
    return worst;
}

/* ---- many, crashes, reloads ---- */

async function crowd(confab, n) {
    const dialog = await confab.dialog(['a']);
    const answers = await Promise.all(Array.from({ length: n }, (_, i) => i % 10
        ? confab.nobody.get('/health') : confab.api('a').post(`/dialogs/${dialog}/messages`, { content: `${i}` })));
    const counts = {};
    for (const { status } of answers)
        counts[status] = (counts[status] ?? 0) + 1;
    assert.deepEqual(counts, { 200: n });
    const all = (await history(confab.api('a'), dialog)).filter((m) => m.message_type === 'user');
    assert.equal(all.length, n / 10);
}

async function crash(web, base) {
    await withInstance(options(web, { base, handlers: 2, fault: 'answer.before' }), async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const b = await confab.socket('b');
        const send = () => confab.api('a').post(`/dialogs/${dialog}/messages`, { content: 'once' }, { headers: { 'Idempotency-Key': 'k' } });
        for (const handler of confab.web.pool ? [] : confab.handlers)
            handler.mayDie();
        confab.arm();
        const first = await send();
        assert.ok([500, 502, 503].includes(first.status), `${first.status} ${first.text}`);
        assert.ok(first.json?.error, `in the API's form, not ${first.text}`);
        assert.equal(first.headers['access-control-allow-origin'], '*');
        const second = await send();
        assert.equal(second.status, 200, second.text);
        await b.next({ type: 'message.new', id: second.json.data.id });
        const all = (await history(confab.api('a'), dialog)).filter((m) => m.message_type === 'user');
        assert.deepEqual(all.map((m) => m.id), [second.json.data.id]);
    });
}

/* Sends until it is acknowledged, under one key. Who gets no answer for long asks again: mod_fcgid forgets requests when
 * it is told to restart. */
function insist(api, dialog, content) {
    return until(`${content} to be acknowledged`, async () => {
        const answer = await within('an answer', api.post(`/dialogs/${dialog}/messages`, { content }, { headers: { 'Idempotency-Key': content } }), 5000);
        assert.ok(answer.status === 200 || answer.status >= 500, answer.text);
        return answer.status === 200 ? answer.json.data : null;
    }, 60000);
}

/* People who talk while body() runs: nothing acknowledged may be lost or doubled, and a follower hears it all in order. */
async function underLoad(confab, body) {
    const dialog = await confab.dialog(['a', 'b', 'c']);
    const followers = ['a', 'b', 'c'].map((user) => new Follower(confab, user));
    await until('everybody to be there', () => followers.every((one) => one.connects > 0));
    const acknowledged = [];
    let over = false;
    const talk = async (user, name) => {
        for (let i = 0; !over; i++)
            acknowledged.push((await insist(confab.api(user), dialog, `${name}${i}`)).content);
    };
    const talking = ['a', 'b', 'c', 'a', 'b'].map((user, i) => talk(user, `${user}${i}-`).catch((error) => error));
    const progress = async (n = 5) => {
        const before = acknowledged.length;
        await until('something to get through', () => acknowledged.length >= before + n, 60000);
    };
    await progress();
    await body(progress, followers);
    await progress();
    over = true;
    for (const error of await Promise.all(talking))
        assert.equal(error, undefined);
    const last = await insist(confab.api('a'), dialog, 'the-end');
    const all = (await history(confab.api('a'), dialog)).filter((m) => m.message_type === 'user');
    assert.deepEqual(all.map((m) => m.content).sort(), [...acknowledged, 'the-end'].sort());
    for (const follower of followers) {
        await follower.heard(last.id);
        follower.checkOrder();
        assert.equal(follower.reloads, 0, `${follower.connects} connects, ${all.length} messages`);
        assert.deepEqual(follower.messages(dialog).map((m) => m.id), all.map((m) => m.id));
        await follower.stop();
    }
}

async function reloads(confab) {
    await underLoad(confab, async (progress) => {
        for (let i = 0; i < 3; i++) {
            confab.lighttpd.signal(confab.web.reload);
            await progress();
        }
    });
}

/* One part after the other is stopped and started, as an upgrade does. */
async function upgrade(confab) {
    await underLoad(confab, async (progress, followers) => {
        const [relay] = confab.relays;
        const watching = [];
        for (let i = 0; i < 20; i++)
            watching.push(await confab.socket('c'));
        if (confab.web.pool) {
            const [pool] = confab.handlers;
            pool.signal('SIGHUP');
            await until('all handlers to be new', () => pool.text().includes('restarted'));
        }
        for (const handler of confab.web.pool ? [] : confab.handlers)
            await handler.restart();
        await progress();
        assert.ok(watching.every((one) => !one.closed), 'handlers are no business of sockets');
        const connects = followers.map((one) => one.connects);
        await relay.restart();
        for (const one of watching)
            assert.ok(HINTS.includes((await one.ended()).code), `closed with ${one.closed.code}`);
        await until('everybody to be back', () => followers.every((one, i) => one.connects > connects[i]));
        await progress();
        confab.lighttpd.signal(confab.web.reload);
        await progress();
    });
}

/* ---- what must not work ---- */

async function headerInjection(confab) {
    const dialog = await confab.dialog(['a', 'b']);
    const evil = '%0d%0aSet-Cookie:%20evil=1%0d%0a%0d%0aevil';
    for (const target of [`/api/v1/dialogs?x=${evil}`, `/api/v1/dialogs/${evil}`, `/api/v1/ws?user_id=${evil}&token=${evil}`,
        `/socket.io/?EIO=4&transport=polling&sid=${evil}`, `/${evil}`, `/health?${evil}`]) {
        const answer = await confab.nobody.get(target);
        assert.equal(answer.headers['set-cookie'], undefined, target);
    }
    const origin = await confab.nobody.get('/health', { headers: { Origin: 'https://x.example' } });
    assert.equal(origin.headers['access-control-allow-origin'], '*');
    const proxy = await confab.nobody.get('/health', { headers: { Proxy: 'http://127.0.0.1:1/' } });
    assert.equal(proxy.status, 200);
    /* names that become others in an environment do not become what they look like */
    const body = { content: 'with a key' };
    const target = `/dialogs/${dialog}/messages`;
    const first = await confab.api('a').post(target, body, { headers: { 'Idempotency-Key': 'one' } });
    const underscore = await confab.nobody.get('/api/v1/dialogs', { headers: { HTTP_AUTHORIZATION: `Bearer ${confab.token('a')}`,
        REDIRECT_HTTP_AUTHORIZATION: `Bearer ${confab.token('a')}`, REDIRECT_STATUS: '413', SCRIPT_NAME: '/api', REMOTE_ADDR: '192.0.2.9' } });
    assert.equal(underscore.status, 401);
    assert.equal(first.status, 200);
    /* nobody says for others where he comes from */
    const socket = await confab.socket('b', { headers: { 'X-Forwarded-For': '192.0.2.7', Forwarded: 'for=192.0.2.7' } });
    await socket.close();
    const refused = confab.knock('b', { query: 'token=no', headers: { 'X-Forwarded-For': '192.0.2.8' } });
    await refused.ended();
    await until('the relay to say so', () => /handshake_refused.*address=127\.0\.0\.1/.test(confab.relays[0].text()));
    assert.doesNotMatch(logs(confab), /192\.0\.2\./);
}

async function smuggling(confab) {
    const dialog = await confab.dialog(['a', 'b']);
    const inner = JSON.stringify({ content: 'smuggled' });
    const stolen = `POST ${confab.base}/api/v1/dialogs/${dialog}/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${confab.token('b')}\r\n`
        + `Content-Type: application/json\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`;
    for (const where of ['/api/v1/dialogs', '/socket.io/?EIO=4&transport=polling', '/'])
        for (const attack of attacks(`${confab.base}${where}`, stolen, confab.base)) {
            const answers = await attack.send(confab.port);
            assert.ok(answers.length <= attack.most, `${attack.name} at ${where}: ${answers.join(' and ')}`);
            for (const status of answers)
                assert.ok(status < 500 || status === 501 || status === 505, `${attack.name} at ${where}: ${status}`);
        }
    /* connections to the relay that the server keeps are clean, too */
    for (let i = 0; i < 5; i++) {
        const poll = await confab.nobody.get('/socket.io/?EIO=4&transport=polling');
        assert.ok(poll.status === 200 && poll.text.startsWith('0{'), `${poll.status} ${poll.text}`);
    }
    const all = await history(confab.api('a'), dialog);
    assert.deepEqual(all.filter((m) => m.content === 'smuggled'), []);
}

/* ---- logs ---- */

async function tokensInLogs(web) {
    await withInstance(options(web, { relays: 1 }), async (confab) => {
        const secret = mint({ sub: 'anna', exp: now() + 3600 }, SECRET);
        const target = `/api/v1/ws?token=${secret}&since=0`;
        const opened = new Socket(`ws://127.0.0.1:${confab.port}${target}`, { user: 'anna' });
        confab.sockets.push(opened);
        await opened.connected();
        await request(confab.port, 'GET', target);
        await request(confab.port, 'GET', '/api/v1/dialogs', { headers: { Authorization: `Bearer ${secret}` } });
        await confab.relays[0].stop();
        const away = await request(confab.port, 'GET', target);
        assert.ok([502, 503].includes(away.status), `${away.status}`);
        assert.ok(away.json?.error, away.text);
        await confab.lighttpd.stop();
        const written = logs(confab);
        assert.match(written, /\/api\/v1\/ws/);
        assert.ok(!written.includes(secret), written.split('\n').find((line) => line.includes(secret)));
        assert.ok(!written.includes(ADMIN));
    });
}

/* Processes that a server starts, and one a request more so, cost too much for every check. */
const ALL = process.env.CONFAB_DEPLOY === 'all';

export function matrix(web) {
    const started = instance(options(web));
    const on = (name, body) => test(`${web}: ${name}`, async () => body(await started));
    const dear = (name, body) => test(`${web}: ${name}`, { skip: WEB[web].starts && !ALL && 'only by ./dev check deploy' },
        async () => body(await started));

    on('REST', rest);
    on('sockets', sockets);
    for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']])
        on(`Socket.IO by ${transports.join(', then ')}`, (confab) => socketio(confab, transports));
    on('large bodies', largeBodies);
    dear('slow clients keep nobody waiting', async (confab) => {
        const worst = await slowClients(confab);
        assert.ok(worst < SLOWEST_MS, `somebody waited for ${worst} ms`);
    });
    on('headers are not injected', headerInjection);
    on('requests are not smuggled', smuggling);
    dear('1,000 at once', (confab) => crowd(confab, 1000));
    dear('reloads under load lose nothing', reloads);
    dear('an upgrade under load loses nothing and tells everybody', upgrade);
    test(`${web}: a handler that dies in a request`, () => crash(web, ''));
    test(`${web}: no token is logged`, () => tokensInLogs(web));
    test(`${web}: below a path`, async () => {
        await withInstance(options(web, { base: '/my/chat' }), async (confab) => {
            await rest(confab);
            await sockets(confab);
            await socketio(confab, ['polling', 'websocket']);
            for (const target of ['/health', '/api/v1/dialogs', '/chat/health', '/my/chatter/health', '/my/chat/my/chat/health'])
                assert.ok((await request(confab.port, 'GET', target)).status >= 400, target);
        });
    });
    test(`${web}: event chat, its photos and sockets, below a path`, async () => {
        await withInstance(options(web, { base: '/my/chat', systems: 'eventchat', env: { CONFAB_SIO_CONFORMANCE: '0' } }), async (confab) => {
            await photos(confab);
            await eventSockets(confab);
        });
    });
    if (WEB[web].pool)
        test(`${web}: handlers come and go, the socket stays`, async () => {
            await withInstance(options(web, { handlers: 2 }), async (confab) => {
                const [pool] = confab.handlers;
                let failed = 0;
                let over = false;
                const asking = Promise.all(Array.from({ length: 8 }, async () => {
                    while (!over)
                        failed += (await confab.nobody.get('/health')).status !== 200;
                }));
                for (let i = 1; i <= 5; i++) {
                    pool.signal('SIGHUP');
                    await until('all handlers to be new', () => pool.text().split('restarted').length > i);
                }
                over = true;
                await asking;
                assert.equal(failed, 0);
            });
        });
}
