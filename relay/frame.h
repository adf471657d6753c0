/* frame - immutable bytes that many queues share
 *
 * A frame holds one ready WebSocket frame (RFC 6455 section 5.2), unmasked: header and payload in one
 * piece, built once per event and format, counted, and queued by reference. Used by the I/O
 * thread only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_FRAME_H
#define RELAY_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame {
    unsigned refs;
    uint32_t len;           /* of bytes: header and payload */
    uint32_t payload;       /* offset of the payload in bytes */
    uint32_t parts;         /* 1, or how many frames frame_join put together: then payload means nothing */
    unsigned char bytes[];
};

/* A new frame around payload, with one reference. NULL when out of memory. */
struct frame *frame_text(const void *payload, size_t len);

/* The same for a binary message. */
struct frame *frame_binary(const void *payload, size_t len);

/* A new ping frame. It carries one byte: some libraries do not tell us of an empty pong. */
struct frame *frame_ping(void);
bool frame_is_ping(const struct frame *f);

/* Several frames as one piece, which a queue takes or leaves as a whole. NULL when out of memory
 * or n is 0. */
struct frame *frame_join(struct frame *const *list, size_t n);

/* The part of a joined frame at *at, as a frame of its own, moving *at behind it; begin with 0. NULL at
 * the end and when out of memory. */
struct frame *frame_part(const struct frame *f, uint32_t *at);

/* The payload of the part at *at, moving *at behind it; false at the end. Also of a frame that is one. */
struct frame_view {
    const unsigned char *payload;
    size_t len;
    bool text, binary;      /* neither: a ping */
};
bool frame_next(const struct frame *f, uint32_t *at, struct frame_view *v);

/* Bytes of all frames that anybody holds. */
size_t frame_bytes(void);

struct frame *frame_ref(struct frame *f);
void frame_unref(struct frame *f);      /* NULL is fine */

#endif
