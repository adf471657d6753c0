/* ratelimit - token buckets that all processes of one installation share
 *
 * A fixed table in a file mapped by every process (run/limits), one word of state a bucket
 * (GCRA: the time at which it is full again), updated by compare-and-swap. No locks, no database
 * writes, nothing to clean up: a bucket that has filled is free for another key. When the table is
 * crowded a key may share a bucket, which only makes the limit stricter.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_RATELIMIT_H
#define SHARED_RATELIMIT_H

#include <stdint.h>

#include "shared/err.h"

struct ratelimit;

/* Maps (creating with mode 0600) the table at path. NULL when that fails, errno set. */
struct ratelimit *ratelimit_open(const char *path);
void ratelimit_close(struct ratelimit *r);

/* Takes one token for key. ERR_RATE when there is none: *wait_ms_r is how long until there is. */
enum err ratelimit_take(struct ratelimit *r, const char *key, int64_t rate_per_s, int64_t burst,
                        int64_t now_ms, int64_t *wait_ms_r);

/* The same at a rate per minute. */
enum err ratelimit_take_slowly(struct ratelimit *r, const char *key, int64_t rate_per_min,
                               int64_t burst, int64_t now_ms, int64_t *wait_ms_r);

#endif
