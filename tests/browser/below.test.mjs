/* The pages of named events below a path of a web server that serves other things, too; and their line.
 * SPDX-License-Identifier: MIT
 */
import assert from 'node:assert/strict';
import { instance, test } from '../lib/instance.mjs';
import { EventLine } from '../../www/js/event-line.js';
import { Tab } from './tab.mjs';

const started = instance({ systems: 'conversations,eventchat', base: '/some/where' });

test('both pages work below a path, and link to each other', async () => {
    const confab = await started;
    const people = [1, 2].map((id) => ({ id, name: `id${id}`, token: confab.token(id, { name: `Person ${id}` }) }));
    const one = await Tab.open(confab, 'one', { query: `conversations/#token=${people[0].token}` });
    await one.status('live');
    await one.at('.item', { hasText: 'Everybody' }).click();
    await one.at('.log', { hasText: 'Begin!' }).waitFor();
    await one.say('from below');
    await one.said('from below');
    const asked = one.page.waitForResponse(/demo-people\.json$/);
    one.expected = /status of 404/;
    await one.at('.elsewhere a[href="../eventchat/"]').click();
    assert.equal(new URL((await asked).url()).pathname, '/some/where/demo-people.json');
    await one.at('#left .pane-door').waitFor();
    await one.clean();
    const two = await Tab.open(confab, 'two', { query: `eventchat/#left=${people[0].token}&right=${people[1].token}` });
    await two.at('#left .status[data-state="live"]').waitFor();
    await two.at('#left .new-event').click();
    await two.page.fill('[name="name"]', 'Below');
    await two.page.keyboard.press('Enter');
    await two.at('#right .meeting', { hasText: 'Below' }).locator('[data-act="chat"]').click();
    await two.at('#right .composer textarea').fill('from below');
    await two.at('#right .composer textarea').press('Enter');
    await two.at('#left .chats .badge', { hasText: '1' }).waitFor();
    await two.clean();
});

test('a line of named events: the token first, one close is final', () => {
    const heard = [], sockets = [];
    class FakeSocket {
        readyState = 1;
        constructor() { sockets.push(this); }
        send(text) { heard.push(text); }
        close(code) { heard.push(`close ${code}`); }
    }
    const line = new EventLine({ WebSocket: FakeSocket, url: () => 'ws://x/', token: 'abc', first: 'connected', onUp: (data) => heard.push(data),
                                 onEvent: (name, data) => heard.push([name, data]), onState: (up) => heard.push(up),
                                 onRefused: () => heard.push('refused') });
    sockets[0].onopen();
    for (const frame of [{ event: 'connected', data: { user_id: 1 } }, { event: 'pong', data: null }, { event: 'news', data: [1] }])
        sockets[0].onmessage({ data: JSON.stringify(frame) });
    assert.equal(line.emit('say', { a: 1 }), true);
    sockets[0].onclose({ code: 1006 });
    assert.equal(line.emit('say', {}), false);
    line.wake();
    sockets[1].onclose({ code: 4401 });
    line.wake();
    assert.equal(sockets.length, 2);
    assert.deepEqual(heard, ['{"event":"auth","data":{"token":"abc"}}', true, { user_id: 1 }, ['news', [1]], '{"event":"say","data":{"a":1}}',
                             false, false, 'refused']);
});
