/* tab - the demo page in a real browser, one person a tab
 *
 * Every tab notes what the page complains of: errors on the console, exceptions, violations of the
 * content security policy. A test ends with clean(), which wants none.
 *
 * SPDX-License-Identifier: MIT
 */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { DEADLINE_MS, until } from '../lib/wait.mjs';

const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/* What the browser itself writes when no relay or no server answers. */
export const noSocket = /WebSocket connection to|ERR_CONNECTION_|ERR_FAILED|ERR_EMPTY_RESPONSE|status of 50[234]/;

let browser = null;
let shots = null;
after(async () => (await browser)?.close());

export class Tab {
    complaints = [];

    /* options: those of a browser context, and query (instead of ?user=), expected (complaints that
     * are no fault, a pattern) */
    static async open(confab, user, { query = `?user=${user}`, expected = null, ...options } = {}) {
        browser ??= chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args });
        const context = await (await browser).newContext({ viewport: { width: 1180, height: 760 }, ...options });
        const tab = new Tab(confab, user, await context.newPage(), expected);
        await tab.page.goto(`${tab.home}${query}`);
        return tab;
    }

    constructor(confab, user, page, expected) {
        Object.assign(this, { confab, user, page, expected });
        this.home = `http://127.0.0.1:${confab.port}${confab.base ?? ''}/`;
        page.setDefaultTimeout(DEADLINE_MS);
        page.on('console', (message) => {
            if (['error', 'warning'].includes(message.type()))
                this.complain(`${message.type()}: ${message.text()}`);
        });
        page.on('pageerror', (error) => this.complain(error.stack || error.message));
    }

    complain(text) {
        if (!this.expected?.test(text))
            this.complaints.push(`${this.user}: ${text}`);
    }

    /* The page had nothing to complain of. Closes the tab. */
    async clean() {
        await this.page.context().close();
        assert.deepEqual(this.complaints, []);
    }

    close() {
        return this.page.context().close();
    }

    at(selector, options) {
        return this.page.locator(selector, options);
    }

    /* Waits until the status line says so. */
    status(state) {
        return this.at(`#status[data-state="${state}"]`).waitFor();
    }

    /* A chat's line in the list. */
    item(title) {
        return this.at('.item', { has: this.page.locator('.item-title', { hasText: title }) });
    }

    async choose(title) {
        await this.item(title).click();
        await this.at('#talk-title', { hasText: title }).waitFor();
    }

    message(text) {
        return this.at('.msg', { hasText: text });
    }

    /* Waits until exactly one message says so. */
    async said(text) {
        await this.message(text).first().waitFor();
        assert.equal(await this.message(text).count(), 1, `"${text}" once at ${this.user}`);
    }

    async say(text) {
        await this.page.fill('#text', text);
        await this.page.press('#text', 'Enter');
    }

    /* What stands in the bubbles, oldest first. */
    texts() {
        return this.at('.msg .text').allInnerTexts();
    }

    /* A button of a message, which shows when one points at it. */
    async act(text, name) {
        await this.message(text).hover();
        await this.message(text).locator(`[data-act="${name}"]`).click();
    }

    /* Waits until probe(), run in the page, is true. */
    until(what, probe, argument) {
        return until(`${what} at ${this.user}'s page`, () => this.page.evaluate(probe, argument));
    }

    /* Keeps a picture in CONFAB_TEST_SHOTS, or a folder of its own. */
    async shot(name) {
        shots ??= process.env.CONFAB_TEST_SHOTS || mkdtempSync(path.join(tmpdir(), 'confab-shots-'));
        const file = path.join(shots, `${name}.png`);
        await this.page.screenshot({ path: file });
        return file;
    }
}

/* Several tabs, live. */
export function tabs(confab, users, options) {
    return Promise.all(users.map(async (user) => {
        const tab = await Tab.open(confab, user, options);
        await tab.status('live');
        return tab;
    }));
}

export const people = (...ids) => ids.map((id) =>
    ({ user_id: id, display_name: id[0].toUpperCase() + id.slice(1) }));
