/* test_wire_named - named events as clients see them: frames that are read, bodies that are put into frames
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "relay/wire_named.h"

static struct arena *arena;
static struct sbuf out;

static int
setup(void **state)
{
    (void)state;
    arena = arena_new();
    sbuf_init(&out, 4096);
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

/* "name data", or what is wrong. */
static const char *
reading(const char *text)
{
    struct named_event e;
    const char *wrong = named_read(arena, text, strlen(text), &e);

    if (wrong)
        return wrong;
    assert_int_equal(e.size, strlen(text));
    assert_true(e.ack == NAMED_NO_ACK);
    return arena_printf(arena, "%s %s", e.name, e.data ? e.data : "-");
}

#define NO_JSON "The frame is not valid JSON"
#define NO_OBJECT "The frame is not a JSON object"
#define NO_EVENT "event is missing or not a text"

static void
frames_are_read(void **state)
{
    static const struct { const char *text, *wanted; } rows[] = {
        { "{\"event\":\"ping\"}", "ping -" },
        { "{\"event\":\"ping\",\"data\":null}", "ping null" },
        { " { \"data\" : { \"a\" : [ 1.50 , \"\\u0041\" ] } , \"event\" : \"x\", \"more\": 1 } ",
          "x {\"a\":[1.50,\"\\u0041\"]}" },
        { "{\"event\":\"\xd0\xb6\",\"data\":0}", "\xd0\xb6 0" },
        { "{\"event\":\"\",\"data\":1}", " 1" },
        { "", NO_JSON },
        { "{", NO_JSON },
        { "{\"event\":\"a\"}{}", NO_JSON },
        { "{\"event\":\"a\",\"event\":\"b\"}", NO_JSON },
        { "{\"event\":\"a\",}", NO_JSON },
        { "[]", NO_OBJECT },
        { "\"event\"", NO_OBJECT },
        { "null", NO_OBJECT },
        { "{}", NO_EVENT },
        { "{\"event\":1}", NO_EVENT },
        { "{\"event\":null}", NO_EVENT },
        { "{\"event\":[\"a\"]}", NO_EVENT },
        { "{\"event\":\"a\\u0000\"}", NO_EVENT },
        { "{\"Event\":\"a\"}", NO_EVENT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(reading(rows[i].text), rows[i].wanted);
}

static void
frames_nest_so_deep(void **state)
{
    struct sbuf deep;

    (void)state;
    sbuf_init(&deep, 4096);
    sbuf_puts(&deep, "{\"event\":\"a\",\"data\":");
    for (int i = 0; i < 1000; i++)
        sbuf_putc(&deep, '[');
    assert_string_equal(reading(sbuf_str(&deep)), NO_JSON);
    sbuf_fini(&deep);
}

static void
arguments_hold_the_payload(void **state)
{
    struct named_event e;

    (void)state;
    named_of_args(arena, "send", "[{\"a\":\"]\"},2]", 7, &e);
    assert_string_equal(e.name, "send");
    assert_string_equal(e.data, "{\"a\":\"]\"}");
    assert_true(e.ack == 7 && e.size == 13);
    named_of_args(arena, "send", "[]", NAMED_NO_ACK, &e);
    assert_null(e.data);
}

static const char *
body(const char *namespace, const char *text)
{
    sbuf_reset(&out);
    named_put_body(&out, namespace, text, strlen(text));
    return sbuf_str(&out);
}

static void
bodies_become_frames(void **state)
{
    static const char *const strange[] = {
        "", "{", "{}", "{\"event\":", "{\"event\":\"", "{\"event\":\"a", "{\"event\":\"a\"",
        "{\"event\":\"a\"}", "{\"event\":\"a\",\"data\":", "{\"event\":\"a\",\"data\":}",
        "{\"event\":\"a\\\",\"data\":1}", "{\"event\":a,\"data\":1}", "{\"event\":\"a\",\"data\":1",
        "{\"data\":1,\"event\":\"a\"}", "{\"event\":\"a\" ,\"data\":1}",
    };
    const char *text = "{\"event\":\"a \\\"b\\\\\",\"data\":{\"x\":\",\\\"data\\\":\",\"y\":[]}}";

    (void)state;
    assert_string_equal(body(NULL, text), text);
    assert_string_equal(body("/", text), "42[\"a \\\"b\\\\\",{\"x\":\",\\\"data\\\":\",\"y\":[]}]");
    assert_string_equal(body("/n", text),
                        "42/n,[\"a \\\"b\\\\\",{\"x\":\",\\\"data\\\":\",\"y\":[]}]");
    assert_string_equal(body("/n", "{\"event\":\"a\",\"data\":1}"), "42/n,[\"a\",1]");
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        assert_string_equal(body(NULL, strange[i]), "");
        assert_string_equal(body("/n", strange[i]), "");
    }
}

/* A body has no NUL behind it. */
static void
bodies_end_where_they_end(void **state)
{
    const char text[] = "{\"event\":\"a\",\"data\":1}";

    (void)state;
    for (size_t len = 0; len < sizeof text - 1; len++) {
        char *exact = malloc(len ? len : 1);

        memcpy(exact, text, len);
        sbuf_reset(&out);
        named_put_body(&out, "/n", exact, len);
        assert_int_equal(out.len, 0);
        free(exact);
    }
}

static void
events_are_put(void **state)
{
    (void)state;
    named_put(&out, NULL, "a\"b", "{\"x\":1}");
    assert_string_equal(sbuf_str(&out), "{\"event\":\"a\\\"b\",\"data\":{\"x\":1}}");
    sbuf_reset(&out);
    named_put(&out, "/", "a\"b", "[]");
    assert_string_equal(sbuf_str(&out), "42[\"a\\\"b\",[]]");
    sbuf_reset(&out);
    named_put(&out, "/n", "a", "null");
    assert_string_equal(sbuf_str(&out), "42/n,[\"a\",null]");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(frames_are_read),
        TEST(frames_nest_so_deep),
        TEST(arguments_hold_the_payload),
        TEST(bodies_become_frames),
        TEST(bodies_end_where_they_end),
        TEST(events_are_put),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
