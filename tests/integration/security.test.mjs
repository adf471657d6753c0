/* What somebody with a good credential and bad intentions may try against the others.
 * SPDX-License-Identifier: MIT
 */
import net from 'node:net';
import { assert, fine, refused } from '../lib/assert.mjs';
import { instance, test } from '../lib/instance.mjs';

const started = instance({ auth: 'jwt' });

/* The parser closes the paragraph and opens the formatting anew in the next, attributes and all. */
const repeated = (title, paragraphs) => `<p><b title="${'&'.repeat(title)}">${'<p>x'.repeat(paragraphs)}`;

test('markup that the parser multiplies is refused, and leaves nothing behind', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['bomb-a', 'bomb-b']);
    const a = confab.api('bomb-a');
    const b = await confab.socket('bomb-b');
    const { id } = await a.send(dialog, 'before');
    for (const bomb of [repeated(46000, 300), repeated(20000, 300), repeated(12000, 20)]) {
        refused(await a.post(`/dialogs/${dialog}/messages`, { content: bomb }), 400, 'INVALID_INPUT');
        refused(await a.put(`/dialogs/${dialog}/messages/${id}`, { content: bomb }), 400, 'INVALID_INPUT');
    }
    fine(await a.post(`/dialogs/${dialog}/messages`, { content: repeated(100, 300) }));
    /* what grows honestly stays: every link is spelled out */
    const links = await a.send(dialog, `${'<a>'.repeat(16000)}x`);
    assert.ok(links.content.length > 500000);
    assert.equal((await b.next({ type: 'message.new', id: links.id })).content, links.content);
    assert.equal((await a.messages(dialog)).messages.length, 4);
});

test('what was missed is bounded in bytes, not only in events', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['large-a']);
    const a = confab.api('large-a');
    const since = (await a.ok('GET', '/sync')).seq;
    const sent = [];
    for (let i = 0; i < 24; i++)
        sent.push((await a.send(dialog, `${'<a>'.repeat(16000)}${i}`)).id);
    const heard = [];
    let pages = 0;
    for (let page = { seq: since, more: true }; page.more; pages++) {
        const answer = await a.get(`/sync?since=${page.seq}&limit=500`);
        assert.ok(answer.text.length < 12 << 20, `${answer.text.length} bytes in one answer`);
        page = fine(answer);
        heard.push(...page.events.map((frame) => frame.id));
    }
    assert.deepEqual(heard, sent);
    assert.ok(pages > 1);
    const socket = await confab.socket('large-a', { query: `token=${confab.token('large-a')}&since=${since}` });
    assert.equal(socket.hello.resumed, false);
});

test('who asks for a socket and hangs up before the answer harms nobody', async () => {
    const confab = await started;
    const relay = confab.relays[0];
    const other = await confab.socket('rude-other', { relay: 0 });
    const target = `/api/v1/ws?token=${confab.token('rude-a')}`;
    const head = `GET ${target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
        + 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
    /* asked and gone while the relay cannot look: it finds both at once */
    relay.signal('SIGSTOP');
    await Promise.all(Array.from({ length: 60 }, () => new Promise((resolve) => {
        const socket = net.connect(relay.socket, () => socket.write(head, () => socket.destroy()));
        socket.on('error', resolve);
        socket.on('close', resolve);
    })));
    relay.signal('SIGCONT');
    other.send({ type: 'ping' });
    await other.next('pong');
    /* and none of them counts any more */
    for (let i = 0; i < 50; i++)
        await confab.socket('rude-a', { relay: 0 });
    assert.equal(relay.starts, 1);
    assert.ok(relay.running);
});
