/* ring - recent events
 *
 * An event lies in the slot of its seq modulo the number of slots; first and last say which
 * are there.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/ring.h"

#include "relay/mem.h"

struct ring {
    struct held **slots;
    size_t n_slots;
    size_t bytes, max_bytes;
    int64_t first, last;        /* empty: first = last + 1 */
};

static struct held **
slot(const struct ring *r, int64_t seq)
{
    return &r->slots[(uint64_t)seq % r->n_slots];
}

static void
drop_first(struct ring *r)
{
    struct held **p = slot(r, r->first++);

    r->bytes -= (*p)->size;
    held_unref(*p);
    *p = NULL;
}

struct ring *
ring_new(size_t max_events, size_t max_bytes)
{
    struct ring *r = mem_new(sizeof *r);

    r->slots = mem_new(max_events * sizeof *r->slots);
    r->n_slots = max_events;
    r->max_bytes = max_bytes;
    r->first = 1;
    return r;
}

void
ring_free(struct ring *r)
{
    if (!r)
        return;
    ring_clear(r);
    free(r->slots);
    free(r);
}

void
ring_add(struct ring *r, struct held *h)
{
    if (h->event.seq != r->last + 1) {
        ring_clear(r);
        r->first = h->event.seq;
    }
    if ((size_t)(h->event.seq - r->first) == r->n_slots)
        drop_first(r);
    *slot(r, h->event.seq) = held_ref(h);
    r->last = h->event.seq;
    r->bytes += h->size;
    while (r->bytes > r->max_bytes)
        drop_first(r);
}

void
ring_clear(struct ring *r)
{
    while (r->first <= r->last)
        drop_first(r);
}

bool
ring_covers(const struct ring *r, int64_t after, int64_t upto)
{
    return after >= upto || (after + 1 >= r->first && upto <= r->last);
}

const struct event *
ring_get(const struct ring *r, int64_t seq)
{
    if (seq < r->first || seq > r->last)
        return NULL;
    return &(*slot(r, seq))->event;
}
