/* socketio - Socket.IO: namespaces on Engine.IO sessions, and the systems that speak in them
 *
 * Knows no system. A system serves namespaces of paths; each namespace that a client joins is a link. The system
 * decides who may join, at once or later, hears the client's events, and sends events: frames that it builds once and
 * queues by reference to as many links of that namespace as it likes, on whatever carries them.
 *
 * A link's life: connect; accepted or refused; events both ways; gone, or left. Everything runs on the loop.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_SOCKETIO_SOCKETIO_H
#define RELAY_SOCKETIO_SOCKETIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/io.h"
#include "relay/socketio/packet.h"
#include "shared/config.h"
#include "shared/sbuf.h"

struct socketio;
struct sio_link;

/* Who wants to join. Valid during the call. */
struct sio_connect {
    const char *auth;               /* a compact JSON object; "{}" when the client sent none */
    const char *authorization;      /* the header of the session's first request; NULL */
    const char *query;              /* of that request, raw, for percent_query; "" */
    const char *address;            /* of its peer */
};

struct sio_bytes {
    const void *p;
    size_t len;
};

/* Valid during the call. */
struct sio_event {
    const char *name;
    const char *args;               /* a compact JSON array: what followed the name; json_element walks over it. Where
                                       attachments were there is null */
    int64_t ack;                    /* for sio_ack, once; SIO_NO_ACK: none is wanted */
    const char *placed;             /* args with the placeholders as they came */
    const struct sio_bytes *attachments;
    unsigned n_attachments;
};

struct sio_calls {
    /* A client wants to join. sio_accept or sio_refuse follow, now or later, unless gone comes first. */
    void (*connect)(void *arg, struct sio_link *link, const struct sio_connect *c);
    void (*event)(struct sio_link *link, const struct sio_event *e);
    /* The client left the namespace or is away: link is not to be used any more. Never from within another call here,
     * and not after sio_refuse and sio_leave. */
    void (*gone)(struct sio_link *link);
};

/* NULL on failure, logged. config must outlive it. */
struct socketio *socketio_new(struct io *io, const struct config *config);

/* The io's connections must be gone (io_drop_all), the systems not yet: they are told of links that were left.
 * NULL is fine. */
void socketio_free(struct socketio *o);

/* Serves a namespace ("/" or "/name") on a path (without its final slash). Before anything listens. The first who
 * serves a pair keeps it. */
void socketio_serve(struct socketio *o, const char *path, const char *namespace,
                    const struct sio_calls *calls, void *arg);

/* What the relay is to serve; the array lives as long as o. */
const struct io_service *socketio_services(struct socketio *o, size_t *n_r);

/* Lets nobody in any more and ends all sessions; done is called, once, when the last has gone. */
void socketio_shut(struct socketio *o, void (*done)(void *arg), void *arg);

/* The Engine.IO below, for who wants to speak that alone. */
struct engine *socketio_engine(struct socketio *o);

/* ---- what is done with links ---- */

/* The system's own, NULL at first. */
void sio_set_user(struct sio_link *link, void *user);
void *sio_user(const struct sio_link *link);

/* Of its endpoint: the same pointer for all links of one namespace of one path. */
const char *sio_namespace(const struct sio_link *link);

/* The client is told that it has joined; events may follow. */
void sio_accept(struct sio_link *link);

/* It is told why not; data is JSON or NULL. The session stays, the link does not. */
void sio_refuse(struct sio_link *link, const char *message, const char *data);

/* Queues a frame that was built for the link's namespace (sio_put_event, packet.h). Does nothing before it was accepted. */
void sio_emit_frame(struct sio_link *link, struct frame *f);

/* An event to one: args is a JSON array with the name in front. */
void sio_emit(struct sio_link *link, const char *args);

/* Answers an event that asked for it; args is a JSON array. */
void sio_ack(struct sio_link *link, int64_t ack, const char *args);

/* SIO_EVENT, SIO_ACK, or one of them with attachments: json has their placeholders. */
void sio_send_binary(struct sio_link *link, enum sio_type type, int64_t ack, const char *json,
                     const struct sio_bytes *attachments, unsigned n);

/* The client has to leave the namespace: it does not come again by itself. The session stays, the link does not. */
void sio_leave(struct sio_link *link);

/* Ends the session: all its links will be gone, and the client comes again. why: a word for the log. */
void sio_drop(struct sio_link *link, const char *why);

#endif
