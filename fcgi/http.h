/* http - the pure part of HTTP: targets, percent coding, header values
 *
 * Bytes in, structs out, no I/O. The request target is taken raw, because servers decode,
 * merge or normalise what they hand on otherwise: it is split first and decoded segment by segment,
 * so that %2F in an id is not a slash of the path.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_HTTP_H
#define FCGI_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/field.h"

/* One piece of the path between two slashes. */
struct segment {
    const char *text;           /* decoded; NULL when err is set */
    enum err err;               /* ERR_MALFORMED: bad percent coding or UTF-8; ERR_LIMIT: NUL */
};

struct target {
    const char *path;           /* raw, without the query; for logs */
    struct segment *segments;   /* "/a/" has two, the second empty */
    size_t n_segments;
    struct pair *pairs;         /* of the query; broken ones are left out ... */
    size_t n_pairs;
    enum err query_err;         /* ... and the first of them says here what was wrong */
    const char *query_bad;      /* its name; NULL: that is broken, too */
};

/* Splits raw: origin-form ("/path?query"), absolute-form ("http://host/path?query") or "*".
 * ERR_MALFORMED for anything else. */
enum err http_target(struct arena *a, const char *raw, struct target *target_r);

/* What of raw lies below the place where the web server has put this program. script_name is that place
 * ("/chat"), or, where a path_info came with it, a program in it ("/chat/confab.fcgi") to which the server has
 * rewritten the request. raw itself when it lies below neither. */
const char *http_below(const char *raw, const char *script_name, const char *path_info);

/* Is target (raw) that path, or below it? */
bool http_is_below(const char *target, const char *path);

/* Percent-decodes p[0..len) into *text_r; plus: '+' is a space. ERR_MALFORMED for a broken
 * escape or what is not UTF-8, ERR_LIMIT for a NUL. */
enum err http_decode(struct arena *a, const char *p, size_t len, bool plus, const char **text_r);

/* A Content-Length: only digits, and within 2^53. */
bool http_length(const char *value, int64_t *length_r);

/* Does an If-None-Match value hold this quoted tag? Weak comparison; "*" is no match, because an
 * answer to it would not say what the client has. */
bool http_etag_listed(const char *header, const char *tag);

/* Is a Content-Type that type, whatever parameters it has? */
bool http_is_type(const char *header, const char *type);

/* Is value 1..max characters, each a visible ASCII one? */
bool http_visible(const char *value, size_t max);

/* May value be sent back in a header: only printable ASCII? */
bool http_echoable(const char *value);

/* "Not Found" for 404. */
const char *http_reason(int status);

#endif
