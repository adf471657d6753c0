/* fuzz_event - bus messages and log envelopes
 *
 * The MAC would keep a fuzzer out, so the envelope reader is fed directly; what it accepts must
 * come out the same when written and read again.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[EVENT_KEY_SIZE];
    struct arena *a = arena_new();
    struct event e, again;
    struct sbuf b;

    event_message_read(a, data, size, key, &e);
    if (event_envelope_read(a, data, size, &e) == ERR_OK) {
        sbuf_init(&b, 1 << 24);
        event_envelope_write(&b, &e);
        if (b.failed || b.len != size || memcmp(b.data, data, size) != 0)
            abort();
        sbuf_reset(&b);
        e.seq = 1;
        e.body = "{}";
        e.body_len = 2;
        event_message_write(&b, &e, key);
        if (event_message_read(a, b.data, b.len, key, &again) != ERR_OK || again.body_len != 2)
            abort();
        sbuf_fini(&b);
    }
    arena_free(a);
    return 0;
}
