/* test_rooms_edge - requests to rooms without web server and database: errors, their order, two systems
 *
 * There is no database here, so what passes every check before it is answered 503.
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

#include "fcgi/mtchat/mtchat.h"
#include "fcgi/rooms/input.h"
#include "fcgi/rooms/rooms.h"
#include "fcgi/service.h"
#include "shared/log.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECRET "a secret of this test, of 32 bytes or more"

struct fixture {
    struct arena *arena;
    struct service service;
    struct sbuf out;
};

struct call {
    const char *method, *target, *body;
    int status;
    const char *text;           /* somewhere in the answer */
};

static struct fixture *
start(const struct edge *const *edges)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct config *config;

    clearenv();
    setenv("CONFAB_CONFIG", "/dev/null", 1);
    setenv("CONFAB_STATE", "/nonexistent", 1);
    setenv("CONFAB_SYSTEMS", "mtchat,rooms", 1);
    setenv("CONFAB_ROOMS_JWT_SECRET", SECRET, 1);
    setenv("CONFAB_ROOMS_BODY_MAX", "1024", 1);
    setenv("CONFAB_CORS_ALLOW_CREDENTIALS", "1", 1);
    log_setup("test_rooms_edge", LOG_LEVEL_ERROR, 0);
    f->arena = arena_new();
    assert_int_equal(config_load(f->arena, &config, NULL), ERR_OK);
    service_init(&f->service, config, edges, false);
    sbuf_init(&f->out, 1 << 24);
    return f;
}

static void
stop(struct fixture *f)
{
    service_fini(&f->service);
    sbuf_fini(&f->out);
    arena_free(f->arena);
    free(f);
}

static const char *
ask(struct fixture *f, struct request *q)
{
    sbuf_reset(&f->out);
    q->arena = f->arena;
    service_answer(&f->service, q, &f->out);
    return sbuf_str(&f->out);
}

static void
check(struct fixture *f, const struct call *c)
{
    struct request q = { .method_text = c->method, .target = c->target, .body = c->body,
                         .body_len = c->body ? strlen(c->body) : 0 };
    const char *text = ask(f, &q);
    char status[32];

    snprintf(status, sizeof(status), "Status: %d ", c->status);
    if (strncmp(text, status, strlen(status)) != 0 || !strstr(text, c->text))
        fail_msg("%s %s: wanted %d %s, got %s", c->method, c->target, c->status, c->text, text);
    assert_non_null(strstr(text, "\r\nAccess-Control-Allow-Origin: *\r\n"));
    assert_null(strstr(text, "Allow-Credentials"));
    assert_non_null(strstr(text, "\r\nCache-Control: no-store\r\n"));
    assert_true((c->status == 401) == (strstr(text, "\r\nWWW-Authenticate: Bearer\r\n") != NULL));
}

#define REGISTER "POST", "/api/auth/register"

static void
errors_and_their_order(void **state)
{
    static const struct edge *const edges[] = { &rooms_edge, NULL };
    static const struct call calls[] = {
        { "GET", "/nothing", NULL, 404, "{\"detail\":\"no such object\"}" },
        { "GET", "/api/rooms/1/nothing", NULL, 404, "{\"detail\":\"" },
        { "GET", "/%zz", NULL, 422, "{\"detail\":\"the path is not well formed\"}" },
        { "PUT", "/api/rooms", NULL, 405, "Allow: GET, HEAD, POST, OPTIONS\r\n" },
        { "PATCH", "/api/rooms/x", "{", 401, "{\"detail\":\"a valid credential is required\"}" },
        { "GET", "/api/runner/rooms", NULL, 401, "detail" },
        { "GET", "/api/agents", NULL, 200, "[]" },
        { "GET", "/api/default-agents", NULL, 200, "\"id\":1" },
        { "GET", "/api/default-agents/999", NULL, 404, "detail" },
        { "GET", "/api/default-agents/x", NULL, 422, "\"loc\":[\"path\",\"template_id\"]" },
        { "GET", "/api/", NULL, 200, "message" },
        { "GET", "/api/test-db", NULL, 503, "{\"detail\":\"the storage is busy" },
        { "GET", "/health", NULL, 200, "ok" },
        { "OPTIONS", "/api/rooms/1", NULL, 204, "Access-Control-Allow-Methods: GET, POST, PATCH, DELETE\r\n" },
        { REGISTER, "", 422, "{\"detail\":\"" },
        { REGISTER, "[]", 422, "{\"detail\":\"the body must be a JSON object\"}" },
        { REGISTER, "{}", 422, "\"errors\":[{\"loc\":[\"body\",\"email\"],\"msg\":\"email is missing\",\"type\":\"bad_field\"}]" },
        { REGISTER, "{\"email\":\"a@b.c\",\"password\":\"1234567\"}", 422, "\"type\":\"limit\"" },
        { REGISTER, "{\"email\":\"a b\",\"password\":\"12345678\"}", 422, "[\"body\",\"email\"]" },
        { REGISTER, "{\"email\":\"a@b.c\",\"password\":\"12345678\"}", 503, "detail" },
        { "POST", "/api/auth/refresh", "{\"refreshToken\":null}", 422, "refreshToken" },
    };
    struct fixture *f = start(edges);

    (void)state;
    for (size_t i = 0; i < COUNT(calls); i++)
        check(f, &calls[i]);
    stop(f);
}

/* A body too large is told before anything else of it, and only to those who may call at all. */
static void
bodies_are_measured(void **state)
{
    static const struct edge *const edges[] = { &rooms_edge, NULL };
    struct fixture *f = start(edges);
    char body[1026];

    (void)state;
    memset(body, ' ', sizeof(body));
    body[1025] = '\0';
    check(f, &(struct call){ REGISTER, body, 413, "{\"detail\":\"" });
    check(f, &(struct call){ "POST", "/api/rooms", body, 401, "{\"detail\":\"" });
    body[1024] = '\0';
    check(f, &(struct call){ REGISTER, body, 422, "{\"detail\":\"" });
    stop(f);
}

static void
nesting_is_measured(void **state)
{
    static const struct edge *const edges[] = { &rooms_edge, NULL };
    struct fixture *f = start(edges);
    char body[128];

    (void)state;
    for (int n = 32; n <= 33; n++) {
        sprintf(body, "{\"email\":%.*s%.*s}", n - 1, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", n - 1,
                "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
        check(f, &(struct call){ REGISTER, body, 422, n == 32 ? "email must be a text" : "deep" });
    }
    stop(f);
}

/* Each system's paths are answered in its words, also those that lead nowhere. */
static void
two_systems(void **state)
{
    static const struct edge *const edges[] = { &mtchat_edge, &rooms_edge, NULL };
    static const struct { const char *target, *text; } cases[] = {
        { "/api/nothing", "{\"detail\":" }, { "/api", "{\"detail\":" }, { "/api?x", "{\"detail\":" },
        { "/api/v1/nothing", "{\"error\":" }, { "/api/v1", "{\"error\":" }, { "/api/v1x", "{\"detail\":" },
        { "/nothing", "{\"error\":" }, { "nothing", "{\"error\":" }, { "/apix", "{\"error\":" },
        { "/api/rooms", "{\"detail\":" }, { "/api/v1/dialogs", "{\"error\":" },
    };
    struct fixture *f = start(edges);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct request q = { .method_text = "GET", .target = cases[i].target };

        if (!strstr(ask(f, &q), cases[i].text))
            fail_msg("%s: %s", cases[i].target, sbuf_str(&f->out));
    }
    stop(f);
}

static void
addresses(void **state)
{
    static const char *const good[] = { "a@b", "a.b+c@d.e-f.g", "\xd1\x8f@\xd1\x80.\xd1\x84", "!#$@x1" };
    static const char *const bad[] = { "", "a", "@", "a@", "@a", "a@@b", "a@b@c", "a b@c", "a@b c", ".a@b", "a.@b",
                                       "a..b@c", "a@.b", "a@b.", "a@b..c", "a@-b", "a@b-", "a@b-.c", "a@b.-c",
                                       "a@b_c", "a\"@b", "a,b@c", "a@b\n" };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        if (!rooms_email_valid(good[i]))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (rooms_email_valid(bad[i]))
            fail_msg("%s", bad[i]);
}

static void
links_and_types(void **state)
{
    static const char *const hooks[] = { "http://a", "HTTPS://a.example:8443/x?y=z@w", "http://10.0.0.1:1/",
                                         "https://[2001:db8::1]", "http://[::1]:65535/x", "http://a_b-c.d?x" };
    static const char *const no_hooks[] = {
        "", "a", "ftp://a", "http://", "http:///x", "http://:80", "http://a:", "http://a:0", "http://a:65536", "http://a:8x",
        "http://u@a", "http://u:p@a", "http://a@b:80/", "http://a\\b", "http://a\\@b/", "http://a/\\", "http://a#x", "http://a/#x",
        "http://a b", "http://a/\n", "http://a/\x7f", "http://\xd1\x8f/", "http://a/\xd1\x8f", "http://[::1", "http://[]",
        "http://[::1]x", "http://[fe80::1%25eth0]/", "http://[::1]:", "http://%61/", "http://a,b/", "javascript:http://a",
    };

    (void)state;
    assert_true(rooms_url_valid("http://a"));
    assert_true(rooms_url_valid("HTTPS://a.example/x?y=\xc3\xa9#z"));
    assert_false(rooms_url_valid(""));
    assert_false(rooms_url_valid("http://"));
    assert_false(rooms_url_valid("http:///x"));
    assert_false(rooms_url_valid("https://?x"));
    assert_false(rooms_url_valid("ftp://a"));
    assert_false(rooms_url_valid("http://a b"));
    assert_false(rooms_url_valid("javascript:alert(1)//http://a"));
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
        assert_true(rooms_webhook_url_valid(hooks[i]));
    for (size_t i = 0; i < sizeof no_hooks / sizeof *no_hooks; i++)
        assert_false(rooms_webhook_url_valid(no_hooks[i]));
    assert_true(rooms_event_type_valid("A.b:c-d_9"));
    assert_false(rooms_event_type_valid("a b"));
    assert_false(rooms_event_type_valid("\xc3\xa9"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_and_their_order),
        cmocka_unit_test(bodies_are_measured),
        cmocka_unit_test(nesting_is_measured),
        cmocka_unit_test(two_systems),
        cmocka_unit_test(addresses),
        cmocka_unit_test(links_and_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
