/* io_request - requests and plain answers as bytes: no sockets here
 *
 * Reads the head of an HTTP/1.x request strictly (RFC 9112), then its body, whole or in chunks, and
 * writes answers. The request target is left as it was sent.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_IO_REQUEST_H
#define RELAY_IO_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "relay/io.h"
#include "shared/sbuf.h"

#define IO_TARGET_MAX 65536     /* bytes of a request target; more is 413 */
#define IO_FIELDS_MAX 16384     /* bytes of a head behind its first line; more is 431 */
#define IO_HEAD_MAX (IO_TARGET_MAX + IO_FIELDS_MAX)     /* bytes of a head */
#define IO_KEY_LENGTH 24        /* Sec-WebSocket-Key: 16 bytes in Base64 */
#define IO_ADDRESS_SIZE 64      /* a peer's address as text */

enum io_scan {
    IO_SCAN_MORE,               /* no empty line yet */
    IO_SCAN_DONE,               /* *end_r is the length of the head */
    IO_SCAN_BAD,                /* can never become a head */
};

/* The fields of a head as they came: name NUL value NUL, one behind the other. */
struct io_fields {
    const char *at, *end;
};

/* What a head says. The texts lie in the bytes that were parsed. */
struct io_head {
    const char *method;
    const char *path;           /* raw, up to '?' */
    const char *query;          /* raw, after '?'; "" */
    bool http_1_1;
    bool upgrade;               /* GET that asks for WebSocket, key and version are good */
    bool close;                 /* the connection is to end behind the answer */
    bool expects_continue;      /* the body comes only when asked for */
    bool chunked;               /* the body is */
    int64_t content_length;     /* 0 with chunked */
    const char *key;            /* Sec-WebSocket-Key, IO_KEY_LENGTH bytes; NULL */
    const char *forwarded;      /* last element of the last X-Forwarded-For */
    struct io_fields fields;
};

/* Looks for the end of the head in p[0..len), of which p[0..seen) were scanned before. */
enum io_scan io_head_scan(const char *p, size_t len, size_t seen, size_t *end_r);

/* Parses the whole head p[0..len) in place: ends of texts are overwritten with NUL. 0, or the
 * HTTP status that refuses it. */
int io_head_parse(char *p, size_t len, struct io_head *head_r);

static inline bool
io_head_has_body(const struct io_head *head)
{
    return head->chunked || head->content_length > 0;
}

enum io_body_scan {
    IO_BODY_MORE,               /* everything was used, and more is to come */
    IO_BODY_WHOLE,
    IO_BODY_BAD,
    IO_BODY_TOO_BIG,
};

/* A body on its way. */
struct io_body {
    bool chunked;
    uint8_t state;
    uint16_t line;              /* bytes of the chunk line so far */
    uint16_t trailers;          /* bytes of all trailers so far */
    int64_t left;               /* of the body, or of the chunk */
    int64_t max, total;
};

/* The body that the head announces, of at most max bytes. */
void io_body_begin(struct io_body *b, const struct io_head *head, int64_t max);

/* Appends the content of p[0..len) to out. *used_r: how much of it belongs to the request. */
enum io_body_scan io_body_feed(struct io_body *b, const char *p, size_t len, size_t *used_r,
                               struct sbuf *out);

/* Appends the answer with its Content-Length; without its body for HEAD. */
void io_answer_write(struct sbuf *out, const struct io_answer *a, bool head_only, bool close);

/* Appends the head of an answer that goes on: in chunks, or until the connection ends. */
void io_answer_write_stream(struct sbuf *out, const struct io_answer *a, bool chunked);

#endif
