/* Who is calling: tokens, trusted ids, the admin token.
 * SPDX-License-Identifier: MIT
 */
import { generateKeyPairSync } from 'node:crypto';
import { assert, fine, refused } from '../lib/assert.mjs';
import { ADMIN, SECRET, instance, test, withInstance } from '../lib/instance.mjs';
import { mint, now } from '../lib/jwt.mjs';

const started = instance({ auth: 'jwt' });

/* What the token lets its bearer be: the sender id of a message, or the answer that refuses it. */
async function identity(confab, token, { query = '', scheme = 'Bearer' } = {}) {
    return confab.nobody.call('GET', `/api/v1/dialogs${query}`, undefined,
        { headers: token === undefined ? {} : { Authorization: `${scheme} ${token}` } });
}

test('jwt: good tokens', async () => {
    const confab = await started;
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const good = [
        { sub: 'anna' }, { sub: 'anna', exp: now() + 100 }, { sub: 'anna', exp: now() - 30 }, { sub: 'anna', nbf: now() + 30 },
        { sub: 'anna', aud: 'someone', iss: 'else' }, { sub: 'anna', aud: ['x', 'y'] }, { sub: 42 },
    ];
    for (const claims of good)
        assert.equal((await identity(confab, mint(claims, SECRET))).status, 200, JSON.stringify(claims));
    for (const scheme of ['bearer', 'BEARER'])
        fine(await identity(confab, mint({ sub: 'a' }, SECRET), { scheme }));
    const bad = [
        undefined, '', 'x', 'a.b', 'a.b.c', mint({ sub: 'anna' }, 'another secret'), mint({ sub: 'anna' }, SECRET, { alg: 'none' }),
        mint({ sub: 'anna' }, SECRET, { header: { alg: 'none' } }), mint({ sub: 'anna' }, SECRET, { alg: 'HS384' }),
        mint({ sub: 'anna' }, SECRET, { alg: 'HS512' }), mint({ sub: 'anna' }, privateKey, { alg: 'RS256' }),
        mint({ sub: 'anna' }, SECRET, { header: { alg: 'RS256' } }), mint({ sub: 'anna' }, SECRET, { header: { alg: 'hs256' } }),
        mint({ sub: 'anna', exp: now() - 90 }, SECRET), mint({ sub: 'anna', nbf: now() + 90 }, SECRET), mint({ sub: 'anna', exp: 0 }, SECRET),
        mint({}, SECRET), mint({ sub: '' }, SECRET), mint({ sub: true }, SECRET), mint({ sub: null }, SECRET), mint({ sub: {} }, SECRET),
        mint({ sub: ['anna'] }, SECRET), mint({ user: 'anna' }, SECRET), mint('anna', SECRET), mint({ sub: 'anna', aud: 'confab:rooms' }, SECRET),
        mint({ sub: 'anna', aud: ['x', 'confab:rooms'] }, SECRET), `${mint({ sub: 'anna' }, SECRET)}x`,
        mint({ sub: 'anna' }, SECRET).slice(0, -2), `${mint({ sub: 'anna' }, SECRET)}.`, ADMIN, 'a'.repeat(9000),
    ];
    const texts = new Set();
    for (const token of bad) {
        const answer = await identity(confab, token);
        refused(answer, 401, 'UNAUTHORIZED');
        texts.add(answer.json.error.message);
    }
    assert.equal(texts.size, 1, [...texts].join(' | '));
    refused(await identity(confab, mint({ sub: 'a' }, SECRET), { scheme: 'Basic' }), 401, 'UNAUTHORIZED');
    refused(await identity(confab, mint({ sub: 'a' }, SECRET), { scheme: 'Bearerx' }), 401, 'UNAUTHORIZED');
    refused(await identity(confab, undefined, { query: '?user_id=anna' }), 401, 'UNAUTHORIZED');
    refused(await identity(confab, mint({ sub: 'u'.repeat(256) }, SECRET)), 400, 'INVALID_INPUT');
});

test('jwt: the claim is the caller, whatever the query says', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['real', 'victim', { user_id: '42', display_name: 'N' }]);
    for (const query of ['?user_id=victim', '?sender_id=victim', '?user_id=', '?user_id=a&user_id=b', ''])
        assert.equal(fine(await confab.api('real').post(`/dialogs/${dialog}/messages${query}`, { content: 'x' })).sender_id, 'real');
    const answer = await confab.nobody.post(`/api/v1/dialogs/${dialog}/messages`, { content: 'x' },
        { headers: { Authorization: `Bearer ${mint({ sub: 42 }, SECRET)}` } });
    assert.equal(fine(answer).sender_id, '42');
    refused(await confab.api('stranger').get(`/dialogs/${dialog}/messages?user_id=real`), 403, 'NOT_PARTICIPANT');
});

test('jwt: order of checks', async () => {
    const confab = await started;
    refused(await confab.nobody.post('/api/v1/dialogs/x/join', '{', { scope: '%' }), 401, 'UNAUTHORIZED');
    const api = confab.api('order');
    refused(await api.post('/dialogs/x/join', '{', { scope: '%' }), 400, 'BAD_REQUEST');
    refused(await api.post('/dialogs/01900000-0000-7000-8000-000000000000/join', { display_name: 1 }, { scope: [[]] }), 400, 'BAD_REQUEST');
});

test('admin: 401 without, 403 with the wrong one, and no token serves both sides', async () => {
    const confab = await started;
    const call = (headers, path = '/api/v1/management/dialogs/search') =>
        confab.nobody.post(path, { object_type: 'x', object_id: 'x' }, { headers });
    refused(await call({}), 401, 'UNAUTHORIZED');
    refused(await call({ Authorization: ADMIN }), 401, 'UNAUTHORIZED');
    refused(await call({ Authorization: `Basic ${ADMIN}` }), 401, 'UNAUTHORIZED');
    for (const token of ['x', `${ADMIN}x`, ADMIN.slice(1), ADMIN.toUpperCase(), confab.token('anna')])
        refused(await call({ Authorization: `Bearer ${token}` }), 403, 'FORBIDDEN');
    fine(await call({ Authorization: `bearer ${ADMIN}` }));
    refused(await call({ Authorization: 'Bearer x' }, '/api/v1/management/dialogs/search?user_id=anna'), 403, 'FORBIDDEN');
    /* every management path */
    const id = '01900000-0000-7000-8000-000000000000';
    for (const [method, path] of [['POST', '/dialogs'], ['GET', `/dialogs/${id}`], ['DELETE', `/dialogs/${id}`],
        ['POST', `/dialogs/${id}/participants`], ['DELETE', `/dialogs/${id}/participants/x`], ['PUT', `/dialogs/${id}/access-scopes`]]) {
        refused(await confab.nobody.call(method, `/api/v1/management${path}`), 401, 'UNAUTHORIZED');
        refused(await confab.nobody.call(method, `/api/v1/management${path}`, undefined, { headers: { Authorization: 'Bearer x' } }),
            403, 'FORBIDDEN');
    }
});

test('admin: no token configured means nobody, unless it is said', async () => {
    const body = { object_type: 'x', object_id: 'x' };
    await withInstance({ handlers: 1, relays: 0, env: { CONFAB_ADMIN_TOKEN: '' } }, async (confab) => {
        refused(await confab.nobody.post('/api/v1/management/dialogs/search', body, { headers: { Authorization: 'Bearer ' } }), 403, 'FORBIDDEN');
        refused(await confab.nobody.post('/api/v1/management/dialogs/search', body, { headers: { Authorization: 'Bearer x' } }), 403, 'FORBIDDEN');
        refused(await confab.nobody.post('/api/v1/management/dialogs/search', body), 403, 'FORBIDDEN');
    });
    await withInstance({ handlers: 1, relays: 0, env: { CONFAB_ADMIN_TOKEN: '', CONFAB_ADMIN_API_ALLOW_UNPROTECTED: 'true' } },
        async (confab) => fine(await confab.nobody.post('/api/v1/management/dialogs/search', body)));
});

test('jwt: several secrets, another claim, an audience, no expiry', async () => {
    await withInstance({ auth: 'jwt', handlers: 1, relays: 0, env: { CONFAB_JWT_SECRETS: ' first-secret , ,second-secret',
        CONFAB_JWT_USER_ID_CLAIM: 'https://x/user.id', CONFAB_JWT_AUDIENCE: 'chat', CONFAB_JWT_CHECK_EXP: 'false' } },
    async (confab) => {
        const claims = { 'https://x/user.id': 'anna', aud: 'chat' };
        for (const secret of ['first-secret', 'second-secret'])
            fine(await identity(confab, mint(claims, secret)));
        fine(await identity(confab, mint({ ...claims, aud: ['other', 'chat'] }, 'first-secret')));
        fine(await identity(confab, mint({ ...claims, exp: 1, nbf: now() + 9999 }, 'first-secret')));
        for (const [wrong, secret] of [[claims, SECRET], [claims, ''], [claims, ' first-secret '], [{ sub: 'anna', aud: 'chat' }, 'first-secret'],
            [{ ...claims, aud: 'other' }, 'first-secret'], [{ ...claims, aud: undefined }, 'first-secret'], [{ ...claims, aud: [] }, 'first-secret']])
            refused(await identity(confab, mint(wrong, secret || 'x')), 401, 'UNAUTHORIZED');
    });
    await withInstance({ auth: 'jwt', handlers: 1, relays: 0, env: { CONFAB_JWT_LEEWAY_S: '0' } }, async (confab) => {
        refused(await identity(confab, mint({ sub: 'a', exp: now() - 2 }, SECRET)), 401, 'UNAUTHORIZED');
        refused(await identity(confab, mint({ sub: 'a', nbf: now() + 30 }, SECRET)), 401, 'UNAUTHORIZED');
    });
});

test('jwt without any secret does not start', async () => {
    for (const secrets of ['', ' , ,'])
        await assert.rejects(withInstance({ auth: 'jwt', handlers: 1, relays: 0,
            env: { CONFAB_JWT_SECRET: '', CONFAB_JWT_SECRETS: secrets } }, async () => {}));
});

test('trusted: the first user_id or sender_id', async () => {
    await withInstance({ auth: 'trusted', handlers: 1, relays: 0 }, async (confab) => {
        const dialog = await confab.dialog(['anna', 'a b', 'a+b', 'ü'].map((user_id) => ({ user_id, display_name: 'x' })));
        const send = (query) => confab.nobody.post(`/api/v1/dialogs/${dialog}/messages${query}`, { content: 'x' });
        for (const [query, who] of [['?user_id=anna', 'anna'], ['?sender_id=anna', 'anna'], ['?sender_id=anna&user_id=ben', 'anna'],
            ['?x=1&user_id=anna&sender_id=ben', 'anna'], ['?user_id=a+b', 'a b'], ['?user_id=a%20b', 'a b'], ['?user_id=a%2Bb', 'a+b'],
            ['?user_id=%c3%bc', 'ü'], ['?user%5Fid=anna', 'anna']])
            assert.equal(fine(await send(query)).sender_id, who, query);
        for (const query of ['', '?user_id', '?user_id=', '?user_id=&sender_id=anna', '?userid=anna', '?USER_ID=anna'])
            refused(await send(query), 400, 'BAD_REQUEST');
        refused(await send(`?user_id=${'u'.repeat(256)}`), 400, 'INVALID_INPUT');
        refused(await send('?user_id=a%00b'), 400, 'INVALID_INPUT');
        /* Authorization is ignored */
        fine(await confab.nobody.get('/api/v1/dialogs?user_id=anna', { headers: { Authorization: 'Bearer junk' } }));
        /* every chat path wants a caller */
        const id = '01900000-0000-7000-8000-000000000000';
        for (const path of ['/dialogs', `/dialogs/${id}`, `/dialogs/${id}/messages`, `/dialogs/${id}/messages/${id}`,
            `/dialogs/${id}/participants`, '/dialogs/by-object/a/b', '/dialogs/by-object/a/b/list', `/attachments/${id}/url`, '/sync'])
            refused(await confab.nobody.get(`/api/v1${path}`), 400, 'BAD_REQUEST');
    });
});
