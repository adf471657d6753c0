/* store_conversation - rows of conversations
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/store/store.h"
#include "shared/utf8.h"

void
store_conversation_read(struct db_row *r, struct conversation *c)
{
    *c = (struct conversation){
        .key = db_int(r, 0),
        .uid = db_id(r, 1),
        .object_type = db_text(r, 2),
        .object_id = db_text(r, 3),
        .object_url = db_text(r, 4),
        .title = db_text(r, 5),
        .meta = db_text(r, 6),
        .created_by = db_text(r, 7),
        .created_ms = db_int(r, 8),
        .n_members = db_int(r, 9),
    };
}

enum err
store_conversation_find(const struct store *s, const struct id *uid, struct conversation *c_r)
{
    struct db_row *r = db_query(s->db, Q_CONVERSATION_FIND, s->arena);
    bool found;

    db_bind_id(r, ":uid", uid);
    db_bind_text(r, ":system", s->system);
    if ((found = db_step(r)))
        store_conversation_read(r, c_r);
    return store_found(db_done(r), found);
}

enum err
store_conversation_of_object(const struct store *s, const char *object_type,
                             const char *object_id, struct conversation **list_r, size_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_CONVERSATION_OF_OBJECT, s->arena);
    size_t size = 0;

    *list_r = NULL;
    *n_r = 0;
    db_bind_text(r, ":system", s->system);
    db_bind_text(r, ":object_type", object_type);
    db_bind_text(r, ":object_id", object_id);
    while (db_step(r)) {
        *list_r = arena_grow(s->arena, *list_r, *n_r, &size, sizeof **list_r);
        store_conversation_read(r, &(*list_r)[(*n_r)++]);
    }
    return db_done(r);
}

enum err
store_conversation_insert(const struct store *s, struct conversation *c)
{
    struct db_row *r = db_query(s->db, Q_CONVERSATION_INSERT, s->arena);

    db_bind_id(r, ":uid", &c->uid);
    db_bind_text(r, ":system", s->system);
    db_bind_text(r, ":object_type", c->object_type);
    db_bind_text(r, ":object_id", c->object_id);
    db_bind_text(r, ":object_url", c->object_url);
    db_bind_text(r, ":title", c->title);
    db_bind_text(r, ":title_folded", utf8_fold(s->arena, c->title));
    db_bind_text(r, ":meta", c->meta);
    db_bind_text(r, ":created_by", c->created_by);
    db_bind_int(r, ":now", c->created_ms);
    if (db_step(r))
        c->key = db_int(r, 0);
    return db_done(r);
}

static enum err
run_on(const struct store *s, enum query q, int64_t key)
{
    struct db_row *r = db_query(s->db, q, s->arena);

    db_bind_int(r, ":conversation", key);
    return db_run(r, NULL);
}

enum err
store_conversation_delete(const struct store *s, int64_t key)
{
    enum err e = run_on(s, Q_EVENT_ERASE_CONVERSATION, key);

    return e == ERR_OK ? run_on(s, Q_CONVERSATION_DELETE, key) : e;
}

enum err
store_conversation_fall_back(const struct store *s, int64_t key)
{
    return run_on(s, Q_CONVERSATION_FALL_BACK, key);
}
