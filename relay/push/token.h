/* token - connection and subscription tokens of the push server
 *
 * JSON Web Tokens (RFC 7519) under HS256/384/512 with a shared key, or RS256/384/512, ES256/384/512
 * and EdDSA with public keys (PEM, or a JWKS, RFC 7517, chosen by kid). The kind of the key fixes the family
 * of algorithms; "none" and everything else is refused. No I/O: keys are read by token_keys_new.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_TOKEN_H
#define RELAY_PUSH_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/config.h"
#include "shared/err.h"

struct token_keys;

/* Keys, audience and issuer of config; files are read now. ERR_FIELD with the reason. */
enum err token_keys_new(const struct config *config, struct token_keys **k_r, struct fail *fail);
void token_keys_free(struct token_keys *k);

/* No key is configured: no token can be good. */
bool token_keys_empty(const struct token_keys *k);

/* A tri-state of `override`. */
enum token_flag { FLAG_UNSET, FLAG_OFF, FLAG_ON };

struct token_override {
    enum token_flag presence, join_leave, force_recovery, force_positioning, force_push_join_leave;
};

/* One server-side subscription of a connection token. */
struct token_subscription {
    const char *channel;
    const char *info;           /* raw JSON, NULL: none; b64info decoded */
    const char *data;           /* raw JSON, NULL */
    struct token_override override;
};

/* All texts lie in the arena. Raw JSON has no line ends in it. */
struct connection_token {
    const char *user;           /* "" anonymous */
    int64_t expires_ms;         /* of the connection (expire_at, else exp), Unix; 0: never */
    const char *info;           /* raw JSON or NULL */
    const char *meta;           /* raw JSON or NULL: never shown to clients */
    const struct token_subscription *subs;
    size_t n_subs;              /* channels and subs; a channel in both counts once */
};

struct subscription_token {
    const char *user;
    const char *channel;
    const char *client;         /* NULL: any */
    int64_t expires_ms;         /* of the subscription; 0: never */
    const char *info;
    struct token_override override;
};

/* ERR_OK; ERR_TIMEOUT: genuine, but its exp has passed (expire_at ends the connection only); ERR_UNAUTHORIZED: anything else
 * is wrong with it; so it is with one for a channel where a connection is to be opened, and the other way round. Texts
 * longer than push_token_max are refused unread. */
enum err connection_token_verify(struct arena *a, const struct token_keys *k, const char *text,
                                 int64_t now_ms, struct connection_token *t_r);
enum err subscription_token_verify(struct arena *a, const struct token_keys *k, const char *text,
                                   int64_t now_ms, struct subscription_token *t_r);

#endif
