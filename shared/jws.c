/* jws - signed tokens in their compact form: cutting up, claims they all have, making
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/jws.h"

#include <string.h>

#include <sodium.h>

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define JSON_DEPTH 32
#define OURS "confab:"          /* audiences of our own systems begin so */
#define OURS_LEN (sizeof OURS - 1)
#define EXPIRES_MAX_S 253402300799.0    /* the end of the year 9999 */

_Static_assert(JWS_HS256_BYTES == crypto_auth_hmacsha256_BYTES, "one size of HMAC-SHA256");

static unsigned char *
decode(struct arena *a, const char *text, size_t text_len, int variant, size_t *len_r)
{
    unsigned char *out = arena_alloc(a, text_len + 1);

    if (text_len == 0
        || sodium_base642bin(out, text_len, text, text_len, NULL, len_r, NULL, variant) != 0)
        return NULL;
    return out;
}

unsigned char *
jws_base64url(struct arena *a, const char *text, size_t text_len, size_t *len_r)
{
    return decode(a, text, text_len, BASE64, len_r);
}

unsigned char *
jws_base64(struct arena *a, const char *text, size_t text_len, size_t *len_r)
{
    return decode(a, text, text_len, sodium_base64_VARIANT_ORIGINAL, len_r);
}

/* The JSON object in one part of the token, NULL when there is none. */
static const struct json *
decode_object(struct arena *a, const char *part, size_t part_len, const char **text_r, size_t *len_r)
{
    struct json *object;
    char *text = (char *)jws_base64url(a, part, part_len, len_r);

    *text_r = text;
    if (text == NULL || json_parse(a, text, *len_r, JSON_DEPTH, &object, NULL) != ERR_OK)
        return NULL;
    return json_type(object) == JSON_OBJECT ? object : NULL;
}

static bool
read_header(struct arena *a, const char *part, size_t part_len, struct jws *j)
{
    const char *text;
    size_t len;
    const struct json *header = decode_object(a, part, part_len, &text, &len), *kid;

    if (header == NULL || json_get(header, "crit") != NULL)     /* it demands what we do not know */
        return false;
    kid = json_get(header, "kid");
    j->algorithm = json_text(json_get(header, "alg"));
    j->key_id = json_text(kid);
    return j->algorithm != NULL && (kid == NULL || j->key_id != NULL);
}

enum err
jws_split(struct arena *a, const char *text, size_t max, struct jws *j_r)
{
    const char *first, *second;
    struct jws j = { 0 };

    if (strnlen(text, max + 1) > max)
        return ERR_UNAUTHORIZED;
    if ((first = strchr(text, '.')) == NULL || (second = strchr(first + 1, '.')) == NULL)
        return ERR_UNAUTHORIZED;
    if (!read_header(a, text, (size_t)(first - text), &j))
        return ERR_UNAUTHORIZED;
    j.signature = jws_base64url(a, second + 1, strlen(second + 1), &j.signature_len);
    if (j.signature == NULL)
        return ERR_UNAUTHORIZED;
    j.input = text;
    j.input_len = (size_t)(second - text);
    j.payload = first + 1;
    j.payload_len = (size_t)(second - first - 1);
    *j_r = j;
    return ERR_OK;
}

const struct json *
jws_claims(struct arena *a, const struct jws *j, const char **text_r, size_t *len_r)
{
    return decode_object(a, j->payload, j->payload_len, text_r, len_r);
}

enum err
jws_times(const struct json *claims, int64_t leeway_s, int64_t now_ms, int64_t *expires_ms_r)
{
    const struct json *exp = json_get(claims, "exp"), *nbf = json_get(claims, "nbf");
    double now_s = (double)now_ms / 1000, until_s;

    *expires_ms_r = 0;
    if (nbf != NULL && (json_type(nbf) != JSON_NUMBER
                        || now_s < json_number(nbf) - (double)leeway_s))
        return ERR_UNAUTHORIZED;
    if (exp == NULL)
        return ERR_OK;
    if (json_type(exp) != JSON_NUMBER)
        return ERR_UNAUTHORIZED;
    until_s = json_number(exp) + (double)leeway_s;
    if (now_s >= until_s)
        return ERR_TIMEOUT;
    *expires_ms_r = (int64_t)((until_s < EXPIRES_MAX_S ? until_s : EXPIRES_MAX_S) * 1000);
    return ERR_OK;
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

bool
jws_audience(const struct json *claims, const char *wanted)
{
    const struct json *aud = json_get(claims, "aud"), *element;
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

void
jws_hs256(unsigned char mac[JWS_HS256_BYTES], const char *secret, const void *p, size_t len)
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&state, p, len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof state);
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
jws_mint(struct sbuf *out, const char *secret, const char *claims, size_t len)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    unsigned char mac[JWS_HS256_BYTES];
    size_t start = out->len;

    put_base64(out, header, sizeof header - 1);
    sbuf_putc(out, '.');
    put_base64(out, claims, len);
    if (out->failed)
        return;
    jws_hs256(mac, secret, out->data + start, out->len - start);
    sbuf_putc(out, '.');
    put_base64(out, mac, sizeof mac);
}
