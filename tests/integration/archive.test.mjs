/* Dialogs that have been quiet for long are put away.
 * SPDX-License-Identifier: MIT
 */
import { assert, fine } from '../lib/assert.mjs';
import { test, withInstance } from '../lib/instance.mjs';

test('quiet dialogs are archived, pinned ones stay, and each owner hears of his own', async () => {
    await withInstance({ auth: 'trusted', env: { CONFAB_ARCHIVE_CRON: '* * * * * *', CONFAB_ARCHIVE_AFTER_SECS: '1' } }, async (confab) => {
        const dialog = await confab.dialog(['a', 'b']);
        const [a, b] = [confab.api('a'), confab.api('b')];
        fine(await a.post(`/dialogs/${dialog}/pin`));
        const [sa, sb] = [await confab.socket('a'), await confab.socket('b')];
        await b.send(dialog, 'the last word');
        await sb.next({ type: 'dialog.archived', dialog_id: dialog });
        assert.equal(fine(await b.get(`/dialogs/${dialog}`)).is_archived, true);
        assert.equal(fine(await a.get(`/dialogs/${dialog}`)).is_archived, false);
        /* a message brings it back, and quiet puts it away again */
        await a.send(dialog, 'one more');
        await sb.next({ type: 'dialog.unarchived', dialog_id: dialog });
        await sb.next({ type: 'dialog.archived', dialog_id: dialog });
        /* so does taking it out by hand, for a while */
        fine(await b.post(`/dialogs/${dialog}/unarchive`));
        await sb.next({ type: 'dialog.unarchived', dialog_id: dialog });
        await sb.next({ type: 'dialog.archived', dialog_id: dialog });
        await confab.drain(sa);
        assert.ok(!sa.frames.some((f) => f.type === 'dialog.archived' && f.dialog_id === dialog));
    });
});
