/* test_wire_eventchat - eventchat's sockets with strings: paths, credentials, greetings, refusals
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
#include "shared/wire/eventchat.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"
#define NOW_S 1000

static const char *const keys[] = { SECRET, NULL };
static struct config config;
static struct arena *arena;
static struct sbuf out;

static int
setup(void **state)
{
    (void)state;
    config = (struct config){ .systems = "eventchat", .jwt_keys = keys, .cors_allowed_origins = "*",
                              .socketio_root_system = "conversations" };
    arena = arena_new();
    sbuf_init(&out, 100000);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(arena);
    sbuf_fini(&out);
    return 0;
}

static const char *
token(const char *secret, const char *user, int64_t expires_s, const char *audience)
{
    struct sbuf b;
    char *text;

    sbuf_init(&b, 4096);
    token_mint(&b, secret, "sub", user, NOW_S, expires_s, audience);
    text = arena_copy(arena, sbuf_str(&b), b.len);
    sbuf_fini(&b);
    return text;
}

static const char *
good(void)
{
    return token(SECRET, "7", NOW_S + 60, NULL);
}

static enum err
identify(const char *auth, const char *authorization, const char *query, struct wire_hello *h_r)
{
    const struct wire_credential c = { auth, authorization, query };

    *h_r = (struct wire_hello){ .user = "" };
    return wire_eventchat.named->identify(arena, &config, &c, NOW_S * 1000, h_r);
}

/* ---- paths ---- */

static void
paths_and_namespaces(void **state)
{
    const struct wire *wire;
    size_t n = 0;

    (void)state;
    assert_ptr_equal(wire_find(arena, &config, "/eventchat/ws"), &wire_eventchat);
    assert_null(wire_find(arena, &config, "/eventchat/ws/"));
    assert_null(wire_find(arena, &config, "/eventchat/socket.io"));
    while ((wire = wire_served(&config, n))) {
        assert_string_equal(wire->system, "eventchat");
        assert_ptr_not_equal(wire, &wire_eventchat_root);
        n++;
    }
    assert_int_equal(n, 3);
    config.socketio_root_system = "eventchat";
    for (n = 0; (wire = wire_served(&config, n)) && wire != &wire_eventchat_root;)
        n++;
    assert_ptr_equal(wire, &wire_eventchat_root);
    assert_true(wire_same_format(&wire_eventchat_root, &wire_eventchat_path));
    assert_false(wire_same_format(&wire_eventchat_root, &wire_eventchat_namespace));
    assert_false(wire_same_format(&wire_eventchat, &wire_eventchat_namespace));
    config.systems = "mtchat";
    assert_null(wire_find(arena, &config, "/eventchat/ws"));
}

/* ---- who it is ---- */

static void
the_first_place_counts(void **state)
{
    struct wire_hello h;
    const char *auth = arena_printf(arena, "{\"token\":\"%s\"}", good());
    const char *bearer = arena_printf(arena, "Bearer %s", good());
    const char *query = arena_printf(arena, "a=b&token=%s", good());

    (void)state;
    assert_int_equal(identify(auth, NULL, "", &h), ERR_OK);
    assert_string_equal(h.user, "7");
    assert_int_equal(h.since, WIRE_SINCE_NONE);
    assert_true(h.expires_ms >= (NOW_S + 60) * 1000);
    assert_null(h.name);
    assert_int_equal(identify("{}", bearer, "", &h), ERR_OK);
    assert_int_equal(identify("{\"token\":null}", NULL, query, &h), ERR_OK);
    assert_int_equal(identify(NULL, bearer, "token=bad", &h), ERR_OK);
    assert_int_equal(identify(auth, "Bearer bad", "token=bad", &h), ERR_OK);
    assert_int_equal(identify("{\"token\":\"bad\"}", bearer, query, &h), ERR_UNAUTHORIZED);
    assert_int_equal(identify("{}", "Bearer bad", query, &h), ERR_UNAUTHORIZED);
    assert_int_equal(identify("{}", "Basic abc", query, &h), ERR_UNAUTHORIZED);
    assert_int_equal(identify(NULL, NULL, "", &h), ERR_NOT_FOUND);
    assert_int_equal(identify("{}", NULL, "a=b", &h), ERR_NOT_FOUND);
}

static void
bad_credentials(void **state)
{
    struct wire_hello h;
    const char *const bad[] = {
        token(OTHER, "7", NOW_S + 60, NULL),    token(SECRET, "7", NOW_S - 600, NULL),
        token(SECRET, "anna", 0, NULL),         token(SECRET, "0", 0, NULL),
        token(SECRET, "-7", 0, NULL),           token(SECRET, "7", 0, "confab:rooms"),
        "",                                     "a.b.c",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(identify(arena_printf(arena, "{\"token\":\"%s\"}", bad[i]), NULL, "", &h),
                         ERR_UNAUTHORIZED);
    assert_int_equal(identify("{\"token\":7}", NULL, "", &h), ERR_UNAUTHORIZED);
    assert_int_equal(identify("{\"token\":", NULL, "", &h), ERR_UNAUTHORIZED);
    assert_int_equal(identify(NULL, NULL, "token=%00", &h), ERR_UNAUTHORIZED);
}

/* "user", "stranger", or the status and code of a refusal. */
static const char *
knock(const char *method, const char *query, bool upgrade)
{
    struct io_request r = { .method = method, .path = "/eventchat/ws", .query = query, .upgrade = upgrade };
    struct io_answer a = { 0 };
    struct wire_hello h;
    char *said;

    sbuf_init(&a.body, 1000);
    sbuf_init(&a.headers, 1000);
    if (wire_eventchat.handshake(arena, &config, &r, NOW_S * 1000, &h, &a))
        said = arena_string(arena, h.stranger ? "stranger" : h.user);
    else
        said = arena_printf(arena, "%d %.24s", a.status, sbuf_str(&a.body));
    sbuf_fini(&a.body);
    sbuf_fini(&a.headers);
    return said;
}

static void
handshakes(void **state)
{
    (void)state;
    assert_string_equal(knock("GET", "", true), "stranger");
    assert_string_equal(knock("GET", arena_printf(arena, "token=%s", good()), true), "7");
    assert_string_equal(knock("GET", "token=bad", true), "401 {\"error\":{\"code\":\"UNAUTH");
    assert_string_equal(knock("GET", "", false), "426 {\"error\":{\"code\":\"BAD_PA");
    assert_string_equal(knock("POST", "", false), "405 {\"error\":{\"code\":\"METHOD");
}

static void
refusals(void **state)
{
    static const struct { enum err e; int status; const char *header; } rows[] = {
        { ERR_RATE, 429, "Retry-After: " }, { ERR_BUSY, 503, "Retry-After: " },
        { ERR_METHOD, 405, "Allow: GET" },  { ERR_UNAUTHORIZED, 401, "WWW-Authenticate: Bearer" },
        { ERR_NOT_FOUND, 404, "no-store" }, { ERR_FORBIDDEN, 403, "nosniff" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct io_answer a = { 0 };

        sbuf_init(&a.body, 1000);
        sbuf_init(&a.headers, 1000);
        wire_eventchat.refuse(&a, rows[i].e);
        assert_int_equal(a.status, rows[i].status);
        assert_non_null(strstr(sbuf_str(&a.headers), rows[i].header));
        assert_non_null(strstr(sbuf_str(&a.body), eventchat_error_of(rows[i].e).code));
        sbuf_fini(&a.body);
        sbuf_fini(&a.headers);
    }
}

/* ---- what it says ---- */

static const char *
welcome(const struct wire *wire, const char *first)
{
    const struct wire_welcome w = { .user = "7", .first = first };

    sbuf_reset(&out);
    wire->write_welcome(&out, &w);
    return sbuf_str(&out);
}

static void
initial_data_is_the_greeting(void **state)
{
    (void)state;
    assert_string_equal(welcome(&wire_eventchat, "[1]"), "{\"event\":\"initial_data\",\"data\":[1]}");
    assert_string_equal(welcome(&wire_eventchat, NULL), "{\"event\":\"initial_data\",\"data\":[]}");
    assert_string_equal(welcome(&wire_eventchat_namespace, "[1]"), "42/eventchat,[\"initial_data\",[1]]");
    assert_string_equal(welcome(&wire_eventchat_path, "[1]"), "42[\"initial_data\",[1]]");
    assert_string_equal(welcome(&wire_eventchat_root, "[1]"), "42[\"initial_data\",[1]]");
}

static void
bad_events_are_told(void **state)
{
    const struct wire_named *named = wire_eventchat.named;

    (void)state;
    assert_string_equal(named->bad_event, "debug_info");
    sbuf_reset(&out);
    assert_true(named->write_bad(&out, WIRE_BAD_FRAME, NULL, "why"));
    assert_string_equal(sbuf_str(&out), "{\"code\":\"BAD_FRAME\",\"message\":\"why\",\"event\":null}");
    sbuf_reset(&out);
    assert_true(named->write_bad(&out, WIRE_BAD_EVENT, "x\"", NULL));
    assert_non_null(strstr(sbuf_str(&out), "{\"code\":\"UNKNOWN_EVENT\","));
    assert_non_null(strstr(sbuf_str(&out), "\"event\":\"x\\\"\"}"));
    sbuf_reset(&out);
    assert_true(named->write_bad(&out, WIRE_BAD_CREDENTIAL, "auth", NULL));
    assert_non_null(strstr(sbuf_str(&out), "{\"code\":\"UNAUTHORIZED\","));
    sbuf_reset(&out);
    named->write_nack(&out, WIRE_BAD_EVENT, "x");
    assert_non_null(strstr(sbuf_str(&out), "{\"ok\":false,\"code\":\"UNKNOWN_EVENT\","));
    assert_true(named->is_command("send_message"));
    assert_true(named->is_command("read_messages"));
    assert_true(named->is_command("load_history"));
    assert_false(named->is_command("auth"));
    assert_false(named->is_command(""));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(paths_and_namespaces),
        T(the_first_place_counts),
        T(bad_credentials),
        T(handshakes),
        T(refusals),
        T(initial_data_is_the_greeting),
        T(bad_events_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
