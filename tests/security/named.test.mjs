/* Another user of conversations and of eventchat: who was it in the chat of all, what do others say, and commands
 * without end. Plays docs/security.md.
 * SPDX-License-Identifier: MIT
 */
import { createHmac } from 'node:crypto';
import { assert } from '../lib/assert.mjs';
import { User as Member, online } from '../lib/conversations.mjs';
import { User as Guest, photo, query } from '../lib/eventchat.mjs';
import { connect, knock } from '../lib/eventchat-live.mjs';
import { request } from '../lib/http.mjs';
import { instance, test } from '../lib/instance.mjs';
import { now } from '../lib/jwt.mjs';
import { Rude, masked, upgrade } from '../lib/rude.mjs';
import { until } from '../lib/wait.mjs';
import { everyRoute } from './routes.mjs';

const VK_SECRET = 'the app\'s secure key of this test', VK_APP = '6736218';
const started = instance({ systems: 'conversations,eventchat', auth: 'jwt', env: { CONFAB_VK_APP_SECRET: VK_SECRET, CONFAB_VK_APP_ID: VK_APP } });

/* ---- the chat of all ---- */

const AUTHOR = 730519468;
/* The author by number, in bytes of either order, in hexadecimal, in base64, by name and picture. */
const marks = [String(AUTHOR), AUTHOR.toString(16), AUTHOR.toString(36), 'Incognita', 'secret-face', ...[0, 1, 2].map((n) => Buffer.from('x'.repeat(n) + AUTHOR).toString('base64').slice(2, 10))];
const numbers = ['writeInt32BE', 'writeInt32LE'].map((write) => { const bytes = Buffer.alloc(4); bytes[write](AUTHOR); return bytes; });

function knowsNothing(bytes, what) {
    for (const mark of [...marks, ...numbers])
        assert.ok(!bytes.includes(mark), `${what} tells ${mark}: ${bytes}`);
}

test('Nothing tells who spoke in the chat of all: no answer, no push, no row of the log', async () => {
    const confab = await started;
    const author = await online(confab, AUTHOR, { name: 'Incognita', avatar: 'https://x.org/secret-face.png' });
    const other = await online(confab, 5);
    await other.messages(0);
    await author.messages(0);
    const rude = await new Rude(confab.relays[0].socket, upgrade(`/v1/ws?token=${other.token}`)).upgraded();     /* every byte, frames and all */
    const polling = await other.connect('polling');
    rude.got = Buffer.alloc(0);
    const before = (await query(confab, 'SELECT max(seq) AS seq FROM event'))[0].seq;
    const texts = [];
    for (const [i, target] of ['/messages/send', '/messages/send?text=in%20the%20query', '/messages/send'].entries()) {
        texts.push(`a rumour, number ${i}`);
        const answer = await author.post(target, { text: texts[i], ...(i === 2 ? { conversation_id: 0, user_id: AUTHOR, name: 'Incognita', avatar: 'x' } : {}) });
        assert.equal(answer.status, 200, answer.text);
        knowsNothing(answer.text + JSON.stringify(answer.headers), 'the answer to himself');
    }
    await until('all to be heard', () => rude.got.includes(texts[2]));
    knowsNothing(rude.got, 'a push');
    while (polling.of('new_message').length < 3)
        await polling.next('new_message');
    assert.ok(polling.of('new_message').every((one) => Object.keys(one).sort().join() === 'conversation_id,id,message,time'));
    for (const one of author.socket.of('new_message'))
        assert.deepEqual(Object.keys(one).sort(), ['conversation_id', 'id', 'message', 'time']);
    for (const { method, target } of await everyRoute(confab, () => '0'))
        for (const user of [other, author]) {
            const { text, headers } = await request(confab.port, method, `${target}?chat=0&mode=new&offset=0`, { headers: { Authorization: `Bearer ${user.token}` }, body: method === 'GET' ? undefined : '{}' });
            if (target.startsWith('/v1/') && !(user === author && target === '/v1/profile'))
                knowsNothing(text + JSON.stringify(headers), `${method} ${target}`);
        }
    const rows = await query(confab, `SELECT hex(envelope) AS envelope, hex(body) AS body FROM event WHERE seq > ${before} AND instr(body, 'a rumour') > 0`);
    assert.equal(rows.length, 3);
    for (const { envelope, body } of rows)
        knowsNothing(Buffer.concat([Buffer.from(envelope, 'hex'), Buffer.from(body, 'hex')]), 'the log');
    rude.socket.destroy();
});

/* ---- what belongs to others ---- */

test('A conversation is read by its members, heard by them and its viewers, changed by who may', async () => {
    const confab = await started;
    const [anna, mallory] = [await online(confab, 11), await online(confab, 12)];
    const id = await anna.make('A secret circle'), secret = 'for members\' eyes';
    await anna.say(secret, id);
    for (const [method, target, status] of [['GET', `/messages/get?chat=${id}`, 403], ['GET', `/conversations/members/${id}`, 403], ['POST', `/conversations/read/${id}`, 403],
        ['DELETE', `/conversations/delete/${id}`, 403], ['POST', `/conversations/leave/${id}`, 403]]) {
        const answer = await mallory.call(method, target);
        assert.equal(answer.status, status, `${method} ${target}: ${answer.text}`);
        assert.ok(!answer.text.includes(secret));
    }
    assert.equal((await mallory.post('/messages/send', { text: 'x', conversation_id: id })).status, 403);
    assert.ok(!(await mallory.get('/conversations/get?mode=new')).text.includes(secret));
    await mallory.join(id);
    await mallory.leave(id);
    await anna.say('said behind his back', id);
    await mallory.make('a mark');
    await mallory.socket.upTo(([name, payload]) => name === 'new_conversation' && payload.name === 'a mark');
    assert.ok(!JSON.stringify(mallory.socket.events).includes('behind his back'));
    assert.equal((await anna.messages(id)).filter(({ user_id }) => user_id === 12).length, 0);
});

const NO_CHAT = 'AAAAAAAAAAAAAAAAAAAAAA';

test('A chat of others looks like none, over REST and sockets of either framing', async () => {
    const confab = await started;
    const [owner, applicant, mallory] = [new Guest(confab), new Guest(confab), new Guest(confab)];
    const { event } = await owner.event();
    const { chatId } = await applicant.request(event.id, 'for two');
    assert.match(chatId, /^[A-Za-z0-9_-]{22,64}$/);
    for (const verb of ['grant', 'revoke']) {
        const [theirs, none] = [await mallory.post(`/chats/${chatId}/${verb}`), await mallory.post(`/chats/${NO_CHAT}/${verb}`)];
        assert.deepEqual([theirs.status, theirs.text, Object.keys(theirs.headers)], [none.status, none.text, Object.keys(none.headers)]);
    }
    assert.ok(!(await mallory.chats()).length);
    for (const framing of ['bare', 'websocket', 'polling']) {
        const socket = await connect(confab, mallory.id, framing);
        assert.deepEqual(socket.initial, []);
        for (const [command, payload] of [['send_message', { message: { text: 'x' }, fromUserId: owner.id }], ['read_messages', { lastReadedMessageId: 1 }], ['read_messages', { lastReadedMessageId: 99 }], ['load_history', { lastMessageId: 2 }]]) {
            const told = [];
            for (const chat of [chatId, NO_CHAT]) {
                socket.send(command, { ...payload, chatId: chat });
                told.push(await socket.next('debug_info'));
            }
            assert.deepEqual(told[0], told[1], command);
            assert.equal(told[0].code, 'CHAT_NOT_FOUND');
        }
        assert.ok(!JSON.stringify(socket.events).includes('for two'));
        await socket.close();
    }
    const [{ chats: [chat] }] = await owner.chats();
    assert.deepEqual([chat.messages.length, chat.isAccessGranted, chat.myUnreadCount], [1, false, 1]);
    assert.equal((await applicant.post(`/chats/${chatId}/grant`)).status, 403);
});

/* ---- launch parameters ---- */

const sign = (pairs, secret = VK_SECRET) => {
    const text = Object.entries(pairs).filter(([name]) => name.startsWith('vk_')).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
    return createHmac('sha256', secret).update(text).digest('base64url');
};
const launch = (pairs, signature = sign(pairs)) => `${Object.entries(pairs).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}&sign=${signature}`;

test('Launch parameters open what VK signed, and nothing else', async () => {
    const confab = await started;
    const asks = async (text, as = (value) => ({ Authorization: `VK ${value}` })) =>
        (await request(confab.port, 'GET', '/v1/profile', { headers: as(text) })).json;
    const sound = { vk_user_id: '77', vk_app_id: VK_APP, vk_ts: String(now()), vk_platform: 'a,b c', vk_ref: '' };
    for (const as of [undefined, (value) => ({ 'X-VK-Launch-Params': value })])
        for (const text of [launch(sound), `?${launch(sound)}`, `${launch(sound)}&more=1`])
            assert.equal((await asks(text, as)).profile?.user_id, 77, text);
    const signature = sign(sound);
    const forged = {
        'another user': launch({ ...sound, vk_user_id: '78' }, signature), 'a user more': `${launch(sound)}&vk_user_id=78`, 'a user before': `vk_user_id=78&${launch(sound)}`,
        'a user in other letters': `${launch(sound)}&vk%5fuser%5fid=78`, 'a name with an end in it': `${launch(sound)}&vk_user_id%3D78=`, 'a user in a value': launch({ ...sound, vk_ref: '&vk_user_id=78' }, signature),
        'something left out': launch({ ...sound, vk_ref: undefined, vk_platform: undefined }, signature), 'no signature': launch(sound).replace(/&sign=.*/, ''), 'an empty one': launch(sound, ''),
        'half of it': launch(sound, signature.slice(0, 20)), 'padding': launch(sound, `${signature}=`), 'two': `${launch(sound)}&sign=${signature}`, 'plain base64': launch(sound, Buffer.from(signature, 'base64url').toString('base64').replace(/[^+/]$/, '+')),
        'another secret': launch(sound, sign(sound, 'x')), 'an empty secret': launch(sound, sign(sound, '')), 'the old way': `${launch(sound).replace(/&sign=.*/, '')}&vk_sign=${signature}`,
        'another app': launch({ ...sound, vk_app_id: '1' }), 'no app': launch({ vk_user_id: '77', vk_ts: sound.vk_ts }), 'nobody': launch({ ...sound, vk_user_id: '' }), 'zero': launch({ ...sound, vk_user_id: '0' }),
        'below zero': launch({ ...sound, vk_user_id: '-77' }), 'a fraction': launch({ ...sound, vk_user_id: '77.0' }), 'a power': launch({ ...sound, vk_user_id: '7e1' }), 'a space': launch({ ...sound, vk_user_id: ' 77' }),
        'too much': launch({ ...sound, vk_user_id: '9'.repeat(30) }), 'too old': launch({ ...sound, vk_ts: String(now() - 86400 - 60) }), 'too early': launch({ ...sound, vk_ts: String(now() + 600) }),
        'no time': launch({ vk_user_id: '77', vk_app_id: VK_APP }), 'an odd time': launch({ ...sound, vk_ts: 'now' }), 'a NUL': launch({ ...sound, vk_ref: '\u0000' }), 'broken': `${launch(sound)}&x=%zz`, 'much': `${launch(sound)}&${'x=1&'.repeat(500)}`,
        'a token': confab.token('77'), 'nothing': '', '?': '?',
    };
    for (const [what, text] of Object.entries(forged)) {
        const answer = await asks(text);
        assert.equal(answer.error?.code, 101, `${what}: ${JSON.stringify(answer)}`);
    }
});

/* ---- photos ---- */

test('A photo is given back as what its bytes are, to who knows its name, and is no page', async () => {
    const confab = await started;
    const [anna, mallory] = [new Guest(confab), new Guest(confab)];
    const page = '<html><script>alert(1)</script>';
    const both = { 'image/gif': Buffer.from(`GIF89a/*${page}*/=1;alert(1)`), 'image/png': Buffer.concat([photo('image/png').subarray(0, 8), Buffer.from(page)]), 'image/jpeg': Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.from(page)]) };
    const names = [];
    for (const [type, bytes] of Object.entries(both)) {
        const { json } = await anna.upload(bytes, type);
        names.push(json.uuid);
        const { headers, status } = await mallory.get(`/photos/${json.uuid}`);
        assert.deepEqual([status, headers['content-type'], headers['x-content-type-options'], headers['content-security-policy']], [200, type, 'nosniff', 'default-src \'none\'']);
    }
    for (const [bytes, type] of [[page, 'image/svg+xml'], [page, 'text/html'], [both['image/gif'], 'image/png'], [`\ufeff${page}`, 'image/gif'], [`<!--GIF89a-->${page}`, 'image/gif'], [both['image/gif'], 'image/gif\r\nX: y'.replace('\r\n', ' ')], [`<svg xmlns="http://www.w3.org/2000/svg"/>`, 'image/webp']]) {
        const { status } = await anna.upload(Buffer.from(bytes), type);
        assert.ok([201, 415].includes(status) && (status === 415 || type.startsWith('image/gif')), `${type} ${status}`);
    }
    assert.equal(new Set(names.map((name) => name.slice(0, 8))).size, names.length);
    for (const name of ['', '.', '..', '%2e%2e', '..%2f..%2fetc%2fpasswd', '..%2fconfab.db', '%2fetc%2fpasswd', '....//', `${names[0]}%00.html`, `${names[0]}/`, `${names[0]}.html`, `${names[0].slice(0, -1)}`, names[0].toUpperCase() === names[0] ? names[0].toLowerCase() : names[0].toUpperCase(), '*', '%25', '_'.repeat(names[0].length)]) {
        const answer = await mallory.get(`/photos/${name}`);
        assert.ok(answer.status >= 400 && answer.status < 500, `${name}: ${answer.status}`);
        assert.ok(!/root:|SQLite/.test(answer.text));
    }
    assert.equal((await request(confab.port, 'GET', `/eventchat/v1/photos/${names[0]}`)).status, 401);
});

/* ---- commands ---- */

test('Commands without end are refused in time, and others do not notice', async () => {
    const confab = await started;
    const [owner, applicant, mallory, target] = [new Guest(confab), new Guest(confab), new Guest(confab), new Guest(confab)];
    const { chatId } = await applicant.open((await owner.event()).event.id, 'x');
    const { chatId: own } = await mallory.open((await target.event()).event.id, 'x');
    const honest = await connect(confab, applicant.id, 'bare');
    const floods = await Promise.all(['bare', 'websocket', 'bare'].map((framing) => connect(confab, mallory.id, framing)));
    for (let i = 0; i < 3000; i++)
        for (const socket of floods)
            if (socket.closed === null)
                socket.send('send_message', { chatId: own, message: { text: 'y'.repeat(4000) } });
    for (let i = 0; i < 5; i++) {
        honest.send('send_message', { chatId, message: { text: `heard ${i}` } });
        await honest.next(([name, payload]) => name === 'chat_updates' && payload.messages?.[0]?.text === `heard ${i}`);
    }
    await until('the flood to be refused', () => floods.every((socket) => socket.closed !== null || socket.of('debug_info').some(({ code }) => code === 'RATE_LIMITED')));
    assert.ok(confab.relays[0].running);
});

test('Whoever says nothing of himself is counted by his address and ended in time', async () => {
    const confab = await started;
    for (const target of ['/v1/ws', '/eventchat/ws']) {
        const rude = await new Rude(confab.relays[0].socket, upgrade(target)).upgraded();
        rude.socket.write(masked(0x81, '{"event":"send_message","data":{}}'));
        assert.equal(await rude.closeCode(target), 4401);
        const early = await new Rude(confab.relays[0].socket, upgrade(target)).upgraded();
        for (let i = 0; i < 50; i++)
            early.socket.write(masked(0x81, JSON.stringify({ event: 'auth', data: { token: 'x'.repeat(5000) } })));
        assert.equal(await early.closeCode(target), 4401);
    }
    const one = knock(confab, '9', 'bare', { query: '?token=x' });
    assert.deepEqual(await one.ended(), { status: 401 });
});
