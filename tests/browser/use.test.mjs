/* Who uses it how: by keyboard alone, on a narrow screen, in the dark, with a token.
 * SPDX-License-Identifier: MIT
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { ADMIN, instance, SOURCE, test, withInstance } from '../lib/instance.mjs';
import { named, readable } from './looks.mjs';
import { people, Tab, tabs } from './tab.mjs';

const run = promisify(execFile);
const started = instance({ auth: 'trusted' });

const focused = (tab) => tab.page.evaluate(() => {
    const e = document.activeElement;
    return e.id || e.dataset.act || e.className;
});

test('everything can be done by keyboard', async () => {
    const confab = await started;
    for (const title of ['Third', 'Second', 'First'])
        await confab.dialog(people('kim', 'lee'), { title });
    const [kim, lee] = await tabs(confab, ['kim', 'lee']);
    await kim.item('First').waitFor();
    await lee.choose('Second');
    const press = (...keys) => keys.reduce((last, key) => last.then(() => kim.page.keyboard.press(key)), Promise.resolve());

    await press('Tab');
    assert.equal(await focused(kim), 'me');
    await press('Tab', 'Tab');
    assert.match(await kim.page.evaluate(() => document.activeElement.textContent), /First/);
    await press('ArrowDown', 'ArrowDown', 'ArrowUp', 'Enter');
    await kim.at('#talk-title', { hasText: 'Second' }).waitFor();
    await kim.until('the composer to have the focus', () => document.activeElement.id === 'text');

    await kim.page.keyboard.type('one line');
    await press('Shift+Enter');
    await kim.page.keyboard.type('another');
    await press('Enter');
    await lee.said('another');
    assert.equal(await lee.at('.msg .text').innerText(), 'one line\nanother');
    assert.equal(await kim.page.inputValue('#text'), '');
    await kim.until('the message to be sent', () => document.querySelector('.msg') && !document.querySelector('.pending'));

    await press('ArrowUp');
    assert.equal(await kim.page.inputValue('#text'), 'one line\nanother');
    await press('Escape');
    assert.equal(await kim.page.inputValue('#text'), '');
    assert.ok(await kim.at('#about').isHidden());

    await lee.say('your turn');
    await kim.said('your turn');
    await press('Shift+Tab');
    await kim.until('a message to have the focus', () => document.activeElement.matches('.msg'));
    assert.ok(await kim.page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== 'none'), 'visible focus');
    await press('Tab');
    assert.equal(await focused(kim), 'reply');
    await press('Enter');
    await kim.until('the composer to have the focus', () => document.activeElement.id === 'text');
    await kim.page.keyboard.type('as you say');
    await press('Enter');
    await lee.at('.msg', { hasText: 'as you say' }).locator('.quote', { hasText: 'your turn' }).waitFor();
    await kim.clean();
    await lee.clean();
});

test('on a narrow screen two panes become one', async () => {
    const confab = await started;
    const dialog = await confab.dialog(people('mia', 'noah'), { title: 'Pocket' });
    await confab.api('noah').send(dialog, `<p>${'A sentence that goes on. '.repeat(8)}https://example.org/${'long'.repeat(40)}</p>`);
    const mia = await Tab.open(confab, 'mia', { viewport: { width: 360, height: 700 }, hasTouch: true, isMobile: true });
    await mia.item('Pocket').waitFor();
    assert.ok(await mia.at('#talk').isHidden());
    await mia.shot('narrow-list');
    await mia.item('Pocket').click();
    await mia.at('.msg').waitFor();
    assert.ok(await mia.at('#list').isHidden());
    assert.ok(await mia.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out');
    await mia.shot('narrow-talk');
    await mia.at('#back').click();
    await mia.item('Pocket').waitFor();
    await mia.page.goBack();
    await mia.at('#talk-title', { hasText: 'Pocket' }).waitFor();
    await mia.clean();
});

for (const colorScheme of ['light', 'dark'])
    test(`readable in the ${colorScheme}`, async () => {
        const confab = await started;
        const dialog = await confab.dialog(people('olga', 'pete'), { title: `In the ${colorScheme}` });
        const { id } = await confab.api('pete').send(dialog, '<p>What do you see?</p>');
        await confab.api('olga').send(dialog, '<p>Everything: <a href="https://example.org">all</a></p>', { reply_to: id });
        const olga = await Tab.open(confab, 'olga', { colorScheme });
        await olga.choose(`In the ${colorScheme}`);
        await olga.at('.msg.mine').waitFor();
        await olga.at('.receipt').waitFor();
        await readable(olga,
            '.text, .text a, .meta, .who, .quote span, .item-title, .item-last, .item-when, .receipt, #status, #talk-sub, .day span, .badge');
        await olga.shot(colorScheme);
        await olga.clean();
    });

test('every control has a name, and the page its landmarks', async () => {
    const confab = await started;
    const dialog = await confab.dialog(people('quinn', 'ruth'), { title: 'Named' });
    await confab.api('quinn').send(dialog, '<p>mine</p>');
    const quinn = await Tab.open(confab, 'quinn');
    await quinn.choose('Named');
    await quinn.at('.msg').waitFor();
    await named(quinn);
    for (const role of ['main', 'navigation', 'log', 'status'])
        await quinn.page.getByRole(role).first().waitFor({ state: 'attached' });
    await quinn.clean();
});

test('the policy is sent, is strict, and stands in the page as well', async () => {
    const confab = await started;
    const { headers } = await confab.nobody.get('/');
    const policy = headers['content-security-policy'];
    for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'",
        "form-action 'none'", "frame-ancestors 'none'"])
        assert.ok(policy.includes(part), part);
    const tab = await Tab.open(confab, 'sam', { expected: /Content Security Policy/ });
    await tab.status('live');
    assert.equal(await tab.page.evaluate(() => {
        const script = document.createElement('script');
        script.textContent = 'window.ran = 1';
        document.head.append(script);
        return window.ran;
    }), undefined);
    assert.match(await tab.at('meta[http-equiv="Content-Security-Policy"]').getAttribute('content'), /default-src 'none'/);
    await tab.clean();
});

test('somebody is chosen at the door, and the tab remembers', async () => {
    const confab = await started;
    const tab = await Tab.open(confab, 'alice', { query: '' });
    await tab.at('.door-user', { hasText: 'Alice' }).click();
    await tab.status('live');
    assert.match(tab.page.url(), /\?user=alice$/);
    await tab.page.goto(tab.home);
    await tab.at('#me', { hasText: 'Alice' }).waitFor();
    await tab.at('#me').click();
    await tab.at('#door-name-text').fill('somebody+else@example.org');
    await tab.page.keyboard.press('Enter');
    await tab.status('live');
    await tab.at('#me', { hasText: 'somebody+else@example.org' }).waitFor();
    await tab.clean();
});

test('with a token: from the fragment, out of the address, and refused when it is bad', () =>
    withInstance({ auth: 'jwt' }, async (confab) => {
        const dialog = await confab.dialog(people('tina', 'uwe'), { title: 'Signed' });
        const tina = await Tab.open(confab, 'tina', { query: `#token=${confab.token('tina', { name: 'Tina' })}` });
        await tina.status('live');
        assert.equal(tina.page.url(), tina.home);
        await tina.choose('Signed');
        await confab.api('uwe').send(dialog, '<p>signed and sealed</p>');
        await tina.said('signed and sealed');
        await tina.at('#me', { hasText: 'Tina' }).waitFor();
        await tina.clean();

        const expected = /401|WebSocket/;
        const nobody = await Tab.open(confab, 'nobody', { query: '?user=tina', expected });
        await nobody.at('#door-why', { hasText: 'wants a token' }).waitFor();
        await nobody.at('#door-token-text').fill(confab.token('uwe'));
        await nobody.at('#door-token button').click();
        await nobody.status('live');
        await nobody.item('Signed').waitFor();
        await nobody.clean();

        const bad = await Tab.open(confab, 'bad', { query: '#token=a.b.c', expected });
        await bad.at('#door-why', { hasText: 'refused' }).waitFor();
        await bad.clean();
    }));

test('a token that runs out leads back to the door', () =>
    withInstance({ auth: 'jwt', env: { CONFAB_JWT_LEEWAY_S: '0' } }, async (confab) => {
        await confab.dialog(people('vera'), { title: 'Short visit' });
        const token = confab.token('vera', { exp: Math.ceil(Date.now() / 1000) + 4 });
        const vera = await Tab.open(confab, 'vera', { query: `#token=${token}`, expected: /401|WebSocket/ });
        await vera.item('Short visit').waitFor();
        await vera.at('#door-why', { hasText: 'refused' }).waitFor();
        assert.equal(await vera.page.evaluate(() => sessionStorage.length), 0);
        await vera.clean();
    }));

test('by touch, a tap on a message shows what can be done to it', async () => {
    const confab = await started;
    const dialog = await confab.dialog(people('wim', 'xenia'), { title: 'Touched' });
    await confab.api('xenia').send(dialog, '<p>tap me</p>');
    const wim = await Tab.open(confab, 'wim', { viewport: { width: 390, height: 760 }, hasTouch: true, isMobile: true });
    await wim.item('Touched').tap();
    await wim.message('tap me').locator('.text').tap();
    await wim.message('tap me').locator('[data-act="reply"]').tap();
    await wim.at('#about', { hasText: 'Reply to Xenia' }).waitFor();
    await wim.clean();
});

test('the demo\'s chats are made once', async () => {
    const confab = await started;
    const seed = () => run(path.join(SOURCE, 'deploy/seed-demo.sh'), [`http://127.0.0.1:${confab.port}`, ADMIN]);
    await seed();
    await seed();
    const bob = await Tab.open(confab, 'bob');
    await bob.item('Team room').waitFor();
    assert.equal(await bob.item('Team room').count(), 1);
    assert.equal(await bob.at('.part-join .item', { hasText: 'Town hall' }).count(), 1);
    await bob.clean();
});
