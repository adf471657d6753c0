/* sbuf - the one growing byte buffer
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/sbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_FIRST 256

void
sbuf_init(struct sbuf *b, size_t max)
{
    *b = (struct sbuf){ .max = max };
}

void
sbuf_fini(struct sbuf *b)
{
    free(b->data);
    sbuf_init(b, b->max);
}

void
sbuf_reset(struct sbuf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL)
        b->data[0] = '\0';
}

/* Makes room for len bytes and a NUL behind them. */
static bool
reserve(struct sbuf *b, size_t len)
{
    size_t size, need;
    char *data;

    if (b->failed || len > b->max - b->len || b->len + len == SIZE_MAX) {
        b->failed = true;
        return false;
    }
    need = b->len + len + 1;
    if (need <= b->size)
        return true;
    size = b->size == 0 ? SIZE_FIRST : b->size;
    while (size < need)
        size = size > SIZE_MAX / 2 ? need : size * 2;
    data = realloc(b->data, size);
    if (data == NULL) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->size = size;
    return true;
}

void *
sbuf_grow(struct sbuf *b, size_t len)
{
    char *room;

    if (!reserve(b, len))
        return NULL;
    room = b->data + b->len;
    b->len += len;
    b->data[b->len] = '\0';
    return room;
}

void
sbuf_put(struct sbuf *b, const void *p, size_t len)
{
    char *room = sbuf_grow(b, len);

    if (room != NULL && len > 0)
        memcpy(room, p, len);
}

void
sbuf_puts(struct sbuf *b, const char *s)
{
    sbuf_put(b, s, strlen(s));
}

void
sbuf_putc(struct sbuf *b, char c)
{
    char *room = sbuf_grow(b, 1);

    if (room != NULL)
        *room = c;
}

void
sbuf_printf(struct sbuf *b, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !reserve(b, (size_t)n)) {
        b->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(b->data + b->len, (size_t)n + 1, format, args);
    va_end(args);
    b->len += (size_t)n;
}

const char *
sbuf_str(const struct sbuf *b)
{
    return b->data == NULL ? "" : b->data;
}
