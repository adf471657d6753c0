/* wire_mtchat - mtchat's socket: handshake and frames (docs/api/mtchat.md, "The socket")
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "relay/wire.h"
#include "shared/json.h"
#include "shared/token.h"
#include "shared/utf8.h"
#include "shared/wire/mtchat.h"

#define USER_MAX 255            /* code points of a user id */
#define MESSAGE_DEPTH 32        /* nesting of a client's message */
#define MESSAGE_UNIT 1024       /* bytes; reading a long one takes long */

/* What a refusal says: status, code and sentence are one row. */
static const struct refusal {
    enum err err;
    int status;
    const char *code, *text;
} refusals[] = {
    { ERR_MALFORMED, 400, "BAD_REQUEST", "user_id is required" },
    { ERR_LIMIT, 400, "INVALID_INPUT", "user_id is not a valid id" },
    { ERR_UNAUTHORIZED, 401, "UNAUTHORIZED", "A valid token is required" },
    { ERR_NOT_FOUND, 404, "NOT_FOUND", "No such path" },
    { ERR_METHOD, 405, "METHOD_NOT_ALLOWED", "Only GET is allowed here" },
    { ERR_FIELD, STATUS_UPGRADE_REQUIRED, "BAD_REQUEST", "This path speaks WebSocket (version 13) only" },
    { ERR_RATE, 429, "RATE_LIMIT_EXCEEDED", "Too many connections of this user" },
    { ERR_BUSY, 503, "SERVICE_UNAVAILABLE", "Try again shortly" },
};

static const struct refusal fallback = {
    ERR_INTERNAL, 500, "INTERNAL_ERROR", "Something went wrong"
};

static void
refuse(struct io_answer *answer, enum err e)
{
    const struct refusal *r = &fallback;

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].err == e)
            r = &refusals[i];
    answer->status = r->status;
    answer->content_type = "application/json";
    json_open(&answer->body, '{');
    json_key(&answer->body, "error");
    json_open(&answer->body, '{');
    json_kv(&answer->body, "code", r->code);
    json_kv(&answer->body, "message", r->text);
    json_close(&answer->body, '}');
    json_close(&answer->body, '}');
    wire_refusal_headers(answer);
}

/* ?user_id= is believed. */
static enum err
trusted_user(struct arena *a, const struct io_request *r, struct wire_hello *hello)
{
    enum err e = wire_query(a, r->query, "user_id", &hello->user);

    if (e == ERR_LIMIT)
        return ERR_LIMIT;
    if (e != ERR_OK || !*hello->user)
        return ERR_MALFORMED;
    if (utf8_length(hello->user, strlen(hello->user)) > USER_MAX)
        return ERR_LIMIT;
    return ERR_OK;
}

/* ?token= says who it is, whatever else the query holds. */
static enum err
token_user(struct arena *a, const struct config *config, const struct io_request *r,
           int64_t now_ms, struct wire_hello *hello)
{
    struct token_rules rules = config_token_rules(config);
    struct token token;
    const char *text;

    if (wire_query(a, r->query, "token", &text) != ERR_OK
        || token_verify(a, text, &rules, now_ms, &token) != ERR_OK
        || utf8_length(token.user, strlen(token.user)) > USER_MAX)
        return ERR_UNAUTHORIZED;
    hello->user = token.user;
    hello->expires_ms = token.expires_ms;
    return ERR_OK;
}

static bool
handshake(struct arena *a, const struct config *config, const struct io_request *r, int64_t now_ms,
          struct wire_hello *hello_r, struct io_answer *answer)
{
    struct wire_hello hello = { 0 };
    enum err e;

    if (strcmp(r->method, "GET") != 0)
        e = ERR_METHOD;
    else if (!r->upgrade)
        e = ERR_FIELD;
    else if (config->trusted)
        e = trusted_user(a, r, &hello);
    else
        e = token_user(a, config, r, now_ms, &hello);
    if (e != ERR_OK) {
        refuse(answer, e);
        return false;
    }
    hello.since = wire_since(a, r->query);
    *hello_r = hello;
    return true;
}

static void
bounds(const struct config *c, struct wire_bounds *bounds_r)
{
    *bounds_r = (struct wire_bounds){
        .sockets = c->ws_per_user,
        .message_max = c->ws_message_max,
        .messages_per_s = c->ws_frames_per_s,
        .message_unit = MESSAGE_UNIT,
        .bad_max = c->ws_bad_frames_max,
        .queue_frames = c->ws_queue_frames,
        .queue_bytes = c->ws_queue_bytes,
        .silence_ms = c->ws_timeout_s * 1000,
    };
}

static void
write_welcome(struct sbuf *out, const struct wire_welcome *w)
{
    json_open(out, '{');
    json_kv(out, "type", "connected");
    json_kv(out, "employee_id", w->user);
    json_kv_int(out, "seq", w->seq);
    if (w->asked)
        json_kv_bool(out, "resumed", w->resumed);
    if (w->asked && w->resumed)
        json_kv_int(out, "missed", (int64_t)w->missed);
    json_close(out, '}');
}

static enum wire_heard
message(struct arena *a, const char *p, size_t len, bool binary)
{
    struct json *v;
    const char *type;

    if (binary || json_parse(a, p, len, MESSAGE_DEPTH, &v, NULL) != ERR_OK
        || !(type = json_text(json_get(v, "type"))))
        return WIRE_BAD;
    /* subscribe and unsubscribe have no effect: delivery is by membership. */
    return strcmp(type, "ping") == 0 ? WIRE_PING : WIRE_NOTHING;
}

const struct wire wire_mtchat = {
    .system = "mtchat",
    .path = "/api/v1/ws",
    .expired_code = CLOSE_POLICY,
    .pong = "{\"type\":\"pong\"}",
    .bad = "{\"type\":\"error\",\"message\":\"Invalid message format\"}",
    .handshake = handshake,
    .refuse = refuse,
    .bounds = bounds,
    .write_welcome = write_welcome,
    .write_event = mtchat_write_frame,
    .message = message,
};
