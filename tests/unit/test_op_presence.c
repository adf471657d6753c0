/* test_op_presence - who is online, over all relays
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

/* ---- presence ---- */

static void
change(struct world *w, const char *run, const char *user, bool online)
{
    struct live_change c = {.system = "mtchat", .user = user, .online = online};

    assert_int_equal(op_presence_apply(&w->op, run, &c, 1), ERR_OK);
}

static size_t
presence_events(struct world *w, int64_t since)
{
    struct event *events;
    size_t n, count = 0;

    assert_int_equal(op_log_read(&w->op, since, 100, &events, &n), ERR_OK);
    for (size_t i = 0; i < n; i++)
        count += events[i].kind == EVENT_PRESENCE;
    return count;
}

static void
presence_is_told_once_over_all_relays(void **state)
{
    struct world *w = *state;
    int64_t since;

    make_dialog(w);
    since = heard(w, "a", -1).seq;
    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    assert_int_equal(op_relay_start(&w->op, "r2", "run2", "ipc:///r2"), ERR_OK);
    change(w, "run1", "a", true);
    change(w, "run2", "a", true);
    assert_int_equal(presence_events(w, since), 1);
    change(w, "run1", "a", false);
    assert_int_equal(presence_events(w, since), 1);
    change(w, "run2", "a", false);
    assert_int_equal(presence_events(w, since), 2);
    /* live only: nobody who was away is told */
    assert_int_equal(heard(w, "b", since).n, 0);
}

static void
a_dead_relay_is_swept_and_a_restarted_one_is_not_at_once(void **state)
{
    struct world *w = *state;
    int64_t since;
    bool more;

    make_dialog(w);
    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    change(w, "run1", "a", true);
    since = heard(w, "a", -1).seq;
    assert_int_equal(op_relay_start(&w->op, "r1", "run2", "ipc:///r1"), ERR_OK);
    assert_int_equal(op_presence_sweep(&w->op, 10, &more), ERR_OK);
    assert_int_equal(presence_events(w, since), 0);
    w->op.now_ms += w->config.presence_restart_grace_ms + 1;
    assert_int_equal(op_presence_sweep(&w->op, 10, &more), ERR_OK);
    assert_int_equal(presence_events(w, since), 1);
    change(w, "run2", "a", true);
    assert_int_equal(presence_events(w, since), 2);
    w->op.now_ms += w->config.lease_ms + 1;     /* run2 is silent for longer than its lease */
    assert_int_equal(op_presence_sweep(&w->op, 10, &more), ERR_OK);
    assert_int_equal(presence_events(w, since), 3);
}

static void
nobody_is_told_of_himself(void **state)
{
    struct world *w = *state;
    struct event *events;
    int64_t since;
    size_t n;

    make_dialog(w);
    since = heard(w, "a", -1).seq;
    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    change(w, "run1", "a", true);
    assert_int_equal(op_log_read(&w->op, since, 100, &events, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_string_equal(events[0].except, "a");
}

/* Before anybody has swept. */
static void
rows_under_a_dead_lease_count_as_absent(void **state)
{
    struct world *w = *state;
    int64_t since;
    bool lost;

    make_dialog(w);
    since = heard(w, "a", -1).seq;
    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    assert_int_equal(op_relay_start(&w->op, "r2", "run2", "ipc:///r2"), ERR_OK);
    change(w, "run1", "a", true);
    w->op.now_ms += w->config.lease_ms - 1;
    assert_int_equal(op_relay_renew(&w->op, "r2", "run2", "ipc:///r2", &lost), ERR_OK);
    assert_false(lost);
    change(w, "run2", "a", true);
    assert_int_equal(presence_events(w, since), 1);
    w->op.now_ms += 1;
    change(w, "run2", "a", false);
    assert_int_equal(presence_events(w, since), 2);
}

/* However often its relay begins anew. */
static void
a_grace_is_given_once(void **state)
{
    struct world *w = *state;
    int64_t since;
    bool more, lost;

    make_dialog(w);
    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    change(w, "run1", "a", true);
    since = heard(w, "a", -1).seq;
    assert_int_equal(op_relay_start(&w->op, "r1", "run2", "ipc:///r1"), ERR_OK);
    w->op.now_ms += w->config.presence_restart_grace_ms - 1;
    assert_int_equal(op_relay_start(&w->op, "r1", "run3", "ipc:///r1"), ERR_OK);
    assert_int_equal(op_presence_sweep(&w->op, 10, &more), ERR_OK);
    assert_int_equal(presence_events(w, since), 0);
    w->op.now_ms += 1;
    assert_int_equal(op_presence_sweep(&w->op, 10, &more), ERR_OK);
    assert_int_equal(presence_events(w, since), 1);
    assert_int_equal(op_relay_renew(&w->op, "r1", "run2", "ipc:///r1", &lost), ERR_OK);
    assert_true(lost);          /* what has been followed does not come back by itself */
}

static void
a_lost_lease_is_told(void **state)
{
    struct world *w = *state;
    bool lost;

    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    assert_int_equal(op_relay_renew(&w->op, "r1", "run1", "ipc:///r1", &lost), ERR_OK);
    assert_false(lost);
    w->op.now_ms += w->config.lease_ms + 1;
    assert_int_equal(op_relay_renew(&w->op, "r1", "run1", "ipc:///r1", &lost), ERR_OK);
    assert_true(lost);
    assert_int_equal(op_ready(&w->op), ERR_BUSY);       /* a lease, but nobody listens */
}

static void
large_dialogs_do_not_carry_presence(void **state)
{
    struct world *w = *state;
    struct member_new d = {.user = "d", .display_name = "D"};
    struct member member;
    int64_t since;
    bool added;

    make_dialog(w);             /* three members, as many as presence_max_members allows */
    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    since = heard(w, "a", -1).seq;
    change(w, "run1", "a", true);
    assert_int_equal(presence_events(w, since), 1);
    assert_int_equal(op_member_add(&w->op, &w->dialog, &d, &member, &added), ERR_OK);
    change(w, "run1", "b", true);
    assert_int_equal(presence_events(w, since), 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(presence_is_told_once_over_all_relays),
        T(a_dead_relay_is_swept_and_a_restarted_one_is_not_at_once),
        T(nobody_is_told_of_himself),
        T(rows_under_a_dead_lease_count_as_absent),
        T(a_grace_is_given_once),
        T(a_lost_lease_is_told),
        T(large_dialogs_do_not_carry_presence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
