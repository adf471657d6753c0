/* relay_archive - puts away, now and then, what has been quiet for long
 *
 * Every relay does it at the same moments; the second finds nothing left to do.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/mem.h"
#include "relay/relay_private.h"
#include "shared/cron.h"
#include "shared/log.h"
#include "shared/when.h"

#define STEP 200                /* rows of one transaction: writers in line wait no longer than that takes */
#define FAR_MS 3600000          /* a timer is never set further ahead: the clock may be put right meanwhile */

struct archive_job {
    struct worker_job job;
    struct relay *relay;
    bool more;
};

static void post(struct relay *r);

static enum err
archive_run(struct worker_job *j, struct op *op)
{
    struct archive_job *a = (struct archive_job *)j;

    op->system = &chat_mtchat;
    return op_archive_idle(op, STEP, &a->more);
}

static void
archive_done(struct worker_job *j)
{
    struct archive_job *a = (struct archive_job *)j;
    struct relay *r = a->relay;

    if (j->err != ERR_OK)
        log_event(LOG_LEVEL_WARNING, "not_archived", "why", err_text(j->err), NULL);
    if (j->err == ERR_OK && a->more && !r->stopping)
        post(r);
    else
        r->archiving = false;
    free(a);
}

static void
post(struct relay *r)
{
    struct archive_job *a = mem_new(sizeof *a);

    r->archiving = true;
    a->job.run = archive_run;
    a->job.done = archive_done;
    a->job.writes = true;
    a->relay = r;
    worker_post(r->worker, &a->job);
}

static void
set_timer(struct relay *r)
{
    struct cron cron;
    int64_t now = when_now_ms(), next;

    if (r->config->archive_cron[0] == '\0' || !cron_parse(r->config->archive_cron, &cron))
        return;
    r->archive_due_ms = next = cron_next(&cron, now);
    if (next >= 0)
        io_timer_set(r->archive_timer, next - now < FAR_MS ? next - now : FAR_MS);
}

static void
archive_due(void *arg)
{
    struct relay *r = arg;

    if (when_now_ms() >= r->archive_due_ms && !r->archiving && !r->stopping)
        post(r);
    set_timer(r);
}

void
relay_archive_timer(struct relay *r)
{
    r->archive_timer = io_timer_new(r->io, archive_due, r);
    set_timer(r);
}

void
relay_archive_timer_free(struct relay *r)
{
    io_timer_free(r->archive_timer);
    r->archive_timer = NULL;
}
