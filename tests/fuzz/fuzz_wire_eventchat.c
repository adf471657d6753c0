/* fuzz_wire_eventchat - what a stranger may send to the sockets of eventchat: credentials, frames, arguments
 *
 * The first byte chooses: auth object, header, query, a frame of a bare socket, the arguments of an event of
 * Socket.IO, or the body of an event.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/wire.h"
#include "shared/json.h"
#include "shared/utf8.h"
#include "shared/wire/eventchat.h"

#define DEPTH 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = { "0123456789abcdef0123456789abcdef", NULL };
static const struct config config = { .systems = "eventchat", .jwt_keys = keys,
                                      .jwt_check_exp = true, .cors_allowed_origins = "*" };

static void
identify(struct arena *a, const char *auth, const char *authorization, const char *query)
{
    const struct wire_credential c = { auth, authorization, query };
    struct wire_hello h = { 0 };

    if (wire_eventchat.named->identify(a, &config, &c, 1000000, &h) == ERR_OK
        && (!h.user || !*h.user || !utf8_valid(h.user, strlen(h.user))))
        abort();
}

/* Whatever is said about a client's event is JSON. */
static void
must_be_json(struct arena *a, const struct sbuf *b)
{
    struct json *v;

    if (b->failed || json_parse(a, b->data, b->len, DEPTH, &v, NULL) != ERR_OK)
        abort();
}

static void
hear(struct arena *a, const struct named_event *e)
{
    struct eventchat_command c;
    enum eventchat_verb verb;
    struct fail fail = { 0 };
    const char *payload = e->data ? e->data : "null";
    struct sbuf b;
    enum err err = ERR_NO_COMMAND;

    sbuf_init(&b, 1 << 20);
    if (eventchat_verb_named(e->name, &verb)) {
        err = eventchat_read_command(a, verb, payload, strlen(payload), &c, &fail);
        if (err == ERR_OK && (!c.chat || strlen(c.chat) > 4 * PAIR_CHAT_ID_MAX
                              || (verb == EVENTCHAT_SEND && c.message.all.n > PAIR_PHOTOS_MAX)))
            abort();
    }
    eventchat_write_debug_info(&b, err == ERR_OK ? ERR_RATE : err, &fail, e->name);
    must_be_json(a, &b);
    sbuf_reset(&b);
    wire_eventchat.named->write_bad(&b, WIRE_BAD_EVENT, e->name, NULL);
    must_be_json(a, &b);
    sbuf_fini(&b);
}

static void
put_body(struct arena *a, const char *body, size_t len)
{
    const struct event e = { .system = "eventchat", .body = body, .body_len = len };
    struct json *v;
    struct sbuf b;

    sbuf_init(&b, 1 << 20);
    wire_put_event(&b, &wire_eventchat_namespace, &e);
    if (b.len > 0 && strncmp(b.data, "42/eventchat,[", 14) != 0)
        abort();
    sbuf_reset(&b);
    wire_put_event(&b, &wire_eventchat_path, &e);
    /* a body that is what the log holds gives a packet that is what clients read */
    if (b.len > 0 && json_parse(a, body, len, DEPTH, &v, NULL) == ERR_OK && json_count(v) == 2
        && json_parse(a, b.data + 2, b.len - 2, DEPTH, &v, NULL) != ERR_OK)
        abort();
    sbuf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct named_event e;
    const char *text, *args;

    if (size > 0) {
        text = arena_copy(a, data + 1, size - 1);
        switch (data[0]) {
        case 'a':
            identify(a, text, NULL, "");
            break;
        case 'h':
            identify(a, NULL, text, "");
            break;
        case 'q':
            identify(a, NULL, NULL, text);
            break;
        case 'e':
            put_body(a, text, size - 1);
            break;
        case 's':
            args = json_compact(a, text, size - 1, DEPTH);
            if (args && args[0] == '[') {
                named_of_args(a, "send_message", args, 1, &e);
                hear(a, &e);
            }
            break;
        default:
            if (!named_read(a, text, size - 1, &e))
                hear(a, &e);
        }
    }
    arena_free(a);
    return 0;
}
