/* Health, readiness, and what is served when parts are missing.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine, keys } from '../lib/assert.mjs';
import { test, withInstance } from '../lib/instance.mjs';
import { until } from '../lib/wait.mjs';

test('health, ready, and not ready without a relay', async () => {
    await withInstance({ auth: 'jwt' }, async (confab) => {
        const health = fine(await confab.nobody.get('/health'));
        keys(health, 'status', 'version');
        assert.equal(health.status, 'ok');
        assert.match(health.version, /^\d+\.\d+\.\d+/);
        assert.deepEqual(fine(await confab.nobody.get('/health/ready')), { status: 'ready' });
        await confab.relays[0].kill();
        await until('not ready', async () => (await confab.nobody.get('/health/ready')).status === 503);
        const answer = await confab.nobody.get('/health/ready');
        assert.deepEqual(answer.json, { status: 'not_ready' });
        fine(await confab.nobody.get('/health'));
        /* chat goes on without */
        const dialog = await confab.dialog(['a']);
        assert.equal((await confab.api('a').send(dialog, 'x')).content, 'x');
        await confab.relays[0].start();
        await until('ready again', async () => (await confab.nobody.get('/health/ready')).status === 200);
    });
});

test('a relay tells what it counted and goes on', async () => {
    await withInstance({ auth: 'trusted', handlers: 1 }, async (confab) => {
        const [relay] = confab.relays;
        const socket = await confab.socket('a');
        relay.signal('SIGUSR1');
        await until('the counters', () => / log seq=\d+ .*reads=/.test(relay.text()));
        assert.match(relay.text(), /counter name=connections value=1\n/);
        assert.match(relay.text(), /counter name=upgraded value=1\n/);
        assert.match(relay.text(), /counter name=refused_full value=0\n/);
        await confab.drain(socket);
    });
});

test('what the web server says itself has the contract\'s form', async () => {
    await withInstance({ auth: 'trusted', handlers: 1, relays: 0 }, async (confab) => {
        await confab.handlers[0].stop();
        const answer = await confab.api('a').get('/dialogs');
        assert.ok([502, 503].includes(answer.status), `${answer.status}`);
        assert.ok(answer.json?.error?.code, answer.text);
        assert.equal(answer.headers['access-control-allow-origin'], '*');
        await confab.handlers[0].start();
        await until('service', async () => (await confab.api('a').get('/dialogs')).status === 200);
    });
});

test('files of the demo, apart from the API', async () => {
    await withInstance({ auth: 'trusted', handlers: 1, relays: 0 }, async (confab) => {
        const page = await confab.nobody.get('/');
        assert.equal(page.status, 200);
        assert.match(page.headers['content-type'], /^text\/html/);
        assert.match(page.headers['content-security-policy'], /default-src 'none'/);
        assert.ok(!('access-control-allow-origin' in page.headers));
        assert.equal((await confab.nobody.get('/.gitignore')).status, 403);
        for (const path of ['/nothing.html', '/../confab.conf', '/api/../nothing'])
            assert.equal((await confab.nobody.get(path)).status, 404, path);
        for (const path of ['/api/index.html', '/api/v1/%ff', '/%ff']) {
            const answer = await confab.nobody.get(path);
            assert.ok([400, 404].includes(answer.status), path);
            assert.ok(answer.json?.error, path);
        }
    });
});
