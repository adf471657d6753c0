/* Webhooks of runners' keys: what is posted, what is repeated, where to; by one relay and by two.
 * SPDX-License-Identifier: MIT
 */
import { createHmac } from 'node:crypto';
import { Application } from '../lib/application.mjs';
import { assert } from '../lib/assert.mjs';
import { test, withInstance } from '../lib/instance.mjs';
import { fine, refused, register, rooms, Runner } from '../lib/rooms.mjs';
import { until } from '../lib/wait.mjs';

const ON = {
    CONFAB_ROOMS_WEBHOOKS: 'true',
    CONFAB_ROOMS_WEBHOOK_PRIVATE: 'true',
    CONFAB_ROOMS_WEBHOOK_TIMEOUT_MS: '400',
    CONFAB_ROOMS_WEBHOOK_PAUSE_MS: '10',
    CONFAB_WRITE_WAIT_MS: '2000',
};

const proxy = await Application.start();
const started = rooms({ relays: 2, env: { ...ON, http_proxy: proxy.url, ALL_PROXY: proxy.url } });

/* A room with an agent and a webhook. */
async function world(confab, application) {
    const anna = await register(confab);
    const room = await anna.room('r', ['Cook']);
    const path = `/api/rooms/${room.id}/runners`;
    const key = fine(await anna.post(path, { name: 'k', webhookUrl: application.url }), 201);
    return { anna, room, path, key, runner: new Runner(confab, key.key) };
}

/* Of all relays: how often does that stand in their logs? */
const logged = (confab, pattern) => confab.relays.reduce((n, relay) => n + (relay.text().match(pattern)?.length ?? 0), 0);

test('a key says its secret once; URLs that cannot be are refused', async () => {
    const confab = await started;
    const { anna, room, path, key } = await world(confab, { url: 'https://runner.example/hook?token=x' });
    assert.equal(key.webhookUrl, 'https://runner.example/hook?token=x');
    assert.match(key.webhookSecret, /^whs_[\x21-\x7e]{20,}$/);
    const [listed] = fine(await anna.get(path)).runners;
    assert.equal(listed.webhookUrl, key.webhookUrl);
    assert.ok(!('webhookSecret' in listed));
    for (const webhookUrl of ['', 'x', 'ftp://a/', 'http://', 'http://a@b/', 'http://a:b@c/', 'http://a\n/', 'http://a/ b',
        'http://a\\b/', 'http://a:99999/', 'file:///etc/passwd', 'gopher://a/', `http://a/${'x'.repeat(2048)}`, 'http://пример/', 5, {}, true])
        refused(await anna.post(path, { name: 'n', webhookUrl }), 422, 'webhookUrl');
    assert.equal(fine(await anna.post(path, { name: 'n', webhookUrl: `http://a/${'x'.repeat(2039)}` }), 201).webhookUrl.length, 2048);
    fine(await anna.delete(`/api/rooms/${room.id}`), 204);
});

test('what the user says is posted, signed, as the stream has it; nothing else is', async () => {
    const confab = await started;
    const application = await Application.start();
    const { anna, room, key, runner } = await world(confab, application);
    const stream = await runner.stream();
    const { id } = room.agents.Cook;
    await runner.say(room.id, { text: 'not this', agentId: id });
    await anna.ok('POST', `/api/rooms/${room.id}/events`, { description: 'nor this' });
    await anna.say(room.id, 'is it done? "ж" 🎭');
    await application.got(1);
    await anna.say(room.id, 'to you', id);
    await application.got(2);
    await anna.ok('POST', `/api/rooms/${room.id}/events/broadcast`, { description: 'aloud', type: 'chat' });
    await application.got(3);
    const frames = [];
    while (frames.length < 3) {
        const frame = await stream.next('message');
        if (frame.payload.sender === 'user')
            frames.push(frame);
    }
    assert.deepEqual(application.requests.map(({ json }) => json), frames);
    for (const one of application.requests) {
        assert.equal(`${one.method} ${one.target}`, 'POST /hook?token=in-the-url');
        assert.equal(one.headers['content-type'], 'application/json');
        const at = one.headers['x-rooms-timestamp'];
        assert.ok(Math.abs(Number(at) - Date.now() / 1000) < 60, at);
        const mac = createHmac('sha256', key.webhookSecret).update(`${at}.${one.body}`).digest('hex');
        assert.equal(one.headers['x-rooms-signature'], `sha256=${mac}`);
        assert.ok(one.id);
    }
    assert.equal(new Set(application.requests.map((one) => one.id)).size, 3);
    assert.equal(proxy.requests.length, 0);
});

test('what fails is repeated under the same id, after an error and after no answer', async () => {
    const confab = await started;
    const application = await Application.start();
    const { anna, room } = await world(confab, application);
    application.answers = [500, 0, 404];
    await anna.say(room.id, 'again and again');
    await application.got(4);
    const { requests } = application;
    assert.equal(new Set(requests.map((one) => one.id)).size, 1);
    assert.equal(new Set(requests.map((one) => one.body)).size, 1);
    await anna.say(room.id, 'next');
    assert.equal((await application.got(5)).json.payload.text, 'next');
    assert.equal(requests.length, 5);
});

test('four times, then it is given up; a redirect is a failure; the log does not have the URL', async () => {
    const confab = await started;
    const application = await Application.start();
    const { anna, room } = await world(confab, application);
    application.headers = { Location: '/elsewhere' };
    application.answers = [302, 307, 301, 308];
    await anna.say(room.id, 'lost');
    const { id } = await application.got(4);
    const pattern = new RegExp(`given up.*${id}`, 'g');
    await until('it to be given up', () => logged(confab, pattern) === 1);
    await anna.say(room.id, 'next');
    assert.equal((await application.got(5)).json.payload.text, 'next');
    assert.ok(application.requests.every((one) => one.target.startsWith('/hook')));
    assert.equal(logged(confab, /in-the-url|whs_/g), 0);
});

test('two relays post each message once', async () => {
    const confab = await started;
    const application = await Application.start();
    const { anna, room } = await world(confab, application);
    const said = await Promise.all(Array.from({ length: 40 }, (_, i) => anna.say(room.id, `m${i}`)));
    await application.got(40);
    await anna.say(room.id, 'the end');
    await until('the end', () => application.requests.some(({ json }) => json.payload.text === 'the end'));
    assert.equal(application.requests.length, 41);
    const ids = new Set(application.requests.map(({ json }) => json.payload.id));
    assert.ok(said.every(({ id }) => ids.has(id)));
});

test('who does not answer delays nobody: not the user, nor other webhooks', async () => {
    const confab = await started;
    const [silent, application] = [await Application.start(), await Application.start()];
    const { anna, room } = await world(confab, silent);
    silent.answers = Array(100).fill(0);
    for (let i = 0; i < 5; i++)
        await anna.say(room.id, 'hello?');
    await silent.got(1);
    const other = await world(confab, application);
    await other.anna.say(other.room.id, 'hello!');
    await application.got(1);
    assert.ok(silent.requests.length < 20, 'not behind all tries of the other');
    fine(await anna.delete(`/api/rooms/${room.id}`), 204);
});

test('a key that is deleted is told nothing more', async () => {
    const confab = await started;
    const application = await Application.start();
    const { anna, room, path, key } = await world(confab, application);
    await anna.say(room.id, 'before');
    await application.got(1);
    fine(await anna.delete(`${path}/${key.id}`), 204);
    await anna.say(room.id, 'after');
    const other = await Application.start();
    fine(await anna.post(path, { name: 'other', webhookUrl: other.url }), 201);
    await anna.say(room.id, 'last');
    assert.equal((await other.got(1)).json.payload.text, 'last');
    assert.equal(application.requests.length, 1);
});

test('a relay killed while it posts: posted again under the same id, and what was said meanwhile too', async () => {
    await withInstance({ systems: 'rooms', env: ON }, async (confab) => {
        const application = await Application.start();
        const { anna, room } = await world(confab, application);
        application.answers = [0];
        await anna.say(room.id, 'one');
        const { id } = await application.got(1);
        const [relay] = confab.relays;
        await relay.kill();
        const two = await anna.say(room.id, 'two');
        await relay.start();
        await application.got(3);
        assert.deepEqual(application.requests.slice(1).map(({ json }) => json.payload.text).sort(), ['one', 'two']);
        assert.equal(application.requests.slice(1).find(({ json }) => json.payload.text === 'one').id, id);
        assert.equal(application.requests.filter(({ json }) => json.payload.id === two.id).length, 1);
    });
});

test('private addresses are not posted to unless the operator wants it', async () => {
    const env = { ...ON, CONFAB_ROOMS_WEBHOOK_PRIVATE: undefined, CONFAB_ROOMS_WEBHOOK_PAUSE_MS: '1' };
    await withInstance({ systems: 'rooms', env }, async (confab) => {
        const application = await Application.start();
        const { port } = application.server.address();
        const anna = await register(confab);
        const room = await anna.room('r', ['Cook']);
        const urls = ['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '127.1', '0.0.0.0', '[::1]', '[::ffff:127.0.0.1]',
            '169.254.169.254', '10.0.0.1'].map((host) => `http://${host}:${port}/`);
        for (const webhookUrl of urls)
            fine(await anna.post(`/api/rooms/${room.id}/runners`, { name: 'k', webhookUrl }), 201);
        await anna.say(room.id, 'secret');
        await until('all to be given up', () => logged(confab, /given up/g) === urls.length);
        assert.equal(logged(confab, /given up.*not a public address/g), urls.length);
        assert.equal(application.requests.length, 0);
    });
});

test('the oldest of too many is given up', async () => {
    await withInstance({ systems: 'rooms', env: { ...ON, CONFAB_ROOMS_WEBHOOK_QUEUE: '2' } }, async (confab) => {
        const application = await Application.start();
        const { anna, room } = await world(confab, application);
        const [relay] = confab.relays;
        await relay.stop();
        for (const text of ['a', 'b', 'c', 'd'])
            await anna.say(room.id, text);
        await relay.start();
        await application.got(2);
        await anna.say(room.id, 'e');
        await application.got(3);
        assert.deepEqual(application.requests.map(({ json }) => json.payload.text).sort(), ['c', 'd', 'e']);
    });
});
