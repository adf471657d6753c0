/* test_tx - the transactions of the protocols: locks, the push after the commit, pruning on the
 * way; and reads that see one moment
 *
 * The linker puts __wrap_eventlog_state in the place of eventlog_state, so that somebody else can
 * commit the moment after a reader has learnt the head.
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
#include "shared/db/writer_lock.h"
#include "shared/eventlog.h"
#include "tests/unit/scratch.h"

#define PATIENCE_MS 5000

/* A database, and a bus with one relay on it. */
struct world {
    char dir[SCRATCH_DIR], path[SCRATCH_PATH], endpoint[96];
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

    w->db = scratch_new(w->dir, w->path);
    snprintf(w->endpoint, sizeof w->endpoint, "ipc://%s/bus", w->dir);
    w->config = (struct config){
        .log_keep_s = 3600, .log_keep_events = 100000, .idempotency_keep_s = 3600,
        .lease_ms = 1000, .presence_restart_grace_ms = 500,
    };
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

    bus_sender_free(w->op.bus, 0);
    bus_receiver_free(w->bus);
    db_close(w->db);
    arena_free(w->arena);
    scratch_remove(w->dir);
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

/* ---- one moment ---- */

static void (*in_between)(struct op *);
static struct op somebody_else;

enum err __real_eventlog_state(struct db *db, struct arena *a, int64_t *head_r, int64_t *floor_r);
enum err __wrap_eventlog_state(struct db *db, struct arena *a, int64_t *head_r, int64_t *floor_r);

enum err
__wrap_eventlog_state(struct db *db, struct arena *a, int64_t *head_r, int64_t *floor_r)
{
    void (*f)(struct op *) = in_between;
    enum err e = __real_eventlog_state(db, a, head_r, floor_r);

    in_between = NULL;
    if (f != NULL)
        f(&somebody_else);
    return e;
}

static void
operate(struct op *o, enum event_verb verb)
{
    struct notice notice = {.kind = EVENT_READ, .user = "a"};

    assert_int_equal(tx_begin(o), ERR_OK);
    tx_event_on(o, &notice, "dialog:x");
    tx_operation(o, verb, "z", "dialog:x");
    assert_int_equal(tx_end(o, ERR_OK), ERR_OK);
}

static void
z_leaves(struct op *o)
{
    operate(o, EVENT_LEAVE);
}

static void
log_is_pruned(struct op *o)
{
    bool more;

    assert_int_equal(op_prune(o, &more), ERR_OK);
}

static void
connecting_reads_head_and_audience_of_one_moment(void **state)
{
    struct world *w = *state;
    struct connect_state first, second;

    w->config.resume_max = 100;
    operate(&w->op, EVENT_JOIN);
    somebody_else = w->op;
    assert_int_equal(db_open(w->path, DB_OPEN, 1000, &somebody_else.db), ERR_OK);
    in_between = z_leaves;
    assert_int_equal(op_connect(&w->op, "z", -1, &first), ERR_OK);
    assert_null(in_between);
    assert_int_equal(first.n_channels, 1);
    assert_int_equal(op_connect(&w->op, "z", -1, &second), ERR_OK);
    assert_int_equal(second.head, first.head + 1);
    assert_int_equal(second.n_channels, 0);
    db_close(somebody_else.db);
}

static void
sync_reads_log_and_floor_of_one_moment(void **state)
{
    struct world *w = *state;
    struct sync_page page;
    int64_t since;

    operate(&w->op, EVENT_JOIN);
    since = number(w, "SELECT head FROM log_state");
    assert_int_equal(tell(w, "dialog:x", 5), ERR_OK);
    w->config.log_keep_events = 1;
    somebody_else = w->op;
    assert_int_equal(db_open(w->path, DB_OPEN, 1000, &somebody_else.db), ERR_OK);
    in_between = log_is_pruned;
    assert_int_equal(op_sync(&w->op, "z", since, 100, &page), ERR_OK);
    assert_null(in_between);
    assert_false(page.reload);
    assert_int_equal(page.n, 5);
    assert_int_equal(op_sync(&w->op, "z", since, 100, &page), ERR_OK);
    assert_true(page.reload);
    db_close(somebody_else.db);
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

static void
prune_keeping(struct world *w, int64_t events)
{
    bool more;

    w->config.log_keep_events = events;
    assert_int_equal(op_prune(&w->op, &more), ERR_OK);
}

static void
pruning_says_whether_there_is_more(void **state)
{
    struct world *w = *state;
    bool more = true;
    int turns = 0;

    assert_int_equal(tell(w, "dialog:x", 2500), ERR_OK);
    w->config.log_keep_events = 10;
    for (; more; turns++)
        assert_int_equal(op_prune(&w->op, &more), ERR_OK);
    assert_int_equal(turns, 3);
    assert_int_equal(number(w, "SELECT count(*) FROM event"), 10);
}

static void
a_closed_span_lives_as_long_as_it_covers_something(void **state)
{
    struct world *w = *state;
    struct sync_page page;
    int64_t left;

    assert_int_equal(tell(w, "dialog:x", 1), ERR_OK);
    operate(&w->op, EVENT_JOIN);
    assert_int_equal(tell(w, "dialog:x", 3), ERR_OK);
    assert_int_equal(op_sync(&w->op, "z", 0, 100, &page), ERR_OK);
    assert_int_equal(page.n, 4);        /* from his joining on, and not what was said before it */
    z_leaves(&w->op);
    left = number(w, "SELECT head FROM log_state");
    prune_keeping(w, 2);
    assert_int_equal(number(w, "SELECT floor FROM log_state"), left - 2);
    assert_int_equal(op_sync(&w->op, "z", left - 2, 100, &page), ERR_OK);
    assert_int_equal(page.n, 1);
    assert_int_equal(number(w, "SELECT count(*) FROM audience"), 1);
    prune_keeping(w, 1);
    assert_int_equal(number(w, "SELECT count(*) FROM audience"), 0);
}

static void
a_dead_relay_leaves_no_rows(void **state)
{
    struct world *w = *state;
    struct live_change c = {.system = "mtchat", .user = "a", .online = true};
    bool more;

    assert_int_equal(op_relay_start(&w->op, "r", "run", w->endpoint), ERR_OK);
    assert_int_equal(op_presence_apply(&w->op, "run", &c, 1), ERR_OK);
    assert_int_equal(number(w, "SELECT count(*) FROM live_socket"), 1);
    w->op.now_ms += w->config.lease_ms + 1;
    assert_int_equal(op_presence_sweep(&w->op, 10, &more), ERR_OK);
    assert_int_equal(number(w, "SELECT count(*) FROM live_socket"), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM presence"), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM relay"), 0);
}

static void
closing_sockets_rides_on_what_there_is(void **state)
{
    struct world *w = *state;
    struct notice notice = {.kind = EVENT_READ, .user = "a"};
    struct event e;

    assert_int_equal(op_relay_start(&w->op, "r", "run", w->endpoint), ERR_OK);
    assert_int_equal(tx_begin(&w->op), ERR_OK);
    tx_close(&w->op, "user:mtchat:a", 4001, "gone");
    tx_close(&w->op, "key:7", 4003, "also");
    assert_int_equal(tx_end(&w->op, ERR_OK), ERR_OK);
    e = next_push(w);
    assert_int_equal(e.kind, EVENT_CLOSING);
    assert_int_equal(e.n_channels + e.body_len, 0);
    assert_int_equal(e.n_operations, 2);
    assert_int_equal(e.operations[1].verb, EVENT_CLOSE);
    assert_int_equal(e.operations[1].code, 4003);
    assert_string_equal(e.operations[1].reason, "also");
    assert_int_equal(tx_begin(&w->op), ERR_OK);
    tx_close(&w->op, "key:7", 4001, "again");
    tx_event_on(&w->op, &notice, "dialog:x");
    assert_int_equal(tx_end(&w->op, ERR_OK), ERR_OK);
    e = next_push(w);
    assert_int_equal(e.kind, EVENT_READ);
    assert_int_equal(e.n_operations, 1);
    assert_int_equal(number(w, "SELECT head FROM log_state"), 2);
    assert_int_equal(number(w, "SELECT count(*) FROM event_channel"), 1);
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
        T(connecting_reads_head_and_audience_of_one_moment),
        T(sync_reads_log_and_floor_of_one_moment),
        T(writers_prune_on_their_way),
        T(pruning_says_whether_there_is_more),
        T(a_closed_span_lives_as_long_as_it_covers_something),
        T(a_dead_relay_leaves_no_rows),
        T(closing_sockets_rides_on_what_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
