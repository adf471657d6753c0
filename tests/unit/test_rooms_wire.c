/* test_rooms_wire - the JSON of rooms, to the letter
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "shared/wire/rooms.h"

#define AT_MS 1700000000001

static struct sbuf out;

static int
set_up(void **state)
{
    (void)state;
    sbuf_init(&out, SIZE_MAX);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    sbuf_fini(&out);
    return 0;
}

static void
is(const char *wanted)
{
    assert_string_equal(sbuf_str(&out), wanted);
    sbuf_reset(&out);
}

static const struct room_entry message = { .id = 7, .at_ms = AT_MS, .text = "a\"b", .sender = "user" };
static const struct room_entry event = {
    .id = 8, .at_ms = AT_MS, .text = "d", .type = "user_event",
    .agents = (const int64_t[]){ 3, 12 }, .n_agents = 2,
};
#define AT "\"2023-11-14T22:13:20.001Z\""

static void
messages_and_events(void **state)
{
    struct room_entry by_agent = message;

    (void)state;
    rooms_write_message(&out, &message);
    is("{\"id\":\"7\",\"text\":\"a\\\"b\",\"sender\":\"user\",\"agentId\":null,\"timestamp\":" AT
       ",\"agentResponse\":null}");
    by_agent.agent = 3;
    rooms_write_list_message(&out, &by_agent);
    is("{\"id\":\"7\",\"text\":\"a\\\"b\",\"sender\":\"user\",\"agentId\":\"3\",\"timestamp\":" AT "}");
    rooms_write_event(&out, &event);
    is("{\"id\":\"8\",\"type\":\"user_event\",\"agentIds\":[\"3\",\"12\"],\"description\":\"d\",\"timestamp\":" AT "}");
    rooms_write_feed_item(&out, &event);
    is("{\"type\":\"event\",\"id\":\"8\",\"eventType\":\"user_event\",\"agentIds\":[\"3\",\"12\"],"
       "\"description\":\"d\",\"timestamp\":" AT "}");
    rooms_write_feed_item(&out, &message);
    is("{\"type\":\"message\",\"id\":\"7\",\"text\":\"a\\\"b\",\"sender\":\"user\",\"agentId\":null,\"timestamp\":" AT "}");
}

static void
rooms_agents_and_what_they_have(void **state)
{
    struct room room = { .id = 1, .name = "n", .speed = 1, .orchestration = ORCHESTRATION_FULL_CONTEXT,
                         .created_ms = AT_MS, .n_agents = 2 };
    struct agent agent = { .id = 3, .name = "A", .character = "c", .mood = MOOD_SAD, .level = 0.2 };
    struct agent_full full = { .agent = agent };
    struct plan plan = { .id = 5, .description = "p", .status = PLAN_IN_PROGRESS };
    struct memory memory = { .id = 6, .content = "m", .importance = 0.7, .at_ms = AT_MS };
    struct agent_link link = { .agent = 9, .name = "B", .level = -1 };
    struct auth auth = { .account = { .id = 4, .email = "e", .username = "u" } };

    (void)state;
    rooms_write_room(&out, &room);
    is("{\"id\":\"1\",\"name\":\"n\",\"description\":null,\"speed\":1,\"orchestration_type\":\"full_context\","
       "\"createdAt\":" AT ",\"updatedAt\":null,\"agentCount\":2}");
    rooms_write_agent(&out, &agent);
    is("{\"id\":\"3\",\"name\":\"A\",\"avatar\":null,\"mood\":{\"mood\":\"sad\",\"level\":0.2,\"icon\":\"😢\","
       "\"color\":\"#f87171\"}}");
    full.memories = &memory;
    full.plans = &plan;
    full.links = &link;
    full.n_memories = full.n_plans = full.n_links = 1;
    rooms_write_agent_full(&out, &full);
    is("{\"id\":\"3\",\"name\":\"A\",\"avatar\":null,\"mood\":{\"mood\":\"sad\",\"level\":0.2,\"icon\":\"😢\","
       "\"color\":\"#f87171\"},\"character\":\"c\",\"keyMemories\":[{\"id\":\"6\",\"content\":\"m\",\"timestamp\":" AT
       ",\"importance\":0.7}],\"plans\":[{\"id\":\"5\",\"description\":\"p\",\"status\":\"in_progress\"}],"
       "\"relationships\":[{\"agentId\":\"9\",\"agentName\":\"B\",\"sympathyLevel\":-1}]}");
    rooms_write_auth(&out, &auth);
    is("{\"id\":\"4\",\"email\":\"e\",\"username\":\"u\",\"token\":\"\",\"refreshToken\":\"\"}");
}

static void
edges_and_keys(void **state)
{
    struct room_edge edge = { .from = 9, .to = 10, .level = 0.1 };
    struct runner_key key = { .id = 2, .room = 1, .name = "r", .created_ms = AT_MS };

    (void)state;
    rooms_write_edge(&out, &edge, true);
    is("{\"from\":\"9\",\"to\":\"10\",\"agentName\":null,\"sympathyLevel\":0.1}");
    rooms_write_edge(&out, &edge, false);
    is("{\"from\":\"9\",\"to\":\"10\",\"sympathyLevel\":0.1}");
    rooms_write_runner_key(&out, &key);
    is("{\"id\":\"2\",\"roomId\":\"1\",\"name\":\"r\",\"webhookUrl\":null,\"createdAt\":" AT ",\"lastUsedAt\":null}");
    key.key = "rk_x";
    rooms_write_runner_key(&out, &key);
    is("{\"id\":\"2\",\"roomId\":\"1\",\"name\":\"r\",\"key\":\"rk_x\",\"webhookUrl\":null,\"webhookSecret\":null,"
       "\"createdAt\":" AT "}");
}

/* ---- frames ---- */

/* The event that a notice becomes in room 1. */
static struct event
event_of(const struct notice *n, const char **channels, size_t n_channels)
{
    chat_rooms.write_event(&out, n);
    return (struct event){ .kind = n->kind, .system = "rooms", .channels = channels,
                           .n_channels = n_channels, .body = sbuf_str(&out), .body_len = out.len };
}

static void
frames_and_what_runners_get(void **state)
{
    const char *channels[] = { "runner:all", "room:1:runner" };
    struct room_notice what = { .room = 1, .entry = &message, .running = true,
                                .orchestration = ORCHESTRATION_CIRCULAR };
    struct notice n = { .kind = EVENT_ENTRY_NEW, .room = &what };
    struct sbuf frame;
    struct event e;

    (void)state;
    sbuf_init(&frame, SIZE_MAX);
    e = event_of(&n, channels, 2);
    assert_string_equal(rooms_frame_type(&e), "message");
    rooms_write_runner_frame(&frame, &e);
    is("{\"type\":\"message\",\"payload\":{\"id\":\"7\",\"text\":\"a\\\"b\",\"sender\":\"user\",\"agentId\":null,"
       "\"timestamp\":" AT ",\"agentResponse\":null}}");
    assert_string_equal(sbuf_str(&frame),
                        "{\"type\":\"message\",\"payload\":{\"roomId\":\"1\",\"id\":\"7\",\"text\":\"a\\\"b\","
                        "\"sender\":\"user\",\"agentId\":null,\"timestamp\":" AT ",\"agentResponse\":null}}");
    sbuf_reset(&frame);
    what.entry = &event;
    e = event_of(&n, channels, 2);
    assert_string_equal(rooms_frame_type(&e), "event");
    is("{\"type\":\"event\",\"payload\":{\"id\":\"8\",\"eventType\":\"user_event\",\"agentIds\":[\"3\",\"12\"],"
       "\"description\":\"d\",\"timestamp\":" AT "}}");
    n.kind = EVENT_ORCHESTRATION;
    e = event_of(&n, channels, 2);
    assert_string_equal(rooms_frame_type(&e), "orchestration");
    rooms_write_runner_frame(&frame, &e);
    assert_string_equal(sbuf_str(&frame), "{\"type\":\"orchestration\",\"payload\":{\"roomId\":\"1\",\"running\":true,"
                                          "\"orchestration_type\":\"circular\"}}");
    sbuf_fini(&frame);
}

static void
frames_of_the_relays_own(void **state)
{
    struct room_edge edge = { .from = 9, .to = 10, .level = 0.5 };
    struct room_notice what = { .room = 1, .edge = &edge };
    struct notice n = { .kind = EVENT_RELATIONSHIP, .room = &what };

    (void)state;
    event_of(&n, NULL, 0);
    is("{\"type\":\"edge_update\",\"payload\":{\"roomId\":\"1\",\"from\":\"9\",\"to\":\"10\",\"sympathyLevel\":0.5}}");
    rooms_write_connected(&out, ROOM_SOCKET_CHAT, 1);
    is("{\"type\":\"connected\",\"payload\":{\"roomId\":\"1\",\"message\":\"Подключено к чату комнаты\"}}");
    rooms_write_connected(&out, ROOM_SOCKET_GRAPH, 1);
    is("{\"type\":\"connected\",\"payload\":{\"roomId\":\"1\",\"message\":\"Подключено к графу отношений\"}}");
    rooms_write_connected(&out, ROOM_SOCKET_RUNNER, 0);
    assert_non_null(strstr(sbuf_str(&out), "{\"scope\":\"all\",\"roomId\":null,"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(messages_and_events),
        T(rooms_agents_and_what_they_have),
        T(edges_and_keys),
        T(frames_and_what_runners_get),
        T(frames_of_the_relays_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
