/* fuzz_request_head - requests as they come from anybody who can reach the relay's port
 *
 * What the scan finds in pieces it must find at once; what the parser accepts must hold what an
 * upgrade needs; a body must be the same however it is cut, and never longer than allowed.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/io_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
scan_in_pieces(const char *p, size_t len, enum io_scan whole, size_t end)
{
    enum io_scan scan = IO_SCAN_MORE;
    size_t seen = 0, piece_end = 0;

    for (size_t n = 1; n <= len && scan == IO_SCAN_MORE; n++) {
        scan = io_head_scan(p, n, seen, &piece_end);
        seen = n;
    }
    if (scan != whole || (scan == IO_SCAN_DONE && piece_end != end))
        abort();
}

enum { BODY_MAX = 300 };

/* Feeds p in pieces of step bytes; returns how much of it was the request's. */
static size_t
feed(const struct io_head *head, const char *p, size_t len, size_t step, enum io_body_scan *scan_r,
     struct sbuf *out)
{
    struct io_body body;
    size_t at = 0, used = 0;

    *scan_r = IO_BODY_MORE;
    io_body_begin(&body, head, BODY_MAX);
    for (; at < len && *scan_r == IO_BODY_MORE; at += used)
        *scan_r = io_body_feed(&body, p + at, len - at < step ? len - at : step, &used, out);
    return at;
}

static void
body_in_pieces(const struct io_head *head, const char *p, size_t len)
{
    enum io_body_scan whole, pieces;
    struct sbuf a, b;
    size_t end;

    sbuf_init(&a, BODY_MAX);
    sbuf_init(&b, BODY_MAX);
    end = feed(head, p, len, len, &whole, &a);
    if (feed(head, p, len, 1, &pieces, &b) != end || whole != pieces || a.len != b.len || a.failed
        || (a.len > 0 && memcmp(a.data, b.data, a.len) != 0))
        abort();
    sbuf_fini(&a);
    sbuf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct io_head head;
    enum io_scan scan;
    size_t end = size;
    char *copy;

    if (size > IO_HEAD_MAX || (copy = malloc(size + 1)) == NULL)
        return 0;
    memcpy(copy, data, size);
    copy[size] = 'x';           /* nothing may need a NUL here */
    scan = io_head_scan(copy, size, 0, &end);
    scan_in_pieces(copy, size, scan, end);
    if (scan != IO_SCAN_DONE)
        end = size;
    if (io_head_parse(copy, end, &head) == 0) {
        if (head.path[0] != '/' || head.method[0] == '\0'
            || (head.upgrade && (strlen(head.key) != IO_KEY_LENGTH || io_head_has_body(&head)))
            || (head.chunked && head.content_length != 0))
            abort();
        for (const char *f = head.fields.at; f < head.fields.end; f += strlen(f) + 1)
            if (f < copy || f >= copy + end)
                abort();
        body_in_pieces(&head, (const char *)data + end, size - end);
    }
    free(copy);
    return 0;
}
