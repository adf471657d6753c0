/* json_scan - JSON text held to RFC 8259, and copied without insignificant white space
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/json_scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 60                   /* cJSON reads 63 characters of a number and stops */

static bool
wrong(struct json_scan *s, const char *fault)
{
    if (s->fault == NULL)
        s->fault = fault;
    return false;
}

struct json_scan
json_scan_start(struct arena *a, const char *text, size_t len, int max_depth)
{
    return (struct json_scan){ .start = text, .p = text, .end = text + len,
                               .out = arena_alloc(a, len + 1), .max_depth = max_depth };
}

char
json_scan_peek(const struct json_scan *s)
{
    return s->p < s->end ? *s->p : '\0';
}

void
json_scan_space(struct json_scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static void
copy_byte(struct json_scan *s)
{
    *s->out++ = *s->p++;
}

/* The value of the four hexadecimal digits behind \u at p, -1 when they are not. */
static int
escape_unit(const struct json_scan *s, const char *p)
{
    int i, unit = 0;
    char c;

    if (s->end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (i = 2; i < 6; i++) {
        c = p[i];
        if (c >= '0' && c <= '9')
            unit = unit * 16 + c - '0';
        else if (c >= 'a' && c <= 'f')
            unit = unit * 16 + c - 'a' + 10;
        else if (c >= 'A' && c <= 'F')
            unit = unit * 16 + c - 'A' + 10;
        else
            return -1;
    }
    return unit;
}

static bool
scan_unicode_escape(struct json_scan *s)
{
    int low, unit = escape_unit(s, s->p);
    size_t len = 6;

    if (unit < 0)
        return wrong(s, "an escape needs four hexadecimal digits");
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return wrong(s, "a lone surrogate");
    if (unit >= 0xd800 && unit <= 0xdbff) {
        low = escape_unit(s, s->p + 6);
        if (low < 0xdc00 || low > 0xdfff)
            return wrong(s, "a lone surrogate");
        len = 12;
    }
    if (unit == 0 && s->for_cjson) {
        *s->out++ = '\xc0';
        *s->out++ = '\x80';
    } else {
        memcpy(s->out, s->p, len);
        s->out += len;
    }
    s->p += len;
    return true;
}

static bool
scan_escape(struct json_scan *s)
{
    char c = s->end - s->p > 1 ? s->p[1] : '\0';

    if (c == 'u')
        return scan_unicode_escape(s);
    if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
        return wrong(s, "an unknown escape");
    copy_byte(s);
    copy_byte(s);
    return true;
}

static bool
scan_string(struct json_scan *s)
{
    if (json_scan_peek(s) != '"')
        return wrong(s, "a string is expected");
    copy_byte(s);
    for (;;) {
        if (s->p == s->end)
            return wrong(s, "a string does not end");
        if (*s->p == '"')
            break;
        if ((unsigned char)*s->p < 0x20)
            return wrong(s, "a control character in a string");
        if (*s->p != '\\')
            copy_byte(s);
        else if (!scan_escape(s))
            return false;
    }
    copy_byte(s);
    return true;
}

static bool
scan_digits(struct json_scan *s)
{
    if (json_scan_peek(s) < '0' || json_scan_peek(s) > '9')
        return wrong(s, "a malformed number");
    while (json_scan_peek(s) >= '0' && json_scan_peek(s) <= '9')
        copy_byte(s);
    return true;
}

/* cJSON cannot read a number of this length. The same double in fewer digits does as well, for only
 * json_raw, which does not come here, shows digits. */
static void
shorten_number(struct json_scan *s, char *from)
{
    char text[32];
    double d;
    int n;

    *s->out = '\0';
    d = strtod(from, NULL);
    n = snprintf(text, sizeof text, "%.17g", d);
    if (!isfinite(d))
        n = snprintf(text, sizeof text, d < 0 ? "-1e999" : "1e999");
    memcpy(from, text, (size_t)n);
    s->out = from + n;
}

static bool
scan_number(struct json_scan *s)
{
    char *from = s->out;

    if (json_scan_peek(s) == '-')
        copy_byte(s);
    if (json_scan_peek(s) == '0')
        copy_byte(s);
    else if (!scan_digits(s))
        return false;
    if (json_scan_peek(s) == '.') {
        copy_byte(s);
        if (!scan_digits(s))
            return false;
    }
    if (json_scan_peek(s) == 'e' || json_scan_peek(s) == 'E') {
        copy_byte(s);
        if (json_scan_peek(s) == '+' || json_scan_peek(s) == '-')
            copy_byte(s);
        if (!scan_digits(s))
            return false;
    }
    if (s->for_cjson && s->out - from > NUMBER_MAX)
        shorten_number(s, from);
    return true;
}

static bool
scan_word(struct json_scan *s, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
        return wrong(s, "an unknown word");
    memcpy(s->out, word, len);
    s->p += len;
    s->out += len;
    return true;
}

bool
json_scan_name(struct json_scan *s)
{
    if (!scan_string(s))
        return false;
    json_scan_space(s);
    if (json_scan_peek(s) != ':')
        return wrong(s, "a colon is expected");
    copy_byte(s);
    return true;
}

/* An array or an object: the members, and the brackets around them. */
static bool
scan_container(struct json_scan *s, char close)
{
    if (++s->depth > s->max_depth)
        return wrong(s, "nested too deeply");
    copy_byte(s);
    json_scan_space(s);
    if (json_scan_peek(s) != close) {
        for (;;) {
            json_scan_space(s);
            if ((close == '}' && !json_scan_name(s)) || !json_scan_value(s))
                return false;
            json_scan_space(s);
            if (json_scan_peek(s) != ',')
                break;
            copy_byte(s);
        }
    }
    if (json_scan_peek(s) != close)
        return wrong(s, "a comma or a closing bracket is expected");
    copy_byte(s);
    s->depth--;
    return true;
}

bool
json_scan_value(struct json_scan *s)
{
    json_scan_space(s);
    switch (json_scan_peek(s)) {
    case '{':
        return scan_container(s, '}');
    case '[':
        return scan_container(s, ']');
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        if (s->p == s->end)
            return wrong(s, "a value is missing");
        return scan_number(s);
    }
}

bool
json_scan_text(struct json_scan *s)
{
    if (!json_scan_value(s))
        return false;
    json_scan_space(s);
    return s->p == s->end || wrong(s, "something follows the value");
}
