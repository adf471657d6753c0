/* io_private - what the files of the I/O layer share
 *
 *   io_loop.c     the loop, timers, wakes, counters            libev
 *   io_accept.c   listener, request heads, plain answers       libev, sockets
 *   io_request.c  heads and answers as bytes                   nothing
 *   io_life.c     pings, and who fell silent                   libev
 *   io_lws.c      WebSocket connections                        libwebsockets on the same loop
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_IO_PRIVATE_H
#define RELAY_IO_PRIVATE_H

#include <ev.h>
#include <sys/queue.h>

#include "relay/io.h"

/* What io_log_counters tells, in this order: IO_COUNTER(symbol, "name") */
#define IO_COUNTERS                                                                              \
    IO_COUNTER(ACCEPTED, "accepted")                    /* sockets taken from the listener */    \
    IO_COUNTER(UPGRADED, "upgraded")                    /* became connections */                 \
    IO_COUNTER(ANSWERED, "answered")                    /* plain answers and refusals above */   \
    IO_COUNTER(ABANDONED, "abandoned")                  /* allowed, but gone before the 101 */   \
    IO_COUNTER(REFUSED_FULL, "refused_full")            /* 503: relay_connections_max */         \
    IO_COUNTER(REFUSED_DESCRIPTORS, "refused_descriptors")  /* no descriptor left */             \
    IO_COUNTER(REFUSED_CROWD, "refused_crowd")          /* too many unfinished handshakes */     \
    IO_COUNTER(REFUSED_HEAD, "refused_head")            /* 400, 426, 431, 505 */                 \
    IO_COUNTER(TIMED_OUT, "timed_out")                  /* head not there in time */             \
    IO_COUNTER(LOST, "lost")                            /* left before the head was whole */     \
    IO_COUNTER(CLOSED_BY_PEER, "closed_by_peer")        /* with a Close frame */                 \
    IO_COUNTER(CLOSED_BY_US, "closed_by_us")            /* conn_close */                         \
    IO_COUNTER(BROKEN, "broken")                        /* no Close: reset, or broke the protocol */ \
    IO_COUNTER(TOO_SLOW, "too_slow")                    /* 1013 */                               \
    IO_COUNTER(DEAD_PEER, "dead_peer")                  /* silent for ws_timeout_s */            \
    IO_COUNTER(PROTOCOL_ERROR, "protocol_error")        /* 1007, 1009 */                         \
    IO_COUNTER(FORCED, "forced")                        /* did not drain or answer our Close */  \
    IO_COUNTER(MESSAGES_IN, "messages_in")                                                       \
    IO_COUNTER(BYTES_IN, "bytes_in")                                                             \
    IO_COUNTER(FRAMES_OUT, "frames_out")                                                         \
    IO_COUNTER(BYTES_OUT, "bytes_out")                                                           \
    IO_COUNTER(WRITES, "writes")

enum io_counter {
#define IO_COUNTER(symbol, name) IO_##symbol,
    IO_COUNTERS
#undef IO_COUNTER
    IO_COUNTER_COUNT
};

struct io_accept;       /* io_accept.c */
struct io_links;        /* io_lws.c */

struct io {
    const struct config *config;
    struct io_handlers handlers;
    void *arg;
    struct ev_loop *loop;
    struct io_accept *accept;
    struct io_links *links;
    int64_t counters[IO_COUNTER_COUNT];

    ev_async stop;
    ev_async wake;
    void (*woken)(void *arg);
    void *woken_arg;
    LIST_HEAD(, io_watch) watches;
    LIST_HEAD(, io_timer) timers;
};

/* Descriptors that are neither connections nor unfinished handshakes: database, bus, log ... */
enum { IO_DESCRIPTORS_OTHER = 256 };
enum { IO_HANDSHAKES_MAX = 2048 };      /* sockets whose head is not whole yet, or answer not read */

/* Not listening yet. NULL when out of memory or descriptors. */
struct io_accept *io_accept_new(struct io *io);
void io_accept_free(struct io_accept *a);

/* A descriptor was given back: the listener may go on. */
void io_accept_resume(struct io_accept *a);

/* NULL when libwebsockets cannot start, logged. Freeing closes every connection (`closed` is called). */
struct io_links *io_links_new(struct io *io);
void io_links_free(struct io_links *l);
int64_t io_links_count(const struct io_links *l);

/* Makes fd, whose request head was read, a connection of user; key is the client's. Takes fd, whatever
 * happens. False: nothing was opened. */
bool io_links_open(struct io_links *l, int fd, const char *key, void *user);

#endif
