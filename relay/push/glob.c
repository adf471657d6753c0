/* glob - names that fit a pattern
 *
 * Braces are multiplied out beforehand. What is left takes a time bounded by the product of both
 * lengths: after a mismatch only the last star needs to be tried again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/glob.h"

#include <stdint.h>
#include <string.h>

/* ---- compiling ---- */

/* The first c in s that is not escaped and in no class; NULL. */
static const char *
find(const char *s, char c)
{
    for (; *s; s++) {
        if (*s == c)
            return s;
        if (*s == '\\' && s[1]) {
            s++;
        } else if (*s == '[') {
            const char *end = strchr(s + 1, ']');

            s = end ? end : s;
        }
    }
    return NULL;
}

static void
expand(struct arena *a, const char *text, struct glob *g)
{
    const char *open = find(text, '{'), *close = open ? find(open, '}') : NULL, *at, *end;

    if (!close) {
        if (g->n < GLOB_MAX)
            g->patterns[g->n++] = text;
        return;
    }
    for (at = open + 1; at <= close && g->n < GLOB_MAX; at = end + 1) {
        end = find(at, ',');
        if (!end || end > close)
            end = close;
        expand(a, arena_printf(a, "%.*s%.*s%s", (int)(open - text), text, (int)(end - at), at,
                               close + 1), g);
    }
}

void
glob_compile(struct arena *a, const char *text, struct glob *g_r)
{
    g_r->n = 0;
    if (strlen(text) > GLOB_BYTES)
        return;
    expand(a, text[0] ? arena_string(a, text) : "*", g_r);
}

/* ---- comparing ---- */

/* The character at *s, which moves behind it. */
static uint32_t
next(const char **s)
{
    const unsigned char *p = (const unsigned char *)*s;
    uint32_t c = *p++;

    if (c >= 0xc0) {
        c &= c >= 0xf0 ? 0x07 : c >= 0xe0 ? 0x0f : 0x1f;
        while ((*p & 0xc0) == 0x80)
            c = c << 6 | (*p++ & 0x3f);
    }
    *s = (const char *)p;
    return c;
}

/* p stands behind the '['; *p_r behind the ']'. */
static bool
class_has(const char *p, const char *end, uint32_t c)
{
    bool not = *p == '!' || *p == '^', has = false;

    p += not;
    while (p < end) {
        uint32_t low = next(&p), high = low;

        if (p + 1 < end && *p == '-') {
            p++;
            high = next(&p);
        }
        has |= low <= c && c <= high;
    }
    return has != not;
}

/* Does the one item at *p take the character at *s? Both move on. */
static bool
step(const char **p, const char **s)
{
    const char *end;

    if (**p == '?') {
        (*p)++;
        next(s);
        return true;
    }
    if (**p == '[' && (end = strchr(*p + 1, ']'))) {
        bool has = class_has(*p + 1, end, next(s));

        *p = end + 1;
        return has;
    }
    if (**p == '\\' && (*p)[1])
        (*p)++;
    return *(*p)++ == *(*s)++;
}

static bool
fits(const char *p, const char *s)
{
    const char *star = NULL, *again = NULL;

    while (*s) {
        if (*p == '*') {
            star = ++p;
            again = s;
        } else if (!*p || !step(&p, &s)) {
            if (!star)
                return false;
            p = star;
            s = ++again;
        }
    }
    while (*p == '*')
        p++;
    return !*p;
}

bool
glob_fits(const struct glob *g, const char *name)
{
    for (size_t i = 0; i < g->n; i++)
        if (fits(g->patterns[i], name))
            return true;
    return false;
}
