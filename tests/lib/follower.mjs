/* follower - a client that comes back: whatever ends its socket, it returns with its cursor
 *
 * It keeps every kept frame it heard, so that its history can be compared with the database's.
 * Its cursor follows the contract: the last frame's seq while missed ones come, the seq of
 * `connected` once all of them have come.
 *
 * SPDX-License-Identifier: MIT
 */
import { setTimeout as delay } from 'node:timers/promises';
import { assert } from './assert.mjs';
import { until } from './wait.mjs';

export class Follower {
    frames = [];            /* those with a seq that are replayed, in order of arrival */
    reloads = 0;
    connects = 0;
    #open = true;

    constructor(confab, user, options = {}) {
        Object.assign(this, { confab, user, options });
        confab.atEnd.push(() => this.stop());
        this.running = this.#run();
    }

    async #run() {
        while (this.#open) {
            const socket = this.confab.knock(this.user, { ...this.options, since: this.cursor });
            this.socket = socket;
            try {
                const hello = await socket.connected();
                this.connects++;
                let missed = hello.missed ?? 0;
                if (hello.resumed === false)
                    this.reloads++;
                if (missed === 0)
                    this.cursor = hello.seq;
                const floor = hello.seq;
                for (;;) {
                    const frame = await socket.next((f) => f.seq !== undefined, 3600000);
                    if (missed > 0)
                        missed--;
                    this.cursor = missed > 0 || frame.seq > floor ? frame.seq : floor;
                    if (frame.type !== 'presence.update')
                        this.frames.push(frame);
                }
            } catch {
                socket.terminate();
            }
            if (this.#open)
                await delay(20);
        }
    }

    /* Has it heard everything up to the message with that id? */
    heard(id) {
        return until(`${this.user} to hear ${id}`, () => this.frames.some((f) => f.id === id), 30000);
    }

    messages(dialog) {
        return this.frames.filter((f) => f.type === 'message.new' && f.dialog_id === dialog);
    }

    /* Nothing twice, nothing out of order. */
    checkOrder() {
        for (let i = 1; i < this.frames.length; i++)
            assert.ok(this.frames[i - 1].seq < this.frames[i].seq,
                `${this.user}: ${JSON.stringify(this.frames[i])} after ${JSON.stringify(this.frames[i - 1])}`);
    }

    async stop() {
        this.#open = false;
        this.socket.terminate();
        await this.running;
    }
}

/* Sends until it is acknowledged, always under the same key. Network failures and 5xx are tried again. */
export async function sendSurely(api, dialog, content, key) {
    return until(`${content} to be acknowledged`, async () => {
        const answer = await api.post(`/dialogs/${dialog}/messages`, { content }, { headers: { 'Idempotency-Key': key } });
        if (answer.status >= 500)
            return null;
        assert.equal(answer.status, 200, answer.text);
        return answer.json.data;
    }, 30000);
}

/* All messages of a dialog, oldest first, by paging. */
export async function history(api, dialog) {
    const all = [];
    for (let query = '?limit=100&after=00000000-0000-7000-8000-000000000000'; ;) {
        const page = await api.messages(dialog, query);
        all.push(...page.messages);
        if (!page.has_more_after)
            return all;
        query = `?limit=100&after=${all.at(-1).id}`;
    }
}
