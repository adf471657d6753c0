/* docs/security.md and the tests beside this one say the same.
 * SPDX-License-Identifier: MIT
 */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { assert } from '../lib/assert.mjs';
import { SOURCE, test } from '../lib/instance.mjs';

const OWN = path.basename(new URL(import.meta.url).pathname);
const page = readFileSync(path.join(SOURCE, 'docs/security.md'), 'utf8');
const plain = (text) => text.replace(/\s+/g, ' ').replace(/[`*]/g, '').trim();
const claims = page.split(/\n## /).slice(1).filter((section) => section.startsWith('Against ')).flatMap((section) =>
    section.split(/\n(?=- )/).slice(1).map((item) => plain(item.split('\n\n')[0].slice(2))));
const tests = readdirSync(path.join(SOURCE, 'tests/security')).filter((name) => name.endsWith('.test.mjs') && name !== OWN).flatMap((name) =>
    [...readFileSync(path.join(SOURCE, 'tests/security', name), 'utf8').matchAll(/^test\('((?:[^'\\]|\\.)*)'/gm)].map(([, title]) => plain(title.replaceAll('\\\'', '\''))));

test('Every claim of the page has a test of that name, or says what else holds it', () => {
    assert.ok(claims.length > 30, `${claims.length} claims`);
    for (const claim of claims)
        assert.ok(tests.some((title) => claim.startsWith(`${title}.`)) || /\((?:held by|not tested:) [^()]+\)\.$/.test(claim), `nobody plays: ${claim}`);
    for (const title of tests)
        assert.ok(claims.some((claim) => claim.startsWith(`${title}.`)), `the page does not say: ${title}`);
});

test('What the page names as holding a claim is there', () => {
    for (const [, names] of page.matchAll(/\(held by ([^()]+)\)/g))
        for (const [, name] of names.matchAll(/`([^`]+)`/g)) {
            const [, file, title] = /^([^:]+)(?:: (.*))?$/s.exec(plain(name));
            const text = plain(readFileSync(path.join(SOURCE, 'tests', file), 'utf8')).replaceAll('\\\'', '\'');
            assert.ok(!title || text.includes(title), name);
        }
});
