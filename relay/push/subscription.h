/* subscription - one client in one channel
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_SUBSCRIPTION_H
#define RELAY_PUSH_SUBSCRIPTION_H

#include "relay/push/client.h"

struct channel;             /* channel.h: what the push server keeps with a hub channel */
struct subscription_start;  /* subscription_private.h: one that begins */
struct subscription_expiry; /* ... that expires */

struct subscription {               /* what fan-out reads stands in front; what few need is behind pointers */
    struct hub_link link;
    struct push_client *client;
    uint64_t offset;                /* of the last publication queued */
    bool server_side : 1, positioned : 1, recoverable : 1, delta : 1;
    bool joins : 1;                 /* hears join and leave */
    bool emits : 1;                 /* others hear its own */
    bool announced : 1;             /* its join was emitted, presence and hooks were told */
    bool hooked : 1;                /* counted among the channel's users */
    bool ending : 1;
    bool skipped : 1;               /* missed something: nothing more is queued; told when drained */
    struct subscription_start *start;   /* while it begins: publications are held back there */
    struct publication *base;       /* deltas: what the next patch is against; NULL: send it whole */
    struct publication *owed;       /* SLOW_LATEST: the newest, to be sent when the queue has drained */
    struct subscription *prev, *next;   /* the client's list */
    struct stream_presence *presence;   /* NULL: not told */
    struct subscription_expiry *expiry; /* NULL: never */
    char *info;                     /* ClientInfo with chan_info; NULL: the client's */
};

const char *subscription_channel(const struct subscription *s);

/* c's subscription to that channel, also one that only begins; NULL. */
struct subscription *subscription_find(const struct push_client *c, const char *channel);

/* Its ClientInfo, raw JSON. */
const char *subscription_info(const struct subscription *s);

/* ---- commands (only on a connected client); they answer by themselves ---- */

void subscription_command_subscribe(struct push_client *c, const struct command *cmd);
void subscription_command_unsubscribe(struct push_client *c, const struct command *cmd);
void subscription_command_refresh(struct push_client *c, const struct command *cmd);

void channel_command_publish(struct push_client *c, const struct command *cmd);
void channel_command_presence(struct push_client *c, const struct command *cmd);
void channel_command_presence_stats(struct push_client *c, const struct command *cmd);
void channel_command_history(struct push_client *c, const struct command *cmd);

/* ---- server-side subscriptions ---- */

struct subscription_wish {
    const char *channel;
    const char *info, *data;            /* raw JSON or NULL */
    int64_t expires_ms;
    struct token_override override;
    struct command_recover recover;     /* what the client wants to go on from */
};

/* Subscribes c to all wishes, then calls done with the entries of connect's `subs`, valid during the
 * callback: before this returns, or later; not at all when c has gone by then. Wishes for unknown
 * channels or beyond a limit: verdict says so and nothing is subscribed. Publications that come
 * meanwhile are held back until subscription_started_all, before which c->user and c->client_info
 * must be set. */
void subscription_start_all(struct push_client *c, const struct subscription_wish *wishes, size_t n,
                            void (*done)(struct push_client *c, struct push_verdict v,
                                         const struct reply_sub *subs, size_t n));

/* connect's reply is queued: what was held back follows, joins are announced. */
void subscription_started_all(struct push_client *c);

/* One more, by the API: sends the subscribe push. */
enum push_error subscription_add(struct push_client *c, const struct subscription_wish *wish);

/* Ends one, with an unsubscribe push when code is not 0, and leave, presence, hooks. s is freed. */
void subscription_end(struct subscription *s, int code, const char *reason);

/* The client has gone: all of them, without words. c->user must still be set. */
void subscription_end_all(struct push_client *c);

/* The client's queue has drained: what was owed. */
void subscription_drained(struct push_client *c);

#endif
