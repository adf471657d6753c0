/* Requests nobody thought of: never a 5xx, always the contract's shape, and the service goes on.
 * A bad run can be had again: CONFAB_TEST_SEED=...
 * SPDX-License-Identifier: MIT
 */
import { assert, fine } from '../lib/assert.mjs';
import { ADMIN, instance, scopeHeader, test } from '../lib/instance.mjs';
import { seeded } from '../lib/seeded.mjs';

const started = instance({ auth: 'trusted', handlers: 2 });
const seed = Number(process.env.CONFAB_TEST_SEED ?? 20260301);
const REQUESTS = 1500;

const odd = ['', '%', '%00', '%2F', '%2e%2e', '%ff', '..', '*', 'null', '0', '-1', '1e9', '999999999999999999999', 'ж', "'", '"', '\\', '{}', '[]',
    'x'.repeat(300), '%F0%9F%98%80', '+', ';', '%0d%0a', 'true', 'participating', 'available'];

test(`${REQUESTS} random requests, seed ${seed}`, async () => {
    const confab = await started;
    const { pick, one, chance } = seeded(seed);
    const dialog = await confab.dialog(['a', 'b'], { access_scopes: [{}] });
    const { id } = await confab.api('a').send(dialog, 'start');
    const segment = () => chance(3) ? one(odd).replace(/[^\x21-\x7e]/g, encodeURIComponent) : one([dialog, id, dialog.toUpperCase(), 'a', 'b']);
    const routes = [['/dialogs', 'GET'], ['/dialogs/:', 'GET'], ['/dialogs/:/join', 'POST'], ['/dialogs/:/leave', 'POST'], ['/dialogs/:/archive', 'POST'],
        ['/dialogs/:/pin', 'POST'], ['/dialogs/:/notifications', 'POST'], ['/dialogs/:/read', 'POST'], ['/dialogs/:/participants', 'GET'],
        ['/dialogs/:/messages', 'GET'], ['/dialogs/:/messages', 'POST'], ['/dialogs/:/messages/:', 'GET'], ['/dialogs/:/messages/:', 'PUT'],
        ['/dialogs/:/messages/:', 'DELETE'], ['/dialogs/by-object/:/:', 'GET'], ['/dialogs/by-object/:/:/list', 'GET'], ['/sync', 'GET'],
        ['/attachments/:/url', 'GET'], ['/management/dialogs', 'POST'], ['/management/dialogs/search', 'POST'], ['/management/dialogs/:', 'GET'],
        ['/management/dialogs/:/participants', 'POST'], ['/management/dialogs/:/participants/:', 'DELETE'],
        ['/management/dialogs/:/access-scopes', 'PUT'], ['/:', 'GET'], ['/:/:', 'POST']];
    const names = ['limit', 'offset', 'search', 'type', 'archived', 'before', 'after', 'around', 'since', 'user_id', 'x'];
    const keys = ['content', 'reply_to', 'attachments', 'client_message_id', 'last_read_message_id', 'enabled', 'display_name', 'company', 'email',
        'object_id', 'object_type', 'title', 'meta', 'participants', 'access_scopes', 'scope_level0', 'user_id'];
    const value = (depth = 0) => one([
        () => one(odd), () => 'plain', () => id, () => dialog, () => pick(100), () => -1.5, () => 1e300, () => true, () => null, () => '\0', () => '\ud800', () => '<b>x',
        () => depth > 3 ? [] : Array.from({ length: pick(4) }, () => value(depth + 1)),
        () => depth > 3 ? {} : Object.fromEntries(Array.from({ length: pick(5) }, () => [one(keys), value(depth + 1)])),
    ])();
    const body = () => {
        if (chance(4))
            return undefined;
        const text = JSON.stringify(Object.fromEntries(Array.from({ length: pick(6) }, () => [one(keys), value()])));
        if (!chance(4))
            return text;
        const at = pick(text.length);
        return text.slice(0, at) + one(['', '"', '}', ',', '\\', '\u0000', '[[[[', '\x7f']) + text.slice(at + pick(3));
    };
    const header = () => ({
        ...(chance(2) ? { 'X-Scope-Config': one([scopeHeader(), scopeHeader(['a']), 'junk', 'e30', '=', 'x'.repeat(4000)]) } : {}),
        ...(chance(2) ? { Authorization: one([`Bearer ${ADMIN}`, 'Bearer', 'Bearer x', 'Basic Og=='] ) } : {}),
        ...(chance(6) ? { 'Idempotency-Key': one(['k', 'k1', 'k'.repeat(129), '~']) } : {}),
        ...(chance(6) ? { 'If-None-Match': one(['*', '"1"', 'W/"1"', '""', ',,', '"']) } : {}),
        ...(chance(6) ? { Origin: one(['null', 'https://x', 'x y']) } : {}),
    });
    for (let i = 0; i < REQUESTS; i++) {
        const [pattern, usual] = one(routes);
        const path = pattern.replace(/:/g, segment);
        const query = Array.from({ length: pick(4) }, () => `${one(names)}=${chance(2) ? one(odd).replace(/[^\x21-\x7e]/g, encodeURIComponent) : one([id, '5', 'a'])}`);
        if (!chance(10))
            query.unshift(`user_id=${one(['a', 'b', 'stranger'])}`);
        const method = chance(10) ? one(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) : usual;
        const target = `/api/v1${path}?${query.join('&')}`.replaceAll('#', '%23').replace(/ /g, '%20');
        const content = method === 'GET' || method === 'OPTIONS' ? undefined : body();
        const answer = await confab.nobody.call(method, target, content, { headers: header() });
        const what = `request ${i}: ${method} ${target} ${content}\n${answer.status} ${answer.text.slice(0, 300)}`;
        assert.ok(answer.status < 500, what);
        assert.ok('access-control-allow-origin' in answer.headers, what);
        if (answer.status >= 400)
            assert.ok(answer.json?.error?.code && answer.json.error.message, what);
        else if (answer.status === 200 && method !== 'OPTIONS')
            assert.ok(answer.json !== undefined, what);
    }
    const again = await confab.dialog(['a', 'b']);
    assert.equal((await confab.api('a').send(again, 'still here')).content, 'still here');
});

test(`random frames, seed ${seed}`, async () => {
    const confab = await started;
    const { pick, one } = seeded(seed + 1);
    for (let i = 0; i < 20; i++) {
        const socket = await confab.socket('frames');
        for (let n = 0; n < 15; n++) {
            const text = one(['{"type":"ping"}', '{"type":"subscribe","dialog_id":"x"}', '{"type":', '[', '{"type":"ping","type":"ping"}', '\u0000', '"', '{}',
                '{"type":"\\u0000"}', '{"type":"\\ud800"}', '['.repeat(500), `{"type":"${'x'.repeat(pick(2000))}"}`]);
            socket.send(pick(5) ? text : Buffer.from(text));
        }
        socket.send({ type: 'ping' });
        await socket.next((f) => f.type === 'pong' || f.type === 'error');
        await socket.close();
    }
    fine(await confab.nobody.get('/health'));
});
