/* store_scope - rows of access scopes
 *
 * A value is stored as "LEVEL:value", so that what a caller has is one list to compare with.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>

#include "shared/json.h"
#include "shared/store/store.h"

static const char *
text_at(const struct list *l, size_t i)
{
    return ((const char *const *)l->items)[i];
}

char *
store_scope_pairs(const struct store *s, const struct scope_lists *mine)
{
    struct sbuf b;
    char *pairs;

    if (mine == NULL)
        return NULL;
    sbuf_init(&b, SIZE_MAX);
    json_open(&b, '[');
    for (int level = 0; level < SCOPE_LEVELS; level++)
        for (size_t i = 0; i < mine->level[level].n; i++)
            json_string(&b, arena_printf(s->arena, "%d:%s", level,
                                         text_at(&mine->level[level], i)));
    json_close(&b, ']');
    pairs = arena_copy(s->arena, sbuf_str(&b), b.len);
    sbuf_fini(&b);
    return pairs;
}

static enum err
insert_value(const struct store *s, int64_t scope, int level, const char *value, size_t ordinal)
{
    struct db_row *r = db_query(s->db, Q_SCOPE_VALUE_INSERT, s->arena);

    db_bind_int(r, ":scope", scope);
    db_bind_int(r, ":level", level);
    db_bind_text(r, ":pair", arena_printf(s->arena, "%d:%s", level, value));
    db_bind_int(r, ":ordinal", (int64_t)ordinal);
    return db_run(r, NULL);
}

enum err
store_scope_insert(const struct store *s, int64_t key, const struct scope_lists *lists,
                   struct scope *scope_r)
{
    struct db_row *r = db_query(s->db, Q_SCOPE_INSERT, s->arena);
    int64_t id = 0, n = 0;
    enum err e;

    for (int level = 0; level < SCOPE_LEVELS; level++)
        n += (int64_t)lists->level[level].n;
    *scope_r = (struct scope){
        .uid = id_new(s->now_ms), .lists = *lists, .created_ms = s->now_ms,
    };
    db_bind_id(r, ":uid", &scope_r->uid);
    db_bind_int(r, ":conversation", key);
    db_bind_int(r, ":n", n);
    db_bind_int(r, ":now", s->now_ms);
    if (db_step(r))
        id = db_int(r, 0);
    e = db_done(r);
    for (int level = 0; level < SCOPE_LEVELS; level++)
        for (size_t i = 0; e == ERR_OK && i < lists->level[level].n; i++)
            e = insert_value(s, id, level, text_at(&lists->level[level], i), i);
    return e;
}

/* Appends a text to a list whose capacity is doubled in place. */
static void
add_value(const struct store *s, struct list *l, size_t *size, const char *value)
{
    l->items = arena_grow(s->arena, l->items, l->n, size, sizeof(char *));
    ((const char **)l->items)[l->n++] = value;
}

enum err
store_scope_list(const struct store *s, int64_t key, struct scope **scopes_r, size_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_SCOPE_LIST, s->arena);
    size_t size = 0, sizes[SCOPE_LEVELS] = { 0 };
    int64_t id = 0;

    *scopes_r = NULL;
    *n_r = 0;
    db_bind_int(r, ":conversation", key);
    while (db_step(r)) {
        int level = (int)db_int(r, 3);

        if (*n_r == 0 || db_int(r, 0) != id) {
            id = db_int(r, 0);
            *scopes_r = arena_grow(s->arena, *scopes_r, *n_r, &size, sizeof **scopes_r);
            (*scopes_r)[(*n_r)++] = (struct scope){ .uid = db_id(r, 1), .created_ms = db_int(r, 2) };
            for (int i = 0; i < SCOPE_LEVELS; i++)
                sizes[i] = 0;
        }
        if (!db_is_null(r, 4))      /* "L:value" */
            add_value(s, &(*scopes_r)[*n_r - 1].lists.level[level], &sizes[level],
                      db_text(r, 4) + 2);
    }
    return db_done(r);
}

enum err
store_scope_delete_all(const struct store *s, int64_t key)
{
    struct db_row *r = db_query(s->db, Q_SCOPE_DELETE_ALL, s->arena);

    db_bind_int(r, ":conversation", key);
    return db_run(r, NULL);
}

enum err
store_scope_matches(const struct store *s, int64_t key, const struct scope_lists *mine,
                    bool *match_r)
{
    struct db_row *r;

    *match_r = false;
    if (mine == NULL)
        return ERR_OK;
    r = db_query(s->db, Q_SCOPE_MATCHES, s->arena);
    db_bind_int(r, ":conversation", key);
    db_bind_text(r, ":mine", store_scope_pairs(s, mine));
    if (db_step(r))
        *match_r = db_int(r, 0);
    return db_done(r);
}
