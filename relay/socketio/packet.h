/* packet - Engine.IO packets and payloads, and the Socket.IO packets in them, as bytes
 *
 * Pure. What is read lies in the arena or in the bytes that were given; texts are valid UTF-8 before they come here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_SOCKETIO_PACKET_H
#define RELAY_SOCKETIO_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/sbuf.h"

#define PACKET_SEPARATOR 0x1e       /* between the packets of a payload */

/* ---- Engine.IO ---- */

enum packet_type {
    PACKET_OPEN = '0',
    PACKET_CLOSE = '1',
    PACKET_PING = '2',
    PACKET_PONG = '3',
    PACKET_MESSAGE = '4',
    PACKET_UPGRADE = '5',
    PACKET_NOOP = '6',
};

struct packet {
    enum packet_type type;
    const char *data;
    size_t len;
    bool binary;                    /* a message of bytes */
};

/* One packet, as a payload or a WebSocket's text message holds it: a binary one is base64. */
bool packet_read(struct arena *a, const char *p, size_t len, struct packet *packet_r);

/* The packets of a payload. */
struct packet_reader {
    const char *p, *end;            /* p: the next one; NULL behind the last, and where one was malformed */
    bool bad;
};

/* The next packet; false at the end, and where it is malformed: then r->bad. There is at least one. */
bool packet_next(struct arena *a, struct packet_reader *r, struct packet *packet_r);

/* Are all well formed? */
bool packet_payload_good(struct arena *a, const char *p, size_t len);

struct packet_open {
    const char *sid;
    bool can_upgrade;
    int64_t ping_interval_ms, ping_timeout_ms, max_payload;
};

void packet_put_open(struct sbuf *out, const struct packet_open *o);

/* Appends one packet to a payload: a text packet as it is, or a binary message. */
void packet_put(struct sbuf *payload, const void *p, size_t len, bool binary);

/* What packet_put would append. */
size_t packet_size(const struct sbuf *payload, size_t len, bool binary);

/* ---- Socket.IO ---- */

enum sio_type {
    SIO_CONNECT,
    SIO_DISCONNECT,
    SIO_EVENT,
    SIO_ACK,
    SIO_CONNECT_ERROR,
    SIO_BINARY_EVENT,
    SIO_BINARY_ACK,
};

#define SIO_NO_ACK (-1)

struct sio_packet {
    enum sio_type type;
    unsigned attachments;
    const char *namespace;          /* without its query */
    int64_t ack;                    /* or SIO_NO_ACK */
    const char *json;               /* compact; NULL: none */
    /* of events: */
    const char *name;
    const char *args;               /* what follows the name, an array */
};

struct sio_bounds {
    int json_depth;
    unsigned attachments;
};

/* The data of a message from a client. false: it breaks the rules of the protocol. */
bool sio_packet_read(struct arena *a, const char *p, size_t len, const struct sio_bounds *bounds,
                     struct sio_packet *packet_r);

/* Compact JSON with null for each placeholder of an attachment; NULL when one tells of an attachment that is not among
 * n. */
char *sio_placeholders_drop(struct arena *a, const char *json, unsigned n);

/* The whole packet, as the Engine.IO message that carries it. */
void sio_packet_put(struct sbuf *out, const struct sio_packet *packet);

/* Appends what an event in that namespace begins with. ["NAME",PAYLOAD...] follows, and frame_text makes it a frame. */
void sio_put_event(struct sbuf *out, const char *namespace);

#endif
