/* stream_durable - the thread that writes durable streams
 *
 * All that queued up while a transaction was being committed is the next one, so a commit's cost is shared by as
 * many as there are. After a failure it waits a moment, so that a full disk is not asked without a pause.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/stream_durable.h"

#include <pthread.h>
#include <time.h>

#include "relay/mem.h"
#include "relay/metrics.h"
#include "relay/push/history.h"
#include "shared/log.h"

#define PAUSE_FIRST_MS 20
#define PAUSE_MAX_MS 1000

struct queue {
    struct durable_change *first, **last;
};

struct durable {
    struct history *history;
    void (*wake)(void *arg);
    void *wake_arg;
    pthread_t thread;
    bool started;
    uint64_t lost_round;            /* the thread's: it and all before have failed */
    int pause_ms;                   /* the thread's: after the next failure; 0: the last went well */
    pthread_mutex_t lock;           /* guards what follows */
    pthread_cond_t work;
    struct queue queued, finished;
    bool stopping;
    int64_t n_failed;
    struct histogram commits;
};

static void
queue_init(struct queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void
queue_put(struct queue *q, struct durable_change *c)
{
    c->next = NULL;
    *q->last = c;
    q->last = &c->next;
}

/* ---- the thread ---- */

static int64_t
microseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* Takes those of rounds that failed out of the batch. */
static void
set_lost_apart(struct durable *d, struct queue *batch, struct queue *lost)
{
    struct durable_change *c = batch->first, *next;

    queue_init(batch);
    queue_init(lost);
    for (; c; c = next) {
        next = c->next;
        c->err = c->round <= d->lost_round ? ERR_INTERNAL : ERR_OK;
        queue_put(c->err == ERR_OK ? batch : lost, c);
    }
}

static bool
writes(const struct durable_change *c)
{
    while (c && c->kind == DURABLE_PASS)
        c = c->next;
    return c != NULL;
}

static void
settle(struct durable *d, const struct queue *batch, enum err e)
{
    if (e == ERR_OK && d->pause_ms > 0)
        log_event(LOG_LEVEL_INFO, "history", "why", "the file can be written again", NULL);
    if (e != ERR_OK && d->pause_ms == 0)
        log_event(LOG_LEVEL_ERROR, "history", "why", "cannot be written: what is published to durable channels fails",
                  NULL);
    d->pause_ms = e == ERR_OK ? 0 : d->pause_ms == 0 ? PAUSE_FIRST_MS
                  : d->pause_ms * 2 < PAUSE_MAX_MS ? d->pause_ms * 2 : PAUSE_MAX_MS;
    for (struct durable_change *c = batch->first; c && e != ERR_OK; c = c->next) {
        c->err = e;
        if (c->round > d->lost_round)
            d->lost_round = c->round;
    }
}

/* Called locked; the lock is open meanwhile. */
static void
write_batch(struct durable *d)
{
    struct queue batch = d->queued, lost;
    enum err e = ERR_OK;
    int64_t us = 0;

    queue_init(&d->queued);
    pthread_mutex_unlock(&d->lock);
    set_lost_apart(d, &batch, &lost);
    if (writes(batch.first) || (!batch.first && history_untidy(d->history))) {
        us = microseconds();
        e = history_write(d->history, batch.first);
        us = microseconds() - us;
        settle(d, &batch, e);
    }
    pthread_mutex_lock(&d->lock);
    if (e != ERR_OK)
        d->n_failed++;
    else if (us > 0)
        histogram_add(&d->commits, us);
    if (lost.first) {               /* they were handed in before those of the batch */
        *d->finished.last = lost.first;
        d->finished.last = lost.last;
    }
    if (batch.first) {
        *d->finished.last = batch.first;
        d->finished.last = batch.last;
    }
    if (lost.first || batch.first)
        d->wake(d->wake_arg);
}

/* Waits until the pause is over, or the end is asked for. Called locked. */
static void
pause_a_while(struct durable *d)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)d->pause_ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (!d->stopping && pthread_cond_timedwait(&d->work, &d->lock, &until) == 0)
        ;
}

static void *
run(void *arg)
{
    struct durable *d = arg;

    pthread_mutex_lock(&d->lock);
    while (d->queued.first || !d->stopping) {
        if (d->queued.first || history_untidy(d->history))
            write_batch(d);
        else
            pthread_cond_wait(&d->work, &d->lock);
        if (d->pause_ms > 0)
            pause_a_while(d);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* ---- from the loop ---- */

enum err
durable_open(const char *file, int64_t keep_keys_ms, void (*wake)(void *arg), void *wake_arg, struct durable **d_r)
{
    struct durable *d = mem_new(sizeof *d);
    pthread_condattr_t monotonic;
    enum err e = history_open(file, keep_keys_ms, &d->history);

    if (e != ERR_OK) {
        free(d);
        return e;
    }
    d->wake = wake;
    d->wake_arg = wake_arg;
    queue_init(&d->queued);
    queue_init(&d->finished);
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&d->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *d_r = d;
    return ERR_OK;
}

enum err
durable_read(struct durable *d, const struct durable_reader *r, void *arg, int64_t since_ms)
{
    return history_read(d->history, r, arg, since_ms);
}

const char *
durable_epoch(const struct durable *d)
{
    return history_epoch(d->history);
}

int64_t
durable_next_id(const struct durable *d)
{
    return history_next_id(d->history);
}

enum err
durable_start(struct durable *d)
{
    d->started = pthread_create(&d->thread, NULL, run, d) == 0;
    if (!d->started)
        log_event(LOG_LEVEL_ERROR, "history", "why", "no thread can be started", NULL);
    return d->started ? ERR_OK : ERR_INTERNAL;
}

void
durable_post(struct durable *d, struct durable_change *c)
{
    pthread_mutex_lock(&d->lock);
    if (!d->queued.first)
        pthread_cond_signal(&d->work);
    queue_put(&d->queued, c);
    pthread_mutex_unlock(&d->lock);
}

struct durable_change *
durable_take(struct durable *d)
{
    struct durable_change *c;

    pthread_mutex_lock(&d->lock);
    c = d->finished.first;
    queue_init(&d->finished);
    pthread_mutex_unlock(&d->lock);
    return c;
}

void
durable_stop(struct durable *d)
{
    struct durable_change *c;

    if (d->started) {
        pthread_mutex_lock(&d->lock);
        d->stopping = true;
        pthread_cond_signal(&d->work);
        pthread_mutex_unlock(&d->lock);
        pthread_join(d->thread, NULL);
        d->started = false;
    }
    for (; (c = d->queued.first); queue_put(&d->finished, c)) {     /* there is no thread */
        if (!(d->queued.first = c->next))
            d->queued.last = &d->queued.first;
        c->err = ERR_INTERNAL;
    }
}

void
durable_free(struct durable *d)
{
    if (!d)
        return;
    history_close(d->history);
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->work);
    free(d);
}

void
durable_metrics(struct durable *d, struct metrics *m)
{
    struct histogram commits;
    int64_t n_failed;

    pthread_mutex_lock(&d->lock);
    commits = d->commits;
    n_failed = d->n_failed;
    pthread_mutex_unlock(&d->lock);
    metrics_histogram(m, "push_history_commit_seconds", "how long transactions of durable channels took", &commits);
    metrics_counter(m, "push_history_failed_total", "transactions of durable channels that failed", n_failed);
}
