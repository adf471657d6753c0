/* A send that is repeated is one message.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine, refused } from '../lib/assert.mjs';
import { instance, test } from '../lib/instance.mjs';

const started = instance({ auth: 'trusted', handlers: 3 });

async function room(confab, name) {
    const dialog = await confab.dialog([`${name}-a`, `${name}-b`]);
    const a = confab.api(`${name}-a`);
    const post = (body, key) => a.post(`/dialogs/${dialog}/messages`, body, key === undefined ? {} : { headers: { 'Idempotency-Key': key } });
    return { dialog, a, b: confab.api(`${name}-b`), post };
}

test('five at once: one message, one event, five equal answers', async () => {
    const confab = await started;
    const { dialog, a, post } = await room(confab, 'five');
    const socket = await confab.socket('five-b');
    const answers = await Promise.all(Array.from({ length: 5 }, () => post({ content: '<p>once</p>' }, 'key-1')));
    const data = answers.map((one) => fine(one));
    for (const one of data)
        assert.deepEqual(one, data[0]);
    assert.equal((await a.messages(dialog)).messages.length, 2);
    const frames = await confab.drain(socket);
    assert.deepEqual(frames.map((frame) => [frame.type, frame.id]), [['message.new', data[0].id]]);
});

test('the body field does the same, and comes back', async () => {
    const confab = await started;
    const { a, b, dialog, post } = await room(confab, 'field');
    const socket = await confab.socket('field-b');
    const first = fine(await post({ content: 'x', client_message_id: 'mine-1' }));
    assert.equal(first.client_message_id, 'mine-1');
    assert.deepEqual(fine(await post({ content: 'x', client_message_id: 'mine-1' })), first);
    const frame = await socket.next('message.new');
    assert.equal(frame.client_message_id, 'mine-1');
    assert.deepEqual(await confab.drain(socket), []);
    /* the header wins */
    const other = fine(await post({ content: 'x', client_message_id: 'mine-1' }, 'header-1'));
    assert.notEqual(other.id, first.id);
    assert.equal(other.client_message_id, 'mine-1');
    /* without a key two posts are two messages */
    assert.notEqual(fine(await post({ content: 'x' })).id, fine(await post({ content: 'x' })).id);
    assert.ok(!('client_message_id' in fine(await post({ content: 'x' }, 'header-2'))));
    assert.ok(!('client_message_id' in (await b.messages(dialog)).messages.at(-1)));
    assert.ok(a);
});

test('another request under the same key is 409, and unique means per user and dialog', async () => {
    const confab = await started;
    const one = await room(confab, 'uniq');
    const first = fine(await one.post({ content: 'x' }, 'k'));
    refused(await one.post({ content: 'y' }, 'k'), 409, 'IDEMPOTENCY_CONFLICT');
    refused(await one.post({ content: 'x', reply_to: first.id }, 'k'), 409, 'IDEMPOTENCY_CONFLICT');
    assert.deepEqual(fine(await one.post({ content: 'x', reply_to: null }, 'k')), first);
    const byB = fine(await one.b.post(`/dialogs/${one.dialog}/messages`, { content: 'z' }, { headers: { 'Idempotency-Key': 'k' } }));
    assert.notEqual(byB.id, first.id);
    const elsewhere = await confab.dialog(['uniq-a']);
    assert.notEqual(fine(await one.a.post(`/dialogs/${elsewhere}/messages`, { content: 'q' }, { headers: { 'Idempotency-Key': 'k' } })).id, first.id);
});

test('a refused send keeps nothing', async () => {
    const confab = await started;
    const { dialog, a, post } = await room(confab, 'fail');
    refused(await post({ content: ' ' }, 'k'), 400, 'INVALID_INPUT');
    fine(await post({ content: 'now with words' }, 'k'));
    const outside = confab.api('fail-x');
    const send = () => outside.post(`/dialogs/${dialog}/messages`, { content: 'x' }, { headers: { 'Idempotency-Key': 'k2' } });
    refused(await send(), 403, 'NOT_PARTICIPANT');
    fine(await confab.admin.post(`/dialogs/${dialog}/participants`, { user_id: 'fail-x', display_name: 'X' }), 201);
    fine(await send());
    assert.equal((await a.messages(dialog)).messages.length, 3);
});

test('what a key may be', async () => {
    const confab = await started;
    const { post } = await room(confab, 'key');
    fine(await post({ content: 'x' }, 'k'.repeat(128)));
    fine(await post({ content: 'x' }, '!~"\\'));
    for (const key of ['k'.repeat(129), 'a b', 'ä'])
        refused(await post({ content: 'x' }, key), 400, null);
    for (const id of ['', 'k'.repeat(129), 'a b', 'é', 'a\u0000', '\u007f'])
        refused(await post({ content: 'x', client_message_id: id }), 400, null);
    refused(await post({ content: 'x', client_message_id: 7 }), 400, 'BAD_REQUEST');
    fine(await post({ content: 'x', client_message_id: null }));
});

test('a repeat after the message was deleted makes nothing new', async () => {
    const confab = await started;
    const { dialog, a, post } = await room(confab, 'late');
    const first = fine(await post({ content: 'short-lived' }, 'k'));
    fine(await a.delete(`/dialogs/${dialog}/messages/${first.id}`), 204);
    const again = await post({ content: 'short-lived' }, 'k');
    assert.ok(again.status < 500, again.text);
    if (again.status === 200)
        assert.equal(fine(again).id, first.id);
    assert.equal((await a.messages(dialog)).messages.length, 1);
});
