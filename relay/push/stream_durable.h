/* stream_durable - the file behind durable streams, and the thread that writes it
 *
 * An SQLite file of our own (schema/history). The loop hands in changes, in order; one thread makes all that
 * queued up meanwhile one transaction, and hands them back when it is committed, or has failed. No other process
 * may use the file meanwhile.
 *
 * When a transaction fails, all changes up to the last that was handed in before the loop knew of it fail, too, for they
 * stand on what was lost: each names the round it belongs to, and a failure ends the round.
 *
 * Without SQLite stream_durable_none.c stands here: nothing is durable.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_STREAM_DURABLE_H
#define RELAY_PUSH_STREAM_DURABLE_H

#include "relay/push/stream.h"

struct durable;
struct metrics;

/* A stream's row. */
struct durable_stream {
    int64_t id;                         /* never used again while anything of it is in the file */
    const char *channel;
    char epoch[STREAM_EPOCH_SIZE];
    struct stream_rules rules;
    uint64_t top;
    uint64_t first;                     /* what is before has left the window */
    uint64_t version;
    const char *version_epoch;          /* NULL: "" */
    int64_t published_ms;               /* the newest publication's time */
};

enum durable_kind {
    DURABLE_PUBLISH,        /* row, publication, key */
    DURABLE_TRIM,           /* the row, whose window begins later */
    DURABLE_FORGET,         /* the row goes; row.epoch: that of streams to come */
    DURABLE_PASS,           /* nothing is written: it only waits for its turn */
};

/* A change; embedded in what the caller needs for the answer. The texts live until it is handed back. */
struct durable_change {
    struct durable_change *next;
    enum durable_kind kind;
    uint64_t round;
    enum err err;                       /* what came of it */
    struct durable_stream row;
    bool fresh;                         /* nothing of this id is in the file yet */
    uint64_t gone_from, gone_to;        /* publications that left the window: from the first, before the second */
    const struct publication *publication;
    const char *key;                    /* idempotency key; NULL */
};

/* Opens the file, making it when missing. ERR_BUSY: another process has it; ERR_INTERNAL: it cannot be used;
 * ERR_NOT_CONFIGURED: built without SQLite. Logged. wake: from the thread, when durable_take has something. */
enum err durable_open(const char *file, int64_t keep_keys_ms, void (*wake)(void *arg), void *wake_arg,
                      struct durable **d_r);

/* Reads it, before durable_start: each stream, the one that was published to last first; behind each its publications
 * that may still be in the window, from newest to oldest, until publication says false. Then the keys after since_ms. */
struct durable_reader {
    void (*stream)(void *arg, const struct durable_stream *row);
    bool (*publication)(void *arg, struct publication *p);
    void (*oldest)(void *arg, uint64_t offset);     /* of those in the file; after publication said false, too */
    void (*key)(void *arg, const char *channel, const char *key, int64_t time_ms, const struct stream_position *at);
};
enum err durable_read(struct durable *d, const struct durable_reader *r, void *arg, int64_t since_ms);

/* The epoch of streams to come. Empty in a new file: set one by the first DURABLE_FORGET. */
const char *durable_epoch(const struct durable *d);

/* The first id that is free. */
int64_t durable_next_id(const struct durable *d);

enum err durable_start(struct durable *d);

/* Hands in a change. Never blocks for long. */
void durable_post(struct durable *d, struct durable_change *c);

/* Those that are done, oldest first; NULL: none. */
struct durable_change *durable_take(struct durable *d);

/* Writes what was handed in, then ends the thread. What is handed in later fails when this is called again. */
void durable_stop(struct durable *d);

/* After durable_stop, or before durable_start. NULL is fine. */
void durable_free(struct durable *d);

void durable_metrics(struct durable *d, struct metrics *m);

#endif
