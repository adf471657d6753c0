/* The application decides by HTTP: who may subscribe, what remote calls give; and what becomes of clients when it does
 * not answer.
 * SPDX-License-Identifier: MIT
 */
import { createHmac } from 'node:crypto';
import http from 'node:http';
import { after } from 'node:test';
import { test } from '../lib/instance.mjs';
import { TRANSPORTS, assert, now, numbers, until, withPush } from '../lib/push.mjs';

/* An application. answer(question) is a JSON value, a text, { status, ... } or HANG. */
const HANG = Symbol('no answer');

async function application(answer) {
    const app = { asked: [], answer, about: (channel) => app.asked.filter((one) => one.channel === channel) };
    const server = http.createServer(async (req, res) => {
        let text = '';
        for await (const piece of req.setEncoding('utf8'))
            text += piece;
        const question = JSON.parse(text);
        app.asked.push({ ...question, request: { text, headers: req.headers, method: req.method, url: req.url } });
        const said = await app.answer(question);
        if (said === HANG)
            return;
        const { status = 200, headers = {}, body = said } = said?.status ? said : {};
        res.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    after(() => {
        server.closeAllConnections();
        server.close();
    });
    app.url = `http://127.0.0.1:${server.address().port}/decide?by=confab`;
    return app;
}

const asking = { authorize: true, history_size: 20, recovery: 'allowed', publish: 'subscriber', join_leave: 'always', presence: true, presence_for: 'subscriber' };
const error = (code, message) => ({ error: { code, message } });

async function withApplication(options, answer, body) {
    const app = await application(answer);
    await withPush({ ...options, settings: { push_callback_url: app.url, ...options.settings }, channels: { ask: asking, ...options.channels } },
        (push) => body(push, app));
}

test('what the application says is what happens, over every transport', async () => {
    const expireAt = now() + 3600;
    await withApplication({ settings: { push_callback_secret: 'callback secret', push_hook_secret: 'hook secret', push_expiry_grace_s: 0 } }, ({ channel }) => ({
        'ask:plain': { result: {} },
        'ask:more': { result: { info: { seat: 4 }, data: ['welcome', { n: 1 }], expire_at: expireAt } },
        'ask:no': error(103, 'not for you'),
        'ask:own': error(1234, 'only on Sundays'),
        'ask:brief': { result: { expire_at: now() + 2 } },
        'ask:over': { result: { expire_at: now() - 10 } },
    })[channel], async (push, app) => {
        for (const transport of TRANSPORTS) {
            const anna = await push.client({ user: 'anna', transport }).ready();
            const plain = await anna.sub('ask:plain', { data: { ticket: 'T 1' } }).ready();
            const question = app.about('ask:plain').at(-1);
            const { request, ...said } = question;
            assert.deepEqual(said, { type: 'subscribe', channel: 'ask:plain', user: 'anna', client: anna.id, data: { ticket: 'T 1' } });
            assert.deepEqual([request.method, request.url, request.headers['content-type']], ['POST', '/decide?by=confab', 'application/json']);
            assert.equal(request.headers['x-confab-signature'], createHmac('sha256', 'callback secret').update(request.text).digest('hex'));
            await push.publish('ask:plain', transport);
            assert.equal((await plain.next('publication')).data, transport);
            const more = await anna.sub('ask:more').ready();
            assert.deepEqual(more.hello.data, ['welcome', { n: 1 }]);
            assert.deepEqual((await more.next('join')).info, { user: 'anna', client: anna.id, chanInfo: { seat: 4 } });
            assert.ok(!('data' in app.about('ask:more').at(-1)));
            for (const [channel, code, reason] of [['ask:no', 103, 'not for you'], ['ask:own', 1234, 'only on Sundays'], ['ask:over', 110, 'expired']]) {
                const sub = anna.sub(channel).start();
                const { code: got, reason: words } = await sub.next('unsubscribed');
                assert.deepEqual([got, words], [code, reason]);
            }
            anna.stop();
        }
        const wire = await push.connected('ben');
        const { subscribe } = await wire.ask('subscribe', { channel: 'ask:more' });
        assert.equal(subscribe.expires, true);
        assert.ok(subscribe.ttl > 3500 && subscribe.ttl <= 3600, `${subscribe.ttl}`);
        assert.ok((await wire.ask('subscribe', { channel: 'ask:brief' })).subscribe.ttl <= 2);
        assert.deepEqual((await wire.push('unsubscribe')).unsubscribe, { code: 2501, reason: 'subscription expired' });
        const figures = await push.metrics();
        assert.ok(figures['confab_push_callbacks_total{result="ok"}'] >= 8);
        assert.equal(figures['confab_push_callbacks_total{result="error"}'], 6);
        assert.equal(figures.confab_push_callback_waiting, 0);
        assert.ok(figures.confab_push_callback_seconds_count >= 13);
    });
});

test('whom nobody need be asked about', async () => {
    await withApplication({ channels: { listed: { ...asking, user_limited: true }, all: { ...asking, subscribe: 'anyone' } } },
        ({ channel }) => channel.startsWith('all:') ? error(103) : { result: {} }, async (push, app) => {
            const wire = await push.connected('anna');
            assert.ok((await wire.ask('subscribe', { channel: 'ask:token', token: push.pass('anna', 'ask:token') })).subscribe);
            assert.equal((await wire.ask('subscribe', { channel: 'ask:bad', token: 'none' })).error.code, 103);
            assert.ok((await wire.ask('subscribe', { channel: 'listed:x#anna' })).subscribe);
            assert.ok((await wire.ask('subscribe', { channel: 'plain:x' })).subscribe);
            for (const [channel, code] of [['$ask:x', 103], ['ask:$x', 103], ['nowhere:x', 102], ['ask:token', 105]])
                assert.equal((await wire.ask('subscribe', { channel })).error.code, code, channel);
            assert.deepEqual(app.asked, []);
            assert.ok((await wire.ask('subscribe', { channel: 'listed:x#ben' })).subscribe);
            assert.equal((await wire.ask('subscribe', { channel: 'all:x' })).error.code, 103, 'the application comes first');
            const nobody = await push.connected({});
            assert.ok((await nobody.ask('subscribe', { channel: 'ask:x' })).subscribe);
            assert.deepEqual(app.asked.map((one) => [one.channel, one.user]), [['listed:x#ben', 'anna'], ['all:x', 'anna'], ['ask:x', '']]);
            assert.ok(app.asked.every((one) => !('x-confab-signature' in one.request.headers)));
        });
});

test('an answer that is none is temporary: the library tries again', async () => {
    const answers = [{ status: 500, body: { result: {} } }, { status: 302, headers: { Location: '/elsewhere' }, body: '' }, { status: 404, body: error(103) }, '',
        'no JSON', '{"result":{}', { result: 1 }, {}, error(7), error(2000), { result: { data: 'x'.repeat(70000) } }, error(100), error(111), { result: {} }];
    await withApplication({ settings: { push_errors_max: 3 } }, () => answers.shift(), async (push, app) => {
        const anna = await push.client({ user: 'anna' }).ready();
        const sub = await anna.sub('ask:x').ready();
        const errors = sub.all('error').map((event) => event.error.code);
        assert.deepEqual(errors, [...Array(12).fill(100), 111]);
        assert.equal(app.asked.length, 14);
        assert.equal(anna.all('connected').length, 1, 'it is not the client who was wrong');
        const figures = await push.metrics();
        assert.equal(figures['confab_push_callbacks_total{result="failed"}'], 11);
        assert.match(push.relay.text(), /\bcallback\b.*status 500/);
    });
});

test('an application that hangs holds up who waits for it, and nobody else', async () => {
    await withApplication({ settings: { push_callback_timeout_ms: 300, push_callback_threads: 2, push_rpc: true } }, ({ channel }) => channel?.startsWith('ask:hang') ? HANG : { result: {} }, async (push, app) => {
        const anna = await push.connected('anna');
        const began = Date.now();
        const replies = numbers(40).map((n) => anna.ask('subscribe', { channel: `ask:hang${n}` }));
        await until('both threads to be held', () => app.asked.length === 2);
        const ben = await push.connected('ben');
        assert.ok((await ben.ask('subscribe', { channel: 'open:x' })).subscribe);
        assert.ok((await anna.ask('subscribe', { channel: 'open:x' })).subscribe, 'nor what the same client does beside');
        await push.publish('open:x', 1);
        await anna.push('pub');
        assert.ok(!anna.lines.some((line) => line.error), 'all before the first time-out');
        for (const { error: { code, temporary } } of await Promise.all(replies))
            assert.deepEqual([code, temporary], [100, true]);
        assert.ok(Date.now() - began < 3000, 'those in the queue do not add up');
        assert.equal((await push.metrics())['confab_push_callbacks_total{result="timeout"}'], 40);
        assert.ok((await ben.ask('subscribe', { channel: 'ask:fine' })).subscribe, 'the threads are free again');
    });
});

test('bounds: the queue, a connection, one question for a channel', async () => {
    const held = [];
    await withApplication({ settings: { push_callback_timeout_ms: 20000, push_callback_queue: 6, push_channels_per_client: 3, push_rpc: true } },
        () => new Promise((resolve) => { held.push(resolve); }), async (push) => {
            const [anna, ben, carl] = await Promise.all(['anna', 'ben', 'carl'].map((user) => push.connected(user)));
            const first = numbers(3).map((n) => anna.ask('subscribe', { channel: `ask:${n}` }));
            await until('the questions', () => held.length === 3);
            assert.equal((await anna.ask('subscribe', { channel: 'ask:2' })).error.code, 105);
            assert.equal((await anna.ask('subscribe', { channel: 'ask:2', token: push.pass('anna', 'ask:2') })).error.code, 105);
            assert.equal((await anna.ask('subscribe', { channel: 'open:x' })).error.code, 106, 'questions count as subscriptions');
            assert.equal((await anna.ask('rpc', { method: 'm' })).error.code, 111);
            const calls = numbers(3).map(() => ben.ask('rpc', { method: 'm' }));
            await until('the calls', () => held.length === 6);
            const { error: full } = await carl.ask('subscribe', { channel: 'ask:x' });
            assert.deepEqual([full.code, full.temporary], [111, true]);
            assert.equal((await push.metrics()).confab_push_callback_waiting, 6);
            for (const resolve of held)
                resolve({ result: {} });
            for (const reply of await Promise.all([...first, ...calls]))
                assert.ok(reply.subscribe ?? reply.rpc, JSON.stringify(reply));
            const last = carl.ask('subscribe', { channel: 'ask:x' });
            await until('the last', () => held.length === 7);
            held[6]({ result: {} });
            assert.ok((await last).subscribe);
            assert.equal((await push.metrics())['confab_push_callbacks_total{result="queue"}'], 2);
        });
});

test('unsubscribed, gone and ended while the application thinks', async () => {
    const held = {};
    await withApplication({ settings: { push_callback_timeout_ms: 20000 } }, ({ channel, user }) => new Promise((resolve) => { held[`${user} ${channel}`] = resolve; }), async (push, app) => {
        const anna = await push.connected('anna');
        const asked = anna.ask('subscribe', { channel: 'ask:x' });
        await until('the question', () => held['anna ask:x']);
        assert.deepEqual((await anna.ask('unsubscribe', { channel: 'ask:x' })).unsubscribe, {});
        assert.equal((await asked).error.code, 111);
        const again = anna.ask('subscribe', { channel: 'ask:x' });
        await until('it to be asked anew', () => app.about('ask:x').length === 2);
        held['anna ask:x']({ result: { data: 'second' } });
        assert.equal((await again).subscribe.data, 'second');
        /* whoever subscribes by the server's hand meanwhile keeps what he has */
        const both = anna.ask('subscribe', { channel: 'ask:both' });
        await until('the question', () => held['anna ask:both']);
        await push.ok('subscribe', { user: 'anna', channel: 'ask:both' });
        held['anna ask:both'](error(103));
        assert.equal((await both).error.code, 103);
        await push.publish('ask:both', 1);
        await anna.find((line) => line.push?.channel === 'ask:both' && line.push.pub);
        const ben = await push.connected('ben');
        ben.ask('subscribe', { channel: 'ask:gone' }).catch(() => {});
        await until('the question', () => held['ben ask:gone']);
        ben.terminate();
        await push.metric('confab_push_clients', (n) => n === 1);
        held['ben ask:gone']({ result: {} });
        await push.metric('confab_push_callback_waiting', (n) => n <= 1);
        assert.deepEqual((await push.ok('channels', { pattern: 'ask:gone' })).channels, {});
        anna.ask('subscribe', { channel: 'ask:end' }).catch(() => {});
        await until('the question', () => held['anna ask:end']);
        push.relay.told = true;
        push.signal('SIGTERM');
        assert.equal((await anna.ended()).code, 3001);
        const began = Date.now();
        assert.equal(await push.relay.died('its end'), 'exit 0');
        assert.ok(Date.now() - began < 10000, 'it does not wait for the application');
    });
});

test('what nobody waits for any more is not asked', async () => {
    const held = [];
    await withApplication({ settings: { push_callback_timeout_ms: 20000, push_callback_threads: 1 } }, () => new Promise((resolve) => { held.push(resolve); }), async (push, app) => {
        const [anna, ben] = await Promise.all(['anna', 'ben'].map((user) => push.connected(user)));
        const first = anna.ask('subscribe', { channel: 'ask:first' });
        await until('the thread to be held', () => held.length === 1);
        const taken = anna.ask('subscribe', { channel: 'ask:taken-back' });
        ben.ask('subscribe', { channel: 'ask:gone' }).catch(() => {});
        const last = anna.ask('subscribe', { channel: 'ask:last' });
        await push.metric('confab_push_callback_waiting', (n) => n === 4);
        await anna.ask('unsubscribe', { channel: 'ask:taken-back' });
        ben.terminate();
        await push.metric('confab_push_clients', (n) => n === 1);
        held[0]({ result: {} });
        await until('the last question', () => held.length === 2);
        held[1]({ result: {} });
        assert.ok((await first).subscribe && (await last).subscribe);
        assert.equal((await taken).error.code, 111);
        assert.deepEqual(app.asked.map((one) => one.channel), ['ask:first', 'ask:last']);
    });
});

test('remote calls: result, error, unknown method, off', async () => {
    await withApplication({ settings: { push_rpc: true } }, ({ method, data, user }) => ({
        add: { result: { data: data?.reduce?.((a, b) => a + b, 0) } }, who: { result: { data: { user } } }, nothing: { result: {} },
        own: error(444, 'too late'), soon: { error: { code: 500, message: 'later', temporary: true } },
    })[method] ?? error(104), async (push, app) => {
        for (const transport of TRANSPORTS) {
            const anna = await push.client({ user: 'anna', transport }).ready();
            assert.equal((await anna.sdk.rpc('add', [1, 2, 3])).data, 6);
            assert.deepEqual((await anna.sdk.rpc('who', null)).data, { user: 'anna' });
            const { request, ...said } = app.asked.find((one) => one.client === anna.id);
            assert.deepEqual(said, { type: 'rpc', method: 'add', user: 'anna', client: anna.id, data: [1, 2, 3] });
            await assert.rejects(anna.sdk.rpc('own', {}), { code: 444, message: 'too late' });
            await assert.rejects(anna.sdk.rpc('soon', {}), { code: 500, temporary: true });
            await assert.rejects(anna.sdk.rpc('unheard of', {}), { code: 104, message: 'method not found' });
            anna.stop();
        }
        const wire = await push.connected('anna');
        assert.deepEqual((await wire.ask('rpc', { method: 'nothing' })).rpc, {});
        await push.reload({ push_rpc: false });
        assert.equal((await wire.ask('rpc', { method: 'nothing' })).error.code, 108);
        await push.reload({ push_rpc: true, push_callback_url: null }, { ask: {} });
        assert.match(push.relay.text(), /push_rpc needs push_callback_url/);
        assert.equal((await wire.ask('rpc', { method: 'nothing' })).error.code, 108);
    });
});
