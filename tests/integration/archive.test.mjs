/* Dialogs that have been quiet for long are put away, for those who let them be.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine } from '../lib/assert.mjs';
import { test, withInstance } from '../lib/instance.mjs';

const env = { CONFAB_ARCHIVE_AFTER_SECS: '4', CONFAB_ARCHIVE_CRON: '* * * * * *' };

test('a quiet dialog is archived, a pinned one is not, and a message brings it back', async () => {
    await withInstance({ auth: 'trusted', env }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        fine(await confab.api('b').post(`/dialogs/${dialog}/pin`));
        const a = await confab.socket('a');
        const b = await confab.socket('b');
        await a.next({ type: 'dialog.archived', dialog_id: dialog });
        assert.equal(fine(await confab.api('a').get(`/dialogs/${dialog}`)).is_archived, true);
        assert.equal(fine(await confab.api('b').get(`/dialogs/${dialog}`)).is_archived, false);
        await confab.api('b').send(dialog, 'still here?');
        await a.next({ type: 'dialog.unarchived', dialog_id: dialog });
        await a.next({ type: 'message.new' });
        assert.ok(!b.frames.some((f) => f.type === 'dialog.archived'), 'nobody hears of another\'s archive');
    });
});
