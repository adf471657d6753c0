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

#include "shared/log.h"
#include "shared/sbuf.h"

#define CONFIG_TEXT_MAX (1 << 20)
#define SECONDS_MAX     (100LL * 365 * 24 * 60 * 60)

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

bool
ctl_seconds(const char *text, int64_t *seconds_r)
{
    char *end;
    long long v;

    errno = 0;
    v = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || v < 1 || v > SECONDS_MAX)
        return false;
    *seconds_r = v;
    return true;
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
#ifndef CONFAB_WITHOUT_SQLITE
    return ctl_check_passwords(ctl->config);
#else
    return 0;
#endif
}

static const struct command commands[] = {
#ifndef CONFAB_WITHOUT_SQLITE
    { "init", "[--secrets]",
      "Make the state and run directories and the database, where missing, and migrate it.\n"
      "--secrets: also make jwt_secret, admin_token and rooms_jwt_secret in the state directory,\n"
      "where missing.",
      ctl_init },
    { "migrate", "", "Bring the database to the schema of this version.", ctl_migrate },
    { "doctor", "[--url URL]",
      "Look whether this installation can work, a line a check: ok, warning or error, and what to do.\n"
      "--url: also ask what answers there, as a browser would; needs curl. Status 1: there were errors.",
      ctl_doctor },
    { "token", "--user ID [--expires SECONDS]",
      "Print a token for that user, signed as the settings say; good for 12 hours by default.",
      ctl_token },
    { "routes", "", "Print every path of the API, its method and who may use it.", ctl_routes },
    { "prune", "", "Remove all of the event log and of used keys that is over its age or number.",
      ctl_prune },
    { "restored", "",
      "To be run once after a backup of the database was put back and before anything serves it:\n"
      "clients that heard of newer events then load anew instead of missing what comes.",
      ctl_restored },
    { "rooms-user", "--email E (--active yes|no | --erase)",
      "Let a registered user of the rooms system in again or shut him out, his sockets and runners with\n"
      "him; or remove him and all that is his.",
      ctl_rooms_user },
#endif
    { "push-key", "", "Print 256 random bits in hexadecimal, for push_api_key or push_token_secret.",
      ctl_push_key },
    { "push-token", "--user ID [--channel CHANNEL] [--expires SECONDS] [--info JSON]",
      "Print a token of that user for the push server, signed with push_token_secret: for connecting, or\n"
      "for subscribing to the channel. Good for 12 hours by default. --user '' is the anonymous user.",
      ctl_push_token },
    { "push-tail", "--channel CHANNEL | --user ID [--url http://HOST:PORT]",
      "Print what happens in that channel of the push server, or to that user, a line of JSON each, until\n"
      "interrupted. Asks where push_api_listen is unless told otherwise, with push_api_key.",
      ctl_push_tail },
    { "config", "[--help-text]",
      "Print every setting as it stands, secrets hidden. --help-text: with what each means.",
      run_config },
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
