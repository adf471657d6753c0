/* origin - where a page comes from: scheme, host and port, compared whole
 *
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_ORIGIN_H
#define RELAY_PUSH_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

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

#endif
