/* test_migrate - a database of an earlier version is brought to this one with all that is in it
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

#include "schema/embedded.h"
#include "shared/chat/op_room.h"
#include "shared/db/driver.h"
#include "shared/db/migrate.h"
#include "shared/log.h"
#include "tests/unit/scratch.h"

struct world {
    char dir[SCRATCH_DIR], path[SCRATCH_PATH];
    struct config config;
    struct arena *arena;
    struct op op;
};

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    strcpy(w->dir, "/tmp/confab-unit-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof w->path, "%s/c.db", w->dir);
    w->config = (struct config){ .run = w->dir, .log_keep_s = 3600, .log_keep_events = 1000,
                                 .idempotency_keep_s = 3600 };
    w->arena = arena_new();
    w->op = (struct op){ .arena = w->arena, .config = &w->config, .system = &chat_mtchat,
                         .now_ms = 1700000000000 };
    *state = w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    db_close(w->op.db);
    arena_free(w->arena);
    scratch_remove(w->dir);
    free(w);
    return 0;
}

/* The database as the first version made it. */
static void
open_first(struct world *w)
{
    assert_int_equal(db_open(w->path, DB_CREATE | DB_ANY_VERSION, 1000, &w->op.db), ERR_OK);
    assert_int_equal(db_exec(w->op.db, migration_text[0]), ERR_OK);
    assert_int_equal(db_exec(w->op.db, "PRAGMA user_version = 1"), ERR_OK);
}

static void
the_first_version_is_migrated_with_its_rows(void **state)
{
    struct world *w = *state;
    const struct member_new members[] = { { .user = "a" }, { .user = "b" } };
    struct conversation_new in = { .members = members, .n_members = 2 };
    struct message_new said = { .content = "kept" };
    struct message_page page;
    struct conversation c;
    struct entry e;
    int version, ran;

    open_first(w);
    assert_int_equal(op_conversation_create(&w->op, &in, &c), ERR_OK);
    assert_int_equal(op_message_send(&w->op, "a", &c.uid, &said, ERR_OK, &e), ERR_OK);
    assert_int_equal(migrate_run(w->op.db, &ran), ERR_OK);
    assert_int_equal(ran, migrate_wanted() - 1);
    assert_int_equal(migrate_version(w->op.db, &version), ERR_OK);
    assert_int_equal(version, migrate_wanted());
    assert_int_equal(migrate_run(w->op.db, &ran), ERR_OK);
    assert_int_equal(ran, 0);
    db_close(w->op.db);
    assert_int_equal(db_open(w->path, DB_OPEN, 1000, &w->op.db), ERR_OK);
    assert_int_equal(op_message_page(&w->op, "b", &c.uid, PAGE_LATEST, NULL, 10, &page), ERR_OK);
    assert_int_equal(page.n, 2);
    assert_string_equal(page.entries[1].content, "kept");
    assert_int_equal(op_message_send(&w->op, "b", &c.uid, &said, ERR_OK, &e), ERR_OK);
}

static void
until_then_nothing_serves_from_it(void **state)
{
    struct world *w = *state;
    struct db *db;

    open_first(w);
    assert_int_equal(db_open(w->path, DB_OPEN, 1000, &db), ERR_OLD_SCHEMA);
}

static void
a_newer_one_is_left_alone(void **state)
{
    struct world *w = *state;
    int ran;

    open_first(w);
    assert_int_equal(migrate_run(w->op.db, &ran), ERR_OK);
    assert_int_equal(db_exec(w->op.db, "PRAGMA user_version = 99"), ERR_OK);
    assert_int_equal(migrate_run(w->op.db, &ran), ERR_OLD_SCHEMA);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(the_first_version_is_migrated_with_its_rows),
        T(until_then_nothing_serves_from_it),
        T(a_newer_one_is_left_alone),
    };

    log_setup("test_migrate", LOG_LEVEL_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
