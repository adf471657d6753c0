/* The push server's API for servers: every method with its answers and its errors.
 * SPDX-License-Identifier: MIT
 */
import { request } from '../lib/http.mjs';
import { test } from '../lib/instance.mjs';
import { KEY, assert, now, numbers, pushServer, until, withPush } from '../lib/push.mjs';

const started = pushServer({
    settings: { push_data_max: 4096, push_batch_max: 20, push_list_max: 10, push_history_max: 15, push_api_body_max: 65536 },
    channels: { long: { subscribe: 'anyone', history_size: 40, presence: true } },
});
let serial = 0;
const fresh = (namespace) => `${namespace}:${++serial}`;

const METHODS = ['publish', 'broadcast', 'subscribe', 'unsubscribe', 'disconnect', 'refresh', 'presence', 'presence_stats',
    'history', 'history_remove', 'channels', 'connections', 'info', 'rpc', 'batch'];

test('keys: three places, the first present counts', async () => {
    const push = await started;
    const status = async (headers, query = '') => (await push.api('info', {}, { key: null, headers, query })).status;
    assert.equal(await status({}), 401);
    assert.equal(await status({ 'X-API-Key': KEY }), 200);
    assert.equal(await status({ Authorization: `apikey ${KEY}` }), 200);
    assert.equal(await status({}, `?api_key=${encodeURIComponent(KEY)}`), 200);
    assert.equal(await status({}, `?x=1&api_key=${encodeURIComponent(KEY)}&y`), 200);
    assert.equal(await status({ 'X-API-Key': 'wrong', Authorization: `apikey ${KEY}` }), 401);
    assert.equal(await status({ Authorization: 'apikey wrong' }, `?api_key=${encodeURIComponent(KEY)}`), 401);
    for (const wrong of ['', ' ', KEY.slice(0, -1), `${KEY}x`, KEY.toUpperCase()])
        assert.equal(await status({ 'X-API-Key': wrong }), 401, wrong);
    assert.equal(await status({ Authorization: `Bearer ${KEY}` }), 401);
    assert.equal(await status({}, '?xapi_key=1'), 401);
    const refusal = await push.api('publish', {}, { key: null });
    assert.deepEqual([refusal.status, refusal.text], [401, '']);
    for (const method of METHODS)
        assert.equal((await push.api(method, {}, { key: 'wrong' })).status, 401, method);
});

test('no key set: nobody, unless everybody', async () => {
    await withPush({ settings: { push_api_key: null } }, async (push) => {
        for (const key of [null, '', KEY])
            assert.equal((await push.api('info', {}, { key })).status, 401);
    });
    await withPush({ settings: { push_api_key: null, push_api_insecure: true }, api: 'own' }, async (push) => {
        assert.equal((await push.api('info', {}, { key: null })).status, 200);
        assert.equal((await request(push.port, 'POST', '/api/info', { body: {} })).status, 404, 'not at the clients\' listener');
    });
});

test('statuses of what is no call', async () => {
    const push = await started;
    for (const body of ['', 'x', '{', '[1]', '1', 'null', '{}x', '{"channel":1,"data":1}', '{"channel":"open:x","data":1,"tags":[1]}', '{"channel":"open:x","data":1,"skip_history":"yes"}',
        '{"channel":"open:x","data":1,"version":"1"}', '{"channel":"open:x","channel":"open:y","data":1}', '\ufeff{}', '{"channel":"open:\\ud800","data":1}'])
        assert.equal((await push.api('publish', body)).status, 400, body);
    assert.equal((await push.api('publish', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).status, 400);
    for (const method of ['nosuch', '', 'publish/', 'publish/x', 'Publish', '%70ublishx'])
        assert.equal((await push.api(method)).status, 404, method);
    const read = await request(push.port, 'GET', '/api/publish', { headers: { 'X-API-Key': KEY } });
    assert.equal(read.status, 405);
    assert.equal((await push.api('publish', { channel: 'open:x', data: 'x'.repeat(70000) })).status, 413);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense'])
        assert.equal((await push.api('publish', { channel: 'open:any', data: 1 }, { headers: { 'Content-Type': type } })).status, 200);
});

test('publish', async () => {
    const push = await started;
    const channel = fresh('open');
    const wire = await push.connected('anna');
    await wire.ask('subscribe', { channel });
    const first = await push.publish(channel, { a: 1 });
    assert.deepEqual([first.offset, typeof first.epoch], [1, 'string']);
    assert.deepEqual(await push.publish(fresh('plain'), 1), {});
    const b64 = Buffer.from('{"b": [64]}').toString('base64');
    assert.equal((await push.ok('publish', { channel, b64data: b64 })).offset, 2);
    await push.publish(channel, 'three', { tags: { kind: 'x' } });
    await push.publish(channel, 'passing', { skip_history: true });
    await push.publish(channel, null, {});
    await push.publish(channel, false, { unknown: { field: [] } });
    await until('six', () => wire.pushes('pub').length === 6);
    const pubs = wire.pushes('pub').map(({ pub }) => pub);
    assert.deepEqual(pubs.map(({ data }) => data), [{ a: 1 }, { b: [64] }, 'three', 'passing', null, false]);
    assert.deepEqual(pubs[2].tags, { kind: 'x' });
    assert.equal(pubs[3].offset, undefined);
    assert.equal(pubs[4].offset, 4);
    assert.ok(pubs.every((pub) => !('info' in pub)));
    for (const [code, params] of [[107, {}], [107, { channel }], [107, { data: 1 }], [107, { channel: '', data: 1 }], [102, { channel: 'nowhere:x', data: 1 }],
        [107, { channel: 'x'.repeat(256), data: 1 }], [107, { channel, data: 'x'.repeat(4100) }], [107, { channel, b64data: Buffer.from('{').toString('base64') }],
        [107, { channel, b64data: '***' }], [107, { channel: 'open:a\nb', data: 1 }], [107, { channel, data: 1, version: -1 }]])
        assert.equal(await push.code('publish', params), code, JSON.stringify(params).slice(0, 100));
    assert.equal((await push.publish(channel, 'x'.repeat(4094))).offset, 6);
});

test('idempotency and versions', async () => {
    const push = await started;
    const channel = fresh('open');
    const first = await push.publish(channel, 1, { idempotency_key: 'k' });
    assert.deepEqual(await push.publish(channel, 2, { idempotency_key: 'k' }), first);
    assert.equal((await push.publish(channel, 3, { idempotency_key: 'other' })).offset, 2);
    assert.equal((await push.publish(fresh('open'), 4, { idempotency_key: 'k' })).offset, 1);
    const versioned = fresh('open');
    const at = async (version, version_epoch) => (await push.publish(versioned, { version }, { version, ...(version_epoch && { version_epoch }) })).offset;
    assert.deepEqual([await at(5), await at(5), await at(4), await at(6), await at(1, 'new'), await at(1, 'new'), await at(2, 'new')], [1, 1, 1, 2, 3, 3, 4]);
    const { publications } = await push.ok('history', { channel: versioned, limit: -1 });
    assert.deepEqual(publications.map(({ data }) => data.version), [5, 6, 1, 2]);
    const plain = fresh('plain');
    const wire = await push.connected('anna');
    await wire.ask('subscribe', { channel: plain });
    await push.publish(plain, 'once', { idempotency_key: 'k' });
    await push.publish(plain, 'twice', { idempotency_key: 'k' });
    await push.publish(plain, 'last');
    await until('two', () => wire.pushes('pub').length === 2);
    assert.deepEqual(wire.pushes('pub').map(({ pub }) => pub.data), ['once', 'last']);
    /* at the same time: one wins, all hear the same */
    const racing = fresh('open');
    const answers = await Promise.all(numbers(10).map((n) => push.publish(racing, n, { idempotency_key: 'race' })));
    assert.equal(new Set(answers.map((one) => JSON.stringify(one))).size, 1);
    assert.equal((await push.ok('history', { channel: racing })).offset, 1);
});

test('broadcast', async () => {
    const push = await started;
    const [one, two, plain] = [fresh('open'), fresh('open'), fresh('plain')];
    const { responses } = await push.ok('broadcast', { channels: [one, 'nowhere:x', plain, two, 'open:a\nb'], data: { all: true }, idempotency_key: 'b' });
    assert.equal(responses.length, 5);
    assert.equal(responses[0].result.offset, 1);
    assert.equal(responses[1].error.code, 102);
    assert.deepEqual(responses[2], { result: {} });
    assert.equal(responses[3].result.offset, 1);
    assert.equal(responses[4].error.code, 107);
    assert.deepEqual((await push.ok('broadcast', { channels: [one], data: 2, idempotency_key: 'b' })).responses, [responses[0]]);
    assert.deepEqual(await push.ok('broadcast', { channels: [], data: 1 }).catch(() => 107), 107);
    for (const params of [{}, { channels: [one] }, { data: 1 }, { channels: numbers(21).map((n) => `open:${n}`), data: 1 }])
        assert.ok([106, 107].includes(await push.code('broadcast', params)), JSON.stringify(params));
    assert.equal((await push.api('broadcast', { channels: [1], data: 1 })).status, 400);
    assert.equal((await push.api('broadcast', { channels: 'open:x', data: 1 })).status, 400);
});

test('subscribe, unsubscribe, disconnect: whom they mean', async () => {
    const push = await started;
    const channel = fresh('open');
    const [a1, a2, ben, nobody] = [await push.connected('whom-a'), await push.connected('whom-a'), await push.connected('whom-b'), await push.connected({})];
    const there = async () => Object.values((await push.ok('presence', { channel })).presence).map((who) => who.client).sort();
    const ids = (...wires) => wires.map((wire) => wire.hello.client).sort();
    assert.deepEqual(await push.ok('subscribe', { user: 'whom-a', channel, info: { x: 1 } }), {});
    assert.deepEqual(await there(), ids(a1, a2));
    assert.deepEqual((await a1.push('subscribe')).channel, channel);
    await push.ok('unsubscribe', { user: 'whom-a', client: a1.hello.client, channel });
    assert.deepEqual((await a1.push('unsubscribe')).unsubscribe.code, 2000);
    assert.deepEqual(await there(), ids(a2));
    await push.ok('subscribe', { user: '', channel });
    assert.deepEqual(await there(), ids(a2, nobody));
    assert.deepEqual(await push.ok('subscribe', { user: 'nobody-is-called-this', channel }), {});
    assert.deepEqual(await push.ok('unsubscribe', { user: 'whom-b', client: a2.hello.client, channel }), {});
    assert.deepEqual(await there(), ids(a2, nobody));
    await push.ok('disconnect', { user: 'whom-a', whitelist: [a2.hello.client], disconnect: { code: 4321, reason: 'bye' } });
    assert.deepEqual(await a1.ended(), { code: 4321, reason: 'bye' });
    await push.ok('disconnect', { user: '' });
    assert.equal((await nobody.ended()).code, 3503);
    assert.deepEqual([a2.closed, ben.closed], [null, null]);
    for (const [method, params, code] of [['subscribe', { user: 'x' }, 107], ['subscribe', { channel }, 107], ['subscribe', { user: 'x', channel: 'nowhere:x' }, 102],
        ['unsubscribe', { user: 'x' }, 107], ['unsubscribe', { channel }, 107], ['disconnect', {}, 107], ['refresh', {}, 107]])
        assert.equal(await push.code(method, params), code, `${method} ${JSON.stringify(params)}`);
    for (const disconnect of [{ code: 2999, reason: 'x' }, { code: 5000, reason: 'x' }, { code: 4000, reason: '12' }, { code: 4000, reason: 'true' }, { code: 4000, reason: '{"reconnect":false}' },
        { code: 4000, reason: '"text"' }, { code: 4000, reason: ' 12 ' }, { code: 4000, reason: '-1e5' }, { code: 4000, reason: 'null' }, { code: 4000, reason: '[]' },
        { code: 4000, reason: 'x'.repeat(124) }, { code: 4000, reason: 'ü'.repeat(62) }, { code: 4000, reason: 'a\nb' }, { code: 4000, reason: 'a\u0000b' }]) {
        const answer = await push.api('disconnect', { user: 'whom-b', disconnect });
        assert.ok(answer.status === 400 || answer.json.error?.code === 107, `${JSON.stringify(disconnect)} ${answer.text}`);
    }
    assert.equal(ben.closed, null);
    await push.ok('disconnect', { user: 'whom-b', disconnect: { code: 4000, reason: 'ü'.repeat(61) } });
    assert.equal((await ben.ended()).reason, 'ü'.repeat(61));
});

test('subscribe with everything', async () => {
    const push = await started;
    const channel = fresh('open');
    for (const n of numbers(3))
        await push.publish(channel, n);
    const { epoch } = await push.ok('history', { channel });
    const wire = await push.connected('whole');
    await push.ok('subscribe', { user: 'whole', channel, b64info: Buffer.from('{"i":1}').toString('base64'), data: { d: 1 },
                                 recover_since: { offset: 1, epoch }, expire_at: now() + 100, override: { join_leave: { value: true }, force_push_join_leave: { value: true }, force_recovery: { value: true } } });
    const { subscribe } = await wire.push('subscribe');
    assert.deepEqual([subscribe.recoverable, subscribe.positioned, subscribe.epoch, subscribe.data], [true, true, epoch, { d: 1 }]);
    assert.deepEqual((await push.ok('presence', { channel })).presence[wire.hello.client].chan_info, { i: 1 });
    assert.deepEqual((await wire.push('join')).join.info.chan_info, { i: 1 });
    await push.publish(channel, 4);
    await wire.find((line) => line.push?.pub?.data === 4);
});

test('refresh from the server', async () => {
    const push = await started;
    const wire = await push.connected({ token: push.token('renewed', { exp: now() + 3 }) });
    await push.ok('refresh', { user: 'renewed', expire_at: now() + 500 });
    await push.ok('refresh', { user: 'renewed', client: wire.hello.client, info: { fresh: true } });
    const channel = fresh('open');
    await push.ok('subscribe', { user: 'renewed', channel });
    assert.deepEqual((await push.ok('presence', { channel })).presence[wire.hello.client].conn_info, { fresh: true });
    await push.ok('refresh', { user: 'renewed', expired: true });
    assert.equal((await wire.ended()).code, 3005);
});

test('presence and its numbers', async () => {
    const push = await started;
    const channel = fresh('long');
    assert.deepEqual(await push.ok('presence', { channel }), { presence: {} });
    assert.deepEqual(await push.ok('presence_stats', { channel }), { num_clients: 0, num_users: 0 });
    const wires = [await push.connected('p1'), await push.connected('p1'), await push.connected('p2'), await push.connected({})];
    for (const wire of wires)
        await wire.ask('subscribe', { channel });
    assert.deepEqual(await push.ok('presence_stats', { channel }), { num_clients: 4, num_users: 3 });
    const { presence } = await push.ok('presence', { channel });
    assert.deepEqual(presence[wires[3].hello.client], { user: '', client: wires[3].hello.client });
    wires[0].terminate();
    await until('one less', async () => (await push.ok('presence_stats', { channel })).num_clients === 3);
    for (const method of ['presence', 'presence_stats']) {
        assert.equal(await push.code(method, { channel: fresh('plain') }), 108);
        assert.equal(await push.code(method, { channel: 'nowhere:x' }), 102);
        assert.equal(await push.code(method, {}), 107);
    }
});

test('history and its removal', async () => {
    const push = await started;
    const channel = fresh('long');
    for (const n of numbers(20))
        await push.publish(channel, n, n === 20 ? { tags: { last: 'yes' } } : {});
    const offsets = async (params) => (await push.ok('history', { channel, ...params })).publications.map((one) => one.offset);
    const top = await push.ok('history', { channel });
    assert.deepEqual([top.publications, top.offset], [[], 20]);
    const { epoch } = top;
    assert.deepEqual(await offsets({ limit: 3 }), [1, 2, 3]);
    assert.deepEqual(await offsets({ limit: -1 }), numbers(15));
    assert.deepEqual(await offsets({ limit: 100 }), numbers(15));
    assert.deepEqual(await offsets({ limit: 3, reverse: true }), [20, 19, 18]);
    assert.deepEqual(await offsets({ limit: 3, since: { offset: 5, epoch } }), [6, 7, 8]);
    assert.deepEqual(await offsets({ limit: 3, since: { offset: 5, epoch: '' } }), [6, 7, 8]);
    assert.deepEqual(await offsets({ limit: 3, since: { offset: 5, epoch }, reverse: true }), [4, 3, 2]);
    assert.deepEqual(await offsets({ limit: 3, since: { offset: 20, epoch } }), []);
    assert.deepEqual(await offsets({ limit: 3, since: { offset: 99, epoch } }), []);
    const [{ data, offset, tags }] = (await push.ok('history', { channel, limit: 1, reverse: true })).publications;
    assert.deepEqual({ data, offset, tags }, { data: 20, offset: 20, tags: { last: 'yes' } });
    assert.equal(await push.code('history', { channel, limit: 1, since: { offset: 5, epoch: 'other' } }), 112);
    assert.deepEqual(await push.ok('history_remove', { channel }), {});
    const after = await push.ok('history', { channel, limit: -1 });
    assert.deepEqual([after.publications, after.offset, after.epoch], [[], 20, epoch]);
    assert.equal((await push.publish(channel, 21)).offset, 21);
    for (const method of ['history', 'history_remove']) {
        assert.equal(await push.code(method, { channel: fresh('plain') }), 108);
        assert.equal(await push.code(method, { channel: 'nowhere:x' }), 102);
        assert.equal(await push.code(method, {}), 107);
    }
});

test('listings, a page at a time', async () => {
    const push = await started;
    const wires = await Promise.all(numbers(3).map(() => push.connected('lister')));
    const names = numbers(25).map((n) => `open:list-${String(n).padStart(2, '0')}`);
    for (const [i, name] of names.entries())
        await wires[i % 3].ask('subscribe', { channel: name });
    await wires[0].ask('subscribe', { channel: names[1] });
    const seen = {};
    let pages = 0;
    for (let cursor = ''; cursor !== undefined; pages++) {
        const page = await push.ok('channels', { pattern: 'open:list-*', cursor });
        assert.ok(Object.keys(page.channels).length <= 10);
        Object.assign(seen, page.channels);
        cursor = page.cursor || undefined;
    }
    assert.equal(pages, 3);
    assert.deepEqual(Object.keys(seen), names);
    assert.deepEqual(seen[names[1]], { num_clients: 2 });
    assert.deepEqual(Object.keys((await push.ok('channels', { pattern: 'open:list-*', limit: 4 })).channels), names.slice(0, 4));
    assert.deepEqual(Object.keys((await push.ok('channels', { pattern: 'open:list-0[1-3]' })).channels), names.slice(0, 3));
    assert.deepEqual(Object.keys((await push.ok('channels', { pattern: 'open:list-{01,2?}' })).channels), [names[0], ...names.slice(19)]);
    assert.deepEqual(await push.ok('channels', { pattern: 'none*' }), { channels: {} });
    const mine = (await push.ok('connections', { user: 'lister' })).connections;
    assert.deepEqual(mine.map((one) => one.client).sort(), wires.map((wire) => wire.hello.client).sort());
    const all = new Set();
    for (let cursor = ''; cursor !== undefined;) {
        const page = await push.ok('connections', { limit: 2, cursor });
        page.connections.forEach((one) => all.add(one.client));
        cursor = page.cursor || undefined;
    }
    for (const wire of wires)
        assert.ok(all.has(wire.hello.client));
});

test('info, rpc', async () => {
    const push = await started;
    await push.connected('informed');
    const { nodes } = await push.ok('info');
    assert.equal(nodes.length, 1);
    const [node] = nodes;
    for (const key of ['uid', 'name', 'version'])
        assert.equal(typeof node[key], 'string', key);
    for (const key of ['num_clients', 'num_users', 'num_channels', 'num_subs', 'uptime'])
        assert.equal(typeof node[key], 'number', key);
    assert.ok(node.num_clients >= 1 && node.num_users >= 1);
    assert.equal(await push.code('rpc', { method: 'x' }), 108);
    assert.equal(await push.code('rpc', {}), 107);
});

test('batch', async () => {
    const push = await started;
    const channel = fresh('long');
    for (const parallel of [false, true]) {
        const { replies } = (await push.api('batch', { parallel, commands: [
            { publish: { channel, data: 1 } }, { publish: { channel, data: 2 } }, { publish: { channel: 'nowhere:x', data: 1 } }, { history: { channel } },
            { broadcast: { channels: [channel], data: 3 } }, { presence_stats: { channel } }, { publish: {} }, { nosuch: {} }, { info: {} },
        ] })).json;
        assert.equal(replies.length, 9);
        assert.equal(typeof replies[0].publish.offset, 'number');
        assert.equal(replies[2].error.code, 102);
        assert.equal(typeof replies[3].history.offset, 'number');
        assert.equal(replies[4].broadcast.responses.length, 1);
        assert.equal(replies[5].presence_stats.num_clients, 0);
        assert.equal(replies[6].error.code, 107);
        assert.equal(replies[7].error.code, 104);
        assert.equal(replies[8].info.nodes.length, 1);
    }
    const { publications } = await push.ok('history', { channel, limit: -1 });
    assert.deepEqual(publications.map(({ data }) => data), [1, 2, 3, 1, 2, 3]);
    assert.deepEqual((await push.api('batch', { commands: [] })).json, { replies: [] });
    assert.ok((await push.api('batch', { commands: numbers(21).map(() => ({ info: {} })) })).json.error);
    const before = (await push.ok('history', { channel })).offset;
    for (const body of ['{"commands":[1]}', '{"commands":{}}', `{"commands":[{"publish":{"channel":"${channel}","data":9}},{"publish":{"channel":9}}]}`])
        assert.equal((await push.api('batch', body)).status, 400, body);
    assert.equal((await push.ok('history', { channel })).offset, before, 'nothing of a bad batch is run');
    assert.equal((await push.api('batch', {})).json.error.code, 107);
});

test('errors as statuses, where that is wanted', async () => {
    const push = await started;
    const channel = fresh('open');
    await push.publish(channel, 1);
    for (const [status, code, method, params] of [
        [404, 102, 'publish', { channel: 'nowhere:x', data: 1 }], [400, 107, 'publish', { channel }], [400, 108, 'presence', { channel: fresh('plain') }],
        [416, 112, 'history', { channel, limit: 1, since: { offset: 0, epoch: 'other' } }], [400, 108, 'rpc', { method: 'x' }],
    ]) {
        const answer = await push.api(method, params, { statuses: true });
        assert.equal(answer.status, status, method);
        assert.equal(answer.json.code, code);
        assert.equal(typeof answer.json.message, 'string');
        assert.equal((await push.api(method, params)).status, 200);
    }
    const good = await push.api('publish', { channel, data: 1 }, { statuses: true });
    assert.deepEqual([good.status, good.json.result.offset], [200, 2]);
});

/* As the PHP and Python server libraries write them. */
test('the ways other libraries write their calls', async () => {
    const push = await started;
    const channel = fresh('open');
    const wire = await push.connected('lib');
    for (const [method, body] of [
        ['publish', `{"channel":"${channel}","data":{"a":"\\u00e4\\/"},"skip_history":false}`],
        ['publish', `{"channel":"${channel}","data":{"a":1},"skip_history":null,"tags":null,"b64data":null,"idempotency_key":null,"delta":null,"version":null,"version_epoch":null}`],
        ['publish', `{"channel":"${channel}","data":{},"tags":[],"idempotency_key":"","version":0}`],
        ['broadcast', `{"channels":["${channel}"],"data":[],"skip_history":false}`],
        ['subscribe', `{"channel":"${channel}","user":"lib","client":"","session":"","info":null,"data":null,"override":[],"recover_since":null}`],
        ['unsubscribe', `{"channel":"${channel}","user":"lib","client":"","session":""}`],
        ['refresh', `{"user":"lib","client":null,"session":null,"expired":null,"expire_at":null}`],
        ['history', `{"channel":"${channel}","limit":0,"since":[],"reverse":false}`],
        ['history', `{"channel":"${channel}","limit":10,"since":null,"reverse":null}`],
        ['history_remove', `{"channel":"${channel}"}`], ['channels', '{"pattern":""}'], ['channels', '{"pattern":null}'], ['channels', '[]'], ['info', '[]'], ['info', '{}'],
        ['presence', `{"channel":"${channel}"}`], ['presence_stats', `{"channel":"${channel}"}`],
        ['batch', `{"commands":[{"publish":{"channel":"${channel}","data":{}}},{"info":[]}],"parallel":false}`],
        ['disconnect', '{"user":"lib","client":"","session":"","whitelist":[],"disconnect":[]}'],
    ]) {
        const answer = await push.api(method, body, { headers: { 'Content-Type': 'application/json' } });
        assert.equal(answer.status, 200, `${method} ${body}: ${answer.status} ${answer.text}`);
        assert.ok(answer.json.result ?? answer.json.replies, `${method} ${body}: ${answer.text}`);
    }
    assert.equal((await wire.ended()).code, 3503);
});
