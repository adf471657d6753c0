/* input - what each endpoint of mtchat takes: structs, and the tables that fill them
 *
 * Some limits stand in the handlers instead: those that the settings move (participants, scopes,
 * events of /sync) and those of a message, because there a missing dialog is told first.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/mtchat/input.h"

#include "fcgi/mtchat/mtchat.h"

#define AT(type, member) .offset = offsetof(struct type, member)
#define WHOLE_MAX (INT64_C(1) << 53)    /* beyond any number JSON can carry exactly */

const struct field in_list_fields[] = {
    { "type",     F_TEXT, AT(in_list, type) },
    { "search",   F_TEXT, AT(in_list, search) },
    { "archived", F_TEXT, AT(in_list, archived) },
    { "limit",    F_INT,  AT(in_list, limit), .min = 1, .max = PAGE_MAX, .flags = FIELD_CLAMP },
    { "offset",   F_INT,  AT(in_list, offset), .max = WHOLE_MAX, .flags = FIELD_CLAMP },
    { 0 },
};

const struct field in_object_list_fields[] = {
    { "type",     F_TEXT, AT(in_list, type) },
    { "search",   F_TEXT, AT(in_list, search) },
    { "archived", F_TEXT, AT(in_list, archived) },
    { 0 },
};

const struct field in_join_fields[] = {
    { "display_name", F_TEXT, AT(member_new, display_name), .min = 1, .max = NAME_MAX_LENGTH,
      .flags = FIELD_REQUIRED | FIELD_TRIM },
    { "company", F_TEXT, AT(member_new, company), .max = NAME_MAX_LENGTH,
      .flags = FIELD_REQUIRED },
    { "email", F_TEXT, AT(member_new, email), .max = EMAIL_MAX },
    { "phone", F_TEXT, AT(member_new, phone), .max = PHONE_MAX },
    { 0 },
};

const struct field in_participant_fields[] = {
    { "user_id", F_TEXT, AT(member_new, user), .min = 1, .max = ID_MAX, .flags = FIELD_REQUIRED },
    { "display_name", F_TEXT, AT(member_new, display_name), .min = 1, .max = NAME_MAX_LENGTH,
      .flags = FIELD_REQUIRED | FIELD_TRIM },
    { "company", F_TEXT, AT(member_new, company), .max = NAME_MAX_LENGTH },
    { "email", F_TEXT, AT(member_new, email), .max = EMAIL_MAX },
    { "phone", F_TEXT, AT(member_new, phone), .max = PHONE_MAX },
    { 0 },
};

const struct field in_switch_fields[] = {
    { "enabled", F_BOOL, AT(in_switch, enabled), .flags = FIELD_REQUIRED },
    { 0 },
};

const struct field in_read_fields[] = {
    { "last_read_message_id", F_UUID, AT(in_read, last_read), .flags = FIELD_REQUIRED },
    { 0 },
};

const struct field in_page_fields[] = {
    { "limit",  F_INT,  AT(in_page, limit), .min = 1, .max = PAGE_MAX, .flags = FIELD_CLAMP },
    { "around", F_UUID, AT(in_page, around) },
    { "after",  F_UUID, AT(in_page, after) },
    { "before", F_UUID, AT(in_page, before) },
    { 0 },
};

static const struct field attachment_fields[] = {
    { "s3_key",       F_TEXT, AT(in_attachment, key), .flags = FIELD_REQUIRED },
    { "filename",     F_TEXT, AT(in_attachment, filename), .flags = FIELD_REQUIRED },
    { "content_type", F_TEXT, AT(in_attachment, content_type), .flags = FIELD_REQUIRED },
    { "size",         F_INT,  AT(in_attachment, size), .flags = FIELD_REQUIRED },
    { 0 },
};

const struct field in_send_fields[] = {
    { "content",           F_CONTENT, AT(in_message, content), .flags = FIELD_NOT_NULL },
    { "reply_to",          F_UUID,    AT(in_message, reply_to) },
    { "client_message_id", F_TEXT,    AT(in_message, client_key) },
    { "attachments",       F_LIST,    AT(in_message, attachments), .flags = FIELD_NOT_NULL,
      .elements = attachment_fields, .element_size = sizeof(struct in_attachment) },
    { 0 },
};

const struct field in_edit_fields[] = {
    { "content", F_CONTENT, AT(in_message, content), .flags = FIELD_REQUIRED },
    { 0 },
};

const struct field in_presign_fields[] = {
    { "dialog_id", F_UUID, AT(in_presign, dialog), .flags = FIELD_REQUIRED },
    { "filename", F_TEXT, AT(in_presign, filename), .min = 1, .max = FILENAME_MAX_LENGTH,
      .flags = FIELD_REQUIRED },
    { "content_type", F_TEXT, AT(in_presign, content_type), .max = CONTENT_TYPE_MAX,
      .flags = FIELD_REQUIRED },
    { "size", F_INT, AT(in_presign, size), .flags = FIELD_REQUIRED },
    { 0 },
};

#define LEVEL(name, i)                                                                            \
    { name, F_LIST, AT(scope_lists, level[i]), .flags = FIELD_NOT_NULL,  \
      .element_max = ID_MAX }

const struct field in_scope_fields[] = {
    LEVEL("scope_level0", 0),
    LEVEL("scope_level1", 1),
    LEVEL("scope_level2", 2),
    { 0 },
};

#define SCOPES(extra)                                                                             \
    { "access_scopes", F_LIST, AT(in_create, scopes), .flags = FIELD_NOT_NULL | (extra),          \
      .elements = in_scope_fields, .element_size = sizeof(struct scope_lists) }
#define OBJECT                                                                                    \
    { "object_type", F_TEXT, AT(in_create, object_type), .min = 1, .max = OBJECT_TYPE_MAX,        \
      .flags = FIELD_REQUIRED },                                                                  \
    { "object_id", F_TEXT, AT(in_create, object_id), .min = 1, .max = ID_MAX,                     \
      .flags = FIELD_REQUIRED }

const struct field in_create_fields[] = {
    OBJECT,
    { "object_url", F_TEXT, AT(in_create, object_url), .max = OBJECT_URL_MAX },
    { "title", F_TEXT, AT(in_create, title), .max = TITLE_MAX },
    { "meta", F_RAW, AT(in_create, meta), .max = META_MAX },
    { "participants", F_LIST, AT(in_create, participants), .flags = FIELD_NOT_NULL,
      .elements = in_participant_fields, .element_size = sizeof(struct member_new) },
    SCOPES(0),
    { 0 },
};

const struct field in_search_fields[] = {
    OBJECT,
    SCOPES(0),
    { 0 },
};

const struct field in_scopes_fields[] = {
    SCOPES(FIELD_REQUIRED),
    { 0 },
};

const struct field in_sync_fields[] = {
    { "since", F_INT, AT(in_sync, since), .has = offsetof(struct in_sync, has_since) },
    { "limit", F_INT, AT(in_sync, limit), .has = offsetof(struct in_sync, has_limit) },
    { 0 },
};
