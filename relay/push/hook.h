/* hook - tells the application what happens: events posted to its URL in batches, off the loop
 *
 * In order, one batch at a time, repeated until the application answers 2xx or push_hook_give_up_s is over; the
 * queue is bounded, and what it sheds is counted. At least once while the relay lives.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_HOOK_H
#define RELAY_PUSH_HOOK_H

#include "shared/config.h"

struct hook;

enum hook_kind {
    HOOK_CONNECT, HOOK_DISCONNECT,          /* a client */
    HOOK_FIRST_JOIN, HOOK_LAST_LEAVE,       /* a user in a channel: his first subscription, his last */
    HOOK_OCCUPIED, HOOK_VACATED,            /* a channel: its first subscription, its last */
};

struct hook_event {
    enum hook_kind kind;
    const char *client, *user, *channel;    /* NULL: does not apply */
    int code;                               /* of a disconnect; 0 */
    const char *reason;
};

/* NULL when push_hook_url is empty, or without means for a thread (logged): all functions take NULL and do nothing. */
struct hook *hook_new(const struct config *config);

/* Sends what is queued for at most push_hook_linger_ms, then frees. */
void hook_free(struct hook *h);

/* From the loop; copies. Never blocks. */
void hook_tell(struct hook *h, const struct hook_event *e);

/* Other URL, secret, bounds; a batch that waits to be tried again is tried at once. When the URL has become empty
 * the queue is emptied and nobody is told. Where there was none before, it is for hook_new. */
void hook_reload(struct hook *h, const struct config *config);

struct metrics;
void hook_metrics(struct hook *h, struct metrics *m);

#endif
