/* api_clients - methods of the server API that act on clients, or list them
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/api.h"

/* Members of every input here, at the same place. */
struct whom_in {
    const char *user, *client, *session;
};

struct subscribe_in {
    struct whom_in whom;            /* first */
    const char *channel;
    int64_t expire_at;
    const char *info, *data;
    struct token_override override;
    bool recover;
    struct {
        int64_t offset;
        const char *epoch;
    } since;
};

struct disconnect_in {
    struct whom_in whom;            /* first */
    struct list whitelist;
    struct {
        int64_t code;
        const char *reason;
    } disconnect;
};

struct refresh_in {
    struct whom_in whom;            /* first */
    bool expired;
    int64_t expire_at;
    const char *info;
};

struct connections_in {
    struct whom_in whom;            /* first */
    const char *cursor;
    int64_t limit;
};

#define WHOM                                                                                         \
    { "user", F_TEXT, API_AT(whom_in, user) },                                                       \
    { "client", F_TEXT, API_AT(whom_in, client) },                                                   \
    { "session", F_TEXT, API_AT(whom_in, session) }

static struct op_whom
whom_of(const struct api_call *c)
{
    const struct whom_in *in = c->in;

    return (struct op_whom){ .user = in->user, .client = in->client, .session = in->session };
}

/* ---- subscribe, unsubscribe ---- */

static const struct field subscribe_fields[] = {
    WHOM,
    { "channel", F_TEXT, API_AT(subscribe_in, channel) },
    { "expire_at", F_INT, API_AT(subscribe_in, expire_at) },
    { 0 }
};

static const struct field since_fields[] = {
    { "offset", F_INT, API_AT_IN(subscribe_in, since, offset), .max = INT64_MAX },
    { "epoch", F_TEXT, API_AT_IN(subscribe_in, since, epoch) },
    { 0 }
};

static const char *
unless_null(const char *raw)
{
    return raw && raw[0] == 'n' ? NULL : raw;
}

static enum err
check_subscribe(struct api_call *c, const struct json *object, const char *text, size_t len)
{
    struct subscribe_in *in = c->in;
    enum err e;

    if ((e = api_read_raw(c, object, text, len, "info", "b64info", &in->info)) != ERR_OK ||
        (e = api_read_raw(c, object, text, len, "data", "b64data", &in->data)) != ERR_OK ||
        (e = api_read_override(object, &in->override)) != ERR_OK)
        return e;
    in->info = unless_null(in->info);
    in->data = unless_null(in->data);
    return api_read_object(c, object, "recover_since", since_fields, &in->since, &in->recover);
}

static void
run_subscribe(struct api_call *c)
{
    const struct subscribe_in *in = c->in;
    struct op_whom whom = whom_of(c);
    struct op_subscribe s = { .channel = in->channel, .info = in->info, .data = in->data,
                              .expires_s = in->expire_at, .override = in->override,
                              .recover = in->recover, .offset = (uint64_t)in->since.offset,
                              .epoch = in->since.epoch ? in->since.epoch : "" };

    sbuf_puts(&c->out, "{}");
    api_done(c, op_subscribe(c->push, &whom, &s));
}

const struct api_method api_subscribe = {
    "subscribe", subscribe_fields, sizeof(struct subscribe_in), { "user", "channel" },
    check_subscribe, run_subscribe,
};

static void
run_unsubscribe(struct api_call *c)
{
    const struct subscribe_in *in = c->in;
    struct op_whom whom = whom_of(c);

    sbuf_puts(&c->out, "{}");
    api_done(c, op_unsubscribe(c->push, &whom, in->channel));
}

const struct api_method api_unsubscribe = {
    "unsubscribe", subscribe_fields, sizeof(struct subscribe_in), { "user", "channel" },
    NULL, run_unsubscribe,
};

/* ---- disconnect, refresh ---- */

enum { CODE_MIN = 3000, CODE_MAX = 4999 };

static const struct field disconnect_fields[] = {
    WHOM,
    { "whitelist", F_LIST, API_AT(disconnect_in, whitelist) },
    { 0 }
};

static const struct field code_fields[] = {
    { "code", F_INT, API_AT_IN(disconnect_in, disconnect, code) },
    { "reason", F_TEXT, API_AT_IN(disconnect_in, disconnect, reason) },
    { 0 }
};

static enum err
check_disconnect(struct api_call *c, const struct json *object, const char *text, size_t len)
{
    struct disconnect_in *in = c->in;
    bool given = false;
    enum err e;

    (void)text, (void)len;
    if ((e = api_read_object(c, object, "disconnect", code_fields, &in->disconnect, &given)) != ERR_OK)
        return e;
    if (in->disconnect.code == 0)
        in->disconnect.code = CLOSE_FORCE_DISCONNECT;
    if (in->disconnect.code < CODE_MIN || in->disconnect.code > CODE_MAX)
        return ERR_LIMIT;
    if (!in->disconnect.reason || !*in->disconnect.reason)
        in->disconnect.reason = push_close_reason((enum push_close)in->disconnect.code);
    return push_reason_is_clean(in->disconnect.reason) ? ERR_OK : ERR_LIMIT;
}

static void
run_disconnect(struct api_call *c)
{
    const struct disconnect_in *in = c->in;
    const char **except = arena_array(c->arena, in->whitelist.n + 1, sizeof *except);
    const char *const *kept = in->whitelist.items;
    struct op_whom whom = whom_of(c);

    for (size_t i = 0; i < in->whitelist.n; i++)
        except[i] = kept[i];
    whom.except = except;
    sbuf_puts(&c->out, "{}");
    api_done(c, op_disconnect(c->push, &whom, (int)in->disconnect.code, in->disconnect.reason));
}

const struct api_method api_disconnect = {
    "disconnect", disconnect_fields, sizeof(struct disconnect_in), { "user" }, check_disconnect,
    run_disconnect,
};

static const struct field refresh_fields[] = {
    WHOM,
    { "expired", F_BOOL, API_AT(refresh_in, expired) },
    { "expire_at", F_INT, API_AT(refresh_in, expire_at) },
    { 0 }
};

static enum err
check_refresh(struct api_call *c, const struct json *object, const char *text, size_t len)
{
    struct refresh_in *in = c->in;
    enum err e = api_read_raw(c, object, text, len, "info", "b64info", &in->info);

    in->info = unless_null(in->info);
    return e;
}

static void
run_refresh(struct api_call *c)
{
    const struct refresh_in *in = c->in;
    struct op_whom whom = whom_of(c);

    sbuf_puts(&c->out, "{}");
    api_done(c, op_refresh(c->push, &whom, in->expired, in->expire_at, in->info));
}

const struct api_method api_refresh = {
    "refresh", refresh_fields, sizeof(struct refresh_in), { "user" }, check_refresh, run_refresh,
};

/* ---- connections ---- */

static const struct field connections_fields[] = {
    WHOM,
    { "cursor", F_TEXT, API_AT(connections_in, cursor) },
    { "limit", F_INT, API_AT(connections_in, limit), .max = INT64_MAX },
    { 0 }
};

/* A page as it is written, and where the next one begins. */
struct page {
    struct api_call *call;
    const char *last;
};

static void
each_connection(void *arg, const struct op_connection *connection)
{
    struct page *page = arg;

    api_write_connection(&page->call->out, connection);
    page->last = arena_string(page->call->arena, connection->client);
}

static void
run_connections(struct api_call *c)
{
    const struct connections_in *in = c->in;
    struct page page = { c, "" };
    int64_t limit = c->push->config->push_list_max;
    bool more = false;

    if (in->limit > 0 && in->limit < limit)
        limit = in->limit;
    json_open(&c->out, '{');
    json_key(&c->out, "connections");
    json_open(&c->out, '[');
    op_connections(c->push, in->whom.user, in->cursor ? in->cursor : "", limit, each_connection,
                   &page, &more);
    json_close(&c->out, ']');
    if (more)
        json_kv(&c->out, "cursor", page.last);
    json_close(&c->out, '}');
    api_done(c, PUSH_OK);
}

const struct api_method api_connections = {
    "connections", connections_fields, sizeof(struct connections_in), { 0 }, NULL, run_connections,
};
