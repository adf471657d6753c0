/* A page of another origin, in the browser of somebody who is logged in. Plays docs/security.md.
 * SPDX-License-Identifier: MIT
 */
import { readFileSync } from 'node:fs';
import { assert } from '../lib/assert.mjs';
import { request } from '../lib/http.mjs';
import { instance, test, withInstance } from '../lib/instance.mjs';
import { register } from '../lib/rooms.mjs';
import { Socket } from '../lib/socket.mjs';
import { echo, withEcho } from '../lib/socketio.mjs';
import { withPush } from '../lib/push.mjs';
import { everyRoute } from './routes.mjs';

const started = instance({ systems: 'mtchat,rooms,conversations,eventchat', auth: 'jwt' });
const OURS = 'https://www.example.org';
/* Lookalikes of it, and what pages without an origin of their own send. */
const FOREIGN = ['https://evil.example', 'http://www.example.org', 'https://www.example.org:8443', 'https://www.example.org.evil.example', 'https://evil.example/https://www.example.org',
    'https://xwww.example.org', 'https://example.org', 'https://www.example.org@evil.example', 'null', 'file://', 'https://www.example.org%00', 'https://www.example.org,https://evil.example', '*'];

test('Nothing that a browser adds by itself is a credential', async () => {
    const confab = await started;
    const ambient = { Origin: 'https://evil.example', Cookie: `token=${confab.token('anna')}; user_id=anna; session=x`, Referer: `https://x/?token=${confab.token('anna')}` };
    for (const { method, target, who } of await everyRoute(confab, () => '1')) {
        if (!/^(user|user with a socket|admin|runner)$/.test(who))
            continue;
        const answer = await request(confab.port, method, target, { headers: { ...ambient, 'Content-Type': 'text/plain' }, body: method === 'GET' ? undefined : '{}' });
        assert.ok([401, 403].includes(answer.status), `${method} ${target}: ${answer.status} ${answer.text}`);
        assert.ok(!('set-cookie' in answer.headers) && !('access-control-allow-credentials' in answer.headers));
    }
    for (const target of ['/api/v1/ws', '/api/rooms/1/chat', '/api/runner/stream', '/v1/ws', '/eventchat/ws']) {
        const socket = new Socket(`ws://127.0.0.1:${confab.port}${target}`, { user: 'a page', headers: ambient });
        if (/^\/(v1|eventchat)/.test(target))        /* they let in who says in his first frame who he is */
            socket.ws.on('open', () => socket.send({ event: 'load_history', data: {} }));
        const { code } = await socket.ended();
        assert.ok([0, 4001, 4401].includes(code), `${target}: ${code}`);
        assert.ok(socket.frames.every(({ event }) => event === 'debug_info'), JSON.stringify(socket.frames));
    }
});

test('Origins that are not listed open no Socket.IO session, by polling or socket', async () => withEcho({ cors_allowed_origins: OURS }, async (server) => {
    for (const origin of [OURS, undefined]) {
        assert.equal((await server.get('/socket.io/?EIO=4&transport=polling', { headers: origin ? { Origin: origin } : {} })).status, 200);
        await server.wire('/socket.io/?EIO=4&transport=websocket', { headers: origin ? { Origin: origin } : {} }).opened();
    }
    const { sid } = await server.poller('/socket.io/');
    for (const origin of FOREIGN) {
        for (const [method, more] of [['GET', ''], ['GET', `&sid=${sid}`], ['POST', `&sid=${sid}`], ['OPTIONS', '']]) {
            const answer = await request(server.port, method, `/socket.io/?EIO=4&transport=polling${more}`, { headers: { Origin: origin }, body: method === 'POST' ? '40' : undefined });
            assert.ok([400, 403].includes(answer.status), `${origin} ${method}: ${answer.status}`);
            assert.ok(!('access-control-allow-origin' in answer.headers), origin);
        }
        const wire = server.wire('/socket.io/?EIO=4&transport=websocket', { headers: { Origin: origin } });
        assert.equal(await wire.end(), 0, origin);
        assert.ok([400, 403].includes(wire.refused?.status), origin);
    }
}));

test('Origins that are not listed open no push connection on any transport, and without a list only the own host does', async () => {
    for (const [settings, ours] of [[{ push_allowed_origins: OURS }, OURS], [{}, null]])
        await withPush({ settings }, async (push) => {
            const own = ours ?? `http://127.0.0.1:${push.port}`;
            const good = push.wire({ headers: { Origin: own } });
            assert.ok(await good.opened, own);
            for (const origin of [...FOREIGN, ...(ours ? [] : [OURS, `http://127.0.0.1:${push.port + 1}`, 'http://127.0.0.1'])]) {
                const wire = push.wire({ headers: { Origin: origin } });
                assert.equal(await wire.opened, false, origin);
                for (const [method, target] of [['POST', '/connection/http_stream'], ['GET', '/connection/sse?cf_connect=%7B%7D'], ['POST', '/emulation']]) {
                    const answer = await request(push.port, method, target, { headers: { Origin: origin }, body: method === 'POST' ? '{"id":1,"connect":{}}' : undefined });
                    assert.ok([400, 403].includes(answer.status), `${origin} ${target}: ${answer.status}`);
                    assert.ok(!('access-control-allow-origin' in answer.headers));
                }
            }
        });
});

test('What a listed origin may read, others may not', async () => {
    await withInstance({ systems: 'mtchat,rooms,conversations,eventchat', auth: 'jwt', relays: 0, handlers: 1, env: { CONFAB_CORS_ALLOWED_ORIGINS: OURS, CONFAB_CORS_ALLOW_CREDENTIALS: '1' } }, async (confab) => {
        for (const target of ['/api/v1/dialogs', '/api/rooms', '/v1/profile', '/eventchat/v1/profile', '/health', '/api/nothing'])
            for (const method of ['GET', 'OPTIONS', 'POST']) {
                const ask = (origin) => request(confab.port, method, target, { headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' } });
                assert.equal((await ask(OURS)).headers['access-control-allow-origin'], OURS, `${method} ${target}`);
                for (const origin of FOREIGN)
                    assert.ok(!('access-control-allow-origin' in (await ask(origin)).headers), `${method} ${target} ${origin}`);
            }
    });
});

test('Answers are never taken for a page, nor kept by a browser', async () => {
    const confab = await started;
    const anna = await register(confab);
    for (const { method, target } of await everyRoute(confab, () => '1')) {
        const answer = await request(confab.port, method, target, { headers: { Authorization: `Bearer ${anna.token}` }, body: method === 'GET' ? undefined : '{}' });
        assert.match(answer.headers['content-type'] ?? 'application/json', /^application\/json/, target);
        assert.equal(answer.headers['x-content-type-options'], 'nosniff', target);
        assert.equal(answer.headers['cache-control'], 'no-store', target);
    }
    const server = await echoing;
    const poller = await server.poller('/socket.io/');
    for (const answer of [await poller.post('40'), await poller.get(), await server.get('/socket.io/?EIO=4')]) {
        assert.match(answer.headers['content-type'], /^(text\/plain; charset=UTF-8|application\/json)$/);
        assert.equal(answer.headers['x-content-type-options'], 'nosniff');
        assert.equal(answer.headers['cache-control'], 'no-store');
    }
});
const echoing = echo();

test('Pages of ours run no foreign script and stand in no frame', async () => {
    const confab = await started;
    for (const target of ['/', '/rooms/', '/js/main.js', '/nowhere.html']) {
        const policy = (await request(confab.port, 'GET', target)).headers['content-security-policy'] ?? '';
        assert.match(policy, /default-src 'none'; script-src 'self'/, target);
        assert.match(policy, /frame-ancestors 'none'/, target);
        assert.ok(!/unsafe|\*|http:/.test(policy), target);
    }
    await withPush({}, async (push) => {
        for (const target of ['/admin/', '/admin/page.js'])
            assert.match((await request(push.port, 'GET', target)).headers['content-security-policy'] ?? "default-src 'none' frame-ancestors 'none'", /default-src 'none'.*frame-ancestors 'none'/);
    });
    assert.ok(!/innerHTML|document\.write|eval\(|insertAdjacentHTML/.test(readFileSync(new URL('../../www/rooms/js/main.js', import.meta.url), 'utf8')));
});
