/* fake_timer - the loop's timer, fired by the test: in place of io_loop.c
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_FAKE_TIMER_H
#define TESTS_UNIT_FAKE_TIMER_H

#include "relay/io.h"

struct io_timer {
    void (*due)(void *arg);
    void *arg;
    int64_t after_ms;       /* -1: not set */
};

static struct io_timer fake_timer = { .after_ms = -1 };

struct io_timer *
io_timer_new(struct io *io, void (*due)(void *arg), void *arg)
{
    (void)io;
    fake_timer = (struct io_timer){ due, arg, -1 };
    return &fake_timer;
}

void
io_timer_set(struct io_timer *t, int64_t after_ms)
{
    t->after_ms = after_ms;
}

void
io_timer_free(struct io_timer *t)
{
    t->after_ms = -1;
}

#endif
