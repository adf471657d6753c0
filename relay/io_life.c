/* io_life - who is still there: pings, and peers that fell silent
 *
 * A wheel instead of a timer for each connection: every connection sits in one slot and is looked
 * at once per turn, which is a small part of the silence allowed. Any received message or pong is a
 * sign of life.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/io_conn.h"

#include "shared/when.h"

enum { TURN_MIN_MS = 100, TURN_MAX_MS = 1000, TURNS_PER_TIMEOUT = 16 };

static void
conn_ping(struct conn *c)
{
    struct frame *ping = frame_ping();

    /* not held to the queue's bounds: two bytes, and few before the peer counts as dead */
    if (ping != NULL && outq_push(&c->out, ping, UINT32_MAX, SIZE_MAX) == ERR_OK)
        conn_mark_dirty(c);
    frame_unref(ping);
}

static void
conn_look_at(struct conn *c)
{
    struct io_links *l = c->links;

    if (c->state != CONN_OPEN) {
        if (l->clock_ms >= c->gone_ms) {
            l->io->counters[IO_FORCED]++;
            conn_kill(c);
        }
    } else if (l->clock_ms + l->turn_ms > c->heard_ms + l->timeout_ms) {
        /* at the next turn it would be too late */
        l->io->counters[IO_DEAD_PEER]++;
        conn_kill(c);
    } else if (l->clock_ms >= c->ping_ms) {
        c->ping_ms = l->clock_ms + l->ping_ms;
        conn_ping(c);
    }
}

/* The clock that silence is measured by advances no faster than the loop runs: after a stop of
 * ours (suspend, debugger, a long turn) nobody is dropped whose answer lies unread. */
static void
tick_due(struct ev_loop *loop, ev_timer *w, int events)
{
    struct io_links *l = w->data;
    int64_t now = when_monotonic_ms(), passed = now - l->ticked_ms;
    int64_t most = 2 * l->turn_ms / SLOTS;
    struct conn *c, *next;

    (void)loop, (void)events;
    l->ticked_ms = now;
    l->clock_ms += passed < most ? passed : most;
    l->slot = (l->slot + 1) % SLOTS;
    for (c = LIST_FIRST(&l->slots[l->slot]); c != NULL; c = next) {
        next = LIST_NEXT(c, slot_entry);
        conn_look_at(c);
    }
}

void
io_life_start(struct io_links *l)
{
    const struct config *config = l->io->config;
    int64_t turn;

    l->timeout_ms = config->ws_timeout_s * 1000;
    l->ping_ms = config->ws_ping_s * 1000;
    if (l->ping_ms > l->timeout_ms / 2)     /* a peer has to get the chance to answer */
        l->ping_ms = l->timeout_ms / 2;
    l->patience_ms = config->relay_handshake_s * 1000;
    turn = l->timeout_ms / TURNS_PER_TIMEOUT;
    l->turn_ms = turn < TURN_MIN_MS ? TURN_MIN_MS : turn > TURN_MAX_MS ? TURN_MAX_MS : turn;
    l->ticked_ms = when_monotonic_ms();
    for (unsigned i = 0; i < SLOTS; i++)
        LIST_INIT(&l->slots[i]);
    ev_timer_init(&l->tick, tick_due, 0.0, (double)l->turn_ms / SLOTS / 1000.0);
    l->tick.data = l;
    ev_timer_again(l->io->loop, &l->tick);
}

void
io_life_stop(struct io_links *l)
{
    ev_timer_stop(l->io->loop, &l->tick);
}

/* A run of neighbours is spread evenly over the wheel and over the first pause between pings. */
void
io_life_join(struct io_links *l, struct conn *c)
{
    uint32_t spread = l->opened++ * 2654435769u;    /* 2^32 / golden ratio */

    c->heard_ms = l->clock_ms;
    c->ping_ms = l->clock_ms + l->ping_ms / 2 + (l->ping_ms / 2 * (spread >> 16) >> 16);
    LIST_INSERT_HEAD(&l->slots[l->opened % SLOTS], c, slot_entry);
}

void
io_life_leave(struct conn *c)
{
    LIST_REMOVE(c, slot_entry);
}

void
io_life_heard(struct conn *c)
{
    c->heard_ms = c->links->clock_ms;
}

void
io_life_ends(struct conn *c)
{
    c->gone_ms = c->links->clock_ms + c->links->patience_ms;
}
