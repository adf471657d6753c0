/* wire_named - named events as clients see them: {"event":NAME,"data":PAYLOAD} on a bare WebSocket, ["NAME",PAYLOAD] in a
 * namespace of Socket.IO
 *
 * Systems that speak so (struct wire_named in wire.h) write the first form into the log; the second is made of it
 * without looking into the payload. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_WIRE_NAMED_H
#define RELAY_WIRE_NAMED_H

#include <stdint.h>

#include "shared/arena.h"
#include "shared/sbuf.h"

#define NAMED_NO_ACK (-1)

/* What a client said. */
struct named_event {
    const char *name;
    const char *data;               /* compact JSON; NULL: none */
    size_t size;                    /* bytes of what it came in */
    int64_t ack;                    /* NAMED_NO_ACK: none is wanted */
};

/* Reads a frame of a bare WebSocket. NULL, or what is wrong with it, as a sentence. Names that mean nothing here
 * are ignored; `event` is any text without NUL. */
const char *named_read(struct arena *a, const char *p, size_t len, struct named_event *e_r);

/* Reads the arguments of an event of Socket.IO: a compact array, of which the first is the payload. */
void named_of_args(struct arena *a, const char *name, const char *args, int64_t ack,
                   struct named_event *e_r);

/* Appends an event as a frame's payload: for that namespace, or for a bare WebSocket (NULL). payload is JSON. */
void named_put(struct sbuf *out, const char *namespace, const char *name, const char *payload);

/* The same of a body from the log. Appends nothing of one that is not {"event":NAME,"data":PAYLOAD}. */
void named_put_body(struct sbuf *out, const char *namespace, const char *body, size_t len);

#endif
