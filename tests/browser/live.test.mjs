/* What happens to the page when the relay, or everything, goes away and comes back.
 * SPDX-License-Identifier: MIT
 */
import assert from 'node:assert/strict';
import { test, withInstance } from '../lib/instance.mjs';
import { noSocket, people, Tab } from './tab.mjs';

const options = { auth: 'trusted', env: { CONFAB_LEASE_MS: '1000' } };
const numbered = (what, n) => Array.from({ length: n }, (_, i) => `${what} ${i}.`);

async function sendAll(confab, user, dialog, texts) {
    for (const text of texts)
        await confab.api(user).send(dialog, `<p>${text}</p>`);
}

test('after a relay died, what was said meanwhile comes by the socket, once and in order', () =>
    withInstance(options, async (confab) => {
        const dialog = await confab.dialog(people('alice', 'bob'), { title: 'Gap' });
        const alice = await Tab.open(confab, 'alice', { expected: noSocket });
        await alice.choose('Gap');
        await alice.status('live');
        await confab.api('bob').send(dialog, '<p>before.</p>');
        await alice.said('before.');
        await alice.page.route('**/api/v1/sync?*', (route) => route.abort());
        await confab.relays[0].kill();
        await alice.status('offline');
        const meanwhile = numbered('meanwhile', 12);
        await sendAll(confab, 'bob', dialog, meanwhile);
        assert.deepEqual(await alice.texts(), ['before.']);
        await confab.relays[0].start();
        await alice.status('live');
        await confab.api('bob').send(dialog, '<p>after.</p>');
        await alice.said('after.');
        assert.deepEqual(await alice.texts(), ['before.', ...meanwhile, 'after.']);
        await alice.clean();
    }));

test('with no relay the page polls, and goes over to the socket when one comes', () =>
    withInstance(options, async (confab) => {
        await confab.relays[0].kill();
        const dialog = await confab.dialog(people('alice', 'bob'), { title: 'Slow' });
        const alice = await Tab.open(confab, 'alice', { expected: noSocket });
        const bob = await Tab.open(confab, 'bob', { expected: noSocket });
        for (const tab of [alice, bob]) {
            await tab.status('polling');
            await tab.choose('Slow');
        }
        await alice.say('by polling');
        await bob.said('by polling');
        await bob.say('me too');
        await alice.said('me too');
        await confab.relays[0].start();
        await alice.status('live');
        await bob.status('live');
        await bob.say('faster');
        await alice.said('faster');
        await alice.at('#talk-sub .dot.on').waitFor();
        await confab.relays[0].kill();
        await alice.status('polling');
        const more = numbered('polled', 5);
        await sendAll(confab, 'bob', dialog, more);
        await alice.said(more.at(-1));
        assert.deepEqual(await alice.texts(), ['by polling', 'me too', 'faster', ...more]);
        await alice.clean();
        await bob.clean();
    }));

test('a poll that has nothing new costs a 304', () =>
    withInstance({ ...options, relays: 0 }, async (confab) => {
        await confab.dialog(people('alice', 'bob'), { title: 'Quiet' });
        const alice = await Tab.open(confab, 'alice', { expected: noSocket });
        await alice.status('polling');
        const answer = await alice.page.waitForResponse((r) => r.url().includes('/sync?') && r.status() === 304);
        assert.equal((await answer.request().allHeaders())['if-none-match'], answer.headers().etag);
        await alice.clean();
    }));

test('everything gone: the page says so, keeps what it shows, and catches up', () =>
    withInstance(options, async (confab) => {
        const dialog = await confab.dialog(people('alice', 'bob'), { title: 'Storm' });
        const alice = await Tab.open(confab, 'alice', { expected: noSocket });
        await alice.choose('Storm');
        await alice.status('live');
        await confab.api('bob').send(dialog, '<p>calm.</p>');
        await alice.said('calm.');
        await confab.lighttpd.stop();
        await alice.status('offline');
        await alice.said('calm.');
        await alice.say('into the storm');
        await alice.at('.failed').waitFor();
        await confab.lighttpd.start();
        await confab.api('bob').send(dialog, '<p>still there?</p>');
        await alice.said('still there?');
        await alice.status('live');
        await alice.at('[data-act="retry"]').click();
        await alice.at('.msg:not(.pending)', { hasText: 'into the storm' }).waitFor();
        assert.deepEqual(await alice.texts(), ['calm.', 'still there?', 'into the storm']);
        await alice.clean();
    }));

test('a page whose events are no longer held reads everything anew', () =>
    withInstance({ ...options, env: { ...options.env, CONFAB_RESUME_MAX: '3' } }, async (confab) => {
        const dialog = await confab.dialog(people('alice', 'bob'), { title: 'Long gap' });
        const alice = await Tab.open(confab, 'alice', { expected: noSocket });
        await alice.choose('Long gap');
        await alice.status('live');
        await alice.page.route('**/api/v1/sync?*', (route) => route.abort());
        await confab.relays[0].kill();
        await alice.status('offline');
        const missed = numbered('missed', 8);
        await sendAll(confab, 'bob', dialog, missed);
        await confab.relays[0].start();
        await alice.said(missed.at(-1));
        assert.deepEqual(await alice.texts(), missed);
        await alice.status('live');
        await alice.clean();
    }));
