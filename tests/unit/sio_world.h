/* sio_world - sockets, requests and time that stand in for the real ones around relay/socketio
 *
 * What a connection is sent is written down, a line each; what a request is answered, too. Time passes only by pass().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_SIO_WORLD_H
#define TESTS_UNIT_SIO_WORLD_H

#include "relay/socketio/conformance.h"
#include "relay/socketio/engine.h"

#define N 18                        /* of each thing that may be there in one test */

struct conn {
    struct io_client *client;
    char out[4096];                 /* payloads, one a line; bytes as #<length> */
    bool full;
    int closed;
};

struct io_exchange {
    int status;                     /* 0: not answered */
    char body[4096];
    void (*gone)(void *arg);
    void *gone_arg;
};

struct io_fields {
    const char *name, *value;
};

extern struct conn conns[N];
extern struct io_exchange exchanges[N];
extern unsigned n_conns, n_exchanges;
extern int64_t now_ms;                  /* monotonic */
extern struct config config;
extern struct socketio *o;              /* serves the echoes of conformance.h */
extern const struct io_service *services;
extern size_t n_services;
extern struct io_answer answer;         /* to the last request */
extern const struct io_fields no_field;

/* cmocka's; the second also looks that nothing is left. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* Another world, under the settings as they are now. */
void anew(void);

void end_turn(void);

/* Timers run when they are due, each in a turn of its own. */
void pass(int64_t ms);

#define ENGINE "/engine.io/"
#define IO "/socket.io/"

const struct io_service *service(const char *path);

struct ask {
    const char *method, *path, *query, *body;
    bool upgrade;
    struct io_fields field;
};

/* The index of the exchange; its status stays 0 while it is held. Of an upgrade the connection's, opened. */
unsigned ask(const struct ask *q);

struct io_exchange *http(const char *method, const char *path, const char *query, const char *body);
struct conn *socket_at(const char *path, const char *query);

/* A session that polls; its query. */
const char *polling(const char *path);

/* The query by which that session moves. */
const char *as_websocket(const char *query);

/* A session on a WebSocket, and one that has joined a namespace. */
struct conn *websocket(const char *path);
struct conn *joined(const char *namespace);

/* What a client sends. */
void say(struct conn *c, const char *text);
void say_bytes(struct conn *c, size_t len);
void hang_up(struct conn *c);

/* It was sent exactly that since the last look; it was answered exactly so. */
void hear(struct conn *c, const char *expected);
void expect(const struct io_exchange *x, int status, const char *body);

#endif
