/* fuzz_sio_packet - what a stranger may send over Engine.IO and Socket.IO: a payload, and the messages in it
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/socketio/packet.h"
#include "shared/json.h"
#include "shared/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sio_bounds bounds = { .json_depth = 32, .attachments = 10 };

static void
check(bool fine)
{
    if (!fine)
        abort();
}

static void
check_json(struct arena *a, const char *json)
{
    char *compact = json_compact(a, json, strlen(json), bounds.json_depth);

    check(compact && strcmp(compact, json) == 0);
}

/* What was read is written in a way that reads as the same. */
static void
check_written(struct arena *a, const struct sio_packet *p)
{
    struct sio_packet again;
    struct sbuf out;

    sbuf_init(&out, 1 << 24);
    sio_packet_put(&out, p);
    check(!out.failed && out.data[0] == PACKET_MESSAGE);
    check(sio_packet_read(a, out.data + 1, out.len - 1, &bounds, &again));
    check(again.type == p->type && again.ack == p->ack && again.attachments == p->attachments);
    check(strcmp(again.namespace, p->namespace) == 0);
    check(!again.json == !p->json && (!p->json || strcmp(again.json, p->json) == 0));
    sbuf_fini(&out);
}

static void
check_message(struct arena *a, const char *text, size_t len)
{
    struct sio_packet p;
    char *without;

    if (!utf8_valid(text, len) || !sio_packet_read(a, text, len, &bounds, &p))
        return;
    check(p.namespace[0] == '/' && !strchr(p.namespace, PACKET_SEPARATOR));
    check(p.ack >= SIO_NO_ACK && p.ack < (int64_t)1 << 53);
    check(p.attachments <= bounds.attachments);
    check((p.attachments > 0) == (p.type == SIO_BINARY_EVENT || p.type == SIO_BINARY_ACK));
    check((p.name != NULL) == (p.type == SIO_EVENT || p.type == SIO_BINARY_EVENT));
    if (p.json)
        check_json(a, p.json);
    if (p.args) {
        check_json(a, p.args);
        if ((without = sio_placeholders_drop(a, p.args, p.attachments)))
            check_json(a, without);
    }
    check_written(a, &p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = size > 0 ? (const char *)data : "";
    struct packet_reader r = { .p = text, .end = text + size };
    struct arena *a = arena_new();
    struct sbuf out;
    struct packet p;
    size_t expected;

    sbuf_init(&out, 1 << 24);
    while (packet_next(a, &r, &p)) {
        if (p.binary) {
            expected = out.len + packet_size(&out, p.len, true);
            packet_put(&out, p.data, p.len, true);
            check(out.len == expected);
        } else if (p.type == PACKET_MESSAGE) {
            check_message(a, p.data, p.len);
        }
    }
    check_message(a, text, size);
    check(packet_payload_good(a, text, size) == !r.bad);
    sbuf_fini(&out);
    arena_free(a);
    return 0;
}
