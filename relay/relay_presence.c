/* relay_presence - rows of who is online, and the lease they stand under
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/mem.h"
#include "relay/relay_private.h"
#include "shared/fault.h"
#include "shared/log.h"
#include "shared/when.h"

#define RETRY_MS 1000           /* after a batch that could not be written */
#define RENEWALS_PER_LEASE 3
#define SWEEP_STEP 100          /* users told about in one transaction */
#define SWEEP_STEPS 20          /* transactions in one go */

struct presence_job {
    struct worker_job job;
    struct relay *relay;
    const struct live_change *changes;
    size_t n;
};

static enum err
write_run(struct worker_job *j, struct op *op)
{
    struct presence_job *p = (struct presence_job *)j;

    return op_presence_apply(op, p->relay->start.run, p->changes, p->n);
}

/* A grace that ends is the only thing nobody else will remind us of. */
static void
set_timer(struct relay *r, int64_t at_least_ms)
{
    int64_t due = presence_due(r->presence), now = when_monotonic_ms();

    if (at_least_ms > 0)
        io_timer_set(r->presence_timer, at_least_ms);
    else if (due != INT64_MAX)
        io_timer_set(r->presence_timer, due > now ? due - now : 0);
}

static void
write_done(struct worker_job *j)
{
    struct presence_job *p = (struct presence_job *)j;
    struct relay *r = p->relay;
    bool written = j->err == ERR_OK;

    if (written)
        FAULT("relay.committed");
    else
        log_event(LOG_LEVEL_WARNING, "presence_not_written", "why", err_text(j->err), NULL);
    free(p);
    presence_done(r->presence, written);
    relay_connect_waiting(r, written);
    if (written)
        relay_presence_write(r);
    else if (!r->stopping)
        set_timer(r, RETRY_MS);
}

void
relay_presence_write(struct relay *r)
{
    const struct live_change *changes;
    struct presence_job *p;
    size_t n;

    if (r->stopping)
        return;
    if ((n = presence_batch(r->presence, when_monotonic_ms(), &changes)) > 0) {
        p = mem_new(sizeof *p);
        p->job.run = write_run;
        p->job.done = write_done;
        p->job.writes = true;
        p->relay = r;
        p->changes = changes;
        p->n = n;
        worker_post(r->worker, &p->job);
    }
    set_timer(r, 0);
}

static void
presence_timer_due(void *arg)
{
    relay_presence_write(arg);
}

/* ---- the lease ---- */

struct lease_job {
    struct worker_job job;
    struct relay *relay;
    bool lost;
};

static enum err
lease_run(struct worker_job *j, struct op *op)
{
    struct lease_job *l = (struct lease_job *)j;
    const struct relay_start *s = &l->relay->start;
    enum err e = op_relay_renew(op, l->relay->config->relay_name, s->run, s->endpoint, &l->lost);
    bool more = true;

    for (int i = 0; e == ERR_OK && more && i < SWEEP_STEPS; i++)
        e = op_presence_sweep(op, SWEEP_STEP, &more);
    return e;
}

static void
lease_done(struct worker_job *j)
{
    struct lease_job *l = (struct lease_job *)j;
    struct relay *r = l->relay;

    r->renewing = false;
    if (j->err != ERR_OK)
        log_event(LOG_LEVEL_WARNING, "lease_not_renewed", "why", err_text(j->err), NULL);
    if (l->lost) {
        log_event(LOG_LEVEL_WARNING, "lease_lost", NULL);
        presence_rewrite(r->presence);
        relay_presence_write(r);
        relay_reload_ended(r);      /* what their users had asked for may be over */
    }
    free(l);
}

/* One tick comes the moment a restart's grace ends: from then on whoever has not come back is
 * read as offline, and the world is to be told. */
static void
set_lease_timer(struct relay *r)
{
    int64_t next = r->config->lease_ms / RENEWALS_PER_LEASE;
    int64_t grace = r->settled_ms - when_monotonic_ms();

    io_timer_set(r->lease_timer, grace > 0 && grace < next ? grace : next);
}

static void
lease_due(void *arg)
{
    struct relay *r = arg;
    struct lease_job *l;

    set_lease_timer(r);
    if (r->renewing || r->stopping)
        return;
    r->renewing = true;
    l = mem_new(sizeof *l);
    l->job.run = lease_run;
    l->job.done = lease_done;
    l->job.writes = true;
    l->relay = r;
    worker_post(r->worker, &l->job);
}

void
relay_presence_timers(struct relay *r)
{
    r->presence_timer = io_timer_new(r->io, presence_timer_due, r);
    r->lease_timer = io_timer_new(r->io, lease_due, r);
    r->settled_ms = when_monotonic_ms() + r->config->presence_restart_grace_ms;
    io_timer_set(r->lease_timer, 0);        /* a first sweep before anybody connects */
}

void
relay_presence_timers_free(struct relay *r)
{
    io_timer_free(r->presence_timer);
    io_timer_free(r->lease_timer);
    r->presence_timer = r->lease_timer = NULL;
}
