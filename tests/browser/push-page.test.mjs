/* The push server in a real browser: its operator's page, and the client library across origins.
 * SPDX-License-Identifier: MIT
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from '../lib/instance.mjs';
import { KEY, TRANSPORTS, assert, numbers, until, withPush } from '../lib/push.mjs';
import { Tab } from './tab.mjs';

test('the operator\'s page: behind the key, then live figures', async () => {
    await withPush({ api: 'own' }, async (push) => {
        const tab = await Tab.open({ port: push.apiPort }, 'operator', { query: 'admin/', expected: /status of 401/ });
        assert.equal(await tab.page.title(), 'Push server');
        assert.equal(await tab.at('#figures').isVisible(), false);
        await tab.page.fill('#key', 'wrong');
        await tab.page.click('#door button');
        await tab.at('#state.bad', { hasText: 'not the one' }).waitFor();
        assert.equal(await tab.at('#figures').isVisible(), false);
        await tab.page.fill('#key', KEY);
        await tab.page.press('#key', 'Enter');
        await tab.at('#figures').waitFor();
        assert.equal(await tab.at('#door').isVisible(), false);
        const now = (title) => tab.at('figure', { hasText: title }).first().locator('b').innerText();
        const clients = await Promise.all(numbers(5).map((n) => push.client({ user: `u${n % 3}`, transport: TRANSPORTS[n % 3] }).ready()));
        for (const [i, client] of clients.entries())
            for (const n of numbers(3))
                await client.sub(`open:${n + i % 2}`).ready();
        let publishing = true;
        const work = (async () => {
            for (let n = 0; publishing; n++)
                await push.publish(`open:${1 + n % 3}`, n);
        })();
        await until('the figures', async () => await now('connections') === '5' && await now('users') === '3' && await now('channels') === '4' && await now('subscriptions') === '15');
        await until('rates', async () => Number((await now('publications / s')).replace(',', '')) > 0 && Number((await now('deliveries / s')).replace(',', '')) > 0);
        await tab.at('summary').click();
        await tab.at('#all tr', { hasText: 'push_publications_total' }).first().waitFor();
        await until('a plot', async () => (await tab.at('figure', { hasText: 'publications / s' }).locator('polyline').getAttribute('points')).split(' ').length >= 3);
        await tab.shot('push-admin');
        publishing = false;
        await work;
        for (const client of clients)
            client.stop();
        await until('nobody', async () => await now('connections') === '0');
        /* nothing of the key is kept */
        assert.deepEqual(await tab.page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length, location.search]), ['', 0, 0, '']);
        await tab.page.reload();
        assert.equal(await tab.at('#figures').isVisible(), false);
        await tab.clean();
    });
});

/* A page of an application on another origin, with the library as it is published for browsers. */
async function application() {
    const library = readFileSync(path.join(path.dirname(createRequire(import.meta.url).resolve('centrifuge')), '../dist/centrifuge.js'));
    const server = http.createServer((req, res) => {
        res.writeHead(200, { 'Content-Type': req.url === '/centrifuge.js' ? 'text/javascript' : 'text/html; charset=utf-8' });
        res.end(req.url === '/centrifuge.js' ? library : '<!DOCTYPE html><link rel="icon" href="data:,"><title>application</title><script src="/centrifuge.js"></script>');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
}

/* Runs in the page: connects, subscribes, publishes, notes what comes. */
function connect({ base, transport, token }) {
    const endpoint = `${transport === 'websocket' ? base.replace('http', 'ws') : base}/connection/${transport}`;
    const client = new window.Centrifuge([{ transport, endpoint }], { emulationEndpoint: `${base}/emulation`, token, minReconnectDelay: 20, maxReconnectDelay: 100 });
    const sub = client.newSubscription('open:page', { recoverable: true });
    window.heard ??= {};
    const mine = window.heard[transport] = { publications: [], states: [] };
    client.on('state', (event) => mine.states.push(event.newState));
    sub.on('publication', (event) => mine.publications.push(event.data));
    sub.on('subscribed', () => sub.publish({ by: transport }));
    sub.subscribe();
    client.connect();
}

test('the client library across origins, over every transport', async () => {
    const server = await application();
    const { port } = server.address();
    try {
        await withPush({ settings: { push_allowed_origins: `http://127.0.0.1:${port}` } }, async (push) => {
            const tab = await Tab.open({ port }, 'friend', { query: '' });
            for (const transport of TRANSPORTS) {
                await tab.page.evaluate(connect, { base: push.base(), transport, token: push.token('anna') });
                await tab.until(`${transport} to hear itself`, (name) => window.heard[name].publications.some((data) => data.by === name), transport);
            }
            await push.publish('open:page', { text: 'für alle 🥁' });
            await tab.until('all to hear', () => Object.values(window.heard).every(({ publications }) => publications.some((data) => data.text === 'für alle 🥁')));
            await push.ok('disconnect', { user: 'anna' });
            await tab.until('the end of all', () => Object.values(window.heard).every(({ states }) => states.at(-1) === 'disconnected'));
            await tab.clean();
            await push.reload({ push_allowed_origins: 'http://elsewhere.example' });
            const stranger = await Tab.open({ port }, 'stranger', { query: '' });
            for (const transport of TRANSPORTS)
                await stranger.page.evaluate(connect, { base: push.base(), transport, token: push.token('anna') });
            await until('refusals', () => stranger.complaints.length >= 3);
            assert.deepEqual(await stranger.page.evaluate(() => Object.values(window.heard).map(({ states }) => states.includes('connected'))), [false, false, false]);
            await stranger.close();
        });
    } finally {
        server.close();
        server.closeAllConnections();
    }
});
