/* store_webhook - rows of messages on their way to webhooks
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/store/store_room.h"

/* The first column of all rows. */
static enum err
read_ids(const struct store *s, struct db_row *r, int64_t **ids_r, size_t *n_r)
{
    size_t size = 0;

    *ids_r = NULL;
    *n_r = 0;
    while (db_step(r)) {
        *ids_r = arena_grow(s->arena, *ids_r, *n_r, &size, sizeof **ids_r);
        (*ids_r)[(*n_r)++] = db_int(r, 0);
    }
    return db_done(r);
}

enum err
store_webhook_insert(const struct store *s, int64_t room, const struct room_entry *e,
                     int64_t **keys_r, size_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_WEBHOOK_INSERT, s->arena);
    struct id id = id_new(s->now_ms);
    char uid[ID_TEXT_SIZE];

    db_bind_text(r, ":uid", id_text(&id, uid));
    db_bind_int(r, ":conversation", room);
    db_bind_int(r, ":entry", e->id);
    if (e->agent != 0)
        db_bind_int(r, ":agent", e->agent);
    db_bind_int(r, ":now", s->now_ms);
    return read_ids(s, r, keys_r, n_r);
}

enum err
store_webhook_shed(const struct store *s, int64_t key, int64_t max, int64_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_WEBHOOK_SHED, s->arena);

    db_bind_int(r, ":key", key);
    db_bind_int(r, ":max", max);
    return db_run(r, n_r);
}

enum err
store_webhook_next(const struct store *s, int64_t *at_ms_r)
{
    struct db_row *r = db_query(s->db, Q_WEBHOOK_NEXT, s->arena);

    *at_ms_r = 0;
    db_bind_int(r, ":now", s->now_ms);
    if (db_step(r))
        *at_ms_r = db_int(r, 0);
    return db_done(r);
}

enum err
store_webhook_pick(const struct store *s, int64_t share, int64_t limit, int64_t **ids_r, size_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_WEBHOOK_PICK, s->arena);

    db_bind_int(r, ":now", s->now_ms);
    db_bind_int(r, ":share", share);
    db_bind_int(r, ":limit", limit);
    return read_ids(s, r, ids_r, n_r);
}

static enum err
find(const struct store *s, int64_t id, struct webhook *w)
{
    struct db_row *r = db_query(s->db, Q_WEBHOOK_FIND, s->arena);
    bool found;

    db_bind_int(r, ":id", id);
    if ((found = db_step(r)))
        *w = (struct webhook){
            .id = id,
            .uid = db_text(r, 0),
            .tries = db_int(r, 1),
            .key = db_int(r, 2),
            .url = db_text(r, 3),
            .secret = db_text(r, 4),
            .room = db_int(r, 5),
            .entry = { .id = db_int(r, 6), .at_ms = db_int(r, 7), .text = db_text(r, 8),
                       .sender = db_text(r, 9), .agent = db_int(r, 10) },
        };
    return store_found(db_done(r), found);
}

static struct db_row *
query_claim(const struct store *s, enum query q, int64_t id, int64_t until_ms)
{
    struct db_row *r = db_query(s->db, q, s->arena);

    db_bind_int(r, ":id", id);
    db_bind_int(r, ":until", until_ms);
    return r;
}

enum err
store_webhook_claim(const struct store *s, int64_t id, int64_t until_ms, struct webhook *w_r)
{
    struct db_row *r = query_claim(s, Q_WEBHOOK_CLAIM, id, until_ms);
    int64_t changed = 0;
    enum err e;

    db_bind_int(r, ":now", s->now_ms);
    e = db_run(r, &changed);
    if ((e = store_found(e, changed > 0)) == ERR_OK)
        e = find(s, id, w_r);
    w_r->until_ms = until_ms;
    return e;
}

enum err
store_webhook_delete(const struct store *s, int64_t id, int64_t until_ms)
{
    return db_run(query_claim(s, Q_WEBHOOK_DELETE, id, until_ms), NULL);
}

enum err
store_webhook_again(const struct store *s, int64_t id, int64_t until_ms, int64_t due_ms)
{
    struct db_row *r = query_claim(s, Q_WEBHOOK_AGAIN, id, until_ms);

    db_bind_int(r, ":due", due_ms);
    return db_run(r, NULL);
}
