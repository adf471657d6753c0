/* opaque - random credentials
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/opaque.h"

#include <sodium.h>
#include <string.h>

#define RANDOM_BYTES 32
#define TEXT_SIZE sodium_base64_ENCODED_LEN(RANDOM_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)

_Static_assert(OPAQUE_HASH_SIZE == crypto_generichash_BYTES, "hash size");

char *
opaque_new(struct arena *a, const char *prefix)
{
    unsigned char bytes[RANDOM_BYTES];
    char text[TEXT_SIZE];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(text, sizeof text, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof bytes);
    return arena_printf(a, "%s%s", prefix, text);
}

void
opaque_hash(const char *text, uint8_t hash_r[OPAQUE_HASH_SIZE])
{
    crypto_generichash(hash_r, OPAQUE_HASH_SIZE, (const unsigned char *)text, strlen(text), NULL, 0);
}
