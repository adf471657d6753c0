/* Event chat over REST: profiles, events, chats, requests and grants, and what of them is told to whom.
 * SPDX-License-Identifier: MIT
 */
import { assert } from '../lib/assert.mjs';
import { DATE, eventchat, fine, REFERENCE, refused, told, user, V1 } from '../lib/eventchat.mjs';
import { request } from '../lib/http.mjs';
import { test } from '../lib/instance.mjs';
import { now } from '../lib/jwt.mjs';

const started = eventchat();

/* An owner with an event, and somebody else. */
async function scene() {
    const confab = await started;
    const owner = user(confab);
    const guest = user(confab);
    return { confab, owner, guest, ...await owner.event() };
}

const without = (object, ...names) => Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

test('who calls: a credential is needed everywhere, and its user is an integer', async () => {
    const confab = await started;
    const somebody = user(confab);
    for (const [method, target] of [['GET', '/profile'], ['PUT', '/profile'], ['GET', '/events'], ['POST', '/events'], ['GET', '/events/1'],
        ['POST', '/events/1/chat'], ['POST', '/events/1/request'], ['POST', '/chats/x/grant'], ['POST', '/chats/x/revoke'], ['GET', '/chats'],
        ['POST', '/photos'], ['GET', '/photos/x']])
        refused(await request(confab.port, method, V1 + target), 401, 'UNAUTHORIZED');
    for (const [sub, claims] of [['anna', {}], ['0', {}], ['-1', {}], ['01', {}], ['1.5', {}], [0, {}], [1.5, {}], [true, {}], ['7', { aud: 'confab:rooms' }],
        ['7', { exp: now() - 100 }], ['7', { name: '' }]])
        refused(await request(confab.port, 'GET', `${V1}/chats`,
            { headers: { Authorization: `Bearer ${confab.token(sub, claims)}` } }), 401, 'UNAUTHORIZED');
    assert.deepEqual(fine(await somebody.get('/chats')), []);
});

test('routes and methods', async () => {
    const somebody = user(await started);
    for (const target of ['', '/', '/nothing', '/events/1/chats', '/photos/x/y', '/chats/x'])
        refused(await somebody.get(target), 404, 'NOT_FOUND');
    const answer = await somebody.put('/events', {});
    refused(answer, 405, 'METHOD_NOT_ALLOWED');
    assert.equal(answer.headers.allow, 'GET, HEAD, POST, OPTIONS');
    const preflight = await somebody.call('OPTIONS', '/photos');
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers['access-control-allow-methods'], 'GET, POST, PUT');
    for (const body of ['', '{', '[]', '"x"', 'null', '{"name":"a"}x', '{"name":"\\ud800"}', Buffer.from('7b22ff227d', 'hex')])
        refused(await somebody.post('/events', body), 400, 'BAD_FRAME');
    refused(await somebody.post('/events', { name: 'x'.repeat(70000) }), 413, 'PAYLOAD_TOO_LARGE');
    for (const query of ['?offset=%ff', '?offset=%zz', '?limit=%00'])
        refused(await somebody.get(`/events${query}`), 400, 'BAD_PAYLOAD');
});

test('bodies are JSON', async () => {
    const somebody = user(await started);
    const put = (type, body = '{"name":"A"}') => somebody.put('/profile', body, { headers: { 'Content-Type': type } });
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/json;x=y', ''])
        assert.equal(fine(await put(type)).name, 'A');
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp', 'json'])
        refused(await put(type), 415, 'UNSUPPORTED_MEDIA');
    refused(await put('text/plain', '{'), 415, 'UNSUPPORTED_MEDIA');
    const { event } = await somebody.event();
    const open = (body) => user(somebody.confab).post(`/events/${event.id}/chat`, body, { headers: { 'Content-Type': 'text/plain' } });
    fine(await open(''), 201);
    refused(await open('{}'), 415, 'UNSUPPORTED_MEDIA');
});

test('profiles: stored, and claimed by the credential', async () => {
    const confab = await started;
    const anna = user(confab);
    assert.deepEqual(fine(await anna.get('/profile')), { id: anna.id, name: `User ${anna.id}`, imageUUID: null });
    assert.deepEqual(fine(await anna.put('/profile', { name: 'Анна', imageUUID: 'u1' })), { id: anna.id, name: 'Анна', imageUUID: 'u1' });
    assert.deepEqual(fine(await anna.put('/profile', { name: ' A ' })), { id: anna.id, name: ' A ', imageUUID: 'u1' });
    assert.deepEqual(fine(await anna.put('/profile', { imageUUID: null })), { id: anna.id, name: ' A ', imageUUID: null });
    assert.deepEqual(fine(await anna.put('/profile', { name: '🎭'.repeat(100), id: 5 })).name, '🎭'.repeat(100));
    for (const name of ['', 'x'.repeat(101), 'a\u0000', 5, null, {}])
        refused(await anna.put('/profile', { name }), 400, 'BAD_PAYLOAD', 'name');
    for (const imageUUID of ['a b', 'x'.repeat(65), 'é', 5, []])
        refused(await anna.put('/profile', { imageUUID }), 400, 'BAD_PAYLOAD', 'imageUUID');
    anna.claims = { name: 'Claimed', imageUUID: 'c1' };
    const claimed = { id: anna.id, name: 'Claimed', imageUUID: 'c1' };
    assert.deepEqual(fine(await anna.get('/profile')), claimed);
    assert.deepEqual(fine(await anna.put('/profile', { name: 'Other', imageUUID: 'o1' })), claimed);
    anna.claims = {};
    assert.deepEqual(fine(await anna.get('/profile')), claimed, 'what was claimed is stored');
});

test('events: made, found, listed', async () => {
    const confab = await started;
    const anna = user(confab);
    const made = fine(await anna.post('/events', { name: '  Встреча ', dateFromS: 0, dateToS: 0 }), 201);
    assert.deepEqual(made, { event: { id: made.event.id, name: 'Встреча', iconsUUIDs: [], location: 'ONLINE', dateFromS: 0, dateToS: 0 }, eventOwnerId: anna.id });
    const full = { name: 'x'.repeat(120), iconsUUIDs: Array.from({ length: 10 }, (_, i) => `icon_${i}`), location: 'y'.repeat(100), dateFromS: 5, dateToS: 2 ** 53 - 1 };
    const second = fine(await anna.post('/events', { ...full, id: 1, eventOwnerId: 5 }), 201);
    assert.deepEqual(without(second.event, 'id'), full);
    assert.ok(second.event.id > made.event.id);
    assert.deepEqual(fine(await user(confab).get(`/events/${second.event.id}`)), second);
    for (const id of ['0', '-1', 'x', '999999999', '99999999999999999999', '%20', '1e3'])
        refused(await anna.get(`/events/${id}`), 404, 'EVENT_NOT_FOUND');

    const good = { name: 'n', dateFromS: 1, dateToS: 2 };
    for (const [field, values] of Object.entries({
        name: ['', '  ', 'x'.repeat(121), 'a\u0000', 5, null, undefined],
        location: ['', 'x'.repeat(101), 5],
        iconsUUIDs: ['x', [1], [''], ['a b'], ['x'.repeat(65)], Array(11).fill('a'), {}],
        dateFromS: [-1, 1.5, '1', null, undefined, 2 ** 53],
        dateToS: [-1, 0, 1.5, '1', null, undefined, 2 ** 53],
    }))
        for (const value of values)
            refused(await anna.post('/events', { ...good, [field]: value }), 400, 'BAD_PAYLOAD', field);
});

test('pages of events: newest first', async () => {
    const anna = user(await started);
    const ids = [];
    for (let i = 0; i < 60; i++)
        ids.unshift((await anna.event({ name: `page ${i}` })).event.id);
    const page = async (args) => fine(await anna.get(`/events${args}`)).events.map(({ event, eventOwnerId }) => {
        assert.equal(typeof eventOwnerId, 'number');
        return event.id;
    });
    assert.deepEqual(await page(''), ids.slice(0, 50));
    assert.deepEqual(await page('?limit=1'), ids.slice(0, 1));
    assert.deepEqual(await page('?offset=10&limit=20'), ids.slice(10, 30));
    assert.deepEqual(await page('?limit=100&offset=1000000'), []);
    for (const [field, value] of [['limit', 0], ['limit', 101], ['limit', -1], ['limit', 'x'], ['limit', ''], ['offset', -1], ['offset', 'x'], ['offset', '1.5']])
        refused(await anna.get(`/events?${field}=${value}`), 400, 'BAD_PAYLOAD', field);
});

test('a chat is opened once; both are told, each as he sees it', async () => {
    const { confab, owner, guest, event } = await scene();
    guest.claims = { name: 'Guest', imageUUID: 'g1' };
    const answer = await guest.post(`/events/${event.id}/chat`);
    const chat = fine(answer, 201);
    assert.match(chat.chatId, REFERENCE);
    assert.deepEqual(chat, { chatId: chat.chatId, event, eventOwnerId: owner.id, isRequestSended: false, isAccessGranted: false,
        user: { id: owner.id, name: `User ${owner.id}`, imageUUID: null }, messages: [], myUnreadCount: 0, interlocutorUnreadCount: 0 });
    assert.deepEqual(await told(confab, guest), [{ event: 'chat_updates', data: chat }]);
    assert.deepEqual(await told(confab, owner), [{ event: 'chat_updates', data: { ...chat, user: { id: guest.id, name: 'Guest', imageUUID: 'g1' } } }]);

    assert.deepEqual(fine(await guest.post(`/events/${event.id}/chat`, {})), chat, 'again');
    assert.deepEqual(fine(await guest.post(`/events/${event.id}/chat`, { text: null })), chat);
    assert.equal((await told(confab, owner)).length, 1, 'nothing changed, nothing is told');

    const other = await user(confab).open(event.id);
    assert.notEqual(other.chatId, chat.chatId);
    refused(await owner.post(`/events/${event.id}/chat`), 409, 'OWN_EVENT');
    refused(await owner.post(`/events/${event.id}/request`), 409, 'OWN_EVENT');
    refused(await guest.post('/events/999999999/chat'), 404, 'EVENT_NOT_FOUND');
    refused(await guest.post('/events/x/request', { text: 'hi' }), 404, 'EVENT_NOT_FOUND');
});

test('with a text: the message, the counts, and in which order that is told', async () => {
    const { confab, owner, guest, event } = await scene();
    const text = ' <b>"привет"</b> \\ \u2028 🎭\n';
    const chat = fine(await guest.post(`/events/${event.id}/chat`, { text }), 201);
    const [message] = chat.messages;
    assert.match(message.date, DATE);
    assert.deepEqual(chat.messages, [{ messageId: 1, text, photos: [], date: message.date, fromUserId: guest.id, toUserId: owner.id }]);
    assert.equal(chat.myUnreadCount, 0);
    assert.equal(chat.interlocutorUnreadCount, 1);
    const second = fine(await guest.post(`/events/${event.id}/chat`, { text: '2' }));
    assert.equal(second.messages[0].messageId, 2);
    assert.equal(second.messages.length, 1);
    const frames = await told(confab, owner);
    assert.deepEqual(frames.map((frame) => frame.event), ['chat_updates', 'chat_unread', 'chat_updates', 'chat_unread']);
    assert.deepEqual(frames[0].data.messages, [message]);
    assert.deepEqual(frames[0].data.user, { id: guest.id, name: `User ${guest.id}`, imageUUID: null });
    assert.deepEqual(frames[1].data, { chatId: chat.chatId, myUnreadCount: 1, interlocutorUnreadCount: 0 });
    assert.deepEqual(frames[3].data, { chatId: chat.chatId, myUnreadCount: 2, interlocutorUnreadCount: 0 });
    const mine = await told(confab, guest);
    assert.deepEqual(mine.map((frame) => frame.event), ['chat_updates', 'chat_unread', 'chat_updates', 'chat_unread']);
    assert.deepEqual(mine[0].data, chat);
    assert.deepEqual(mine[3].data, { chatId: chat.chatId, myUnreadCount: 0, interlocutorUnreadCount: 2 });

    const target = `/events/${event.id}/chat`;
    assert.equal(fine(await guest.post(target, { text: '🎭'.repeat(4000) })).messages[0].messageId, 3);
    refused(await guest.post(target, { text: 'x'.repeat(4001) }), 400, 'TEXT_TOO_LONG', 'text');
    for (const blank of ['', ' \n\t\u3000'])
        refused(await guest.post(target, { text: blank }), 400, 'MESSAGE_EMPTY');
    for (const wrong of [5, true, [], {}, 'a\u0000b'])
        refused(await guest.post(target, { text: wrong }), 400, 'BAD_PAYLOAD', 'text');
    assert.equal((await told(confab, owner)).length, 6);
});

test('requests: made, made of a chat, refused the second time', async () => {
    const { confab, owner, guest, event } = await scene();
    const chat = fine(await guest.post(`/events/${event.id}/request`), 201);
    assert.equal(chat.isRequestSended, true);
    assert.equal(chat.isAccessGranted, false);
    refused(await guest.post(`/events/${event.id}/request`), 409, 'ALREADY_REQUESTED');
    refused(await guest.post(`/events/${event.id}/request`, { text: 'please' }), 409, 'ALREADY_REQUESTED');
    assert.deepEqual((await told(confab, owner)).map((frame) => frame.event), ['chat_updates'], 'what is refused leaves nothing');
    assert.deepEqual((await guest.open(event.id)), chat);

    const other = user(confab);
    const plain = await other.open(event.id, 'first');
    const asked = fine(await other.post(`/events/${event.id}/request`, { text: 'may I?' }));
    assert.equal(asked.chatId, plain.chatId);
    assert.equal(asked.isRequestSended, true);
    assert.deepEqual(asked.messages.map(({ messageId, text }) => [messageId, text]), [[2, 'may I?']]);
    assert.deepEqual((await told(confab, other)).map((frame) => [frame.event, frame.data.isRequestSended]),
        [['chat_updates', false], ['chat_unread', undefined], ['chat_updates', true], ['chat_unread', undefined]]);
});

test('granting and taking back: by the owner, of requests, silent when nothing changes', async () => {
    const { confab, owner, guest, event } = await scene();
    const stranger = user(confab);
    const chat = await guest.open(event.id, 'hi');
    const grant = `/chats/${chat.chatId}/grant`;
    const revoke = `/chats/${chat.chatId}/revoke`;
    for (const target of [grant, revoke]) {
        refused(await owner.post(target), 409, 'NOT_REQUESTED');
        refused(await guest.post(target), 403, 'FORBIDDEN');
        refused(await stranger.post(target), 404, 'CHAT_NOT_FOUND', 'chatId');
    }
    for (const id of ['x', 'x'.repeat(100), '1', '%D0%B8'])
        refused(await owner.post(`/chats/${id}/grant`), 404, 'CHAT_NOT_FOUND', 'chatId');
    await guest.request(event.id);
    const before = (await told(confab, guest)).length;
    const granted = fine(await owner.post(grant));
    assert.deepEqual(granted, { chatId: chat.chatId, event, eventOwnerId: owner.id, isRequestSended: true, isAccessGranted: true,
        user: { id: guest.id, name: `User ${guest.id}`, imageUUID: null }, messages: [], myUnreadCount: 1, interlocutorUnreadCount: 0 });
    assert.deepEqual(fine(await owner.post(grant)), granted);
    const [update, ...more] = (await told(confab, guest)).slice(before);
    assert.deepEqual(more, []);
    assert.equal(update.event, 'chat_updates');
    assert.deepEqual(update.data, { ...granted, user: { id: owner.id, name: `User ${owner.id}`, imageUUID: null }, myUnreadCount: 0, interlocutorUnreadCount: 1 });
    refused(await guest.post(`/events/${event.id}/request`), 409, 'ALREADY_REQUESTED');
    assert.equal(fine(await owner.post(revoke)).isAccessGranted, false);
    assert.equal(fine(await owner.post(revoke)).isAccessGranted, false);
    assert.equal((await told(confab, guest)).length, before + 2);
    assert.equal((await guest.open(event.id)).isAccessGranted, false);
});

test('the list: by event, then by age, the newest 50 messages of each, as each sees it', async () => {
    const confab = await started;
    const [anna, boris, clara] = [user(confab), user(confab), user(confab)];
    const [first, second, third] = [await anna.event({ name: 'first' }), await boris.event({ name: 'second' }), await anna.event({ name: 'third' })];
    const inThird = await boris.open(third.event.id);
    const byClara = await clara.open(first.event.id, 'c');
    const byBoris = await boris.open(first.event.id);
    const toBoris = await anna.open(second.event.id, 'a');
    for (let i = 1; i <= 55; i++)
        await boris.open(third.event.id, `m${i}`);

    const list = await anna.chats();
    assert.deepEqual(list.map((one) => Object.keys(one)), Array(3).fill(['event', 'eventOwnerId', 'chats']));
    assert.deepEqual(list.map(({ event, eventOwnerId }) => ({ event, eventOwnerId })), [first, second, third]);
    assert.deepEqual(list.map(({ chats }) => chats.map(({ chatId }) => chatId)), [[byClara.chatId, byBoris.chatId], [toBoris.chatId], [inThird.chatId]]);
    const [chat] = list[2].chats;
    assert.deepEqual(Object.keys(chat), ['chatId', 'isRequestSended', 'isAccessGranted', 'user', 'messages', 'myUnreadCount', 'interlocutorUnreadCount']);
    assert.deepEqual(chat.messages.map(({ messageId }) => messageId), Array.from({ length: 50 }, (_, i) => i + 6));
    assert.deepEqual(without(chat.messages[49], 'date'), { messageId: 55, text: 'm55', photos: [], fromUserId: boris.id, toUserId: anna.id });
    assert.deepEqual([chat.myUnreadCount, chat.interlocutorUnreadCount, chat.user.id], [55, 0, boris.id]);
    const seen = (await boris.chats()).find(({ event }) => event.id === third.event.id).chats[0];
    assert.deepEqual([seen.myUnreadCount, seen.interlocutorUnreadCount, seen.user.id], [0, 55, anna.id]);
    assert.deepEqual(seen.messages, chat.messages);
    assert.deepEqual((await clara.chats()).map(({ event }) => event.id), [first.event.id]);
});

test('numbers have no holes however many write at once, and one chat is made of many attempts', async () => {
    const { confab, owner, guest, event } = await scene();
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => guest.post(`/events/${event.id}/chat`, { text: `${i}` })));
    const chats = answers.map((answer) => answer.json);
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    assert.equal(new Set(chats.map(({ chatId }) => chatId)).size, 1);
    assert.deepEqual(chats.map(({ messages }) => messages[0].messageId).sort((a, b) => a - b), Array.from({ length: 40 }, (_, i) => i + 1));
    const updates = (await told(confab, owner)).filter((frame) => frame.event === 'chat_updates');
    assert.deepEqual(updates.map(({ data }) => data.messages[0].messageId), Array.from({ length: 40 }, (_, i) => i + 1), 'told in their order');
    assert.deepEqual(updates.map(({ data }) => data.myUnreadCount), Array.from({ length: 40 }, (_, i) => i + 1));
    const requests = await Promise.all(Array.from({ length: 10 }, () => guest.post(`/events/${event.id}/request`)));
    assert.deepEqual(requests.map(({ status }) => status).sort(), [200, ...Array(9).fill(409)]);
});
