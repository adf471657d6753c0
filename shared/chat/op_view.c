/* op_view - conversations as a caller sees them
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "shared/chat/op.h"
#include "shared/chat/rights.h"

static bool
newer(const struct conversation_view *a, const struct conversation_view *b)
{
    if (a->c.created_ms != b->c.created_ms)
        return a->c.created_ms > b->c.created_ms;
    return id_compare(&a->c.uid, &b->c.uid) > 0;
}

/* Both lists are newest first already; so is their union. */
static struct conversation_view *
merge(struct arena *arena, const struct conversation_view *a, size_t n_a,
      const struct conversation_view *b, size_t n_b)
{
    struct conversation_view *out = arena_array(arena, n_a + n_b, sizeof *out);
    size_t i = 0, j = 0;

    while (i < n_a || j < n_b)
        if (j == n_b || (i < n_a && newer(&a[i], &b[j])))
            out[i + j] = a[i], i++;
        else
            out[i + j] = b[j], j++;
    return out;
}

enum err
op_conversation_list(struct op *o, const struct viewer *viewer,
                     const struct conversation_filter *filter,
                     struct conversation_view **views_r, size_t *n_r)
{
    struct store store = op_store(o);
    struct conversation_view *own = NULL, *open = NULL;
    size_t n_own = 0, n_open = 0;
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if (filter->which & WHICH_PARTICIPATING)
        e = store_view_member(&store, viewer, 0, filter, &own, &n_own);
    if (e == ERR_OK && filter->which & WHICH_AVAILABLE)
        e = store_view_candidate(&store, viewer, filter, &open, &n_open);
    if (e == ERR_OK) {
        *views_r = merge(o->arena, own, n_own, open, n_open);
        *n_r = n_own + n_open;
        e = store_view_summaries(&store, *views_r, *n_r);
    }
    return db_end(o->db, e);
}

/* A stranger whose scopes match sees that it exists, and no more. */
static enum err
view_of_candidate(struct op *o, const struct viewer *viewer, const struct conversation *c,
                  struct conversation_view *view_r)
{
    struct store store = op_store(o);
    bool match;
    enum err e = store_scope_matches(&store, c->key, viewer->scopes, &match);

    if (e != ERR_OK)
        return e;
    if (!match)
        return err_fail(o->fail, ERR_OUT_OF_SCOPE, NULL, "%s", err_text(ERR_OUT_OF_SCOPE));
    *view_r = (struct conversation_view){ .c = *c, .can_join = true };
    return ERR_OK;
}

enum err
op_conversation_get(struct op *o, const struct viewer *viewer, const struct id *conversation,
                    struct conversation_view *view_r)
{
    static const struct conversation_filter one = {
        .which = WHICH_PARTICIPATING, .archived = -1, .limit = 1,
    };
    struct viewer unnarrowed = { .user = viewer->user };
    struct store store = op_store(o);
    struct conversation_view *views;
    struct conversation c;
    size_t n;
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = rights_conversation(o, conversation, ERR_NO_CONVERSATION, &c)) != ERR_OK
        || (e = store_view_member(&store, &unnarrowed, c.key, &one, &views, &n)) != ERR_OK)
        goto out;
    if (n == 0) {
        e = view_of_candidate(o, viewer, &c, view_r);
    } else {
        e = store_view_summaries(&store, views, 1);
        *view_r = views[0];
    }
out:
    return db_end(o->db, e);
}
