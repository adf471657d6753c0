/* fuzz_fossil - a patch applied gives the target, whatever the texts are
 *
 * The input's two first bytes say how much of the rest is the source; the target is what follows.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>
#include <stdint.h>

#include "relay/push/fossil.h"
#include "tests/unit/fossil_apply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data + 2;
    struct sbuf patch;
    size_t from, to, made_len;
    bool characters;
    char *made;

    if (size < 2)
        return 0;
    from = (size_t)(data[0] << 8 | data[1]) % (size - 1);
    to = size - 2 - from;
    characters = utf8_valid(text, from) && utf8_valid(text + from, to);
    sbuf_init(&patch, 1 << 24);
    if (fossil_delta(text, from, text + from, to, &patch)) {
        made = fossil_apply(text, from, patch.data, patch.len, characters, &made_len);
        if (!made || made_len != to || memcmp(made, text + from, to) != 0 || patch.len >= to)
            abort();
        free(made);
    } else if (patch.len != 0) {
        abort();
    }
    sbuf_fini(&patch);
    return 0;
}
