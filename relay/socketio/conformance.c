/* conformance - echoes that the public test suites of both protocol layers talk to
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/socketio/conformance.h"

#include <string.h>

#include "relay/socketio/engine.h"
#include "shared/log.h"

#define ECHO_MAX ((size_t)64 * 1024 * 1024)

/* ---- Engine.IO ---- */

static void *
engine_opened(void *arg, struct engine_session *s, const struct io_request *r)
{
    (void)arg, (void)r;
    return s;
}

static bool
engine_echo(void *user, const char *p, size_t len, bool binary)
{
    struct frame *f = NULL;
    struct sbuf text;

    sbuf_init(&text, ECHO_MAX);
    if (binary) {
        f = frame_binary(p, len);
    } else {
        sbuf_putc(&text, PACKET_MESSAGE);
        sbuf_put(&text, p, len);
        f = frame_text(text.data, text.len);
    }
    engine_send(user, f);
    frame_unref(f);
    sbuf_fini(&text);
    return true;
}

static void
engine_closed(void *user)
{
    (void)user;
}

static const struct engine_calls engine_calls = {
    .opened = engine_opened,
    .message = engine_echo,
    .closed = engine_closed,
};

/* ---- Socket.IO ---- */

/* [first,rest...] of a rest that is an array. */
static void
put_array(struct sbuf *out, const char *first, const char *rest)
{
    sbuf_printf(out, "[\"%s\"", first);
    if (strcmp(rest, "[]") != 0) {
        sbuf_putc(out, ',');
        sbuf_puts(out, rest + 1);
    } else {
        sbuf_putc(out, ']');
    }
}

static void
joined(void *arg, struct sio_link *link, const struct sio_connect *c)
{
    struct sbuf args;

    (void)arg;
    sio_accept(link);
    sbuf_init(&args, ECHO_MAX);
    sbuf_printf(&args, "[\"auth\",%s]", c->auth);
    sio_emit(link, sbuf_str(&args));
    sbuf_fini(&args);
}

static void
heard(struct sio_link *link, const struct sio_event *e)
{
    bool binary = e->n_attachments > 0;
    struct sbuf args;

    if (strcmp(e->name, "message-with-ack") == 0 && e->ack != SIO_NO_ACK) {
        sio_send_binary(link, binary ? SIO_BINARY_ACK : SIO_ACK, e->ack, e->placed, e->attachments,
                        e->n_attachments);
    } else if (strcmp(e->name, "message") == 0) {
        sbuf_init(&args, ECHO_MAX);
        put_array(&args, "message-back", e->placed);
        sio_send_binary(link, binary ? SIO_BINARY_EVENT : SIO_EVENT, SIO_NO_ACK, sbuf_str(&args),
                        e->attachments, e->n_attachments);
        sbuf_fini(&args);
    }
}

static void
gone(struct sio_link *link)
{
    (void)link;
}

static const struct sio_calls calls = { .connect = joined, .event = heard, .gone = gone };

void
conformance_serve(struct socketio *o)
{
    log_event(LOG_LEVEL_WARNING, "conformance_on", "setting", "sio_conformance", "why",
              "/engine.io/ and /socket.io/ let everybody in and echo: for tests alone", NULL);
    engine_serve(socketio_engine(o), "/engine.io", &engine_calls, NULL);
    socketio_serve(o, "/socket.io", "/", &calls, NULL);
    socketio_serve(o, "/socket.io", "/custom", &calls, NULL);
}
