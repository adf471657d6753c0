/* tail - watches data_version, reads the log
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/tail.h"

#include <pthread.h>
#include <time.h>

#include "relay/mem.h"
#include "shared/chat/op.h"
#include "shared/log.h"
#include "shared/when.h"

#define PAGE 500                /* events of one read */
#define COMPLAIN_MS 10000       /* a failing database is logged this often */

/* What one read found, still in its arena. */
struct result {
    struct arena *arena;
    struct event *events;
    size_t n;
    int64_t head;
    enum err err;
};

struct tail {
    const struct config *config;
    const struct tail_calls *calls;
    void *arg;
    struct db *db;
    pthread_t id;
    bool started;
    int64_t version;            /* the thread's own: data_version when head was last read */
    int64_t complained_ms;
    pthread_mutex_t lock;       /* guards what follows */
    pthread_cond_t work;
    bool stopping;
    bool wanted;                /* a read ... */
    int64_t after;              /* ... of what comes after */
    bool moved;                 /* news: the head is ... */
    int64_t head;
    struct result *result;      /* news: a read is done */
};

static struct op
op_of(struct tail *t, struct arena *a)
{
    return (struct op){ .db = t->db, .arena = a, .config = t->config, .now_ms = when_now_ms() };
}

static void
complain(struct tail *t, enum err e)
{
    int64_t now = when_monotonic_ms();

    if (t->complained_ms && now - t->complained_ms < COMPLAIN_MS)
        return;
    t->complained_ms = now;
    log_event(LOG_LEVEL_WARNING, "log_not_read", "why", err_text(e), NULL);
}

/* data_version first: a commit between the two reads moves it again. */
static enum err
look(struct tail *t, struct arena *a, int64_t *head_r, bool *moved_r)
{
    struct op op = op_of(t, a);
    int64_t version, floor;
    enum err e;

    *moved_r = false;
    if ((e = db_version(t->db, &version)) != ERR_OK)
        return e;
    if (version == t->version)
        return ERR_OK;
    if ((e = op_log_head(&op, head_r, &floor)) != ERR_OK)
        return e;
    t->version = version;
    *moved_r = true;
    return ERR_OK;
}

static void
tick(struct tail *t, struct arena *a)
{
    int64_t head;
    bool moved;
    enum err e = look(t, a, &head, &moved);

    if (e != ERR_OK)
        complain(t, e);
    if (!moved)
        return;
    pthread_mutex_lock(&t->lock);
    t->moved = true;
    t->head = head;
    pthread_mutex_unlock(&t->lock);
    t->calls->wake(t->arg);
}

/* head before events, so that every event up to it is found or was pruned. */
static void
read_page(struct tail *t, int64_t after)
{
    struct result *r = mem_new(sizeof *r);
    struct op op;
    int64_t floor;

    r->arena = arena_new();
    op = op_of(t, r->arena);
    if ((r->err = op_log_head(&op, &r->head, &floor)) == ERR_OK && r->head > after)
        r->err = op_log_read(&op, after, PAGE, &r->events, &r->n);
    if (r->err != ERR_OK)
        complain(t, r->err);
    pthread_mutex_lock(&t->lock);
    t->result = r;
    pthread_mutex_unlock(&t->lock);
    t->calls->wake(t->arg);
}

static struct timespec
in_ms(int64_t ms)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_sec += ms / 1000;
    ts.tv_nsec += ms % 1000 * 1000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    return ts;
}

static void *
watch(void *arg)
{
    struct tail *t = arg;
    struct arena *a = arena_new();
    struct timespec due = in_ms(t->config->tail_ms);

    pthread_mutex_lock(&t->lock);
    while (!t->stopping) {
        int late = 0;

        while (!t->stopping && !t->wanted && !late)
            late = pthread_cond_timedwait(&t->work, &t->lock, &due) != 0;
        if (t->stopping)
            break;
        if (t->wanted) {
            int64_t after = t->after;

            t->wanted = false;
            pthread_mutex_unlock(&t->lock);
            read_page(t, after);
        } else {
            pthread_mutex_unlock(&t->lock);
            tick(t, a);
            arena_reset(a);
            due = in_ms(t->config->tail_ms);
        }
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
    arena_free(a);
    return NULL;
}

static void
result_free(struct result *r)
{
    if (r)
        arena_free(r->arena);
    free(r);
}

static void
hand_over(struct tail *t, const struct result *r)
{
    struct inbox_page page = { .failed = r->err != ERR_OK, .head = r->head, .n = r->n,
                               .full = r->n > 0 && r->events[r->n - 1].seq < r->head };

    page.events = mem_new(r->n * sizeof *page.events);
    for (size_t i = 0; i < r->n; i++)
        page.events[i] = held_new(&r->events[i]);
    t->calls->page(t->arg, &page);
    for (size_t i = 0; i < r->n; i++)
        held_unref(page.events[i]);
    free(page.events);
}

/* ---- public ---- */

enum err
tail_open(const struct config *config, const struct tail_calls *calls, void *arg, int64_t *head_r,
          struct tail **tail_r)
{
    struct tail *t = mem_new(sizeof *t);
    struct arena *a = arena_new();
    pthread_condattr_t attr;
    bool moved;
    enum err e;

    t->config = config;
    t->calls = calls;
    t->arg = arg;
    t->version = -1;        /* differs from every real one */
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&t->work, &attr);
    pthread_condattr_destroy(&attr);
    e = db_open(config->database, DB_OPEN, (int)config->write_wait_ms, &t->db);
    if (e == ERR_OK)
        e = look(t, a, head_r, &moved);
    arena_free(a);
    if (e != ERR_OK) {
        tail_free(t);
        return e;
    }
    *tail_r = t;
    return ERR_OK;
}

enum err
tail_start(struct tail *t)
{
    t->started = pthread_create(&t->id, NULL, watch, t) == 0;
    return t->started ? ERR_OK : ERR_INTERNAL;
}

void
tail_free(struct tail *t)
{
    if (!t)
        return;
    if (t->started) {
        pthread_mutex_lock(&t->lock);
        t->stopping = true;
        pthread_cond_signal(&t->work);
        pthread_mutex_unlock(&t->lock);
        pthread_join(t->id, NULL);
    }
    db_close(t->db);
    result_free(t->result);
    pthread_cond_destroy(&t->work);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

void
tail_read(struct tail *t, int64_t after)
{
    pthread_mutex_lock(&t->lock);
    t->wanted = true;
    t->after = after;
    pthread_cond_signal(&t->work);
    pthread_mutex_unlock(&t->lock);
}

void
tail_collect(struct tail *t)
{
    struct result *r;
    bool moved;
    int64_t head;

    pthread_mutex_lock(&t->lock);
    moved = t->moved;
    head = t->head;
    r = t->result;
    t->moved = false;
    t->result = NULL;
    pthread_mutex_unlock(&t->lock);
    if (moved)
        t->calls->head(t->arg, head);
    if (r)
        hand_over(t, r);
    result_free(r);
}
