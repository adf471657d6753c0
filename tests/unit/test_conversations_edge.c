/* test_conversations_edge - requests to conversations without a web server: parameters, errors, their order
 *
 * User 1 has a socket and the conversation 1, user 2 has a socket, user 9 has none.
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

#include "fcgi/conversations/conversations.h"
#include "fcgi/service.h"
#include "shared/log.h"
#include "shared/when.h"
#include "tests/unit/group_world.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECRET "a secret of this test, of 32 bytes or more"
#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"
#define V "/v1/conversations/"

static const struct edge *const edges[] = { &conversations_edge, NULL };

struct fixture {
    struct world *w;
    struct service service;
    struct sbuf out;
};

struct call {
    const char *method, *target, *type, *body;
    int status;
    const char *text;           /* somewhere in the answer */
};

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct config *config;
    void *world;

    world_set_up(&world);
    f->w = world;
    f->w->config.lease_ms = 3600000;
    f->w->op.now_ms = when_now_ms();
    assert_int_equal(op_relay_start(&f->w->op, RELAY, "now", "ipc:///nowhere"), ERR_OK);
    world_live(f->w, "now", "1", true);
    world_live(f->w, "now", "2", true);
    world_group(f->w, "1", "first");
    clearenv();
    setenv("CONFAB_CONFIG", "/dev/null", 1);
    setenv("CONFAB_STATE", f->w->dir, 1);
    setenv("CONFAB_DATABASE", f->w->path, 1);
    setenv("CONFAB_SYSTEMS", "conversations", 1);
    setenv("CONFAB_JWT_SECRET", SECRET, 1);
    setenv("CONFAB_VK_APP_SECRET", "wvl68m4dR1UpLrVRli", 1);
    setenv("CONFAB_VK_TTL", "0", 1);
    log_setup("test_conversations_edge", LOG_LEVEL_ERROR, 0);
    assert_int_equal(config_load(f->w->arena, &config, NULL), ERR_OK);
    service_init(&f->service, config, edges, false);
    sbuf_init(&f->out, 1 << 24);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    void *world = f->w;

    service_fini(&f->service);
    sbuf_fini(&f->out);
    world_tear_down(&world);
    free(f);
    return 0;
}

static const char *
ask(struct fixture *f, struct request *q)
{
    sbuf_reset(&f->out);
    q->arena = f->w->arena;
    q->body_len = q->body ? strlen(q->body) : 0;
    service_answer(&f->service, q, &f->out);
    return sbuf_str(&f->out);
}

static const char *
bearer(struct fixture *f, const char *user)
{
    struct sbuf token;
    const char *text;

    sbuf_init(&token, 4096);
    token_mint(&token, SECRET, "sub", user, 1700000000, 0, NULL);
    text = arena_printf(f->w->arena, "Bearer %s", sbuf_str(&token));
    sbuf_fini(&token);
    return text;
}

static const char *
call_as(struct fixture *f, const char *user, const struct call *c)
{
    struct request q = { .method_text = c->method, .target = c->target, .body = c->body,
                         .content_type = c->type, .authorization = user ? bearer(f, user) : NULL };

    return ask(f, &q);
}

static void
check(struct fixture *f, const char *user, const struct call *c)
{
    const char *text = call_as(f, user, c);
    char status[32];

    snprintf(status, sizeof(status), "Status: %d ", c->status);
    if (strncmp(text, status, strlen(status)) != 0 || !strstr(text, c->text))
        fail_msg("%s %s %s: wanted %d %s, got %s", c->method, c->target, c->body ? c->body : "",
                 c->status, c->text, text);
    assert_non_null(strstr(text, "\r\nAccess-Control-Allow-Origin: *\r\n"));
    assert_non_null(strstr(text, "\r\nCache-Control: no-store\r\n"));
    assert_non_null(strstr(text, "\r\nX-Content-Type-Options: nosniff\r\n"));
    if (c->status != 204)
        assert_non_null(strstr(text, "\r\nContent-Type: application/json; charset=utf-8\r\n"));
}

static void
check_all(struct fixture *f, const char *user, const struct call *calls, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(f, user, &calls[i]);
}

#define CODE(n) "{\"response\":false,\"error\":{\"code\":" #n ",\"message\":\""
#define BLAMES(field) "\",\"field\":\"" field "\"}}"

static void
route_then_method_then_credential_then_socket(void **state)
{
    static const struct call nobodys[] = {
        { "GET", "/v1/nothing", NULL, NULL, 404, CODE(102) },
        { "GET", "/other", NULL, NULL, 404, CODE(102) },
        { "GET", V "join", NULL, NULL, 404, CODE(102) },
        { "PUT", V "join/1", NULL, NULL, 405, "\r\nAllow: GET, POST, OPTIONS\r\n" },
        { "PUT", V "members/1", NULL, NULL, 405, "\r\nAllow: GET, HEAD, POST, OPTIONS\r\n" },
        { "GET", V "delete/1", NULL, NULL, 405, "\r\nAllow: POST, DELETE, OPTIONS\r\n" },
        { "GET", "/v1/messages/send", NULL, NULL, 405, CODE(103) },
        { "GET", V "new", NULL, NULL, 405, CODE(103) },
        { "HEAD", V "join/1", NULL, NULL, 405, "\r\nAllow: GET, POST, OPTIONS\r\n" },
        { "HEAD", V "view/1", NULL, NULL, 405, "" },
        { "HEAD", V "stopView/1", NULL, NULL, 405, "" },
        { "HEAD", V "leave/1", NULL, NULL, 405, "" },
        { "HEAD", V "read/1", NULL, NULL, 405, "" },
        { "HEAD", "/v1/profile", NULL, NULL, 401, "" },
        { "GET", V "join/x", NULL, NULL, 401, CODE(101) },
        { "OPTIONS", V "join/1", NULL, NULL, 204,
          "\r\nAccess-Control-Allow-Methods: GET,POST,DELETE,OPTIONS\r\n"
          "Access-Control-Allow-Headers: Authorization,Content-Type,X-VK-Launch-Params\r\n" },
    };
    static const struct call offline[] = {
        { "GET", "/v1/messages/get", NULL, NULL, 428, CODE(4) },
        { "POST", "/v1/messages/send", "text/plain", "x", 428, CODE(3) },
        { "GET", V "get?mode=x", NULL, NULL, 428, CODE(1) },
        { "GET", V "join/x", NULL, NULL, 428, CODE(4) },
        { "GET", V "leave/1", NULL, NULL, 428, CODE(3) },
        { "POST", V "new", NULL, NULL, 428, CODE(2) },
        { "DELETE", V "delete/1", NULL, NULL, 428, CODE(3) },
        { "GET", V "view/1", NULL, NULL, 428, CODE(3) },
        { "GET", V "stopView/1", NULL, NULL, 428, CODE(3) },
        { "GET", V "read/1", NULL, NULL, 428, CODE(3) },
        { "GET", V "members/1", NULL, NULL, 428, CODE(3) },
        { "GET", "/v1/profile", NULL, NULL, 200, "\"profile\":{\"user_id\":9,\"name\":\"id9\",\"avatar\":\"\"}" },
    };

    check_all(*state, NULL, nobodys, COUNT(nobodys));
    check_all(*state, "9", offline, COUNT(offline));
}

static void
which_chat_has_to_be_said(void **state)
{
    static const struct call calls[] = {
        { "GET", "/v1/messages/get", NULL, NULL, 400, CODE(1) },
        { "GET", "/v1/messages/get?chat=", NULL, NULL, 400, CODE(1) },
        { "GET", "/v1/messages/get?chat=-1", NULL, NULL, 400, CODE(1) },
        { "GET", "/v1/messages/get?chat=x", NULL, NULL, 400, CODE(1) },
        { "GET", "/v1/messages/get?chat=1.5", NULL, NULL, 400, CODE(1) },
        { "POST", "/v1/messages/get", JSON, "{\"chat\":true}", 400, CODE(1) },
        { "POST", "/v1/messages/get?chat=0", JSON, "{\"chat\":null}", 400, CODE(1) },
        { "GET", "/v1/messages/get?chat=77", NULL, NULL, 404, CODE(2) },
        { "GET", "/v1/messages/get?chat=99999999999999999999", NULL, NULL, 404, CODE(2) },
        { "GET", "/v1/messages/get?chat=1", NULL, NULL, 403, CODE(3) },
        { "GET", "/v1/messages/get?chat=0&offset=-1", NULL, NULL, 400, BLAMES("offset") },
        { "GET", "/v1/messages/get?chat=0&offset=1x", NULL, NULL, 400, BLAMES("offset") },
        { "GET", "/v1/messages/get?chat=0&%zz", NULL, NULL, 400, CODE(100) },
        { "GET", "/v1/messages/get/?chat=0", NULL, NULL, 200, "{\"response\":true,\"messages\":[]}" },
        { "POST", "/v1/messages/get", FORM, "chat=0", 200, "\"messages\":[]" },
    };

    check_all(*state, "2", calls, COUNT(calls));
}

static void
parameters_come_from_anywhere(void **state)
{
    static const struct call calls[] = {
        { "POST", "/v1/messages/send?text=a", NULL, NULL, 200, "{\"response\":true,\"message_id\":2}" },
        { "POST", "/v1/messages/send?text=a", FORM, "text=b+%D0%B6", 200, "\"message_id\":3" },
        { "POST", "/v1/messages/send", FORM "; charset=utf-8", "text=b&conversation_id=1", 200, "\"message_id\":4" },
        { "POST", "/v1/messages/send", JSON "; charset=utf-8", "{\"text\":\"c\",\"conversation_id\":\"1\"}", 200, "true" },
        { "POST", "/v1/messages/send", JSON, "{\"text\":\"c\",\"conversation_id\":1}", 200, "true" },
        { "POST", "/v1/messages/send?conversation_id=77", JSON, "{\"text\":\"c\",\"conversation_id\":null}", 200, "true" },
        { "POST", "/v1/messages/send", NULL, " {\"text\":\"c\",\"conversation_id\":0}", 200, "true" },
        { "POST", "/v1/messages/send?text=a", "text/plain", "text=b", 415, CODE(105) },
        { "POST", "/v1/messages/send", NULL, "text=b", 415, CODE(105) },
        { "POST", "/v1/messages/send", "application/jsonp", "{\"text\":\"a\"}", 415, CODE(105) },
        { "POST", "/v1/messages/send", JSON, "[]", 400, CODE(100) },
        { "POST", "/v1/messages/send", JSON, "{\"text\":", 400, CODE(100) },
        { "POST", "/v1/messages/send", FORM, "text=%", 400, CODE(100) },
        { "POST", "/v1/messages/send", FORM, "text=%00", 400, CODE(100) },
        { "POST", "/v1/messages/send", JSON, "{\"text\":\"a\\u0000\"}", 400, BLAMES("text") },
        { "POST", "/v1/messages/send", JSON, "{\"text\":1}", 400, BLAMES("text") },
        { "POST", "/v1/messages/send", NULL, NULL, 400, BLAMES("text") },
        { "POST", "/v1/messages/send?text=", NULL, NULL, 400, BLAMES("text") },
        { "POST", "/v1/messages/send?text=%20%C2%A0%0A", NULL, NULL, 400, BLAMES("text") },
        { "POST", "/v1/messages/send?text=a&conversation_id=1.0", NULL, NULL, 400, BLAMES("conversation_id") },
        { "POST", "/v1/messages/send?text=a&conversation_id=-1", NULL, NULL, 400, BLAMES("conversation_id") },
        { "POST", "/v1/messages/send?text=a&conversation_id=100000000", NULL, NULL, 400, BLAMES("conversation_id") },
        { "POST", "/v1/messages/send", JSON, "{\"text\":\"a\",\"conversation_id\":1.5}", 400, BLAMES("conversation_id") },
        { "POST", "/v1/messages/send", JSON, "{\"text\":\"a\",\"conversation_id\":[]}", 400, BLAMES("conversation_id") },
        { "POST", "/v1/messages/send?text=a&conversation_id=99999999", NULL, NULL, 404, CODE(1) },
        { "GET", V "get?mode=", NULL, NULL, 400, BLAMES("mode") },
        { "GET", V "get?mode=joined&offset=", NULL, NULL, 400, BLAMES("offset") },
    };

    check_all(*state, "1", calls, COUNT(calls));
}

static void
names_are_trimmed_and_measured(void **state)
{
    static const struct call calls[] = {
        { "POST", V "new", JSON, "{\"name\":\"  ab  \"}", 400, BLAMES("name") },
        { "POST", V "new", JSON, "{\"name\":\" жжж \"}", 200, "{\"response\":true,\"conversation_id\":2}" },
        { "POST", V "new", JSON, "{\"name\":\"жжж\"}", 409, CODE(1) },
        { "POST", V "new", JSON, "{\"name\":\"12345678901234567890123456789012345678901234567890\"}", 200, "true" },
        { "POST", V "new", JSON, "{\"name\":\"123456789012345678901234567890123456789012345678901\"}", 400, BLAMES("name") },
        { "POST", V "new", NULL, NULL, 400, BLAMES("name") },
    };

    check_all(*state, "1", calls, COUNT(calls));
}

static void
ids_of_paths(void **state)
{
    static const char *const nowhere[] = { "0", "-1", "x", "1x", "1.0", "100000000", "9999999999999999999999",
                                           "%zz", "%00", "+1", "%201", "77" };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(nowhere); i++) {
        const struct call calls[] = {
            { "GET", arena_printf(f->w->arena, V "join/%s", nowhere[i]), NULL, NULL, 404, CODE(1) },
            { "DELETE", arena_printf(f->w->arena, V "delete/%s", nowhere[i]), NULL, NULL, 404, CODE(1) },
            { "GET", arena_printf(f->w->arena, V "members/%s/", nowhere[i]), NULL, NULL, 404, CODE(1) },
        };

        check_all(f, "2", calls, COUNT(calls));
    }
}

static void
every_method_has_its_codes(void **state)
{
    static const struct call strangers[] = {
        { "POST", "/v1/messages/send?text=a&conversation_id=1", NULL, NULL, 403, CODE(2) "You are not allowed to write" },
        { "GET", V "leave/1", NULL, NULL, 403, CODE(2) },
        { "GET", V "read/1", NULL, NULL, 403, CODE(2) },
        { "GET", V "members/1", NULL, NULL, 403, CODE(2) },
        { "DELETE", V "delete/1", NULL, NULL, 403, CODE(2) "No rights" },
        { "GET", V "get", NULL, NULL, 200, "{\"response\":true,\"conversations\":[]}" },
        { "GET", V "get?mode=new", NULL, NULL, 200,
          "[{\"id\":1,\"name\":\"first\",\"members\":1,\"viewers\":0,\"creator_id\":1}]" },
        { "GET", V "stopView/1", NULL, NULL, 200, "{\"response\":true}" },
        { "POST", V "view/1/", NULL, NULL, 200, "\"messages\":[{\"id\":1,\"name\":\"id1\",\"avatar\":\"\",\"user_id\":1," },
        { "GET", "/v1/messages/get?chat=1", NULL, NULL, 403, CODE(3) },
        { "GET", V "stopView/1", NULL, NULL, 200, "{\"response\":true}" },
        { "GET", V "join/1", NULL, NULL, 200, "\"message\":\"Создана беседа.\"" },
        { "POST", V "join/1", NULL, NULL, 409, CODE(2) },
        { "GET", V "view/1", NULL, NULL, 409, CODE(2) },
        { "GET", V "stopView/1", NULL, NULL, 409, CODE(2) },
        { "GET", V "read/1", NULL, NULL, 200, "{\"response\":true}" },
        { "GET", V "members/1", NULL, NULL, 200,
          "\"members\":[{\"user_id\":1,\"name\":\"id1\",\"avatar\":\"\"},{\"user_id\":2," },
        { "GET", V "get", NULL, NULL, 200,
          "[{\"id\":1,\"name\":\"first\",\"members\":2,\"viewers\":0,\"creator_id\":1,\"unreadCount\":0,"
          "\"message\":\"Создана беседа.\",\"senderAvatar\":\"\"}]" },
        { "GET", V "leave/1", NULL, NULL, 200, "{\"response\":true}" },
    };
    static const struct call creators[] = {
        { "POST", V "delete/1", NULL, NULL, 200, "{\"response\":true}" },
        { "DELETE", V "delete/1", NULL, NULL, 404, CODE(1) },
    };

    check_all(*state, "2", strangers, COUNT(strangers));
    check_all(*state, "1", creators, COUNT(creators));
}

static void
heads_have_no_body(void **state)
{
    static const char *const targets[] = { "/v1/messages/get?chat=0", V "get", V "members/1", "/v1/profile" };

    for (size_t i = 0; i < COUNT(targets); i++) {
        const struct call c = { "HEAD", targets[i], NULL, NULL, 200, "" };
        const char *text;

        check(*state, "1", &c);
        text = call_as(*state, "1", &c);
        assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
    }
}

static void
refusals_are_said_in_russian(void **state)
{
    static const struct {
        const char *language, *text;
    } cases[] = {
        { "ru", "\"message\":\"Такой беседы нет\"" },
        { "ru-RU,ru;q=0.9,en;q=0.8", "\"message\":\"Такой беседы нет\"" },
        { "RU", "\"message\":\"Такой беседы нет\"" },
        { "en,ru", "\"message\":\"There is no such conversation\"" },
        { "run", "\"message\":\"There is no such conversation\"" },
        { NULL, "\"message\":\"There is no such conversation\"" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct request q = { .method_text = "GET", .target = V "join/77", .language = cases[i].language,
                             .authorization = bearer(f, "1") };

        assert_non_null(strstr(ask(f, &q), cases[i].text));
    }
}

static void
credentials_of_vk(void **state)
{
#define LAUNCH "vk_user_id=494075&vk_app_id=6736218&vk_is_app_user=1&vk_are_notifications_enabled=1" \
    "&vk_language=ru&vk_access_token_settings=&vk_platform=android&sign=htQFduJpLxz7ribXRZpDFUH-XEUhC9rBPTJkjUFEkRA"
    static const struct {
        const char *authorization, *header;
        int status;
    } cases[] = {
        { "VK " LAUNCH, NULL, 200 }, { "vk ?" LAUNCH, NULL, 200 }, { NULL, LAUNCH, 200 }, { NULL, "?" LAUNCH, 200 },
        { "VK " LAUNCH "x", NULL, 401 }, { "VK", NULL, 401 }, { NULL, "", 401 }, { NULL, "x" LAUNCH, 401 },
        { "Bearer x", LAUNCH, 401 },        /* what is given is what counts */
        { "Basic x", LAUNCH, 200 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct request q = { .method_text = "GET", .target = "/v1/profile",
                             .authorization = cases[i].authorization, .vk_params = cases[i].header };
        const char *text = ask(f, &q);

        assert_int_equal(atoi(text + strlen("Status: ")), cases[i].status);
        assert_true((strstr(text, "\"user_id\":494075") != NULL) == (cases[i].status == 200));
    }
}

static void
profiles(void **state)
{
    static const struct call calls[] = {
        { "POST", "/v1/profile", JSON, "{\"name\":\"Anna\"}", 200, "{\"response\":true,\"profile\":{\"user_id\":9,\"name\":\"Anna\",\"avatar\":\"\"}}" },
        { "POST", "/v1/profile", FORM, "avatar=https%3A%2F%2Fx.org%2Fa", 200, "\"name\":\"Anna\",\"avatar\":\"https://x.org/a\"" },
        { "POST", "/v1/profile", JSON, "{\"name\":\"\"}", 400, BLAMES("name") },
        { "POST", "/v1/profile", JSON, "{\"avatar\":\"x.org/a\"}", 400, BLAMES("avatar") },
        { "POST", "/v1/profile", JSON, "{\"avatar\":\"javascript:alert(1)\"}", 400, BLAMES("avatar") },
        { "POST", "/v1/profile", JSON, "{\"avatar\":\"http://\"}", 400, BLAMES("avatar") },
        { "GET", "/v1/profile/", NULL, NULL, 200, "https://x.org/a" },
        { "POST", "/v1/profile", JSON, "{\"avatar\":\"\"}", 200, "\"avatar\":\"\"" },
    };

    check_all(*state, "9", calls, COUNT(calls));
}

/* Any body at all, as JSON, as a form, as nothing in particular. */
static void
a_body_too_large(void **state)
{
    struct fixture *f = *state;
    struct request q = { .method_text = "POST", .target = "/v1/messages/send", .content_type = JSON,
                         .authorization = bearer(f, "1"), .body_err = ERR_TOO_LARGE };
    const char *text = ask(f, &q);

    assert_non_null(strstr(text, "Status: 413 "));
    assert_non_null(strstr(text, CODE(104)));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(route_then_method_then_credential_then_socket),
        TEST(which_chat_has_to_be_said),
        TEST(parameters_come_from_anywhere),
        TEST(names_are_trimmed_and_measured),
        TEST(ids_of_paths),
        TEST(every_method_has_its_codes),
        TEST(heads_have_no_body),
        TEST(refusals_are_said_in_russian),
        TEST(credentials_of_vk),
        TEST(profiles),
        TEST(a_body_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
