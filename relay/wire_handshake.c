/* wire_handshake - what handshakes of all systems share: refusals; of those of named events: who it is, and what bounds him
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "relay/origin.h"
#include "relay/wire.h"
#include "shared/json.h"

#define AUTH_DEPTH 16           /* nesting of what a client joins with */
#define RETRY_AFTER_S 3
#define MINUTE_MS 60000
#define MESSAGE_UNIT 4096       /* bytes; reading a long one takes long */

void
wire_refusal_headers(struct io_answer *answer)
{
    sbuf_puts(&answer->headers, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
    if (answer->status == 405)
        sbuf_puts(&answer->headers, "Allow: GET\r\n");
    if (answer->status == STATUS_UPGRADE_REQUIRED)
        sbuf_puts(&answer->headers, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    if (answer->status == 429 || answer->status == 503)
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
shown_in_auth(struct arena *a, const char *auth, bool vk, struct shown *shown_r)
{
    struct json *v;
    enum err e;

    if (json_parse(a, auth, strlen(auth), AUTH_DEPTH, &v, NULL) != ERR_OK)
        return ERR_UNAUTHORIZED;
    if ((e = text_of(v, "token", &shown_r->token)) == ERR_NOT_FOUND && vk)
        e = text_of(v, "vk", &shown_r->vk);
    return e;
}

static enum err
shown_in_header(const char *header, bool vk, struct shown *shown_r)
{
    shown_r->token = token_of_scheme(header, "Bearer");
    shown_r->vk = vk ? token_of_scheme(header, "VK") : NULL;
    return shown_r->token || shown_r->vk ? ERR_OK : ERR_UNAUTHORIZED;
}

/* The first place where something is counts, good or bad. */
static enum err
find_shown(struct arena *a, const struct wire_credential *c, bool vk, struct shown *shown_r)
{
    enum err e = c->auth ? shown_in_auth(a, c->auth, vk, shown_r) : ERR_NOT_FOUND;

    if (e != ERR_NOT_FOUND)
        return e;
    if (c->authorization)
        return shown_in_header(c->authorization, vk, shown_r);
    e = wire_query(a, c->query, "token", &shown_r->token);
    return e == ERR_LIMIT ? ERR_UNAUTHORIZED : e;
}

enum err
wire_identify(struct arena *a, const struct wire_credential *c, const struct token_rules *rules,
              const struct vk_rules *vk, int64_t now_ms, struct wire_hello *hello_r)
{
    struct shown shown = { 0 };
    struct token token = { 0 };
    enum err e = find_shown(a, c, vk != NULL, &shown);

    if (e != ERR_OK)
        return e;
    e = shown.token ? token_verify(a, shown.token, rules, now_ms, &token)
                    : vk_verify(a, shown.vk, vk, now_ms, &token.user);
    if (e != ERR_OK)
        return ERR_UNAUTHORIZED;
    *hello_r = (struct wire_hello){
        .user = token.user, .since = WIRE_SINCE_NONE, .expires_ms = token.expires_ms,
        .name = token.name, .picture = token.picture,
    };
    return ERR_OK;
}

/* ---- bare WebSockets of systems of named events ---- */

/* CORS keeps no page from a WebSocket, so who is not on the list is refused. */
static bool
origin_allowed(struct arena *a, const struct config *config, const struct io_request *r)
{
    const char *origin = io_header(r, "Origin");
    struct origin_list list = { 0 };
    size_t len;

    if (!origin)
        return true;
    origin_list_read(a, config->cors_allowed_origins, &list, &len);
    return origin_listed(&list, origin);
}

bool
wire_named_handshake(const struct wire *wire, struct arena *a, const struct config *config,
                     const struct io_request *r, int64_t now_ms, struct wire_hello *hello_r,
                     struct io_answer *answer)
{
    const struct wire_credential shown
        = { .authorization = io_header(r, "Authorization"), .query = r->query };
    struct wire_hello hello = { 0 };
    enum err e = ERR_OK;

    if (strcmp(r->method, "GET") != 0)
        e = ERR_METHOD;
    else if (!r->upgrade)
        e = ERR_FIELD;
    else if (!origin_allowed(a, config, r))
        e = ERR_FORBIDDEN;
    else
        e = wire->named->identify(a, config, &shown, now_ms, &hello);
    if (e == ERR_NOT_FOUND)
        hello = (struct wire_hello){ .user = "", .stranger = true };
    if (e != ERR_OK && e != ERR_NOT_FOUND) {
        wire->refuse(answer, e);
        return false;
    }
    hello.since = WIRE_SINCE_NONE;
    *hello_r = hello;
    return true;
}

void
wire_named_bounds(const struct config *c, struct wire_bounds *bounds_r)
{
    *bounds_r = (struct wire_bounds){
        .sockets = c->socket_per_user,
        .message_max = c->ws_message_max,
        .messages_per_s = c->socket_frames_per_s,
        .message_unit = MESSAGE_UNIT,
        .bad_max = c->ws_bad_frames_max + 1,
        .bad_window_ms = MINUTE_MS,
        .queue_frames = c->ws_queue_frames,
        .queue_bytes = c->ws_queue_bytes,
        .ping_ms = c->sio_ping_interval_ms,
        .answer_ms = c->sio_ping_timeout_ms,
    };
}
