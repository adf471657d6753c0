/* Reading: history, the place where one left off, content that is not to be trusted.
 * SPDX-License-Identifier: MIT
 */
import assert from 'node:assert/strict';
import { instance, test } from '../lib/instance.mjs';
import { people, Tab } from './tab.mjs';

const started = instance({ auth: 'trusted' });

/* Where the first message in sight stands. */
const firstInSight = () => {
    const scroll = document.querySelector('#scroll');
    const top = scroll.getBoundingClientRect().top;
    const li = [...document.querySelectorAll('.msg')].find((one) => one.getBoundingClientRect().bottom > top);
    return { text: li.querySelector('.text').innerText, y: Math.round(li.getBoundingClientRect().top - top) };
};

test('scrolling up brings history, and what one reads stays where it is', async () => {
    const confab = await started;
    const dialog = await confab.dialog(people('alice', 'bob'), { title: 'Long story' });
    const said = Array.from({ length: 130 }, (_, i) => `chapter ${i + 1}.`);
    let last;
    for (const text of said)
        last = await confab.api('bob').send(dialog, `<p>${text}</p>`);
    await confab.api('alice').read(dialog, last.id);
    const alice = await Tab.open(confab, 'alice');
    await alice.choose('Long story');
    await alice.until('the first page', () => document.querySelectorAll('.msg').length === 50);
    for (const expected of [100, 130]) {
        let release;
        const held = new Promise((resolve) => { release = resolve; });
        await alice.page.route('**/messages?*before=*', async (route) => {
            await held;
            await route.continue();
        });
        await alice.page.evaluate(() => { document.querySelector('#scroll').scrollTop = 120; });
        const before = await alice.page.evaluate(firstInSight);
        release();
        await alice.until(`${expected} messages`, (n) => document.querySelectorAll('.msg').length === n, expected);
        const now = await alice.page.evaluate(firstInSight);
        assert.equal(now.text, before.text);
        assert.ok(Math.abs(now.y - before.y) <= 2, `stays at ${before.y}, stands at ${now.y}`);
        await alice.page.unroute('**/messages?*before=*');
    }
    assert.deepEqual(await alice.texts(), said);

    /* out of sight of the end: nothing jumps, and a button tells */
    const { y } = await alice.page.evaluate(firstInSight);
    await confab.api('bob').send(dialog, '<p>epilogue.</p>');
    await alice.at('#latest', { hasText: '1 new' }).waitFor();
    assert.equal((await alice.page.evaluate(firstInSight)).y, y);
    await alice.at('#latest').click();
    await alice.until('the end', () => {
        const s = document.querySelector('#scroll');
        return s.scrollHeight - s.scrollTop - s.clientHeight < 2;
    });
    await alice.at('#latest').waitFor({ state: 'hidden' });
    await alice.clean();
});

test('an unread chat opens at the first unread message', async () => {
    const confab = await started;
    const dialog = await confab.dialog(people('alice', 'bob'), { title: 'Bookmark' });
    const sent = [];
    for (let i = 0; i < 48; i++)
        sent.push(await confab.api('bob').send(dialog, `<p>page ${i + 1}.</p>`));
    await confab.api('alice').read(dialog, sent[9].id);
    const alice = await Tab.open(confab, 'alice');
    await alice.item('Bookmark').locator('.badge', { hasText: '38' }).waitFor();
    await alice.choose('Bookmark');
    await alice.at('.new').waitFor();
    assert.equal(await alice.at('.new + .msg .text').innerText(), 'page 11.');
    assert.ok(await alice.at('.new').evaluate((li) => {
        const box = document.querySelector('#scroll').getBoundingClientRect();
        const { top, bottom } = li.getBoundingClientRect();
        return top >= box.top && bottom <= box.bottom;
    }), 'the divider is in sight');
    await alice.item('Bookmark').locator('.item-title').waitFor();
    const { unread_count: unread } = await confab.api('alice').ok('GET', `/dialogs/${dialog}`);
    assert.equal(unread, 38, 'not read before it was seen');
    await alice.page.evaluate(() => { document.querySelector('#scroll').scrollTop = 1e9; });
    await alice.page.waitForResponse((r) => r.url().includes('/read?') && r.ok());
    await alice.clean();
});

test('a quote leads to its message, also far up', async () => {
    const confab = await started;
    const dialog = await confab.dialog(people('alice', 'bob'), { title: 'Far quote' });
    const first = await confab.api('bob').send(dialog, '<p>the very first.</p>');
    for (let i = 0; i < 80; i++)
        await confab.api('bob').send(dialog, `<p>filler ${i}.</p>`);
    await confab.api('bob').send(dialog, '<p>remember?</p>', { reply_to: first.id });
    const alice = await Tab.open(confab, 'alice', { reducedMotion: 'reduce' });
    await alice.choose('Far quote');
    await alice.at('#scroll').evaluate((s) => { s.scrollTop = s.scrollHeight; });
    await alice.at('.quote', { hasText: 'the very first.' }).click();
    await alice.at('.msg.found', { hasText: 'the very first.' }).waitFor();
    await alice.clean();
});

test('content is made safe again on display', async () => {
    const confab = await started;
    const dialog = await confab.dialog(people('alice', 'bob'), { title: 'Hostile' });
    const real = await confab.api('bob').send(dialog, '<p>placeholder</p>');
    /* the policy watches over the parser, too, and says what it would not have run */
    const alice = await Tab.open(confab, 'alice', { expected: /Content Security Policy/ });
    await alice.status('live');
    const hostile = '<p onclick="pwned=1" style="color:red">text <img src=x onerror="pwned=1"><script>pwned=1</script>'
        + '<a href="javascript:pwned=1">bad</a> <a href="https://example.org/x" target="_top">good</a>'
        + '<svg><script>pwned=1</script></svg><iframe src="//example.org"></iframe><code class="x">code</code></p>';
    await alice.page.route('**/messages?*', (route) => route.fulfill({ json: { data: {
        messages: [{ ...real, content: hostile }], has_more_before: false, has_more_after: false } } }));
    await alice.choose('Hostile');
    await alice.at('.msg .text').waitFor();
    const made = await alice.at('.msg .text').evaluate((el) => ({
        tags: [...el.querySelectorAll('*')].map((e) => e.tagName).join(' '),
        attributes: [...el.querySelectorAll('*')].flatMap((e) => [...e.attributes].map((a) => a.name)),
        href: el.querySelector('a[href]').href, target: el.querySelector('a[href]').target,
        pwned: typeof pwned,
    }));
    assert.equal(made.tags, 'P A A CODE');
    assert.deepEqual(made.attributes.sort(), ['href', 'rel', 'target']);
    assert.equal(made.href, 'https://example.org/x');
    assert.equal(made.target, '_blank');
    assert.equal(made.pwned, 'undefined');
    await alice.clean();
});
