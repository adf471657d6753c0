/* window - the publications of one stream that are kept, oldest first
 *
 * A ring that grows with what is in it; an empty one holds no memory. Their offsets are consecutive.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_WINDOW_H
#define RELAY_PUSH_WINDOW_H

#include "relay/push/publication.h"

struct window {                         /* all zero: empty */
    struct publication **ring;
    uint32_t at, n, size;               /* the oldest one's place; how many; slots, a power of two */
};

/* Adds the newest, or, while a window is read back from newest to oldest, the oldest. Takes a reference. */
void window_push(struct window *w, struct publication *p);
void window_push_oldest(struct window *w, struct publication *p);

/* Takes the oldest out; the reference is the caller's. Not of an empty one. */
struct publication *window_pop(struct window *w);

/* The i-th, 0 is the oldest. */
static inline struct publication *
window_get(const struct window *w, size_t i)
{
    return w->ring[(w->at + i) & (w->size - 1)];
}

#endif
