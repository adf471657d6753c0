/* wire_rooms - the sockets of rooms: chat and graph of a room, and the stream of runners
 * (docs/api/rooms.md, "Sockets")
 *
 * Browsers show a page no status of a refused handshake, so whoever asks for a socket properly gets
 * it, and is closed with a code that his page understands.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "relay/wire.h"
#include "shared/json.h"
#include "shared/token.h"
#include "shared/wire/rooms.h"

#define MESSAGE_DEPTH 32        /* nesting of a client's message */

static const struct refusal {
    enum err err;
    int status;
    const char *text;
} refusals[] = {
    { ERR_NOT_FOUND, 404, "Not found" },
    { ERR_METHOD, 405, "Method not allowed" },
    { ERR_FIELD, STATUS_UPGRADE_REQUIRED, "This path speaks WebSocket (version 13) only" },
    { ERR_RATE, 503, "Too many open connections" },
    { ERR_BUSY, 503, "Try again shortly" },
};

static const struct refusal fallback = { ERR_INTERNAL, 500, "Something went wrong" };

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
    json_kv(&answer->body, "detail", r->text);
    json_close(&answer->body, '}');
    wire_refusal_headers(answer);
}

/* ---- handshake ---- */

/* false: the answer says why there will be no socket. */
static bool
asks_properly(const struct io_request *r, struct io_answer *answer)
{
    if (strcmp(r->method, "GET") == 0 && r->upgrade)
        return true;
    refuse(answer, strcmp(r->method, "GET") == 0 ? ERR_FIELD : ERR_METHOD);
    return false;
}

/* No leeway: a socket ends with its token, so it does not begin behind that either. */
static bool
good_token(struct arena *a, const struct config *config, const struct io_request *r, int64_t now_ms,
           struct token *token_r)
{
    struct token_rules rules = config_rooms_rules(config);
    const char *text;

    rules.leeway_s = 0;
    return wire_query(a, r->query, "token", &text) == ERR_OK
        && token_verify(a, text, &rules, now_ms, token_r) == ERR_OK;
}

static int64_t
room_in_path(struct arena *a, const struct wire *wire, const struct io_request *r)
{
    size_t len;
    const char *id = wire_path_id(a, wire, r->path, &len);
    int64_t room;

    return len == strlen(id) && room_id_parse(id, &room) ? room : 0;
}

/* Whether the user is still there, and the room his, the database knows. Each user's sockets are counted by
 * themselves, so that strangers take no place in his room. */
static bool
room_handshake(const struct wire *wire, struct arena *a, const struct config *config,
               const struct io_request *r, int64_t now_ms, struct wire_hello *hello_r,
               struct io_answer *answer)
{
    struct token token;

    if (!asks_properly(r, answer))
        return false;
    *hello_r = (struct wire_hello){
        .user = "", .since = WIRE_SINCE_NONE, .close_code = ROOM_CLOSE_CREDENTIAL,
        .close_reason = "invalid token",
    };
    if (!good_token(a, config, r, now_ms, &token))
        return true;
    hello_r->close_code = 0;
    hello_r->user = token.user;
    hello_r->expires_ms = token.expires_ms;
    hello_r->room = room_in_path(a, wire, r);
    hello_r->counted = arena_printf(a, "%lld:%s", (long long)hello_r->room, token.user);
    return true;
}

static bool
chat_handshake(struct arena *a, const struct config *config, const struct io_request *r,
               int64_t now_ms, struct wire_hello *hello_r, struct io_answer *answer)
{
    return room_handshake(&wire_rooms_chat, a, config, r, now_ms, hello_r, answer);
}

static bool
graph_handshake(struct arena *a, const struct config *config, const struct io_request *r,
                int64_t now_ms, struct wire_hello *hello_r, struct io_answer *answer)
{
    return room_handshake(&wire_rooms_graph, a, config, r, now_ms, hello_r, answer);
}

/* Whose key that is, the database knows. */
static bool
runner_handshake(struct arena *a, const struct config *config, const struct io_request *r,
                 int64_t now_ms, struct wire_hello *hello_r, struct io_answer *answer)
{
    const char *key;

    (void)config, (void)now_ms;
    if (!asks_properly(r, answer))
        return false;
    *hello_r = (struct wire_hello){ .user = "", .since = WIRE_SINCE_NONE };
    if (wire_query(a, r->query, "token", &key) == ERR_OK && *key) {
        hello_r->key = hello_r->counted = key;
    } else {
        hello_r->close_code = ROOM_CLOSE_CREDENTIAL;
        hello_r->close_reason = "invalid key";
    }
    return true;
}

static void
bounds(const struct config *c, struct wire_bounds *bounds_r)
{
    *bounds_r = (struct wire_bounds){
        .sockets = c->rooms_sockets_max,
        .message_max = c->rooms_message_max,
        .messages_per_s = c->rooms_frames_per_s,
        .queue_frames = UINT32_MAX,
        .queue_bytes = c->rooms_queue_bytes,
        .silence_ms = c->rooms_silence_s * 1000,
    };
}

/* ---- frames ---- */

static void
welcome_chat(struct sbuf *out, const struct wire_welcome *w)
{
    rooms_write_connected(out, ROOM_SOCKET_CHAT, w->room);
}

static void
welcome_graph(struct sbuf *out, const struct wire_welcome *w)
{
    rooms_write_connected(out, ROOM_SOCKET_GRAPH, w->room);
}

static void
welcome_runner(struct sbuf *out, const struct wire_welcome *w)
{
    rooms_write_connected(out, ROOM_SOCKET_RUNNER, w->room);
}

/* An event's body is the frame of chat and graph. */
static void
write_body(struct sbuf *out, const struct event *e)
{
    sbuf_put(out, e->body, e->body_len);
}

static enum wire_heard
message(struct arena *a, const char *p, size_t len, bool binary)
{
    struct json *v;
    const char *type;

    if (binary || json_parse(a, p, len, MESSAGE_DEPTH, &v, NULL) != ERR_OK
        || !(type = json_text(json_get(v, "type"))) || strcmp(type, "ping") != 0)
        return WIRE_BAD;
    return WIRE_PING;
}

/* ---- what nobody heard ---- */

static const char *
nobody_heard(struct arena *a, const struct event *e, enum room_socket kind, const char *word)
{
    enum room_socket found;
    int64_t room;

    for (size_t i = 0; i < e->n_channels; i++)
        if (room_of_channel(e->channels[i], &room, &found) && found == kind)
            return arena_printf(a, "broadcast room_id=%lld — 0 подключений, сообщение не доставлено "
                                   "channel=%s type=%s",
                                (long long)room, word, rooms_frame_type(e));
    return NULL;
}

static const char *
chat_unheard(struct arena *a, const struct event *e)
{
    return nobody_heard(a, e, ROOM_SOCKET_CHAT, "chat");
}

static const char *
graph_unheard(struct arena *a, const struct event *e)
{
    return nobody_heard(a, e, ROOM_SOCKET_GRAPH, "graph");
}

/* ---- the wires ---- */

#define BAD \
    "{\"type\":\"error\",\"payload\":{\"message\":\"Only {\\\"type\\\":\\\"ping\\\"} is understood here\"}}"

/* Pages leave a room by closing its chat without a status, and take an answer without one for a
 * loss. */
const struct wire wire_rooms_chat = {
    .system = "rooms",
    .path = "/api/rooms/{id}/chat",
    .fixed = ROOM_SOCKET_CHAT,
    .expired_code = ROOM_CLOSE_CREDENTIAL,
    .bare_close_code = ROOM_CLOSE_ROOM,
    .pong = ROOMS_PONG,
    .bad = BAD,
    .handshake = chat_handshake,
    .refuse = refuse,
    .bounds = bounds,
    .write_welcome = welcome_chat,
    .write_event = write_body,
    .message = message,
    .unheard = chat_unheard,
};

const struct wire wire_rooms_graph = {
    .system = "rooms",
    .path = "/api/rooms/{id}/graph",
    .fixed = ROOM_SOCKET_GRAPH,
    .expired_code = ROOM_CLOSE_CREDENTIAL,
    .pong = ROOMS_PONG,
    .bad = BAD,
    .handshake = graph_handshake,
    .refuse = refuse,
    .bounds = bounds,
    .write_welcome = welcome_graph,
    .write_event = write_body,
    .message = message,
    .unheard = graph_unheard,
};

const struct wire wire_rooms_runner = {
    .system = "rooms",
    .path = "/api/runner/stream",
    .fixed = ROOM_SOCKET_RUNNER,
    .expired_code = ROOM_CLOSE_CREDENTIAL,
    .pong = ROOMS_PONG,
    .bad = BAD,
    .handshake = runner_handshake,
    .refuse = refuse,
    .bounds = bounds,
    .write_welcome = welcome_runner,
    .write_event = rooms_write_runner_frame,
    .message = message,
};
