/* test_metrics - the text format, and histograms
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

#include "relay/metrics.h"

static void
families_and_samples(void **state)
{
    struct sbuf out;
    struct metrics m = { .out = &out };

    (void)state;
    sbuf_init(&out, 65536);
    metrics_counter(&m, "a_total", "two\nlines \\", 9007199254740993);
    metrics_gauge(&m, "b", "b", -1);
    metrics_family(&m, "c_total", "counter", "c");
    metrics_sample(&m, "c_total", "reason=\"x\"", 1);
    metrics_sample(&m, "c_total", "", 2);
    assert_string_equal(sbuf_str(&out), "# HELP confab_a_total two\\nlines \\\\\n"
                                        "# TYPE confab_a_total counter\n"
                                        "confab_a_total 9007199254740993\n"
                                        "# HELP confab_b b\n"
                                        "# TYPE confab_b gauge\n"
                                        "confab_b -1\n"
                                        "# HELP confab_c_total c\n"
                                        "# TYPE confab_c_total counter\n"
                                        "confab_c_total{reason=\"x\"} 1\n"
                                        "confab_c_total 2\n");
    sbuf_fini(&out);
}

static void
buckets_double(void **state)
{
    static const struct {
        int64_t us;
        int bucket;
    } cases[] = {
        { -5, 0 }, { 0, 0 }, { 1, 0 }, { 64, 0 }, { 65, 1 }, { 128, 1 }, { 129, 2 }, { 256, 2 },
        { 1000, 4 }, { 1000000, 14 }, { (int64_t)64 << 24, 24 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct histogram h = { .count = 0 };

        histogram_add(&h, cases[i].us);
        assert_int_equal(h.buckets[cases[i].bucket], 1);
        assert_int_equal(h.count, 1);
    }
}

static void
what_is_beyond_all_buckets_counts(void **state)
{
    struct histogram h = { .count = 0 };

    (void)state;
    histogram_add(&h, ((int64_t)64 << 24) + 1);
    histogram_add(&h, INT64_MAX);
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        assert_int_equal(h.buckets[i], 0);
    assert_int_equal(h.count, 2);
    assert_true(histogram_quantile(&h, 0.5) == (int64_t)64 << 24);
}

static void
quantiles(void **state)
{
    struct histogram h = { .count = 0 };

    (void)state;
    assert_int_equal(histogram_quantile(&h, 0.99), 0);
    for (int i = 0; i < 98; i++)
        histogram_add(&h, 100);
    histogram_add(&h, 1000);
    histogram_add(&h, 5000);
    assert_int_equal(h.count, 100);
    assert_int_equal(h.sum_us, 98 * 100 + 6000);
    assert_int_equal(histogram_quantile(&h, 0), 128);
    assert_int_equal(histogram_quantile(&h, 0.5), 128);
    assert_int_equal(histogram_quantile(&h, 0.98), 128);
    assert_int_equal(histogram_quantile(&h, 0.99), 1024);
    assert_int_equal(histogram_quantile(&h, 1), 8192);
}

static void
histograms_are_cumulative(void **state)
{
    struct histogram h = { .count = 0 };
    struct sbuf out;
    struct metrics m = { .out = &out };

    (void)state;
    sbuf_init(&out, 65536);
    histogram_add(&h, 64);
    histogram_add(&h, 100);
    histogram_add(&h, 2000000);
    histogram_add(&h, (int64_t)1 << 40);
    metrics_histogram(&m, "t_seconds", "time", &h);
    assert_non_null(strstr(out.data, "# TYPE confab_t_seconds histogram\n"
                                     "confab_t_seconds_bucket{le=\"0.000064\"} 1\n"
                                     "confab_t_seconds_bucket{le=\"0.000128\"} 2\n"
                                     "confab_t_seconds_bucket{le=\"0.000256\"} 2\n"));
    assert_non_null(strstr(out.data, "_bucket{le=\"2.097152\"} 3\n"));
    assert_non_null(strstr(out.data, "_bucket{le=\"1073.741824\"} 3\n"
                                     "confab_t_seconds_bucket{le=\"+Inf\"} 4\n"
                                     "confab_t_seconds_sum 1099513.627940\n"
                                     "confab_t_seconds_count 4\n"));
    sbuf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_and_samples), cmocka_unit_test(buckets_double),
        cmocka_unit_test(what_is_beyond_all_buckets_counts), cmocka_unit_test(quantiles),
        cmocka_unit_test(histograms_are_cumulative),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
