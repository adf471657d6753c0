/* conformance - echoes that the public test suites of both protocol layers talk to
 *
 * /engine.io/ echoes every message; the namespaces / and /custom of /socket.io/ tell who joins what it joined with, and
 * echo `message` as an event and `message-with-ack` as its answer. Everybody may join, so this is for tests alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_SOCKETIO_CONFORMANCE_H
#define RELAY_SOCKETIO_CONFORMANCE_H

#include "relay/socketio/socketio.h"

/* Serves them, and says so in the log. To be called before others serve the same. */
void conformance_serve(struct socketio *o);

#endif
