/* Killed at each named moment: what was acknowledged is there once, everybody has the same order.
 * Needs a build with --enable-fault-points.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine } from '../lib/assert.mjs';
import { Follower, history, sendSurely } from '../lib/follower.mjs';
import { test, withInstance } from '../lib/instance.mjs';
import { until } from '../lib/wait.mjs';

/* What holds after every storm: one history, everybody's, and each text once. */
async function settle(confab, dialog, followers, texts) {
    const last = await sendSurely(confab.api('a'), dialog, 'the end', 'the-end');
    for (const follower of followers) {
        await follower.heard(last.id);
        follower.checkOrder();
        assert.equal(follower.reloads, 0);
    }
    const all = (await history(confab.api('a'), dialog)).filter((m) => m.message_type === 'user');
    for (const text of [...texts, 'the end'])
        assert.equal(all.filter((m) => m.content === text).length, 1, `${text} in ${all.map((m) => m.content)}`);
    assert.equal(all.length, new Set(all.map((m) => m.content)).size, all.map((m) => m.content).join());
    for (const follower of followers)
        assert.deepEqual(follower.messages(dialog).map((m) => m.id), all.map((m) => m.id), follower.options.name);
    /* and so has one who polls */
    const seq = followers[0].messages(dialog)[0].seq - 1;
    const { events } = fine(await confab.api('b').get(`/sync?since=${seq}&limit=500`));
    assert.deepEqual(events.filter((f) => f.type === 'message.new' && f.dialog_id === dialog).map((f) => f.id), all.map((m) => m.id));
}

const handlerPoints = ['write.locked', 'write.begun', 'write.rows', 'write.numbered', 'write.committed', 'write.pushed',
    'answer.before', 'answer.after'];

for (const point of handlerPoints) {
    test(`handler killed at ${point}`, async () => {
        await withInstance({ handlers: 1, fault: point }, async (confab) => {
            const dialog = await confab.dialog(['a', 'b']);
            const followers = [new Follower(confab, 'a'), new Follower(confab, 'b'), new Follower(confab, 'b')];
            await until('everybody to be there', () => followers.every((one) => one.connects > 0));
            const [handler] = confab.handlers;
            const a = confab.api('a');
            await a.send(dialog, 'before');
            const texts = ['before'];
            for (let i = 0; i < 3; i++) {
                handler.mayDie();
                confab.arm();
                const sending = a.post(`/dialogs/${dialog}/messages`, { content: `hit ${i}` }, { headers: { 'Idempotency-Key': `k${i}` } });
                await handler.died(point);
                await handler.start();
                const first = await sending.catch(() => ({ status: 0 }));
                const again = await sendSurely(a, dialog, `hit ${i}`, `k${i}`);
                if (first.status === 200)
                    assert.equal(first.json.data.id, again.id);
                texts.push(`hit ${i}`);
            }
            await settle(confab, dialog, followers, texts);
        });
    });
}

for (const point of ['write.committed', 'answer.before']) {
    test(`${point}: an edit and a removal that nobody was told of`, async () => {
        await withInstance({ handlers: 1, fault: point }, async (confab) => {
            const dialog = await confab.dialog(['a', 'b', 'c']);
            const c = await confab.socket('c');
            const b = await confab.socket('b');
            const { id } = await confab.api('a').send(dialog, 'first');
            const [handler] = confab.handlers;
            const hit = async (call) => {
                handler.mayDie();
                confab.arm();
                const calling = call().catch(() => null);
                await handler.died(point);
                await handler.start();
                await calling;
                /* the web server needs a moment to believe in it again */
                await until('service', async () => (await confab.nobody.get('/health')).status === 200);
            };
            await hit(() => confab.api('a').put(`/dialogs/${dialog}/messages/${id}`, { content: 'second' }));
            assert.equal((await b.next('message.edited')).content, 'second');
            await hit(() => confab.admin.delete(`/dialogs/${dialog}/participants/c`));
            await b.next({ type: 'participant.left', user_id: 'c' });
            await confab.api('a').send(dialog, 'not for c');
            const heard = (await confab.drain(c)).filter((f) => f.type !== 'presence.update');
            assert.deepEqual(heard.map((f) => f.content ?? f.type), ['first', 'second', 'participant.left']);
        });
    });
}

for (const point of ['relay.received', 'relay.applied', 'relay.committed', 'relay.connected']) {
    test(`relay killed at ${point}`, async () => {
        await withInstance({ fault: point }, async (confab) => {
            const dialog = await confab.dialog(['a', 'b', 'c']);
            const followers = [new Follower(confab, 'a'), new Follower(confab, 'b'), new Follower(confab, 'b', { relay: 0 })];
            await until('everybody to be there', () => followers.every((one) => one.connects > 0));
            const [relay] = confab.relays;
            const a = confab.api('a');
            await a.send(dialog, 'before');
            const texts = ['before'];
            for (let i = 0; i < 3; i++) {
                relay.mayDie();
                confab.arm();
                /* whichever comes first: a message that is delivered, or somebody who connects */
                await a.send(dialog, `hit ${i}`);
                texts.push(`hit ${i}`);
                const newcomer = confab.knock('c', { relay: 0 });
                await relay.died(point);
                newcomer.terminate();
                await a.send(dialog, `meanwhile ${i}`);
                texts.push(`meanwhile ${i}`);
                const connects = followers.map((one) => one.connects);
                await relay.start();
                await until('everybody to be back', () => followers.every((one, j) => one.connects > connects[j]));
            }
            await settle(confab, dialog, followers, texts);
        });
    });
}

for (const point of ['write.locked', 'write.numbered', 'write.committed']) {
    test(`relay killed at ${point}, while it writes who is online`, async () => {
        await withInstance({ fault: point, faultIn: 'relay', env: { CONFAB_LEASE_MS: '1000' } }, async (confab) => {
            const dialog = await confab.dialog(['a', 'b']);
            const [relay] = confab.relays;
            relay.mayDie();
            confab.arm();
            confab.knock('b', { relay: 0 });
            await relay.died(point);
            await relay.start();
            const online = async (user) => fine(await confab.api('a').get(`/dialogs/${dialog}/participants`))
                .find((one) => one.user_id === user).is_online;
            await until('b to be offline', async () => !await online('b'));
            const a = await confab.socket('a');
            const b = await confab.socket('b');
            await a.next({ type: 'presence.update', user_id: 'b', is_online: true });
            assert.equal(await online('b'), true);
            await b.close();
            await a.next({ type: 'presence.update', user_id: 'b', is_online: false });
        });
    });
}
