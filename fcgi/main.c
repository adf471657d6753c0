/* main - confab.fcgi: the chat systems' HTTP side, behind any web server
 *
 * SPDX-License-Identifier: MIT
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/cgi.h"
#include "fcgi/conversations/conversations.h"
#include "fcgi/eventchat/eventchat.h"
#include "fcgi/mtchat/mtchat.h"
#include "fcgi/rooms/rooms.h"
#include "fcgi/router.h"
#include "fcgi/service.h"
#include "shared/config.h"
#include "shared/listen.h"
#include "shared/log.h"

/* Every chat system there is. */
static const struct edge *const all_edges[] = { &mtchat_edge, &rooms_edge, &conversations_edge, &eventchat_edge };

#define N_EDGES (sizeof all_edges / sizeof all_edges[0])

static const char usage[] =
    "usage: confab.fcgi [--listen unix:PATH|HOST:PORT] | --routes | --version | --help\n"
    "\n"
    "Started by a web server it serves FastCGI on standard input, or one CGI request.\n"
    "\n"
    "  --listen   open a socket of its own; the web server connects to it\n"
    "  --routes   print every route: method, path, who may call it\n"
    "  --version  print the version\n";

static int
print_routes(void)
{
    size_t i;

    for (i = 0; i < N_EDGES; i++)
        router_print(all_edges[i], stdout);
    return 0;
}

static void
answer(void *arg, struct request *q, struct sbuf *out)
{
    service_answer(arg, q, out);
}

static bool
streams(void *arg, struct request *q)
{
    return service_streams(arg, q);
}

static int
serve(const struct config *config, const char *where)
{
    const struct edge *served[N_EDGES + 1] = { NULL };
    bool plain = !where && cgi_is_plain();
    struct service service;
    struct cgi cgi = { config, 0, streams, answer, &service };
    size_t i, n = 0;
    int fd = STDIN_FILENO, status;

    for (i = 0; i < N_EDGES; i++) {
        if (config_serves(config, all_edges[i]->system->name))
            served[n++] = all_edges[i];
    }
    for (i = 0; i < n; i++) {
        int64_t max = service_setting(config, served[i]->body_max);

        cgi.body_max = max > cgi.body_max ? max : cgi.body_max;
    }
    if (n == 0) {
        log_event(LOG_LEVEL_ERROR, "cannot_start", "why", "no known chat system is served", NULL);
        return 1;
    }
    if (where && listen_open(where, &fd) != ERR_OK)
        return 1;
    if (where && !listen_is_local(where))
        log_event(LOG_LEVEL_WARNING, "open_listener", "on", where, "why",
                  "FastCGI has no credential: whoever reaches this address is the web server", NULL);
    service_init(&service, config, served, plain);
    status = plain ? cgi_once(&cgi) : cgi_serve(&cgi, fd);
    service_fini(&service);
    return status;
}

/* Is there nothing to do but to serve? *where_r: --listen's. Else *status_r is how to end. */
static bool
read_options(int argc, char **argv, const char **where_r, int *status_r)
{
    static const struct option options[] = {
        { "listen", required_argument, NULL, 'l' }, { "routes", no_argument, NULL, 'r' },
        { "version", no_argument, NULL, 'v' },      { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'l') {
            *where_r = optarg;
            continue;
        }
        *status_r = c == 'r' ? print_routes() : c == 'v' || c == 'h' ? 0 : 2;
        if (c == 'v')
            puts("confab.fcgi " PACKAGE_VERSION);
        else if (c != 'r')
            fputs(usage, c == 'h' ? stdout : stderr);
        return false;
    }
    if (optind == argc)
        return true;
    fputs(usage, stderr);
    *status_r = 2;
    return false;
}

static int
load_and_serve(struct arena *arena, const char *where)
{
    enum log_level level = LOG_LEVEL_INFO;
    const struct config *config;
    struct fail fail = { 0 };

    log_setup("confab.fcgi", level, false);
    if (config_load(arena, &config, &fail) != ERR_OK || config_check(config, &fail) != ERR_OK) {
        log_event(LOG_LEVEL_ERROR, "cannot_start", "why", fail.why, NULL);
        return 1;
    }
    if (!config_has_chat(config)) {
        log_event(LOG_LEVEL_ERROR, "cannot_start", "why", "systems is empty: there is no chat to serve",
                  NULL);
        return 1;
    }
    log_level_named(config->log_level, &level);
    log_setup("confab.fcgi", level, config->log_syslog);
    config_bound_core(config);
    return serve(config, where);
}

int
main(int argc, char **argv)
{
    const char *where = NULL;
    struct arena *arena;
    int status;

    /* A CGI program's arguments may be the words of the URL's query (RFC 3875, section 4.4):
     * a stranger's, and no options of ours. */
    if (getenv("GATEWAY_INTERFACE") != NULL)
        argc = 1;
    if (!read_options(argc, argv, &where, &status))
        return status;
    arena = arena_new();
    status = load_and_serve(arena, where);
    arena_free(arena);
    return status;
}
