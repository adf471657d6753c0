/* stream_keys - idempotency keys of publications, and what they were answered
 *
 * Each is remembered for the same time, so that the oldest is always the next to go.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_STREAM_KEYS_H
#define RELAY_PUSH_STREAM_KEYS_H

#include "relay/push/stream.h"
#include "relay/strmap.h"

struct stream_key {
    struct strmap_node node;            /* key: channel, line end, key */
    struct stream_key *prev, *next;     /* by time */
    int64_t time_ms;
    bool answered;                      /* false: its publication is being written */
    struct stream_position at;
    char text[];
};

struct stream_keys {
    struct strmap map;
    struct stream_key *oldest, *newest;
    size_t bytes;
};

void stream_keys_init(struct stream_keys *k);
void stream_keys_fini(struct stream_keys *k);

/* NULL when there is none, or none after since_ms. */
struct stream_key *stream_keys_find(struct stream_keys *k, const char *channel, const char *key, int64_t since_ms);

/* Adds one, which takes the place of one that is there. at NULL: not answered yet. */
struct stream_key *stream_keys_add(struct stream_keys *k, const char *channel, const char *key, int64_t now_ms,
                                   const struct stream_position *at);
void stream_keys_remove(struct stream_keys *k, struct stream_key *key);

/* Bytes one would take. */
size_t stream_keys_cost(const char *channel, const char *key);

#endif
