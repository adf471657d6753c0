/* driver - what migrate.c needs of the driver beyond named queries
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_DB_DRIVER_H
#define SHARED_DB_DRIVER_H

#include "shared/db/db.h"

/* The schema it was opened with. */
const struct db_schema *db_schema(const struct db *db);

/* Runs statements that are not named queries: steps of the schema. */
enum err db_exec(struct db *db, const char *sql);

/* One integer that a pragma answers. */
enum err db_pragma_int(struct db *db, const char *pragma, int64_t *value_r);

#endif
