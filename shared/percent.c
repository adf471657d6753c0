/* percent - percent decoding
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/percent.h"

#include <string.h>

#include "shared/utf8.h"

int
percent_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool
percent_decode(struct arena *a, const char *p, size_t len, bool plus_is_space, char **text_r,
               size_t *len_r)
{
    char *out = arena_alloc(a, len + 1);
    bool well_formed = true;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        bool digits = p[i] == '%' && len - i > 2 && percent_hex(p[i + 1]) >= 0
                      && percent_hex(p[i + 2]) >= 0;

        if (digits) {
            out[n++] = (char)(percent_hex(p[i + 1]) << 4 | percent_hex(p[i + 2]));
            i += 2;
        } else {
            well_formed &= p[i] != '%';
            out[n++] = plus_is_space && p[i] == '+' ? ' ' : p[i];
        }
    }
    *text_r = out;
    *len_r = n;
    return well_formed;
}

const char *
percent_query(struct arena *a, const char *query, const char *name)
{
    size_t name_len = strlen(name), n, len;
    char *text;

    for (; *query; query += n + (query[n] == '&')) {
        n = strcspn(query, "&");
        if (n <= name_len || memcmp(query, name, name_len) != 0 || query[name_len] != '=')
            continue;
        percent_decode(a, query + name_len + 1, n - name_len - 1, true, &text, &len);
        return strlen(text) == len && utf8_valid(text, len) ? text : NULL;
    }
    return NULL;
}
