/* token_keys - the keys that tokens are verified with
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/token_keys.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "relay/mem.h"
#include "relay/push/token_read.h"

/* The algorithms there are (RFC 7518, 8037); everything else is refused. */
static const struct algorithm {
    const char *name;
    enum token_kind kind;
    const char *digest;         /* NULL: the key's own */
    size_t half;                /* of an ES signature: bytes of r, and of s */
} algorithms[] = {
    { "HS256", KEY_SECRET, "SHA256", 0 },
    { "HS384", KEY_SECRET, "SHA384", 0 },
    { "HS512", KEY_SECRET, "SHA512", 0 },
    { "RS256", KEY_RSA, "SHA256", 0 },
    { "RS384", KEY_RSA, "SHA384", 0 },
    { "RS512", KEY_RSA, "SHA512", 0 },
    { "ES256", KEY_P256, "SHA256", 32 },
    { "ES384", KEY_P384, "SHA384", 48 },
    { "ES512", KEY_P521, "SHA512", 66 },
    { "EdDSA", KEY_ED25519, NULL, 0 },
};

#define N_ALGORITHMS (sizeof algorithms / sizeof algorithms[0])

struct token_keys {
    EVP_MAC_CTX *macs[N_ALGORITHMS];    /* of KEY_SECRET, keyed; others NULL */
    EVP_MD *digests[N_ALGORITHMS];      /* fetched once: a fetch takes longer than a hash */
    struct token_key *keys;             /* list */
    struct token_judgement judgement;
    char *audience, *issuer;
};

/* ---- making ---- */

static char *
given(const char *s)
{
    return s[0] != '\0' ? mem_string(s) : NULL;
}

static EVP_MAC_CTX *
mac_new(const char *secret, const char *digest)
{
    OSSL_PARAM params[2] = {
        OSSL_PARAM_construct_utf8_string("digest", (char *)digest, 0), OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);

    EVP_MAC_free(mac);
    if (ctx == NULL || !EVP_MAC_init(ctx, (const unsigned char *)secret, strlen(secret), params))
        arena_exhausted(0);
    return ctx;
}

static void
prepare(struct token_keys *k, const char *secret)
{
    size_t i;

    for (i = 0; i < N_ALGORITHMS; i++) {
        if (algorithms[i].kind == KEY_SECRET && secret[0] != '\0')
            k->macs[i] = mac_new(secret, algorithms[i].digest);
        else if (algorithms[i].kind != KEY_SECRET && algorithms[i].digest != NULL)
            k->digests[i] = EVP_MD_fetch(NULL, algorithms[i].digest, NULL);
    }
}

enum err
token_keys_new(const struct config *config, struct token_keys **k_r, struct fail *fail)
{
    struct token_keys *k = mem_new(sizeof *k);
    enum err e = ERR_OK;

    k->audience = given(config->push_token_audience);
    k->issuer = given(config->push_token_issuer);
    k->judgement = (struct token_judgement){
        .audience = k->audience, .issuer = k->issuer,
        .leeway_s = config->push_token_leeway_s, .text_max = (size_t)config->push_token_max,
    };
    prepare(k, config->push_token_secret);
    if (config->push_token_public_key[0] != '\0')
        e = token_read_pem(config->push_token_public_key, &k->keys, fail);
    if (e == ERR_OK && config->push_token_jwks[0] != '\0')
        e = token_read_jwks(config->push_token_jwks, &k->keys, fail);
    if (e != ERR_OK) {
        token_keys_free(k);
        return e;
    }
    *k_r = k;
    return ERR_OK;
}

void
token_keys_free(struct token_keys *k)
{
    size_t i;

    if (k == NULL)
        return;
    for (i = 0; i < N_ALGORITHMS; i++) {
        EVP_MAC_CTX_free(k->macs[i]);
        EVP_MD_free(k->digests[i]);
    }
    token_key_free_all(k->keys);
    free(k->audience);
    free(k->issuer);
    free(k);
}

bool
token_keys_empty(const struct token_keys *k)
{
    return k->macs[0] == NULL && k->keys == NULL;
}

const struct token_judgement *
token_keys_judgement(const struct token_keys *k)
{
    return &k->judgement;
}

/* ---- verifying ---- */

static bool
mac_fits(EVP_MAC_CTX *keyed, const struct jws *j)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(keyed);
    size_t len = 0;
    bool fits;

    fits = ctx != NULL && EVP_MAC_update(ctx, (const unsigned char *)j->input, j->input_len)
           && EVP_MAC_final(ctx, mac, &len, sizeof mac) && len == j->signature_len
           && CRYPTO_memcmp(mac, j->signature, len) == 0;
    EVP_MAC_CTX_free(ctx);
    OPENSSL_cleanse(mac, sizeof mac);
    return fits;
}

static bool
verify(const struct token_key *key, const EVP_MD *digest, const struct jws *j,
       const unsigned char *signature, size_t len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool fits;

    fits = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, digest, NULL, key->key) == 1
           && EVP_DigestVerify(ctx, signature, len, (const unsigned char *)j->input,
                               j->input_len) == 1;
    EVP_MD_CTX_free(ctx);
    return fits;
}

/* A token has r and s side by side, each of the curve's length; OpenSSL wants them in DER. */
static bool
verify_pair(const struct token_key *key, const EVP_MD *digest, const struct jws *j, size_t half)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    unsigned char *der = NULL;
    BIGNUM *r, *s;
    bool fits = false;
    int len;

    r = BN_bin2bn(j->signature, (int)half, NULL);
    s = BN_bin2bn(j->signature + half, (int)half, NULL);
    if (pair == NULL || r == NULL || s == NULL || !ECDSA_SIG_set0(pair, r, s)) {
        BN_free(r);
        BN_free(s);
    } else if ((len = i2d_ECDSA_SIG(pair, &der)) > 0) {
        fits = verify(key, digest, j, der, (size_t)len);
    }
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    return fits;
}

/* May this key be used for that token? One from a JWKS is chosen by kid, and may be for one algorithm only. */
static bool
key_is_meant(const struct token_key *key, const struct jws *j)
{
    if (key->id != NULL && (j->key_id == NULL || strcmp(key->id, j->key_id) != 0))
        return false;
    return key->algorithm == NULL || strcmp(key->algorithm, j->algorithm) == 0;
}

static bool
public_key_fits(const struct token_keys *k, size_t which, const struct jws *j)
{
    const struct algorithm *al = &algorithms[which];
    const struct token_key *key;

    if (al->half != 0 && j->signature_len != 2 * al->half)
        return false;
    for (key = k->keys; key != NULL; key = key->next) {
        if (key->kind != al->kind || !key_is_meant(key, j))
            continue;
        if (al->half != 0 ? verify_pair(key, k->digests[which], j, al->half)
                          : verify(key, k->digests[which], j, j->signature, j->signature_len))
            return true;
    }
    return false;
}

bool
token_keys_fit(const struct token_keys *k, const struct jws *j)
{
    bool fits;
    size_t i;

    for (i = 0; i < N_ALGORITHMS && strcmp(algorithms[i].name, j->algorithm) != 0; i++)
        ;
    if (i == N_ALGORITHMS)
        return false;
    if (algorithms[i].kind == KEY_SECRET)
        return k->macs[i] != NULL && mac_fits(k->macs[i], j);
    fits = public_key_fits(k, i, j);
    ERR_clear_error();      /* what is left in OpenSSL's queue would be blamed on a TLS connection */
    return fits;
}
