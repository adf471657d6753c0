/* token - JSON Web Tokens with HMAC-SHA256, and secret comparison
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/token.h"

#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "shared/json.h"
#include "shared/jws.h"
#include "shared/utf8.h"

#define INTEGER_MAX "9007199254740991"   /* 2^53-1 */

/* Tries every secret, also after one fitted: the time tells nothing about which. */
static bool
signature_fits(const struct token_rules *rules, const struct jws *j)
{
    unsigned char mac[JWS_HS256_BYTES];
    const char *const *secret;
    bool fits = false;

    if (j->signature_len != sizeof mac)
        return false;
    for (secret = rules->secrets; *secret != NULL; secret++) {
        jws_hs256(mac, *secret, j->input, j->input_len);
        fits |= sodium_memcmp(mac, j->signature, sizeof mac) == 0;
    }
    sodium_memzero(mac, sizeof mac);
    return fits;
}

/* ---- claims ---- */

bool
token_name_fits(const char *name)
{
    size_t n = utf8_length(name, strlen(name));

    return n >= 1 && n <= TOKEN_NAME_MAX;
}

/* Of a URL only that it is one with a host, in characters that an URL may have. */
static bool
is_url(const char *text)
{
    const char *host = strncasecmp(text, "http://", 7) == 0    ? text + 7
                       : strncasecmp(text, "https://", 8) == 0 ? text + 8
                                                               : NULL;

    if (host == NULL || *host == '\0' || strchr("/?#:", *host) != NULL)
        return false;
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7F || strchr("\"<>\\", *text) != NULL)
            return false;
    return true;
}

bool
token_picture_fits(const char *picture, bool url)
{
    if (utf8_length(picture, strlen(picture)) > TOKEN_PICTURE_MAX)
        return false;
    return !url || picture[0] == '\0' || is_url(picture);
}

bool
token_user_is_integer(const char *user)
{
    size_t len = strspn(user, "0123456789");

    return user[0] != '0' && len >= 1 && len <= strlen(INTEGER_MAX) && user[len] == '\0'
           && (len < strlen(INTEGER_MAX) || strcmp(user, INTEGER_MAX) <= 0);
}

/* A text claim into *text_r, NULL when there is none; false: it is something else. */
static bool
text_claim(const struct json *claims, const char *name, const char **text_r)
{
    const struct json *v = json_get(claims, name);

    *text_r = json_text(v);
    if (*text_r != NULL)
        return !json_nul_present(*text_r);
    return v == NULL || json_type(v) == JSON_NULL;
}

static bool
read_profile(const struct json *claims, const struct token_rules *rules, struct token *t)
{
    if (!text_claim(claims, "name", &t->name)
        || !text_claim(claims, rules->picture_claim, &t->picture))
        return false;
    return (t->name == NULL || token_name_fits(t->name))
           && (t->picture == NULL || token_picture_fits(t->picture, rules->picture_url));
}

static const char *
user_of(struct arena *a, const struct json *payload, const struct token_rules *rules)
{
    const struct json *v = json_get(payload, rules->user_claim);
    const char *text;
    int64_t n;

    if (v == NULL && rules->second_claim != NULL)
        v = json_get(payload, rules->second_claim);
    text = json_text(v);

    if (json_integer(v, &n))
        return arena_printf(a, "%lld", (long long)n);
    if (text == NULL || text[0] == '\0' || json_nul_present(text))
        return NULL;
    return text;
}

enum err
token_verify(struct arena *a, const char *text, const struct token_rules *rules, int64_t now_ms,
             struct token *token_r)
{
    const struct json *claims;
    struct token token = { 0 };
    struct jws jws;
    size_t len;

    if (jws_split(a, text, TOKEN_MAX, &jws) != ERR_OK || strcmp(jws.algorithm, "HS256") != 0)
        return ERR_UNAUTHORIZED;
    /* The claims are read only after their signature fits: strangers make us parse a header at most. */
    if (!signature_fits(rules, &jws))
        return ERR_UNAUTHORIZED;
    claims = jws_claims(a, &jws, &text, &len);
    if (claims == NULL || !jws_audience(claims, rules->audience))
        return ERR_UNAUTHORIZED;
    if (rules->check_times
        && jws_times(claims, rules->leeway_s, now_ms, &token.expires_ms) != ERR_OK)
        return ERR_UNAUTHORIZED;
    if (rules->require_expiry && token.expires_ms == 0)
        return ERR_UNAUTHORIZED;
    token.user = user_of(a, claims, rules);
    if (token.user == NULL || (rules->integer_user && !token_user_is_integer(token.user)))
        return ERR_UNAUTHORIZED;
    if (rules->profile && !read_profile(claims, rules, &token))
        return ERR_UNAUTHORIZED;
    *token_r = token;
    return ERR_OK;
}

void
token_mint(struct sbuf *out, const char *secret, const char *user_claim, const char *user,
           int64_t now_s, int64_t expires_s, const char *audience)
{
    struct sbuf claims;

    sbuf_init(&claims, TOKEN_MAX);
    json_open(&claims, '{');
    json_string(&claims, user_claim);       /* from the settings: it may need an escape */
    sbuf_putc(&claims, ':');
    json_string(&claims, user);
    json_kv_int(&claims, "iat", now_s);
    if (expires_s != 0)
        json_kv_int(&claims, "exp", expires_s);
    if (audience != NULL)
        json_kv(&claims, "aud", audience);
    json_close(&claims, '}');
    jws_mint(out, secret, sbuf_str(&claims), claims.len);
    out->failed |= claims.failed;
    sbuf_fini(&claims);
}

static void
digest(const char *s, unsigned char out[crypto_generichash_BYTES])
{
    crypto_generichash(out, crypto_generichash_BYTES, (const unsigned char *)s, strlen(s), NULL, 0);
}

bool
token_secret_equal(const char *a, const char *b)
{
    unsigned char hash_a[crypto_generichash_BYTES], hash_b[crypto_generichash_BYTES];

    digest(a, hash_a);
    digest(b, hash_b);
    return sodium_memcmp(hash_a, hash_b, sizeof hash_a) == 0;
}

const char *
token_of_scheme(const char *header, const char *scheme)
{
    size_t len = strlen(scheme);

    if (header == NULL || strncasecmp(header, scheme, len) != 0 || header[len] != ' ')
        return NULL;
    header += len + strspn(header + len, " ");
    return header[0] == '\0' ? NULL : header;
}
