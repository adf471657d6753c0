/* Running a push server: new settings while it runs, its end, TLS, hooks, the live tail.
 * SPDX-License-Identifier: MIT
 */
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { after } from 'node:test';
import { test } from '../lib/instance.mjs';
import { BUILD, TRANSPORTS, assert, mint, now, numbers, readText, run, until, withPush, within } from '../lib/push.mjs';

const RECOVERABLE = { recoverable: true, positioned: true };

/* ---- new settings ---- */

test('SIGHUP: new settings for all, nobody is dropped', async () => {
    await withPush({ channels: { changing: { subscribe: 'token', history_size: 2 } } }, async (push) => {
        const clients = await Promise.all(TRANSPORTS.map((transport) => push.client({ user: 'anna', transport }).ready()));
        const subs = await Promise.all(clients.map((client) => client.sub('open:x', RECOVERABLE).ready()));
        const wire = await push.connected('ben');
        assert.equal((await wire.ask('subscribe', { channel: 'changing:x' })).error.code, 103);
        assert.equal((await wire.ask('subscribe', { channel: 'added:x' })).error.code, 102);
        await push.publish('open:x', 1);
        await push.reload({ push_api_key: 'another key of this test', push_token_secret: 'another secret, just as long as the first' },
            { changing: { subscribe: 'anyone', history_size: 5 }, added: { subscribe: 'anyone' } });
        const other = { key: 'another key of this test' };
        assert.equal((await push.api('info')).status, 401);
        assert.equal((await push.api('publish', { channel: 'open:x', data: 2 }, other)).json.result.offset, 2);
        for (const sub of subs) {
            await sub.count('publication', 2);
            assert.deepEqual(sub.heard, [1, 2]);
        }
        assert.ok((await wire.ask('subscribe', { channel: 'changing:x' })).subscribe);
        assert.ok((await wire.ask('subscribe', { channel: 'added:x' })).subscribe);
        assert.equal((await wire.ask('refresh', { token: mint({ sub: 'ben', exp: now() + 100 }, push.settings.push_token_secret) })).refresh.expires, true);
        const late = push.wire();
        await late.send({ id: 1, connect: { token: push.token('anna') } });
        assert.equal((await late.ended()).code, 3500, 'the old secret is no longer good');
        for (const n of numbers(5))
            await push.api('publish', { channel: 'changing:x', data: n }, other);
        assert.equal((await push.api('history', { channel: 'changing:x', limit: -1 }, other)).json.result.publications.length, 5);
        for (const client of clients)
            assert.equal(client.all('connected').length, 1);
    });
});

test('SIGHUP: a bad file keeps the old settings and says why', async () => {
    await withPush({}, async (push) => {
        const client = await push.client({ user: 'anna' }).ready();
        const sub = await client.sub('open:x').ready();
        for (const [settings, channels, why] of [
            [{ push_ping_s: 'soon' }, {}, /push_ping_s/], [{ push_ping_s: null, push_token_public_key: '/nowhere/key.pem' }, {}, /push_token_public_key|nowhere/],
            [{ push_token_public_key: null, nosuch_setting: 1 }, {}, /nosuch_setting/], [{ nosuch_setting: null }, { open: { subscribe: 'everybody' } }, /subscribe/],
            [{}, { open: { nosuch: 1 } }, /nosuch/], [{}, { open: { subscribe: 'anyone', pattern: '(' } }, /pattern/],
        ]) {
            const before = push.relay.text().length;
            await push.reload(settings, channels);
            const said = push.relay.text().slice(before);
            assert.match(said, /settings_kept/);
            assert.match(said, why);
            await push.publish('open:x', 1);
        }
        await sub.count('publication', 6);
        assert.equal(client.all('connected').length, 1);
        const check = await run(path.join(BUILD, 'relay/confab-relay'), ['--check', '--config', push.config], { env: push.env }).catch((error) => error);
        assert.ok(check.code > 0 && /pattern/.test(check.stderr), check.stderr);
        await push.reload({}, { open: { subscribe: 'anyone', history_size: 3 } });
        assert.match(push.relay.text(), /settings_reloaded/);
    });
});

/* ---- the end ---- */

test('SIGTERM: paced closes, newcomers refused, and all come to the next relay with what they missed', async () => {
    await withPush({ settings: { push_drain_s: 1, push_history: '@DIR@/push.db' }, channels: { kept: { subscribe: 'anyone', durable: true, history_size: 100, recovery: 'always' } } }, async (push) => {
        const clients = await Promise.all(numbers(18).map((n) => push.client({ user: `u${n}`, transport: TRANSPORTS[n % 3] }).ready()));
        const subs = await Promise.all(clients.map((client) => client.sub('kept:x', RECOVERABLE).ready()));
        await push.publish('kept:x', 1);
        await Promise.all(subs.map((sub) => sub.count('publication', 1)));
        push.relay.told = true;
        push.signal('SIGTERM');
        const codes = [];
        await Promise.all(clients.map(async (client) => {
            const { code, reason } = await client.next((event) => event.type === 'connecting' && event.code !== 0);
            codes.push(code);
            assert.equal(reason, 'shutdown');
        }));
        assert.deepEqual([...new Set(codes)], [3001]);
        assert.equal(await push.relay.died('its end'), 'exit 0');
        await push.relay.start();
        await Promise.all(clients.map((client) => client.next('connected')));
        await push.publish('kept:x', 2);
        await Promise.all(subs.map(async (sub) => {
            await sub.count('publication', 2);
            assert.deepEqual(sub.all('publication').map((event) => event.offset), [1, 2]);
            assert.equal(sub.all('subscribed').at(-1).recovered, true);
        }));
    });
});

test('while it ends it lets nobody in', async () => {
    await withPush({ settings: { push_drain_s: 20 } }, async (push) => {
        const wires = await Promise.all(numbers(40).map((n) => push.connected(`u${n}`)));
        push.relay.told = true;
        push.signal('SIGTERM');
        await until('the first close', () => wires.some((wire) => wire.closed));
        const late = push.wire();
        await late.ended();
        assert.ok(!late.refused || late.refused.status === 503, JSON.stringify(late.refused));
        assert.ok(wires.some((wire) => !wire.closed), 'paced');
        push.signal('SIGTERM');                 /* who asks twice is in a hurry */
        assert.equal(await push.relay.died('its end'), 'exit 0');
        await Promise.all(wires.map((wire) => wire.ended()));
    });
});

/* ---- TLS ---- */

test('TLS of the relay\'s own: clients, API, a renewed certificate', async () => {
    await withPush({}, async (push) => {
        const make = async (name) => {
            const [key, certificate] = ['key', 'crt'].map((ending) => path.join(push.dir, `${name}.${ending}`));
            await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', certificate,
                '-days', '2', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1']);
            return { key, certificate, ca: readText(certificate) };
        };
        const first = await make('first');
        push.configure({ relay_tls_certificate: first.certificate, relay_tls_key: first.key });
        await push.relay.restart();
        const ask = (ca, target = '/health', options = {}) => within('an answer over TLS', new Promise((resolve, reject) => {
            https.request({ host: '127.0.0.1', port: push.port, path: target, ca, agent: false, ...options }, (res) => {
                const chunks = [];
                const { subject } = res.socket.getPeerCertificate();
                res.on('data', (chunk) => chunks.push(chunk));
                res.on('end', () => resolve({ status: res.statusCode, text: Buffer.concat(chunks).toString(), name: subject.CN, protocol: res.socket.getProtocol() }));
            }).on('error', reject).end(options.body);
        }));
        const client = await push.client({ user: 'anna', ca: first.ca, socket: { ca: first.ca } }).ready();
        const sub = await client.sub('open:x').ready();
        const call = await ask(first.ca, '/api/publish', { method: 'POST', headers: { 'X-API-Key': 'the api key of this test' }, body: JSON.stringify({ channel: 'open:x', data: 'x'.repeat(60000) }) });
        assert.equal(call.status, 200);
        assert.equal((await sub.next('publication')).data.length, 60000);
        await assert.rejects(ask(undefined), { code: /SELF_SIGNED|UNABLE_TO_VERIFY/ });
        await assert.rejects(ask(first.ca, '/health', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
        const plain = await new Promise((resolve) => http.get({ host: '127.0.0.1', port: push.port, path: '/health' }, (res) => resolve(res.statusCode)).on('error', () => resolve('refused')));
        assert.ok(plain === 'refused' || plain >= 400, `${plain}`);
        const second = await make('second');
        await push.reload({ relay_tls_certificate: second.certificate, relay_tls_key: second.key });
        /* the paths take effect at the next start; what lies at the old ones is read anew */
        await run('cp', [second.certificate, first.certificate]);
        await run('cp', [second.key, first.key]);
        await push.reload({ relay_tls_certificate: first.certificate, relay_tls_key: first.key });
        assert.equal((await ask(second.ca)).name, 'second');
        assert.equal(client.all('connected').length, 1);
    });
});

/* ---- hooks ---- */

/* An application that is told; answer(n) is its status for the nth request. */
async function listener(answer = () => 200) {
    const heard = { requests: [], get events() { return this.batches.flatMap((batch) => batch.events); }, batches: [] };
    const server = http.createServer((req, res) => {
        const chunks = [];
        req.on('data', (chunk) => chunks.push(chunk));
        req.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const status = answer(heard.requests.length);
            heard.requests.push({ text, headers: req.headers, status, method: req.method, url: req.url });
            if (status === 'hang up')
                return res.destroy();
            if (status < 300)
                heard.batches.push(JSON.parse(text));
            res.writeHead(status, status >= 300 && status < 400 ? { Location: '/elsewhere' } : {});
            return res.end();
        });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    after(() => server.close());
    heard.url = `http://127.0.0.1:${server.address().port}/told?by=confab`;
    return heard;
}

test('hooks: who comes and goes, in order, signed', async () => {
    const heard = await listener();
    await withPush({ settings: { push_hook_url: heard.url, push_hook_secret: 'hook secret' }, channels: { told: { subscribe: 'anyone', hooks: true } } }, async (push) => {
        const first = await push.connected('anna');
        await first.ask('subscribe', { channel: 'told:x' });
        const second = await push.connected('anna');
        await second.ask('subscribe', { channel: 'told:x' });
        const ben = await push.client({ user: 'ben', transport: 'sse' }).ready();
        await ben.sub('told:x').ready();
        await ben.sub('open:silent').ready();
        ben.stop();
        await until('his leaving', () => heard.events.some((event) => event.type === 'disconnect' && event.user === 'ben'));
        await first.ask('unsubscribe', { channel: 'told:x' });
        await push.ok('disconnect', { user: 'anna', disconnect: { code: 4001, reason: 'enough' } });
        await until('the last', () => heard.events.filter((event) => event.type === 'disconnect').length === 3);
        const types = heard.events.map((event) => event.type);
        for (const [type, n] of Object.entries({ connect: 3, disconnect: 3, first_join: 2, last_leave: 2, occupied: 1, vacated: 1 }))
            assert.equal(types.filter((one) => one === type).length, n, `${type} in ${types}`);
        for (const user of ['anna', 'ben']) {
            const mine = heard.events.filter((event) => event.user === user).map((event) => event.type);
            assert.equal(mine[0], 'connect');
            assert.ok(mine.indexOf('first_join') < mine.indexOf('last_leave') && mine.at(-1) === 'disconnect', `${mine}`);
        }
        assert.ok(types.indexOf('occupied') < types.indexOf('vacated'));
        assert.ok(!heard.events.some((event) => event.channel === 'open:silent'));
        for (const { text, headers, method, url } of heard.requests) {
            assert.deepEqual([method, url, headers['content-type']], ['POST', '/told?by=confab', 'application/json']);
            assert.equal(headers['x-confab-signature'], createHmac('sha256', 'hook secret').update(text).digest('hex'));
        }
        assert.deepEqual(heard.batches.map((batch) => batch.batch), numbers(heard.batches.length));
        assert.equal(new Set(heard.batches.map((batch) => batch.run)).size, 1);
        const times = heard.events.map((event) => event.time);
        assert.deepEqual(times, [...times].sort((a, b) => a - b));
    });
});

test('hooks: a failing application gets the same batch again, a refusing one loses it', async () => {
    const heard = await listener((n) => [500, 'hang up', 302, 200, 400][n] ?? 200);
    await withPush({ settings: { push_hook_url: heard.url, push_hook_batch: 5 } }, async (push) => {
        const wires = await Promise.all(numbers(4).map((n) => push.connected(`u${n}`)));
        await until('four tries', () => heard.requests.length >= 4);
        assert.equal(new Set(heard.requests.slice(0, 4).map(({ text }) => text)).size, 1, 'same number, same bytes');
        const told = () => heard.requests.filter(({ status }) => status === 200 || status === 400).flatMap(({ text }) => JSON.parse(text).events).filter((event) => event.type === 'connect').length;
        await until('all of them to be posted', () => told() === 4);
        for (const wire of wires)
            wire.terminate();
        await until('a lost event', () => heard.events.some((event) => event.type === 'lost'));
        const refused = JSON.parse(heard.requests.find(({ status }) => status === 400).text);
        assert.equal(heard.events.find((event) => event.type === 'lost').count, refused.events.length);
        for (const { text } of heard.requests)
            assert.ok(JSON.parse(text).events.length <= 6, 'batches are bounded');
        const figures = await push.metrics();
        assert.ok(figures.confab_push_hook_retries_total >= 2);       /* libcurl itself repeats what a kept connection lost */
    });
    /* the end of the relay: what waits is posted */
    assert.equal(heard.requests.at(-1).status, 200);
});

/* ---- watching ---- */

test('push-tail: a channel, a user', async () => {
    await withPush({ api: 'own' }, async (push) => {
        const tail = (...args) => {
            const child = spawn(path.join(BUILD, 'ctl/confabctl'), ['push-tail', ...args], { env: { ...push.env, CONFAB_CONFIG: push.config }, stdio: ['ignore', 'pipe', 'pipe'] });
            const told = { text: '', errors: '', child, get events() { return this.text.split('\n').filter(Boolean).map((line) => JSON.parse(line)); } };
            child.stdout.on('data', (data) => { told.text += data; });
            child.stderr.on('data', (data) => { told.errors += data; });
            after(() => child.kill());
            return told;
        };
        const channel = tail('--channel', 'open:x');
        const user = tail('--user', 'anna');
        /* a watcher is there when it hears: nothing else says so */
        await until('both to watch', async () => {
            await push.publish('open:x', 'are you there');
            const wire = await push.connected('anna');
            wire.terminate();
            return channel.text && user.text;
        });
        const wire = await push.connected('anna');
        await wire.ask('subscribe', { channel: 'open:x' });
        await push.publish('open:x', { deep: [1] });
        await push.ok('disconnect', { user: 'anna', disconnect: { code: 4005, reason: 'seen' } });
        await until('all at the channel', () => channel.text.includes('"deep"') && /"(leave|unsubscribe)"/.test(channel.text));
        await until('all at the user', () => user.text.includes('4005'));
        assert.ok(channel.events.every((event) => !event.channel || event.channel === 'open:x'));
        assert.ok(!user.text.includes('"deep"'));
        const wrong = await run(path.join(BUILD, 'ctl/confabctl'), ['push-tail', '--user', 'x'], { env: { ...push.env, CONFAB_CONFIG: push.config, CONFAB_PUSH_API_KEY: 'wrong' } }).catch((error) => error);
        assert.ok(wrong.code > 0 && /push_api_key/.test(wrong.stderr), wrong.stderr);
        for (const watcher of [channel, user])
            watcher.child.kill();
    });
});

test('tokens and keys from confabctl', async () => {
    await withPush({ settings: { push_anonymous: false } }, async (push) => {
        const token = (await push.ctl('push-token', '--user', 'anna', '--info', '{"name":"Anna"}')).trim();
        const wire = await push.connected({ token });
        const pass = (await push.ctl('push-token', '--user', 'anna', '--channel', 'plain', '--expires', '60')).trim();
        assert.ok((await wire.ask('subscribe', { channel: 'plain', token: pass })).subscribe.ttl <= 60);
        assert.match((await push.ctl('push-key')).trim(), /^[0-9a-f]{64}$/);
        assert.equal((await push.ctl('push-key')) === (await push.ctl('push-key')), false);
    });
});
