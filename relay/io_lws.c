/* io_lws - WebSocket connections: the one file that knows libwebsockets
 *
 * libwebsockets is a guest on our libev loop and gets a socket only when its request has been
 * accepted. It is then given a minimal request head of our own making, so that the 101 is out before
 * io_links_open() returns and nothing a client wrote in its head ever reaches the library:
 * no cookies, no extensions, no paths, no plain HTTP.
 *
 * Frames are ready-made, so any number of them leave in one write. While the library owes the peer nothing
 * they go straight to the socket, which is a tenth cheaper; what it does not take is handed to the library,
 * which then puts its own frames (pong, Close) behind and not between. It passes bytes through unframed
 * when they are written as LWS_WRITE_HTTP; that is no promise of its documentation, so io_lws_start()
 * tries it on a socket pair and falls back to one framed message per write.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/io_conn.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/io_request.h"
#include "shared/log.h"
#include "shared/utf8.h"

enum { RX_SIZE = 80 };                  /* kept per connection for life; messages are gathered by us */
enum { HEADER_POOL = 4 };               /* handshakes in the library at once: one, to be exact */
enum { OPCODE_CLOSE = 8 };
enum { REASON_MAX = 123 };              /* a Close frame holds 125 bytes, two are the code */
/* WebSocket close codes (RFC 6455 section 7.4.1) */
enum { CODE_INVALID = 1007, CODE_TOO_BIG = 1009, CODE_NO_MEMORY = 1011, CODE_LATER = 1013 };
enum { UNFINISHED_MAX = 64 * 1024 * 1024 };     /* bytes of all messages that are on their way */

_Static_assert(LWS_PRE <= 64, "io_links_new leaves room for it");

/* ---- writing ---- */

int
io_lws_fd(const struct conn *c)
{
    return lws_get_socket_fd(c->wsi);
}

void
io_lws_kill(struct conn *c)
{
    /* The library would go on flushing what it holds: make that fail. */
    if (lws_partial_buffered(c->wsi))
        shutdown(io_lws_fd(c), SHUT_RDWR);
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

static void
count_write(struct conn *c, size_t len)
{
    io_count(c->links->io, IO_WRITES, 1);
    io_count(c->links->io, IO_BYTES_OUT, (int64_t)len);
}

/* Whole frames. */
static int
write_bytes(struct conn *c, unsigned char *p, size_t len)
{
    ssize_t n = send(io_lws_fd(c), p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

    count_write(c, len);
    if (n == (ssize_t)len)
        return 0;
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return -1;
    if (n < 0)
        n = 0;
    conn_owe(c, len - (size_t)n);
    return lws_write(c->wsi, p + n, c->owed, LWS_WRITE_HTTP) < (int)c->owed ? -1 : 0;
}

static enum lws_write_protocol
protocol_of(const struct frame *f)
{
    struct frame_view v;
    uint32_t at = 0;

    if (frame_is_ping(f))
        return LWS_WRITE_PING;
    return frame_next(f, &at, &v) && v.binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
}

/* One message in the library's own framing. */
static int
write_framed(struct conn *c)
{
    struct io_links *l = c->links;
    struct frame *f = outq_pop(&c->out);
    size_t len = f->len - f->payload;
    unsigned char *p = len <= IO_WRITE_MAX ? l->gather : malloc(LWS_PRE + len);
    int e = -1;

    if (p != NULL) {
        memcpy(p + LWS_PRE, f->bytes + f->payload, len);
        count_write(c, len);
        e = lws_write(c->wsi, p + LWS_PRE, len, protocol_of(f)) < (int)len ? -1 : 0;
        conn_owe(c, lws_partial_buffered(c->wsi) ? len : 0);
    }
    if (p != l->gather)
        free(p);
    io_count(l->io, IO_FRAMES_OUT, 1);
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
    int64_t frames = f->parts;
    int e;

    if (next == NULL || len + next->len > IO_WRITE_MAX) {
        e = write_bytes(c, f->bytes, len);
        frame_unref(f);
        io_count(l->io, IO_FRAMES_OUT, frames);
        return e;
    }
    memcpy(l->gather, f->bytes, len);
    frame_unref(f);
    while ((next = outq_peek(&c->out)) != NULL && len + next->len <= IO_WRITE_MAX) {
        f = outq_pop(&c->out);
        memcpy(l->gather + len, f->bytes, f->len);
        len += f->len;
        frames += f->parts;
        frame_unref(f);
    }
    io_count(l->io, IO_FRAMES_OUT, frames);
    return write_bytes(c, l->gather, len);
}

/* While the library holds bytes for a peer, his Close would be the end of everything, unanswered.
 * Where the answer matters he is not heard until he has taken them. */
static void
hear(struct conn *c, bool on)
{
    on |= c->client == NULL || c->client->rules->bare_close_code == 0;
    if (c->deaf == !on)
        return;
    c->deaf = !on;
    lws_rx_flow_control(c->wsi, on);
}

int
io_lws_flush(struct conn *c)
{
    bool owes = lws_partial_buffered(c->wsi);
    int e = 0;

    if (!owes)
        conn_owe(c, 0);
    if (c->out.n > 0 && !owes)
        e = c->links->unframed ? write_batch(c) : write_framed(c);
    hear(c, !lws_partial_buffered(c->wsi));
    if (e == 0 && (c->out.n > 0 || c->owed > 0 || c->state == CONN_CLOSING))
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
lws_writable(struct conn *c)
{
    if (c->state == CONN_CLOSING && c->out.n == 0 && !lws_partial_buffered(c->wsi)) {
        c->state = CONN_LEAVING;
        hear(c, true);
        lws_close_reason(c->wsi, c->code, (unsigned char *)c->reason, reason_length(c->reason));
        return -1;
    }
    return conn_flush(c);
}

/* ---- reading ---- */

static void
message_deliver(struct conn *c, const char *p, size_t len)
{
    bool binary = lws_frame_is_binary(c->wsi);

    if (!binary && !utf8_valid(p, len)) {
        conn_refuse(c, CODE_INVALID, "text is not UTF-8");
        return;
    }
    io_count(c->links->io, IO_MESSAGES_IN, 1);
    c->client->calls->message(c->client, p, len, binary);
}

void
io_lws_forget(struct conn *c)
{
    struct unfinished *in = c->in;

    c->in = NULL;
    if (in == NULL)
        return;
    TAILQ_REMOVE(&c->links->unfinished, in, entry);
    c->links->unfinished_size -= in->text.size;
    sbuf_fini(&in->text);
    free(in);
}

static struct unfinished *
in_begin(struct conn *c, size_t max)
{
    struct unfinished *in = malloc(sizeof *in);

    if (in == NULL)
        return NULL;
    in->conn = c;
    sbuf_init(&in->text, max);
    TAILQ_INSERT_TAIL(&c->links->unfinished, in, entry);
    return c->in = in;
}

/* Who is honest sends the rest at once, so in a crowd the longest unfinished has to go: one who sends much and
 * never all of it fills the memory with nothing but his own. */
static void
in_bound(struct io_links *l)
{
    while (l->unfinished_size > UNFINISHED_MAX) {
        struct conn *first = TAILQ_FIRST(&l->unfinished)->conn;

        io_lws_forget(first);
        if (first->state == CONN_OPEN)
            conn_refuse(first, CODE_LATER, "too much is on its way");
    }
}

/* Keeps a piece; false when there is no memory for it. */
static bool
in_keep(struct conn *c, const char *p, size_t len, size_t max)
{
    struct unfinished *in = c->in != NULL ? c->in : in_begin(c, max);
    size_t before;

    if (in == NULL)
        return false;
    before = in->text.size;
    sbuf_put(&in->text, p, len);
    c->links->unfinished_size += in->text.size - before;
    return !in->text.failed;
}

/* A piece of a message, of at most RX_SIZE bytes. */
static void
received(struct conn *c, const char *p, size_t len)
{
    size_t max = (size_t)c->client->rules->message_max;
    size_t more = lws_remaining_packet_payload(c->wsi), before = c->in != NULL ? c->in->text.len : 0;
    bool last = lws_is_final_fragment(c->wsi) && more == 0;

    io_count(c->links->io, IO_BYTES_IN, (int64_t)len);
    io_life_heard(c);
    if (c->state != CONN_OPEN)
        return;
    if (more > max || before + len > max - more) {
        io_lws_forget(c);
        conn_refuse(c, CODE_TOO_BIG, "message is too long");
    } else if (last && before == 0) {
        io_lws_forget(c);
        message_deliver(c, p, len);
    } else if (!in_keep(c, p, len, max)) {
        io_lws_forget(c);
        conn_close(c, CODE_NO_MEMORY, "out of memory");
    } else if (last) {
        message_deliver(c, sbuf_str(&c->in->text), c->in->text.len);
        io_lws_forget(c);
    } else {
        in_bound(c->links);
    }
}

/* ---- coming and going ---- */

/* The library can only echo, and its own Close would wait for another; ours goes past it, and the
 * socket ends behind it. -1, for the library. */
static int
answer_close(struct conn *c, int code)
{
    unsigned char close[] = {
        0x80 | OPCODE_CLOSE, 2, (unsigned char)(code >> 8), (unsigned char)code
    };

    if (c->links->unframed)
        write_bytes(c, close, sizeof close);
    else
        lws_close_reason(c->wsi, (enum lws_close_status)code, NULL, 0);
    return -1;
}

/* 0: the library echoes the peer's Close frame, which held len bytes. */
static int
peer_closes(struct conn *c, size_t len)
{
    int bare = c->client != NULL ? c->client->rules->bare_close_code : 0;

    c->peer_closed = true;
    c->state = CONN_LEAVING;
    io_life_ends(c);
    outq_fini(&c->out);
    return len < 2 && bare != 0 ? answer_close(c, bare) : 0;
}

static void
conn_free(struct conn *c)
{
    conn_fini(c);
    free(c);
}

/* Adds what the layer above wants in the 101. */
static int
add_headers(struct io_links *l, struct lws_process_html_args *args)
{
    const struct sbuf *headers = l->opening_headers;

    if (headers == NULL || headers->len == 0)
        return 0;
    if (args->max_len < 0 || headers->len > (size_t)args->max_len)
        return -1;
    memcpy(args->p, headers->data, headers->len);
    args->p += headers->len;
    return 0;
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
    case LWS_CALLBACK_ADD_HEADERS:
        return add_headers(l, in);
    case LWS_CALLBACK_ESTABLISHED:
        l->opening = NULL;
        conn_opened(c);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        received(c, in, len);
        return 0;
    case LWS_CALLBACK_RECEIVE_PONG:
        io_life_heard(c);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return lws_writable(c);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return peer_closes(c, len);
    case LWS_CALLBACK_CLOSED:
        /* Also told of one whose 101 could not be written: that is io_links_open's to free. */
        if (c != l->opening) {
            conn_closed(c);
            conn_free(c);
        }
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
        .tx_packet_size = IO_WRITE_MAX,
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

static struct conn *
conn_new(struct io_links *l, struct io_client *client)
{
    struct conn *c = calloc(1, sizeof *c);

    if (c != NULL)
        conn_init(c, l, client);
    return c;
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
    if (io_links_open(l, pair[0], "AAAAAAAAAAAAAAAAAAAAAA==", NULL, NULL)) {
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

enum err
io_lws_start(struct io_links *l)
{
    enum err e = context_create(l);

    if (e != ERR_OK)
        return e;
    l->unframed = pass_through_works(l);
    if (!l->unframed)
        log_event(LOG_LEVEL_WARNING, "writes_not_coalesced", "libwebsockets",
                  lws_get_library_version(), NULL);
    return ERR_OK;
}

void
io_lws_stop(struct io_links *l)
{
    lws_context_destroy(l->context);
}

bool
io_links_open(struct io_links *l, int fd, const char *key, const struct sbuf *headers,
              struct io_client *client)
{
    struct conn *c = conn_new(l, client);
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
    l->opening_headers = headers;
    wsi = lws_adopt_socket_vhost_readbuf(l->vhost, fd, head, (size_t)len);
    l->opening_headers = NULL;
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
