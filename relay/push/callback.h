/* callback - the application decides: who may subscribe, and what a remote call gives
 *
 * A question is one POST to push_callback_url, on a thread of its own; what it is told comes back on the loop.
 *
 * Source of the rules: docs/push/protocol.md, "Asking the application".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_CALLBACK_H
#define RELAY_PUSH_CALLBACK_H

#include "relay/push/callback_answer.h"
#include "relay/push/client.h"

struct callback;

/* wake(arg) is called from a thread when callback_collect has something to do. Threads start with the first
 * question. */
struct callback *callback_new(const struct config *config, void (*wake)(void *arg), void *arg);

/* Nobody is told any more; what is being posted ends at once. NULL is fine. */
void callback_free(struct callback *k);

/* From the loop, when woken. */
void callback_collect(struct callback *k);

/* What the application made of cmd, or why it could not be asked. cmd is valid during the call; of it what subscribe
 * and rpc have. */
typedef void callback_told(struct push_client *c, const struct command *cmd,
                           const struct callback_answer *a);

/* Asks about cmd, a subscribe or rpc of a connected client. told is called later, or before this returns when there is
 * no room; not at all when c has gone by then, or the question was cancelled. */
void callback_ask(struct push_client *c, const struct command *cmd, callback_told *told);

/* Is c's subscription to that channel being asked about? */
bool callback_asking(const struct push_client *c, const char *channel);

/* Nobody will be told of it. Returns the command's id; 0: nothing was asked. */
uint32_t callback_cancel(struct push_client *c, const char *channel);

/* ... of nothing that was asked for c. */
void callback_cancel_all(struct push_client *c);

struct metrics;
void callback_metrics(const struct callback *k, struct metrics *m);

#endif
