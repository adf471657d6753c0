/* op_group_view - looking on at groups, and what ends it
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/group_private.h"

enum err
group_tell_viewers(struct op *o, int64_t group)
{
    struct store s = op_store(o);
    struct group_notice g = { .group = group };
    struct notice n = { .kind = EVENT_VIEWERS, .group = &g };
    enum err e = store_viewer_count(&s, group, &g.viewers);

    if (e == ERR_OK)
        tx_event_on(o, &n, group_channel(o, group));
    return e;
}

static enum err
begin_looking(struct op *o, const char *user, int64_t group)
{
    struct store s = op_store(o);
    enum err e = store_viewer_insert(&s, group, user);

    tx_operation(o, EVENT_JOIN, user, group_channel(o, group));
    return e == ERR_OK ? group_tell_viewers(o, group) : e;
}

/* Whoever left does not hear of it: operations count before events. */
static enum err
end_looking(struct op *o, const char *user, int64_t group)
{
    struct store s = op_store(o);
    enum err e = store_viewer_delete(&s, group, user);

    tx_operation(o, EVENT_LEAVE, user, group_channel(o, group));
    return e == ERR_OK ? group_tell_viewers(o, group) : e;
}

enum err
op_group_view(struct op *o, const char *user, int64_t group, struct group_page *page_r)
{
    struct store s = op_store(o);
    struct group_place place;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = group_enter(o, user, group, &place)) != ERR_OK)
        goto out;
    if (place.is_member)
        e = group_refuse(o, ERR_ALREADY_MEMBER);
    else if (!place.is_viewer)
        e = begin_looking(o, user, group);
    if (e == ERR_OK)
        e = store_group_page(&s, group, GROUP_VIEW_PAGE, 0, page_r);
out:
    return tx_end(o, e);
}

enum err
op_group_stop_view(struct op *o, const char *user, int64_t group)
{
    struct group_place place;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = group_enter(o, user, group, &place)) != ERR_OK)
        goto out;
    if (place.is_member)
        e = group_refuse(o, ERR_ALREADY_MEMBER);
    else if (place.is_viewer)
        e = end_looking(o, user, group);
out:
    return tx_end(o, e);
}

enum err
group_offline(struct op *o, const char *user)
{
    struct store s = op_store(o);
    const char *global = group_channel(o, GROUP_GLOBAL);
    bool hears = false;
    int64_t *groups;
    size_t n;
    enum err e = store_viewer_of(&s, user, &groups, &n);

    for (size_t i = 0; e == ERR_OK && i < n; i++)
        e = end_looking(o, user, groups[i]);
    if (e == ERR_OK)
        e = store_hears(&s, user, global, &hears);
    if (e == ERR_OK && hears)
        tx_operation(o, EVENT_LEAVE, user, global);
    return e;
}
