/* callback_answer - reads what the application answers
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/callback_answer.h"

#include <string.h>

#include "shared/field.h"
#include "shared/json.h"

#define DEPTH_MAX 64
#define MESSAGE_MAX 1000                    /* characters */
#define EXPIRE_AT_MAX (INT64_MAX / 1000)    /* seconds, so that milliseconds fit */

enum { OWN_MIN = 400, OWN_MAX = 1999 };     /* codes that are the application's */

struct result_in {
    const char *info, *data;
    int64_t expire_at;
};

struct error_in {
    int64_t code;
    const char *message;
    bool temporary;
};

static const struct field result_fields[] = {
    { "info", F_RAW, .offset = offsetof(struct result_in, info) },
    { "data", F_RAW, .offset = offsetof(struct result_in, data) },
    { "expire_at", F_INT, .offset = offsetof(struct result_in, expire_at), .max = EXPIRE_AT_MAX },
    { 0 }
};

static const struct field error_fields[] = {
    { "code", F_INT, .offset = offsetof(struct error_in, code), .flags = FIELD_REQUIRED },
    { "message", F_TEXT, .offset = offsetof(struct error_in, message), .max = MESSAGE_MAX },
    { "temporary", F_BOOL, .offset = offsetof(struct error_in, temporary) },
    { 0 }
};

/* Member name of the whole by a table. PHP's [] is an object without members. */
static enum err
read_member(struct arena *a, const char *text, size_t len, const struct json *root,
            const char *name, const struct field *fields, void *out)
{
    const struct json *member = json_get(root, name);
    const char *raw = json_raw(a, text, len, name);

    if (json_type(member) == JSON_ARRAY && json_count(member) == 0)
        return ERR_OK;
    if (json_type(member) != JSON_OBJECT || !raw)
        return ERR_MALFORMED;
    return field_read_json(a, fields, member, raw, strlen(raw), out, NULL) == ERR_OK ? ERR_OK
                                                                                     : ERR_MALFORMED;
}

static const char *
unless_null(const char *raw)
{
    return raw && raw[0] == 'n' ? NULL : raw;
}

static bool
is_given(const struct json *root, const char *name)
{
    const struct json *member = json_get(root, name);

    return member && json_type(member) != JSON_NULL;
}

/* Codes of the table keep what they mean; the words may be the application's. */
static enum err
take_error(const struct error_in *in, struct callback_answer *answer_r)
{
    bool own = in->code >= OWN_MIN && in->code <= OWN_MAX;

    if (!own && (in->code < PUSH_INTERNAL || in->code > PUSH_CONCURRENT))
        return ERR_MALFORMED;
    *answer_r = callback_answer_error((enum push_error)in->code);
    if (in->message && *in->message)
        answer_r->message = in->message;
    if (own)
        answer_r->temporary = in->temporary;
    return ERR_OK;
}

struct callback_answer
callback_answer_error(enum push_error e)
{
    return (struct callback_answer){ .error = e, .message = push_error_message(e),
                                     .temporary = push_error_temporary(e) };
}

enum err
callback_answer_read(struct arena *a, const char *text, size_t len,
                     struct callback_answer *answer_r)
{
    struct error_in error = { 0 };
    struct result_in result = { 0 };
    struct json *root;
    enum err e;

    if (json_parse(a, text, len, DEPTH_MAX, &root, NULL) != ERR_OK)
        return ERR_MALFORMED;
    if (is_given(root, "error")) {
        e = read_member(a, text, len, root, "error", error_fields, &error);
        return e == ERR_OK ? take_error(&error, answer_r) : e;
    }
    if (!is_given(root, "result"))
        return ERR_MALFORMED;
    if ((e = read_member(a, text, len, root, "result", result_fields, &result)) != ERR_OK)
        return e;
    *answer_r = (struct callback_answer){ .info = unless_null(result.info),
                                          .data = unless_null(result.data),
                                          .expires_ms = result.expire_at * 1000 };
    return ERR_OK;
}
