/* schema - what is in the files this program opens
 *
 * SPDX-License-Identifier: MIT
 */
#include "schema/embedded.h"
#include "shared/db/db.h"

const struct db_schema db_schema_chat = {
    .query_text = query_text,
    .query_name = query_name,
    .n_queries = Q_COUNT,
    .step_text = migration_text,
    .n_steps = &migration_count,
};

const struct db_schema db_schema_history = {
    .query_text = history_query_text,
    .query_name = history_query_name,
    .n_queries = HISTORY_Q_COUNT,
    .step_text = history_migration_text,
    .n_steps = &history_migration_count,
};
