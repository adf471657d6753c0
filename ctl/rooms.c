/* rooms - what the operator does with people of the rooms system, and with what their passwords cost
 *
 * SPDX-License-Identifier: MIT
 */
#include "ctl/ctl.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/chat/account.h"
#include "shared/when.h"

enum verb { NOTHING, ACTIVATE, DEACTIVATE, ERASE };

static int
change_user(struct ctl *ctl, const char *email, enum verb verb)
{
    struct fail fail = { 0 };
    struct op op = { .arena = ctl->arena, .config = ctl->config, .system = &chat_rooms,
                     .now_ms = when_now_ms(), .fail = &fail };
    enum err e;

    if ((e = ctl_open(ctl, DB_OPEN, &op.db)) != ERR_OK)
        return ctl_fail_err(ctl->config->database, e, NULL);
    email = account_email(ctl->arena, email);
    e = verb == ERASE ? op_account_erase(&op, email)
                      : op_account_activate(&op, email, verb == ACTIVATE);
    db_close(op.db);
    return e == ERR_OK ? 0 : ctl_fail_err("rooms-user", e, &fail);
}

int
ctl_rooms_user(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        { "email", required_argument, NULL, 'm' },
        { "active", required_argument, NULL, 'a' },
        { "erase", no_argument, NULL, 'e' },
        { 0 }
    };
    const char *email = NULL;
    enum verb verb = NOTHING, asked;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'm') {
            email = optarg;
            continue;
        }
        if (c == 'e')
            asked = ERASE;
        else if (c == 'a' && strcmp(optarg, "yes") == 0)
            asked = ACTIVATE;
        else if (c == 'a' && strcmp(optarg, "no") == 0)
            asked = DEACTIVATE;
        else
            return CTL_USAGE;
        if (verb != NOTHING)
            return CTL_USAGE;
        verb = asked;
    }
    if (optind != argc || email == NULL || verb == NOTHING)
        return CTL_USAGE;
    return change_user(ctl, email, verb);
}

int
ctl_check_passwords(const struct config *c)
{
    int64_t wanted_kib = c->rooms_password_memory_kib * c->rooms_password_processes;
    int64_t have_kib = (int64_t)sysconf(_SC_PHYS_PAGES) / 1024 * sysconf(_SC_PAGESIZE);

    if (!config_serves(c, "rooms") || wanted_kib <= have_kib / 2)
        return 0;
    return ctl_fail("rooms_password_memory_kib times rooms_password_processes is %lld MiB, more than "
                    "half of this machine's %lld MiB", (long long)(wanted_kib / 1024),
                    (long long)(have_kib / 1024));
}
