/* io_body - bodies of requests, whole or in chunks
 *
 * Strict like io_request.c: line ends are CRLF, sizes are hexadecimal digits, and what nobody needs
 * (chunk extensions, trailers) is read over and bounded.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "relay/io_request.h"

enum {
    CHUNK_DIGITS = 8,           /* of a size: four gigabytes are never meant */
    CHUNK_LINE_MAX = 256,       /* bytes of size and extensions */
    TRAILERS_MAX = 4096,        /* bytes of all trailers */
};

enum state {
    STATE_SIZE,                 /* digits of a chunk's size */
    STATE_EXTENSION,            /* from ';' to CR */
    STATE_SIZE_LF,
    STATE_DATA,
    STATE_DATA_CR,
    STATE_DATA_LF,
    STATE_TRAILER_FIRST,        /* first byte of a trailer, or of the last line */
    STATE_TRAILER,
    STATE_TRAILER_LF,
    STATE_END_LF,
    STATE_END,
    STATE_BAD,
    STATE_TOO_BIG,
};

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum state
size_whole(struct io_body *b)
{
    b->line = 0;
    if (b->left == 0)
        return STATE_TRAILER_FIRST;
    return b->left > b->max - b->total ? STATE_TOO_BIG : STATE_DATA;
}

static enum state
size_byte(struct io_body *b, char c)
{
    int digit = hex_digit(c);

    if (digit >= 0 && b->line < CHUNK_DIGITS) {
        b->left = b->left * 16 + digit;
        b->line++;
        return STATE_SIZE;
    }
    if (b->line == 0)
        return STATE_BAD;
    return c == '\r' ? STATE_SIZE_LF : c == ';' ? STATE_EXTENSION : STATE_BAD;
}

static enum state
extension_byte(struct io_body *b, char c)
{
    if (c == '\r')
        return STATE_SIZE_LF;
    if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f || ++b->line > CHUNK_LINE_MAX)
        return STATE_BAD;
    return STATE_EXTENSION;
}

static enum state
trailer_byte(struct io_body *b, char c)
{
    if (c == '\r')
        return STATE_TRAILER_LF;
    if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f || ++b->trailers > TRAILERS_MAX)
        return STATE_BAD;
    return STATE_TRAILER;
}

/* One byte of what is around the data. */
static enum state
chunk_byte(struct io_body *b, char c)
{
    switch ((enum state)b->state) {
    case STATE_SIZE:
        return size_byte(b, c);
    case STATE_EXTENSION:
        return extension_byte(b, c);
    case STATE_SIZE_LF:
        return c == '\n' ? size_whole(b) : STATE_BAD;
    case STATE_DATA_CR:
        return c == '\r' ? STATE_DATA_LF : STATE_BAD;
    case STATE_DATA_LF:
        return c == '\n' ? STATE_SIZE : STATE_BAD;
    case STATE_TRAILER_FIRST:
        return c == '\r' ? STATE_END_LF : trailer_byte(b, c);
    case STATE_TRAILER:
        return trailer_byte(b, c);
    case STATE_TRAILER_LF:
        return c == '\n' ? STATE_TRAILER_FIRST : STATE_BAD;
    case STATE_END_LF:
        return c == '\n' ? STATE_END : STATE_BAD;
    default:
        return STATE_BAD;
    }
}

/* What of p is data goes to out; its length is returned. */
static size_t
data_take(struct io_body *b, const char *p, size_t len, struct sbuf *out)
{
    size_t n = (uint64_t)b->left < len ? (size_t)b->left : len;

    sbuf_put(out, p, n);
    b->left -= (int64_t)n;
    b->total += (int64_t)n;
    if (b->left == 0)
        b->state = b->chunked ? STATE_DATA_CR : STATE_END;
    return n;
}

void
io_body_begin(struct io_body *b, const struct io_head *head, int64_t max)
{
    *b = (struct io_body){ .chunked = head->chunked, .left = head->content_length, .max = max };
    if (head->chunked)
        b->state = STATE_SIZE;
    else if (b->left > max)
        b->state = STATE_TOO_BIG;
    else
        b->state = b->left > 0 ? STATE_DATA : STATE_END;
}

enum io_body_scan
io_body_feed(struct io_body *b, const char *p, size_t len, size_t *used_r, struct sbuf *out)
{
    size_t i = 0;

    while (i < len && b->state < STATE_END)
        if (b->state == STATE_DATA)
            i += data_take(b, p + i, len - i, out);
        else
            b->state = chunk_byte(b, p[i++]);
    *used_r = i;
    switch ((enum state)b->state) {
    case STATE_END:
        return IO_BODY_WHOLE;
    case STATE_BAD:
        return IO_BODY_BAD;
    case STATE_TOO_BIG:
        return IO_BODY_TOO_BIG;
    default:
        return IO_BODY_MORE;
    }
}
