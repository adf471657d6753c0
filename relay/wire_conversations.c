/* wire_conversations - the sockets of conversations (docs/api/conversations.md, "Sockets"): a bare one, and namespaces of
 * Socket.IO
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/wire.h"
#include "shared/json.h"

#define CODE_PARAMETER 100

/* ---- refused handshakes ---- */

static const struct refusal {
    enum err err;
    int status, code;
    const char *text;
} refusals[] = {
    { ERR_UNAUTHORIZED, 401, 101, "A valid credential is required" },
    { ERR_FORBIDDEN, 403, 101, "Pages of this origin may not connect" },
    { ERR_NOT_FOUND, 404, 102, "No such method" },
    { ERR_METHOD, 405, 103, "Only GET is allowed here" },
    { ERR_FIELD, STATUS_UPGRADE_REQUIRED, 100, "This path speaks WebSocket (version 13) only" },
    { ERR_RATE, 429, 106, "Too many connections" },
    { ERR_BUSY, 503, 107, "Try again shortly" },
};

static const struct refusal fallback = { ERR_INTERNAL, 500, 107, "Something went wrong" };

static void
refuse(struct io_answer *answer, enum err e)
{
    const struct refusal *r = &fallback;

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].err == e)
            r = &refusals[i];
    answer->status = r->status;
    answer->content_type = "application/json; charset=utf-8";
    json_open(&answer->body, '{');
    json_kv_bool(&answer->body, "response", false);
    json_key(&answer->body, "error");
    json_open(&answer->body, '{');
    json_kv_int(&answer->body, "code", r->code);
    json_kv(&answer->body, "message", r->text);
    json_close(&answer->body, '}');
    json_close(&answer->body, '}');
    wire_refusal_headers(answer);
}

/* ---- who it is ---- */

static enum err
identify(struct arena *a, const struct config *config, const struct wire_credential *shown,
         int64_t now_ms, struct wire_hello *hello_r)
{
    const struct token_rules rules = config_conversations_rules(config);
    const struct vk_rules vk = config_vk_rules(config);

    return wire_identify(a, shown, &rules, &vk, now_ms, hello_r);
}

/* ---- what clients hear ---- */

/* A close code says enough of a bad credential. */
static bool
write_bad(struct sbuf *payload, enum wire_bad why, const char *name, const char *text)
{
    (void)name;
    if (why == WIRE_BAD_CREDENTIAL)
        return false;
    json_open(payload, '{');
    json_kv_int(payload, "code", CODE_PARAMETER);
    json_kv(payload, "message", text ? text : "No such event");
    json_close(payload, '}');
    return true;
}

/* Who asked for an acknowledgement is owed one, and it says the same. */
static void
write_nack(struct sbuf *json, enum wire_bad why, const char *name)
{
    (void)write_bad(json, why, name, NULL);
}

static const struct wire_named named = {
    .identify = identify,
    .unauthorized = "{\"code\":101}",
    .too_many = "{\"code\":106}",
    .bad_event = "error",
    .write_bad = write_bad,
    .counts_unknown = true,
    .write_nack = write_nack,
};

/* Users are integers. */
static void
welcome_bare(struct sbuf *out, const struct wire_welcome *w)
{
    json_open(out, '{');
    json_kv(out, "event", "connected");
    json_key(out, "data");
    json_open(out, '{');
    json_kv(out, "socket_id", w->id);
    json_key(out, "user_id");
    json_put_raw(out, w->user);
    json_close(out, '}');
    json_close(out, '}');
}

/* The answer to joining says it. */
static void
welcome_joined(struct sbuf *out, const struct wire_welcome *w)
{
    (void)out, (void)w;
}

/* ---- the wires ---- */

static bool
handshake(struct arena *a, const struct config *config, const struct io_request *r, int64_t now_ms,
          struct wire_hello *hello_r, struct io_answer *answer)
{
    return wire_named_handshake(&wire_conversations, a, config, r, now_ms, hello_r, answer);
}

#define CONVERSATIONS \
    .system = "conversations", .named = &named, .expired_code = CLOSE_CREDENTIAL, \
    .refuse = refuse, .bounds = wire_named_bounds

const struct wire wire_conversations = {
    CONVERSATIONS, .path = "/v1/ws", .handshake = handshake, .write_welcome = welcome_bare,
};

const struct wire wire_conversations_namespace = {
    CONVERSATIONS, .path = "/socket.io", .namespace = "/conversations",
    .write_welcome = welcome_joined,
};

const struct wire wire_conversations_path = {
    CONVERSATIONS, .path = "/conversations/socket.io", .namespace = "/",
    .write_welcome = welcome_joined,
};

const struct wire wire_conversations_root = {
    CONVERSATIONS, .path = "/socket.io", .namespace = "/", .root = true,
    .write_welcome = welcome_joined,
};
