/* test_outq - order, bounds, references
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "relay/outq.h"

enum { MANY = 1000, FRAME_5 = 7 };      /* a payload of 5 bytes makes a frame of 7 */

static struct frame *
numbered(int i)
{
    char text[16];

    snprintf(text, sizeof text, "%05d", i);
    return frame_text(text, 5);
}

static void
push_number(struct outq *q, int i)
{
    struct frame *f = numbered(i);

    assert_int_equal(outq_push(q, f, MANY, MANY * FRAME_5), ERR_OK);
    frame_unref(f);
}

static void
pop_number(struct outq *q, int i)
{
    struct frame *f, *want = numbered(i);

    assert_memory_equal(outq_peek(q)->bytes, want->bytes, FRAME_5);
    f = outq_pop(q);
    assert_memory_equal(f->bytes, want->bytes, FRAME_5);
    frame_unref(f);
    frame_unref(want);
}

static void
first_in_first_out_while_it_wraps_and_grows(void **state)
{
    struct outq q;
    int in = 0, out = 0;

    (void)state;
    outq_init(&q);
    for (int round = 1; round < 40; round++) {
        for (int i = 0; i < round; i++)
            push_number(&q, in++);
        for (int i = 0; i < round - 1; i++)
            pop_number(&q, out++);
        assert_int_equal(q.n, in - out);
        assert_int_equal(q.bytes, (in - out) * FRAME_5);
    }
    while (out < in)
        pop_number(&q, out++);
    assert_null(outq_pop(&q));
    assert_null(outq_peek(&q));
    outq_fini(&q);
}

static void
empty_it_holds_no_memory(void **state)
{
    struct outq q;

    (void)state;
    outq_init(&q);
    assert_null(q.ring);
    push_number(&q, 1);
    assert_non_null(q.ring);
    pop_number(&q, 1);
    assert_null(q.ring);
}

static void
bounds_hold_and_change_nothing(void **state)
{
    struct frame *f = numbered(1);
    struct outq q;

    (void)state;
    outq_init(&q);
    for (int i = 0; i < 3; i++)
        assert_int_equal(outq_push(&q, f, 3, 100), ERR_OK);
    assert_int_equal(outq_push(&q, f, 3, 100), ERR_TOO_SLOW);
    assert_int_equal(outq_push(&q, f, 4, 4 * FRAME_5 - 1), ERR_TOO_SLOW);
    assert_int_equal(q.n, 3);
    assert_int_equal(q.bytes, 3 * FRAME_5);
    assert_int_equal(f->refs, 4);
    assert_int_equal(outq_push(&q, f, 4, 4 * FRAME_5), ERR_OK);
    outq_fini(&q);
    assert_int_equal(f->refs, 1);
    assert_int_equal(q.n, 0);
    assert_int_equal(q.bytes, 0);
    frame_unref(f);
}

static void
one_frame_always_fits(void **state)
{
    struct frame *f = numbered(1);
    struct outq q;

    (void)state;
    outq_init(&q);
    assert_int_equal(outq_push(&q, f, 0, 1), ERR_OK);
    assert_int_equal(outq_push(&q, f, 10, 1), ERR_TOO_SLOW);
    outq_fini(&q);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out_while_it_wraps_and_grows),
        cmocka_unit_test(empty_it_holds_no_memory),
        cmocka_unit_test(bounds_hold_and_change_nothing),
        cmocka_unit_test(one_frame_always_fits),
    };

    return cmocka_run_group_tests_name("outq", tests, NULL, NULL);
}
