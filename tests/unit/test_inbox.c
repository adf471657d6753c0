/* test_inbox - order out of disorder, holes filled from the log; the ring of what went by
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "relay/inbox.h"
#include "relay/ring.h"
#include "tests/unit/relay_event.h"

#define WINDOW 10

static char out[512];           /* "1 2 T R2 L9 ": events, timer, read after, lost */
static struct inbox *inbox;

static void
note(const char *format, int64_t n)
{
    size_t len = strlen(out);

    snprintf(out + len, sizeof out - len, format, (int)n);
}

static void
on_event(void *arg, struct held *h)
{
    (void)arg;
    note("%d ", h->event.seq);
}

static void
on_timer(void *arg)
{
    (void)arg;
    note("T ", 0);
}

static void
on_read(void *arg, int64_t after)
{
    (void)arg;
    note("R%d ", after);
}

static void
on_lost(void *arg, int64_t head)
{
    (void)arg;
    note("L%d ", head);
}

static const struct inbox_calls calls = { on_event, on_timer, on_read, on_lost };

static int
setup(void **state)
{
    (void)state;
    out[0] = '\0';
    inbox = inbox_new(0, WINDOW, 1 << 20, &calls, NULL);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    inbox_free(inbox);
    return 0;
}

static struct held *
held(int64_t seq)
{
    struct small s;

    return held_new(small_event(&s, seq, "d:1"));
}

static void
push(int64_t seq)
{
    struct held *h = held(seq);

    inbox_push(inbox, h);
    held_unref(h);
}

/* A read's result: events first..last, and where the log ends. */
static void
answer(int64_t first, int64_t last, int64_t head, bool full)
{
    struct held *events[100];
    struct inbox_page page = { .head = head, .events = events, .full = full };

    for (int64_t seq = first; seq <= last; seq++)
        events[page.n++] = held(seq);
    inbox_read(inbox, &page);
    for (size_t i = 0; i < page.n; i++)
        held_unref(events[i]);
}

static void
assert_out(const char *wanted)
{
    assert_string_equal(out, wanted);
}

static void
in_order_nothing_is_asked(void **state)
{
    (void)state;
    push(1);
    push(2);
    push(3);
    assert_out("1 2 3 ");
}

static void
repeats_are_dropped(void **state)
{
    (void)state;
    push(1);
    push(1);
    push(3);
    push(3);
    push(2);
    push(2);
    assert_out("1 T 2 3 ");
    assert_true(inbox_stats(inbox)->repeated == 3);
}

static void
too_early_waits_for_its_turn(void **state)
{
    (void)state;
    push(3);
    push(2);
    push(5);
    assert_out("T ");
    push(1);
    assert_out("T 1 2 3 ");
    push(4);
    assert_out("T 1 2 3 4 5 ");
    inbox_timer(inbox);         /* filled meanwhile: no read */
    assert_out("T 1 2 3 4 5 ");
}

static void
hole_is_read_from_the_log(void **state)
{
    (void)state;
    push(1);
    push(4);
    inbox_timer(inbox);
    assert_out("1 T R1 ");
    answer(2, 4, 4, false);
    assert_out("1 T R1 2 3 4 ");
    push(5);
    assert_out("1 T R1 2 3 4 5 ");
}

static void
bus_and_read_may_overlap(void **state)
{
    (void)state;
    push(3);
    inbox_timer(inbox);
    push(1);
    push(2);
    push(4);
    push(6);                    /* a second hole while the read is under way: no second read */
    assert_out("T R0 1 2 3 4 ");
    answer(1, 5, 5, false);     /* 6 was committed after the read */
    assert_out("T R0 1 2 3 4 5 6 ");
    assert_true(inbox_stats(inbox)->alien == 0);
}

static void
lost_last_event_is_found_by_the_tail(void **state)
{
    (void)state;
    push(1);
    inbox_head(inbox, 1);
    assert_out("1 ");
    inbox_head(inbox, 2);
    inbox_timer(inbox);
    answer(2, 2, 2, false);
    assert_out("1 T R1 2 ");
}

static void
pages_follow_each_other(void **state)
{
    (void)state;
    inbox_head(inbox, 5);
    inbox_timer(inbox);
    answer(1, 2, 5, true);
    answer(3, 4, 5, true);
    answer(5, 5, 5, false);
    assert_out("T R0 1 2 R2 3 4 R4 5 ");
}

static void
too_far_ahead_is_left_to_the_log(void **state)
{
    (void)state;
    push(WINDOW + 1);
    assert_true(inbox_stats(inbox)->beyond == 1);
    push(WINDOW);
    inbox_timer(inbox);
    answer(1, WINDOW + 1, WINDOW + 1, false);
    assert_true(inbox_last(inbox) == WINDOW + 1);
}

static void
held_bytes_are_bounded(void **state)
{
    struct held *h = held(2);

    (void)state;
    inbox_free(inbox);
    inbox = inbox_new(0, WINDOW, h->size, &calls, NULL);
    inbox_push(inbox, h);
    held_unref(h);
    push(3);
    assert_true(inbox_stats(inbox)->beyond == 1);
}

static void
failed_read_is_tried_again(void **state)
{
    (void)state;
    push(2);
    inbox_timer(inbox);
    inbox_read(inbox, &(struct inbox_page){ .failed = true });
    assert_out("T R0 T ");
    inbox_timer(inbox);
    answer(1, 2, 2, false);
    assert_out("T R0 T R0 1 2 ");
}

static void
what_the_log_does_not_know_is_dropped(void **state)
{
    (void)state;
    push(5);                    /* of a database that this one was restored over */
    inbox_timer(inbox);
    answer(1, 2, 2, false);
    assert_out("T R0 1 2 ");
    assert_true(inbox_stats(inbox)->alien == 1);
    push(3);
    push(4);
    assert_out("T R0 1 2 3 4 ");        /* the 5 of before must not follow */
    push(5);
    assert_out("T R0 1 2 3 4 5 ");
}

static void
pruned_events_are_lost(void **state)
{
    (void)state;
    push(1);
    push(9);
    inbox_timer(inbox);
    answer(5, 9, 9, false);     /* 2 to 4 are gone */
    assert_out("1 T R1 L9 ");
    push(10);
    assert_out("1 T R1 L9 10 ");
}

static void
everything_pruned_is_lost(void **state)
{
    (void)state;
    inbox_head(inbox, 7);
    inbox_timer(inbox);
    answer(1, 0, 7, false);
    assert_out("T R0 L7 ");
}

static void
log_cut_short_is_noticed(void **state)
{
    (void)state;
    push(1);
    push(2);
    inbox_head(inbox, 1);       /* may be an old reading */
    inbox_timer(inbox);
    assert_out("1 2 T R2 ");
    answer(1, 0, 1, false);     /* it was none */
    assert_out("1 2 T R2 L1 ");
    push(2);
    assert_out("1 2 T R2 L1 2 ");
}

static void
late_news_of_an_old_head_is_harmless(void **state)
{
    (void)state;
    push(1);
    push(2);
    inbox_head(inbox, 1);
    inbox_timer(inbox);
    push(3);
    answer(1, 0, 2, false);     /* head was 2 when it was read, 3 came meanwhile */
    assert_out("1 2 T R2 3 ");
}

/* ---- ring ---- */

static void
add(struct ring *r, int64_t seq)
{
    struct held *h = held(seq);

    ring_add(r, h);
    held_unref(h);
}

static void
ring_keeps_the_newest(void **state)
{
    struct ring *r = ring_new(3, 1 << 20);

    (void)state;
    assert_true(ring_covers(r, 7, 7));
    assert_false(ring_covers(r, 7, 8));
    for (int64_t seq = 8; seq <= 12; seq++)
        add(r, seq);
    assert_true(ring_covers(r, 9, 12));
    assert_false(ring_covers(r, 8, 12));
    assert_false(ring_covers(r, 11, 13));
    assert_true(ring_get(r, 10)->seq == 10 && ring_get(r, 12)->seq == 12);
    assert_null(ring_get(r, 9));
    assert_null(ring_get(r, 13));
    add(r, 20);                 /* a new run */
    assert_false(ring_covers(r, 11, 20));
    assert_true(ring_covers(r, 19, 20));
    ring_clear(r);
    assert_false(ring_covers(r, 19, 20));
    ring_free(r);
}

static void
ring_is_bounded_in_bytes(void **state)
{
    struct held *h = held(100);
    struct ring *r = ring_new(100, 2 * h->size);

    (void)state;
    held_unref(h);
    for (int64_t seq = 100; seq < 110; seq++)
        add(r, seq);
    assert_true(ring_covers(r, 107, 109));
    assert_false(ring_covers(r, 106, 109));
    ring_free(r);
}

static void
held_event_is_a_copy_of_everything(void **state)
{
    struct small s;
    struct held *h;

    (void)state;
    small_operation(&s, 7, EVENT_CLOSE, "room:1", NULL, "d:1");
    s.event.except = "zed";
    s.event.request = "r";
    h = held_new(&s.event);
    memset(&s, 'x', sizeof s);
    assert_string_equal(h->event.channels[0], "d:1");
    assert_string_equal(h->event.operations[0].channel, "room:1");
    assert_string_equal(h->event.operations[0].reason, "deleted");
    assert_null(h->event.operations[0].user);
    assert_string_equal(h->event.except, "zed");
    assert_string_equal(h->event.request, "r");
    assert_string_equal(h->event.system, "mtchat");
    assert_memory_equal(h->event.body, "{\"e\":7}", 7);
    held_unref(held_ref(h));
    held_unref(h);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(in_order_nothing_is_asked),
        TEST(repeats_are_dropped),
        TEST(too_early_waits_for_its_turn),
        TEST(hole_is_read_from_the_log),
        TEST(bus_and_read_may_overlap),
        TEST(lost_last_event_is_found_by_the_tail),
        TEST(pages_follow_each_other),
        TEST(too_far_ahead_is_left_to_the_log),
        TEST(held_bytes_are_bounded),
        TEST(failed_read_is_tried_again),
        TEST(what_the_log_does_not_know_is_dropped),
        TEST(pruned_events_are_lost),
        TEST(everything_pruned_is_lost),
        TEST(log_cut_short_is_noticed),
        TEST(late_news_of_an_old_head_is_harmless),
        cmocka_unit_test(ring_keeps_the_newest),
        cmocka_unit_test(ring_is_bounded_in_bytes),
        cmocka_unit_test(held_event_is_a_copy_of_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
