/* io - the event loop and the sockets: the only user of libwebsockets
 *
 * Accepts connections, does HTTP and WebSocket handshakes, and offers connections that
 * frames are queued on. What is queued during a loop turn leaves in one write per
 * connection at its end. Everything runs on the thread that calls io_run(), except io_wake().
 *
 * The layer above is told of things by callback and never calls libwebsockets. No callback
 * may free the object that is calling it: conn_close() only marks, `closed` comes later from the
 * loop, exactly once for each `opened`.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_IO_H
#define RELAY_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/frame.h"
#include "shared/config.h"
#include "shared/sbuf.h"

struct io;
struct conn;        /* one WebSocket connection */

/* An HTTP request as it came in, before any upgrade. Valid during the callback. */
struct io_request {
    const char *method;             /* "GET" */
    const char *path;               /* raw request target up to '?', as sent */
    const char *query;              /* raw text after '?'; "" */
    bool upgrade;                   /* a GET that asks for WebSocket, and properly */
    const char *authorization;      /* header or NULL */
    const char *origin;             /* header or NULL */
    const char *address;            /* the peer; the last X-Forwarded-For when the listener is a
                                       unix socket: what the web server in front of us wrote */
};

/* An answer to a request that is not upgraded. Headers are whole lines with CRLF. */
struct io_answer {
    int status;
    const char *content_type;       /* NULL: no body */
    struct sbuf body;               /* initialised by io, freed by io */
    struct sbuf headers;
};

struct io_handlers {
    /* Decides at once, from request and settings alone. true: upgrade; `opened` follows with *user_r
     * as conn_user(). false: a->status and body are the refusal. Also called for requests without
     * upgrade (r->upgrade false), where returning true is a mistake. */
    bool (*request)(void *arg, const struct io_request *r, struct io_answer *a, void **user_r);
    /* The upgrade was given up after `request` said true (peer gone): free what user holds. */
    void (*abandoned)(void *arg, void *user);
    void (*opened)(void *arg, struct conn *c);
    /* One whole message, at most ws_message_max bytes; text is valid UTF-8 (else the connection was
     * closed with 1007; a longer one with 1009). */
    void (*message)(void *arg, struct conn *c, const char *p, size_t len, bool binary);
    /* The connection is gone, for whatever reason. */
    void (*closed)(void *arg, struct conn *c);
};

/* The loop, not yet listening. NULL on failure, logged. config must outlive it. */
struct io *io_new(const struct config *config, const struct io_handlers *handlers, void *arg);
void io_free(struct io *io);

/* Opens the listener (config->relay_listen: HOST:PORT or unix:PATH, an old socket file is replaced,
 * mode 0660). ERR_BUSY when the address is taken, logged. Separate from io_new so that nothing is
 * accepted before the relay knows where it stands. */
enum err io_listen(struct io *io);

/* Runs until io_stop, which any thread and any signal handler may call. */
void io_run(struct io *io);
void io_stop(struct io *io);

/* From any thread: `woken` runs soon on the loop. Several wakes may become one. */
void io_on_wake(struct io *io, void (*woken)(void *arg), void *arg);
void io_wake(struct io *io);

/* Calls readable on the loop while fd is readable; dup()s fd. */
enum err io_watch(struct io *io, int fd, void (*readable)(void *arg), void *arg);

/* One-shot timers; a timer may be set again, from its callback too. */
struct io_timer;
struct io_timer *io_timer_new(struct io *io, void (*due)(void *arg), void *arg);
void io_timer_set(struct io_timer *t, int64_t after_ms);
void io_timer_free(struct io_timer *t);

void *conn_user(const struct conn *c);

/* Queues f by reference. A peer that is too slow is closed with 1013 (the rest of its queue is dropped);
 * on a connection that is closing it does nothing. */
void conn_send(struct conn *c, struct frame *f);

/* Closes with a WebSocket status and a short reason after what is queued has left, or at once when
 * the peer does not drain within the handshake time. Later sends are ignored; `closed` follows. */
void conn_close(struct conn *c, int code, const char *reason);

/* Open connections now. */
int64_t io_connections(const struct io *io);

/* Logs, a line each, what was counted since the start: sockets taken, shed and why, bytes. */
void io_log_counters(const struct io *io);

#endif
