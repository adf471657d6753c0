/* test_room_runner - keys of runners, and sockets of rooms
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

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(keys_are_few_shown_once_and_dead_at_once),
        T(the_operators_key_opens_all_rooms),
        T(a_used_key_is_noted_once_a_minute),
        T(sockets_are_refused_by_credential_then_by_room),
        T(runner_streams_have_their_scope),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
