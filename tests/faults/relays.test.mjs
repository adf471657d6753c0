/* Two relays on one database; clients that connect in the midst of changes.
 * SPDX-License-Identifier: MIT
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { assert, fine } from '../lib/assert.mjs';
import { test, withInstance } from '../lib/instance.mjs';
import { until } from '../lib/wait.mjs';

const run = promisify(execFile);
const about = (socket, user) => socket.frames.filter((f) => f.type === 'presence.update' && f.user_id === user).map((f) => f.is_online);
const said = (frames) => frames.filter((f) => f.type === 'message.new').map((f) => f.content);

test('two relays: everything through both, once', async () => {
    await withInstance({ relays: 2 }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const sockets = [await confab.socket('b', { relay: 0 }), await confab.socket('b', { relay: 1 }),
            await confab.socket('a', { relay: 0 }), await confab.socket('a', { relay: 1 })];
        const texts = Array.from({ length: 30 }, (_, i) => `${i}`);
        for (const text of texts)
            await confab.api('a').send(dialog, text);
        for (const socket of sockets)
            assert.deepEqual(said(await confab.drain(socket)).filter((text) => !text.startsWith('marker')), texts);
    });
});

test('two relays: one presence', async () => {
    await withInstance({ relays: 2, env: { CONFAB_LEASE_MS: '1000' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b', 'c']);
        const watch = [await confab.socket('a', { relay: 0 }), await confab.socket('c', { relay: 1 })];
        const b0 = await confab.socket('b', { relay: 0 });
        const b1 = await confab.socket('b', { relay: 1 });
        await b0.close();
        const later = await confab.socket('b', { relay: 1 });
        await b1.close();
        await later.close();
        for (const socket of watch) {
            await socket.next({ type: 'presence.update', user_id: 'b', is_online: false });
            await confab.drain(socket);
            assert.deepEqual(about(socket, 'b'), [true, false]);
        }
        /* the relay that held b dies: the other one says so when the lease is over, once */
        const held = await confab.socket('b', { relay: 1 });
        await watch[0].next({ type: 'presence.update', user_id: 'b', is_online: true });
        await confab.relays[1].kill();
        await held.ended();
        await watch[0].next({ type: 'presence.update', user_id: 'b', is_online: false });
        const online = async (user) => fine(await confab.api('a').get(`/dialogs/${dialog}/participants`)).find((one) => one.user_id === user).is_online;
        assert.equal(await online('b'), false);
        assert.equal(await online('a'), true);
        await confab.drain(watch[0]);
        assert.deepEqual(about(watch[0], 'b'), [true, false, true, false]);
        await confab.relays[1].start();
        await confab.socket('b', { relay: 1 });
        await watch[0].next({ type: 'presence.update', user_id: 'b', is_online: true });
    });
});

test('a relay that was away for longer than its lease: its users were offline, and are back; nobody hears of himself', async () => {
    await withInstance({ relays: 2, env: { CONFAB_LEASE_MS: '600' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const a = await confab.socket('a', { relay: 0 });
        const b = await confab.socket('b', { relay: 1 });
        await a.next({ type: 'presence.update', user_id: 'b', is_online: true });
        confab.relays[1].signal('SIGSTOP');
        await a.next({ type: 'presence.update', user_id: 'b', is_online: false });
        confab.relays[1].signal('SIGCONT');
        await a.next({ type: 'presence.update', user_id: 'b', is_online: true });
        await confab.api('a').send(dialog, 'back');
        await b.next({ type: 'message.new', content: 'back' });
        assert.deepEqual(about(b, 'b'), []);
    });
});

test('the first event after a start is delivered', async () => {
    /* the dialog is too large for presence, so that nothing comes before it */
    await withInstance({ env: { CONFAB_PRESENCE_MAX_MEMBERS: '2' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b', 'c']);
        await confab.relays[0].restart();
        const b = await confab.socket('b');
        const { seq } = b.hello;
        await confab.api('a').send(dialog, 'first');
        assert.equal((await b.next({ type: 'message.new', content: 'first' })).seq, seq + 1);
    });
});

test('a lease is renewed long before it ends', async () => {
    const lease = 3000;
    await withInstance({ env: { CONFAB_LEASE_MS: `${lease}` } }, async (confab) => {
        const database = path.join(confab.state, 'confab.db');
        const end = async () => Number((await run('sqlite3', ['-readonly', database, 'SELECT max(until) FROM relay'])).stdout);
        const renewed = async (before) => until('the lease to be renewed', async () => {
            const now = await end();
            return now > before ? now : 0;
        });
        const first = await renewed(await end());
        assert.ok(await renewed(first) - first < lease * 5 / 6);
    });
});

test('one name, one relay', async () => {
    await withInstance({ relays: 1 }, async (confab) => {
        const [relay] = confab.relays;
        const other = Object.assign(Object.create(Object.getPrototypeOf(relay)), relay, { name: 'twin', complaints: [], log: `${relay.log}.twin` });
        other.launch({ CONFAB_RELAY_LISTEN: `unix:${relay.socket}.twin` });
        other.mayDie();
        assert.match(await other.died('the refusal of a second relay of that name'), /^exit [1-9]/);
        const socket = await confab.socket('a');
        socket.send({ type: 'ping' });
        await socket.next('pong');
    });
});

test('joined and removed while connecting: exactly what he was entitled to', async () => {
    await withInstance({ handlers: 3 }, async (confab) => {
        const dialog = await confab.dialog(['a']);
        const where = `/dialogs/${dialog}/participants`;
        let over = false;
        const churning = (async () => {
            while (!over) {
                fine(await confab.admin.post(where, { user_id: 'x', display_name: 'X' }), 201);
                fine(await confab.admin.delete(`${where}/x`), 204);
            }
        })();
        const talking = (async () => {
            for (let i = 0; !over; i++)
                await confab.api('a').send(dialog, `${i}`);
        })();
        const sockets = [];
        for (let i = 0; i < 25; i++)
            sockets.push(await confab.socket('x'));
        over = true;
        await Promise.all([churning, talking]);
        for (const socket of sockets) {
            const frames = (await confab.drain(socket)).filter((f) => f.type !== 'presence.update' && f.dialog_id === dialog);
            const wanted = [];
            for (let since = socket.hello.seq, more = true; more;) {
                const page = fine(await confab.api('x').get(`/sync?since=${since}&limit=500`));
                wanted.push(...page.events.filter((f) => f.dialog_id === dialog));
                ({ seq: since, more } = page);
            }
            assert.deepEqual(frames, wanted);
        }
        assert.ok(sockets[0].frames.some((f) => f.type === 'participant.left'));
    });
});
