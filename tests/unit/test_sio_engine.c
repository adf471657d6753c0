/* test_sio_engine - sessions, namespaces and echoes, with sockets, requests and time stood in for
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "relay/socketio/conformance.h"
#include "relay/socketio/engine.h"

#define N 18

struct conn {
    struct io_client *client;
    char out[4096];                 /* payloads, one a line; bytes as #<length> */
    bool full;
    int closed;
};

struct io_exchange {
    int status;                     /* 0: not answered */
    char body[4096];
    void (*gone)(void *arg);
    void *gone_arg;
};

struct io_fields {
    const char *name, *value;
};

struct io_timer {
    void (*due)(void *arg);
    void *arg;
    int64_t at_ms;                  /* 0: not set */
    bool used;
};

static struct conn conns[N];
static struct io_exchange exchanges[N];
static struct io_timer timers[N];
static unsigned n_conns, n_exchanges;
static int64_t now_ms;
static void (*turn)(void *arg);
static void *turn_arg;
static struct config config;
static struct socketio *o;
static const struct io_service *services;
static size_t n_services;
static struct io_answer answer;
static int refused_status;

/* ---- what stands in for the rest ---- */

int64_t __wrap_when_monotonic_ms(void);

int64_t
__wrap_when_monotonic_ms(void)
{
    return now_ms;
}

void
conn_close(struct conn *c, int code, const char *reason)
{
    (void)reason;
    if (!c->closed)
        c->closed = code;
}

void
conn_send(struct conn *c, struct frame *f)
{
    struct frame_view v;
    uint32_t at = 0;
    char *end = c->out + strlen(c->out);

    if (c->full)
        conn_close(c, c->client->rules->slow_code, NULL);
    if (c->closed)
        return;
    frame_next(f, &at, &v);
    if (v.binary)
        sprintf(end, "#%zu\n", v.len);
    else
        sprintf(end, "%.*s\n", (int)v.len, (const char *)v.payload);
}

int
conn_code(const struct conn *c)
{
    return c->closed;
}

const char *
io_header(const struct io_request *r, const char *name)
{
    const struct io_fields *f = r->fields;

    return f && strcmp(f->name, name) == 0 ? f->value : NULL;
}

void
io_exchange_answer(struct io_exchange *x, const struct io_answer *a)
{
    x->status = a->status;
    snprintf(x->body, sizeof x->body, "%s", sbuf_str(&a->body));
}

void
io_exchange_on_gone(struct io_exchange *x, void (*gone)(void *arg), void *arg)
{
    x->gone = gone;
    x->gone_arg = arg;
}

void
io_on_turn(struct io *io, void (*turn_ends)(void *arg), void *arg)
{
    (void)io;
    turn = turn_ends;
    turn_arg = arg;
}

struct io_timer *
io_timer_new(struct io *io, void (*due)(void *arg), void *arg)
{
    struct io_timer *t = timers;

    (void)io;
    while (t->used)
        t++;
    *t = (struct io_timer){ due, arg, 0, true };
    return t;
}

void
io_timer_set(struct io_timer *t, int64_t after_ms)
{
    t->at_ms = now_ms + after_ms;
}

void
io_timer_free(struct io_timer *t)
{
    if (t)
        *t = (struct io_timer){ 0 };
}

/* ---- the world ---- */

static void
end_turn(void)
{
    turn(turn_arg);
}

static void
pass(int64_t ms)
{
    int64_t until = now_ms + ms;

    for (;;) {
        struct io_timer *next = NULL;

        for (struct io_timer *t = timers; t < timers + N; t++)
            if (t->used && t->at_ms > 0 && t->at_ms <= until && (!next || t->at_ms < next->at_ms))
                next = t;
        if (!next)
            break;
        if (now_ms < next->at_ms)
            now_ms = next->at_ms;
        next->at_ms = 0;
        next->due(next->arg);
        end_turn();
    }
    now_ms = until;
    end_turn();
}

static void
open_world(void)
{
    memset(conns, 0, sizeof conns);
    memset(exchanges, 0, sizeof exchanges);
    n_conns = n_exchanges = 0;
    now_ms = 1000;
    o = socketio_new(NULL, &config);
    conformance_serve(o);
    services = socketio_services(o, &n_services);
}

static int
set_up(void **state)
{
    (void)state;
    config = (struct config){
        .sio_ping_interval_ms = 300, .sio_ping_timeout_ms = 200, .sio_max_payload = 1024,
        .sio_target_max = 256, .sio_connect_timeout_ms = 1000, .sio_upgrade_timeout_ms = 500,
        .sio_binary_timeout_ms = 400, .sio_attachments_max = 3, .sio_namespaces_max = 1,
        .sio_sessions_max = 3, .sio_queue_packets = 5, .sio_queue_bytes = 400, .json_depth = 8,
        .cors_allowed_origins = "*", .sio_conformance = true,
    };
    open_world();
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < n_conns; i++)
        if (conns[i].client)
            conns[i].client->calls->closed(conns[i].client);
    socketio_free(o);
    sbuf_fini(&answer.body);
    sbuf_fini(&answer.headers);
    assert_int_equal(frame_bytes(), 0);
    for (struct io_timer *t = timers; t < timers + N; t++)
        assert_false(t->used);
    return 0;
}

static void
anew(void)
{
    void *state = NULL;

    tear_down(&state);
    open_world();
}

static const struct io_service *
service(const char *path)
{
    for (size_t i = 0; i < n_services; i++)
        if (strcmp(services[i].path, path) == 0)
            return &services[i];
    fail_msg("nobody serves %s", path);
    return NULL;
}

static const struct io_fields no_field = { "", "" };

struct ask {
    const char *method, *path, *query, *body;
    bool upgrade;
    struct io_fields field;
};

/* The index of the exchange; its status stays 0 while it is held. Of an upgrade the connection's, opened. */
static unsigned
ask(const struct ask *q)
{
    const struct io_service *s = service(q->path);
    const struct io_fields *field = q->field.name ? &q->field : &no_field;
    struct io_request r = {
        .method = q->method, .path = q->path, .query = q->query, .upgrade = q->upgrade,
        .address = "127.0.0.1", .body = q->body ? q->body : "",
        .body_len = q->body ? strlen(q->body) : 0, .fields = field,
    };
    struct io_exchange *x = &exchanges[n_exchanges++];
    struct io_client *client = NULL;
    enum io_verdict v = IO_ANSWER;

    assert_true(n_exchanges < N);
    sbuf_fini(&answer.body);
    sbuf_fini(&answer.headers);
    answer = (struct io_answer){ 0 };
    sbuf_init(&answer.body, 100000);
    sbuf_init(&answer.headers, 10000);
    if (!q->body || s->announced(s->arg, &r, x, &answer))
        v = s->request(s->arg, &r, x, &answer, &client);
    if (v == IO_UPGRADE) {
        conns[n_conns].client = client;
        client->calls->opened(client, &conns[n_conns]);
        return n_conns++;
    }
    if (v == IO_ANSWER) {
        io_exchange_answer(x, &answer);
        refused_status = answer.status;
    }
    return n_exchanges - 1;
}

static struct io_exchange *
http(const char *method, const char *path, const char *query, const char *body)
{
    const struct ask q = { .method = method, .path = path, .query = query, .body = body };

    return &exchanges[ask(&q)];
}

static struct conn *
socket_at(const char *path, const char *query)
{
    const struct ask q = { .method = "GET", .path = path, .query = query, .upgrade = true };

    return &conns[ask(&q)];
}

static void
say(struct conn *c, const char *text)
{
    c->client->calls->message(c->client, text, strlen(text), false);
}

static void
say_bytes(struct conn *c, size_t len)
{
    static const char bytes[4096];

    c->client->calls->message(c->client, bytes, len, true);
}

static void
hear(struct conn *c, const char *expected)
{
    assert_string_equal(c->out, expected);
    c->out[0] = '\0';
}

static void
hang_up(struct conn *c)
{
    c->client->calls->closed(c->client);
    c->client = NULL;
}

#define ENGINE "/engine.io/"
#define IO "/socket.io/"

/* A session that polls; its query. */
static const char *
polling(const char *path)
{
    static char query[4][100];
    static unsigned i;
    struct io_exchange *x = http("GET", path, "EIO=4&transport=polling", NULL);
    char *q = query[i++ % 4];

    assert_int_equal(x->status, 200);
    sprintf(q, "EIO=4&transport=polling&sid=%.36s", x->body + strlen("0{\"sid\":\""));
    return q;
}

static const char *
as_websocket(const char *query)
{
    static char text[120];

    sprintf(text, "EIO=4&transport=websocket&%s", strstr(query, "sid="));
    return text;
}

static struct conn *
websocket(const char *path)
{
    struct conn *c = socket_at(path, "EIO=4&transport=websocket");

    assert_int_equal(strncmp(c->out, "0{\"sid\":\"", 9), 0);
    c->out[0] = '\0';
    return c;
}

/* One that has joined a namespace. */
static struct conn *
joined(const char *namespace)
{
    struct conn *c = websocket(IO);
    char text[100];

    sprintf(text, "40%s", namespace);
    say(c, text);
    assert_non_null(strstr(c->out, "{\"sid\":\""));
    c->out[0] = '\0';
    return c;
}

static void
expect(const struct io_exchange *x, int status, const char *body)
{
    assert_int_equal(x->status, status);
    assert_string_equal(x->body, body);
}

/* ---- handshakes ---- */

static void
handshakes_refused(void **state)
{
    static const struct {
        struct ask q;
        const char *body;
    } cases[] = {
        { { "GET", ENGINE, "EIO=4", NULL, false, { 0 } }, "{\"code\":0,\"message\":\"Transport unknown\"}" },
        { { "GET", ENGINE, "EIO=4&transport=abc", NULL, false, { 0 } }, "{\"code\":0,\"message\":\"Transport unknown\"}" },
        { { "GET", ENGINE, "EIO=4&transport=polling&sid=x", NULL, false, { 0 } },
          "{\"code\":1,\"message\":\"Session ID unknown\"}" },
        { { "GET", ENGINE, "EIO=4&transport=polling&sid=%00", NULL, false, { 0 } },
          "{\"code\":1,\"message\":\"Session ID unknown\"}" },
        { { "POST", ENGINE, "EIO=4&transport=polling", "4", false, { 0 } }, "{\"code\":2,\"message\":\"Bad handshake method\"}" },
        { { "PUT", ENGINE, "EIO=4&transport=polling", NULL, false, { 0 } }, "{\"code\":2,\"message\":\"Bad handshake method\"}" },
        { { "HEAD", ENGINE, "EIO=4&transport=polling", NULL, false, { 0 } }, "{\"code\":2,\"message\":\"Bad handshake method\"}" },
        { { "GET", ENGINE, "EIO=4&transport=websocket", NULL, false, { 0 } }, "{\"code\":3,\"message\":\"Bad request\"}" },
        { { "GET", ENGINE, "EIO=4&transport=polling", NULL, true, { 0 } }, "{\"code\":3,\"message\":\"Bad request\"}" },
        { { "GET", ENGINE, "EIO=4&transport=polling", NULL, false, { "Origin", "http://a\x7f" } },
          "{\"code\":3,\"message\":\"Bad request\"}" },
        { { "GET", ENGINE, "EIO=3&transport=polling", NULL, false, { 0 } },
          "{\"code\":5,\"message\":\"Unsupported protocol version\"}" },
        { { "GET", ENGINE, "transport=websocket", NULL, true, { 0 } },
          "{\"code\":5,\"message\":\"Unsupported protocol version\"}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect(&exchanges[ask(&cases[i].q)], 400, cases[i].body);
        assert_non_null(strstr(sbuf_str(&answer.headers), "Access-Control-Allow-Origin: *\r\n"));
    }
    assert_int_equal(engine_sessions(socketio_engine(o)), 0);
}

static void
origins(void **state)
{
    struct ask q = { .method = "GET", .path = ENGINE, .query = "EIO=4&transport=polling" };

    (void)state;
    config.cors_allowed_origins = "https://app.example, http://localhost:5173";
    anew();
    q.field = (struct io_fields){ "Origin", "https://evil.example" };
    expect(&exchanges[ask(&q)], 403, "{\"code\":4,\"message\":\"Forbidden\"}");
    q.field.value = "null";
    assert_int_equal(exchanges[ask(&q)].status, 403);
    q.upgrade = true;
    q.query = "EIO=4&transport=websocket";
    assert_int_equal(exchanges[ask(&q)].status, 403);
    q.upgrade = false;
    q.query = "EIO=4&transport=polling";
    q.field.value = "https://app.example";
    assert_int_equal(exchanges[ask(&q)].status, 200);
    assert_string_equal(sbuf_str(&answer.headers), "Access-Control-Allow-Origin: https://app.example\r\n"
                                                   "Vary: Origin\r\nCache-Control: no-store\r\n"
                                                   "X-Content-Type-Options: nosniff\r\n");
    config.cors_allow_credentials = true;
    config.cors_allowed_origins = "*";
    anew();
    assert_int_equal(exchanges[ask(&q)].status, 200);
    assert_non_null(strstr(sbuf_str(&answer.headers), "Origin: https://app.example\r\n"));
    assert_non_null(strstr(sbuf_str(&answer.headers), "Access-Control-Allow-Credentials: true\r\n"));
    q.method = "OPTIONS";
    q.query = "";
    assert_int_equal(exchanges[ask(&q)].status, 204);
    assert_non_null(strstr(sbuf_str(&answer.headers), "Access-Control-Allow-Methods: GET,POST,OPTIONS\r\n"));
}

static void
bounds_of_handshakes(void **state)
{
    char query[400] = "EIO=4&transport=polling&token=";

    (void)state;
    memset(query + strlen(query), 'x', 300);
    expect(http("GET", IO, query, NULL), 400, "{\"code\":3,\"message\":\"Bad request\"}");
    for (int i = 0; i < 3; i++)
        polling(ENGINE);
    expect(http("GET", IO, "EIO=4&transport=polling", NULL), 403, "{\"code\":4,\"message\":\"Forbidden\"}");
}

static void
strangers_make_room(void **state)
{
    const char *joined = polling(IO), *first = polling(IO);

    (void)state;
    expect(http("POST", IO, joined, "40"), 200, "ok");
    for (int i = 0; i < 2; i++) {
        polling(IO);
        end_turn();
    }
    expect(http("GET", IO, first, NULL), 400, "{\"code\":1,\"message\":\"Session ID unknown\"}");
    assert_int_equal(http("GET", IO, joined, NULL)->status, 200);
}

/* ---- polling ---- */

static void
polls_are_held(void **state)
{
    const char *q = polling(ENGINE);
    struct io_exchange *held = http("GET", "/engine.io", q, NULL);      /* the slash may be missing */

    (void)state;
    assert_int_equal(held->status, 0);
    expect(http("POST", ENGINE, q, "4a\x1e" "bAQI=\x1e" "4b"), 200, "ok");
    assert_int_equal(held->status, 0);          /* until the turn ends */
    end_turn();
    expect(held, 200, "4a\x1e" "bAQI=\x1e" "4b");
    expect(http("POST", ENGINE, q, "4c"), 200, "ok");
    end_turn();
    expect(http("GET", ENGINE, q, NULL), 200, "4c");
}

static void
second_poll_ends_both(void **state)
{
    const char *q = polling(ENGINE);
    struct io_exchange *held = http("GET", ENGINE, q, NULL);

    (void)state;
    expect(http("GET", ENGINE, q, NULL), 400, "{\"code\":3,\"message\":\"Bad request\"}");
    expect(held, 200, "1");
    expect(http("GET", ENGINE, q, NULL), 400, "{\"code\":1,\"message\":\"Session ID unknown\"}");
}

static void
second_post_ends_the_session(void **state)
{
    const char *q = polling(ENGINE);
    const struct io_service *s = service(ENGINE);
    struct io_request r = { .method = "POST", .path = ENGINE, .query = q, .body = "", .address = "", .fields = &no_field };
    struct io_exchange *first = &exchanges[N - 1];

    (void)state;
    assert_true(s->announced(s->arg, &r, first, &answer));
    assert_non_null(first->gone);
    expect(http("POST", ENGINE, q, "4x"), 400, "{\"code\":3,\"message\":\"Bad request\"}");
    assert_null(first->gone);
    assert_int_equal(http("GET", ENGINE, q, NULL)->status, 400);

    q = polling(ENGINE);                        /* a body that does not come whole */
    r.query = q;
    sbuf_reset(&answer.headers);
    assert_true(s->announced(s->arg, &r, first, &answer));
    first->gone(first->gone_arg);
    assert_int_equal(http("GET", ENGINE, q, NULL)->status, 400);
}

static void
posts_are_refused(void **state)
{
    static const char *const bodies[] = { "abc", "", "4a\x1e", "2", "0", "5", "6", "2probe", "4\xff" };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        const char *q = polling(ENGINE);
        struct io_exchange *held = http("GET", ENGINE, q, NULL);

        expect(http("POST", ENGINE, q, bodies[i]), 400, "{\"code\":3,\"message\":\"Bad request\"}");
        end_turn();
        expect(held, 200, "1");
        assert_int_equal(http("GET", ENGINE, q, NULL)->status, 400);
        n_exchanges = 0;
    }
}

static void
other_requests_leave_the_session(void **state)
{
    const char *q = polling(ENGINE);
    struct ask post = { "POST", ENGINE, q, "4", false, { "Content-Type", "application/octet-stream" } };

    (void)state;
    expect(http("PUT", ENGINE, q, NULL), 400, "{\"code\":3,\"message\":\"Bad request\"}");
    expect(http("HEAD", ENGINE, q, NULL), 400, "{\"code\":3,\"message\":\"Bad request\"}");
    assert_int_equal(http("OPTIONS", ENGINE, q, NULL)->status, 204);
    expect(&exchanges[ask(&post)], 400, "{\"code\":3,\"message\":\"Bad request\"}");
    expect(http("GET", IO, q, NULL), 400, "{\"code\":1,\"message\":\"Session ID unknown\"}");
    expect(http("POST", ENGINE, q, "4x"), 200, "ok");
    post.field = (struct io_fields){ "Content-Length", "1024" };
    expect(&exchanges[ask(&post)], 200, "ok");
    post.field.value = "1025";
    assert_int_equal(exchanges[ask(&post)].status, 413);
    assert_int_equal(http("GET", ENGINE, q, NULL)->status, 400);
}

static void
good_bye_by_post(void **state)
{
    const char *q = polling(ENGINE);
    struct io_exchange *held = http("GET", ENGINE, q, NULL);

    (void)state;
    expect(http("POST", ENGINE, q, "1"), 200, "ok");
    end_turn();
    expect(held, 200, "6");
    assert_int_equal(engine_sessions(socketio_engine(o)), 0);
    q = polling(ENGINE);                        /* both were sent at once, and the later one was read first */
    expect(http("POST", ENGINE, q, "1"), 200, "ok");
    expect(http("GET", ENGINE, q, NULL), 200, "6");
    assert_int_equal(http("POST", ENGINE, q, "4")->status, 400);
    end_turn();
    assert_int_equal(http("GET", ENGINE, q, NULL)->status, 400);
    q = polling(ENGINE);
    held = http("GET", ENGINE, q, NULL);
    held->gone(held->gone_arg);
    end_turn();
    assert_int_equal(engine_sessions(socketio_engine(o)), 0);
}

static void
answers_are_bounded(void **state)
{
    const char *q = polling(ENGINE);
    char body[300] = "4";

    (void)state;
    config.sio_queue_bytes = 4000;
    memset(body + 1, 'x', 298);
    for (int i = 0; i < 4; i++)
        expect(http("POST", ENGINE, q, body), 200, "ok");
    assert_int_equal(strlen(http("GET", ENGINE, q, NULL)->body), 3 * 299 + 2);
    assert_int_equal(strlen(http("GET", ENGINE, q, NULL)->body), 299);
}

static void
slow_polls_end(void **state)
{
    const char *q = polling(ENGINE);

    (void)state;
    expect(http("POST", ENGINE, q, "4\x1e" "4\x1e" "4\x1e" "4\x1e" "4"), 200, "ok");
    expect(http("POST", ENGINE, q, "4"), 200, "ok");        /* its echo is one packet too many */
    assert_int_equal(http("GET", ENGINE, q, NULL)->status, 400);
    q = polling(ENGINE);                                    /* who waits is not slow */
    assert_int_equal(http("GET", ENGINE, q, NULL)->status, 0);
    expect(http("POST", ENGINE, q, "4\x1e" "4\x1e" "4\x1e" "4\x1e" "4\x1e" "4b"), 200, "ok");
    expect(http("GET", ENGINE, q, NULL), 200, "4b");
}

/* ---- WebSocket ---- */

static void
websocket_echoes(void **state)
{
    struct conn *c = websocket(ENGINE);

    (void)state;
    say(c, "4hello");
    say_bytes(c, 3);
    say(c, "4");
    hear(c, "4hello\n#3\n4\n");
    assert_int_equal(http("GET", ENGINE, "EIO=4&transport=polling&sid=", NULL)->status, 200);
    say(c, "2");
    end_turn();
    assert_int_equal(c->closed, 1000);
    c = websocket(ENGINE);
    say(c, "1");
    end_turn();
    assert_int_equal(c->closed, 1000);
}

static void
slow_websockets_end(void **state)
{
    struct conn *c = websocket(ENGINE);

    (void)state;
    c->full = true;
    say(c, "4x");
    end_turn();
    assert_int_equal(c->closed, 1013);
    assert_int_equal(engine_sessions(socketio_engine(o)), 0);       /* the socket is still there */
    say(c, "4x");
}

/* ---- moving ---- */

static void
session_moves(void **state)
{
    const char *q = polling(ENGINE);
    struct io_exchange *held = http("GET", ENGINE, q, NULL);
    struct conn *c = socket_at(ENGINE, as_websocket(q)), *other;

    (void)state;
    hear(c, "");
    expect(http("POST", ENGINE, q, "4early"), 200, "ok");
    end_turn();
    expect(held, 200, "4early");                            /* still by polling */
    held = http("GET", ENGINE, q, NULL);
    say(c, "2probe");
    hear(c, "3probe\n");
    end_turn();
    expect(held, 200, "6");
    expect(http("GET", ENGINE, q, NULL), 200, "6");
    other = socket_at(ENGINE, as_websocket(q));
    assert_int_equal(other->closed, 1008);
    expect(http("POST", ENGINE, q, "4late"), 200, "ok");
    say(c, "5");
    hear(c, "4late\n");
    other = socket_at(ENGINE, as_websocket(q));
    assert_int_equal(other->closed, 1008);
    say(other, "4x");
    expect(http("GET", ENGINE, q, NULL), 400, "{\"code\":3,\"message\":\"Bad request\"}");
    expect(http("POST", ENGINE, q, "4x"), 400, "{\"code\":3,\"message\":\"Bad request\"}");
    say(c, "4hello");
    hear(c, "4hello\n");
    pass(310);
    hear(c, "2\n");
}

static void
moves_that_fail(void **state)
{
    const char *q = polling(ENGINE);
    struct conn *c = socket_at(ENGINE, as_websocket(q));

    (void)state;
    config.sio_ping_interval_ms = 5000;
    say(c, "4x");
    assert_int_equal(c->closed, 1008);
    c = socket_at(ENGINE, as_websocket(q));
    say(c, "2probe");
    hang_up(c);
    assert_int_equal(http("GET", ENGINE, q, NULL)->status, 0);      /* held: nobody moves any more */
    c = socket_at(ENGINE, as_websocket(q));
    end_turn();
    say(c, "2probe");
    pass(10);
    expect(http("POST", ENGINE, q, "3"), 200, "ok");
    pass(280);
    expect(http("GET", ENGINE, q, NULL), 200, "6");
    pass(100);
    expect(http("GET", ENGINE, q, NULL), 200, "2");
    expect(http("POST", ENGINE, q, "3"), 200, "ok");
    assert_int_equal(c->closed, 0);
    pass(350);
    assert_int_equal(c->closed, 1008);
    expect(http("POST", ENGINE, q, "4on"), 200, "ok");
    expect(http("GET", ENGINE, q, NULL), 200, "4on");
}

/* ---- heartbeat ---- */

static void
heartbeat(void **state)
{
    const char *q = polling(ENGINE);
    struct io_exchange *held;
    struct conn *c = websocket(ENGINE);

    (void)state;
    say(c, "3");                                            /* that nobody asked for */
    for (int i = 0; i < 2; i++) {
        held = http("GET", ENGINE, q, NULL);
        pass(299);
        assert_int_equal(held->status, 0);
        pass(1);
        expect(held, 200, "2");
        expect(http("POST", ENGINE, q, "3"), 200, "ok");
        hear(c, "2\n");
        say(c, "3");
    }
    held = http("GET", ENGINE, q, NULL);
    pass(300);
    held = http("GET", ENGINE, q, NULL);
    pass(199);
    assert_int_equal(held->status, 0);
    assert_int_equal(c->closed, 0);
    pass(1);
    expect(held, 200, "1");
    assert_int_equal(c->closed, 1000);
    assert_int_equal(engine_sessions(socketio_engine(o)), 0);
}

/* ---- namespaces ---- */

static void
joining(void **state)
{
    struct conn *c = websocket(IO);
    char sid[64];

    (void)state;
    say(c, "40{\"token\":\"123\"}");
    assert_int_equal(sscanf(c->out, "40{\"sid\":\"%36s", sid), 1);
    sprintf(sid + strlen(sid), "\"}\n");
    assert_string_equal(strchr(c->out, '\n') + 1, "42[\"auth\",{\"token\":\"123\"}]\n");
    c->out[0] = '\0';
    say(c, "40/random?x=1");
    hear(c, "44/random,{\"message\":\"Invalid namespace\"}\n");
    say(c, "40/custom,");
    hear(c, "44/custom,{\"message\":\"Too many namespaces\"}\n");
    say(c, "41");
    say(c, "40/custom?a=b,");
    assert_int_equal(strncmp(c->out, "40/custom,{\"sid\":\"", 17), 0);
    assert_non_null(strstr(c->out, "42/custom,[\"auth\",{}]\n"));
    pass(250);
    assert_int_equal(c->closed, 0);
    say(c, "40/custom");                                    /* joined already */
    end_turn();
    assert_int_equal(c->closed, 1000);
}

static void
who_joins_nothing_is_closed(void **state)
{
    struct conn *c = websocket(IO);

    (void)state;
    for (int i = 0; i < 5 && !c->closed; i++) {
        pass(300);
        say(c, "3");
        if (i == 0)
            say(c, "40/random");
    }
    assert_int_equal(c->closed, 1000);
    assert_true(now_ms >= 2000 && now_ms <= 2500);
}

static void
events_and_acks(void **state)
{
    struct conn *c;

    (void)state;
    c = joined("/custom,");
    say(c, "42/custom,[\"message\",1,\"2\",{\"3\":[true]}]");
    hear(c, "42/custom,[\"message-back\",1,\"2\",{\"3\":[true]}]\n");
    say(c, "42/custom,[\"message\"]");
    hear(c, "42/custom,[\"message-back\"]\n");
    say(c, "42/custom,456[\"message-with-ack\",1,\"2\"]");
    hear(c, "43/custom,456[1,\"2\"]\n");
    say(c, "42/custom,[\"unknown\"]");
    say(c, "43/custom,12[]");
    hear(c, "");
    assert_int_equal(c->closed, 0);
}

static void
attachments(void **state)
{
    struct conn *c;

    (void)state;
    c = joined("");
    say(c, "452-[\"message\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]");
    say_bytes(c, 3);
    hear(c, "");
    say_bytes(c, 0);
    hear(c, "452-[\"message-back\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]\n#3\n#0\n");
    say(c, "451-7[\"message-with-ack\",{\"_placeholder\":true,\"num\":0}]");
    say_bytes(c, 5);
    hear(c, "461-7[{\"_placeholder\":true,\"num\":0}]\n#5\n");
    say(c, "461-7[{\"_placeholder\":true,\"num\":0}]");      /* an ack that nobody waits for */
    say_bytes(c, 5);
    hear(c, "");
    assert_int_equal(c->closed, 0);
    say(c, "451-[\"message\",{\"_placeholder\":true,\"num\":0}]");
    pass(600);                                              /* late; a ping was due, too */
    assert_int_equal(c->closed, 1000);
}

static void
invalid_input_closes(void **state)
{
    static const char *const first[] = { "4abc", "42[\"message\"]", "40[]", "41", "43/x,1[]", "451-[\"a\"]#" };
    static const char *const later[] = {
        "4abc", "42{}", "42[]", "42", "42abc[\"message\"]", "42/custom,[\"message\"]", "44{\"message\":\"x\"}",
        "42[\"connect\"]", "454-[\"message\"]", "450-[\"message\"]", "#", "451-[\"message\"]|42[\"message\"]",
        "451-[\"message\",{\"_placeholder\":true,\"num\":1}]|#", "451-[\"message\"]|&",
    };
    struct conn *c;
    char text[200], *part, *rest;

    (void)state;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        c = websocket(IO);
        say(c, first[i]);
        end_turn();
        if (c->closed != 1000)
            fail_msg("taken at first: %s", first[i]);
        hang_up(c);
        n_exchanges = 0;
    }
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        n_conns = n_exchanges = 0;
        memset(conns, 0, sizeof conns);
        c = joined("");
        strcpy(text, later[i]);
        for (part = strtok_r(text, "|", &rest); part; part = strtok_r(NULL, "|", &rest)) {
            if (*part == '#' || *part == '&')
                say_bytes(c, *part == '#' ? 3 : 1024);
            else
                say(c, part);
        }
        end_turn();
        if (c->closed != 1000)
            fail_msg("taken: %s", later[i]);
        hang_up(c);
    }
}

/* ---- systems that take their time ---- */

static struct sio_link *links[4];
static unsigned n_links, n_gone;
static char heard[400];

static void
sys_connect(void *arg, struct sio_link *link, const struct sio_connect *c)
{
    assert_ptr_equal(arg, &config);
    sprintf(heard + strlen(heard), "connect %s %s %s\n", c->auth, c->authorization ? c->authorization : "-",
            c->query);
    links[n_links++] = link;
}

static void
sys_event(struct sio_link *link, const struct sio_event *e)
{
    sprintf(heard + strlen(heard), "event %s %s %s\n", sio_namespace(link), e->name, e->args);
    if (strcmp(e->name, "drop") == 0)
        sio_drop(link, "wish");
    else if (strcmp(e->name, "leave") == 0)
        sio_leave(link);
    else
        sio_ack(link, e->ack, "[{\"ok\":true}]");
}

static void
sys_gone(struct sio_link *link)
{
    (void)link;
    n_gone++;
}

static const struct sio_calls sys = { sys_connect, sys_event, sys_gone };

static void
serve_system(void)
{
    n_links = n_gone = 0;
    heard[0] = '\0';
    config.sio_namespaces_max = 4;
    socketio_serve(o, "/chat/socket.io", "/", &sys, &config);
    socketio_serve(o, "/chat/socket.io", "/b", &sys, &config);
    services = socketio_services(o, &n_services);
}

static void
a_system_decides_later(void **state)
{
    struct ask q = { .method = "GET", .path = "/chat/socket.io", .query = "EIO=4&transport=websocket&token=t",
                     .upgrade = true, .field = { "Authorization", "Bearer x" } };
    struct conn *c;
    struct sbuf text;
    struct frame *f;

    (void)state;
    serve_system();
    c = &conns[ask(&q)];
    c->out[0] = '\0';
    say(c, "40{\"a\": 1}");
    say(c, "40/b,");
    assert_string_equal(heard, "connect {\"a\":1} Bearer x EIO=4&transport=websocket&token=t\n"
                               "connect {} Bearer x EIO=4&transport=websocket&token=t\n");
    sio_emit(links[0], "[\"early\"]");
    hear(c, "");
    sio_refuse(links[1], "Unauthorized", "{\"code\":101}");
    hear(c, "44/b,{\"message\":\"Unauthorized\",\"data\":{\"code\":101}}\n");
    sio_accept(links[0]);
    assert_int_equal(strncmp(c->out, "40{\"sid\":\"", 10), 0);
    c->out[0] = '\0';
    sbuf_init(&text, 1000);
    sio_put_event(&text, sio_namespace(links[0]));
    sbuf_puts(&text, "[\"news\",1]");
    f = frame_text(text.data, text.len);
    sio_emit_frame(links[0], f);
    frame_unref(f);
    sbuf_fini(&text);
    hear(c, "42[\"news\",1]\n");
    heard[0] = '\0';
    say(c, "425[\"do\",{\"x\":1}]");
    assert_string_equal(heard, "event / do [{\"x\":1}]\n");
    hear(c, "435[{\"ok\":true}]\n");
    say(c, "451-[\"up\",{\"_placeholder\":true,\"num\":0},2]");
    say_bytes(c, 2);
    assert_non_null(strstr(heard, "event / up [null,2]\n"));
    say(c, "40/b,");
    assert_int_equal(n_links, 3);
    assert_int_equal(n_gone, 0);
    say(c, "41");
    assert_int_equal(n_gone, 1);
    hang_up(c);                                             /* one is still asked for */
    end_turn();
    assert_int_equal(n_gone, 2);
}

static void
a_system_closes(void **state)
{
    struct conn *c;

    (void)state;
    serve_system();
    c = websocket("/chat/socket.io/");
    say(c, "40");
    sio_accept(links[0]);
    c->out[0] = '\0';
    say(c, "42[\"leave\"]");
    hear(c, "41\n");
    say(c, "42[\"late\"]");                                 /* it could not know */
    say(c, "41");
    assert_int_equal(n_gone, 0);
    assert_int_equal(c->closed, 0);
    say(c, "40");
    sio_accept(links[1]);
    say(c, "42[\"drop\"]");
    say(c, "42[\"more\"]");
    assert_null(strstr(heard, "more"));
    assert_int_equal(n_gone, 0);
    end_turn();
    assert_int_equal(n_gone, 1);
    assert_int_equal(c->closed, 1000);
}

static void
count(void *arg)
{
    ++*(int *)arg;
}

static void
the_end(void **state)
{
    const char *q = polling(ENGINE);
    struct io_exchange *held = http("GET", ENGINE, q, NULL);
    struct conn *c;
    int ended = 0;

    (void)state;
    c = joined("");
    socketio_shut(o, count, &ended);
    assert_int_equal(http("GET", ENGINE, "EIO=4&transport=polling", NULL)->status, 403);
    end_turn();
    expect(held, 200, "1");
    assert_int_equal(c->closed, 1001);
    assert_int_equal(ended, 0);
    hang_up(c);
    assert_int_equal(ended, 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(handshakes_refused),
        TEST(origins),
        TEST(bounds_of_handshakes),
        TEST(strangers_make_room),
        TEST(polls_are_held),
        TEST(second_poll_ends_both),
        TEST(second_post_ends_the_session),
        TEST(posts_are_refused),
        TEST(other_requests_leave_the_session),
        TEST(good_bye_by_post),
        TEST(answers_are_bounded),
        TEST(slow_polls_end),
        TEST(websocket_echoes),
        TEST(slow_websockets_end),
        TEST(session_moves),
        TEST(moves_that_fail),
        TEST(heartbeat),
        TEST(joining),
        TEST(who_joins_nothing_is_closed),
        TEST(events_and_acks),
        TEST(attachments),
        TEST(invalid_input_closes),
        TEST(a_system_decides_later),
        TEST(a_system_closes),
        TEST(the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
