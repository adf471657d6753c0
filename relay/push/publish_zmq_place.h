/* publish_zmq_place - the directory of a local endpoint
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_PUBLISH_ZMQ_PLACE_H
#define RELAY_PUSH_PUBLISH_ZMQ_PLACE_H

#include "shared/err.h"

/* The endpoint ipc://PATH: its directory is made (0750) when it is missing, and must not be writable by everybody.
 * ERR_FIELD: it is, or cannot be made; logged. Where tcp:// may be is the settings' to say. */
enum err publish_zmq_place(const char *endpoint, const char *path);

#endif
