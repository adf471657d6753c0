/* io_exchange - sockets that speak HTTP: their lists, the answer, and on to the next request
 *
 * An answer is given at once or later, or by the socket becoming a connection. Behind it the socket waits for
 * the next request, or until its peer has hung up.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/io_exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FLUSH_MAX = 1024 * 1024 };           /* bytes of a request thrown away behind an answer */
enum { REQUESTS_MAX = 1000 };               /* on one socket */

static const double flush_s = 2.0;          /* how long an answered peer may take to hang up */
static const double idle_s = 75.0;          /* how long one may take to ask again; proxies keep 60 s */

/* ---- lists, watchers, memory ---- */

static bool
is_held(const struct io_exchange *x)
{
    return x->service != NULL && x->service->holds;
}

static void
list_leave(struct io_exchange *x)
{
    struct io_exchanges *all = x->all;

    if (x->state == EXCHANGE_LATER) {
        TAILQ_REMOVE(&all->later, x, entry);
        if (is_held(x))
            all->n_held--;
        else
            x->listener->n_later--;
    } else {
        TAILQ_REMOVE(&all->pending, x, entry);
        x->listener->n_pending--;
        all->n_pending--;
    }
}

void
io_exchange_join(struct io_exchange *x, enum io_exchange_state state)
{
    struct io_exchanges *all = x->all;

    x->state = (uint8_t)state;
    if (state == EXCHANGE_LATER) {
        TAILQ_INSERT_TAIL(&all->later, x, entry);
        if (is_held(x))
            all->n_held++;
        else
            x->listener->n_later++;
    } else {
        TAILQ_INSERT_TAIL(&all->pending, x, entry);
        x->listener->n_pending++;
        all->n_pending++;
    }
}

void
io_exchange_become(struct io_exchange *x, enum io_exchange_state state)
{
    list_leave(x);
    io_exchange_join(x, state);
}

void
io_exchange_watch(struct io_exchange *x, int events)
{
    struct ev_loop *loop = x->all->io->loop;

    if (ev_is_active(&x->watch) && (x->watch.events & (EV_READ | EV_WRITE)) == events)
        return;
    ev_io_stop(loop, &x->watch);
    ev_io_set(&x->watch, x->watch.fd, events);
    ev_io_start(loop, &x->watch);
}

void
io_exchange_deadline(struct io_exchange *x, double after_s)
{
    x->deadline.repeat = after_s;
    ev_timer_again(x->all->io->loop, &x->deadline);
}

double
io_exchange_patience_s(const struct io_exchange *x)
{
    return (double)x->all->io->config->relay_handshake_s;
}

bool
io_exchange_is_idle(const struct io_exchange *x)
{
    return x->state == EXCHANGE_HEAD && x->requests > 0 && x->head.len == 0;
}

/* Forgets the request. */
static void
request_fini(struct io_exchange *x)
{
    x->all->unfinished -= x->content.len + x->head.len;
    sbuf_fini(&x->content);
    sbuf_fini(&x->head);
}

/* Frees the exchange and returns its socket, which is the caller's now. */
int
io_exchange_release(struct io_exchange *x)
{
    struct io *io = x->all->io;
    int fd = x->watch.fd;

    ev_io_stop(io->loop, &x->watch);
    ev_timer_stop(io->loop, &x->deadline);
    list_leave(x);
    request_fini(x);
    sbuf_fini(&x->out);
    free(x);
    return fd;
}

void
io_exchange_tell_gone(struct io_exchange *x)
{
    void (*gone)(void *arg) = x->on_gone;

    x->on_gone = NULL;
    if (gone != NULL)
        gone(x->gone_arg);
}

void
io_exchange_drop(struct io_exchange *x)
{
    struct io *io = x->all->io;

    if (x->state == EXCHANGE_BODY)
        io_exchange_tell_gone(x);
    close(io_exchange_release(x));
    io_accept_resume(io->accept);
}

/* ---- answering ---- */

/* The answer is out. Closing over unread bytes would reset the connection and could take the answer from
 * the peer's hands: it may hang up first. */
static void
exchange_answered(struct io_exchange *x)
{
    sbuf_fini(&x->out);
    x->ready = x->head_only = false;
    x->on_gone = NULL;
    if (!x->close) {
        x->requests++;
        io_exchange_become(x, EXCHANGE_HEAD);
        io_exchange_deadline(x, idle_s);
        io_exchange_watch(x, EV_READ);
    } else if (x->gone || shutdown(x->watch.fd, SHUT_WR) != 0) {
        io_exchange_drop(x);
    } else {
        io_exchange_become(x, EXCHANGE_FLUSHING);
        io_exchange_deadline(x, flush_s);
        io_exchange_watch(x, EV_READ);
    }
}

void
io_exchange_write(struct io_exchange *x)
{
    ssize_t n = send(x->watch.fd, x->out.data + x->sent, x->out.len - x->sent, MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        io_exchange_drop(x);
        return;
    }
    x->sent += n > 0 ? (size_t)n : 0;
    if (x->sent == x->out.len) {
        exchange_answered(x);
        return;
    }
    if (x->state != EXCHANGE_ANSWERING)
        io_exchange_become(x, EXCHANGE_ANSWERING);
    if (n > 0 || !ev_is_active(&x->deadline))
        io_exchange_deadline(x, io_exchange_patience_s(x));
    io_exchange_watch(x, EV_WRITE);
}

/* Puts the answer into out. */
static void
answer_prepare(struct io_exchange *x, const struct io_answer *a)
{
    x->close |= a->close || x->parsed.close || x->listener->fd < 0 || x->requests + 1 >= REQUESTS_MAX;
    sbuf_init(&x->out, IO_ANSWER_MAX + 2 * IO_HEADERS_MAX);
    x->sent = 0;
    io_answer_write(&x->out, a, x->head_only, x->close);
    x->ready = true;
}

void
io_exchange_send(struct io_exchange *x)
{
    request_fini(x);
    if (x->out.failed)
        io_exchange_drop(x);
    else
        io_exchange_write(x);
}

void
io_exchange_reply(struct io_exchange *x, const struct io_answer *a)
{
    answer_prepare(x, a);
    io_exchange_send(x);
}

/* A refusal of our own, without a body: the systems' shapes are the business of the layer above. */
void
io_exchange_refuse(struct io_exchange *x, int status, enum io_counter counter)
{
    struct io_answer answer = { .status = status, .close = true };

    if (x->state == EXCHANGE_BODY)
        io_exchange_tell_gone(x);
    io_count(x->all->io, counter, 1);
    sbuf_init(&answer.body, 0);
    sbuf_init(&answer.headers, 256);
    if (status == 503)
        sbuf_puts(&answer.headers, "Retry-After: 5\r\n");
    io_exchange_reply(x, &answer);
    sbuf_fini(&answer.headers);
}

void
io_exchange_postpone(struct io_exchange *x)
{
    ev_timer_stop(x->all->io->loop, &x->deadline);
    request_fini(x);
    io_exchange_become(x, EXCHANGE_LATER);
    io_exchange_watch(x, EV_READ);
}

/* ---- behind the request ---- */

/* Who still waits for an answer says nothing, sends his next request already, or is gone. One that has
 * only shut his half gets the answer nevertheless, since nobody can tell the two apart. */
void
io_exchange_listen(struct io_exchange *x)
{
    char byte;
    ssize_t n = recv(x->watch.fd, &byte, 1, MSG_PEEK);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    ev_io_stop(x->all->io->loop, &x->watch);
    if (n > 0)
        return;
    io_count(x->all->io, IO_LOST, 1);
    x->gone = x->close = true;
    io_exchange_tell_gone(x);
}

void
io_exchange_flush(struct io_exchange *x)
{
    char bytes[IO_READ_SIZE];
    ssize_t n = recv(x->watch.fd, bytes, sizeof bytes, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0 && (x->flushed += (size_t)n) <= FLUSH_MAX)
        return;
    io_exchange_drop(x);
}

/* ---- for the files beside, and for the layer above ---- */

struct io_exchanges *
io_exchanges_new(struct io *io)
{
    struct io_exchanges *all = calloc(1, sizeof *all);

    if (all == NULL)
        return NULL;
    all->io = io;
    TAILQ_INIT(&all->pending);
    TAILQ_INIT(&all->later);
    return all;
}

void
io_exchanges_free(struct io_exchanges *all)
{
    struct io_exchange *x;

    if (all == NULL)
        return;
    while ((x = TAILQ_FIRST(&all->pending)) != NULL) {
        if (x->state == EXCHANGE_BODY)
            io_exchange_tell_gone(x);
        close(io_exchange_release(x));
    }
    while ((x = TAILQ_FIRST(&all->later)) != NULL) {    /* whoever answers it frees it */
        ev_io_stop(all->io->loop, &x->watch);
        close(x->watch.fd);
        list_leave(x);
        x->all = NULL;
    }
    free(all);
}

void
io_exchanges_end_idle(struct io_exchanges *all, const struct io_listener *l)
{
    struct io_exchange *x, *next;

    for (x = TAILQ_FIRST(&all->pending); x != NULL; x = next) {
        next = TAILQ_NEXT(x, entry);
        if (x->listener == l && io_exchange_is_idle(x))
            io_exchange_drop(x);
    }
}

void
io_exchange_answer(struct io_exchange *x, const struct io_answer *a)
{
    if (x->all == NULL) {
        free(x);
        return;
    }
    if (x->deciding) {          /* what came of it is done behind the verdict */
        answer_prepare(x, a);
        return;
    }
    io_count(x->all->io, IO_ANSWERED, 1);
    x->on_gone = NULL;
    io_exchange_become(x, EXCHANGE_ANSWERING);
    io_exchange_reply(x, a);
}

void
io_exchange_on_gone(struct io_exchange *x, void (*gone)(void *arg), void *arg)
{
    x->on_gone = gone;
    x->gone_arg = arg;
    if (x->gone)
        io_exchange_tell_gone(x);
}
