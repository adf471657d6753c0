/* frame - immutable bytes that many queues share: building and counting
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/frame.h"

#include <stdlib.h>
#include <string.h>

/* RFC 6455 section 5.2: final fragment and opcode; then the length in 7, 16 or 64 bits. */
enum { FIN_TEXT = 0x81, FIN_BINARY = 0x82, FIN_PING = 0x89 };
enum { LENGTH_7_MAX = 125, LENGTH_16 = 126, LENGTH_64 = 127, LENGTH_16_MAX = 0xffff };
enum { HEADER_MAX = 10 };

static size_t held_bytes;       /* of all frames */

static uint32_t
header_write(unsigned char *h, unsigned char first, size_t len)
{
    uint32_t n = 0;

    h[n++] = first;
    if (len <= LENGTH_7_MAX) {
        h[n++] = (unsigned char)len;
    } else if (len <= LENGTH_16_MAX) {
        h[n++] = LENGTH_16;
        h[n++] = (unsigned char)(len >> 8);
        h[n++] = (unsigned char)len;
    } else {
        h[n++] = LENGTH_64;
        for (int shift = 56; shift >= 0; shift -= 8)
            h[n++] = (unsigned char)((uint64_t)len >> shift);
    }
    return n;
}

/* Room for len bytes, with one reference. */
static struct frame *
frame_new(size_t len)
{
    struct frame *f = malloc(sizeof *f + len);

    if (f != NULL) {
        *f = (struct frame){ .refs = 1, .len = (uint32_t)len, .parts = 1 };
        held_bytes += len;
    }
    return f;
}

static struct frame *
frame_build(unsigned char first, const void *payload, size_t len)
{
    unsigned char header[HEADER_MAX];
    uint32_t n = header_write(header, first, len);
    struct frame *f;

    if (len > UINT32_MAX - HEADER_MAX || (f = frame_new(n + len)) == NULL)
        return NULL;
    f->payload = n;
    memcpy(f->bytes, header, n);
    if (len > 0)                /* payload may be NULL then */
        memcpy(f->bytes + n, payload, len);
    return f;
}

struct frame *
frame_text(const void *payload, size_t len)
{
    return frame_build(FIN_TEXT, payload, len);
}

struct frame *
frame_binary(const void *payload, size_t len)
{
    return frame_build(FIN_BINARY, payload, len);
}

struct frame *
frame_ping(void)
{
    return frame_build(FIN_PING, ".", 1);
}

bool
frame_is_ping(const struct frame *f)
{
    return f->bytes[0] == FIN_PING;
}

struct frame *
frame_join(struct frame *const *list, size_t n)
{
    size_t len = 0, at = 0;
    struct frame *f;

    for (size_t i = 0; i < n; i++)
        len += list[i]->len;
    if (n == 0 || len > UINT32_MAX || (f = frame_new(len)) == NULL)
        return NULL;
    f->payload = list[0]->payload;
    f->parts = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        memcpy(f->bytes + at, list[i]->bytes, list[i]->len);
        at += list[i]->len;
    }
    return f;
}

bool
frame_next(const struct frame *f, uint32_t *at, struct frame_view *v)
{
    const unsigned char *h = f->bytes + *at;
    uint64_t len;
    uint32_t header = 2;

    if (*at >= f->len)
        return false;
    len = h[1];
    if (h[1] >= LENGTH_16) {
        uint32_t more = h[1] == LENGTH_16 ? 2 : 8;

        for (len = 0; header < 2 + more; header++)
            len = len << 8 | h[header];
    }
    v->payload = h + header;
    v->len = (size_t)len;
    v->text = h[0] == FIN_TEXT;
    v->binary = h[0] == FIN_BINARY;
    *at += header + (uint32_t)len;
    return true;
}

struct frame *
frame_part(const struct frame *f, uint32_t *at)
{
    unsigned char first = *at < f->len ? f->bytes[*at] : 0;
    struct frame_view v;

    return frame_next(f, at, &v) ? frame_build(first, v.payload, v.len) : NULL;
}

struct frame *
frame_ref(struct frame *f)
{
    f->refs++;
    return f;
}

void
frame_unref(struct frame *f)
{
    if (f != NULL && --f->refs == 0) {
        held_bytes -= f->len;
        free(f);
    }
}

size_t
frame_bytes(void)
{
    return held_bytes;
}
