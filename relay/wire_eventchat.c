/* wire_eventchat - eventchat's sockets (docs/api/eventchat.md, "Sockets"): a bare one, and namespaces of Socket.IO
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/wire.h"
#include "shared/json.h"
#include "shared/wire/eventchat.h"

/* ---- refused handshakes ---- */

static void
write_body(struct sbuf *body, enum err e, const struct fail *fail)
{
    json_open(body, '{');
    json_key(body, "error");
    json_open(body, '{');
    json_kv(body, "code", eventchat_error_of(e).code);
    json_kv(body, "message", eventchat_reason(e, fail));
    json_close(body, '}');
    json_close(body, '}');
}

static void
refuse(struct io_answer *answer, enum err e)
{
    struct fail fail = { 0 };

    answer->status = eventchat_error_of(e).status;
    if (e == ERR_FIELD) {
        answer->status = STATUS_UPGRADE_REQUIRED;
        err_fail(&fail, e, NULL, "this path speaks WebSocket (version 13) only");
    } else if (e == ERR_FORBIDDEN) {
        err_fail(&fail, e, NULL, "pages of this origin may not connect");
    }
    answer->content_type = "application/json";
    write_body(&answer->body, e, &fail);
    wire_refusal_headers(answer);
    if (answer->status == 401)
        sbuf_puts(&answer->headers, "WWW-Authenticate: Bearer\r\n");
}

/* ---- who it is ---- */

static enum err
identify(struct arena *a, const struct config *config, const struct wire_credential *shown,
         int64_t now_ms, struct wire_hello *hello_r)
{
    const struct token_rules rules = config_eventchat_rules(config);

    return wire_identify(a, shown, &rules, NULL, now_ms, hello_r);
}

/* ---- what it hears ---- */

static enum err
err_of(enum wire_bad why)
{
    switch (why) {
    case WIRE_BAD_FRAME:
        return ERR_MALFORMED;
    case WIRE_BAD_EVENT:
        return ERR_NO_COMMAND;
    case WIRE_BAD_CREDENTIAL:
        return ERR_UNAUTHORIZED;
    }
    return ERR_INTERNAL;
}

static bool
write_bad(struct sbuf *payload, enum wire_bad why, const char *name, const char *text)
{
    struct fail fail = { 0 };
    enum err e = err_of(why);

    if (text)
        err_fail(&fail, e, NULL, "%s", text);
    eventchat_write_debug_info(payload, e, &fail, name);
    return true;
}

static void
write_nack(struct sbuf *json, enum wire_bad why, const char *name)
{
    (void)name;
    eventchat_write_ack(json, err_of(why), NULL, 0);
}

static bool
is_command(const char *name)
{
    enum eventchat_verb verb;

    return eventchat_verb_named(name, &verb);
}

static const struct wire_named named = {
    .identify = identify,
    .unauthorized = "{\"code\":\"UNAUTHORIZED\"}",
    .too_many = "{\"code\":\"RATE_LIMITED\"}",
    .bad_event = EVENTCHAT_DEBUG_INFO,
    .write_bad = write_bad,
    .write_nack = write_nack,
    .is_command = is_command,
};

/* initial_data is the first event; there is no other greeting. */
static void
welcome(struct sbuf *out, const char *namespace, const struct wire_welcome *w)
{
    named_put(out, namespace, EVENTCHAT_INITIAL_DATA, w->first ? w->first : "[]");
}

static void
welcome_bare(struct sbuf *out, const struct wire_welcome *w)
{
    welcome(out, NULL, w);
}

static void
welcome_namespace(struct sbuf *out, const struct wire_welcome *w)
{
    welcome(out, "/eventchat", w);
}

static void
welcome_root(struct sbuf *out, const struct wire_welcome *w)
{
    welcome(out, "/", w);
}

/* ---- the wires ---- */

static bool
handshake(struct arena *a, const struct config *config, const struct io_request *r, int64_t now_ms,
          struct wire_hello *hello_r, struct io_answer *answer)
{
    return wire_named_handshake(&wire_eventchat, a, config, r, now_ms, hello_r, answer);
}

#define EVENTCHAT \
    .system = "eventchat", .named = &named, .expired_code = CLOSE_CREDENTIAL, .refuse = refuse, \
    .bounds = wire_named_bounds

const struct wire wire_eventchat = {
    EVENTCHAT, .path = "/eventchat/ws", .handshake = handshake, .write_welcome = welcome_bare,
};

const struct wire wire_eventchat_namespace = {
    EVENTCHAT, .path = "/socket.io", .namespace = "/eventchat", .write_welcome = welcome_namespace,
};

const struct wire wire_eventchat_path = {
    EVENTCHAT, .path = "/eventchat/socket.io", .namespace = "/", .write_welcome = welcome_root,
};

const struct wire wire_eventchat_root = {
    EVENTCHAT, .path = "/socket.io", .namespace = "/", .root = true, .write_welcome = welcome_root,
};
