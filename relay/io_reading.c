/* io_reading - a request, from its first byte to the decision
 *
 * We read each request ourselves: the raw target stays raw, a slow peer costs a small struct here and
 * nothing in libwebsockets. Exactly the head is taken from the socket, then exactly the body; what the peer
 * sent behind it stays in the kernel for whoever gets the socket next. What becomes a connection leaves here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/io_exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UNFINISHED_MAX = 64 * 1024 * 1024 }; /* bytes of all requests that are on their way */
enum { LATER_MAX = IO_HANDSHAKES_MAX };     /* requests of one listener that are being thought about */

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
    if (!io_links_open(io->links, io_exchange_release(x), key, &a->headers, client)) {
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
        io_exchange_reply(x, a);
    } else if (io_links_count(io->links) >= io->config->relay_connections_max) {
        client_abandon(io, client);
        io_exchange_refuse(x, 503, IO_REFUSED_FULL);
    } else if (!io_stream_open(io->links, io_exchange_release(x), a, chunked, client)) {
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
        io_exchange_postpone(x);
    } else {
        io_count(io, IO_ANSWERED, 1);
        if (verdict == IO_UPGRADE)      /* of what was no upgrade: a mistake of the layer above */
            client_abandon(io, client);
        if (x->ready)
            io_exchange_send(x);             /* by io_exchange_answer, at once */
        else
            io_exchange_reply(x, a);
    }
}

static struct io_request
request_of(struct io_exchange *x)
{
    const struct io_head *head = &x->parsed;
    struct io_request request = {
        .method = head->method, .path = head->path, .query = head->query, .upgrade = head->upgrade,
        .address = x->address, .body = sbuf_str(&x->content), .body_len = x->content.len,
        .secure = x->listener->tls != NULL, .fields = &head->fields,
    };

    if (x->listener->local && head->forwarded != NULL && strlen(head->forwarded) < IO_ADDRESS_SIZE)
        request.address = head->forwarded;
    return request;
}

/* Asks the layer above, and does what it says. */
static void
exchange_decide(struct io_exchange *x)
{
    struct io_request request = request_of(x);
    struct io_answer answer = { .status = 500 };
    struct io_client *client = NULL;
    enum io_verdict verdict;

    x->on_gone = NULL;          /* the body has come */
    sbuf_init(&answer.body, IO_ANSWER_MAX);
    sbuf_init(&answer.headers, IO_HEADERS_MAX);
    x->deciding = true;
    verdict = x->service->request(x->service->arg, &request, x, &answer, &client);
    x->deciding = false;
    verdict_follow(x, verdict, &answer, client);
    sbuf_fini(&answer.body);
    sbuf_fini(&answer.headers);
}

/* Asks whether the body is to be read; false: it was answered. */
static bool
exchange_announce(struct io_exchange *x)
{
    struct io_request request = request_of(x);
    struct io_answer answer = { .status = 500 };
    bool wanted;

    if (x->service->announced == NULL)
        return true;
    sbuf_init(&answer.body, IO_ANSWER_MAX);
    sbuf_init(&answer.headers, IO_HEADERS_MAX);
    wanted = x->service->announced(x->service->arg, &request, x, &answer);
    if (!wanted) {
        io_count(x->all->io, IO_ANSWERED, 1);
        x->close = true;        /* what follows would be taken for a request */
        io_exchange_reply(x, &answer);
    }
    sbuf_fini(&answer.body);
    sbuf_fini(&answer.headers);
    return wanted;
}

/* ---- whose it is ---- */

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
    char bytes[IO_READ_SIZE];
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
        io_exchange_drop(x);
        return;
    }
    scan = io_body_feed(&x->body, bytes, (size_t)n, &used, &x->content);
    all->unfinished += x->content.len - before;
    if (peek && recv(x->watch.fd, bytes, used, 0) != (ssize_t)used)
        scan = IO_BODY_BAD;
    if (scan == IO_BODY_BAD)
        io_exchange_refuse(x, 400, IO_REFUSED_BODY);
    else if (scan == IO_BODY_TOO_BIG)
        io_exchange_refuse(x, 413, IO_REFUSED_BODY);
    else if (x->content.failed || all->unfinished > UNFINISHED_MAX)
        io_exchange_refuse(x, 503, IO_REFUSED_CROWD);
    else if (scan == IO_BODY_WHOLE)
        exchange_decide(x);
}

/* The head is read; the body follows, which may have been waiting for our permission. */
static void
exchange_await_body(struct io_exchange *x)
{
    static const char permission[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const ssize_t len = sizeof permission - 1;

    if (!exchange_announce(x))
        return;
    x->state = EXCHANGE_BODY;
    io_body_begin(&x->body, &x->parsed, x->service->body_max);
    if (x->parsed.content_length > x->service->body_max) {
        io_exchange_refuse(x, 413, IO_REFUSED_BODY);
        return;
    }
    sbuf_init(&x->content, (size_t)x->service->body_max);
    if (x->parsed.expects_continue && x->parsed.http_1_1
        && send(x->watch.fd, permission, (size_t)len, MSG_NOSIGNAL) != len) {
        io_exchange_drop(x);
        return;
    }
    io_exchange_deadline(x, io_exchange_patience_s(x));
    exchange_read_body(x);      /* it is often there already */
}

static void
exchange_head_whole(struct io_exchange *x)
{
    struct io *io = x->all->io;
    int status = io_head_parse(x->head.data, x->head.len, &x->parsed);
    bool has_body = io_head_has_body(&x->parsed);

    if (status != 0) {
        io_exchange_refuse(x, status, IO_REFUSED_HEAD);
        return;
    }
    x->head_only = strcmp(x->parsed.method, "HEAD") == 0;
    x->service = service_find(x->listener, x->parsed.path);
    if (has_body && (x->service == NULL || x->service->body_max <= 0))
        x->close = true;        /* what follows would be taken for a request */
    if (x->service == NULL) {
        struct io_answer nowhere = { .status = 404 };

        io_count(io, IO_NOWHERE, 1);
        io_exchange_reply(x, &nowhere);
    } else if ((x->parsed.upgrade || (x->service->holds && !has_body))
               && io_links_count(io->links) + x->all->n_held >= io->config->relay_connections_max) {
        io_exchange_refuse(x, 503, IO_REFUSED_FULL);
    } else if (x->listener->n_later >= LATER_MAX) {
        io_exchange_refuse(x, 503, IO_REFUSED_CROWD);
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
    io_exchange_become(x, EXCHANGE_HEAD);
    io_exchange_deadline(x, io_exchange_patience_s(x));
}

/* Peeks, then takes what belongs to the head and no more. */
static void
exchange_read_head(struct io_exchange *x)
{
    char bytes[IO_READ_SIZE];
    size_t seen = x->head.len, room = IO_HEAD_MAX - seen, end;
    ssize_t n = recv(x->watch.fd, bytes, room < sizeof bytes ? room : sizeof bytes, MSG_PEEK);
    enum io_scan scan;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        io_count(x->all->io, IO_LOST, !io_exchange_is_idle(x));
        io_exchange_drop(x);
        return;
    }
    if (io_exchange_is_idle(x))
        exchange_begins_anew(x);
    sbuf_init(&x->content, 0);
    x->parsed = (struct io_head){ 0 };
    sbuf_put(&x->head, bytes, (size_t)n);
    if (x->head.failed) {
        io_exchange_refuse(x, 503, IO_REFUSED_HEAD);
        return;
    }
    scan = io_head_scan(x->head.data, x->head.len, seen, &end);
    if (scan == IO_SCAN_DONE) {
        x->head.len = end;
        n = (ssize_t)(end - seen);
    }
    x->all->unfinished += (size_t)n;
    if (scan == IO_SCAN_BAD)
        io_exchange_refuse(x, 400, IO_REFUSED_HEAD);
    else if (x->all->unfinished > UNFINISHED_MAX)
        io_exchange_refuse(x, 503, IO_REFUSED_CROWD);
    else if (recv(x->watch.fd, bytes, (size_t)n, 0) != n)
        io_exchange_refuse(x, 400, IO_REFUSED_HEAD);
    else if (scan == IO_SCAN_DONE)
        exchange_head_whole(x);
    else if (x->head.len == IO_HEAD_MAX)
        io_exchange_refuse(x, memchr(x->head.data, '\n', IO_HEAD_MAX) != NULL ? 431 : 413,
                           IO_REFUSED_HEAD);
}

static void
exchange_ready(struct ev_loop *loop, ev_io *w, int events)
{
    struct io_exchange *x = w->data;

    (void)loop, (void)events;
    switch ((enum io_exchange_state)x->state) {
    case EXCHANGE_HEAD:
        exchange_read_head(x);
        break;
    case EXCHANGE_BODY:
        exchange_read_body(x);
        break;
    case EXCHANGE_LATER:
        io_exchange_listen(x);
        break;
    case EXCHANGE_ANSWERING:
        io_exchange_write(x);
        break;
    case EXCHANGE_FLUSHING:
        io_exchange_flush(x);
        break;
    }
}

static void
exchange_due(struct ev_loop *loop, ev_timer *w, int events)
{
    struct io_exchange *x = w->data;

    (void)loop, (void)events;
    if (io_exchange_is_idle(x) || x->state == EXCHANGE_FLUSHING) {
        io_exchange_drop(x);
    } else if (x->state == EXCHANGE_ANSWERING) {
        io_count(x->all->io, IO_TIMED_OUT, 1);
        io_exchange_drop(x);
    } else {
        io_exchange_refuse(x, 408, IO_TIMED_OUT);
    }
}

/* The longest unmoved at the door where the crowd is, if it is at one: nobody has to go for those at another. */
static struct io_exchange *
crowd_first(const struct io_exchanges *all)
{
    struct io_exchange *x;

    TAILQ_FOREACH(x, &all->pending, entry)
        if (x->listener->n_pending >= all->n_pending / 2)
            return x;
    return TAILQ_FIRST(&all->pending);
}

void
io_exchange_begin(struct io_listener *l, int fd, const char *address)
{
    struct io_exchanges *all = l->io->exchanges;
    struct io_exchange *x;

    /* Who is honest sends his head at once, so in a crowd the longest unmoved has to go. */
    if (all->n_pending >= IO_HANDSHAKES_MAX) {
        io_count(l->io, IO_REFUSED_CROWD, 1);
        io_exchange_drop(crowd_first(all));
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
    io_exchange_join(x, EXCHANGE_HEAD);
    io_exchange_deadline(x, io_exchange_patience_s(x));
    io_exchange_watch(x, EV_READ);
    exchange_read_head(x);      /* it is often there already */
}
