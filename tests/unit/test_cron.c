/* test_cron - lines, and the moments they mean
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shared/cron.h"
#include "shared/when.h"

/* 2026-02-27T23:59:30Z, a Friday */
#define FRIDAY INT64_C(1772236770000)

static void
next_moments(void **state)
{
    static const struct { const char *line, *next; } cases[] = {
        {"* * * * * *", "2026-02-27T23:59:31.000Z"},
        {"0 */5 * * * *", "2026-02-28T00:00:00.000Z"},
        {"30 59 23 * * *", "2026-02-28T23:59:30.000Z"},
        {"31,45-50/2 59 23 * * *", "2026-02-27T23:59:31.000Z"},
        {"0 0 0 1 * *", "2026-03-01T00:00:00.000Z"},
        {"0 0 12 * * 1", "2026-03-02T12:00:00.000Z"},
        {"0 0 12 * * 7", "2026-03-01T12:00:00.000Z"},
        {"0 0 12 3 * 0", "2026-03-01T12:00:00.000Z"},       /* either day suffices */
        {"0 0 0 29 2 *", "2028-02-29T00:00:00.000Z"},
        {"  0   0 0 1 1 *  ", "2027-01-01T00:00:00.000Z"},
    };
    char text[WHEN_TEXT_SIZE];
    struct cron cron;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(cron_parse(cases[i].line, &cron));
        assert_string_equal(when_text(cron_next(&cron, FRIDAY), text), cases[i].next);
    }
}

static void
never(void **state)
{
    struct cron cron;

    (void)state;
    assert_true(cron_parse("0 0 0 30 2 *", &cron));
    assert_true(cron_next(&cron, FRIDAY) == -1);
}

static void
refused(void **state)
{
    static const char *const lines[] = {
        "", "* * * * *", "* * * * * * *", "60 * * * * *", "* * 24 * * *", "* * * 0 * *",
        "* * * * 13 *", "* * * * * 8", "5-1 * * * * *", "*/0 * * * * *", "a * * * * *",
        "1, * * * * *", "1- * * * * *", "-1 * * * * *", "99999999999 * * * * *", "1x * * * * *",
    };
    struct cron cron;

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_false(cron_parse(lines[i], &cron));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_moments),
        cmocka_unit_test(never),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
