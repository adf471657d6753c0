/* test_push_command - commands as clients send them, and as they must not
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

#include "relay/push/command.h"

static struct arena *arena;

static struct command_reader
reader_of(const char *text)
{
    return (struct command_reader){ .at = text, .end = text + strlen(text) };
}

static struct command
read_one(const char *text)
{
    struct command_reader r = reader_of(text);
    struct command c, none;

    assert_int_equal(command_next(arena, &r, &c), ERR_OK);
    assert_int_equal(command_next(arena, &r, &none), ERR_NOT_FOUND);
    return c;
}

static void
assert_malformed(const char *text)
{
    struct command_reader r = reader_of(text);
    struct command c;

    if (command_next(arena, &r, &c) != ERR_MALFORMED)
        fail_msg("taken: %s", text);
}

static void
connect_is_read_whole(void **state)
{
    struct command c = read_one("{\"id\":1,\"connect\":{\"token\":\"t.t.t\",\"data\":{\"a\": [1, null]},"
                                "\"name\":\"js\",\"version\":\"5.8.0\",\"headers\":{\"x\":\"y\"},\"flag\":1,"
                                "\"profile\":\"p\",\"dict\":7,\"subs\":{"
                                "\"news\":{\"recover\":true,\"epoch\":\"abc\",\"offset\":42},"
                                "\"\\u0436\":{},\"n\":null}}}");

    (void)state;
    assert_int_equal(c.id, 1);
    assert_int_equal(c.method, COMMAND_CONNECT);
    assert_string_equal(c.connect.token, "t.t.t");
    assert_string_equal(c.connect.data, "{\"a\":[1,null]}");
    assert_string_equal(c.connect.name, "js");
    assert_string_equal(c.connect.version, "5.8.0");
    assert_int_equal(c.connect.n_subs, 3);
    assert_string_equal(c.connect.subs[0].channel, "news");
    assert_true(c.connect.subs[0].recover);
    assert_string_equal(c.connect.subs[0].epoch, "abc");
    assert_int_equal(c.connect.subs[0].offset, 42);
    assert_string_equal(c.connect.subs[1].channel, "\xd0\xb6");
    assert_string_equal(c.connect.subs[1].epoch, "");
    assert_false(c.connect.subs[2].recover);
}

static void
absent_is_empty(void **state)
{
    struct command c = read_one("{\"connect\":{},\"id\":4294967295}");

    (void)state;
    assert_true(c.id == UINT32_MAX);
    assert_string_equal(c.connect.token, "");
    assert_string_equal(c.connect.name, "");
    assert_string_equal(c.connect.version, "");
    assert_null(c.connect.data);
    assert_int_equal(c.connect.n_subs, 0);
    c = read_one("{\"id\":2,\"subscribe\":{\"channel\":\"c\",\"token\":null,\"offset\":null}}");
    assert_string_equal(c.channel, "c");
    assert_string_equal(c.recover.channel, "c");
    assert_string_equal(c.token, "");
    assert_string_equal(c.recover.epoch, "");
    assert_string_equal(c.delta, "");
    assert_null(c.data);
}

static void
subscribe_is_read_whole(void **state)
{
    struct command c = read_one("{\"id\":2,\"subscribe\":{\"channel\":\"c\",\"token\":\"t\",\"data\":\"x\\ny\","
                                "\"recover\":true,\"epoch\":\"e\",\"offset\":9007199254740991,"
                                "\"positioned\":true,\"recoverable\":true,\"join_leave\":true,"
                                "\"delta\":\"fossil\",\"flag\":3,\"type\":0,\"tf\":null}}");

    (void)state;
    assert_int_equal(c.method, COMMAND_SUBSCRIBE);
    assert_string_equal(c.token, "t");
    assert_string_equal(c.data, "\"x\\ny\"");
    assert_true(c.recover.recover && c.positioned && c.recoverable && c.join_leave);
    assert_string_equal(c.recover.epoch, "e");
    assert_true(c.recover.offset == 9007199254740991);
    assert_string_equal(c.delta, "fossil");
    assert_true(c.flag & COMMAND_FLAG_STRICT_RECOVERY);
}

static void
every_method_is_known(void **state)
{
    static const struct {
        const char *text;
        enum command_method method;
    } cases[] = {
        { "{}", COMMAND_PONG },
        { " { } ", COMMAND_PONG },
        { "{\"id\":0}", COMMAND_PONG },
        { "{\"id\":null,\"future\":1}", COMMAND_PONG },
        { "{\"id\":1,\"unsubscribe\":{\"channel\":\"c\"}}", COMMAND_UNSUBSCRIBE },
        { "{\"id\":1,\"publish\":{\"channel\":\"c\",\"data\":null}}", COMMAND_PUBLISH },
        { "{\"id\":1,\"presence\":{\"channel\":\"c\"}}", COMMAND_PRESENCE },
        { "{\"id\":1,\"presence_stats\":{\"channel\":\"c\"}}", COMMAND_PRESENCE_STATS },
        { "{\"id\":1,\"history\":{\"channel\":\"c\"}}", COMMAND_HISTORY },
        { "{\"id\":1,\"ping\":{}}", COMMAND_PING },
        { "{\"send\":{\"data\":{}}}", COMMAND_SEND },
        { "{\"id\":1,\"rpc\":{\"method\":\"m\",\"data\":1}}", COMMAND_RPC },
        { "{\"id\":1,\"refresh\":{\"token\":\"t\"}}", COMMAND_REFRESH },
        { "{\"id\":1,\"sub_refresh\":{\"channel\":\"c\",\"token\":\"t\"}}", COMMAND_SUB_REFRESH },
        { "{\"id\":1}", COMMAND_UNKNOWN },
        { "{\"id\":1,\"future\":{}}", COMMAND_UNKNOWN },
        { "{\"id\":1,\"connect\":null}", COMMAND_UNKNOWN },
        /* several: the first in order, wherever it stands */
        { "{\"id\":1,\"rpc\":{},\"publish\":{\"channel\":\"c\",\"data\":1}}", COMMAND_PUBLISH },
        { "{\"sub_refresh\":{},\"id\":1,\"connect\":{}}", COMMAND_CONNECT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(read_one(cases[i].text).method, cases[i].method);
}

static void
history_has_a_since(void **state)
{
    struct command c = read_one("{\"id\":1,\"history\":{\"channel\":\"c\",\"limit\":-1,\"reverse\":true,"
                                "\"since\":{\"offset\":7,\"epoch\":\"e\"}}}");

    (void)state;
    assert_int_equal(c.limit, -1);
    assert_true(c.reverse && c.since);
    assert_int_equal(c.since_offset, 7);
    assert_string_equal(c.since_epoch, "e");
    c = read_one("{\"id\":1,\"history\":{\"channel\":\"c\",\"since\":{}}}");
    assert_true(c.since);
    assert_string_equal(c.since_epoch, "");
    c = read_one("{\"id\":1,\"history\":{\"channel\":\"c\",\"since\":null}}");
    assert_false(c.since);
}

static void
data_is_kept_as_text_in_one_line(void **state)
{
    struct command c = read_one("{\"id\":1,\"publish\":{\"channel\":\"c\",\"data\": {\"n\" : 1.50,\t\"n\\u0061\": \"\\u0000\"}}}");

    (void)state;
    assert_string_equal(c.data, "{\"n\":1.50,\"n\\u0061\":\"\\u0000\"}");
    assert_string_equal(read_one("{\"id\":1,\"rpc\":{\"data\":null}}").data, "null");
    assert_null(read_one("{\"id\":1,\"rpc\":{}}").data);
    assert_string_equal(read_one("{\"id\":1,\"rpc\":{}}").rpc_method, "");
}

static void
what_is_malformed(void **state)
{
    static const char *const cases[] = {
        "", "\n", " \r\n\t\n", "1", "[]", "null", "\"x\"", "{", "{}{}", "{} {}", "nonsense",
        "{\"id\":1,\"ping\":{}",
        "{\"id\":-1}", "{\"id\":1.5}", "{\"id\":4294967296}", "{\"id\":\"1\"}", "{\"id\":true}",
        "{\"id\":1,\"id\":2}",
        "{\"connect\":{}}", "{\"id\":0,\"connect\":{}}", "{\"ping\":{}}",
        "{\"publish\":{\"channel\":\"c\",\"data\":1}}",
        "{\"id\":1,\"connect\":[]}", "{\"id\":1,\"connect\":true}", "{\"id\":1,\"connect\":{},\"rpc\":1}",
        "{\"id\":1,\"connect\":{\"token\":1}}", "{\"id\":1,\"connect\":{\"subs\":[]}}",
        "{\"id\":1,\"connect\":{\"subs\":{\"c\":1}}}", "{\"id\":1,\"connect\":{\"subs\":{\"\":{}}}}",
        "{\"id\":1,\"connect\":{\"subs\":{\"a\\u0000\":{}}}}",
        "{\"id\":1,\"connect\":{\"subs\":{\"c\":{\"offset\":-1}}}}",
        "{\"id\":1,\"connect\":{\"subs\":{\"c\":{\"offset\":9007199254740992}}}}",
        "{\"id\":1,\"connect\":{\"subs\":{\"c\":{\"recover\":1}}}}",
        "{\"id\":1,\"connect\":{\"name\":\"12345678901234567\"}}",
        "{\"id\":1,\"subscribe\":{}}", "{\"id\":1,\"subscribe\":{\"channel\":\"\"}}",
        "{\"id\":1,\"subscribe\":{\"channel\":7}}", "{\"id\":1,\"subscribe\":{\"channel\":\"a\\u0000b\"}}",
        "{\"id\":1,\"subscribe\":{\"channel\":\"c\",\"delta\":\"xor\"}}",
        "{\"id\":1,\"subscribe\":{\"channel\":\"c\",\"recover\":\"yes\"}}",
        "{\"id\":1,\"subscribe\":{\"channel\":\"c\",\"offset\":1e300}}",
        "{\"id\":1,\"unsubscribe\":{}}", "{\"id\":1,\"publish\":{\"channel\":\"c\"}}",
        "{\"id\":1,\"publish\":{\"data\":1}}", "{\"id\":1,\"presence\":{}}",
        "{\"id\":1,\"history\":{\"channel\":\"c\",\"limit\":2147483648}}",
        "{\"id\":1,\"history\":{\"channel\":\"c\",\"since\":3}}",
        "{\"id\":1,\"history\":{\"channel\":\"c\",\"since\":{\"offset\":\"1\"}}}",
        "{\"id\":1,\"rpc\":{\"method\":{}}}", "{\"id\":1,\"refresh\":{\"token\":[]}}",
        "{\"id\":1,\"sub_refresh\":{\"token\":\"t\"}}",
        "{\"id\":1,\"ping\":{\"x\":\"\xff\"}}", "{\"id\":1,\"ping\":{\"x\":\"\\ud800\"}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_malformed(cases[i]);
    read_one("{\"id\":1,\"connect\":{\"name\":\"1234567890123456\"}}");
}

static void
nesting_is_bounded(void **state)
{
    char text[2048] = "{\"id\":1,\"rpc\":{\"data\":";

    (void)state;
    memset(text + strlen(text), '[', 500);
    memset(text + strlen(text), ']', 500);
    strcat(text, "}}");
    assert_malformed(text);
}

static void
lines_are_commands(void **state)
{
    struct command_reader r = reader_of("{\"id\":1,\"connect\":{}}\n\n{\"id\":2,\"subscribe\":{\"channel\":\"c\"}}\r\n{}\n");
    struct command c;

    (void)state;
    assert_int_equal(command_next(arena, &r, &c), ERR_OK);
    assert_int_equal(c.method, COMMAND_CONNECT);
    assert_int_equal(command_next(arena, &r, &c), ERR_OK);
    assert_int_equal(c.method, COMMAND_SUBSCRIBE);
    assert_int_equal(command_next(arena, &r, &c), ERR_OK);
    assert_int_equal(c.method, COMMAND_PONG);
    assert_int_equal(command_next(arena, &r, &c), ERR_NOT_FOUND);
    assert_int_equal(command_next(arena, &r, &c), ERR_NOT_FOUND);

    r = reader_of("{\"id\":1,\"connect\":{}}\nbad\n{}");
    assert_int_equal(command_next(arena, &r, &c), ERR_OK);
    assert_int_equal(command_next(arena, &r, &c), ERR_MALFORMED);
}

static void
a_bare_connect(void **state)
{
    static const char good[] = "{ \"token\": \"t\",\n \"data\": { \"k\" : 1 },\n \"subs\": { \"c\": { \"recover\": true } } }";
    static const char *const bad[] = { "", "x", "[]", "{\"token\":1}", "{\"subs\":{\"c\":[]}}", "{}\n{}" };
    struct command_connect c;

    (void)state;
    assert_int_equal(command_connect_read(arena, good, strlen(good), &c), ERR_OK);
    assert_string_equal(c.token, "t");
    assert_string_equal(c.data, "{\"k\":1}");
    assert_int_equal(c.n_subs, 1);
    assert_int_equal(command_connect_read(arena, "{}", 2, &c), ERR_OK);
    assert_string_equal(c.token, "");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(command_connect_read(arena, bad[i], strlen(bad[i]), &c), ERR_MALFORMED);
}

static int
fresh(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int
done(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(connect_is_read_whole), TEST(absent_is_empty), TEST(subscribe_is_read_whole),
        TEST(every_method_is_known), TEST(history_has_a_since),
        TEST(data_is_kept_as_text_in_one_line), TEST(what_is_malformed), TEST(nesting_is_bounded),
        TEST(lines_are_commands), TEST(a_bare_connect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
