/* Event chats over sockets, of either framing: what is said to whom, in which order, and what is refused how.
 * SPDX-License-Identifier: MIT
 */
import { assert } from '../lib/assert.mjs';
import { FRAMINGS, call, connect, knock, pair, rest, said } from '../lib/eventchat-live.mjs';
import { instance, test, withInstance } from '../lib/instance.mjs';

const started = instance({ systems: 'eventchat' });

const text = (chatId, what) => ({ chatId, message: { text: what } });
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

for (const framing of FRAMINGS) {
    test(`${framing}: initial_data is first, once, and empty for who has no chats`, async () => {
        const confab = await started;
        const nobody = await connect(confab, '900001', framing);
        assert.deepEqual(nobody.initial, []);
        assert.deepEqual(await nobody.quiet(), []);
        const { owner, applicant, event, chat } = await pair(confab);
        for (const [me, other] of [[owner, applicant], [applicant, owner]]) {
            const socket = await connect(confab, me, framing);
            assert.equal(socket.initial.length, 1);
            const [{ event: shown, eventOwnerId, chats }] = socket.initial;
            assert.deepEqual([shown.id, eventOwnerId, chats.length], [event, Number(owner), 1]);
            assert.deepEqual(chats[0], {
                chatId: chat, isRequestSended: false, isAccessGranted: false,
                user: { id: Number(other), name: `User ${other}`, imageUUID: null }, messages: [],
                myUnreadCount: 0, interlocutorUnreadCount: 0 });
            assert.deepEqual(socket.initial, await rest(confab, me, 'GET', '/chats'));
        }
    });

    test(`${framing}: a message reaches every socket of both, updates before counts, each from his side`, async () => {
        const confab = await started;
        const { owner, applicant, chat } = await pair(confab);
        const a = await connect(confab, applicant, framing);
        const others = [await connect(confab, applicant, 'bare'), await connect(confab, owner, framing), await connect(confab, owner, 'websocket')];
        const answer = a.ask('send_message', { chatId: chat, fromUserId: 7, message: { text: 'Привет!', photos: ['p1', 'p2'], attachedPhotos: ['p2', 'p3'], date: 'then' } });
        for (const socket of [a, ...others]) {
            const mine = socket.user === applicant;
            const update = await socket.expect('chat_updates');
            assert.match(update.messages[0].date, DATE);
            assert.deepEqual({ ...update.messages[0], date: 0 }, { messageId: 1, text: 'Привет!', photos: ['p1', 'p2', 'p3'], date: 0,
                fromUserId: Number(applicant), toUserId: Number(owner) });
            assert.deepEqual([update.chatId, update.messages.length, update.user.id], [chat, 1, Number(mine ? owner : applicant)]);
            assert.deepEqual([update.myUnreadCount, update.interlocutorUnreadCount], mine ? [0, 1] : [1, 0]);
            assert.deepEqual(await socket.expect('chat_unread'),
                { chatId: chat, myUnreadCount: mine ? 0 : 1, interlocutorUnreadCount: mine ? 1 : 0 });
        }
        if (framing !== 'bare') {
            assert.deepEqual(await answer, { ok: true, messageId: 1 });
            assert.deepEqual(a.events.map(([name]) => name), ['initial_data', 'chat_updates', 'chat_unread', '(ack)']);
        }
        for (const socket of [a, ...others])
            assert.deepEqual(await socket.quiet(), []);
    });

    test(`${framing}: reading moves forward only, both hear of it; what changes nothing is told who asked`, async () => {
        const confab = await started;
        const { owner, applicant, chat } = await pair(confab);
        const a = await connect(confab, applicant, framing);
        const tab = await connect(confab, owner, framing);
        const o = await connect(confab, owner, framing);
        for (let i = 1; i <= 3; i++)
            a.ask('send_message', text(chat, `number ${i}`));
        for (const socket of [a, tab, o])
            await socket.upTo(([name, { myUnreadCount, interlocutorUnreadCount }]) =>
                name === 'chat_unread' && myUnreadCount + interlocutorUnreadCount === 3);
        const read = o.ask('read_messages', { chatId: chat, lastReadedMessageId: 2 });
        for (const socket of [tab, o])
            assert.deepEqual(await socket.expect('chat_unread'), { chatId: chat, myUnreadCount: 1, interlocutorUnreadCount: 0 });
        assert.deepEqual(await a.next('chat_unread'), { chatId: chat, myUnreadCount: 0, interlocutorUnreadCount: 1 });
        if (framing !== 'bare') {
            assert.deepEqual(await read, { ok: true });
            assert.equal(o.events[o.cursor++][0], '(ack)');
        }
        o.ask('read_messages', { chatId: chat, lastReadedMessageId: 1 });
        assert.deepEqual(await o.next('chat_unread'), { chatId: chat, myUnreadCount: 1, interlocutorUnreadCount: 0 });
        o.send('read_messages', { chatId: chat, lastReadedMessageId: 4 });
        const refused = await o.next('debug_info');
        assert.deepEqual([refused.code, refused.event], ['MESSAGE_NOT_FOUND', 'read_messages']);
        assert.deepEqual(await tab.quiet(), []);
        assert.deepEqual((await a.quiet()), []);
        /* one's own are read anyway */
        a.send('read_messages', { chatId: chat, lastReadedMessageId: 3 });
        assert.deepEqual(await a.next('chat_unread'), { chatId: chat, myUnreadCount: 0, interlocutorUnreadCount: 1 });
        assert.deepEqual(await o.quiet(), []);
    });

    test(`${framing}: history by pages, to who asked`, async () => {
        const confab = await started;
        const { owner, applicant, chat } = await pair(confab);
        const a = await connect(confab, applicant, framing);
        const tab = await connect(confab, applicant, framing);
        const sent = 103;
        for (let i = 1; i <= sent; i++)
            a.send('send_message', text(chat, `number ${i}`));
        for (const socket of [a, tab]) {
            await socket.count('chat_unread', sent);
            socket.cursor = socket.events.length;
        }
        const o = await connect(confab, owner, framing);
        const [{ messages, myUnreadCount }] = o.initial[0].chats;
        assert.deepEqual(messages.map(({ messageId }) => messageId), Array.from({ length: 50 }, (_, i) => sent - 49 + i));
        assert.equal(myUnreadCount, sent);
        const pages = [];
        for (const before of [1e9, messages[0].messageId, 4, 1]) {
            const answer = o.ask('load_history', { chatId: chat, lastMessageId: before });
            const page = await o.next('history');
            pages.push([page.chatId, page.messages[0]?.messageId, page.messages.length, page.hasMore]);
            if (framing !== 'bare')
                assert.deepEqual(await answer, { ok: true });
        }
        assert.deepEqual(pages, [[chat, 54, 50, true], [chat, 4, 50, true], [chat, 1, 3, false], [chat, undefined, 0, false]]);
        assert.deepEqual(await tab.quiet(), []);
    });

    test(`${framing}: what is wrong is told who caused it, with code, event and field`, async () => {
        const confab = await started;
        const { owner, applicant, chat } = await pair(confab);
        const stranger = (await pair(confab)).chat;
        const a = await connect(confab, applicant, framing);
        const tab = await connect(confab, applicant, framing);
        const refused = [
            ['send_message', { chatId: stranger, message: { text: 'x' } }, 'CHAT_NOT_FOUND', 'chatId'],
            ['send_message', { chatId: 'nonsense', message: { text: 'x' } }, 'CHAT_NOT_FOUND', 'chatId'],
            ['send_message', { chatId: 7, message: { text: 'x' } }, 'BAD_PAYLOAD', 'chatId'],
            ['send_message', { message: { text: 'x' } }, 'BAD_PAYLOAD', 'chatId'],
            ['send_message', { chatId: chat }, 'BAD_PAYLOAD', 'message'],
            ['send_message', { chatId: chat, message: 'x' }, 'BAD_PAYLOAD', 'message'],
            ['send_message', { chatId: chat, message: { text: 5 } }, 'BAD_PAYLOAD', 'message.text'],
            ['send_message', { chatId: chat, message: { text: 'a\0b' } }, 'BAD_PAYLOAD', 'message.text'],
            ['send_message', { chatId: chat, message: { text: 'x', photos: null } }, 'BAD_PAYLOAD', 'message.photos'],
            ['send_message', { chatId: chat, message: { text: ' \n\t' } }, 'MESSAGE_EMPTY'],
            ['send_message', { chatId: chat, message: { text: 'x'.repeat(4001) } }, 'TEXT_TOO_LONG'],
            ['send_message', { chatId: chat, message: { photos: ['no such name'] } }, 'BAD_PAYLOAD'],
            ['send_message', { chatId: chat, message: { photos: Array.from({ length: 11 }, (_, i) => `p${i}`) } }, 'TOO_MANY_PHOTOS'],
            ['send_message', [chat], 'BAD_PAYLOAD'],
            ['send_message', 'text', 'BAD_PAYLOAD'],
            ['send_message', null, 'BAD_PAYLOAD'],
            ['read_messages', { chatId: chat, lastReadedMessageId: 1 }, 'MESSAGE_NOT_FOUND'],
            ['read_messages', { chatId: stranger, lastReadedMessageId: 0 }, 'CHAT_NOT_FOUND', 'chatId'],
            ['read_messages', { chatId: chat, lastReadedMessageId: 'x' }, 'BAD_PAYLOAD', 'lastReadedMessageId'],
            ['read_messages', { chatId: chat, lastReadedMessageId: 0.5 }, 'BAD_PAYLOAD', 'lastReadedMessageId'],
            ['load_history', { chatId: chat, lastMessageId: 0 }, 'BAD_PAYLOAD', 'lastMessageId'],
            ['load_history', { chatId: chat, lastMessageId: 2 ** 53 }, 'BAD_PAYLOAD', 'lastMessageId'],
            ['load_history', { chatId: chat }, 'BAD_PAYLOAD', 'lastMessageId'],
            ['load_history', { chatId: stranger, lastMessageId: 1 }, 'CHAT_NOT_FOUND', 'chatId'],
            ['grant', { chatId: chat }, 'UNKNOWN_EVENT'],
            ['', { chatId: chat }, 'UNKNOWN_EVENT'],
            ['initial_data', [], 'UNKNOWN_EVENT'],
        ];
        for (const [event, payload, code, field] of refused) {
            const what = JSON.stringify([event, payload]).slice(0, 100);
            const answer = a.ask(event, payload);
            const told = await a.expect('debug_info');
            assert.deepEqual([told.code, told.event], [code, event], what);
            assert.ok(typeof told.message === 'string' && told.message, what);
            if (field)
                assert.equal(told.field, field, what);
            if (framing !== 'bare') {
                const { ok, code: again, message, ...more } = await answer;
                assert.deepEqual([ok, again, typeof message, more], [false, code, 'string', {}], what);
                assert.equal(a.events[a.cursor++][0], '(ack)');
            }
        }
        assert.deepEqual(await tab.quiet(), []);
        /* nothing of that took a number */
        a.send('send_message', text(chat, 'good'));
        assert.equal((await a.next('chat_updates')).messages[0].messageId, 1);
        assert.deepEqual((await said(confab, owner, chat)).map(({ text: one }) => one), ['good']);
    });
}

test('the limits of a message hold to the character', async () => {
    const confab = await started;
    const { applicant, chat } = await pair(confab);
    const a = await connect(confab, applicant, 'websocket');
    const longest = '😀'.repeat(4000);
    const photos = Array.from({ length: 10 }, (_, i) => `${i}`.padEnd(64, 'p'));
    assert.deepEqual(await a.ask('send_message', { chatId: chat, message: { text: longest, photos } }), { ok: true, messageId: 1 });
    assert.deepEqual(await a.ask('send_message', { chatId: chat, message: { photos: [photos[0]] } }), { ok: true, messageId: 2 });
    const [first, second] = await said(confab, applicant, chat);
    assert.deepEqual([first.text, first.photos, second.text, second.photos], [longest, photos, '', [photos[0]]]);
});

test('commands over 64 KiB', async () => {
    const confab = await started;
    const { owner, applicant, chat } = await pair(confab);
    const large = { chatId: chat, message: { text: 'x', more: 'y'.repeat(65536) } };
    const a = await connect(confab, applicant, 'websocket');
    const answer = await a.ask('send_message', large);
    assert.deepEqual([answer.ok, answer.code], [false, 'PAYLOAD_TOO_LARGE']);
    assert.equal((await a.next('debug_info')).code, 'PAYLOAD_TOO_LARGE');
    assert.equal((await a.ask('send_message', text(chat, 'x'))).messageId, 1);
    const bare = await connect(confab, applicant, 'bare');
    bare.send('send_message', large);
    assert.equal(await bare.ended(), 1009);
    assert.equal((await said(confab, owner, chat)).length, 1);
});

test('bare: frames that are none are told of, and too many end the socket', async () => {
    const confab = await started;
    const { applicant } = await pair(confab);
    const bare = await connect(confab, applicant, 'bare');
    const bad = ['', '{', 'null', '[]', '7', '{"data":{}}', '{"event":7}', '{"event":"send_message","event":"x"}', '{"event":"x"} ', '{"event":"x"}x'];
    for (const frame of bad.filter((one) => one !== '{"event":"x"} ')) {
        bare.raw(frame);
        const told = await bare.expect('debug_info');
        assert.deepEqual([told.code, told.event], ['BAD_FRAME', null], frame);
    }
    for (let i = bad.length; i <= 20; i++) {
        bare.raw('{');
        await bare.expect('debug_info');
    }
    bare.send('ping', { at: 5 });
    assert.deepEqual(await bare.expect('pong'), { at: 5 });
    bare.send('nothing', {});
    assert.equal((await bare.expect('debug_info')).code, 'UNKNOWN_EVENT');
    bare.raw('{');
    bare.raw('{');
    assert.equal(await bare.ended(), 1008);
});

test('bare: thousands of wrong commands at once are each answered', async () => {
    const confab = await started;
    const { applicant } = await pair(confab);
    const bare = await connect(confab, applicant, 'bare');
    for (let i = 0; i < 3000; i++)
        bare.send(i % 2 ? 'nothing' : 'send_message', {});
    await bare.count('debug_info', 3000);
    bare.send('ping', 1);
    await bare.next('pong');
    assert.equal(bare.closed, null);
});

test('who may connect', async () => {
    const confab = await started;
    const user = '900002';
    for (const [token, status] of [['nonsense', 401], [confab.token('anna'), 401], [confab.token(user, { exp: 1 }), 401],
        [confab.token(user, { aud: 'confab:rooms' }), 401], ['', 401]])
        assert.deepEqual(await knock(confab, user, 'bare', { query: `?token=${token}` }).ended(), { status }, token);
    const bearer = await connect(confab, user, 'bare', { query: '', headers: { Authorization: `Bearer ${confab.token(user)}` } });
    assert.deepEqual(bearer.initial, []);
    const late = knock(confab, user, 'bare', { query: '' });
    await new Promise((resolve) => { late.ws.on('open', resolve); });
    late.send('auth', { token: confab.token(user) });
    assert.deepEqual(await late.expect('initial_data'), []);
    for (const first of [['auth', { token: 'nonsense' }], ['send_message', {}]]) {
        const wrong = knock(confab, user, 'bare', { query: '' });
        await new Promise((resolve) => { wrong.ws.on('open', resolve); });
        wrong.send(...first);
        assert.equal((await wrong.expect('debug_info')).code, 'UNAUTHORIZED');
        assert.equal(await wrong.ended(), 4401);
    }
    for (const namespace of ['/eventchat', '/'])
        for (const auth of [{}, { token: 'nonsense' }, { token: 7 }])
            assert.deepEqual(await knock(confab, user, 'websocket', { namespace, path: namespace === '/' ? '/eventchat/socket.io/' : '/socket.io/', auth }).ended(),
                { message: 'Unauthorized', data: { code: 'UNAUTHORIZED' } });
    const query = await connect(confab, user, 'polling', { auth: {}, query: { token: confab.token(user) } });
    const header = await connect(confab, user, 'polling', { auth: {}, extraHeaders: { Authorization: `Bearer ${confab.token(user)}` } });
    const own = await connect(confab, user, 'websocket', { namespace: '/', path: '/eventchat/socket.io/' });
    assert.deepEqual([query.initial, header.initial, own.initial], [[], [], []]);
});

test('names and pictures of credentials are shown to the other', async () => {
    const confab = await started;
    const { owner, applicant, chat } = await pair(confab);
    const o = await connect(confab, owner);
    const a = await connect(confab, applicant, 'websocket', { auth: { token: confab.token(applicant, { name: 'Anna', imageUUID: 'u-1' }) } });
    await a.ask('send_message', text(chat, 'x'));
    assert.deepEqual((await o.next('chat_updates')).user, { id: Number(applicant), name: 'Anna', imageUUID: 'u-1' });
});

test('the same over Socket.IO at the root of /socket.io/, where the settings say so', async () => {
    await withInstance({ systems: 'eventchat', env: { CONFAB_SOCKETIO_ROOT_SYSTEM: 'eventchat' } }, async (confab) => {
        const { owner, applicant, chat } = await pair(confab);
        const a = await connect(confab, applicant, 'websocket', { namespace: '/' });
        const o = await connect(confab, owner, 'polling', { namespace: '/' });
        await a.ask('send_message', text(chat, 'x'));
        assert.equal((await o.expect('chat_updates')).messages[0].text, 'x');
    });
});

test('a user has a share of commands, which sockets and REST use up together', async () => {
    await withInstance({ systems: 'eventchat', env: { CONFAB_EVENTCHAT_RATE: '1', CONFAB_EVENTCHAT_BURST: '10' } }, async (confab) => {
        const { owner, applicant, chat } = await pair(confab);
        const a = await connect(confab, applicant, 'websocket');
        const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => a.ask('send_message', text(chat, `${i}`))));
        const good = answers.filter(({ ok }) => ok);
        assert.ok(good.length >= 5 && good.length <= 10, `${good.length} of 12`);
        assert.ok(answers.filter(({ ok }) => !ok).every(({ code }) => code === 'RATE_LIMITED'));
        assert.deepEqual(a.of('debug_info').map(({ code, event }) => [code, event]),
            answers.filter(({ ok }) => !ok).map(() => ['RATE_LIMITED', 'send_message']));
        assert.equal((await call(confab, applicant, 'GET', '/chats')).json.error.code, 'RATE_LIMITED');
        assert.equal((await call(confab, owner, 'GET', '/chats')).status, 200);
        assert.equal(a.closed, null);
    });
});
