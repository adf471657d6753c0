/* hook_post - one POST at a time to the application
 *
 * http and https only, certificates verified, redirects not followed, answers read but not kept.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_HOOK_POST_H
#define RELAY_PUSH_HOOK_POST_H

#include <stddef.h>
#include <stdint.h>

struct hook_poster;

enum hook_outcome {
    HOOK_POSTED,        /* 2xx */
    HOOK_REFUSED,       /* no use in trying again: 4xx other than 408 and 429, or no http(s) URL */
    HOOK_FAILED,        /* anything else */
};

struct hook_request {
    const char *url, *secret;       /* secret "": not signed */
    const char *body;
    size_t body_len;
    int64_t timeout_ms;
};

/* NULL when libcurl has no memory. */
struct hook_poster *hook_poster_new(void);
void hook_poster_free(struct hook_poster *p);       /* NULL is fine */

/* Blocks. *why_r: a few words about what was not HOOK_POSTED, valid until the next call. */
enum hook_outcome hook_poster_post(struct hook_poster *p, const struct hook_request *r,
                                   const char **why_r);

/* From any thread: what is being posted, and whatever is posted later, ends by then (monotonic). */
void hook_poster_end_by(struct hook_poster *p, int64_t at_ms);

#endif
