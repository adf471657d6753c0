/* Webhooks under fire: whatever is killed, what a user was told is stored is posted, and a repetition is known by its id.
 * Needs a build with --enable-fault-points.
 * SPDX-License-Identifier: MIT
 */
import { Application } from '../lib/application.mjs';
import { assert } from '../lib/assert.mjs';
import { test, withInstance } from '../lib/instance.mjs';
import { register } from '../lib/rooms.mjs';
import { until } from '../lib/wait.mjs';

const ENV = {
    CONFAB_ROOMS_WEBHOOKS: 'true',
    CONFAB_ROOMS_WEBHOOK_PRIVATE: 'true',
    CONFAB_ROOMS_WEBHOOK_TIMEOUT_MS: '500',
    CONFAB_ROOMS_WEBHOOK_PAUSE_MS: '10',
    CONFAB_WRITE_WAIT_MS: '1000',
};

async function world(confab) {
    const application = await Application.start();
    const anna = await register(confab);
    const room = await anna.room('r', ['A']);
    await anna.ok('POST', `/api/rooms/${room.id}/runners`, { name: 'k', webhookUrl: application.url });
    return { application, anna, room };
}

const posts = (application, text) => application.requests.filter(({ json }) => json.payload.text === text);

for (const [point, most] of [['relay.applied', 1], ['relay.claimed', 1], ['relay.posted', 2]])
    test(`relay killed at ${point}: posted after it is back, ${most > 1 ? 'again under the same id' : 'once'}`, async () => {
        await withInstance({ systems: 'rooms', fault: point, env: ENV }, async (confab) => {
            const { application, anna, room } = await world(confab);
            const [relay] = confab.relays;
            for (const i of [0, 1]) {
                relay.mayDie();
                confab.arm();
                await anna.say(room.id, `during ${i}`);
                await relay.died(point);
                await anna.say(room.id, `away ${i}`);
                await relay.start();
                await until('both to be posted', () =>
                    posts(application, `during ${i}`).length === most && posts(application, `away ${i}`).length === 1);
                assert.equal(new Set(posts(application, `during ${i}`).map(({ id }) => id)).size, 1);
            }
            assert.equal(application.requests.length, 2 * (most + 1));
        });
    });

for (const relays of [1, 2])
    test(`handler killed when it has committed, ${relays} relays: posted once, as the log has it`, async () => {
        await withInstance({ systems: 'rooms', handlers: 1, relays, fault: 'write.committed', env: ENV }, async (confab) => {
            const { application, anna, room } = await world(confab);
            const [handler] = confab.handlers;
            handler.mayDie();
            confab.arm();
            const calling = anna.say(room.id, 'not acknowledged').catch(() => {});
            await handler.died('write.committed');
            await calling;
            await application.got(1);
            await handler.start();
            await until('a message to be taken', () => anna.say(room.id, 'the end').catch(() => undefined));
            await until('the end', () => posts(application, 'the end').length);
            assert.equal(posts(application, 'not acknowledged').length, 1);
        });
    });
