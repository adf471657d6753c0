/* Settings that move a limit, each hit at its edge.
 * SPDX-License-Identifier: MIT
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { assert, fine, refused } from '../lib/assert.mjs';
import { until, within } from '../lib/wait.mjs';
import { BUILD, instance, test, withInstance } from '../lib/instance.mjs';

const run = promisify(execFile);
const started = instance({ auth: 'trusted', env: {
    CONFAB_BODY_MAX: '2000', CONFAB_JSON_DEPTH: '8', CONFAB_TARGET_MAX: '400', CONFAB_PARTICIPANTS_CREATE_MAX: '2', CONFAB_SCOPES_MAX: '2',
    CONFAB_SCOPE_VALUES_MAX: '3', CONFAB_SYNC_LIMIT_MAX: '7', CONFAB_WS_MESSAGE_MAX: '200', CONFAB_WS_PER_USER: '2', CONFAB_WS_BAD_FRAMES_MAX: '2' } });

test('limits of requests', async () => {
    const confab = await started;
    const create = (more) => confab.admin.post('/dialogs', { object_type: 't', object_id: 'o', ...more });
    const people = (n) => Array.from({ length: n }, (_, i) => ({ user_id: `u${i}`, display_name: 'x' }));
    fine(await create({ participants: people(2) }));
    refused(await create({ participants: people(3) }), 400, 'INVALID_INPUT');
    fine(await create({ access_scopes: [{}, {}] }));
    refused(await create({ access_scopes: [{}, {}, {}] }), 400, 'INVALID_INPUT');
    fine(await create({ access_scopes: [{ scope_level0: ['a', 'b', 'c'] }] }));
    refused(await create({ access_scopes: [{ scope_level0: ['a', 'b', 'c', 'd'] }] }), 400, 'INVALID_INPUT');
    const dialog = await confab.dialog(['a']);
    const a = confab.api('a');
    const post = (body) => a.post(`/dialogs/${dialog}/messages`, body);
    const body = (size) => `{"content":"x","pad":"${'p'.repeat(size - 24)}"}`;
    fine(await post(body(2000)));
    refused(await post(body(2001)), 413, 'PAYLOAD_TOO_LARGE');
    const deep = (n) => `{"content":"x","extra":${'['.repeat(n - 1)}${']'.repeat(n - 1)}}`;
    fine(await post(deep(8)));
    refused(await post(deep(9)), 400, 'BAD_REQUEST');
    const target = (size) => {
        const start = '/api/v1/dialogs?user_id=a&search=';
        return start + 's'.repeat(size - start.length);
    };
    fine(await confab.nobody.get(target(400)));
    const long = await confab.nobody.get(target(401));
    assert.ok([400, 414].includes(long.status));
    refused(long, long.status, null);
    fine(await a.get('/sync?since=0&limit=7'));
    refused(await a.get('/sync?since=0&limit=8'), 400, null);
});

test('limits of sockets', async () => {
    const confab = await started;
    const first = await confab.socket('s');
    await confab.socket('s');
    const third = confab.knock('s');
    await third.ended();
    assert.equal(third.refused?.status, 429);
    const frame = (size) => `{"type":"ping","pad":"${'x'.repeat(size - 24)}"}`;
    first.send(frame(200));
    await first.next('pong');
    first.send(frame(201));
    assert.equal((await first.ended()).code, 1009);
    const rude = await confab.socket('rude');
    rude.send('x');
    await rude.next('error');
    rude.send('x');
    assert.equal((await rude.ended()).code, 1008);
});

test('a queue in bytes', async () => {
    await withInstance({ auth: 'trusted', env: { CONFAB_WS_QUEUE_BYTES: '100000' } }, async (confab) => {
        const dialog = await confab.dialog(['slow', 'sender']);
        const slow = await confab.socket('slow', { relay: 0 });
        slow.ws.pause();
        for (let i = 0; i < 30; i++)
            await confab.api('sender').send(dialog, 'x'.repeat(40000));
        slow.ws.resume();
        assert.equal((await slow.ended()).code, 1013);
    });
});

test('a key is forgotten after its time', async () => {
    await withInstance({ auth: 'trusted', handlers: 1, relays: 0, env: { CONFAB_IDEMPOTENCY_KEEP_S: '1' } }, async (confab) => {
        const dialog = await confab.dialog(['a']);
        const send = async () => (await confab.api('a').post(`/dialogs/${dialog}/messages`, { content: 'x' }, { headers: { 'Idempotency-Key': 'k' } })).json.data.id;
        const first = await send();
        await until('the key to be forgotten', async () => {
            await confab.ctl('prune');
            return await send() !== first;
        });
    });
});

test('old events are pruned by age', async () => {
    await withInstance({ auth: 'trusted', handlers: 1, relays: 0, env: { CONFAB_LOG_KEEP_S: '1' } }, async (confab) => {
        const dialog = await confab.dialog(['a']);
        const { seq } = fine(await confab.api('a').get('/sync'));
        await confab.api('a').send(dialog, 'soon old');
        await until('the event to be pruned', async () => {
            await confab.ctl('prune');
            return fine(await confab.api('a').get(`/sync?since=${seq}`)).reload;
        });
        assert.equal((await confab.api('a').messages(dialog)).messages.length, 2);
    });
});

test('a handshake that is not completed', async () => {
    await withInstance({ auth: 'trusted', handlers: 1, env: { CONFAB_RELAY_HANDSHAKE_S: '1' } }, async (confab) => {
        for (const bytes of ['', 'GET /api/v1/ws?user_id=a HTTP/1.1\r\nHost: x\r\n']) {
            const socket = net.connect(confab.relays[0].socket);
            socket.on('error', () => {});
            socket.resume();
            socket.write(bytes);
            await within('the relay to hang up', once(socket, 'close'));
        }
        const good = await confab.socket('a', { relay: 0 });
        good.send({ type: 'ping' });
        await good.next('pong');
    });
});

test('a small ring, a small hold, no patience: nothing is lost for it', async () => {
    await withInstance({ auth: 'trusted', env: { CONFAB_RING_EVENTS: '16', CONFAB_HOLD_MAX: '1', CONFAB_GAP_WAIT_MS: '1', CONFAB_RELAY_WORKERS: '1' } },
        async (confab) => {
            const dialog = await confab.dialog(['a', 'b']);
            const { seq } = fine(await confab.api('b').get('/sync'));
            const sending = Promise.all(Array.from({ length: 120 }, (_, i) => confab.api('a').send(dialog, `${i}`)));
            const sockets = await Promise.all(Array.from({ length: 20 }, () => confab.socket('b', { since: seq })));
            await sending;
            const { messages } = await confab.api('a').messages(dialog, '?limit=100');
            for (const socket of sockets) {
                const ids = (await confab.drain(socket)).filter((f) => f.type === 'message.new').map((f) => f.id);
                assert.equal(ids.length, 120);
                assert.deepEqual(ids.slice(-100), messages.map((m) => m.id));
            }
        });
});

test('systems that are not served answer 404', async () => {
    await withInstance({ auth: 'trusted', handlers: 1, relays: 0 }, async (confab) => {
        for (const path of ['/v1/rooms', '/eventchat/v1/x', '/api/rooms', '/api/nothing'])
            refused(await confab.nobody.get(path), 404, null);
    });
});

test('bad settings stop every program with a reason', async () => {
    await withInstance({ auth: 'trusted', handlers: 1, relays: 0 }, async (confab) => {
        for (const wrong of [{ CONFAB_BODY_MAX: 'many' }, { CONFAB_BODY_MAX: '1' }, { CONFAB_AUTH: 'nobody' }, { CONFAB_JWT_CHECK_EXP: 'maybe' },
            { CONFAB_JWT_SECRET: '', CONFAB_AUTH: 'jwt' }, { CONFAB_SYSTEMS: 'nothing' }, { CONFAB_LOG_LEVEL: 'loud' }]) {
            const env = { ...confab.env, CONFAB_RELAY_NAME: 'wrong', CONFAB_RELAY_LISTEN: `unix:${path.join(confab.dir, 'w')}`, ...wrong };
            for (const [program, args] of [['fcgi/confab.fcgi', ['--listen', `unix:${path.join(confab.dir, 'h')}`]], ['relay/confab-relay', []]])
                await assert.rejects(run(path.join(BUILD, program), args, { env, timeout: 10000 }),
                    (error) => error.code > 0 && error.stderr.length > 0, `${program} ${JSON.stringify(wrong)}`);
        }
        /* an unknown variable is only a warning */
        await run(path.join(BUILD, 'ctl/confabctl'), ['config'], { env: { ...confab.env, CONFAB_NONSENSE: '1' } });
    });
});
