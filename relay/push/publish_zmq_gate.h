/* publish_zmq_gate - who may connect to endpoints under CURVE: the listed keys (ZAP, rfc.zeromq.org/spec/27)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_PUBLISH_ZMQ_GATE_H
#define RELAY_PUSH_PUBLISH_ZMQ_GATE_H

#include "relay/push/push_private.h"

struct zmq_gate;

/* Answers for all sockets of the context, by push_curve_clients as it is at that moment. To be opened before they are
 * bound. NULL on failure, errno says why. */
struct zmq_gate *zmq_gate_open(struct push *p, void *context);
void zmq_gate_close(struct zmq_gate *g);            /* NULL is fine */

/* How often a key was not listed; 0 for NULL. */
int64_t zmq_gate_refused(const struct zmq_gate *g);

#endif
