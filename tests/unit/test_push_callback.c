/* test_push_callback - what the application may answer when it is asked
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "relay/push/callback_answer.h"

static struct arena *arena;
static struct callback_answer answer;

static int
setup(void **state)
{
    (void)state;
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

static enum err
read_answer(const char *text)
{
    memset(&answer, 0xff, sizeof answer);
    return callback_answer_read(arena, text, strlen(text), &answer);
}

static void
results(void **state)
{
    (void)state;
    assert_int_equal(read_answer("{\"result\":{}}"), ERR_OK);
    assert_int_equal(answer.error, PUSH_OK);
    assert_null(answer.info);
    assert_null(answer.data);
    assert_int_equal(answer.expires_ms, 0);
    assert_int_equal(read_answer(" {\"result\" : {\"info\":{ \"a\" : 1.50},\n\"data\":[null],"
                                 "\"expire_at\":1763740000,\"other\":{}},\"more\":1}"), ERR_OK);
    assert_string_equal(answer.info, "{\"a\":1.50}");
    assert_string_equal(answer.data, "[null]");
    assert_int_equal(answer.expires_ms, 1763740000000);
}

static void
what_php_writes(void **state)
{
    (void)state;
    assert_int_equal(read_answer("{\"result\":[]}"), ERR_OK);
    assert_int_equal(answer.error, PUSH_OK);
    assert_null(answer.data);
    assert_int_equal(read_answer("{\"result\":{\"info\":null,\"data\":null,\"expire_at\":null},"
                                 "\"error\":null}"), ERR_OK);
    assert_null(answer.info);
    assert_null(answer.data);
}

static void
errors(void **state)
{
    (void)state;
    assert_int_equal(read_answer("{\"error\":{\"code\":103}}"), ERR_OK);
    assert_int_equal(answer.error, PUSH_DENIED);
    assert_string_equal(answer.message, "permission denied");
    assert_false(answer.temporary);
    assert_int_equal(read_answer("{\"error\":{\"code\":100,\"message\":\"\",\"temporary\":false}}"),
                     ERR_OK);
    assert_string_equal(answer.message, "internal server error");
    assert_true(answer.temporary);
    assert_int_equal(read_answer("{\"error\":{\"code\":400,\"message\":\"not \\\"now\\\"\"}}"), ERR_OK);
    assert_int_equal(answer.error, 400);
    assert_string_equal(answer.message, "not \"now\"");
    assert_false(answer.temporary);
    assert_int_equal(read_answer("{\"error\":{\"code\":1999,\"temporary\":true},\"result\":{}}"),
                     ERR_OK);
    assert_int_equal(answer.error, 1999);
    assert_string_equal(answer.message, "error");
    assert_true(answer.temporary);
}

static void
no_answers(void **state)
{
    static const char *const texts[] = {
        "", "{}", "[]", "null", "true", "{\"result\":null}", "{\"result\":1}", "{\"result\":[1]}",
        "{\"result\":{}", "{\"result\":{}}x", "{\"result\":\"\"}", "{\"Result\":{}}",
        "{\"result\":{\"expire_at\":-1}}", "{\"result\":{\"expire_at\":\"1\"}}",
        "{\"result\":{\"expire_at\":9223372036854776}}", "{\"result\":{\"expire_at\":1.5}}",
        "{\"result\":{},\"result\":{}}", "{\"result\":{\"data\":1,\"data\":2}}",
        "{\"error\":{}}", "{\"error\":[]}", "{\"error\":103}", "{\"error\":{\"code\":\"103\"}}",
        "{\"error\":{\"code\":0}}", "{\"error\":{\"code\":99}}", "{\"error\":{\"code\":114}}",
        "{\"error\":{\"code\":399}}", "{\"error\":{\"code\":2000}}", "{\"error\":{\"code\":4294967399}}",
        "{\"error\":{\"code\":103,\"message\":7}}", "{\"error\":{\"code\":400,\"message\":\"\\u0000\"}}",
        "{\"error\":{\"code\":400,\"message\":\"\xff\"}}", "<html>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (read_answer(texts[i]) != ERR_MALFORMED)
            fail_msg("%s", texts[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(results, setup, teardown),
        cmocka_unit_test_setup_teardown(what_php_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(errors, setup, teardown),
        cmocka_unit_test_setup_teardown(no_answers, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
