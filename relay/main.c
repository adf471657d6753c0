/* confab-relay - holds the sockets: flags, order of start and stop, signals
 *
 * A process runs the chat, the push server, or both, on one loop and one listener for clients. Nothing is
 * let in before every part knows where it stands.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "relay/chat_part.h"
#include "relay/push/push.h"
#include "relay/setup.h"
#include "relay/socketio/conformance.h"
#include "shared/log.h"

#define SERVICES_MAX 64         /* a process serves about twenty */

struct program {
    struct setup setup;             /* as it was at the start: loop and chat go by it to the end */
    struct io *io;
    struct chat_part *chat;         /* NULL: no chat systems */
    struct push *push;              /* NULL: no push server */
    struct socketio *socketio;      /* NULL: nobody speaks it */
    struct io_listener *clients, *servers;
    struct io_service services[SERVICES_MAX];   /* of the clients' listener */
    size_t n_services;
    int signals;
    bool ending;
    int parts_ending;
};

static const char usage[] =
    "usage: confab-relay [--config FILE] [--check]\n"
    "       confab-relay --version | --help\n"
    "--config: the file of settings, as CONFAB_CONFIG names it; see confab.conf(5).\n"
    "--check: read the settings, say what is wrong with them, and end.\n";

static int
fail(const char *what, const char *why)
{
    log_event(LOG_LEVEL_ERROR, "cannot_start", "what", what, "why", why, NULL);
    return 1;
}

static const char *
reason(const struct fail *f, enum err e)
{
    return f->why[0] ? f->why : err_text(e);
}

static void
set_log(const struct config *c)
{
    enum log_level level = LOG_LEVEL_INFO;

    log_level_named(c->log_level, &level);
    log_setup("confab-relay", level, c->log_syslog);
}

/* ---- services ---- */

static void
serve(struct program *p, const struct io_service *services, size_t n)
{
    assert(p->n_services + n <= SERVICES_MAX);
    if (n > 0)
        memcpy(p->services + p->n_services, services, n * sizeof *services);
    p->n_services += n;
}

static bool
servers_come_with_clients(const struct program *p)
{
    return strcmp(p->setup.config->push_api_listen, "clients") == 0;
}

/* What clients find, the first that fits: sockets of the chat, the push server, and at every other path the
 * chat's refusal. Done anew with new settings, which may change what a service bounds, not which there are. */
static void
gather_services(struct program *p)
{
    const struct io_service *services;
    struct io_service unknown;
    size_t n;

    p->n_services = 0;
    if (p->chat) {
        services = chat_part_services(p->chat, &n);
        serve(p, services, n);
    }
    if (p->push) {
        services = push_client_services(p->push, &n);
        serve(p, services, n);
    }
    if (p->push && servers_come_with_clients(p)) {
        services = push_server_services(p->push, &n);
        serve(p, services, n);
    }
    if (p->socketio) {
        services = socketio_services(p->socketio, &n);
        serve(p, services, n);
    }
    if (p->chat) {
        unknown = chat_part_unknown(p->chat);
        serve(p, &unknown, 1);
    }
}

/* ---- the end ---- */

static void
part_ended(void *arg)
{
    struct program *p = arg;

    if (--p->parts_ending == 0)
        io_stop(p->io);
}

/* Only now: the chat paced the end of what carried its users. */
static void
chat_ended(void *arg)
{
    struct program *p = arg;

    if (p->socketio)
        socketio_shut(p->socketio, part_ended, p);
    part_ended(p);
}

/* Side by side, each in its own time. Who asks twice does not want to wait. */
static void
end(struct program *p)
{
    if (p->ending) {
        log_event(LOG_LEVEL_WARNING, "stopping_at_once", "connections",
                  log_number(io_connections(p->io)), NULL);
        io_stop(p->io);
        return;
    }
    p->ending = true;
    log_event(LOG_LEVEL_INFO, "stopping", "connections", log_number(io_connections(p->io)), NULL);
    io_unlisten(p->clients);
    p->parts_ending = (p->chat != NULL) + (p->push != NULL) + (p->socketio != NULL);
    if (p->chat)
        chat_part_shut(p->chat, chat_ended, p);
    else if (p->socketio)
        socketio_shut(p->socketio, part_ended, p);
    if (p->push)
        push_drain(p->push, part_ended, p);
}

/* ---- new settings ---- */

static void
ignored(void *arg, const char *name)
{
    (void)arg;
    log_event(LOG_LEVEL_WARNING, "reload_ignored", "setting", name, "why",
              "takes effect at the next start", NULL);
}

static void
reload(struct program *p)
{
    struct setup anew;
    struct fail f = { 0 };
    enum err e = setup_load(&anew, &f);

    if (e != ERR_OK) {
        log_event(LOG_LEVEL_ERROR, "settings_kept", "why", reason(&f, e), NULL);
        return;
    }
    set_log(anew.config);
    setup_each_change(&p->setup, &anew, ignored, NULL);
    if (p->push && anew.push)
        push_reload(p->push, push_settings_ref(anew.push));
    gather_services(p);
    if (p->setup.config->relay_tls_certificate[0])
        io_listener_reload(p->clients);         /* it logs why not */
    setup_fini(&anew);
    log_event(LOG_LEVEL_INFO, "settings_reloaded", NULL);
}

/* ---- signals ---- */

/* Before any thread is started, so that all inherit the mask. */
static int
catch_signals(struct program *p)
{
    static const int ours[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        sigaddset(&set, ours[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0
        || (p->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)) < 0)
        return fail("cannot catch signals", strerror(errno));
    return 0;
}

static void
log_counters(const struct program *p)
{
    io_log_counters(p->io);
    if (p->chat)
        chat_part_log_counters(p->chat);
}

static void
on_signal(void *arg)
{
    struct program *p = arg;
    struct signalfd_siginfo info;

    while (read(p->signals, &info, sizeof info) > 0) {
        if (info.ssi_signo == SIGUSR1)
            log_counters(p);
        else if (info.ssi_signo != SIGHUP)
            end(p);
        else if (!p->ending)
            reload(p);
    }
}

/* ---- the beginning ---- */

static int
start_parts(struct program *p)
{
    const struct config *c = p->setup.config;

    if (!(p->io = io_new(c)) || io_watch(p->io, p->signals, on_signal, p) != ERR_OK)
        return 1;
    if (config_has_chat(c) && !(p->chat = chat_part_new(p->io, c)))
        return 1;
    if (p->setup.push && !(p->push = push_new(p->io, push_settings_ref(p->setup.push))))
        return 1;
    if ((c->sio_conformance || config_has_socketio(c)) && !(p->socketio = socketio_new(p->io, c)))
        return 1;
    if (c->sio_conformance)         /* first, since it is the first who keeps a namespace */
        conformance_serve(p->socketio);
    if (p->chat && p->socketio)
        chat_part_serve_links(p->chat, p->socketio);
    return 0;
}

static enum err
listen_to_clients(struct program *p)
{
    const struct config *c = p->setup.config;
    struct io_listen_options o = { .where = c->relay_listen };

    gather_services(p);
    if (c->relay_tls_certificate[0]) {
        o.tls_certificate = c->relay_tls_certificate;
        o.tls_key = c->relay_tls_key;
    }
    o.services = p->services;
    o.n_services = p->n_services;
    return io_listen(p->io, &o, &p->clients);
}

static enum err
listen_to_servers(struct program *p)
{
    struct io_listen_options o = { .where = p->setup.config->push_api_listen };

    if (!p->push || servers_come_with_clients(p))
        return ERR_OK;
    o.services = push_server_services(p->push, &o.n_services);
    return io_listen(p->io, &o, &p->servers);
}

static int
run(struct program *p)
{
    const struct config *c = p->setup.config;

    if (start_parts(p) != 0 || listen_to_servers(p) != ERR_OK || listen_to_clients(p) != ERR_OK)
        return 1;
    log_event(LOG_LEVEL_INFO, "started", "version", PACKAGE_VERSION, "listen", c->relay_listen,
              "systems", c->systems, "push", p->push ? "on" : "off", NULL);
    io_run(p->io);
    log_counters(p);
    return 0;
}

static void
free_parts(struct program *p)
{
    if (p->io)
        io_drop_all(p->io);
    socketio_free(p->socketio);
    push_free(p->push);
    chat_part_free(p->chat);
    io_free(p->io);
}

static int
begin(struct program *p)
{
    int rc = catch_signals(p) || run(p);

    free_parts(p);
    if (rc == 0)
        log_event(LOG_LEVEL_INFO, "stopped", NULL);
    return rc;
}

/* ---- flags ---- */

static int
load(struct program *p, bool check_only)
{
    struct fail f = { 0 };
    enum err e = setup_load(&p->setup, &f);

    if (check_only && e != ERR_OK) {
        fprintf(stderr, "confab-relay: %s\n", reason(&f, e));
    } else if (check_only) {
        puts("the settings are good");
    } else if (e != ERR_OK) {
        fail("bad settings", reason(&f, e));
    } else {
        set_log(p->setup.config);
        config_bound_core(p->setup.config);
    }
    return e == ERR_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "check", no_argument, NULL, 'k' },
        { "version", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },
        { 0 }
    };
    struct program p = { .signals = -1 };
    bool check_only = false;
    int c, rc;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'v') {
            puts("confab-relay " PACKAGE_VERSION);
            return 0;
        }
        if (c == 'k') {
            check_only = true;
        } else if (c == 'c') {
            setenv("CONFAB_CONFIG", optarg, 1);
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 2;
        }
    }
    if (optind < argc) {
        fputs(usage, stderr);
        return 2;
    }
    log_setup("confab-relay", LOG_LEVEL_INFO, false);
    rc = load(&p, check_only);
    if (rc == 0 && !check_only)
        rc = begin(&p);
    setup_fini(&p.setup);
    return rc;
}
