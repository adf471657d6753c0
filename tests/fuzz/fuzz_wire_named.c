/* fuzz_wire_named - what strangers may send to sockets of named events: frames, credentials and queries; and bodies of
 * events on their way into frames
 *
 * The first byte chooses: auth object, Authorization header, query, the body of an event, or client frame.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/wire.h"
#include "shared/json.h"
#include "shared/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = { "a key of this fuzzer", NULL };
static const struct config config = {
    .systems = "conversations", .jwt_keys = keys, .vk_app_secret = "another", .vk_app_id = "",
};

static void
show(struct arena *a, const struct wire_credential *c)
{
    struct wire_hello h;
    enum err e = wire_conversations.named->identify(a, &config, c, 1000000, &h);

    if (e != ERR_NOT_FOUND && e != ERR_UNAUTHORIZED && e != ERR_OK)
        abort();
}

/* A frame of Socket.IO is of the same event as the body. */
static void
put(struct arena *a, const char *body, size_t len)
{
    struct sbuf bare, joined;
    struct json *v;

    sbuf_init(&bare, 1 << 22);
    sbuf_init(&joined, 1 << 22);
    named_put_body(&bare, NULL, body, len);
    named_put_body(&joined, "/n", body, len);
    if ((bare.len > 0) != (joined.len > 0) || (bare.len > 0 && bare.len != len))
        abort();
    if (bare.len > 0 && json_parse(a, body, len, 64, &v, NULL) == ERR_OK && json_count(v) == 2
        && json_parse(a, joined.data + 5, joined.len - 5, 65, &v, NULL) != ERR_OK)
        abort();
    sbuf_fini(&bare);
    sbuf_fini(&joined);
}

static void
hear(struct arena *a, const char *frame, size_t len)
{
    struct named_event e;
    struct json *v;

    if (named_read(a, frame, len, &e))
        return;
    if (!*e.name || !utf8_valid(e.name, strlen(e.name)))
        abort();
    if (e.data && json_parse(a, e.data, strlen(e.data), 64, &v, NULL) != ERR_OK)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    const char *text;

    if (size > 0) {
        text = arena_copy(a, data + 1, size - 1);
        switch (data[0]) {
        case 'a':
            show(a, &(struct wire_credential){ .auth = text, .query = "" });
            break;
        case 'h':
            show(a, &(struct wire_credential){ .authorization = text, .query = "" });
            break;
        case 'q':
            show(a, &(struct wire_credential){ .query = text });
            break;
        case 'e':
            put(a, text, size - 1);
            break;
        default:
            hear(a, text, size - 1);
        }
    }
    arena_free(a);
    return 0;
}
