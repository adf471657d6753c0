/* migrate - the schema's steps, embedded at build from schema/NNNN_*.sql
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_DB_MIGRATE_H
#define SHARED_DB_MIGRATE_H

#include "shared/db/db.h"

/* The version of the chat's database this program works with: the number of steps. */
int migrate_wanted(void);

/* The database's version now. */
enum err migrate_version(struct db *db, int *version_r);

/* Runs the steps that are missing, each in a transaction of its own. *ran_r: how many. A
 * database newer than the program is ERR_OLD_SCHEMA. */
enum err migrate_run(struct db *db, int *ran_r);

#endif
