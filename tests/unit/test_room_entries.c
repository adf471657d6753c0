/* test_room_entries - what is said and what happens in rooms
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

#include "tests/unit/room_world.h"

/* ---- messages and events ---- */

static void
one_run_of_ids_and_strictly_rising_times(void **state)
{
    struct world *w = *state;
    struct room_event_new in = { .type = "t", .description = "d" };
    struct room_entry e, last = { 0 };
    struct room_page feed;
    bool repeat;

    add(w, "A");
    for (int i = 0; i < 6; i++) {
        w->op.now_ms -= 1000;           /* the clock goes back */
        if (i % 2 == 0)
            assert_int_equal(op_room_say(&w->op, &w->anna, w->room.id, 0, "x", &e), ERR_OK);
        else
            assert_int_equal(op_room_event(&w->op, &w->anna, w->room.id, &in, &e, &repeat), ERR_OK);
        assert_true(e.id > last.id);
        assert_true(e.at_ms > last.at_ms);
        last = e;
    }
    assert_int_equal(op_room_feed(&w->op, &w->anna, w->room.id, 5, &feed), ERR_OK);
    assert_int_equal(feed.n, 5);
    assert_int_equal(feed.entries[0].id, last.id);
    for (size_t i = 1; i < feed.n; i++)
        assert_true(feed.entries[i].id < feed.entries[i - 1].id);
    assert_non_null(feed.entries[0].type);
    assert_null(feed.entries[1].type);
}

static void
a_message_needs_somebody_to_hear_it(void **state)
{
    struct world *w = *state;
    struct room_entry e;
    struct agent a;

    assert_int_equal(op_room_say(&w->op, &w->anna, w->room.id, 0, "x", &e), ERR_RULE);
    assert_int_equal(op_room_say(&w->op, &w->anna, w->room.id, 77, "x", &e), ERR_NOT_FOUND);
    a = add(w, "A");
    assert_int_equal(op_room_say(&w->op, &w->anna, w->room.id, a.id, "x", &e), ERR_OK);
    assert_int_equal(e.agent, a.id);
    assert_string_equal(e.sender, "user");
}

static void
pages_of_messages_are_exact(void **state)
{
    struct world *w = *state;
    struct room_event_new event = { .type = "t", .description = "d" };
    struct room_actor all = { .kind = ACTOR_RUNNER_OF_ALL };
    struct room_entry e;
    struct room_page page;
    int64_t ids[5];
    bool repeat;

    add(w, "A");
    for (int i = 0; i < 5; i++) {
        ids[i] = say(w, "x").id;
        assert_int_equal(op_room_event(&w->op, &w->anna, w->room.id, &event, &e, &repeat), ERR_OK);
    }
    assert_int_equal(op_room_messages(&w->op, &w->anna, w->room.id, ROOM_NO_BOUND, 5, &page), ERR_OK);
    assert_int_equal(page.n, 5);
    assert_false(page.more);
    assert_int_equal(page.entries[0].id, ids[4]);
    assert_int_equal(op_room_messages(&w->op, &w->anna, w->room.id, ROOM_NO_BOUND, 4, &page), ERR_OK);
    assert_int_equal(page.n, 4);
    assert_true(page.more);
    assert_int_equal(op_room_messages(&w->op, &w->anna, w->room.id, ids[2], 2, &page), ERR_OK);
    assert_int_equal(page.n, 2);
    assert_int_equal(page.entries[0].id, ids[1]);
    assert_false(page.more);
    assert_int_equal(op_room_messages(&w->op, &w->anna, w->room.id, ids[2] + 1, 2, &page), ERR_OK);
    assert_int_equal(page.entries[0].id, ids[2]);      /* the bound need not exist as a message */
    assert_true(page.more);
    assert_int_equal(op_room_messages(&w->op, &w->anna, w->room.id, 0, 2, &page), ERR_OK);
    assert_int_equal(page.n, 0);
    assert_false(page.more);
    assert_int_equal(op_runner_messages(&w->op, &all, w->room.id, ids[0], 2, &page), ERR_OK);
    assert_int_equal(page.n, 2);
    assert_int_equal(page.entries[0].id, ids[1]);
    assert_true(page.more);
    assert_int_equal(op_runner_messages(&w->op, &all, w->room.id, ids[2], 2, &page), ERR_OK);
    assert_false(page.more);
}

static void
pages_are_a_fixed_number_of_statements(void **state)
{
    struct world *w = *state;
    struct room_page page;
    struct room_graph g;
    int64_t before;

    add(w, "A");
    add(w, "B");
    for (int i = 0; i < 20; i++)
        say(w, "x");
    before = db_statements(w->db);
    assert_int_equal(op_room_feed(&w->op, &w->anna, w->room.id, 20, &page), ERR_OK);
    assert_int_equal(db_statements(w->db) - before, 2);     /* the room and its entries */
    before = db_statements(w->db);
    assert_int_equal(op_room_graph(&w->op, &w->anna, w->room.id, &g), ERR_OK);
    assert_int_equal(db_statements(w->db) - before, 3);
}

static void
an_event_concerns_whom_it_names_or_all(void **state)
{
    struct world *w = *state;
    struct agent a = add(w, "A"), b = add(w, "B");
    struct room_event_new in = { .type = "t", .description = "d" };
    struct room_entry e;
    struct room_page feed;
    bool repeat;

    assert_int_equal(op_room_event(&w->op, &w->anna, w->room.id, &in, &e, &repeat), ERR_OK);
    assert_int_equal(e.n_agents, 2);
    in.agents = (const int64_t[]){ b.id, a.id, b.id };
    in.n_agents = 3;
    assert_int_equal(op_room_event(&w->op, &w->anna, w->room.id, &in, &e, &repeat), ERR_OK);
    assert_int_equal(e.n_agents, 2);
    assert_int_equal(e.agents[0], b.id);
    in.agents = (const int64_t[]){ a.id, 999 };
    in.n_agents = 2;
    assert_int_equal(op_room_event(&w->op, &w->anna, w->room.id, &in, &e, &repeat), ERR_RULE);
    assert_int_equal(op_agent_remove(&w->op, &w->anna, w->room.id, b.id), ERR_OK);
    assert_int_equal(op_room_feed(&w->op, &w->anna, w->room.id, 10, &feed), ERR_OK);
    assert_int_equal(feed.n, 2);        /* the refused one left nothing; the others keep their ids */
    assert_int_equal(feed.entries[0].n_agents, 2);
    assert_int_equal(feed.entries[0].agents[0], b.id);
}

static void
what_is_broadcast_as_chat_is_also_said(void **state)
{
    struct world *w = *state;
    struct room_entry e;
    struct room_page feed;
    struct event *events;
    int64_t since = head(w);
    size_t n;

    assert_int_equal(op_room_broadcast(&w->op, &w->anna, w->room.id, "chat", "x", &e), ERR_RULE);
    assert_int_equal(op_room_feed(&w->op, &w->anna, w->room.id, 10, &feed), ERR_OK);
    assert_int_equal(feed.n, 0);
    assert_int_equal(op_room_broadcast(&w->op, &w->anna, w->room.id, "rain", "x", &e), ERR_OK);
    assert_int_equal(e.n_agents, 0);
    add(w, "A");
    assert_int_equal(op_room_broadcast(&w->op, &w->anna, w->room.id, "user_message", "y", &e), ERR_OK);
    assert_string_equal(e.type, "user_message");
    events = events_after(w, since, &n);
    assert_int_equal(n, 3);
    assert_string_equal(rooms_frame_type(&events[0]), "event");
    assert_string_equal(rooms_frame_type(&events[1]), "event");
    assert_string_equal(rooms_frame_type(&events[2]), "message");
    assert_int_equal(op_room_feed(&w->op, &w->anna, w->room.id, 1, &feed), ERR_OK);
    assert_string_equal(feed.entries[0].sender, "user");
    assert_string_equal(feed.entries[0].text, "y");
    assert_true(feed.entries[0].id > e.id);
}

static void
a_runner_speaks_for_agents_and_voices_only(void **state)
{
    struct world *w = *state;
    struct agent a = add(w, "A");
    struct room_actor runner = runner_of(w, w->room.id);
    struct room other = make_room(w, &w->anna, ORCHESTRATION_SINGLE);
    static const char *const no_voices[] = { NULL, "user", "A", "", "система", "Система " };
    struct runner_message in = { .text = "x" };
    struct room_entry e;
    bool repeat;

    for (size_t i = 0; i < sizeof no_voices / sizeof *no_voices; i++) {
        in.sender = no_voices[i];
        assert_int_equal(op_runner_say(&w->op, &runner, w->room.id, &in, &e, &repeat), ERR_RULE);
    }
    in.sender = ROOM_VOICE_SYSTEM;
    assert_int_equal(op_runner_say(&w->op, &runner, w->room.id, &in, &e, &repeat), ERR_OK);
    assert_int_equal(e.agent, 0);
    in.agent = a.id;
    assert_int_equal(op_runner_say(&w->op, &runner, w->room.id, &in, &e, &repeat), ERR_RULE);
    in.sender = NULL;
    assert_int_equal(op_runner_say(&w->op, &runner, w->room.id, &in, &e, &repeat), ERR_OK);
    assert_string_equal(e.sender, "A");
    in.agent = 999;
    assert_int_equal(op_runner_say(&w->op, &runner, w->room.id, &in, &e, &repeat), ERR_RULE);
    assert_int_equal(op_runner_say(&w->op, &runner, other.id, &in, &e, &repeat), ERR_NOT_FOUND);
}

static void
a_key_makes_one_entry(void **state)
{
    struct world *w = *state;
    struct agent a = add(w, "A");
    struct room_actor runner = runner_of(w, w->room.id);
    struct runner_message in = { .text = "x", .agent = a.id, .key = "k" };
    struct room_event_new event = { .type = "t", .description = "d", .key = "k" };
    struct room_entry first, again;
    int64_t since;
    bool repeat;

    assert_int_equal(op_runner_say(&w->op, &runner, w->room.id, &in, &first, &repeat), ERR_OK);
    assert_false(repeat);
    since = head(w);
    w->op.now_ms += 1000;
    in.text = "other";
    assert_int_equal(op_runner_say(&w->op, &runner, w->room.id, &in, &again, &repeat), ERR_OK);
    assert_true(repeat);
    assert_int_equal(again.id, first.id);
    assert_int_equal(again.at_ms, first.at_ms);
    assert_string_equal(again.text, "x");
    assert_int_equal(again.agent, a.id);
    assert_int_equal(head(w), since);
    assert_int_equal(op_room_event(&w->op, &runner, w->room.id, &event, &first, &repeat), ERR_OK);
    assert_false(repeat);               /* keys of events are apart */
    assert_int_equal(op_room_event(&w->op, &runner, w->room.id, &event, &again, &repeat), ERR_OK);
    assert_true(repeat);
    assert_int_equal(again.id, first.id);
    assert_int_equal(again.n_agents, 1);
}

static void
channels_are_those_of_the_room(void **state)
{
    struct world *w = *state;
    struct agent a = add(w, "A"), b = add(w, "B");
    struct room_edge edge;
    struct event *events;
    int64_t since = head(w);
    struct room r;
    size_t n;
    bool was;

    say(w, "x");
    assert_int_equal(op_room_relate(&w->op, &w->anna, w->room.id, a.id, b.id, 0, &edge), ERR_OK);
    assert_int_equal(op_room_run(&w->op, &w->anna, w->room.id, true, &r, &was), ERR_OK);
    events = events_after(w, since, &n);
    assert_int_equal(n, 3);
    assert_int_equal(events[0].n_channels, 3);
    assert_true(heard_on(&events[0], room_channel(w->arena, w->room.id, ROOM_SOCKET_CHAT)));
    assert_true(heard_on(&events[0], room_channel(w->arena, w->room.id, ROOM_SOCKET_RUNNER)));
    assert_true(heard_on(&events[0], "runner:all"));
    assert_int_equal(events[1].n_channels, 1);
    assert_true(heard_on(&events[1], room_channel(w->arena, w->room.id, ROOM_SOCKET_GRAPH)));
    assert_int_equal(events[2].n_channels, 2);
    assert_true(heard_on(&events[2], "runner:all"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(one_run_of_ids_and_strictly_rising_times),
        T(a_message_needs_somebody_to_hear_it),
        T(pages_of_messages_are_exact),
        T(pages_are_a_fixed_number_of_statements),
        T(an_event_concerns_whom_it_names_or_all),
        T(what_is_broadcast_as_chat_is_also_said),
        T(a_runner_speaks_for_agents_and_voices_only),
        T(a_key_makes_one_entry),
        T(channels_are_those_of_the_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
