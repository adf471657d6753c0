/* outq - what one connection still has to be sent
 *
 * A queue of frames by reference, bounded in number and in bytes. Knows nothing of sockets.
 * Empty, or with one frame, it takes no heap memory: most queues hold one for the rest of a turn.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_OUTQ_H
#define RELAY_OUTQ_H

#include <stdint.h>

#include "relay/frame.h"
#include "shared/err.h"

struct outq {
    union {
        struct frame *one;      /* of size 0 */
        struct frame **ring;
    };
    uint32_t head, n, size;
    size_t bytes;
};

void outq_init(struct outq *q);
void outq_fini(struct outq *q);         /* drops every reference */

/* Appends f, taking a reference of its own. ERR_TOO_SLOW when a bound would be passed (a single
 * frame always fits into an empty queue): nothing was added. */
enum err outq_push(struct outq *q, struct frame *f, uint32_t max_frames, size_t max_bytes);

/* The oldest frame, still the queue's; NULL when empty. */
const struct frame *outq_peek(const struct outq *q);

/* The oldest frame, now the caller's to frame_unref; NULL when empty. */
struct frame *outq_pop(struct outq *q);

#endif
