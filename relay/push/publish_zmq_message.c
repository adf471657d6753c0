/* publish_zmq_message - ZeroMQ sockets on the loop: whole messages, and when to look for them
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/publish_zmq_message.h"

#include <errno.h>

void
zmq_message_free(struct zmq_message *m)
{
    for (size_t i = 0; i < m->n; i++)
        zmq_msg_close(&m->frames[i]);
    m->n = 0;
}

static bool
receive_frame(void *socket, zmq_msg_t *frame)
{
    zmq_msg_init(frame);
    while (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0)
        if (errno != EINTR) {
            zmq_msg_close(frame);
            return false;
        }
    return true;
}

bool
zmq_message_receive(void *socket, struct zmq_message *m)
{
    zmq_msg_t extra, *frame;
    bool more = true;

    m->n = 0;
    m->surplus = false;
    while (more) {
        frame = m->n < ZMQ_FRAMES_MAX ? &m->frames[m->n] : &extra;
        if (!receive_frame(socket, frame))
            break;
        more = zmq_msg_more(frame);
        if (frame == &extra) {
            m->surplus = true;
            zmq_msg_close(&extra);
        } else {
            m->n++;
        }
    }
    return m->n > 0;
}

bool
zmq_socket_readable(void *socket)
{
    int events = 0;
    size_t size = sizeof events;

    return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN);
}

bool
zmq_socket_watch(struct io *io, void *socket, void (*wake)(void *arg), void *arg,
                 struct io_timer **again_r)
{
    size_t size;
    int fd;

    size = sizeof fd;
    if (zmq_getsockopt(socket, ZMQ_FD, &fd, &size) != 0 || io_watch(io, fd, wake, arg) != ERR_OK)
        return false;
    *again_r = io_timer_new(io, wake, arg);
    io_timer_set(*again_r, 0);      /* what came before anybody watched */
    return true;
}
