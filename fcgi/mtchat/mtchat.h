/* mtchat - the REST side of mtchat, as docs/api/mtchat.md says it
 *
 * One file for each group of endpoints, all listed in routes.c. A handler finds the caller in
 * q->user, the ids of the path in q->path (struct mtchat_path) and its input in q->in.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_MTCHAT_MTCHAT_H
#define FCGI_MTCHAT_MTCHAT_H

#include "fcgi/req.h"
#include "fcgi/router.h"
#include "shared/chat/chat.h"
#include "shared/field.h"

extern const struct edge mtchat_edge;

/* What the path of a route may name; its table stands in routes.c. */
struct mtchat_path {
    struct id id;
    struct id mid;
    const char *user_id;
    const char *object_type;
    const char *object_id;
};

#define MTCHAT_PATH(q) ((const struct mtchat_path *)(q)->path)

/* Limits of the contract, in code points unless said otherwise. */
enum {
    CONTENT_MAX = 50000,
    TITLE_MAX = 500,
    NAME_MAX_LENGTH = 200,
    EMAIL_MAX = 254,
    PHONE_MAX = 50,
    ID_MAX = 255,                   /* user_id, object_id, one scope value */
    OBJECT_TYPE_MAX = 100,
    OBJECT_URL_MAX = 2048,
    META_MAX = 64 * 1024,           /* bytes */
    FILENAME_MAX_LENGTH = 255,
    CONTENT_TYPE_MAX = 100,
    FILE_KEY_MAX = 512,
    FILE_SIZE_MAX = 104857600,      /* bytes */
    ATTACHMENTS_MAX = 10,
    PAGE_DEFAULT = 50,
    PAGE_MAX = 100,
    KEY_MAX = 128,                  /* of an idempotency key */
};

/* ---- envelope.c ---- */

/* Error e in mtchat's words. */
void mtchat_write_error(struct request *q, struct reply *r, const struct route *route, enum err e);
/* {"data": ... around what the caller writes in between. */
void mtchat_data_open(struct reply *r);
void mtchat_data_close(struct reply *r);
/* {"status":"..."} */
void mtchat_status(struct reply *r, const char *status);

/* ---- scope.c ---- */

/* The X-Scope-Config header into q->scopes. */
enum err mtchat_read_scopes(struct request *q);
/* ERR_LIMIT when there are more scopes, or a level holds more values than the settings allow. */
enum err mtchat_check_scopes(struct request *q, const struct list *scopes);

/* ---- render.c ---- */

/* DialogItem. by_id: the variant of "get by id", which tells a candidate less. */
void mtchat_write_item(struct sbuf *out, const struct conversation_view *v, bool by_id);

/* ---- attachments.c ---- */

/* May these (of struct in_attachment) stand in a message of this dialog? The first fault counts. */
enum err mtchat_judge_attachments(struct fail *fail, const struct id *dialog,
                                  const struct list *attachments);

/* ---- handlers, by file ---- */

/* dialogs.c */
route_handler mtchat_list_dialogs, mtchat_get_dialog, mtchat_find_by_object,
    mtchat_list_by_object;
/* participants.c */
route_handler mtchat_join, mtchat_leave, mtchat_archive, mtchat_unarchive, mtchat_pin,
    mtchat_unpin, mtchat_notifications, mtchat_read, mtchat_list_participants;
/* messages.c */
route_handler mtchat_list_messages, mtchat_get_message, mtchat_send, mtchat_edit, mtchat_delete;
/* management.c */
route_handler mtchat_create, mtchat_search, mtchat_inspect, mtchat_destroy, mtchat_add,
    mtchat_remove, mtchat_set_scopes;
/* uploads.c */
route_handler mtchat_presign, mtchat_attachment_url;
/* sync.c */
route_handler mtchat_sync;

#endif
