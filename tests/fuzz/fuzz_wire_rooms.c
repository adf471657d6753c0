/* fuzz_wire_rooms - what a stranger may send to the sockets of rooms: paths, handshake queries and frames
 *
 * The first byte chooses: path, query of a room's socket, query of a runner, the body of an event, or client frame.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/wire.h"
#include "shared/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = { "0123456789abcdef0123456789abcdef", NULL };
static const struct config config = { .systems = "rooms", .rooms_keys = keys };

/* An upgrade is never refused here, only accepted to be closed. */
static void
knock(struct arena *a, const char *path, const char *query)
{
    struct io_request r = { .method = "GET", .path = path, .query = query, .upgrade = true };
    const struct wire *wire = wire_find(a, &config, path);
    struct io_answer answer = { 0 };
    struct wire_hello h;

    if (!wire)
        return;
    if (!wire->handshake(a, &config, &r, 1000000, &h, &answer) || !utf8_valid(h.user, strlen(h.user)))
        abort();
    if (h.close_code ? h.close_code != 4001 || h.counted : !h.counted || h.room < 0 || (!*h.user && !h.key))
        abort();
}

static void
write_event(const char *body, size_t len)
{
    const char *channels[] = { "room:1:chat", "room:1:runner" };
    struct event e = { .seq = 1, .kind = EVENT_ENTRY_NEW, .system = "rooms", .channels = channels,
                       .n_channels = 2, .body = body, .body_len = len };
    struct arena *a = arena_new();
    struct sbuf out;

    sbuf_init(&out, 1 << 20);
    wire_rooms_runner.write_event(&out, &e);
    wire_rooms_chat.write_event(&out, &e);
    wire_rooms_chat.unheard(a, &e);
    sbuf_fini(&out);
    arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    const char *text;

    if (size > 0) {
        text = arena_copy(a, data + 1, size - 1);
        switch (data[0]) {
        case 'p':
            knock(a, text, "");
            break;
        case 'q':
            knock(a, "/api/rooms/1/chat", text);
            break;
        case 'k':
            knock(a, "/api/runner/stream", text);
            break;
        case 'e':
            write_event(text, size - 1);
            break;
        default:
            wire_rooms_graph.message(a, text, size - 1, data[0] == 'b');
        }
    }
    arena_free(a);
    return 0;
}
