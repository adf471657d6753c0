/* test_room - the operations of rooms against a real database in a temporary folder
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

#include "shared/chat/op_room.h"
#include "shared/wire/rooms.h"
#include "tests/unit/scratch.h"

#define OPERATOR_KEY "the operator's key of thirty-two!"

/* One database with two accounts. */
struct world {
    char dir[SCRATCH_DIR], path[SCRATCH_PATH];
    struct config config;
    struct db *db;
    struct arena *arena;
    struct fail fail;
    struct op op;
    struct room_actor anna, boris;
    struct room room;           /* anna's, of type circular */
};

static int64_t
make_account(struct world *w, const char *email)
{
    struct account_new in = { .email = email, .password = "correct horse" };
    struct auth auth;

    assert_int_equal(op_account_register(&w->op, &in, &auth), ERR_OK);
    return auth.account.id;
}

static struct room
make_room(struct world *w, const struct room_actor *who, enum orchestration type)
{
    struct room_new in = { .name = "Комната", .orchestration = type };
    struct room room;

    w->op.now_ms += 10;
    assert_int_equal(op_room_create(&w->op, who->account, &in, &room), ERR_OK);
    return room;
}

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    w->db = scratch_new(w->dir, w->path);
    w->config = (struct config){
        .run = w->dir, .log_keep_s = 3600, .log_keep_events = 100000, .idempotency_keep_s = 3600,
        .rooms_jwt_secret = "0123456789abcdef0123456789abcdef", .rooms_token_s = 3600,
        .rooms_refresh_s = 7200, .rooms_password_memory_kib = 8, .rooms_password_passes = 1,
        .rooms_password_processes = 4, .rooms_per_user = 5, .rooms_agents_max = 4,
        .rooms_plans_max = 3, .rooms_runner_keys_max = 2, .runner_key = OPERATOR_KEY,
    };
    w->arena = arena_new();
    w->op = (struct op){ .db = w->db, .arena = w->arena, .config = &w->config,
                         .system = &chat_rooms, .now_ms = 1700000000000, .fail = &w->fail };
    w->anna = (struct room_actor){ .kind = ACTOR_OWNER, .account = make_account(w, "anna@x.org") };
    w->boris = (struct room_actor){ .kind = ACTOR_OWNER, .account = make_account(w, "boris@x.org") };
    w->room = make_room(w, &w->anna, ORCHESTRATION_CIRCULAR);
    *state = w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    db_close(w->db);
    arena_free(w->arena);
    scratch_remove(w->dir);
    free(w);
    return 0;
}

/* ---- helpers ---- */

static struct agent
add_to(struct world *w, int64_t room, const char *name)
{
    struct agent_new in = { .name = name };
    struct agent a;

    assert_int_equal(op_agent_add(&w->op, &w->anna, room, &in, &a), ERR_OK);
    return a;
}

static struct agent
add(struct world *w, const char *name)
{
    return add_to(w, w->room.id, name);
}

static struct room_entry
say(struct world *w, const char *text)
{
    struct room_entry e;

    w->op.now_ms += 10;
    assert_int_equal(op_room_say(&w->op, &w->anna, w->room.id, 0, text, &e), ERR_OK);
    return e;
}

static struct room
look(struct world *w)
{
    struct room r;

    assert_int_equal(op_room_find(&w->op, &w->anna, w->room.id, &r), ERR_OK);
    return r;
}

static int64_t
head(struct world *w)
{
    int64_t head, floor;

    assert_int_equal(op_log_head(&w->op, &head, &floor), ERR_OK);
    return head;
}

static struct event *
events_after(struct world *w, int64_t since, size_t *n_r)
{
    struct event *events;

    assert_int_equal(op_log_read(&w->op, since, 100, &events, n_r), ERR_OK);
    return events;
}

static struct room_actor
runner_of(struct world *w, int64_t room)
{
    struct runner_key k;
    struct room_actor who;

    assert_int_equal(op_runner_key_create(&w->op, &w->anna, room, "r", NULL, &k), ERR_OK);
    assert_int_equal(op_runner_check(&w->op, k.key, &who), ERR_OK);
    return who;
}

static const struct event_operation *
closing_of(const struct event *e, const char *channel)
{
    for (size_t i = 0; i < e->n_operations; i++)
        if (e->operations[i].verb == EVENT_CLOSE
            && strcmp(e->operations[i].channel, channel) == 0)
            return &e->operations[i];
    return NULL;
}

static bool
heard_on(const struct event *e, const char *channel)
{
    for (size_t i = 0; i < e->n_channels; i++)
        if (strcmp(e->channels[i], channel) == 0)
            return true;
    return false;
}

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

/* ---- runners ---- */

static void
keys_are_few_shown_once_and_dead_at_once(void **state)
{
    struct world *w = *state;
    struct runner_key k, second, *keys;
    struct room_actor who;
    struct event *events;
    struct room *rooms;
    int64_t since;
    size_t n;

    assert_int_equal(op_runner_key_create(&w->op, &w->anna, w->room.id, "one", "http://x/", &k), ERR_OK);
    assert_memory_equal(k.key, "rk_", 3);
    assert_non_null(k.webhook_secret);
    assert_int_equal(op_runner_key_create(&w->op, &w->anna, w->room.id, "two", NULL, &second), ERR_OK);
    assert_int_equal(op_runner_key_create(&w->op, &w->anna, w->room.id, "three", NULL, &second), ERR_RULE);
    assert_int_equal(op_runner_key_list(&w->op, &w->anna, w->room.id, &keys, &n), ERR_OK);
    assert_int_equal(n, 2);
    assert_null(keys[0].key);
    assert_int_equal(keys[0].last_used_ms, 0);
    assert_int_equal(op_runner_check(&w->op, k.key, &who), ERR_OK);
    assert_int_equal(who.kind, ACTOR_RUNNER);
    assert_int_equal(op_room_list(&w->op, &who, &rooms, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(op_runner_key_list(&w->op, &w->anna, w->room.id, &keys, &n), ERR_OK);
    assert_int_equal(keys[0].last_used_ms, w->op.now_ms);
    assert_int_equal(op_runner_check(&w->op, "rk_nothing", &who), ERR_UNAUTHORIZED);
    assert_int_equal(who.kind, ACTOR_NOBODY);
    assert_int_equal(op_runner_check(&w->op, "", &who), ERR_UNAUTHORIZED);
    since = head(w);
    assert_int_equal(op_runner_key_delete(&w->op, &w->boris, w->room.id, k.id), ERR_NOT_FOUND);
    assert_int_equal(op_runner_key_delete(&w->op, &w->anna, w->room.id, k.id), ERR_OK);
    events = events_after(w, since, &n);
    assert_int_equal(n, 1);
    assert_int_equal(closing_of(events, room_key_channel(w->arena, k.id))->code, 4001);
    assert_int_equal(op_runner_check(&w->op, k.key, &who), ERR_UNAUTHORIZED);
    assert_int_equal(op_runner_key_delete(&w->op, &w->anna, w->room.id, k.id), ERR_NOT_FOUND);
}

static void
the_operators_key_opens_all_rooms(void **state)
{
    struct world *w = *state;
    struct room_actor who;
    struct room *rooms;
    size_t n;

    make_room(w, &w->boris, ORCHESTRATION_SINGLE);
    assert_int_equal(op_runner_check(&w->op, OPERATOR_KEY, &who), ERR_OK);
    assert_int_equal(who.kind, ACTOR_RUNNER_OF_ALL);
    assert_int_equal(op_room_list(&w->op, &who, &rooms, &n), ERR_OK);
    assert_int_equal(n, 2);
    w->config.runner_key = "";
    assert_int_equal(op_runner_check(&w->op, "", &who), ERR_UNAUTHORIZED);
    assert_int_equal(op_runner_check(&w->op, OPERATOR_KEY, &who), ERR_UNAUTHORIZED);
}

static void
a_used_key_is_noted_once_a_minute(void **state)
{
    struct world *w = *state;
    struct runner_key k, *keys;
    struct room_actor who;
    int64_t first = w->op.now_ms;
    size_t n;

    assert_int_equal(op_runner_key_create(&w->op, &w->anna, w->room.id, "one", NULL, &k), ERR_OK);
    assert_int_equal(op_runner_check(&w->op, k.key, &who), ERR_OK);
    w->op.now_ms += 59999;
    assert_int_equal(op_runner_check(&w->op, k.key, &who), ERR_OK);
    assert_int_equal(op_runner_key_list(&w->op, &w->anna, w->room.id, &keys, &n), ERR_OK);
    assert_int_equal(keys[0].last_used_ms, first);
    w->op.now_ms += 1;
    assert_int_equal(op_runner_check(&w->op, k.key, &who), ERR_OK);
    assert_int_equal(op_runner_key_list(&w->op, &w->anna, w->room.id, &keys, &n), ERR_OK);
    assert_int_equal(keys[0].last_used_ms, w->op.now_ms);
}

/* ---- sockets ---- */

static struct room_connect
connect_as(struct world *w, enum room_socket kind, const char *user, int64_t room, const char *key)
{
    struct room_hello hello = { .kind = kind, .user = user, .room = room, .key = key };
    struct room_connect c;

    assert_int_equal(op_room_connect(&w->op, &hello, &c), ERR_OK);
    return c;
}

static void
sockets_are_refused_by_credential_then_by_room(void **state)
{
    struct world *w = *state;
    char *anna = arena_printf(w->arena, "%lld", (long long)w->anna.account);
    char *boris = arena_printf(w->arena, "%lld", (long long)w->boris.account);
    struct room_connect c;

    assert_int_equal(connect_as(w, ROOM_SOCKET_CHAT, NULL, w->room.id, NULL).close_code, 4001);
    assert_int_equal(connect_as(w, ROOM_SOCKET_CHAT, "999", w->room.id, NULL).close_code, 4001);
    assert_int_equal(connect_as(w, ROOM_SOCKET_CHAT, "x", 0, NULL).close_code, 4001);
    assert_int_equal(connect_as(w, ROOM_SOCKET_GRAPH, boris, w->room.id, NULL).close_code, 4003);
    assert_int_equal(connect_as(w, ROOM_SOCKET_GRAPH, anna, 0, NULL).close_code, 4003);
    c = connect_as(w, ROOM_SOCKET_GRAPH, anna, w->room.id, NULL);
    assert_int_equal(c.close_code, 0);
    assert_int_equal(c.head, head(w));
    assert_int_equal(c.n_channels, 2);
    assert_string_equal(c.channels[0], room_channel(w->arena, w->room.id, ROOM_SOCKET_GRAPH));
    assert_string_equal(c.channels[1], arena_printf(w->arena, "user:rooms:%s", anna));
    assert_int_equal(op_account_activate(&w->op, "anna@x.org", false), ERR_OK);
    assert_int_equal(connect_as(w, ROOM_SOCKET_CHAT, anna, w->room.id, NULL).close_code, 4001);
}

static void
runner_streams_have_their_scope(void **state)
{
    struct world *w = *state;
    struct runner_key k, *keys;
    struct room_connect c;
    size_t n;

    assert_int_equal(connect_as(w, ROOM_SOCKET_RUNNER, NULL, 0, NULL).close_code, 4001);
    assert_int_equal(connect_as(w, ROOM_SOCKET_RUNNER, NULL, 0, "rk_x").close_code, 4001);
    c = connect_as(w, ROOM_SOCKET_RUNNER, NULL, 0, OPERATOR_KEY);
    assert_int_equal(c.close_code, 0);
    assert_int_equal(c.n_channels, 1);
    assert_string_equal(c.channels[0], "runner:all");
    assert_int_equal(c.room, 0);
    assert_int_equal(op_runner_key_create(&w->op, &w->anna, w->room.id, "one", NULL, &k), ERR_OK);
    c = connect_as(w, ROOM_SOCKET_RUNNER, NULL, 0, k.key);
    assert_int_equal(c.room, w->room.id);
    assert_string_equal(c.channels[1], room_key_channel(w->arena, k.id));
    assert_int_equal(op_runner_key_list(&w->op, &w->anna, w->room.id, &keys, &n), ERR_OK);
    assert_int_equal(keys[0].last_used_ms, w->op.now_ms);
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
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
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
        T(one_run_of_ids_and_strictly_rising_times),
        T(a_message_needs_somebody_to_hear_it),
        T(pages_of_messages_are_exact),
        T(pages_are_a_fixed_number_of_statements),
        T(an_event_concerns_whom_it_names_or_all),
        T(what_is_broadcast_as_chat_is_also_said),
        T(a_runner_speaks_for_agents_and_voices_only),
        T(a_key_makes_one_entry),
        T(channels_are_those_of_the_room),
        T(an_unordered_pair_has_one_edge),
        T(reading_writes_nothing),
        T(agents_talk_among_themselves_when_told),
        T(keys_are_few_shown_once_and_dead_at_once),
        T(the_operators_key_opens_all_rooms),
        T(a_used_key_is_noted_once_a_minute),
        T(sockets_are_refused_by_credential_then_by_room),
        T(runner_streams_have_their_scope),
        T(ids_words_and_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
