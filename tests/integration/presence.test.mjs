/* Who is online: first and last socket, two tabs, large dialogs, dead peers.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine } from '../lib/assert.mjs';
import { instance, test, withInstance } from '../lib/instance.mjs';
import { until } from '../lib/wait.mjs';

const started = instance({ auth: 'trusted', env: { CONFAB_PRESENCE_MAX_MEMBERS: '5' } });

const online = async (confab, viewer, dialog, user) =>
    fine(await confab.api(viewer).get(`/dialogs/${dialog}/participants`)).find((one) => one.user_id === user).is_online;
const about = (frames, user) => frames.filter((f) => f.type === 'presence.update' && f.user_id === user).map((f) => f.is_online);

test('the first socket and the last', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['one-a', 'one-b']);
    await confab.dialog(['one-b', 'one-c']);
    const a = await confab.socket('one-a');
    const c = await confab.socket('one-c');
    assert.equal(await online(confab, 'one-a', dialog, 'one-a'), true);
    assert.equal(await online(confab, 'one-a', dialog, 'one-b'), false);
    const b1 = await confab.socket('one-b');
    assert.equal(await online(confab, 'one-a', dialog, 'one-b'), true);
    const hello = await a.next({ type: 'presence.update', user_id: 'one-b' });
    assert.equal(hello.is_online, true);
    const b2 = await confab.socket('one-b');
    await b1.close();
    const b3 = await confab.socket('one-b');
    await b2.close();
    /* nothing so far but the first greeting: b3 is still there */
    assert.deepEqual(about(await confab.drain(a), 'one-b'), []);
    assert.equal(await online(confab, 'one-a', dialog, 'one-b'), true);
    await b3.close();
    assert.equal((await a.next({ type: 'presence.update', user_id: 'one-b' })).is_online, false);
    assert.equal(await online(confab, 'one-a', dialog, 'one-b'), false);
    await confab.drain(c);
    assert.deepEqual(about(a.frames, 'one-b'), [true, false]);
    assert.deepEqual(about(c.frames, 'one-b'), [true, false]);
    for (const socket of [b1, b2, b3])
        assert.deepEqual(about(socket.frames, 'one-b'), [], 'nobody hears of himself');
    assert.ok(!a.frames.some((f) => f.type === 'presence.update' && f.user_id === 'one-c'), 'nothing shared');
});

test('abrupt ends count as well', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['cut-a', 'cut-b']);
    const a = await confab.socket('cut-a');
    const b = await confab.socket('cut-b');
    b.terminate();
    assert.equal((await a.next({ type: 'presence.update', user_id: 'cut-b', is_online: false })).is_online, false);
    assert.equal(await online(confab, 'cut-a', dialog, 'cut-b'), false);
});

test('a dialog of too many members carries no greetings, but tells the truth', async () => {
    const confab = await started;
    const crowd = ['big-a', 'big-b', 'big-c', 'big-d', 'big-e', 'big-f'];
    const large = await confab.dialog(crowd);
    const small = await confab.dialog(crowd.slice(1));          /* five: just small enough */
    const a = await confab.socket('big-a');
    const c = await confab.socket('big-c');
    const b = await confab.socket('big-b');
    await c.next({ type: 'presence.update', user_id: 'big-b', is_online: true });
    assert.deepEqual(about(await confab.drain(a), 'big-b'), []);
    assert.equal(await online(confab, 'big-a', large, 'big-b'), true);
    await b.close();
    await c.next({ type: 'presence.update', user_id: 'big-b', is_online: false });
    assert.equal(await online(confab, 'big-c', small, 'big-b'), false);
});

test('one who joins is seen by is_online', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['seen-a'], { access_scopes: [{}] });
    await confab.socket('seen-b');
    fine(await confab.api('seen-b').post(`/dialogs/${dialog}/join`, { display_name: 'B', company: '' }, { scope: [[]] }));
    assert.equal(await online(confab, 'seen-a', dialog, 'seen-b'), true);
    assert.equal(await online(confab, 'seen-a', dialog, 'seen-a'), false);
});

test('presence is not replayed and not synced', async () => {
    const confab = await started;
    await confab.dialog(['past-a', 'past-b']);
    const before = fine(await confab.api('past-a').get('/sync')).seq;
    const watch = await confab.socket('past-a');
    const b = await confab.socket('past-b');
    await watch.next({ type: 'presence.update', user_id: 'past-b' });
    await b.close();
    await watch.next({ type: 'presence.update', user_id: 'past-b', is_online: false });
    await watch.close();
    assert.deepEqual(fine(await confab.api('past-a').get(`/sync?since=${before}`)).events, []);
    const again = await confab.socket('past-a', { since: before });
    assert.equal(again.hello.missed, 0);
    assert.deepEqual(about(await confab.drain(again), 'past-b'), []);
});

test('a dead peer turns offline, with an event', async () => {
    await withInstance({ auth: 'trusted', env: { CONFAB_WS_PING_S: '1', CONFAB_WS_TIMEOUT_S: '2' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const a = await confab.socket('a');
        const b = await confab.socket('b', { autoPong: false, relay: 0 });
        b.ws.pause();           /* its network is gone: it neither answers nor notices */
        await a.next({ type: 'presence.update', user_id: 'b', is_online: true });
        await a.next({ type: 'presence.update', user_id: 'b', is_online: false });
        assert.equal(await online(confab, 'a', dialog, 'b'), false);
        assert.deepEqual(about(a.frames, 'b'), [true, false]);
    });
});

test('a grace holds back offline', async () => {
    await withInstance({ auth: 'trusted', env: { CONFAB_PRESENCE_GRACE_MS: '600000' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b', 'c']);
        const a = await confab.socket('a');
        const b = await confab.socket('b');
        await a.next({ type: 'presence.update', user_id: 'b', is_online: true });
        await b.close();
        const again = await confab.socket('b');
        await again.close();
        const c = await confab.socket('c');         /* a later change of presence has come through */
        await a.next({ type: 'presence.update', user_id: 'c', is_online: true });
        assert.deepEqual(about(a.frames, 'b'), [true]);
        assert.equal(await online(confab, 'a', dialog, 'b'), true);
        assert.ok(c);
    });
});

test('a relay that stops takes its users offline', async () => {
    await withInstance({ auth: 'trusted' }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const b = await confab.socket('b', { relay: 0 });
        assert.equal(await online(confab, 'a', dialog, 'b'), true);
        await confab.relays[0].stop();
        assert.ok([1001, 1012].includes((await b.ended()).code), `${b.closed.code}`);
        await until('b to be offline', async () => !await online(confab, 'a', dialog, 'b'));
    });
});

for (const how of ['stop', 'kill']) {
    test(`a restart after a ${how}: who comes back did not flicker, who does not is told of when the grace ends`, async () => {
        /* the lease is long, so that its renewals cannot be what tells */
        const env = { CONFAB_LEASE_MS: '120000', CONFAB_PRESENCE_RESTART_GRACE_MS: '2000' };
        await withInstance({ auth: 'trusted', env }, async (confab) => {
            await confab.dialog(['a', 'b', 'c']);
            for (const user of ['b', 'c'])
                await confab.socket(user, { relay: 0 });
            await confab.relays[0][how]();
            await confab.relays[0].start();
            const a = await confab.socket('a', { relay: 0 });
            await confab.socket('b', { relay: 0 });
            await a.next({ type: 'presence.update', user_id: 'c', is_online: false }, 10000);
            assert.deepEqual(about(a.frames, 'c'), [false]);
            assert.deepEqual(about(a.frames, 'b'), []);
        });
    });
}
