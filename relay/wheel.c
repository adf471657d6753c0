/* wheel - deadlines hashed by the tick in which they fall due
 *
 * Slots are a ring of ticks. A deadline more than a turn away lies in its slot meanwhile and is passed
 * over once a turn. The timer is set for the next slot that holds anything, and not at all while none does.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/wheel.h"

#include <stdbool.h>
#include <stddef.h>

#include "relay/io.h"
#include "relay/mem.h"
#include "shared/when.h"

#define TICK_MS 128
#define SLOTS   512             /* a turn is a good minute */
#define NEVER   INT64_MAX

struct wheel {
    struct io_timer *timer;
    int64_t tick;               /* every entry due by then has run, or is in `due` */
    int64_t armed;              /* the tick for which the timer is set */
    struct wheel_entry *slots[SLOTS];
    uint64_t used[SLOTS / 64];  /* a bit for each slot that may hold something */
    struct wheel_entry *due;    /* running: those whose turn it is */
};

static void
unlink_entry(struct wheel_entry *e)
{
    if (!e->at)
        return;
    *e->at = e->next;
    if (e->next)
        e->next->at = e->at;
    e->next = NULL;
    e->at = NULL;
}

static void
link_entry(struct wheel_entry **list, struct wheel_entry *e)
{
    e->next = *list;
    e->at = list;
    if (e->next)
        e->next->at = &e->next;
    *list = e;
}

/* Ticks until the next slot in use, 1 to SLOTS; 0: none is. */
static int64_t
ticks_to_next(const struct wheel *w)
{
    size_t i, at;
    uint64_t word;

    for (i = 1; i <= SLOTS; ) {
        at = (size_t)(w->tick + (int64_t)i) % SLOTS;
        word = w->used[at / 64] >> (at % 64);
        if (word) {
            i += (size_t)__builtin_ctzll(word);
            return i <= SLOTS ? (int64_t)i : SLOTS;
        }
        i += 64 - at % 64;
    }
    return 0;
}

/* Sets the timer for that tick unless it comes before anyway. */
static void
arm(struct wheel *w, int64_t tick, int64_t now_ms)
{
    int64_t wait = tick * TICK_MS - now_ms;

    if (tick >= w->armed)
        return;
    w->armed = tick;
    io_timer_set(w->timer, wait > 0 ? wait : 0);
}

/* Moves what is due in a slot to the list, and notes whether the slot is empty. */
static void
sweep_slot(struct wheel *w, size_t slot, int64_t by_ms)
{
    struct wheel_entry *e, *next;

    for (e = w->slots[slot]; e; e = next) {
        next = e->next;
        if (e->due_ms > by_ms)
            continue;
        unlink_entry(e);
        link_entry(&w->due, e);
    }
    if (!w->slots[slot])
        w->used[slot / 64] &= ~((uint64_t)1 << (slot % 64));
}

/* All slots from the last tick on; after a long sleep one turn is enough. */
static void
sweep(struct wheel *w, int64_t tick)
{
    int64_t t = tick - w->tick > SLOTS ? tick - SLOTS : w->tick;
    size_t slot;

    while (++t <= tick) {
        slot = (size_t)t % SLOTS;
        if (w->used[slot / 64] & (uint64_t)1 << (slot % 64))
            sweep_slot(w, slot, tick * TICK_MS);
    }
    if (tick > w->tick)
        w->tick = tick;
}

/* Whatever a callback sets or clears leaves or enters lists by its own links, so only the head of ours is
 * ever held. */
static void
turn(void *arg)
{
    struct wheel *w = arg;
    struct wheel_entry *e;
    int64_t now = when_monotonic_ms(), next;

    w->armed = NEVER;
    sweep(w, now / TICK_MS);
    while ((e = w->due)) {
        unlink_entry(e);
        e->due(e);
    }
    if ((next = ticks_to_next(w)))
        arm(w, w->tick + next, now);
}

struct wheel *
wheel_new(struct io *io)
{
    struct wheel *w = mem_new(sizeof *w);

    w->armed = NEVER;
    w->tick = when_monotonic_ms() / TICK_MS;
    w->timer = io_timer_new(io, turn, w);
    return w;
}

void
wheel_free(struct wheel *w)
{
    size_t i;

    if (!w)
        return;
    for (i = 0; i < SLOTS; i++)
        while (w->slots[i])
            unlink_entry(w->slots[i]);
    io_timer_free(w->timer);
    free(w);
}

void
wheel_set(struct wheel *w, struct wheel_entry *e, int64_t after_ms, void (*due)(struct wheel_entry *e))
{
    int64_t now = when_monotonic_ms(), tick;
    size_t slot;

    unlink_entry(e);
    e->due = due;
    e->due_ms = now + (after_ms > 0 ? after_ms : 0);
    tick = (e->due_ms + TICK_MS - 1) / TICK_MS;
    if (tick <= w->tick)        /* that slot is done with: the next one */
        tick = w->tick + 1;
    slot = (size_t)tick % SLOTS;
    link_entry(&w->slots[slot], e);
    w->used[slot / 64] |= (uint64_t)1 << (slot % 64);
    arm(w, tick < now / TICK_MS + SLOTS ? tick : now / TICK_MS + SLOTS, now);
}

void
wheel_clear(struct wheel *w, struct wheel_entry *e)
{
    (void)w;
    unlink_entry(e);
}
