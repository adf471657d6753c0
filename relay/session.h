/* session - one user of one system, through a port
 *
 * A session follows its user, whose channels the database and operations tell; or it is fixed
 * (wire->fixed) to the channels that were settled when it connected.
 *
 * Its life: stranger (has not said yet who it is; only where the wire allows that), opening (accepted, unknown to the
 * database), live (in the audience, its first frame queued), doomed (hears nothing more, to be closed), gone (the
 * port is no more). What clients say while it is opening waits until it is live.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_SESSION_H
#define RELAY_SESSION_H

#include <sys/queue.h>

#include "relay/audience.h"
#include "relay/commands.h"
#include "relay/io.h"
#include "relay/port.h"
#include "relay/ring.h"
#include "relay/wheel.h"
#include "relay/wire.h"
#include "shared/chat/op.h"

enum session_state {
    SESSION_STRANGER,
    SESSION_OPENING,
    SESSION_LIVE,
    SESSION_DOOMED,
    SESSION_GONE
};

struct relay_door;
struct session_message;             /* one that waits */

struct session {
    struct io_client io;                /* first; unused on Socket.IO */
    struct audience_session hears;
    struct relay_door *door;            /* by which it came; set and used by relay_session.c */
    struct session *prev, *next;        /* the relay's list */
    struct session *next_waiting;       /* the relay's list of those waiting for presence */
    struct session **waiting_at;        /* what points at this one there; NULL: not waiting */
    const struct wire *wire;
    struct port port;                   /* from opened to closed */
    char id[ID_TEXT_SIZE];              /* its own, told to its client and of no use to others */
    char *user;                         /* "": nobody */
    char *user_channel;
    char *name, *picture;               /* what its credential says of the user; NULL */
    char *counted;                      /* key under which it is counted; NULL: it is not */
    bool counted_as_stranger;           /* ... among those */
    char *address;
    char *key;                          /* fixed: of a runner; NULL */
    int64_t room;                       /* fixed: asked for, then connected to; 0: none, or all */
    int64_t since;
    int64_t expires_ms;                 /* 0: never */
    int refused_code;                   /* fixed: to be closed with it when it opens; 0: welcome so far */
    const char *refused_reason;
    int64_t opened_ms;                  /* monotonic */
    enum session_state state;
    struct wheel_entry late;            /* stranger: when it must have said who it is */
    bool online;                        /* counts for its user's presence */
    bool busy;                          /* a worker's job refers to it */
    bool closing;                       /* the port was told to close */
    int attempts;                       /* reads of the database that came too late */
    int64_t window_ms;                  /* start of the second in which frames are counted */
    int64_t frames;
    int64_t bad_window_ms, bad_frames;  /* of that window, or of its life */
    STAILQ_HEAD(, session_message) waiting_messages;
    size_t n_waiting, waiting_bytes;

    /* A command of a client; NULL: none are understood. The event is valid during the call. */
    void (*command)(struct session *s, const struct named_event *e);
    struct command_socket commands;     /* set and used by relay_command.c */
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

/* A stranger is known now, and opening. */
void session_admit(struct session *s, const struct wire_hello *hello);

/* ---- what clients say (session_heard.c) ---- */

/* A message on a WebSocket. */
void session_message(struct session *s, const struct config *config, struct arena *scratch,
                     int64_t now_ms, const char *p, size_t len, bool binary);

/* An event in a namespace of Socket.IO; it is live. */
void session_event(struct session *s, const struct config *config, int64_t now_ms,
                   const struct named_event *e);

/* It is live: what waited is heard. */
void session_resume(struct session *s, const struct config *config);

/* Drops what waits. */
void session_forget(struct session *s);

/* ---- what it says ---- */

/* An event to this client alone, of a wire of named events, live or a stranger; payload is JSON. */
void session_tell(struct session *s, const char *event, const char *payload);

/* Answers a client's event, if it asked for that; json is one value. Does nothing on a WebSocket. */
void session_ack(struct session *s, int64_t ack, const char *json);

/* Text of a ready frame. */
void session_say(struct session *s, const char *payload, size_t len);

/* ---- connecting ---- */

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

/* ---- living and ending ---- */

/* An event that the audience says it hears, as a frame. */
void session_hear(struct session *s, struct frame *f);

/* Hears nothing more and is closed. Stays in the audience until the port is gone, so that the
 * audience's own callbacks may call it. */
void session_close(struct session *s, int code, const char *reason);

#endif
