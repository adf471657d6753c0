/* test_conversations_socket - who may have a socket of conversations: handshakes, what is shown where, refusals
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

#include "relay/io_request.h"
#include "relay/wire.h"
#include "shared/token.h"

#define NOW_S 1000
#define VK "vk_user_id=494075&vk_app_id=6736218&vk_is_app_user=1&vk_are_notifications_enabled=1" \
    "&vk_language=ru&vk_access_token_settings=&vk_platform=android"
#define VK_SIGN "htQFduJpLxz7ribXRZpDFUH-XEUhC9rBPTJkjUFEkRA"

static const char *const keys[] = { "a key of this test", NULL };
static struct config config;
static struct arena *arena;
static char said[400];

static int
setup(void **state)
{
    (void)state;
    config = (struct config){
        .systems = "conversations", .jwt_keys = keys, .vk_app_secret = "wvl68m4dR1UpLrVRli",
        .vk_app_id = "", .cors_allowed_origins = "*", .socketio_root_system = "conversations",
    };
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
token(const char *secret, const char *user, int64_t expires_s)
{
    struct sbuf b;
    char *text;

    sbuf_init(&b, 4096);
    token_mint(&b, secret, "sub", user, NOW_S, expires_s, NULL);
    text = arena_string(arena, sbuf_str(&b));
    sbuf_fini(&b);
    return text;
}

static const char *
good(void)
{
    return token(keys[0], "7", NOW_S + 60);
}

/* ---- what is shown ---- */

/* "USER", "none" or "bad". */
static const char *
shows(const char *auth, const char *authorization, const char *query)
{
    const struct wire_credential c = { auth, authorization, query };
    struct wire_hello h = { 0 };
    enum err e = wire_conversations.named->identify(arena, &config, &c, NOW_S * 1000, &h);

    if (e == ERR_NOT_FOUND)
        return "none";
    assert_true(e == ERR_OK || e == ERR_UNAUTHORIZED);
    return e == ERR_OK ? h.user : "bad";
}

static const char *
object(const char *name, const char *text)
{
    return arena_printf(arena, "{\"%s\":\"%s\"}", name, text);
}

static void
the_first_place_counts(void **state)
{
    const char *bearer = arena_printf(arena, "Bearer %s", token(keys[0], "8", 0));
    const char *query = arena_printf(arena, "EIO=4&token=%s", token(keys[0], "9", 0));

    (void)state;
    assert_string_equal(shows(NULL, NULL, ""), "none");
    assert_string_equal(shows("{}", NULL, ""), "none");
    assert_string_equal(shows("{\"token\":null,\"other\":1}", NULL, "x=1"), "none");
    assert_string_equal(shows(object("token", good()), bearer, query), "7");
    assert_string_equal(shows("{}", bearer, query), "8");
    assert_string_equal(shows("{}", NULL, query), "9");
    assert_string_equal(shows(object("token", "nonsense"), bearer, query), "bad");
    assert_string_equal(shows("{\"token\":7}", bearer, query), "bad");
    assert_string_equal(shows("{\"vk\":{}}", bearer, query), "bad");
    assert_string_equal(shows("{}", "Bearer nonsense", query), "bad");
    assert_string_equal(shows("{}", "Basic YTpi", query), "bad");
    assert_string_equal(shows("{}", "", query), "bad");
    assert_string_equal(shows("{}", NULL, "token=nonsense"), "bad");
    assert_string_equal(shows("{}", NULL, "token="), "bad");
    assert_string_equal(shows("{}", NULL, "token=%00"), "bad");
}

static void
tokens_are_judged(void **state)
{
    (void)state;
    assert_string_equal(shows(object("token", token("another key", "7", 0)), NULL, ""), "bad");
    assert_string_equal(shows(object("token", token(keys[0], "7", NOW_S - 31)), NULL, ""), "bad");
    assert_string_equal(shows(object("token", token(keys[0], "7", NOW_S - 29)), NULL, ""), "7");
    assert_string_equal(shows(object("token", token(keys[0], "ann", 0)), NULL, ""), "bad");
    assert_string_equal(shows(object("token", token(keys[0], "0", 0)), NULL, ""), "bad");
}

static void
launch_parameters_are_judged(void **state)
{
    const char *signed_vk = VK "&sign=" VK_SIGN;

    (void)state;
    assert_string_equal(shows(object("vk", signed_vk), NULL, ""), "494075");
    assert_string_equal(shows(object("vk", arena_printf(arena, "?%s", signed_vk)), NULL, ""), "494075");
    assert_string_equal(shows("{}", arena_printf(arena, "VK %s", signed_vk), ""), "494075");
    assert_string_equal(shows(object("vk", VK "&sign=" "htQFduJpLxz7ribXRZpDFUH-XEUhC9rBPTJkjUFEkRB"), NULL, ""), "bad");
    assert_string_equal(shows(object("vk", VK), NULL, ""), "bad");
    config.vk_app_secret = "";
    assert_string_equal(shows(object("vk", signed_vk), NULL, ""), "bad");
}

/* ---- handshakes ---- */

/* "USER", "stranger" or "STATUS BODY". */
static const char *
knock(const char *method, bool upgrade, const char *query, const char *header, const char *value)
{
    char text[500];
    int len = header ? snprintf(text, sizeof text, "%s%c%s", header, 0, value) + 1 : 0;
    struct io_fields fields = { text, text + len };
    struct io_request r = { .method = method, .path = "/v1/ws", .query = query, .upgrade = upgrade,
                            .fields = &fields };
    struct io_answer a = { 0 };
    struct wire_hello h = { 0 };

    sbuf_init(&a.body, 1000);
    sbuf_init(&a.headers, 1000);
    if (!wire_conversations.handshake(arena, &config, &r, NOW_S * 1000, &h, &a))
        snprintf(said, sizeof said, "%d %s", a.status, sbuf_str(&a.body));
    else
        snprintf(said, sizeof said, "%s", h.stranger ? "stranger" : h.user);
    sbuf_fini(&a.body);
    sbuf_fini(&a.headers);
    return said;
}

#define ERROR(code, text) "{\"response\":false,\"error\":{\"code\":" #code ",\"message\":\"" text "\"}}"

static void
handshakes(void **state)
{
    const char *query = arena_printf(arena, "token=%s", good());

    (void)state;
    assert_string_equal(knock("GET", true, query, NULL, NULL), "7");
    assert_string_equal(knock("GET", true, "", NULL, NULL), "stranger");
    assert_string_equal(knock("GET", true, "token=x", NULL, NULL),
                        "401 " ERROR(101, "A valid credential is required"));
    assert_string_equal(knock("GET", true, "", "Authorization", "Bearer x"),
                        "401 " ERROR(101, "A valid credential is required"));
    assert_string_equal(knock("POST", true, query, NULL, NULL), "405 " ERROR(103, "Only GET is allowed here"));
    assert_string_equal(knock("GET", false, query, NULL, NULL),
                        "426 " ERROR(100, "This path speaks WebSocket (version 13) only"));
}

static void
pages_of_some_origins(void **state)
{
    (void)state;
    assert_string_equal(knock("GET", true, "", "Origin", "null"), "stranger");
    config.cors_allowed_origins = "https://app.example";
    assert_string_equal(knock("GET", true, "", "Origin", "https://app.example"), "stranger");
    assert_string_equal(knock("GET", true, "", "Origin", "https://other.example"),
                        "403 " ERROR(101, "Pages of this origin may not connect"));
    assert_string_equal(knock("GET", true, "", NULL, NULL), "stranger");
}

/* ---- which are served ---- */

static void
namespaces_are_no_paths(void **state)
{
    (void)state;
    assert_ptr_equal(wire_find(arena, &config, "/v1/ws"), &wire_conversations);
    assert_null(wire_find(arena, &config, "/socket.io"));
    assert_null(wire_find(arena, &config, "/v1/ws/"));
}

static bool
is_served(const struct wire *wire)
{
    const struct wire *one;

    for (size_t i = 0; (one = wire_served(&config, i)); i++)
        if (one == wire)
            return true;
    return false;
}

static void
the_root_is_one_systems(void **state)
{
    (void)state;
    assert_true(is_served(&wire_conversations_root));
    config.socketio_root_system = "";
    assert_false(is_served(&wire_conversations_root));
    assert_true(is_served(&wire_conversations_namespace) && is_served(&wire_conversations_path));
}

static void
formats(void **state)
{
    (void)state;
    assert_true(wire_same_format(&wire_conversations_root, &wire_conversations_path));
    assert_false(wire_same_format(&wire_conversations_root, &wire_conversations_namespace));
    assert_false(wire_same_format(&wire_conversations, &wire_conversations_path));
    assert_false(wire_same_format(&wire_conversations, &wire_mtchat));
    assert_false(wire_same_format(&wire_rooms_chat, &wire_mtchat));
    assert_true(wire_same_format(&wire_rooms_chat, &wire_rooms_graph));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_place_counts),
        TEST(tokens_are_judged),
        TEST(launch_parameters_are_judged),
        TEST(handshakes),
        TEST(pages_of_some_origins),
        TEST(namespaces_are_no_paths),
        TEST(the_root_is_one_systems),
        TEST(formats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
