/* test_http - targets, percent coding, header values
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "fcgi/http.h"

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void
test_decode(void **state)
{
    static const struct {
        const char *in;
        bool plus;
        enum err e;
        const char *out;
    } cases[] = {
        { "", false, ERR_OK, "" },
        { "plain", false, ERR_OK, "plain" },
        { "a+b", false, ERR_OK, "a+b" },
        { "a+b%2Bc", true, ERR_OK, "a b+c" },
        { "%41%7a%7A", false, ERR_OK, "Azz" },
        { "a%2Fb", false, ERR_OK, "a/b" },
        { "%C3%BC", false, ERR_OK, "\xc3\xbc" },
        { "\xc3\xbc", false, ERR_OK, "\xc3\xbc" },
        { "%", false, ERR_MALFORMED, NULL },
        { "%4", false, ERR_MALFORMED, NULL },
        { "abc%4", false, ERR_MALFORMED, NULL },
        { "%4g", false, ERR_MALFORMED, NULL },
        { "%%41", false, ERR_MALFORMED, NULL },
        { "%FC", false, ERR_MALFORMED, NULL },
        { "%C0%80", false, ERR_MALFORMED, NULL },
        { "%ED%A0%80", false, ERR_MALFORMED, NULL },
        { "a%00b", false, ERR_LIMIT, NULL },
    };
    const char *text;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(http_decode(*state, cases[i].in, strlen(cases[i].in), cases[i].plus,
                                     &text), cases[i].e);
        if (cases[i].out)
            assert_string_equal(text, cases[i].out);
        else
            assert_null(text);
    }
}

static void
test_target_path(void **state)
{
    static const struct {
        const char *raw, *path;
        size_t n;
        const char *segments[4];
    } cases[] = {
        { "/", "/", 1, { "" } },
        { "/health", "/health", 1, { "health" } },
        { "/a/b", "/a/b", 2, { "a", "b" } },
        { "/a/", "/a/", 2, { "a", "" } },
        { "//a", "//a", 2, { "", "a" } },
        { "/a/../b", "/a/../b", 3, { "a", "..", "b" } },
        { "/a%2Fb/c?x=/y", "/a%2Fb/c", 2, { "a/b", "c" } },
        { "http://host:81/a/b?q", "/a/b", 2, { "a", "b" } },
        { "HTTPS://host?q=1", "/", 1, { "" } },
    };
    struct target t;
    size_t i, k;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(http_target(*state, cases[i].raw, &t), ERR_OK);
        assert_string_equal(t.path, cases[i].path);
        assert_int_equal(t.n_segments, cases[i].n);
        for (k = 0; k < t.n_segments; k++)
            assert_string_equal(t.segments[k].text, cases[i].segments[k]);
    }
    assert_int_equal(http_target(*state, "", &t), ERR_MALFORMED);
    assert_int_equal(http_target(*state, "a/b", &t), ERR_MALFORMED);
    assert_int_equal(http_target(*state, "ftp://host/", &t), ERR_MALFORMED);
}

/* A broken segment does not spoil its neighbours: it is judged when it is its turn. */
static void
test_target_broken_segment(void **state)
{
    struct target t;

    assert_int_equal(http_target(*state, "/a/%zz/c%00/d", &t), ERR_OK);
    assert_int_equal(t.n_segments, 4);
    assert_string_equal(t.segments[0].text, "a");
    assert_null(t.segments[1].text);
    assert_int_equal(t.segments[1].err, ERR_MALFORMED);
    assert_int_equal(t.segments[2].err, ERR_LIMIT);
    assert_string_equal(t.segments[3].text, "d");
}

static void
test_query(void **state)
{
    struct target t;

    assert_int_equal(http_target(*state, "/p?a=1&b=x+y%2Bz&&c&=d&a=2&e=f=g?h", &t), ERR_OK);
    assert_int_equal(t.query_err, ERR_OK);
    assert_int_equal(t.n_pairs, 6);
    assert_string_equal(t.pairs[0].name, "a");
    assert_string_equal(t.pairs[0].value, "1");
    assert_string_equal(t.pairs[1].value, "x y+z");
    assert_string_equal(t.pairs[2].name, "c");
    assert_string_equal(t.pairs[2].value, "");
    assert_string_equal(t.pairs[3].name, "");
    assert_string_equal(t.pairs[4].value, "2");
    assert_string_equal(t.pairs[5].value, "f=g?h");

    assert_int_equal(http_target(*state, "/p?a=%zz&user_id=u&b=%00", &t), ERR_OK);
    assert_int_equal(t.query_err, ERR_MALFORMED);
    assert_string_equal(t.query_bad, "a");
    assert_int_equal(t.n_pairs, 1);
    assert_string_equal(t.pairs[0].value, "u");

    assert_int_equal(http_target(*state, "/p?%ff=1&b=%00", &t), ERR_OK);
    assert_int_equal(t.query_err, ERR_MALFORMED);
    assert_null(t.query_bad);

    assert_int_equal(http_target(*state, "/p?", &t), ERR_OK);
    assert_int_equal(t.n_pairs, 0);
}

static void
test_length(void **state)
{
    static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "0x10", "1e3", "abc", "1,2",
                                       "99999999999999999999" };
    int64_t n;
    size_t i;

    (void)state;
    assert_true(http_length("0", &n));
    assert_int_equal(n, 0);
    assert_true(http_length("2097152", &n));
    assert_int_equal(n, 2097152);
    assert_false(http_length(NULL, &n));
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(http_length(bad[i], &n));
}

static void
test_header_values(void **state)
{
    char long_key[200];

    (void)state;
    assert_true(http_etag_listed("\"17\"", "\"17\""));
    assert_true(http_etag_listed("\"1\", W/\"17\"", "\"17\""));
    assert_false(http_etag_listed("\"171\"", "\"17\""));
    assert_false(http_etag_listed("17", "\"17\""));
    assert_false(http_etag_listed("*", "\"17\""));
    assert_false(http_etag_listed("", "\"17\""));
    assert_false(http_etag_listed(NULL, "\"17\""));

    memset(long_key, 'k', sizeof(long_key));
    long_key[128] = '\0';
    assert_true(http_is_type("Application/JSON", "application/json"));
    assert_true(http_is_type("application/json; charset=utf-8", "application/json"));
    assert_false(http_is_type("application/jsonp", "application/json"));
    assert_false(http_is_type("", "application/json"));

    assert_true(http_visible("k", 128));
    assert_true(http_visible(long_key, 128));
    assert_false(http_visible(long_key, 127));
    assert_false(http_visible("", 128));
    assert_false(http_visible("a b", 128));
    assert_false(http_visible("\xc3\xbc", 128));
    assert_false(http_visible("a\x7f", 128));

    assert_true(http_echoable("https://a.example, x"));
    assert_false(http_echoable("a\r\nSet-Cookie: x"));
    assert_string_equal(http_reason(404), "Not Found");
}

static void
test_below(void **state)
{
    static const struct {
        const char *raw, *script_name, *path_info, *below;
    } cases[] = {
        { "/chat/api/v1/sync?x=/chat/", "/chat", "/api/v1/sync", "/api/v1/sync?x=/chat/" },
        { "/chat/a%2Fb", "/chat", NULL, "/a%2Fb" },
        { "/cgi-bin/confab.fcgi/health", "/cgi-bin/confab.fcgi", "/health", "/health" },
        { "/chat/health", "/chat/confab.fcgi", "/health", "/health" },
        { "/~anna/chat/health", "/~anna/chat/confab.fcgi", "/health", "/health" },
        { "http://h/chat/health", "/chat", "/health", "/health" },
        { "/health", "", "/health", NULL },
        { "/health", NULL, NULL, NULL },
        { "/health", "/confab.fcgi", "/health", NULL },
        { "/chat", "/chat", "", NULL },
        { "/chats/health", "/chat", "/health", NULL },
        { "/chat?/chat/", "/chat", "", NULL },
        { "/x/health", "/x/health", "", NULL },
        { "/x/h%65alth", "/x/health", NULL, NULL },
        { "*", "/chat", NULL, NULL },
        { "chat/health", "chat", NULL, NULL },
        { "", "/chat", NULL, NULL },
    };
    const char *below;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        below = http_below(cases[i].raw, cases[i].script_name, cases[i].path_info);
        assert_string_equal(below, cases[i].below ? cases[i].below : cases[i].raw);
    }
    assert_true(http_is_below("/api/v1", "/api/v1"));
    assert_true(http_is_below("/api/v1?x", "/api/v1"));
    assert_true(http_is_below("/api/v1/x", "/api/v1"));
    assert_false(http_is_below("/api/v11", "/api/v1"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_decode, setup, teardown),
        cmocka_unit_test_setup_teardown(test_target_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_target_broken_segment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_query, setup, teardown),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_header_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
