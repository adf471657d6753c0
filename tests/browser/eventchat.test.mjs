/* The page of event chats: owner and applicant side by side, in one tab and in two.
 * SPDX-License-Identifier: MIT
 */
import assert from 'node:assert/strict';
import { instance, test } from '../lib/instance.mjs';
import { request } from '../lib/http.mjs';
import { named, readable } from './looks.mjs';
import { Tab, noSocket } from './tab.mjs';

const started = instance({ systems: 'eventchat' });

let users = 0;

const person = (confab, name) => ({ id: ++users, name, token: confab.token(users, { name }) });

/* One side of a page: what stands there. */
class Side {
    constructor(tab, id) {
        Object.assign(this, { tab, id });
    }

    at(selector, options) { return this.tab.at(`#${this.id} ${selector}`, options); }
    live() { return this.at('.status[data-state="live"]').waitFor(); }
    message(text) { return this.at('.msg:not(.pending)', { hasText: text }); }
    chat(text) { return this.at('.chats .item', { hasText: text }); }
    meeting(name) { return this.at('.meeting', { hasText: name }); }
    texts() { return this.at('.msg .text').allInnerTexts(); }

    async said(text) {
        await this.message(text).first().waitFor();
        assert.equal(await this.message(text).count(), 1, `"${text}" once at ${this.id}`);
    }

    async say(text) {
        await this.at('.composer textarea').fill(text);
        await this.at('.composer textarea').press('Enter');
    }

    async create(name) {
        await this.at('.new-event').click();
        await this.tab.page.fill('[name="name"]', name);
        await this.tab.page.keyboard.press('Enter');
        await this.meeting(name).waitFor();
    }
}

/* A page with these two on it, live; right may be nobody. */
async function page(confab, left, right, options = {}) {
    const tokens = right ? `left=${left.token}&right=${right.token}` : `left=${left.token}`;
    const tab = await Tab.open(confab, left.name, { query: `eventchat/#${tokens}`, ...options,
                                                    ...(right ? {} : { expected: /status of 404/ }) });
    const sides = (right ? ['left', 'right'] : ['left']).map((id) => new Side(tab, id));
    for (const side of sides)
        await side.live();
    return [tab, ...sides];
}

async function call(confab, who, method, path, body, headers = {}) {
    const { status, json, text } = await request(confab.port, method, `/eventchat/v1/${path}`,
        { body, headers: { Authorization: `Bearer ${who.token}`, ...headers } });
    assert.ok(status === 200 || status === 201, `${status} ${text}`);
    return json;
}

/* A PNG of one colour, as large as asked. */
async function picture(tab, width, height, colour) {
    const base64 = await tab.page.evaluate(async ([w, h, c]) => {
        const canvas = Object.assign(document.createElement('canvas'), { width: w, height: h });
        const context = canvas.getContext('2d');
        context.fillStyle = c;
        context.fillRect(0, 0, w, h);
        return canvas.toDataURL('image/png').split(',')[1];
    }, [width, height, colour]);
    return { name: 'picture.png', mimeType: 'image/png', buffer: Buffer.from(base64, 'base64') };
}

test('owner and applicant on one page: event, chat, unread, request, grant, revoke', async () => {
    const confab = await started;
    const [tab, owner, guest] = await page(confab, person(confab, 'Olga'), person(confab, 'Gleb'));
    await owner.create('Walk by the <i>river</i>');
    await guest.meeting('Walk by the <i>river</i>').locator('[data-act="chat"]').click();
    await guest.at('.talk-who h2', { hasText: 'Walk by the <i>river</i>' }).waitFor();
    await guest.say('Is there room for <b>one</b> more?\nI am quick.');
    await guest.said('I am quick.');
    await owner.chat('Gleb').locator('.badge', { hasText: '1' }).waitFor();
    await guest.at('.theirs', { hasText: '1 not read by Olga' }).waitFor();
    await guest.say('Hello?');
    await owner.chat('Gleb').locator('.badge', { hasText: '2' }).waitFor();
    await owner.chat('Gleb').click();
    await owner.said('Hello?');
    await guest.at('.theirs', { hasText: 'All read' }).waitFor();
    assert.deepEqual(await owner.texts(), ['Is there room for <b>one</b> more?\nI am quick.', 'Hello?']);
    await owner.say('There is. Ask to take part.');
    await guest.said('There is. Ask to take part.');
    await guest.at('.talk-acts [data-act="request"]').click();
    for (const side of [owner, guest])
        await side.at('.talk-sub .chip', { hasText: 'Requested' }).waitFor();
    await owner.at('.talk-acts [data-act="grant"]').click();
    for (const side of [owner, guest])
        await side.at('.talk-sub .chip.on', { hasText: 'Granted' }).waitFor();
    for (const colorScheme of ['light', 'dark']) {
        await tab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await readable(tab, '.text, .meta, .who, .status, .talk-sub, .chip, .theirs, .debug summary, .debug-count, .top-what, .day span, .list-title, .list-empty');
    }
    await named(tab);
    await tab.page.emulateMedia({ colorScheme: 'light' });
    await tab.shot('eventchat');
    await owner.at('.talk-acts [data-act="revoke"]').click();
    await guest.at('.talk-sub .chip', { hasText: 'Requested' }).waitFor();
    assert.equal(await guest.at('.talk-acts button').count(), 0);
    for (const side of [owner, guest]) {
        assert.equal(await side.at('.pending').count(), 0);
        assert.equal(await side.at('.debug-count').innerText(), 'nothing');
    }
    await tab.clean();
});

test('photos go along, alone too, and are seen on the other side', async () => {
    const confab = await started;
    const [tab, owner, guest] = await page(confab, person(confab, 'Paula'), person(confab, 'Fred'));
    await owner.create('Exhibition');
    await guest.meeting('Exhibition').locator('[data-act="chat"]').click();
    await guest.at('.attach input').setInputFiles([await picture(tab, 120, 80, 'teal'), await picture(tab, 80, 120, 'tomato')]);
    await guest.at('.attached img').nth(1).waitFor();
    await guest.at('.attached button').first().click();
    assert.equal(await guest.at('.attached img').count(), 1);
    await guest.at('.composer .send').click();
    await owner.chat('Fred').click();
    const seen = (side, n) => tab.until('the picture', ([id, count]) => {
        const images = [...document.querySelectorAll(`#${id} .msg:not(.pending) .photos img`)];
        return images.length === count && images.every((image) => image.complete && image.naturalHeight === 120);
    }, [side.id, n]);
    await seen(owner, 1);
    await seen(guest, 1);
    await guest.at('.attach input').setInputFiles([await picture(tab, 81, 120, 'gold')]);
    await guest.at('.attached img').first().waitFor();
    await guest.say('with a word');
    await owner.said('with a word');
    await seen(owner, 2);
    await tab.shot('eventchat-photos');
    await tab.clean();
});

test('two pages, three tabs: counts follow everywhere', async () => {
    const confab = await started;
    const [rita, sam] = ['Rita', 'Sam'].map((name) => person(confab, name));
    const { event } = await call(confab, rita, 'POST', 'events', { name: 'Reading', dateFromS: 1, dateToS: 2 });
    const [one, owner] = await page(confab, rita);
    const [two, guest] = await page(confab, sam);
    const [three, again] = await page(confab, rita);
    await call(confab, sam, 'POST', `events/${event.id}/request`, { text: 'May I?' });
    for (const side of [owner, again])
        await side.chat('Sam').locator('.badge', { hasText: '1' }).waitFor();
    await owner.chat('Sam').click();
    await owner.said('May I?');
    await again.chat('Sam').locator('.badge').waitFor({ state: 'detached' });
    await owner.say('Surely');
    await guest.chat('Rita').locator('.badge', { hasText: '1' }).waitFor();
    assert.equal(await again.chat('Sam').locator('.item-last').innerText(), 'You: Surely');
    for (const tab of [one, two, three])
        await tab.clean();
});

test('history comes by scrolling, fifty at a time', async () => {
    const confab = await started;
    const [tom, una] = ['Tom', 'Una'].map((name) => person(confab, name));
    const { event } = await call(confab, tom, 'POST', 'events', { name: 'Long talk', dateFromS: 1, dateToS: 2 });
    for (let i = 1; i <= 120; i++)
        await call(confab, una, 'POST', `events/${event.id}/chat`, { text: `number ${i}.` });
    const [tab, owner] = await page(confab, tom);
    await owner.chat('Una').locator('.badge', { hasText: '120' }).waitFor();
    await owner.chat('Una').click();
    await owner.said('number 120.');
    assert.ok(await owner.at('.msg').count() <= 100);
    await tab.until('the first', () => {
        document.querySelector('#left .scroll').scrollTop = 0;
        return document.querySelectorAll('#left .msg').length === 120;
    });
    assert.deepEqual(await owner.texts(), Array.from({ length: 120 }, (_, i) => `number ${i + 1}.`));
    assert.equal(await owner.at('.log', { hasText: 'Loading' }).count(), 0);
    await tab.clean();
});

test('what the server objects to is shown', async () => {
    const confab = await started;
    const [tab, left, right] = await page(confab, person(confab, 'Vera'), person(confab, 'Will'));
    await left.at('.debug summary').click();
    await left.at('.raw button').click();
    await left.at('.debug-list', { hasText: 'CHAT_NOT_FOUND' }).waitFor();
    await left.at('.raw input').fill('{"event":"dance"}');
    await left.at('.raw button').click();
    await left.at('.debug-list', { hasText: 'UNKNOWN_EVENT' }).waitFor();
    await left.at('.raw input').fill('{"event":"load_history","data":{"chatId":"x","lastMessageId":0}}');
    await left.at('.raw button').click();
    await left.at('.debug-list', { hasText: 'BAD_PAYLOAD' }).waitFor();
    assert.match(await left.at('.debug-list').innerText(), /lastMessageId/);
    assert.equal(await right.at('.debug-count').innerText(), 'nothing');
    await left.live();
    await tab.clean();
});

test('after the relay was away everything is there', async () => {
    const confab = await started;
    const [xena, yuri] = ['Xena', 'Yuri'].map((name) => person(confab, name));
    const { event } = await call(confab, xena, 'POST', 'events', { name: 'Away', dateFromS: 1, dateToS: 2 });
    await call(confab, yuri, 'POST', `events/${event.id}/chat`, { text: 'before' });
    const [tab, owner, guest] = await page(confab, xena, yuri, { expected: noSocket });
    await owner.chat('Yuri').click();
    await guest.chat('Xena').click();
    await confab.relays[0].stop();
    await owner.at('.status[data-state="connecting"]').waitFor();
    await call(confab, yuri, 'POST', `events/${event.id}/chat`, { text: 'meanwhile' });
    await confab.relays[0].start();
    for (const side of [owner, guest]) {
        await side.live();
        await side.said('meanwhile');
    }
    await guest.say('afterwards');
    for (const side of [owner, guest])
        assert.deepEqual(await side.texts().then(async (texts) => texts.length === 3 ? texts
            : (await side.said('afterwards'), side.texts())), ['before', 'meanwhile', 'afterwards']);
    await tab.clean();
});

test('a demo hands out its first two; a bad token is told', async () => {
    const confab = await started;
    const people = [['Ann', 900], ['Bob', 901]].map(([name, id]) => ({ id, name, token: confab.token(id) }));
    const tab = await Tab.open(confab, 'demo', { query: 'nothing', expected: /status of 404/ });
    await tab.page.route('**/demo-people.json', (route) => route.fulfill({ json: people }));
    await tab.page.goto(`${tab.home}eventchat/`);
    const [left, right] = ['left', 'right'].map((id) => new Side(tab, id));
    await left.live();
    await right.live();
    await right.at('.me').click();
    await tab.page.fill('[name="name"]', 'Bob the builder');
    await tab.page.keyboard.press('Enter');
    await right.at('.me', { hasText: 'Bob the builder' }).waitFor();
    await left.at('.me').click();
    await tab.at('#dialog .plain').click();
    await left.at('.door-user', { hasText: 'Bob' }).click();
    await left.live();
    assert.match(tab.page.url(), /left=901/);
    await left.at('.me').click();
    await tab.at('#dialog .plain').click();
    await left.at('.door-token textarea').fill(`${people[0].token.slice(0, -4)}AAAA`);
    await left.at('.door-token button').click();
    await left.at('.door-why', { hasText: 'refused' }).waitFor();
    await tab.clean();
});

test('on a phone: one side at a time, nothing too wide; in the dark it is dark', async () => {
    const confab = await started;
    const phone = { viewport: { width: 360, height: 700 }, hasTouch: true, isMobile: true, colorScheme: 'dark' };
    const people = ['Somebody with quite a long name', 'Zoe'].map((name) => person(confab, name));
    const { event } = await call(confab, people[0], 'POST', 'events', { name: 'An event with a name longer than a phone is wide', dateFromS: 1, dateToS: 2 });
    await call(confab, people[1], 'POST', `events/${event.id}/request`, { text: `a word ${'verylong'.repeat(40)}` });
    const tab = await Tab.open(confab, 'phone', { query: `eventchat/#left=${people[0].token}&right=${people[1].token}`, ...phone });
    const [left, right] = ['left', 'right'].map((id) => new Side(tab, id));
    const fits = () => tab.until('nothing too wide', () => document.documentElement.scrollWidth <= innerWidth);
    await left.live();
    await fits();
    await tab.at('.side-switch', { hasText: '(1)' }).waitFor();
    await tab.shot('eventchat-phone-list');
    await left.chat('Zoe').tap();
    await left.said('a word');
    await fits();
    await tab.shot('eventchat-phone');
    assert.equal(await right.at('.pane-head').isVisible(), false);
    await tab.at('.side-switch', { hasText: 'Zoe' }).tap();
    await right.chat('Somebody').tap();
    await right.said('a word');
    await fits();
    await tab.clean();
});
