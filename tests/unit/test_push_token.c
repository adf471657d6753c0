/* test_push_token - connection and subscription tokens: keys, algorithms, claims
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>

#include "relay/push/token.h"
#include "shared/jws.h"
#include "tests/unit/push_tokens.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECRET "a shared secret of thirty-two bytes or more"
#define NOW_S  1700000000LL
#define NOW_MS (NOW_S * 1000)
#define YEAR_S (365LL * 24 * 60 * 60)
#define HS256  "{\"alg\":\"HS256\"}"

static char dir[] = "/tmp/test_push_token.XXXXXX";
static char file[64];
static struct arena *a;
static struct config config;
static struct token_keys *keys;

static int
set_up(void **state)
{
    (void)state;
    if (sodium_init() < 0 || mkdtemp(dir) == NULL)
        return -1;
    snprintf(file, sizeof file, "%s/keys", dir);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(dir);
}

static int
begin(void **state)
{
    (void)state;
    a = arena_new();
    config = (struct config){
        .push_token_secret = "", .push_token_public_key = "", .push_token_jwks = "",
        .push_token_audience = "", .push_token_issuer = "", .push_token_max = 8192,
    };
    return 0;
}

static int
end(void **state)
{
    (void)state;
    token_keys_free(keys);
    keys = NULL;
    arena_free(a);
    return 0;
}

/* ---- keys ---- */

static void
write_file(const char *text)
{
    FILE *f = fopen(file, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void
use(void)
{
    struct fail fail = { 0 };

    token_keys_free(keys);
    keys = NULL;
    if (token_keys_new(&config, &keys, &fail) != ERR_OK)
        fail_msg("%s", fail.why);
}

static void
use_secret(void)
{
    config.push_token_secret = SECRET;
    use();
}

static void
use_pem(const char *pem)
{
    write_file(pem);
    config.push_token_public_key = file;
    use();
}

static void
use_jwks(const char *text)
{
    write_file(text);
    config.push_token_jwks = file;
    use();
}

static void
refused(const char *why)
{
    struct token_keys *k = NULL;
    struct fail fail = { 0 };

    assert_int_equal(token_keys_new(&config, &k, &fail), ERR_FIELD);
    if (strstr(fail.why, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", fail.why, why);
}

static const char *
pem_of(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *p, *copy;
    long len;

    assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
    len = BIO_get_mem_data(bio, &p);
    copy = arena_copy(a, p, (size_t)len);
    BIO_free(bio);
    return copy;
}

/* ---- tokens ---- */

static const char *
encode(const void *p, size_t len)
{
    size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *out = arena_alloc(a, size);

    return sodium_bin2base64(out, size, p, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static const char *
input_of(const char *header, const char *claims)
{
    return arena_printf(a, "%s.%s", encode(header, strlen(header)), encode(claims, strlen(claims)));
}

static const char *
with_signature(const char *input, const void *p, size_t len)
{
    return arena_printf(a, "%s.%s", input, encode(p, len));
}

/* A token under HMAC with SHA-256. */
static const char *
hs256(const char *header, const char *claims, const char *secret)
{
    const char *input = input_of(header, claims);
    unsigned char mac[JWS_HS256_BYTES];

    jws_hs256(mac, secret, input, strlen(input));
    return with_signature(input, mac, sizeof mac);
}

/* A token signed by OpenSSL as it signs: for EC in DER. */
static const char *
signed_by(EVP_PKEY *key, const EVP_MD *digest, const char *header, const char *claims)
{
    const char *input = input_of(header, claims);
    unsigned char signature[1024];
    size_t len = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, digest, NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &len, (const unsigned char *)input,
                                    strlen(input)), 1);
    EVP_MD_CTX_free(ctx);
    return with_signature(input, signature, len);
}

static enum err
connection(const char *text, struct connection_token *t_r)
{
    struct connection_token other;

    return connection_token_verify(a, keys, text, NOW_MS, t_r != NULL ? t_r : &other);
}

static void
good(const char *text)
{
    struct connection_token t;

    assert_int_equal(connection(text, &t), ERR_OK);
    assert_string_equal(t.user, "anna");
    assert_string_equal(t.info, "{\"a\":1}");
}

static void
bad(const char *text)
{
    assert_int_equal(connection(text, NULL), ERR_UNAUTHORIZED);
}

static enum err
claims(const char *text, struct connection_token *t_r)
{
    return connection(hs256(HS256, text, SECRET), t_r);
}

/* ---- algorithms ---- */

static void
tokens_of_others_are_understood(void **state)
{
    static const struct { const char *pem, *token; } cases[] = {
        { node_rsa_pem, node_rs256 }, { node_rsa_pem, node_rs384 }, { node_rsa_pem, node_rs512 },
        { node_es256_pem, node_es256 }, { node_es384_pem, node_es384 },
        { node_es512_pem, node_es512 }, { node_ed_pem, node_eddsa },
    };
    static const char *const by_kid[] = {
        node_rs256_kid, node_es256, node_es384, node_es512, node_eddsa,
    };
    size_t i;

    (void)state;
    use();
    assert_true(token_keys_empty(keys));
    bad(node_hs256);
    config.push_token_secret = node_secret;
    use();
    assert_false(token_keys_empty(keys));
    good(node_hs256);
    good(node_hs384);
    good(node_hs512);
    config.push_token_secret = "";
    for (i = 0; i < COUNT(cases); i++) {
        use_pem(cases[i].pem);
        assert_false(token_keys_empty(keys));
        good(cases[i].token);
        bad(cases[(i + 3) % COUNT(cases)].token);
        bad(node_hs256);
    }
    config.push_token_public_key = "";
    use_jwks(node_jwks);
    for (i = 0; i < COUNT(by_kid); i++)
        good(by_kid[i]);
    bad(node_rs256);        /* it names no key */
}

static void
a_public_key_is_no_secret(void **state)
{
    static const char *const headers[] = {
        HS256, "{\"alg\":\"HS256\",\"kid\":\"rsa-1\"}", "{\"alg\":\"RS256\"}", "{\"alg\":\"none\"}",
    };
    size_t i;

    (void)state;
    use_pem(node_rsa_pem);
    for (i = 0; i < COUNT(headers); i++) {
        bad(hs256(headers[i], "{}", node_rsa_pem));
        bad(hs256(headers[i], "{}", ""));
    }
    use_secret();           /* both kinds at once */
    good(node_rs256);
    assert_int_equal(claims("{}", NULL), ERR_OK);
    for (i = 0; i < COUNT(headers); i++)
        bad(hs256(headers[i], "{}", node_rsa_pem));
    bad(hs256("{\"alg\":\"RS256\"}", "{}", SECRET));
}

static void
headers_are_strict(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"hs256\"}", "{\"alg\":\"HS255\"}", "{\"alg\":\"none\"}", "{\"alg\":\"None\"}", "{\"alg\":\"\"}",
        "{\"alg\":null}", "{\"alg\":[\"HS256\"]}", "{}", "[]", "x", "{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "{\"alg\":\"HS256\",\"crit\":null}", "{\"alg\":\"HS256\"} x",
        "{\"alg\":\"HS256\\u0000\"}", "{\"alg\":\"HS384\"}", "{\"alg\":\"HS512\"}", "{\"alg\":\"ES256\"}",
        "{\"alg\":\"HS256\",\"kid\":5}",
    };
    size_t i;

    (void)state;
    use_secret();
    for (i = 0; i < COUNT(headers); i++)
        bad(hs256(headers[i], "{}", SECRET));
    assert_int_equal(connection(hs256("{\"alg\":\"HS256\",\"kid\":\"any\",\"typ\":\"x\"}", "{}", SECRET), NULL),
                     ERR_OK);
    bad(hs256(HS256, "{}", "another secret"));
}

static void
texts_are_strict(void **state)
{
    const char *token = node_hs256;
    size_t len = strlen(token), i;
    char *copy;

    (void)state;
    use_secret();
    good(token);
    for (i = 0; i < len; i++)           /* cut anywhere */
        bad(arena_copy(a, token, i));
    for (i = 0; i < len; i++) {         /* changed anywhere, in no more than the last bits */
        copy = arena_string(a, token);
        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        bad(copy);
    }
    bad(arena_printf(a, "%s=", token));
    bad(arena_printf(a, " %s", token));
    bad(arena_printf(a, "%s\n", token));
    bad(arena_printf(a, "%s.", token));
    bad(arena_printf(a, "%s.x", token));
    bad("");
    bad("..");
    bad(arena_printf(a, "%s.", input_of("{\"alg\":\"none\"}", "{}")));
    config.push_token_max = (int64_t)len - 1;
    use();
    bad(token);
    config.push_token_max = (int64_t)len;
    use();
    good(token);
}

static void
signatures_on_curves_are_exact(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-384");
    size_t len = 0, input_len = (size_t)(strrchr(node_es256, '.') - node_es256);
    unsigned char *pair, longer[65], zero[64] = { 0 };
    const char *input = arena_copy(a, node_es256, input_len);

    (void)state;
    pair = jws_base64url(a, node_es256 + input_len + 1, strlen(node_es256 + input_len + 1), &len);
    assert_int_equal(len, 64);
    use_pem(node_es256_pem);
    good(with_signature(input, pair, 64));
    bad(with_signature(input, pair, 63));
    memcpy(longer, pair, 64);
    longer[64] = 0;
    bad(with_signature(input, longer, 65));
    memmove(longer + 1, pair, 64);
    longer[0] = 0;
    bad(with_signature(input, longer, 65));
    bad(with_signature(input, zero, 64));
    use_pem(pem_of(key));
    bad(signed_by(key, EVP_sha256(), "{\"alg\":\"ES256\"}", "{}"));     /* DER */
    bad(node_es256);
    use_pem(pem_of(other));             /* each algorithm has its own curve */
    bad(signed_by(other, EVP_sha256(), "{\"alg\":\"ES256\"}", "{}"));
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

static void
rsa_is_what_openssl_makes(void **state)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);

    (void)state;
    use_pem(pem_of(key));
    assert_int_equal(connection(signed_by(key, EVP_sha256(), "{\"alg\":\"RS256\"}", "{}"), NULL), ERR_OK);
    assert_int_equal(connection(signed_by(key, EVP_sha512(), "{\"alg\":\"RS512\"}", "{}"), NULL), ERR_OK);
    bad(signed_by(key, EVP_sha256(), "{\"alg\":\"RS512\"}", "{}"));
    bad(signed_by(key, EVP_sha256(), "{\"alg\":\"PS256\"}", "{}"));
    bad(signed_by(key, EVP_sha256(), "{\"alg\":\"ES256\"}", "{}"));
    bad(signed_by(key, EVP_sha1(), "{\"alg\":\"RS1\"}", "{}"));
    EVP_PKEY_free(key);
}

static void
bad_keys_are_refused(void **state)
{
    EVP_PKEY *weak = EVP_RSA_gen(1024), *koblitz = EVP_EC_gen("secp256k1");
    static const struct { const char *text, *why; } sets[] = {
        { "", "no JSON object" }, { "[]", "no JSON object" }, { "{}", "no JSON object" }, { "{\"keys\":{}}", "no JSON object" },
        { "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"x\",\"k\":\"AAAA\"}]}", "key 1: a secret" },
        { "{\"keys\":[{\"kty\":\"RSA\"}]}", "no kid" }, { "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"x\"}]}", "numbers" },
        { "{\"keys\":[{\"kid\":\"x\"}]}", "that kind" }, { "{\"keys\":[{\"kty\":\"DSA\",\"kid\":\"x\"}]}", "that kind" },
        { "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", "2048" },
        { "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"d\":\"AQAB\"}]}", "private" },
        { "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"x\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}]}", "numbers" },
        { "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"x\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
          "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}", "numbers" },
        { "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"x\",\"crv\":\"secp256k1\",\"x\":\"AAAA\",\"y\":\"AAAA\"}]}", "numbers" },
        { "{\"keys\":[{\"kty\":\"OKP\",\"kid\":\"x\",\"crv\":\"X25519\",\"x\":\"AAAA\"}]}", "that kind" },
        { "{\"keys\":[{\"kty\":\"OKP\",\"kid\":\"x\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}]}", "numbers" },
    };
    size_t i;

    (void)state;
    config.push_token_public_key = "/nonexistent/key";
    refused("/nonexistent/key");
    config.push_token_public_key = file;
    write_file("");
    refused("no public key");
    write_file(SECRET);
    refused("no public key");
    write_file(pem_of(weak));
    refused("2048 bits");
    write_file(pem_of(koblitz));
    refused("curve");
    config.push_token_public_key = "";
    config.push_token_jwks = "/nonexistent/set";
    refused("/nonexistent/set");
    config.push_token_jwks = file;
    for (i = 0; i < COUNT(sets); i++) {
        write_file(sets[i].text);
        refused(sets[i].why);
    }
    write_file(arena_printf(a, "{\"keys\":[%.*s,%s", (int)(strchr(node_jwks, '}') + 1 - strchr(node_jwks, '[') - 1),
                            strchr(node_jwks, '[') + 1, strchr(node_jwks, '[') + 1));
    refused("key 2: its kid is there twice");
    EVP_PKEY_free(weak);
    EVP_PKEY_free(koblitz);
}

static void
a_set_may_hold_keys_for_other_uses(void **state)
{
    (void)state;
    use_jwks("{\"keys\":[{\"kty\":\"oct\",\"use\":\"enc\",\"k\":\"AAAA\"}]}");
    assert_true(token_keys_empty(keys));
    use_jwks(arena_printf(a, "{\"keys\":[{\"alg\":\"RS512\",%s", strchr(node_jwks, '[') + 2));
    bad(node_rs256_kid);        /* that key is for another algorithm */
    good(node_es256);
}

/* ---- claims ---- */

static void
audience_and_issuer_are_checked(void **state)
{
    (void)state;
    use_secret();
    assert_int_equal(claims("{\"aud\":\"x\",\"iss\":5}", NULL), ERR_OK);
    assert_int_equal(claims("{\"aud\":\"confab:rooms\"}", NULL), ERR_UNAUTHORIZED);
    assert_int_equal(claims("{\"aud\":[\"x\",\"confab:rooms\"]}", NULL), ERR_UNAUTHORIZED);
    config.push_token_audience = "app";
    config.push_token_issuer = "us";
    use();
    assert_int_equal(claims("{\"aud\":\"app\",\"iss\":\"us\"}", NULL), ERR_OK);
    assert_int_equal(claims("{\"aud\":[\"x\",\"app\"],\"iss\":\"us\"}", NULL), ERR_OK);
    assert_int_equal(claims("{\"aud\":[\"app\",\"confab:x\"],\"iss\":\"us\"}", NULL), ERR_UNAUTHORIZED);
    assert_int_equal(claims("{\"aud\":\"ap\",\"iss\":\"us\"}", NULL), ERR_UNAUTHORIZED);
    assert_int_equal(claims("{\"aud\":[],\"iss\":\"us\"}", NULL), ERR_UNAUTHORIZED);
    assert_int_equal(claims("{\"iss\":\"us\"}", NULL), ERR_UNAUTHORIZED);
    assert_int_equal(claims("{\"aud\":\"app\"}", NULL), ERR_UNAUTHORIZED);
    assert_int_equal(claims("{\"aud\":\"app\",\"iss\":\"US\"}", NULL), ERR_UNAUTHORIZED);
    assert_int_equal(claims("{\"aud\":\"app\",\"iss\":[\"us\"]}", NULL), ERR_UNAUTHORIZED);
}

static const char *
at(const char *format, long long s)
{
    char text[200];

    snprintf(text, sizeof text, "%s", format);
    return arena_printf(a, "{%s%lld}", text, s);
}

static void
times_are_judged(void **state)
{
    struct connection_token t;

    (void)state;
    use_secret();
    assert_int_equal(claims("{}", &t), ERR_OK);
    assert_int_equal(t.expires_ms, 0);
    assert_int_equal(claims(at("\"exp\":", NOW_S + 1), &t), ERR_OK);
    assert_int_equal(t.expires_ms, NOW_MS + 1000);
    assert_int_equal(claims(at("\"exp\":", NOW_S), &t), ERR_TIMEOUT);
    assert_int_equal(claims("{\"exp\":0}", &t), ERR_TIMEOUT);
    assert_int_equal(claims("{\"exp\":\"1\"}", &t), ERR_UNAUTHORIZED);
    assert_int_equal(claims("{\"exp\":null}", &t), ERR_UNAUTHORIZED);
    assert_int_equal(claims(at("\"nbf\":", NOW_S), &t), ERR_OK);
    assert_int_equal(claims(at("\"nbf\":", NOW_S + 1), &t), ERR_UNAUTHORIZED);
    assert_int_equal(claims("{\"nbf\":true}", &t), ERR_UNAUTHORIZED);
    assert_int_equal(claims(at("\"iat\":", NOW_S + 1000), &t), ERR_OK);
    assert_int_equal(claims("{\"iat\":\"x\"}", &t), ERR_OK);
    /* no credential lasts longer than a year */
    assert_int_equal(claims(at("\"exp\":", NOW_S + 2 * YEAR_S), &t), ERR_OK);
    assert_int_equal(t.expires_ms, NOW_MS + YEAR_S * 1000);
    assert_int_equal(claims("{\"exp\":1e300}", &t), ERR_OK);
    assert_int_equal(t.expires_ms, NOW_MS + YEAR_S * 1000);
    /* expire_at is what ends the connection, exp what ends the token */
    assert_int_equal(claims(at("\"exp\":1800000000,\"expire_at\":", NOW_S + 5), &t), ERR_OK);
    assert_int_equal(t.expires_ms, NOW_MS + 5000);
    assert_int_equal(claims("{\"exp\":1800000000,\"expire_at\":0}", &t), ERR_OK);
    assert_int_equal(t.expires_ms, 0);
    assert_int_equal(claims("{\"exp\":1600000000,\"expire_at\":0}", &t), ERR_TIMEOUT);
    assert_int_equal(claims("{\"expire_at\":9007199254740991}", &t), ERR_OK);
    assert_int_equal(t.expires_ms, NOW_MS + YEAR_S * 1000);
    assert_int_equal(claims("{\"expire_at\":-1}", &t), ERR_UNAUTHORIZED);
    assert_int_equal(claims("{\"expire_at\":\"1\"}", &t), ERR_UNAUTHORIZED);
    config.push_token_leeway_s = 10;
    use();
    assert_int_equal(claims(at("\"exp\":", NOW_S - 9), &t), ERR_OK);
    assert_int_equal(t.expires_ms, NOW_MS + 1000);
    assert_int_equal(claims(at("\"exp\":", NOW_S - 10), &t), ERR_TIMEOUT);
    assert_int_equal(claims(at("\"nbf\":", NOW_S + 10), &t), ERR_OK);
}

static void
users_are_texts(void **state)
{
    static const char *const wrong[] = {
        "{\"sub\":5}", "{\"sub\":null}", "{\"sub\":[\"a\"]}", "{\"sub\":\"a\\u0000b\"}", "{\"sub\":\"\\ud800\"}", "[]", "5",
        "{\"sub\":\"a\",\"sub\":\"b\"}", "{\"sub\":\"a\"} ,",
    };
    struct connection_token t;
    size_t i;

    (void)state;
    use_secret();
    assert_int_equal(claims("{\"sub\":\"42\"}", &t), ERR_OK);
    assert_string_equal(t.user, "42");
    assert_int_equal(claims("{\"sub\":\"\"}", &t), ERR_OK);
    assert_string_equal(t.user, "");
    assert_int_equal(claims("{}", &t), ERR_OK);
    assert_string_equal(t.user, "");
    assert_null(t.info);
    assert_null(t.meta);
    assert_int_equal(t.n_subs, 0);
    for (i = 0; i < COUNT(wrong); i++)
        assert_int_equal(claims(wrong[i], &t), ERR_UNAUTHORIZED);
}

static void
info_is_json(void **state)
{
    struct connection_token t;

    (void)state;
    use_secret();
    assert_int_equal(claims("{\"info\": {\n\"a\" :\r\n [ 1 , 2.50 ] } ,\"meta\":\"m\"}", &t), ERR_OK);
    assert_string_equal(t.info, "{\"a\":[1,2.50]}");
    assert_string_equal(t.meta, "\"m\"");
    assert_int_equal(claims("{\"info\":null}", &t), ERR_OK);
    assert_null(t.info);
    assert_int_equal(claims("{\"info\":1,\"b64info\":\"eyJhIjoKMX0=\"}", &t), ERR_OK);
    assert_string_equal(t.info, "{\"a\":1}");
    assert_int_equal(claims("{\"b64info\":\"\"}", &t), ERR_OK);
    assert_null(t.info);
    assert_int_equal(claims("{\"b64info\":\"eyJh\"}", &t), ERR_UNAUTHORIZED);      /* {"a */
    assert_int_equal(claims("{\"b64info\":\"eyJhIjoKMX0\"}", &t), ERR_UNAUTHORIZED);
    assert_int_equal(claims("{\"b64info\":\"*\"}", &t), ERR_UNAUTHORIZED);
    assert_int_equal(claims("{\"b64info\":{}}", &t), ERR_UNAUTHORIZED);
}

static void
tokens_bring_subscriptions(void **state)
{
    static const char *const wrong[] = {
        "{\"channel\":\"a\"}", "{\"channel\":5}", /* those are for one channel */
        "{\"channels\":\"a\"}", "{\"channels\":[5]}", "{\"channels\":[\"\"]}", "{\"channels\":{}}", "{\"channels\":[\"a\\u0000\"]}",
        "{\"subs\":5}", "{\"subs\":[\"a\"]}", "{\"subs\":{\"a\":5}}", "{\"subs\":{\"a\":[1]}}", "{\"subs\":{\"\":{}}}",
        "{\"subs\":{\"a\\u0000\":{}}}", "{\"subs\":{\"a\":{\"b64info\":\"eyJh\"}}}", "{\"subs\":{\"a\":{\"b64data\":5}}}",
        "{\"subs\":{\"a\":{\"override\":5}}}", "{\"subs\":{\"a\":{\"override\":{\"presence\":true}}}}",
        "{\"subs\":{\"a\":{\"override\":{\"presence\":{\"value\":1}}}}}", "{\"subs\":{\"a\":{\"override\":{\"presence\":{}}}}}",
    };
    struct connection_token t;
    size_t i;

    (void)state;
    use_secret();
    assert_int_equal(claims("{\"channels\":[\"x\",\"y\",\"x\"],\"subs\":{\"y\":{},\"p,\\\"q\\\\\":{\"info\":{\"i\":\"},\"},\"data\":[1]},"
                            "\"z\":{\"override\":{\"presence\":{\"value\":true},\"join_leave\":{\"value\":false},"
                            "\"force_recovery\":{\"value\":true},\"force_positioning\":{\"value\":true},"
                            "\"force_push_join_leave\":{\"value\":true},\"other\":5}},\"php\":[]}}", &t), ERR_OK);
    assert_int_equal(t.n_subs, 5);
    assert_string_equal(t.subs[0].channel, "y");
    assert_null(t.subs[0].info);
    assert_string_equal(t.subs[1].channel, "p,\"q\\");
    assert_string_equal(t.subs[1].info, "{\"i\":\"},\"}");
    assert_string_equal(t.subs[1].data, "[1]");
    assert_int_equal(t.subs[1].override.presence, FLAG_UNSET);
    assert_string_equal(t.subs[2].channel, "z");
    assert_int_equal(t.subs[2].override.presence, FLAG_ON);
    assert_int_equal(t.subs[2].override.join_leave, FLAG_OFF);
    assert_int_equal(t.subs[2].override.force_recovery, FLAG_ON);
    assert_int_equal(t.subs[2].override.force_positioning, FLAG_ON);
    assert_int_equal(t.subs[2].override.force_push_join_leave, FLAG_ON);
    assert_string_equal(t.subs[3].channel, "php");
    assert_string_equal(t.subs[4].channel, "x");
    assert_int_equal(claims("{\"subs\":[]}", &t), ERR_OK);
    assert_int_equal(claims("{\"subs\":{}}", &t), ERR_OK);
    assert_int_equal(t.n_subs, 0);
    for (i = 0; i < COUNT(wrong); i++)
        if (claims(wrong[i], &t) != ERR_UNAUTHORIZED)
            fail_msg("%s", wrong[i]);
}

static enum err
subscription(const char *text, struct subscription_token *t_r)
{
    return subscription_token_verify(a, keys, hs256(HS256, text, SECRET), NOW_MS, t_r);
}

static void
subscription_tokens_name_a_channel(void **state)
{
    static const char *const wrong[] = {
        "{}", "{\"channel\":\"\"}", "{\"channel\":5}", "{\"channel\":\"a\\u0000\"}", "{\"channel\":\"a\",\"client\":5}",
        "{\"channel\":\"a\",\"sub\":5}", "{\"channel\":\"a\",\"override\":{\"presence\":{\"value\":null}}}",
        "{\"channel\":\"a\",\"aud\":\"confab:x\"}", "{\"channel\":\"a\",\"b64info\":\"x\"}",
    };
    struct subscription_token t;
    size_t i;

    (void)state;
    use_secret();
    assert_int_equal(subscription("{\"sub\":\"anna\",\"channel\":\"$a:b\",\"client\":\"c1\",\"exp\":1700000010,\"info\":[1],"
                                  "\"override\":{\"force_recovery\":{\"value\":true}}}", &t), ERR_OK);
    assert_string_equal(t.user, "anna");
    assert_string_equal(t.channel, "$a:b");
    assert_string_equal(t.client, "c1");
    assert_string_equal(t.info, "[1]");
    assert_int_equal(t.expires_ms, NOW_MS + 10000);
    assert_int_equal(t.override.force_recovery, FLAG_ON);
    assert_int_equal(subscription("{\"channel\":\"a\",\"client\":\"\",\"expire_at\":0,\"exp\":1700000010}", &t), ERR_OK);
    assert_string_equal(t.user, "");
    assert_null(t.client);
    assert_int_equal(t.expires_ms, 0);
    assert_int_equal(subscription("{\"channel\":\"a\",\"exp\":1700000000}", &t), ERR_TIMEOUT);
    for (i = 0; i < COUNT(wrong); i++)
        if (subscription(wrong[i], &t) != ERR_UNAUTHORIZED)
            fail_msg("%s", wrong[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tokens_of_others_are_understood, begin, end),
        cmocka_unit_test_setup_teardown(a_public_key_is_no_secret, begin, end),
        cmocka_unit_test_setup_teardown(headers_are_strict, begin, end),
        cmocka_unit_test_setup_teardown(texts_are_strict, begin, end),
        cmocka_unit_test_setup_teardown(signatures_on_curves_are_exact, begin, end),
        cmocka_unit_test_setup_teardown(rsa_is_what_openssl_makes, begin, end),
        cmocka_unit_test_setup_teardown(bad_keys_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_set_may_hold_keys_for_other_uses, begin, end),
        cmocka_unit_test_setup_teardown(audience_and_issuer_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(times_are_judged, begin, end),
        cmocka_unit_test_setup_teardown(users_are_texts, begin, end),
        cmocka_unit_test_setup_teardown(info_is_json, begin, end),
        cmocka_unit_test_setup_teardown(tokens_bring_subscriptions, begin, end),
        cmocka_unit_test_setup_teardown(subscription_tokens_name_a_channel, begin, end),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
