/* scratch - a folder of the test's own with a migrated database in it
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include "shared/db/db.h"

#define SCRATCH_DIR 64          /* bytes of a folder's name */
#define SCRATCH_PATH 80         /* bytes of a file's name in it */

/* Makes both; dir and path are told. The handle is the caller's to db_close. A failure fails the test. */
struct db *scratch_new(char dir[SCRATCH_DIR], char path[SCRATCH_PATH]);

/* Removes the folder and all in it. */
void scratch_remove(const char *dir);

#endif
