/* io_lws - WebSocket connections: the one file that knows libwebsockets
 *
 * libwebsockets is a guest on our libev loop and gets a socket only when its request has been
 * accepted. It is then given a minimal request head of our own making, so that the 101 is out before
 * io_links_open() returns and nothing a client wrote in its head ever reaches the library:
 * no cookies, no extensions, no paths, no plain HTTP.
 *
 * Frames are ready-made, so any number of them leave in one write. The library passes bytes
 * through unframed when they are written as LWS_WRITE_HTTP; that is no promise of its
 * documentation, so io_links_new() tries it on a socket pair and falls back to one framed message
 * per write.
 *
 * What is queued during a loop turn is written just before the loop sleeps. Only a
 * connection whose socket did not take everything waits for its writable callback.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/io_conn.h"

#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/io_request.h"
#include "shared/log.h"
#include "shared/utf8.h"

enum { WRITE_MAX = 256 * 1024 };        /* bytes gathered for one write */
enum { RX_SIZE = 128 };                 /* kept per connection for life; messages are gathered by us */
enum { HEADER_POOL = 4 };               /* handshakes in the library at once: one, to be exact */
enum { REASON_MAX = 123 };              /* a Close frame holds 125 bytes, two are the code */
/* WebSocket close codes (RFC 6455 section 7.4.1) */
enum { CODE_INVALID = 1007, CODE_TOO_BIG = 1009, CODE_NO_MEMORY = 1011, CODE_TOO_SLOW = 1013 };

static void
count(struct io_links *l, enum io_counter counter, int64_t n)
{
    l->io->counters[counter] += n;
}

void
conn_mark_dirty(struct conn *c)
{
    if (!c->dirty)
        TAILQ_INSERT_TAIL(&c->links->dirty, c, dirty_entry);
    c->dirty = true;
}

static void
conn_unmark_dirty(struct conn *c)
{
    if (c->dirty)
        TAILQ_REMOVE(&c->links->dirty, c, dirty_entry);
    c->dirty = false;
}

void
conn_kill(struct conn *c)
{
    c->state = CONN_LEAVING;
    io_life_ends(c);
    conn_unmark_dirty(c);
    /* The library would go on flushing what it holds: make that fail. */
    if (lws_partial_buffered(c->wsi))
        shutdown(lws_get_socket_fd(c->wsi), SHUT_RDWR);
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

/* ---- writing ---- */

static int
write_bytes(struct conn *c, unsigned char *p, size_t len, enum lws_write_protocol how)
{
    count(c->links, IO_WRITES, 1);
    count(c->links, IO_BYTES_OUT, (int64_t)len);
    return lws_write(c->wsi, p, len, how) < (int)len ? -1 : 0;
}

/* One message in the library's own framing. */
static int
write_framed(struct conn *c)
{
    struct io_links *l = c->links;
    struct frame *f = outq_pop(&c->out);
    size_t len = f->len - f->payload;
    unsigned char *p = len <= WRITE_MAX ? l->gather : malloc(LWS_PRE + len);
    int e = -1;

    if (p != NULL) {
        memcpy(p + LWS_PRE, f->bytes + f->payload, len);
        e = write_bytes(c, p + LWS_PRE, len, frame_is_ping(f) ? LWS_WRITE_PING : LWS_WRITE_TEXT);
    }
    if (p != l->gather)
        free(p);
    count(l, IO_FRAMES_OUT, 1);
    frame_unref(f);
    return e;
}

/* As many frames as fit into one write; one alone goes from where it lies, however long. */
static int
write_batch(struct conn *c)
{
    struct io_links *l = c->links;
    struct frame *f = outq_pop(&c->out);
    const struct frame *next = outq_peek(&c->out);
    size_t len = f->len;
    int e;

    count(l, IO_FRAMES_OUT, 1);
    if (next == NULL || len + next->len > WRITE_MAX) {
        e = write_bytes(c, f->bytes, len, LWS_WRITE_HTTP);
        frame_unref(f);
        return e;
    }
    memcpy(l->gather, f->bytes, len);
    frame_unref(f);
    while ((next = outq_peek(&c->out)) != NULL && len + next->len <= WRITE_MAX) {
        f = outq_pop(&c->out);
        memcpy(l->gather + len, f->bytes, f->len);
        len += f->len;
        frame_unref(f);
        count(l, IO_FRAMES_OUT, 1);
    }
    return write_bytes(c, l->gather, len, LWS_WRITE_HTTP);
}

/* Writes once what is queued, unless the library still owes the peer something, and asks to be called
 * when more can be done. -1: the connection is broken. */
static int
conn_flush(struct conn *c)
{
    int e = 0;

    if (c->state == CONN_LEAVING)
        return 0;
    if (c->out.n > 0 && !lws_partial_buffered(c->wsi))
        e = c->links->unframed ? write_batch(c) : write_framed(c);
    if (e == 0 && (c->out.n > 0 || c->state == CONN_CLOSING))
        lws_callback_on_writable(c->wsi);
    return e;
}

/* Of what fits into a Close frame, cut before a character and not within it. */
static size_t
reason_length(const char *reason)
{
    size_t len = reason != NULL ? strlen(reason) : 0;

    if (len > REASON_MAX)
        for (len = REASON_MAX; len > 0 && ((unsigned char)reason[len] & 0xc0) == 0x80; )
            len--;
    return len;
}

/* The writable callback; what is returned goes to the library, and -1 starts the closing handshake. */
static int
conn_writable(struct conn *c)
{
    if (c->state == CONN_CLOSING && c->out.n == 0 && !lws_partial_buffered(c->wsi)) {
        c->state = CONN_LEAVING;
        lws_close_reason(c->wsi, c->code, (unsigned char *)c->reason, reason_length(c->reason));
        return -1;
    }
    return conn_flush(c);
}

static void
turn_ends(struct ev_loop *loop, ev_prepare *w, int events)
{
    struct io_links *l = w->data;
    struct conn *c;

    (void)loop, (void)events;
    while ((c = TAILQ_FIRST(&l->dirty)) != NULL) {
        conn_unmark_dirty(c);
        if (conn_flush(c) != 0)
            conn_kill(c);
    }
}

/* ---- reading ---- */

static void
conn_refuse(struct conn *c, int code, const char *reason)
{
    count(c->links, IO_PROTOCOL_ERROR, 1);
    conn_close(c, code, reason);
}

static void
message_deliver(struct conn *c, const char *p, size_t len)
{
    struct io *io = c->links->io;
    bool binary = lws_frame_is_binary(c->wsi);

    if (!binary && !utf8_valid(p, len)) {
        conn_refuse(c, CODE_INVALID, "text is not UTF-8");
        return;
    }
    count(c->links, IO_MESSAGES_IN, 1);
    io->handlers.message(io->arg, c, p, len, binary);
}

/* A piece of a message, of at most RX_SIZE bytes. */
static void
conn_received(struct conn *c, const char *p, size_t len)
{
    struct io_links *l = c->links;
    size_t max = (size_t)l->io->config->ws_message_max;
    size_t more = lws_remaining_packet_payload(c->wsi);
    bool last = lws_is_final_fragment(c->wsi) && more == 0;

    count(l, IO_BYTES_IN, (int64_t)len);
    io_life_heard(c);
    if (c->state != CONN_OPEN)
        return;
    if (more > max || c->in.len + len > max - more) {
        sbuf_fini(&c->in);
        conn_refuse(c, CODE_TOO_BIG, "message is too long");
        return;
    }
    if (last && c->in.len == 0) {
        message_deliver(c, p, len);
        return;
    }
    sbuf_put(&c->in, p, len);
    if (c->in.failed)
        conn_close(c, CODE_NO_MEMORY, "out of memory");
    else if (last)
        message_deliver(c, sbuf_str(&c->in), c->in.len);
    if (last || c->in.failed)
        sbuf_fini(&c->in);
}

/* ---- coming and going ---- */

static struct conn *
conn_new(struct io_links *l, void *user)
{
    struct conn *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->links = l;
    c->user = user;
    outq_init(&c->out);
    sbuf_init(&c->in, (size_t)l->io->config->ws_message_max);
    return c;
}

static void
conn_free(struct conn *c)
{
    conn_unmark_dirty(c);
    outq_fini(&c->out);
    sbuf_fini(&c->in);
    free(c->reason);
    free(c);
}

static void
conn_opened(struct conn *c)
{
    struct io_links *l = c->links;

    io_life_join(l, c);
    l->count++;
    if (l->probing)
        return;
    count(l, IO_UPGRADED, 1);
    l->io->handlers.opened(l->io->arg, c);
}

static void
conn_closed(struct conn *c)
{
    struct io_links *l = c->links;
    struct io *io = l->io;

    io_life_leave(c);
    l->count--;
    if (!l->probing) {
        count(l, c->code != 0 ? IO_CLOSED_BY_US : c->peer_closed ? IO_CLOSED_BY_PEER : IO_BROKEN, 1);
        c->state = CONN_LEAVING;
        io->handlers.closed(io->arg, c);
        io_accept_resume(io->accept);
    }
    conn_free(c);
}

static void
conn_peer_closes(struct conn *c)
{
    c->peer_closed = true;
    c->state = CONN_LEAVING;
    io_life_ends(c);
    outq_fini(&c->out);
}

/* ---- libwebsockets ---- */

static int
lws_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct io_links *l = lws_context_user(lws_get_context(wsi));
    struct conn *c = lws_get_opaque_user_data(wsi);

    (void)user;
    switch (reason) {
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        lws_set_opaque_user_data(wsi, l->opening);
        l->opening->wsi = wsi;
        return 0;
    case LWS_CALLBACK_ESTABLISHED:
        l->opening = NULL;
        conn_opened(c);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        conn_received(c, in, len);
        return 0;
    case LWS_CALLBACK_RECEIVE_PONG:
        io_life_heard(c);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return conn_writable(c);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        conn_peer_closes(c);
        return 0;
    case LWS_CALLBACK_CLOSED:
        /* Also told of one whose 101 could not be written: that is io_links_open's to free. */
        if (c != l->opening)
            conn_closed(c);
        return 0;
    case LWS_CALLBACK_HTTP:             /* an accepted upgrade never comes here */
        return -1;
    default:
        return 0;
    }
}

static void
lws_log(int level, const char *line)
{
    (void)level;
    log_event(LOG_LEVEL_DEBUG, "libwebsockets", "text", line, NULL);
}

static const struct lws_protocols protocols[] = {
    {
        .name = "confab",
        .callback = lws_event,
        .rx_buffer_size = RX_SIZE,
        .tx_packet_size = WRITE_MAX,
    },
    { 0 }
};

/* All zero: we ping by ourselves. The library's timers are one sorted list. */
static const lws_retry_bo_t no_policy;

static enum err
context_create(struct io_links *l)
{
    void *loops[] = { l->io->loop };
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBEV,
        .foreign_loops = loops,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .user = l,
        .max_http_header_pool = HEADER_POOL,
        .retry_and_idle_policy = &no_policy,
    };

    lws_set_log_level(LLL_ERR | LLL_WARN, lws_log);
    l->context = lws_create_context(&info);
    if (l->context != NULL)
        l->vhost = lws_get_vhost_by_name(l->context, "default");
    if (l->vhost == NULL) {
        log_event(LOG_LEVEL_ERROR, "libwebsockets_failed", "version", lws_get_library_version(),
                  "hint", "is its libev plugin installed (libwebsockets-evlib-ev)?", NULL);
        return ERR_INTERNAL;
    }
    return ERR_OK;
}

/* Opens a connection over a socket pair, writes bytes and looks at what comes out behind the 101. */
static bool
pass_through_works(struct io_links *l)
{
    static const unsigned char frames[] = { 0x81, 2, 'h', 'i', 0x89, 0 };
    unsigned char copy[sizeof frames];
    char bytes[1024];
    struct conn *c;
    ssize_t n;
    int pair[2];
    bool works = false;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    l->probing = true;
    if (io_links_open(l, pair[0], "AAAAAAAAAAAAAAAAAAAAAA==", NULL)) {
        for (unsigned i = 0; (c = LIST_FIRST(&l->slots[i])) == NULL; )
            i++;
        memcpy(copy, frames, sizeof frames);
        lws_write(c->wsi, copy, sizeof copy, LWS_WRITE_HTTP);
        n = recv(pair[1], bytes, sizeof bytes, 0);
        works = n > (ssize_t)sizeof frames + 4
            && memcmp(bytes + n - sizeof frames, frames, sizeof frames) == 0
            && memcmp(bytes + n - sizeof frames - 4, "\r\n\r\n", 4) == 0;
        conn_kill(c);
    }
    l->probing = false;
    close(pair[1]);
    return works;
}

struct io_links *
io_links_new(struct io *io)
{
    struct io_links *l = calloc(1, sizeof *l + LWS_PRE + WRITE_MAX);

    if (l == NULL)
        return NULL;
    l->io = io;
    TAILQ_INIT(&l->dirty);
    if (context_create(l) != ERR_OK) {
        free(l);
        return NULL;
    }
    io_life_start(l);
    ev_prepare_init(&l->turn_end, turn_ends);
    l->turn_end.data = l;
    ev_prepare_start(io->loop, &l->turn_end);
    l->unframed = pass_through_works(l);
    if (!l->unframed)
        log_event(LOG_LEVEL_WARNING, "writes_not_coalesced", "libwebsockets",
                  lws_get_library_version(), NULL);
    return l;
}

void
io_links_free(struct io_links *l)
{
    if (l == NULL)
        return;
    io_life_stop(l);
    ev_prepare_stop(l->io->loop, &l->turn_end);
    lws_context_destroy(l->context);
    free(l);
}

int64_t
io_links_count(const struct io_links *l)
{
    return l->count;
}

bool
io_links_open(struct io_links *l, int fd, const char *key, void *user)
{
    struct conn *c = conn_new(l, user);
    char head[256];
    int len = snprintf(head, sizeof head,
                       "GET / HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", key);
    struct lws *wsi;

    if (c == NULL) {
        close(fd);
        return false;
    }
    l->opening = c;
    wsi = lws_adopt_socket_vhost_readbuf(l->vhost, fd, head, (size_t)len);
    if (l->opening == NULL)         /* was opened; may be closed again by now */
        return true;
    l->opening = NULL;
    if (wsi != NULL) {
        lws_set_opaque_user_data(wsi, NULL);
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
    }
    conn_free(c);
    return false;
}

/* ---- what the layer above calls ---- */

void *
conn_user(const struct conn *c)
{
    return c->user;
}

/* Where each write is one message a joined frame has to come apart. */
static void
send_parts(struct conn *c, const struct frame *f)
{
    struct frame *part;
    uint32_t at = 0;

    while ((part = frame_part(f, &at)) != NULL) {
        if (outq_push(&c->out, part, UINT32_MAX, SIZE_MAX) == ERR_OK)
            conn_mark_dirty(c);
        frame_unref(part);
    }
}

void
conn_send(struct conn *c, struct frame *f)
{
    const struct config *config = c->links->io->config;
    enum err e;

    if (c->state != CONN_OPEN)
        return;
    if (f->parts > 1 && !c->links->unframed) {
        send_parts(c, f);
        return;
    }
    e = outq_push(&c->out, f, (uint32_t)config->ws_queue_frames, (size_t)config->ws_queue_bytes);
    if (e == ERR_OK) {
        conn_mark_dirty(c);
        return;
    }
    count(c->links, IO_TOO_SLOW, e == ERR_TOO_SLOW);
    outq_fini(&c->out);
    conn_close(c, e == ERR_TOO_SLOW ? CODE_TOO_SLOW : CODE_NO_MEMORY, "too slow");
}

void
conn_close(struct conn *c, int code, const char *reason)
{
    if (c->state != CONN_OPEN)
        return;
    c->state = CONN_CLOSING;
    c->code = (uint16_t)code;
    c->reason = reason != NULL ? strdup(reason) : NULL;
    io_life_ends(c);
    conn_mark_dirty(c);
}
