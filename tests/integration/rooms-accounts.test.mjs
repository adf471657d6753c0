/* Accounts of rooms: registering, logging in, tokens and attacks on them.
 * SPDX-License-Identifier: MIT
 */
import { generateKeyPairSync } from 'node:crypto';
import { assert, keys } from '../lib/assert.mjs';
import { RUNNER_KEY, SECRET, test, withInstance } from '../lib/instance.mjs';
import { mint, now } from '../lib/jwt.mjs';
import { Caller, fine, ID, newEmail, nobody, PASSWORD, refused, register, rooms, roomsToken } from '../lib/rooms.mjs';

const started = rooms();
const login = (confab, email, password = PASSWORD) => nobody(confab).post('/api/auth/login', { email, password });
const me = (confab, token) => new Caller(confab, token).get('/api/auth/me');

test('registering: 201 and a token that works at once', async () => {
    const confab = await started;
    const email = newEmail();
    const answer = await nobody(confab).post('/api/auth/register', { email, password: PASSWORD });
    const auth = fine(answer, 201);
    keys(auth, 'id', 'email', 'username', 'token', 'refreshToken');
    assert.match(auth.id, ID);
    assert.equal(auth.email, email);
    assert.equal(auth.username, email.split('@')[0]);
    assert.match(answer.headers['cache-control'], /no-store/);
    const mine = await me(confab, auth.token);
    assert.deepEqual(fine(mine), { ...auth, token: '', refreshToken: '' });
    assert.match(mine.headers['cache-control'], /no-store/);
});

test('an address is trimmed and compared without case; a name is kept as it is', async () => {
    const confab = await started;
    const email = newEmail();
    const anna = await register(confab, { email: `  ${email.toUpperCase()}\t`, username: ' <Anna> ' });
    assert.equal(anna.email, email);
    assert.equal(anna.username, ' <Anna> ');
    refused(await nobody(confab).post('/api/auth/register', { email: email.replace('u', 'U'), password: PASSWORD }), 400);
    fine(await login(confab, ` ${email.toUpperCase()} `));
    for (const username of ['', '   ', null])
        assert.match((await register(confab, { username })).username, /^user\d+-/);
});

test('fields of an account: at the bound and beyond it', async () => {
    const confab = await started;
    const at = (n) => `${'a'.repeat(n - 12)}@example.com`;
    const good = [
        { email: 'a@b' }, { email: at(254) }, { email: 'first.last+tag@sub.example.org' }, { password: '12345678' },
        { password: 'п'.repeat(256) }, { password: '🎭'.repeat(8) }, { username: 'ю'.repeat(64) },
    ];
    for (const more of good)
        fine(await nobody(confab).post('/api/auth/register', { email: newEmail(), password: PASSWORD, ...more }), 201);
    const bad = [
        ...['', 'x', 'ab', 'no-at.example', 'a@', '@b.example', 'a b@c.example', 'a@b@c.example', 'a@b..c', 'a.@b.c', '.a@b.c',
            'a@-b.c', 'a@b_c', 'a@b c', 'a@b.c\n.d', at(255), null, 5, true, ['a@b.c'], {}].map((email) => ({ email })),
        ...['1234567', 'x'.repeat(257), null, 12345678, undefined].map((password) => ({ password })),
        { password: 'seven77\u0000' }, { username: 'x'.repeat(65) }, { username: 7 }, { username: 'a\u0000b' },
    ];
    for (const more of bad)
        refused(await nobody(confab).post('/api/auth/register', { email: newEmail(), password: PASSWORD, ...more }), 422,
            Object.keys(more)[0]);
    for (const body of ['', '{', '[]', 'null', '"x"', '{"email":"a@b.c","email":"a@b.c","password":"12345678"}',
        `{"email":"${newEmail()}","password":"12345678\\ud800"}`, `{"email":"${newEmail()}","password":"1234\t5678"}`,
        Buffer.from('7b22656d61696c223a22ff227d', 'hex')])
        refused(await nobody(confab).post('/api/auth/register', body), [400, 422]);
});

test('of many who register one address at once exactly one gets it', async () => {
    const confab = await started;
    const email = newEmail();
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => nobody(confab).post('/api/auth/register',
        { email: i % 2 ? email : email.toUpperCase(), password: PASSWORD })));
    assert.equal(answers.filter((one) => one.status === 201).length, 1);
    for (const one of answers.filter((answer) => answer.status !== 201))
        refused(one, 400);
});

test('logging in: one and the same answer to a wrong password and an unknown address', async () => {
    const confab = await started;
    const anna = await register(confab);
    const auth = fine(await login(confab, anna.email));
    keys(auth, 'id', 'email', 'username', 'token', 'refreshToken');
    assert.equal(auth.id, anna.id);
    fine(await me(confab, auth.token));
    const wrong = await login(confab, anna.email, `${PASSWORD} `);
    const unknown = await login(confab, newEmail());
    refused(wrong, 401);
    refused(unknown, 401);
    assert.equal(wrong.text, unknown.text);
    for (const password of ['', 'x', 'x'.repeat(5000)])
        refused(await login(confab, anna.email, password), 401);
    for (const body of [{ email: anna.email }, { password: PASSWORD }, { email: 'no address', password: PASSWORD },
        { email: anna.email, password: 5 }, { email: anna.email, password: null }, {}])
        refused(await nobody(confab).post('/api/auth/login', body), 422);
});

test('a refresh token is good once; used again, it takes its descendants along', async () => {
    const confab = await started;
    const anna = await register(confab);
    const refresh = (refreshToken) => nobody(confab).post('/api/auth/refresh', { refreshToken });
    const other = fine(await login(confab, anna.email));
    const second = fine(await refresh(anna.refreshToken));
    assert.equal(second.id, anna.id);
    assert.notEqual(second.refreshToken, anna.refreshToken);
    fine(await me(confab, second.token));
    const third = fine(await refresh(second.refreshToken));
    refused(await refresh(anna.refreshToken), 401);
    refused(await refresh(third.refreshToken), 401);
    fine(await refresh(other.refreshToken));

    const contested = (await register(confab)).refreshToken;
    const both = await Promise.all([1, 2, 3, 4].map(() => refresh(contested)));
    assert.equal(both.filter((one) => one.status === 200).length, 1, 'raced for, it is good once, too');

    for (const token of ['', 'rt_unknown', anna.token, 'x'.repeat(10000)])
        refused(await refresh(token), 401);
    for (const body of [{}, { refreshToken: null }, { refreshToken: 5 }, { refreshToken: ['a'] }, ''])
        refused(await nobody(confab).post('/api/auth/refresh', body), 422);
    refused(await me(confab, second.refreshToken), 401);
});

test('credentials that are none', async () => {
    const confab = await started;
    const anna = await register(confab);
    const { id } = anna;
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const [head, claims, signature] = anna.token.split('.');
    const bad = {
        'no exp': roomsToken(id, { exp: undefined }),
        'exp of text': roomsToken(id, { exp: String(now() + 3600) }),
        'exp passed': roomsToken(id, { exp: now() - 10 }),
        'nbf to come': roomsToken(id, { nbf: now() + 600 }),
        'no aud': roomsToken(id, { aud: undefined }),
        'aud of mtchat': roomsToken(id, { aud: 'confab:mtchat' }),
        'aud beside another': roomsToken(id, { aud: 'rooms' }),
        'no sub': roomsToken(undefined),
        'empty sub': roomsToken(''),
        'sub of another kind': roomsToken({ id }),
        'unknown user': roomsToken('999999999'),
        'user beyond 64 bits': roomsToken('99999999999999999999999'),
        'user with a tail': roomsToken(`${id} `),
        'email for a user': roomsToken(anna.email),
        'other secret': roomsToken(id, {}, {}, SECRET),
        'none': roomsToken(id, {}, { alg: 'none' }),
        'None': roomsToken(id, {}, { alg: 'none', header: { alg: 'None' } }),
        'NONE, signed': roomsToken(id, {}, { header: { alg: 'NONE' } }),
        'HS384': roomsToken(id, {}, { alg: 'HS384' }),
        'HS512': roomsToken(id, {}, { alg: 'HS512' }),
        'hs256': roomsToken(id, {}, { header: { alg: 'hs256' } }),
        'RS256': mint({ sub: id, exp: now() + 3600, aud: 'confab:rooms' }, rsa, { alg: 'RS256' }),
        'no signature': `${head}.${claims}.`,
        'half a signature': `${head}.${claims}.${signature.slice(0, 20)}`,
        'other claims': `${head}.${Buffer.from('{"sub":"1","exp":9999999999,"aud":"confab:rooms"}').toString('base64url')}.${signature}`,
        'two parts': `${head}.${claims}`,
        'four parts': `${anna.token}.x`,
        'a refresh token': anna.refreshToken,
        'a runner key': RUNNER_KEY,
        'nothing much': 'x',
        'very long': 'x'.repeat(9000),
    };
    for (const [what, token] of Object.entries(bad)) {
        const answer = await me(confab, token);
        assert.equal(answer.status, 401, `${what}: ${answer.status} ${answer.text}`);
        refused(answer, 401);
    }
    for (const Authorization of ['', 'Bearer', 'Bearer ', `Basic ${anna.token}`, anna.token, `Bearer${anna.token}`])
        refused(await nobody(confab).get('/api/auth/me', { headers: { Authorization } }), 401);
    refused(await nobody(confab).get('/api/rooms'), 401);
    refused(await nobody(confab).get(`/api/rooms?token=${anna.token}`), 401);
    for (const scheme of ['bearer', 'BEARER', 'Bearer  '])
        fine(await nobody(confab).get('/api/auth/me', { headers: { Authorization: `${scheme} ${anna.token}` } }));
    fine(await me(confab, roomsToken(id)));
    fine(await me(confab, roomsToken(Number(id), { aud: ['x', 'confab:rooms'] })));
});

test('deactivated: no login, no refresh, no token is good; activated again, all is well', async () => {
    const confab = await started;
    const anna = await register(confab);
    await confab.ctl('rooms-user', '--email', anna.email, '--active', 'no');
    refused(await login(confab, anna.email), 403);
    refused(await login(confab, anna.email, 'a wrong password'), 401);
    refused(await anna.get('/api/rooms'), 401);
    refused(await nobody(confab).post('/api/auth/refresh', { refreshToken: anna.refreshToken }), 401);
    await confab.ctl('rooms-user', '--email', anna.email, '--active', 'yes');
    fine(await login(confab, anna.email));
    fine(await anna.get('/api/rooms'));
});

test('erased: nobody', async () => {
    const confab = await started;
    const anna = await register(confab);
    await anna.room('gone', ['one', 'two']);
    await confab.ctl('rooms-user', '--email', anna.email, '--erase');
    refused(await login(confab, anna.email), 401);
    refused(await anna.get('/api/rooms'), 401);
    const again = await register(confab, { email: anna.email });
    assert.notEqual(again.id, anna.id, 'ids are not used again');
    assert.deepEqual(fine(await again.get('/api/rooms')), { rooms: [] });
});

test('limits: logins by address and by e-mail, registrations, reads', async () => {
    const env = { CONFAB_ROOMS_LOGIN_PER_MINUTE: '5', CONFAB_ROOMS_REGISTER_PER_MINUTE: '3', CONFAB_ROOMS_READS_PER_S: '1' };
    await withInstance({ systems: 'rooms', relays: 0, env }, async (confab) => {
        const people = [await register(confab), await register(confab), await register(confab)];
        refused(await nobody(confab).post('/api/auth/register', { email: newEmail(), password: PASSWORD }), 429);
        for (let i = 0; i < 5; i++)
            refused(await login(confab, people[0].email, 'wrong password'), 401);
        refused(await login(confab, people[1].email), 429);
        refused(await nobody(confab).post('/api/auth/refresh', { refreshToken: people[0].refreshToken }), 429);
        for (let i = 0; i < 20; i++)
            fine(await people[0].get('/api/rooms'));
        refused(await people[0].get('/api/rooms'), 429);
        fine(await people[1].get('/api/rooms'));
        const room = fine(await people[0].post('/api/rooms', { name: 'writing is not reading' }), 201);
        fine(await people[0].delete(`/api/rooms/${room.id}`), 204);
    });
});

test('guessing at one account is slowed from whatever addresses it comes', async () => {
    await withInstance({ systems: 'rooms', relays: 0, env: { CONFAB_ROOMS_LOGIN_PER_MINUTE: '5' } }, async (confab) => {
        const [anna, ben] = [await register(confab), await register(confab)];
        const from = (i, email) => nobody(confab).post('/api/auth/login', { email, password: 'wrong password' }, { from: `127.0.0.${i}` });
        for (let i = 0; i < 5; i++)
            refused(await from(10 + i, i % 2 ? anna.email : anna.email.toUpperCase()), 401);
        refused(await from(15, anna.email), 429);
        refused(await from(15, ben.email), 401);
    });
});

test('an unknown address takes as long as a wrong password', async () => {
    const env = { CONFAB_ROOMS_PASSWORD_MEMORY_KIB: '32768', CONFAB_ROOMS_PASSWORD_PASSES: '3' };
    await withInstance({ systems: 'rooms', relays: 0, handlers: 1, env }, async (confab) => {
        const anna = await register(confab);
        const took = async (email) => {
            const times = [];
            for (let i = 0; i < 5; i++) {
                const start = performance.now();
                refused(await login(confab, email, 'wrong password'), 401);
                times.push(performance.now() - start);
            }
            return Math.min(...times);
        };
        const [known, unknown] = [await took(anna.email), await took(newEmail())];
        assert.ok(known < 2 * unknown && unknown < 2 * known, `${known} and ${unknown} ms`);
    });
});

test('as many hash at once as the setting says, the others come again', async () => {
    const env = { CONFAB_ROOMS_PASSWORD_PROCESSES: '1', CONFAB_ROOMS_PASSWORD_MEMORY_KIB: '65536', CONFAB_ROOMS_PASSWORD_PASSES: '4' };
    await withInstance({ systems: 'rooms', relays: 0, handlers: 4, env }, async (confab) => {
        const anna = await register(confab);
        const answers = await Promise.all(Array.from({ length: 8 }, () => login(confab, anna.email)));
        const statuses = new Set(answers.map((one) => one.status));
        assert.ok(statuses.has(200) && statuses.has(429), [...statuses].join());
        for (const one of answers.filter((answer) => answer.status !== 200))
            refused(one, 429);
        fine(await anna.get('/api/rooms'));
    });
});
