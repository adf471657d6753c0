/* input - what each endpoint of mtchat takes: structs, and the tables that fill them
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_MTCHAT_INPUT_H
#define FCGI_MTCHAT_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/chat/chat.h"
#include "shared/field.h"
#include "shared/id.h"

/* GET dialogs and by-object lists. archived stays text, because only one of the lists judges it. */
struct in_list {
    const char *type;
    const char *search;
    const char *archived;
    int64_t limit;              /* 0: not given */
    int64_t offset;
};
extern const struct field in_list_fields[];
extern const struct field in_object_list_fields[];     /* the same without paging */

/* POST join; user stays NULL and is the caller. */
extern const struct field in_join_fields[];             /* struct member_new */

struct in_switch {
    bool enabled;
};
extern const struct field in_switch_fields[];

struct in_read {
    struct id last_read;
};
extern const struct field in_read_fields[];

struct in_page {
    int64_t limit;              /* 0: not given */
    struct id around, after, before;
};
extern const struct field in_page_fields[];

struct in_attachment {
    const char *key;
    const char *filename;
    const char *content_type;
    int64_t size;
};

struct in_message {
    const char *content;        /* NULL: not given */
    struct id reply_to;
    const char *client_key;
    struct list attachments;    /* of struct in_attachment */
};
extern const struct field in_send_fields[];
extern const struct field in_edit_fields[];

struct in_presign {
    struct id dialog;
    const char *filename;
    const char *content_type;
    int64_t size;
};
extern const struct field in_presign_fields[];

struct in_create {
    const char *object_type, *object_id, *object_url, *title, *meta;
    struct list participants;   /* of struct member_new */
    struct list scopes;         /* of struct scope_lists */
};
extern const struct field in_create_fields[];
extern const struct field in_search_fields[];           /* struct in_create */
extern const struct field in_scopes_fields[];           /* struct in_create */
extern const struct field in_participant_fields[];      /* struct member_new */

struct in_sync {
    int64_t since;
    bool has_since;
    int64_t limit;
    bool has_limit;
};
extern const struct field in_sync_fields[];

extern const struct field in_scope_fields[];            /* struct scope_lists */

#endif
