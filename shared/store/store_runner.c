/* store_runner - rows of runners' keys
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/store/store_room.h"

static struct db_row *
query_in(const struct store *s, enum query q, int64_t room)
{
    struct db_row *r = db_query(s->db, q, s->arena);

    db_bind_int(r, ":conversation", room);
    return r;
}

enum err
store_runner_insert(const struct store *s, struct runner_key *k, const uint8_t *hash)
{
    struct db_row *r = query_in(s, Q_RUNNER_KEY_INSERT, k->room);

    db_bind_text(r, ":name", k->name);
    db_bind_blob(r, ":hash", hash, OPAQUE_HASH_SIZE);
    db_bind_text(r, ":webhook_url", k->webhook_url);
    db_bind_text(r, ":webhook_secret", k->webhook_secret);
    db_bind_int(r, ":now", k->created_ms);
    if (db_step(r))
        k->id = db_int(r, 0);
    return db_done(r);
}

enum err
store_runner_list(const struct store *s, int64_t room, struct runner_key **list_r, size_t *n_r)
{
    struct db_row *r = query_in(s, Q_RUNNER_KEY_LIST, room);
    size_t size = 0;

    *list_r = NULL;
    *n_r = 0;
    while (db_step(r)) {
        *list_r = arena_grow(s->arena, *list_r, *n_r, &size, sizeof **list_r);
        (*list_r)[(*n_r)++] = (struct runner_key){
            .id = db_int(r, 0), .room = room, .name = db_text(r, 1), .webhook_url = db_text(r, 2),
            .created_ms = db_int(r, 3), .last_used_ms = db_int(r, 4),
        };
    }
    return db_done(r);
}

enum err
store_runner_of_account(const struct store *s, int64_t account, int64_t **ids_r, size_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_RUNNER_KEY_OF_ACCOUNT, s->arena);
    size_t size = 0;

    *ids_r = NULL;
    *n_r = 0;
    db_bind_int(r, ":account", account);
    while (db_step(r)) {
        *ids_r = arena_grow(s->arena, *ids_r, *n_r, &size, sizeof **ids_r);
        (*ids_r)[(*n_r)++] = db_int(r, 0);
    }
    return db_done(r);
}

enum err
store_runner_find(const struct store *s, const uint8_t *hash, struct runner_key *k_r)
{
    struct db_row *r = db_query(s->db, Q_RUNNER_KEY_FIND, s->arena);
    bool found;

    db_bind_blob(r, ":hash", hash, OPAQUE_HASH_SIZE);
    if ((found = db_step(r)))
        *k_r = (struct runner_key){ .id = db_int(r, 0), .room = db_int(r, 1),
                                    .last_used_ms = db_int(r, 2) };
    return store_found(db_done(r), found);
}

enum err
store_runner_used(const struct store *s, int64_t id)
{
    struct db_row *r = db_query(s->db, Q_RUNNER_KEY_USED, s->arena);

    db_bind_int(r, ":key", id);
    db_bind_int(r, ":now", s->now_ms);
    return db_run(r, NULL);
}

enum err
store_runner_delete(const struct store *s, int64_t room, int64_t id)
{
    struct db_row *r = query_in(s, Q_RUNNER_KEY_DELETE, room);
    int64_t changed = 0;
    enum err e;

    db_bind_int(r, ":key", id);
    e = db_run(r, &changed);
    return store_found(e, changed > 0);
}
