/* stream - the channels' histories and who is present: the interface of a store
 *
 * publish -> position, history, presence. The store numbers publications, keeps the window, and hands
 * each publication on in the order of its offsets. Here it is this process (stream_memory.c), with what is durable
 * written behind it to a file (stream_durable.c); a shared one such as Valkey's streams could stand in the same place: every
 * answer comes by callback, which may run before the call returns or later, always on the loop.
 *
 * Source of the rules: docs/push/protocol.md, "Recovery" and "Server API".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_STREAM_H
#define RELAY_PUSH_STREAM_H

#include "relay/push/publication.h"
#include "shared/err.h"

#define STREAM_EPOCH_SIZE 9         /* eight characters and a NUL */

/* A place in a stream. epoch is random: streams with the same epoch and name never gave an offset twice. */
struct stream_position {
    uint64_t offset;
    char epoch[STREAM_EPOCH_SIZE];  /* "": the channel keeps no history */
};

/* How a channel's stream is kept, from its options. */
struct stream_rules {
    int64_t size;                   /* publications in the window; 0: no history */
    int64_t ttl_ms;
    int64_t meta_ttl_ms;
    bool durable;
};

struct stream_publish {
    const char *channel;
    struct stream_rules rules;
    struct publication *publication;    /* the store takes a reference and sets offset and time */
    const char *idempotency_key;        /* NULL: none */
    uint64_t version;                   /* 0: none */
    const char *version_epoch;          /* NULL: "" */
    bool skip_history;
};

/* A part of a window. */
struct stream_query {
    bool since;                     /* after (or, in reverse, before) the position below */
    uint64_t offset;
    const char *epoch;              /* NULL or "": any */
    int64_t limit;                  /* 0: only the position; negative: all */
    bool reverse;
};

struct stream_history {
    struct stream_position top;
    struct publication *const *publications;    /* the store's; valid during the callback */
    size_t n;
    bool whole;                     /* with since, forward: nothing between it and the first given is missing, that is, since.offset
                                       is at or below top and its successor is in the window (or since is top) */
};

/* Somebody in a channel; embedded in a subscription. */
struct stream_presence {
    struct stream_presence *prev, *next;
    void *stream;                   /* the store's; NULL: not present */
    const char *client;             /* connection id */
    const char *user;
    const char *info;               /* ClientInfo, raw JSON */
};

typedef void stream_published(void *arg, enum err e, const struct stream_position *at);

/* ERR_OK; ERR_NOT_FOUND: since names another epoch (h->top is the current position). */
typedef void stream_told(void *arg, enum err e, const struct stream_history *h);

/* What the store tells the layer above: p of that channel is to be delivered now, before its
 * publisher's callback. A durable one comes after its commit, and each stream's in the order of offsets. */
typedef void stream_deliver(void *arg, const char *channel, struct publication *p);

/* One kind of store. */
struct stream_store;
struct stream_store_calls {
    /* Numbers, keeps, delivers, answers. ERR_BUSY: too much is waiting to be written, or the memory is full;
     * nothing was done. A repeated idempotency key or an old version is answered with the first (current)
     * position and not delivered. */
    void (*publish)(struct stream_store *s, const struct stream_publish *p, stream_published *done, void *arg);
    void (*history)(struct stream_store *s, const char *channel, const struct stream_rules *rules,
                    const struct stream_query *q, stream_told *done, void *arg);
    /* Empties the window; epoch and top stay. */
    void (*remove)(struct stream_store *s, const char *channel, const struct stream_rules *rules,
                   stream_published *done, void *arg);
    void (*join)(struct stream_store *s, const char *channel, struct stream_presence *who);
    void (*leave)(struct stream_store *s, struct stream_presence *who);
    /* Calls each for everybody present, then done. A repeated user counts once in n_users, which
     * in a crowd may be a second old. */
    void (*presence)(struct stream_store *s, const char *channel,
                     void (*each)(void *arg, const struct stream_presence *who),
                     void (*done)(void *arg, enum err e, int64_t n_clients, int64_t n_users), void *arg);
    void (*free)(struct stream_store *s);
};

struct stream_store {
    const struct stream_store_calls *calls;
};

struct stream_memory_options {
    int64_t bytes_max;              /* of all windows and keys; beyond it nothing is dropped, publish is refused */
    int64_t idempotency_ms;
    const char *file;               /* of durable streams; NULL: there are none */
    int64_t queue_max;              /* publications waiting to be written */
    void (*wake)(void *arg);        /* from the writer's thread: call stream_memory_collect on the loop */
    void *wake_arg;
    stream_deliver *deliver;
    void *deliver_arg;
    int64_t (*now_ms)(void);        /* Unix time; NULL: when_now_ms */
};

/* The store in this process. Reads the durable file, if any, as it is left by however the last run ended. ERR_BUSY: another
 * process has it; ERR_INTERNAL: it cannot be read; logged. */
struct io;
enum err stream_memory_new(const struct stream_memory_options *o, struct io *io, struct stream_store **s_r);

/* Other bounds. What is there stays until its time is over. */
void stream_memory_bound(struct stream_store *s, int64_t bytes_max, int64_t queue_max);

/* What the writer's thread finished: delivers and answers. From the loop, when woken. */
void stream_memory_collect(struct stream_store *s);

/* Drops some of what has had its time; what is left is for the next call. Milliseconds until then; -1: nothing waits.
 * The store calls it by a timer of its own unless io is NULL. */
int64_t stream_memory_sweep(struct stream_store *s);

/* Bytes of all windows and keys now, as bytes_max bounds them. */
int64_t stream_memory_bytes(const struct stream_store *s);

struct metrics;
void stream_memory_metrics(struct stream_store *s, struct metrics *m);

#endif
