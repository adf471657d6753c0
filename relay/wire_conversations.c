/* wire_conversations - the sockets of conversations (docs/api/conversations.md, "Sockets"): a bare one, and namespaces of
 * Socket.IO
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "relay/wire.h"
#include "shared/json.h"
#include "shared/token.h"
#include "shared/vk.h"

#define AUTH_DEPTH 16           /* nesting of what a client joins with */
#define STATUS_UPGRADE_REQUIRED 426
#define RETRY_AFTER_S 3
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
    sbuf_puts(&answer->headers, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
    if (r->status == 405)
        sbuf_puts(&answer->headers, "Allow: GET\r\n");
    if (r->status == STATUS_UPGRADE_REQUIRED)
        sbuf_puts(&answer->headers, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    if (r->status == 429 || r->status == 503)
        sbuf_printf(&answer->headers, "Retry-After: %d\r\n", RETRY_AFTER_S);
}

/* ---- who it is ---- */

/* One of the two that say so: signed by us, or by VK. */
struct shown {
    const char *token, *vk;
};

/* A member that is there must be a text; null is as good as nothing. */
static enum err
text_of(const struct json *auth, const char *name, const char **text_r)
{
    const struct json *v = json_get(auth, name);

    if (!v || json_type(v) == JSON_NULL)
        return ERR_NOT_FOUND;
    return (*text_r = json_text(v)) ? ERR_OK : ERR_UNAUTHORIZED;
}

static enum err
shown_in_auth(struct arena *a, const char *auth, struct shown *shown_r)
{
    struct json *v;
    enum err e;

    if (json_parse(a, auth, strlen(auth), AUTH_DEPTH, &v, NULL) != ERR_OK)
        return ERR_UNAUTHORIZED;
    if ((e = text_of(v, "token", &shown_r->token)) == ERR_NOT_FOUND)
        e = text_of(v, "vk", &shown_r->vk);
    return e;
}

static enum err
shown_in_header(const char *header, struct shown *shown_r)
{
    shown_r->token = token_of_scheme(header, "Bearer");
    shown_r->vk = token_of_scheme(header, "VK");
    return shown_r->token || shown_r->vk ? ERR_OK : ERR_UNAUTHORIZED;
}

/* The first place where something is counts, good or bad. */
static enum err
find_shown(struct arena *a, const struct wire_credential *c, struct shown *shown_r)
{
    enum err e = c->auth ? shown_in_auth(a, c->auth, shown_r) : ERR_NOT_FOUND;

    if (e != ERR_NOT_FOUND)
        return e;
    if (c->authorization)
        return shown_in_header(c->authorization, shown_r);
    e = wire_query(a, c->query, "token", &shown_r->token);
    return e == ERR_LIMIT ? ERR_UNAUTHORIZED : e;
}

static enum err
identify(struct arena *a, const struct config *config, const struct wire_credential *c,
         int64_t now_ms, struct wire_hello *hello_r)
{
    struct token_rules rules = config_conversations_rules(config);
    struct vk_rules vk = config_vk_rules(config);
    struct shown shown = { 0 };
    struct token token = { 0 };
    enum err e = find_shown(a, c, &shown);

    if (e != ERR_OK)
        return e;
    e = shown.token ? token_verify(a, shown.token, &rules, now_ms, &token)
                    : vk_verify(a, shown.vk, &vk, now_ms, &token.user);
    if (e != ERR_OK)
        return ERR_UNAUTHORIZED;
    *hello_r = (struct wire_hello){
        .user = token.user, .since = WIRE_SINCE_NONE, .expires_ms = token.expires_ms,
        .name = token.name, .picture = token.picture,
    };
    return ERR_OK;
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
