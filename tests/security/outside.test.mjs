/* Programs of others that we talk to: a hostile runner, webhook target or application. Plays docs/security.md.
 * SPDX-License-Identifier: MIT
 */
import http from 'node:http';
import net from 'node:net';
import { after } from 'node:test';
import { Application } from '../lib/application.mjs';
import { assert } from '../lib/assert.mjs';
import { test, withInstance } from '../lib/instance.mjs';
import { withPush } from '../lib/push.mjs';
import { Runner, fine, register, rooms } from '../lib/rooms.mjs';
import { until } from '../lib/wait.mjs';
import { everyRoute } from './routes.mjs';

const ENV = { CONFAB_ROOMS_WEBHOOKS: 'true', CONFAB_ROOMS_WEBHOOK_PRIVATE: 'true', CONFAB_ROOMS_WEBHOOK_TIMEOUT_MS: '500', CONFAB_ROOMS_WEBHOOK_PAUSE_MS: '10', CONFAB_LOG_LEVEL: 'debug' };
const started = rooms({ env: ENV });

/* A server that answers each connection with what say(socket) writes. */
async function hostile(say) {
    const open = new Set();
    const server = net.createServer((socket) => {
        open.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => open.delete(socket));
        socket.once('data', () => { server.asked++; say(socket); });
    });
    server.asked = 0;
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    after(() => {
        open.forEach((socket) => socket.destroy());
        server.close();
    });
    server.url = `http://127.0.0.1:${server.address().port}/hook`;
    return server;
}

const flood = (socket, head) => {
    socket.write(head);
    const more = () => { while (!socket.destroyed && socket.write('y'.repeat(65536))); };
    socket.on('drain', more);
    more();
};

test('A webhook\'s target gains nothing by what it answers', async () => {
    const confab = await started;
    const inner = await Application.start();
    const targets = {
        'a way inside': await hostile((socket) => socket.end(`HTTP/1.1 307 Go\r\nLocation: ${inner.url}\r\nContent-Length: 0\r\n\r\n`)),
        'a file': await hostile((socket) => socket.end('HTTP/1.1 302 Go\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n')),
        'no end': await hostile((socket) => flood(socket, 'HTTP/1.1 200 OK\r\n\r\n')),
        'a head without end': await hostile((socket) => flood(socket, 'HTTP/1.1 200 OK\r\nX: ')),
        'a bomb': await hostile((socket) => flood(socket, 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n')),
        'drops': await hostile((socket) => { const drip = setInterval(() => socket.destroyed ? clearInterval(drip) : socket.write('H'), 20); }),
        'nothing': await hostile(() => {}),
        'noise': await hostile((socket) => socket.end(Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 89 + 13) & 255)))),
        'a cookie': await hostile((socket) => socket.end('HTTP/1.1 500 No\r\nSet-Cookie: x=y\r\nContent-Length: 0\r\n\r\n')),
    };
    const owner = await register(confab);
    const room = await owner.room('r', ['Cook']);
    for (const { url } of Object.values(targets))
        fine(await owner.post(`/api/rooms/${room.id}/runners`, { name: 'k', webhookUrl: url }), 201);
    const other = await register(confab), good = await Application.start();
    const own = await other.room('r', ['Cook']);
    fine(await other.post(`/api/rooms/${own.id}/runners`, { name: 'k', webhookUrl: good.url }), 201);
    await owner.say(room.id, 'to all of them');
    await until('each to be asked', () => Object.values(targets).every((target) => target.asked > 0));
    await other.say(own.id, 'to the good one');
    await good.got(1);
    assert.equal(inner.requests.length, 0);
    assert.ok(confab.relays[0].running);
    for (const { text } of [await owner.get(`/api/rooms/${room.id}/runners`), await owner.get(`/api/rooms/${room.id}/feed`)])
        assert.ok(!/yyyy|root:|HHH/.test(text));
});

test('The application\'s answer is bounded in bytes and time, and what is none lets nobody in', async () => {
    let answer;
    const open = new Set();
    const server = http.createServer((req, res) => { req.resume(); req.on('end', () => answer(res)); });
    server.on('connection', (socket) => open.add(socket));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    after(() => { open.forEach((socket) => socket.destroy()); server.close(); });
    await withPush({ settings: { push_callback_url: `http://127.0.0.1:${server.address().port}/`, push_callback_timeout_ms: 500 }, channels: { ask: { authorize: true } } }, async (push) => {
        const answers = {
            'huge': (res) => { res.writeHead(200); const more = () => { while (!res.destroyed && res.write('x'.repeat(65536))); }; res.on('drain', more); more(); },
            'late': () => {}, 'no JSON': (res) => res.end('{"result":'), 'a list': (res) => res.end('[]'), 'empty': (res) => res.end(''), 'deep': (res) => res.end('['.repeat(5000)),
            'both': (res) => res.end('{"result":{},"error":{"code":103,"message":"x"}}'), 'a result that is none': (res) => res.end('{"result":true}'), 'a redirect': (res) => res.writeHead(302, { Location: '/' }).end(),
            'refused': (res) => res.writeHead(500).end('{"result":{}}'),
        };
        for (const [what, how] of Object.entries(answers)) {
            answer = how;
            const wire = await push.connected('anna');
            const reply = await wire.ask('subscribe', { channel: `ask:${what.replaceAll(' ', '-')}` }).catch(() => null);
            assert.ok(!reply?.subscribe, `${what}: ${JSON.stringify(reply)}`);
            wire.terminate();
        }
        answer = (res) => res.end('{"result":{}}');
        assert.ok((await (await push.connected('anna')).ask('subscribe', { channel: 'ask:good' })).subscribe);
    });
});

test('A runner is kept to its room: what is outside of it looks missing', async () => {
    const confab = await started;
    const [anna, ben] = [await register(confab), await register(confab)];
    const [room, other] = [await anna.room('a', ['Cook']), await ben.room('b', ['Critic'])];
    const runner = await anna.runner(room.id);
    const ids = { room_id: other.id, agent_id: other.agents.Critic.id, plan_id: '1' };
    const body = { agentId: ids.agent_id, text: 'x', description: 'x', agent1Id: ids.agent_id, agent2Id: room.agents.Cook.id, sympathyLevel: 0, mood: 'x', content: 'x', status: 'done' };
    for (const { method, path, who } of await everyRoute(confab, () => ''))
        if (path.includes('/:room_id') && ['runner', 'user'].includes(who)) {
            const at = (from) => path.replace(/:(\w+)/g, (whole, name) => from[name] ?? '1');
            const answer = await runner.call(method, at(ids), method === 'GET' || method === 'DELETE' ? undefined : body);
            assert.ok([401, 403, 404, 422].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
            if (who === 'runner')
                assert.equal(answer.text, (await runner.call(method, at({ room_id: '999999999', agent_id: '999999999' }), method === 'GET' ? undefined : body)).text, `${method} ${path}`);
        }
    assert.deepEqual(await ben.feed(other.id), []);
    const stream = await runner.stream();
    await ben.say(other.id, 'not for that runner');
    const mine = await anna.say(room.id, 'for it');
    const heard = await stream.upTo((frame) => frame.payload?.id === mine.id);
    assert.ok(!JSON.stringify(heard).includes('not for that'));
});

test('A webhook is posted to the open internet only, whatever its address is called', async () => {
    await withInstance({ systems: 'rooms', env: { ...ENV, CONFAB_ROOMS_WEBHOOK_PRIVATE: undefined, CONFAB_ROOMS_WEBHOOK_PAUSE_MS: '1', CONFAB_ROOMS_RUNNER_KEYS_MAX: '100' } }, async (confab) => {
        const application = await Application.start();
        const { port } = application.server.address();
        const owner = await register(confab);
        const room = await owner.room('r', ['Cook']);
        const hosts = ['127.0.0.1', '127.255.255.254', 'localhost', '2130706433', '0x7f000001', '0x7f.1', '127.1', '0177.0.0.1', '017700000001', '0', '0.0.0.0', '[::]', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]',
            '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[fe80::1]', '[fc00::1]', '[ff02::1]', '169.254.169.254', '10.0.0.1', '172.16.0.1', '192.168.0.1', '100.64.0.1', '192.0.2.1', '224.0.0.1', '255.255.255.255', '240.0.0.1'];
        let kept = 0;
        for (const host of hosts)
            kept += (await owner.post(`/api/rooms/${room.id}/runners`, { name: 'k', webhookUrl: `http://${host}:${port}/` })).status === 201;
        assert.ok(kept > 20);
        await owner.say(room.id, 'a secret');
        const logged = (pattern) => confab.relays[0].text().match(pattern)?.length ?? 0;
        await until('all to be given up', () => logged(/given up/g) === kept, 30000);
        assert.equal(application.requests.length, 0);
    });
});
