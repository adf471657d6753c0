/* conversations-races - who comes at the same time as somebody else: one wins, the others are told
 *
 * SPDX-License-Identifier: MIT
 */
import { assert } from '../lib/assert.mjs';
import { conversations, fresh, online, User } from '../lib/conversations.mjs';
import { test } from '../lib/instance.mjs';

const started = conversations({ handlers: 4, env: { CONFAB_CONV_MAX_MEMBERS: '5' } });
let people = 100;

const many = async (n) => {
    const confab = await started;
    return Promise.all(Array.from({ length: n }, () => online(confab, ++people)));
};
const codes = (answers) => answers.map(({ status, json }) => status === 200 ? 0 : json.error.code).sort();

test('no more members than may be, whoever comes at once', async () => {
    const users = await many(12);
    const id = await users[0].make();
    const answers = await Promise.all(users.slice(1).map((one) => one.post(`/conversations/join/${id}`)));

    assert.deepEqual(codes(answers), [0, 0, 0, 0, 3, 3, 3, 3, 3, 3, 3]);
    assert.equal((await users[0].list('joined'))[0].members, 5);
    for (let i = 0; i < 4; i++)
        await users[0].socket.next('joined_conversation');
    await users[0].delete(id);
    await users[0].socket.expect('delete_conversation');
});

test('one name is taken once', async () => {
    const [one] = await many(1);
    const name = fresh();
    const answers = await Promise.all(Array.from({ length: 8 }, () => one.post('/conversations/new', { name })));

    assert.deepEqual(codes(answers), [0, 1, 1, 1, 1, 1, 1, 1]);
    assert.equal((await one.list('joined')).length, 1);
});

test('one joins once', async () => {
    const [one, other] = await many(2);
    const id = await one.make();
    const answers = await Promise.all(Array.from({ length: 6 }, () => other.post(`/conversations/join/${id}`)));

    assert.deepEqual(codes(answers), [0, 2, 2, 2, 2, 2]);
});

test('the last one leaves while somebody joins: it lives with him, or he is told that it is gone', async () => {
    const [one, other] = await many(2);
    for (let i = 0; i < 20; i++) {
        const id = await one.make();
        const [left, joined] = await Promise.all([one.post(`/conversations/leave/${id}`), other.post(`/conversations/join/${id}`)]);

        assert.equal(left.status, 200, left.text);
        if (joined.status === 200) {
            assert.equal((await other.list('joined')).find((group) => group.id === id).members, 1);
            await other.leave(id);
        } else {
            assert.equal(joined.json.error.code, 1);
        }
        assert.deepEqual((await other.list('new')).filter((group) => group.id === id), []);
    }
});

test('messages of many at once come in one order, once, to everybody', async () => {
    const users = await many(4);
    const id = await users[0].make();
    for (const one of users.slice(1))
        await one.join(id);
    await Promise.all(users.flatMap((one) => Array.from({ length: 10 }, (_, i) => one.say(`${one.id} ${i}`, id))));
    const stored = (await users[0].messages(id)).slice(1).map((message) => message.id);
    assert.equal(stored.length, 40);
    assert.deepEqual(stored, [...stored].sort((a, b) => a - b));
    await users[0].delete(id);
    for (const one of users) {
        await one.socket.next((event) => event[0] === 'delete_conversation' && event[1].conversation_id === id);
        assert.deepEqual(one.socket.of('new_message').map((message) => message.id), stored);
    }
});

test('many read the chat of all for the first time and hear what follows', async () => {
    const confab = await started;
    const users = await many(6);
    await Promise.all(users.flatMap((one) => [one.messages(0), one.messages(0)]));
    const id = await new User(confab, users[0].id).say('once', 0);
    for (const one of users) {
        assert.equal((await one.socket.next('new_message')).id, id);
        assert.equal(one.socket.of('new_message').length, 1);
    }
});
