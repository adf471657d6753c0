/* fuzz_token - verifying what claims to be a token
 *
 * The signature would keep a fuzzer out of the claims, so each input is tried as a whole token and
 * as the claims of one that is signed here.
 *
 * SPDX-License-Identifier: MIT
 */
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/token.h"

#define CLAIMS_MAX 2048
#define NOW_MS     1700000000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "a key of the fuzzer";

static void
append_base64(char *token, const void *p, size_t len)
{
    size_t used = strlen(token);

    sodium_bin2base64(token + used, sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_URLSAFE),
                      p, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static void
sign(char *token, const uint8_t *claims, size_t len)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    crypto_auth_hmacsha256_state state;
    uint8_t mac[crypto_auth_hmacsha256_BYTES];

    token[0] = '\0';
    append_base64(token, header, sizeof(header) - 1);
    strcat(token, ".");
    append_base64(token, claims, len);
    crypto_auth_hmacsha256_init(&state, (const uint8_t *)secret, sizeof(secret) - 1);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)token, strlen(token));
    crypto_auth_hmacsha256_final(&state, mac);
    strcat(token, ".");
    append_base64(token, mac, sizeof(mac));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const secrets[] = { secret, NULL };
    const struct token_rules rules = { .secrets = secrets, .user_claim = "sub",
                                       .check_times = true, .leeway_s = 60 };
    static char text[2 * CLAIMS_MAX + 200];
    struct arena *a = arena_new();
    struct token token;

    if (sodium_init() < 0)
        abort();
    if (token_verify(a, arena_copy(a, data, size), &rules, NOW_MS, &token) == ERR_OK)
        abort();        /* nobody guesses a signature */
    if (size <= CLAIMS_MAX) {
        sign(text, data, size);
        if (token_verify(a, text, &rules, NOW_MS, &token) == ERR_OK &&
            (token.user == NULL || token.user[0] == '\0'))
            abort();
    }
    arena_free(a);
    return 0;
}
