/* confab-relay - holds the sockets: order of start and stop
 *
 * The relay's name is locked and its bus bound before the database learns of this run, so that pushes
 * queue from the first moment; what was committed before that is behind `head` when the tail
 * reads it. Only then are sockets let in.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/relay.h"
#include "shared/chat/op.h"
#include "shared/log.h"
#include "shared/when.h"

#define LINGER_MS 50

struct program {
    struct arena *arena;
    const struct config *config;
    int lock;
    int signals;
    struct db *db;                  /* for beginning and end of the run */
    struct bus_sender *sender;
    struct bus_receiver *bus;
    char run[ID_TEXT_SIZE];
    const char *endpoint;
};

static int
fail(const char *what, const char *why)
{
    log_event(LOG_LEVEL_ERROR, "cannot_start", "what", what, "why", why, NULL);
    return 1;
}

static int
usage(FILE *out)
{
    fputs("usage: confab-relay [--version | --help]\n"
          "Settings come from $CONFAB_CONFIG and CONFAB_* variables; see confab.conf(5).\n", out);
    return out == stdout ? 0 : 2;
}

static int
load_config(struct program *p)
{
    enum log_level level = LOG_LEVEL_INFO;
    struct fail f = { 0 };

    if (config_load(p->arena, &p->config, &f) != ERR_OK
        || config_check(p->config, &f) != ERR_OK)
        return fail("bad settings", f.why[0] ? f.why : f.field);
    log_level_named(p->config->log_level, &level);
    log_setup("confab-relay", level, p->config->log_syslog);
    return 0;
}

/* One run of a name at a time; the kernel lets go of the lock when the process ends, however. */
static int
lock_name(struct program *p)
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
    return 0;
}

/* Before any thread is started, so that all inherit the mask. */
static int
catch_signals(struct program *p)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0
        || (p->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)) < 0)
        return fail("cannot catch signals", strerror(errno));
    return 0;
}

static int
bind_bus(struct program *p)
{
    p->endpoint = arena_printf(p->arena, "ipc://%s/bus-%s.sock", p->config->run,
                               p->config->relay_name);
    p->bus = bus_receiver_new(p->endpoint, (int)p->config->bus_queue,
                              (size_t)p->config->bus_message_max);
    return p->bus ? 0 : 1;      /* it logs why */
}

static struct op
op_of(struct program *p)
{
    return (struct op){ .db = p->db, .arena = p->arena, .bus = p->sender, .config = p->config,
                        .now_ms = when_now_ms() };
}

/* Registers this run and learns the bus key. */
static int
enter_database(struct program *p, uint8_t *key_r)
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
    if (e == ERR_OK)
        e = op_bus_key(&op, key_r);
    if (e != ERR_OK)
        return fail("cannot register with the database", err_text(e));
    return 0;
}

static int
serve(struct program *p)
{
    struct relay_start start = { .config = p->config, .bus = p->bus, .run = p->run,
                                 .endpoint = p->endpoint };
    struct relay *r;
    struct op op;
    int rc = 1;

    if (enter_database(p, start.key) != 0)
        return 1;
    if ((r = relay_new(&start)) && relay_listen(r) == ERR_OK) {
        log_event(LOG_LEVEL_INFO, "started", "version", PACKAGE_VERSION, "listen",
                  p->config->relay_listen, "name", p->config->relay_name, "run", p->run, NULL);
        relay_run(r, p->signals);
        rc = 0;
    }
    relay_free(r);
    op = op_of(p);
    if (op_relay_stop(&op, p->config->relay_name, p->run) != ERR_OK)
        log_event(LOG_LEVEL_WARNING, "lease_not_returned", NULL);
    return rc;
}

int
main(int argc, char **argv)
{
    struct program p = { .lock = -1, .signals = -1 };
    int rc;

    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("confab-relay " PACKAGE_VERSION);
        return 0;
    }
    if (argc > 1)
        return usage(argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
    log_setup("confab-relay", LOG_LEVEL_INFO, false);
    p.arena = arena_new();
    rc = load_config(&p) || lock_name(&p) || catch_signals(&p) || bind_bus(&p) || serve(&p);
    bus_receiver_free(p.bus);
    bus_sender_free(p.sender, LINGER_MS);
    db_close(p.db);
    arena_free(p.arena);
    return rc;
}
