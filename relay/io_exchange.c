/* io_exchange - sockets that speak HTTP: from the first byte to the answer, and on to the next request
 *
 * We read each request ourselves: the raw target stays raw, a slow peer costs a small struct here and
 * nothing in libwebsockets. Exactly the head is taken from the socket, then exactly the body; what the peer
 * sent behind it stays in the kernel for whoever gets the socket next. What becomes a connection leaves here.
 *
 * A function that answers, hands over or drops an exchange is the last thing done with it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/io_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/io_request.h"

enum { ANSWER_MAX = 64 * 1024 * 1024 };     /* bytes of a plain answer */
enum { HEADERS_MAX = 16384 };
enum { FLUSH_MAX = 1024 * 1024 };           /* bytes of a request thrown away behind an answer */
enum { BODIES_MAX = 64 * 1024 * 1024 };     /* bytes of all bodies that are on their way */
enum { LATER_MAX = IO_HANDSHAKES_MAX };     /* requests that are being thought about */
enum { REQUESTS_MAX = 1000 };               /* on one socket */

static const double flush_s = 2.0;          /* how long an answered peer may take to hang up */
static const double idle_s = 75.0;          /* how long one may take to ask again; proxies keep 60 s */

enum state {
    STATE_HEAD,                 /* the head is coming, or nothing yet */
    STATE_BODY,
    STATE_LATER,                /* decided; the answer is not known */
    STATE_ANSWERING,            /* the socket did not take everything at once */
    STATE_FLUSHING,             /* answered, and to be closed when the peer has hung up */
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

TAILQ_HEAD(exchange_list, io_exchange);

struct io_exchanges {
    struct io *io;
    struct exchange_list pending;   /* the longest unmoved first */
    struct exchange_list later;
    unsigned n_pending, n_later;
    size_t bodies;                  /* bytes */
};

/* ---- lists, watchers, memory ---- */

static void
list_leave(struct io_exchange *x)
{
    struct io_exchanges *all = x->all;

    if (x->state == STATE_LATER) {
        TAILQ_REMOVE(&all->later, x, entry);
        all->n_later--;
    } else {
        TAILQ_REMOVE(&all->pending, x, entry);
        all->n_pending--;
    }
}

static void
list_join(struct io_exchange *x, enum state state)
{
    struct io_exchanges *all = x->all;

    x->state = (uint8_t)state;
    if (state == STATE_LATER) {
        TAILQ_INSERT_TAIL(&all->later, x, entry);
        all->n_later++;
    } else {
        TAILQ_INSERT_TAIL(&all->pending, x, entry);
        all->n_pending++;
    }
}

static void
state_change(struct io_exchange *x, enum state state)
{
    list_leave(x);
    list_join(x, state);
}

static void
watch_for(struct io_exchange *x, int events)
{
    struct ev_loop *loop = x->all->io->loop;

    if (ev_is_active(&x->watch) && (x->watch.events & (EV_READ | EV_WRITE)) == events)
        return;
    ev_io_stop(loop, &x->watch);
    ev_io_set(&x->watch, x->watch.fd, events);
    ev_io_start(loop, &x->watch);
}

static void
deadline_set(struct io_exchange *x, double after_s)
{
    x->deadline.repeat = after_s;
    ev_timer_again(x->all->io->loop, &x->deadline);
}

static double
patience_s(const struct io_exchange *x)
{
    return (double)x->all->io->config->relay_handshake_s;
}

/* Forgets the request. */
static void
request_fini(struct io_exchange *x)
{
    x->all->bodies -= x->content.len;
    sbuf_fini(&x->content);
    sbuf_fini(&x->head);
}

/* Frees the exchange and returns its socket, which is the caller's now. */
static int
exchange_release(struct io_exchange *x)
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

static void
exchange_drop(struct io_exchange *x)
{
    struct io *io = x->all->io;

    close(exchange_release(x));
    io_accept_resume(io->accept);
}

/* ---- answering ---- */

static bool
is_idle(const struct io_exchange *x)
{
    return x->state == STATE_HEAD && x->requests > 0 && x->head.len == 0;
}

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
        state_change(x, STATE_HEAD);
        deadline_set(x, idle_s);
        watch_for(x, EV_READ);
    } else if (x->gone || shutdown(x->watch.fd, SHUT_WR) != 0) {
        exchange_drop(x);
    } else {
        state_change(x, STATE_FLUSHING);
        deadline_set(x, flush_s);
        watch_for(x, EV_READ);
    }
}

static void
exchange_write(struct io_exchange *x)
{
    ssize_t n = send(x->watch.fd, x->out.data + x->sent, x->out.len - x->sent, MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        exchange_drop(x);
        return;
    }
    x->sent += n > 0 ? (size_t)n : 0;
    if (x->sent == x->out.len) {
        exchange_answered(x);
        return;
    }
    if (x->state != STATE_ANSWERING)
        state_change(x, STATE_ANSWERING);
    if (n > 0 || !ev_is_active(&x->deadline))
        deadline_set(x, patience_s(x));
    watch_for(x, EV_WRITE);
}

/* Puts the answer into out. */
static void
answer_prepare(struct io_exchange *x, const struct io_answer *a)
{
    x->close |= a->close || x->parsed.close || x->listener->fd < 0 || x->requests + 1 >= REQUESTS_MAX;
    sbuf_init(&x->out, ANSWER_MAX + 2 * HEADERS_MAX);
    x->sent = 0;
    io_answer_write(&x->out, a, x->head_only, x->close);
    x->ready = true;
}

static void
answer_send(struct io_exchange *x)
{
    request_fini(x);
    if (x->out.failed)
        exchange_drop(x);
    else
        exchange_write(x);
}

static void
exchange_answer(struct io_exchange *x, const struct io_answer *a)
{
    answer_prepare(x, a);
    answer_send(x);
}

/* A refusal of our own, without a body: the systems' shapes are the business of the layer above. */
static void
exchange_refuse(struct io_exchange *x, int status, enum io_counter counter)
{
    struct io_answer answer = { .status = status, .close = true };

    io_count(x->all->io, counter, 1);
    sbuf_init(&answer.body, 0);
    sbuf_init(&answer.headers, 256);
    if (status == 503)
        sbuf_puts(&answer.headers, "Retry-After: 5\r\n");
    exchange_answer(x, &answer);
    sbuf_fini(&answer.headers);
}

static void
exchange_postpone(struct io_exchange *x)
{
    ev_timer_stop(x->all->io->loop, &x->deadline);
    request_fini(x);
    state_change(x, STATE_LATER);
    watch_for(x, EV_READ);
}

/* ---- deciding ---- */

static void
client_abandon(struct io *io, struct io_client *client)
{
    io_count(io, IO_ABANDONED, 1);
    client->calls->abandoned(client);
}

static void
exchange_upgrade(struct io_exchange *x, const struct io_answer *a, struct io_client *client)
{
    struct io *io = x->all->io;
    char key[IO_KEY_LENGTH + 1];

    memcpy(key, x->parsed.key, sizeof key);
    if (!io_links_open(io->links, exchange_release(x), key, &a->headers, client)) {
        client_abandon(io, client);
        io_accept_resume(io->accept);
    }
}

static void
exchange_stream(struct io_exchange *x, struct io_answer *a, struct io_client *client)
{
    struct io *io = x->all->io;
    bool chunked = x->parsed.http_1_1;

    if (x->head_only) {
        client_abandon(io, client);
        a->status = 200;
        a->close = true;
        exchange_answer(x, a);
    } else if (io_links_count(io->links) >= io->config->relay_connections_max) {
        client_abandon(io, client);
        exchange_refuse(x, 503, IO_REFUSED_FULL);
    } else if (!io_stream_open(io->links, exchange_release(x), a, chunked, client)) {
        client_abandon(io, client);
        io_accept_resume(io->accept);
    }
}

static void
verdict_follow(struct io_exchange *x, enum io_verdict verdict, struct io_answer *a,
               struct io_client *client)
{
    struct io *io = x->all->io;

    if (verdict == IO_UPGRADE && x->parsed.upgrade) {
        exchange_upgrade(x, a, client);
    } else if (verdict == IO_STREAM) {
        exchange_stream(x, a, client);
    } else if (verdict == IO_LATER && !x->ready) {
        exchange_postpone(x);
    } else {
        io_count(io, IO_ANSWERED, 1);
        if (verdict == IO_UPGRADE)      /* of what was no upgrade: a mistake of the layer above */
            client_abandon(io, client);
        if (x->ready)
            answer_send(x);             /* by io_exchange_answer, at once */
        else
            exchange_answer(x, a);
    }
}

/* Asks the layer above, and does what it says. */
static void
exchange_decide(struct io_exchange *x)
{
    const struct io_head *head = &x->parsed;
    struct io_request request = {
        .method = head->method, .path = head->path, .query = head->query, .upgrade = head->upgrade,
        .address = x->address, .body = sbuf_str(&x->content), .body_len = x->content.len,
        .secure = x->listener->tls != NULL, .fields = &head->fields,
    };
    struct io_answer answer = { .status = 500 };
    struct io_client *client = NULL;
    enum io_verdict verdict;

    if (x->listener->local && head->forwarded != NULL && strlen(head->forwarded) < IO_ADDRESS_SIZE)
        request.address = head->forwarded;
    sbuf_init(&answer.body, ANSWER_MAX);
    sbuf_init(&answer.headers, HEADERS_MAX);
    x->deciding = true;
    verdict = x->service->request(x->service->arg, &request, x, &answer, &client);
    x->deciding = false;
    verdict_follow(x, verdict, &answer, client);
    sbuf_fini(&answer.body);
    sbuf_fini(&answer.headers);
}

static bool
service_fits(const struct io_service *s, const char *path)
{
    size_t len = strlen(s->path);

    if (!s->below)
        return strcmp(s->path, path) == 0;
    return strncmp(s->path, path, len) == 0
        && (path[len] == '\0' || path[len] == '/' || (len > 0 && s->path[len - 1] == '/'));
}

static const struct io_service *
service_find(const struct io_listener *l, const char *path)
{
    for (size_t i = 0; i < l->n_services; i++)
        if (service_fits(&l->services[i], path))
            return &l->services[i];
    return NULL;
}

/* ---- reading ---- */

static void
exchange_read_body(struct io_exchange *x)
{
    struct io_exchanges *all = x->all;
    char bytes[IO_HEAD_MAX];
    size_t used = 0, want = sizeof bytes, before = x->content.len;
    bool peek = x->body.chunked;
    enum io_body_scan scan;
    ssize_t n;

    if (!peek && (uint64_t)x->body.left < want)
        want = (size_t)x->body.left;
    n = recv(x->watch.fd, bytes, want, peek ? MSG_PEEK : 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        io_count(all->io, IO_LOST, 1);
        exchange_drop(x);
        return;
    }
    scan = io_body_feed(&x->body, bytes, (size_t)n, &used, &x->content);
    all->bodies += x->content.len - before;
    if (peek && recv(x->watch.fd, bytes, used, 0) != (ssize_t)used)
        scan = IO_BODY_BAD;
    if (scan == IO_BODY_BAD)
        exchange_refuse(x, 400, IO_REFUSED_BODY);
    else if (scan == IO_BODY_TOO_BIG)
        exchange_refuse(x, 413, IO_REFUSED_BODY);
    else if (x->content.failed || all->bodies > BODIES_MAX)
        exchange_refuse(x, 503, IO_REFUSED_CROWD);
    else if (scan == IO_BODY_WHOLE)
        exchange_decide(x);
}

/* The head is read; the body follows, which may have been waiting for our permission. */
static void
exchange_await_body(struct io_exchange *x)
{
    static const char permission[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const ssize_t len = sizeof permission - 1;

    io_body_begin(&x->body, &x->parsed, x->service->body_max);
    if (x->parsed.content_length > x->service->body_max) {
        exchange_refuse(x, 413, IO_REFUSED_BODY);
        return;
    }
    sbuf_init(&x->content, (size_t)x->service->body_max);
    if (x->parsed.expects_continue && x->parsed.http_1_1
        && send(x->watch.fd, permission, (size_t)len, MSG_NOSIGNAL) != len) {
        exchange_drop(x);
        return;
    }
    x->state = STATE_BODY;
    deadline_set(x, patience_s(x));
    exchange_read_body(x);      /* it is often there already */
}

static void
exchange_head_whole(struct io_exchange *x)
{
    struct io *io = x->all->io;
    int status = io_head_parse(x->head.data, x->head.len, &x->parsed);
    bool has_body = io_head_has_body(&x->parsed);

    if (status != 0) {
        exchange_refuse(x, status, IO_REFUSED_HEAD);
        return;
    }
    x->head_only = strcmp(x->parsed.method, "HEAD") == 0;
    x->service = service_find(x->listener, x->parsed.path);
    if (has_body && (x->service == NULL || x->service->body_max <= 0))
        x->close = true;        /* what follows would be taken for a request */
    if (x->service == NULL) {
        struct io_answer nowhere = { .status = 404 };

        io_count(io, IO_NOWHERE, 1);
        exchange_answer(x, &nowhere);
    } else if (x->parsed.upgrade && io_links_count(io->links) >= io->config->relay_connections_max) {
        exchange_refuse(x, 503, IO_REFUSED_FULL);
    } else if (x->all->n_later >= LATER_MAX) {
        exchange_refuse(x, 503, IO_REFUSED_CROWD);
    } else if (has_body && x->service->body_max > 0) {
        exchange_await_body(x);
    } else {
        exchange_decide(x);
    }
}

/* A kept-alive peer asks again: it is one of those that must be quick. */
static void
exchange_begins_anew(struct io_exchange *x)
{
    state_change(x, STATE_HEAD);
    deadline_set(x, patience_s(x));
}

/* Peeks, then takes what belongs to the head and no more. */
static void
exchange_read_head(struct io_exchange *x)
{
    char bytes[IO_HEAD_MAX];
    size_t seen = x->head.len, end;
    ssize_t n = recv(x->watch.fd, bytes, IO_HEAD_MAX - seen, MSG_PEEK);
    enum io_scan scan;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        io_count(x->all->io, IO_LOST, !is_idle(x));
        exchange_drop(x);
        return;
    }
    if (is_idle(x))
        exchange_begins_anew(x);
    sbuf_init(&x->content, 0);
    x->parsed = (struct io_head){ 0 };
    sbuf_put(&x->head, bytes, (size_t)n);
    if (x->head.failed) {
        exchange_refuse(x, 503, IO_REFUSED_HEAD);
        return;
    }
    scan = io_head_scan(x->head.data, x->head.len, seen, &end);
    if (scan == IO_SCAN_BAD) {
        exchange_refuse(x, 400, IO_REFUSED_HEAD);
        return;
    }
    if (scan == IO_SCAN_DONE) {
        x->head.len = end;
        n = (ssize_t)(end - seen);
    }
    if (recv(x->watch.fd, bytes, (size_t)n, 0) != n)
        exchange_refuse(x, 400, IO_REFUSED_HEAD);
    else if (scan == IO_SCAN_DONE)
        exchange_head_whole(x);
    else if (x->head.len == IO_HEAD_MAX)
        exchange_refuse(x, 431, IO_REFUSED_HEAD);
}

/* Who still waits for an answer says nothing, sends his next request already, or is gone. One that has
 * only shut his half gets the answer nevertheless, since nobody can tell the two apart. */
static void
exchange_listen(struct io_exchange *x)
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
    if (x->on_gone != NULL)
        x->on_gone(x->gone_arg);
}

static void
exchange_flush(struct io_exchange *x)
{
    char bytes[IO_HEAD_MAX];
    ssize_t n = recv(x->watch.fd, bytes, sizeof bytes, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0 && (x->flushed += (size_t)n) <= FLUSH_MAX)
        return;
    exchange_drop(x);
}

static void
exchange_ready(struct ev_loop *loop, ev_io *w, int events)
{
    struct io_exchange *x = w->data;

    (void)loop, (void)events;
    switch ((enum state)x->state) {
    case STATE_HEAD:
        exchange_read_head(x);
        break;
    case STATE_BODY:
        exchange_read_body(x);
        break;
    case STATE_LATER:
        exchange_listen(x);
        break;
    case STATE_ANSWERING:
        exchange_write(x);
        break;
    case STATE_FLUSHING:
        exchange_flush(x);
        break;
    }
}

static void
exchange_due(struct ev_loop *loop, ev_timer *w, int events)
{
    struct io_exchange *x = w->data;

    (void)loop, (void)events;
    if (is_idle(x) || x->state == STATE_FLUSHING) {
        exchange_drop(x);
    } else if (x->state == STATE_ANSWERING) {
        io_count(x->all->io, IO_TIMED_OUT, 1);
        exchange_drop(x);
    } else {
        exchange_refuse(x, 408, IO_TIMED_OUT);
    }
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
    while ((x = TAILQ_FIRST(&all->pending)) != NULL)
        close(exchange_release(x));
    while ((x = TAILQ_FIRST(&all->later)) != NULL) {    /* whoever answers it frees it */
        ev_io_stop(all->io->loop, &x->watch);
        close(x->watch.fd);
        list_leave(x);
        x->all = NULL;
    }
    free(all);
}

void
io_exchange_begin(struct io_listener *l, int fd, const char *address)
{
    struct io_exchanges *all = l->io->exchanges;
    struct io_exchange *x;

    /* Who is honest sends his head at once, so in a crowd the longest unmoved has to go. */
    if (all->n_pending >= IO_HANDSHAKES_MAX) {
        io_count(l->io, IO_REFUSED_CROWD, 1);
        exchange_drop(TAILQ_FIRST(&all->pending));
    }
    if ((x = calloc(1, sizeof *x)) == NULL) {
        close(fd);
        return;
    }
    x->all = all;
    x->listener = l;
    sbuf_init(&x->head, IO_HEAD_MAX);
    strncpy(x->address, address, sizeof x->address - 1);
    ev_io_init(&x->watch, exchange_ready, fd, EV_READ);
    x->watch.data = x;
    ev_init(&x->deadline, exchange_due);
    x->deadline.data = x;
    list_join(x, STATE_HEAD);
    deadline_set(x, patience_s(x));
    watch_for(x, EV_READ);
    exchange_read_head(x);      /* it is often there already */
}

void
io_exchanges_end_idle(struct io_exchanges *all, const struct io_listener *l)
{
    struct io_exchange *x, *next;

    for (x = TAILQ_FIRST(&all->pending); x != NULL; x = next) {
        next = TAILQ_NEXT(x, entry);
        if (x->listener == l && is_idle(x))
            exchange_drop(x);
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
    state_change(x, STATE_ANSWERING);
    exchange_answer(x, a);
}

void
io_exchange_on_gone(struct io_exchange *x, void (*gone)(void *arg), void *arg)
{
    x->on_gone = gone;
    x->gone_arg = arg;
    if (x->gone)
        gone(arg);
}
