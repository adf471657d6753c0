/* Whatever is killed, whenever: under load, every client's history is the database's.
 * SPDX-License-Identifier: MIT
 */
import { setTimeout as delay } from 'node:timers/promises';
import { assert, fine } from '../lib/assert.mjs';
import { Follower, history, sendSurely } from '../lib/follower.mjs';
import { test, withInstance } from '../lib/instance.mjs';
import { seeded } from '../lib/seeded.mjs';
import { until } from '../lib/wait.mjs';

const KILLS = 20;
/* A bad run can be had again. */
const seed = Number(process.env.CONFAB_TEST_SEED ?? 20260101);

for (const [name, relays, offset] of [['one relay', 1, 0], ['two relays', 2, 1]]) {
    test(`kill -9 of anything under load, ${name}, seed ${seed + offset}`, async () => {
        await withInstance({ handlers: 3, relays, env: { CONFAB_LEASE_MS: '2000' } }, async (confab) => {
            const { pick } = seeded(seed + offset);
            const dialog = await confab.dialog(['a', 'b', 'c']);
            const followers = ['a', 'b', 'c', 'b'].map((user, i) =>
                new Follower(confab, user, i % 2 ? { relay: i % relays } : i === 0 ? {} : { relay: relays - 1 }));
            await until('everybody to be there', () => followers.every((one) => one.connects > 0));

            let over = false;
            const acknowledged = [];
            const talk = async (user) => {
                for (let i = 0; !over; i++) {
                    const text = `${user}${i}`;
                    acknowledged.push((await sendSurely(confab.api(user), dialog, text, text)).content);
                }
            };
            const talking = [talk('a'), talk('b'), talk('c')];
            for (let i = 0; i < KILLS; i++) {
                /* between two kills something gets through, so each hits a working system */
                const before = acknowledged.length;
                await until('something to get through', () => acknowledged.length > before);
                await delay(pick(60));
                const victims = [...confab.handlers, ...confab.relays];
                const victim = victims[pick(victims.length)];
                await victim.kill();
                await victim.start();
            }
            over = true;
            await Promise.all(talking);

            const last = await sendSurely(confab.api('a'), dialog, 'the end', 'the-end');
            const all = (await history(confab.api('a'), dialog)).filter((m) => m.message_type === 'user');
            assert.deepEqual(all.map((m) => m.content).sort(), [...acknowledged, 'the end'].sort());
            for (const follower of followers) {
                await follower.heard(last.id);
                follower.checkOrder();
                assert.equal(follower.reloads, 0);
                assert.deepEqual(follower.messages(dialog).map((m) => m.id), all.map((m) => m.id));
            }
            /* and in the end the world knows the truth about who is there */
            await until('all to be online', async () => fine(await confab.api('a').get(`/dialogs/${dialog}/participants`))
                .every((one) => one.is_online));
            for (const follower of followers.slice(1))
                await follower.stop();
            await until('all but a to be offline', async () => fine(await confab.api('a').get(`/dialogs/${dialog}/participants`))
                .every((one) => one.is_online === (one.user_id === 'a')));
        });
    });
}
