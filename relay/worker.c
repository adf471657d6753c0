/* worker - a pool of threads with two queues
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/worker.h"

#include <pthread.h>

#include "relay/mem.h"
#include "shared/log.h"
#include "shared/when.h"

#define LINGER_MS 50        /* for pushes still queued when a worker ends */

struct queue {
    struct worker_job *first, **last;
};

struct thread {
    struct worker *worker;
    struct db *db;
    pthread_t id;
    bool started;
};

struct worker {
    const struct config *config;
    void (*wake)(void *arg);
    void *arg;
    pthread_mutex_t lock;       /* guards what follows */
    pthread_cond_t work;
    struct queue reads, writes, finished;
    bool writing, stopping;
    struct thread *threads;
    int64_t n_threads;
};

static void
queue_init(struct queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void
queue_put(struct queue *q, struct worker_job *j)
{
    j->next = NULL;
    *q->last = j;
    q->last = &j->next;
}

static struct worker_job *
queue_take(struct queue *q)
{
    struct worker_job *j = q->first;

    if (j && !(q->first = j->next))
        q->last = &q->first;
    return j;
}

/* The next job this thread may do, waiting for one; NULL at the end. Called locked. */
static struct worker_job *
next_job(struct worker *w)
{
    struct worker_job *j;

    while (!w->stopping) {
        if (!w->writing && (j = queue_take(&w->writes))) {
            w->writing = true;
            return j;
        }
        if ((j = queue_take(&w->reads)))
            return j;
        pthread_cond_wait(&w->work, &w->lock);
    }
    return NULL;
}

static void
do_job(struct worker *w, struct worker_job *j, struct db *db, struct bus_sender *bus)
{
    struct op op = { .db = db, .bus = bus, .config = w->config, .now_ms = when_now_ms() };

    j->arena = op.arena = arena_new();
    j->err = j->run(j, &op);
}

static void *
work(void *arg)
{
    struct thread *t = arg;
    struct worker *w = t->worker;
    struct bus_sender *bus = bus_sender_new((int)w->config->bus_queue);
    struct worker_job *j;

    pthread_mutex_lock(&w->lock);
    while ((j = next_job(w))) {
        pthread_mutex_unlock(&w->lock);
        do_job(w, j, t->db, bus);
        pthread_mutex_lock(&w->lock);
        if (j->writes) {
            w->writing = false;
            pthread_cond_signal(&w->work);
        }
        queue_put(&w->finished, j);
        w->wake(w->arg);
    }
    pthread_mutex_unlock(&w->lock);
    bus_sender_free(bus, LINGER_MS);
    return NULL;
}

static void
finish(struct worker_job *j)
{
    struct arena *a = j->arena;

    j->done(j);
    arena_free(a);
}

static bool
start(struct worker *w, struct thread *t)
{
    t->worker = w;
    if (db_open(w->config->database, DB_OPEN, (int)w->config->write_wait_ms, &t->db) != ERR_OK)
        return false;
    t->started = pthread_create(&t->id, NULL, work, t) == 0;
    return t->started;
}

/* Nothing runs any more: what is left comes to its end here. */
static void
drain(struct worker *w)
{
    struct queue *queues[] = { &w->finished, &w->writes, &w->reads };
    struct worker_job *j;

    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        while ((j = queue_take(queues[i]))) {
            if (i > 0)
                j->err = ERR_BUSY;
            finish(j);
        }
}

struct worker *
worker_new(const struct config *config, void (*wake)(void *arg), void *arg)
{
    struct worker *w = mem_new(sizeof *w);

    w->config = config;
    w->wake = wake;
    w->arg = arg;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    queue_init(&w->reads);
    queue_init(&w->writes);
    queue_init(&w->finished);
    w->n_threads = config->relay_workers;
    w->threads = mem_new((size_t)w->n_threads * sizeof *w->threads);
    for (int64_t i = 0; i < w->n_threads; i++)
        if (!start(w, &w->threads[i])) {
            log_event(LOG_LEVEL_ERROR, "worker_failed", "database", config->database,
                      NULL);
            worker_free(w);
            return NULL;
        }
    return w;
}

void
worker_free(struct worker *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->work);
    pthread_mutex_unlock(&w->lock);
    for (int64_t i = 0; i < w->n_threads; i++) {
        if (w->threads[i].started)
            pthread_join(w->threads[i].id, NULL);
        db_close(w->threads[i].db);
    }
    drain(w);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->lock);
    free(w->threads);
    free(w);
}

void
worker_post(struct worker *w, struct worker_job *j)
{
    pthread_mutex_lock(&w->lock);
    j->arena = NULL;
    queue_put(j->writes ? &w->writes : &w->reads, j);
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
}

void
worker_collect(struct worker *w)
{
    struct worker_job *j, *next;

    pthread_mutex_lock(&w->lock);
    j = w->finished.first;
    queue_init(&w->finished);
    pthread_mutex_unlock(&w->lock);
    for (; j; j = next) {
        next = j->next;
        finish(j);
    }
}
