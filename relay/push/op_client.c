/* op_client - what servers may do to clients, and what they can know of them
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/op.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "relay/mem.h"
#include "relay/push/client_private.h"
#include "relay/push/least.h"
#include "relay/push/subscription.h"
#include "shared/json.h"
#include "shared/utf8.h"
#include "shared/when.h"

#define REASON_MAX 123          /* bytes that fit behind the code in a Close frame */
#define DEPTH_MAX 64
#define ANSWER_MAX 1024

/* ---- whom ---- */

static bool
given(const char *text)
{
    return text && *text;
}

static bool
is_meant(const struct push_client *c, const struct op_whom *w)
{
    if (c->state != CLIENT_CONNECTED && c->state != CLIENT_CONNECTING)
        return false;
    if (given(w->client) && strcmp(w->client, c->id) != 0)
        return false;
    if (given(w->session) && strcmp(w->session, client_session_id(c)) != 0)
        return false;
    for (const char *const *except = w->except; except && *except; except++)
        if (strcmp(*except, c->id) == 0)
            return false;
    return true;
}

typedef enum push_error each_client(struct push_client *c, const void *arg);

/* Calls each for all that are meant; they stay in their lists meanwhile, whatever is done to them. The first error is
 * answered, but nobody is left out for it. */
static enum push_error
each_meant(struct push *p, const struct op_whom *w, each_client *each, const void *arg)
{
    struct strmap_node *node = strmap_find(&p->users, w->user);
    struct push_client *c = node ? STRMAP_OF(node, struct client_user, node)->clients : NULL;
    enum push_error e, first = PUSH_OK;

    for (; c; c = c->next)
        if (is_meant(c, w) && (e = each(c, arg)) != PUSH_OK && first == PUSH_OK)
            first = e;
    return first;
}

/* ---- subscribe, unsubscribe ---- */

static enum push_error
subscribe(struct push_client *c, const void *arg)
{
    enum push_error e;

    if (c->state != CLIENT_CONNECTED)
        return PUSH_OK;         /* came too early for him */
    e = subscription_add(c, arg);
    return e == PUSH_SUBSCRIBED ? PUSH_OK : e;
}

static enum push_error
unsubscribe(struct push_client *c, const void *channel)
{
    struct subscription *s = subscription_find(c, channel);

    if (s && c->state == CLIENT_CONNECTED)
        subscription_end(s, UNSUBSCRIBE_SERVER, push_unsubscribe_reason(UNSUBSCRIBE_SERVER));
    return PUSH_OK;
}

static enum push_error
check_channel(const struct push *p, const char *channel)
{
    const struct channel_options *o;

    switch (push_settings_channel(p->settings, channel, &o)) {
    case CHANNEL_BAD_NAME:
        return PUSH_BAD_REQUEST;
    case CHANNEL_UNKNOWN:
        return PUSH_UNKNOWN_CHANNEL;
    default:
        return PUSH_OK;
    }
}

enum push_error
op_subscribe(struct push *p, const struct op_whom *whom, const struct op_subscribe *in)
{
    struct subscription_wish wish = {
        .channel = in->channel,
        .info = in->info,
        .data = in->data,
        .expires_ms = in->expires_s * 1000,
        .override = in->override,
        .recover = { .channel = in->channel, .recover = in->recover,
                     .epoch = in->epoch ? in->epoch : "", .offset = in->offset },
    };
    enum push_error e = check_channel(p, in->channel);

    return e ? e : each_meant(p, whom, subscribe, &wish);
}

enum push_error
op_unsubscribe(struct push *p, const struct op_whom *whom, const char *channel)
{
    enum push_error e = check_channel(p, channel);

    return e ? e : each_meant(p, whom, unsubscribe, channel);
}

/* ---- disconnect ---- */

struct closing {
    int code;
    const char *reason;
};

static enum push_error
disconnect(struct push_client *c, const void *arg)
{
    const struct closing *why = arg;

    client_close(c, why->code, why->reason);
    return PUSH_OK;
}

enum push_error
op_disconnect(struct push *p, const struct op_whom *whom, int code, const char *reason)
{
    return each_meant(p, whom, disconnect, &(struct closing){ code, reason });
}

bool
push_reason_is_clean(const char *reason)
{
    size_t len = strlen(reason);
    struct arena *a;
    struct json *json;
    bool clean;

    if (len == 0 || len > REASON_MAX || !utf8_valid(reason, len))
        return false;
    for (const char *p = reason; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return false;
    a = arena_new();
    clean = json_parse(a, reason, len, DEPTH_MAX, &json, NULL) != ERR_OK;
    arena_free(a);
    return clean;
}

/* ---- refresh ---- */

struct refresh {
    bool expired;
    int64_t expires_ms;
    const char *info;
};

/* A one-way client cannot ask, so it is told. */
static void
tell_refreshed(struct push_client *c, int64_t ttl_s)
{
    struct sbuf line;

    sbuf_init(&line, ANSWER_MAX);
    reply_refresh(&line, 0, "refresh", ttl_s);
    client_send(c, &line);
}

static enum push_error
refresh(struct push_client *c, const void *arg)
{
    const struct refresh *r = arg;
    int64_t ttl_s;

    if (r->expired || (r->expires_ms && r->expires_ms <= when_now_ms())) {
        client_close(c, CLOSE_CONNECTION_EXPIRED, NULL);
        return PUSH_OK;
    }
    if (c->state != CLIENT_CONNECTED)
        return PUSH_OK;
    if (r->info)
        client_set_info(c, r->info);
    ttl_s = client_expires(c, r->expires_ms);
    if (c->bare)
        tell_refreshed(c, ttl_s);
    return PUSH_OK;
}

enum push_error
op_refresh(struct push *p, const struct op_whom *whom, bool expired, int64_t expires_s,
           const char *info)
{
    return each_meant(p, whom, refresh, &(struct refresh){ expired, expires_s * 1000, info });
}

/* ---- what can be known ---- */

void
op_info(struct push *p, struct op_info *info_r)
{
    static char name[HOST_NAME_MAX + 1];

    if (!*name && gethostname(name, sizeof name - 1) != 0)
        strcpy(name, "relay");
    *info_r = (struct op_info){
        .uid = p->node,
        .name = name,
        .version = PACKAGE_VERSION,
        .clients = p->n_clients,
        .users = (int64_t)p->users.n,
        .channels = (int64_t)hub_channels(p->hub),
        .subscriptions = p->n_subscriptions,
        .uptime_s = (when_monotonic_ms() - p->started_ms) / 1000,
    };
}

static const char *
id_of(const void *item)
{
    return ((const struct push_client *)item)->id;
}

static void
each_listed(const struct least *l, void (*each)(void *arg, const struct op_connection *c), void *arg)
{
    int64_t now = when_monotonic_ms();

    for (size_t i = 0; i < l->n; i++) {
        struct push_client *c = l->items[i];

        each(arg, &(struct op_connection){
                      .client = c->id,
                      .user = client_user_id(c),
                      .address = c->address,
                      .transport = client_transport_name(c),
                      .age_s = (now - c->opened_ms) / 1000,
                      .subscriptions = c->n_subscriptions,
                      .queued = (int64_t)conn_queued(c->conn),
                  });
    }
}

void
op_connections(struct push *p, const char *user, const char *after, int64_t limit,
               void (*each)(void *arg, const struct op_connection *c), void *arg, bool *more_r)
{
    struct least l = { .name = id_of, .max = limit > 0 ? (size_t)limit : 0 };
    struct push_client *c;

    if (l.max > p->clients.n)
        l.max = p->clients.n;
    l.items = mem_new(l.max * sizeof *l.items);
    LIST_FOREACH(c, &p->open, entry)
        if (c->user && strcmp(c->id, after ? after : "") > 0
            && (!user || strcmp(client_user_id(c), user) == 0))
            least_offer(&l, c);
    least_sort(&l);
    each_listed(&l, each, arg);
    *more_r = l.more;
    free(l.items);
}
