/* hub - who hears what
 *
 * Channels have listeners; a listener is one user of one system with at least one session
 * here, whatever the number of his tabs, so that an operation moves one object. His own
 * `user:` channel and his system's `system:` channel are implicit. The hub decides nothing: the
 * set comes from the database when a session connects and moves by the operations of events.
 *
 * Pure: what is delivered and what is closed is told by callback. A callback must not change
 * the hub; closing is done later from the loop.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_HUB_H
#define RELAY_HUB_H

#include <stddef.h>
#include <stdint.h>

#include "shared/event.h"

struct hub;
struct hub_listener;

/* Embedded in a session; zeroed before its first use. */
struct hub_session {
    struct hub_listener *listener;      /* NULL: not in the hub */
    struct hub_session *prev, *next;
    int64_t from;                       /* hears events and operations above this seq only */
};

struct hub_calls {
    /* s hears e. Called once per session and event. */
    void (*deliver)(void *arg, struct hub_session *s, const struct event *e);
    /* An operation closes s. Comes before deliver. */
    void (*close)(void *arg, struct hub_session *s, int code, const char *reason);
};

/* What a user receives at one moment of the log, without the implicit channels. */
struct hub_audience {
    const char **channels;
    size_t n;
    int64_t seq;            /* the state of the database it was read from */
};

/* A hub that stands at seq: operations up to there are in no listener yet to come. */
struct hub *hub_new(int64_t seq, const struct hub_calls *calls, void *arg);
void hub_free(struct hub *h);           /* sessions must have left */

/* The event numbered hub_seq + 1: operations first, then delivery. */
void hub_apply(struct hub *h, const struct event *e);

/* Seq of the last applied event. */
int64_t hub_seq(const struct hub *h);

/* Everything up to seq was missed: stands there. Sessions must have left. */
void hub_skip(struct hub *h, int64_t seq);

/* Adds s to the listener of that user, who has received `audience` as of its seq; s hears what
 * comes after it. ERR_BUSY when the other sessions of the user know more than this audience does:
 * nothing is done, read a newer one. audience->seq must not be below hub_seq (see
 * session_replay for one that is). */
enum err hub_join(struct hub *h, struct hub_session *s, const char *system, const char *user,
                  const struct hub_audience *audience);

/* Takes s out; with his last session the listener goes. Fine for one that is not in. */
void hub_leave(struct hub *h, struct hub_session *s);

/* For tests and figures. */
size_t hub_listeners(const struct hub *h);
size_t hub_channels(const struct hub *h);
size_t hub_links(const struct hub *h);

#endif
