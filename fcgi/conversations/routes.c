/* routes - every method of conversations
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "fcgi/conversations/conversations.h"
#include "fcgi/conversations/input.h"
#include "fcgi/health.h"

#define API "/v1"
#define GROUPS API "/conversations"

/* A read is also POSTed. What changes something is also fetched, but by no HEAD. */
#define READ (M_GET | M_POST)
#define CHANGE (M_GET | M_POST | M_NO_HEAD)

#define TAKES(table, type) .query = conversations_##table##_fields, .in_size = sizeof(struct type)

static const struct field path_fields[] = {
    { "conversation_id", F_TEXT, .offset = offsetof(struct conversations_path, group) },
    { 0 },
};

static const struct route routes[] = {
    { M_GET, "/health", A_ANYONE, .run = health_alive, .unlimited = true },
    { M_GET, "/health/ready", A_ANYONE, .run = health_ready, .unlimited = true },

    { READ, API "/messages/get", A_ONLINE, TAKES(page, conversations_page),
      .run = conversations_messages },
    { M_POST, API "/messages/send", A_ONLINE, TAKES(said, conversations_said),
      .run = conversations_send },
    { READ, GROUPS "/get", A_ONLINE, TAKES(which, conversations_which), .run = conversations_list },
    { M_POST, GROUPS "/new", A_ONLINE, TAKES(made, conversations_made), .run = conversations_new },
    { CHANGE, GROUPS "/join/:conversation_id", A_ONLINE, .run = conversations_join },
    { CHANGE, GROUPS "/leave/:conversation_id", A_ONLINE, .run = conversations_leave },
    { M_DELETE | M_POST, GROUPS "/delete/:conversation_id", A_ONLINE, .run = conversations_delete },
    { CHANGE, GROUPS "/view/:conversation_id", A_ONLINE, .run = conversations_view },
    { CHANGE, GROUPS "/stopView/:conversation_id", A_ONLINE, .run = conversations_stop_view },
    { CHANGE, GROUPS "/read/:conversation_id", A_ONLINE, .run = conversations_read },
    { READ, GROUPS "/members/:conversation_id", A_ONLINE, .run = conversations_members },
    { M_GET, API "/profile", A_USER, .run = conversations_get_profile },
    { M_POST, API "/profile", A_USER, TAKES(shown, conversations_shown),
      .run = conversations_set_profile },
    { 0 },
};

int64_t
conversations_group(const struct request *q)
{
    const char *text = ((const struct conversations_path *)q->path)->group;
    size_t len = strlen(text);
    int64_t id = 0;

    if (len == 0 || text[strspn(text, "0123456789")] != '\0')
        return FIELD_NO_ROW;
    for (; *text != '\0'; text++) {
        id = id * 10 + (*text - '0');
        if (id > GROUP_ID_MAX)
            return FIELD_NO_ROW;
    }
    return id;
}

const struct edge conversations_edge = {
    .system = &chat_conversations,
    .prefix = API,
    .routes = routes,
    .path_fields = path_fields,
    .path_size = sizeof(struct conversations_path),
    .body_max = offsetof(struct config, conv_body_max),
    .json_depth = offsetof(struct config, conv_json_depth),
    .always_limits = true,
    .slash_ends = true,
    .cors_methods = "GET,POST,DELETE,OPTIONS",
    .cors_headers = "Authorization,Content-Type,X-VK-Launch-Params",
    .charset = "; charset=utf-8",
    .authenticate = conversations_authenticate,
    .admit = conversations_admit,
    .read_input = conversations_read_input,
    .limit = conversations_limit,
    .write_error = conversations_write_error,
};
