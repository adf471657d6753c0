/* Event chat's rate limit: per user, on whatever the general limit says.
 * SPDX-License-Identifier: MIT
 */
import { assert } from '../lib/assert.mjs';
import { eventchat, refused, user } from '../lib/eventchat.mjs';
import { test } from '../lib/instance.mjs';

const started = eventchat({ env: { CONFAB_EVENTCHAT_RATE: '1', CONFAB_EVENTCHAT_BURST: '5' } });

test('a user who asks too often is told to wait; others are not', async () => {
    const confab = await started;
    const [anna, boris] = [user(confab), user(confab)];
    const answers = [];
    for (let i = 0; i < 12; i++)
        answers.push(await anna.get('/chats'));
    assert.ok(answers.slice(0, 5).every(({ status }) => status === 200));
    const last = answers.filter(({ status }) => status !== 200);
    assert.ok(last.length >= 3, `${last.length} refused`);
    last.forEach((answer) => refused(answer, 429, 'RATE_LIMITED'));
    assert.equal((await boris.get('/chats')).status, 200);
});
