/* io - the event loop and the sockets
 *
 * Accepts connections, speaks HTTP and WebSocket, and offers connections that frames are
 * queued on. What is queued during a loop turn leaves in one write per connection at its end.
 * Everything runs on the thread that calls io_run(), except io_wake() and io_stop().
 *
 * A listener has services, found by path. A service decides each request: it answers at once
 * or later, or lets it become a connection: a WebSocket, or the body of an answer that goes on
 * (a stream). The layer above cannot tell which when it sends.
 *
 * The layer above is told of things by callback and never touches libwebsockets or a socket. No
 * callback may free the object that is calling it: conn_close() only marks, `closed` comes later
 * from the loop, exactly once for each `opened`.
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
struct io_listener;
struct io_exchange;     /* a request that is answered later */
struct conn;            /* a connection: WebSocket, or a stream */

/* ---- requests ---- */

/* An HTTP request as it came in, before any upgrade. Valid during the callback. */
struct io_request {
    const char *method;             /* "GET" */
    const char *path;               /* raw request target up to '?', as sent */
    const char *query;              /* raw text after '?'; "" */
    bool upgrade;                   /* a GET that asks for WebSocket, and properly */
    const char *address;            /* the peer; the last X-Forwarded-For when the listener is a
                                       unix socket: what the web server in front of us wrote */
    const char *body;               /* the whole body, NUL behind it; "" */
    size_t body_len;
    bool secure;                    /* came by our own TLS */
    const struct io_fields *fields; /* for io_header */
};

/* The value of a header field, any case; NULL when it was not sent. Of a repeated field the first
 * (those whose repetition is dangerous are refused before). */
const char *io_header(const struct io_request *r, const char *name);

/* An answer, or the head of one that goes on. Headers are whole lines with CRLF. */
struct io_answer {
    int status;
    const char *content_type;       /* NULL: no body */
    struct sbuf body;               /* initialised by io, freed by io */
    struct sbuf headers;
    enum io_stream {                /* with IO_STREAM: how each frame's payload is written */
        IO_STREAM_LINES = 1,        /* payload LF */
        IO_STREAM_EVENTS,           /* "data: " payload LF LF */
    } stream;
    bool close;                     /* the HTTP connection ends behind it */
};

enum io_verdict {
    IO_ANSWER,      /* *a is the answer */
    IO_LATER,       /* the exchange is kept, and answered by io_exchange_answer */
    IO_UPGRADE,     /* becomes a WebSocket connection of *client_r; only where r->upgrade. a->headers are sent with
                       the 101 (Sec-WebSocket-Protocol) */
    IO_STREAM,      /* *a is the head of a chunked 200 and the connection *client_r's: the body in *a goes
                       first, then what is sent */
};

/* ---- connections ---- */

/* How a kind of connection is kept alive and bounded. Belongs to the layer above, which may
 * change numbers while connections use it. */
struct io_rules {
    int64_t ping_ms;            /* pause between pings; 0: none */
    struct frame *ping;         /* what is sent then */
    int64_t answer_ms;          /* silence that may follow a ping before the peer is dead; 0: it need not answer */
    int64_t silence_ms;         /* silence after which a peer is dead, whatever was sent; 0: any */
    int silent_code;            /* a dead peer is closed with it; 0: dropped without a word */
    const char *silent_reason;
    struct frame *silent;       /* what a dead peer's stream is sent before its end, since it has no status; NULL: nothing */
    int64_t queue_frames;       /* waiting for one connection; more: too slow */
    int64_t queue_bytes;
    int64_t stall_ms;           /* a queue of which the peer takes nothing for so long: too slow; 0: any */
    int slow_code;
    const char *slow_reason;
    struct frame *slow;         /* ... and what a stream is sent that is too slow, in place of what waited; NULL: nothing */
    int64_t message_max;        /* bytes of a message; a longer one closes with 1009 */
    int bare_close_code;        /* status of the answer to a peer's Close frame that has none; 0: none
                                   either. One that was sent is echoed */
};

/* What a connection belongs to; embedded as the first member of a session. */
struct io_client {
    const struct io_client_calls *calls;
    const struct io_rules *rules;
};

struct io_client_calls {
    /* The connection was given up after the verdict (peer gone): free what the client holds. */
    void (*abandoned)(struct io_client *client);
    void (*opened)(struct io_client *client, struct conn *c);
    /* One whole message of a WebSocket, at most rules->message_max bytes; text is valid UTF-8 (else the
     * connection was closed with 1007). Streams never call it. */
    void (*message)(struct io_client *client, const char *p, size_t len, bool binary);
    /* What had to wait for a slow peer has left: conn_behind() is false again. NULL: not told. */
    void (*drained)(struct io_client *client);
    /* The connection is gone, for whatever reason. */
    void (*closed)(struct io_client *client);
};

/* A path and who decides there. */
struct io_service {
    const char *path;           /* compared with the raw path, byte for byte */
    bool below;                 /* path is a prefix: everything below it, too */
    int64_t body_max;           /* bytes of a request's body; more is 413. 0: bodies are left unread */
    enum io_verdict (*request)(void *arg, const struct io_request *r, struct io_exchange *x,
                               struct io_answer *a, struct io_client **client_r);
    void *arg;
    bool holds;                 /* answers to requests without a body may be due for long: they count as connections */
    /* Asked when only the head of a request that has a body was read. true: `request` follows with the same x, or
     * what was set here with io_exchange_on_gone when the body does not come whole. false: *a is the answer, and the
     * body is left unread. NULL: not asked. */
    bool (*announced)(void *arg, const struct io_request *r, struct io_exchange *x,
                      struct io_answer *a);
};

/* ---- the loop ---- */

/* The loop, not yet listening. NULL on failure, logged. config must outlive it. */
struct io *io_new(const struct config *config);
void io_free(struct io *io);

struct io_listen_options {
    const char *where;          /* HOST:PORT or unix:PATH (an old socket file is replaced, mode 0660) */
    const char *tls_certificate, *tls_key;  /* files in PEM; NULL: no TLS */
    const struct io_service *services;      /* the first that fits; none fits: 404 without body */
    size_t n_services;                      /* the array must outlive the loop */
};

/* Opens a listener. ERR_BUSY when the address is taken, logged. Separate from io_new so that nothing
 * is accepted before the layer above knows where it stands. */
enum err io_listen(struct io *io, const struct io_listen_options *o, struct io_listener **l_r);

/* Closes it: nothing more is accepted; connections stay. Idle kept-alive ones end. */
void io_unlisten(struct io_listener *l);

/* Reads certificate and key anew; the old ones stay in use when that fails, logged. */
enum err io_listener_reload(struct io_listener *l);

/* Runs until io_stop, which any thread and any signal handler may call. */
void io_run(struct io *io);
void io_stop(struct io *io);

/* Ends every connection and every exchange at once (`closed` and `gone` are told before it returns) and
 * accepts nothing any more. For the end of a program, when io_run has returned: after it the layers above
 * are freed, the io last. */
void io_drop_all(struct io *io);

/* From any thread: `woken` runs soon on the loop, for everybody who asked. Several wakes may become one. */
void io_on_wake(struct io *io, void (*woken)(void *arg), void *arg);
void io_wake(struct io *io);

/* Called at the end of each loop turn, before what is queued is written: for layers that collect. */
void io_on_turn(struct io *io, void (*turn_ends)(void *arg), void *arg);

/* Calls readable on the loop while fd is readable; dup()s fd. */
enum err io_watch(struct io *io, int fd, void (*readable)(void *arg), void *arg);

/* One-shot timers; a timer may be set again, from its callback too. */
struct io_timer;
struct io_timer *io_timer_new(struct io *io, void (*due)(void *arg), void *arg);
void io_timer_set(struct io_timer *t, int64_t after_ms);
void io_timer_free(struct io_timer *t);

/* ---- exchanges ---- */

/* Answers, once and for all; a->body and a->headers stay the caller's. When the peer has gone meanwhile nothing
 * is sent. The exchange ends. */
void io_exchange_answer(struct io_exchange *x, const struct io_answer *a);

/* Tells when the peer leaves before the answer; gone NULL: no more. The exchange must still be answered, unless its
 * request had not come whole. */
void io_exchange_on_gone(struct io_exchange *x, void (*gone)(void *arg), void *arg);

/* ---- what is done with connections ---- */

struct io_client *conn_client(const struct conn *c);
bool conn_is_stream(const struct conn *c);

/* Queues f by reference. A peer that is too slow is closed by its rules (the rest of its queue is dropped);
 * on a connection that is closing it does nothing. */
void conn_send(struct conn *c, struct frame *f);

/* The peer's socket did not take what was written at the end of an earlier turn. */
bool conn_behind(const struct conn *c);

/* Is it behind, or does it turn out to be now that so many bytes more would not fit into its queue? What waits is
 * written then, and not at the end of the turn. */
bool conn_crowded(struct conn *c, size_t more);

/* Bytes that wait, those that its socket did not take among them. */
size_t conn_queued(const struct conn *c);

/* Drops what waits, but not what its socket has in part. */
void conn_clear(struct conn *c);

/* Bytes that its socket did not take. */
size_t conn_owed(const struct conn *c);

/* The peer of a stream gave a sign of life by another way. */
void conn_heard(struct conn *c);

/* Closes with a WebSocket status and a short reason after what is queued has left, or at once when
 * the peer does not drain within the handshake time. A stream just ends. Later sends are ignored; `closed`
 * follows. */
void conn_close(struct conn *c, int code, const char *reason);

/* Ends it with this turn, without a word and without what waits for it: for one that holds too much. `closed`
 * follows. */
void conn_drop(struct conn *c);

/* What it was closed with by us: conn_close, or its rules; 0: it was the peer. Also good in `closed`. */
int conn_code(const struct conn *c);

/* ---- figures ---- */

/* Open connections now. */
int64_t io_connections(const struct io *io);

/* Bytes that were taken from queues and that slow peers' sockets have not taken: copies, which no
 * frame_bytes() knows of. */
int64_t io_owed(const struct io *io);

/* Counters since the start, gauges of now, and the histogram of turns: how long the loop was
 * busy before it could sleep again, which is how late anything may have been. */
struct metrics;
void io_metrics(const struct io *io, struct metrics *m);

/* Logs the counters, a line each. */
void io_log_counters(const struct io *io);

#endif
