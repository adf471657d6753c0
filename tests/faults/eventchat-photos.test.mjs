/* A handler is killed while it takes a photo in: what was acknowledged is there, whole; of the rest nothing is ever
 * served, and what it left is removed later. Needs a build with --enable-fault-points.
 * SPDX-License-Identifier: MIT
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { assert } from '../lib/assert.mjs';
import { fine, options, photo, query, refused, user } from '../lib/eventchat.mjs';
import { test, withInstance } from '../lib/instance.mjs';
import { until } from '../lib/wait.mjs';

const run = promisify(execFile);
const files = (confab) => readdirSync(path.join(confab.state, 'photos')).sort();

/* As if all that was announced had been so long ago. */
const age = (confab) => run('sqlite3', ['-cmd', '.timeout 10000', path.join(confab.state, 'confab.db'),
    'UPDATE photo SET created_at = created_at - 7200000 WHERE stored = 0']);

/* Not answer.after, which the answer before may reach only when it is armed.
 * point -> what the killed one leaves: its row is stored, and which files it has */
const points = {
    'photo.announced': { stored: 0, ending: undefined },
    'photo.writing': { stored: 0, ending: '.part' },
    'photo.written': { stored: 0, ending: '.part' },
    'photo.renamed': { stored: 0, ending: '' },
    'answer.before': { stored: 1, ending: '' },
};

for (const [point, left] of Object.entries(points))
    test(`handler killed at ${point}: no half photo, and nothing is left of it`, async () => {
        await withInstance(options({ handlers: 1, fault: point }), async (confab) => {
            const anna = user(confab);
            const bytes = photo('image/png', 300000);
            const { uuid: kept } = fine(await anna.upload(bytes), 201);
            const [handler] = confab.handlers;
            handler.mayDie();
            confab.arm();
            const uploading = anna.upload(bytes).catch(() => ({ status: 0 }));
            await handler.died(point);
            const answer = await uploading;
            await handler.start();
            await until('the handler to be back', async () => (await anna.get('/chats')).status === 200);

            assert.ok(answer.status !== 201 || left.stored, 'what is not stored is not acknowledged');
            const rows = await query(confab, `SELECT name, stored FROM photo WHERE name <> '${kept}'`);
            assert.equal(rows.length, 1);
            const [{ name, stored }] = rows;
            assert.equal(stored, left.stored);
            const known = left.ending === undefined ? [] : [name + left.ending];
            assert.deepEqual(files(confab), [kept, ...known].sort());
            if (stored)
                assert.ok((await anna.get(`/photos/${name}`)).bytes.equals(bytes), 'stored means whole');
            else
                refused(await anna.get(`/photos/${name}`), 404, 'PHOTO_NOT_FOUND');

            const { uuid: second } = fine(await anna.upload(bytes), 201);
            assert.deepEqual(files(confab), [kept, second, ...known].sort(), 'somebody may still be at it');
            await age(confab);
            const { uuid: third } = fine(await anna.upload(bytes), 201);
            assert.deepEqual(files(confab), [kept, second, third, ...stored ? known : []].sort(), 'what was given up is gone');
            assert.deepEqual(await query(confab, 'SELECT count(*) AS n FROM photo WHERE stored = 0'), [{ n: 0 }]);
            for (const uuid of [kept, second, third])
                assert.ok((await anna.get(`/photos/${uuid}`)).bytes.equals(bytes));
        });
    });
