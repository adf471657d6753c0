/* op_world - a database, a dialog of three, and what one says, sees and hears there
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_OP_WORLD_H
#define TESTS_UNIT_OP_WORLD_H

#include "shared/chat/op.h"
#include "shared/chat/tx.h"
#include "tests/unit/scratch.h"

/* One database and what every test says about it. */
struct world {
    char dir[SCRATCH_DIR], path[SCRATCH_PATH];
    struct config config;
    struct db *db;
    struct arena *arena;
    struct fail fail;
    struct op op;
    struct id dialog;
};

extern const struct scope_lists acme, acme_and_more, nothing;

/* cmocka's. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* A dialog of a, b and c with one scope. */
void make_dialog(struct world *w);

/* What one says, sees and hears of it; each has to succeed. */
struct entry say(struct world *w, const char *user, const char *content);
struct conversation_view view(struct world *w, const char *user);
struct sync_page heard(struct world *w, const char *user, int64_t since);

#endif
