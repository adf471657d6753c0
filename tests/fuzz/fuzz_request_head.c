/* fuzz_request_head - heads as they come from anybody who can reach the relay's port
 *
 * What the scan finds in pieces it must find at once; what the parser accepts must hold what an
 * upgrade needs.
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
            || (head.upgrade && strlen(head.key) != IO_KEY_LENGTH))
            abort();
    }
    free(copy);
    return 0;
}
