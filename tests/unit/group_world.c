/* group_world - a database with conversations in it, and users who come and go
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/group_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

int
world_set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    w->db = scratch_new(w->dir, w->path);
    w->config = (struct config){
        .log_keep_s = 3600, .log_keep_events = 100000, .idempotency_keep_s = 3600, .lease_ms = 1000,
        .presence_restart_grace_ms = 500, .presence_max_members = 10, .resume_max = 100,
        .ws_queue_bytes = 100000, .conv_max_members = 3, .conv_message_event = "new_message",
    };
    w->arena = arena_new();
    w->op = (struct op){ .db = w->db, .arena = w->arena, .config = &w->config,
                         .system = &chat_conversations, .now_ms = 1700000000500, .fail = &w->fail };
    assert_int_equal(op_relay_start(&w->op, RELAY, RUN, "ipc:///nowhere"), ERR_OK);
    world_live(w, RUN, "1", true);
    world_live(w, RUN, "2", true);
    world_live(w, RUN, "3", true);
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

void
world_live(struct world *w, const char *run, const char *user, bool online)
{
    const struct live_change change = { chat_conversations.name, user, online };
    struct op op = w->op;

    assert_int_equal(op_presence_apply(&op, run, &change, 1), ERR_OK);
}

int64_t
world_group(struct world *w, const char *user, const char *name)
{
    int64_t id = 0;

    assert_int_equal(op_group_create(&w->op, user, name, &id), ERR_OK);
    assert_true(id > 0);
    return id;
}

int64_t
world_say(struct world *w, const char *user, int64_t group, const char *text)
{
    int64_t id = 0;

    if (group == GROUP_GLOBAL)
        assert_int_equal(op_global_send(&w->op, user, text, &id), ERR_OK);
    else
        assert_int_equal(op_group_send(&w->op, user, group, text, &id), ERR_OK);
    return id;
}

const char *
world_said(struct world *w)
{
    const char *text = "";
    struct event *events;
    size_t n;

    assert_int_equal(op_log_read(&w->op, w->seen, 1000, &events, &n), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        w->seen = events[i].seq;
        if (events[i].kind != EVENT_CLOSING)
            text = arena_printf(w->arena, "%s%s %.*s\n", text, events[i].channels[0],
                                (int)events[i].body_len, events[i].body);
    }
    return text;
}

bool
world_hears(struct world *w, const char *user, int64_t group)
{
    const char *channel = group_channel(&w->op, group);
    struct connect_state state;
    size_t n = 0;

    assert_int_equal(op_connect(&w->op, user, -1, &state), ERR_OK);
    for (size_t i = 0; i < state.n_channels; i++)
        n += strcmp(state.channels[i], channel) == 0;
    assert_true(n <= 1);
    return n == 1;
}
