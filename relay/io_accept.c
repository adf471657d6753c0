/* io_accept - listeners: taking sockets, and what happens when no descriptor is left
 *
 * We listen ourselves, because running out of descriptors has to be ours to handle. What becomes of a
 * socket is the business of io_reading.c, with TLS after io_tls.c is through with it.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE             /* accept4 */
#include "relay/io_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/io_request.h"
#include "shared/listen.h"
#include "shared/log.h"

enum { ACCEPT_BUDGET = 64 };            /* sockets taken per wake, so that others get their turn */

static const double accept_pause_s = 0.1;   /* out of descriptors: when to look again */
static const double warn_pause_s = 10.0;

struct io_accept {
    struct io *io;
    int spare;                  /* held so that there is one to refuse with */
    bool starved;               /* no listener takes anything */
    ev_timer pause;
    double warned_s;            /* when the lack of descriptors was last logged */
    LIST_HEAD(, io_listener) listeners;
};

static void
address_write(const struct sockaddr_storage *from, char out[IO_ADDRESS_SIZE])
{
    const struct sockaddr_in *v4 = (const void *)from;
    const struct sockaddr_in6 *v6 = (const void *)from;

    strcpy(out, "local");
    if (from->ss_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, out, IO_ADDRESS_SIZE);
    else if (from->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], out, IO_ADDRESS_SIZE);
    else if (from->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &v6->sin6_addr, out, IO_ADDRESS_SIZE);
}

/* Takes fd. */
static void
socket_taken(struct io_listener *l, int fd, const struct sockaddr_storage *from)
{
    char address[IO_ADDRESS_SIZE];
    int one = 1;

    io_count(l->io, IO_ACCEPTED, 1);
    address_write(from, address);
    if (!l->local)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (l->tls != NULL)
        io_tls_begin(l->tls, fd, address);
    else
        io_exchange_begin(l, fd, address);
}

/* No descriptor left: refuse one peer with the spare one and leave the others to wait in
 * the backlog until something is closed. With TLS there are no words for it. */
static void
accept_starved(struct io_accept *a, const struct io_listener *l)
{
    static const char refusal[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
                                  "Content-Length: 0\r\nConnection: close\r\n\r\n";
    struct io_listener *other;
    int fd;

    io_count(a->io, IO_REFUSED_DESCRIPTORS, 1);
    if (a->spare >= 0)
        close(a->spare);
    fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        if (l->tls == NULL)
            (void)!send(fd, refusal, sizeof refusal - 1, MSG_NOSIGNAL);
        close(fd);
    }
    a->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (ev_now(a->io->loop) - a->warned_s > warn_pause_s) {
        a->warned_s = ev_now(a->io->loop);
        log_event(LOG_LEVEL_WARNING, "out_of_descriptors", "connections",
                  log_number(io_links_count(a->io->links)), NULL);
    }
    a->starved = true;
    LIST_FOREACH(other, &a->listeners, entry)
        ev_io_stop(a->io->loop, &other->acceptable);
    ev_timer_set(&a->pause, accept_pause_s, 0.0);
    ev_timer_start(a->io->loop, &a->pause);
}

static void
accept_ready(struct ev_loop *loop, ev_io *w, int events)
{
    struct io_listener *l = w->data;

    (void)loop, (void)events;
    for (int i = 0; i < ACCEPT_BUDGET && l->fd >= 0; i++) {
        struct sockaddr_storage from = { 0 };
        socklen_t len = sizeof from;
        int fd = accept4(l->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            socket_taken(l, fd, &from);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            accept_starved(l->io->accept, l);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

static void
pause_over(struct ev_loop *loop, ev_timer *w, int events)
{
    struct io_accept *a = w->data;
    struct io_listener *l;

    (void)events;
    ev_timer_stop(loop, w);
    a->starved = false;
    LIST_FOREACH(l, &a->listeners, entry)
        if (l->fd >= 0)
            ev_io_start(loop, &l->acceptable);
}

/* Tells the port that was taken, which matters when port 0 was asked for. */
static void
listening_log(const struct io_listener *l)
{
    struct sockaddr_storage bound = { 0 };
    socklen_t len = sizeof bound;
    const struct sockaddr_in *v4 = (const void *)&bound;

    getsockname(l->fd, (struct sockaddr *)&bound, &len);    /* the port is at one place in both */
    log_event(LOG_LEVEL_INFO, "listening", "on", l->where, "port",
              l->local ? NULL : log_number(ntohs(v4->sin_port)), "tls", l->tls != NULL ? "yes" : NULL,
              NULL);
}

static void
listener_shut(struct io_listener *l)
{
    if (l->fd < 0)
        return;
    ev_io_stop(l->io->loop, &l->acceptable);
    close(l->fd);
    l->fd = -1;
    if (l->local)
        unlink(l->where + strlen("unix:"));
}

static void
listener_free(struct io_listener *l)
{
    if (l == NULL)
        return;
    listener_shut(l);
    io_tls_free(l->tls);
    free(l->where);
    free(l);
}

/* Not open yet. NULL when out of memory. */
static struct io_listener *
listener_new(struct io *io, const struct io_listen_options *o)
{
    struct io_listener *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    l->io = io;
    l->fd = -1;
    l->local = listen_is_local(o->where);
    l->services = o->services;
    l->n_services = o->n_services;
    if ((l->where = strdup(o->where)) == NULL) {
        free(l);
        return NULL;
    }
    return l;
}

struct io_accept *
io_accept_new(struct io *io)
{
    struct io_accept *a = calloc(1, sizeof *a);

    if (a == NULL)
        return NULL;
    a->io = io;
    a->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    LIST_INIT(&a->listeners);
    ev_timer_init(&a->pause, pause_over, accept_pause_s, 0.0);
    a->pause.data = a;
    return a;
}

void
io_accept_free(struct io_accept *a)
{
    struct io_listener *l;

    if (a == NULL)
        return;
    ev_timer_stop(a->io->loop, &a->pause);
    while ((l = LIST_FIRST(&a->listeners)) != NULL) {
        LIST_REMOVE(l, entry);
        listener_free(l);
    }
    if (a->spare >= 0)
        close(a->spare);
    free(a);
}

void
io_accept_resume(struct io_accept *a)
{
    if (a != NULL && a->starved)
        pause_over(a->io->loop, &a->pause, 0);
}

enum err
io_listen(struct io *io, const struct io_listen_options *o, struct io_listener **l_r)
{
    struct io_listener *l = listener_new(io, o);
    enum err e;

    if (l == NULL)
        return ERR_NO_MEMORY;
    if (o->tls_certificate != NULL && o->tls_certificate[0] != '\0'
        && (l->tls = io_tls_new(l, o->tls_certificate, o->tls_key)) == NULL) {
        listener_free(l);
        return ERR_FIELD;
    }
    if ((e = listen_open(o->where, &l->fd)) != ERR_OK) {
        l->fd = -1;
        listener_free(l);
        return e;
    }
    fcntl(l->fd, F_SETFL, O_NONBLOCK);      /* a peer may be gone before it is accepted */
    ev_io_init(&l->acceptable, accept_ready, l->fd, EV_READ);
    l->acceptable.data = l;
    if (!io->accept->starved)
        ev_io_start(io->loop, &l->acceptable);
    LIST_INSERT_HEAD(&io->accept->listeners, l, entry);
    listening_log(l);
    if (l_r != NULL)
        *l_r = l;
    return ERR_OK;
}

void
io_unlisten(struct io_listener *l)
{
    listener_shut(l);
    io_exchanges_end_idle(l->io->exchanges, l);
}

enum err
io_listener_reload(struct io_listener *l)
{
    return l->tls != NULL ? io_tls_reload(l->tls) : ERR_OK;
}
