/* token_read - public keys from files: PEM, or a JSON Web Key Set
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/token_read.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "relay/mem.h"
#include "shared/arena.h"
#include "shared/json.h"
#include "shared/jws.h"

#define RSA_BITS_MIN 2048
#define JWKS_MAX     (256 * 1024)
#define JWKS_DEPTH   8
#define ED25519_BYTES 32

static const struct curve {
    const char *name;           /* in a JWK */
    const char *group;          /* to OpenSSL */
    enum token_kind kind;
    size_t coordinate;          /* bytes of x, and of y */
} curves[] = {
    { "P-256", "prime256v1", KEY_P256, 32 },
    { "P-384", "secp384r1", KEY_P384, 48 },
    { "P-521", "secp521r1", KEY_P521, 66 },
};

#define N_CURVES (sizeof curves / sizeof curves[0])

/* What is wrong with a key, NULL when nothing is; *kind_r is its kind. */
static const char *
judge(EVP_PKEY *key, enum token_kind *kind_r)
{
    char group[64];
    size_t i, len;

    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        *kind_r = KEY_RSA;
        return EVP_PKEY_get_bits(key) < RSA_BITS_MIN ? "an RSA key needs 2048 bits or more" : NULL;
    case EVP_PKEY_ED25519:
        *kind_r = KEY_ED25519;
        return NULL;
    case EVP_PKEY_EC:
        if (!EVP_PKEY_get_group_name(key, group, sizeof group, &len))
            break;
        for (i = 0; i < N_CURVES; i++) {
            *kind_r = curves[i].kind;
            if (strcmp(group, curves[i].group) == 0)
                return NULL;
        }
        return "that curve belongs to no algorithm of ours";
    default:
        break;
    }
    return "that kind of key belongs to no algorithm of ours";
}

static void
add(struct token_key **keys, EVP_PKEY *key, enum token_kind kind, const char *id,
    const char *algorithm)
{
    struct token_key *k = mem_new(sizeof *k);

    k->key = key;
    k->kind = kind;
    k->id = id != NULL ? mem_string(id) : NULL;
    k->algorithm = algorithm != NULL ? mem_string(algorithm) : NULL;
    k->next = *keys;
    *keys = k;
}

void
token_key_free_all(struct token_key *keys)
{
    struct token_key *next;

    for (; keys != NULL; keys = next) {
        next = keys->next;
        EVP_PKEY_free(keys->key);
        free(keys->id);
        free(keys->algorithm);
        free(keys);
    }
}

/* ---- PEM ---- */

/* OpenSSL would ask the terminal. */
static int
no_password(char *into, int size, int writing, void *arg)
{
    (void)into, (void)size, (void)writing, (void)arg;
    return -1;
}

enum err
token_read_pem(const char *path, struct token_key **keys, struct fail *fail)
{
    static const char field[] = "push_token_public_key";
    FILE *file = fopen(path, "re");
    const char *fault = NULL;
    enum token_kind kind;
    EVP_PKEY *key;

    if (file == NULL)
        return err_fail(fail, ERR_FIELD, field, "%s: %s: %s", field, path, strerror(errno));
    key = PEM_read_PUBKEY(file, NULL, no_password, NULL);
    fclose(file);
    ERR_clear_error();
    if (key == NULL || (fault = judge(key, &kind)) != NULL) {
        EVP_PKEY_free(key);
        return err_fail(fail, ERR_FIELD, field, "%s: %s: %s", field, path,
                        fault != NULL ? fault : "no public key in PEM");
    }
    add(keys, key, kind, NULL, NULL);
    return ERR_OK;
}

/* ---- JWKS ---- */

/* A member of a key that holds bytes. */
static const unsigned char *
bytes(struct arena *a, const struct json *jwk, const char *name, size_t *len_r)
{
    const char *text = json_text(json_get(jwk, name));

    return text != NULL ? jws_base64url(a, text, strlen(text), len_r) : NULL;
}

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *
read_rsa(struct arena *a, const struct json *jwk)
{
    size_t n_len = 0, e_len = 0;
    const unsigned char *n = bytes(a, jwk, "n", &n_len), *e = bytes(a, jwk, "e", &e_len);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n_number = NULL, *e_number = NULL;
    EVP_PKEY *key = NULL;

    if (build == NULL || n == NULL || e == NULL)
        goto out;
    n_number = BN_bin2bn(n, (int)n_len, NULL);
    e_number = BN_bin2bn(e, (int)e_len, NULL);
    if (OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n_number)
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e_number))
        key = from_params("RSA", build);
out:
    OSSL_PARAM_BLD_free(build);
    BN_free(n_number);
    BN_free(e_number);
    return key;
}

/* A point that is not on its curve is refused by OpenSSL. */
static EVP_PKEY *
read_ec(struct arena *a, const struct json *jwk, const char *curve)
{
    size_t i, x_len = 0, y_len = 0;
    const unsigned char *x = bytes(a, jwk, "x", &x_len), *y = bytes(a, jwk, "y", &y_len);
    unsigned char point[1 + 2 * 66] = { POINT_CONVERSION_UNCOMPRESSED };
    OSSL_PARAM_BLD *build;
    EVP_PKEY *key = NULL;

    for (i = 0; i < N_CURVES && strcmp(curves[i].name, curve) != 0; i++)
        ;
    if (i == N_CURVES || x == NULL || y == NULL || x_len != curves[i].coordinate
        || y_len != curves[i].coordinate)
        return NULL;
    memcpy(point + 1, x, x_len);
    memcpy(point + 1 + x_len, y, y_len);
    build = OSSL_PARAM_BLD_new();
    if (build != NULL
        && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curves[i].group, 0)
        && OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                            1 + 2 * curves[i].coordinate))
        key = from_params("EC", build);
    OSSL_PARAM_BLD_free(build);
    return key;
}

static EVP_PKEY *
read_ed25519(struct arena *a, const struct json *jwk)
{
    size_t len = 0;
    const unsigned char *x = bytes(a, jwk, "x", &len);

    return x != NULL && len == ED25519_BYTES
        ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, len) : NULL;
}

/* NULL, and *fault_r says why not. */
static EVP_PKEY *
read_key(struct arena *a, const struct json *jwk, const char **fault_r)
{
    const char *type = json_text(json_get(jwk, "kty")), *curve = json_text(json_get(jwk, "crv"));
    EVP_PKEY *key = NULL;

    *fault_r = "that kind of key belongs to no algorithm of ours";
    if (type == NULL)
        return NULL;
    if (strcmp(type, "oct") == 0) {
        *fault_r = "a secret has no place among public keys: use push_token_secret";
        return NULL;
    }
    if (json_get(jwk, "d") != NULL) {
        *fault_r = "it is a private key";
        return NULL;
    }
    if (strcmp(type, "RSA") == 0)
        key = read_rsa(a, jwk);
    else if (strcmp(type, "EC") == 0 && curve != NULL)
        key = read_ec(a, jwk, curve);
    else if (strcmp(type, "OKP") == 0 && curve != NULL && strcmp(curve, "Ed25519") == 0)
        key = read_ed25519(a, jwk);
    else
        return NULL;
    if (key == NULL)
        *fault_r = "its numbers are missing or wrong";
    return key;
}

static bool
id_is_taken(const struct token_key *keys, const char *id)
{
    for (; keys != NULL; keys = keys->next)
        if (keys->id != NULL && strcmp(keys->id, id) == 0)
            return true;
    return false;
}

/* One key of the set into the list; NULL or what is wrong with it. */
static const char *
add_jwk(struct arena *a, const struct json *jwk, struct token_key **keys)
{
    const char *use = json_text(json_get(jwk, "use")), *id = json_text(json_get(jwk, "kid"));
    const struct json *algorithm = json_get(jwk, "alg");
    const char *fault;
    enum token_kind kind;
    EVP_PKEY *key;

    if (use != NULL && strcmp(use, "sig") != 0)
        return NULL;
    if (id == NULL)
        return "it has no kid";
    if (id_is_taken(*keys, id))
        return "its kid is there twice";
    if (algorithm != NULL && json_text(algorithm) == NULL)
        return "its alg is not a text";
    if ((key = read_key(a, jwk, &fault)) == NULL)
        return fault;
    if ((fault = judge(key, &kind)) != NULL) {
        EVP_PKEY_free(key);
        return fault;
    }
    add(keys, key, kind, id, json_text(algorithm));
    return NULL;
}

static enum err
read_set(struct arena *a, const char *path, const char *text, size_t len, struct token_key **keys,
         struct fail *fail)
{
    static const char field[] = "push_token_jwks";
    const struct json *set, *jwk;
    struct json *root;
    const char *fault;
    unsigned n = 0;

    if (json_parse(a, text, len, JWKS_DEPTH, &root, NULL) != ERR_OK
        || json_type(set = json_get(root, "keys")) != JSON_ARRAY)
        return err_fail(fail, ERR_FIELD, field, "%s: %s is no JSON object with \"keys\"", field,
                        path);
    for (jwk = json_first(set); jwk != NULL; jwk = json_next(jwk)) {
        n++;
        if ((fault = add_jwk(a, jwk, keys)) != NULL)
            return err_fail(fail, ERR_FIELD, field, "%s: %s: key %u: %s", field, path, n, fault);
    }
    return ERR_OK;
}

enum err
token_read_jwks(const char *path, struct token_key **keys, struct fail *fail)
{
    static const char field[] = "push_token_jwks";
    FILE *file = fopen(path, "re");
    struct arena *a;
    size_t len;
    char *text;
    enum err e;

    if (file == NULL)
        return err_fail(fail, ERR_FIELD, field, "%s: %s: %s", field, path, strerror(errno));
    a = arena_new();
    text = arena_alloc(a, JWKS_MAX + 1);
    len = fread(text, 1, JWKS_MAX + 1, file);
    if (ferror(file) || len > JWKS_MAX)
        e = err_fail(fail, ERR_FIELD, field, "%s: %s cannot be read or is too long", field, path);
    else
        e = read_set(a, path, text, len, keys, fail);
    fclose(file);
    ERR_clear_error();
    arena_free(a);
    return e;
}
