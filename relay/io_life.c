/* io_life - who is still there: pings, and peers that fell silent or take nothing
 *
 * A wheel instead of a timer for each connection: every connection sits in the slot of the moment at which
 * it has to be looked at next, which costs nothing until then. It is looked at once per turn of the wheel at
 * least, so rules may change meanwhile. Any received message or pong is a sign of life; it is only noted.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/io_conn.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "shared/when.h"

enum { TICK_MS = 125, TURN_MS = TICK_MS * (IO_SLOTS - 2) };
enum { LAST_WORDS_MS = 2 * TICK_MS };   /* in which they leave; an answer from the dead is not waited for */
enum { STALL_LOOKS = 4 };               /* looks at a slow peer within stall_ms */

/* A figure that moves when the peer takes something: of TCP what it acknowledged; elsewhere what the socket
 * still holds, which stays only while nothing is taken. */
static uint64_t
taken_figure(int fd)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;
    int held = 0;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0
        && len >= offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked)
        return info.tcpi_bytes_acked;
    ioctl(fd, SIOCOUTQ, &held);
    return (uint64_t)held;
}

static uint64_t
taken(const struct conn *c)
{
    return taken_figure(conn_is_stream(c) ? io_stream_fd(c) : io_lws_fd(c));
}

/* A peer has to get the chance to answer. */
static int64_t
ping_pause(const struct io_rules *rules)
{
    if (rules->silence_ms > 0 && rules->ping_ms > rules->silence_ms / 2)
        return rules->silence_ms / 2;
    return rules->ping_ms;
}

static int64_t
sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Puts it where it is looked at next. The slot behind: no deadline is early. */
static void
place(struct conn *c)
{
    struct io_links *l = c->links;
    const struct io_rules *rules = c->client != NULL ? c->client->rules : NULL;
    int64_t at = l->clock_ms + TURN_MS;

    if (c->state != CONN_OPEN) {
        at = sooner(at, c->gone_ms);
    } else if (rules != NULL) {
        if (rules->ping_ms > 0)
            at = sooner(at, c->ping_ms);
        if (rules->answer_ms > 0 && c->asked_ms > 0)
            at = sooner(at, c->asked_ms + rules->answer_ms);
        if (rules->silence_ms > 0)
            at = sooner(at, c->heard_ms + rules->silence_ms);
        if (rules->stall_ms > 0 && c->behind)
            at = sooner(at, l->clock_ms + rules->stall_ms / STALL_LOOKS);
    }
    if (at < l->clock_ms)
        at = l->clock_ms;
    LIST_INSERT_HEAD(&l->slots[(at / TICK_MS + 1) % IO_SLOTS], c, slot_entry);
}

static void
place_anew(struct conn *c)
{
    LIST_REMOVE(c, slot_entry);
    place(c);
}

static void
conn_ping(struct conn *c, const struct io_rules *rules)
{
    struct io_links *l = c->links;

    c->ping_ms = l->clock_ms + ping_pause(rules);
    if (c->behind && c->asked_ms > 0)       /* one that waits to be read is enough */
        return;
    if (c->asked_ms == 0)
        c->asked_ms = l->clock_ms > 0 ? l->clock_ms : 1;
    /* not held to the queue's bounds: few bytes, and few before the peer counts as dead */
    if (rules->ping != NULL && outq_push(&c->out, rules->ping, UINT32_MAX, SIZE_MAX) == ERR_OK)
        conn_mark_dirty(c);
}

/* Since it was last asked. */
static bool
has_taken(struct conn *c)
{
    uint64_t figure = taken(c);
    bool moved = figure != c->taken;

    c->taken = figure;
    return moved;
}

static bool
is_silent(struct conn *c, const struct io_rules *rules)
{
    int64_t now = c->links->clock_ms;

    if (c->deaf && has_taken(c)) {      /* what it says is not read, but it reads */
        c->moved_ms = now;
        io_life_heard(c);
    }
    return (rules->silence_ms > 0 && now >= c->heard_ms + rules->silence_ms)
        || (rules->answer_ms > 0 && c->asked_ms > 0 && now >= c->asked_ms + rules->answer_ms);
}

static bool
is_stalled(struct conn *c, const struct io_rules *rules)
{
    if (!c->behind || rules->stall_ms <= 0)
        return false;
    if (has_taken(c))
        c->moved_ms = c->links->clock_ms;
    return c->links->clock_ms >= c->moved_ms + rules->stall_ms;
}

/* Others see it as there until it is gone: not for as long as the living are given to end in good order. */
static void
close_dead(struct conn *c, const struct io_rules *rules)
{
    if (rules->silent != NULL && conn_is_stream(c))
        outq_push(&c->out, rules->silent, UINT32_MAX, SIZE_MAX);
    conn_close(c, rules->silent_code, rules->silent_reason);
    c->gone_ms = c->links->clock_ms + LAST_WORDS_MS;
}

/* False: it is gone. */
static bool
conn_look_at(struct conn *c)
{
    const struct io_rules *rules = c->client != NULL ? c->client->rules : NULL;
    struct io *io = c->links->io;

    if (c->state != CONN_OPEN) {
        if (c->links->clock_ms < c->gone_ms)
            return true;
        io_count(io, IO_FORCED, 1);
        conn_kill(c);
        return false;
    }
    if (rules == NULL)
        return true;
    if (is_silent(c, rules)) {
        io_count(io, IO_DEAD_PEER, 1);
        if (rules->silent_code == 0) {
            conn_kill(c);
            return false;
        }
        close_dead(c, rules);
    } else if (is_stalled(c, rules)) {
        io_count(io, IO_STALLED, 1);
        conn_give_up(c);
    } else if (rules->ping_ms > 0 && c->links->clock_ms >= c->ping_ms) {
        conn_ping(c, rules);
    }
    return true;
}

/* Looks at everybody in a slot. What a callback ends beside the one looked at leaves the list by itself. */
static void
slot_due(struct io_links *l, struct conn_list *slot)
{
    struct conn_list due;
    struct conn *c;

    LIST_INIT(&due);
    if ((c = LIST_FIRST(slot)) != NULL) {       /* those put back must not be looked at again */
        due.lh_first = c;
        c->slot_entry.le_prev = &due.lh_first;
        LIST_INIT(slot);
    }
    while ((c = LIST_FIRST(&due)) != NULL) {
        LIST_REMOVE(c, slot_entry);
        LIST_INSERT_HEAD(&l->slots[0], c, slot_entry);  /* conn_kill takes it out of somewhere */
        if (conn_look_at(c))
            place_anew(c);
    }
}

/* The clock that silence is measured by advances no faster than the loop runs: after a stop of
 * ours (suspend, debugger, a long turn) nobody is dropped whose answer lies unread. */
static void
tick_due(struct ev_loop *loop, ev_timer *w, int events)
{
    struct io_links *l = w->data;
    int64_t now = when_monotonic_ms(), passed = now - l->ticked_ms;
    int64_t slot = l->clock_ms / TICK_MS;

    (void)loop, (void)events;
    l->ticked_ms = now;
    l->clock_ms += sooner(passed, 2 * TICK_MS);
    while (slot < l->clock_ms / TICK_MS)
        slot_due(l, &l->slots[++slot % IO_SLOTS]);
}

void
io_life_start(struct io_links *l)
{
    l->ticked_ms = when_monotonic_ms();
    for (unsigned i = 0; i < IO_SLOTS; i++)
        LIST_INIT(&l->slots[i]);
    ev_timer_init(&l->tick, tick_due, 0.0, TICK_MS / 1000.0);
    l->tick.data = l;
    ev_timer_again(l->io->loop, &l->tick);
}

void
io_life_stop(struct io_links *l)
{
    ev_timer_stop(l->io->loop, &l->tick);
}

/* A run of neighbours is spread evenly over the second half of the first pause between pings. */
void
io_life_join(struct conn *c)
{
    struct io_links *l = c->links;
    uint32_t spread = l->opened++ * 2654435769u;    /* 2^32 / golden ratio */
    int64_t half = c->client != NULL ? ping_pause(c->client->rules) / 2 : 0;

    c->heard_ms = l->clock_ms;
    c->ping_ms = l->clock_ms + half + (half * (spread >> 16) >> 16);
    place(c);
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
    c->asked_ms = 0;
}

void
io_life_behind(struct conn *c)
{
    c->moved_ms = c->links->clock_ms;
    c->taken = taken(c);
    place_anew(c);
}

void
io_life_ends(struct conn *c)
{
    c->gone_ms = c->links->clock_ms + c->links->patience_ms;
    place_anew(c);
}
