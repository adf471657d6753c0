/* Event chats over sockets when much happens at once: order, bounds, initial data among messages, restarts.
 * SPDX-License-Identifier: MIT
 */
import { assert } from '../lib/assert.mjs';
import { FRAMINGS, connect, holdWrites, knock, pair, rest, said } from '../lib/eventchat-live.mjs';
import { instance, test, withInstance } from '../lib/instance.mjs';
import { until } from '../lib/wait.mjs';

const AMPLE = { CONFAB_EVENTCHAT_RATE: '100000', CONFAB_EVENTCHAT_BURST: '100000' };
const started = instance({ systems: 'eventchat', env: AMPLE });

const text = (chatId, what) => ({ chatId, message: { text: what } });
const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const messages = (socket) => socket.of('chat_updates').flatMap((update) => update.messages);

/* Every answer stands behind the events of what it answers, and answers in the order of the questions. */
function checkAnswers(socket) {
    let newest = 0, last = 0;
    for (const [name, payload, n] of socket.events) {
        if (name === 'chat_unread')
            newest++;
        if (name !== '(ack)')
            continue;
        assert.equal(n, ++last);
        assert.ok(newest >= n, `ack ${n} with ${newest} events`);
        assert.deepEqual(payload, { ok: true, messageId: n });
    }
    return last;
}

for (const framing of FRAMINGS) {
    test(`${framing}: 200 commands at once are run, told and answered in their order`, async () => {
        const confab = await started;
        const { owner, applicant, chat } = await pair(confab);
        const a = await connect(confab, applicant, framing);
        const o = await connect(confab, owner, 'bare');
        for (let i = 1; i <= 200; i++)
            a.ask('send_message', text(chat, `${i}`));
        for (const socket of [a, o]) {
            await socket.count('chat_unread', 200);
            assert.deepEqual(messages(socket).map(({ messageId, text: one }) => [messageId, one]), numbers(1, 200).map((i) => [i, `${i}`]));
            assert.deepEqual(socket.of('chat_unread').map((one) => one.myUnreadCount + one.interlocutorUnreadCount), numbers(1, 200));
        }
        if (framing !== 'bare') {
            await a.count('(ack)', 200);
            assert.equal(checkAnswers(a), 200);
        }
    });
}

test('commands of two tabs are run one at a time, each tab in its order, reads between writes', async () => {
    const confab = await started;
    const { owner, applicant, chat } = await pair(confab);
    const tabs = [await connect(confab, applicant, 'websocket'), await connect(confab, applicant, 'bare')];
    const o = await connect(confab, owner, 'websocket');
    for (let i = 1; i <= 60; i++) {
        tabs.forEach((tab, t) => tab.send('send_message', text(chat, `${t}.${i}`)));
        if (i % 20 === 0)
            tabs.forEach((tab) => tab.send('load_history', { chatId: chat, lastMessageId: 1e6 }));
    }
    await o.count('chat_unread', 120);
    assert.deepEqual(messages(o).map(({ messageId }) => messageId), numbers(1, 120));
    for (const [t, tab] of tabs.entries()) {
        assert.deepEqual(messages(o).map((m) => m.text).filter((one) => one.startsWith(`${t}.`)), numbers(1, 60).map((i) => `${t}.${i}`));
        await tab.count('history', 3);
        for (const [i, page] of tab.of('history').entries()) {
            const own = page.messages.map((m) => m.text).filter((one) => one.startsWith(`${t}.`));
            assert.equal(own.at(-1), `${t}.${20 * (i + 1)}`, 'a history has what was sent before it, and nothing later');
        }
    }
});

for (const framing of ['bare', 'websocket'])
    test(`${framing}: as many commands of a socket may wait as the setting says, not one more`, async () => {
        await withInstance({ systems: 'eventchat', env: { ...AMPLE, CONFAB_EVENTCHAT_COMMANDS_MAX: '5', CONFAB_WRITE_WAIT_MS: '20000' } }, async (confab) => {
            const { owner, applicant, chat } = await pair(confab);
            const a = await connect(confab, applicant, framing);
            const tab = await connect(confab, applicant, framing);
            const o = await connect(confab, owner, framing);
            const release = await holdWrites(confab);
            const answers = numbers(1, 8).map((i) => a.ask('send_message', text(chat, `${i}`)));
            await a.count('debug_info', 3);
            assert.deepEqual(a.of('debug_info').map(({ code, event }) => [code, event]), numbers(1, 3).map(() => ['RATE_LIMITED', 'send_message']));
            tab.ask('send_message', text(chat, 'of the other tab'));
            tab.send('nonsense', {});
            await tab.next('debug_info');
            await release();
            await o.count('chat_unread', 6);
            assert.deepEqual(messages(o).map((m) => m.text), ['1', '2', '3', '4', '5', 'of the other tab']);
            if (framing !== 'bare')
                assert.deepEqual((await Promise.all(answers)).map(({ ok, messageId, code }) => ok ? messageId : code),
                    [1, 2, 3, 4, 5, 'RATE_LIMITED', 'RATE_LIMITED', 'RATE_LIMITED']);
            await a.count('chat_unread', 6);
            a.send('send_message', text(chat, 'later'));
            assert.equal((await o.next(([name, { messages: [m] = [] }]) => name === 'chat_updates' && m.text === 'later')).messages[0].messageId, 7);
            assert.equal(a.closed, null);
        });
    });

test('as settings are, one socket may have the whole burst of its user', async () => {
    await withInstance({ systems: 'eventchat' }, async (confab) => {
        const { applicant, chat } = await pair(confab);
        const a = await connect(confab, applicant, 'websocket');
        const answers = await Promise.all(numbers(1, 380).map((i) => a.ask('send_message', text(chat, `${i}`))));
        assert.deepEqual(answers.map(({ messageId }) => messageId), numbers(1, 380));
    });
});

test('what all commands take together is bounded, too', async () => {
    const env = { ...AMPLE, CONFAB_EVENTCHAT_COMMANDS_BYTES: '65536', CONFAB_WRITE_WAIT_MS: '20000' };
    await withInstance({ systems: 'eventchat', env }, async (confab) => {
        const { owner, applicant, chat } = await pair(confab);
        const a = await connect(confab, applicant);
        const o = await connect(confab, owner);
        const release = await holdWrites(confab);
        for (let i = 0; i < 40; i++)
            a.send('send_message', text(chat, `${i} ${'x'.repeat(3000)}`));
        await until('refusals', () => a.of('debug_info').length > 0);
        o.send('read_messages', { chatId: chat, lastReadedMessageId: 0 });
        a.send('nonsense', {});
        await a.next(([, { code }]) => code === 'UNKNOWN_EVENT');
        const refused = a.of('debug_info').filter(({ code }) => code === 'RATE_LIMITED').length;
        assert.ok(refused >= 20 && refused < 30, `${refused}`);
        await release();
        await o.count('chat_updates', 40 - refused);
        await a.count('chat_unread', 40 - refused);
        a.send('send_message', text(chat, 'later'));
        assert.equal((await o.next(([name, { messages: [m] = [] }]) => name === 'chat_updates' && m.text === 'later')).messages[0].messageId, 41 - refused);
    });
});

/* What a socket has of a chat: initial data, then what follows. */
function whole(socket, chat) {
    const first = socket.events.find(([name]) => name === 'initial_data')[1];
    const begun = first.flatMap(({ chats }) => chats).find(({ chatId }) => chatId === chat)?.messages ?? [];
    return [...begun, ...messages(socket)].map(({ messageId }) => messageId);
}

for (const framing of FRAMINGS)
    test(`${framing}: initial data and what follows meet without hole or double while others write`, async () => {
        const confab = await started;
        const { owner, applicant, chat } = await pair(confab);
        const a = await connect(confab, applicant, 'websocket');
        let sent = 0, stop = false;
        const writing = (async () => {
            while (!stop) {
                await Promise.all(Array.from({ length: 8 }, () => a.ask('send_message', text(chat, `${++sent}`))));
            }
        })();
        const newcomers = [];
        for (let i = 0; i < 12; i++)
            newcomers.push(...await Promise.all(Array.from({ length: 3 }, () => connect(confab, owner, framing))));
        stop = true;
        await writing;
        for (const socket of newcomers) {
            await until('the last message', () => whole(socket, chat).at(-1) === sent);
            const ids = whole(socket, chat);
            assert.deepEqual(ids, numbers(ids[0], sent), 'each number once, in order');
            assert.ok(ids[0] === 1 || socket.initial[0].chats[0].messages.length === 50);
            /* The counts agree with the messages at every moment. */
            assert.equal(socket.initial[0].chats[0].myUnreadCount, socket.initial[0].chats[0].messages.at(-1)?.messageId ?? 0);
        }
        assert.ok(newcomers.some((socket) => messages(socket).length > 0), 'some came while it went on');
        for (const socket of newcomers)
            await socket.close();
    });

test('a chat that is opened while somebody connects is in his initial data or follows it', async () => {
    const confab = await started;
    const { owner, applicant } = await pair(confab);
    const { event } = await rest(confab, owner, 'POST', '/events', { name: 'another', dateFromS: 1, dateToS: 2 });
    const [o, , made] = await Promise.all([connect(confab, owner, 'bare'), connect(confab, applicant, 'polling'),
        rest(confab, applicant, 'POST', `/events/${event.id}/chat`, { text: 'hello' })]);
    await until('the chat', () => o.initial.some(({ chats }) => chats.some(({ chatId }) => chatId === made.chatId))
        || o.of('chat_updates').some(({ chatId }) => chatId === made.chatId));
    assert.deepEqual(whole(o, made.chatId), [1]);
});

test('what was sent is run though its socket closed at once', async () => {
    const confab = await started;
    const { owner, applicant, chat } = await pair(confab);
    const o = await connect(confab, owner);
    for (let round = 0; round < 5; round++) {
        const a = await connect(confab, applicant, 'bare');
        for (let i = 1; i <= 20; i++)
            a.send('send_message', text(chat, `${round}.${i}`));
        if (round % 2) {
            await a.close();
        } else {
            await a.next('chat_updates');
            a.terminate();
        }
    }
    for (const round of [1, 3])
        await until(`round ${round}`, () => messages(o).some((m) => m.text === `${round}.20`));
    /* the others are run in order, without holes, up to what had come */
    const all = await said(confab, owner, chat);
    assert.deepEqual(all.map(({ messageId }) => messageId), numbers(1, all.length));
    for (let round = 0; round < 5; round++) {
        const mine = all.map((m) => m.text).filter((one) => one.startsWith(`${round}.`));
        assert.deepEqual(mine, numbers(1, mine.length).map((i) => `${round}.${i}`));
    }
});

test('what is said before the initial data has come waits for it', async () => {
    const confab = await started;
    const { applicant, chat } = await pair(confab);
    const a = knock(confab, applicant, 'bare');
    a.ws.on('open', () => {
        for (let i = 1; i <= 300; i++)
            a.send('send_message', text(chat, `${i}`));
        a.send('nonsense', {});
    });
    await a.expect('initial_data');
    await until('everything', () => a.of('chat_unread').length + a.of('debug_info').length >= 301);
    const good = messages(a).map((m) => Number(m.text));
    assert.deepEqual(messages(a).map(({ messageId }) => messageId), numbers(1, good.length));
    assert.deepEqual(good, [...good].sort((x, y) => x - y));
    assert.deepEqual(good.slice(0, 200), numbers(1, 200));
    assert.equal(a.closed, null);
});

test('a restart of the relay: clients come again, and nothing that was acknowledged is missing or there twice', async () => {
    await withInstance({ systems: 'eventchat', env: AMPLE }, async (confab) => {
        const { owner, applicant, chat } = await pair(confab);
        const sockets = [await connect(confab, applicant, 'websocket', { reconnection: true }), await connect(confab, owner, 'polling', { reconnection: true }),
            await connect(confab, owner, 'websocket', { reconnection: true })];
        const [a] = sockets;
        const acknowledged = new Map();
        let sent = 0;
        for (let round = 1; round <= 3; round++) {
            const before = sockets.map((socket) => socket.connects);
            for (let i = 0; i < 30; i++) {
                const what = `${++sent}`;
                a.ask('send_message', text(chat, what)).then(({ ok, messageId }) => ok && acknowledged.set(messageId, what));
            }
            await until('an acknowledgement', () => acknowledged.size > (round - 1) * 5);
            await confab.relays[0].restart();
            await until('everybody to be back', () => sockets.every((socket, i) => socket.connects > before[i]
                && socket.of('initial_data').length > before[i]));
        }
        a.ask('send_message', text(chat, 'the end'));
        for (const socket of sockets)
            await until('the end', () => messages(socket).some((m) => m.text === 'the end'));
        const all = await said(confab, owner, chat);
        assert.deepEqual(all.map(({ messageId }) => messageId), numbers(1, all.length));
        for (const [id, what] of acknowledged)
            assert.equal(all[id - 1].text, what);
        assert.deepEqual(all.map((m) => Number(m.text)).filter(Boolean), [...new Set(all.map((m) => Number(m.text)))].filter(Boolean).sort((x, y) => x - y));
    });
});

test('a relay that is told to stop does first what it was asked', async () => {
    await withInstance({ systems: 'eventchat', env: { ...AMPLE, CONFAB_WRITE_WAIT_MS: '20000' } }, async (confab) => {
        const { owner, applicant, chat } = await pair(confab);
        const sockets = [await connect(confab, applicant, 'bare'), await connect(confab, owner, 'websocket')];
        const release = await holdWrites(confab);
        for (const socket of sockets) {
            for (let i = 1; i <= 20; i++)
                socket.send('send_message', text(chat, `${socket.framing}.${i}`));
            socket.send('nonsense', {});
            await socket.next('debug_info');    /* at once, behind the others: they were taken */
        }
        const [relay] = confab.relays;
        const stopping = relay.stop();
        await Promise.all(sockets.map((socket) => socket.ended()));
        await release();
        await stopping;
        await relay.start();
        const all = await said(confab, owner, chat, { relay: 0 });
        assert.deepEqual(all.map(({ messageId }) => messageId), numbers(1, 40));
        for (const { framing } of sockets)
            assert.deepEqual(all.map((m) => m.text).filter((one) => one.startsWith(framing)), numbers(1, 20).map((i) => `${framing}.${i}`));
    });
});

test('two relays: a command here is told there, and answered here behind its events', async () => {
    await withInstance({ systems: 'eventchat', relays: 2, env: AMPLE }, async (confab) => {
        const { owner, applicant, chat } = await pair(confab);
        const a = await connect(confab, applicant, 'websocket');
        const there = await connect(confab, applicant, 'bare', { relay: 1 });
        const o = await connect(confab, owner, 'bare', { relay: 1 });
        const answers = numbers(1, 50).map((i) => a.ask('send_message', text(chat, `${i}`)));
        for (const socket of [there, o])
            await socket.count('chat_unread', 50);
        assert.deepEqual((await Promise.all(answers)).map(({ messageId }) => messageId), numbers(1, 50));
        checkAnswers(a);
        for (const socket of [a, there, o])
            assert.deepEqual(messages(socket).map(({ messageId }) => messageId), numbers(1, 50));
        o.send('read_messages', { chatId: chat, lastReadedMessageId: 50 });
        assert.equal((await a.next(([name, { interlocutorUnreadCount }]) => name === 'chat_unread' && interlocutorUnreadCount === 0)).chatId, chat);
    });
});
