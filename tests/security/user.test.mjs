/* Another user: a good credential and bad intentions. Plays docs/security.md.
 * SPDX-License-Identifier: MIT
 */
import net from 'node:net';
import { NOWHERE, assert, fine, refused } from '../lib/assert.mjs';
import { instance, test } from '../lib/instance.mjs';
import { register } from '../lib/rooms.mjs';
import { everyRoute } from './routes.mjs';

const started = instance({ systems: 'mtchat,rooms', auth: 'jwt' });

/* An answer without what is of the moment. */
const shape = (answer) => JSON.stringify([answer.status, Object.keys(answer.headers).sort(), answer.headers['content-length'], answer.text]);

test('Somebody else\'s room looks like one that is missing, on every path', async () => {
    const confab = await started;
    const [anna, mallory] = [await register(confab), await register(confab)];
    const room = await anna.room('a secret', ['Cook', 'Critic']);
    await mallory.room('own');
    const ids = { room_id: room.id, agent_id: room.agents.Cook.id, key_id: (await anna.ok('POST', `/api/rooms/${room.id}/runners`, { name: 'k' })).id, plan_id: '1', template_id: '1' };
    const missing = Object.fromEntries(Object.keys(ids).map((name) => [name, '999999999']));
    const routes = (await everyRoute(confab, () => '')).filter(({ path, who }) => path.includes('/:room_id') && who === 'user');
    assert.ok(routes.length > 20);
    for (const { method, path } of routes) {
        const body = method === 'GET' || method === 'DELETE' ? undefined
            : { text: 'x', name: 'x', description: 'x', speed: 1, agent1Id: ids.agent_id, agent2Id: room.agents.Critic.id, sympathyLevel: 0.5 };
        const at = (from) => path.replace(/:(\w+)/g, (whole, name) => from[name]);
        const [other, none] = [await mallory.call(method, at(ids), body), await mallory.call(method, at(missing), body)];
        assert.ok([403, 404].includes(other.status), `${method} ${path}: ${other.status} ${other.text}`);
        assert.equal(shape(other), shape(none), `${method} ${path}`);
    }
    for (const kind of ['chat', 'graph']) {
        const ends = await Promise.all([room.id, '999999999'].map((id) => mallory.knock(id, kind).ended()));
        assert.deepEqual(ends[0], ends[1]);
    }
    assert.equal((await anna.ok('GET', `/api/rooms/${room.id}`)).name, 'a secret');
    assert.equal((await anna.feed(room.id)).length, 0);
});

test('Who is not in a dialog neither reads nor changes it, by any path', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['anna', 'ben']);
    const said = await confab.api('anna').send(dialog, 'between us');
    const before = JSON.stringify(await confab.api('ben').messages(dialog));
    const mallory = confab.api('mallory');
    const own = await confab.dialog(['mallory']);
    const routes = (await everyRoute(confab, (i, name) => ({ id: dialog, mid: said.id, object_type: 'thing', object_id: 'object-1' })[name] ?? 'x'))
        .filter(({ path, who }) => path.startsWith('/api/v1/dialogs') && who === 'user');
    assert.ok(routes.length > 15);
    for (const { method, target } of routes) {
        const answer = await mallory.call(method, target, method === 'GET' ? undefined : { content: 'x', last_read_message_id: said.id, display_name: 'M', enabled: true },
            { absolute: true, scope: [[], [], []] });
        assert.ok(!answer.text.includes('between us') && !answer.text.includes('anna'), `${method} ${target}: ${answer.text}`);
        if (target.includes(dialog) && !target.endsWith('/leave'))      /* which says so also to who was never there */
            assert.ok([400, 403, 404].includes(answer.status), `${method} ${target}: ${answer.status} ${answer.text}`);
    }
    refused(await mallory.post(`/dialogs/${own}/messages`, { content: 'x', reply_to: said.id }), 400);
    refused(await mallory.post(`/dialogs/${own}/read`, { last_read_message_id: said.id }), 400);
    refused(await mallory.get(`/dialogs/${own}/messages/${said.id}`), 404);
    refused(await mallory.put(`/dialogs/${own}/messages/${said.id}`, { content: 'x' }), 404);
    assert.equal((await mallory.get(`/dialogs/${NOWHERE}/messages`)).text, (await mallory.get(`/dialogs/${dialog}/messages`)).text);
    assert.ok(!(await mallory.get('/sync?since=0')).text.includes('between us'));
    assert.equal(JSON.stringify(await confab.api('ben').messages(dialog)), before);
});

test('Of what others say nothing is heard', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['heard-a', 'heard-b']);
    const mallory = await confab.socket('heard-m');
    await confab.api('heard-a').send(dialog, 'not for all');
    await confab.api('heard-b').send(dialog, 'nor this');
    assert.deepEqual((await confab.drain(mallory)).filter((frame) => JSON.stringify(frame).includes(dialog)), []);
});

test('An idempotency key is its user\'s own', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['key-a', 'key-b']);
    const headers = { 'Idempotency-Key': 'the-same' };
    const a = fine(await confab.api('key-a').post(`/dialogs/${dialog}/messages`, { content: 'mine' }, { headers }));
    const b = fine(await confab.api('key-b').post(`/dialogs/${dialog}/messages`, { content: 'mine' }, { headers }));
    assert.notEqual(a.id, b.id);
    assert.equal(b.sender_id, 'key-b');
    fine(await confab.api('key-b').post(`/dialogs/${await confab.dialog(['key-b'])}/messages`, { content: 'elsewhere' }, { headers: { 'Idempotency-Key': 'another' } }));
});

const NASTY = ["'", "''", "' OR '1'='1", "'; DROP TABLE event; --", '"', '""', '%', '_', '\\', '\\%', '%%%', '[a-z]*', '*', '{"a":1}', '","x":"', '\\u0022', '${7*7}', '{{7*7}}', '$(id)', '`id`', '%s%n', '../../etc/passwd',
    '\u202e', '\u2028', '\ud83c\udfad', '\r\nX: y', '\u001b[2J', '<script>alert(1)</script>', 'NULL', '-1', '1e309', '__proto__', 'constructor'];

test('Text is text: in SQL, in JSON, in a search', async () => {
    const confab = await started;
    const anna = confab.api('text-a');
    await confab.dialog(['text-b'], { title: 'of another' });
    const dialogs = new Map();
    for (const text of NASTY)
        dialogs.set(text, await confab.dialog(['text-a'], { title: text, object_type: text.slice(0, 60), meta: Object.fromEntries([[text, text]]) }));
    for (const [text, dialog] of dialogs) {
        const { id, content } = await anna.send(dialog, `said: ${text.replaceAll('<', '&lt;')}`);
        assert.ok(id && content.length, text);
        const seen = await anna.ok('GET', `/dialogs/${dialog}`);
        assert.deepEqual([seen.title, seen.object_type, seen.meta], [text, text.slice(0, 60), Object.fromEntries([[text, text]])]);
        const found = await anna.ok('GET', `/dialogs?search=${encodeURIComponent(text)}`);
        const list = Array.isArray(found) ? found : found.dialogs;
        for (const one of list)
            assert.ok(one.title.toLowerCase().includes(text.toLowerCase()), `${JSON.stringify(text)} found ${JSON.stringify(one.title)}`);
        assert.ok(list.some((one) => one.id === dialog) || text.trim() !== text || list.length === 20, `${JSON.stringify(text)} finds itself`);
    }
    const owner = await register(confab);
    for (const text of NASTY) {
        const room = await owner.room(`n${text}n`, []);
        assert.equal((await owner.ok('GET', `/api/rooms/${room.id}`)).name, `n${text}n`);
    }
    assert.ok((await confab.ctl('prune')) !== undefined);       /* every table is there */
});

const ALLOWED = /^(?:[^<>]|<\/?(?:p|br|b|strong|i|em|u|s|strike|del|code|pre|blockquote|ul|ol|li|a|span|h[1-6]|hr)(?: (?:href|target|rel|title|class)="[^"<>]*")*\s*\/?>)*$/;

test('Of markup only what cannot act is left', async () => {
    const confab = await started;
    const dialog = await confab.dialog(['markup']);
    const a = confab.api('markup');
    const attempts = ['<script>alert(1)</script>x', '<img src=x onerror=alert(1)>x', '<svg><script>alert(1)</script></svg>x', '<a href="javascript:alert(1)">x</a>', '<a href="java\tscript:alert(1)">x</a>',
        '<a href="&#106;avascript:alert(1)">x</a>', '<a href=" \u0001javascript:alert(1)">x</a>', '<a href="data:text/html,<script>alert(1)</script>">x</a>', '<a href="vbscript:x">x</a>', '<b onclick=alert(1)>x</b>',
        '<b style="background:url(javascript:x)">x</b>', '<iframe src=//evil>x</iframe>', '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">x', '<noscript><p title="</noscript><img src=x onerror=alert(1)>">x',
        '<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>x', '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">x', '<template><script>x</script></template>x', '<base href=//evil>x', '<object data=x>x</object>',
        '<meta http-equiv=refresh content=0;url=//evil>x', '<x/onclick=alert(1)>x', '<<script>script>alert(1)<</script>/script>x', '<a href=x onmouseover="x">x</a>', '<textarea><img title="</textarea><img src onerror=x>">x', '<!--<img src="--><img src=x onerror=x>">x', '<b title=\'"><script>x</script>\'>x</b>'];
    for (const content of attempts) {
        const answer = await a.post(`/dialogs/${dialog}/messages`, { content });
        if (answer.status === 400)
            continue;
        const kept = fine(answer).content;
        assert.match(kept, ALLOWED, content);
        for (const [, href] of kept.matchAll(/href="([^"]*)"/g))
            assert.match(href, /^(https?:|mailto:|tel:|[/#?]|[^:]*$)/i, content);
    }
});

test('Who repeats himself quickly is cut off, the others do not notice', async () => {
    const confab = await started;
    const [mallory, ben] = [await confab.socket('flood'), await confab.socket('flood-b')];
    for (let i = 0; i < 2000 && !mallory.closed; i++)
        mallory.ws.send('{"type":"ping"}');
    assert.equal((await mallory.ended()).code, 1008);
    ben.send({ type: 'ping' });
    await ben.next('pong');
});

/* The parser closes the paragraph and opens the formatting anew in the next, attributes and all. */
const repeated = (title, paragraphs) => `<p><b title="${'&'.repeat(title)}">${'<p>x'.repeat(paragraphs)}`;

test('Markup that the parser multiplies is refused, and leaves nothing behind', async () => {
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

test('What was missed is bounded in bytes, not only in events', async () => {
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

test('Who asks for a socket and hangs up before the answer harms nobody', async () => {
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
