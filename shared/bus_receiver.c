/* bus_receiver - ZeroMQ PULL, for the relay
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zmq.h>

#include "shared/arena.h"
#include "shared/bus.h"
#include "shared/log.h"

struct bus_receiver {
    void *context;
    void *socket;
    int fd;
    zmq_msg_t message;
};

static void
set(void *socket, int option, int value)
{
    zmq_setsockopt(socket, option, &value, sizeof value);
}

struct bus_receiver *
bus_receiver_new(const char *endpoint, int queue, size_t message_max)
{
    struct bus_receiver *r = calloc(1, sizeof *r);
    int64_t max = (int64_t)message_max;
    size_t size = sizeof r->fd;
    mode_t mask;
    int rc;

    if (!r)
        arena_exhausted(sizeof *r);
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
    log_event(LOG_LEVEL_ERROR, "bus_not_bound", "endpoint", endpoint, "why",
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
