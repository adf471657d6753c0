/* io_world - the real loop in a thread of its own, and blocking peers that talk to it
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_IO_WORLD_H
#define TESTS_IO_WORLD_H

#include <pthread.h>

#include "relay/io_private.h"

/* A connection's owner that notes what it is told. */
struct world_client {
    struct io_client io;        /* first */
    struct conn *conn;          /* NULL: not open */
    int opened, closed, abandoned, drained, messages;
    char last[256];             /* message */
};

extern struct world {
    struct config config;
    struct io *io;
    struct io_listener *listener;
    struct io_rules rules;
    struct world_client client;     /* of the latest connection */
    struct io_exchange *exchange;   /* of the latest /later */
    int gone;                       /* exchanges whose peer left */
    int turns;
    char said[2048];                /* what the latest request was, as text */
    pthread_t thread;
} world;

/* Starts the loop with a listener; tls: files of certificate and key in world_dir. */
int world_start(void **state);
int world_start_tls(void **state);
int world_stop(void **state);
extern char world_dir[64];

/* Runs call on the loop and waits for its end. */
void world_on_loop(void (*call)(void *arg), void *arg);

/* Waits until *figure, read on the loop, is at least n. */
void world_await(const int *figure, int n);
int64_t world_counter(enum io_counter counter);

/* A connected, blocking socket whose reads end after some seconds. */
int peer_dial(void);
int peer_port(void);
void peer_say(int fd, const char *text);
/* The next bytes are these. */
void peer_expect(int fd, const char *text);
/* Reads until the text came, that included; what came is returned until the next call. */
const char *peer_read_to(int fd, const char *text);
void peer_expect_end(int fd);

/* A WebSocket, its handshake done. */
int peer_websocket(const char *path);
void peer_frame(int fd, int opcode, const char *payload);
/* Frames it gets: opcode, payload with NUL behind it. */
int peer_read_frame(int fd, char *payload, size_t size);

/* Sends a text to the latest connection, from the loop. */
void world_send(const char *text);
void world_close(int code, const char *reason);

#endif
