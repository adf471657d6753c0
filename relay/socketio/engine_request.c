/* engine_request - the requests of clients: handshakes, polling, refusals, and what browsers want to hear
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/socketio/engine_private.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "relay/cors.h"
#include "relay/mem.h"
#include "shared/log.h"
#include "shared/percent.h"
#include "shared/utf8.h"

#define METHODS "GET,POST,OPTIONS"
#define TEXT "text/plain; charset=UTF-8"
/* What clients said is in some of them: never to be taken for a page, nor kept. */
#define PLAIN "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
#define ANSWER_MAX ((size_t)64 * 1024 * 1024)
#define HEADERS_MAX 4096

enum refusal {
    REFUSAL_TRANSPORT,
    REFUSAL_SID,
    REFUSAL_METHOD,
    REFUSAL_REQUEST,
    REFUSAL_FORBIDDEN,
    REFUSAL_VERSION,
};

static const struct {
    int status;
    const char *message;
} refusals[] = {
    [REFUSAL_TRANSPORT] = { 400, "Transport unknown" },
    [REFUSAL_SID] = { 400, "Session ID unknown" },
    [REFUSAL_METHOD] = { 400, "Bad handshake method" },
    [REFUSAL_REQUEST] = { 400, "Bad request" },
    [REFUSAL_FORBIDDEN] = { 403, "Forbidden" },
    [REFUSAL_VERSION] = { 400, "Unsupported protocol version" },
};

/* A request that passed what all have to pass. */
struct asked {
    struct engine_session *session;     /* NULL: begins one */
    bool websocket;
};

static void
refuse(const struct io_request *r, struct io_answer *a, enum refusal code, const char *why)
{
    log_event(LOG_LEVEL_INFO, "sio_refused", "why", why, "path", r->path, "address", r->address,
              NULL);
    a->status = refusals[code].status;
    a->content_type = "application/json";
    sbuf_puts(&a->headers, PLAIN);
    sbuf_printf(&a->body, "{\"code\":%d,\"message\":\"%s\"}", code, refusals[code].message);
}

static void
prepare(struct io_answer *a)
{
    a->status = 200;
    a->content_type = TEXT;
    sbuf_puts(&a->headers, PLAIN);
}

static bool
is(const struct io_request *r, const char *method)
{
    return strcmp(r->method, method) == 0;
}

/* ---- origins ---- */

static bool
is_visible(const char *s)
{
    for (; *s != '\0'; s++)
        if (!isgraph((unsigned char)*s))
            return false;
    return true;
}

/* CORS keeps no page from a WebSocket, so who is not on the list is refused. */
static bool
origin_allowed(const struct engine *e, const struct io_request *r, struct io_answer *a)
{
    const char *origin = io_header(r, "Origin");
    bool credentials = e->config->cors_allow_credentials;
    bool anybody = e->origins.any && !credentials;

    if (anybody)
        sbuf_puts(&a->headers, "Access-Control-Allow-Origin: *\r\n");
    if (origin && !is_visible(origin)) {
        refuse(r, a, REFUSAL_REQUEST, "origin_malformed");
        return false;
    }
    if (anybody)
        return true;
    if (origin && origin_listed(&e->origins, origin)) {
        cors_allow(&a->headers, origin, credentials);
        return true;
    }
    sbuf_puts(&a->headers, "Vary: Origin\r\n");
    if (origin)
        refuse(r, a, REFUSAL_FORBIDDEN, "origin");
    return origin == NULL;
}

/* ---- what all have to pass ---- */

/* Is there a sid at all? One that is no text, such as %00, begins no session. */
static bool
has_sid(const char *query)
{
    for (; query != NULL; query = strchr(query, '&')) {
        query += *query == '&';
        if (strncmp(query, "sid=", 4) == 0 && query[4] != '\0' && query[4] != '&')
            return true;
    }
    return false;
}

/* REFUSAL_REQUEST and the like, or -1. */
static int
judge(const struct engine_path *path, const struct io_request *r, struct asked *asked_r)
{
    struct arena *scratch = path->engine->scratch;
    const char *transport = percent_query(scratch, r->query, "transport");
    const char *sid = percent_query(scratch, r->query, "sid");
    const char *version = percent_query(scratch, r->query, "EIO");
    struct asked asked = { 0 };

    if (!transport || (strcmp(transport, "polling") != 0 && strcmp(transport, "websocket") != 0))
        return REFUSAL_TRANSPORT;
    asked.websocket = transport[0] == 'w';
    if (has_sid(r->query) && (!sid || !(asked.session = engine_find(path, sid))))
        return REFUSAL_SID;
    if (asked.session && asked.session->state == ENGINE_CLOSED && (asked.websocket || !is(r, "GET")))
        return REFUSAL_SID;
    if (!asked.session && !is(r, "GET"))
        return REFUSAL_METHOD;
    if (asked.websocket != r->upgrade || !(is(r, "GET") || is(r, "POST")))
        return REFUSAL_REQUEST;
    if (!asked.websocket && asked.session && asked.session->state == ENGINE_WEBSOCKET)
        return REFUSAL_REQUEST;
    if (!version || strcmp(version, "4") != 0)
        return REFUSAL_VERSION;
    *asked_r = asked;
    return -1;
}

static bool
admit(const struct engine_path *path, const struct io_request *r, struct io_answer *a,
      struct asked *asked_r)
{
    int refusal;

    if (!origin_allowed(path->engine, r, a))
        return false;
    if ((refusal = judge(path, r, asked_r)) < 0)
        return true;
    refuse(r, a, (enum refusal)refusal, "request");
    return false;
}

/* ---- polling: to the client ---- */

static size_t
frame_size(const struct sbuf *payload, const struct frame *f)
{
    struct frame_view v;
    size_t size = 0;

    for (uint32_t at = 0; frame_next(f, &at, &v); )
        size += packet_size(payload, v.len, v.binary);
    return size;
}

/* As much of the queue as fits, at least one packet. */
static void
put_queue(struct engine_session *s, struct sbuf *payload)
{
    size_t max = (size_t)s->engine->config->sio_max_payload;
    const struct frame *f;
    struct frame_view v;

    while ((f = outq_peek(&s->queue))
           && (payload->len == 0 || payload->len + frame_size(payload, f) <= max)) {
        for (uint32_t at = 0; frame_next(f, &at, &v); )
            packet_put(payload, v.payload, v.len, v.binary);
        frame_unref(outq_pop(&s->queue));
    }
}

void
engine_answer_held(struct engine_session *s, bool queued, const char *last)
{
    struct io_exchange *x = s->held;
    struct io_answer a = { 0 };

    sbuf_init(&a.body, ANSWER_MAX);
    sbuf_init(&a.headers, HEADERS_MAX);
    prepare(&a);
    sbuf_puts(&a.headers, s->held_headers);
    if (queued)
        put_queue(s, &a.body);
    if (last)
        packet_put(&a.body, last, strlen(last), false);
    s->held = NULL;
    free(s->held_headers);
    s->held_headers = NULL;
    io_exchange_answer(x, &a);
    sbuf_fini(&a.body);
    sbuf_fini(&a.headers);
}

/* Nobody would hear what comes next. */
static void
poll_gone(void *arg)
{
    engine_close(arg, "poll_gone");
}

static enum io_verdict
take_poll(struct engine_session *s, const struct io_request *r, struct io_exchange *x,
          struct io_answer *a)
{
    if (s->state == ENGINE_CLOSED) {
        prepare(a);
        sbuf_putc(&a->body, PACKET_NOOP);
        return IO_ANSWER;
    }
    if (s->held) {
        engine_answer_held(s, false, "1");
        engine_close(s, "second_poll");
        refuse(r, a, REFUSAL_REQUEST, "second_poll");
        return IO_ANSWER;
    }
    if (s->queue.n > 0 || s->probed) {
        prepare(a);
        if (s->queue.n > 0)
            put_queue(s, &a->body);
        else
            sbuf_putc(&a->body, PACKET_NOOP);
        return IO_ANSWER;
    }
    s->held = x;
    s->held_headers = mem_string(sbuf_str(&a->headers));
    io_exchange_on_gone(x, poll_gone, s);
    return IO_LATER;
}

/* ---- polling: from the client ---- */

static void
body_gone(void *arg)
{
    struct engine_session *s = arg;

    s->receiving = NULL;
    engine_close(s, "post_gone");
}

static void
end_for(struct engine_session *s, const struct io_request *r, struct io_answer *a, const char *why)
{
    engine_close(s, why);
    refuse(r, a, REFUSAL_REQUEST, why);
}

static bool
is_too_long(const struct engine *e, const struct io_request *r)
{
    const char *length = io_header(r, "Content-Length");

    return length && strtoll(length, NULL, 10) > e->config->sio_max_payload;
}

bool
engine_announced(void *arg, const struct io_request *r, struct io_exchange *x, struct io_answer *a)
{
    const struct engine_path *path = arg;
    struct asked asked;
    bool wanted = true;

    if (!is(r, "POST"))
        return true;
    if (!admit(path, r, a, &asked)) {
        wanted = false;
    } else if (asked.session->receiving) {
        end_for(asked.session, r, a, "second_post");
        wanted = false;
    } else if (is_too_long(path->engine, r)) {
        engine_close(asked.session, "post_too_long");
        a->status = 413;
        wanted = false;
    } else {
        asked.session->receiving = x;
        io_exchange_on_gone(x, body_gone, asked.session);
    }
    arena_reset(path->engine->scratch);
    return wanted;
}

/* Bytes are always base64 here. */
static bool
is_octets(const struct io_request *r)
{
    static const char octets[] = "application/octet-stream";
    const char *type = io_header(r, "Content-Type");

    return type && strncasecmp(type, octets, sizeof octets - 1) == 0;
}

/* Each packet in turn, until one ends the session. */
static bool
hear_payload(struct engine_session *s, const struct io_request *r)
{
    struct arena *scratch = s->engine->scratch;
    struct packet_reader reader = { .p = r->body, .end = r->body + r->body_len };
    struct packet packet;

    if (!utf8_valid(r->body, r->body_len) || !packet_payload_good(scratch, r->body, r->body_len))
        return false;
    while (s->state != ENGINE_CLOSED && packet_next(scratch, &reader, &packet))
        if (!engine_hear(s, &packet))
            return false;
    return true;
}

static enum io_verdict
take_post(struct engine_session *s, const struct io_request *r, struct io_exchange *x,
          struct io_answer *a)
{
    if (s->receiving && s->receiving != x) {
        end_for(s, r, a, "second_post");
        return IO_ANSWER;
    }
    s->receiving = NULL;
    if (is_octets(r)) {
        refuse(r, a, REFUSAL_REQUEST, "octets");
    } else if (hear_payload(s, r)) {
        prepare(a);
        sbuf_puts(&a->body, "ok");
    } else {
        end_for(s, r, a, "protocol");
    }
    return IO_ANSWER;
}

/* ---- beginning ---- */

/* Both are kept with the session. */
static bool
is_heavy(const struct engine *e, const struct io_request *r)
{
    const char *authorization = io_header(r, "Authorization");
    size_t max = (size_t)e->config->sio_target_max;

    return strlen(r->query) > max || (authorization && strlen(authorization) > max);
}

static enum io_verdict
begin(const struct engine_path *path, const struct io_request *r, struct io_answer *a,
      bool websocket, struct io_client **client_r)
{
    struct engine *e = path->engine;
    struct engine_session *s;

    if (is_heavy(e, r)) {
        refuse(r, a, REFUSAL_REQUEST, "heavy");
        return IO_ANSWER;
    }
    if (e->ending || !engine_make_room(e)) {
        refuse(r, a, REFUSAL_FORBIDDEN, e->ending ? "ending" : "sessions");
        return IO_ANSWER;
    }
    s = engine_session_new(path, r, websocket ? ENGINE_WEBSOCKET : ENGINE_POLLING);
    if (!websocket) {
        prepare(a);
        put_queue(s, &a->body);
        return IO_ANSWER;
    }
    sbuf_reset(&a->headers);
    *client_r = engine_socket_new(s);
    return IO_UPGRADE;
}

static enum io_verdict
decide(const struct engine_path *path, const struct io_request *r, struct io_exchange *x,
       struct io_answer *a, struct io_client **client_r)
{
    struct asked asked;

    if (!is(r, "OPTIONS")) {
        if (!admit(path, r, a, &asked))
            return IO_ANSWER;
        if (!asked.session)
            return begin(path, r, a, asked.websocket, client_r);
        if (!asked.websocket)
            return is(r, "GET") ? take_poll(asked.session, r, x, a)
                                : take_post(asked.session, r, x, a);
        sbuf_reset(&a->headers);
        *client_r = engine_socket_new(asked.session);
        return IO_UPGRADE;
    }
    if (origin_allowed(path->engine, r, a))
        cors_preflight(r, a, METHODS);
    return IO_ANSWER;
}

enum io_verdict
engine_request(void *arg, const struct io_request *r, struct io_exchange *x, struct io_answer *a,
               struct io_client **client_r)
{
    const struct engine_path *path = arg;
    enum io_verdict v = decide(path, r, x, a, client_r);

    arena_reset(path->engine->scratch);
    return v;
}
