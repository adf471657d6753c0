/* What can be seen in the source. Plays docs/security.md.
 * SPDX-License-Identifier: MIT
 */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { assert } from '../lib/assert.mjs';
import { SOURCE, test } from '../lib/instance.mjs';

const files = ['shared', 'fcgi', 'relay', 'ctl'].flatMap((dir) => readdirSync(path.join(SOURCE, dir), { recursive: true })
    .filter((name) => name.endsWith('.c')).map((name) => path.join(dir, name)))
    .map((name) => [name, readFileSync(path.join(SOURCE, name), 'utf8')
        .replace(/\/\*[^]*?\*\//g, '').replace(/"(?:[^"\\\n]|\\.)*"/g, '""').replace(/^#(?:.*\\\n)*.*$/gm, '')]);

test('Secrets are compared in constant time', () => {
    const secret = '[\\w.>-]*(?:secret|password|api_key|admin_token|runner_key|mac|signature|digest|hmac)\\b';
    const call = new RegExp(`\\b(?:mem|str|strn|strcase|strncase)cmp\\((?:[^;]*[ ,(>])?${secret}[^;]*\\)\\s*(?:[!=]=|<|>)`, 'i');
    for (const [name, text] of files)
        for (const statement of text.split(/[;{}]/))
            assert.ok(!call.test(statement) || /sodium_memcmp|CRYPTO_memcmp/.test(statement), `${name}: ${statement.trim()}`);
    const compares = (name) => files.filter(([, text]) => text.includes(`${name}(`)).map(([file]) => file);
    for (const file of ['fcgi/auth.c', 'relay/push/api.c'])
        assert.ok(compares('token_secret_equal').includes(file), file);
    for (const file of ['shared/token.c', 'shared/event.c'])
        assert.ok(compares('sodium_memcmp').includes(file), file);
});

test('Nothing is run by a shell, and no file has a name that can be guessed', () => {
    for (const [name, text] of files) {
        assert.ok(!/(?<![\w>.])(system|popen|tmpnam|tempnam|mktemp|gets)\(/.test(text), name);
        assert.ok(name.startsWith('ctl/') || !/\bexec[lv]p?e?\(/.test(text), name);
    }
});

test('Statements are fixed texts', () => {
    for (const [name, text] of files)
        if (/sqlite3_prepare/.test(text))
            assert.equal(name, 'shared/db/db_sqlite.c');
});
