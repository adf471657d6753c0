/* audience - which users hear which event
 *
 * A listener is one user of one system with at least one session here, whatever the number of his
 * tabs, so that an operation moves one object. His own `user:` channel and his system's `system:`
 * channel are implicit. The audience decides nothing: a listener's channels come from the
 * database when a session connects and move by the operations of events.
 *
 * A fixed session is a listener by itself on channels that were settled when it connected: nothing is
 * implicit, and no JOIN or LEAVE of its user moves it. Operations can only end it: GONE takes a channel away,
 * CLOSE closes it.
 *
 * Pure: what is delivered and what is closed is told by callback. A callback must not change
 * the audience; closing is done later from the loop.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_AUDIENCE_H
#define RELAY_AUDIENCE_H

#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/event.h"

struct audience;
struct audience_listener;

/* Embedded in a session; zeroed before its first use. */
struct audience_session {
    struct audience_listener *listener;     /* NULL: hears nothing */
    struct audience_session *prev, *next;
    int64_t from;                           /* hears events and operations above this seq only */
};

struct audience_calls {
    /* s hears e. Called once per session and event. */
    void (*deliver)(void *arg, struct audience_session *s, const struct event *e);
    /* An operation closes s. Comes before deliver. */
    void (*close)(void *arg, struct audience_session *s, int code, const char *reason);
};

/* What somebody receives at one moment of the log, without the implicit channels. */
struct audience_state {
    const char **channels;
    size_t n;
    int64_t seq;            /* the state of the database it was read from */
};

/* One that stands at seq: operations up to there are in no listener yet to come. */
struct audience *audience_new(int64_t seq, const struct audience_calls *calls, void *arg);
void audience_free(struct audience *a);         /* sessions must have left */

/* The event numbered audience_seq + 1: operations first, then delivery. */
void audience_apply(struct audience *a, const struct event *e);

/* Seq of the last applied event. */
int64_t audience_seq(const struct audience *a);

/* Everything up to seq was missed: stands there. Sessions must have left. */
void audience_skip(struct audience *a, int64_t seq);

/* Adds s to the listener of that user, who has received `state` as of its seq; s hears what
 * comes after it. ERR_BUSY when the other sessions of the user know more than this state does:
 * nothing is done, read a newer one. state->seq must not be below audience_seq (see
 * session_connected for one that is). */
enum err audience_join(struct audience *a, struct audience_session *s, const char *system,
                       const char *user, const struct audience_state *state);

/* Fixes s to exactly the channels of state; s hears what comes after its seq. The user is who an
 * event may be meant not to reach (`except`). */
void audience_fix(struct audience *a, struct audience_session *s, const char *system,
                  const char *user, const struct audience_state *state);

/* Takes s out; with his last session the listener goes. Fine for one that is not in. */
void audience_leave(struct audience *a, struct audience_session *s);

/* For tests and figures. */
size_t audience_listeners(const struct audience *a);
size_t audience_channels(const struct audience *a);
size_t audience_links(const struct audience *a);

#endif
