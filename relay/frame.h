/* frame - immutable bytes that many queues share
 *
 * A frame holds one ready WebSocket text frame (RFC 6455 section 5.2): header and payload in one
 * piece, built once per event and format, counted, and queued by reference. Used by the I/O
 * thread only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_FRAME_H
#define RELAY_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct frame {
    unsigned refs;
    uint32_t len;           /* of bytes: header and payload */
    uint32_t payload;       /* offset of the payload in bytes */
    unsigned char bytes[];
};

/* A new frame around payload, with one reference. NULL when out of memory. */
struct frame *frame_text(const void *payload, size_t len);

struct frame *frame_ref(struct frame *f);
void frame_unref(struct frame *f);      /* NULL is fine */

#endif
