/* token_keys - the keys that tokens are verified with
 *
 * A key knows its algorithms: which one a token names only chooses among the keys that are of that
 * kind, so no public key is ever taken for a secret.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_TOKEN_KEYS_H
#define RELAY_PUSH_TOKEN_KEYS_H

#include "relay/push/token.h"
#include "shared/jws.h"

/* Was the token signed by one of the keys, by an algorithm that is that key's? */
bool token_keys_fit(const struct token_keys *k, const struct jws *j);

/* How claims are judged. */
struct token_judgement {
    const char *audience, *issuer;  /* NULL: not looked at */
    int64_t leeway_s;
    size_t text_max;                /* bytes of a token */
};

const struct token_judgement *token_keys_judgement(const struct token_keys *k);

#endif
