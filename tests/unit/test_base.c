/* test_base - arena, sbuf, err, log, UTF-8 and queries
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
#include <unistd.h>

#include <cmocka.h>

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/log.h"
#include "shared/percent.h"
#include "shared/sbuf.h"
#include "shared/utf8.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- arena ---- */

static int cleaned[3], n_cleaned;

static void
note_cleanup(void *p)
{
    cleaned[n_cleaned++] = *(int *)p;
}

static void
arena_gives_zeroed_aligned_memory(void **state)
{
    struct arena *a = arena_new();
    size_t n, i, round;
    unsigned char *p;

    (void)state;
    for (round = 0; round < 2; round++) {
        for (n = 0; n < 3000; n += 7) {
            p = arena_alloc(a, n);
            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            for (i = 0; i < n; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xff, n);
        }
        arena_reset(a);
    }
    p = arena_alloc(a, 10 * 1024 * 1024);
    assert_int_equal(p[10 * 1024 * 1024 - 1], 0);
    arena_free(a);
    arena_free(NULL);
}

static void
arena_runs_cleanups_newest_first(void **state)
{
    int numbers[] = { 1, 2, 3 };
    struct arena *a = arena_new();
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++)
        arena_on_reset(a, note_cleanup, &numbers[i]);
    arena_reset(a);
    assert_int_equal(n_cleaned, 2);
    assert_int_equal(cleaned[0], 2);
    arena_on_reset(a, note_cleanup, &numbers[2]);
    arena_free(a);
    assert_int_equal(n_cleaned, 3);
    assert_int_equal(cleaned[2], 3);
}

static void
arena_makes_strings(void **state)
{
    struct arena *a = arena_new();

    (void)state;
    assert_string_equal(arena_copy(a, "abcdef", 3), "abc");
    assert_string_equal(arena_copy(a, NULL, 0), "");
    assert_string_equal(arena_string(a, "x"), "x");
    assert_null(arena_string(a, NULL));
    assert_string_equal(arena_printf(a, "%d-%s", 7, "y"), "7-y");
    arena_free(a);
}

/* ---- sbuf ---- */

static void
sbuf_appends(void **state)
{
    struct sbuf b;

    (void)state;
    sbuf_init(&b, 1000);
    assert_string_equal(sbuf_str(&b), "");
    sbuf_puts(&b, "ab");
    sbuf_putc(&b, 'c');
    sbuf_put(&b, "d\0e", 3);
    sbuf_printf(&b, "%03d", 5);
    assert_int_equal(b.len, 9);
    assert_memory_equal(b.data, "abcd\0e005", 10);
    memcpy(sbuf_grow(&b, 2), "xy", 2);
    assert_string_equal(b.data + 9, "xy");
    sbuf_reset(&b);
    assert_string_equal(sbuf_str(&b), "");
    sbuf_fini(&b);
}

static void
sbuf_stops_at_its_maximum(void **state)
{
    struct sbuf b;
    int i;

    (void)state;
    sbuf_init(&b, 4);
    sbuf_puts(&b, "abcd");
    assert_false(b.failed);
    sbuf_putc(&b, 'e');
    assert_true(b.failed);
    assert_null(sbuf_grow(&b, 0));
    sbuf_printf(&b, "%s", "");
    assert_string_equal(sbuf_str(&b), "abcd");
    sbuf_reset(&b);
    assert_false(b.failed);
    sbuf_put(&b, "x", SIZE_MAX);
    assert_true(b.failed);
    sbuf_fini(&b);

    sbuf_init(&b, SIZE_MAX);
    for (i = 0; i < 100000; i++)
        sbuf_puts(&b, "0123456789");
    assert_int_equal(b.len, 1000000);
    assert_int_equal(b.data[999999], '9');
    sbuf_grow(&b, SIZE_MAX - 1000000);
    assert_true(b.failed);
    sbuf_fini(&b);
}

/* ---- err, log ---- */

static void
err_tells_what_the_table_says(void **state)
{
    struct fail fail = { 0 };

    (void)state;
    assert_int_equal(err_status(ERR_OK), 200);
    assert_int_equal(err_status(ERR_TOO_LARGE), 413);
    assert_string_equal(err_word(ERR_BUSY), "busy");
    assert_string_equal(err_text(ERR_NOT_FOUND), "no such object");
    assert_int_equal(err_status((enum err)9999), 500);
    assert_int_equal(err_fail(&fail, ERR_LIMIT, "title", "longer than %d", 5), ERR_LIMIT);
    assert_int_equal(fail.code, ERR_LIMIT);
    assert_string_equal(fail.field, "title");
    assert_string_equal(fail.why, "longer than 5");
    assert_int_equal(err_fail(NULL, ERR_BUSY, NULL, "x"), ERR_BUSY);
}

/* What log_event writes to standard error, in a static buffer. */
static const char *
logged(const char *value)
{
    static char line[8192];
    int ends[2], kept;
    ssize_t n;

    assert_int_equal(pipe(ends), 0);
    kept = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    log_event(LOG_LEVEL_INFO, "said", "what", value, "none", NULL, "n", log_number(-5), NULL);
    log_event(LOG_LEVEL_DEBUG, "hidden", NULL);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[1]);
    n = read(ends[0], line, sizeof(line) - 1);
    close(ends[0]);
    assert_true(n > 25);
    line[n] = '\0';
    assert_int_equal(line[23], 'Z');
    return line + 25;
}

static void
log_quotes_what_needs_it(void **state)
{
    static char large[10000];

    (void)state;
    log_setup("test", LOG_LEVEL_INFO, 0);
    assert_true(log_enabled(LOG_LEVEL_ERROR));
    assert_false(log_enabled(LOG_LEVEL_DEBUG));
    assert_string_equal(logged("plain"), "test info said what=plain n=-5\n");
    assert_string_equal(logged(""), "test info said what=\"\" n=-5\n");
    assert_string_equal(logged("a b"), "test info said what=\"a b\" n=-5\n");
    assert_string_equal(logged("a\nb\"\\\x1b"), "test info said what=\"a\\nb\\\"\\\\\\x1b\" n=-5\n");
    assert_string_equal(logged("\xc2\x9b\xc3\xa9"), "test info said what=\"\\xc2\\x9b\xc3\xa9\" n=-5\n");
    assert_string_equal(logged("\xc3\xa9\xff\xe2\x82"), "test info said what=\"\xc3\xa9\\xff\\xe2\\x82\" n=-5\n");
    assert_string_equal(logged("\xf0\x9f\x98\x80"), "test info said what=\xf0\x9f\x98\x80 n=-5\n");
    memset(large, 'x', sizeof(large) - 1);
    assert_int_equal(logged(large)[4000 - 25], '\n');
}

static void
a_gate_opens_once_a_second(void **state)
{
    struct log_gate g = { 0 };
    int64_t unsaid = -1;

    (void)state;
    assert_true(log_gate_opens(&g, 5, &unsaid));
    assert_int_equal(unsaid, 0);
    for (int i = 0; i < 3; i++)
        assert_false(log_gate_opens(&g, 5 + i * 400, &unsaid));
    assert_true(log_gate_opens(&g, 1005, &unsaid));
    assert_int_equal(unsaid, 3);
    assert_false(log_gate_opens(&g, 2004, &unsaid));
    assert_true(log_gate_opens(&g, 9000, &unsaid));
    assert_int_equal(unsaid, 1);
}

/* ---- UTF-8 ---- */

static void
utf8_judges_validity(void **state)
{
    static const struct { const char *text; bool valid; } cases[] = {
        { "", true }, { "abc", true }, { "\xd0\xb6", true }, { "\xf0\x9f\x98\x80", true },
        { "\xf4\x8f\xbf\xbf", true }, { "\xf4\x90\x80\x80", false }, { "\xc0\x80", false },
        { "\xed\xa0\x80", false }, { "\x80", false }, { "\xe2\x82", false }, { "\xff", false },
        { "\xe0\x80\xaf", false },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++)
        assert_int_equal(utf8_valid(cases[i].text, strlen(cases[i].text)), cases[i].valid);
    assert_int_equal(utf8_length("a\xd0\xb6\xf0\x9f\x98\x80", 7), 3);
}

static void
utf8_sees_what_shows(void **state)
{
    static const struct { const char *text; bool visible; } cases[] = {
        { "", false }, { " \t\n\r\f\v", false }, { "\xc2\xa0\xe3\x80\x80\xe2\x80\xa8", false },
        { "\xe2\x80\x8b\xe2\x80\x8f\xe2\x81\xa0\xe2\x81\xa4\xef\xbb\xbf\xc2\xad", false },
        { "\x01\x7f\xc2\x85", false }, { " a", true }, { "\xe2\x80\x8b\xd0\xb6", true },
        { "\xf0\x9f\x98\x80", true }, { "\xe2\x80\x90", true },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++)
        assert_int_equal(utf8_visible(cases[i].text, strlen(cases[i].text)), cases[i].visible);
}

static void
utf8_trims(void **state)
{
    static const struct { const char *text, *trimmed; } cases[] = {
        { "", "" }, { "  ", "" }, { " a b ", "a b" }, { "\xc2\xa0x\xe3\x80\x80", "x" },
        { "\xd0\xb6", "\xd0\xb6" }, { "\n\xf0\x9f\x98\x80\t", "\xf0\x9f\x98\x80" },
    };
    const char *p;
    size_t i, len;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        p = utf8_trim(cases[i].text, strlen(cases[i].text), &len);
        assert_int_equal(len, strlen(cases[i].trimmed));
        assert_memory_equal(p, cases[i].trimmed, len);
    }
}

static void
utf8_lowers(void **state)
{
    struct arena *a = arena_new();

    (void)state;
    assert_string_equal(utf8_lower(a, "Anna.Ж@X"), "anna.ж@x");
    assert_string_equal(utf8_lower(a, "straße"), "straße");
    assert_string_equal(utf8_lower(a, ""), "");
    arena_free(a);
}

static void
utf8_folds_every_script(void **state)
{
    static const struct { const char *text, *folded; } cases[] = {
        { NULL, "" }, { "", "" }, { "ABC", "abc" },
        { "\xd0\x96\xd0\xa3\xd0\x9a", "\xd0\xb6\xd1\x83\xd0\xba" },   /* ЖУК */
        { "Stra\xc3\x9f" "e", "strasse" },
        { "E\xcc\x81", "\xc3\xa9" }, { "\xc3\x89", "\xc3\xa9" },      /* É in two ways */
        { "\xce\xa3\xcf\x82", "\xcf\x83\xcf\x83" },                   /* both sigmas */
        { "a\xff", "a\xef\xbf\xbd" },
    };
    struct arena *a = arena_new();
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++)
        assert_string_equal(utf8_fold(a, cases[i].text), cases[i].folded);
    arena_free(a);
}

/* ---- percent coding; decoding is in test_http ---- */

static void
queries_give_the_first_of_a_name(void **state)
{
    static const struct { const char *query, *value; } cases[] = {
        { "", NULL }, { "k", NULL }, { "kk=1", NULL }, { "x=k=1", NULL }, { "k=", "" },
        { "k=1", "1" }, { "a=b&k=1&k=2", "1" }, { "&&k=a=b&", "a=b" }, { "k=a+b%2Bc%26", "a b+c&" },
        { "k=100%", "100%" }, { "k=a%00b", NULL }, { "k=%ff", NULL }, { "k=%ff&k=1", NULL },
        { "%6b=1", NULL }, { "K=1", NULL },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *value = percent_query(a, cases[i].query, "k");

        if (cases[i].value)
            assert_string_equal(value, cases[i].value);
        else
            assert_null(value);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(arena_runs_cleanups_newest_first),
        cmocka_unit_test(arena_makes_strings),
        cmocka_unit_test(sbuf_appends),
        cmocka_unit_test(sbuf_stops_at_its_maximum),
        cmocka_unit_test(err_tells_what_the_table_says),
        cmocka_unit_test(log_quotes_what_needs_it),
        cmocka_unit_test(a_gate_opens_once_a_second),
        cmocka_unit_test(utf8_judges_validity),
        cmocka_unit_test(utf8_sees_what_shows),
        cmocka_unit_test(utf8_trims),
        cmocka_unit_test(utf8_lowers),
        cmocka_unit_test(utf8_folds_every_script),
        cmocka_unit_test(queries_give_the_first_of_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
