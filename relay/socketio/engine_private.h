/* engine_private - what the files of the engine share
 *
 *   engine.c          sessions: life, queue, heartbeat
 *   engine_request.c  requests: refusals, polling
 *   engine_socket.c   WebSockets, and the move to them
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_SOCKETIO_ENGINE_PRIVATE_H
#define RELAY_SOCKETIO_ENGINE_PRIVATE_H

#include <sys/queue.h>

#include "relay/origin.h"
#include "relay/outq.h"
#include "relay/socketio/engine.h"
#include "relay/socketio/packet.h"
#include "relay/strmap.h"
#include "shared/id.h"

#define ENGINE_PATHS_MAX 8

struct engine_path {
    struct engine *engine;
    char *path;
    const struct engine_calls *calls;
    void *arg;
};

struct engine {
    struct io *io;
    const struct config *config;
    struct arena *arena;                /* as long as e */
    struct arena *scratch;              /* as long as a request */
    struct origin_list origins;
    struct engine_path paths[ENGINE_PATHS_MAX];
    size_t n_paths;
    struct io_service services[2 * ENGINE_PATHS_MAX];
    struct io_rules rules;
    struct wheel *wheel;
    struct frame *probe_answer;
    struct strmap sids;
    size_t n_sessions;                  /* that live, or whose end is not told yet */
    size_t n_sockets;
    TAILQ_HEAD(, engine_session) marked;    /* to be looked at when the turn ends */
    TAILQ_HEAD(, engine_session) strangers; /* the oldest first */
    bool ending;
    void (*ended)(void *arg);           /* NULL: not asked, or told */
    void *ended_arg;
};

enum engine_state { ENGINE_POLLING, ENGINE_WEBSOCKET, ENGINE_CLOSED };

struct engine_session {
    struct strmap_node node;            /* by sid */
    TAILQ_ENTRY(engine_session) entry;
    TAILQ_ENTRY(engine_session) stranger_entry;
    struct engine *engine;
    const struct engine_path *path;
    void *user;
    enum engine_state state;
    bool marked;
    bool stranger;
    bool asked;                         /* a ping was not answered yet */
    bool probed;                        /* the client has tried its new WebSocket, and is moving to it */
    bool farewell_noop;                 /* a client that said good-bye is told nothing but that; it is found until the turn
                                           ends, since of what it sent at once we may have read the last first */
    struct io_exchange *held;           /* the GET that waits for a packet */
    char *held_headers;
    struct io_exchange *receiving;      /* the POST whose body is on its way */
    struct engine_socket *socket;       /* what carries it, or is being opened to */
    struct engine_socket *probe;        /* to what it may move */
    struct outq queue;
    struct io_timer *heartbeat;
    int64_t due_ms;                     /* of the next ping, or of the answer to the last one */
    int64_t next_ping_ms;
    char sid[ID_TEXT_SIZE];
};

/* A WebSocket. */
struct engine_socket {
    struct io_client io;                /* first */
    struct engine *engine;
    struct engine_session *session;     /* NULL: nobody's, to be closed */
    struct conn *conn;                  /* from opened to closed */
    struct wheel_entry upgrade;
};

/* ---- engine.c ---- */

struct engine_session *engine_session_new(const struct engine_path *path, const struct io_request *r,
                                          enum engine_state state);

/* The session of that path; NULL. Closed only when its client has just said good-bye. */
struct engine_session *engine_find(const struct engine_path *path, const char *sid);

/* May one more begin? */
bool engine_make_room(struct engine *e);

/* To be looked at when the turn ends. */
void engine_mark(struct engine_session *s);

/* A packet of the client on what carries it. false: against the rules. */
bool engine_hear(struct engine_session *s, const struct packet *packet);

/* Hands what is queued to the WebSocket. */
void engine_flush(struct engine_session *s);

/* The last session and socket may have gone. */
void engine_maybe_ended(struct engine *e);

/* ---- engine_request.c ---- */

enum io_verdict engine_request(void *arg, const struct io_request *r, struct io_exchange *x,
                               struct io_answer *a, struct io_client **client_r);
bool engine_announced(void *arg, const struct io_request *r, struct io_exchange *x,
                      struct io_answer *a);

/* Answers the GET that is held: with what is queued, behind it with last. Either may be nothing, not both. */
void engine_answer_held(struct engine_session *s, bool queued, const char *last);

/* ---- engine_socket.c ---- */

/* A WebSocket that was asked for: the session's own, or one to which it may move. */
struct io_client *engine_socket_new(struct engine_session *s);

/* Closes it, when it is opened; NULL is fine. */
void engine_socket_close(struct engine_socket *w, int code, const char *reason);

#endif
