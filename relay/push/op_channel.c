/* op_channel - what servers, and partly clients, do with channels
 *
 * Source of the rules: docs/push/protocol.md, "Server API".
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/mem.h"
#include "relay/push/channel.h"
#include "relay/push/glob.h"
#include "relay/push/least.h"

/* ---- what the channel is ---- */

static enum push_error
find_options(const struct push *p, const char *channel, const struct channel_options **o_r)
{
    switch (push_settings_channel(p->settings, channel, o_r)) {
    case CHANNEL_FINE:
        return PUSH_OK;
    case CHANNEL_BAD_NAME:
        return PUSH_BAD_REQUEST;
    case CHANNEL_UNKNOWN:
        break;
    }
    return PUSH_UNKNOWN_CHANNEL;
}

static enum push_error
find_history(const struct push *p, const char *channel, struct stream_rules *rules_r)
{
    const struct channel_options *o;
    enum push_error e = find_options(p, channel, &o);

    if (e)
        return e;
    if (o->history_size == 0)
        return PUSH_NOT_AVAILABLE;
    *rules_r = channel_rules(o);
    return PUSH_OK;
}

static enum push_error
error_of(enum err e)
{
    switch (e) {
    case ERR_OK:
        return PUSH_OK;
    case ERR_NOT_FOUND:
        return PUSH_UNRECOVERABLE;
    case ERR_BUSY:
        return PUSH_TOO_MANY;
    default:
        return PUSH_INTERNAL;
    }
}

/* ---- publish ---- */

/* Someone who waits for a position. */
struct publishing {
    struct push *push;
    op_published *done;
    void *arg;
};

static void
published(void *arg, enum err e, const struct stream_position *at)
{
    struct publishing w = *(struct publishing *)arg;

    free(arg);
    if (e == ERR_OK)
        push_count(w.push, PUSH_COUNT_PUBLISHED);
    else if (e == ERR_BUSY)
        push_count(w.push, PUSH_COUNT_SHED_STORE);
    w.done(w.arg, error_of(e), at);
}

static struct publishing *
publishing_new(struct push *p, op_published *done, void *arg)
{
    struct publishing *w = mem_new(sizeof *w);

    *w = (struct publishing){ p, done, arg };
    return w;
}

static enum push_error
check_publish(const struct push *p, const struct op_publish *in, const struct channel_options **o_r)
{
    enum push_error e = find_options(p, in->channel, o_r);

    if (e)
        return e;
    if (in->data_len == 0 || in->data_len > (size_t)p->config->push_data_max)
        return PUSH_BAD_REQUEST;
    return PUSH_OK;
}

void
op_publish(struct push *p, const struct op_publish *in, op_published *done, void *arg)
{
    const struct channel_options *o;
    enum push_error e = check_publish(p, in, &o);
    struct stream_publish sp;

    if (e) {
        done(arg, e, NULL);
        return;
    }
    sp = (struct stream_publish){
        .channel = in->channel,
        .rules = channel_rules(o),
        .publication = publication_new(in->data, in->data_len, in->info, in->tags, in->delta),
        .idempotency_key = in->idempotency_key,
        .version = in->version,
        .version_epoch = in->version_epoch,
        .skip_history = in->skip_history,
    };
    p->channels->publishing_us = channel_now_us();
    p->store->calls->publish(p->store, &sp, published, publishing_new(p, done, arg));
    p->channels->publishing_us = 0;
    publication_unref(sp.publication);
}

/* ---- history ---- */

struct asking {
    op_told *done;
    void *arg;
};

static void
told(void *arg, enum err e, const struct stream_history *h)
{
    struct asking w = *(struct asking *)arg;

    free(arg);
    w.done(w.arg, error_of(e), h);
}

void
op_history(struct push *p, const char *channel, const struct stream_query *q, op_told *done, void *arg)
{
    struct stream_query bounded = *q;
    int64_t max = p->config->push_history_max;
    struct stream_rules rules;
    enum push_error e = find_history(p, channel, &rules);
    struct asking *w;

    if (e) {
        done(arg, e, NULL);
        return;
    }
    if (q->limit < 0 || q->limit > max)
        bounded.limit = max;
    w = mem_new(sizeof *w);
    *w = (struct asking){ done, arg };
    p->store->calls->history(p->store, channel, &rules, &bounded, told, w);
}

/* Not counted as a publication. */
static void
removed(void *arg, enum err e, const struct stream_position *at)
{
    struct publishing w = *(struct publishing *)arg;

    free(arg);
    w.done(w.arg, error_of(e), at);
}

void
op_history_remove(struct push *p, const char *channel, op_published *done, void *arg)
{
    struct stream_rules rules;
    enum push_error e = find_history(p, channel, &rules);

    if (e) {
        done(arg, e, NULL);
        return;
    }
    p->store->calls->remove(p->store, channel, &rules, removed, publishing_new(p, done, arg));
}

/* ---- presence ---- */

struct counting {
    void (*each)(void *arg, const struct stream_presence *who);
    void (*done)(void *arg, enum push_error e, int64_t n_clients, int64_t n_users);
    void *arg;
};

static void
present(void *arg, const struct stream_presence *who)
{
    struct counting *w = arg;

    if (w->each)
        w->each(w->arg, who);
}

static void
counted(void *arg, enum err e, int64_t n_clients, int64_t n_users)
{
    struct counting w = *(struct counting *)arg;

    free(arg);
    w.done(w.arg, error_of(e), n_clients, n_users);
}

void
op_presence(struct push *p, const char *channel,
            void (*each)(void *arg, const struct stream_presence *who),
            void (*done)(void *arg, enum push_error e, int64_t n_clients, int64_t n_users), void *arg)
{
    const struct channel_options *o;
    enum push_error e = find_options(p, channel, &o);
    struct counting *w;

    if (!e && !o->presence)
        e = PUSH_NOT_AVAILABLE;
    if (e) {
        done(arg, e, 0, 0);
        return;
    }
    w = mem_new(sizeof *w);
    *w = (struct counting){ each, done, arg };
    p->store->calls->presence(p->store, channel, present, counted, w);
}

/* ---- channels ---- */

struct listing {
    struct least least;
    struct glob glob;
    const char *after;
};

static const char *
name_of(const void *item)
{
    return hub_name(item);
}

static bool
consider(void *arg, struct hub_channel *c)
{
    struct listing *g = arg;

    if (hub_count(c) > 0 && strcmp(hub_name(c), g->after) > 0 && glob_fits(&g->glob, hub_name(c)))
        least_offer(&g->least, c);
    return true;
}

void
op_channels(struct push *p, const char *glob, const char *after, int64_t limit,
            void (*each)(void *arg, const char *channel, int64_t n_clients), void *arg, bool *more_r)
{
    struct arena *a = arena_new();
    struct listing g = { .least.name = name_of, .after = after ? after : "" };

    g.least.max = (size_t)(limit < 0 || limit > p->config->push_list_max ? p->config->push_list_max : limit);
    glob_compile(a, glob ? glob : "", &g.glob);
    g.least.items = arena_array(a, g.least.max, sizeof(void *));
    hub_each(p->hub, consider, &g);
    least_sort(&g.least);
    for (size_t i = 0; i < g.least.n; i++)
        each(arg, hub_name(g.least.items[i]), (int64_t)hub_count(g.least.items[i]));
    *more_r = g.least.more;
    arena_free(a);
}
