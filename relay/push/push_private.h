/* push_private - the push server's inside, shared by the files of relay/push
 *
 *   push.c             beginning and end, services, reload, drain
 *   client*.c          connections: connect, refresh, liveness, transports
 *   subscription*.c    one client in one channel: subscribe, recover, expire, fall behind
 *   channel*.c         fan-out: frames, deltas, coalescing, join and leave
 *   op_*.c             what servers may do
 *   api*.c             the server API over HTTP; publish_zmq.c over ZeroMQ; page.c for operators
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_PRIVATE_H
#define RELAY_PUSH_PRIVATE_H

#include <sys/queue.h>

#include "relay/hub.h"
#include "relay/metrics.h"
#include "relay/push/hook.h"
#include "relay/push/op.h"
#include "relay/push/push.h"
#include "relay/push/stream.h"
#include "relay/strmap.h"
#include "relay/wheel.h"
#include "shared/arena.h"
#include "shared/log.h"

/* What push_metrics tells beside gauges: PUSH_COUNTER(symbol, "metric", "labels", "help"); neighbours of one metric
 * are one family. */
#define PUSH_COUNTERS                                                                            \
    PUSH_COUNTER(CONNECTS, "push_connects_total", "", "connect commands that succeeded")         \
    PUSH_COUNTER(SUBSCRIBES, "push_subscribes_total", "", "subscriptions made")                  \
    PUSH_COUNTER(RECOVERED, "push_recoveries_total", "result=\"recovered\"", "subscriptions that asked for recovery") \
    PUSH_COUNTER(NOT_RECOVERED, "push_recoveries_total", "result=\"failed\"", "")                \
    PUSH_COUNTER(PUBLISHED, "push_publications_total", "", "publications taken")                 \
    PUSH_COUNTER(DELIVERIES, "push_deliveries_total", "", "publications queued to subscriptions") \
    PUSH_COUNTER(COMMANDS, "push_commands_total", "", "commands of clients")                     \
    PUSH_COUNTER(SHED_SLOW_LATEST, "push_shed_total", "reason=\"latest\"", "publications or connections given up under load") \
    PUSH_COUNTER(SHED_SLOW_RECOVER, "push_shed_total", "reason=\"recover\"", "")                 \
    PUSH_COUNTER(SHED_MEMORY, "push_shed_total", "reason=\"memory\"", "")                        \
    PUSH_COUNTER(SHED_ADMISSION, "push_shed_total", "reason=\"admission\"", "")                  \
    PUSH_COUNTER(SHED_ADDRESS, "push_shed_total", "reason=\"address\"", "")                      \
    PUSH_COUNTER(SHED_USER, "push_shed_total", "reason=\"user\"", "")                            \
    PUSH_COUNTER(SHED_NAMESPACE, "push_shed_total", "reason=\"namespace\"", "")                  \
    PUSH_COUNTER(SHED_COMMANDS, "push_shed_total", "reason=\"commands\"", "")                    \
    PUSH_COUNTER(SHED_STORE, "push_shed_total", "reason=\"store\"", "")                          \
    PUSH_COUNTER(BAD_API, "push_refused_total", "by=\"api\"", "publications and calls refused")  \
    PUSH_COUNTER(BAD_PULL, "push_refused_total", "by=\"pull\"", "")                              \
    PUSH_COUNTER(BAD_ROUTER, "push_refused_total", "by=\"router\"", "")

enum push_counter {
#define PUSH_COUNTER(symbol, metric, labels, help) PUSH_COUNT_##symbol,
    PUSH_COUNTERS
#undef PUSH_COUNTER
    PUSH_COUNTER_COUNT
};

struct channels;        /* channel.h: fan-out */
struct push_tail;       /* tail.c: who watches one channel or user live */
struct push_zmq;        /* publish_zmq.c */
struct callback;        /* callback.h: the application is asked */
struct push_limits;     /* limits of addresses; admission: admission.c */
struct pool;            /* threads that verify tokens */
struct push_services;   /* push.c: the arrays of services */

LIST_HEAD(client_list, push_client);

struct push {
    struct io *io;
    struct push_settings *settings;
    const struct config *config;            /* of settings */
    struct stream_store *store;
    struct hub *hub;                        /* data of a hub channel: struct channel */
    struct channels *channels;
    struct wheel *wheel;
    struct hook *hook;
    struct callback *callback;
    struct push_tail *tail;
    struct push_zmq *zmq;
    struct push_limits *limits;
    struct log_gate refusals;               /* of requests that become no clients */
    struct pool *pool;
    struct push_services *services;
    struct arena *scratch;                  /* of one callback of the loop: whoever is called by the loop resets it at
                                               his end, nobody below him does */
    struct client_list open, closing;       /* all with a connection: new to refused, and those being closed */
    struct strmap clients;                  /* connected ones, by id */
    struct strmap users;                    /* struct client_user, by user id */
    struct strmap sessions;                 /* emulated clients, by session secret */
    char node[37];                          /* id of this run */
    int64_t started_ms;                     /* monotonic */
    size_t kept_bytes;                      /* of frames there are before anything waits, such as pings */
    int64_t n_clients, n_subscriptions;
    int64_t counters[PUSH_COUNTER_COUNT];
    struct histogram latency;               /* from publish to queued for all */

    struct io_rules new_rules;              /* before connect nobody is pinged */
    struct io_rules socket_rules;           /* of each kind of connection; numbers follow the settings */
    struct io_rules native_rules;           /* WebSocket with protocol pings */
    struct io_rules stream_rules;           /* http_stream, sse */
    struct io_rules one_way_rules;          /* never answer pings */

    bool draining;
    struct io_timer *drain_timer;
    size_t drain_step;
    void (*drained)(void *arg);
    void *drained_arg;
};

static inline void
push_count(struct push *p, enum push_counter c)
{
    p->counters[c]++;
}

/* Where files of relay/push register their services. */
enum io_verdict client_request(void *arg, const struct io_request *r, struct io_exchange *x,
                               struct io_answer *a, struct io_client **client_r);
enum io_verdict emulation_request(void *arg, const struct io_request *r, struct io_exchange *x,
                                  struct io_answer *a, struct io_client **client_r);
enum io_verdict api_request(void *arg, const struct io_request *r, struct io_exchange *x,
                            struct io_answer *a, struct io_client **client_r);
enum io_verdict metrics_request(void *arg, const struct io_request *r, struct io_exchange *x,
                                struct io_answer *a, struct io_client **client_r);
enum io_verdict health_request(void *arg, const struct io_request *r, struct io_exchange *x,
                               struct io_answer *a, struct io_client **client_r);
enum io_verdict tail_request(void *arg, const struct io_request *r, struct io_exchange *x,
                             struct io_answer *a, struct io_client **client_r);
enum io_verdict page_request(void *arg, const struct io_request *r, struct io_exchange *x,
                             struct io_answer *a, struct io_client **client_r);

/* What servers and operators are offered, for push_server_services; arg is the push server. Tail before page. */
#define PUSH_SERVER_SERVICES(p)                                                                      \
    { .path = "/api", .below = true, .body_max = (p)->config->push_api_body_max,                    \
      .request = api_request, .arg = (p) },                                                          \
    { .path = "/metrics", .request = metrics_request, .arg = (p) },                                  \
    { .path = "/health", .request = health_request, .arg = (p) },                                    \
    { .path = "/admin/tail", .request = tail_request, .arg = (p) },                                  \
    { .path = "/admin", .below = true, .request = page_request, .arg = (p) }

/* Is the API key in this request the configured one? Headers X-API-Key, Authorization: apikey, ?api_key=, the
 * first present; constant time. */
bool api_key_good(const struct push *p, const struct io_request *r);

#endif
