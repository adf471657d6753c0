/* store_entry - rows of entries, and the keys of sends
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/store/store.h"

/* Columns of entry_find, entry_before and entry_after. */
static void
read_entry(struct db_row *r, const struct id *conversation, struct entry *e)
{
    *e = (struct entry){
        .id = db_int(r, 0),
        .uid = db_id(r, 1),
        .conversation = *conversation,
        .n = db_int(r, 2),
        .kind = (enum entry_kind)db_int(r, 3),
        .author = db_text(r, 4),
        .content = db_text(r, 5),
        .at_ms = db_int(r, 6),
        .edited_ms = db_int(r, 7),
        .reply_to = db_id(r, 8),
    };
}

static struct db_row *
query_in(const struct store *s, enum query q, int64_t key)
{
    struct db_row *r = db_query(s->db, q, s->arena);

    db_bind_int(r, ":conversation", key);
    return r;
}

static enum err
next_entry(const struct store *s, int64_t key, struct entry *e)
{
    struct db_row *r = query_in(s, Q_CONVERSATION_NEXT_ENTRY, key);

    db_bind_int(r, ":now", s->now_ms);
    if (db_step(r)) {
        e->n = db_int(r, 0);
        e->at_ms = db_int(r, 1);
    }
    return db_done(r);
}

enum err
store_entry_insert(const struct store *s, int64_t key, int64_t reply_to_id, struct entry *e)
{
    enum err err = next_entry(s, key, e);
    struct db_row *r;

    if (err != ERR_OK)
        return err;
    e->uid = id_new(e->at_ms);
    r = query_in(s, Q_ENTRY_INSERT, key);
    db_bind_id(r, ":uid", &e->uid);
    db_bind_int(r, ":n", e->n);
    db_bind_int(r, ":kind", e->kind);
    db_bind_text(r, ":author", e->author);
    db_bind_text(r, ":content", e->content);
    db_bind_int(r, ":at", e->at_ms);
    if (reply_to_id != 0)
        db_bind_int(r, ":reply_to", reply_to_id);
    if (db_step(r))
        e->id = db_int(r, 0);
    return db_done(r);
}

enum err
store_entry_find(const struct store *s, int64_t key, const struct id *conversation,
                 const struct id *uid, struct entry *e_r)
{
    struct db_row *r = query_in(s, Q_ENTRY_FIND, key);
    bool found;

    db_bind_id(r, ":uid", uid);
    if ((found = db_step(r)))
        read_entry(r, conversation, e_r);
    return store_found(db_done(r), found);
}

enum err
store_entry_page(const struct store *s, int64_t key, const struct id *conversation, bool before,
                 int64_t n, int64_t limit, struct entry **list_r, size_t *n_r)
{
    struct db_row *r = query_in(s, before ? Q_ENTRY_BEFORE : Q_ENTRY_AFTER, key);

    *list_r = arena_array(s->arena, (size_t)limit, sizeof **list_r);
    *n_r = 0;
    db_bind_int(r, ":n", n);
    db_bind_int(r, ":limit", limit);
    while (db_step(r))
        read_entry(r, conversation, &(*list_r)[(*n_r)++]);
    return db_done(r);
}

enum err
store_entry_position(const struct store *s, int64_t key, const struct id *uid, int64_t *n_r,
                     bool *exact_r)
{
    struct db_row *r = query_in(s, Q_ENTRY_POSITION, key);

    *n_r = 0;
    *exact_r = false;
    db_bind_id(r, ":uid", uid);
    if (db_step(r)) {
        *n_r = db_int(r, 0);
        *exact_r = db_int(r, 1);
    }
    return db_done(r);
}

enum err
store_entry_beyond(const struct store *s, int64_t key, int64_t first, int64_t last,
                   bool *below_r, bool *above_r)
{
    struct db_row *r = query_in(s, Q_ENTRY_BEYOND, key);

    db_bind_int(r, ":first", first);
    db_bind_int(r, ":last", last);
    if (db_step(r)) {
        *below_r = db_int(r, 0);
        *above_r = db_int(r, 1);
    }
    return db_done(r);
}

enum err
store_entry_at(const struct store *s, int64_t key, int64_t n, struct id *uid_r)
{
    struct db_row *r = query_in(s, Q_ENTRY_AT_POSITION, key);

    *uid_r = (struct id){ 0 };
    db_bind_int(r, ":n", n);
    if (db_step(r))
        *uid_r = db_id(r, 0);
    return db_done(r);
}

enum err
store_entry_edit(const struct store *s, int64_t id, const char *content)
{
    struct db_row *r = db_query(s->db, Q_ENTRY_EDIT_KEEP, s->arena);
    enum err e;

    db_bind_int(r, ":entry", id);
    db_bind_int(r, ":now", s->now_ms);
    if ((e = db_run(r, NULL)) != ERR_OK)
        return e;
    r = db_query(s->db, Q_ENTRY_EDIT, s->arena);
    db_bind_int(r, ":entry", id);
    db_bind_int(r, ":now", s->now_ms);
    db_bind_text(r, ":content", content);
    return db_run(r, NULL);
}

enum err
store_entry_delete(const struct store *s, int64_t id)
{
    struct db_row *r = db_query(s->db, Q_ENTRY_DELETE, s->arena);

    db_bind_int(r, ":entry", id);
    return db_run(r, NULL);
}

/* ---- keys of sends ---- */

#define REQUEST_SIZE 32

enum err
store_idempotency_find(const struct store *s, int64_t key, const char *user, const char *word,
                       struct idempotency *i_r)
{
    struct db_row *r = query_in(s, Q_IDEMPOTENCY_FIND, key);
    bool found;
    size_t len;

    db_bind_text(r, ":user", user);
    db_bind_text(r, ":key", word);
    if ((found = db_step(r)))
        *i_r = (struct idempotency){
            .request = db_blob(r, 0, &len),
            .entry = db_int(r, 1),
            .uid = db_id(r, 2),
            .n = db_int(r, 3),
            .at_ms = db_int(r, 4),
        };
    return store_found(db_done(r), found);
}

enum err
store_idempotency_insert(const struct store *s, int64_t key, const char *user, const char *word,
                         const struct idempotency *i)
{
    struct db_row *r = query_in(s, Q_IDEMPOTENCY_INSERT, key);

    db_bind_text(r, ":user", user);
    db_bind_text(r, ":key", word);
    db_bind_blob(r, ":request", i->request, REQUEST_SIZE);
    db_bind_int(r, ":entry", i->entry);
    db_bind_id(r, ":uid", &i->uid);
    db_bind_int(r, ":n", i->n);
    db_bind_int(r, ":at", i->at_ms);
    return db_run(r, NULL);
}
