/* mem - heap memory of the relay's long-lived objects
 *
 * Like arenas it never gives NULL: without memory for a few bytes of bookkeeping the relay
 * exits, is started again, and every client catches up from the log.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_MEM_H
#define RELAY_MEM_H

#include <stdlib.h>
#include <string.h>

#include "shared/arena.h"

/* n zeroed bytes, to be freed with free(). */
static inline void *
mem_new(size_t n)
{
    void *p = calloc(1, n ? n : 1);

    if (!p)
        arena_exhausted(n);
    return p;
}

/* p with room for n elements of size bytes; the new ones are not cleared. */
static inline void *
mem_grow(void *p, size_t n, size_t size)
{
    void *q = size && n > (size_t)-1 / size ? NULL : realloc(p, n * size);

    if (!q)
        arena_exhausted(n);
    return q;
}

static inline char *
mem_string(const char *s)
{
    size_t len = strlen(s) + 1;

    return memcpy(mem_new(len), s, len);
}

#endif
