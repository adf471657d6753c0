/* store_view - conversations as a caller sees them: lists by a fixed number of statements
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>

#include "shared/json.h"
#include "shared/store/store.h"
#include "shared/utf8.h"

/* The folded search text as a LIKE pattern in which it stands for itself; NULL for none. */
static char *
like_pattern(struct arena *a, const char *search)
{
    struct sbuf b;
    char *pattern;

    if (search == NULL || search[0] == '\0')
        return NULL;
    sbuf_init(&b, SIZE_MAX);
    sbuf_putc(&b, '%');
    for (const char *p = utf8_fold(a, search); *p != '\0'; p++) {
        if (*p == '%' || *p == '_' || *p == '\\')
            sbuf_putc(&b, '\\');
        sbuf_putc(&b, *p);
    }
    sbuf_putc(&b, '%');
    pattern = arena_copy(a, sbuf_str(&b), b.len);
    sbuf_fini(&b);
    return pattern;
}

static void
bind_filter(const struct store *s, struct db_row *r, const struct viewer *viewer,
            const struct conversation_filter *f)
{
    db_bind_text(r, ":system", s->system);
    db_bind_text(r, ":user", viewer->user);
    db_bind_text(r, ":mine", store_scope_pairs(s, viewer->scopes));
    db_bind_text(r, ":object_type", f->object_type);
    if (f->object_type != NULL)
        db_bind_text(r, ":object_id", f->object_id);
    db_bind_text(r, ":search", like_pattern(s->arena, f->search));
    db_bind_int(r, ":by_creation", f->order == ORDER_CREATION);
    db_bind_int(r, ":limit", f->limit);
    db_bind_int(r, ":offset", f->offset);
}

static void
read_member_view(struct db_row *r, struct conversation_view *v)
{
    store_conversation_read(r, &v->c);
    v->is_member = true;
    v->me.archived = db_int(r, 10);
    v->me.pinned = db_int(r, 11);
    v->me.notifications = db_int(r, 12);
    v->me.unread = db_int(r, 13);
    v->has_last = !db_is_null(r, 14);
    if (!v->has_last)
        return;
    v->last = (struct entry){
        .id = db_int(r, 14),
        .uid = db_id(r, 15),
        .conversation = v->c.uid,
        .n = db_int(r, 16),
        .kind = (enum entry_kind)db_int(r, 17),
        .author = db_text(r, 18),
        .author_name = db_text(r, 19),
        .content = db_text(r, 20),
        .at_ms = db_int(r, 21),
    };
}

static void
read_candidate_view(struct db_row *r, struct conversation_view *v)
{
    store_conversation_read(r, &v->c);
    v->can_join = true;
    v->has_last = !db_is_null(r, 10);
    v->last.at_ms = db_int(r, 10);
}

static enum err
read_views(const struct store *s, struct db_row *r,
           void (*read)(struct db_row *, struct conversation_view *),
           struct conversation_view **views_r, size_t *n_r)
{
    size_t size = 0;

    *views_r = NULL;
    *n_r = 0;
    while (db_step(r)) {
        *views_r = arena_grow(s->arena, *views_r, *n_r, &size, sizeof **views_r);
        read(r, &(*views_r)[(*n_r)++]);
    }
    return db_done(r);
}

enum err
store_view_member(const struct store *s, const struct viewer *viewer, int64_t key,
                  const struct conversation_filter *filter, struct conversation_view **views_r,
                  size_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_VIEW_MEMBER, s->arena);

    bind_filter(s, r, viewer, filter);
    if (key != 0)
        db_bind_int(r, ":conversation", key);
    if (filter->archived >= 0)
        db_bind_int(r, ":archived", filter->archived);
    return read_views(s, r, read_member_view, views_r, n_r);
}

enum err
store_view_candidate(const struct store *s, const struct viewer *viewer,
                     const struct conversation_filter *filter,
                     struct conversation_view **views_r, size_t *n_r)
{
    struct db_row *r;

    *views_r = NULL;
    *n_r = 0;
    if (viewer->scopes == NULL)
        return ERR_OK;
    r = db_query(s->db, Q_VIEW_CANDIDATE, s->arena);
    bind_filter(s, r, viewer, filter);
    return read_views(s, r, read_candidate_view, views_r, n_r);
}

static struct conversation_view *
view_of_key(struct conversation_view *views, size_t n, int64_t key)
{
    for (size_t i = 0; i < n; i++)
        if (views[i].c.key == key)
            return &views[i];
    return NULL;
}

enum err
store_view_summaries(const struct store *s, struct conversation_view *views, size_t n)
{
    struct db_row *r = db_query(s->db, Q_VIEW_SUMMARIES, s->arena);
    struct conversation_view *v = NULL;
    struct sbuf keys;
    size_t size = 0;
    enum err e;

    sbuf_init(&keys, SIZE_MAX);
    json_open(&keys, '[');
    for (size_t i = 0; i < n; i++)
        json_int(&keys, views[i].c.key);
    json_close(&keys, ']');
    db_bind_text(r, ":keys", sbuf_str(&keys));
    while (db_step(r)) {
        if (v == NULL || v->c.key != db_int(r, 0)) {
            v = view_of_key(views, n, db_int(r, 0));
            size = 0;
        }
        if (v == NULL)
            continue;
        v->members = arena_grow(s->arena, v->members, v->n_members, &size, sizeof *v->members);
        v->members[v->n_members++] = (struct member_new){
            .user = db_text(r, 1),
            .display_name = db_text(r, 2),
            .company = db_text(r, 3),
        };
    }
    e = db_done(r);
    sbuf_fini(&keys);
    return e;
}
