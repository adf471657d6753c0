/* test_push_page - the operator's page: its files to everybody, its figures to those with the key
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

#include "relay/push/page.h"
#include "tests/unit/push_api_fakes.h"

static struct io_answer answer;

static int
setup(void **state)
{
    (void)state;
    fakes_begin();
    fakes.push.hub = hub_new();
    fakes.push.users.n = 3;
    sbuf_init(&answer.body, 0);
    sbuf_init(&answer.headers, 4096);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    sbuf_fini(&answer.body);
    sbuf_fini(&answer.headers);
    hub_free(fakes.push.hub);
    fakes_end();
    return 0;
}

static int
ask(const char *method, const char *path)
{
    struct io_request r = { .method = method, .path = path, .query = "", .body = "" };
    struct io_client *client = NULL;

    sbuf_reset(&answer.body);
    sbuf_reset(&answer.headers);
    assert_int_equal(page_request(&fakes.push, &r, NULL, &answer, &client), IO_ANSWER);
    return answer.status;
}

static void
files(void **state)
{
    (void)state;
    fakes.key_header = NULL;
    assert_int_equal(ask("GET", "/admin/"), 200);
    assert_string_equal(answer.content_type, "text/html; charset=utf-8");
    assert_non_null(strstr(sbuf_str(&answer.headers), "Content-Security-Policy: default-src 'none'; script-src 'self';"));
    assert_non_null(strstr(sbuf_str(&answer.body), "</html>"));
    assert_null(strstr(sbuf_str(&answer.body), "<script>"));        /* nothing inline */
    assert_int_equal(ask("GET", "/admin/admin.js"), 200);
    assert_string_equal(answer.content_type, "text/javascript; charset=utf-8");
    assert_int_equal(ask("GET", "/admin/admin.css"), 200);
    assert_string_equal(answer.content_type, "text/css; charset=utf-8");
    assert_int_equal(ask("GET", "/admin"), 302);
    assert_string_equal(sbuf_str(&answer.headers), "Location: /admin/\r\n");
    assert_int_equal(ask("GET", "/admin/../etc/passwd"), 404);
    assert_int_equal(ask("GET", "/administrator"), 404);
    assert_int_equal(ask("POST", "/admin/"), 405);
}

static void
figures(void **state)
{
    struct json *v;
    struct fail fail;
    int64_t n;

    (void)state;
    assert_int_equal(ask("GET", "/admin/figures"), 200);
    assert_int_equal(json_parse(fakes.push.scratch, sbuf_str(&answer.body), answer.body.len, 10, &v, &fail), ERR_OK);
    assert_true(json_integer(json_get(v, "users"), &n));
    assert_int_equal(n, 3);
    assert_true(json_integer(json_get(json_get(v, "metrics"), "confab_loop_things"), &n));
    assert_int_equal(n, 7);
    fakes.key_header = "wrong";
    assert_int_equal(ask("GET", "/admin/figures"), 401);
    assert_int_equal(answer.body.len, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files, setup, teardown),
        cmocka_unit_test_setup_teardown(figures, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
