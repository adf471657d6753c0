/* arena - memory that is given back all at once
 *
 * One arena lives as long as one request, one job or one frame. Nothing taken
 * from it is freed singly; arena_reset() gives everything back and keeps the first
 * block for the next round.
 *
 * Out of memory: the arena's allocations never return NULL. They call the
 * process-wide handler, which logs and exits: in a request process that loses one
 * request, in a relay worker the relay starts again and every client catches up.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_ARENA_H
#define SHARED_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* A new empty arena. Never NULL. */
struct arena *arena_new(void);

/* Frees the arena and all that was taken from it. NULL is fine. */
void arena_free(struct arena *a);

/* Everything taken so far becomes invalid; the memory is used again. */
void arena_reset(struct arena *a);

/* Calls done(p) when the arena is reset or freed, before its memory goes, the newest first: for
 * what a library allocated elsewhere. */
void arena_on_reset(struct arena *a, void (*done)(void *p), void *p);

/* What happens when there is no memory for n bytes: logs and exits with status 70. */
void arena_exhausted(size_t n) __attribute__((noreturn));

/* n zeroed bytes, aligned for any type. n may be 0. */
void *arena_alloc(struct arena *a, size_t n);

/* Zeroed room for count elements of size bytes; overflow counts as out of memory. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* Room for one more item in a list that grows in the arena: returns items, or a larger copy of its
 * n items when *size (what fits, 0 at first) is reached. */
void *arena_grow(struct arena *a, void *items, size_t n, size_t *size, size_t item);

/* A copy of len bytes with a NUL behind it. */
char *arena_copy(struct arena *a, const void *p, size_t len);

/* A copy of s; NULL for NULL. */
char *arena_string(struct arena *a, const char *s);

/* printf into the arena. */
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
