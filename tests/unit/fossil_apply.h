/* fossil_apply - applies patches, as strictly as any reader might: for test_fossil and fuzz_fossil
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_FOSSIL_APPLY_H
#define TESTS_UNIT_FOSSIL_APPLY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/utf8.h"

struct fossil_reader {
    const char *p, *end;
};

static inline bool
fossil_number(struct fossil_reader *r, uint32_t *n_r)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
    const char *digit, *first = r->p;

    *n_r = 0;
    while (r->p < r->end && *r->p && (digit = strchr(digits, *r->p))) {
        *n_r = *n_r << 6 | (uint32_t)(digit - digits);
        r->p++;
    }
    return r->p > first && r->p < r->end;
}

/* One command into the target, of which n bytes are made; false: no more, or wrong. */
static inline bool
fossil_step(struct fossil_reader *r, const char *from, size_t from_len, char *to, size_t to_len, size_t *n,
            bool whole_characters, uint32_t *sum_r)
{
    uint32_t len, at;

    if (!fossil_number(r, &len))
        return false;
    switch (*r->p++) {
    case '@':
        if (!fossil_number(r, &at) || *r->p++ != ',' || (size_t)at + len > from_len || *n + len > to_len)
            return false;
        memcpy(to + *n, from + at, len);
        break;
    case ':':
        if (len > (size_t)(r->end - r->p) || *n + len > to_len || (whole_characters && !utf8_valid(r->p, len)))
            return false;
        memcpy(to + *n, r->p, len);
        r->p += len;
        break;
    case ';':
        *sum_r = len;
        r->end = r->p == r->end ? NULL : r->end;    /* NULL: ended, and where it should */
        return false;
    default:
        return false;
    }
    *n += len;
    return true;
}

/* What patch makes of from, allocated; NULL when it is wrong in any way. */
static inline char *
fossil_apply(const char *from, size_t from_len, const char *patch, size_t patch_len, bool whole_characters,
             size_t *to_len_r)
{
    struct fossil_reader r = { patch, patch + patch_len };
    uint32_t size, sum = 0, is = 0;
    size_t n = 0;
    char *to;

    if (!fossil_number(&r, &size) || *r.p++ != '\n' || !(to = malloc((size_t)size + 1)))
        return NULL;
    while (fossil_step(&r, from, from_len, to, size, &n, whole_characters, &sum))
        ;
    for (size_t i = 0; i < n; i++)
        is += (uint32_t)(unsigned char)to[i] << (24 - 8 * (i & 3));
    if (r.end || n != size || is != sum) {
        free(to);
        return NULL;
    }
    *to_len_r = n;
    return to;
}

#endif
