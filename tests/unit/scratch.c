/* scratch - see the header
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/db/migrate.h"
#include "tests/unit/scratch.h"

struct db *
scratch_new(char dir[SCRATCH_DIR], char path[SCRATCH_PATH])
{
    struct db *db;
    int ran;

    strcpy(dir, "/tmp/confab-unit-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, SCRATCH_PATH, "%s/c.db", dir);
    assert_int_equal(db_open(path, DB_CREATE | DB_ANY_VERSION, 1000, &db), ERR_OK);
    assert_int_equal(migrate_run(db, &ran), ERR_OK);
    return db;
}

void
scratch_remove(const char *dir)
{
    char command[128];

    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}
