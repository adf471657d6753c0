/* op_group - groups: making and removing them, joining and leaving
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "shared/chat/group_private.h"

/* ---- rights ---- */

enum err
group_refuse(struct op *o, enum err e)
{
    return err_fail(o->fail, e, NULL, "%s", err_text(e));
}

enum err
op_socket_needed(struct op *o, const char *user)
{
    struct store s = op_store(o);
    bool live = false;
    enum err e = store_live(&s, user, &live);

    return e == ERR_OK && !live ? group_refuse(o, ERR_NO_SOCKET) : e;
}

enum err
group_enter(struct op *o, const char *user, int64_t group, struct group_place *place_r)
{
    struct store s = op_store(o);
    enum err e = op_socket_needed(o, user);

    if (e == ERR_OK)
        e = store_group_find(&s, group, user, place_r);
    return e == ERR_NOT_FOUND ? group_refuse(o, ERR_NO_CONVERSATION) : e;
}

char *
group_channel(struct op *o, int64_t group)
{
    return channel_of(o->arena, o->system->channel_prefix,
                      arena_printf(o->arena, "%lld", (long long)group));
}

/* ---- telling everybody who is connected ---- */

static void
tell_all(struct op *o, enum event_kind kind, const struct group_notice *g)
{
    struct notice n = { .kind = kind, .group = g };

    tx_event_on(o, &n, channel_of_system(o->arena, o->system->name));
}

static enum err
tell_of_user(struct op *o, enum event_kind kind, const char *user, struct group_notice g)
{
    struct profile who;
    enum err e = op_profile_get(o, user, &who);

    g.who = &who;
    if (e == ERR_OK)
        tell_all(o, kind, &g);
    return e;
}

/* ---- lists ---- */

enum err
op_group_list(struct op *o, const char *user, bool mine, int64_t offset, struct group **groups_r,
              size_t *n_r)
{
    struct store s = op_store(o);
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = op_socket_needed(o, user)) == ERR_OK)
        e = store_group_list(&s, user, mine, GROUP_PAGE, offset, groups_r, n_r);
    return db_end(o->db, e);
}

enum err
op_group_members(struct op *o, const char *user, int64_t group, struct profile **members_r,
                 size_t *n_r)
{
    struct store s = op_store(o);
    struct group_place place;
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = group_enter(o, user, group, &place)) == ERR_OK)
        e = place.is_member ? store_group_members(&s, group, members_r, n_r)
                            : group_refuse(o, ERR_NOT_MEMBER);
    return db_end(o->db, e);
}

/* ---- making and removing ---- */

static enum err
insert_group(struct op *o, const char *user, const char *name, int64_t *id_r)
{
    struct store s = op_store(o);
    struct conversation c = {
        .uid = id_new(o->now_ms), .title = name, .created_by = user, .created_ms = o->now_ms,
    };
    struct entry first = {
        .conversation = c.uid, .kind = ENTRY_SAID, .author = user, .content = GROUP_FIRST_WORDS,
    };
    const struct member_new creator = { .user = user };
    enum err e;

    if ((e = store_conversation_insert(&s, &c)) == ERR_EXISTS)
        return group_refuse(o, e);
    *id_r = c.key;
    if (e != ERR_OK || (e = store_entry_insert(&s, c.key, 0, &first)) != ERR_OK)
        return e;
    return store_member_insert(&s, c.key, &creator, JOINED_SELF, false);
}

enum err
op_group_create(struct op *o, const char *user, const char *name, int64_t *id_r)
{
    struct group_notice g = { .name = name };
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = op_socket_needed(o, user)) != ERR_OK || (e = insert_group(o, user, name, id_r)) != ERR_OK)
        goto out;
    g.group = *id_r;
    tx_operation(o, EVENT_JOIN, user, group_channel(o, *id_r));
    e = tell_of_user(o, EVENT_GROUP_NEW, user, g);
out:
    return tx_end(o, e);
}

static enum err
remove_group(struct op *o, int64_t group)
{
    struct store s = op_store(o);
    const struct group_notice g = { .group = group };

    tx_operation(o, EVENT_GONE, NULL, group_channel(o, group));
    tell_all(o, EVENT_GROUP_GONE, &g);
    return store_conversation_delete(&s, group);
}

enum err
op_group_delete(struct op *o, const char *user, int64_t group)
{
    struct group_place place;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = group_enter(o, user, group, &place)) == ERR_OK)
        e = strcmp(place.group.creator, user) == 0 ? remove_group(o, group)
                                                   : group_refuse(o, ERR_FORBIDDEN);
    return tx_end(o, e);
}

/* ---- joining and leaving ---- */

static enum err
may_join(struct op *o, const struct group_place *place)
{
    if (place->is_member)
        return group_refuse(o, ERR_ALREADY_MEMBER);
    if (place->group.n_members >= o->config->conv_max_members)
        return group_refuse(o, ERR_FULL);
    return ERR_OK;
}

/* Who looked on hears the group already. */
static enum err
become_member(struct op *o, const char *user, const struct group_place *place)
{
    struct store s = op_store(o);
    const struct member_new in = { .user = user };
    enum err e = store_member_insert(&s, place->group.id, &in, JOINED_SELF, false);

    if (e != ERR_OK)
        return e;
    if (!place->is_viewer) {
        tx_operation(o, EVENT_JOIN, user, group_channel(o, place->group.id));
        return ERR_OK;
    }
    e = store_viewer_delete(&s, place->group.id, user);
    return e == ERR_OK ? group_tell_viewers(o, place->group.id) : e;
}

enum err
op_group_join(struct op *o, const char *user, int64_t group, struct group_page *page_r)
{
    struct store s = op_store(o);
    struct group_notice g = { .group = group };
    struct group_place place;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = group_enter(o, user, group, &place)) != ERR_OK || (e = may_join(o, &place)) != ERR_OK
        || (e = become_member(o, user, &place)) != ERR_OK
        || (e = tell_of_user(o, EVENT_MEMBER_JOINED, user, g)) != ERR_OK)
        goto out;
    e = store_group_page(&s, group, GROUP_PAGE, 0, page_r);
out:
    return tx_end(o, e);
}

enum err
op_group_leave(struct op *o, const char *user, int64_t group)
{
    struct store s = op_store(o);
    struct group_notice g = { .group = group };
    struct group_place place;
    const char *name;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = group_enter(o, user, group, &place)) != ERR_OK)
        goto out;
    if ((e = store_member_delete(&s, group, user, &name)) == ERR_NOT_FOUND)
        e = group_refuse(o, ERR_NOT_MEMBER);
    if (e != ERR_OK)
        goto out;
    tx_operation(o, EVENT_LEAVE, user, group_channel(o, group));
    e = tell_of_user(o, EVENT_MEMBER_LEFT, user, g);
    if (e == ERR_OK && place.group.n_members == 1)
        e = remove_group(o, group);
out:
    return tx_end(o, e);
}
