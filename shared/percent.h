/* percent - percent coding of URLs (RFC 3986 section 2.1), and hexadecimal digits
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_PERCENT_H
#define SHARED_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/arena.h"

/* Value of a hexadecimal digit of either case; -1 for anything else. */
int percent_hex(char c);

/* Decodes p[0..len) into the arena, NUL-terminated; *len_r tells of NULs that strlen would hide.
 * A '%' without two digits stays as it is and makes the answer false. plus_is_space: as in forms. */
bool percent_decode(struct arena *a, const char *p, size_t len, bool plus_is_space, char **text_r,
                    size_t *len_r);

/* The first pair of that name in a query, decoded as in forms; NULL: none, or no text. A stray '%' stays. */
const char *percent_query(struct arena *a, const char *query, const char *name);

#endif
