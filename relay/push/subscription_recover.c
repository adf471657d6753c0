/* subscription_recover - where a subscription begins, and what came while that was found out
 *
 * The link is in the channel before the store is asked, so no publication can fall between: those that come
 * before the answer are held back, and those of them that the answer covers already are left out.
 *
 * Source of the rules: docs/push/protocol.md, "Recovery".
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/mem.h"
#include "relay/push/subscription_private.h"
#include "relay/push/tail.h"

static void
unref_all(struct publication **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        publication_unref(list[i]);
    free(list);
}

void
subscription_start_free(struct subscription_start *st)
{
    unref_all(st->publications, st->n);
    unref_all(st->held, st->n_held);
    free(st->epoch);
    free(st->info);
    free(st->data);
    if (st->freed)
        st->freed(st->arg);
    client_unref(st->client);
    free(st);
}

/* ---- the store's answer ---- */

static void
take(struct subscription_start *st, const struct stream_history *h)
{
    st->publications = mem_new(h->n * sizeof(struct publication *));
    st->n = h->n;
    for (size_t i = 0; i < h->n; i++)
        st->publications[i] = publication_ref(h->publications[i]);
}

static bool
stands_at_top(const struct subscription_start *st, const struct stream_history *h)
{
    return st->offset == h->top.offset
           && (!st->epoch[0] || strcmp(st->epoch, h->top.epoch) == 0);
}

/* Everything after the client's position is there, and is not too much. */
static bool
recovers(const struct subscription_start *st, const struct stream_history *h)
{
    int64_t max = st->client->push->config->push_history_max;

    return st->offset <= h->top.offset && h->whole
           && h->top.offset - st->offset <= (uint64_t)max
           && h->n == h->top.offset - st->offset;
}

static void
judge_stream(struct subscription_start *st, enum err e, const struct stream_history *h)
{
    st->recovered = e == ERR_OK && recovers(st, h);
    if (!st->recovered)
        return;
    take(st, h);
    st->position.offset = st->offset;   /* the client moves on with each publication */
}

/* Only the newest, unless the client has it. */
static void
judge_cache(struct subscription_start *st, const struct stream_history *h)
{
    if (st->offset > 0 && stands_at_top(st, h)) {
        st->recovered = true;
        return;
    }
    st->recovered = h->n == 1 && h->publications[0]->offset == h->top.offset;
    if (st->recovered)
        take(st, h);
}

static void
count_recovery(const struct subscription_start *st)
{
    if (st->recover)
        push_count(st->client->push,
                   st->recovered ? PUSH_COUNT_RECOVERED : PUSH_COUNT_NOT_RECOVERED);
}

static enum push_error
judge(struct subscription_start *st, enum err e, const struct stream_history *h)
{
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e == ERR_BUSY ? PUSH_TOO_MANY : PUSH_INTERNAL;
    st->position = st->top = h->top;
    if (st->recover && st->cache)
        judge_cache(st, h);
    else if (st->recover)
        judge_stream(st, e, h);
    count_recovery(st);
    if (st->recover && !st->recovered && st->strict)
        return PUSH_UNRECOVERABLE;
    return st->spilled ? PUSH_TOO_MANY : PUSH_OK;
}

static void
told(void *arg, enum err e, const struct stream_history *h)
{
    struct subscription_start *st = arg;
    enum push_error answer;

    st->asked = false;
    if (!st->s) {                   /* ended meanwhile, by a command or with its client */
        subscription_start_free(st);
        return;
    }
    answer = judge(st, e, h);
    if (answer == PUSH_OK)
        st->s->offset = st->top.offset;
    st->ready(st, answer);
}

void
subscription_ask(struct subscription_start *st)
{
    struct subscription *s = st->s;
    struct push *p = st->client->push;
    const struct channel_options *o = channel_options(p, subscription_channel(s));
    struct stream_query q = { 0 };
    struct stream_rules rules;

    if (!s->positioned || !o) {
        st->ready(st, PUSH_OK);
        return;
    }
    rules = channel_rules(o);
    if (st->recover && st->cache)
        q = (struct stream_query){ .limit = 1, .reverse = true };
    else if (st->recover)
        q = (struct stream_query){ .since = true, .offset = st->offset, .epoch = st->epoch,
                                   .limit = p->config->push_history_max };
    st->asked = true;
    p->store->calls->history(p->store, subscription_channel(s), &rules, &q, told, st);
}

void
subscription_result(const struct subscription_start *st, struct reply_subscribe *r_r)
{
    const struct subscription *s = st->s;
    int64_t ttl_s;

    /* One that is over by now is told to come back at once. */
    if (subscription_ttl(st->expires_ms, &ttl_s) != PUSH_OK)
        ttl_s = 1;
    *r_r = (struct reply_subscribe){
        .ttl_s = ttl_s,
        .recoverable = s->recoverable,
        .positioned = s->positioned,
        .recovered = st->recovered,
        .was_recovering = st->recover,
        .delta = s->delta,
        .position = s->positioned ? &st->position : NULL,
        .publications = st->publications,
        .n = st->n,
        .data = st->data,
    };
}

/* ---- what came meanwhile ---- */

void
subscription_hold(struct subscription *s, struct publication **list, size_t n)
{
    struct subscription_start *st = s->start;
    size_t max = (size_t)s->client->push->config->push_history_max;

    if (st->spilled || st->n_held + n > max) {
        st->spilled = true;         /* the answer will be an error */
        return;
    }
    if (st->n_held + n > st->held_size) {
        st->held_size = st->n_held + n + st->held_size;
        st->held = mem_grow(st->held, st->held_size, sizeof(struct publication *));
    }
    for (size_t i = 0; i < n; i++)
        st->held[st->n_held++] = publication_ref(list[i]);
}

/* Without those that the answer has told of already. */
static void
drop_known(struct subscription_start *st)
{
    size_t n = 0;

    for (size_t i = 0; i < st->n_held; i++) {
        struct publication *p = st->held[i];

        if (st->s->positioned && p->offset && p->offset <= st->top.offset)
            publication_unref(p);
        else
            st->held[n++] = p;
    }
    st->n_held = n;
}

static void
announce(struct subscription *s)
{
    struct push_client *c = s->client;

    push_count(c->push, PUSH_COUNT_SUBSCRIBES);
    channel_join(s);
    if (tail_watched(c->push))
        tail_tell(c->push, &(struct tail_event){ .kind = TAIL_SUBSCRIBE,
                                                 .channel = subscription_channel(s),
                                                 .user = client_user_id(c), .client = c->id });
}

void
subscription_set_info(struct subscription *s, const char *chan_info)
{
    struct sbuf b;
    char *old = s->info;

    sbuf_init(&b, SIZE_MAX);
    reply_client_info(&b, client_user_id(s->client), s->client->id, s->client->info, chan_info);
    s->info = mem_string(sbuf_str(&b));
    sbuf_fini(&b);
    if (s->presence)
        s->presence->info = s->info;
    free(old);
}

static void
deliver_held(struct subscription *s, struct subscription_start *st)
{
    struct channel *ch = channel_of(s);
    struct channel_batch b;

    if (st->spilled) {
        subscription_insufficient(s);
        return;
    }
    if (st->n_held == 0)
        return;
    channel_batch_init(&b, ch->push->channels, hub_name(ch->hub), st->held, st->n_held);
    channel_batch_deliver(&b, s);
    channel_batch_fini(&b);
}

void
subscription_live(struct subscription *s)
{
    struct subscription_start *st = s->start;

    channel_flush(channel_of(s));   /* what this turn brought is held back, too */
    drop_known(st);
    s->start = NULL;
    if (st->info)
        subscription_set_info(s, st->info);
    if (s->delta && st->n > 0)
        s->base = publication_ref(st->publications[st->n - 1]);
    subscription_expires(s, st->expires_ms);
    announce(s);
    deliver_held(s, st);
    subscription_start_free(st);
}
