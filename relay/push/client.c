/* client - a connection's life: opened, sending, closing
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/client_private.h"

#include "relay/mem.h"
#include "relay/push/admission.h"
#include "relay/push/callback.h"
#include "relay/push/subscription.h"
#include "relay/push/tail.h"
#include "shared/id.h"
#include "shared/log.h"
#include "shared/when.h"

#define ANSWER_MAX (64u << 20)
#define MINUTE_MS 60000

static const char *const transport_names[] = {
    [TRANSPORT_WEBSOCKET] = "websocket",
    [TRANSPORT_HTTP_STREAM] = "http_stream",
    [TRANSPORT_SSE] = "sse",
    [TRANSPORT_UNI_WEBSOCKET] = "uni_websocket",
    [TRANSPORT_UNI_HTTP_STREAM] = "uni_http_stream",
    [TRANSPORT_UNI_SSE] = "uni_sse",
};

static struct push_client *
client_of(struct io_client *io)
{
    return (struct push_client *)io;
}

void
client_ref(struct push_client *c)
{
    c->refs++;
}

void
client_unref(struct push_client *c)
{
    if (--c->refs > 0)
        return;
    if (c->parked)
        sbuf_fini(c->parked);
    free(c->parked);
    free(c->info);
    free(c->client_info);
    free(c->close_reason);
    free(c);
}

const char *
client_transport_name(const struct push_client *c)
{
    return transport_names[c->transport];
}

/* ---- sending ---- */

void
client_send_frame(struct push_client *c, struct frame *f)
{
    if (c->conn && c->state != CLIENT_CLOSING)
        conn_send(c->conn, f);
}

void
client_send(struct push_client *c, struct sbuf *line)
{
    struct frame *f = line->failed ? NULL : frame_text(line->data, line->len);

    sbuf_fini(line);
    if (f)
        client_send_frame(c, f);
    else
        client_close(c, CLOSE_SERVER_ERROR, NULL);
    frame_unref(f);
}

/* One-way clients have no replies: an error ends them. */
static enum push_close
close_for(enum push_error e)
{
    switch (e) {
    case PUSH_TOKEN_EXPIRED:
    case PUSH_EXPIRED:
        return CLOSE_CONNECTION_EXPIRED;
    case PUSH_TOO_MANY:
        return CLOSE_TOO_MANY_REQUESTS;
    case PUSH_INTERNAL:
        return CLOSE_SERVER_ERROR;
    case PUSH_UNAUTHORIZED:
    case PUSH_DENIED:
        return CLOSE_DENIED_CLOSE;
    case PUSH_LIMIT:
        return CLOSE_CHANNEL_LIMIT;
    case PUSH_UNRECOVERABLE:
        return CLOSE_INSUFFICIENT_STATE;
    default:
        return CLOSE_BAD_REQUEST_CLOSE;
    }
}

void
client_send_error(struct push_client *c, uint32_t id, enum push_error e)
{
    int64_t now = when_monotonic_ms();
    struct sbuf line;

    if (c->bare) {
        client_close(c, close_for(e), NULL);
        return;
    }
    sbuf_init(&line, ANSWER_MAX);
    reply_error(&line, id, e);
    client_send(c, &line);
    if (now - c->errors_ms >= MINUTE_MS) {
        c->errors_ms = now;
        c->errors = 0;
    }
    if (++c->errors > c->push->config->push_errors_max)
        client_close(c, CLOSE_TOO_MANY_ERRORS, NULL);
}

void
client_send_words(struct push_client *c, uint32_t id, const struct callback_answer *a)
{
    struct sbuf line;

    sbuf_init(&line, ANSWER_MAX);
    reply_error_words(&line, id, a->error, a->message, a->temporary);
    client_send(c, &line);
}

bool
client_judge(struct push_client *c, uint32_t id, struct push_verdict v)
{
    if (v.close)
        client_close(c, (int)v.close, NULL);
    else if (v.error)
        client_send_error(c, id, v.error);
    return v.close || v.error;
}

/* ---- closing ---- */

static void
say_disconnect(struct push_client *c, int code, const char *reason)
{
    struct sbuf line;

    sbuf_init(&line, ANSWER_MAX);
    reply_disconnect(&line, c->bare, code, reason);
    client_send(c, &line);
}

void
client_close(struct push_client *c, int code, const char *reason)
{
    if (!c->conn || c->state == CLIENT_CLOSING)
        return;
    c->close_code = (uint16_t)code;
    c->close_reason = reason ? mem_string(reason) : NULL;
    if (!reason)
        reason = push_close_reason((enum push_close)code);
    if (code == CLOSE_SLOW)
        conn_clear(c->conn);
    if (client_is_stream(c))
        say_disconnect(c, code, reason);
    c->state = CLIENT_CLOSING;
    LIST_REMOVE(c, entry);
    LIST_INSERT_HEAD(&c->push->closing, c, entry);
    conn_close(c->conn, code, reason);
}

static const struct io_rules *
rules_of(const struct push_client *c)
{
    struct push *p = c->push;

    switch (c->transport) {
    case TRANSPORT_WEBSOCKET:
        return c->native ? &p->native_rules : &p->socket_rules;
    case TRANSPORT_HTTP_STREAM:
    case TRANSPORT_SSE:
        return &p->stream_rules;
    default:
        return &p->one_way_rules;
    }
}

void
client_set_connected(struct push_client *c)
{
    c->state = CLIENT_CONNECTED;
    c->io.rules = rules_of(c);
    conn_heard(c->conn);        /* nothing was asked of it before */
}

void
client_refuse(struct push_client *c)
{
    if (c->state == CLIENT_NEW || c->state == CLIENT_CONNECTING)
        c->state = CLIENT_REFUSED;
}

/* ---- what io tells ---- */

static void
on_stale(struct wheel_entry *e)
{
    client_close((struct push_client *)(void *)((char *)e - offsetof(struct push_client, deadline)),
                 CLOSE_STALE, NULL);
}

static void
run_first(struct push_client *c)
{
    struct sbuf *first = c->parked;

    if (!first)
        return;
    c->parked = NULL;
    client_input(c, sbuf_str(first), first->len);
    sbuf_fini(first);
    free(first);
}

static void
on_opened(struct io_client *io, struct conn *conn)
{
    struct push_client *c = client_of(io);
    struct push *p = c->push;

    c->conn = conn;
    c->opened_ms = when_monotonic_ms();
    LIST_INSERT_HEAD(&p->open, c, entry);
    wheel_set(p->wheel, &c->deadline, p->config->push_stale_s * 1000, on_stale);
    client_ref(c);
    if (p->draining)
        client_close(c, CLOSE_SHUTDOWN, NULL);
    else
        run_first(c);
    client_unref(c);
    arena_reset(p->scratch);
}

static void
on_message(struct io_client *io, const char *text, size_t len, bool binary)
{
    struct push_client *c = client_of(io);
    struct push *p = c->push;

    client_ref(c);
    if (binary)
        client_close(c, CLOSE_BAD_PROTOCOL, NULL);      /* JSON is text; binary is another protocol */
    else
        client_input(c, text, len);
    client_unref(c);
    arena_reset(p->scratch);
}

static void
on_drained(struct io_client *io)
{
    struct push_client *c = client_of(io);

    if (c->state == CLIENT_CONNECTED)
        subscription_drained(c);
}

static const char *
reason_of(const struct push_client *c)
{
    if (c->close_reason)
        return c->close_reason;
    if (c->close_code >= CLOSE_SHUTDOWN)
        return push_close_reason((enum push_close)c->close_code);
    return "connection closed";
}

static void
tell_closed(struct push_client *c)
{
    const char *reason = reason_of(c);

    log_event(LOG_LEVEL_INFO, "push_disconnected", "user", client_user_id(c), "client", c->id,
              "address", c->address, "code", log_number(c->close_code), "why", reason, "ms",
              log_number(when_monotonic_ms() - c->opened_ms), NULL);
    if (!c->announced)
        return;
    hook_tell(c->push->hook, &(struct hook_event){ .kind = HOOK_DISCONNECT, .client = c->id,
                               .user = client_user_id(c), .code = c->close_code, .reason = reason });
    tail_tell(c->push, &(struct tail_event){ .kind = TAIL_DISCONNECT, .client = c->id,
                         .user = client_user_id(c), .code = c->close_code, .reason = reason });
}

/* The socket is gone already: a client that returns never meets its old self on it. */
static void
on_closed(struct io_client *io)
{
    struct push_client *c = client_of(io);
    struct push *p = c->push;

    if (!c->close_code)
        c->close_code = (uint16_t)conn_code(c->conn);
    c->state = CLIENT_GONE;
    c->conn = NULL;
    LIST_REMOVE(c, entry);
    wheel_clear(p->wheel, &c->deadline);
    callback_cancel_all(c);
    subscription_end_all(c);
    tell_closed(c);
    client_session_close(c);
    client_check_free(c->connecting);
    c->connecting = NULL;
    client_unregister(c);
    admission_leave(p, c->address);
    c->address = "";
    client_unref(c);
    if (p->draining && LIST_EMPTY(&p->open) && LIST_EMPTY(&p->closing))
        io_timer_set(p->drain_timer, 0);
}

static void
on_abandoned(struct io_client *io)
{
    struct push_client *c = client_of(io);

    client_session_close(c);
    admission_leave(c->push, c->address);
    client_unref(c);
}

static const struct io_client_calls calls = {
    .abandoned = on_abandoned,
    .opened = on_opened,
    .message = on_message,
    .drained = on_drained,
    .closed = on_closed,
};

/* ---- making ---- */

struct push_client *
client_new(struct push *p, enum client_transport transport, const char *address, const char *first,
           size_t len)
{
    struct push_client *c = mem_new(sizeof *c);
    struct id id = id_random();

    c->io.calls = &calls;
    c->io.rules = &p->new_rules;
    c->push = p;
    c->refs = 1;
    c->transport = (uint8_t)transport;
    c->bare = transport >= TRANSPORT_UNI_WEBSOCKET;
    c->address = address;
    id_text(&id, c->id);
    if (first) {
        c->parked = mem_new(sizeof *c->parked);
        sbuf_init(c->parked, len);
        sbuf_put(c->parked, first, len);
    }
    return c;
}
