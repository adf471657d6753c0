/* op_page - reading messages: one, and pages of them
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <string.h>

#include "shared/chat/op.h"
#include "shared/chat/rights.h"

/* What every page is cut from. */
struct paging {
    struct op *o;
    struct store store;
    struct conversation c;
    struct member_state me;
    int64_t limit;
};

static void
reverse(struct entry *entries, size_t n)
{
    for (size_t i = 0; i + 1 < n - i; i++) {
        struct entry swap = entries[i];

        entries[i] = entries[n - 1 - i];
        entries[n - 1 - i] = swap;
    }
}

/* The newest entries below n, oldest first. */
static enum err
page_below(struct paging *p, int64_t n, int64_t limit, struct entry **list_r, size_t *n_r)
{
    enum err e = store_entry_page(&p->store, p->c.key, &p->c.uid, true, n, limit, list_r, n_r);

    reverse(*list_r, *n_r);
    return e;
}

static enum err
page_above(struct paging *p, int64_t n, int64_t limit, struct entry **list_r, size_t *n_r)
{
    return store_entry_page(&p->store, p->c.key, &p->c.uid, false, n, limit, list_r, n_r);
}

static enum err
page_around(struct paging *p, int64_t n, struct message_page *page_r)
{
    struct entry *below, *above;
    size_t n_below, n_above;
    int64_t half = p->limit / 2;
    enum err e;

    if ((e = page_below(p, n, half, &below, &n_below)) != ERR_OK
        || (e = page_above(p, n - 1, half + 1, &above, &n_above)) != ERR_OK)
        return e;
    page_r->n = n_below + n_above;
    page_r->entries = arena_array(p->o->arena, page_r->n, sizeof *below);
    memcpy(page_r->entries, below, n_below * sizeof *below);
    memcpy(page_r->entries + n_below, above, n_above * sizeof *above);
    return ERR_OK;
}

static enum err
cut_page(struct paging *p, enum page_mode mode, const struct id *anchor,
         struct message_page *page_r)
{
    int64_t n = INT64_MAX - 1;
    bool exact = true;
    enum err e;

    if (mode != PAGE_LATEST
        && (e = store_entry_position(&p->store, p->c.key, anchor, &n, &exact)) != ERR_OK)
        return e;
    switch (mode) {
    case PAGE_AROUND:
        if (!exact)
            return err_fail(p->o->fail, ERR_NO_ENTRY, NULL, "%s", err_text(ERR_NO_ENTRY));
        return page_around(p, n, page_r);
    case PAGE_AFTER:
        return page_above(p, n, p->limit, &page_r->entries, &page_r->n);
    default:
        /* an id that is gone stands just above the entry that was found */
        return page_below(p, exact ? n : n + 1, p->limit, &page_r->entries, &page_r->n);
    }
}

/* An empty page lies at an end, or the conversation is empty: then there is something on the other
 * side exactly if there is anything at all. */
static enum err
set_flags(struct paging *p, enum page_mode mode, struct message_page *page)
{
    bool empty = page->n == 0;
    int64_t first = empty ? INT64_MAX : page->entries[0].n;
    int64_t last = empty ? 0 : page->entries[page->n - 1].n;
    enum err e = store_entry_beyond(&p->store, p->c.key, first, last, &page->more_before,
                                    &page->more_after);

    if (empty && mode == PAGE_BEFORE)
        page->more_before = false;
    if (empty && mode == PAGE_AFTER)
        page->more_after = false;
    if (mode == PAGE_LATEST)
        page->more_after = false;
    return e;
}

static void
find_first_unread(const struct paging *p, const char *user, struct message_page *page)
{
    for (size_t i = 0; i < page->n; i++) {
        const struct entry *e = &page->entries[i];

        if (e->kind == ENTRY_SAID && strcmp(e->author, user) != 0
            && (!p->me.has_read || e->n > p->me.read_n)) {
            page->first_unread = e->uid;
            return;
        }
    }
}

enum err
op_message_page(struct op *o, const char *user, const struct id *conversation,
                enum page_mode mode, const struct id *anchor, int64_t limit,
                struct message_page *page_r)
{
    struct paging p = { .o = o, .store = op_store(o), .limit = limit };
    enum err e;

    *page_r = (struct message_page){ 0 };
    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = rights_conversation(o, conversation, ERR_NOT_MEMBER, &p.c)) != ERR_OK
        || (e = rights_member(o, &p.c, user, &p.me)) != ERR_OK
        || (e = cut_page(&p, mode, anchor, page_r)) != ERR_OK
        || (e = set_flags(&p, mode, page_r)) != ERR_OK)
        goto out;
    if (mode != PAGE_AROUND)
        find_first_unread(&p, user, page_r);
out:
    return db_end(o->db, e);
}

enum err
op_message_get(struct op *o, const char *user, const struct id *conversation,
               const struct id *entry, struct entry *entry_r)
{
    struct conversation c;
    struct member_state me;
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = rights_conversation(o, conversation, ERR_NO_ENTRY, &c)) == ERR_OK
        && (e = rights_entry(o, &c, entry, ERR_NO_ENTRY, entry_r)) == ERR_OK)
        e = rights_member(o, &c, user, &me);
    return db_end(o->db, e);
}
