/* Photos: what is taken, what it comes back as, and bounds: of one, of a user's, of every other body.
 * SPDX-License-Identifier: MIT
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { assert } from '../lib/assert.mjs';
import { common, eventchat, fine, options, photo, query, REFERENCE, refused, user, V1 } from '../lib/eventchat.mjs';
import { request } from '../lib/http.mjs';
import { test, withInstance } from '../lib/instance.mjs';

const started = eventchat();
const MIB = 1024 * 1024;
const types = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const folder = (confab) => path.join(confab.state, 'photos');
const files = (confab) => existsSync(folder(confab)) ? readdirSync(folder(confab)) : [];

test('each kind comes back as it was, to any user who knows its name', async () => {
    const confab = await started;
    const [anna, boris] = [user(confab), user(confab)];
    for (const type of types) {
        const bytes = photo(type, 70000);
        const { uuid, ...more } = fine(await anna.upload(bytes, `${type.toUpperCase()}; charset=x`), 201);
        assert.deepEqual(more, {});
        assert.match(uuid, REFERENCE);
        const answer = await boris.get(`/photos/${uuid}`);
        assert.equal(answer.status, 200);
        assert.ok(answer.bytes.equals(bytes));
        assert.equal(answer.headers['content-type'], type);
        assert.equal(answer.headers['content-length'], '70000');
        assert.equal(answer.headers['content-security-policy'], "default-src 'none'");
        common(answer);
        const head = await boris.call('HEAD', `/photos/${uuid}`);
        assert.deepEqual([head.status, head.headers['content-length'], head.bytes.length], [200, '70000', 0]);
        assert.equal(statSync(path.join(folder(confab), uuid)).mode & 0o777, 0o600);
    }
    assert.equal(statSync(folder(confab)).mode & 0o777, 0o700);
    assert.equal(new Set(files(confab)).size, types.length);
});

test('names that are none', async () => {
    const confab = await started;
    const anna = user(confab);
    const { uuid } = fine(await anna.upload(photo()), 201);
    for (const name of ['x', uuid.slice(1), `${uuid}x`, `${uuid}.part`, '..', '%2e%2e', '..%2fconfab.db', `.%2f${uuid}`, 'x'.repeat(500), '%D0%B8'])
        refused(await anna.get(`/photos/${name}`), 404, 'PHOTO_NOT_FOUND');
    refused(await request(confab.port, 'GET', `${V1}/photos/${uuid}`), 401, 'UNAUTHORIZED');
});

test('what is no photo, and what says it is another', async () => {
    const confab = await started;
    const anna = user(confab);
    const before = files(confab).length;
    for (const type of ['image/svg+xml', 'text/html', 'application/octet-stream', 'image/pngx', 'image', '', 'image/png2; image/png'])
        refused(await anna.upload(photo(), type), 415, 'UNSUPPORTED_MEDIA');
    for (const [bytes, type] of [['<html>', 'image/png'], ['', 'image/png'], [photo('image/png').subarray(0, 7), 'image/png'], [photo('image/gif'), 'image/png'],
        [photo('image/png'), 'image/jpeg'], ['RIFF\x10\0\0\0WAVEfmt ', 'image/webp'], ['RIFF\x10\0\0\0WEB', 'image/webp'], ['GIF88a....', 'image/gif']])
        refused(await anna.upload(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, type), 415, 'UNSUPPORTED_MEDIA');
    assert.equal(files(confab).length, before);
    assert.deepEqual(await query(confab, 'SELECT count(*) AS n FROM photo WHERE stored = 0'), [{ n: 0 }]);
});

test('a photo at the bound and beyond it; no other body grows with it', async () => {
    const confab = await started;
    const anna = user(confab);
    const largest = photo('image/jpeg', 5 * MIB);
    const { uuid } = fine(await anna.upload(largest, 'image/jpeg'), 201);
    assert.ok((await anna.get(`/photos/${uuid}`)).bytes.equals(largest));
    const before = files(confab).length;
    refused(await anna.upload(photo('image/jpeg', 5 * MIB + 1), 'image/jpeg'), 413, 'PAYLOAD_TOO_LARGE');
    refused(await anna.upload(photo('image/jpeg', 12 * MIB), 'image/jpeg'), 413, 'PAYLOAD_TOO_LARGE');
    refused(await anna.upload(photo('image/jpeg', 6 * MIB), 'image/jpeg', { chunked: true }), 413, 'PAYLOAD_TOO_LARGE');
    assert.equal(fine(await anna.upload(photo('image/gif', 3 * MIB), 'image/gif', { chunked: true }), 201).uuid.length, 43);
    assert.equal(files(confab).length, before + 1);
    refused(await anna.post('/events', photo('image/jpeg', MIB)), 413, 'PAYLOAD_TOO_LARGE');
    refused(await request(confab.port, 'POST', `${V1}/photos`, { body: largest }), 401, 'UNAUTHORIZED');
    assert.deepEqual(fine(await anna.get('/chats')), [], 'the handlers go on');
});

test('many at once, and other requests in between', async () => {
    const confab = await started;
    const users = Array.from({ length: 6 }, () => user(confab));
    const done = await Promise.all(users.flatMap((one, i) => [
        one.upload(photo(types[i % 4], 200000 + i), types[i % 4]),
        one.upload(photo(types[i % 4], 12 + i), types[i % 4]),
        one.get('/chats'),
    ]));
    assert.ok(done.every(({ status }) => status === 201 || status === 200), done.map(({ status }) => status).join());
    const names = done.map(({ json }) => json.uuid).filter(Boolean);
    assert.equal(new Set(names).size, 12);
});

test('an upload that breaks off leaves nothing', async () => {
    const confab = await started;
    const anna = user(confab);
    const before = files(confab).length;
    await new Promise((resolve, reject) => {
        const socket = net.connect(confab.port, '127.0.0.1', () => {
            socket.write(`POST ${V1}/photos HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${anna.token}\r\n`
                + 'Content-Type: image/png\r\nContent-Length: 100000\r\n\r\n');
            socket.write(photo('image/png', 50000), () => { socket.destroy(); });
        });
        socket.on('close', resolve);
        socket.on('error', reject);
    });
    assert.equal((await anna.upload(photo())).status, 201);
    assert.equal(files(confab).length, before + 1);
    assert.deepEqual(await query(confab, 'SELECT count(*) AS n FROM photo WHERE stored = 0'), [{ n: 0 }]);
});

test('all photos of one user have a bound; somebody else still has room', async () => {
    await withInstance(options({ env: { CONFAB_EVENTCHAT_PHOTOS_MAX_BYTES: '10000' } }), async (confab) => {
        const [anna, boris] = [user(confab), user(confab)];
        fine(await anna.upload(photo('image/png', 6000)), 201);
        fine(await anna.upload(photo('image/png', 4000)), 201);
        refused(await anna.upload(photo('image/png', 12)), 413, 'PAYLOAD_TOO_LARGE');
        fine(await boris.upload(photo('image/png', 10000)), 201);
        assert.equal(files(confab).length, 3);
        const results = await Promise.all(Array.from({ length: 8 }, () => user(confab)).flatMap((one) => [one, one, one]
            .map((each) => each.upload(photo('image/png', 4000)))));
        assert.equal(results.filter(({ status }) => status === 201).length, 16, 'two of three each, however they come');
    });
});

test('plain CGI takes and gives photos, too', async () => {
    await withInstance(options({ web: 'lighttpd-cgi' }), async (confab) => {
        const anna = user(confab);
        const bytes = photo('image/webp', 300000);
        const { uuid } = fine(await anna.upload(bytes, 'image/webp'), 201);
        assert.ok((await anna.get(`/photos/${uuid}`)).bytes.equals(bytes));
        refused(await anna.upload(photo('image/png', 6 * MIB)), 413, 'PAYLOAD_TOO_LARGE');
    });
});
