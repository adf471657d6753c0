/* routes - every path of event chat; its sockets are the relay's
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/eventchat/eventchat.h"
#include "fcgi/health.h"
#include "shared/chat/chat.h"

#define V1 "/eventchat/v1"
#define EVENT V1 "/events/:event"
#define CHAT V1 "/chats/:chat"

#define QUERY(fields, type) .query = fields, .in_size = sizeof(struct type)
#define BODY(fields, type) .body = fields, .in_size = sizeof(struct type)

#define PATH(member) .offset = offsetof(struct eventchat_path, member)

/* A name that nothing can have is not found, like any other. */
static const struct field path_fields[] = {
    { "event", F_TEXT, PATH(event) },
    { "chat",  F_TEXT, PATH(chat) },
    { "photo", F_TEXT, PATH(photo) },
    { 0 },
};

static const struct route routes[] = {
    { M_GET, "/health", A_ANYONE, .run = health_alive, .unlimited = true },
    { M_GET, "/health/ready", A_ANYONE, .run = health_ready, .unlimited = true },

    { M_GET, V1 "/profile", A_USER, .run = eventchat_get_profile },
    { M_PUT, V1 "/profile", A_USER, BODY(eventchat_profile_fields, eventchat_in_profile),
      .run = eventchat_put_profile },

    { M_GET, V1 "/events", A_USER, QUERY(eventchat_page_fields, eventchat_in_page),
      .run = eventchat_list_events },
    { M_POST, V1 "/events", A_USER, BODY(eventchat_event_fields, eventchat_in_event),
      .run = eventchat_create_event },
    { M_GET, EVENT, A_USER, .run = eventchat_get_event },
    { M_POST, EVENT "/chat", A_USER, BODY(eventchat_open_fields, eventchat_in_open),
      .body_optional = true, .run = eventchat_open_chat },
    { M_POST, EVENT "/request", A_USER, BODY(eventchat_open_fields, eventchat_in_open),
      .body_optional = true, .run = eventchat_request },

    { M_GET, V1 "/chats", A_USER, .run = eventchat_list_chats },
    { M_POST, CHAT "/grant", A_USER, .run = eventchat_grant },
    { M_POST, CHAT "/revoke", A_USER, .run = eventchat_revoke },

    { M_POST, V1 "/photos", A_USER, .run = eventchat_put_photo, .streams = true },
    { M_GET, V1 "/photos/:photo", A_USER, .run = eventchat_get_photo },
    { 0 },
};

const struct edge eventchat_edge = {
    .system = &chat_eventchat,
    .prefix = V1,
    .routes = routes,
    .path_fields = path_fields,
    .path_size = sizeof(struct eventchat_path),
    .body_max = offsetof(struct config, eventchat_body_max),
    .json_depth = offsetof(struct config, eventchat_json_depth),
    .json_only = true,
    .always_limits = true,
    .streams = true,
    .cors_methods = "GET, POST, PUT",
    .authenticate = eventchat_authenticate,
    .limit = eventchat_limit,
    .write_error = eventchat_write_error,
};
