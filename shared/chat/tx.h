/* tx - one write transaction of an operation, and the events it causes
 *
 * The write protocol of ARCHITECTURE.md, for all operations in one place: lock, begin, (the
 * operation's own rows), numbers and events, endpoints, commit, unlock, push.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_TX_H
#define SHARED_CHAT_TX_H

#include "shared/chat/op.h"

/* Takes the writer lock and begins. ERR_BUSY when the turn does not come in time. */
enum err tx_begin(struct op *o);

/* Notes an event in the system's words, heard on the n channels. It is numbered and stored by tx_end. */
void tx_event(struct op *o, const struct notice *notice, const char *const *channels, size_t n);

/* The same, heard on one channel. */
void tx_event_on(struct op *o, const struct notice *notice, const char *channel);

/* Notes a presence-like exception: the last noted event is not for this user. */
void tx_except(struct op *o, const char *user);

/* Notes what the transaction does to audiences. Operations ride on its first event (of op->system), so
 * that they count before any of its events is delivered; where it has none, on one of their own,
 * EVENT_CLOSING, which nobody hears. */
void tx_operation(struct op *o, enum event_verb verb, const char *user, const char *channel);

/* Notes that sockets on the channel are closed (EVENT_CLOSE). reason: short ASCII. */
void tx_close(struct op *o, const char *channel, int code, const char *reason);

/* Ends it. With ERR_OK: numbers, events, endpoints, commit, then the push. Otherwise rolls back.
 * Returns e, or why the commit failed: then nothing happened. */
enum err tx_end(struct op *o, enum err e);

/* Inside a transaction: removes at most limit old events and keys. *more_r (NULL is fine): there
 * may be more. */
enum err tx_prune(struct op *o, int64_t limit, bool *more_r);

/* Channel of a conversation and of a user, in the operation's system. */
char *tx_channel(struct op *o, const struct id *conversation);
char *tx_user_channel(struct op *o, const char *user);

#endif
