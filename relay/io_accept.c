/* io_accept - the listener, and sockets until their request is decided
 *
 * We listen ourselves and read each request head ourselves: the raw target stays raw, a slow
 * handshake costs a small struct here and nothing in libwebsockets, and running out of
 * descriptors is ours to handle. Exactly the head is taken from the socket; what the
 * client sent behind it stays in the kernel for whoever gets the socket next.
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
enum { ANSWER_MAX = 1024 * 1024 };      /* bytes of a plain answer */
enum { FLUSH_MAX = 1024 * 1024 };       /* bytes of a request body thrown away behind an answer */

static const double accept_pause_s = 0.1;   /* out of descriptors: when to look again */
static const double warn_pause_s = 10.0;
static const double flush_s = 2.0;          /* how long an answered peer may take to hang up */

/* A socket that is not a connection: its head is coming, or its answer is being read. */
struct pending {
    TAILQ_ENTRY(pending) entry;
    struct io_accept *accept;
    ev_io readable;
    ev_timer deadline;
    bool answered;
    size_t flushed;
    struct sbuf head;
    char address[IO_ADDRESS_SIZE];
};

struct io_accept {
    struct io *io;
    int fd;                     /* -1: not listening */
    int spare;                  /* held so that there is one to refuse with */
    bool local;                 /* a unix socket, with a web server in front */
    ev_io acceptable;
    ev_timer pause;
    TAILQ_HEAD(, pending) pending;  /* the oldest first */
    unsigned n_pending;
    double warned_s;            /* when the lack of descriptors was last logged */
};

static void
count(struct io_accept *a, enum io_counter counter)
{
    a->io->counters[counter]++;
}

/* Frees the pending and returns its socket, which is the caller's now. */
static int
pending_release(struct pending *p)
{
    struct io_accept *a = p->accept;
    int fd = p->readable.fd;

    ev_io_stop(a->io->loop, &p->readable);
    ev_timer_stop(a->io->loop, &p->deadline);
    TAILQ_REMOVE(&a->pending, p, entry);
    a->n_pending--;
    sbuf_fini(&p->head);
    free(p);
    return fd;
}

static void
pending_drop(struct pending *p)
{
    struct io_accept *a = p->accept;

    close(pending_release(p));
    io_accept_resume(a);
}

/* Sends the answer and waits for the peer to hang up: closing over unread bytes would reset the
 * connection and could take the answer from the peer's hands. */
static void
pending_answer(struct pending *p, const struct io_answer *answer, bool head_only)
{
    struct io *io = p->accept->io;
    struct sbuf out;
    bool sent;

    sbuf_init(&out, ANSWER_MAX);
    io_answer_write(&out, answer, head_only);
    sent = !out.failed
        && send(p->readable.fd, out.data, out.len, MSG_NOSIGNAL) == (ssize_t)out.len
        && shutdown(p->readable.fd, SHUT_WR) == 0;
    sbuf_fini(&out);
    sbuf_fini(&p->head);
    if (!sent) {
        pending_drop(p);
        return;
    }
    p->answered = true;
    ev_timer_stop(io->loop, &p->deadline);
    ev_timer_set(&p->deadline, flush_s, 0.0);
    ev_timer_start(io->loop, &p->deadline);
    ev_io_start(io->loop, &p->readable);
}

/* A refusal of our own, without a body: the systems' shapes are the business of the layer above. */
static void
pending_refuse(struct pending *p, int status, enum io_counter counter)
{
    struct io_answer answer = { .status = status };

    count(p->accept, counter);
    sbuf_init(&answer.body, 0);
    sbuf_init(&answer.headers, 256);
    if (status == 503)
        sbuf_puts(&answer.headers, "Retry-After: 5\r\n");
    pending_answer(p, &answer, false);
    sbuf_fini(&answer.headers);
}

static void
pending_upgrade(struct pending *p, const char *client_key, void *user)
{
    struct io_accept *a = p->accept;
    struct io *io = a->io;
    char key[IO_KEY_LENGTH + 1];

    memcpy(key, client_key, sizeof key);
    if (!io_links_open(io->links, pending_release(p), key, user)) {
        count(a, IO_ABANDONED);
        io->handlers.abandoned(io->arg, user);
        io_accept_resume(a);
    }
}

/* Asks the layer above, and does what it says. */
static void
pending_decide(struct pending *p, const struct io_head *head)
{
    struct io_accept *a = p->accept;
    struct io *io = a->io;
    struct io_request request = {
        .method = head->method, .path = head->path, .query = head->query,
        .upgrade = head->upgrade, .authorization = head->authorization, .origin = head->origin,
        .address = p->address,
    };
    struct io_answer answer = { .status = 500 };
    void *user = NULL;
    bool accepted;

    if (a->local && head->forwarded != NULL && strlen(head->forwarded) < IO_ADDRESS_SIZE)
        request.address = head->forwarded;
    sbuf_init(&answer.body, ANSWER_MAX / 2);
    sbuf_init(&answer.headers, IO_HEAD_MAX);
    accepted = io->handlers.request(io->arg, &request, &answer, &user);
    if (accepted && request.upgrade) {
        pending_upgrade(p, head->key, user);
    } else {
        if (accepted)
            io->handlers.abandoned(io->arg, user);
        count(a, IO_ANSWERED);
        pending_answer(p, &answer, strcmp(request.method, "HEAD") == 0);
    }
    sbuf_fini(&answer.body);
    sbuf_fini(&answer.headers);
}

static void
pending_head_whole(struct pending *p)
{
    struct io *io = p->accept->io;
    struct io_head head;
    int status = io_head_parse(p->head.data, p->head.len, &head);

    ev_io_stop(io->loop, &p->readable);
    if (status != 0)
        pending_refuse(p, status, IO_REFUSED_HEAD);
    else if (head.upgrade && io_links_count(io->links) >= io->config->relay_connections_max)
        pending_refuse(p, 503, IO_REFUSED_FULL);
    else
        pending_decide(p, &head);
}

/* Peeks, then takes what belongs to the head and no more. */
static void
pending_read_head(struct pending *p)
{
    char bytes[IO_HEAD_MAX];
    size_t seen = p->head.len, end;
    ssize_t n = recv(p->readable.fd, bytes, IO_HEAD_MAX - seen, MSG_PEEK);
    enum io_scan scan;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        count(p->accept, IO_LOST);
        pending_drop(p);
        return;
    }
    sbuf_put(&p->head, bytes, (size_t)n);
    if (p->head.failed) {
        pending_refuse(p, 503, IO_REFUSED_HEAD);
        return;
    }
    scan = io_head_scan(p->head.data, p->head.len, seen, &end);
    if (scan == IO_SCAN_BAD) {
        pending_refuse(p, 400, IO_REFUSED_HEAD);
        return;
    }
    if (scan == IO_SCAN_DONE) {
        p->head.len = end;
        n = (ssize_t)(end - seen);
    }
    if (recv(p->readable.fd, bytes, (size_t)n, 0) != n)
        pending_refuse(p, 400, IO_REFUSED_HEAD);
    else if (scan == IO_SCAN_DONE)
        pending_head_whole(p);
    else if (p->head.len == IO_HEAD_MAX)
        pending_refuse(p, 431, IO_REFUSED_HEAD);
}

static void
pending_flush(struct pending *p)
{
    char bytes[IO_HEAD_MAX];
    ssize_t n = recv(p->readable.fd, bytes, sizeof bytes, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0 && (p->flushed += (size_t)n) <= FLUSH_MAX)
        return;
    pending_drop(p);
}

static void
pending_readable(struct ev_loop *loop, ev_io *w, int events)
{
    struct pending *p = w->data;

    (void)loop, (void)events;
    if (p->answered)
        pending_flush(p);
    else
        pending_read_head(p);
}

static void
pending_due(struct ev_loop *loop, ev_timer *w, int events)
{
    struct pending *p = w->data;

    (void)loop, (void)events;
    if (p->answered)
        pending_drop(p);
    else
        pending_refuse(p, 408, IO_TIMED_OUT);
}

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
pending_add(struct io_accept *a, int fd, const struct sockaddr_storage *from)
{
    struct pending *p;
    int one = 1;

    count(a, IO_ACCEPTED);
    /* Who is honest sends his head at once, so in a crowd the oldest has to go. */
    if (a->n_pending >= IO_HANDSHAKES_MAX) {
        count(a, IO_REFUSED_CROWD);
        pending_drop(TAILQ_FIRST(&a->pending));
    }
    if ((p = calloc(1, sizeof *p)) == NULL) {
        close(fd);
        return;
    }
    p->accept = a;
    sbuf_init(&p->head, IO_HEAD_MAX);
    address_write(from, p->address);
    if (!a->local)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    ev_io_init(&p->readable, pending_readable, fd, EV_READ);
    p->readable.data = p;
    ev_timer_init(&p->deadline, pending_due, (double)a->io->config->relay_handshake_s, 0.0);
    p->deadline.data = p;
    ev_io_start(a->io->loop, &p->readable);
    ev_timer_start(a->io->loop, &p->deadline);
    TAILQ_INSERT_TAIL(&a->pending, p, entry);
    a->n_pending++;
    pending_read_head(p);       /* it is often there already */
}

/* No descriptor left: refuse one peer with the spare one and leave the others to wait in
 * the backlog until something is closed. */
static void
accept_starved(struct io_accept *a)
{
    static const char refusal[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
                                  "Content-Length: 0\r\nConnection: close\r\n\r\n";
    int fd;

    count(a, IO_REFUSED_DESCRIPTORS);
    if (a->spare >= 0)
        close(a->spare);
    fd = accept4(a->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        (void)!send(fd, refusal, sizeof refusal - 1, MSG_NOSIGNAL);
        close(fd);
    }
    a->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (ev_now(a->io->loop) - a->warned_s > warn_pause_s) {
        a->warned_s = ev_now(a->io->loop);
        log_event(LOG_LEVEL_WARNING, "out_of_descriptors", "connections",
                  log_number(io_links_count(a->io->links)), NULL);
    }
    ev_io_stop(a->io->loop, &a->acceptable);
    ev_timer_start(a->io->loop, &a->pause);
}

static void
accept_ready(struct ev_loop *loop, ev_io *w, int events)
{
    struct io_accept *a = w->data;

    (void)loop, (void)events;
    for (int i = 0; i < ACCEPT_BUDGET; i++) {
        struct sockaddr_storage from = { 0 };
        socklen_t len = sizeof from;
        int fd = accept4(a->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            pending_add(a, fd, &from);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            accept_starved(a);
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

    (void)events;
    ev_timer_set(&a->pause, accept_pause_s, 0.0);
    ev_io_start(loop, &a->acceptable);
}

/* Tells the port that was taken, which matters when port 0 was asked for. */
static void
listening_log(const struct io_accept *a)
{
    struct sockaddr_storage bound = { 0 };
    socklen_t len = sizeof bound;
    const struct sockaddr_in *v4 = (const void *)&bound;

    getsockname(a->fd, (struct sockaddr *)&bound, &len);    /* the port is at one place in both */
    log_event(LOG_LEVEL_INFO, "listening", "on", a->io->config->relay_listen,
              "port", a->local ? NULL : log_number(ntohs(v4->sin_port)), NULL);
}

struct io_accept *
io_accept_new(struct io *io)
{
    struct io_accept *a = calloc(1, sizeof *a);

    if (a == NULL)
        return NULL;
    a->io = io;
    a->fd = -1;
    a->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    TAILQ_INIT(&a->pending);
    return a;
}

void
io_accept_free(struct io_accept *a)
{
    struct pending *p;

    if (a == NULL)
        return;
    while ((p = TAILQ_FIRST(&a->pending)) != NULL)
        close(pending_release(p));
    if (a->fd >= 0) {
        ev_io_stop(a->io->loop, &a->acceptable);
        ev_timer_stop(a->io->loop, &a->pause);
        close(a->fd);
        if (a->local)
            unlink(a->io->config->relay_listen + strlen("unix:"));
    }
    if (a->spare >= 0)
        close(a->spare);
    free(a);
}

void
io_accept_resume(struct io_accept *a)
{
    if (a != NULL && a->fd >= 0 && ev_is_active(&a->pause)) {
        ev_timer_stop(a->io->loop, &a->pause);
        pause_over(a->io->loop, &a->pause, 0);
    }
}

enum err
io_listen(struct io *io)
{
    struct io_accept *a = io->accept;
    const char *where = io->config->relay_listen;
    enum err e;

    a->local = listen_is_local(where);
    if ((e = listen_open(where, &a->fd)) != ERR_OK)
        return e;
    fcntl(a->fd, F_SETFL, O_NONBLOCK);      /* a peer may be gone before it is accepted */
    ev_io_init(&a->acceptable, accept_ready, a->fd, EV_READ);
    a->acceptable.data = a;
    ev_timer_init(&a->pause, pause_over, accept_pause_s, 0.0);
    a->pause.data = a;
    ev_io_start(io->loop, &a->acceptable);
    listening_log(a);
    return ERR_OK;
}
