/* held - an event with memory of its own, shared by count
 *
 * Decoders put events into arenas; what waits in the inbox or rests in the ring lives longer.
 * One block of heap holds the event and all its texts. Used by the I/O thread only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_HELD_H
#define RELAY_HELD_H

#include <stddef.h>

#include "shared/event.h"

struct held {
    unsigned refs;
    size_t size;            /* bytes it takes */
    struct event event;
};

/* A copy of e with one reference. */
struct held *held_new(const struct event *e);

struct held *held_ref(struct held *h);
void held_unref(struct held *h);        /* NULL is fine */

#endif
