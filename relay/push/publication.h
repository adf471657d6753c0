/* publication - one message of a channel, counted and immutable but for what is cached in it
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_PUBLICATION_H
#define RELAY_PUSH_PUBLICATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct publication {
    unsigned refs;
    uint64_t offset;            /* in its channel's stream, from 1; 0: the channel has no history */
    int64_t time_ms;            /* Unix */
    uint32_t data_len;
    uint32_t info_len, tags_len;/* 0: none */
    bool delta;                 /* its publisher wishes it sent as a delta */
    char bytes[];               /* data, info, tags: raw JSON, valid, without line ends, each with a NUL behind */
};

/* A new one with one reference; texts are copied. CR and LF, which in valid JSON can only stand between
 * tokens, become spaces. info and tags may be NULL. Never NULL. */
struct publication *publication_new(const char *data, size_t data_len, const char *info,
                                    const char *tags, bool delta);
struct publication *publication_ref(struct publication *p);
void publication_unref(struct publication *p);      /* NULL is fine */

const char *publication_data(const struct publication *p);
const char *publication_info(const struct publication *p);  /* raw ClientInfo JSON; NULL: none */
const char *publication_tags(const struct publication *p);  /* NULL: none */

/* Bytes it takes, for the memory cap. */
size_t publication_size(const struct publication *p);

#endif
