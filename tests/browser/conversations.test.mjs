/* The page of conversations: members, onlookers, the chat without names; several tabs, several people.
 * SPDX-License-Identifier: MIT
 */
import assert from 'node:assert/strict';
import { instance, test } from '../lib/instance.mjs';
import { request } from '../lib/http.mjs';
import { named, readable } from './looks.mjs';
import { Tab, noSocket } from './tab.mjs';

const started = instance({ systems: 'conversations' });

let users = 0;

/* A new user's token. */
const person = (confab, name) => ({ id: ++users, name, token: confab.token(users, { name }) });

/* A live tab of that user. */
async function tab(confab, who, { hash = '', ...options } = {}) {
    const one = await Tab.open(confab, who.name, { query: `conversations/#token=${who.token}`, ...options });
    await one.status('live');
    await one.at('#me', { hasText: who.name }).waitFor();
    if (hash)
        await one.page.evaluate((to) => { location.hash = to; }, hash);
    return one;
}

async function call(confab, who, method, path, body) {
    const { status, json, text } = await request(confab.port, method, `/v1/${path}`, { body, headers: { Authorization: `Bearer ${who.token}` } });
    assert.equal(status, 200, text);
    return json;
}

/* By the form of the page; its id. */
async function begin(one, name) {
    await one.at('#new').click();
    await one.page.fill('[name="name"]', name);
    await one.page.keyboard.press('Enter');
    await one.at('#talk-title', { hasText: name }).waitFor();
    return Number(await one.page.evaluate(() => location.hash.slice(2)));
}

const sub = (one, text) => one.at('#talk-sub', { hasText: text }).waitFor();
const onScreen = (one) => one.at('#others-title').waitFor();

async function menu(one, act) {
    await one.at('#menu summary').click();
    await one.at(`[data-act="${act}"]`).click();
}

test('one begins, one watches, joins, writes, leaves; both see all of it', async () => {
    const confab = await started;
    const people = ['Anna', 'Ben'].map((name) => person(confab, name));
    const [anna, ben] = await Promise.all(people.map((one) => tab(confab, one)));
    await begin(anna, 'Kitchen talk');
    await anna.said('Создана беседа.');
    await sub(anna, '1 member: Anna');
    await ben.item('Kitchen talk').click();
    await ben.at('#watching').waitFor();
    assert.equal(await ben.at('#composer').isVisible(), false);
    await sub(anna, '1 member, 1 watching: Anna');
    await sub(ben, '1 member, 1 watching');
    await anna.say('Hello <b>whoever</b> watches\nsecond line');
    await ben.said('second line');
    await ben.at('#join').click();
    await ben.at('#composer').waitFor();
    await anna.at('.system', { hasText: 'Ben joined' }).waitFor();
    for (const one of [anna, ben])
        await sub(one, /^2 members: Anna, Ben$/);
    await ben.say('Now I may write');
    await anna.said('Now I may write');
    for (const one of [anna, ben])
        assert.deepEqual(await one.texts(), ['Создана беседа.', 'Hello <b>whoever</b> watches\nsecond line', 'Now I may write']);
    assert.equal(await anna.at('#news p').last().innerText(), 'Ben: Now I may write');
    for (const colorScheme of ['light', 'dark']) {
        await anna.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await readable(anna, '.text, .meta, .who, .system span, .item-title, .item-last, #status, #talk-sub, .day span, .list-title, .elsewhere a, #new');
    }
    await named(anna);
    await named(ben);
    await anna.page.emulateMedia({ colorScheme: 'light' });
    await anna.shot('conversations');
    await menu(ben, 'leave');
    await ben.at('#nothing').waitFor();
    await anna.at('.system', { hasText: 'Ben left' }).waitFor();
    await sub(anna, /^1 member: Anna$/);
    await anna.clean();
    await ben.clean();
});

test('badges count what was not seen, in every tab of a user', async () => {
    const confab = await started;
    const [carol, dave] = ['Carol', 'Dave'].map((name) => person(confab, name));
    const one = await tab(confab, carol);
    const id = await begin(one, 'Badges');
    const other = await tab(confab, dave);
    await call(confab, dave, 'POST', `conversations/join/${id}`);
    await other.item('Badges').waitFor();
    await one.say('first');
    await one.say('second');
    await other.item('Badges').locator('.badge', { hasText: '2' }).waitFor();
    assert.equal(await other.item('Badges').locator('.item-last').innerText(), 'second');
    await other.until('the title', () => document.title.startsWith('(2) '));
    const again = await tab(confab, dave);
    await again.item('Badges').locator('.badge', { hasText: '2' }).waitFor();
    await other.choose('Badges');
    await other.item('Badges').locator('.badge').waitFor({ state: 'detached' });
    await other.until('the title', () => !document.title.startsWith('('));
    const { conversations } = await call(confab, dave, 'GET', 'conversations/get');
    assert.equal(conversations.find((c) => c.id === id).unreadCount, 0);
    for (const each of [one, other, again])
        await each.clean();
});

test('the chat of everybody tells nobody who writes', async () => {
    const confab = await started;
    const people = ['Erin', 'Frank'].map((name) => person(confab, name));
    const [erin, frank] = await Promise.all(people.map((one) => tab(confab, one, { hash: '#/0' })));
    const frames = [];
    frank.page.on('response', async (answer) => { if (answer.url().includes('messages/get')) frames.push(await answer.text()); });
    for (const one of [erin, frank])
        await one.at('.log', { hasText: /Begin|\w/ }).waitFor();
    await frank.until('it has been read', () => !document.querySelector('.log').textContent.includes('Loading'));
    await erin.until('it has been read', () => !document.querySelector('.log').textContent.includes('Loading'));
    await erin.say('I say this unnamed');
    await frank.said('I say this unnamed');
    await erin.said('I say this unnamed');
    assert.equal(await frank.at('.msg.mine, .msg .who, .msg .avatar').count(), 0);
    assert.equal(await erin.at('.msg.mine').count(), 0);
    await frank.page.reload();
    await frank.said('I say this unnamed');
    assert.ok(frames.length > 0 && frames.every((text) => !/Erin|user_id|avatar/.test(text)), frames.join('\n'));
    await erin.clean();
    await frank.clean();
});

test('who closes the page watches no more; deleting takes the page away', async () => {
    const confab = await started;
    const people = ['Grace', 'Heidi', 'Ivan'].map((name) => person(confab, name));
    const [grace, heidi, ivan] = await Promise.all(people.map((one) => tab(confab, one)));
    await begin(grace, 'Short-lived');
    await heidi.choose('Short-lived');
    await ivan.choose('Short-lived');
    await sub(grace, '2 watching');
    await ivan.clean();
    await sub(grace, '1 watching');
    await menu(grace, 'delete');
    await heidi.at('#notice', { hasText: 'gone' }).waitFor();
    for (const one of [grace, heidi]) {
        await one.at('#nothing').waitFor();
        assert.equal(await one.item('Short-lived').count(), 0);
        await one.clean();
    }
});

test('refusals are shown, texts come back', async () => {
    const confab = await started;
    const judy = person(confab, 'Judy');
    const one = await tab(confab, judy, { expected: /status of (40|50)\d/ });
    await begin(one, 'Mine alone');
    await one.at('#new').click();
    await one.page.fill('[name="name"]', 'Mine alone');
    await one.page.keyboard.press('Enter');
    await one.at('.dialog .refused', { hasText: 'already' }).waitFor();
    await one.at('#dialog-close').click();
    await one.page.route('**/messages/send', (route) => route.fulfill({ status: 500, json: { response: false, error: { code: 107, message: 'Busy' } } }));
    await one.say('Precious words');
    await one.at('#notice', { hasText: 'Busy' }).waitFor();
    assert.equal(await one.page.inputValue('#text'), 'Precious words');
    await one.clean();
    const nobody = await Tab.open(confab, 'nobody', { query: 'conversations/', expected: /status of 404/ });
    await nobody.page.fill('#door-token-text', 'no token');
    await nobody.at('#door-token button').click();
    await nobody.at('#door-why', { hasText: 'no token' }).waitFor();
    await nobody.page.fill('#door-token-text', `${judy.token.slice(0, -4)}AAAA`);
    await nobody.at('#door-token button').click();
    await nobody.at('#door-why', { hasText: 'refused' }).waitFor();
    assert.equal(await nobody.page.evaluate(() => sessionStorage.length), 0);
    await nobody.clean();
});

test('another name is shown to all; a demo hands out its people', async () => {
    const confab = await started;
    const [one, two] = [1000, 1001].map((id) => ({ id, name: `id${id}`, token: confab.token(id) }));
    const first = await Tab.open(confab, 'demo', { query: 'nothing' , expected: /status of 404/ });
    await first.page.route('**/demo-people.json', (route) => route.fulfill({ json: [{ ...one, name: 'Kim' }, { ...two, name: 'Lee' }] }));
    await first.page.goto(`${first.home}conversations/`);
    await first.at('.door-user', { hasText: 'Kim' }).click();
    await first.status('live');
    assert.match(first.page.url(), /\?user=1000$/);
    await first.at('#me').click();
    await first.page.fill('[name="name"]', 'Kim the <i>First</i>');
    await first.page.keyboard.press('Enter');
    await first.at('#me', { hasText: 'Kim the <i>First</i>' }).waitFor();
    await begin(first, 'Names');
    await first.say('who am I?');
    const second = await tab(confab, two);
    await second.choose('Names');
    await second.at('.who', { hasText: 'Kim the <i>First</i>' }).first().waitFor();
    await first.clean();
    await second.clean();
});

test('older messages come by scrolling, without moving what one reads', async () => {
    const confab = await started;
    const mia = person(confab, 'Mia');
    const one = await tab(confab, mia);
    const id = await begin(one, 'Long');
    for (let i = 0; i < 130; i++)
        await call(confab, mia, 'POST', 'messages/send', { conversation_id: id, text: `number ${i}.` });
    await one.said('number 129.');
    await one.page.reload();
    await one.said('number 129.');
    assert.ok(await one.at('.msg').count() < 131);
    await one.until('the first', () => {
        document.querySelector('#scroll').scrollTop = 0;
        return document.querySelectorAll('.msg').length === 131;
    });
    assert.deepEqual((await one.texts()).slice(1), Array.from({ length: 130 }, (_, i) => `number ${i}.`));
    await one.clean();
});

test('after the relay was away everything is there, and watching goes on', async () => {
    const confab = await started;
    const people = ['Nina', 'Otto'].map((name) => person(confab, name));
    const [nina, otto] = await Promise.all(people.map((one) => tab(confab, one, { expected: noSocket })));
    await begin(nina, 'Away');
    await otto.choose('Away');
    await sub(nina, '1 watching');
    await confab.relays[0].stop();
    await nina.status('connecting');
    await confab.relays[0].start();
    for (const one of [nina, otto])
        await one.status('live');
    await sub(nina, '1 watching');
    await nina.say('back again');
    await otto.said('back again');
    await nina.clean();
    await otto.clean();
});

test('on a phone: one pane at a time, nothing too wide; in the dark it is dark', async () => {
    const confab = await started;
    const who = person(confab, 'Somebody with quite a long name, too');
    const phone = { viewport: { width: 360, height: 700 }, hasTouch: true, isMobile: true, colorScheme: 'dark' };
    const one = await tab(confab, who, phone);
    const fits = () => one.until('nothing too wide', () => document.documentElement.scrollWidth <= innerWidth);
    await begin(one, 'A conversation with quite a long name, for phones');
    await one.say(`a word ${'verylong'.repeat(40)}`);
    await one.said('a word');
    await fits();
    await one.shot('conversations-phone');
    await one.at('#back').tap();
    await one.at('#new').waitFor();
    await fits();
    await one.shot('conversations-phone-list');
    await one.clean();
});

test('everything by keyboard', async () => {
    const confab = await started;
    const one = await tab(confab, person(confab, 'Pat'));
    await onScreen(one).catch(() => {});
    await one.page.focus('#new');
    await one.page.keyboard.press('Enter');
    await one.page.keyboard.type('Typed');
    await one.page.keyboard.press('Enter');
    await one.at('#talk-title', { hasText: 'Typed' }).waitFor();
    await one.page.keyboard.type('line one');
    await one.page.keyboard.press('Shift+Enter');
    await one.page.keyboard.type('line two');
    await one.page.keyboard.press('Enter');
    await one.at('.msg.mine:not(.pending)', { hasText: 'line two' }).waitFor();
    assert.equal((await one.texts()).at(-1), 'line one\nline two');
    await one.page.focus('#menu summary');
    await one.page.keyboard.press('Enter');
    await one.page.keyboard.press('Tab');
    await one.page.keyboard.press('Enter');
    await one.at('.members', { hasText: 'Pat' }).waitFor();
    await one.page.keyboard.press('Escape');
    await one.clean();
});
