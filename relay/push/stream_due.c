/* stream_due - what has had its time goes, a bounded number at a time
 *
 * A heap of streams by the time at which something of them may end. A publication moves nothing in it: the time is
 * looked up again when it comes, so a busy stream costs one look per ttl.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/stream_private.h"

#include "relay/io.h"
#include "relay/mem.h"

#define SWEEP_MAX 500           /* keys, streams in one call */
#define SWEEP_PAUSE_MS 100      /* so that neighbours go together */

static void
put(struct memory *m, size_t i, struct stream *s)
{
    m->due[i] = s;
    s->due_at = i + 1;
}

static void
sift_up(struct memory *m, size_t i, struct stream *s)
{
    for (; i > 0 && m->due[(i - 1) / 2]->due_ms > s->due_ms; i = (i - 1) / 2)
        put(m, i, m->due[(i - 1) / 2]);
    put(m, i, s);
}

static void
sift_down(struct memory *m, size_t i, struct stream *s)
{
    size_t child;

    for (; (child = 2 * i + 1) < m->n_due; i = child) {
        if (child + 1 < m->n_due && m->due[child + 1]->due_ms < m->due[child]->due_ms)
            child++;
        if (m->due[child]->due_ms >= s->due_ms)
            break;
        put(m, i, m->due[child]);
    }
    put(m, i, s);
}

static void
take_out(struct memory *m, struct stream *s)
{
    size_t i = s->due_at - 1;
    struct stream *last = m->due[--m->n_due];

    s->due_at = 0;
    if (last == s)
        return;
    if (i > 0 && m->due[(i - 1) / 2]->due_ms > last->due_ms)
        sift_up(m, i, last);
    else
        sift_down(m, i, last);
}

void
stream_due_set(struct memory *m, struct stream *s, int64_t due_ms)
{
    if (s->due_at > 0)
        take_out(m, s);
    if (due_ms == 0)
        return;
    if (m->n_due == m->due_size) {
        m->due_size = m->due_size ? m->due_size * 2 : 64;
        m->due = mem_grow(m->due, m->due_size, sizeof *m->due);
    }
    s->due_ms = due_ms;
    sift_up(m, m->n_due++, s);
    stream_due_arm(m, due_ms);
}

void
stream_due_arm(struct memory *m, int64_t due_ms)
{
    int64_t wait;

    if (!m->timer || (m->timer_ms != 0 && m->timer_ms <= due_ms + SWEEP_PAUSE_MS))
        return;
    wait = due_ms - stream_now(m);
    m->timer_ms = due_ms + SWEEP_PAUSE_MS;
    io_timer_set(m->timer, (wait > 0 ? wait : 0) + SWEEP_PAUSE_MS);
}

static int64_t
key_due(const struct memory *m)
{
    const struct stream_key *k = m->keys.oldest;

    return k && k->answered ? k->time_ms + m->o.idempotency_ms : INT64_MAX;
}

int64_t
stream_memory_sweep(struct stream_store *store)
{
    struct memory *m = (struct memory *)store;
    int64_t now = stream_now(m), next = 0;

    for (int i = 0; i < SWEEP_MAX; i++) {
        if (key_due(m) <= now)
            stream_keys_remove(&m->keys, m->keys.oldest);
        else if (m->n_due > 0 && m->due[0]->due_ms <= now)
            stream_refresh(m, m->due[0], now);
        else
            break;
    }
    next = key_due(m);
    if (m->n_due > 0 && m->due[0]->due_ms < next)
        next = m->due[0]->due_ms;
    return next == INT64_MAX ? -1 : next > now ? next - now : 0;
}

void
stream_due_timer(void *arg)
{
    struct memory *m = arg;
    int64_t wait;

    m->timer_ms = INT64_MIN;    /* what is refreshed need not set it */
    wait = stream_memory_sweep(&m->store);
    m->timer_ms = 0;
    if (wait == 0) {            /* more is due: after a turn of the loop */
        m->timer_ms = stream_now(m);
        io_timer_set(m->timer, 1);
    } else if (wait > 0) {
        stream_due_arm(m, stream_now(m) + wait);
    }
}
