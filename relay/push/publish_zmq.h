/* publish_zmq - publishing over ZeroMQ: a PULL endpoint and a ROUTER endpoint
 *
 * A publication is a message of two or three frames: channel (several are separated by LF), data (one JSON
 * value), options (a JSON object, as in the server API). PULL takes and is silent; ROUTER answers each
 * with what the HTTP API would have answered. Whoever reaches an endpoint may publish.
 *
 * Source of the rules: docs/push/protocol.md, "Publishing over ZeroMQ".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_PUBLISH_ZMQ_H
#define RELAY_PUSH_PUBLISH_ZMQ_H

#include "relay/metrics.h"
#include "relay/push/push_private.h"

/* Binds what p->config names and sets p->zmq; nothing is named: ERR_OK, and p->zmq stays NULL. ERR_FIELD: an
 * endpoint is not as it must be; ERR_BUSY: it cannot be bound. Logged. */
enum err publish_zmq_open(struct push *p);

/* Takes p->zmq down. What still waits unread is lost; answers still to come are dropped. NULL is fine. */
void publish_zmq_close(struct push *p);

/* Refused publications by reason, lost answers. */
void publish_zmq_metrics(const struct push *p, struct metrics *m);

#endif
