/* window - a ring of publications
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/window.h"

#include <stdlib.h>

#include "relay/mem.h"

#define FIRST_SLOTS 4

static void
make_room(struct window *w)
{
    uint32_t size = w->size ? w->size * 2 : FIRST_SLOTS;
    struct publication **ring;

    if (w->n < w->size)
        return;
    ring = mem_new(size * sizeof *ring);
    for (uint32_t i = 0; i < w->n; i++)
        ring[i] = window_get(w, i);
    free(w->ring);
    w->ring = ring;
    w->size = size;
    w->at = 0;
}

void
window_push(struct window *w, struct publication *p)
{
    make_room(w);
    w->ring[(w->at + w->n++) & (w->size - 1)] = publication_ref(p);
}

void
window_push_oldest(struct window *w, struct publication *p)
{
    make_room(w);
    w->at = (w->at - 1) & (w->size - 1);
    w->ring[w->at] = publication_ref(p);
    w->n++;
}

struct publication *
window_pop(struct window *w)
{
    struct publication *p = window_get(w, 0);

    w->at = (w->at + 1) & (w->size - 1);
    if (--w->n == 0) {
        free(w->ring);
        *w = (struct window){ 0 };
    }
    return p;
}
