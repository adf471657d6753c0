/* channel - what is published to a channel, collected and handed to all who are in it
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/channel.h"

#include <time.h>

#include "relay/mem.h"
#include "relay/push/subscription_private.h"
#include "relay/push/tail.h"
#include "shared/when.h"

#define LINE_MAX_BYTES (256u << 20)     /* of one written publication; its data is bounded long before */
#define LINE_KEPT (1u << 20)            /* a larger line buffer is not kept */
#define BATCH_BYTES (256u << 10)        /* more data than this does not wait for the end of the turn ... */
#define BATCH_MAX 4096                  /* ... nor do more publications */
#define PENDING_KEPT 64                 /* places for publications that a channel keeps between turns */
#define FEW 16                          /* publications of a turn whose list needs no heap */
#define AHEAD 4                         /* subscriptions are fetched so long before they are looked at */
#define US_PER_MS 1000

int64_t
channel_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

const struct channel_options *
channel_options(const struct push *p, const char *name)
{
    const struct channel_options *o;

    return push_settings_channel(p->settings, name, &o) == CHANNEL_FINE ? o : NULL;
}

/* ---- beginning and end of a channel ---- */

static struct channel_namespace *
namespace_get(struct channels *all, const char *channel)
{
    const struct channel_options *o = channel_options(all->push, channel);
    const char *name = o ? o->name : "";
    struct strmap_node *node = strmap_find(&all->namespaces, name);
    struct channel_namespace *ns;

    if (node)
        return STRMAP_OF(node, struct channel_namespace, node);
    ns = mem_new(sizeof *ns);
    ns->node.key = mem_string(name);
    strmap_add(&all->namespaces, &ns->node);
    return ns;
}

int64_t
channel_namespace_count(const struct push *p, const char *namespace)
{
    struct strmap_node *node = strmap_find(&p->channels->namespaces, namespace);

    return node ? STRMAP_OF(node, struct channel_namespace, node)->n : 0;
}

struct channel *
channel_get(struct push *p, const char *name)
{
    struct hub_channel *hub = hub_get(p->hub, name);
    struct channel *ch = hub_data(hub);

    if (ch)
        return ch;
    ch = mem_new(sizeof *ch);
    ch->push = p;
    ch->hub = hub;
    ch->namespace = namespace_get(p->channels, name);
    hub_set_data(hub, ch);
    return ch;
}

static void
due_remove(struct channel *ch)
{
    if (!ch->at)
        return;
    *ch->at = ch->next;
    *(ch->next ? &ch->next->at : &ch->push->channels->due_end) = ch->at;
    ch->next = NULL;
    ch->at = NULL;
}

/* Last, so that what a publisher says to several channels leaves in the order in which it was said. */
static void
due_add(struct channel *ch)
{
    struct channels *all = ch->push->channels;

    if (ch->at)
        return;
    ch->at = all->due_end;
    *all->due_end = ch;
    all->due_end = &ch->next;
}

void
channel_put(struct channel *ch)
{
    struct push *p = ch->push;

    if (hub_count(ch->hub) > 0 || ch->flushing)
        return;
    channel_flush(ch);              /* to nobody: lets go of what is pending */
    due_remove(ch);
    io_timer_free(ch->timer);
    if (ch->users) {
        strmap_fini(ch->users);
        free(ch->users);
    }
    free(ch->pending);
    hub_set_data(ch->hub, NULL);
    hub_release(p->hub, ch->hub);
    free(ch);
}

/* ---- to one subscription ---- */

static void
rebase(struct subscription *s, struct publication *p)
{
    publication_unref(s->base);
    s->base = publication_ref(p);
}

void
channel_batch_send(struct channel_batch *b, struct subscription *s)
{
    struct push_client *c = s->client;
    struct frame *f = s->delta ? channel_batch_delta(b, s->base, c->bare)
                               : channel_batch_plain(b, c->bare);

    if (!f) {
        client_close(c, CLOSE_SERVER_ERROR, NULL);
        return;
    }
    client_send_frame(c, f);
    c->push->counters[PUSH_COUNT_DELIVERIES] += (int64_t)b->n;
    if (s->delta)
        rebase(s, b->list[b->n - 1]);
}

/* false: s has missed something, and has been told. */
static bool
follows(struct channel_batch *b, struct subscription *s)
{
    if (b->holed || s->offset + 1 != b->first) {
        subscription_insufficient(s);
        return false;
    }
    s->offset = b->last;
    return true;
}

void
channel_batch_deliver(struct channel_batch *b, struct subscription *s)
{
    if (s->start) {
        subscription_hold(s, b->list, b->n);
        return;
    }
    if (!s->client->conn)
        return;
    if ((s->skipped || b->slow != SLOW_CLOSE) && subscription_behind(s, b))
        return;
    if (s->positioned && b->first && !follows(b, s))
        return;
    channel_batch_send(b, s);
}

/* ---- to all ---- */

static int
slow_policy(const struct channel *ch)
{
    const struct channel_options *o = channel_options(ch->push, hub_name(ch->hub));

    return o ? o->slow : SLOW_CLOSE;
}

/* Whoever a delivery ends takes itself out of the array, whose last then takes its place: from the end. */
static void
deliver(struct channel *ch, struct publication **list, size_t n)
{
    struct channel_batch b;

    channel_batch_init(&b, ch->push->channels, hub_name(ch->hub), list, n);
    b.slow = slow_policy(ch);
    for (size_t i = hub_count(ch->hub); i-- > 0;) {
        if (i >= AHEAD)
            __builtin_prefetch(hub_at(ch->hub, i - AHEAD));
        channel_batch_deliver(&b, subscription_of(hub_at(ch->hub, i)));
    }
    channel_batch_fini(&b);
}

static void
took(struct push *p, const struct channel_pending *list, size_t n)
{
    int64_t now_us = channel_now_us();

    for (size_t i = 0; i < n; i++)
        histogram_add(&p->latency, now_us - list[i].since_us);
}

void
channel_flush(struct channel *ch)
{
    struct channel_pending *pending = ch->pending;
    size_t n = ch->n, size = ch->size;
    struct publication *few[FEW], **list = few;

    if (n == 0)
        return;
    /* What comes in while these are handed on is the next batch. */
    ch->pending = NULL;
    ch->n = ch->size = 0;
    ch->bytes = 0;
    if (n > FEW)
        list = mem_new(n * sizeof *list);
    for (size_t i = 0; i < n; i++)
        list[i] = pending[i].publication;
    ch->flushing = true;
    deliver(ch, list, n);
    ch->flushing = false;
    took(ch->push, pending, n);
    for (size_t i = 0; i < n; i++)
        publication_unref(list[i]);
    if (list != few)
        free(list);
    if (!ch->pending && size <= PENDING_KEPT) {
        ch->pending = pending;
        ch->size = (uint32_t)size;
    } else {
        free(pending);
    }
}

/* ---- when ---- */

/* The channel may be gone after a flush, and its timer with it: that waits for the end of the turn. */
static void
coalesced(void *arg)
{
    struct channel *ch = arg;

    ch->waiting = false;
    due_add(ch);
}

static void
schedule(struct channel *ch)
{
    const struct channel_options *o;

    if (ch->at || ch->waiting)
        return;
    o = channel_options(ch->push, hub_name(ch->hub));
    if (!o || o->coalesce_ms == 0) {
        due_add(ch);
        return;
    }
    if (!ch->timer)
        ch->timer = io_timer_new(ch->push->io, coalesced, ch);
    ch->waiting = true;
    io_timer_set(ch->timer, o->coalesce_ms);
}

/* When p was published: just now by op_publish, or, written behind, at the time it carries. */
static int64_t
since_us(const struct channels *all, const struct publication *p)
{
    int64_t late_ms;

    if (all->publishing_us)
        return all->publishing_us;
    late_ms = when_now_ms() - p->time_ms;
    return channel_now_us() - (late_ms > 0 ? late_ms * US_PER_MS : 0);
}

static void
collect(struct channel *ch, struct publication *p)
{
    if (ch->n == ch->size) {
        ch->size = ch->size ? ch->size * 2 : 1;
        ch->pending = mem_grow(ch->pending, ch->size, sizeof *ch->pending);
    }
    ch->pending[ch->n++] = (struct channel_pending){ publication_ref(p),
                                                     since_us(ch->push->channels, p) };
    ch->bytes += p->data_len;
    /* Also after a flush: the end of the turn lets go of a channel that it emptied. */
    if (ch->bytes >= BATCH_BYTES || ch->n >= BATCH_MAX)
        channel_flush(ch);
    schedule(ch);
}

void
channel_deliver(void *arg, const char *name, struct publication *p)
{
    struct push *push = arg;
    struct hub_channel *hub = hub_find(push->hub, name);
    struct channel *ch = hub ? hub_data(hub) : NULL;

    tail_tell(push, &(struct tail_event){ .kind = TAIL_PUBLICATION, .channel = name,
                                          .data = publication_data(p),
                                          .info = publication_info(p), .offset = p->offset });
    if (ch)
        collect(ch, p);
}

static void
turn_ends(void *arg)
{
    struct channels *all = arg;
    struct channel *ch;

    while ((ch = all->due)) {
        due_remove(ch);
        channel_flush(ch);
        channel_put(ch);
    }
    if (all->line.size > LINE_KEPT)
        sbuf_fini(&all->line);
}

/* ---- all channels ---- */

void
channels_new(struct push *p)
{
    struct channels *all = mem_new(sizeof *all);

    all->push = p;
    all->due_end = &all->due;
    strmap_init(&all->namespaces);
    sbuf_init(&all->line, LINE_MAX_BYTES);
    p->channels = all;
    io_on_turn(p->io, turn_ends, all);
}

static void
namespace_free(void *arg, struct strmap_node *node)
{
    struct channels *all = arg;

    strmap_remove(&all->namespaces, node);
    free((char *)node->key);
    free(STRMAP_OF(node, struct channel_namespace, node));
}

void
channels_free(struct push *p)
{
    if (!p->channels)
        return;
    turn_ends(p->channels);
    strmap_each(&p->channels->namespaces, namespace_free, p->channels);
    strmap_fini(&p->channels->namespaces);
    sbuf_fini(&p->channels->line);
    free(p->channels);
    p->channels = NULL;
}
