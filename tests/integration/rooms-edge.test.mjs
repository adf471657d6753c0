/* The edge of rooms: preflights, unknown paths, methods, two systems in one process, noise.
 * SPDX-License-Identifier: MIT
 */
import { assert } from '../lib/assert.mjs';
import { refused as refusedByMtchat } from '../lib/assert.mjs';
import { raw, request } from '../lib/http.mjs';
import { ADMIN, instance, test, withInstance } from '../lib/instance.mjs';
import { Caller, fine, nobody, refused, register, rooms, roomsToken } from '../lib/rooms.mjs';

const started = rooms();
const both = instance({ systems: 'mtchat,rooms', auth: 'jwt' });
const listed = (value) => value.toLowerCase().split(',').map((one) => one.trim());

test('preflights: on every path, without a credential', async () => {
    for (const confab of [await started, await both]) {
        for (const path of ['/api/auth/login', '/api/auth/me', '/api/rooms', '/api/rooms/1', '/api/rooms/x/agents/y', '/api/runner/rooms/1/messages', '/api/', '/api/no/such']) {
            const answer = await nobody(confab).call('OPTIONS', path, undefined, { headers: { Origin: 'https://app.example',
                'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': 'authorization,content-type' } });
            assert.equal(answer.status, 204);
            assert.equal(answer.headers['access-control-allow-origin'], '*');
            for (const method of ['get', 'post', 'patch', 'delete'])
                assert.ok(listed(answer.headers['access-control-allow-methods']).includes(method));
            for (const header of ['authorization', 'content-type'])
                assert.ok(listed(answer.headers['access-control-allow-headers']).includes(header));
            assert.ok(Number(answer.headers['access-control-max-age']) > 0);
            assert.ok(!('access-control-allow-credentials' in answer.headers));
        }
    }
});

test('one origin alone, when it is set', async () => {
    await withInstance({ systems: 'rooms', relays: 0, env: { CONFAB_CORS_ALLOWED_ORIGINS: 'https://app.example', CONFAB_CORS_ALLOW_CREDENTIALS: '1' } }, async (confab) => {
        const from = (Origin) => nobody(confab).get('/api/rooms', { headers: { Origin } });
        const mine = await from('https://app.example');
        assert.equal(mine.status, 401);
        assert.equal(mine.headers['access-control-allow-origin'], 'https://app.example');
        assert.ok(listed(mine.headers.vary).includes('origin'));
        assert.ok(!('access-control-allow-credentials' in mine.headers), 'rooms take no cookies');
        const other = await from('https://other.example');
        assert.ok(!('access-control-allow-origin' in other.headers));
        assert.ok(listed(other.headers.vary).includes('origin'));
    });
});

test('unknown paths and wrong methods', async () => {
    const confab = await started;
    const anna = await register(confab);
    for (const path of ['/api', '/api/nothing', '/api/rooms/', '/api/rooms/1/nothing', '/api/prompts', '/api/prompts/1', '/api/v1/dialogs', '/api/auth', '/api/rooms/1/agents/1/nothing',
        '/api//rooms', '/api/rooms/1/'])
        refused(await anna.get(path), 404);
    for (const [method, path, allowed] of [['PUT', '/api/rooms', 'get, head, post, options'], ['DELETE', '/api/rooms', 'get, head, post, options'], ['GET', '/api/auth/login', 'post, options'],
        ['POST', '/api/auth/me', 'get, head, options'], ['PATCH', '/api/rooms/1/messages', 'get, head, post, options'], ['POST', '/api/rooms/1/relationships', 'get, head, patch, options'],
        ['GET', '/api/rooms/x/speed', 'patch, options'], ['POST', '/api/default-agents', 'get, head, options']]) {
        const answer = await anna.call(method, path, method === 'GET' ? undefined : {});
        refused(answer, 405);
        assert.equal(answer.headers.allow.toLowerCase(), allowed, `${method} ${path}`);
    }
    const head = await anna.call('HEAD', '/api/rooms');
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    refused(await anna.get('/api/rooms/%zz'), 422);
    refused(await anna.get('/api/rooms/%c3%28'), 422);
});

test('small calls of old clients', async () => {
    const confab = await started;
    const anna = await register(confab);
    for (const caller of [anna, nobody(confab)]) {
        assert.equal(typeof fine(await caller.get('/api/')).message, 'string');
        assert.equal(typeof fine(await caller.get('/api/test-db')).status, 'string');
        const usage = fine(await caller.get('/api/usage'));
        assert.match(usage.today, /^\d{4}-\d\d-\d\d$/);
        assert.deepEqual(usage, { today: usage.today, callCount: 0, limitPerDay: null, remaining: 0, limitExceeded: false });
    }
    assert.deepEqual(fine(await nobody(confab).get('/health')).status, 'ok');
    assert.equal((await nobody(confab).get('/health/ready')).status, 200);
});

test('bodies where none is wanted, and types of content: nobody minds', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['a'], { orchestration_type: 'circular' });
    for (const body of [undefined, '', '{}', 'no JSON', { a: 1 }]) {
        fine(await anna.post(`/api/rooms/${room.id}/orchestration/start`, body));
    }
    fine(await anna.get('/api/rooms', { headers: { 'Content-Type': 'application/json' } }));
    fine(await anna.delete(`/api/rooms/${(await anna.room('gone')).id}`, { headers: { 'Content-Type': 'application/json' } }), 204);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1', 'x'])
        fine(await anna.post(`/api/rooms/${room.id}/messages`, { text: 'é' }, { headers: { 'Content-Type': type } }));
});

test('two systems in one process: paths, words and tokens apart', async () => {
    const confab = await both;
    const anna = await register(confab);
    fine(await anna.get('/api/rooms'));
    refused(await anna.get('/api/nothing'), 404);
    refusedByMtchat(await nobody(confab).get('/api/v1/nothing'), 404, 'NOT_FOUND');
    refusedByMtchat(await nobody(confab).get('/api/v1/dialogs'), 401, 'UNAUTHORIZED');
    refusedByMtchat(await anna.get('/api/v1/dialogs'), 401, 'UNAUTHORIZED');
    refusedByMtchat(await new Caller(confab, roomsToken(anna.id)).get('/api/v1/dialogs'), 401, 'UNAUTHORIZED');
    refusedByMtchat(await anna.get('/api/v1/management/dialogs/x'), 403);
    refused(await new Caller(confab, confab.token(anna.id)).get('/api/rooms'), 401);
    refused(await new Caller(confab, confab.token(anna.id, { aud: 'confab:rooms' })).get('/api/rooms'), 401);
    refused(await new Caller(confab, ADMIN).get('/api/runner/rooms'), 401);
    const dialog = await confab.dialog(['anna', 'ben']);
    const sent = await confab.api('anna').send(dialog, 'hello');
    assert.ok(sent.id);
    const room = await anna.room('r', ['a']);
    const chat = await anna.chat(room.id);
    const ben = await confab.socket('ben');
    await anna.say(room.id, 'in a room');
    await confab.api('anna').send(dialog, 'in a dialog');
    assert.equal((await chat.next('message')).payload.text, 'in a room');
    assert.equal((await ben.upTo('message.new')).filter((frame) => frame.type === 'message.new').length, 1);
    const patch = await request(confab.port, 'PATCH', '/api/v1/dialogs', {});
    refusedByMtchat(patch, 405, 'METHOD_NOT_ALLOWED');
});

test('what the web server itself refuses has the form of the API', async () => {
    const confab = await started;
    const answer = await raw(confab.port, 'BREW /api/rooms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 405 /);
    assert.match(answer, /\{"detail":"/);
    const long = await nobody(confab).get(`/api/rooms?x=${'x'.repeat(20000)}`);
    refused(long, 414);
});

test('noise: never a fault of ours', async () => {
    const confab = await started;
    const anna = await register(confab);
    const room = await anna.room('r', ['a', 'b']);
    const runner = await anna.runner(room.id);
    const values = [null, true, 0, -1, 1e308, '9'.repeat(400), '', 'x', '\u0000', '\ud83d', [], [[]], {}, { a: {} }, 'x'.repeat(20000), '1', 0.5, 9007199254740993];
    const fields = ['email', 'password', 'username', 'refreshToken', 'name', 'description', 'orchestration_type', 'speed', 'agentId', 'character', 'avatar', 'text', 'sender', 'type',
        'agentIds', 'agent1Id', 'agent2Id', 'sympathyLevel', 'webhookUrl', 'content', 'importance', 'status', 'mood', 'level'];
    const { id } = room.agents.a;
    const targets = [[anna, 'POST', '/api/auth/register'], [anna, 'POST', '/api/auth/login'], [anna, 'POST', '/api/auth/refresh'], [anna, 'POST', '/api/rooms'],
        ...['', '/speed', '/relationships'].map((rest) => [anna, 'PATCH', `/api/rooms/${room.id}${rest}`]),
        ...['/agents', '/messages', `/agents/${id}/messages`, '/events', '/events/broadcast', '/runners'].map((rest) => [anna, 'POST', `/api/rooms/${room.id}${rest}`]),
        ...['/messages', '/events', `/agents/${id}/memories`, `/agents/${id}/plans`].map((rest) => [runner, 'POST', `/api/runner/rooms/${room.id}${rest}`]),
        [runner, 'PATCH', `/api/runner/rooms/${room.id}/agents/${id}/mood`], [runner, 'PATCH', `/api/runner/rooms/${room.id}/relationships`]];
    for (const [caller, method, target] of targets) {
        for (let i = 0; i < values.length; i++) {
            const body = Object.fromEntries(fields.map((field, j) => [field, values[(i + j) % values.length]]));
            const answer = await caller.call(method, target, body);
            assert.ok(answer.status < 500, `${method} ${target} ${JSON.stringify(body)}: ${answer.status} ${answer.text}`);
            if (answer.status >= 400)
                refused(answer, answer.status);
        }
    }
});
