/* fuzz_wire_mtchat - what a stranger may send to mtchat's socket: handshake query and frames
 *
 * The first byte chooses: query of a trusted server, of one with tokens, path, or client frame.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/wire.h"
#include "shared/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
knock(struct arena *a, const struct config *config, const char *query)
{
    struct io_request r = { .method = "GET", .path = "/", .query = query, .upgrade = true };
    struct io_answer answer = { 0 };
    struct wire_hello hello;

    sbuf_init(&answer.body, 4096);
    sbuf_init(&answer.headers, 4096);
    if (wire_mtchat.handshake(a, config, &r, 1000000, &hello, &answer)) {
        if (!*hello.user || !utf8_valid(hello.user, strlen(hello.user)) || hello.since < -1)
            abort();
    } else if (answer.status < 400 || !answer.body.len) {
        abort();
    }
    sbuf_fini(&answer.body);
    sbuf_fini(&answer.headers);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = { "secret", NULL };
    struct config config = { .systems = "mtchat", .jwt_keys = keys, .jwt_user_id_claim = "sub",
                             .jwt_audience = "", .jwt_check_exp = true };
    struct arena *a = arena_new();
    const char *text;

    if (size > 0) {
        text = arena_copy(a, data + 1, size - 1);
        config.trusted = data[0] == 'q';
        switch (data[0]) {
        case 'q':
        case 't':
            knock(a, &config, text);
            break;
        case 'p':
            wire_find(a, &config, text);
            break;
        default:
            wire_mtchat.message(a, text, size - 1, data[0] == 'b');
        }
    }
    arena_free(a);
    return 0;
}
