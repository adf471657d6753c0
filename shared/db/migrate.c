/* migrate - runs the steps of the schema that a database lacks
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/db/migrate.h"

#include <stdio.h>

#include "shared/db/driver.h"
#include "shared/log.h"

int
migrate_wanted(void)
{
    return *db_schema_chat.n_steps;
}

enum err
migrate_version(struct db *db, int *version_r)
{
    int64_t v = 0;
    enum err e = db_pragma_int(db, "PRAGMA user_version", &v);

    *version_r = (int)v;
    return e;
}

/* The version is read again under the writer lock: two migrations may race. */
static enum err
run_step(struct db *db, int step, bool *ran_r)
{
    char count[64];
    int version;
    enum err e = db_begin_write(db);

    if (e != ERR_OK)
        return e;
    *ran_r = false;
    if ((e = migrate_version(db, &version)) == ERR_OK && version == step) {
        snprintf(count, sizeof count, "PRAGMA user_version = %d", step + 1);
        if ((e = db_exec(db, db_schema(db)->step_text[step])) == ERR_OK)
            e = db_exec(db, count);
        *ran_r = e == ERR_OK;
    }
    return db_end(db, e);
}

enum err
migrate_run(struct db *db, int *ran_r)
{
    int version, wanted = *db_schema(db)->n_steps;
    bool ran;
    enum err e = migrate_version(db, &version);

    *ran_r = 0;
    if (e != ERR_OK)
        return e;
    if (version > wanted) {
        log_event(LOG_LEVEL_ERROR, "schema", "database", log_number(version), "program",
                  log_number(wanted), NULL);
        return ERR_OLD_SCHEMA;
    }
    for (int step = version; step < wanted; step++) {
        if ((e = run_step(db, step, &ran)) != ERR_OK)
            return e;
        *ran_r += ran;
    }
    return ERR_OK;
}
