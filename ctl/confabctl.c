/* confabctl - the operator's tool
 *
 * Finds the subcommand in the table below, loads the settings and hands over. Exit
 * status: 0, 1 when something failed, 2 for usage.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/chat/op.h"
#include "shared/db/migrate.h"
#include "shared/log.h"
#include "shared/sbuf.h"
#include "shared/when.h"

#define CONFIG_TEXT_MAX (1 << 20)

struct command {
    const char *name;
    const char *arguments;
    const char *help;
    int (*run)(struct ctl *ctl, int argc, char **argv);
};

int
ctl_fail(const char *format, ...)
{
    va_list ap;

    fputs("confabctl: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    return 1;
}

int
ctl_fail_err(const char *doing, enum err e, const struct fail *fail)
{
    bool explained = fail != NULL && fail->why[0] != '\0';

    return ctl_fail("%s: %s", doing, explained ? fail->why : err_text(e));
}

enum err
ctl_open(struct ctl *ctl, unsigned mode, struct db **db_r)
{
    return db_open(ctl->config->database, mode, (int)ctl->config->write_wait_ms, db_r);
}

int
ctl_migrate_to_now(struct db *db)
{
    enum err e;
    int ran = 0;

    if ((e = migrate_run(db, &ran)) != ERR_OK)
        return ctl_fail_err("migrate", e, NULL);
    printf("schema version %d, %d step%s run\n", migrate_wanted(), ran, ran == 1 ? "" : "s");
    return 0;
}

static int
run_migrate(struct ctl *ctl, int argc, char **argv)
{
    struct db *db;
    enum err e;
    int status;

    (void)argv;
    if (argc != 1)
        return CTL_USAGE;
    if ((e = ctl_open(ctl, DB_ANY_VERSION, &db)) != ERR_OK)
        return ctl_fail_err(ctl->config->database, e, NULL);
    status = ctl_migrate_to_now(db);
    db_close(db);
    return status;
}

static int
run_config(struct ctl *ctl, int argc, char **argv)
{
    struct sbuf out;
    bool help = argc == 2 && strcmp(argv[1], "--help-text") == 0;

    if (argc != 1 && !help)
        return CTL_USAGE;
    sbuf_init(&out, CONFIG_TEXT_MAX);
    config_print(ctl->config, &out, help);
    fputs(sbuf_str(&out), stdout);
    sbuf_fini(&out);
    return 0;
}

/* Routes belong to the request handler, which this tool is not linked with. The one of the same
 * build comes first, so that a checkout shows its own. */
static int
run_routes(struct ctl *ctl, int argc, char **argv)
{
    static char installed[] = CONFAB_LIBEXEC_DIR "/confab.fcgi";
    char self[4096];
    char *sibling;
    ssize_t n;

    (void)argv;
    if (argc != 1)
        return CTL_USAGE;
    n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = '\0';
        *strrchr(self, '/') = '\0';
        sibling = arena_printf(ctl->arena, "%s/../fcgi/confab.fcgi", self);
        execl(sibling, sibling, "--routes", (char *)NULL);
    }
    execl(installed, installed, "--routes", (char *)NULL);
    return ctl_fail("%s: %s", installed, strerror(errno));
}

/* Opens the database and fills op for one piece of upkeep. */
static enum err
begin_upkeep(struct ctl *ctl, struct op *op, struct fail *fail)
{
    *op = (struct op){ .arena = ctl->arena, .config = ctl->config, .system = &chat_mtchat,
                       .now_ms = when_now_ms(), .fail = fail };
    return ctl_open(ctl, DB_OPEN, &op->db);
}

static int
run_prune(struct ctl *ctl, int argc, char **argv)
{
    struct fail fail = { 0 };
    struct op op;
    bool more = true;
    enum err e;

    (void)argv;
    if (argc != 1)
        return CTL_USAGE;
    if ((e = begin_upkeep(ctl, &op, &fail)) != ERR_OK)
        return ctl_fail_err(ctl->config->database, e, NULL);
    while (e == ERR_OK && more)
        e = op_prune(&op, &more);
    db_close(op.db);
    return e == ERR_OK ? 0 : ctl_fail_err("prune", e, &fail);
}

static int
run_restored(struct ctl *ctl, int argc, char **argv)
{
    struct fail fail = { 0 };
    struct op op;
    enum err e;

    (void)argv;
    if (argc != 1)
        return CTL_USAGE;
    if ((e = begin_upkeep(ctl, &op, &fail)) != ERR_OK)
        return ctl_fail_err(ctl->config->database, e, NULL);
    e = op_log_restored(&op);
    db_close(op.db);
    return e == ERR_OK ? 0 : ctl_fail_err("restored", e, &fail);
}

static const struct command commands[] = {
    { "init", "[--secrets]",
      "Make the state and run directories and the database, where missing, and migrate it.\n"
      "--secrets: also make jwt_secret and admin_token in the state directory, where missing.",
      ctl_init },
    { "migrate", "", "Bring the database to the schema of this version.", run_migrate },
    { "token", "--user ID [--expires SECONDS]",
      "Print a token for that user, signed as the settings say; good for 12 hours by default.",
      ctl_token },
    { "config", "[--help-text]",
      "Print every setting as it stands, secrets hidden. --help-text: with what each means.",
      run_config },
    { "routes", "", "Print every path of the API, its method and who may use it.", run_routes },
    { "prune", "", "Remove all of the event log and of used keys that is over its age or number.",
      run_prune },
    { "restored", "",
      "To be run once after a backup of the database was put back and before anything serves it:\n"
      "clients that heard of newer events then load anew instead of missing what comes.",
      run_restored },
    { 0 }
};

static void
print_usage(FILE *to, const struct command *command)
{
    const struct command *c;

    if (command != NULL) {
        fprintf(to, "usage: confabctl %s%s%s\n%s\n", command->name,
                command->arguments[0] != '\0' ? " " : "", command->arguments, command->help);
        return;
    }
    fputs("usage: confabctl COMMAND [ARGUMENTS]\n       confabctl COMMAND --help\n\n", to);
    for (c = commands; c->name != NULL; c++)
        fprintf(to, "  %s %s\n", c->name, c->arguments);
}

static const struct command *
find_command(const char *name)
{
    const struct command *c;

    for (c = commands; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static bool
asks_for_help(const char *argument)
{
    return argument != NULL && (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0);
}

static int
run_command(const struct command *command, int argc, char **argv)
{
    struct ctl ctl = { .arena = arena_new() };
    struct fail fail = { 0 };
    enum err e;
    int status;

    if ((e = config_load(ctl.arena, &ctl.config, &fail)) != ERR_OK)
        status = ctl_fail_err("settings", e, &fail);
    else
        status = command->run(&ctl, argc, argv);
    arena_free(ctl.arena);
    if (status == CTL_USAGE)
        print_usage(stderr, command);
    return status;
}

int
main(int argc, char **argv)
{
    const struct command *command;

    log_setup("confabctl", LOG_LEVEL_WARNING, false);
    if (asks_for_help(argv[1])) {
        print_usage(stdout, NULL);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("confabctl " PACKAGE_VERSION);
        return 0;
    }
    command = argc > 1 ? find_command(argv[1]) : NULL;
    if (command == NULL) {
        print_usage(stderr, NULL);
        return CTL_USAGE;
    }
    if (asks_for_help(argv[2])) {
        print_usage(stdout, command);
        return 0;
    }
    return run_command(command, argc - 1, argv + 1);
}
