/* publish_zmq_place - may publishers be let in at this endpoint?
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_PUBLISH_ZMQ_PLACE_H
#define RELAY_PUSH_PUBLISH_ZMQ_PLACE_H

#include <stdbool.h>

#include "shared/err.h"

/* ipc://PATH: the directory is made (0750) when it is missing, and must not be writable by everybody.
 * tcp://HOST:PORT: HOST is a loopback address, or there is a CURVE key. ERR_FIELD: neither, or nothing that may be; logged. */
enum err publish_zmq_place_check(const char *endpoint, bool curve);

#endif
