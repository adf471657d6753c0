/* io_loop - the event loop: running, stopping, waking, watching, timers, turns, counters
 *
 * One libev loop carries everything; libwebsockets is a guest on it (io_lws.c). A turn begins when the loop
 * wakes and ends before it sleeps: those who collect are called, what is queued is written, and the time it
 * took is noted.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/io_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "relay/mem.h"
#include "shared/log.h"

enum { DESCRIPTORS_TLS = 3 };   /* a socket with TLS: itself, and a pair */

struct io_watch {
    LIST_ENTRY(io_watch) entry;
    ev_io readable_watcher;
    int fd;
    void (*readable)(void *arg);
    void *arg;
};

struct io_timer {
    LIST_ENTRY(io_timer) entry;
    struct io *io;              /* NULL once the loop is gone */
    ev_timer watcher;
    void (*due)(void *arg);
    void *arg;
};

static const char *const counter_names[] = {
#define IO_COUNTER(symbol, name, family, labels) name,
    IO_COUNTERS
#undef IO_COUNTER
};

static const struct family {
    const char *name, *labels;
} families[] = {
#define IO_COUNTER(symbol, name, family, labels) { family, labels },
    IO_COUNTERS
#undef IO_COUNTER
};

static int64_t
now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* ---- hooks and turns ---- */

static void
hook_add(struct io_hooks *hooks, void (*call)(void *arg), void *arg)
{
    struct io_hook *h = mem_new(sizeof *h);

    h->call = call;
    h->arg = arg;
    STAILQ_INSERT_TAIL(hooks, h, entry);
}

static void
hooks_call(struct io_hooks *hooks)
{
    struct io_hook *h;

    STAILQ_FOREACH(h, hooks, entry)
        h->call(h->arg);
}

static void
hooks_free(struct io_hooks *hooks)
{
    struct io_hook *h;

    while ((h = STAILQ_FIRST(hooks)) != NULL) {
        STAILQ_REMOVE_HEAD(hooks, entry);
        free(h);
    }
}

static void
turn_begins(struct ev_loop *loop, ev_check *w, int events)
{
    struct io *io = w->data;

    (void)loop, (void)events;
    io->awake_us = now_us();
}

/* Whoever is told of an ended connection may have something to say about it in the same turn. */
static void
turn_over(struct ev_loop *loop, ev_prepare *w, int events)
{
    struct io *io = w->data;

    (void)loop, (void)events;
    do
        hooks_call(&io->turn_ends);
    while (io_links_turn_ends(io->links));
    if (io->awake_us > 0)
        histogram_add(&io->turns, now_us() - io->awake_us);
    io->awake_us = 0;
}

static void
turns_watch(struct io *io)
{
    ev_check_init(&io->turn_begin, turn_begins);
    ev_prepare_init(&io->turn_end, turn_over);
    ev_set_priority(&io->turn_begin, EV_MAXPRI);
    ev_set_priority(&io->turn_end, EV_MINPRI);
    io->turn_begin.data = io->turn_end.data = io;
    ev_check_start(io->loop, &io->turn_begin);
    ev_prepare_start(io->loop, &io->turn_end);
}

/* ---- callbacks of the loop ---- */

static void
stop_asked(struct ev_loop *loop, ev_async *w, int events)
{
    (void)w, (void)events;
    ev_break(loop, EVBREAK_ALL);
}

static void
wake_asked(struct ev_loop *loop, ev_async *w, int events)
{
    struct io *io = w->data;

    (void)loop, (void)events;
    hooks_call(&io->woken);
}

static void
watch_readable(struct ev_loop *loop, ev_io *w, int events)
{
    struct io_watch *watch = w->data;

    (void)loop, (void)events;
    watch->readable(watch->arg);
}

static void
timer_due(struct ev_loop *loop, ev_timer *w, int events)
{
    struct io_timer *t = w->data;

    (void)loop, (void)events;
    t->due(t->arg);
}

static void
timer_stop(struct io_timer *t)
{
    if (t->io != NULL)
        ev_timer_stop(t->io->loop, &t->watcher);
}

/* Room for every connection the settings allow, as far as the hard limit lets us: libwebsockets
 * sizes its tables by the limit it finds. */
static void
descriptors_raise(const struct config *config)
{
    rlim_t sockets = (rlim_t)config->relay_connections_max + 2 * IO_HANDSHAKES_MAX;
    rlim_t wanted = IO_DESCRIPTORS_OTHER
        + sockets * (config->relay_tls_certificate[0] != '\0' ? DESCRIPTORS_TLS : 1);
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
        log_event(LOG_LEVEL_WARNING, "few_descriptors", "limit", log_number((long long)limit.rlim_cur),
                  "wanted", log_number((long long)wanted), NULL);
}

struct io *
io_new(const struct config *config)
{
    struct io *io = calloc(1, sizeof *io);

    if (io == NULL)
        return NULL;
    signal(SIGPIPE, SIG_IGN);   /* OpenSSL and libwebsockets write as they like */
    descriptors_raise(config);
    io->config = config;
    LIST_INIT(&io->watches);
    LIST_INIT(&io->timers);
    STAILQ_INIT(&io->woken);
    STAILQ_INIT(&io->turn_ends);
    if ((io->loop = ev_loop_new(EVFLAG_AUTO)) == NULL) {
        log_event(LOG_LEVEL_ERROR, "event_loop_failed", NULL);
        free(io);
        return NULL;
    }
    ev_async_init(&io->stop, stop_asked);
    ev_async_start(io->loop, &io->stop);
    ev_async_init(&io->wake, wake_asked);
    io->wake.data = io;
    ev_async_start(io->loop, &io->wake);

    if ((io->links = io_links_new(io)) == NULL || (io->exchanges = io_exchanges_new(io)) == NULL
        || (io->accept = io_accept_new(io)) == NULL) {
        io_free(io);
        return NULL;
    }
    turns_watch(io);
    return io;
}

void
io_drop_all(struct io *io)
{
    io_exchanges_free(io->exchanges);   /* each knows its listener */
    io->exchanges = NULL;
    io_accept_free(io->accept);
    io->accept = NULL;          /* connections closed below ask for it */
    io_links_free(io->links);
    io->links = NULL;
}

void
io_free(struct io *io)
{
    struct io_watch *watch;
    struct io_timer *timer;

    if (io == NULL)
        return;
    ev_check_stop(io->loop, &io->turn_begin);
    ev_prepare_stop(io->loop, &io->turn_end);
    io_drop_all(io);
    while ((watch = LIST_FIRST(&io->watches)) != NULL) {
        LIST_REMOVE(watch, entry);
        ev_io_stop(io->loop, &watch->readable_watcher);
        close(watch->fd);
        free(watch);
    }
    while ((timer = LIST_FIRST(&io->timers)) != NULL) {
        timer_stop(timer);
        LIST_REMOVE(timer, entry);
        timer->io = NULL;
    }
    ev_async_stop(io->loop, &io->stop);
    ev_async_stop(io->loop, &io->wake);
    hooks_free(&io->woken);
    hooks_free(&io->turn_ends);
    ev_loop_destroy(io->loop);
    free(io);
}

void
io_run(struct io *io)
{
    ev_run(io->loop, 0);
}

void
io_stop(struct io *io)
{
    ev_async_send(io->loop, &io->stop);
}

void
io_on_wake(struct io *io, void (*woken)(void *arg), void *arg)
{
    hook_add(&io->woken, woken, arg);
}

void
io_wake(struct io *io)
{
    ev_async_send(io->loop, &io->wake);
}

void
io_on_turn(struct io *io, void (*turn_ends)(void *arg), void *arg)
{
    hook_add(&io->turn_ends, turn_ends, arg);
}

enum err
io_watch(struct io *io, int fd, void (*readable)(void *arg), void *arg)
{
    struct io_watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL)
        return ERR_NO_MEMORY;
    if ((watch->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
        log_event(LOG_LEVEL_ERROR, "watch_failed", "why", strerror(errno), NULL);
        free(watch);
        return ERR_INTERNAL;
    }
    watch->readable = readable;
    watch->arg = arg;
    ev_io_init(&watch->readable_watcher, watch_readable, watch->fd, EV_READ);
    watch->readable_watcher.data = watch;
    ev_io_start(io->loop, &watch->readable_watcher);
    LIST_INSERT_HEAD(&io->watches, watch, entry);
    return ERR_OK;
}

struct io_timer *
io_timer_new(struct io *io, void (*due)(void *arg), void *arg)
{
    struct io_timer *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    t->io = io;
    t->due = due;
    t->arg = arg;
    ev_init(&t->watcher, timer_due);
    t->watcher.data = t;
    LIST_INSERT_HEAD(&io->timers, t, entry);
    return t;
}

void
io_timer_set(struct io_timer *t, int64_t after_ms)
{
    if (t->io == NULL)
        return;
    ev_timer_stop(t->io->loop, &t->watcher);
    ev_now_update(t->io->loop);     /* else a long turn would make the timer early */
    ev_timer_set(&t->watcher, (double)after_ms / 1000.0, 0.0);
    ev_timer_start(t->io->loop, &t->watcher);
}

void
io_timer_free(struct io_timer *t)
{
    if (t == NULL)
        return;
    if (t->io != NULL) {
        timer_stop(t);
        LIST_REMOVE(t, entry);
    }
    free(t);
}

int64_t
io_connections(const struct io *io)
{
    return io_links_count(io->links);
}

int64_t
io_owed(const struct io *io)
{
    return io_links_owed(io->links);
}

void
io_metrics(const struct io *io, struct metrics *m)
{
    metrics_gauge(m, "connections", "open connections", io_connections(io));
    metrics_gauge(m, "owed_bytes", "written, but not taken by slow peers' sockets yet", io_owed(io));
    for (size_t i = 0; i < IO_COUNTER_COUNT; i++) {
        const struct family *f = &families[i];

        if (i == 0 || strcmp(f->name, families[i - 1].name) != 0)
            metrics_family(m, f->name, "counter", "counted by the I/O layer");
        metrics_sample(m, f->name, f->labels, io->counters[i]);
    }
    metrics_histogram(m, "loop_turn_seconds", "how long the loop was busy before it could sleep again",
                      &io->turns);
}

void
io_log_counters(const struct io *io)
{
    log_event(LOG_LEVEL_INFO, "counter", "name", "connections", "value",
              log_number(io_connections(io)), NULL);
    for (size_t i = 0; i < IO_COUNTER_COUNT; i++)
        log_event(LOG_LEVEL_INFO, "counter", "name", counter_names[i], "value",
                  log_number(io->counters[i]), NULL);
}
