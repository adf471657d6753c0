/* embedded - the SQL of schema/, as text in the program
 *
 * Made at build by schema/embed.awk: `enum query` (queries.h), `enum history_query` and the arrays
 * below. Each array has a NULL behind its last text.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SCHEMA_EMBEDDED_H
#define SCHEMA_EMBEDDED_H

#include "schema/history_queries.h"
#include "schema/queries.h"

/* The statement of a query, without its final semicolon, and its name for logs. */
extern const char *const query_text[Q_COUNT + 1];
extern const char *const query_name[Q_COUNT + 1];

/* The steps of the schema, oldest first. */
extern const char *const migration_text[];
extern const int migration_count;

/* The same of the push server's histories. */
extern const char *const history_query_text[HISTORY_Q_COUNT + 1];
extern const char *const history_query_name[HISTORY_Q_COUNT + 1];
extern const char *const history_migration_text[];
extern const int history_migration_count;

#endif
