/* io_request - request heads and plain answers as bytes: no sockets here
 *
 * Reads the head of an HTTP/1.x request strictly (RFC 9112) and writes whole answers after
 * which the connection ends. The request target is left as it was sent.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_IO_REQUEST_H
#define RELAY_IO_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "relay/io.h"
#include "shared/sbuf.h"

#define IO_HEAD_MAX 16384       /* bytes of a head, the empty line included; more is 431 */
#define IO_KEY_LENGTH 24        /* Sec-WebSocket-Key: 16 bytes in Base64 */
#define IO_ADDRESS_SIZE 64      /* a peer's address as text */

enum io_scan {
    IO_SCAN_MORE,               /* no empty line yet */
    IO_SCAN_DONE,               /* *end_r is the length of the head */
    IO_SCAN_BAD,                /* can never become a head */
};

/* What a head says. The texts lie in the bytes that were parsed. */
struct io_head {
    const char *method;
    const char *path;           /* raw, up to '?' */
    const char *query;          /* raw, after '?'; "" */
    bool upgrade;               /* GET that asks for WebSocket, key and version are good */
    const char *key;            /* Sec-WebSocket-Key, IO_KEY_LENGTH bytes; NULL */
    const char *authorization;  /* NULL: not sent */
    const char *origin;
    const char *forwarded;      /* last element of the last X-Forwarded-For */
};

/* Looks for the end of the head in p[0..len), of which p[0..seen) were scanned before. */
enum io_scan io_head_scan(const char *p, size_t len, size_t seen, size_t *end_r);

/* Parses the whole head p[0..len) in place: ends of texts are overwritten with NUL. 0, or the
 * HTTP status that refuses it. */
int io_head_parse(char *p, size_t len, struct io_head *head_r);

/* Appends the answer with its Content-Length and Connection: close; without its body for HEAD. */
void io_answer_write(struct sbuf *out, const struct io_answer *a, bool head_only);

#endif
