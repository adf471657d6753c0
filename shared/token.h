/* token - JSON Web Tokens with HMAC-SHA256 (RFC 7515, 7519), and secret comparison
 *
 * Only alg HS256 is accepted, whatever else the header says; signatures are compared in
 * constant time; everything wrong with a token is one and the same ERR_UNAUTHORIZED.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_TOKEN_H
#define SHARED_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/sbuf.h"

#define TOKEN_MAX 8192              /* longer texts are refused unread, bytes */

/* How tokens of one system are judged. */
struct token_rules {
    const char *const *secrets;     /* NULL-terminated; the raw bytes are the key; any may fit */
    const char *user_claim;         /* "sub" */
    bool check_times;               /* honour exp and nbf */
    bool require_expiry;            /* a token without exp is refused */
    int64_t leeway_s;
    const char *audience;           /* required in aud, NULL = aud is not looked at ... */
                                    /* ... but one beginning "confab:" other than this is refused */
};

struct token {
    const char *user;               /* arena; never empty */
    int64_t expires_ms;             /* Unix; 0 = never. With the leeway added, 0 when times are unchecked */
};

/* Verifies text (no "Bearer "). user claim: string as is, integer as decimal text; empty or
 * any other type is refused. */
enum err token_verify(struct arena *a, const char *text, const struct token_rules *rules,
                      int64_t now_ms, struct token *token_r);

/* A signed token for user that expires at expires_s (0 = no exp), appended to out. */
void token_mint(struct sbuf *out, const char *secret, const char *user_claim, const char *user,
                int64_t now_s, int64_t expires_s, const char *audience);

/* Do both texts hash to the same digest? Constant time for equal or unequal lengths. */
bool token_secret_equal(const char *a, const char *b);

/* The value of "Authorization: <scheme> <value>", scheme without regard to case; NULL when
 * the header is NULL, of another scheme or empty. */
const char *token_of_scheme(const char *header, const char *scheme);

#endif
