/* engine - Engine.IO sessions: one conversation with one client, whatever carries it
 *
 * A session begins on HTTP long-polling or on a WebSocket, may move from the first to the second, is kept alive by
 * pings of ours, and has one queue that whatever carries it now empties. docs/api/socketio.md is the protocol.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_SOCKETIO_ENGINE_H
#define RELAY_SOCKETIO_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include "relay/io.h"
#include "relay/wheel.h"
#include "shared/config.h"

struct engine;
struct engine_session;

/* Who speaks on the sessions of a path. */
struct engine_calls {
    /* A session begins with that request; what is returned is handed to the others. Things may be sent at once. */
    void *(*opened)(void *arg, struct engine_session *s, const struct io_request *r);
    /* A message. false: it breaks the rules, and the session ends. */
    bool (*message)(void *user, const char *p, size_t len, bool binary);
    /* It is over, and s is not to be used any more. Comes from the loop, not from within any call here. */
    void (*closed)(void *user);
};

/* NULL on failure, logged. config must outlive it. */
struct engine *engine_new(struct io *io, const struct config *config);

/* The io's connections must be gone (io_drop_all). NULL is fine. */
void engine_free(struct engine *e);

/* Serves a path, given without its final slash, which clients may send or not. Before anything listens. A path
 * that is served already keeps its calls. */
void engine_serve(struct engine *e, const char *path, const struct engine_calls *calls, void *arg);

/* The array lives as long as e, and changes with engine_serve. */
const struct io_service *engine_services(struct engine *e, size_t *n_r);

/* Lets nobody in any more and ends all sessions; done is called, once, when the last has gone. */
void engine_shut(struct engine *e, void (*done)(void *arg), void *arg);

/* Sessions now. */
size_t engine_sessions(const struct engine *e);

/* For deadlines of the layer above. */
struct wheel *engine_wheel(const struct engine *e);

/* Queues a packet by reference: a frame of text that is a whole packet, or of bytes. A client that does not take what
 * waits for it is closed. NULL, for want of memory, closes, too. */
void engine_send(struct engine_session *s, struct frame *f);

/* Nobody knows who it is, at first and until said otherwise: when there are as many sessions as may be, the longest
 * unknown makes room for a newcomer. */
void engine_set_stranger(struct engine_session *s, bool stranger);

/* Ends the session, its request or WebSocket behind what is queued. why: a word for the log. */
void engine_close(struct engine_session *s, const char *why);

#endif
