/* bus_sender - ZeroMQ PUSH, for everybody who writes
 *
 * The library comes in when the first push is due, not when the program starts: with what it
 * brings along it is half of the start-up time of a plain CGI request, and most of those have
 * nothing to push.
 *
 * What the shape of this owes to how PUSH behaves:
 * - a PUSH socket with two peers deals messages out in turn, hence one socket per endpoint;
 * - a fresh socket has no connection yet, so ZMQ_IMMEDIATE stays off: the first message is
 *   queued and leaves when the connection stands;
 * - the queue of a dead relay fills up, hence ZMQ_DONTWAIT, and a refusal is an answer.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/bus.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "shared/arena.h"
#include "shared/log.h"

#define LIBRARY "libzmq.so.5"         /* the ABI of every release since 4.0 */
#define RECONNECT_MS 50
#define RECONNECT_MAX_MS 1000

struct peer {
    char *endpoint;
    void *socket;
    bool listed;        /* in the list of the send under way */
};

struct bus_sender {
    int queue;
    void *context;      /* NULL until the first push */
    struct peer *peers;
    size_t n_peers;
};

/* What is used of the library, found when the first push is due. */
static struct {
    __typeof__(zmq_ctx_new) *ctx_new;
    __typeof__(zmq_ctx_term) *ctx_term;
    __typeof__(zmq_socket) *socket;
    __typeof__(zmq_setsockopt) *setsockopt;
    __typeof__(zmq_getsockopt) *getsockopt;
    __typeof__(zmq_connect) *connect;
    __typeof__(zmq_send) *send;
    __typeof__(zmq_close) *close;
    __typeof__(zmq_strerror) *strerror;
} lib;

static const struct { const char *name; void **function; } functions[] = {
    { "zmq_ctx_new", (void **)&lib.ctx_new },
    { "zmq_ctx_term", (void **)&lib.ctx_term },
    { "zmq_socket", (void **)&lib.socket },
    { "zmq_setsockopt", (void **)&lib.setsockopt },
    { "zmq_getsockopt", (void **)&lib.getsockopt },
    { "zmq_connect", (void **)&lib.connect },
    { "zmq_send", (void **)&lib.send },
    { "zmq_close", (void **)&lib.close },
    { "zmq_strerror", (void **)&lib.strerror },
};

static pthread_once_t loaded = PTHREAD_ONCE_INIT;
static bool usable;

static void
load(void)
{
    void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

    for (size_t i = 0; handle && i < sizeof functions / sizeof *functions; i++)
        if (!(*functions[i].function = dlsym(handle, functions[i].name)))
            handle = NULL;
    if (!(usable = handle != NULL))
        log_event(LOG_LEVEL_WARNING, "no_pushes", "why", dlerror(), NULL);
}

static void *
allocate(size_t n)
{
    void *p = calloc(1, n);

    if (!p)
        arena_exhausted(n);
    return p;
}

static void
set(void *socket, int option, int value)
{
    lib.setsockopt(socket, option, &value, sizeof value);
}

static void
peer_close(struct peer *p, int linger_ms)
{
    set(p->socket, ZMQ_LINGER, linger_ms);
    lib.close(p->socket);
    free(p->endpoint);
}

/* A connected socket for endpoint; NULL when there cannot be one. */
static void *
connect_to(struct bus_sender *s, const char *endpoint)
{
    void *socket;

    if (!s->context && !(s->context = lib.ctx_new()))
        return NULL;
    if (!(socket = lib.socket(s->context, ZMQ_PUSH)))
        return NULL;
    set(socket, ZMQ_SNDHWM, s->queue);
    set(socket, ZMQ_LINGER, 0);
    set(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS);
    set(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS);
    if (lib.connect(socket, endpoint) != 0) {
        lib.close(socket);
        return NULL;
    }
    return socket;
}

static struct peer *
peer_find(struct bus_sender *s, const char *endpoint)
{
    for (size_t i = 0; i < s->n_peers; i++)
        if (strcmp(s->peers[i].endpoint, endpoint) == 0)
            return &s->peers[i];
    return NULL;
}

static struct peer *
peer_of(struct bus_sender *s, const char *endpoint)
{
    struct peer *p = peer_find(s, endpoint), *more;
    void *socket;

    if (p)
        return p;
    if (!(socket = connect_to(s, endpoint)))
        return NULL;
    more = realloc(s->peers, (s->n_peers + 1) * sizeof *more);
    if (!more) {
        lib.close(socket);
        return NULL;
    }
    s->peers = more;
    p = &s->peers[s->n_peers++];
    p->endpoint = allocate(strlen(endpoint) + 1);
    strcpy(p->endpoint, endpoint);
    p->socket = socket;
    p->listed = false;
    return p;
}

/* Full may only look full: ZeroMQ looks at its peers' acknowledgements at most once a millisecond
 * while sending; asking for the socket's events makes it look now. */
static bool
push(void *socket, const void *message, size_t len)
{
    int events;
    size_t size = sizeof events;

    if (lib.send(socket, message, len, ZMQ_DONTWAIT) >= 0)
        return true;
    return errno == EAGAIN && lib.getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0
        && lib.send(socket, message, len, ZMQ_DONTWAIT) >= 0;
}

static void
drop_unlisted(struct bus_sender *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->n_peers; i++) {
        if (s->peers[i].listed)
            s->peers[kept++] = s->peers[i];
        else
            peer_close(&s->peers[i], 0);
    }
    s->n_peers = kept;
}

/* ---- public ---- */

struct bus_sender *
bus_sender_new(int queue)
{
    struct bus_sender *s = allocate(sizeof *s);

    s->queue = queue;
    return s;
}

void
bus_sender_free(struct bus_sender *s, int linger_ms)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_peers; i++)
        peer_close(&s->peers[i], linger_ms);
    free(s->peers);
    if (s->context)
        while (lib.ctx_term(s->context) != 0 && errno == EINTR)
            ;
    free(s);
}

void
bus_send(struct bus_sender *s, const char *const *endpoints, size_t n, const void *message,
         size_t len)
{
    if ((n == 0 && s->n_peers == 0) || pthread_once(&loaded, load) != 0 || !usable)
        return;
    for (size_t i = 0; i < s->n_peers; i++)
        s->peers[i].listed = false;
    for (size_t i = 0; i < n; i++) {
        struct peer *p = peer_of(s, endpoints[i]);

        if (p && p->listed)
            continue;       /* named twice */
        if (p)
            p->listed = true;
        if (!p || !push(p->socket, message, len))
            log_event(LOG_LEVEL_DEBUG, "push_not_sent", "endpoint", endpoints[i], "why",
                      lib.strerror(errno), NULL);
    }
    drop_unlisted(s);
}
