/* sbuf - the one growing byte buffer
 *
 * Appends never fail one by one: the first that would pass max, or for which there
 * is no memory, sets failed, later ones do nothing, and the caller looks once at the end.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_SBUF_H
#define SHARED_SBUF_H

#include <stdbool.h>
#include <stddef.h>

struct sbuf {
    char *data;         /* NULL until the first append; else data[len] is NUL */
    size_t len;
    size_t size;        /* allocated bytes */
    size_t max;         /* len never passes this */
    bool failed;
};

/* An empty buffer that may hold at most max bytes. Allocates nothing. */
void sbuf_init(struct sbuf *b, size_t max);

/* Frees the memory; the buffer is as after sbuf_init. */
void sbuf_fini(struct sbuf *b);

/* Empties it (and clears failed), keeping the memory. */
void sbuf_reset(struct sbuf *b);

void sbuf_put(struct sbuf *b, const void *p, size_t len);
void sbuf_puts(struct sbuf *b, const char *s);
void sbuf_putc(struct sbuf *b, char c);
void sbuf_printf(struct sbuf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for len more bytes which the caller fills before the next call; NULL when failed. */
void *sbuf_grow(struct sbuf *b, size_t len);

/* The content as a C string, "" when empty. Valid until the next append. */
const char *sbuf_str(const struct sbuf *b);

#endif
