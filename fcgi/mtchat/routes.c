/* routes - every path of mtchat
 *
 * Searched in order: a pattern that is a special case of another stands before it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/auth.h"
#include "fcgi/health.h"
#include "fcgi/mtchat/input.h"
#include "fcgi/mtchat/mtchat.h"

#define API "/api/v1"
#define DIALOG API "/dialogs/:id"
#define MANAGED API "/management/dialogs"
#define OBJECT API "/dialogs/by-object/:object_type/*object_id"

#define QUERY(fields, type) .query = fields, .in_size = sizeof(struct type)
#define BODY(fields, type) .body = fields, .in_size = sizeof(struct type)

#define PATH(member) .offset = offsetof(struct mtchat_path, member)

static const struct field path_fields[] = {
    { "id",          F_UUID, PATH(id) },
    { "mid",         F_UUID, PATH(mid) },
    { "user_id",     F_TEXT, PATH(user_id), .min = 1, .max = ID_MAX },
    { "object_type", F_TEXT, PATH(object_type), .min = 1, .max = OBJECT_TYPE_MAX },
    { "object_id",   F_TEXT, PATH(object_id), .min = 1, .max = ID_MAX },
    { 0 },
};

static const struct route routes[] = {
    /* ---- health ---- */
    { M_GET, "/health", A_ANYONE, .run = health_alive, .unlimited = true },
    { M_GET, "/health/ready", A_ANYONE, .run = health_ready, .unlimited = true },

    /* ---- dialogs ---- */
    { M_GET, API "/dialogs", A_USER, SCOPE_OPTIONAL, QUERY(in_list_fields, in_list),
      .run = mtchat_list_dialogs },
    { M_GET, OBJECT "/list", A_USER, SCOPE_OPTIONAL, QUERY(in_object_list_fields, in_list),
      .run = mtchat_list_by_object },
    { M_GET, OBJECT, A_USER, SCOPE_OPTIONAL, .run = mtchat_find_by_object },
    { M_GET, DIALOG, A_USER, SCOPE_OPTIONAL, .run = mtchat_get_dialog },
    { M_GET, API "/sync", A_USER, QUERY(in_sync_fields, in_sync), .run = mtchat_sync },

    /* ---- the caller and a dialog ---- */
    { M_POST, DIALOG "/join", A_USER, SCOPE_REQUIRED, BODY(in_join_fields, member_new),
      .run = mtchat_join },
    { M_POST, DIALOG "/leave", A_USER, .run = mtchat_leave },
    { M_POST, DIALOG "/archive", A_USER, .run = mtchat_archive },
    { M_POST, DIALOG "/unarchive", A_USER, .run = mtchat_unarchive },
    { M_POST, DIALOG "/pin", A_USER, .run = mtchat_pin },
    { M_POST, DIALOG "/unpin", A_USER, .run = mtchat_unpin },
    { M_POST, DIALOG "/notifications", A_USER, BODY(in_switch_fields, in_switch),
      .run = mtchat_notifications },
    { M_POST, DIALOG "/read", A_USER, BODY(in_read_fields, in_read), .run = mtchat_read },
    { M_GET, DIALOG "/participants", A_USER, SCOPE_OPTIONAL, .run = mtchat_list_participants },

    /* ---- messages ---- */
    { M_GET, DIALOG "/messages", A_USER, QUERY(in_page_fields, in_page),
      .run = mtchat_list_messages },
    { M_POST, DIALOG "/messages", A_USER, BODY(in_send_fields, in_message), .run = mtchat_send },
    { M_GET, DIALOG "/messages/:mid", A_USER, .run = mtchat_get_message },
    { M_PUT, DIALOG "/messages/:mid", A_USER, BODY(in_edit_fields, in_message),
      .run = mtchat_edit },
    { M_DELETE, DIALOG "/messages/:mid", A_USER, .run = mtchat_delete },

    /* ---- files ---- */
    { M_POST, API "/upload/presign", A_USER, BODY(in_presign_fields, in_presign),
      .run = mtchat_presign },
    { M_GET, API "/attachments/:id/url", A_USER, .run = mtchat_attachment_url },

    /* ---- the host's server ---- */
    { M_POST, MANAGED, A_ADMIN, BODY(in_create_fields, in_create), .run = mtchat_create },
    { M_POST, MANAGED "/search", A_ADMIN, BODY(in_search_fields, in_create),
      .run = mtchat_search },
    { M_GET, MANAGED "/:id", A_ADMIN, .run = mtchat_inspect },
    { M_DELETE, MANAGED "/:id", A_ADMIN, .run = mtchat_destroy },
    { M_POST, MANAGED "/:id/participants", A_ADMIN, BODY(in_participant_fields, member_new),
      .run = mtchat_add },
    { M_DELETE, MANAGED "/:id/participants/:user_id", A_ADMIN, .run = mtchat_remove },
    { M_PUT, MANAGED "/:id/access-scopes", A_ADMIN, BODY(in_scopes_fields, in_create),
      .run = mtchat_set_scopes },
    { 0 },
};

const struct edge mtchat_edge = {
    .system = &chat_mtchat,
    .prefix = "/api/v1",
    .routes = routes,
    .path_fields = path_fields,
    .path_size = sizeof(struct mtchat_path),
    .body_max = offsetof(struct config, body_max),
    .json_depth = offsetof(struct config, json_depth),
    .authenticate = auth_by_settings,
    .write_error = mtchat_write_error,
    .read_scopes = mtchat_read_scopes,
};
