/* room_world - a database with two accounts, a room of the first, and who speaks there
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/room_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t
make_account(struct world *w, const char *email)
{
    struct account_new in = { .email = email, .password = "correct horse" };
    struct auth auth;

    assert_int_equal(op_account_register(&w->op, &in, &auth), ERR_OK);
    return auth.account.id;
}

struct room
make_room(struct world *w, const struct room_actor *who, enum orchestration type)
{
    struct room_new in = { .name = "Комната", .orchestration = type };
    struct room room;

    w->op.now_ms += 10;
    assert_int_equal(op_room_create(&w->op, who->account, &in, &room), ERR_OK);
    return room;
}

int
world_set_up(void **state)
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

int
world_tear_down(void **state)
{
    struct world *w = *state;

    db_close(w->db);
    arena_free(w->arena);
    scratch_remove(w->dir);
    free(w);
    return 0;
}

struct agent
add_to(struct world *w, int64_t room, const char *name)
{
    struct agent_new in = { .name = name };
    struct agent a;

    assert_int_equal(op_agent_add(&w->op, &w->anna, room, &in, &a), ERR_OK);
    return a;
}

struct agent
add(struct world *w, const char *name)
{
    return add_to(w, w->room.id, name);
}

struct room_entry
say(struct world *w, const char *text)
{
    struct room_entry e;

    w->op.now_ms += 10;
    assert_int_equal(op_room_say(&w->op, &w->anna, w->room.id, 0, text, &e), ERR_OK);
    return e;
}

struct room
look(struct world *w)
{
    struct room r;

    assert_int_equal(op_room_find(&w->op, &w->anna, w->room.id, &r), ERR_OK);
    return r;
}

int64_t
head(struct world *w)
{
    int64_t head, floor;

    assert_int_equal(op_log_head(&w->op, &head, &floor), ERR_OK);
    return head;
}

struct event *
events_after(struct world *w, int64_t since, size_t *n_r)
{
    struct event *events;

    assert_int_equal(op_log_read(&w->op, since, 100, &events, n_r), ERR_OK);
    return events;
}

struct room_actor
runner_of(struct world *w, int64_t room)
{
    struct runner_key k;
    struct room_actor who;

    assert_int_equal(op_runner_key_create(&w->op, &w->anna, room, "r", NULL, &k), ERR_OK);
    assert_int_equal(op_runner_check(&w->op, k.key, &who), ERR_OK);
    return who;
}

const struct event_operation *
closing_of(const struct event *e, const char *channel)
{
    for (size_t i = 0; i < e->n_operations; i++)
        if (e->operations[i].verb == EVENT_CLOSE
            && strcmp(e->operations[i].channel, channel) == 0)
            return &e->operations[i];
    return NULL;
}

bool
heard_on(const struct event *e, const char *channel)
{
    for (size_t i = 0; i < e->n_channels; i++)
        if (strcmp(e->channels[i], channel) == 0)
            return true;
    return false;
}
