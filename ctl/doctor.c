/* doctor - looks whether an installation can work, and says what to do where it cannot
 *
 * For operators who see nothing but a page that does not work. It changes nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ctl/doctor.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/bus.h"
#include "shared/db/migrate.h"
#include "shared/db/network_fs.h"
#include "shared/when.h"

#define NO_EARLIER 1767225600000    /* 2026: a clock before that is a clock that was never set */
#define AHEAD_MS   5000

void
doctor_say(struct doctor *d, enum finding finding, const char *check, const char *format, ...)
{
    static const char *const words[] = { "ok", "warning", "error" };
    va_list ap;

    printf("%-8s %-13s ", words[finding], check);
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    putchar('\n');
    if (finding > d->worst)
        d->worst = finding;
}

/* ---- settings ---- */

static void
check_settings(struct doctor *d)
{
    struct fail fail = { 0 };

    if (config_check(d->config, &fail) != ERR_OK)
        doctor_say(d, FINDING_ERROR, "settings", "%s; see confab.conf(5), or run: confabctl init --secrets", fail.why);
    else
        doctor_say(d, FINDING_OK, "settings", "serves %s", d->config->systems);
}

static void
check_secrets(struct doctor *d)
{
    const struct config *c = d->config;

    if (!config_serves(c, "mtchat"))
        return;
    if (c->trusted)
        doctor_say(d, FINDING_WARNING, "auth", "auth = trusted: everybody is who he says he is; for demos alone");
    else if (c->jwt_keys[0] != NULL)
        doctor_say(d, FINDING_OK, "auth", "users bring signed tokens");
    if (c->admin_api_allow_unprotected && c->admin_token[0] == '\0')
        doctor_say(d, FINDING_ERROR, "admin", "the Management API is open to everybody: set admin_token");
    else if (c->admin_token[0] == '\0')
        doctor_say(d, FINDING_WARNING, "admin", "no admin_token: nobody can make dialogs; run: confabctl init --secrets");
    else
        doctor_say(d, FINDING_OK, "admin", "the Management API has its token");
}

/* ---- the database ---- */

static bool
check_schema(struct doctor *d, struct db *db)
{
    int version, wanted = migrate_wanted();

    if (migrate_version(db, &version) != ERR_OK)
        doctor_say(d, FINDING_ERROR, "schema", "cannot be read: is this a database of Confab's?");
    else if (version < wanted)
        doctor_say(d, FINDING_ERROR, "schema", "version %d, this program wants %d; run: confabctl migrate", version, wanted);
    else if (version > wanted)
        doctor_say(d, FINDING_ERROR, "schema", "version %d is of a newer program, this one knows %d; install that", version,
                   wanted);
    else
        doctor_say(d, FINDING_OK, "schema", "version %d", version);
    return version == wanted;
}

static void
check_journal(struct doctor *d, struct db *db)
{
    const char *journal = db_journal(db);

    if (strcmp(journal, "wal") == 0)
        doctor_say(d, FINDING_OK, "journal", "write-ahead log");
    else if (network_fs(d->config->database))
        doctor_say(d, FINDING_WARNING, "journal", "a rollback journal (%s), for %s lies on a network file system: writes are "
                   "slower, and it must keep locks between all hosts that serve; better, set state to a local disk",
                   journal, d->config->database);
    else
        doctor_say(d, FINDING_WARNING, "journal", "a rollback journal (%s): this file system has no shared memory for a "
                   "write-ahead log; writes are slower", journal);
}

/* The log's times only rise, so after a clock that ran ahead all would stand still until it is reached. */
static void
check_clock(struct doctor *d, struct db *db)
{
    int64_t now = when_now_ms(), newest = 0;
    struct db_row *r = db_query(db, Q_EVENT_NEWEST, d->arena);

    while (db_step(r))
        newest = db_int(r, 0);
    db_done(r);
    if (now < NO_EARLIER)
        doctor_say(d, FINDING_ERROR, "clock", "this host's clock was never set: tokens will be refused");
    else if (newest > now + AHEAD_MS)
        doctor_say(d, FINDING_WARNING, "clock", "the newest event is %lld s ahead of this host's clock, which has been set back",
                   (long long)(newest - now) / 1000);
    else
        doctor_say(d, FINDING_OK, "clock", "not behind the newest event");
}

/* ---- the relay ---- */

static bool
accepts(struct doctor *d, const char *where)
{
    int fd = ctl_dial(d->ctl, where);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void
check_endpoint(struct doctor *d, const char *endpoint)
{
    if (!bus_listening(endpoint)) {
        doctor_say(d, FINDING_ERROR, "relay", "nobody listens at %s: the relay has just ended, or serves another run directory",
                   endpoint);
        return;
    }
    d->relay = true;
    doctor_say(d, FINDING_OK, "relay", "listens for pushes at %s", endpoint);
}

static void
check_relays(struct doctor *d, struct db *db)
{
    struct db_row *r = db_query(db, Q_RELAY_ENDPOINTS, d->arena);
    int n = 0;

    db_bind_int(r, ":now", when_now_ms());
    for (; db_step(r); n++)
        check_endpoint(d, db_text(r, 0));
    db_done(r);
    if (n == 0)
        doctor_say(d, FINDING_WARNING, "relay", "none is running: pages poll; start confab-relay where the host allows it");
    else if (d->relay && !accepts(d, d->config->relay_listen))
        doctor_say(d, FINDING_ERROR, "sockets", "nobody accepts at relay_listen, %s: %s", d->config->relay_listen,
                   strerror(errno));
    else if (d->relay)
        doctor_say(d, FINDING_OK, "sockets", "the relay accepts at %s", d->config->relay_listen);
}

static void
check_store(struct doctor *d)
{
    struct db *db;
    enum err e;

    if (access(d->config->database, F_OK) != 0) {
        doctor_say(d, FINDING_ERROR, "database", "%s: %s; run: confabctl init", d->config->database, strerror(errno));
        return;
    }
    if ((e = ctl_open(d->ctl, DB_ANY_VERSION, &db)) != ERR_OK) {
        doctor_say(d, FINDING_ERROR, "database", "%s cannot be opened: %s; the line above says why", d->config->database,
                   err_text(e));
        return;
    }
    doctor_say(d, FINDING_OK, "database", "%s", d->config->database);
    if (check_schema(d, db)) {
        check_journal(d, db);
        check_clock(d, db);
        check_relays(d, db);
    }
    db_close(db);
}

/* ---- the command ---- */

int
ctl_doctor(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        { "url", required_argument, NULL, 'u' },
        { 0 }
    };
    struct doctor d = { .ctl = ctl, .arena = ctl->arena, .config = ctl->config };
    const char *url = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c != 'u')
            return CTL_USAGE;
        url = optarg;
    }
    if (optind != argc)
        return CTL_USAGE;
    setvbuf(stdout, NULL, _IOLBF, 0);       /* in order with what the log says */
    check_settings(&d);
    if (config_has_chat(d.config)) {
        check_secrets(&d);
        if (doctor_state(&d))
            check_store(&d);
        if (url != NULL)
            doctor_url(&d, url);
    }
    return d.worst == FINDING_ERROR;
}
