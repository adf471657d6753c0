/* test_wire_rooms - the sockets of rooms with strings: paths, handshakes, frames, what nobody heard
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "relay/wire.h"
#include "shared/token.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"
#define NOW_S 1000

static const char *const keys[] = { SECRET, NULL };
static struct config config;
static struct arena *arena;
static char said[600];

static int
setup(void **state)
{
    (void)state;
    config = (struct config){ .systems = "mtchat,rooms", .rooms_keys = keys, .rooms_sockets_max = 64,
                              .rooms_message_max = 16384, .rooms_queue_bytes = 1 << 20,
                              .rooms_frames_per_s = 50, .rooms_silence_s = 90 };
    arena = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const char *
token(const char *secret, const char *claim, const char *user, int64_t expires_s, const char *audience)
{
    struct sbuf b;
    char *text;

    sbuf_init(&b, 4096);
    token_mint(&b, secret, claim, user, NOW_S, expires_s, audience);
    text = arena_printf(arena, "token=%s", sbuf_str(&b));
    sbuf_fini(&b);
    return text;
}

static const char *
good(void)
{
    return token(SECRET, "sub", "7", NOW_S + 60, "confab:rooms");
}

/* "user room counted" or "close CODE" of a socket, "status STATUS" of a refusal. */
static const char *
knock(const char *method, const char *path, const char *query, bool upgrade)
{
    struct io_request r = { .method = method, .path = path, .query = query, .upgrade = upgrade };
    const struct wire *wire = wire_find(arena, &config, path);
    struct io_answer a = { 0 };
    struct wire_hello h;

    if (!wire)
        return "no wire";
    sbuf_init(&a.body, 1000);
    sbuf_init(&a.headers, 1000);
    if (!wire->handshake(arena, &config, &r, NOW_S * 1000, &h, &a)) {
        snprintf(said, sizeof said, "status %d", a.status);
        assert_int_equal(strncmp(sbuf_str(&a.body), "{\"detail\":\"", 11), 0);
    } else if (h.close_code) {
        snprintf(said, sizeof said, "close %d", h.close_code);
        assert_null(h.counted);
    } else {
        snprintf(said, sizeof said, "%s %lld %s", h.user, (long long)h.room, h.counted);
    }
    sbuf_fini(&a.body);
    sbuf_fini(&a.headers);
    return said;
}

static const char *
chat(const char *query)
{
    return knock("GET", "/api/rooms/12/chat", query, true);
}

/* ---- paths ---- */

static void
paths_find_their_wires(void **state)
{
    static const struct { const char *path; const struct wire *wire; } rows[] = {
        { "/api/rooms/1/chat", &wire_rooms_chat },
        { "/api/rooms/1/graph", &wire_rooms_graph },
        { "/api/runner/stream", &wire_rooms_runner },
        { "/api/v1/ws", &wire_mtchat },
        { "/api/rooms/%31/chat", &wire_rooms_chat },
        { "/api/ro%6fms/1/chat", &wire_rooms_chat },
        { "/api/rooms/abc/chat", &wire_rooms_chat },
        { "/api/rooms//graph", &wire_rooms_graph },
        { "/api/rooms/1%2F2/chat", &wire_rooms_chat },
        { "/api/rooms/1%00/chat", &wire_rooms_chat },
        { "/api/rooms/chat", NULL },
        { "/api/rooms/1/chats", NULL },
        { "/api/rooms/1/chat/", NULL },
        { "/api/rooms/1", NULL },
        { "/api/rooms/", NULL },
        { "/api/runner/streams", NULL },
        { "/api/runner/rooms/1/chat", NULL },
        { "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_ptr_equal(wire_find(arena, &config, rows[i].path), rows[i].wire);
    config.systems = "rooms";
    assert_null(wire_find(arena, &config, "/api/v1/ws"));
    assert_ptr_equal(wire_find(arena, &config, "/api/rooms/1/chat"), &wire_rooms_chat);
    config.systems = "mtchat";
    assert_null(wire_find(arena, &config, "/api/rooms/1/chat"));
}

static void
refusals_are_in_the_words_of_the_nearest(void **state)
{
    (void)state;
    assert_ptr_equal(wire_near(&config, "/nothing"), &wire_mtchat);
    assert_ptr_equal(wire_near(&config, "/api/rooms/1/what"), &wire_rooms_chat);
    config.systems = "rooms";
    assert_ptr_equal(wire_near(&config, "/nothing"), &wire_rooms_chat);
}

static void
ids_that_are_none_are_room_0(void **state)
{
    static const struct { const char *path, *wanted; } rows[] = {
        { "/api/rooms/12/chat", "7 12 12:7" },
        { "/api/rooms/%31%32/graph", "7 12 12:7" },
        { "/api/rooms/9007199254740991/chat", "7 9007199254740991 9007199254740991:7" },
        { "/api/rooms/9007199254740992/chat", "7 0 0:7" },
        { "/api/rooms/99999999999999999999999/chat", "7 0 0:7" },
        { "/api/rooms/0/chat", "7 0 0:7" },
        { "/api/rooms/-1/chat", "7 0 0:7" },
        { "/api/rooms/1.5/chat", "7 0 0:7" },
        { "/api/rooms/abc/chat", "7 0 0:7" },
        { "/api/rooms//chat", "7 0 0:7" },
        { "/api/rooms/1%00/chat", "7 0 0:7" },
        { "/api/rooms/1%2Fx/chat", "7 0 0:7" },
        { "/api/rooms/1%/chat", "7 0 0:7" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(knock("GET", rows[i].path, good(), true), rows[i].wanted);
}

/* ---- handshakes ---- */

static void
tokens_are_judged(void **state)
{
    (void)state;
    assert_string_equal(chat(good()), "7 12 12:7");
    assert_string_equal(chat(arena_printf(arena, "x=1&%s&y", good())), "7 12 12:7");
    assert_string_equal(chat(""), "close 4001");
    assert_string_equal(chat("token"), "close 4001");
    assert_string_equal(chat("token="), "close 4001");
    assert_string_equal(chat("token=a.b.c"), "close 4001");
    assert_string_equal(chat("token=rk_0123456789"), "close 4001");
    assert_string_equal(chat("token=%00"), "close 4001");
    assert_string_equal(chat("token=%ff"), "close 4001");
    assert_string_equal(chat(token(OTHER, "sub", "7", NOW_S + 60, "confab:rooms")), "close 4001");
    assert_string_equal(chat(token(SECRET, "sub", "7", NOW_S + 60, NULL)), "close 4001");
    assert_string_equal(chat(token(SECRET, "sub", "7", NOW_S + 60, "confab:mtchat")), "close 4001");
    assert_string_equal(chat(token(SECRET, "user", "7", NOW_S + 60, "confab:rooms")), "close 4001");
    assert_string_equal(chat(token(SECRET, "sub", "7", 0, "confab:rooms")), "close 4001");
    assert_string_equal(chat(token(SECRET, "sub", "7", NOW_S, "confab:rooms")), "close 4001");
    assert_string_equal(chat(token(SECRET, "sub", "7", NOW_S - 1, "confab:rooms")), "close 4001");
}

static void
a_socket_ends_with_its_token(void **state)
{
    struct io_request r = { .method = "GET", .path = "/api/rooms/1/graph", .query = good(), .upgrade = true };
    struct wire_hello h;

    (void)state;
    assert_true(wire_rooms_graph.handshake(arena, &config, &r, NOW_S * 1000, &h, NULL));
    assert_int_equal(h.expires_ms, (NOW_S + 60) * 1000);
    assert_int_equal(wire_rooms_graph.expired_code, 4001);
    assert_int_equal(wire_rooms_chat.expired_code, 4001);
}

static void
tokens_are_percent_decoded(void **state)
{
    const char *query = good();
    char *coded = arena_printf(arena, "token=");

    (void)state;
    for (const char *p = query + strlen("token="); *p; p++)
        coded = arena_printf(arena, "%s%%%02x", coded, (unsigned char)*p);
    assert_string_equal(chat(coded), "7 12 12:7");
}

static void
runners_bring_a_key(void **state)
{
    static const char path[] = "/api/runner/stream";

    (void)state;
    assert_string_equal(knock("GET", path, "token=rk_1%32", true), " 0 rk_12");
    assert_string_equal(knock("GET", path, good(), true), arena_printf(arena, " 0 %s", good() + strlen("token=")));
    assert_string_equal(knock("GET", path, "", true), "close 4001");
    assert_string_equal(knock("GET", path, "token=", true), "close 4001");
    assert_string_equal(knock("GET", path, "token=%00", true), "close 4001");
}

static void
only_upgrades_are_let_in(void **state)
{
    static const char *const paths[] = { "/api/rooms/1/chat", "/api/rooms/1/graph", "/api/runner/stream" };

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_string_equal(knock("GET", paths[i], good(), false), "status 426");
        assert_string_equal(knock("GET", paths[i], "", false), "status 426");
        assert_string_equal(knock("POST", paths[i], good(), false), "status 405");
        assert_string_equal(knock("DELETE", paths[i], "", false), "status 405");
    }
}

static void
refusals_have_a_status(void **state)
{
    static const struct { enum err e; int status; bool again; } rows[] = {
        { ERR_RATE, 503, true }, { ERR_BUSY, 503, true }, { ERR_NOT_FOUND, 404, false },
        { ERR_INTERNAL, 500, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct io_answer a = { 0 };

        sbuf_init(&a.body, 1000);
        sbuf_init(&a.headers, 1000);
        wire_rooms_chat.refuse(&a, rows[i].e);
        assert_int_equal(a.status, rows[i].status);
        assert_int_equal(strstr(sbuf_str(&a.headers), "Retry-After: ") != NULL, rows[i].again);
        sbuf_fini(&a.body);
        sbuf_fini(&a.headers);
    }
}

/* ---- frames ---- */

static const char *
written(void (*write)(struct sbuf *out, const struct event *e), const struct event *e)
{
    struct sbuf b;

    sbuf_init(&b, 1000);
    write(&b, e);
    snprintf(said, sizeof said, "%s", sbuf_str(&b));
    sbuf_fini(&b);
    return said;
}

#define BODY "{\"type\":\"message\",\"payload\":{\"id\":\"5\",\"text\":\"\\\"payload\\\":{\"}}"

static void
frames_by_format(void **state)
{
    const char *channels[] = { "room:12:chat", "room:12:runner", "runner:all" };
    struct event e = { .seq = 1, .kind = EVENT_ENTRY_NEW, .system = "rooms", .channels = channels,
                       .n_channels = 3, .body = BODY, .body_len = strlen(BODY) };

    (void)state;
    assert_string_equal(written(wire_rooms_chat.write_event, &e), BODY);
    assert_string_equal(written(wire_rooms_runner.write_event, &e),
                        "{\"type\":\"message\",\"payload\":{\"roomId\":\"12\",\"id\":\"5\","
                        "\"text\":\"\\\"payload\\\":{\"}}");
    assert_ptr_equal(wire_rooms_chat.write_event, wire_rooms_graph.write_event);    /* so they share frames */
}

static const char *
welcome(const struct wire *wire, int64_t room)
{
    struct wire_welcome w = { .user = "7", .room = room, .seq = 99 };
    struct sbuf b;

    sbuf_init(&b, 1000);
    wire->write_welcome(&b, &w);
    snprintf(said, sizeof said, "%s", sbuf_str(&b));
    sbuf_fini(&b);
    return said;
}

static void
first_frames(void **state)
{
    (void)state;
    assert_string_equal(welcome(&wire_rooms_chat, 1), "{\"type\":\"connected\",\"payload\":{\"roomId\":\"1\","
                                                      "\"message\":\"Подключено к чату комнаты\"}}");
    assert_string_equal(welcome(&wire_rooms_graph, 1), "{\"type\":\"connected\",\"payload\":{\"roomId\":\"1\","
                                                       "\"message\":\"Подключено к графу отношений\"}}");
    assert_non_null(strstr(welcome(&wire_rooms_runner, 1), "{\"scope\":\"room\",\"roomId\":\"1\",\"message\":\""));
    assert_non_null(strstr(welcome(&wire_rooms_runner, 0), "{\"scope\":\"all\",\"roomId\":null,\"message\":\""));
}

/* ---- what nobody heard ---- */

static const char *
unheard(const struct wire *wire, const char *channel, enum event_kind kind, const char *body)
{
    struct event e = { .seq = 1, .kind = kind, .system = "rooms", .channels = &channel, .n_channels = 1,
                       .body = body, .body_len = strlen(body) };
    const char *line = wire->unheard(arena, &e);

    return line ? line : "";
}

static void
what_nobody_heard_is_said(void **state)
{
    (void)state;
    assert_string_equal(unheard(&wire_rooms_chat, "room:12:chat", EVENT_ENTRY_NEW, BODY),
                        "broadcast room_id=12 — 0 подключений, сообщение не доставлено channel=chat type=message");
    assert_string_equal(unheard(&wire_rooms_chat, "room:3:chat", EVENT_ENTRY_NEW, "{\"type\":\"event\",\"payload\":{}}"),
                        "broadcast room_id=3 — 0 подключений, сообщение не доставлено channel=chat type=event");
    assert_string_equal(unheard(&wire_rooms_graph, "room:3:graph", EVENT_RELATIONSHIP, "{}"),
                        "broadcast room_id=3 — 0 подключений, сообщение не доставлено channel=graph type=edge_update");
    assert_string_equal(unheard(&wire_rooms_graph, "room:3:chat", EVENT_ENTRY_NEW, BODY), "");
    assert_string_equal(unheard(&wire_rooms_chat, "room:3:graph", EVENT_RELATIONSHIP, "{}"), "");
    assert_string_equal(unheard(&wire_rooms_chat, "dialog:x", EVENT_ENTRY_NEW, BODY), "");
    assert_string_equal(unheard(&wire_rooms_chat, "room:3:runner", EVENT_ORCHESTRATION, "{}"), "");
    assert_null(wire_rooms_runner.unheard);
    assert_null(wire_mtchat.unheard);
}

static void
bounds_are_settings(void **state)
{
    struct wire_bounds b;

    (void)state;
    wire_rooms_runner.bounds(&config, &b);
    assert_int_equal(b.sockets, 64);
    assert_int_equal(b.message_max, 16384);
    assert_int_equal(b.queue_bytes, 1 << 20);
    assert_int_equal(b.silence_ms, 90000);
    assert_int_equal(b.messages_per_s, 50);
    assert_int_equal(b.message_unit, 0);
    assert_int_equal(b.bad_max, 0);
    assert_int_equal(wire_rooms_chat.bare_close_code, 4003);
    assert_int_equal(wire_mtchat.bare_close_code, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(paths_find_their_wires),
        TEST(refusals_are_in_the_words_of_the_nearest),
        TEST(ids_that_are_none_are_room_0),
        TEST(tokens_are_judged),
        TEST(a_socket_ends_with_its_token),
        TEST(tokens_are_percent_decoded),
        TEST(runners_bring_a_key),
        TEST(only_upgrades_are_let_in),
        TEST(refusals_have_a_status),
        TEST(frames_by_format),
        TEST(first_frames),
        TEST(what_nobody_heard_is_said),
        TEST(bounds_are_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
