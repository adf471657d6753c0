/* test_edge - whole requests without web server and database: order of checks, errors, headers
 *
 * There is no database here, so a request that passes every check of the edge is answered 503.
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
#include "fcgi/service.h"
#include "shared/log.h"
#include "shared/when.h"

#define SECRET "the secret of this test, which is long enough"
#define ID "01900000-0000-7000-8000-000000000000"
#define PASSED 503, "SERVICE_UNAVAILABLE"

static const struct edge *const edges[] = { &mtchat_edge, NULL };

struct call {
    const char *method, *target;
    const char *authorization;
    const char *scopes;
    const char *body;
    int status;
    const char *code;
};

struct fixture {
    struct arena *arena;
    struct service service;
    struct sbuf out;
};

static struct fixture *
start(const char *const *settings)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct config *config;
    struct fail fail = { 0 };

    clearenv();
    setenv("CONFAB_CONFIG", "/dev/null", 1);
    setenv("CONFAB_STATE", "/nonexistent", 1);
    log_setup("test_edge", LOG_LEVEL_ERROR, 0);
    for (; *settings; settings += 2)
        setenv(settings[0], settings[1], 1);
    f->arena = arena_new();
    assert_int_equal(config_load(f->arena, &config, &fail), ERR_OK);
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
    struct request q = {
        .method_text = c->method, .target = c->target, .authorization = c->authorization,
        .scope_config = c->scopes, .body = c->body, .body_len = c->body ? strlen(c->body) : 0,
    };
    const char *text = ask(f, &q);
    char status[32], code[64];

    snprintf(status, sizeof(status), "Status: %d ", c->status);
    snprintf(code, sizeof(code), "{\"error\":{\"code\":\"%s\"", c->code ? c->code : "");
    if (strncmp(text, status, strlen(status)) != 0 || (c->code && !strstr(text, code)))
        fail_msg("%s %s: wanted %d %s, got %s", c->method, c->target, c->status,
                 c->code ? c->code : "", text);
    assert_non_null(strstr(text, "\r\nAccess-Control-Allow-Origin: *\r\n"));
    assert_non_null(strstr(text, "\r\nCache-Control: no-store\r\n"));
    assert_non_null(strstr(text, "\r\nX-Request-Id: "));
}

#define B64_OBJECT "e30="               /* {} */
#define B64_LEVEL "eyJzY29wZV9sZXZlbDAiOlsiYSJdfQ=="            /* {"scope_level0":["a"]} */
#define B64_LATIN1 "eyJzY29wZV9sZXZlbDAiOlsiQvxybyJdfQ=="       /* {"scope_level0":["B\xfcro"]} */
#define B64_NULL_LEVEL "eyJzY29wZV9sZXZlbDAiOm51bGx9"           /* {"scope_level0":null} */
#define B64_LIST "W10="                 /* [] */

static const struct call trusted_calls[] = {
    { "GET", "/health", NULL, NULL, NULL, 200, NULL },
    { "GET", "/health/ready", NULL, NULL, NULL, 503, NULL },
    { "POST", "/health", NULL, NULL, NULL, 405, "METHOD_NOT_ALLOWED" },
    { "GET", "/nothing", NULL, NULL, NULL, 404, "NOT_FOUND" },
    { "GET", "/nothing/%zz", NULL, NULL, NULL, 400, "BAD_REQUEST" },
    { "GET", "nothing", NULL, NULL, NULL, 400, "BAD_REQUEST" },
    { "OPTIONS", "/nothing", NULL, NULL, NULL, 204, NULL },

    { "GET", "/api/v1/dialogs", NULL, NULL, NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs?user_id=", NULL, NULL, NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs?user_id=&sender_id=b", NULL, NULL, NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs?user_id=a%00", NULL, NULL, NULL, 400, "INVALID_INPUT" },
    { "GET", "/api/v1/dialogs?user_id=a", NULL, NULL, NULL, PASSED },
    { "GET", "/api/v1/dialogs?sender_id=a", NULL, NULL, NULL, PASSED },
    { "HEAD", "/api/v1/dialogs?user_id=a", NULL, NULL, NULL, 503, NULL },
    { "GET", "/api/v1/dialogs?user_id=a&type=x", NULL, NULL, NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs?user_id=a&limit=x", NULL, NULL, NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs?user_id=a&limit=-9&offset=-9", NULL, NULL, NULL, PASSED },
    { "GET", "/api/v1/dialogs?user_id=a&archived=1", NULL, NULL, NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs?user_id=a&search=%00", NULL, NULL, NULL, 400, "INVALID_INPUT" },
    { "GET", "/api/v1/dialogs?user_id=a&search=%ff", NULL, NULL, NULL, 400, "BAD_REQUEST" },

    /* the scope header: where it is read, and what it must be */
    { "GET", "/api/v1/dialogs?user_id=a&type=available", NULL, NULL, NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs?user_id=a&type=available&archived=1", NULL, B64_OBJECT, NULL,
      PASSED },
    { "GET", "/api/v1/dialogs?user_id=a", NULL, B64_LEVEL, NULL, PASSED },
    { "GET", "/api/v1/dialogs?user_id=a", NULL, B64_LATIN1, NULL, PASSED },
    { "GET", "/api/v1/dialogs?user_id=a", NULL, B64_NULL_LEVEL, NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs?user_id=a", NULL, B64_LIST, NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs?user_id=a", NULL, "e30", NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs?user_id=a", NULL, "e3=0", NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs?user_id=a", NULL, "====", NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs?user_id=a", NULL, "", NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/sync?user_id=a", NULL, "%%%", NULL, PASSED },

    /* path, query, body */
    { "GET", "/api/v1/dialogs/x?user_id=a", NULL, NULL, NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs/" ID "?user_id=a", NULL, NULL, NULL, PASSED },
    { "GET", "/api/v1/dialogs/" ID "/messages?user_id=a&around=x", NULL, NULL, NULL, 400,
      "BAD_REQUEST" },
    { "GET", "/api/v1/dialogs/by-object/t/a/b%2fc/list?user_id=a", NULL, NULL, NULL, PASSED },
    { "GET", "/api/v1/dialogs/by-object/t/%00?user_id=a", NULL, NULL, NULL, 400, "INVALID_INPUT" },
    { "POST", "/api/v1/dialogs/" ID "/leave?user_id=a", NULL, NULL, "", PASSED },
    { "POST", "/api/v1/dialogs/" ID "/leave?user_id=a", NULL, NULL, "no json", PASSED },
    { "POST", "/api/v1/dialogs/" ID "/join?user_id=a", NULL, NULL,
      "{\"display_name\":\"A\",\"company\":\"\"}", 400, "BAD_REQUEST" },
    { "POST", "/api/v1/dialogs/" ID "/join?user_id=a", NULL, B64_OBJECT,
      "{\"display_name\":\"A\",\"company\":\"\"}", PASSED },
    { "POST", "/api/v1/dialogs/" ID "/join?user_id=a", NULL, B64_OBJECT,
      "{\"display_name\":\" \",\"company\":\"\"}", 400, "INVALID_INPUT" },
    { "POST", "/api/v1/dialogs/" ID "/notifications?user_id=a", NULL, NULL, "{\"enabled\":1}", 400,
      "BAD_REQUEST" },
    { "POST", "/api/v1/dialogs/" ID "/messages?user_id=a", NULL, NULL, "[]", 400, "BAD_REQUEST" },
    { "POST", "/api/v1/dialogs/" ID "/messages?user_id=a", NULL, NULL, "{}", 400, "BAD_REQUEST" },
    { "POST", "/api/v1/dialogs/" ID "/messages?user_id=a", NULL, NULL,
      "{\"content\":\"x\",\"client_message_id\":\"a b\"}", 400, "INVALID_INPUT" },
    { "GET", "/api/v1/sync?user_id=a&since=-1", NULL, NULL, NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/sync?user_id=a&limit=501", NULL, NULL, NULL, 400, "BAD_REQUEST" },
    { "GET", "/api/v1/attachments/" ID "/url?user_id=a", NULL, NULL, NULL, 404,
      "ATTACHMENT_NOT_FOUND" },

    /* the host's server: no admin token is configured */
    { "POST", "/api/v1/management/dialogs", NULL, NULL, "{}", 403, "FORBIDDEN" },
    { "POST", "/api/v1/management/dialogs", "Bearer x", NULL, "{}", 403, "FORBIDDEN" },
};

static void
test_trusted(void **state)
{
    static const char *const settings[] = { "CONFAB_AUTH", "trusted", NULL };
    struct fixture *f = start(settings);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(trusted_calls) / sizeof(trusted_calls[0]); i++)
        check(f, &trusted_calls[i]);
    stop(f);
}

static void
test_jwt(void **state)
{
    static const char *const settings[] = { "CONFAB_JWT_SECRET", SECRET, "CONFAB_ADMIN_TOKEN",
                                            "adm", NULL };
    struct fixture *f = start(settings);
    struct sbuf token;
    const char *good;

    (void)state;
    sbuf_init(&token, 4096);
    sbuf_puts(&token, "bearer ");
    token_mint(&token, SECRET, "sub", "anna", when_now_ms() / 1000, 0, NULL);
    good = sbuf_str(&token);
    const struct call calls[] = {
        { "GET", "/api/v1/dialogs?user_id=a", NULL, NULL, NULL, 401, "UNAUTHORIZED" },
        { "GET", "/api/v1/dialogs", "Basic eA==", NULL, NULL, 401, "UNAUTHORIZED" },
        { "GET", "/api/v1/dialogs", "Bearer x", NULL, NULL, 401, "UNAUTHORIZED" },
        { "GET", "/api/v1/dialogs", good, NULL, NULL, PASSED },
        { "GET", "/api/v1/dialogs?user_id=", good, NULL, NULL, PASSED },
        /* who calls is settled before anything else is judged */
        { "GET", "/api/v1/dialogs/%zz?a=%zz", NULL, "%%%", NULL, 401, "UNAUTHORIZED" },
        { "GET", "/api/v1/dialogs/%zz", good, NULL, NULL, 400, "BAD_REQUEST" },
        { "GET", "/api/v1/dialogs?a=%zz", good, NULL, NULL, 400, "BAD_REQUEST" },
        { "POST", "/api/v1/management/dialogs", NULL, NULL, "{}", 401, "UNAUTHORIZED" },
        { "POST", "/api/v1/management/dialogs", "Basic adm", NULL, "{}", 401, "UNAUTHORIZED" },
        { "POST", "/api/v1/management/dialogs", good, NULL, "{}", 403, "FORBIDDEN" },
        { "POST", "/api/v1/management/dialogs", "Bearer adm", NULL, "{}", 400, "BAD_REQUEST" },
        { "POST", "/api/v1/management/dialogs", "Bearer adm", NULL,
          "{\"object_type\":\"t\",\"object_id\":\"\"}", 400, "INVALID_INPUT" },
        { "POST", "/api/v1/management/dialogs", "Bearer adm", NULL,
          "{\"object_type\":\"t\",\"object_id\":\"o\"}", PASSED },
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        check(f, &calls[i]);
    sbuf_fini(&token);
    stop(f);
}

/* What went wrong with a body counts after the credential, before the content. */
static void
test_body_faults(void **state)
{
    static const struct { enum err e; const char *status; } cases[] = {
        { ERR_TOO_LARGE, "Status: 413 " },
        { ERR_TIMEOUT, "Status: 408 " },
        { ERR_MALFORMED, "Status: 400 " },
    };
    static const char *const settings[] = { "CONFAB_AUTH", "trusted", NULL };
    struct fixture *f = start(settings);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct request q = { .method_text = "POST",
                             .target = "/api/v1/dialogs/" ID "/leave?user_id=a",
                             .body_err = cases[i].e };
        struct request anonymous = q;

        anonymous.target = "/api/v1/dialogs/" ID "/leave";
        assert_int_equal(strncmp(ask(f, &q), cases[i].status, strlen(cases[i].status)), 0);
        assert_non_null(strstr(ask(f, &anonymous), "user_id is required"));
    }
    stop(f);
}

static void
test_headers(void **state)
{
    static const char *const settings[] = {
        "CONFAB_AUTH", "trusted",
        "CONFAB_CORS_ALLOWED_ORIGINS", "https://a.example, https://b.example",
        "CONFAB_CORS_ALLOW_CREDENTIALS", "true", "CONFAB_TARGET_MAX", "300", NULL };
    struct fixture *f = start(settings);
    struct request ours = { .method_text = "OPTIONS", .target = "/x", .origin = "https://b.example",
                            .cors_headers = "authorization, x-y" };
    struct request foreign = { .method_text = "GET", .target = "/health",
                               .origin = "https://c.example" };
    struct request odd = { .method_text = "PUT", .target = "/api/v1/dialogs?user_id=a" };
    struct request head = { .method_text = "HEAD", .target = "/health" };
    char target[302];
    struct request large = { .method_text = "GET", .target = target };
    const char *text;

    (void)state;
    text = ask(f, &ours);
    assert_non_null(strstr(text, "Access-Control-Allow-Origin: https://b.example\r\n"));
    assert_non_null(strstr(text, "Access-Control-Allow-Headers: authorization, x-y\r\n"));
    assert_non_null(strstr(text, "Access-Control-Allow-Credentials: true\r\n"));
    assert_non_null(strstr(text, "Access-Control-Max-Age: 3600\r\n"));
    assert_non_null(strstr(text, "Vary: Origin\r\n"));
    assert_null(strstr(text, "\nContent-Type:"));

    text = ask(f, &foreign);
    assert_non_null(strstr(text, "Vary: Origin\r\n"));
    assert_null(strstr(text, "Access-Control-Allow"));

    text = ask(f, &odd);
    assert_non_null(strstr(text, "Allow: GET, HEAD, OPTIONS\r\n"));

    text = ask(f, &head);
    assert_non_null(strstr(text, "Content-Length: "));
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");

    memset(target, 'x', sizeof(target));
    target[0] = '/';
    target[301] = '\0';
    assert_non_null(strstr(ask(f, &large), "Status: 414 "));
    stop(f);
}

static void
test_base_path(void **state)
{
    static const char *const settings[] = { "CONFAB_AUTH", "trusted", NULL };
    static const struct {
        const char *target, *script_name, *path_info, *status;
    } cases[] = {
        { "/chat/health", "/chat", "/health", "Status: 200 " },
        { "/chat/api/v1/dialogs?user_id=a", "/chat/confab.fcgi", "/api/v1/dialogs", "Status: 503 " },
        { "/chat/nothing", "/chat", "/nothing", "Status: 404 " },
        { "/chat/health", NULL, NULL, "Status: 404 " },
        /* a prefix of the API is no base path, whatever the server makes of it */
        { "/api/v1/dialogs?user_id=a", "/api", "/v1/dialogs", "Status: 503 " },
        { "/health/ready", "/health", "/ready", "Status: 503 " },
    };
    struct fixture *f = start(settings);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct request q = { .method_text = "GET", .target = cases[i].target,
                             .script_name = cases[i].script_name, .path_info = cases[i].path_info };

        assert_non_null(strstr(ask(f, &q), cases[i].status));
    }
    stop(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trusted),
        cmocka_unit_test(test_jwt),
        cmocka_unit_test(test_body_faults),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_base_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
