/* conversations-edge - the door: credentials, bodies, limits, browsers, and a socket first
 *
 * SPDX-License-Identifier: MIT
 */
import { createHmac } from 'node:crypto';
import { assert } from '../lib/assert.mjs';
import { conversations, fresh, OF_A_GROUP, online, refuses, User } from '../lib/conversations.mjs';
import { request } from '../lib/http.mjs';
import { SECRET, test, withInstance } from '../lib/instance.mjs';
import { mint, now } from '../lib/jwt.mjs';
import { gone } from '../lib/live.mjs';

const VK_KEY = 'the secure key';
const started = conversations({ env: { CONFAB_VK_APP_SECRET: VK_KEY, CONFAB_VK_APP_ID: '77' } });

const with_ = (confab, headers, target = '/v1/profile', method = 'GET', body) =>
    request(confab.port, method, target, { headers, body });

function launch(pairs, key = VK_KEY) {
    const text = Object.keys(pairs).sort().map((name) => `${name}=${encodeURIComponent(pairs[name])}`).join('&');
    return `${text}&sign=${createHmac('sha256', key).update(text).digest('base64url')}`;
}

test('tokens, good and bad', async () => {
    const confab = await started;
    const ask = (claims, options) => with_(confab, { Authorization: `Bearer ${mint(claims, SECRET, options)}` });
    for (const claims of [{ sub: 3 }, { sub: '3' }, { user_id: 3 }, { user_id: '3' }, { sub: 3, exp: now() - 20 }, { sub: 3, nbf: now() + 20 },
        { sub: 3, aud: 'somebody' }, { sub: 3, aud: ['a', 'b'] }, { sub: 3, name: null, avatar: '' }]) {
        const answer = await ask(claims);
        assert.equal(answer.status, 200, JSON.stringify(claims));
        assert.equal(answer.json.profile.user_id, 3);
    }
    for (const claims of [{}, { sub: 0 }, { sub: -1 }, { sub: '03' }, { sub: 'x' }, { sub: 1.5 }, { sub: '' }, { sub: null, user_id: 3 },
        { sub: 3, exp: now() - 40 }, { sub: 3, nbf: now() + 40 }, { sub: 3, exp: 'x' }, { sub: 3, aud: 'confab:rooms' },
        { sub: 3, aud: ['a', 'confab:push'] }, { sub: 3, name: '' }, { sub: 3, name: 'x'.repeat(101) }, { sub: 3, name: 5 },
        { sub: 3, avatar: 'x.png' }, { sub: 3, avatar: `http://x.org/${'x'.repeat(2048)}` }])
        refuses(await ask(claims), 401, 101);
    for (const alg of ['none', 'HS512'])
        refuses(await ask({ sub: 3 }, { alg }), 401, 101);
    refuses(await with_(confab, {}), 401, 101);
    refuses(await with_(confab, { Authorization: `Bearer ${mint({ sub: 3 }, 'another secret')}` }), 401, 101);
});

test('launch parameters of VK', async () => {
    const confab = await started;
    const good = { vk_app_id: 77, vk_ts: now(), vk_user_id: 4242, vk_ref: 'Ж, x' };
    const asked = [];
    for (const headers of [{ Authorization: `VK ${launch(good)}` }, { 'X-VK-Launch-Params': `?${launch(good)}&ref=x` }])
        asked.push((await with_(confab, headers)).json.profile?.user_id);
    assert.deepEqual(asked, [4242, 4242]);
    for (const bad of [launch(good, 'another'), launch({ ...good, vk_app_id: 78 }), launch({ ...good, vk_ts: now() - 90000 }),
        launch({ ...good, vk_ts: now() + 400 }), launch({ ...good, vk_user_id: 0 }), `${launch(good)}&vk_user_id=1`, launch({ vk_app_id: 77, vk_user_id: 1 })])
        refuses(await with_(confab, { 'X-VK-Launch-Params': bad }), 401, 101);
});

test('a socket first: before, while, after', async () => {
    const confab = await started;
    const user = new User(confab, 11);
    const refusesAll = async () => {
        for (const [method, name, code] of OF_A_GROUP)
            refuses(await user.call(method, `/conversations/${name}/1`), 428, code);
        refuses(await user.get('/messages/get?chat=0'), 428, 4);
        refuses(await user.post('/messages/send', { text: 'x' }), 428, 3);
        refuses(await user.get('/conversations/get'), 428, 1);
        refuses(await user.post('/conversations/new', { name: 'abc' }), 428, 2);
        assert.equal((await user.get('/profile')).status, 200);
    };
    await refusesAll();
    const socket = await user.connect();
    const id = await user.make();
    await user.delete(id);
    await socket.close();
    await gone({ port: confab.port, token: () => user.token }, '11', 3000);
    await refusesAll();
});

test('bodies, their nesting and the age of launch parameters are taken up to what the settings say', async () => {
    const env = { CONFAB_CONV_BODY_MAX: '1024', CONFAB_CONV_JSON_DEPTH: '3', CONFAB_VK_TTL: '100', CONFAB_VK_APP_SECRET: VK_KEY };
    await withInstance({ systems: 'conversations', env }, async (confab) => {
        const user = new User(confab, 12);
        const room = 1024 - JSON.stringify({ name: 'x', more: '' }).length;
        await user.ok('POST', '/profile', { name: 'x', more: 'y'.repeat(room) });
        refuses(await user.post('/profile', { name: 'x', more: 'y'.repeat(room + 1) }), 413, 104);
        await user.ok('POST', '/profile', { name: 'x', more: [[1]] });
        refuses(await user.post('/profile', { name: 'x', more: [[[1]]] }), 400, 100);
        const since = async (age) => with_(confab, { 'X-VK-Launch-Params': launch({ vk_user_id: 13, vk_ts: now() - age }) });
        assert.equal((await since(90)).status, 200);
        refuses(await since(110), 401, 101);
    });
});

test('bodies: too large, of another kind, in mid-air', async () => {
    const confab = await started;
    const user = await online(confab, 12);
    const send = (body, headers) => user.post('/messages/send', body, { headers });

    refuses(await send(JSON.stringify({ text: 'x', more: 'x'.repeat(65536) })), 413, 104);
    assert.equal((await send(JSON.stringify({ text: 'x', more: 'x'.repeat(65000) }))).status, 200);
    refuses(await send('text=x', { 'Content-Type': 'text/plain' }), 415, 105);
    refuses(await send('--x', { 'Content-Type': 'multipart/form-data; boundary=x' }), 415, 105);
    assert.equal((await send('text=x&conversation_id=', { 'Content-Type': 'application/x-www-form-urlencoded' })).json.error.field, 'conversation_id');
    assert.equal((await send('text=a+b%21', { 'Content-Type': 'application/x-www-form-urlencoded' })).status, 200);
    assert.equal((await user.messages(0)).at(-1).message, 'a b!');
    refuses(await send(Buffer.from('{"text":"\xff"}', 'latin1')), 400, 100);
    refuses(await send('{"text":"\\ud800"}'), 400, 100);
    for (const bad of ['text=a%00b', 'text=%ff'])
        refuses(await send(bad, { 'Content-Type': 'application/x-www-form-urlencoded' }), 400, 100, 'text');
    refuses(await user.post('/messages/send?text=%00', {}), 400, 100, 'text');
    refuses(await user.get('/messages/get?chat=%00'), 400, 1);
    refuses(await user.get('/messages/get?chat=0&other=%ff'), 400, 100);
    refuses(await user.get('/messages/get?chat=0&%ff=1'), 400, 100);
    refuses(await send({ text: 'x'.repeat(1001) }), 400, 100, 'text');
    assert.equal((await send({ text: '🎭'.repeat(1000) })).status, 200);
});

test('methods, heads and browsers', async () => {
    const confab = await started;
    const user = await online(confab, 13);
    const id = await user.make();

    for (const [method, target, allow] of [['PUT', `/conversations/join/${id}`, 'GET, POST, OPTIONS'], ['GET', '/conversations/new', 'POST, OPTIONS'],
        ['GET', `/conversations/delete/${id}`, 'POST, DELETE, OPTIONS'], ['GET', '/messages/send', 'POST, OPTIONS'],
        ['DELETE', `/conversations/members/${id}`, 'GET, HEAD, POST, OPTIONS']]) {
        const answer = await user.call(method, target);
        refuses(answer, 405, 103);
        assert.equal(answer.headers.allow, allow);
    }
    for (const name of ['join', 'leave', 'view', 'stopView', 'read'])
        assert.equal((await user.call('HEAD', `/conversations/${name}/${id}`)).status, 405, name);
    for (const target of ['/messages/get?chat=0', '/conversations/get', `/conversations/members/${id}/`, '/profile']) {
        const answer = await user.call('HEAD', target);
        assert.equal(answer.status, 200, target);
        assert.equal(answer.text, '');
    }
    refuses(await user.get('/conversations/nothing'), 404, 102);
    refuses(await user.get(`/conversations/join/${id}/more`), 404, 102);

    const preflight = await request(confab.port, 'OPTIONS', '/v1/conversations/new', { headers: {
        Origin: 'https://vk.com', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization,x-vk-launch-params' } });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers['access-control-allow-origin'], '*');
    assert.equal(preflight.headers['access-control-allow-methods'], 'GET,POST,DELETE,OPTIONS');
    assert.equal(preflight.headers['access-control-allow-headers'], 'Authorization,Content-Type,X-VK-Launch-Params');
    await user.delete(id);
});

test('the document\'s words for whoever reads Russian', async () => {
    const confab = await started;
    const user = await online(confab, 14);
    const answer = await user.get('/messages/get', { headers: { 'Accept-Language': 'ru-RU,ru;q=0.9' } });
    refuses(answer, 400, 1);
    assert.equal(answer.json.error.message, 'Прокиньте айдишник чата (?chat=0)');
    assert.match((await user.get('/messages/get')).json.error.message, /^[ -~]+$/);
});

test('too many calls are told when to come again', async () => {
    await withInstance({ systems: 'conversations', env: { CONFAB_CONV_RATE: '1', CONFAB_CONV_BURST: '5' } }, async (confab) => {
        const user = new User(confab, 1), other = new User(confab, 2);
        let answer;
        for (let i = 0; i < 20 && answer?.status !== 429; i++)
            answer = await user.get('/profile');
        refuses(answer, 429, 106);
        assert.ok(Number(answer.headers['retry-after']) >= 1);
        assert.equal((await other.get('/profile')).status, 200);
    });
});

test('the message event may have another name', async () => {
    await withInstance({ systems: 'conversations', env: { CONFAB_CONV_MESSAGE_EVENT: 'message' } }, async (confab) => {
        const user = await online(confab, 1);
        const id = await user.make(fresh());
        await user.say('x', id);
        assert.equal((await user.socket.next('message')).conversation_id, id);
    });
});
