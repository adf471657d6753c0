/* test_op_log - the log and its ends: pruning, restoring, pages, writers that fail
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
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/op_world.h"

/* ---- the log ---- */

static void
pruning_moves_the_floor_and_old_cursors_reload(void **state)
{
    struct world *w = *state;
    int64_t since, head;
    bool more;

    make_dialog(w);
    since = heard(w, "a", -1).seq;
    for (int i = 0; i < 20; i++)
        say(w, "a", "x");
    w->config.log_keep_events = 10;
    assert_int_equal(op_prune(&w->op, &more), ERR_OK);
    head = heard(w, "a", -1).seq;
    assert_true(heard(w, "a", since).reload);
    assert_false(heard(w, "a", head - 10).reload);
    assert_true(heard(w, "a", head - 11).reload);
    assert_int_equal(heard(w, "a", head - 10).n, 10);
    assert_true(heard(w, "a", head + 1).reload);
}

static void
restoring_makes_every_old_cursor_reload(void **state)
{
    struct world *w = *state;
    int64_t head;

    make_dialog(w);
    head = heard(w, "a", -1).seq;
    assert_int_equal(op_log_restored(&w->op), ERR_OK);
    assert_true(heard(w, "a", head).reload);
    assert_true(heard(w, "a", -1).seq > head + INT64_C(4000000000));
    say(w, "a", "after");
    assert_int_equal(heard(w, "b", heard(w, "a", -1).seq - 1).n, 1);
}

static void
sync_pages_end_where_they_are_full(void **state)
{
    struct world *w = *state;
    struct notice n = {.kind = EVENT_READ, .user = "x"};
    struct sync_page page;
    int64_t since;

    make_dialog(w);
    since = heard(w, "b", -1).seq;
    for (int i = 0; i < 5; i++)
        say(w, "a", "x");
    assert_int_equal(tx_begin(&w->op), ERR_OK);
    tx_event_on(&w->op, &n, "dialog:x");
    assert_int_equal(tx_end(&w->op, ERR_OK), ERR_OK);
    assert_int_equal(op_sync(&w->op, "b", since, 3, &page), ERR_OK);
    assert_int_equal(page.n, 3);
    assert_true(page.more);
    assert_true(page.seq == page.events[2].seq);
    assert_int_equal(op_sync(&w->op, "b", page.seq, 3, &page), ERR_OK);
    assert_int_equal(page.n, 2);
    assert_false(page.more);
    assert_true(page.seq == page.events[1].seq + 1);    /* head: what others heard is behind him */
}

static void
what_goes_to_a_system_is_heard_by_all_of_it(void **state)
{
    struct world *w = *state;
    struct notice n = {.kind = EVENT_READ, .user = "x"};
    int64_t since = heard(w, "anybody", -1).seq;

    assert_int_equal(tx_begin(&w->op), ERR_OK);
    tx_event_on(&w->op, &n, "system:mtchat");
    tx_event_on(&w->op, &n, "system:other");
    assert_int_equal(tx_end(&w->op, ERR_OK), ERR_OK);
    assert_int_equal(heard(w, "anybody", since).n, 1);
}

/* Replays go through the log bit by bit. */
static void
what_others_heard_lies_between(void **state)
{
    struct world *w = *state;
    struct notice n = {.kind = EVENT_READ, .user = "x"};
    struct sync_page page;
    int64_t since;

    make_dialog(w);
    since = heard(w, "b", -1).seq;
    say(w, "a", "x");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tx_begin(&w->op), ERR_OK);
        for (int j = 0; j < 5000; j++)
            tx_event_on(&w->op, &n, "dialog:x");
        assert_int_equal(tx_end(&w->op, ERR_OK), ERR_OK);
        say(w, "a", "x");
    }
    page = heard(w, "b", since);
    assert_int_equal(page.n, 4);
    assert_true(page.seq == page.events[3].seq);
    for (size_t i = 1; i < page.n; i++)
        assert_true(page.events[i - 1].seq + 5000 < page.events[i].seq);
    assert_int_equal(heard(w, "x", since).n, 0);
}

static void
a_failed_transaction_takes_no_number(void **state)
{
    struct world *w = *state;
    struct notice n = {.kind = EVENT_READ, .user = "a"};
    int64_t head;

    make_dialog(w);
    head = heard(w, "a", -1).seq;
    assert_int_equal(tx_begin(&w->op), ERR_OK);
    tx_event_on(&w->op, &n, "dialog:x");
    assert_int_equal(tx_end(&w->op, ERR_LIMIT), ERR_LIMIT);
    assert_int_equal(heard(w, "a", -1).seq, head);
    assert_false(db_in_transaction(w->db));
}

/* As plain CGI does it: each opens the database, writes, and closes it as the last. */
static void
the_write_ahead_log_of_short_lived_writers_stays_short(void **state)
{
    struct world *w = *state;
    char wal[96];
    struct stat st;

    make_dialog(w);
    db_close(w->db);
    snprintf(wal, sizeof wal, "%s-wal", w->path);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(db_open(w->path, DB_SHORT, 1000, &w->db), ERR_OK);
        w->op.db = w->db;
        say(w, "a", "x");
        db_close(w->db);
        assert_true(stat(wal, &st) != 0 || st.st_size < 512 * 1024);
    }
    assert_int_equal(db_open(w->path, DB_OPEN, 1000, &w->db), ERR_OK);
}

static void
a_writer_waits_no_longer_than_it_was_told(void **state)
{
    struct world *w = *state;
    struct db *other;

    assert_int_equal(db_open(w->path, DB_OPEN, 30, &other), ERR_OK);
    assert_int_equal(db_begin_write(w->db), ERR_OK);
    assert_int_equal(db_begin_write(other), ERR_BUSY);
    assert_int_equal(db_end(w->db, ERR_OK), ERR_OK);
    assert_int_equal(db_begin_write(other), ERR_OK);
    db_end(other, ERR_BUSY);
    db_close(other);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(pruning_moves_the_floor_and_old_cursors_reload),
        T(restoring_makes_every_old_cursor_reload),
        T(sync_pages_end_where_they_are_full),
        T(what_goes_to_a_system_is_heard_by_all_of_it),
        T(what_others_heard_lies_between),
        T(a_failed_transaction_takes_no_number),
        T(the_write_ahead_log_of_short_lived_writers_stays_short),
        T(a_writer_waits_no_longer_than_it_was_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
