/* io_private - what the files of the I/O layer share
 *
 *   io_loop.c      the loop, timers, wakes, counters            libev
 *   io_accept.c    listeners                                    libev, sockets
 *   io_tls.c       TLS between a peer and the files below       libev, OpenSSL
 *   io_reading.c   requests, from the first byte to a decision  libev, sockets
 *   io_exchange.c  answers, now and later, and what is next     libev, sockets
 *   io_request.c   heads and answers as bytes                   nothing
 *   io_body.c      bodies as bytes                              nothing
 *   io_conn.c      connections of either kind                   libev
 *   io_life.c      pings, and who fell silent or stalled        libev
 *   io_lws.c       WebSocket connections                        libwebsockets on the same loop
 *   io_stream.c    connections that are answers which go on     libev, sockets
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_IO_PRIVATE_H
#define RELAY_IO_PRIVATE_H

#include <ev.h>
#include <sys/queue.h>

#include "relay/io.h"
#include "relay/metrics.h"

/* What io_metrics and io_log_counters tell, in this order: IO_COUNTER(symbol, "name", "family", "labels").
 * Neighbours of one family are its samples. */
#define IO_COUNTERS                                                                              \
    /* sockets taken from the listeners */                                                       \
    IO_COUNTER(ACCEPTED, "accepted", "sockets_accepted_total", "")                               \
    /* TLS handshakes that failed, or were not done in time */                                   \
    IO_COUNTER(TLS_FAILED, "tls_failed", "tls_handshakes_failed_total", "")                      \
    /* became connections */                                                                     \
    IO_COUNTER(UPGRADED, "upgraded", "connections_opened_total", "kind=\"websocket\"")           \
    IO_COUNTER(STREAMED, "streamed", "connections_opened_total", "kind=\"stream\"")              \
    /* requests the layer above answered */                                                      \
    IO_COUNTER(ANSWERED, "answered", "requests_answered_total", "")                              \
    /* no service fits: 404 */                                                                   \
    IO_COUNTER(NOWHERE, "nowhere", "requests_shed_total", "reason=\"nowhere\"")                  \
    /* allowed, but gone before it opened */                                                     \
    IO_COUNTER(ABANDONED, "abandoned", "requests_shed_total", "reason=\"abandoned\"")            \
    /* 503: relay_connections_max */                                                             \
    IO_COUNTER(REFUSED_FULL, "refused_full", "requests_shed_total", "reason=\"full\"")           \
    /* no descriptor left */                                                                     \
    IO_COUNTER(REFUSED_DESCRIPTORS, "refused_descriptors", "requests_shed_total", "reason=\"descriptors\"") \
    /* too many unfinished handshakes, too much of unfinished bodies, too many to be answered */ \
    IO_COUNTER(REFUSED_CROWD, "refused_crowd", "requests_shed_total", "reason=\"crowd\"")        \
    /* 400, 417, 431, 505 */                                                                     \
    IO_COUNTER(REFUSED_HEAD, "refused_head", "requests_shed_total", "reason=\"head\"")           \
    /* 400, 413 */                                                                               \
    IO_COUNTER(REFUSED_BODY, "refused_body", "requests_shed_total", "reason=\"body\"")           \
    /* request not there in time, or answer not taken */                                         \
    IO_COUNTER(TIMED_OUT, "timed_out", "requests_shed_total", "reason=\"timeout\"")              \
    /* left before the request was whole, or its answer */                                       \
    IO_COUNTER(LOST, "lost", "requests_shed_total", "reason=\"lost\"")                           \
    /* with a Close frame */                                                                     \
    IO_COUNTER(CLOSED_BY_PEER, "closed_by_peer", "connections_closed_total", "by=\"peer\"")      \
    /* conn_close */                                                                             \
    IO_COUNTER(CLOSED_BY_US, "closed_by_us", "connections_closed_total", "by=\"us\"")            \
    /* no Close: reset, left a stream, or broke the protocol */                                  \
    IO_COUNTER(BROKEN, "broken", "connections_closed_total", "by=\"break\"")                     \
    /* why, where it was our wish: queue too long, or nothing taken */                           \
    IO_COUNTER(TOO_SLOW, "too_slow", "connections_shed_total", "reason=\"slow\"")                \
    IO_COUNTER(STALLED, "stalled", "connections_shed_total", "reason=\"stalled\"")               \
    IO_COUNTER(DEAD_PEER, "dead_peer", "connections_shed_total", "reason=\"silent\"")            \
    /* 1007, 1009, or a stream's peer that goes on talking */                                    \
    IO_COUNTER(PROTOCOL_ERROR, "protocol_error", "connections_shed_total", "reason=\"protocol\"") \
    /* did not drain or answer our Close */                                                      \
    IO_COUNTER(FORCED, "forced", "connections_shed_total", "reason=\"forced\"")                  \
    IO_COUNTER(MESSAGES_IN, "messages_in", "messages_received_total", "")                        \
    IO_COUNTER(BYTES_IN, "bytes_in", "messages_received_bytes_total", "")                        \
    IO_COUNTER(FRAMES_OUT, "frames_out", "frames_sent_total", "")                                \
    IO_COUNTER(BYTES_OUT, "bytes_out", "frames_sent_bytes_total", "")                            \
    IO_COUNTER(WRITES, "writes", "writes_total", "")

enum io_counter {
#define IO_COUNTER(symbol, name, family, labels) IO_##symbol,
    IO_COUNTERS
#undef IO_COUNTER
    IO_COUNTER_COUNT
};

struct io_accept;       /* io_accept.c */
struct io_exchanges;    /* io_exchange.c */
struct io_links;        /* io_conn.c */
struct io_tls;          /* io_tls.c */

/* Somebody who is called on a wake, or at the end of a turn. */
struct io_hook {
    STAILQ_ENTRY(io_hook) entry;
    void (*call)(void *arg);
    void *arg;
};
STAILQ_HEAD(io_hooks, io_hook);

struct io {
    const struct config *config;
    struct ev_loop *loop;
    struct io_accept *accept;
    struct io_exchanges *exchanges;
    struct io_links *links;
    int64_t counters[IO_COUNTER_COUNT];

    ev_async stop;
    ev_async wake;
    struct io_hooks woken, turn_ends;
    ev_check turn_begin;
    ev_prepare turn_end;
    int64_t awake_us;           /* when this turn began; 0: not awake */
    struct histogram turns;
    LIST_HEAD(, io_watch) watches;
    LIST_HEAD(, io_timer) timers;
};

struct io_listener {
    LIST_ENTRY(io_listener) entry;
    struct io *io;
    int fd;                     /* -1: closed */
    bool local;                 /* a unix socket, with a web server in front */
    char *where;
    struct io_tls *tls;         /* NULL: none */
    unsigned n_pending, n_later;    /* exchanges, see io_exchange.h */
    const struct io_service *services;
    size_t n_services;
    ev_io acceptable;
};

/* Descriptors that are neither connections nor unfinished handshakes: database, bus, log ... */
enum { IO_DESCRIPTORS_OTHER = 256 };
enum { IO_HANDSHAKES_MAX = 2048 };      /* sockets between requests, or whose request or answer is not through */

static inline void
io_count(struct io *io, enum io_counter counter, int64_t n)
{
    io->counters[counter] += n;
}

/* ---- io_accept.c ---- */

/* Not listening yet. NULL when out of memory. */
struct io_accept *io_accept_new(struct io *io);
void io_accept_free(struct io_accept *a);

/* A descriptor was given back: the listeners may go on. */
void io_accept_resume(struct io_accept *a);

/* ---- io_tls.c ---- */

/* NULL when certificate or key is not usable, logged. Freeing ends what goes through it. */
struct io_tls *io_tls_new(struct io_listener *l, const char *certificate, const char *key);
void io_tls_free(struct io_tls *t);
enum err io_tls_reload(struct io_tls *t);

/* Takes fd. When the handshake is done its other side begins an exchange. */
void io_tls_begin(struct io_tls *t, int fd, const char *address);

/* ---- io_reading.c, io_exchange.c ---- */

struct io_exchanges *io_exchanges_new(struct io *io);
void io_exchanges_free(struct io_exchanges *all);

/* A peer whose requests are for l's services. Takes fd, which does not block. */
void io_exchange_begin(struct io_listener *l, int fd, const char *address);

/* Ends those of l that wait for a further request. */
void io_exchanges_end_idle(struct io_exchanges *all, const struct io_listener *l);

/* ---- io_conn.c, io_lws.c, io_stream.c ---- */

/* NULL when libwebsockets cannot start, logged. Freeing closes every connection (`closed` is called). */
struct io_links *io_links_new(struct io *io);
void io_links_free(struct io_links *l);
int64_t io_links_count(const struct io_links *l);
int64_t io_links_owed(const struct io_links *l);

/* Writes what was queued. True when it ended a connection, so that there may be more to write. */
bool io_links_turn_ends(struct io_links *l);

/* Makes fd, whose request was read, a connection of client. Takes fd, whatever happens. False:
 * nothing was opened. headers go into the 101; key is the client's. */
bool io_links_open(struct io_links *l, int fd, const char *key, const struct sbuf *headers,
                   struct io_client *client);
bool io_stream_open(struct io_links *l, int fd, const struct io_answer *head, bool chunked,
                    struct io_client *client);

#endif
