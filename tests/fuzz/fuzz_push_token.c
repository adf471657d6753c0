/* fuzz_push_token - verifying what claims to be a token of the push server
 *
 * The signature would keep a fuzzer out of the claims, so each input is tried as a whole token and as the
 * claims of one that is signed here, of both sorts.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/push/token.h"
#include "shared/jws.h"

#define CLAIMS_MAX 4096
#define NOW_MS     1700000000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct token_keys *
keys(void)
{
    static struct token_keys *k;
    struct config config = {
        .push_token_secret = "a key of the fuzzer", .push_token_public_key = "",
        .push_token_jwks = "", .push_token_audience = "", .push_token_issuer = "",
        .push_token_max = 8192,
    };

    if (k == NULL && token_keys_new(&config, &k, NULL) != ERR_OK)
        abort();
    return k;
}

/* Raw JSON goes into lines as it is: it must be JSON, and have no line end. */
static void
check_raw(struct arena *a, const char *raw)
{
    struct json *v;

    if (raw != NULL && (strpbrk(raw, "\r\n") != NULL
                        || json_parse(a, raw, strlen(raw), 64, &v, NULL) != ERR_OK))
        abort();
}

static void
check(struct arena *a, const char *token)
{
    struct connection_token c;
    struct subscription_token s;
    size_t i;

    if (connection_token_verify(a, keys(), token, NOW_MS, &c) == ERR_OK) {
        check_raw(a, c.info);
        check_raw(a, c.meta);
        for (i = 0; i < c.n_subs; i++) {
            check_raw(a, c.subs[i].info);
            check_raw(a, c.subs[i].data);
            if (c.subs[i].channel[0] == '\0')
                abort();
        }
    }
    if (subscription_token_verify(a, keys(), token, NOW_MS, &s) == ERR_OK) {
        check_raw(a, s.info);
        if (s.channel[0] == '\0' || s.user == NULL)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct connection_token c;
    struct sbuf token;

    if (connection_token_verify(a, keys(), arena_copy(a, data, size), NOW_MS, &c) == ERR_OK)
        abort();        /* nobody guesses a signature */
    if (size <= CLAIMS_MAX) {
        sbuf_init(&token, 8192);
        jws_mint(&token, "a key of the fuzzer", (const char *)data, size);
        check(a, sbuf_str(&token));
        sbuf_fini(&token);
    }
    arena_free(a);
    return 0;
}
