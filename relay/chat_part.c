/* chat_part - order of beginning and end of the chat within a relay process
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/chat_part.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/mem.h"
#include "relay/relay.h"
#include "shared/chat/op.h"
#include "shared/log.h"
#include "shared/when.h"

#define LINGER_MS 50

struct chat_part {
    struct arena *arena;
    const struct config *config;
    int lock;                       /* -1: not ours */
    struct db *db;                  /* for beginning and end of the run */
    struct bus_sender *sender;
    struct bus_receiver *bus;
    char run[ID_TEXT_SIZE];
    const char *endpoint;
    bool registered;                /* the database knows of this run */
    struct relay *relay;
};

static enum err
fail(const char *what, const char *why)
{
    log_event(LOG_LEVEL_ERROR, "cannot_start", "what", what, "why", why, NULL);
    return ERR_INTERNAL;
}

/* One run of a name at a time; the kernel lets go of the lock when the process ends, however. */
static enum err
lock_name(struct chat_part *p)
{
    const char *run = p->config->run;
    const char *path = arena_printf(p->arena, "%s/relay-%s.lock", run, p->config->relay_name);

    if (mkdir(run, 0700) != 0 && errno != EEXIST)
        return fail("cannot make the run directory (confabctl init makes the one above it)",
                    strerror(errno));
    p->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (p->lock < 0)
        return fail("cannot open the relay's lock file", strerror(errno));
    if (flock(p->lock, LOCK_EX | LOCK_NB) != 0)
        return fail("a relay of this name is running already", path);
    return ERR_OK;
}

static enum err
bind_bus(struct chat_part *p)
{
    p->endpoint = arena_printf(p->arena, "ipc://%s/bus-%s.sock", p->config->run,
                               p->config->relay_name);
    p->bus = bus_receiver_new(p->endpoint, (int)p->config->bus_queue,
                              (size_t)p->config->bus_message_max);
    return p->bus ? ERR_OK : ERR_INTERNAL;      /* it logs why */
}

static struct op
op_of(struct chat_part *p)
{
    return (struct op){ .db = p->db, .arena = p->arena, .bus = p->sender, .config = p->config,
                        .now_ms = when_now_ms() };
}

/* Registers this run and learns the bus key. */
static enum err
enter_database(struct chat_part *p, uint8_t *key_r)
{
    struct id id = id_new(when_now_ms());
    struct op op;
    enum err e;

    id_text(&id, p->run);
    e = db_open(p->config->database, DB_OPEN, (int)p->config->write_wait_ms, &p->db);
    if (e != ERR_OK)
        return fail("cannot open the database: run confabctl init or migrate", err_text(e));
    p->sender = bus_sender_new((int)p->config->bus_queue);
    op = op_of(p);
    e = op_relay_start(&op, p->config->relay_name, p->run, p->endpoint);
    p->registered = e == ERR_OK;
    if (e == ERR_OK)
        e = op_bus_key(&op, key_r);
    if (e != ERR_OK)
        return fail("cannot register with the database", err_text(e));
    return ERR_OK;
}

static void
leave_database(struct chat_part *p)
{
    struct op op = op_of(p);

    if (p->registered && op_relay_stop(&op, p->config->relay_name, p->run) != ERR_OK)
        log_event(LOG_LEVEL_WARNING, "lease_not_returned", NULL);
}

struct chat_part *
chat_part_new(struct io *io, const struct config *config)
{
    struct chat_part *p = mem_new(sizeof *p);
    struct relay_start start = { .config = config, .io = io };

    p->arena = arena_new();
    p->config = config;
    p->lock = -1;
    if (lock_name(p) == ERR_OK && bind_bus(p) == ERR_OK
        && enter_database(p, start.key) == ERR_OK) {
        start.bus = p->bus;
        start.run = p->run;
        start.endpoint = p->endpoint;
        p->relay = relay_new(&start);
    }
    if (!p->relay) {
        chat_part_free(p);
        return NULL;
    }
    log_event(LOG_LEVEL_INFO, "registered", "name", config->relay_name, "run", p->run, NULL);
    return p;
}

void
chat_part_free(struct chat_part *p)
{
    if (!p)
        return;
    relay_free(p->relay);
    leave_database(p);
    bus_receiver_free(p->bus);
    bus_sender_free(p->sender, LINGER_MS);
    db_close(p->db);
    if (p->lock >= 0)
        close(p->lock);
    arena_free(p->arena);
    free(p);
}

void
chat_part_serve_links(struct chat_part *p, struct socketio *o)
{
    relay_serve_links(p->relay, o);
}

const struct io_service *
chat_part_services(struct chat_part *p, size_t *n_r)
{
    return relay_services(p->relay, n_r);
}

struct io_service
chat_part_unknown(struct chat_part *p)
{
    return relay_service_unknown(p->relay);
}

void
chat_part_shut(struct chat_part *p, void (*done)(void *arg), void *arg)
{
    relay_shut(p->relay, done, arg);
}

void
chat_part_log_counters(const struct chat_part *p)
{
    relay_log_counters(p->relay);
}
