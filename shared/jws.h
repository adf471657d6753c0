/* jws - signed tokens in their compact form (RFC 7515, 7519): cutting up, claims they all have, making
 *
 * Strict: base64url without padding or stray bits, JSON as json.h reads it, no critical header extensions.
 * Who verifies the signature, and with which keys, is the caller's; until then nothing in a token is trusted, and
 * its payload is not even decoded.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_JWS_H
#define SHARED_JWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/json.h"
#include "shared/sbuf.h"

#define JWS_HS256_BYTES 32

struct jws {
    const char *algorithm;          /* alg, as sent */
    const char *key_id;             /* kid; NULL: none */
    const char *input;              /* what the signature is over: inside the text given */
    size_t input_len;
    const unsigned char *signature;
    size_t signature_len;
    const char *payload;            /* base64url */
    size_t payload_len;
};

/* Cuts text up and reads its header. ERR_UNAUTHORIZED: it is no token, or longer than max bytes. */
enum err jws_split(struct arena *a, const char *text, size_t max, struct jws *j_r);

/* The payload of a token whose signature fits, and its text; NULL when it is no JSON object. */
const struct json *jws_claims(struct arena *a, const struct jws *j, const char **text_r,
                              size_t *len_r);

/* nbf and exp against the clock. ERR_OK: *expires_ms_r is exp with the leeway added, 0 without exp; ERR_TIMEOUT: exp
 * has passed; ERR_UNAUTHORIZED: not yet good, or not numbers. */
enum err jws_times(const struct json *claims, int64_t leeway_s, int64_t now_ms,
                   int64_t *expires_ms_r);

/* aud, a text or a list of texts, has wanted (NULL: need not be looked at), and none that begins with "confab:", which
 * is how our own systems are called, other than wanted. */
bool jws_audience(const struct json *claims, const char *wanted);

/* The bytes behind strict base64url without padding; NULL when it is empty or not that. A NUL follows. */
unsigned char *jws_base64url(struct arena *a, const char *text, size_t text_len, size_t *len_r);

/* The same for plain base64 with padding. */
unsigned char *jws_base64(struct arena *a, const char *text, size_t text_len, size_t *len_r);

/* HMAC-SHA256 over p with the secret's raw bytes. */
void jws_hs256(unsigned char mac[JWS_HS256_BYTES], const char *secret, const void *p, size_t len);

/* A token with these claims (a JSON object), signed by HS256, appended to out. */
void jws_mint(struct sbuf *out, const char *secret, const char *claims, size_t len);

#endif
