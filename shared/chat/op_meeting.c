/* op_meeting - meetings: made, found, listed
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/pair_private.h"

enum err
op_meeting_create(struct op *o, struct meeting *m)
{
    struct store s = op_store(o);
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    return tx_end(o, store_meeting_insert(&s, m));
}

enum err
op_meeting_get(struct op *o, int64_t id, struct meeting *m_r)
{
    struct store s = op_store(o);
    enum err e = store_meeting_find(&s, id, m_r);

    return e == ERR_NOT_FOUND ? err_fail(o->fail, ERR_NO_MEETING, NULL, "no such event") : e;
}

enum err
op_meeting_list(struct op *o, int64_t offset, int64_t limit, struct meeting **list_r, size_t *n_r)
{
    struct store s = op_store(o);

    return store_meeting_list(&s, offset, limit, list_r, n_r);
}
