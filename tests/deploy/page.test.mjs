/* The demo page below a path, in a real browser.
 * SPDX-License-Identifier: MIT
 */
import { people, Tab } from '../browser/tab.mjs';
import { test, withInstance } from '../lib/instance.mjs';

for (const web of ['lighttpd', 'nginx', 'apache'])
    test(`${web}: the page below a path is live`, async () => {
        await withInstance({ web, base: '/my/chat', stage: true, auth: 'trusted' }, async (confab) => {
            const dialog = await confab.dialog(people('alice', 'bob'), { title: 'Below' });
            const alice = await Tab.open(confab, 'alice');
            await alice.choose('Below');
            await alice.status('live');
            await confab.api('bob').send(dialog, '<p>hello.</p>');
            await alice.said('hello.');
            await alice.say('and back.');
            await alice.said('and back.');
            await alice.clean();
        });
    });
