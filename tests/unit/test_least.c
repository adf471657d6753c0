/* test_least - the first so many by name
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "relay/push/least.h"

enum { N = 200 };

static char names[N][8];

static const char *
name_of(const void *item)
{
    return item;
}

/* All names once, in an order that 7 makes of them. */
static void
offer_all(struct least *l, size_t n)
{
    for (size_t i = 0; i < n; i++)
        least_offer(l, names[i * 7 % n]);
}

static void
the_first_come_in_order(void **state)
{
    static const size_t rooms[] = { 0, 1, 2, 3, 10, N - 1, N, N + 1 };

    (void)state;
    for (size_t i = 0; i < N; i++)
        snprintf(names[i], sizeof names[i], "%03zu", i);
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        void *items[N + 1];
        struct least l = { .name = name_of, .items = items, .max = rooms[i] };

        offer_all(&l, N);
        least_sort(&l);
        assert_int_equal(l.n, rooms[i] < N ? rooms[i] : N);
        assert_int_equal(l.more, rooms[i] < N);
        for (size_t j = 0; j < l.n; j++)
            assert_string_equal(l.items[j], names[j]);
    }
}

static void
nothing_is_no_trouble(void **state)
{
    struct least l = { .name = name_of };

    (void)state;
    least_sort(&l);
    assert_int_equal(l.n, 0);
    assert_false(l.more);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_come_in_order),
        cmocka_unit_test(nothing_is_no_trouble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
