/* op_group_message - what is said in groups and in the chat of all, and reading it
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/group_private.h"

/* ---- reading ---- */

enum err
op_group_page(struct op *o, const char *user, int64_t group, int64_t offset,
              struct group_page *page_r)
{
    struct store s = op_store(o);
    struct group_place place;
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = group_enter(o, user, group, &place)) == ERR_OK)
        e = place.is_member ? store_group_page(&s, group, GROUP_PAGE, offset, page_r)
                            : group_refuse(o, ERR_NOT_MEMBER);
    return db_end(o->db, e);
}

/* Inside a transaction; *hears_r: pushes of the chat of all reach him already. */
static enum err
read_global(struct op *o, const char *user, int64_t offset, struct global_page *page_r,
            bool *hears_r)
{
    struct store s = op_store(o);
    enum err e;

    if ((e = op_socket_needed(o, user)) != ERR_OK
        || (e = store_hears(&s, user, group_channel(o, GROUP_GLOBAL), hears_r)) != ERR_OK)
        return e;
    return store_global_page(&s, GROUP_PAGE, offset, page_r);
}

/* Mostly he is subscribed: then a look is enough. Else the page and the subscription are of one
 * transaction, so that nothing falls between them. */
enum err
op_global_page(struct op *o, const char *user, int64_t offset, struct global_page *page_r)
{
    bool hears = false;
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    e = db_end(o->db, read_global(o, user, offset, page_r, &hears));
    if (e != ERR_OK || hears || (e = tx_begin(o)) != ERR_OK)
        return e;
    e = read_global(o, user, offset, page_r, &hears);
    if (e == ERR_OK && !hears)
        tx_operation(o, EVENT_JOIN, user, group_channel(o, GROUP_GLOBAL));
    return tx_end(o, e);
}

enum err
op_group_read(struct op *o, const char *user, int64_t group)
{
    struct store s = op_store(o);
    struct group_place place;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = group_enter(o, user, group, &place)) == ERR_OK)
        e = place.is_member ? store_group_read(&s, group, user) : group_refuse(o, ERR_NOT_MEMBER);
    return tx_end(o, e);
}

/* ---- saying ---- */

static enum err
insert_entry(struct op *o, const char *user, int64_t group, const char *text, struct entry *entry_r)
{
    struct store s = op_store(o);

    *entry_r = (struct entry){ .kind = ENTRY_SAID, .author = user, .content = text };
    return store_entry_insert(&s, group, 0, entry_r);
}

static void
tell_said(struct op *o, const struct entry *entry, struct group_notice *g)
{
    struct notice n = { .kind = EVENT_ENTRY_NEW, .entry = entry, .group = g };

    g->message_event = o->config->conv_message_event;
    tx_event_on(o, &n, group_channel(o, g->group));
}

static enum err
say_in_group(struct op *o, const char *user, int64_t group, const char *text, int64_t *id_r)
{
    struct group_message m = { .group = group, .text = text };
    struct group_notice g = { .group = group, .message = &m };
    struct entry entry;
    enum err e;

    if ((e = op_profile_get(o, user, &m.author)) != ERR_OK
        || (e = insert_entry(o, user, group, text, &entry)) != ERR_OK)
        return e;
    m.id = *id_r = entry.id;
    m.at_ms = entry.at_ms;
    tell_said(o, &entry, &g);
    return ERR_OK;
}

enum err
op_group_send(struct op *o, const char *user, int64_t group, const char *text, int64_t *id_r)
{
    struct group_place place;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = group_enter(o, user, group, &place)) == ERR_OK)
        e = place.is_member ? say_in_group(o, user, group, text, id_r)
                            : group_refuse(o, ERR_FORBIDDEN);
    return tx_end(o, e);
}

enum err
op_global_send(struct op *o, const char *user, const char *text, int64_t *id_r)
{
    struct global_message m = { .text = text };
    struct group_notice g = { .group = GROUP_GLOBAL, .global = &m };
    struct entry entry;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = op_socket_needed(o, user)) != ERR_OK
        || (e = insert_entry(o, user, GROUP_GLOBAL, text, &entry)) != ERR_OK)
        goto out;
    m.id = *id_r = entry.id;
    m.at_ms = entry.at_ms;
    tell_said(o, &entry, &g);
out:
    return tx_end(o, e);
}
