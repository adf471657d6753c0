/* pool - threads, a queue of jobs, and a queue of those done
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/pool.h"

#include <pthread.h>
#include <stdbool.h>

#include "relay/mem.h"
#include "shared/log.h"

struct queue {
    struct pool_job *first, **last;
};

struct pool {
    void (*wake)(void *arg);
    void *arg;
    unsigned n_threads, n_started;
    pthread_t *threads;
    pthread_mutex_t lock;       /* guards what follows */
    pthread_cond_t work;
    struct queue waiting, finished;
    bool stopping;
};

static void
queue_init(struct queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void
queue_put(struct queue *q, struct pool_job *j)
{
    j->next = NULL;
    *q->last = j;
    q->last = &j->next;
}

static struct pool_job *
queue_take(struct queue *q)
{
    struct pool_job *j = q->first;

    if (j && !(q->first = j->next))
        q->last = &q->first;
    return j;
}

/* The next job, waiting for one; NULL when there will be none. Called locked. */
static struct pool_job *
next_job(struct pool *pool)
{
    struct pool_job *j;

    while (!(j = queue_take(&pool->waiting)) && !pool->stopping)
        pthread_cond_wait(&pool->work, &pool->lock);
    return j;
}

static void *
work(void *arg)
{
    struct pool *pool = arg;
    struct pool_job *j;
    bool first;

    pthread_mutex_lock(&pool->lock);
    while ((j = next_job(pool))) {
        pthread_mutex_unlock(&pool->lock);
        j->run(j);
        pthread_mutex_lock(&pool->lock);
        first = !pool->finished.first;      /* else the loop was told already */
        queue_put(&pool->finished, j);
        if (first)
            pool->wake(pool->arg);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void
start(struct pool *pool)
{
    while (pool->n_started < pool->n_threads) {
        if (pthread_create(&pool->threads[pool->n_started], NULL, work, pool) != 0) {
            log_event(LOG_LEVEL_WARNING, "thread_failed", "threads",
                      log_number(pool->n_started), NULL);
            pool->n_threads = pool->n_started;
            return;
        }
        pool->n_started++;
    }
}

struct pool *
pool_new(unsigned n_threads, void (*wake)(void *arg), void *arg)
{
    struct pool *pool = mem_new(sizeof *pool);

    pool->wake = wake;
    pool->arg = arg;
    pool->n_threads = n_threads;
    pool->threads = mem_new(n_threads * sizeof *pool->threads);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    queue_init(&pool->waiting);
    queue_init(&pool->finished);
    return pool;
}

void
pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->n_started; i++)
        pthread_join(pool->threads[i], NULL);
    pool_collect(pool);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
}

void
pool_post(struct pool *pool, struct pool_job *j)
{
    start(pool);
    if (pool->n_started == 0)
        j->run(j);
    pthread_mutex_lock(&pool->lock);
    if (pool->n_started > 0) {
        queue_put(&pool->waiting, j);
        pthread_cond_signal(&pool->work);
    } else {
        if (!pool->finished.first)
            pool->wake(pool->arg);
        queue_put(&pool->finished, j);
    }
    pthread_mutex_unlock(&pool->lock);
}

void
pool_collect(struct pool *pool)
{
    struct pool_job *j, *next;

    pthread_mutex_lock(&pool->lock);
    j = pool->finished.first;
    queue_init(&pool->finished);
    pthread_mutex_unlock(&pool->lock);
    for (; j; j = next) {
        next = j->next;
        j->done(j);
    }
}
