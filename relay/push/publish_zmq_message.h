/* publish_zmq_message - ZeroMQ sockets on the loop: whole messages, and when to look for them
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_PUBLISH_ZMQ_MESSAGE_H
#define RELAY_PUSH_PUBLISH_ZMQ_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <zmq.h>

#include "relay/io.h"

enum { ZMQ_FRAMES_MAX = 7 };        /* of the longest that anybody has a use for, a ZAP request */

struct zmq_message {
    zmq_msg_t frames[ZMQ_FRAMES_MAX];
    size_t n;
    bool surplus;                   /* it had more frames, which are gone */
};

/* The next message, whole, which is how ZeroMQ hands them out. false: there is none now. */
bool zmq_message_receive(void *socket, struct zmq_message *m);
void zmq_message_free(struct zmq_message *m);

/* Is there a message to be received? Must be asked after the last receive and after every send: the descriptor
 * tells only of changes. */
bool zmq_socket_readable(void *socket);

/* Calls wake when something may have come, once at once. *again_r is a timer that calls it, too; the caller's to free. */
bool zmq_socket_watch(struct io *io, void *socket, void (*wake)(void *arg), void *arg,
                      struct io_timer **again_r);

#endif
