/* origin - where a page comes from: scheme, host and port, compared whole
 *
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_ORIGIN_H
#define RELAY_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/arena.h"

#define ORIGIN_HOST_MAX 255

struct origin {
    char scheme[16];
    char host[ORIGIN_HOST_MAX + 1];     /* lower case; an IPv6 address in its brackets */
    unsigned port;                      /* the scheme's own when none was given */
};

/* text[0..len) is SCHEME://HOST[:PORT] and nothing more. A scheme other than http and https needs a port
 * or has port 0. */
bool origin_parse(const char *text, size_t len, struct origin *o_r);

bool origin_equal(const struct origin *a, const struct origin *b);

/* Is host, a Host header, that of the origin? Without a port it has that of the origin's scheme. */
bool origin_is_host(const struct origin *o, const char *host);

/* Those of a setting: separated by commas, * for any. */
struct origin_list {
    struct origin *list;
    size_t n, size;
    bool any;
};

/* Adds what text names; NULL, or the first that is neither an origin nor *, with its length: the others are in the
 * list nevertheless. */
const char *origin_list_read(struct arena *a, const char *text, struct origin_list *l_r,
                             size_t *len_r);

/* Is it one of them, or may any be? An origin that is none, such as null, is only any. */
bool origin_listed(const struct origin_list *l, const char *origin);

#endif
