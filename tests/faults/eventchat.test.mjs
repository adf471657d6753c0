/* Commands of event chats under fire: whenever the relay that runs them is killed, what was acknowledged is there, once,
 * and numbers have no holes. Needs a build with --enable-fault-points.
 * SPDX-License-Identifier: MIT
 */
import { assert } from '../lib/assert.mjs';
import { connect, pair, said } from '../lib/eventchat-live.mjs';
import { test, withInstance } from '../lib/instance.mjs';
import { until } from '../lib/wait.mjs';

const AMPLE = { CONFAB_EVENTCHAT_RATE: '100000', CONFAB_EVENTCHAT_BURST: '100000', CONFAB_LEASE_MS: '1000' };
const ROUNDS = 3;
const PIPELINED = 20;

const text = (chatId, what) => ({ chatId, message: { text: what } });

/* A web server needs a moment to believe in a relay again: bare sockets go around it, others come again by themselves. */
const STRAIGHT = { relay: 0 };
const surely = (confab, user, framing) => connect(confab, user, framing, framing === 'bare' ? STRAIGHT : { reconnection: true });

/* Numbers 1, 2, ...; each text once, in the order in which it was sent; what was acknowledged under its number. */
function check(all, acknowledged) {
    assert.deepEqual(all.map(({ messageId }) => messageId), all.map((_, i) => i + 1));
    const texts = all.map((m) => m.text);
    assert.equal(new Set(texts).size, texts.length, texts.join());
    assert.deepEqual(texts.map(Number), texts.map(Number).sort((x, y) => x - y));
    for (const [id, what] of acknowledged)
        assert.equal(texts[id - 1], what);
}

/* Points of the commands themselves, and of the write they make: before and behind its commit, and when its event comes back. */
const points = ['command.taken', 'command.done', 'write.begun', 'write.numbered', 'write.committed', 'write.pushed', 'relay.applied'];

for (const framing of ['bare', 'websocket', 'polling'])
    for (const point of framing === 'websocket' ? points : points.slice(0, 2))
        test(`${framing}: relay killed at ${point}`, async () => {
            await withInstance({ systems: 'eventchat', fault: point, faultIn: 'relay', env: AMPLE }, async (confab) => {
                const { owner, applicant, chat } = await pair(confab);
                const [relay] = confab.relays;
                const acknowledged = new Map();
                let sent = 0;
                for (let round = 0; round < ROUNDS; round++) {
                    const a = await surely(confab, applicant, framing);
                    const o = await surely(confab, owner, 'bare');
                    relay.mayDie();
                    confab.arm();
                    const first = sent;
                    for (let i = 0; i < PIPELINED; i++) {
                        const what = `${++sent}`;
                        a.ask('send_message', text(chat, what))?.then(({ ok, messageId }) => ok && acknowledged.set(messageId, what));
                    }
                    await relay.died(point);
                    a.terminate();
                    o.terminate();
                    await relay.start();
                    const all = await said(confab, owner, chat, STRAIGHT);
                    check(all, acknowledged);
                    /* what was delivered had been committed */
                    for (const { messages } of [...a.of('chat_updates'), ...o.of('chat_updates')])
                        for (const { messageId, text: what } of messages)
                            assert.equal(all[messageId - 1].text, what);
                    assert.ok(all.length <= sent && sent === first + PIPELINED);
                }
                const a = await surely(confab, applicant, framing);
                a.ask('send_message', text(chat, `${++sent}`));
                await a.next('chat_updates');
                check(await said(confab, owner, chat, STRAIGHT), acknowledged);
            });
        });

test('a command whose acknowledgement was lost has happened, or has not: reconnecting tells', async () => {
    await withInstance({ systems: 'eventchat', fault: 'command.done', faultIn: 'relay', env: AMPLE }, async (confab) => {
        const { owner, applicant, chat } = await pair(confab);
        const [relay] = confab.relays;
        const a = await surely(confab, applicant, 'websocket');
        relay.mayDie();
        confab.arm();
        let answered = false;
        a.ask('send_message', text(chat, '1')).then(() => { answered = true; });
        await relay.died('command.done');
        await relay.start();
        await until('the second initial data', () => a.of('initial_data').length === 2);
        assert.deepEqual(a.of('initial_data')[1][0].chats[0].messages.map((m) => m.text), ['1']);
        assert.equal(answered, false);
        check(await said(confab, owner, chat, STRAIGHT), new Map());
    });
});
