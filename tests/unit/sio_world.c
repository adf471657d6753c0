/* sio_world - sockets, requests and time that stand in for the real ones around relay/socketio
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

#include "tests/unit/sio_world.h"

struct io_timer {
    void (*due)(void *arg);
    void *arg;
    int64_t at_ms;                  /* 0: not set */
    bool used;
};

struct conn conns[N];
struct io_exchange exchanges[N];
unsigned n_conns, n_exchanges;
int64_t now_ms;
struct config config;
struct socketio *o;
const struct io_service *services;
size_t n_services;
struct io_answer answer;
const struct io_fields no_field = { "", "" };

static struct io_timer timers[N];
static void (*turn)(void *arg);
static void *turn_arg;

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

void
end_turn(void)
{
    turn(turn_arg);
}

void
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

int
world_set_up(void **state)
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

int
world_tear_down(void **state)
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

void
anew(void)
{
    void *state = NULL;

    world_tear_down(&state);
    open_world();
}

const struct io_service *
service(const char *path)
{
    for (size_t i = 0; i < n_services; i++)
        if (strcmp(services[i].path, path) == 0)
            return &services[i];
    fail_msg("nobody serves %s", path);
    return NULL;
}

unsigned
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
    if (v == IO_ANSWER)
        io_exchange_answer(x, &answer);
    return n_exchanges - 1;
}

struct io_exchange *
http(const char *method, const char *path, const char *query, const char *body)
{
    const struct ask q = { .method = method, .path = path, .query = query, .body = body };

    return &exchanges[ask(&q)];
}

struct conn *
socket_at(const char *path, const char *query)
{
    const struct ask q = { .method = "GET", .path = path, .query = query, .upgrade = true };

    return &conns[ask(&q)];
}

void
say(struct conn *c, const char *text)
{
    c->client->calls->message(c->client, text, strlen(text), false);
}

void
say_bytes(struct conn *c, size_t len)
{
    static const char bytes[4096];

    c->client->calls->message(c->client, bytes, len, true);
}

void
hear(struct conn *c, const char *expected)
{
    assert_string_equal(c->out, expected);
    c->out[0] = '\0';
}

void
hang_up(struct conn *c)
{
    c->client->calls->closed(c->client);
    c->client = NULL;
}

const char *
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

const char *
as_websocket(const char *query)
{
    static char text[120];

    sprintf(text, "EIO=4&transport=websocket&%s", strstr(query, "sid="));
    return text;
}

struct conn *
websocket(const char *path)
{
    struct conn *c = socket_at(path, "EIO=4&transport=websocket");

    assert_int_equal(strncmp(c->out, "0{\"sid\":\"", 9), 0);
    c->out[0] = '\0';
    return c;
}

struct conn *
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

void
expect(const struct io_exchange *x, int status, const char *body)
{
    assert_int_equal(x->status, status);
    assert_string_equal(x->body, body);
}
