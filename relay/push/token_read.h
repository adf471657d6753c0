/* token_read - public keys from files: PEM, or a JSON Web Key Set (RFC 7517)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_TOKEN_READ_H
#define RELAY_PUSH_TOKEN_READ_H

#include "shared/err.h"

struct evp_pkey_st;             /* OpenSSL's */

enum token_kind { KEY_SECRET, KEY_RSA, KEY_P256, KEY_P384, KEY_P521, KEY_ED25519 };

struct token_key {
    struct token_key *next;
    enum token_kind kind;
    struct evp_pkey_st *key;
    char *id;                   /* kid; NULL: a token need not name it */
    char *algorithm;            /* the only one it is for; NULL: any of its kind */
};

/* Both put what they find in front of *keys, also when a later part fails. ERR_FIELD, with the reason, for a file
 * that cannot be read and for keys that are not public, too weak, or of a kind we do not know. */
enum err token_read_pem(const char *path, struct token_key **keys, struct fail *fail);

/* Keys whose "use" is not "sig" are passed over. */
enum err token_read_jwks(const char *path, struct token_key **keys, struct fail *fail);

void token_key_free_all(struct token_key *keys);

#endif
