/* arena - memory that is given back all at once
 *
 * A chain of blocks, newest first. The oldest, first block survives a reset, so that a process
 * which serves small requests stops asking the system for memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/log.h"

#define GROW_FIRST 16             /* items a growing list begins with */
#define BLOCK_FIRST 8192
#define BLOCK_LARGEST (256 * 1024)  /* blocks double up to this */
#define EXIT_NO_MEMORY 70           /* EX_SOFTWARE of sysexits.h */

struct block {
    struct block *older;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

struct cleanup {
    struct cleanup *older;
    void (*done)(void *p);
    void *p;
};

struct arena {
    struct block *newest;
    struct cleanup *cleanups;       /* lie in the arena itself */
};

void
arena_exhausted(size_t n)
{
    log_event(LOG_LEVEL_ERROR, "out_of_memory", "bytes", log_number((long long)n), NULL);
    _exit(EXIT_NO_MEMORY);
}

static struct block *
block_new(size_t size, struct block *older)
{
    struct block *b;

    if (size > SIZE_MAX - sizeof *b || (b = malloc(sizeof *b + size)) == NULL)
        arena_exhausted(size);
    b->older = older;
    b->size = size;
    b->used = 0;
    return b;
}

static void
run_cleanups(struct arena *a)
{
    struct cleanup *c;

    while ((c = a->cleanups) != NULL) {
        a->cleanups = c->older;
        c->done(c->p);
    }
}

struct arena *
arena_new(void)
{
    struct arena *a = malloc(sizeof *a);

    if (a == NULL)
        arena_exhausted(sizeof *a);
    a->cleanups = NULL;
    a->newest = block_new(BLOCK_FIRST, NULL);
    return a;
}

void
arena_reset(struct arena *a)
{
    struct block *b;

    run_cleanups(a);
    while ((b = a->newest)->older != NULL) {
        a->newest = b->older;
        free(b);
    }
    a->newest->used = 0;
}

void
arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    arena_reset(a);
    free(a->newest);
    free(a);
}

void
arena_on_reset(struct arena *a, void (*done)(void *p), void *p)
{
    struct cleanup *c = arena_alloc(a, sizeof *c);

    c->older = a->cleanups;
    c->done = done;
    c->p = p;
    a->cleanups = c;
}

void *
arena_alloc(struct arena *a, size_t n)
{
    const size_t unit = alignof(max_align_t);
    struct block *b = a->newest;
    size_t size, whole;
    void *p;

    if (n > SIZE_MAX - unit)
        arena_exhausted(n);
    whole = n == 0 ? unit : (n + unit - 1) / unit * unit;
    if (whole > b->size - b->used) {
        size = b->size < BLOCK_LARGEST ? b->size * 2 : BLOCK_LARGEST;
        b = a->newest = block_new(whole > size ? whole : size, b);
    }
    p = b->bytes + b->used;
    b->used += whole;
    return memset(p, 0, whole);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
    size_t n;

    if (__builtin_mul_overflow(count, size, &n))
        arena_exhausted(SIZE_MAX);
    return arena_alloc(a, n);
}

void *
arena_grow(struct arena *a, void *items, size_t n, size_t *size, size_t item)
{
    void *more;

    if (n < *size)
        return items;
    *size = *size == 0 ? GROW_FIRST : *size * 2;
    more = arena_array(a, *size, item);
    if (n > 0)
        memcpy(more, items, n * item);
    return more;
}

char *
arena_copy(struct arena *a, const void *p, size_t len)
{
    char *copy;

    if (len == SIZE_MAX)
        arena_exhausted(len);
    copy = arena_alloc(a, len + 1);
    if (len > 0)
        memcpy(copy, p, len);
    return copy;
}

char *
arena_string(struct arena *a, const char *s)
{
    return s == NULL ? NULL : arena_copy(a, s, strlen(s));
}

char *
arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    char *s;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        arena_exhausted(0);
    s = arena_alloc(a, (size_t)n + 1);
    va_start(args, format);
    vsnprintf(s, (size_t)n + 1, format, args);
    va_end(args);
    return s;
}
