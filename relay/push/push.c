/* push - beginning and end, services, settings read anew, figures
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/push_private.h"

#include "relay/mem.h"
#include "relay/pool.h"
#include "relay/push/admission.h"
#include "relay/push/callback.h"
#include "relay/push/channel.h"
#include "relay/push/client.h"
#include "relay/push/publish_zmq.h"
#include "relay/push/reply.h"
#include "relay/push/tail.h"
#include "shared/id.h"
#include "shared/log.h"
#include "shared/when.h"

#define TOKEN_THREADS 2
#define SAID_MAX 256
#define DRAIN_TICK_MS 100
#define DRAIN_TICKS_PER_S (1000 / DRAIN_TICK_MS)

struct push_services {
    struct io_service client[8];
    struct io_service server[5];
};

/* ---- rules and services ---- */

static void
rules_follow(struct push *p)
{
    const struct config *config = p->config;
    struct io_rules *r = &p->socket_rules;
    struct frame *text = r->ping, *native = p->native_rules.ping, *silent = p->stream_rules.silent;
    struct frame *slow = p->stream_rules.slow, *slow_bare = p->one_way_rules.slow;

    *r = (struct io_rules){
        .ping_ms = config->push_ping_s * 1000,
        .ping = text,
        .answer_ms = config->push_pong_s * 1000,
        .silent_code = CLOSE_NO_PONG,
        .silent_reason = push_close_reason(CLOSE_NO_PONG),
        .queue_frames = config->push_queue_frames,
        .queue_bytes = config->push_queue_bytes,
        .stall_ms = config->push_stall_ms,
        .slow_code = CLOSE_SLOW,
        .slow_reason = push_close_reason(CLOSE_SLOW),
        .message_max = config->push_message_max,
    };
    p->new_rules = p->native_rules = p->stream_rules = p->one_way_rules = *r;
    p->new_rules.ping = NULL;
    p->new_rules.answer_ms = 0;
    p->native_rules.ping = native;
    p->stream_rules.silent = silent;
    p->stream_rules.slow = slow;
    p->one_way_rules.slow = slow_bare;
    p->one_way_rules.answer_ms = 0;
}

/* What a stream is told in place of a status. */
static struct frame *
farewell(bool bare, enum push_close code)
{
    struct frame *f = NULL;
    struct sbuf line;

    sbuf_init(&line, SAID_MAX);
    reply_disconnect(&line, bare, code, push_close_reason(code));
    if (!line.failed)
        f = frame_text(line.data, line.len);
    sbuf_fini(&line);
    return f;
}

static void
services_follow(struct push *p)
{
    int64_t most = p->config->push_message_max;

    *p->services = (struct push_services){
        .client = {
            { .path = "/connection/websocket", .request = client_request, .arg = p },
            { .path = "/connection/http_stream", .body_max = most, .request = client_request,
              .arg = p },
            { .path = "/connection/sse", .body_max = most, .request = client_request, .arg = p },
            { .path = "/connection/uni_websocket", .request = client_request, .arg = p },
            { .path = "/connection/uni_http_stream", .body_max = most, .request = client_request,
              .arg = p },
            { .path = "/connection/uni_sse", .body_max = most, .request = client_request,
              .arg = p },
            { .path = "/emulation", .body_max = most, .request = emulation_request, .arg = p },
            { .path = "/health", .request = health_request, .arg = p },
        },
        .server = { PUSH_SERVER_SERVICES(p) },
    };
}

const struct io_service *
push_client_services(struct push *p, size_t *n_r)
{
    *n_r = sizeof p->services->client / sizeof *p->services->client;
    return p->services->client;
}

const struct io_service *
push_server_services(struct push *p, size_t *n_r)
{
    *n_r = sizeof p->services->server / sizeof *p->services->server;
    return p->services->server;
}

/* ---- what the loop and threads call ---- */

static void
wake(void *arg)
{
    struct push *p = arg;

    io_wake(p->io);
}

static void
woken(void *arg)
{
    struct push *p = arg;

    stream_memory_collect(p->store);
    pool_collect(p->pool);
    callback_collect(p->callback);
    arena_reset(p->scratch);
}

static void
turn_ends(void *arg)
{
    admission_shed(arg);
}

/* ---- the end ---- */

static void
drain_due(void *arg)
{
    struct push *p = arg;
    void (*done)(void *arg) = p->drained;
    struct push_client *c;

    for (size_t i = 0; i < p->drain_step && (c = LIST_FIRST(&p->open)); i++)
        client_close(c, CLOSE_SHUTDOWN, NULL);
    arena_reset(p->scratch);
    if (!LIST_EMPTY(&p->open) || !LIST_EMPTY(&p->closing)) {
        io_timer_set(p->drain_timer, DRAIN_TICK_MS);
    } else if (done) {
        p->drained = NULL;
        done(p->drained_arg);
    }
}

void
push_drain(struct push *p, void (*done)(void *arg), void *arg)
{
    struct push_client *c;
    size_t n = 0;

    LIST_FOREACH(c, &p->open, entry)
        n++;
    log_event(LOG_LEVEL_INFO, "draining", "connections", log_number((long long)n), "seconds",
              log_number(p->config->push_drain_s), NULL);
    tail_end_all(p);
    p->draining = true;
    p->drained = done;
    p->drained_arg = arg;
    p->drain_step = p->config->push_drain_s == 0
                        ? SIZE_MAX
                        : n / (size_t)(p->config->push_drain_s * DRAIN_TICKS_PER_S) + 1;
    io_timer_set(p->drain_timer, 0);
}

void
push_free(struct push *p)
{
    if (!p)
        return;
    publish_zmq_close(p);
    pool_free(p->pool);
    callback_free(p->callback);
    if (p->store)
        p->store->calls->free(p->store);
    if (p->channels)
        channels_free(p);
    hook_free(p->hook);
    wheel_free(p->wheel);
    hub_free(p->hub);
    io_timer_free(p->drain_timer);
    admission_free(p->limits);
    strmap_fini(&p->clients);
    strmap_fini(&p->users);
    strmap_fini(&p->sessions);
    frame_unref(p->socket_rules.ping);
    frame_unref(p->native_rules.ping);
    frame_unref(p->stream_rules.silent);
    frame_unref(p->stream_rules.slow);
    frame_unref(p->one_way_rules.slow);
    arena_free(p->scratch);
    push_settings_unref(p->settings);
    free(p->services);
    free(p);
}

/* ---- the beginning ---- */

/* Queues have at least a quarter of the memory, whatever the histories take. */
static int64_t
store_share(const struct config *config)
{
    return config->push_memory_max / 4 * 3;
}

static bool
open_store(struct push *p)
{
    const struct config *config = p->config;
    struct stream_memory_options o = {
        .bytes_max = store_share(config),
        .idempotency_ms = config->push_idempotency_s * 1000,
        .file = *config->push_history ? config->push_history : NULL,
        .queue_max = config->push_history_queue,
        .wake = wake,
        .wake_arg = p,
        .deliver = channel_deliver,
        .deliver_arg = p,
    };

    return stream_memory_new(&o, p->io, &p->store) == ERR_OK;
}

static void
init(struct push *p)
{
    struct id node = id_random();

    id_text(&node, p->node);
    p->started_ms = when_monotonic_ms();
    p->services = mem_new(sizeof *p->services);
    p->scratch = arena_new();
    p->hub = hub_new();
    p->wheel = wheel_new(p->io);
    p->limits = admission_new();
    p->pool = pool_new(TOKEN_THREADS, wake, p);
    p->callback = callback_new(p->config, wake, p);
    p->hook = hook_new(p->config);
    p->drain_timer = io_timer_new(p->io, drain_due, p);
    p->socket_rules.ping = frame_text("{}", 2);
    p->native_rules.ping = frame_ping();
    p->stream_rules.silent = farewell(false, CLOSE_NO_PONG);
    p->stream_rules.slow = farewell(false, CLOSE_SLOW);
    p->one_way_rules.slow = farewell(true, CLOSE_SLOW);
    LIST_INIT(&p->open);
    LIST_INIT(&p->closing);
    strmap_init(&p->clients);
    strmap_init(&p->users);
    strmap_init(&p->sessions);
    rules_follow(p);
    services_follow(p);
}

static bool
has_frames(const struct push *p)
{
    return p->socket_rules.ping && p->native_rules.ping && p->stream_rules.silent
        && p->stream_rules.slow && p->one_way_rules.slow;
}

struct push *
push_new(struct io *io, struct push_settings *settings)
{
    struct push *p = mem_new(sizeof *p);

    p->io = io;
    p->settings = settings;
    p->config = push_settings_config(settings);
    init(p);
    channels_new(p);
    if (!has_frames(p) || !open_store(p) || publish_zmq_open(p) != ERR_OK) {
        push_free(p);
        return NULL;
    }
    io_on_wake(io, woken, p);
    io_on_turn(io, turn_ends, p);
    p->kept_bytes = frame_bytes();
    return p;
}

/* ---- settings read anew ---- */

static void
ignored(const char *name)
{
    log_event(LOG_LEVEL_WARNING, "reload_ignored", "setting", name, "why",
              "takes effect at the next start", NULL);
}

static void
tell_ignored(const struct config *a, const struct config *b)
{
#define TEXT_SETTING(name) \
    if (strcmp(a->name, b->name) != 0) \
        ignored(#name)
#define INT_SETTING(name) \
    if (a->name != b->name) \
        ignored(#name)
    TEXT_SETTING(push_api_listen);
    TEXT_SETTING(push_history);
    TEXT_SETTING(push_publish_pull);
    TEXT_SETTING(push_publish_router);
    TEXT_SETTING(push_curve_secret_key);
    TEXT_SETTING(push_curve_clients);
    INT_SETTING(push_publish_queue);
    INT_SETTING(push_idempotency_s);
    INT_SETTING(push_callback_threads);
#undef TEXT_SETTING
#undef INT_SETTING
}

void
push_reload(struct push *p, struct push_settings *settings)
{
    struct push_settings *before = p->settings;

    tell_ignored(p->config, push_settings_config(settings));
    p->settings = settings;
    p->config = push_settings_config(settings);
    rules_follow(p);
    services_follow(p);
    stream_memory_bound(p->store, store_share(p->config), p->config->push_history_queue);
    if (p->hook)
        hook_reload(p->hook, p->config);
    else
        p->hook = hook_new(p->config);
    push_settings_unref(before);
}

/* ---- figures ---- */

static void
counters(const struct push *p, struct metrics *m)
{
    static const struct {
        const char *metric, *labels, *help;
    } rows[] = {
#define PUSH_COUNTER(symbol, metric, labels, help) { metric, labels, help },
        PUSH_COUNTERS
#undef PUSH_COUNTER
    };

    for (size_t i = 0; i < PUSH_COUNTER_COUNT; i++) {
        if (i == 0 || strcmp(rows[i].metric, rows[i - 1].metric) != 0)
            metrics_family(m, rows[i].metric, "counter", rows[i].help);
        metrics_sample(m, rows[i].metric, *rows[i].labels ? rows[i].labels : NULL, p->counters[i]);
    }
}

void
push_metrics(struct push *p, struct metrics *m)
{
    metrics_gauge(m, "push_clients", "clients connected", p->n_clients);
    metrics_gauge(m, "push_users", "user ids with a client", (int64_t)p->users.n);
    metrics_gauge(m, "push_channels", "channels with subscribers", (int64_t)hub_channels(p->hub));
    metrics_gauge(m, "push_subscriptions", "subscriptions", p->n_subscriptions);
    metrics_gauge(m, "push_queued_bytes", "bytes of frames that wait, shared ones once",
                  (int64_t)(frame_bytes() - p->kept_bytes));
    metrics_gauge(m, "push_memory_bytes", "what push_memory_max bounds", admission_memory(p));
    counters(p, m);
    metrics_histogram(m, "push_latency_seconds",
                      "from a publication's arrival until it is queued for all", &p->latency);
    stream_memory_metrics(p->store, m);
    publish_zmq_metrics(p, m);
    if (p->hook)
        hook_metrics(p->hook, m);
    if (*p->config->push_callback_url)
        callback_metrics(p->callback, m);
}
