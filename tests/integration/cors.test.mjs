/* What browsers are told.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine } from '../lib/assert.mjs';
import { instance, test, withInstance } from '../lib/instance.mjs';

const started = instance({ auth: 'jwt' });
const preflight = (confab, path, { origin = 'https://app.example', method = 'POST',
    headers = 'authorization,content-type,x-scope-config' } = {}) =>
    confab.nobody.call('OPTIONS', path, undefined, { headers: { Origin: origin, 'Access-Control-Request-Method': method,
        'Access-Control-Request-Headers': headers } });
const listed = (value) => value.toLowerCase().split(',').map((one) => one.trim());

test('preflight: on every path, with no credential', async () => {
    const confab = await started;
    for (const path of ['/api/v1/dialogs', '/api/v1/dialogs/x/messages', '/api/v1/management/dialogs', '/api/v1/upload/presign', '/api/v1/sync', '/health']) {
        const answer = await preflight(confab, path);
        assert.ok([200, 204].includes(answer.status), `${path}: ${answer.status} ${answer.text}`);
        assert.equal(answer.headers['access-control-allow-origin'], '*');
        for (const method of ['get', 'post', 'put', 'delete'])
            assert.ok(listed(answer.headers['access-control-allow-methods']).includes(method), path);
        for (const header of ['authorization', 'content-type', 'x-scope-config'])
            assert.ok(listed(answer.headers['access-control-allow-headers']).includes(header), path);
        assert.equal(answer.headers['access-control-max-age'], '3600');
        assert.ok(!('access-control-allow-credentials' in answer.headers));
    }
});

test('every answer carries the header, refusals too', async () => {
    const confab = await started;
    const a = confab.api('cors-a');
    const origin = { headers: { Origin: 'https://app.example', ...a.headers } };
    for (const [path, status] of [['/dialogs', 200], ['/nothing', 404], ['/dialogs/x', 400]]) {
        const answer = await a.get(path, origin);
        assert.equal(answer.status, status);
        assert.equal(answer.headers['access-control-allow-origin'], '*');
    }
    const answer = await confab.nobody.get('/api/v1/dialogs', { headers: { Origin: 'https://app.example' } });
    assert.equal(answer.status, 401);
    assert.equal(answer.headers['access-control-allow-origin'], '*');
});

test('a list of origins is echoed, others get nothing', async () => {
    await withInstance({ auth: 'trusted', handlers: 1, relays: 0, env: {
        CONFAB_CORS_ALLOWED_ORIGINS: 'https://a.example, https://b.example:8443', CONFAB_CORS_ALLOWED_METHODS: 'GET,POST',
        CONFAB_CORS_ALLOWED_HEADERS: 'Content-Type, X-Own', CONFAB_CORS_MAX_AGE: '7', CONFAB_CORS_ALLOW_CREDENTIALS: 'true' } },
    async (confab) => {
        const get = (Origin) => confab.api('x').get('/dialogs', { headers: Origin ? { Origin } : {} });
        for (const origin of ['https://a.example', 'https://b.example:8443']) {
            for (const answer of [await get(origin), await preflight(confab, '/api/v1/dialogs', { origin })]) {
                assert.equal(answer.headers['access-control-allow-origin'], origin);
                assert.match(answer.headers.vary ?? '', /origin/i);
                assert.equal(answer.headers['access-control-allow-credentials'], 'true');
            }
        }
        for (const origin of ['https://c.example', 'http://a.example', 'https://a.example.evil', 'https://a.example:1', 'null', undefined])
            assert.ok(!('access-control-allow-origin' in (await get(origin)).headers), origin);
        assert.match((await get('https://c.example')).headers.vary ?? '', /origin/i);
        const answer = await preflight(confab, '/api/v1/dialogs', { origin: 'https://a.example' });
        assert.deepEqual(listed(answer.headers['access-control-allow-methods']), ['get', 'post']);
        assert.deepEqual(listed(answer.headers['access-control-allow-headers']), ['content-type', 'x-own']);
        assert.equal(answer.headers['access-control-max-age'], '7');
    });
});

test('credentials with * are answered by echo', async () => {
    await withInstance({ auth: 'trusted', handlers: 1, relays: 0, env: { CONFAB_CORS_ALLOW_CREDENTIALS: 'true' } }, async (confab) => {
        const answer = await confab.api('x').get('/dialogs', { headers: { Origin: 'https://q.example' } });
        fine(answer);
        assert.equal(answer.headers['access-control-allow-origin'], 'https://q.example');
        assert.equal(answer.headers['access-control-allow-credentials'], 'true');
        assert.match(answer.headers.vary ?? '', /origin/i);
        const asked = await preflight(confab, '/api/v1/dialogs', { origin: 'https://q.example' });
        assert.equal(asked.headers['access-control-allow-origin'], 'https://q.example');
        assert.ok(listed(asked.headers['access-control-allow-headers']).includes('authorization'));
    });
});

test('systems say it of credentials alike, all but rooms', async () => {
    await withInstance({ systems: 'conversations,eventchat,rooms', handlers: 1, relays: 0, env: { CONFAB_CORS_ALLOW_CREDENTIALS: 'true' } }, async (confab) => {
        for (const [path, said] of [['/v1/profile', 'true'], ['/v1/nothing', 'true'], ['/eventchat/v1/profile', 'true'], ['/api/rooms', undefined]]) {
            const answers = [await preflight(confab, path), await confab.nobody.get(path, { headers: { Origin: 'https://app.example' } })];
            for (const answer of answers) {
                assert.equal(answer.headers['access-control-allow-credentials'], said, path);
                assert.equal(answer.headers['access-control-allow-origin'], said ? 'https://app.example' : '*', path);
            }
        }
    });
});
