/* test_json - strict reading, exact text, writing
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

#include "shared/json.h"

#define DEPTH 8

static enum err
parse_n(struct arena *a, const char *text, size_t len, struct json **v_r)
{
    char *exact = malloc(len > 0 ? len : 1);    /* a sanitizer sees the first read beyond */
    struct fail fail = { 0 };
    enum err e;

    memcpy(exact, text, len);
    e = json_parse(a, exact, len, DEPTH, v_r, &fail);
    if (e != ERR_OK)
        assert_true(fail.code == e && fail.why[0] != '\0');
    free(exact);
    return e;
}

static enum err
parse(struct arena *a, const char *text, struct json **v_r)
{
    return parse_n(a, text, strlen(text), v_r);
}

static void
refuses_what_is_not_json(void **state)
{
    static const char *const bad[] = {
        "", " ", "nul", "True", "truex", "1 2", "[1,]", "[,1]", "[1 2]", "{\"a\":1,}", "{\"a\"}",
        "{a:1}", "{'a':1}", "{\"a\" 1}", "{1:2}", "[", "]", "{", "[1}", "\"", "\"a", "\"\\\"",
        "\"\\x\"", "\"\\u12g4\"", "\"\\u123", "\"\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\u0041\"",
        "\"\\udc00\"", "\"\\udc00\\ud800\"", "\"\t\"", "\"\n\"", "01", "-", "+1", "1.", ".5", "1e",
        "1e+", "0x1", "NaN", "Infinity", "-Infinity", "1_000", "\xef\xbb\xbf{}", "\"\xff\"",
        "\"\xed\xa0\x80\"", "\"\xc0\x80\"", "/**/1", "1//x", "\v1", "\f1", "\xc2\xa0[]",
        "[[[[[[[[[1]]]]]]]]]", "{\"a\":1,\"a\":2}", "[{\"x\":{\"a\":1,\"b\":2,\"a\":3}}]",
        "{\"a\":1,\"\\u0061\":2}", "{\"\":1,\"\":2}",
    };
    struct arena *a = arena_new();
    struct json *v;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (parse(a, bad[i], &v) != ERR_MALFORMED)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(parse_n(a, "1\0", 2, &v), ERR_MALFORMED);
    assert_int_equal(parse_n(a, "\"a\0b\"", 5, &v), ERR_MALFORMED);
    arena_free(a);
}

static void
accepts_what_is_json(void **state)
{
    static const char *const good[] = {
        "null", " \t\r\n true ", "false", "0", "-0", "1.5e-3", "1E5", "\"\"", "[]", "{}", "[ ]",
        "{ }", "[[[[[[[[1]]]]]]]]", "\"\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\\"\\\\\"", "\"\x7f\"",
        "{\"a\":{\"a\":[{\"a\":1},{\"a\":2}]},\"A\":2}", "1e999", "\"\xf0\x9f\x98\x80\"",
    };
    struct arena *a = arena_new();
    struct json *v;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (parse(a, good[i], &v) != ERR_OK)
            fail_msg("refused: %s", good[i]);
    arena_free(a);
}

static void
gives_values(void **state)
{
    struct arena *a = arena_new();
    const struct json *list;
    struct json *v;
    int64_t n = 0;

    (void)state;
    assert_int_equal(parse(a, " {\"s\":\"\\u0436\\ud83d\\ude00\",\"l\":[1,\"x\",null],\"t\":true,"
                              "\"f\":false,\"n\":-7,\"o\":{\"S\":1}} ", &v), ERR_OK);
    assert_int_equal(json_type(v), JSON_OBJECT);
    assert_int_equal(json_count(v), 6);
    assert_string_equal(json_text(json_get(v, "s")), "\xd0\xb6\xf0\x9f\x98\x80");
    assert_null(json_get(v, "S"));
    assert_null(json_get(json_get(v, "l"), "s"));
    assert_null(json_text(json_get(v, "n")));
    assert_true(json_is_true(json_get(v, "t")));
    assert_false(json_is_true(json_get(v, "f")));
    assert_true(json_integer(json_get(v, "n"), &n));
    assert_int_equal(n, -7);
    list = json_get(v, "l");
    assert_int_equal(json_type(list), JSON_ARRAY);
    assert_int_equal(json_count(list), 3);
    assert_int_equal(json_type(json_next(json_next(json_first(list)))), JSON_NULL);
    assert_null(json_next(json_next(json_next(json_first(list)))));
    assert_string_equal(json_name(json_first(v)), "s");
    assert_null(json_get(NULL, "x"));
    assert_int_equal(json_count(NULL), 0);
    arena_free(a);
}

static void
integers_are_exact(void **state)
{
    static const struct { const char *text; bool is; int64_t n; } cases[] = {
        { "0", true, 0 }, { "-0", true, 0 }, { "1e3", true, 1000 }, { "10.0", true, 10 },
        { "9007199254740991", true, 9007199254740991 }, { "9007199254740992", false, 0 },
        { "-9007199254740991", true, -9007199254740991 }, { "1.5", false, 0 },
        { "1e999", false, 0 }, { "-1e999", false, 0 }, { "\"1\"", false, 0 }, { "null", false, 0 },
        { "1000000000000000000000000000000000000000000000000000000000000000000000000e-72", true, 1 },
        { "0.000000000000000000000000000000000000000000000000000000000000000000000000001e75", true, 1 },
    };
    struct arena *a = arena_new();
    struct json *v;
    int64_t n;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        n = 0;
        assert_int_equal(parse(a, cases[i].text, &v), ERR_OK);
        assert_int_equal(json_integer(v, &n), cases[i].is);
        assert_int_equal(n, cases[i].n);
    }
    arena_free(a);
}

static void
nul_is_carried(void **state)
{
    struct arena *a = arena_new();
    struct json *v;
    struct sbuf b;
    char *s;

    (void)state;
    assert_int_equal(parse(a, "\"a\\u0000b\\\\u0000\\u0000\"", &v), ERR_OK);
    assert_string_equal(json_text(v), "a\xc0\x80" "b\\u0000\xc0\x80");
    assert_true(json_nul_present(json_text(v)));
    sbuf_init(&b, 100);
    json_string(&b, json_text(v));
    assert_string_equal(sbuf_str(&b), "\"a\\u0000b\\\\u0000\\u0000\"");
    sbuf_fini(&b);
    s = arena_string(a, json_text(v));
    json_nul_drop(s);
    assert_string_equal(s, "ab\\u0000");
    assert_false(json_nul_present(s));
    assert_true(json_nul_in_raw("{\"a\":\"\\\\\\u0000\"}"));
    assert_false(json_nul_in_raw("{\"a\":\"\\\\u0000\\u0001\"}"));
    arena_free(a);
}

static void
raw_text_is_exact(void **state)
{
    static const char text[] =
        " { \"m\\u0065ta\\u0000\" : 0 , \"nested\" : { \"meta\" : 5 } , \"m\\u0065ta\" : { \"a\" : "
        "[ 1.50 , 1E5, \"\\u0041 \\u0000 b\" ] ,\n\"b\":  null } , \"z\" : 123456789012345678901234567890 } ";
    struct arena *a = arena_new();

    (void)state;
    assert_string_equal(json_raw(a, text, strlen(text), "meta"),
                        "{\"a\":[1.50,1E5,\"\\u0041 \\u0000 b\"],\"b\":null}");
    assert_string_equal(json_raw(a, text, strlen(text), "z"), "123456789012345678901234567890");
    assert_string_equal(json_raw(a, text, strlen(text), "nested"), "{\"meta\":5}");
    assert_null(json_raw(a, text, strlen(text), "a"));
    assert_null(json_raw(a, "{}", 2, "a"));
    assert_null(json_raw(a, "[]", 2, "a"));
    arena_free(a);
}

/* Would take minutes if it were quadratic. */
static void
many_names_are_checked_quickly(void **state)
{
    struct arena *a = arena_new();
    struct json *v;
    struct sbuf b;
    int i;

    (void)state;
    sbuf_init(&b, 10 * 1024 * 1024);
    json_open(&b, '{');
    for (i = 0; i < 200000; i++)
        json_kv_int(&b, arena_printf(a, "k%d", i), i);
    json_close(&b, '}');
    assert_int_equal(parse(a, sbuf_str(&b), &v), ERR_OK);
    b.len--;
    json_kv_int(&b, "k77", 1);
    json_close(&b, '}');
    assert_int_equal(parse(a, sbuf_str(&b), &v), ERR_MALFORMED);
    sbuf_fini(&b);
    arena_free(a);
}

static void
writes(void **state)
{
    struct sbuf b;

    (void)state;
    sbuf_init(&b, 1000);
    json_open(&b, '{');
    json_kv(&b, "a", "x:{[");
    json_kv(&b, "n", NULL);
    json_kv_int(&b, "i", INT64_MIN);
    json_kv_bool(&b, "t", true);
    json_key(&b, "l");
    json_open(&b, '[');
    json_null(&b);
    json_int(&b, 1);
    json_open(&b, '{');
    json_close(&b, '}');
    json_put_raw(&b, "[2]");
    json_bool(&b, false);
    json_close(&b, ']');
    json_key(&b, "q");
    json_string_n(&b, "\"\\\b\f\n\r\t\x01/\x7f<\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\0z", 21);
    json_close(&b, '}');
    assert_string_equal(sbuf_str(&b),
                        "{\"a\":\"x:{[\",\"n\":null,\"i\":-9223372036854775808,\"t\":true,"
                        "\"l\":[null,1,{},[2],false],\"q\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001/\x7f<"
                        "\\u2028\\u2029\xe2\x80\xaa\\u0000\"}");
    sbuf_fini(&b);
}

static void
doubles_read_back_the_same(void **state)
{
    static const struct { double v; const char *text; } cases[] = {
        { 0.7, "0.7" }, { 0, "0" }, { 1, "1" }, { -1, "-1" }, { 0.1 + 0.2, "0.30000000000000004" },
        { 1.0 / 3, "0.3333333333333333" }, { 5e-324, "4.94065645841247e-324" },
        { 1.7976931348623157e308, "1.7976931348623157e+308" }, { 100000, "100000" },
    };
    struct arena *a = arena_new();
    struct json *v;
    struct sbuf b;

    (void)state;
    sbuf_init(&b, 100);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sbuf_reset(&b);
        json_double(&b, cases[i].v);
        assert_string_equal(sbuf_str(&b), cases[i].text);
        assert_int_equal(json_parse(a, sbuf_str(&b), b.len, 1, &v, NULL), ERR_OK);
        assert_true(json_number(v) == cases[i].v);
    }
    sbuf_fini(&b);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_not_json),
        cmocka_unit_test(accepts_what_is_json),
        cmocka_unit_test(gives_values),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(nul_is_carried),
        cmocka_unit_test(raw_text_is_exact),
        cmocka_unit_test(many_names_are_checked_quickly),
        cmocka_unit_test(writes),
        cmocka_unit_test(doubles_read_back_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
