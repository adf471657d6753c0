/* store_photo - rows of photos
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/store/store_pair.h"

static struct db_row *
query_of(const struct store *s, enum query q, const char *name)
{
    struct db_row *r = db_query(s->db, q, s->arena);

    db_bind_text(r, ":name", name);
    return r;
}

enum err
store_photo_insert(const struct store *s, const struct photo *p, const char *user)
{
    struct db_row *r = query_of(s, Q_PHOTO_INSERT, p->name);

    db_bind_text(r, ":user", user);
    db_bind_int(r, ":type", p->type);
    db_bind_int(r, ":bytes", p->bytes);
    db_bind_int(r, ":now", s->now_ms);
    return db_run(r, NULL);
}

enum err
store_photo_find(const struct store *s, const char *name, struct photo *p_r)
{
    struct db_row *r = query_of(s, Q_PHOTO_FIND, name);
    bool found;

    if ((found = db_step(r)))
        *p_r = (struct photo){ name, (enum photo_type)db_int(r, 0), db_int(r, 1) };
    return store_found(db_done(r), found);
}

enum err
store_photo_stored(const struct store *s, const struct photo *p)
{
    struct db_row *r = query_of(s, Q_PHOTO_STORED, p->name);
    int64_t changed = 0;
    enum err e;

    db_bind_int(r, ":bytes", p->bytes);
    e = db_run(r, &changed);
    return e == ERR_OK && changed == 0 ? ERR_NOT_FOUND : e;
}

enum err
store_photo_delete(const struct store *s, const char *name)
{
    return db_run(query_of(s, Q_PHOTO_DELETE, name), NULL);
}

enum err
store_photo_sum(const struct store *s, const char *user, int64_t *bytes_r)
{
    struct db_row *r = db_query(s->db, Q_PHOTO_SUM, s->arena);

    *bytes_r = 0;
    db_bind_text(r, ":user", user);
    if (db_step(r))
        *bytes_r = db_int(r, 0);
    return db_done(r);
}

enum err
store_photo_left(const struct store *s, int64_t before_ms, int64_t limit, const char ***names_r,
                 size_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_PHOTO_LEFT, s->arena);

    *names_r = arena_array(s->arena, (size_t)limit, sizeof **names_r);
    *n_r = 0;
    db_bind_int(r, ":before", before_ms);
    db_bind_int(r, ":limit", limit);
    while (db_step(r))
        (*names_r)[(*n_r)++] = db_text(r, 0);
    return db_done(r);
}
