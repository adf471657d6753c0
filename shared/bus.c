/* bus - ZeroMQ PUSH and PULL
 *
 * The only file that knows ZeroMQ. What its shape owes to how PUSH behaves:
 * - a PUSH socket with two peers deals messages out in turn, hence one socket per endpoint;
 * - a fresh socket has no connection yet, so ZMQ_IMMEDIATE stays off: the first message is
 *   queued and leaves when the connection stands;
 * - the queue of a dead relay fills up, hence ZMQ_DONTWAIT, and a refusal is an answer.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/bus.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

#include "shared/arena.h"
#include "shared/log.h"

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

struct bus_receiver {
    void *context;
    void *socket;
    int fd;
    zmq_msg_t message;
};

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
    zmq_setsockopt(socket, option, &value, sizeof value);
}

static void
peer_close(struct peer *p, int linger_ms)
{
    set(p->socket, ZMQ_LINGER, linger_ms);
    zmq_close(p->socket);
    free(p->endpoint);
}

/* A connected socket for endpoint; NULL when there cannot be one. */
static void *
connect_to(struct bus_sender *s, const char *endpoint)
{
    void *socket;

    if (!s->context && !(s->context = zmq_ctx_new()))
        return NULL;
    if (!(socket = zmq_socket(s->context, ZMQ_PUSH)))
        return NULL;
    set(socket, ZMQ_SNDHWM, s->queue);
    set(socket, ZMQ_LINGER, 0);
    set(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS);
    set(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS);
    if (zmq_connect(socket, endpoint) != 0) {
        zmq_close(socket);
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
        zmq_close(socket);
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

    if (zmq_send(socket, message, len, ZMQ_DONTWAIT) >= 0)
        return true;
    return errno == EAGAIN && zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 &&
        zmq_send(socket, message, len, ZMQ_DONTWAIT) >= 0;
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
        while (zmq_ctx_term(s->context) != 0 && errno == EINTR)
            ;
    free(s);
}

void
bus_send(struct bus_sender *s, const char *const *endpoints, size_t n, const void *message,
         size_t len)
{
    for (size_t i = 0; i < s->n_peers; i++)
        s->peers[i].listed = false;
    for (size_t i = 0; i < n; i++) {
        struct peer *p = peer_of(s, endpoints[i]);

        if (p && p->listed)
            continue;       /* named twice */
        if (p)
            p->listed = true;
        if (!p || !push(p->socket, message, len))
            log_event(LOG_LEVEL_DEBUG, "push not sent", "endpoint", endpoints[i], "why",
                      zmq_strerror(errno), NULL);
    }
    drop_unlisted(s);
}

struct bus_receiver *
bus_receiver_new(const char *endpoint, int queue, size_t message_max)
{
    struct bus_receiver *r = allocate(sizeof *r);
    int64_t max = (int64_t)message_max;
    size_t size = sizeof r->fd;
    mode_t mask;
    int rc;

    zmq_msg_init(&r->message);
    if (!(r->context = zmq_ctx_new()) || !(r->socket = zmq_socket(r->context, ZMQ_PULL)))
        goto fail;
    set(r->socket, ZMQ_RCVHWM, queue);
    set(r->socket, ZMQ_LINGER, 0);
    if (zmq_setsockopt(r->socket, ZMQ_MAXMSGSIZE, &max, sizeof max) != 0)
        goto fail;
    mask = umask(0177);
    rc = zmq_bind(r->socket, endpoint);
    umask(mask);
    if (rc != 0 || zmq_getsockopt(r->socket, ZMQ_FD, &r->fd, &size) != 0)
        goto fail;
    return r;
fail:
    log_event(LOG_LEVEL_ERROR, "cannot bind the bus", "endpoint", endpoint, "why",
              zmq_strerror(errno), NULL);
    bus_receiver_free(r);
    return NULL;
}

void
bus_receiver_free(struct bus_receiver *r)
{
    if (!r)
        return;
    zmq_msg_close(&r->message);
    if (r->socket)
        zmq_close(r->socket);
    if (r->context)
        while (zmq_ctx_term(r->context) != 0 && errno == EINTR)
            ;
    free(r);
}

int
bus_receiver_fd(const struct bus_receiver *r)
{
    return r->fd;
}

enum err
bus_receive(struct bus_receiver *r, const void **p_r, size_t *len_r)
{
    int rc;

    do
        rc = zmq_msg_recv(&r->message, r->socket, ZMQ_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    if (rc < 0)
        return ERR_NOT_FOUND;
    *p_r = zmq_msg_data(&r->message);
    *len_r = zmq_msg_size(&r->message);
    return ERR_OK;
}
