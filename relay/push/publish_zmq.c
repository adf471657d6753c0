/* publish_zmq - publishing over ZeroMQ: a PULL endpoint and a ROUTER endpoint
 *
 * Both sockets hang on the loop by their descriptors, which tell of changes and not of states: after every wake, and
 * after every send, ZMQ_EVENTS is looked at again. A wake does a bounded number of messages and leaves the rest
 * to a zero timer. Answers that wait for the store keep the envelope of their request.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE             /* SCHED_BATCH */
#include "relay/push/publish_zmq.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

#include "relay/mem.h"
#include "relay/push/api.h"
#include "relay/push/publish_zmq_gate.h"
#include "relay/push/publish_zmq_message.h"
#include "relay/push/publish_zmq_place.h"
#include "shared/bus.h"
#include "shared/log.h"
#include "shared/utf8.h"
#include "shared/when.h"

enum {
    PER_WAKE = 256,             /* messages of one endpoint before others have their turn */
    ENVELOPE_MAX = 3,           /* identity; of a requester its id, if it sends one, and the empty frame */
    BODY_MAX = 3,               /* channel, data, options */
};

#define IPC "ipc://"

_Static_assert(ENVELOPE_MAX + BODY_MAX < ZMQ_FRAMES_MAX, "one frame too many must be seen");

/* Why a publication was refused. */
#define REASONS                                                                                      \
    REASON(FRAMES, "frames")            /* not two or three of them, or too long ones */             \
    REASON(CHANNEL, "channel")          /* unknown, or no name */                                    \
    REASON(CONTENT, "content")          /* no JSON, too long, wrong options */                       \
    REASON(STORE, "store")              /* too much waits, or the memory is full */                  \
    REASON(OTHER, "other")

enum reason {
#define REASON(symbol, word) REASON_##symbol,
    REASONS
#undef REASON
    REASON_COUNT
};

static const char *const reason_words[] = {
#define REASON(symbol, word) word,
    REASONS
#undef REASON
};

struct endpoint {
    struct push_zmq *zmq;
    void *socket;               /* NULL: not configured */
    bool router;
    struct io_timer *again;
    int64_t refused[REASON_COUNT];
};

struct push_zmq {
    struct push *push;
    void *context;
    struct zmq_gate *gate;      /* who may connect; NULL without CURVE */
    struct endpoint pull, router;
    struct answer *answers;     /* those that wait */
    struct arena *spare;        /* of one that waited no longer: most are answered before the next comes */
    int64_t waiting, lost;
    struct log_gate refusals;
};

/* One publication under way, and whom to answer; lies in its own arena. */
struct answer {
    struct api_call call;
    struct arena *arena;
    struct endpoint *from;      /* NULL: the endpoint has gone */
    struct answer *prev, *next;
    struct {
        const char *p;
        size_t len;
    } envelope[ENVELOPE_MAX];
    size_t n_envelope;
    bool misshapen;             /* its frames are no publication */
};

/* ---- what goes wrong ---- */

static void
refused(struct endpoint *e, enum reason why)
{
    struct push_zmq *z = e->zmq;
    int64_t others;

    e->refused[why]++;
    push_count(z->push, e->router ? PUSH_COUNT_BAD_ROUTER : PUSH_COUNT_BAD_PULL);
    if (log_gate_opens(&z->refusals, when_monotonic_ms(), &others))
        log_event(LOG_LEVEL_WARNING, "publication_refused", "by", e->router ? "router" : "pull",
                  "why", reason_words[why], "others", log_number(others), NULL);
}

static enum reason
reason_of(enum push_error e)
{
    switch (e) {
    case PUSH_UNKNOWN_CHANNEL:
        return REASON_CHANNEL;
    case PUSH_BAD_REQUEST:
        return REASON_CONTENT;
    case PUSH_TOO_MANY:
        return REASON_STORE;
    default:
        return REASON_OTHER;
    }
}

/* ---- messages ---- */

static bool
is_empty_frame(const struct zmq_message *m, size_t i)
{
    return i < m->n && zmq_msg_size((zmq_msg_t *)&m->frames[i]) == 0;
}

/* How many frames of a router's message are its envelope: the identity; of a REQ an empty frame, too; in front of that one
 * the requester's own id, if there is one. */
static size_t
envelope_of(const struct zmq_message *m)
{
    if (is_empty_frame(m, 1))
        return 2;
    if (m->n > 4 && is_empty_frame(m, 2))
        return 3;
    return 1;
}

/* ---- answers ---- */

static void
answer_free(struct push_zmq *z, struct answer *a)
{
    if (a->prev)
        a->prev->next = a->next;
    else
        z->answers = a->next;
    if (a->next)
        a->next->prev = a->prev;
    z->waiting--;
    api_call_fini(&a->call);
    if (z->spare) {
        arena_free(a->arena);
    } else {
        z->spare = a->arena;
        arena_reset(z->spare);
    }
}

/* Never waits: a peer that is gone, or takes nothing, does not get its answer. The first frame decides for all. */
static void
answer_send(struct endpoint *e, const struct answer *a)
{
    struct sbuf text;

    sbuf_init(&text, API_ANSWER_MAX);
    api_write_answer(&text, &a->call);
    for (size_t i = 0; i < a->n_envelope; i++)
        if (zmq_send(e->socket, a->envelope[i].p, a->envelope[i].len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
            e->zmq->lost++;
            sbuf_fini(&text);
            return;
        }
    if (zmq_send(e->socket, sbuf_str(&text), text.len, ZMQ_DONTWAIT) < 0)
        e->zmq->lost++;
    sbuf_fini(&text);
    if (zmq_socket_readable(e->socket))     /* sending may have swallowed the descriptor's news */
        io_timer_set(e->again, 0);
}

static void
answered(struct api_call *c)
{
    struct answer *a = c->owner;
    struct endpoint *e = a->from;

    if (!e) {
        api_call_fini(c);
        arena_free(a->arena);
        return;
    }
    if (c->error)
        refused(e, a->misshapen ? REASON_FRAMES : reason_of(c->error));
    if (e->router)
        answer_send(e, a);
    answer_free(e->zmq, a);
}

static struct answer *
answer_new(struct endpoint *e, struct zmq_message *m, size_t n_envelope)
{
    struct push_zmq *z = e->zmq;
    struct arena *arena = z->spare ? z->spare : arena_new();
    struct answer *a = arena_alloc(arena, sizeof *a);

    z->spare = NULL;
    a->arena = arena;
    a->from = e;
    a->call = (struct api_call){ .push = z->push, .arena = arena, .done = answered, .owner = a };
    for (size_t i = 0; i < n_envelope; i++) {
        a->envelope[i].len = zmq_msg_size(&m->frames[i]);
        a->envelope[i].p = arena_copy(arena, zmq_msg_data(&m->frames[i]), a->envelope[i].len);
    }
    a->n_envelope = n_envelope;
    a->next = z->answers;
    if (a->next)
        a->next->prev = a;
    z->answers = a;
    z->waiting++;
    return a;
}

/* ---- publications ---- */

/* The channels that the first frame names. NULL: it is no text, or too long for as many as may be named. */
static const char **
split_channels(struct arena *a, const struct config *config, zmq_msg_t *frame, size_t *n_r)
{
    size_t len = zmq_msg_size(frame), max = (size_t)config->push_batch_max, size = 0, n = 0;
    const char **names = NULL;
    char *p, *end;

    if (len > max * ((size_t)config->push_channel_max + 1) || !utf8_valid(zmq_msg_data(frame), len) ||
        memchr(zmq_msg_data(frame), '\0', len))
        return NULL;
    for (p = arena_copy(a, zmq_msg_data(frame), len); p; p = end) {
        end = strchr(p, '\n');
        if (end)
            *end++ = '\0';
        names = arena_grow(a, names, n, &size, sizeof *names);
        names[n++] = p;
    }
    *n_r = n;
    return names;
}

static void
publish(struct endpoint *e, struct zmq_message *m)
{
    size_t first = e->router ? envelope_of(m) : 0, n_body = m->n - first, n;
    struct answer *a = answer_new(e, m, first);
    zmq_msg_t *body = &m->frames[first];
    const char **channels = NULL;

    if (!m->surplus && (n_body == 2 || n_body == BODY_MAX))
        channels = split_channels(a->arena, e->zmq->push->config, &body[0], &n);
    if (!channels) {
        static const char *const nothing[] = { "" };

        a->misshapen = true;
        api_call_read_publish(&a->call, nothing, 1, "", 0, NULL, 0);
    } else {
        bool options = n_body == BODY_MAX;

        api_call_read_publish(&a->call, channels, n, zmq_msg_data(&body[1]), zmq_msg_size(&body[1]),
                              options ? zmq_msg_data(&body[2]) : NULL,
                              options ? zmq_msg_size(&body[2]) : 0);
    }
    api_call_run(&a->call);
}

static void
endpoint_wake(void *arg)
{
    struct endpoint *e = arg;
    struct zmq_message m;

    for (int i = 0; i < PER_WAKE && e->socket; i++) {
        if (!zmq_message_receive(e->socket, &m))
            break;
        publish(e, &m);
        zmq_message_free(&m);
        arena_reset(e->zmq->push->scratch);
    }
    if (e->socket && zmq_socket_readable(e->socket))
        io_timer_set(e->again, 0);
}

/* ---- beginning and end ---- */

static void
set(void *socket, int option, int64_t value)
{
    int n = value > INT32_MAX ? INT32_MAX : (int)value;

    zmq_setsockopt(socket, option, &n, sizeof n);
}

static bool
set_curve(void *socket, const char *secret)
{
    int server = 1;

    return zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &server, sizeof server) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret, strlen(secret) + 1) == 0 &&
           zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "confab", strlen("confab")) == 0;
}

/* Bound with a mask: whoever may open the file may publish. */
static bool
bind_masked(void *socket, const char *where)
{
    mode_t mask = umask(0117);
    bool bound = zmq_bind(socket, where) == 0;

    umask(mask);
    return bound;
}

static enum err
endpoint_open(struct endpoint *e, const char *where)
{
    const struct config *config = e->zmq->push->config;
    int64_t max = config->push_api_body_max;

    bool local = strncmp(where, IPC, strlen(IPC)) == 0;

    if (local && publish_zmq_place(where, where + strlen(IPC)) != ERR_OK)
        return ERR_FIELD;
    if (local && bus_listening(where)) {
        log_event(LOG_LEVEL_ERROR, "publish_not_bound", "endpoint", where, "why",
                  "another process listens there", NULL);
        return ERR_BUSY;
    }
    e->socket = zmq_socket(e->zmq->context, e->router ? ZMQ_ROUTER : ZMQ_PULL);
    if (!e->socket)
        goto fail;
    set(e->socket, ZMQ_RCVHWM, config->push_publish_queue);
    set(e->socket, ZMQ_SNDHWM, config->push_publish_queue);
    set(e->socket, ZMQ_LINGER, 0);
    set(e->socket, ZMQ_IPV6, strchr(where, '[') != NULL);
    if (e->router)
        set(e->socket, ZMQ_ROUTER_MANDATORY, 1);    /* tells when a peer is gone, instead of hiding it */
    if (zmq_setsockopt(e->socket, ZMQ_MAXMSGSIZE, &max, sizeof max) == 0 &&
        (!*config->push_curve_secret_key || set_curve(e->socket, config->push_curve_secret_key)) &&
        bind_masked(e->socket, where) && zmq_socket_watch(e->zmq->push->io, e->socket, endpoint_wake, e, &e->again))
        return ERR_OK;
fail:
    log_event(LOG_LEVEL_ERROR, "publish_not_bound", "endpoint", where, "why", zmq_strerror(errno), NULL);
    return ERR_BUSY;
}

enum err
publish_zmq_open(struct push *p)
{
    const struct config *config = p->config;
    struct push_zmq *z;
    enum err e = ERR_OK;

    if (!*config->push_publish_pull && !*config->push_publish_router)
        return ERR_OK;
    z = p->zmq = mem_new(sizeof *z);
    z->push = p;
    z->pull.zmq = z->router.zmq = z;
    z->router.router = true;
    z->context = zmq_ctx_new();
    if (!z->context || (*config->push_curve_secret_key && !(z->gate = zmq_gate_open(p, z->context)))) {
        log_event(LOG_LEVEL_ERROR, "publish_not_bound", "why", zmq_strerror(errno), NULL);
        e = ERR_INTERNAL;
    }
    /* The library's thread must not push the loop aside for each message that comes while both share a core. */
    if (z->context)
        zmq_ctx_set(z->context, ZMQ_THREAD_SCHED_POLICY, SCHED_BATCH);
    if (e == ERR_OK && *config->push_publish_pull)
        e = endpoint_open(&z->pull, config->push_publish_pull);
    if (e == ERR_OK && *config->push_publish_router)
        e = endpoint_open(&z->router, config->push_publish_router);
    if (e != ERR_OK)
        publish_zmq_close(p);
    return e;
}

static void
endpoint_close(struct endpoint *e)
{
    if (e->again)
        io_timer_free(e->again);
    if (e->socket)
        zmq_close(e->socket);
    e->again = NULL;
    e->socket = NULL;
}

/* The loop has ended, or has not begun: nobody calls the watchers any more. */
void
publish_zmq_close(struct push *p)
{
    struct push_zmq *z = p->zmq;
    struct answer *a;

    if (!z)
        return;
    p->zmq = NULL;
    for (a = z->answers; a; a = a->next)    /* the store still has them: they end without an answer */
        a->from = NULL;
    if (z->spare)
        arena_free(z->spare);
    endpoint_close(&z->pull);
    endpoint_close(&z->router);
    zmq_gate_close(z->gate);
    if (z->context)
        while (zmq_ctx_term(z->context) != 0 && errno == EINTR)
            ;
    free(z);
}

/* ---- figures ---- */

static void
endpoint_metrics(const struct endpoint *e, struct metrics *m)
{
    char labels[64];

    for (size_t i = 0; i < REASON_COUNT; i++) {
        snprintf(labels, sizeof labels, "by=\"%s\",reason=\"%s\"", e->router ? "router" : "pull",
                 reason_words[i]);
        metrics_sample(m, "push_zmq_refused_total", labels, e->refused[i]);
    }
}

void
publish_zmq_metrics(const struct push *p, struct metrics *m)
{
    const struct push_zmq *z = p->zmq;

    if (!z)
        return;
    metrics_family(m, "push_zmq_refused_total", "counter", "publications over ZeroMQ refused, by reason");
    endpoint_metrics(&z->pull, m);
    endpoint_metrics(&z->router, m);
    metrics_gauge(m, "push_zmq_waiting", "publications over ZeroMQ that the store has not answered", z->waiting);
    metrics_counter(m, "push_zmq_answers_lost_total", "answers whose publisher had gone", z->lost);
    metrics_counter(m, "push_zmq_keys_refused_total", "publishers whose CURVE key is not listed",
                    zmq_gate_refused(z->gate));
}
