/* webhook - users' messages on their way to the URLs of runners' keys
 *
 * A delivery is a row, written in the message's own transaction, so no kill loses one. Relays claim what is
 * due, post it, and settle how that went. A claim that is not settled ends by itself, and another one follows: a
 * message is delivered at least once, always under the same uid. Times come from o->now_ms alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_WEBHOOK_H
#define SHARED_CHAT_WEBHOOK_H

#include "shared/chat/op.h"
#include "shared/chat/room.h"

/* One that was claimed. */
struct webhook {
    int64_t id;
    int64_t until_ms;           /* when the claim ends; with id it names the claim */
    const char *uid;
    const char *url, *secret;
    int64_t key, room;
    int64_t tries;              /* before this one */
    struct room_entry entry;
};

/* How a claimed one went. */
struct webhook_result {
    int64_t id, until_ms;       /* of the claim */
    const char *uid;
    int64_t key, tries;
    const char *why;            /* NULL: delivered; else a few words for the log */
};

/* Claims at most limit that are due, one of each key. *next_ms_r: when the next one will be due that is not yet; 0:
 * there is none. Where there is nothing to claim it only reads. */
enum err op_webhook_claim(struct op *o, int64_t limit, struct webhook **list_r, size_t *n_r,
                          int64_t *next_ms_r);

/* What was delivered goes; the rest is tried again, after pauses, or given up and logged. A claim that has
 * ended meanwhile and became another's is that one's to settle. */
enum err op_webhook_settle(struct op *o, const struct webhook_result *results, size_t n);

#endif
