/* api_methods - the methods of the server API that ask channels and the server; the table of all
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/api.h"

#include <string.h>

/* One input for all methods here: each has its own table over it. */
struct ask_in {
    const char *channel;
    int64_t limit;
    bool reverse;
    bool since;
    struct {
        int64_t offset;
        const char *epoch;
    } at;
    const char *pattern, *cursor;
    const char *rpc_method;
};

static const struct field channel_fields[] = {
    { "channel", F_TEXT, API_AT(ask_in, channel) },
    { 0 }
};

static const struct field history_fields[] = {
    { "channel", F_TEXT, API_AT(ask_in, channel) },
    { "limit", F_INT, API_AT(ask_in, limit) },
    { "reverse", F_BOOL, API_AT(ask_in, reverse) },
    { 0 }
};

static const struct field since_fields[] = {
    { "offset", F_INT, API_AT_IN(ask_in, at, offset), .max = INT64_MAX },
    { "epoch", F_TEXT, API_AT_IN(ask_in, at, epoch) },
    { 0 }
};

static const struct field channels_fields[] = {
    { "pattern", F_TEXT, API_AT(ask_in, pattern), .max = 1000 },
    { "cursor", F_TEXT, API_AT(ask_in, cursor) },
    { "limit", F_INT, API_AT(ask_in, limit), .max = INT64_MAX },
    { 0 }
};

static const struct field rpc_fields[] = {
    { "method", F_TEXT, API_AT(ask_in, rpc_method) },
    { 0 }
};

static const struct field no_fields[] = { { 0 } };

/* ---- presence ---- */

static void
each_present(void *arg, const struct stream_presence *who)
{
    struct api_call *c = arg;

    api_write_name(&c->out, who->client);
    json_put_raw(&c->out, who->info);
}

static void
presence_told(void *arg, enum push_error e, int64_t n_clients, int64_t n_users)
{
    struct api_call *c = arg;

    (void)n_clients, (void)n_users;
    json_close(&c->out, '}');
    json_close(&c->out, '}');
    api_done(c, e);
}

static void
run_presence(struct api_call *c)
{
    json_open(&c->out, '{');
    json_key(&c->out, "presence");
    json_open(&c->out, '{');
    op_presence(c->push, ((struct ask_in *)c->in)->channel, each_present, presence_told, c);
}

static void
stats_told(void *arg, enum push_error e, int64_t n_clients, int64_t n_users)
{
    struct api_call *c = arg;

    json_open(&c->out, '{');
    json_kv_int(&c->out, "num_clients", n_clients);
    json_kv_int(&c->out, "num_users", n_users);
    json_close(&c->out, '}');
    api_done(c, e);
}

static void
run_presence_stats(struct api_call *c)
{
    op_presence(c->push, ((struct ask_in *)c->in)->channel, NULL, stats_told, c);
}

/* ---- history ---- */

static enum err
check_history(struct api_call *c, const struct json *object, const char *text, size_t len)
{
    struct ask_in *in = c->in;

    (void)text, (void)len;
    return api_read_object(c, object, "since", since_fields, &in->at, &in->since);
}

static void
history_told(void *arg, enum push_error e, const struct stream_history *h)
{
    struct api_call *c = arg;

    if (e == PUSH_OK)
        api_write_history(&c->out, h);
    api_done(c, e);
}

static void
run_history(struct api_call *c)
{
    const struct ask_in *in = c->in;
    struct stream_query q = { .since = in->since, .offset = (uint64_t)in->at.offset,
                              .epoch = in->at.epoch, .limit = in->limit, .reverse = in->reverse };

    op_history(c->push, in->channel, &q, history_told, c);
}

static void
removed(void *arg, enum push_error e, const struct stream_position *at)
{
    struct api_call *c = arg;

    (void)at;
    sbuf_puts(&c->out, "{}");
    api_done(c, e);
}

static void
run_history_remove(struct api_call *c)
{
    op_history_remove(c->push, ((struct ask_in *)c->in)->channel, removed, c);
}

/* ---- channels, info, rpc ---- */

struct page {
    struct api_call *call;
    const char *last;
};

static void
each_channel(void *arg, const char *channel, int64_t n_clients)
{
    struct page *page = arg;
    struct sbuf *b = &page->call->out;

    api_write_name(b, channel);
    json_open(b, '{');
    json_kv_int(b, "num_clients", n_clients);
    json_close(b, '}');
    page->last = arena_string(page->call->arena, channel);
}

static void
run_channels(struct api_call *c)
{
    const struct ask_in *in = c->in;
    struct page page = { c, "" };
    int64_t limit = c->push->config->push_list_max;
    bool more = false;

    if (in->limit > 0 && in->limit < limit)
        limit = in->limit;
    json_open(&c->out, '{');
    json_key(&c->out, "channels");
    json_open(&c->out, '{');
    op_channels(c->push, in->pattern ? in->pattern : "", in->cursor ? in->cursor : "", limit,
                each_channel, &page, &more);
    json_close(&c->out, '}');
    if (more)
        json_kv(&c->out, "cursor", page.last);
    json_close(&c->out, '}');
    api_done(c, PUSH_OK);
}

static void
run_info(struct api_call *c)
{
    struct op_info info = { 0 };

    op_info(c->push, &info);
    api_write_info(&c->out, &info);
    api_done(c, PUSH_OK);
}

/* Nobody has bound a handler: the relay is no application. */
static void
run_rpc(struct api_call *c)
{
    api_done(c, PUSH_NOT_AVAILABLE);
}

/* ---- the table ---- */

static const struct api_method presence = {
    "presence", channel_fields, sizeof(struct ask_in), { "channel" }, NULL, run_presence,
};
static const struct api_method presence_stats = {
    "presence_stats", channel_fields, sizeof(struct ask_in), { "channel" }, NULL, run_presence_stats,
};
static const struct api_method history = {
    "history", history_fields, sizeof(struct ask_in), { "channel" }, check_history, run_history,
};
static const struct api_method history_remove = {
    "history_remove", channel_fields, sizeof(struct ask_in), { "channel" }, NULL, run_history_remove,
};
static const struct api_method channels = {
    "channels", channels_fields, sizeof(struct ask_in), { 0 }, NULL, run_channels,
};
static const struct api_method info = {
    "info", no_fields, sizeof(struct ask_in), { 0 }, NULL, run_info,
};
static const struct api_method rpc = {
    "rpc", rpc_fields, sizeof(struct ask_in), { "method" }, NULL, run_rpc,
};

static const struct api_method *const methods[] = {
    &api_publish, &api_broadcast, &api_subscribe, &api_unsubscribe, &api_disconnect, &api_refresh,
    &presence, &presence_stats, &history, &history_remove, &channels, &info, &rpc, &api_batch,
    &api_connections,
};

const struct api_method *
api_method_find(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i]->name, name) == 0)
            return methods[i];
    return NULL;
}

/* ---- a call's life ---- */

void
api_call_run(struct api_call *c)
{
    if (c->error)
        c->done(c);
    else
        c->method->run(c);
}

void
api_done(struct api_call *c, enum push_error e)
{
    c->error = e == PUSH_OK && c->out.failed ? PUSH_INTERNAL : e;
    c->done(c);
}

void
api_call_fini(struct api_call *c)
{
    sbuf_fini(&c->out);
}
