/* doctor_url - the doctor's look at what users reach: handlers, Authorization, clock and relay behind the web server
 *
 * curl asks, as a program of its own: it speaks TLS and whatever else is between, and confabctl stays small.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE                     /* strcasestr, timegm, pipe2 */
#include "ctl/doctor.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared/json.h"
#include "shared/sbuf.h"
#include "shared/when.h"

#define ANSWER_MAX (256 * 1024)
#define SKEW_WARN_S 5
#define DEPTH 8
#define UPGRADE_STATUS 426              /* what the relay says to one who asks without upgrading */

/* What each system's pages open, and what they do where that leads nowhere. */
static const struct {
    const char *system, *path, *without;
} sockets[] = {
    { "mtchat", "/api/v1/ws", "pages poll" },
    { "rooms", "/api/rooms/1/chat", "nothing moves in rooms" },
    { "conversations", "/v1/ws", "all calls are refused" },
    { "eventchat", "/eventchat/ws", "chats stand still" },
};

extern char **environ;

struct answer {
    int status;                         /* 0: none came; what curl said is in text */
    const char *date;                   /* of the head; NULL */
    const char *text;                   /* the body */
    size_t len;
};

/* Runs curl with what it writes into out. -1: there is no curl. */
static int
run_curl(const char *url, struct sbuf *out)
{
    static const char header[] = "Authorization: Bearer doctor";
    const char *argv[] = { "curl", "-q", "-sS", "-i", "--http1.1", "--max-time", "15", "-H", header, url, NULL };
    posix_spawn_file_actions_t actions;
    int ends[2], status, e;
    char piece[4096];
    ssize_t n;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    e = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    while (e == 0 && (n = read(ends[0], piece, sizeof piece)) > 0)
        sbuf_put(out, piece, (size_t)n);
    close(ends[0]);
    if (e != 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) == 127)
        return -1;
    return WEXITSTATUS(status);
}

/* Splits the last head (those before it are a proxy's, or 100 Continue) from the body, in place. */
static void
read_answer(struct sbuf *raw, struct answer *a)
{
    char *text = raw->data, *end, *date;

    while (text != NULL && strncmp(text, "HTTP/", 5) == 0 && (end = strstr(text, "\r\n\r\n")) != NULL) {
        *end = '\0';
        sscanf(text, "HTTP/%*s %3d", &a->status);
        date = strcasestr(text, "\r\ndate:");
        a->date = date != NULL ? date + strlen("\r\ndate:") : NULL;
        text = end + 4;
    }
    a->text = text != NULL ? text : "";
    a->len = strlen(a->text);
}

/* false: curl could not be run, which was said. */
static bool
get(struct doctor *d, const char *url, const char *path, struct sbuf *raw, struct answer *a)
{
    const char *target = arena_printf(d->arena, "%.*s%s", (int)(strlen(url) - (url[strlen(url) - 1] == '/')), url, path);

    *a = (struct answer){ 0 };
    sbuf_reset(raw);
    if (run_curl(target, raw) < 0) {
        doctor_say(d, FINDING_ERROR, "url", "curl cannot be run, so nothing can be asked; install it");
        return false;
    }
    read_answer(raw, a);
    return true;
}

/* How far the web server's clock is ahead of ours. */
static void
check_skew(struct doctor *d, const char *date)
{
    struct tm tm = { 0 };
    long long skew;

    if (date == NULL || strptime(date, " %a, %d %b %Y %H:%M:%S GMT", &tm) == NULL)
        return;
    skew = (long long)timegm(&tm) - (long long)(when_now_ms() / 1000);
    if (llabs(skew) <= SKEW_WARN_S)
        doctor_say(d, FINDING_OK, "skew", "the web server's clock is this host's");
    else
        doctor_say(d, llabs(skew) > d->config->jwt_leeway_s ? FINDING_ERROR : FINDING_WARNING, "skew",
                   "the web server's clock differs by %lld s from this host's: tokens will be refused early or late; set "
                   "both by NTP", skew);
}

static void
check_handlers(struct doctor *d, const char *url, const struct answer *a)
{
    struct json *json = NULL;
    struct fail fail = { 0 };
    const char *version;

    if (a->status == 0) {
        doctor_say(d, FINDING_ERROR, "url", "no answer: %.*s", (int)strcspn(a->text, "\r\n"), a->text);
        return;
    }
    if (a->status != 200 || json_parse(d->arena, a->text, a->len, DEPTH, &json, &fail) != ERR_OK
        || (version = json_text(json_get(json, "version"))) == NULL) {
        doctor_say(d, FINDING_ERROR, "url", "%s/health leads to no handler (status %d): the web server's log says why", url,
                   a->status);
        return;
    }
    if (strcmp(version, PACKAGE_VERSION) != 0)
        doctor_say(d, FINDING_WARNING, "url", "handlers of version %s answer, this is " PACKAGE_VERSION "; restart them", version);
    else
        doctor_say(d, FINDING_OK, "url", "a handler answers");
    if (json_is_true(json_get(json, "authorization")))
        doctor_say(d, FINDING_OK, "authorization", "reaches the handlers");
    else
        doctor_say(d, FINDING_ERROR, "authorization", "the web server keeps it from the handlers, so every token is refused; "
                   "Apache: CGIPassAuth On");
    check_skew(d, a->date);
}

static void
check_sockets(struct doctor *d, const char *url, struct sbuf *raw)
{
    struct answer a;
    size_t n_bad = 0;

    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++) {
        if (!config_serves(d->config, sockets[i].system))
            continue;
        if (!get(d, url, sockets[i].path, raw, &a))
            return;
        if (a.status == UPGRADE_STATUS)
            continue;
        n_bad++;
        doctor_say(d, FINDING_WARNING, "url-sockets", "%s does not lead to the relay (status %d), so %s: have the web server "
                   "send it to %s", sockets[i].path, a.status, sockets[i].without, d->config->relay_listen);
    }
    if (n_bad == 0)
        doctor_say(d, FINDING_OK, "url-sockets", "lead to the relay");
}

void
doctor_url(struct doctor *d, const char *url)
{
    struct answer a;
    struct sbuf raw;

    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        doctor_say(d, FINDING_ERROR, "url", "%s: http:// or https:// is expected", url);
        return;
    }
    sbuf_init(&raw, ANSWER_MAX);
    if (get(d, url, "/health", &raw, &a)) {
        check_handlers(d, url, &a);
        if (d->relay && a.status == 200)
            check_sockets(d, url, &raw);
    }
    sbuf_fini(&raw);
}
