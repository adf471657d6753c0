/* tail - a thread that watches the end of the log
 *
 * It has a connection of its own that never writes, since data_version moves for the commits of
 * others only. It looks for commits that no push has told of, and reads the log when the inbox
 * wants it, so that neither waits behind other work.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_TAIL_H
#define RELAY_TAIL_H

#include "relay/inbox.h"
#include "shared/config.h"

struct tail;

struct tail_calls {
    void (*wake)(void *arg);                        /* from the tail: call tail_collect soon */
    void (*head)(void *arg, int64_t head);          /* the log reaches up to head */
    void (*page)(void *arg, const struct inbox_page *page);     /* the read that was asked for */
};

/* Opens the connection, reads data_version and then the head: everything after *head_r will be
 * noticed. ERR_OLD_SCHEMA, ERR_BUSY. The thread is not running yet. */
enum err tail_open(const struct config *config, const struct tail_calls *calls, void *arg,
                   int64_t *head_r, struct tail **tail_r);

/* Starts the thread. */
enum err tail_start(struct tail *t);

/* Ends it. NULL is fine. */
void tail_free(struct tail *t);

/* Reads events after that seq; `page` follows. One at a time. */
void tail_read(struct tail *t, int64_t after);

/* Calls head and page for what was found. From the loop, when woken. */
void tail_collect(struct tail *t);

#endif
