/* routes - every path of rooms
 *
 * Searched in order: a pattern that is a special case of another stands before it. The sockets are
 * the relay's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/health.h"
#include "fcgi/rooms/input.h"
#include "fcgi/rooms/rooms.h"

#define ROOMS "/api/rooms"
#define ROOM ROOMS "/:room_id"
#define AGENT ROOM "/agents/:agent_id"
#define RUNNER "/api/runner/rooms"
#define R RUNNER "/:room_id"
#define R_AGENT R "/agents/:agent_id"

#define QUERY(fields, type) .query = fields, .in_size = sizeof(struct type)
#define BODY(fields, type) .body = fields, .in_size = sizeof(struct type)

#define PATH(member) .offset = offsetof(struct rooms_path, member)

static const struct field path_fields[] = {
    { "room_id",     F_KEY, PATH(room) },
    { "agent_id",    F_KEY, PATH(agent) },
    { "plan_id",     F_KEY, PATH(plan) },
    { "key_id",      F_KEY, PATH(key) },
    { "template_id", F_KEY, PATH(template) },
    { 0 },
};

static const struct route routes[] = {
    /* ---- health ---- */
    { M_GET, "/health", A_ANYONE, .run = health_alive, .unlimited = true },
    { M_GET, "/health/ready", A_ANYONE, .run = health_ready, .unlimited = true },

    /* ---- accounts ---- */
    { M_POST, "/api/auth/register", A_ANYONE, BODY(rooms_register_fields, rooms_in_account),
      .run = rooms_register },
    { M_POST, "/api/auth/login", A_ANYONE, BODY(rooms_login_fields, rooms_in_account),
      .run = rooms_login },
    { M_POST, "/api/auth/refresh", A_ANYONE, BODY(rooms_refresh_fields, rooms_in_refresh),
      .run = rooms_refresh },
    /* a page that opens takes whatever this says but 200 for the end of its session */
    { M_GET, "/api/auth/me", A_USER, .run = rooms_me, .unlimited = true },

    /* ---- rooms ---- */
    { M_GET, ROOMS, A_USER, .run = rooms_list },
    { M_POST, ROOMS, A_USER, BODY(rooms_create_fields, rooms_in_room), .run = rooms_create },
    { M_GET, ROOM, A_USER, .run = rooms_get },
    { M_PATCH, ROOM, A_USER, BODY(rooms_change_fields, rooms_in_room), .run = rooms_change },
    { M_DELETE, ROOM, A_USER, .run = rooms_delete },
    { M_PATCH, ROOM "/speed", A_USER, BODY(rooms_speed_fields, rooms_in_room),
      .run = rooms_set_speed },
    { M_POST, ROOM "/orchestration/start", A_USER, .run = rooms_start },
    { M_POST, ROOM "/orchestration/stop", A_USER, .run = rooms_stop },

    /* ---- agents ---- */
    { M_GET, ROOM "/agents", A_USER, .run = rooms_list_agents },
    { M_POST, ROOM "/agents", A_USER, BODY(rooms_agent_fields, rooms_in_agent),
      .run = rooms_add_agent },
    { M_GET, AGENT, A_USER, .run = rooms_get_agent },
    { M_DELETE, AGENT, A_USER, .run = rooms_remove_agent },
    { M_GET, AGENT "/memories", A_USER, QUERY(rooms_memories_fields, rooms_in_page),
      .run = rooms_list_memories },
    { M_GET, AGENT "/plans", A_USER, .run = rooms_list_plans },
    { M_GET, "/api/agents", A_MAYBE, .run = rooms_list_own_agents },
    { M_GET, "/api/default-agents", A_ANYONE, .run = rooms_list_templates },
    { M_GET, "/api/default-agents/:template_id", A_ANYONE, .run = rooms_get_template },

    /* ---- messages, events ---- */
    { M_GET, ROOM "/messages", A_USER, QUERY(rooms_messages_fields, rooms_in_page),
      .run = rooms_list_messages },
    { M_POST, ROOM "/messages", A_USER, BODY(rooms_message_fields, rooms_in_message),
      .run = rooms_say },
    { M_POST, AGENT "/messages", A_USER, BODY(rooms_message_fields, rooms_in_message),
      .run = rooms_say },
    { M_GET, ROOM "/feed", A_USER, QUERY(rooms_feed_fields, rooms_in_page), .run = rooms_feed },
    { M_POST, ROOM "/events", A_USER, BODY(rooms_event_fields, rooms_in_event),
      .run = rooms_happen },
    { M_POST, ROOM "/events/broadcast", A_USER, BODY(rooms_broadcast_fields, rooms_in_event),
      .run = rooms_broadcast },

    /* ---- relationships ---- */
    { M_GET, ROOM "/relationships", A_USER, .run = rooms_get_graph },
    { M_PATCH, ROOM "/relationships", A_USER, BODY(rooms_relation_fields, rooms_in_relation),
      .run = rooms_relate },
    { M_GET, ROOM "/relationship-model", A_USER, .run = rooms_model },
    { M_GET, ROOM "/emotional-state", A_USER, .run = rooms_emotions },
    { M_GET, ROOM "/context-memory", A_USER, .run = rooms_context },

    /* ---- runners: their keys, their calls ---- */
    { M_GET, ROOM "/runners", A_USER, .run = rooms_list_keys },
    { M_POST, ROOM "/runners", A_USER, BODY(rooms_key_fields, rooms_in_key),
      .run = rooms_create_key },
    { M_DELETE, ROOM "/runners/:key_id", A_USER, .run = rooms_delete_key },
    { M_GET, RUNNER, A_RUNNER, .run = rooms_list },
    { M_GET, R, A_RUNNER, .run = rooms_runner_get },
    { M_GET, R "/messages", A_RUNNER, QUERY(rooms_since_fields, rooms_in_page),
      .run = rooms_runner_messages },
    { M_POST, R "/messages", A_RUNNER, BODY(rooms_runner_message_fields, rooms_in_message),
      .run = rooms_runner_say },
    { M_POST, R "/events", A_RUNNER, BODY(rooms_event_fields, rooms_in_event),
      .run = rooms_happen },
    { M_PATCH, R "/relationships", A_RUNNER, BODY(rooms_relation_fields, rooms_in_relation),
      .run = rooms_relate },
    { M_POST, R_AGENT "/memories", A_RUNNER, BODY(rooms_memory_fields, rooms_in_memory),
      .run = rooms_runner_remember },
    { M_POST, R_AGENT "/plans", A_RUNNER, BODY(rooms_plan_fields, rooms_in_plan),
      .run = rooms_runner_plan },
    { M_PATCH, R_AGENT "/plans/:plan_id", A_RUNNER, BODY(rooms_plan_change_fields, rooms_in_plan),
      .run = rooms_runner_change_plan },
    { M_PATCH, R_AGENT "/mood", A_RUNNER, BODY(rooms_mood_fields, rooms_in_mood),
      .run = rooms_runner_mood },

    /* ---- about ---- */
    { M_GET, "/api/", A_ANYONE, .run = rooms_about },
    { M_GET, "/api/test-db", A_ANYONE, .run = rooms_test_database },
    { M_GET, "/api/usage", A_ANYONE, .run = rooms_usage },
    { 0 },
};

const struct edge rooms_edge = {
    .system = &chat_rooms,
    .prefix = "/api",
    .routes = routes,
    .path_fields = path_fields,
    .path_size = sizeof(struct rooms_path),
    .body_max = offsetof(struct config, rooms_body_max),
    .json_depth = offsetof(struct config, rooms_json_depth),
    .size_first = true,
    .refuse_nul = true,
    .always_limits = true,
    .never_credentials = true,
    .cors_methods = "GET, POST, PATCH, DELETE",
    .authenticate = rooms_authenticate,
    .admit = rooms_admit,
    .limit = rooms_limit,
    .write_error = rooms_write_error,
};
