/* op_member - who takes part: adding, removing, joining, leaving, and everybody's own switches
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "shared/chat/op.h"
#include "shared/chat/rights.h"
#include "shared/chat/tx.h"

/* Stores what the system says about a change of participants and notes its event. */
static enum err
system_entry(struct op *o, const struct conversation *c, enum system_entry what,
             const struct member_new *who)
{
    struct store store = op_store(o);
    struct entry entry = { .conversation = c->uid, .kind = ENTRY_SYSTEM };
    struct notice n = { .kind = EVENT_ENTRY_NEW, .conversation = c->uid, .entry = &entry };
    struct sbuf content;
    enum err e;

    sbuf_init(&content, SIZE_MAX);
    o->system->write_system_entry(&content, what, who, 1);
    entry.content = arena_copy(o->arena, sbuf_str(&content), content.len);
    sbuf_fini(&content);
    if ((e = store_entry_insert(&store, c->key, 0, &entry)) == ERR_OK)
        tx_event_on(o, &n, tx_channel(o, &c->uid));
    return e;
}

static void
tell_joined(struct op *o, const struct conversation *c, const char *user)
{
    struct notice n = { .kind = EVENT_MEMBER_JOINED, .conversation = c->uid, .user = user };
    char *channel = tx_channel(o, &c->uid);

    tx_event_on(o, &n, channel);
    tx_operation(o, EVENT_JOIN, user, channel);
}

/* The one who left hears it on his own channel: of the conversation he hears nothing any more. */
static void
tell_left(struct op *o, const struct conversation *c, const char *user)
{
    struct notice n = { .kind = EVENT_MEMBER_LEFT, .conversation = c->uid, .user = user };
    const char *channels[] = {tx_channel(o, &c->uid), tx_user_channel(o, user)};

    tx_event(o, &n, channels, 2);
    tx_operation(o, EVENT_LEAVE, user, channels[0]);
}

enum err
op_member_add(struct op *o, const struct id *conversation, const struct member_new *in,
              struct member *member_r, bool *added_r)
{
    struct store store = op_store(o);
    struct conversation c;
    struct member *found;
    size_t n;
    enum err e;

    *added_r = false;
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = rights_conversation(o, conversation, ERR_NO_CONVERSATION, &c)) != ERR_OK)
        goto out;
    e = store_member_list(&store, c.key, in->user, NULL, &found, &n);
    if (e == ERR_OK && n == 0) {
        *added_r = true;
        if ((e = store_member_insert(&store, c.key, in, JOINED_ADDED, false)) == ERR_OK)
            e = store_member_list(&store, c.key, in->user, NULL, &found, &n);
        tell_joined(o, &c, in->user);
    }
    if (e == ERR_OK)
        *member_r = found[0];
out:
    return tx_end(o, e);
}

enum err
op_member_remove(struct op *o, const struct id *conversation, const char *user)
{
    struct store store = op_store(o);
    struct conversation c;
    const char *name;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = store_conversation_find(&store, conversation, &c)) == ERR_OK
        && (e = store_member_delete(&store, c.key, user, &name)) == ERR_OK)
        tell_left(o, &c, user);
    return tx_end(o, e == ERR_NOT_FOUND ? ERR_OK : e);
}

/* ---- by oneself ---- */

static enum err
may_join(struct op *o, const struct viewer *viewer, const struct conversation *c)
{
    struct store store = op_store(o);
    struct member_state me;
    bool match = false;
    enum err e = store_member_state(&store, c->key, viewer->user, &me);

    if (e == ERR_OK)
        return err_fail(o->fail, ERR_ALREADY_MEMBER, NULL, "%s", err_text(ERR_ALREADY_MEMBER));
    if (e != ERR_NOT_FOUND)
        return e;
    if ((e = store_scope_matches(&store, c->key, viewer->scopes, &match)) != ERR_OK)
        return e;
    return match ? ERR_OK
                 : err_fail(o->fail, ERR_FORBIDDEN, NULL, "%s", err_text(ERR_OUT_OF_SCOPE));
}

enum err
op_join(struct op *o, const struct viewer *viewer, const struct id *conversation,
        const struct member_new *in)
{
    struct store store = op_store(o);
    struct conversation c;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = rights_conversation(o, conversation, ERR_NO_CONVERSATION, &c)) != ERR_OK
        || (e = may_join(o, viewer, &c)) != ERR_OK
        || (e = store_member_insert(&store, c.key, in, JOINED_SELF, true)) != ERR_OK
        || (e = system_entry(o, &c, SYSTEM_JOINED, in)) != ERR_OK)
        goto out;
    tell_joined(o, &c, in->user);
out:
    return tx_end(o, e);
}

enum err
op_leave(struct op *o, const char *user, const struct id *conversation)
{
    struct store store = op_store(o);
    struct conversation c;
    struct member_new who = { .user = user };
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = rights_conversation(o, conversation, ERR_NO_CONVERSATION, &c)) != ERR_OK)
        goto out;
    if ((e = store_member_delete(&store, c.key, user, &who.display_name)) == ERR_NOT_FOUND) {
        e = ERR_OK;             /* nothing to leave: no effects */
        goto out;
    }
    if (e == ERR_OK && (e = system_entry(o, &c, SYSTEM_LEFT, &who)) == ERR_OK)
        tell_left(o, &c, user);
out:
    return tx_end(o, e);
}

enum err
op_member_switch(struct op *o, const char *user, const struct id *conversation,
                 enum member_switch which, bool on)
{
    struct store store = op_store(o);
    struct conversation c;
    struct member_state me;
    struct notice n = { .kind = on ? EVENT_ARCHIVED : EVENT_UNARCHIVED,
                        .conversation = *conversation };
    bool was;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = rights_conversation(o, conversation, ERR_NOT_MEMBER, &c)) != ERR_OK
        || (e = rights_member(o, &c, user, &me)) != ERR_OK)
        goto out;
    was = which == SWITCH_ARCHIVED ? me.archived
        : which == SWITCH_PINNED   ? me.pinned
                                   : me.notifications;
    if (was == on)
        goto out;
    e = store_member_switch(&store, c.key, user, which, on);
    if (e == ERR_OK && which == SWITCH_ARCHIVED)
        tx_event_on(o, &n, tx_user_channel(o, user));
out:
    return tx_end(o, e);
}

/* ---- who is in ---- */

/* What nobody but the person himself may know, and what only members may know. */
static void
veil(struct member *m, const char *viewer, bool viewer_is_member)
{
    if (!viewer_is_member)
        m->email = m->phone = NULL;
    if (strcmp(m->user, viewer) == 0)
        return;
    m->unread = 0;
    m->archived = m->pinned = false;
    m->notifications = true;
    if (!viewer_is_member)
        m->read = (struct id){ 0 };
}

enum err
op_member_list(struct op *o, const struct viewer *viewer, const struct id *conversation,
               struct member **members_r, size_t *n_r)
{
    struct store store = op_store(o);
    struct conversation c;
    struct member_state me;
    bool is_member, match = true;
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = rights_conversation(o, conversation, ERR_NOT_MEMBER, &c)) != ERR_OK)
        goto out;
    is_member = (e = store_member_state(&store, c.key, viewer->user, &me)) == ERR_OK;
    if (e == ERR_NOT_FOUND)
        e = store_scope_matches(&store, c.key, viewer->scopes, &match);
    if (e == ERR_OK && !match)
        e = err_fail(o->fail, ERR_NOT_MEMBER, NULL, "%s", err_text(ERR_NOT_MEMBER));
    if (e == ERR_OK)
        e = store_member_list(&store, c.key, NULL, viewer->user, members_r, n_r);
    for (size_t i = 0; e == ERR_OK && i < *n_r; i++)
        veil(&(*members_r)[i], viewer->user, is_member);
out:
    return db_end(o->db, e);
}
