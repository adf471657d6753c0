/* test_op_group_view - looking on at groups, and what going offline ends
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/group_world.h"

static enum err
look(struct world *w, const char *user, int64_t group)
{
    struct group_page page;

    return op_group_view(&w->op, user, group, &page);
}

static const char *
viewers(struct world *w, int64_t group, int n)
{
    return arena_printf(w->arena,
        "conversation:%d {\"event\":\"conversationViewersChange\",\"data\":{\"conversation_id\":%d,"
        "\"viewers\":%d}}\n", (int)group, (int)group, n);
}

static void
looking_on_is_told_once(void **state)
{
    struct world *w = *state;
    int64_t group = world_group(w, "1", "name");

    world_said(w);
    assert_int_equal(look(w, "2", group), ERR_OK);
    assert_string_equal(world_said(w), viewers(w, group, 1));
    assert_true(world_hears(w, "2", group));
    assert_int_equal(look(w, "2", group), ERR_OK);
    assert_string_equal(world_said(w), "");
    assert_true(world_hears(w, "2", group));
    assert_int_equal(look(w, "3", group), ERR_OK);
    assert_string_equal(world_said(w), viewers(w, group, 2));
    assert_int_equal(op_group_stop_view(&w->op, "2", group), ERR_OK);
    assert_string_equal(world_said(w), viewers(w, group, 1));
    assert_false(world_hears(w, "2", group));
    assert_int_equal(op_group_stop_view(&w->op, "2", group), ERR_OK);
    assert_string_equal(world_said(w), "");
}

static void
members_do_not_look_on(void **state)
{
    struct world *w = *state;
    int64_t group = world_group(w, "1", "name");

    assert_int_equal(look(w, "1", group), ERR_ALREADY_MEMBER);
    assert_int_equal(op_group_stop_view(&w->op, "1", group), ERR_ALREADY_MEMBER);
    assert_true(world_hears(w, "1", group));
}

static void
joining_ends_looking_on(void **state)
{
    struct world *w = *state;
    int64_t group = world_group(w, "1", "name");
    struct group_page page;
    const char *said;

    assert_int_equal(look(w, "2", group), ERR_OK);
    world_said(w);
    assert_int_equal(op_group_join(&w->op, "2", group, &page), ERR_OK);
    said = world_said(w);
    assert_memory_equal(said, viewers(w, group, 0), strlen(viewers(w, group, 0)));
    assert_non_null(strstr(said, "\nsystem:conversations {\"event\":\"joined_conversation\""));
    assert_true(world_hears(w, "2", group));
    assert_int_equal(op_group_leave(&w->op, "2", group), ERR_OK);
    assert_false(world_hears(w, "2", group));
    world_said(w);
    world_live(w, RUN, "2", false);
    assert_string_equal(world_said(w), "");
}

/* ---- going offline ---- */

static void
the_last_socket_of_all_relays_ends_it(void **state)
{
    struct world *w = *state;
    int64_t group = world_group(w, "1", "name");

    assert_int_equal(op_relay_start(&w->op, "second", "run2", "ipc:///nowhere2"), ERR_OK);
    world_live(w, "run2", "2", true);
    assert_int_equal(look(w, "2", group), ERR_OK);
    world_said(w);
    world_live(w, RUN, "2", false);
    assert_string_equal(world_said(w), "");
    assert_true(world_hears(w, "2", group));
    world_live(w, "run2", "2", false);
    assert_string_equal(world_said(w), viewers(w, group, 0));
    assert_false(world_hears(w, "2", group));
    world_live(w, "run2", "2", true);
    assert_string_equal(world_said(w), "");
    assert_false(world_hears(w, "2", group));
}

static void
many_go_at_once(void **state)
{
    struct world *w = *state;
    int64_t one = world_group(w, "1", "one"), two = world_group(w, "1", "two");
    const struct live_change changes[] = {
        { "mtchat", "anybody", true }, { "conversations", "2", false }, { "conversations", "3", false },
    };
    struct op op = w->op;
    struct event *events;
    size_t n;

    assert_int_equal(look(w, "2", one), ERR_OK);
    assert_int_equal(look(w, "2", two), ERR_OK);
    assert_int_equal(look(w, "3", one), ERR_OK);
    world_said(w);
    assert_int_equal(op_presence_apply(&op, RUN, changes, 3), ERR_OK);
    assert_string_equal(world_said(w), arena_printf(w->arena, "%s%s%s", viewers(w, one, 1),
                                                    viewers(w, two, 0), viewers(w, one, 0)));
    assert_int_equal(op_log_read(&w->op, w->seen - 3, 10, &events, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_int_equal(events[0].n_operations, 3);    /* who left hears none of it */
    assert_false(world_hears(w, "2", two));
    assert_false(world_hears(w, "3", one));
}

/* What a transaction does to audiences counts in the system that does it. */
static void
operations_ride_on_events_of_their_system(void **state)
{
    struct world *w = *state;
    const struct member_new members[] = { { .user = "2" }, { .user = "b" } };
    const struct conversation_new dialog = {
        .object_type = "o", .object_id = "1", .members = members, .n_members = 2,
    };
    const struct live_change changes[] = { { "mtchat", "b", true }, { "conversations", "2", false } };
    struct op op = w->op;
    struct conversation c;
    struct global_page page;
    struct event *events;
    size_t n;

    op.system = &chat_mtchat;
    assert_int_equal(op_conversation_create(&op, &dialog, &c), ERR_OK);
    assert_int_equal(op_global_page(&w->op, "2", 0, &page), ERR_OK);
    world_said(w);
    assert_int_equal(op_presence_apply(&op, RUN, changes, 2), ERR_OK);
    assert_int_equal(op_log_read(&w->op, w->seen, 10, &events, &n), ERR_OK);
    assert_int_equal(n, 2);
    assert_string_equal(events[0].system, "mtchat");
    assert_int_equal(events[0].n_operations, 0);
    assert_int_equal(events[1].kind, EVENT_CLOSING);
    assert_string_equal(events[1].system, "conversations");
    assert_int_equal(events[1].operations[0].verb, EVENT_LEAVE);
    assert_false(world_hears(w, "2", GROUP_GLOBAL));
}

static void
a_restart_clears_who_is_there(void **state)
{
    struct world *w = *state;
    int64_t group = world_group(w, "1", "name");
    bool more;

    assert_int_equal(look(w, "2", group), ERR_OK);
    assert_int_equal(op_relay_start(&w->op, RELAY, "again", "ipc:///nowhere"), ERR_OK);
    assert_int_equal(op_socket_needed(&w->op, "2"), ERR_NO_SOCKET);     /* no grace */
    world_said(w);
    assert_int_equal(op_presence_sweep(&w->op, 10, &more), ERR_OK);
    w->op.system = &chat_conversations;
    assert_string_equal(world_said(w), viewers(w, group, 0));
    assert_false(world_hears(w, "2", group));
}

static void
who_comes_back_before_the_sweep_was_away(void **state)
{
    struct world *w = *state;
    int64_t group = world_group(w, "1", "name");
    struct global_page page;

    assert_int_equal(look(w, "2", group), ERR_OK);
    assert_int_equal(op_global_page(&w->op, "2", 0, &page), ERR_OK);
    world_said(w);
    assert_int_equal(op_relay_start(&w->op, RELAY, "again", "ipc:///nowhere"), ERR_OK);
    world_live(w, "again", "2", true);
    assert_string_equal(world_said(w), viewers(w, group, 0));
    assert_false(world_hears(w, "2", group));
    assert_false(world_hears(w, "2", GROUP_GLOBAL));
    assert_int_equal(op_socket_needed(&w->op, "2"), ERR_OK);
    world_live(w, "again", "2", true);          /* once more is nothing new */
    assert_string_equal(world_said(w), "");
}

static void
a_dead_lease_holds_nobody(void **state)
{
    struct world *w = *state;

    w->op.now_ms += w->config.lease_ms;
    assert_int_equal(op_socket_needed(&w->op, "1"), ERR_NO_SOCKET);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(looking_on_is_told_once),
        TEST(members_do_not_look_on),
        TEST(joining_ends_looking_on),
        TEST(the_last_socket_of_all_relays_ends_it),
        TEST(many_go_at_once),
        TEST(operations_ride_on_events_of_their_system),
        TEST(a_restart_clears_who_is_there),
        TEST(who_comes_back_before_the_sweep_was_away),
        TEST(a_dead_lease_holds_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
