/* test_wheel - deadlines, with a clock and a timer that the test turns itself
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

#include "relay/io.h"
#include "relay/wheel.h"

#define SLACK_MS 128            /* how late a deadline may be */

/* ---- the clock and the one timer ---- */

int64_t __wrap_when_monotonic_ms(void);

static int64_t now_ms;
static int64_t timer_at;        /* -1: not set */
static int64_t wakes;
static void (*timer_due)(void *arg);
static void *timer_arg;

int64_t
__wrap_when_monotonic_ms(void)
{
    return now_ms;
}

struct io_timer *
io_timer_new(struct io *io, void (*due)(void *arg), void *arg)
{
    (void)io;
    timer_due = due;
    timer_arg = arg;
    timer_at = -1;
    return (struct io_timer *)(void *)&timer_at;
}

void
io_timer_set(struct io_timer *t, int64_t after_ms)
{
    (void)t;
    assert_true(after_ms >= 0);
    timer_at = now_ms + after_ms;
}

void
io_timer_free(struct io_timer *t)
{
    (void)t;
    timer_at = -1;
}

/* Lets time pass, the timer running whenever it falls due. */
static void
pass(int64_t ms)
{
    int64_t until = now_ms + ms;

    while (timer_at >= 0 && timer_at <= until) {
        if (now_ms < timer_at)
            now_ms = timer_at;
        timer_at = -1;
        wakes++;
        timer_due(timer_arg);
    }
    now_ms = until;
}

/* ---- what falls due ---- */

struct item {
    struct wheel_entry entry;   /* first */
    int64_t wanted_ms, ran_ms;
    int n;
};

static struct wheel *wheel;
static struct item *other;

static void
runs(struct wheel_entry *e)
{
    struct item *i = (struct item *)(void *)e;

    i->ran_ms = now_ms;
    i->n++;
}

static void
clears_other(struct wheel_entry *e)
{
    runs(e);
    wheel_clear(wheel, &other->entry);
}

static void
sets_itself(struct wheel_entry *e)
{
    runs(e);
    wheel_set(wheel, e, 0, sets_itself);
}

static void
set(struct item *i, int64_t after_ms)
{
    i->wanted_ms = now_ms + after_ms;
    wheel_set(wheel, &i->entry, after_ms, runs);
}

static void
assert_in_time(const struct item *i)
{
    assert_int_equal(i->n, 1);
    assert_in_range(i->ran_ms, i->wanted_ms, i->wanted_ms + SLACK_MS);
}

static void
none_is_early_and_none_late(void **state)
{
    static const int64_t after[] = { 0, 1, 127, 128, 129, 1000, 8000, 65535, 65536, 65537, 65664,
                                     131072, 200000, 3600000, 86400000 };
    struct item items[sizeof after / sizeof *after] = { 0 };

    (void)state;
    now_ms = 1000003;
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        set(&items[i], after[i]);
    pass(86400000 + SLACK_MS);
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        assert_in_time(&items[i]);
}

static void
many_at_all_times(void **state)
{
    static struct item items[5000];
    unsigned random = 1;

    (void)state;
    memset(items, 0, sizeof items);
    for (size_t i = 0; i < 5000; i++) {
        random = random * 1103515245 + 12345;
        set(&items[i], random % 300000);
        pass(random >> 28);
    }
    for (size_t i = 0; i < 5000; i += 2)        /* every other one again, an hour later */
        if (items[i].n == 0)
            set(&items[i], 3600000);
    pass(4000000);
    for (size_t i = 0; i < 5000; i++)
        assert_in_time(&items[i]);
}

static void
cleared_and_set_again(void **state)
{
    struct item a = { 0 }, b = { 0 };

    (void)state;
    wheel_clear(wheel, &a.entry);
    set(&a, 1000);
    set(&b, 1000);
    wheel_clear(wheel, &a.entry);
    wheel_clear(wheel, &a.entry);
    pass(500);
    set(&b, 5000);
    pass(4999);
    assert_int_equal(b.n, 0);
    pass(1 + SLACK_MS);
    assert_in_time(&b);
    assert_int_equal(a.n, 0);
}

static void
callbacks_may_clear_and_set(void **state)
{
    struct item a = { 0 }, b = { 0 }, c = { 0 };

    (void)state;
    other = &b;                 /* whichever runs first, b and c do not both run */
    wheel_set(wheel, &b.entry, 100, runs);
    wheel_set(wheel, &a.entry, 100, clears_other);
    pass(100 + SLACK_MS);
    assert_int_equal(a.n, 1);
    assert_true(b.n <= 1);
    wheel_set(wheel, &c.entry, 0, sets_itself);
    pass(10 * SLACK_MS);        /* once a tick, and no endless loop */
    assert_in_range(c.n, 9, 11);
    wheel_clear(wheel, &c.entry);
}

static void
empty_does_nothing(void **state)
{
    struct item a = { 0 };

    (void)state;
    assert_true(timer_at == -1);
    set(&a, 100);
    pass(1000);
    assert_int_equal(a.n, 1);
    assert_true(timer_at == -1);
    wakes = 0;
    pass(86400000);
    assert_int_equal(wakes, 0);
    set(&a, 3600000);           /* a far one costs a look a turn, no more */
    pass(3600000 - 1);
    assert_in_range(wakes, 1, 60);
    assert_int_equal(a.n, 1);
    pass(1 + SLACK_MS);
    assert_int_equal(a.n, 2);
}

static void
a_long_sleep_loses_nothing(void **state)
{
    struct item items[100] = { 0 };

    (void)state;
    for (size_t i = 0; i < 100; i++)
        set(&items[i], (int64_t)i * 1500);
    now_ms += 10000000;         /* the machine slept */
    pass(0);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(items[i].n, 1);
}

static void
freed_with_entries_in_it(void **state)
{
    struct item a = { 0 };

    (void)state;
    set(&a, 1000);
    wheel_free(wheel);
    assert_null(a.entry.at);
    wheel = wheel_new(NULL);
    set(&a, 10);
    pass(10 + SLACK_MS);
    assert_in_time(&a);
}

static int
fresh(void **state)
{
    (void)state;
    now_ms = 12345;
    wakes = 0;
    wheel = wheel_new(NULL);
    return 0;
}

static int
done(void **state)
{
    (void)state;
    wheel_free(wheel);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(none_is_early_and_none_late), TEST(many_at_all_times), TEST(cleared_and_set_again),
        TEST(callbacks_may_clear_and_set), TEST(empty_does_nothing),
        TEST(a_long_sleep_loses_nothing), TEST(freed_with_entries_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
