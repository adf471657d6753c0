/* conversations-flow - what members, viewers and everybody are answered and told, exactly
 *
 * SPDX-License-Identifier: MIT
 */
import { assert, keys } from '../lib/assert.mjs';
import { conversations, fresh, online, refuses, User } from '../lib/conversations.mjs';
import { test } from '../lib/instance.mjs';
import { gone } from '../lib/live.mjs';
import { now } from '../lib/jwt.mjs';

const started = conversations({ relays: 2 });
let people = 100;

/* Some users with sockets. */
async function company(...names) {
    const confab = await started;
    return Promise.all(names.map((name) => online(confab, ++people, { name, avatar: `https://x.org/${name}.png` })));
}

test('a conversation is made, joined, talked in, read, left, and goes with its last member', async () => {
    const [anna, ben, eve] = await company('Anna', 'Ben', 'Eve');
    const name = fresh();
    const id = await anna.make(name);

    for (const one of [anna, ben, eve])
        assert.deepEqual(await one.socket.next('new_conversation'),
            { conversation_id: id, name, members: 1, senderAvatar: 'https://x.org/Anna.png' });

    const joined = await ben.join(id);
    keys(joined, 'response', 'messages');
    assert.equal(joined.messages.length, 1);
    keys(joined.messages[0], 'id', 'name', 'avatar', 'user_id', 'message', 'time');
    assert.equal(joined.messages[0].message, 'Создана беседа.');
    assert.ok(Math.abs(joined.messages[0].time - now()) < 60);
    for (const one of [anna, ben, eve])
        assert.deepEqual(await one.socket.next('joined_conversation'),
            { conversation_id: id, user_id: ben.id, avatar: 'https://x.org/Ben.png', name: 'Ben' });

    const message = await ben.say(' Привет! ', id);
    for (const one of [anna, ben]) {
        const { time, ...rest } = await one.socket.next('new_message');
        assert.deepEqual(rest, { conversation_id: id, id: message, name: 'Ben', avatar: 'https://x.org/Ben.png',
            user_id: ben.id, message: ' Привет! ' });
        assert.ok(Number.isInteger(time));
    }
    const [mine] = await anna.list('joined');
    assert.deepEqual(mine, { id, name, members: 2, viewers: 0, creator_id: anna.id, unreadCount: 1, message: ' Привет! ',
        senderAvatar: 'https://x.org/Ben.png' });
    await anna.read(id);
    assert.equal((await anna.list('joined'))[0].unreadCount, 0);
    assert.deepEqual((await eve.list('new')).filter((one) => one.id === id),
        [{ id, name, members: 2, viewers: 0, creator_id: anna.id }]);

    await ben.leave(id);
    for (const one of [anna, ben, eve])
        assert.deepEqual(await one.socket.next('leaved_conversation'), { conversation_id: id, user_id: ben.id });
    const unheard = await anna.say('he is gone', id);
    assert.equal((await anna.socket.next('new_message')).id, unheard);
    await anna.leave(id);
    for (const one of [anna, ben, eve]) {
        assert.deepEqual(await one.socket.next('leaved_conversation'), { conversation_id: id, user_id: anna.id });
        assert.deepEqual(await one.socket.expect('delete_conversation'), { conversation_id: id });
    }
    assert.equal(ben.socket.of('new_message').length, 1);       /* what was said after he left did not come */
    assert.equal(eve.socket.of('new_message').length, 0);
    refuses(await anna.get(`/messages/get?chat=${id}`), 404, 2);
});

test('viewers hear, are counted, and may do nothing else', async () => {
    const [anna, ben, eve] = await company('Anna', 'Ben', 'Eve');
    const id = await anna.make();

    for (let i = 0; i < 60; i++)
        await anna.say(`${i}`, id);
    const seen = await ben.view(id);
    assert.equal(seen.messages.length, 50);
    assert.deepEqual([seen.messages[0].message, seen.messages[49].message], ['10', '59']);
    for (const one of [anna, ben])
        assert.deepEqual(await one.socket.next('conversationViewersChange'), { conversation_id: id, viewers: 1 });
    await ben.view(id);
    await eve.view(id);
    for (const one of [anna, ben, eve])
        assert.deepEqual(await one.socket.next('conversationViewersChange'), { conversation_id: id, viewers: 2 });
    assert.equal((await anna.list('joined')).find((one) => one.id === id).viewers, 2);
    refuses(await ben.post('/messages/send', { text: 'x', conversation_id: id }), 403, 2);
    refuses(await ben.get(`/messages/get?chat=${id}`), 403, 3);
    refuses(await ben.get(`/conversations/members/${id}`), 403, 2);
    const message = await anna.say('look', id);
    assert.equal((await ben.socket.next((event) => event[1].message === 'look')).id, message);

    await ben.stopView(id);
    await ben.stopView(id);
    for (const one of [anna, eve])
        assert.deepEqual(await one.socket.next('conversationViewersChange'), { conversation_id: id, viewers: 1 });
    await eve.join(id);
    assert.deepEqual(await anna.socket.next('conversationViewersChange'), { conversation_id: id, viewers: 0 });
    assert.equal((await anna.socket.expect('joined_conversation')).user_id, eve.id);
    await ben.socket.next('joined_conversation');
    assert.deepEqual(ben.socket.of('conversationViewersChange').map(({ viewers }) => viewers), [1, 2]);
    await anna.delete(id);
    for (const one of [anna, ben, eve])
        assert.deepEqual(await one.socket.next('delete_conversation'), { conversation_id: id });
    assert.equal(eve.socket.of('leaved_conversation').length, 0);
});

test('what is watched ends with the last socket, and with it the chat of all', async () => {
    const [anna, ben] = await company('Anna', 'Ben');
    const confab = await started;
    const id = await anna.make();
    const second = await ben.connect('bare', { relay: 1 });

    await ben.view(id);
    await ben.messages(0);
    await anna.socket.next('conversationViewersChange');
    await ben.socket.close();
    await anna.say('still there', id);
    await second.next((event) => event[1].message === 'still there');
    await anna.say('psst', 0);
    assert.equal((await second.next((event) => event[1].message === 'psst')).conversation_id, 0);
    await second.close();
    assert.deepEqual(await anna.socket.next('conversationViewersChange'), { conversation_id: id, viewers: 0 });
    await gone({ port: confab.port, token: () => ben.token }, String(ben.id));

    const again = await ben.connect();
    await anna.say('unheard', 0);
    await anna.say('unseen', id);
    const marker = await ben.make();
    await again.next('new_conversation');
    assert.equal(again.of('new_message').length, 0);
    await ben.delete(marker);
});

test('a user who comes again is a member still, on every socket', async () => {
    const [anna, ben] = await company('Anna', 'Ben');
    const id = await anna.make();

    await ben.join(id);
    await ben.socket.close();
    const sockets = await Promise.all([ben.connect(), ben.connect('bare', { relay: 1 }), ben.connect('websocket'), ben.connect('polling')]);
    const message = await anna.say('everywhere', id);
    for (const socket of sockets)
        assert.equal((await socket.next('new_message')).id, message);
    await anna.delete(id);
    for (const socket of sockets) {
        await socket.next('delete_conversation');
        assert.equal(socket.of('new_message').length, 1);
    }
});

test('pages of messages count back from the newest', async () => {
    const [anna] = await company('Anna');
    const id = await anna.make();
    for (let i = 1; i <= 105; i++)
        await anna.say(`${i}`, id);
    const said = async (offset) => (await anna.messages(id, offset)).map(({ message }) => message);
    assert.deepEqual(await said(0), Array.from({ length: 100 }, (_, i) => `${i + 6}`));
    assert.deepEqual(await said(103), ['Создана беседа.', '1', '2']);
    assert.deepEqual(await said(106), []);
    await anna.delete(id);
});

test('profiles: what the credential says wins, and is what others see', async () => {
    const confab = await started;
    const plain = await online(confab, ++people);
    const named = new User(confab, plain.id, { name: 'From the token' });

    assert.deepEqual((await plain.ok('GET', '/profile')).profile, { user_id: plain.id, name: `id${plain.id}`, avatar: '' });
    assert.equal((await plain.ok('POST', '/profile', { name: 'By hand', avatar: 'http://x.org/1' })).profile.name, 'By hand');
    const id = await plain.make();
    assert.equal((await plain.messages(id))[0].name, 'By hand');
    assert.equal((await named.ok('POST', '/profile', { name: 'Not heeded', avatar: '' })).profile.name, 'From the token');
    assert.deepEqual((await plain.ok('GET', `/conversations/members/${id}`)).members,
        [{ user_id: plain.id, name: 'From the token', avatar: '' }]);
    await plain.delete(id);
});
