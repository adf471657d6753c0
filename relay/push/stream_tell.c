/* stream_tell - positions and parts of windows
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/stream_private.h"

#include "relay/mem.h"

/* The part [from, to) of the window that q asks for. */
static void
part_of(const struct window *w, const struct stream_query *q, size_t *from_r, size_t *to_r)
{
    uint64_t base = w->n > 0 ? window_get(w, 0)->offset : 0;
    size_t from = 0, to = w->n, limit;

    if (q->since && !q->reverse && q->offset >= base)
        from = q->offset - base + 1 < w->n ? (size_t)(q->offset - base + 1) : w->n;
    if (q->since && q->reverse)
        to = q->offset <= base ? 0 : q->offset - base < w->n ? (size_t)(q->offset - base) : w->n;
    limit = q->limit < 0 || (uint64_t)q->limit > to - from ? to - from : (size_t)q->limit;
    *from_r = q->reverse ? to - limit : from;
    *to_r = q->reverse ? to : from + limit;
}

static bool
is_whole(const struct stream *s, const struct stream_query *q)
{
    uint64_t top = s ? s->top : 0, oldest = s && s->window.n > 0 ? window_get(&s->window, 0)->offset : top + 1;

    return q->since && !q->reverse && q->offset <= top && q->offset + 1 >= oldest;
}

static void
tell_part(struct stream *s, const struct stream_query *q, struct stream_history *h, stream_told *done, void *arg)
{
    struct publication **part = NULL;
    size_t from = 0, to = 0, i;

    if (s)
        part_of(&s->window, q, &from, &to);
    h->n = to - from;
    if (h->n > 0)
        part = mem_new(h->n * sizeof *part);
    for (i = 0; i < h->n; i++)
        part[i] = publication_ref(window_get(&s->window, q->reverse ? to - 1 - i : from + i));
    h->publications = part;
    done(arg, ERR_OK, h);
    for (i = 0; i < h->n; i++)      /* the callback may have published: s is not looked at again */
        publication_unref(part[i]);
    free(part);
}

void
stream_tell(struct stream_store *store, const char *channel, const struct stream_rules *rules,
            const struct stream_query *q, stream_told *done, void *arg)
{
    struct memory *m = (struct memory *)store;
    struct stream *s = stream_live(m, channel, rules, stream_now(m));
    struct stream_history h = { .top = stream_at(m, s, rules) };

    if (q->since && *stream_text(q->epoch) && strcmp(q->epoch, h.top.epoch) != 0) {
        done(arg, ERR_NOT_FOUND, &h);
        return;
    }
    h.whole = is_whole(s, q);
    tell_part(s, q, &h, done, arg);
}
