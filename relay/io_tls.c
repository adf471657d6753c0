/* io_tls - TLS between a peer and everything else: the one file here that knows OpenSSL
 *
 * Each peer gets a socket pair: we speak TLS with it on its own socket and plain text on the pair, whose
 * other end is an ordinary socket to the rest. So requests stay raw, and WebSockets and streams are none the
 * wiser. Nothing is buffered here: what one side does not take stays peeked at in the other (in OpenSSL at
 * most one record, in the pair what the kernel holds), so each side is as slow as the other.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/io_private.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/io_request.h"
#include "shared/log.h"

enum { RECORD = 16384 };                /* bytes a TLS record holds at most */
enum { RECORDS_PER_WAKE = 16 };         /* moved before others get their turn */

static const double farewell_s = 2.0;   /* how long a peer may take to hang up */

/* A peer, from its socket to our end of the pair. */
struct pump {
    TAILQ_ENTRY(pump) entry;
    struct io_tls *tls;
    SSL *ssl;
    ev_io peer, plain;          /* the peer's socket; our end of the pair, fd -1 until the handshake is done */
    ev_timer deadline;
    bool greeting;              /* the handshake is not done */
    bool peer_ended;            /* nothing more comes from the peer ... */
    bool plain_ended;           /* ... or from the pair */
    bool said_goodbye;          /* close_notify is out */
    bool in_waits_write;        /* SSL_peek cannot go on until the peer's socket is writable ... */
    bool in_waits_plain;        /* ... or the pair is */
    bool out_waits_write;       /* SSL_write until the peer's socket is writable ... */
    bool out_waits_read;        /* ... or readable */
    char address[IO_ADDRESS_SIZE];
};

TAILQ_HEAD(pump_list, pump);

struct io_tls {
    struct io *io;
    struct io_listener *listener;
    char *certificate, *key;
    SSL_CTX *context;
    struct pump_list greeting;  /* the oldest first */
    struct pump_list open;
    unsigned n_greeting;
};

static void
pump_free(struct pump *p)
{
    struct io_tls *t = p->tls;

    ev_io_stop(t->io->loop, &p->peer);
    ev_io_stop(t->io->loop, &p->plain);
    ev_timer_stop(t->io->loop, &p->deadline);
    if (p->greeting) {
        TAILQ_REMOVE(&t->greeting, p, entry);
        t->n_greeting--;
    } else {
        TAILQ_REMOVE(&t->open, p, entry);
    }
    SSL_free(p->ssl);
    close(p->peer.fd);
    if (p->plain.fd >= 0)
        close(p->plain.fd);
    free(p);
    io_accept_resume(t->io->accept);
}

static void
watch(struct pump *p, ev_io *w, int events)
{
    struct ev_loop *loop = p->tls->io->loop;

    if (ev_is_active(w) ? (w->events & (EV_READ | EV_WRITE)) == events : events == 0)
        return;
    ev_io_stop(loop, w);
    if (events == 0)
        return;
    ev_io_set(w, w->fd, events);
    ev_io_start(loop, w);
}

enum result { MOVED, BLOCKED, ENDED, BROKEN };

/* What a call that did not succeed is waiting for. */
static enum result
blocked(struct pump *p, int n, bool *on_read, bool *on_write)
{
    switch (SSL_get_error(p->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        if (on_read != NULL)
            *on_read = true;
        return BLOCKED;
    case SSL_ERROR_WANT_WRITE:
        *on_write = true;
        return BLOCKED;
    case SSL_ERROR_ZERO_RETURN:
        return ENDED;
    default:
        return BROKEN;
    }
}

/* One record from the peer to the pair. */
static enum result
move_in(struct pump *p)
{
    char bytes[RECORD];
    ssize_t sent;
    int n;

    p->in_waits_write = p->in_waits_plain = false;
    ERR_clear_error();
    if ((n = SSL_peek(p->ssl, bytes, sizeof bytes)) <= 0)
        return blocked(p, n, NULL, &p->in_waits_write);
    sent = send(p->plain.fd, bytes, (size_t)n, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
        p->in_waits_plain = true;
        return BLOCKED;
    }
    if (sent < 0)                       /* nobody wants to hear it */
        sent = n;
    return SSL_read(p->ssl, bytes, (int)sent) == (int)sent ? MOVED : BROKEN;
}

/* As much as a record holds from the pair to the peer. A write that blocked is tried again with the
 * same bytes, and perhaps more behind them: they still lie in the pair. */
static enum result
move_out(struct pump *p)
{
    char bytes[RECORD];
    ssize_t seen;
    int n;

    p->out_waits_read = p->out_waits_write = false;
    seen = recv(p->plain.fd, bytes, sizeof bytes, MSG_PEEK);
    if (seen < 0)
        return errno == EAGAIN || errno == EINTR ? BLOCKED : ENDED;
    if (seen == 0)
        return ENDED;
    ERR_clear_error();
    if ((n = SSL_write(p->ssl, bytes, (int)seen)) <= 0)
        return blocked(p, n, &p->out_waits_read, &p->out_waits_write) == BLOCKED ? BLOCKED : BROKEN;
    return recv(p->plain.fd, bytes, (size_t)n, 0) == n ? MOVED : BROKEN;
}

/* True when it stopped because others are to have their turn. */
static bool
move_all(struct pump *p, enum result (*move)(struct pump *p), enum result *last_r)
{
    *last_r = MOVED;
    for (int i = 0; i < RECORDS_PER_WAKE && *last_r == MOVED; i++)
        *last_r = move(p);
    return *last_r == MOVED;
}

/* Nothing more will be said: close_notify, then the end of the socket. */
static void
say_goodbye(struct pump *p)
{
    p->plain_ended = p->said_goodbye = true;
    ERR_clear_error();
    SSL_shutdown(p->ssl);
    shutdown(p->peer.fd, SHUT_WR);
    p->deadline.repeat = farewell_s;
    ev_timer_again(p->tls->io->loop, &p->deadline);
}

/* Watches for what can move next. OpenSSL may hold a record that no socket will tell of: then the peer's
 * socket is fed an event. */
static void
pump_watch(struct pump *p, bool again)
{
    int peer = 0, plain = 0;

    if (!p->peer_ended) {
        if (p->in_waits_plain)
            plain |= EV_WRITE;
        else
            peer |= p->in_waits_write ? EV_WRITE : EV_READ;
    }
    if (!p->plain_ended) {
        if (p->out_waits_write)
            peer |= EV_WRITE;
        else if (p->out_waits_read)
            peer |= EV_READ;
        else
            plain |= EV_READ;
    }
    watch(p, &p->peer, peer);
    watch(p, &p->plain, plain);
    if (again)
        ev_feed_event(p->tls->io->loop, &p->peer, EV_READ);
}

/* Moves what can be moved, both ways. */
static void
pump_run(struct pump *p)
{
    enum result last;
    bool again = false;

    if (!p->peer_ended) {
        again |= move_all(p, move_in, &last);
        if (last == BROKEN) {
            pump_free(p);
            return;
        }
        if (last == ENDED) {
            p->peer_ended = true;
            shutdown(p->plain.fd, SHUT_WR);
        }
    }
    if (!p->plain_ended) {
        again |= move_all(p, move_out, &last);
        if (last == BROKEN) {
            pump_free(p);
            return;
        }
        if (last == ENDED)
            say_goodbye(p);
    }
    if (p->peer_ended && p->plain_ended) {
        pump_free(p);
        return;
    }
    pump_watch(p, again);
}

/* ---- handshakes ---- */

static void
pump_failed(struct pump *p)
{
    io_count(p->tls->io, IO_TLS_FAILED, 1);
    pump_free(p);
}

static void
pump_opens(struct pump *p)
{
    struct io_tls *t = p->tls;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        io_count(t->io, IO_REFUSED_DESCRIPTORS, 1);
        pump_free(p);
        return;
    }
    TAILQ_REMOVE(&t->greeting, p, entry);
    t->n_greeting--;
    p->greeting = false;
    TAILQ_INSERT_TAIL(&t->open, p, entry);
    ev_timer_stop(t->io->loop, &p->deadline);
    ev_io_set(&p->plain, pair[0], EV_READ);
    io_exchange_begin(t->listener, pair[1], p->address);
    pump_run(p);
}

static void
pump_greet(struct pump *p)
{
    bool reads = false, writes = false;
    int n;

    ERR_clear_error();
    if ((n = SSL_accept(p->ssl)) == 1)
        pump_opens(p);
    else if (blocked(p, n, &reads, &writes) != BLOCKED)
        pump_failed(p);
    else
        watch(p, &p->peer, writes ? EV_WRITE : EV_READ);
}

static void
pump_ready(struct ev_loop *loop, ev_io *w, int events)
{
    struct pump *p = w->data;

    (void)loop, (void)events;
    if (p->greeting)
        pump_greet(p);
    else
        pump_run(p);
}

static void
pump_due(struct ev_loop *loop, ev_timer *w, int events)
{
    struct pump *p = w->data;

    (void)loop, (void)events;
    if (p->greeting)
        pump_failed(p);
    else
        pump_free(p);
}

void
io_tls_begin(struct io_tls *t, int fd, const char *address)
{
    struct pump *p;

    /* as in io_exchange_begin */
    if (t->n_greeting >= IO_HANDSHAKES_MAX) {
        io_count(t->io, IO_REFUSED_CROWD, 1);
        pump_free(TAILQ_FIRST(&t->greeting));
    }
    if ((p = calloc(1, sizeof *p)) == NULL || (p->ssl = SSL_new(t->context)) == NULL) {
        free(p);
        close(fd);
        return;
    }
    p->tls = t;
    p->greeting = true;
    strncpy(p->address, address, sizeof p->address - 1);
    ev_io_init(&p->peer, pump_ready, fd, EV_READ);
    ev_io_init(&p->plain, pump_ready, -1, EV_READ);
    ev_init(&p->deadline, pump_due);
    p->peer.data = p->plain.data = p->deadline.data = p;
    p->deadline.repeat = (double)t->io->config->relay_handshake_s;
    ev_timer_again(t->io->loop, &p->deadline);
    TAILQ_INSERT_TAIL(&t->greeting, p, entry);
    t->n_greeting++;
    if (SSL_set_fd(p->ssl, fd) == 1)
        pump_greet(p);
    else
        pump_failed(p);
}

/* ---- certificates ---- */

static void
complain(const char *file)
{
    char why[256] = "not usable";
    unsigned long error = ERR_get_error();

    if (error != 0)
        ERR_error_string_n(error, why, sizeof why);
    ERR_clear_error();
    log_event(LOG_LEVEL_ERROR, "tls_failed", "file", file, "why", why, NULL);
}

/* HTTP/1.1 is all we speak; who offers other things only is told so. */
static int
protocol_choose(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;

    (void)ssl, (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, in, in_len)
        != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *
context_new(const char *certificate, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    ERR_clear_error();
    if (context == NULL)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    /* An end without close_notify is an end: lengths and frames tell whether something is missing. */
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                                     | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                  | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"confab", 6);
    SSL_CTX_set_alpn_select_cb(context, protocol_choose, NULL);
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
        complain(certificate);
    } else if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1
               || SSL_CTX_check_private_key(context) != 1) {
        complain(key);
    } else {
        return context;
    }
    SSL_CTX_free(context);
    return NULL;
}

struct io_tls *
io_tls_new(struct io_listener *l, const char *certificate, const char *key)
{
    struct io_tls *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    t->io = l->io;
    t->listener = l;
    TAILQ_INIT(&t->greeting);
    TAILQ_INIT(&t->open);
    t->certificate = strdup(certificate);
    t->key = strdup(key != NULL && key[0] != '\0' ? key : certificate);
    if (t->certificate != NULL && t->key != NULL)
        t->context = context_new(t->certificate, t->key);
    if (t->context == NULL) {
        io_tls_free(t);
        return NULL;
    }
    return t;
}

void
io_tls_free(struct io_tls *t)
{
    struct pump *p;

    if (t == NULL)
        return;
    while ((p = TAILQ_FIRST(&t->greeting)) != NULL || (p = TAILQ_FIRST(&t->open)) != NULL)
        pump_free(p);
    SSL_CTX_free(t->context);
    free(t->certificate);
    free(t->key);
    free(t);
}

enum err
io_tls_reload(struct io_tls *t)
{
    SSL_CTX *context = context_new(t->certificate, t->key);

    if (context == NULL)
        return ERR_FIELD;
    SSL_CTX_free(t->context);           /* who uses it holds it */
    t->context = context;
    log_event(LOG_LEVEL_INFO, "certificate_read", "file", t->certificate, NULL);
    return ERR_OK;
}
