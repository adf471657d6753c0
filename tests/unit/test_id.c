/* test_id - ids and times
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/id.h"
#include "shared/when.h"

static void
new_ids_are_version_7_of_their_time(void **state)
{
    struct id a = id_new(0x0123456789ab), b = id_new(0x0123456789ab), later = id_new(0x0123456789ac);
    char text[ID_TEXT_SIZE];

    (void)state;
    assert_true(a.given);
    id_text(&a, text);
    assert_memory_equal(text, "01234567-89ab-7", 15);
    assert_non_null(strchr("89ab", text[19]));
    assert_int_not_equal(id_compare(&a, &b), 0);
    assert_true(id_compare(&a, &later) < 0 && id_compare(&b, &later) < 0);
    a = id_new(-1);
    assert_memory_equal(id_text(&a, text), "00000000-0000-7", 15);
    a = id_new(INT64_MAX);
    assert_memory_equal(id_text(&a, text), "ffffffff-ffff-7", 15);
}

static void
texts_are_parsed_strictly(void **state)
{
    static const char good[] = "01890a5d-ac96-774b-bcce-b302099a8057";
    static const char *const bad[] = {
        "", "01890a5d", "01890a5d-ac96-774b-bcce-b302099a805", "01890a5d-ac96-774b-bcce-b302099a80577",
        "01890a5dac96-774b-bcce-b302099a8057-", "01890a5d-ac96-774b-bcce-b302099a805g",
        "{01890a5d-ac96-774b-bcce-b302099a805}", " 1890a5d-ac96-774b-bcce-b302099a8057",
        "01890a5d-ac96-774b-bcce-b302099a8057 ",
    };
    char text[ID_TEXT_SIZE];
    struct id id = { .given = false }, upper;
    size_t i;

    (void)state;
    assert_string_equal(id_text(&id, text), "");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(id_parse(bad[i], &id));
    assert_false(id.given);
    assert_true(id_parse(good, &id));
    assert_true(id.given);
    assert_string_equal(id_text(&id, text), good);
    assert_true(id_parse("01890A5D-AC96-774B-BCCE-B302099A8057", &upper));
    assert_int_equal(id_compare(&id, &upper), 0);
}

static void
times_are_rfc_3339(void **state)
{
    static const struct { int64_t ms; const char *text; } cases[] = {
        { 0, "1970-01-01T00:00:00.000Z" }, { 1700000000123, "2023-11-14T22:13:20.123Z" },
        { -1, "1969-12-31T23:59:59.999Z" }, { INT64_MAX, "9999-12-31T23:59:59.999Z" },
        { INT64_MIN, "0000-01-01T00:00:00.000Z" }, { 951782400007, "2000-02-29T00:00:00.007Z" },
    };
    char text[WHEN_TEXT_SIZE];
    int64_t before;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(when_text(cases[i].ms, text), cases[i].text);
    assert_true(when_now_ms() > 1700000000000);
    before = when_monotonic_ms();
    assert_true(when_monotonic_ms() >= before);
}

static void
random_ids_are_version_4(void **state)
{
    struct id a = id_random(), b = id_random();
    char text[ID_TEXT_SIZE];

    (void)state;
    assert_true(a.given);
    assert_int_equal(a.bytes[6] >> 4, 4);
    assert_int_equal(a.bytes[8] >> 6, 2);
    assert_int_not_equal(id_compare(&a, &b), 0);
    assert_int_equal(id_text(&a, text)[14], '4');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_ids_are_version_7_of_their_time),
        cmocka_unit_test(random_ids_are_version_4),
        cmocka_unit_test(texts_are_parsed_strictly),
        cmocka_unit_test(times_are_rfc_3339),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
