/* fuzz_vk - launch parameters, as anybody may make them up
 *
 * Under a key that signed nothing none of it fits; under that of a published example what fits has a
 * signature and names a user.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/token.h"
#include "shared/vk.h"

#define NOW_MS INT64_C(1700000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nobody could sign with this key. */
static const struct vk_rules strict = { .secret = "key", .app_id = "1", .ttl_s = 60 };

/* The published example's, so that a corpus can hold what fits. */
static const struct vk_rules known = { .secret = "wvl68m4dR1UpLrVRli" };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    const char *text = arena_copy(a, data, size), *user = NULL;

    if (vk_verify(a, text, &strict, NOW_MS, &user) == ERR_OK)
        abort();
    if (vk_verify(a, text, &known, NOW_MS, &user) == ERR_OK
        && (!token_user_is_integer(user) || strstr(text, "sign") == NULL))
        abort();
    arena_free(a);
    return 0;
}
