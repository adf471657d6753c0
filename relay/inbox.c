/* inbox - see the header; the protocol is "Follow the log" in ARCHITECTURE.md
 *
 * Held events lie in a window of slots, seq modulo window. `seen` is the highest number
 * known to exist: while last < seen something is missing, and either a timer or a read is under
 * way that will fetch it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/inbox.h"

#include "relay/mem.h"

struct inbox {
    const struct inbox_calls *calls;
    void *arg;
    struct held **slots;
    size_t window;
    size_t bytes, max_bytes;
    int64_t last, seen;
    int64_t asked_after, asked_seen;    /* of the read under way */
    int64_t seen_since;                 /* highest number heard of while it is under way */
    bool reading, waiting;              /* a read, a timer is under way */
    bool suspicious;                    /* the log seemed to end below last */
    struct inbox_stats stats;
};

static struct held **
slot(struct inbox *b, int64_t seq)
{
    return &b->slots[(uint64_t)seq % b->window];
}

static struct held *
take(struct inbox *b, int64_t seq)
{
    struct held **p = slot(b, seq), *h = *p;

    if (h) {
        *p = NULL;
        b->bytes -= h->size;
    }
    return h;
}

static void
drop_range(struct inbox *b, int64_t after, int64_t upto)
{
    if (upto - b->last > (int64_t)b->window)
        upto = b->last + (int64_t)b->window;
    for (int64_t seq = after + 1; seq <= upto; seq++) {
        struct held *h = take(b, seq);

        if (h)
            b->stats.alien++;
        held_unref(h);
    }
}

static void
deliver(struct inbox *b, struct held *h)
{
    b->last = h->event.seq;
    if (b->seen < b->last)
        b->seen = b->last;
    b->calls->deliver(b->arg, h);
}

/* Gives out what is held and next. */
static void
drain(struct inbox *b)
{
    struct held *h;

    while ((h = take(b, b->last + 1))) {
        deliver(b, h);
        held_unref(h);
    }
}

static void
hold(struct inbox *b, struct held *h)
{
    struct held **p = slot(b, h->event.seq);

    if (h->event.seq - b->last > (int64_t)b->window || b->bytes + h->size > b->max_bytes) {
        b->stats.beyond++;
    } else if (*p) {
        b->stats.repeated++;
    } else {
        *p = held_ref(h);
        b->bytes += h->size;
    }
}

static void
see(struct inbox *b, int64_t seq)
{
    if (b->seen < seq)
        b->seen = seq;
    if (b->seen_since < seq)
        b->seen_since = seq;
}

static void
wait_if_behind(struct inbox *b)
{
    if ((b->last < b->seen || b->suspicious) && !b->reading && !b->waiting) {
        b->waiting = true;
        b->calls->want_timer(b->arg);
    }
}

static void
ask(struct inbox *b)
{
    b->reading = true;
    b->suspicious = false;
    b->asked_after = b->last;
    b->asked_seen = b->seen;
    b->seen_since = 0;
    b->stats.reads++;
    b->calls->want_read(b->arg, b->last);
}

/* Begin again at head, whatever was held. */
static void
give_up(struct inbox *b, int64_t head)
{
    drop_range(b, b->last, b->last + (int64_t)b->window);
    b->last = b->seen = head;
    b->calls->lost(b->arg, head);
}

/* Delivers the page. false: a number is missing in it. */
static bool
take_page(struct inbox *b, const struct inbox_page *page)
{
    for (size_t i = 0; i < page->n; i++) {
        struct held *h = page->events[i];

        if (h->event.seq <= b->last)
            continue;       /* the bus was faster */
        if (h->event.seq > b->last + 1)
            return false;
        held_unref(take(b, h->event.seq));
        deliver(b, h);
        drain(b);
    }
    return page->full || b->last >= page->head;
}

/* ---- public ---- */

struct inbox *
inbox_new(int64_t last, size_t window, size_t max_bytes, const struct inbox_calls *calls, void *arg)
{
    struct inbox *b = mem_new(sizeof *b);

    b->calls = calls;
    b->arg = arg;
    b->window = window;
    b->slots = mem_new(window * sizeof *b->slots);
    b->max_bytes = max_bytes;
    b->last = b->seen = last;
    return b;
}

void
inbox_free(struct inbox *b)
{
    if (!b)
        return;
    drop_range(b, b->last, b->last + (int64_t)b->window);
    free(b->slots);
    free(b);
}

void
inbox_push(struct inbox *b, struct held *h)
{
    int64_t seq = h->event.seq;

    if (seq <= b->last) {
        b->stats.repeated++;
        return;
    }
    see(b, seq);
    if (seq == b->last + 1) {
        held_unref(take(b, seq));
        deliver(b, h);
        drain(b);
    } else {
        hold(b, h);
    }
    wait_if_behind(b);
}

void
inbox_head(struct inbox *b, int64_t head)
{
    if (head < b->last)
        b->suspicious = true;       /* read before the bus overtook it, or a log cut short */
    see(b, head);
    wait_if_behind(b);
}

void
inbox_timer(struct inbox *b)
{
    b->waiting = false;
    if ((b->last < b->seen || b->suspicious) && !b->reading)
        ask(b);
}

void
inbox_read(struct inbox *b, const struct inbox_page *page)
{
    int64_t head = page->head;

    b->reading = false;
    if (page->failed) {
        b->suspicious = true;       /* nothing was found out: look again */
        wait_if_behind(b);
        return;
    }
    /* head was read when asked_after was known to exist, so it cannot be below by chance. */
    if (head < b->asked_after || !take_page(b, page)) {
        give_up(b, head);
        return;
    }
    if (b->asked_seen > head && !page->full) {
        /* Numbers we had heard of before the read, which did not find them. */
        drop_range(b, b->last > head ? b->last : head, b->asked_seen);
        b->seen = b->last;
        see(b, b->seen_since);
    }
    see(b, head);
    if (page->full && b->last < b->seen)
        ask(b);
    else
        wait_if_behind(b);
}

int64_t
inbox_last(const struct inbox *b)
{
    return b->last;
}

const struct inbox_stats *
inbox_stats(const struct inbox *b)
{
    return &b->stats;
}
