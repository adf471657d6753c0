/* op_archive - putting away what has been quiet for long
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/op.h"
#include "shared/chat/rights.h"
#include "shared/chat/tx.h"

/* Archives the n rows of one conversation and tells their users. */
static enum err
archive_rows(struct op *o, const struct member_idle *rows, size_t n)
{
    struct store store = op_store(o);
    struct notice notice = { .kind = EVENT_ARCHIVED, .conversation = rows[0].conversation };
    const char **channels = arena_array(o->arena, n, sizeof *channels);
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        e = store_member_switch(&store, rows[i].key, rows[i].user, SWITCH_ARCHIVED, true);
        channels[i] = tx_user_channel(o, rows[i].user);
    }
    if (e == ERR_OK)
        tx_event(o, &notice, channels, n);
    return e;
}

static enum err
archive_all(struct op *o, const struct member_idle *rows, size_t n)
{
    enum err e = ERR_OK;

    for (size_t i = 0, end; e == ERR_OK && i < n; i = end) {
        for (end = i + 1; end < n && rows[end].key == rows[i].key; end++)
            ;
        e = archive_rows(o, rows + i, end - i);
    }
    return e;
}

enum err
op_archive_idle(struct op *o, int64_t limit, bool *more_r)
{
    struct store store = op_store(o);
    int64_t before = o->now_ms - o->config->archive_after_secs * 1000;
    struct member_idle *rows;
    size_t n;
    enum err e;

    *more_r = false;
    /* mostly there is nothing to do: find that out without taking the writers' turn */
    if ((e = store_member_idle(&store, before, 1, &rows, &n)) != ERR_OK || n == 0)
        return e;
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = store_member_idle(&store, before, limit, &rows, &n)) == ERR_OK)
        e = archive_all(o, rows, n);
    *more_r = n == (size_t)limit;
    return tx_end(o, e);
}
