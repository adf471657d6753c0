/* The rate limit: per user, sparing health and preflight, shared by all handlers.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine, refused } from '../lib/assert.mjs';
import { instance, test } from '../lib/instance.mjs';

/* one token a second: the refill cannot hide what is tested */
const settings = { CONFAB_RATE_LIMIT_ENABLED: 'true', CONFAB_RATE_LIMIT_RPS: '1', CONFAB_RATE_LIMIT_BURST: '40' };
const started = instance({ auth: 'jwt', handlers: 3, env: settings });

test('a burst, then 429 for that user alone', async () => {
    const confab = await started;
    const greedy = confab.api('greedy');
    const answers = await Promise.all(Array.from({ length: 120 }, () => greedy.get('/dialogs')));
    const good = answers.filter((one) => one.status === 200).length;
    const shed = answers.filter((one) => one.status === 429);
    assert.ok(good >= 40, `${good} passed`);
    assert.ok(shed.length > 0, `${good} passed`);
    assert.equal(good + shed.length, 120);
    for (const answer of shed) {
        refused(answer, 429, 'RATE_LIMIT_EXCEEDED');
        assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
    }
    fine(await confab.api('modest').get('/dialogs'));
});

test('health and preflight are spared', async () => {
    const confab = await started;
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => i % 2 ? confab.nobody.get('/health')
        : confab.nobody.call('OPTIONS', '/api/v1/dialogs', undefined, { headers: { Origin: 'x', 'Access-Control-Request-Method': 'GET' } })));
    assert.ok(answers.every((one) => one.status === 200 || one.status === 204));
});

test('before authentication the address counts', async () => {
    const confab = await started;
    const answers = await Promise.all(Array.from({ length: 120 }, (_, i) =>
        confab.nobody.get('/api/v1/dialogs', { headers: { Authorization: `Bearer wrong-${i}` } })));
    const statuses = new Set(answers.map((one) => one.status));
    assert.deepEqual([...statuses].sort(), [401, 429]);
    /* which does not lock out who has a token */
    fine(await confab.api('calm').get('/dialogs'));
});
