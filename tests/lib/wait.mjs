/* wait - for conditions, never for time
 *
 * Every wait names what it waits for and has a deadline; reaching it is a failure, so a slow
 * machine makes a test slow and not red.
 *
 * SPDX-License-Identifier: MIT
 */
import { setTimeout as delay } from 'node:timers/promises';

export const DEADLINE_MS = Number(process.env.CONFAB_TEST_DEADLINE_MS || 15000);

/* The first truthy result of probe(), asked again and again. A throwing probe counts as
 * false, unless it is an assertion that fails. */
export async function until(what, probe, deadline = DEADLINE_MS) {
    const end = Date.now() + deadline;
    let last;
    for (;;) {
        try {
            const result = await probe();
            if (result)
                return result;
            last = undefined;
        } catch (error) {
            if (error.code === 'ERR_ASSERTION')
                throw error;
            last = error;
        }
        if (Date.now() > end)
            throw new Error(`waited in vain for ${what}${last ? ` (${last.message})` : ''}`);
        await delay(10);
    }
}

/* promise, or a failure that names what did not come. */
export async function within(what, promise, deadline = DEADLINE_MS) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), deadline);
    });
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(timer);
    }
}
