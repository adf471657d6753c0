/* io_exchange - a socket that speaks HTTP, between io_reading.c and io_exchange.c
 *
 * A function that answers, hands over or drops an exchange is the last thing done with it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_IO_EXCHANGE_H
#define RELAY_IO_EXCHANGE_H

#include "relay/io_private.h"
#include "relay/io_request.h"

enum { IO_ANSWER_MAX = 64 * 1024 * 1024 };  /* bytes of a plain answer */
enum { IO_HEADERS_MAX = 16384 };
enum { IO_READ_SIZE = 16384 };              /* bytes taken from a socket at once */

enum io_exchange_state {
    EXCHANGE_HEAD,              /* the head is coming, or nothing yet */
    EXCHANGE_BODY,
    EXCHANGE_LATER,             /* decided; the answer is not known */
    EXCHANGE_ANSWERING,         /* the socket did not take everything at once */
    EXCHANGE_FLUSHING,          /* answered, and to be closed when the peer has hung up */
};

struct io_exchange {
    TAILQ_ENTRY(io_exchange) entry;
    struct io_exchanges *all;   /* NULL: the loop is gone */
    struct io_listener *listener;
    ev_io watch;
    ev_timer deadline;
    uint8_t state;
    bool deciding : 1;          /* the layer above is being asked */
    bool ready : 1;             /* `out` holds the answer */
    bool gone : 1;              /* the peer is, or has said everything */
    bool close : 1;             /* the socket ends behind the answer */
    bool head_only : 1;         /* the method is HEAD */
    unsigned requests;          /* answered before */
    size_t flushed;
    struct sbuf head, content, out;
    size_t sent;                /* of out */
    struct io_head parsed;
    struct io_body body;
    const struct io_service *service;
    void (*on_gone)(void *arg);
    void *gone_arg;
    char address[IO_ADDRESS_SIZE];
};

TAILQ_HEAD(io_exchange_list, io_exchange);

struct io_exchanges {
    struct io *io;
    struct io_exchange_list pending;    /* the longest unmoved first */
    struct io_exchange_list later;
    unsigned n_pending;
    int64_t n_held;                     /* of those later, the ones that count as connections */
    size_t unfinished;                  /* bytes of all requests that are kept */
};

/* A new one enters the lists; a known one changes state. */
void io_exchange_join(struct io_exchange *x, enum io_exchange_state state);
void io_exchange_become(struct io_exchange *x, enum io_exchange_state state);

/* What to wait for next, and how long; how long a peer may take over a request or an answer. */
void io_exchange_watch(struct io_exchange *x, int events);
void io_exchange_deadline(struct io_exchange *x, double after_s);
double io_exchange_patience_s(const struct io_exchange *x);

/* Answered before, and nothing of a further request has come. */
bool io_exchange_is_idle(const struct io_exchange *x);

/* Tells who asked for it that the peer is gone, once. */
void io_exchange_tell_gone(struct io_exchange *x);

/* Frees the exchange and returns its socket, which is the caller's now. */
int io_exchange_release(struct io_exchange *x);
void io_exchange_drop(struct io_exchange *x);

/* Answers now; with what `out` holds already; with a refusal of our own, counted; or not yet. */
void io_exchange_reply(struct io_exchange *x, const struct io_answer *a);
void io_exchange_send(struct io_exchange *x);
void io_exchange_refuse(struct io_exchange *x, int status, enum io_counter counter);
void io_exchange_postpone(struct io_exchange *x);

/* The socket is ready, in EXCHANGE_ANSWERING, EXCHANGE_LATER, EXCHANGE_FLUSHING. */
void io_exchange_write(struct io_exchange *x);
void io_exchange_listen(struct io_exchange *x);
void io_exchange_flush(struct io_exchange *x);

#endif
