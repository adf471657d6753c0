/* session - one user of one system on a connection
 *
 * A session follows its user, whose channels the database and operations tell; or it is fixed
 * (wire->fixed) to the channels that were settled when it connected.
 *
 * Its life: opening (accepted, unknown to the database), live (in the audience, its first frame
 * queued), doomed (hears nothing more, to be closed), gone (the connection has closed). What it
 * sends goes through conn_send and conn_close of io.h and nowhere else, so that tests can stand
 * in for them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_SESSION_H
#define RELAY_SESSION_H

#include "relay/audience.h"
#include "relay/io.h"
#include "relay/ring.h"
#include "relay/wire.h"
#include "shared/chat/op.h"

enum session_state { SESSION_OPENING, SESSION_LIVE, SESSION_DOOMED, SESSION_GONE };

struct relay_door;

struct session {
    struct io_client io;                /* first */
    struct audience_session hears;
    struct relay_door *door;            /* by which it came; set and used by relay_session.c */
    struct session *prev, *next;        /* the relay's list */
    struct session *next_waiting;       /* the relay's list of those waiting for presence */
    struct session **waiting_at;        /* what points at this one there; NULL: not waiting */
    const struct wire *wire;
    struct conn *conn;                  /* from opened to closed */
    char *user;                         /* "": nobody */
    char *user_channel;
    char *counted;                      /* key under which it is counted; NULL: it is not */
    char *address;
    char *key;                          /* fixed: of a runner; NULL */
    int64_t room;                       /* fixed: asked for, then connected to; 0: none, or all */
    int64_t since;
    int64_t expires_ms;                 /* 0: never */
    int refused_code;                   /* fixed: to be closed with it when it opens; 0: welcome so far */
    const char *refused_reason;
    int64_t opened_ms;                  /* monotonic */
    enum session_state state;
    bool busy;                          /* a worker's job refers to it */
    bool closing;                       /* conn_close was called */
    int attempts;                       /* reads of the database that came too late */
    int64_t window_ms;                  /* start of the second in which frames are counted */
    int64_t frames, bad_frames;
    int64_t owed_pongs, owed_bad;       /* answers that must wait for the first frame */
};

/* The session around what the audience holds of it. */
static inline struct session *
session_of(struct audience_session *hears)
{
    return (struct session *)(void *)((char *)hears - offsetof(struct session, hears));
}

struct session *session_new(const struct wire *wire, const struct wire_hello *hello,
                            const char *address);
void session_free(struct session *s);   /* out of the audience, not busy; NULL is fine */

/* A client's message. */
void session_message(struct session *s, const struct config *config, struct arena *scratch,
                     int64_t now_ms, const char *p, size_t len, bool binary);

/* The database has spoken: goes live as of state, runs through what was applied since, and
 * queues first frame, missed events and those. ERR_BUSY: state is too old for that, read again; nothing was
 * sent. Otherwise ERR_OK, also when an operation meanwhile closed the session. */
enum err session_connected(struct session *s, struct audience *audience,
                           const struct ring *ring, const struct config *config,
                           const struct connect_state *state);

/* The same for a fixed one. What was refused is closed, without a frame before. */
enum err session_fixed_connected(struct session *s, struct audience *audience,
                                 const struct ring *ring, const struct config *config,
                                 const struct room_connect *connect);

/* An event that the audience says it hears, as a frame. */
void session_hear(struct session *s, struct frame *f);

/* Hears nothing more and is closed. Stays in the audience until the connection is gone, so that the
 * audience's own callbacks may call it. */
void session_close(struct session *s, int code, const char *reason);

#endif
