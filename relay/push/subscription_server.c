/* subscription_server - subscriptions that a token or the server's API makes for a client
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/subscription_private.h"

#include "relay/mem.h"
#include "shared/log.h"

#define LINE_MAX_BYTES (256u << 20)

static struct subscription_plan
plan_of(const struct subscription_wish *w, const struct channel_options *o)
{
    return (struct subscription_plan){
        .channel = w->channel,
        .options = o,
        .server_side = true,
        .wants_recovery = w->recover.recover,
        .recover = w->recover.recover,
        .offset = w->recover.offset,
        .epoch = w->recover.epoch,
        .info = w->info,
        .data = w->data,
        .expires_ms = w->expires_ms,
        .override = w->override,
    };
}

static enum push_error
check(const struct push_client *c, const struct subscription_wish *w,
      const struct channel_options **options_r)
{
    enum push_error e = subscription_check(c, w->channel, options_r);
    int64_t ttl_s;

    return e ? e : subscription_ttl(w->expires_ms, &ttl_s);
}

/* ---- those of connect: all or none ---- */

struct batch {
    struct push_client *client;
    void (*done)(struct push_client *c, struct push_verdict v, const struct reply_sub *subs,
                 size_t n);
    size_t refs;                    /* of its starts, and of whoever works with it */
    size_t waiting;                 /* answers that have not come, and the asking itself */
    size_t n;
    enum push_error error;          /* the first */
};

static void
batch_unref(void *arg)
{
    struct batch *t = arg;

    if (--t->refs == 0)
        free(t);
}

static bool
is_of(const struct subscription *s, const struct batch *t)
{
    return s->start && s->start->arg == t;
}

static void
batch_give_up(struct batch *t)
{
    struct subscription *s, *next;

    for (s = t->client->subscriptions; s; s = next) {
        next = s->next;
        if (is_of(s, t))
            subscription_drop(s);
    }
    t->done(t->client, (struct push_verdict){ .error = t->error }, NULL, 0);
}

static void
batch_tell(struct batch *t)
{
    struct reply_sub *subs = mem_new(t->n * sizeof *subs);
    size_t n = 0;

    for (struct subscription *s = t->client->subscriptions; s; s = s->next)
        if (is_of(s, t)) {
            subs[n].channel = subscription_channel(s);
            subscription_result(s->start, &subs[n].result);
            n++;
        }
    t->done(t->client, (struct push_verdict){ .error = PUSH_OK }, subs, n);
    free(subs);
}

static void
batch_answered(struct batch *t)
{
    if (--t->waiting > 0)
        return;
    if (t->error)
        batch_give_up(t);
    else
        batch_tell(t);
}

static void
batch_ready(struct subscription_start *st, enum push_error e)
{
    struct batch *t = st->arg;

    if (e && !t->error)
        t->error = e;
    t->refs++;                      /* giving up ends the start that st is */
    batch_answered(t);
    batch_unref(t);
}

static struct push_verdict
check_all(const struct push_client *c, const struct subscription_wish *wishes, size_t n)
{
    const struct channel_options *o;
    struct push_verdict v = { .error = PUSH_OK };

    if ((int64_t)(c->n_subscriptions + n) > c->push->config->push_channels_per_client)
        v.close = CLOSE_CHANNEL_LIMIT;
    for (size_t i = 0; i < n && !v.error && !v.close; i++)
        v.error = check(c, &wishes[i], &o);
    return v;
}

static void
batch_add(struct batch *t, const struct subscription_wish *w)
{
    struct subscription_plan plan = plan_of(w, channel_options(t->client->push, w->channel));
    struct subscription *s = subscription_new(t->client, &plan);

    s->start->ready = batch_ready;
    s->start->freed = batch_unref;
    s->start->arg = t;
    t->refs++;
    t->waiting++;
    t->n++;
    subscription_ask(s->start);
}

void
subscription_start_all(struct push_client *c, const struct subscription_wish *wishes, size_t n,
                       void (*done)(struct push_client *c, struct push_verdict v,
                                    const struct reply_sub *subs, size_t n))
{
    struct push_verdict v = check_all(c, wishes, n);
    struct batch *t;

    if (v.error || v.close) {
        done(c, v, NULL, 0);
        return;
    }
    t = mem_new(sizeof *t);
    t->client = c;
    t->done = done;
    t->refs = t->waiting = 1;       /* ours, so that the answers cannot be complete before the questions */
    for (size_t i = 0; i < n; i++)
        if (!subscription_find(c, wishes[i].channel))
            batch_add(t, &wishes[i]);
    batch_answered(t);
    batch_unref(t);
}

void
subscription_started_all(struct push_client *c)
{
    struct subscription *s, *next;

    for (s = c->subscriptions; s; s = next) {
        next = s->next;
        if (s->start && s->start->ready == batch_ready && !s->start->asked)
            subscription_live(s);
    }
}

/* ---- one by the API ---- */

/* The push has no place for publications: it says where the subscription begins, and what was published since
 * follows. */
static void
push_subscribed(struct subscription_start *st)
{
    struct subscription *s = st->s;
    struct channel_batch missed;
    struct reply_subscribe r;
    struct sbuf b;

    subscription_result(st, &r);
    r.recovered = r.was_recovering = false;
    r.n = 0;
    sbuf_init(&b, LINE_MAX_BYTES);
    reply_subscribed(&b, st->client->bare, subscription_channel(s), &r);
    client_send(st->client, &b);
    if (st->n == 0)
        return;
    channel_batch_init(&missed, st->client->push->channels, subscription_channel(s),
                       st->publications, st->n);
    channel_batch_send(&missed, s);
    channel_batch_fini(&missed);
}

static void
add_ready(struct subscription_start *st, enum push_error e)
{
    struct subscription *s = st->s;

    if (e) {
        log_event(LOG_LEVEL_WARNING, "subscribe", "channel", subscription_channel(s), "client",
                  st->client->id, "why", push_error_message(e), NULL);
        subscription_drop(s);
        return;
    }
    push_subscribed(st);
    subscription_live(s);
}

enum push_error
subscription_add(struct push_client *c, const struct subscription_wish *wish)
{
    const struct channel_options *o;
    enum push_error e = check(c, wish, &o);
    struct subscription_plan plan;
    struct subscription *s;

    if (e)
        return e;
    plan = plan_of(wish, o);
    s = subscription_new(c, &plan);
    s->start->ready = add_ready;
    subscription_ask(s->start);
    return PUSH_OK;
}
