/* store_group - rows of groups and of viewers
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/store/store_group.h"

static struct db_row *
query_group(const struct store *s, enum query q, int64_t id)
{
    struct db_row *r = db_query(s->db, q, s->arena);

    db_bind_int(r, ":group", id);
    return r;
}

static struct db_row *
query_both(const struct store *s, enum query q, int64_t id, const char *user)
{
    struct db_row *r = query_group(s, q, id);

    db_bind_text(r, ":user", user);
    return r;
}

/* The five columns that every statement about groups begins with. */
static struct group
read_group(struct db_row *r)
{
    return (struct group){
        .id = db_int(r, 0),
        .name = db_text(r, 1),
        .creator = db_text(r, 2),
        .n_members = db_int(r, 3),
        .n_viewers = db_int(r, 4),
    };
}

static const char *
text_or_empty(struct db_row *r, int column)
{
    return db_is_null(r, column) ? "" : db_text(r, column);
}

enum err
store_group_find(const struct store *s, int64_t id, const char *user, struct group_place *place_r)
{
    struct db_row *r = query_both(s, Q_GROUP_FIND, id, user);
    bool found;

    if ((found = db_step(r)))
        *place_r = (struct group_place){
            .group = read_group(r),
            .is_member = db_int(r, 5),
            .is_viewer = db_int(r, 6),
        };
    return store_found(db_done(r), found);
}

enum err
store_group_list(const struct store *s, const char *user, bool mine, int64_t limit, int64_t offset,
                 struct group **list_r, size_t *n_r)
{
    struct db_row *r = db_query(s->db, mine ? Q_GROUP_MINE : Q_GROUP_OTHERS, s->arena);

    *list_r = arena_array(s->arena, (size_t)limit, sizeof **list_r);
    *n_r = 0;
    db_bind_text(r, ":user", user);
    db_bind_int(r, ":limit", limit);
    db_bind_int(r, ":offset", offset);
    while (db_step(r)) {
        struct group *g = &(*list_r)[(*n_r)++];

        *g = read_group(r);
        if (!mine)
            continue;
        g->mine = true;
        g->unread = db_int(r, 5);
        g->last_text = text_or_empty(r, 6);
        g->last_picture = text_or_empty(r, 7);
    }
    return db_done(r);
}

/* Binds a page's bounds; gives room for it. */
static void *
page_of(const struct store *s, struct db_row *r, int64_t limit, int64_t offset, size_t size)
{
    db_bind_int(r, ":limit", limit);
    db_bind_int(r, ":offset", offset);
    return arena_array(s->arena, (size_t)limit, size);
}

/* Rows come newest first: they are put in from the end of the page. */
enum err
store_group_page(const struct store *s, int64_t id, int64_t limit, int64_t offset,
                 struct group_page *page_r)
{
    struct db_row *r = query_group(s, Q_GROUP_PAGE, id);
    struct group_message *end = page_of(s, r, limit, offset, sizeof *end);

    end += limit;
    *page_r = (struct group_page){ 0 };
    while (db_step(r))
        end[-(ptrdiff_t)++page_r->n] = (struct group_message){
            .id = db_int(r, 0),
            .group = id,
            .author = { db_text(r, 1), text_or_empty(r, 2), text_or_empty(r, 3) },
            .text = db_text(r, 4),
            .at_ms = db_int(r, 5),
        };
    page_r->messages = end - page_r->n;
    return db_done(r);
}

enum err
store_global_page(const struct store *s, int64_t limit, int64_t offset, struct global_page *page_r)
{
    struct db_row *r = db_query(s->db, Q_GLOBAL_PAGE, s->arena);
    struct global_message *end = page_of(s, r, limit, offset, sizeof *end);

    end += limit;
    *page_r = (struct global_page){ 0 };
    while (db_step(r))
        end[-(ptrdiff_t)++page_r->n] = (struct global_message){
            .id = db_int(r, 0), .text = db_text(r, 1), .at_ms = db_int(r, 2),
        };
    page_r->messages = end - page_r->n;
    return db_done(r);
}

enum err
store_group_members(const struct store *s, int64_t id, struct profile **list_r, size_t *n_r)
{
    struct db_row *r = query_group(s, Q_GROUP_MEMBERS, id);
    size_t size = 0;

    *list_r = NULL;
    *n_r = 0;
    while (db_step(r)) {
        *list_r = arena_grow(s->arena, *list_r, *n_r, &size, sizeof **list_r);
        (*list_r)[(*n_r)++] =
            (struct profile){ db_text(r, 0), text_or_empty(r, 1), text_or_empty(r, 2) };
    }
    return db_done(r);
}

enum err
store_group_read(const struct store *s, int64_t id, const char *user)
{
    return db_run(query_both(s, Q_GROUP_READ, id, user), NULL);
}

enum err
store_viewer_insert(const struct store *s, int64_t id, const char *user)
{
    return db_run(query_both(s, Q_VIEWER_INSERT, id, user), NULL);
}

enum err
store_viewer_delete(const struct store *s, int64_t id, const char *user)
{
    return db_run(query_both(s, Q_VIEWER_DELETE, id, user), NULL);
}

enum err
store_viewer_count(const struct store *s, int64_t id, int64_t *n_r)
{
    struct db_row *r = query_group(s, Q_VIEWER_COUNT, id);

    *n_r = db_step(r) ? db_int(r, 0) : 0;
    return db_done(r);
}

enum err
store_viewer_of(const struct store *s, const char *user, int64_t **ids_r, size_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_VIEWER_OF, s->arena);
    size_t size = 0;

    *ids_r = NULL;
    *n_r = 0;
    db_bind_text(r, ":user", user);
    while (db_step(r)) {
        *ids_r = arena_grow(s->arena, *ids_r, *n_r, &size, sizeof **ids_r);
        (*ids_r)[(*n_r)++] = db_int(r, 0);
    }
    return db_done(r);
}

static enum err
read_yes(struct db_row *r, bool *yes_r)
{
    *yes_r = db_step(r) && db_int(r, 0);
    return db_done(r);
}

enum err
store_hears(const struct store *s, const char *user, const char *channel, bool *hears_r)
{
    struct db_row *r = db_query(s->db, Q_AUDIENCE_HAS, s->arena);

    db_bind_text(r, ":system", s->system);
    db_bind_text(r, ":user", user);
    db_bind_text(r, ":channel", channel);
    return read_yes(r, hears_r);
}

enum err
store_live(const struct store *s, const char *user, bool *live_r)
{
    struct db_row *r = db_query(s->db, Q_LIVE_NOW, s->arena);

    db_bind_text(r, ":system", s->system);
    db_bind_text(r, ":user", user);
    db_bind_int(r, ":now", s->now_ms);
    return read_yes(r, live_r);
}
