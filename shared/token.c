/* token - JSON Web Tokens with HMAC-SHA256, and secret comparison
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/token.h"

#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "shared/json.h"

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define JSON_DEPTH 32
#define OURS "confab:"          /* audiences of our own systems begin so */
#define OURS_LEN (sizeof OURS - 1)
#define EXPIRES_MAX_S 253402300799.0    /* the end of the year 9999 */

/* Strict base64url: no padding, no white space, no stray bits. NULL when it is not. */
static char *
decode(struct arena *a, const char *text, size_t text_len, size_t *len_r)
{
    unsigned char *out = arena_alloc(a, text_len + 1);

    if (text_len == 0
        || sodium_base642bin(out, text_len, text, text_len, NULL, len_r, NULL, BASE64) != 0)
        return NULL;
    return (char *)out;
}

/* The JSON object in one part of the token, NULL when there is none. */
static const struct json *
decode_object(struct arena *a, const char *part, size_t part_len)
{
    struct json *object;
    size_t len = 0;
    char *text = decode(a, part, part_len, &len);

    if (text == NULL || json_parse(a, text, len, JSON_DEPTH, &object, NULL) != ERR_OK)
        return NULL;
    return json_type(object) == JSON_OBJECT ? object : NULL;
}

static void
sign(unsigned char mac[crypto_auth_hmacsha256_BYTES], const char *secret, const char *p, size_t len)
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)p, len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof state);
}

/* Tries every secret, also after one fitted: the time tells nothing about which. */
static bool
signature_fits(struct arena *a, const struct token_rules *rules, const char *text, size_t len,
               const char *signature)
{
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    const char *const *secret;
    size_t given_len = 0;
    char *given = decode(a, signature, strlen(signature), &given_len);
    bool fits = false;

    if (given == NULL || given_len != sizeof mac)
        return false;
    for (secret = rules->secrets; *secret != NULL; secret++) {
        sign(mac, *secret, text, len);
        fits |= sodium_memcmp(mac, given, sizeof mac) == 0;
    }
    sodium_memzero(mac, sizeof mac);
    return fits;
}

static bool
header_is_good(const struct json *header)
{
    const char *algorithm = json_text(json_get(header, "alg"));

    if (json_get(header, "crit") != NULL)   /* it demands what we do not know */
        return false;
    return algorithm != NULL && strcmp(algorithm, "HS256") == 0;
}

static bool
times_are_good(const struct json *payload, const struct token_rules *rules, int64_t now_ms,
               int64_t *expires_ms_r)
{
    const struct json *exp = json_get(payload, "exp"), *nbf = json_get(payload, "nbf");
    double now_s = (double)now_ms / 1000, until_s;

    *expires_ms_r = 0;
    if (!rules->check_times)
        return true;
    if (nbf != NULL && (json_type(nbf) != JSON_NUMBER
                        || now_s < json_number(nbf) - (double)rules->leeway_s))
        return false;
    if (exp == NULL)
        return true;
    until_s = json_number(exp) + (double)rules->leeway_s;
    if (json_type(exp) != JSON_NUMBER || now_s >= until_s)
        return false;
    *expires_ms_r = (int64_t)((until_s < EXPIRES_MAX_S ? until_s : EXPIRES_MAX_S) * 1000);
    return true;
}

/* Looks at one audience: false when it belongs to another system of ours. */
static bool
audience_may(const struct json *v, const char *wanted, bool *found)
{
    const char *audience = json_text(v);

    if (audience == NULL)
        return true;
    if (wanted != NULL && strcmp(audience, wanted) == 0) {
        *found = true;
        return true;
    }
    return strncmp(audience, OURS, OURS_LEN) != 0;
}

static bool
audience_is_good(const struct json *payload, const char *wanted)
{
    const struct json *aud = json_get(payload, "aud"), *element;
    bool found = false;

    if (json_type(aud) == JSON_ARRAY) {
        for (element = json_first(aud); element != NULL; element = json_next(element))
            if (!audience_may(element, wanted, &found))
                return false;
    } else if (!audience_may(aud, wanted, &found)) {
        return false;
    }
    return found || wanted == NULL;
}

static const char *
user_of(struct arena *a, const struct json *payload, const char *claim)
{
    const struct json *v = json_get(payload, claim);
    const char *text = json_text(v);
    int64_t n;

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
    const struct json *header, *payload;
    const char *first, *second;
    struct token token;

    if (strnlen(text, TOKEN_MAX + 1) > TOKEN_MAX)
        return ERR_UNAUTHORIZED;
    if ((first = strchr(text, '.')) == NULL || (second = strchr(first + 1, '.')) == NULL)
        return ERR_UNAUTHORIZED;
    /* The payload is read only after its signature fits: strangers make us parse a header at most. */
    header = decode_object(a, text, (size_t)(first - text));
    if (header == NULL || !header_is_good(header))
        return ERR_UNAUTHORIZED;
    if (!signature_fits(a, rules, text, (size_t)(second - text), second + 1))
        return ERR_UNAUTHORIZED;
    payload = decode_object(a, first + 1, (size_t)(second - first - 1));
    if (payload == NULL || !times_are_good(payload, rules, now_ms, &token.expires_ms)
        || !audience_is_good(payload, rules->audience))
        return ERR_UNAUTHORIZED;
    token.user = user_of(a, payload, rules->user_claim);
    if (token.user == NULL)
        return ERR_UNAUTHORIZED;
    *token_r = token;
    return ERR_OK;
}

static void
put_base64(struct sbuf *out, const void *p, size_t len)
{
    size_t size = sodium_base64_encoded_len(len, BASE64);   /* with the NUL */
    char *room = sbuf_grow(out, size - 1);

    if (room != NULL)       /* the NUL falls on the buffer's own */
        sodium_bin2base64(room, size, p, len, BASE64);
}

void
token_mint(struct sbuf *out, const char *secret, const char *user_claim, const char *user,
           int64_t now_s, int64_t expires_s, const char *audience)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    size_t start = out->len;
    struct sbuf payload;

    sbuf_init(&payload, TOKEN_MAX);
    json_open(&payload, '{');
    json_string(&payload, user_claim);      /* from the settings: it may need an escape */
    sbuf_putc(&payload, ':');
    json_string(&payload, user);
    json_kv_int(&payload, "iat", now_s);
    if (expires_s != 0)
        json_kv_int(&payload, "exp", expires_s);
    if (audience != NULL)
        json_kv(&payload, "aud", audience);
    json_close(&payload, '}');

    put_base64(out, header, sizeof header - 1);
    sbuf_putc(out, '.');
    put_base64(out, sbuf_str(&payload), payload.len);
    if (!out->failed && !payload.failed) {
        sign(mac, secret, out->data + start, out->len - start);
        sbuf_putc(out, '.');
        put_base64(out, mac, sizeof mac);
    }
    out->failed |= payload.failed;
    sbuf_fini(&payload);
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
