/* channel - what the push server keeps with a channel that has subscribers, and fan-out
 *
 * Publications are collected and leave at the end of the loop's turn (or after the channel's
 * coalesce_ms) as one frame per form, shared by all. Nothing is done for a channel in whose turn
 * nothing happens.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_CHANNEL_H
#define RELAY_PUSH_CHANNEL_H

#include "relay/push/push_private.h"
#include "relay/push/subscription.h"

/* A namespace that has subscriptions, counted for its limit. */
struct channel_namespace {
    struct strmap_node node;            /* key: its name */
    int64_t n;
};

struct channels {
    struct push *push;
    struct channel *due, **due_end;     /* those to be flushed at the end of this turn, in order */
    struct strmap namespaces;
    struct sbuf line;                   /* used again for each line */
    int64_t publishing_us;              /* while op_publish hands on: when it began; 0 */
};

/* Before the first delivery; sets p->channels. p needs io, hub, settings by then. */
void channels_new(struct push *p);
/* When all clients have gone. */
void channels_free(struct push *p);

/* The store's stream_deliver; arg is the struct push. */
void channel_deliver(void *arg, const char *name, struct publication *p);

int64_t channel_now_us(void);           /* monotonic */

/* The options that hold for a channel now; NULL: its section is gone. */
const struct channel_options *channel_options(const struct push *p, const char *name);

/* ---- between the files of channel and subscription ---- */

struct channel_pending {
    struct publication *publication;
    int64_t since_us;                   /* monotonic: when it was published */
};

struct channel {
    struct push *push;
    struct hub_channel *hub;
    struct channel_namespace *namespace;
    struct channel_pending *pending;    /* this turn's, in order */
    uint32_t n, size;
    size_t bytes;                       /* of their data */
    struct channel *next, **at;         /* in channels->due; at NULL: not in it */
    struct io_timer *timer;             /* coalescing; NULL until it is used */
    struct strmap *users;               /* with hooks: who is in, struct channel_user; else NULL */
    uint32_t n_hooked;                  /* subscriptions of these */
    uint32_t n_hearers;                 /* subscriptions that hear joins */
    bool waiting;                       /* the timer is set */
    bool flushing;                      /* being walked: not freed */
};

/* The channel of that name, made when it is new. channel_put lets go of one that nobody is in. */
struct channel *channel_get(struct push *p, const char *name);
void channel_put(struct channel *ch);

static inline struct channel *
channel_of(const struct subscription *s)
{
    return hub_data(s->link.channel);
}

static inline struct stream_rules
channel_rules(const struct channel_options *o)
{
    return (struct stream_rules){ o->history_size, o->history_ttl_s * 1000,
                                  o->history_meta_ttl_s * 1000, o->durable };
}

/* Subscriptions in a namespace. */
int64_t channel_namespace_count(const struct push *p, const char *namespace);

/* Sends what is collected now: before a link comes or goes. */
void channel_flush(struct channel *ch);

/* What leaves together, and its forms, made when they are first asked for (channel_frames.c). */
struct channel_batch {
    struct channels *channels;
    const char *name;
    struct publication **list;
    size_t n;
    size_t bytes;                       /* about as many as its frames have, rather more */
    struct frame *plain[2];             /* [bare] */
    struct frame **rest[2];             /* deltas from one of the list to the next; [0] is not used */
    struct frame *fresh[2];             /* deltas for those who have nothing yet ... */
    struct frame *patched[2];           /* ... and for those who have */
    struct publication *base[2];        /* ... this: the last that was asked for */
    int slow;                           /* enum channel_slow */
    uint64_t first, last;               /* offsets; 0: none has one */
    bool holed;                         /* their offsets do not follow each other */
};

void channel_batch_init(struct channel_batch *b, struct channels *channels, const char *name,
                        struct publication **list, size_t n);
void channel_batch_fini(struct channel_batch *b);
/* The frame for one-way clients or others; NULL when there is no memory for it. */
struct frame *channel_batch_plain(struct channel_batch *b, bool bare);
/* ... for a subscription with deltas whose last publication was base (NULL: it has none). */
struct frame *channel_batch_delta(struct channel_batch *b, struct publication *base, bool bare);

/* What b holds to one subscription, which this may end. */
void channel_batch_deliver(struct channel_batch *b, struct subscription *s);

/* ... and what it gets for sure: queues b. */
void channel_batch_send(struct channel_batch *b, struct subscription *s);

/* What the client published lately is forgotten. */
void channel_rates_free(struct push_client *c);

/* s has begun: presence, hooks, its join to all who hear joins (channel_presence.c). */
void channel_join(struct subscription *s);
/* s, which has left ch already, is over. */
void channel_leave(struct channel *ch, struct subscription *s);

#endif
