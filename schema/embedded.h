/* embedded - the SQL of schema/, as text in the program
 *
 * Made at build by schema/embed.awk: `enum query` (queries.h) and the arrays below. Each array has
 * a NULL behind its last text.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SCHEMA_EMBEDDED_H
#define SCHEMA_EMBEDDED_H

#include "schema/queries.h"

/* The statement of a query, without its final semicolon, and its name for logs. */
extern const char *const query_text[Q_COUNT + 1];
extern const char *const query_name[Q_COUNT + 1];

/* The steps of the schema, oldest first. */
extern const char *const migration_text[];
extern const int migration_count;

#endif
