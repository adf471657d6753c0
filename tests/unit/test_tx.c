/* test_tx - the write protocol: locks, numbers, the push after the commit, pruning on the way
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/chat/op.h"
#include "shared/chat/tx.h"
#include "shared/db/driver.h"
#include "shared/db/migrate.h"
#include "shared/db/writer_lock.h"

#define PATIENCE_MS 5000

/* A database, and a bus with one relay on it. */
struct world {
    char dir[64], path[80], endpoint[96];
    struct config config;
    struct db *db;
    struct arena *arena;
    struct op op;
    struct bus_receiver *bus;
    uint8_t key[EVENT_KEY_SIZE];
};

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    int ran;

    strcpy(w->dir, "/tmp/confab-tx-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof w->path, "%s/c.db", w->dir);
    snprintf(w->endpoint, sizeof w->endpoint, "ipc://%s/bus", w->dir);
    w->config = (struct config){
        .log_keep_s = 3600, .log_keep_events = 100000, .idempotency_keep_s = 3600,
        .lease_ms = 1000, .presence_restart_grace_ms = 500,
    };
    assert_int_equal(db_open(w->path, DB_CREATE | DB_ANY_VERSION, 1000, &w->db), ERR_OK);
    assert_int_equal(migrate_run(w->db, &ran), ERR_OK);
    w->arena = arena_new();
    w->op = (struct op){.db = w->db, .arena = w->arena, .config = &w->config,
                        .system = &chat_mtchat, .now_ms = 1700000000000};
    assert_int_equal(op_bus_key(&w->op, w->key), ERR_OK);
    w->bus = bus_receiver_new(w->endpoint, 1000, 1 << 20);
    assert_non_null(w->bus);
    w->op.bus = bus_sender_new(1000);
    *state = w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;
    char command[128];

    bus_sender_free(w->op.bus, 0);
    bus_receiver_free(w->bus);
    db_close(w->db);
    arena_free(w->arena);
    snprintf(command, sizeof command, "rm -r %s", w->dir);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

/* One transaction of n events on a channel that is named. */
static enum err
tell(struct world *w, const char *channel, int n)
{
    struct notice notice = {.kind = EVENT_READ, .user = "a"};

    assert_int_equal(tx_begin(&w->op), ERR_OK);
    for (int i = 0; i < n; i++)
        tx_event_on(&w->op, &notice, channel);
    return tx_end(&w->op, ERR_OK);
}

static struct event
next_push(struct world *w)
{
    struct pollfd fd = {bus_receiver_fd(w->bus), POLLIN, 0};
    struct event e;
    const void *p;
    size_t len;

    while (bus_receive(w->bus, &p, &len) != ERR_OK)
        assert_true(poll(&fd, 1, PATIENCE_MS) > 0);
    assert_int_equal(event_message_read(w->arena, p, len, w->key, &e), ERR_OK);
    return e;
}

static int64_t
number(struct world *w, const char *sql)
{
    int64_t n = -1;

    assert_int_equal(db_pragma_int(w->db, sql, &n), ERR_OK);
    return n;
}

/* ---- locks ---- */

static void
a_writer_waits_in_line_though_the_database_is_free(void **state)
{
    struct world *w = *state;
    struct writer_lock *line = writer_lock_open(w->path);
    struct db *other;

    assert_non_null(line);
    assert_int_equal(writer_lock_take(line, 0), ERR_OK);
    assert_int_equal(db_open(w->path, DB_OPEN, 30, &other), ERR_OK);
    assert_int_equal(db_begin_write(other), ERR_BUSY);
    writer_lock_give(line);
    assert_int_equal(db_begin_write(other), ERR_OK);
    db_end(other, ERR_OK);
    db_close(other);
    writer_lock_close(line);
}

/* Whoever does not know of the line, such as an operator's shell, is kept out from the beginning. */
static void
nobody_writes_beside_a_writer(void **state)
{
    struct world *w = *state;
    struct db *other;

    assert_int_equal(db_open(w->path, DB_OPEN, 30, &other), ERR_OK);
    assert_int_equal(db_begin_write(w->db), ERR_OK);
    assert_int_equal(db_exec(other, "BEGIN IMMEDIATE"), ERR_BUSY);
    db_end(w->db, ERR_OK);
    assert_int_equal(db_exec(other, "BEGIN IMMEDIATE"), ERR_OK);
    assert_int_equal(db_exec(other, "ROLLBACK"), ERR_OK);
    db_close(other);
}

/* ---- the push ---- */

static void
pushes_come_in_order(void **state)
{
    struct world *w = *state;
    int64_t first;

    assert_int_equal(op_relay_start(&w->op, "r", "run", w->endpoint), ERR_OK);
    assert_int_equal(tell(w, "dialog:x", 3), ERR_OK);
    first = next_push(w).seq;
    assert_int_equal(next_push(w).seq, first + 1);
    assert_int_equal(next_push(w).seq, first + 2);
}

/* A COMMIT that fails: its numbers are given to somebody else, so nobody may have heard of them. */
static void
nothing_is_pushed_before_it_is_committed(void **state)
{
    struct world *w = *state;
    struct event e;

    assert_int_equal(op_relay_start(&w->op, "r", "run", w->endpoint), ERR_OK);
    assert_int_equal(db_exec(w->db, "CREATE TABLE p (id INTEGER PRIMARY KEY);"
        "CREATE TABLE c (p REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED);"
        "CREATE TRIGGER t AFTER INSERT ON event BEGIN INSERT INTO c VALUES (1); END"), ERR_OK);
    assert_int_not_equal(tell(w, "dialog:lost", 1), ERR_OK);
    assert_false(db_in_transaction(w->db));
    assert_int_equal(db_exec(w->db, "DROP TRIGGER t"), ERR_OK);
    assert_int_equal(tell(w, "dialog:kept", 1), ERR_OK);
    e = next_push(w);
    assert_int_equal(e.n_channels, 1);
    assert_string_equal(e.channels[0], "dialog:kept");
}

static void
a_relay_whose_lease_is_over_gets_no_pushes(void **state)
{
    struct world *w = *state;
    bool lost;

    assert_int_equal(op_relay_start(&w->op, "r", "run", w->endpoint), ERR_OK);
    w->op.now_ms += w->config.lease_ms + 1;
    assert_int_equal(tell(w, "dialog:unheard", 1), ERR_OK);
    assert_int_equal(op_relay_renew(&w->op, "r", "run", w->endpoint, &lost), ERR_OK);
    assert_true(lost);
    assert_int_equal(tell(w, "dialog:heard", 1), ERR_OK);
    assert_string_equal(next_push(w).channels[0], "dialog:heard");
}

/* ---- pruning ---- */

static void
writers_prune_on_their_way(void **state)
{
    struct world *w = *state;

    w->config.log_keep_events = 10;
    for (int i = 0; i < 26; i++)
        assert_int_equal(tell(w, "dialog:x", 10), ERR_OK);
    assert_in_range(number(w, "SELECT count(*) FROM event"), 10, 30);
    assert_in_range(number(w, "SELECT count(*) FROM event_channel"), 10, 30);
    assert_int_equal(number(w, "SELECT floor + 1 FROM log_state"),
                     number(w, "SELECT min(seq) FROM event"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_writer_waits_in_line_though_the_database_is_free),
        T(nobody_writes_beside_a_writer),
        T(pushes_come_in_order),
        T(nothing_is_pushed_before_it_is_committed),
        T(a_relay_whose_lease_is_over_gets_no_pushes),
        T(writers_prune_on_their_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
