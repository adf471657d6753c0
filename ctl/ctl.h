/* ctl - what the subcommands of confabctl share
 *
 * A subcommand gets the arguments behind its name (argv[0] is the name) and returns the exit
 * status: 0, 1 for a failure that it has explained, CTL_USAGE for arguments that make no sense
 * (main then shows the usage).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "shared/arena.h"
#include "shared/config.h"
#include "shared/err.h"

#define CTL_USAGE 2

struct ctl {
    struct arena *arena;
    const struct config *config;
};

/* Says on standard error what went wrong and returns 1. */
int ctl_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ctl_fail for an error code and what was being done: "migrate: try again shortly". */
int ctl_fail_err(const char *doing, enum err e, const struct fail *fail);

/* A number of seconds, from 1 to a hundred years. */
bool ctl_seconds(const char *text, int64_t *seconds_r);

/* Connects to where a relay listens: "unix:PATH", "HOST:PORT", "[IPV6]:PORT" or ":PORT". -1 and errno. */
int ctl_dial(const struct ctl *ctl, const char *where);

struct db;

/* Opens the configured database; mode is of enum db_mode. */
enum err ctl_open(struct ctl *ctl, unsigned mode, struct db **db_r);

/* Runs the migrations that are missing and says which. */
int ctl_migrate_to_now(struct db *db);

/* The subcommands, of the chat alone: a build without a database has none of them. */
int ctl_doctor(struct ctl *ctl, int argc, char **argv);
int ctl_init(struct ctl *ctl, int argc, char **argv);
int ctl_migrate(struct ctl *ctl, int argc, char **argv);
int ctl_prune(struct ctl *ctl, int argc, char **argv);
int ctl_restored(struct ctl *ctl, int argc, char **argv);
int ctl_rooms_user(struct ctl *ctl, int argc, char **argv);
int ctl_routes(struct ctl *ctl, int argc, char **argv);
int ctl_token(struct ctl *ctl, int argc, char **argv);

/* 0, or 1 when hashing passwords may take more memory than is there, having said so. */
int ctl_check_passwords(const struct config *c);

/* The subcommands of the push server. */
int ctl_push_key(struct ctl *ctl, int argc, char **argv);
int ctl_push_tail(struct ctl *ctl, int argc, char **argv);
int ctl_push_token(struct ctl *ctl, int argc, char **argv);

#endif
