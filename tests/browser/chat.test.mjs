/* Two people talk: messages, badges, presence, replies, changes.
 * SPDX-License-Identifier: MIT
 */
import assert from 'node:assert/strict';
import { instance, test } from '../lib/instance.mjs';
import { people, Tab, tabs } from './tab.mjs';

const started = instance({ auth: 'trusted' });

test('two tabs chat both ways, and see who has read', async () => {
    const confab = await started;
    await confab.dialog(people('alice', 'bob'), { title: 'Both ways' });
    const [alice, bob] = await tabs(confab, ['alice', 'bob']);
    await alice.choose('Both ways');
    await bob.choose('Both ways');
    await alice.say('Hello <b>Bob</b> & all\nsecond line');
    await bob.said('second line');
    assert.equal(await bob.at('.msg .text').innerText(), 'Hello <b>Bob</b> & all\nsecond line');
    await alice.at('.receipt', { hasText: 'Read' }).waitFor();
    await bob.say('Hello Alice');
    await alice.said('Hello Alice');
    await bob.at('.receipt', { hasText: 'Read' }).waitFor();
    for (const tab of [alice, bob]) {
        assert.deepEqual(await tab.texts(), ['Hello <b>Bob</b> & all\nsecond line', 'Hello Alice']);
        assert.equal(await tab.at('.pending').count(), 0);
        assert.equal(await tab.at('.day').innerText(), 'Today');
    }
    assert.equal(await bob.at('#news p').innerText(), 'Alice: Hello <b>Bob</b> & all second line');
    await alice.clean();
    await bob.clean();
});

test('many messages typed at once arrive once and in order', async () => {
    const confab = await started;
    await confab.dialog(people('alice', 'bob'), { title: 'Quick' });
    const [alice, bob] = await tabs(confab, ['alice', 'bob']);
    await alice.choose('Quick');
    await bob.choose('Quick');
    const said = Array.from({ length: 15 }, (_, i) => `quick ${i}.`);
    for (const text of said)
        await alice.say(text);
    for (const tab of [alice, bob]) {
        await tab.said(said.at(-1));
        await tab.until('no send under way', () => !document.querySelector('.pending'));
        assert.deepEqual(await tab.texts(), said);
    }
    await alice.clean();
    await bob.clean();
});

test('badges count what was not seen, and go when it is', async () => {
    const confab = await started;
    await confab.dialog(people('carol', 'dave'), { title: 'Badges' });
    const [carol, dave] = await tabs(confab, ['carol', 'dave']);
    await carol.choose('Badges');
    await carol.say('one');
    await carol.say('two');
    await dave.item('Badges').locator('.badge', { hasText: '2' }).waitFor();
    assert.equal(await dave.item('Badges').locator('.item-last').innerText(), 'Carol: two');
    await dave.until('the title', () => document.title.startsWith('(2) '));
    const second = await Tab.open(confab, 'dave');
    await second.item('Badges').locator('.badge', { hasText: '2' }).waitFor();
    await dave.choose('Badges');
    await dave.at('.new').waitFor();
    await dave.until('the title', () => !document.title.startsWith('('));
    await second.item('Badges').locator('.badge').waitFor({ state: 'detached' });
    for (const tab of [carol, dave, second])
        await tab.clean();
});

test('who is there has a dot', async () => {
    const confab = await started;
    await confab.dialog(people('erin', 'frank'));
    const [erin] = await tabs(confab, ['erin']);
    await erin.choose('Frank');
    assert.equal(await erin.at('#talk-sub .dot.on').count(), 0);
    const [frank] = await tabs(confab, ['frank']);
    await erin.at('#talk-sub .dot.on').waitFor();
    await erin.item('Frank').locator('.dot.on').waitFor();
    await frank.at('.item .dot.on').waitFor();
    await frank.clean();
    await erin.at('#talk-sub .dot:not(.on)').waitFor();
    await erin.item('Frank').locator('.dot').waitFor({ state: 'detached' });
    await erin.clean();
});

test('replies, changes and deletions appear in the other tab', async () => {
    const confab = await started;
    await confab.dialog(people('alice', 'bob'), { title: 'Changes' });
    const [alice, bob] = await tabs(confab, ['alice', 'bob']);
    await alice.choose('Changes');
    await bob.choose('Changes');
    await alice.say('Tea at four?');
    await bob.said('Tea at four?');
    await bob.act('Tea at four?', 'reply');
    assert.match(await bob.at('#about').innerText(), /Reply to Alice/);
    await bob.say('Gladly');
    await alice.said('Gladly');
    await alice.message('Gladly').locator('.quote', { hasText: 'Tea at four?' }).waitFor();

    const first = alice.at('.msg').first();
    await first.hover();
    await first.locator('[data-act="edit"]').click();
    assert.equal(await alice.page.inputValue('#text'), 'Tea at four?');
    await alice.say('Tea at five?');
    for (const tab of [alice, bob]) {
        await tab.at('.msg .text', { hasText: 'Tea at five?' }).waitFor();
        await tab.at('.msg .meta', { hasText: 'edited' }).waitFor();
        await tab.at('.quote', { hasText: 'Tea at five?' }).waitFor();
        assert.equal(await tab.at('.msg').count(), 2);
    }

    await first.hover();
    await first.locator('[data-act="remove"]').click();
    await first.locator('[data-act="remove"]', { hasText: 'Delete?' }).click();
    for (const tab of [alice, bob]) {
        await tab.until('one message', () => document.querySelectorAll('.msg').length === 1);
        await tab.at('.quote', { hasText: 'deleted' }).waitFor();
        await tab.clean();
    }
});

test('a send that failed keeps its text, and its repetition makes one message', async () => {
    const confab = await started;
    const dialog = await confab.dialog(people('alice', 'bob'), { title: 'Failing' });
    const alice = await Tab.open(confab, 'alice', { expected: /Failed to load resource/ });
    await alice.choose('Failing');
    const keys = [];
    const answers = ['lost before', 'refused', null];
    await alice.page.route('**/messages?*', async (route) => {
        if (route.request().method() !== 'POST')
            return route.continue();
        keys.push(route.request().postDataJSON().client_message_id);
        const answer = answers.shift();
        if (answer === 'lost before')
            return route.abort();
        if (answer === 'refused')
            return route.fulfill({ status: 503, json: { error: { code: 'SERVICE_UNAVAILABLE', message: 'Busy' } } });
        return route.continue();
    });
    await alice.say('Precious words');
    await alice.at('.failed .text', { hasText: 'Precious words' }).waitFor();
    await alice.at('[data-act="retry"]').click();
    await alice.at('.failure', { hasText: 'Busy' }).waitFor();
    await alice.at('[data-act="retry"]').click();
    await alice.at('.msg:not(.pending)', { hasText: 'Precious words' }).waitFor();
    assert.equal(keys.length, 3);
    assert.equal(new Set(keys).size, 1);
    const { messages } = await confab.api('alice').messages(dialog);
    assert.equal(messages.filter((m) => m.content.includes('Precious')).length, 1);
    await alice.until('nothing under way', () => !document.querySelector('.pending'));
    await alice.clean();
});

test('an answer that was lost does not make a second message', async () => {
    const confab = await started;
    const dialog = await confab.dialog(people('alice', 'bob'), { title: 'Lost answer' });
    const alice = await Tab.open(confab, 'alice', { expected: /Failed to load resource/ });
    await alice.status('live');
    await alice.choose('Lost answer');
    await alice.page.route('**/messages?*', async (route) => {
        if (route.request().method() === 'POST') {
            await route.fetch();
            return route.abort();
        }
        return route.continue();
    });
    await alice.say('Only once');
    await alice.at('.msg:not(.pending)', { hasText: 'Only once' }).waitFor();
    await alice.until('nothing under way', () => !document.querySelector('.pending'));
    assert.equal((await confab.api('bob').messages(dialog)).messages.filter((m) => m.sender_id).length, 1);
    await alice.clean();
});

test('joining an open chat, and leaving it', async () => {
    const confab = await started;
    await confab.dialog(people('alice'), { title: 'Open house', access_scopes: [{ scope_level0: ['demo'] }] });
    const [alice, grace] = await tabs(confab, ['alice', 'grace']);
    await alice.choose('Open house');
    await grace.at('.part-join .item', { hasText: 'Open house' }).click();
    await grace.at('[data-act="join"]').click();
    await grace.at('.part-ours .item', { hasText: 'Open house' }).waitFor();
    await alice.at('.system', { hasText: 'grace joined' }).waitFor();
    await alice.at('#talk-sub', { hasText: 'grace' }).waitFor();
    await grace.say('Nice house');
    await alice.said('Nice house');
    await grace.at('#menu summary').click();
    await grace.at('[data-act="leave"]').click();
    await grace.at('[data-act="leave"]', { hasText: 'Really' }).click();
    await grace.at('.part-join .item', { hasText: 'Open house' }).waitFor();
    await grace.at('[data-act="join"]').waitFor();
    await alice.at('.system', { hasText: 'grace left' }).waitFor();
    await alice.until('nobody else', () => !document.querySelector('#talk-sub').textContent);
    await alice.clean();
    await grace.clean();
});

test('pinned and archived chats stand in their own parts', async () => {
    const confab = await started;
    const dialog = await confab.dialog(people('heidi', 'ivan'), { title: 'Movable' });
    const [heidi, again] = await tabs(confab, ['heidi', 'heidi']);
    const turn = async (verb) => {
        await heidi.at('#menu summary').click();
        await heidi.at(`[data-act="${verb}"]`).click();
    };
    await heidi.choose('Movable');
    await turn('pin');
    await heidi.at('.part-pinned .item').waitFor();
    await turn('archive');
    await heidi.at('.part-archived .item').waitFor({ state: 'attached' });
    await again.at('.part-archived .item').waitFor({ state: 'attached' });
    await turn('unpin');
    await confab.api('ivan').send(dialog, 'wake up');
    for (const tab of [heidi, again])
        await tab.at('.part-ours .item', { hasText: 'wake up' }).waitFor();
    await heidi.clean();
    await again.clean();
});
