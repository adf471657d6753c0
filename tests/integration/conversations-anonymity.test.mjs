/* conversations-anonymity - nothing that anybody receives tells who said something in the chat of all
 *
 * Looked for in the bytes as they came, not in what they were parsed to.
 *
 * SPDX-License-Identifier: MIT
 */
import { assert, keys } from '../lib/assert.mjs';
import { conversations, online, User } from '../lib/conversations.mjs';
import { test } from '../lib/instance.mjs';

const started = conversations();

/* Marks that occur nowhere by chance. */
const AUTHOR = 730519468;
const MARKS = [String(AUTHOR), 'Incognita', 'secret-face', AUTHOR.toString(16), Buffer.from(String(AUTHOR)).toString('base64').slice(0, 8)];

function knowsNothing(bytes, what) {
    for (const mark of MARKS)
        assert.ok(!bytes.includes(mark), `${what} tells ${mark}: ${bytes}`);
}

/* Every raw frame that a bare socket gets from now on. */
function listen(socket) {
    const frames = [];
    socket.ws.on('message', (data) => frames.push(data.toString()));
    return frames;
}

test('neither answers nor pushes tell who said it, not to himself either', async () => {
    const confab = await started;
    const author = await online(confab, AUTHOR, { name: 'Incognita', avatar: 'https://x.org/secret-face.png' });
    const other = await online(confab, 5, { name: 'Other' });
    const creator = await online(confab, 6);
    const everybody = [author, other, creator];
    const frames = everybody.map((one) => listen(one.socket));
    const before = [];

    for (const one of everybody)
        before.push((await one.get('/messages/get?chat=0')).text);
    const sent = await author.post('/messages/send', { text: 'who am I?' });
    knowsNothing(sent.text, 'the answer to send');
    for (const [i, one] of everybody.entries()) {
        const pushed = await one.socket.next('new_message');
        keys(pushed, 'conversation_id', 'id', 'message', 'time');
        assert.equal(pushed.conversation_id, 0);
        knowsNothing(frames[i].join('\n'), `a push to ${one.id}`);
        const answer = await one.get('/messages/get?chat=0');
        keys(answer.json.messages.at(-1), 'id', 'message', 'time');
        knowsNothing(answer.text + JSON.stringify(answer.headers), `messages/get to ${one.id}`);
        knowsNothing(before[i], 'the first page');
    }
    /* the same bytes for all of them */
    const pages = await Promise.all(everybody.map(async (one) => (await one.get('/messages/get?chat=0')).text));
    assert.equal(new Set(pages).size, 1);
    assert.equal(new Set(frames.map((list) => list.join('\n'))).size, 1);
});

test('nor does anything else that may be asked about it', async () => {
    const confab = await started;
    const other = new User(confab, 5);
    for (const target of ['/conversations/get', '/conversations/get?mode=new', '/conversations/members/0', '/conversations/view/0',
        '/conversations/join/0', '/conversations/read/0', '/conversations/leave/0', '/conversations/stopView/0',
        '/messages/get?chat=0&offset=0', '/messages/get?chat=0&offset=1', '/profile'])
        for (const method of ['GET', 'POST'])
            knowsNothing((await other.call(method, target)).text, target);
});

test('nor do a restarted relay and a socket that comes later', async () => {
    const confab = await started;
    const [author] = [new User(confab, AUTHOR)];
    author.socket = await author.connect();
    await author.messages(0);
    for (const framing of ['bare', 'websocket', 'polling']) {
        const late = await author.connect(framing);
        await author.say(`to ${framing}`, 0);
        const pushed = await late.next('new_message');
        keys(pushed, 'conversation_id', 'id', 'message', 'time');
        await late.close();
    }
});

test('the relay tells it to nobody who did not ask', async () => {
    const confab = await started;
    const asked = await online(confab, 7), silent = await online(confab, 8);
    await asked.messages(0);
    await silent.say('I only write', 0);
    await asked.socket.next('new_message');
    const id = await asked.make();
    await silent.socket.next('new_conversation');
    assert.equal(silent.socket.of('new_message').length, 0);
    await asked.delete(id);
});
