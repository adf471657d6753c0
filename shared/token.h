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
#define TOKEN_NAME_MAX 100          /* code points of what a user is shown as ... */
#define TOKEN_PICTURE_MAX 2048      /* ... and of his picture's URL or name */

/* How tokens of one system are judged. */
struct token_rules {
    const char *const *secrets;     /* NULL-terminated; the raw bytes are the key; any may fit */
    const char *user_claim;         /* "sub" */
    bool check_times;               /* honour exp and nbf */
    bool require_expiry;            /* a token without exp is refused */
    int64_t leeway_s;
    const char *second_claim;       /* read when there is no user_claim; NULL: none */
    bool integer_user;              /* the user is an integer above 0, or the same as decimal text */
    bool profile;                   /* name and picture_claim are read; wrong ones make the token bad */
    const char *picture_claim;
    bool picture_url;               /* it is "" or an absolute http(s) URL */
    const char *audience;           /* required in aud, NULL = aud is not looked at ... */
                                    /* ... but one beginning "confab:" other than this is refused */
};

struct token {
    const char *user;               /* arena; never empty */
    int64_t expires_ms;             /* Unix; 0 = never. With the leeway added, 0 when times are unchecked */
    const char *name, *picture;     /* with rules.profile; NULL: not claimed */
};

/* Verifies text (no "Bearer "). user claim: string as is, integer as decimal text; empty or
 * any other type is refused. */
enum err token_verify(struct arena *a, const char *text, const struct token_rules *rules,
                      int64_t now_ms, struct token *token_r);

/* May a user be shown as this: 1 to TOKEN_NAME_MAX code points? */
bool token_name_fits(const char *name);

/* May this be his picture: at most TOKEN_PICTURE_MAX code points; with url "" or an absolute http(s) URL? */
bool token_picture_fits(const char *picture, bool url);

/* The decimal text of an integer from 1 to 2^53-1, without leading zeros? */
bool token_user_is_integer(const char *user);

/* A signed token for user that expires at expires_s (0 = no exp), appended to out. */
void token_mint(struct sbuf *out, const char *secret, const char *user_claim, const char *user,
                int64_t now_s, int64_t expires_s, const char *audience);

/* Do both texts hash to the same digest? Constant time for equal or unequal lengths. */
bool token_secret_equal(const char *a, const char *b);

/* The value of "Authorization: <scheme> <value>", scheme without regard to case; NULL when
 * the header is NULL, of another scheme or empty. */
const char *token_of_scheme(const char *header, const char *scheme);

#endif
