/* test_room - rooms, agents and their relationships, and who may what there
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

/* ---- rooms ---- */

static void
a_room_is_its_owners_alone(void **state)
{
    struct world *w = *state;
    struct room_actor nobody = { 0 };
    struct room_change change = { .has_speed = true, .speed = 2 };
    struct room_entry e;
    struct room *rooms, r;
    size_t n;

    add(w, "A");
    assert_int_equal(op_room_find(&w->op, &w->boris, w->room.id, &r), ERR_NOT_FOUND);
    assert_int_equal(op_room_find(&w->op, &nobody, w->room.id, &r), ERR_NOT_FOUND);
    assert_int_equal(op_room_find(&w->op, &w->anna, 0, &r), ERR_NOT_FOUND);
    assert_int_equal(op_room_find(&w->op, &w->anna, -1, &r), ERR_NOT_FOUND);
    assert_int_equal(op_room_find(&w->op, &w->anna, ROOM_ID_MAX, &r), ERR_NOT_FOUND);
    assert_int_equal(op_room_change(&w->op, &w->boris, w->room.id, &change, &r), ERR_NOT_FOUND);
    assert_int_equal(op_room_delete(&w->op, &w->boris, w->room.id), ERR_NOT_FOUND);
    assert_int_equal(op_room_say(&w->op, &w->boris, w->room.id, 0, "x", &e), ERR_NOT_FOUND);
    assert_int_equal(op_room_list(&w->op, &w->boris, &rooms, &n), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(op_room_list(&w->op, &nobody, &rooms, &n), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(op_room_list(&w->op, &w->anna, &rooms, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(rooms[0].n_agents, 1);
}

static void
a_room_is_changed_where_something_is_given(void **state)
{
    struct world *w = *state;
    struct room_change nothing = { 0 }, text = { .description = "ж" }, empty = { .description = "" };
    struct room_change speed = { .has_speed = true, .speed = 0.7 };
    struct room r;

    assert_int_equal(op_room_change(&w->op, &w->anna, w->room.id, &nothing, &r), ERR_OK);
    assert_int_equal(look(w).updated_ms, 0);
    assert_null(look(w).description);
    assert_int_equal(op_room_change(&w->op, &w->anna, w->room.id, &text, &r), ERR_OK);
    assert_int_equal(op_room_change(&w->op, &w->anna, w->room.id, &speed, &r), ERR_OK);
    assert_string_equal(look(w).description, "ж");
    assert_true(look(w).speed == 0.7);
    assert_int_equal(look(w).updated_ms, w->op.now_ms);
    assert_int_equal(op_room_change(&w->op, &w->anna, w->room.id, &empty, &r), ERR_OK);
    assert_string_equal(look(w).description, "");
}

static void
a_user_has_so_many_rooms(void **state)
{
    struct world *w = *state;
    struct room_new in = { .name = "x", .orchestration = ORCHESTRATION_SINGLE };
    struct room r;

    for (int i = 1; i < w->config.rooms_per_user; i++)
        make_room(w, &w->anna, ORCHESTRATION_SINGLE);
    assert_int_equal(op_room_create(&w->op, w->anna.account, &in, &r), ERR_RULE);
    make_room(w, &w->boris, ORCHESTRATION_SINGLE);
}

static void
a_narrator_stays_in_its_room(void **state)
{
    struct world *w = *state;
    struct room r = make_room(w, &w->anna, ORCHESTRATION_NARRATOR);
    struct agent_new again = { 0 };
    struct agent *agents, a;
    size_t n;

    assert_int_equal(r.n_agents, 1);
    assert_int_equal(op_agent_list(&w->op, &w->anna, r.id, &agents, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_string_equal(agents[0].name, "Нарратор");
    assert_int_equal(op_agent_remove(&w->op, &w->anna, r.id, agents[0].id), ERR_RULE);
    again.existing = agents[0].id;      /* elsewhere it is one like others */
    assert_int_equal(op_agent_add(&w->op, &w->anna, w->room.id, &again, &a), ERR_OK);
    assert_int_equal(op_agent_remove(&w->op, &w->anna, w->room.id, a.id), ERR_OK);
    assert_int_equal(op_agent_find(&w->op, &w->anna, r.id, a.id, &a), ERR_OK);
}

static void
deleting_a_room_takes_all_and_closes_sockets(void **state)
{
    struct world *w = *state;
    struct room other = make_room(w, &w->anna, ORCHESTRATION_SINGLE);
    struct agent both = add(w, "both"), one = add(w, "one"), *agents, a;
    struct agent_new link = { .existing = both.id };
    struct room_actor runner = runner_of(w, w->room.id);
    const char *chat = room_channel(w->arena, w->room.id, ROOM_SOCKET_CHAT);
    const char *graph = room_channel(w->arena, w->room.id, ROOM_SOCKET_GRAPH);
    struct runner_key *keys;
    struct room_entry e;
    struct event *events;
    int64_t since;
    size_t n;

    assert_int_equal(op_agent_add(&w->op, &w->anna, other.id, &link, &a), ERR_OK);
    e = say(w, "secret words");
    since = head(w);
    assert_int_equal(op_room_delete(&w->op, &w->anna, w->room.id), ERR_OK);
    events = events_after(w, since, &n);
    assert_int_equal(n, 1);
    assert_int_equal(events[0].kind, EVENT_CLOSING);
    assert_int_equal(events[0].n_channels, 0);
    assert_int_equal(events[0].body_len, 0);
    assert_int_equal(closing_of(events, chat)->code, ROOM_CLOSE_ROOM);
    assert_int_equal(closing_of(events, graph)->code, ROOM_CLOSE_ROOM);
    assert_int_equal(closing_of(events, room_key_channel(w->arena, runner.key))->code,
                     ROOM_CLOSE_CREDENTIAL);
    assert_int_equal(events[0].n_operations, 3);
    events = events_after(w, since - 1, &n);        /* what was said is not in the log any more */
    assert_int_equal(events[0].about, e.id);
    assert_int_equal(events[0].body_len, 0);
    assert_int_equal(op_room_delete(&w->op, &w->anna, w->room.id), ERR_NOT_FOUND);
    assert_int_equal(op_runner_key_list(&w->op, &w->anna, w->room.id, &keys, &n), ERR_NOT_FOUND);
    assert_int_equal(op_agent_own(&w->op, w->anna.account, &agents, &n), ERR_OK);
    assert_int_equal(n, 1);             /* the one that another room holds */
    assert_int_equal(agents[0].id, both.id);
    assert_true(one.id != both.id);
}

/* ---- agents ---- */

static void
agents_are_unique_in_a_room_and_counted(void **state)
{
    struct world *w = *state;
    struct agent_new in = { .name = "A" }, link = { 0 };
    struct agent a = add(w, "A"), other, boris, gone;
    struct room foreign = make_room(w, &w->boris, ORCHESTRATION_SINGLE);

    assert_int_equal(op_agent_add(&w->op, &w->anna, w->room.id, &in, &other), ERR_RULE);
    link.existing = a.id;
    assert_int_equal(op_agent_add(&w->op, &w->anna, w->room.id, &link, &other), ERR_RULE);
    in.name = "B";
    assert_int_equal(op_agent_add(&w->op, &w->boris, foreign.id, &in, &boris), ERR_OK);
    link.existing = boris.id;           /* somebody else's */
    assert_int_equal(op_agent_add(&w->op, &w->anna, w->room.id, &link, &other), ERR_NOT_FOUND);
    link.existing = ROOM_ID_MAX;
    assert_int_equal(op_agent_add(&w->op, &w->anna, w->room.id, &link, &other), ERR_NOT_FOUND);
    add(w, "a");                        /* another name: as it is written */
    add(w, "c");
    add(w, "d");
    in.name = "e";
    assert_int_equal(op_agent_add(&w->op, &w->anna, w->room.id, &in, &other), ERR_RULE);
    assert_int_equal(look(w).n_agents, 4);
    assert_int_equal(op_agent_find(&w->op, &w->anna, w->room.id, boris.id, &gone), ERR_NOT_FOUND);
}

static void
a_refused_agent_leaves_nothing(void **state)
{
    struct world *w = *state;
    struct agent_new in = { .name = "A", .character = " \n" };
    struct agent *agents, a;
    size_t n;

    assert_int_equal(op_agent_add(&w->op, &w->anna, w->room.id, &in, &a), ERR_OK);
    assert_true(strlen(a.character) > 10);
    assert_int_equal(a.mood, MOOD_NEUTRAL);
    assert_true(a.level == 0.5);
    assert_int_equal(op_agent_add(&w->op, &w->anna, w->room.id, &in, &a), ERR_RULE);
    assert_int_equal(op_agent_own(&w->op, w->anna.account, &agents, &n), ERR_OK);
    assert_int_equal(n, 1);
}

static void
an_agent_leaves_one_room_with_what_it_has_there(void **state)
{
    struct world *w = *state;
    struct room other = make_room(w, &w->anna, ORCHESTRATION_SINGLE);
    struct agent a = add(w, "A"), b = add(w, "B"), found;
    struct agent_new link = { .existing = a.id };
    struct room_actor all = { .kind = ACTOR_RUNNER_OF_ALL };
    struct runner_message in = { .text = "hi", .agent = a.id };
    struct agent_full full;
    struct room_edge edge;
    struct room_entry e;
    struct room_page page;
    struct memory m;
    struct plan p;
    bool repeat;
    int64_t since;

    assert_int_equal(op_agent_add(&w->op, &w->anna, other.id, &link, &found), ERR_OK);
    assert_int_equal(op_runner_say(&w->op, &all, w->room.id, &in, &e, &repeat), ERR_OK);
    assert_int_equal(op_room_relate(&w->op, &w->anna, w->room.id, b.id, a.id, 0.7, &edge), ERR_OK);
    assert_int_equal(op_runner_remember(&w->op, &all, w->room.id, a.id, "here", 1, &m), ERR_OK);
    assert_int_equal(op_runner_remember(&w->op, &all, other.id, a.id, "there", 1, &m), ERR_OK);
    assert_int_equal(op_runner_plan(&w->op, &all, w->room.id, a.id, "p", PLAN_PENDING, &p), ERR_OK);
    since = head(w);
    assert_int_equal(op_agent_remove(&w->op, &w->anna, w->room.id, a.id), ERR_OK);
    assert_int_equal(head(w), since);           /* nothing is pushed */
    assert_int_equal(op_agent_remove(&w->op, &w->anna, w->room.id, a.id), ERR_NOT_FOUND);
    assert_int_equal(op_room_messages(&w->op, &w->anna, w->room.id, ROOM_NO_BOUND, 5, &page), ERR_OK);
    assert_int_equal(page.n, 1);
    assert_string_equal(page.entries[0].sender, "A");
    assert_int_equal(page.entries[0].agent, 0);
    assert_int_equal(op_agent_inspect(&w->op, &w->anna, other.id, a.id, &full), ERR_OK);
    assert_int_equal(full.n_memories, 1);
    assert_string_equal(full.memories[0].content, "there");
    /* back in the room it begins anew */
    assert_int_equal(op_agent_add(&w->op, &w->anna, w->room.id, &link, &found), ERR_OK);
    assert_int_equal(op_agent_inspect(&w->op, &w->anna, w->room.id, a.id, &full), ERR_OK);
    assert_int_equal(full.n_memories + full.n_plans, 0);
    assert_int_equal(full.n_links, 1);
    assert_true(full.links[0].level == 0);
    /* with the last room it goes itself */
    assert_int_equal(op_agent_remove(&w->op, &w->anna, w->room.id, a.id), ERR_OK);
    assert_int_equal(op_agent_remove(&w->op, &w->anna, other.id, a.id), ERR_OK);
    assert_int_equal(op_agent_add(&w->op, &w->anna, w->room.id, &link, &found), ERR_NOT_FOUND);
}

static void
an_agent_shows_its_best_memories_and_newest_plans(void **state)
{
    struct world *w = *state;
    struct room_actor all = { .kind = ACTOR_RUNNER_OF_ALL };
    struct agent a = add(w, "A");
    struct agent_full full;
    struct memory m, *memories;
    struct plan p, *plans;
    int64_t total;
    size_t n;

    for (int i = 0; i < 12; i++)
        assert_int_equal(op_runner_remember(&w->op, &all, w->room.id, a.id, "m", i % 3 * 0.5, &m),
                         ERR_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(op_runner_plan(&w->op, &all, w->room.id, a.id, "p", PLAN_PENDING, &p), ERR_OK);
    assert_int_equal(op_runner_plan(&w->op, &all, w->room.id, a.id, "p", PLAN_PENDING, &p), ERR_RULE);
    assert_int_equal(op_agent_inspect(&w->op, &w->anna, w->room.id, a.id, &full), ERR_OK);
    assert_int_equal(full.n_memories, AGENT_MEMORIES);
    for (size_t i = 1; i < full.n_memories; i++) {
        const struct memory *x = &full.memories[i - 1], *y = &full.memories[i];

        assert_true(x->importance > y->importance
                    || (x->importance == y->importance && x->id > y->id));
    }
    assert_int_equal(full.n_plans, 3);
    assert_true(full.plans[0].id > full.plans[2].id);
    assert_int_equal(op_agent_plans(&w->op, &w->anna, w->room.id, a.id, &plans, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_true(plans[0].id < plans[2].id);
    assert_int_equal(op_agent_memories(&w->op, &w->anna, w->room.id, a.id, 5, 10, &memories, &n, &total),
                     ERR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(total, 12);
    assert_true(memories[0].id > memories[1].id);
    assert_int_equal(op_agent_memories(&w->op, &w->anna, w->room.id, a.id, 5, 100, &memories, &n, &total),
                     ERR_OK);
    assert_int_equal(n, 0);
}

static void
plans_and_moods_change(void **state)
{
    struct world *w = *state;
    struct room_actor all = { .kind = ACTOR_RUNNER_OF_ALL };
    struct agent a = add(w, "A"), b = add(w, "B"), found;
    struct plan p, q;

    assert_int_equal(op_runner_plan(&w->op, &all, w->room.id, a.id, "p", PLAN_PENDING, &p), ERR_OK);
    assert_int_equal(op_runner_plan_change(&w->op, &all, w->room.id, b.id, p.id, "x", 0, &q), ERR_NOT_FOUND);
    assert_int_equal(op_runner_plan_change(&w->op, &all, w->room.id, a.id, p.id, NULL, PLAN_DONE, &q), ERR_OK);
    assert_string_equal(q.description, "p");
    assert_int_equal(q.status, PLAN_DONE);
    assert_int_equal(op_runner_plan_change(&w->op, &all, w->room.id, a.id, p.id, "x", 0, &q), ERR_OK);
    assert_int_equal(q.status, PLAN_DONE);
    assert_string_equal(q.description, "x");
    assert_int_equal(op_runner_mood(&w->op, &all, w->room.id, a.id, MOOD_ANGRY, 0.3, &found), ERR_OK);
    assert_int_equal(op_agent_find(&w->op, &w->anna, w->room.id, a.id, &found), ERR_OK);
    assert_int_equal(found.mood, MOOD_ANGRY);
    assert_true(found.level == 0.3);
    assert_int_equal(op_runner_mood(&w->op, &all, w->room.id, 99, MOOD_SAD, 0.3, &found), ERR_NOT_FOUND);
}

/* ---- relationships ---- */

static void
an_unordered_pair_has_one_edge(void **state)
{
    struct world *w = *state;
    struct agent a = add(w, "A"), b = add(w, "B");
    struct room_graph g;
    struct room_edge edge;
    int64_t since;

    add(w, "C");
    since = head(w);
    assert_int_equal(op_room_relate(&w->op, &w->anna, w->room.id, b.id, a.id, -1, &edge), ERR_OK);
    assert_int_equal(edge.from, a.id);
    assert_int_equal(edge.to, b.id);
    assert_int_equal(op_room_relate(&w->op, &w->anna, w->room.id, a.id, b.id, 0.7, &edge), ERR_OK);
    assert_int_equal(op_room_relate(&w->op, &w->anna, w->room.id, a.id, b.id, 0.7, &edge), ERR_OK);
    assert_int_equal(head(w), since + 3);       /* each call is told */
    assert_int_equal(op_room_relate(&w->op, &w->anna, w->room.id, a.id, a.id, 0, &edge), ERR_RULE);
    assert_int_equal(op_room_relate(&w->op, &w->anna, w->room.id, a.id, 99, 0, &edge), ERR_RULE);
    assert_int_equal(head(w), since + 3);
    assert_int_equal(op_room_graph(&w->op, &w->anna, w->room.id, &g), ERR_OK);
    assert_int_equal(g.n_agents, 3);
    assert_int_equal(g.n_edges, 3);
    assert_true(g.edges[0].from == a.id && g.edges[0].to == b.id && g.edges[0].level == 0.7);
    assert_true(g.edges[1].level == 0 && g.edges[2].from == b.id);
}

static void
reading_writes_nothing(void **state)
{
    struct world *w = *state;
    struct agent a = add(w, "A");
    struct agent_full full;
    struct room_graph g;
    struct room_page page;
    struct room *rooms;
    struct db *other;
    int64_t before, after;
    size_t n;

    add(w, "B");
    assert_int_equal(db_open(w->path, DB_OPEN, 100, &other), ERR_OK);
    assert_int_equal(db_version(other, &before), ERR_OK);
    assert_int_equal(op_room_graph(&w->op, &w->anna, w->room.id, &g), ERR_OK);
    assert_int_equal(op_agent_inspect(&w->op, &w->anna, w->room.id, a.id, &full), ERR_OK);
    assert_int_equal(op_room_feed(&w->op, &w->anna, w->room.id, 10, &page), ERR_OK);
    assert_int_equal(op_room_list(&w->op, &w->anna, &rooms, &n), ERR_OK);
    assert_int_equal(db_version(other, &after), ERR_OK);
    assert_int_equal(after, before);
    db_close(other);
}

static void
agents_talk_among_themselves_when_told(void **state)
{
    struct world *w = *state;
    struct room single = make_room(w, &w->anna, ORCHESTRATION_SINGLE), r;
    bool was;

    assert_int_equal(op_room_run(&w->op, &w->anna, w->room.id, true, &r, &was), ERR_RULE);
    add(w, "A");
    add_to(w, single.id, "B");
    assert_int_equal(op_room_run(&w->op, &w->anna, single.id, true, &r, &was), ERR_RULE);
    assert_int_equal(op_room_run(&w->op, &w->anna, single.id, false, &r, &was), ERR_OK);
    assert_false(was);
    assert_int_equal(op_room_run(&w->op, &w->anna, w->room.id, true, &r, &was), ERR_OK);
    assert_int_equal(op_room_run(&w->op, &w->anna, w->room.id, true, &r, &was), ERR_OK);
    assert_true(was);
    assert_true(look(w).running);
    assert_int_equal(op_room_run(&w->op, &w->anna, w->room.id, false, &r, &was), ERR_OK);
    assert_true(was);
    assert_int_equal(op_room_run(&w->op, &w->anna, w->room.id, false, &r, &was), ERR_OK);
    assert_false(was);
    assert_int_equal(look(w).updated_ms, 0);
}

/* ---- without rows ---- */

static void
ids_words_and_names(void **state)
{
    struct world *w = *state;
    static const char *const no_ids[] = { "", "0", "-1", "01", "x", "1x", " 1", "9007199254740992",
                                          "99999999999999999999" };
    static const char *const reserved[] = { "user", " User\t", "AGENT", "System", "СИСТЕМА", "🎭x", " 📊",
                                            "мой СуммаризаторИК", "\ufeffuser \ufeff", "\ufeff 📊" };
    static const char *const fine[] = { "users", "us\ufeffer", "\ufeff", "Нарратор", "x 🎭", "Система 2", "агент" };
    enum orchestration o;
    enum room_socket kind;
    enum mood m;
    int64_t id;

    for (size_t i = 0; i < sizeof no_ids / sizeof *no_ids; i++)
        assert_false(room_id_parse(no_ids[i], &id));
    assert_true(room_id_parse("9007199254740991", &id));
    assert_int_equal(id, ROOM_ID_MAX);
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        assert_true(room_name_reserved(w->arena, reserved[i]));
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        assert_false(room_name_reserved(w->arena, fine[i]));
    assert_true(orchestration_named("full_context", &o) && o == ORCHESTRATION_FULL_CONTEXT);
    assert_false(orchestration_named("", &o));
    assert_true(mood_named("sad", &m) && mood_level(m) == 0.2);
    assert_true(room_of_channel("room:12:graph", &id, &kind) && id == 12 && kind == ROOM_SOCKET_GRAPH);
    assert_false(room_of_channel("room:12:", &id, &kind));
    assert_false(room_of_channel("room:12", &id, &kind));
    assert_false(room_of_channel("runner:all", &id, &kind));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_room_is_its_owners_alone),
        T(a_room_is_changed_where_something_is_given),
        T(a_user_has_so_many_rooms),
        T(a_narrator_stays_in_its_room),
        T(deleting_a_room_takes_all_and_closes_sockets),
        T(agents_are_unique_in_a_room_and_counted),
        T(a_refused_agent_leaves_nothing),
        T(an_agent_leaves_one_room_with_what_it_has_there),
        T(an_agent_shows_its_best_memories_and_newest_plans),
        T(plans_and_moods_change),
        T(an_unordered_pair_has_one_edge),
        T(reading_writes_nothing),
        T(agents_talk_among_themselves_when_told),
        T(ids_words_and_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
