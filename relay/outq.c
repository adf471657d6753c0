/* outq - what one connection still has to be sent: a ring that exists only while it holds more than one
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/outq.h"

#include <stdlib.h>

enum { RING_FIRST = 4 };        /* slots of a new ring; always a power of two */

static enum err
ring_double(struct outq *q)
{
    uint32_t size = q->size == 0 ? RING_FIRST : q->size * 2;
    struct frame **ring;

    if (size < q->size || (ring = malloc(size * sizeof *ring)) == NULL)
        return ERR_NO_MEMORY;
    if (q->size == 0) {
        ring[0] = q->one;
    } else {
        for (uint32_t i = 0; i < q->n; i++)
            ring[i] = q->ring[(q->head + i) & (q->size - 1)];
        free(q->ring);
    }
    q->ring = ring;
    q->head = 0;
    q->size = size;
    return ERR_OK;
}

void
outq_init(struct outq *q)
{
    *q = (struct outq){ 0 };
}

void
outq_fini(struct outq *q)
{
    struct frame *f;

    while ((f = outq_pop(q)) != NULL)
        frame_unref(f);
}

enum err
outq_push(struct outq *q, struct frame *f, uint32_t max_frames, size_t max_bytes)
{
    enum err e;

    if (q->n > 0 && (q->n >= max_frames || f->len > max_bytes || q->bytes > max_bytes - f->len))
        return ERR_TOO_SLOW;
    if (q->n == 0 && q->size == 0) {
        q->one = f;
    } else {
        if ((q->n == q->size || q->size == 0) && (e = ring_double(q)) != ERR_OK)
            return e;
        q->ring[(q->head + q->n) & (q->size - 1)] = f;
    }
    frame_ref(f);
    q->n++;
    q->bytes += f->len;
    return ERR_OK;
}

const struct frame *
outq_peek(const struct outq *q)
{
    return q->n == 0 ? NULL : q->size == 0 ? q->one : q->ring[q->head];
}

struct frame *
outq_pop(struct outq *q)
{
    struct frame *f;

    if (q->n == 0)
        return NULL;
    if (q->size == 0) {
        f = q->one;
        outq_init(q);
        return f;
    }
    f = q->ring[q->head];
    q->head = (q->head + 1) & (q->size - 1);
    q->bytes -= f->len;
    if (--q->n == 0) {
        free(q->ring);
        outq_init(q);
    }
    return f;
}
