/* test_sio_engine - sessions on requests and WebSockets: handshakes, polling, moving, heartbeat
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

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
