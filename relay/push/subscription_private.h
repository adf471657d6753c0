/* subscription_private - between the files of a subscription's life
 *
 *   subscription.c           commands: who may, limits; the link; the end
 *   subscription_server.c    what servers want: connect's subs, the API
 *   subscription_recover.c   beginning: the store is asked, what comes meanwhile is held back
 *   subscription_behind.c    readers who cannot keep up
 *   subscription_expire.c    those that end by themselves, and sub_refresh
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_SUBSCRIPTION_PRIVATE_H
#define RELAY_PUSH_SUBSCRIPTION_PRIVATE_H

#include "relay/push/channel.h"

/* What a new subscription will be. */
struct subscription_plan {
    const char *channel;
    const struct channel_options *options;
    bool server_side;
    bool wants_recovery, wants_position, wants_joins;   /* the client does */
    bool delta;
    bool recover, strict;               /* from the position below; 112 when that fails */
    uint64_t offset;
    const char *epoch;
    const char *info, *data;            /* raw JSON or NULL */
    int64_t expires_ms;                 /* Unix; 0: never */
    struct token_override override;
};

/* PUSH_OK and *options_r, or why c cannot have it: name, section, had already, limits. */
enum push_error subscription_check(const struct push_client *c, const char *channel,
                                       const struct channel_options **options_r);

/* A token that was verified names this client (and its user) and channel. */
bool subscription_token_fits(const struct push_client *c, const struct subscription_token *t,
                             const char *channel);

/* Makes it, starting: in the channel, everything that comes is held back. */
struct subscription *subscription_new(struct push_client *c, const struct subscription_plan *plan);

/* Takes it out without any words, leave or hook, and frees it. */
void subscription_drop(struct subscription *s);

static inline struct subscription *
subscription_of(struct hub_link *k)
{
    return (struct subscription *)(void *)k;    /* its first member */
}

/* ---- beginning (subscription_recover.c) ---- */

/* Lives from subscription_new to subscription_live, or until the store has answered. */
struct subscription_start {
    struct subscription *s;             /* NULL: ended meanwhile */
    struct push_client *client;         /* held */
    void (*ready)(struct subscription_start *st, enum push_error e);    /* not called for an ended one */
    void *arg;                          /* of ready's owner */
    void (*freed)(void *arg);           /* the start is over; NULL: not told */
    uint32_t id;                        /* of the command; 0 */
    bool asked;                         /* the store has it, and will answer */
    bool spilled;                       /* more was to be held back than may be */
    bool recover, strict, cache;
    uint64_t offset;
    char *epoch;
    char *info, *data;                  /* raw JSON or NULL */
    int64_t expires_ms;                 /* Unix; 0: never */
    /* what the store said */
    bool recovered;
    struct stream_position position, top;
    struct publication **publications;
    size_t n;
    /* what came meanwhile */
    struct publication **held;
    size_t n_held, held_size;
};

/* Finds out where s begins, then calls ready: before it returns, or later. PUSH_UNRECOVERABLE,
 * PUSH_TOO_MANY, PUSH_INTERNAL: it cannot begin. */
void subscription_ask(struct subscription_start *st);

/* The answer for the client. Valid as long as st. */
void subscription_result(const struct subscription_start *st, struct reply_subscribe *r_r);

/* The answer is queued: s is announced and what was held back follows. Ends the start; s may be gone after. */
void subscription_live(struct subscription *s);

void subscription_start_free(struct subscription_start *st);

/* s's ClientInfo with chan_info. */
void subscription_set_info(struct subscription *s, const char *chan_info);

/* Keeps list for later. */
void subscription_hold(struct subscription *s, struct publication **list, size_t n);

/* ---- readers who cannot keep up (subscription_behind.c) ---- */

/* May b wait, or be left out, for s's reader is behind? */
bool subscription_behind(struct subscription *s, const struct channel_batch *b);

/* s has missed something: it is ended so that its client comes back and recovers. */
void subscription_insufficient(struct subscription *s);

/* ---- the end by time (subscription_expire.c) ---- */

/* Sets, moves or clears when s ends; expires_ms 0: never. */
void subscription_expires(struct subscription *s, int64_t expires_ms);

/* Seconds until then, at most a year; 0: never (expires_ms 0). PUSH_EXPIRED when that is over. */
enum push_error subscription_ttl(int64_t expires_ms, int64_t *ttl_s_r);

#endif
