/* tail - what happens in one channel, or to one user, shown live to an operator
 *
 * A watcher is a request whose answer goes on: a line of JSON for each event that fits. Watchers are few and
 * bounded; one that reads too slowly is cut off. While nobody watches, telling costs one branch.
 *
 * The lines are described in docs/push/watch.md.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_TAIL_H
#define RELAY_PUSH_TAIL_H

#include "relay/push/push_private.h"

enum tail_kind {
    TAIL_PUBLICATION, TAIL_JOIN, TAIL_LEAVE, TAIL_SUBSCRIBE, TAIL_UNSUBSCRIBE, TAIL_CONNECT,
    TAIL_DISCONNECT, TAIL_KINDS,
};

/* Valid during the call. What does not apply is NULL or 0. */
struct tail_event {
    enum tail_kind kind;
    const char *channel;
    const char *user;               /* of the client concerned; NULL: a server */
    const char *client;
    const char *data;               /* raw JSON: a publication's */
    const char *info;               /* raw JSON: ClientInfo */
    uint64_t offset;
    int code;                       /* of unsubscribe and disconnect */
    const char *reason;
};

/* Hands e to whoever watches its channel or its user. Call as tail_tell. */
void tail_show(struct push *p, const struct tail_event *e);

static inline void
tail_tell(struct push *p, const struct tail_event *e)
{
    if (__builtin_expect(p->tail != NULL, 0))
        tail_show(p, e);
}

/* Does anybody watch? For callers that would have to prepare something. */
static inline bool
tail_watched(const struct push *p)
{
    return __builtin_expect(p->tail != NULL, 0);
}

/* Those who watch are told no more: the connections end. Before push_free. */
void tail_end_all(struct push *p);

#endif
