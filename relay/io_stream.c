/* io_stream - connections that are answers which go on: each frame's payload a line or an event
 *
 * One chunk per write holds whole lines, because some readers decode chunk by chunk. HTTP/1.0 knows no
 * chunks and gets the lines alone. The peer has said everything with its request: what it sends now is
 * read, so that its leaving is noticed, and ignored.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/io_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/io_request.h"

enum { CHUNK_HEAD = 18 };               /* sixteen digits and CRLF at most */
enum { CHATTER_MAX = 4096 };            /* bytes a peer may send behind its request */
enum { LINES_KEPT = 1024 * 1024 };      /* bytes of buffer that are kept from one write to the next */
#define LAST_CHUNK "0\r\n\r\n"

struct stream {
    struct conn conn;                   /* first */
    TAILQ_ENTRY(stream) entry;
    ev_io readable, writable;
    struct sbuf rest;                   /* what the socket did not take */
    size_t rest_at;
    uint16_t chatter;
    uint8_t how;                        /* enum io_stream */
    bool chunked;
    bool ended;                         /* the last chunk was written */
};

static struct stream *
stream_of(const struct conn *c)
{
    return (struct stream *)c;
}

int
io_stream_fd(const struct conn *c)
{
    return stream_of(c)->readable.fd;
}

/* One payload, which may hold several lines: each is one of ours. */
static void
put_payload(struct sbuf *b, const struct stream *s, const unsigned char *p, size_t len)
{
    const unsigned char *end = p + len, *eol;

    for (; p < end; p = eol + 1) {
        if ((eol = memchr(p, '\n', (size_t)(end - p))) == NULL)
            eol = end;
        if (eol == p)
            continue;
        if (s->how == IO_STREAM_EVENTS)
            sbuf_puts(b, "data: ");
        sbuf_put(b, p, (size_t)(eol - p));
        sbuf_puts(b, s->how == IO_STREAM_EVENTS ? "\n\n" : "\n");
    }
}

/* Takes frames off the queue, as many as make a write. Their text begins at CHUNK_HEAD. */
static void
gather(struct stream *s, struct sbuf *b)
{
    struct frame_view v;
    struct frame *f;

    while (b->len < IO_WRITE_MAX && (f = outq_pop(&s->conn.out)) != NULL) {
        for (uint32_t at = 0; frame_next(f, &at, &v); )
            if (v.text)
                put_payload(b, s, v.payload, v.len);
        io_count(s->conn.links->io, IO_FRAMES_OUT, f->parts);
        frame_unref(f);
    }
}

/* Makes what lies behind CHUNK_HEAD a chunk; returns where it begins. */
static size_t
chunk_wrap(struct sbuf *b)
{
    char head[CHUNK_HEAD + 1];
    int len = snprintf(head, sizeof head, "%zx\r\n", b->len - CHUNK_HEAD);
    size_t start = CHUNK_HEAD - (size_t)len;

    memcpy(b->data + start, head, (size_t)len);
    sbuf_puts(b, "\r\n");
    return start;
}

/* Writes p, and keeps what the socket does not take. */
static int
stream_write(struct stream *s, const char *p, size_t len)
{
    struct io *io = s->conn.links->io;
    ssize_t n = send(s->readable.fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

    io_count(io, IO_WRITES, 1);
    io_count(io, IO_BYTES_OUT, (int64_t)len);
    if (n == (ssize_t)len)
        return 0;
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return -1;
    if (n < 0)
        n = 0;
    sbuf_put(&s->rest, p + n, len - (size_t)n);
    if (s->rest.failed)
        return -1;
    conn_owe(&s->conn, s->rest.len);
    ev_io_start(io->loop, &s->writable);
    return 0;
}

/* Writes on where the socket stopped taking. */
static int
rest_write(struct stream *s)
{
    ssize_t n = send(s->readable.fd, s->rest.data + s->rest_at, s->rest.len - s->rest_at,
                     MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    s->rest_at += (size_t)n;
    conn_owe(&s->conn, s->rest.len - s->rest_at);
    if (s->conn.owed == 0) {
        sbuf_fini(&s->rest);
        s->rest_at = 0;
    }
    return 0;
}

static int
queue_write(struct stream *s)
{
    struct sbuf *b = &s->conn.links->lines;
    size_t start = CHUNK_HEAD;
    int e = 0;

    sbuf_reset(b);
    sbuf_grow(b, CHUNK_HEAD);
    gather(s, b);
    if (b->len > CHUNK_HEAD && s->chunked && !b->failed)
        start = chunk_wrap(b);
    s->ended = s->conn.state == CONN_CLOSING && s->conn.out.n == 0;
    if (s->ended && s->chunked)
        sbuf_puts(b, LAST_CHUNK);
    if (b->failed)
        e = -1;
    else if (b->len > start)
        e = stream_write(s, b->data + start, b->len - start);
    if (b->size > LINES_KEPT)
        sbuf_fini(b);
    return e;
}

int
io_stream_flush(struct conn *c)
{
    struct stream *s = stream_of(c);
    struct ev_loop *loop = c->links->io->loop;

    if (c->owed > 0 && rest_write(s) != 0)
        return -1;
    if (c->owed == 0 && !s->ended && (c->out.n > 0 || c->state == CONN_CLOSING)
        && queue_write(s) != 0)
        return -1;
    if (s->ended && c->owed == 0) {
        c->state = CONN_LEAVING;        /* until the peer hangs up, so that nothing is taken from its hands */
        shutdown(s->readable.fd, SHUT_WR);
    }
    if (c->owed > 0 || c->out.n > 0)
        ev_io_start(loop, &s->writable);
    else
        ev_io_stop(loop, &s->writable);
    return 0;
}

static void
stream_free(struct stream *s)
{
    struct io_links *l = s->conn.links;

    ev_io_stop(l->io->loop, &s->readable);
    ev_io_stop(l->io->loop, &s->writable);
    close(s->readable.fd);
    TAILQ_REMOVE(&l->streams, s, entry);
    sbuf_fini(&s->rest);
    conn_fini(&s->conn);
    free(s);
}

void
io_stream_kill(struct conn *c)
{
    struct stream *s = stream_of(c);

    conn_closed(c);
    stream_free(s);
}

static void
stream_readable(struct ev_loop *loop, ev_io *w, int events)
{
    struct stream *s = w->data;
    char bytes[CHATTER_MAX];
    ssize_t n = recv(w->fd, bytes, sizeof bytes, 0);

    (void)loop, (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0 && s->chatter + n <= CHATTER_MAX) {
        s->chatter += (uint16_t)n;
        return;
    }
    io_count(s->conn.links->io, IO_PROTOCOL_ERROR, n > 0);
    conn_kill(&s->conn);
}

static void
stream_writable(struct ev_loop *loop, ev_io *w, int events)
{
    struct stream *s = w->data;

    (void)loop, (void)events;
    if (conn_flush(&s->conn) != 0)
        conn_kill(&s->conn);
}

/* The head and what the layer above wants in front of everything. */
static bool
head_write(struct stream *s, const struct io_answer *head)
{
    struct sbuf out;
    bool good;

    sbuf_init(&out, SIZE_MAX / 2);
    io_answer_write_stream(&out, head, s->chunked);
    if (head->body.len > 0) {
        if (s->chunked)
            sbuf_printf(&out, "%zx\r\n", head->body.len);
        sbuf_put(&out, head->body.data, head->body.len);
        if (s->chunked)
            sbuf_puts(&out, "\r\n");
    }
    good = !out.failed && stream_write(s, out.data, out.len) == 0;
    sbuf_fini(&out);
    return good;
}

bool
io_stream_open(struct io_links *l, int fd, const struct io_answer *head, bool chunked,
               struct io_client *client)
{
    struct stream *s = calloc(1, sizeof *s);

    if (s == NULL) {
        close(fd);
        return false;
    }
    conn_init(&s->conn, l, client);
    s->how = head->stream == IO_STREAM_EVENTS ? IO_STREAM_EVENTS : IO_STREAM_LINES;
    s->chunked = chunked;
    sbuf_init(&s->rest, SIZE_MAX / 2);
    ev_io_init(&s->readable, stream_readable, fd, EV_READ);
    ev_io_init(&s->writable, stream_writable, fd, EV_WRITE);
    s->readable.data = s->writable.data = s;
    TAILQ_INSERT_TAIL(&l->streams, s, entry);
    if (!head_write(s, head)) {
        stream_free(s);
        return false;
    }
    ev_io_start(l->io->loop, &s->readable);
    conn_opened(&s->conn);
    return true;
}

void
io_streams_free(struct io_links *l)
{
    struct stream *s;

    while ((s = TAILQ_FIRST(&l->streams)) != NULL)
        conn_kill(&s->conn);
}
