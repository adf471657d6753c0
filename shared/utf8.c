/* utf8 - validity, length in code points, visible content, case folding
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/utf8.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <unicase.h>
#include <uninorm.h>
#include <unictype.h>
#include <unistr.h>

static bool
is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static bool
shows(ucs4_t c)
{
    if (c < 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad)
        return false;
    if ((c >= 0x200b && c <= 0x200f) || (c >= 0x2060 && c <= 0x2064) || c == 0xfeff)
        return false;
    return !uc_is_property_white_space(c);
}

bool
utf8_valid(const char *p, size_t len)
{
    return u8_check((const uint8_t *)p, len) == NULL;
}

size_t
utf8_length(const char *p, size_t len)
{
    size_t i, n = 0;

    for (i = 0; i < len; i++)
        n += !is_continuation(p[i]);
    return n;
}

bool
utf8_visible(const char *p, size_t len)
{
    ucs4_t c;
    int n;

    for (; len > 0; p += n, len -= (size_t)n) {
        n = u8_mbtouc(&c, (const uint8_t *)p, len);
        if (shows(c))
            return true;
    }
    return false;
}

const char *
utf8_trim(const char *p, size_t len, size_t *len_r)
{
    size_t last;
    ucs4_t c;
    int n;

    while (len > 0) {
        n = u8_mbtouc(&c, (const uint8_t *)p, len);
        if (!uc_is_property_white_space(c))
            break;
        p += n;
        len -= (size_t)n;
    }
    while (len > 0) {
        for (last = len - 1; last > 0 && is_continuation(p[last]); last--)
            ;
        u8_mbtouc(&c, (const uint8_t *)p + last, len - last);
        if (!uc_is_property_white_space(c))
            break;
        len = last;
    }
    *len_r = len;
    return p;
}

/* What u8_tolower and u8_casefold have in common. */
typedef uint8_t *change_case(const uint8_t *s, size_t n, const char *language, uninorm_t nf,
                             uint8_t *into, size_t *len_r);

static char *
changed(struct arena *a, const char *text, change_case *change, uninorm_t form)
{
    uint8_t *made;
    size_t len = 0;
    char *copy;

    if (text == NULL || text[0] == '\0')
        return arena_string(a, "");
    made = change((const uint8_t *)text, strlen(text), NULL, form, NULL, &len);
    if (made == NULL) {
        if (errno == ENOMEM)
            arena_exhausted(strlen(text));
        return arena_string(a, text);   /* not UTF-8: it stays as it stands */
    }
    copy = arena_copy(a, made, len);
    free(made);
    return copy;
}

char *
utf8_lower(struct arena *a, const char *text)
{
    return changed(a, text, u8_tolower, NULL);
}

char *
utf8_fold(struct arena *a, const char *text)
{
    return changed(a, text, u8_casefold, UNINORM_NFC);
}
