/* envelope - mtchat's shapes of answers, good and bad
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "fcgi/mtchat/mtchat.h"
#include "shared/json.h"

/* enum err -> code; status 0: that of err.def. */
static const struct {
    const char *code;
    int status;
} words[ERR_COUNT] = {
    [ERR_MALFORMED] = { "BAD_REQUEST", 0 },
    [ERR_FIELD] = { "BAD_REQUEST", 0 },
    [ERR_LIMIT] = { "INVALID_INPUT", 0 },
    [ERR_REFERENCE] = { "INVALID_INPUT", 0 },
    [ERR_TOO_MANY] = { "TOO_MANY_ATTACHMENTS", 0 },
    [ERR_FILE_SIZE] = { "FILE_TOO_LARGE", 0 },
    [ERR_MEDIA_TYPE] = { "UNSUPPORTED_FILE_TYPE", 400 },
    [ERR_UNAUTHORIZED] = { "UNAUTHORIZED", 0 },
    [ERR_FORBIDDEN] = { "FORBIDDEN", 0 },
    [ERR_NOT_MEMBER] = { "NOT_PARTICIPANT", 0 },
    [ERR_NOT_AUTHOR] = { "NOT_MESSAGE_AUTHOR", 0 },
    [ERR_OUT_OF_SCOPE] = { "SCOPE_MISMATCH", 0 },
    [ERR_NOT_FOUND] = { "NOT_FOUND", 0 },
    [ERR_NO_CONVERSATION] = { "DIALOG_NOT_FOUND", 0 },
    [ERR_NO_ENTRY] = { "MESSAGE_NOT_FOUND", 0 },
    [ERR_NO_ATTACHMENT] = { "ATTACHMENT_NOT_FOUND", 0 },
    [ERR_METHOD] = { "METHOD_NOT_ALLOWED", 0 },
    [ERR_TIMEOUT] = { "REQUEST_TIMEOUT", 0 },
    [ERR_ALREADY_MEMBER] = { "BAD_REQUEST", 400 },
    [ERR_EXISTS] = { "BAD_REQUEST", 400 },
    [ERR_KEY_REUSED] = { "IDEMPOTENCY_CONFLICT", 0 },
    [ERR_TOO_LARGE] = { "PAYLOAD_TOO_LARGE", 0 },
    [ERR_TARGET] = { "URI_TOO_LONG", 0 },
    [ERR_RATE] = { "RATE_LIMIT_EXCEEDED", 0 },
    [ERR_BUSY] = { "SERVICE_UNAVAILABLE", 0 },
    [ERR_OLD_SCHEMA] = { "SERVICE_UNAVAILABLE", 0 },
    [ERR_NOT_CONFIGURED] = { "SERVICE_UNAVAILABLE", 0 },
    [ERR_TOO_SLOW] = { "SERVICE_UNAVAILABLE", 0 },
};

/* What the client is told: the check's own sentence, unless the fault is on our side. */
static const char *
sentence(const struct request *q, enum err e)
{
    const char *why = q->fail.why;

    if (err_status(e) >= 500 || q->fail.code != e || !*why)
        why = err_text(e);
    /* Client libraries know this refusal by its first word alone. */
    if (e == ERR_NOT_MEMBER && strncmp(why, "Forbidden", 9) != 0)
        return arena_printf(q->arena, "Forbidden: %s", why);
    return why;
}

void
mtchat_write_error(struct request *q, struct reply *r, const struct route *route, enum err e)
{
    const char *code = words[e].code ? words[e].code : "INTERNAL_ERROR";

    if (e == ERR_NO_CONVERSATION && route && route->who == A_ADMIN)
        code = "NOT_FOUND";
    r->status = words[e].status ? words[e].status : err_status(e);
    json_open(&r->body, '{');
    json_key(&r->body, "error");
    json_open(&r->body, '{');
    json_kv(&r->body, "code", code);
    json_kv(&r->body, "message", sentence(q, e));
    json_close(&r->body, '}');
    json_close(&r->body, '}');
}

void
mtchat_data_open(struct reply *r)
{
    json_open(&r->body, '{');
    json_key(&r->body, "data");
}

void
mtchat_data_close(struct reply *r)
{
    json_close(&r->body, '}');
}

void
mtchat_status(struct reply *r, const char *status)
{
    json_open(&r->body, '{');
    json_kv(&r->body, "status", status);
    json_close(&r->body, '}');
}
