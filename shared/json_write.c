/* json_write - the one JSON writer: appends to an sbuf, commas and escapes by itself
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
comma(struct sbuf *b)
{
    char last = b->len > 0 ? b->data[b->len - 1] : '{';

    if (last != '{' && last != '[' && last != ':')
        sbuf_putc(b, ',');
}

#define EACH(byte) (0x0101010101010101u * (byte))

/* Are these eight bytes ASCII that stands as it is? Nearly all text is, and looking at each by itself
 * was a large part of the time of a page. Subtracting one from each byte borrows into the top bit of
 * those that were zero (or, subtracting 0x20, below it); a borrow may reach a neighbour, so a "no"
 * may be wrong, a "yes" never. */
static inline bool
eight_plain(const char *p)
{
    uint64_t v, quote, backslash;

    memcpy(&v, p, sizeof v);
    quote = v ^ EACH('"');
    backslash = v ^ EACH('\\');
    return ((v | (v - EACH(0x20)) | (quote - EACH(1)) | (backslash - EACH(1))) & EACH(0x80)) == 0;
}

static void
unit(char out[8], unsigned code)
{
    static const char digits[] = "0123456789abcdef";

    memcpy(out, "\\u", 2);
    for (int i = 5; i >= 2; i--, code >>= 4)
        out[i] = digits[code & 15];
    out[6] = '\0';
}

/* How many bytes at p must not stand as they are, and what stands for them. */
static size_t
escape(const unsigned char *p, size_t len, char out[8])
{
    static const char short_for[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                      ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\' };

    if (*p < sizeof short_for && short_for[*p] != '\0') {
        memcpy(out, (char[]){ '\\', short_for[*p], '\0' }, 3);
        return 1;
    }
    if (*p < 0x20) {
        unit(out, *p);
        return 1;
    }
    if (len >= 2 && p[0] == 0xc0 && p[1] == 0x80) {
        unit(out, 0);
        return 2;
    }
    if (len >= 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)) {
        unit(out, 0x2000 + (p[2] & 0x3f));      /* line ends of old JavaScript */
        return 3;
    }
    return 0;
}

void
json_open(struct sbuf *b, char bracket)
{
    comma(b);
    sbuf_putc(b, bracket);
}

void
json_close(struct sbuf *b, char bracket)
{
    sbuf_putc(b, bracket);
}

void
json_key(struct sbuf *b, const char *name)
{
    size_t len = strlen(name);
    char *room;

    comma(b);
    if ((room = sbuf_grow(b, len + 3)) == NULL)
        return;
    room[0] = '"';
    memcpy(room + 1, name, len);
    memcpy(room + 1 + len, "\":", 2);
}

void
json_string(struct sbuf *b, const char *s)
{
    if (s == NULL)
        json_null(b);
    else
        json_string_n(b, s, strlen(s));
}

static inline bool
one_plain(char c)
{
    return c >= ' ' && c != '"' && c != '\\' && c != 0x7f;
}

/* How many bytes at the beginning of s stand as they are. */
static size_t
plain_run(const char *s, size_t len)
{
    char instead[8];
    size_t n = 0;

    for (;;) {
        if (len - n >= 8 && eight_plain(s + n))
            n += 8;
        else if (n < len && one_plain(s[n]))
            n++;
        else if (n < len && escape((const unsigned char *)s + n, len - n, instead) == 0)
            n++;
        else
            return n;
    }
}

/* Nothing to escape, the usual case: one copy. */
static void
put_quoted(struct sbuf *b, const char *s, size_t len)
{
    char *room = sbuf_grow(b, len + 2);

    if (room == NULL)
        return;
    room[0] = '"';
    memcpy(room + 1, s, len);
    room[len + 1] = '"';
}

void
json_string_n(struct sbuf *b, const char *s, size_t len)
{
    size_t n = plain_run(s, len);
    char instead[8];

    comma(b);
    if (n == len) {
        put_quoted(b, s, len);
        return;
    }
    sbuf_putc(b, '"');
    for (; n < len; n = plain_run(s, len)) {
        sbuf_put(b, s, n);
        s += n;
        len -= n;
        n = escape((const unsigned char *)s, len, instead);
        sbuf_puts(b, instead);
        s += n;
        len -= n;
    }
    sbuf_put(b, s, len);
    sbuf_putc(b, '"');
}

void
json_int(struct sbuf *b, int64_t n)
{
    char digits[20], *end = digits + sizeof digits, *p = end;
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;

    do
        *--p = (char)('0' + rest % 10);
    while (rest /= 10);
    if (n < 0)
        *--p = '-';
    comma(b);
    sbuf_put(b, p, (size_t)(end - p));
}

void
json_double(struct sbuf *b, double v)
{
    char digits[32];

    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, v);
        if (strtod(digits, NULL) == v)
            break;
    }
    json_put_raw(b, digits);
}

void
json_bool(struct sbuf *b, bool v)
{
    json_put_raw(b, v ? "true" : "false");
}

void
json_null(struct sbuf *b)
{
    json_put_raw(b, "null");
}

void
json_put_raw(struct sbuf *b, const char *json)
{
    comma(b);
    sbuf_puts(b, json);
}

void
json_kv(struct sbuf *b, const char *name, const char *s)
{
    json_key(b, name);
    json_string(b, s);
}

void
json_kv_int(struct sbuf *b, const char *name, int64_t n)
{
    json_key(b, name);
    json_int(b, n);
}

void
json_kv_double(struct sbuf *b, const char *name, double v)
{
    json_key(b, name);
    json_double(b, v);
}

void
json_kv_bool(struct sbuf *b, const char *name, bool v)
{
    json_key(b, name);
    json_bool(b, v);
}
