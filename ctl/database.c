/* database - upkeep of the database: migrate, prune, restored
 *
 * SPDX-License-Identifier: MIT
 */
#include "ctl/ctl.h"

#include <stdio.h>

#include "shared/chat/op.h"
#include "shared/db/migrate.h"
#include "shared/when.h"

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

int
ctl_migrate(struct ctl *ctl, int argc, char **argv)
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

/* Opens the database and fills op for one piece of upkeep. */
static enum err
begin_upkeep(struct ctl *ctl, struct op *op, struct fail *fail)
{
    *op = (struct op){ .arena = ctl->arena, .config = ctl->config, .system = &chat_mtchat,
                       .now_ms = when_now_ms(), .fail = fail };
    return ctl_open(ctl, DB_OPEN, &op->db);
}

int
ctl_prune(struct ctl *ctl, int argc, char **argv)
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

int
ctl_restored(struct ctl *ctl, int argc, char **argv)
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
