/* relay_private - the relay's inside, shared by relay.c (the log and the loop), relay_door.c
 * (handshakes), relay_session.c (lives of sessions), relay_socket.c (WebSockets) and relay_link.c (Socket.IO) that
 * carry them, relay_command.c (what clients ask for), relay_presence.c (who is online), relay_archive.c (quiet dialogs)
 * and relay_webhook.c (what is posted elsewhere)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_RELAY_PRIVATE_H
#define RELAY_RELAY_PRIVATE_H

#include "relay/audience.h"
#include "relay/inbox.h"
#include "relay/io.h"
#include "relay/limits.h"
#include "relay/presence.h"
#include "relay/relay.h"
#include "relay/ring.h"
#include "relay/session.h"
#include "relay/socketio/socketio.h"
#include "relay/tail.h"
#include "relay/worker.h"
#include "shared/ratelimit.h"

/* One of the paths, or of the namespaces on a path, that are served, and what its sessions go by. */
struct relay_door {
    struct relay *relay;
    const struct wire *wire;
    unsigned bit;                   /* its own among all doors */
    size_t format;                  /* in which its sessions are told events */
    struct io_rules rules;          /* of WebSockets */
    struct limits *limits;          /* those of the system's first door, unless they are fixed */
    bool borrows;                   /* so they are another's */
    struct limits *strangers;       /* by address; NULL: there are none */
};

/* The event being delivered as one format says it, made when somebody hears it so. */
struct relay_format {
    bool made;
    struct frame *frame;            /* NULL: the event has none */
};

struct relay {
    struct relay_start start;
    const struct config *config;
    struct io *io;
    struct inbox *inbox;
    struct audience *audience;
    struct ring *ring;
    struct presence *presence;
    struct worker *worker;
    struct tail *tail;
    struct arena *scratch;          /* of one callback */
    bool stopping;
    void (*stopped)(void *arg);     /* NULL once it was told */
    void *stopped_arg;

    /* relay.c */
    struct io_timer *gap_timer, *bus_timer;
    struct relay_format *formats;   /* n_doors at most */
    unsigned heard;                 /* by which doors it was */
    int64_t forged, malformed, complained_ms;

    /* relay_door.c */
    struct frame *ping;
    struct relay_door *doors;
    size_t n_doors;
    struct io_service *services;    /* of the doors of WebSockets */
    size_t n_services;
    struct wheel *wheel;            /* strangers' time */

    /* relay_session.c */
    struct session *sessions;
    struct session *waiting;        /* for their user's row */
    struct io_timer *expiry_timer, *pace_timer, *stop_timer;
    int64_t expiry_ms;              /* wall clock of the nearest end of a credential; 0: none */
    int pace_code;
    const char *pace_reason;
    size_t pace_step;               /* sessions closed per tick */

    /* relay_command.c */
    struct commands *commands;
    struct ratelimit *command_limits;   /* NULL: there are none */

    /* relay_presence.c */
    struct io_timer *presence_timer, *lease_timer;
    bool renewing;
    int64_t settled_ms;             /* monotonic: when users of an earlier run lose their grace */

    /* relay_archive.c */
    struct io_timer *archive_timer;
    int64_t archive_due_ms;         /* wall clock */
    bool archiving;

    /* relay_webhook.c */
    struct relay_webhooks *webhooks;    /* NULL: none are told */
};

/* relay_door.c */
void relay_doors(struct relay *r);                  /* makes doors and services */
void relay_doors_free(struct relay *r);
struct session *relay_door_session(struct relay_door *door, const struct wire_hello *hello,
                                   const char *address);
bool relay_door_count(struct session *s);           /* false: there are as many as there may be */
void relay_door_uncount(struct session *s);         /* of those that are limited it is one less */

/* relay_socket.c */
extern const struct io_client_calls relay_client_calls;

/* relay_session.c */
void relay_session_opened(struct session *s);       /* has its port, and is counted */
void relay_session_known(struct session *s);        /* it is settled who it is: comes online */
void relay_session_gone(struct session *s, int code);   /* the port is no more; 0: the client ended it */
void relay_session_timers(struct relay *r);         /* makes them */
void relay_session_timers_free(struct relay *r);
void relay_connect_waiting(struct relay *r, bool written);  /* a presence batch is through */
void relay_reload_all(struct relay *r);             /* every session must load anew */
void relay_reload_ended(struct relay *r);           /* those of systems that end things with presence */

void relay_stop_if_quiet(struct relay *r);          /* what ended may have been the last that was waited for */

/* relay_command.c */
void relay_commands(struct relay *r);
void relay_commands_close(struct relay *r);         /* nothing is begun any more; before the workers */
void relay_commands_free(struct relay *r);          /* behind them */
void relay_command(struct session *s, const struct named_event *e);

/* relay_presence.c */
void relay_presence_timers(struct relay *r);
void relay_presence_timers_free(struct relay *r);
void relay_presence_write(struct relay *r);         /* writes what there is to write, if anything */

/* relay_archive.c */
void relay_archive_timer(struct relay *r);
void relay_archive_timer_free(struct relay *r);

/* relay_webhook.c */
bool relay_webhooks(struct relay *r);               /* begins, if there are to be any; false: it cannot */
void relay_webhooks_wake(struct relay *r);          /* something may be due */
void relay_webhooks_event(struct relay *r, const struct event *e);
void relay_webhooks_collect(struct relay *r);       /* the loop was woken */
void relay_webhooks_close(struct relay *r);         /* ends what is being posted; before the workers */
void relay_webhooks_free(struct relay *r);          /* behind them */
void relay_webhooks_log(const struct relay *r);

#endif
