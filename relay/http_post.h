/* http_post - one POST at a time to a URL that somebody gave
 *
 * http and https only, certificates verified, redirects not followed, answers read, and kept for who wants them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_HTTP_POST_H
#define RELAY_HTTP_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/sbuf.h"

struct http_poster;

enum http_outcome {
    HTTP_POSTED,        /* 2xx */
    HTTP_REFUSED,       /* no use in trying again: 4xx other than 408 and 429, or no http(s) URL */
    HTTP_FAILED,        /* anything else */
};

struct http_post {
    const char *url;
    const char *const *headers;     /* "Name: value", beside those every post has; NULL at the end. NULL: none */
    const char *body;
    size_t body_len;
    int64_t timeout_ms;
    struct sbuf *answer;            /* takes the body of the answer; what it cannot hold is HTTP_FAILED. NULL: not kept */
    bool direct;                    /* by no proxy that the environment names */
    bool public_only;               /* the URL is a stranger's: to public addresses alone, which takes direct */
};

/* NULL when libcurl has no memory. */
struct http_poster *http_poster_new(void);
void http_poster_free(struct http_poster *p);       /* NULL is fine */

/* Blocks. *why_r: a few words about what was not HTTP_POSTED, valid until the next call; nothing of the URL but
 * its host is in them. */
enum http_outcome http_poster_post(struct http_poster *p, const struct http_post *r,
                                   const char **why_r);

/* From any thread: what is being posted, and whatever is posted later, ends by then (monotonic). */
void http_poster_end_by(struct http_poster *p, int64_t at_ms);

#define HTTP_MAC_SIZE 65        /* 64 digits and a NUL */

/* HMAC-SHA256 over p, in lower-case hexadecimal: what receivers know a post by. Returns out. */
char *http_mac(char out[HTTP_MAC_SIZE], const char *secret, const void *p, size_t len);

#endif
