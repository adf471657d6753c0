/* op_conversation - making, finding, inspecting and deleting conversations, and their scopes
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/chat/op.h"
#include "shared/chat/rights.h"
#include "shared/chat/tx.h"

/* ---- making ---- */

static int
compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum err
no_user_twice(struct op *o, const struct conversation_new *in)
{
    const char **users = arena_array(o->arena, in->n_members, sizeof *users);

    for (size_t i = 0; i < in->n_members; i++)
        users[i] = in->members[i].user;
    if (in->n_members > 1)
        qsort(users, in->n_members, sizeof *users, compare_text);
    for (size_t i = 1; i < in->n_members; i++)
        if (strcmp(users[i - 1], users[i]) == 0)
            return err_fail(o->fail, ERR_LIMIT, "participants",
                            "a participant is named more than once");
    return ERR_OK;
}

static enum err
insert_members(struct op *o, const struct conversation *c, const struct conversation_new *in)
{
    struct store store = op_store(o);
    char *channel = tx_channel(o, &c->uid);
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < in->n_members; i++) {
        const char *user = in->members[i].user;
        struct notice n = { .kind = EVENT_MEMBER_JOINED, .conversation = c->uid, .user = user };

        e = store_member_insert(&store, c->key, &in->members[i], JOINED_ADDED, false);
        tx_event_on(o, &n, channel);
        tx_operation(o, EVENT_JOIN, user, channel);
    }
    return e;
}

/* The first entry tells who is there; it is history, not news, so it is no event. */
static enum err
insert_created(struct op *o, const struct conversation *c, const struct conversation_new *in)
{
    struct store store = op_store(o);
    struct entry entry = { .conversation = c->uid, .kind = ENTRY_SYSTEM };
    struct sbuf content;
    enum err e;

    if (in->n_members == 0)
        return ERR_OK;
    sbuf_init(&content, SIZE_MAX);
    o->system->write_system_entry(&content, SYSTEM_CREATED, in->members, in->n_members);
    entry.content = sbuf_str(&content);
    e = store_entry_insert(&store, c->key, 0, &entry);
    sbuf_fini(&content);
    return e;
}

static enum err
insert_scopes(struct op *o, int64_t key, const struct scope_lists *lists, size_t n,
              struct scope *scopes_r)
{
    struct store store = op_store(o);
    struct scope scope;
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        e = store_scope_insert(&store, key, &lists[i], &scope);
        if (scopes_r != NULL)
            scopes_r[i] = scope;
    }
    return e;
}

enum err
op_conversation_create(struct op *o, const struct conversation_new *in, struct conversation *c_r)
{
    struct store store = op_store(o);
    enum err e;

    if ((e = no_user_twice(o, in)) != ERR_OK || (e = tx_begin(o)) != ERR_OK)
        return e;
    *c_r = (struct conversation){
        .uid = id_new(o->now_ms),
        .object_type = in->object_type,
        .object_id = in->object_id,
        .object_url = in->object_url,
        .title = in->title,
        .meta = in->meta,
        .created_by = in->n_members > 0 ? in->members[0].user : NULL,
        .created_ms = o->now_ms,
        .n_members = (int64_t)in->n_members,
    };
    if ((e = store_conversation_insert(&store, c_r)) == ERR_OK
        && (e = insert_scopes(o, c_r->key, in->scopes, in->n_scopes, NULL)) == ERR_OK
        && (e = insert_members(o, c_r, in)) == ERR_OK)
        e = insert_created(o, c_r, in);
    return tx_end(o, e);
}

/* ---- finding ---- */

/* One scope as one text that is equal for equal sets, whatever their order. */
static char *
canonical_scope(struct op *o, const struct scope_lists *lists)
{
    struct sbuf b;
    char *text;

    sbuf_init(&b, SIZE_MAX);
    for (int level = 0; level < SCOPE_LEVELS; level++) {
        const struct list *l = &lists->level[level];
        const char **values = arena_array(o->arena, l->n, sizeof *values);

        if (l->n > 0)
            memcpy(values, l->items, l->n * sizeof *values);
        if (l->n > 1)
            qsort(values, l->n, sizeof *values, compare_text);
        for (size_t i = 0; i < l->n; i++)       /* the length keeps values apart */
            if (i == 0 || strcmp(values[i - 1], values[i]) != 0)
                sbuf_printf(&b, "%d:%zu:%s;", level, strlen(values[i]), values[i]);
    }
    text = arena_copy(o->arena, sbuf_str(&b), b.len);
    sbuf_fini(&b);
    return text;
}

static const char **
canonical_scopes(struct op *o, const struct scope_lists *lists, size_t n)
{
    const char **texts = arena_array(o->arena, n, sizeof *texts);

    for (size_t i = 0; i < n; i++)
        texts[i] = canonical_scope(o, &lists[i]);
    if (n > 1)
        qsort(texts, n, sizeof *texts, compare_text);
    return texts;
}

static enum err
has_scopes(struct op *o, int64_t key, const char **wanted, size_t n_wanted, bool *same_r)
{
    struct store store = op_store(o);
    struct scope_lists *lists;
    struct scope *scopes;
    const char **texts;
    size_t n;
    enum err e = store_scope_list(&store, key, &scopes, &n);

    *same_r = false;
    if (e != ERR_OK || n != n_wanted)
        return e;
    lists = arena_array(o->arena, n, sizeof *lists);
    for (size_t i = 0; i < n; i++)
        lists[i] = scopes[i].lists;
    texts = canonical_scopes(o, lists, n);
    *same_r = true;
    for (size_t i = 0; *same_r && i < n; i++)
        *same_r = strcmp(texts[i], wanted[i]) == 0;
    return ERR_OK;
}

enum err
op_conversation_search(struct op *o, const char *object_type, const char *object_id,
                       const struct scope_lists *scopes, size_t n_scopes,
                       struct conversation *c_r, bool *found_r)
{
    struct store store = op_store(o);
    const char **wanted = canonical_scopes(o, scopes, n_scopes);
    struct conversation *list;
    size_t n;
    enum err e;

    *found_r = false;
    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    e = store_conversation_of_object(&store, object_type, object_id, &list, &n);
    for (size_t i = 0; e == ERR_OK && !*found_r && i < n; i++) {
        e = has_scopes(o, list[i].key, wanted, n_scopes, found_r);
        *c_r = list[i];
    }
    return db_end(o->db, e);
}

enum err
op_conversation_inspect(struct op *o, const struct id *conversation,
                        struct conversation_full *full_r)
{
    struct store store = op_store(o);
    enum err e;

    *full_r = (struct conversation_full){ 0 };
    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    e = rights_conversation(o, conversation, ERR_NO_CONVERSATION, &full_r->c);
    if (e == ERR_OK)
        e = store_member_list(&store, full_r->c.key, NULL, NULL, &full_r->members,
                              &full_r->n_members);
    if (e == ERR_OK)
        e = store_scope_list(&store, full_r->c.key, &full_r->scopes, &full_r->n_scopes);
    return db_end(o->db, e);
}

/* ---- changing ---- */

/* Each participant learns that he is out; the channel ends for all of them at once. */
static enum err
tell_everybody_left(struct op *o, const struct conversation *c)
{
    struct store store = op_store(o);
    const char **users;
    size_t n_users;
    enum err e = store_member_users(&store, c->key, &users, &n_users);

    for (size_t i = 0; e == ERR_OK && i < n_users; i++) {
        struct notice n = { .kind = EVENT_MEMBER_LEFT, .conversation = c->uid, .user = users[i] };

        tx_event_on(o, &n, tx_user_channel(o, users[i]));
    }
    if (e == ERR_OK && n_users > 0)
        tx_operation(o, EVENT_GONE, NULL, tx_channel(o, &c->uid));
    return e;
}

enum err
op_conversation_delete(struct op *o, const struct id *conversation)
{
    struct store store = op_store(o);
    struct conversation c;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = store_conversation_find(&store, conversation, &c)) == ERR_OK
        && (e = tell_everybody_left(o, &c)) == ERR_OK)
        e = store_conversation_delete(&store, c.key);
    return tx_end(o, e == ERR_NOT_FOUND ? ERR_OK : e);
}

enum err
op_scopes_replace(struct op *o, const struct id *conversation, const struct scope_lists *scopes,
                  size_t n_scopes, struct scope **scopes_r)
{
    struct store store = op_store(o);
    struct conversation c;
    enum err e;

    *scopes_r = arena_array(o->arena, n_scopes, sizeof **scopes_r);
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = rights_conversation(o, conversation, ERR_NO_CONVERSATION, &c)) == ERR_OK
        && (e = store_scope_delete_all(&store, c.key)) == ERR_OK)
        e = insert_scopes(o, c.key, scopes, n_scopes, *scopes_r);
    return tx_end(o, e);
}
