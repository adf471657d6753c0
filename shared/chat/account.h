/* account - people who register by themselves: operations of the rooms system
 *
 * A login gives a token (a JWT of the rooms system, short-lived, not stored) and a refresh token
 * (opaque, stored hashed, good once). Whoever calls these keeps both out of logs.
 *
 * Hashing a password takes time and memory by intent: it happens before any lock is taken, and in at most
 * `rooms_password_processes` processes at once; beyond it is ERR_RATE.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_ACCOUNT_H
#define SHARED_CHAT_ACCOUNT_H

#include "shared/chat/op.h"

struct account {
    int64_t id;
    const char *email;          /* as account_email gives it */
    const char *username;
    bool active;
};

/* What a login gives. token expires at now + rooms_token_s; refresh after rooms_refresh_s. */
struct auth {
    struct account account;
    const char *token, *refresh;
};

struct account_new {
    const char *email;          /* as account_email gives it, syntax checked by the caller */
    const char *username;       /* NULL or blank: the part before the @ */
    const char *password;       /* length checked by the caller; never trimmed */
};

/* An address as it is stored and compared: without white space around it, lower case. */
char *account_email(struct arena *a, const char *given);

/* Anybody. ERR_RULE: the address is taken (of several at once exactly one gets it). ERR_RATE. */
enum err op_account_register(struct op *o, const struct account_new *in, struct auth *auth_r);

/* Anybody. ERR_UNAUTHORIZED: wrong password or unknown address, after the same time.
 * ERR_FORBIDDEN: right, but deactivated. ERR_RATE. */
enum err op_account_login(struct op *o, const char *email, const char *password,
                          struct auth *auth_r);

/* Anybody who has a refresh token that was not used: a new pair. ERR_UNAUTHORIZED otherwise;
 * for one that was used, all that descend from the same login are revoked. */
enum err op_account_refresh(struct op *o, const char *refresh, struct auth *auth_r);

/* Is that the user of a token still there and active? user: the token's, as verified.
 * ERR_UNAUTHORIZED. */
enum err op_account_check(struct op *o, const char *user, struct account *account_r);

/* By the operator. Deactivated: cannot log in, refresh tokens are revoked, sockets are closed
 * with 4001. ERR_NOT_FOUND. */
enum err op_account_activate(struct op *o, const char *email, bool active);

/* By the operator: the account, its rooms with all in them, its agents. Sockets are closed as for
 * op_room_delete and op_account_activate. ERR_NOT_FOUND. */
enum err op_account_erase(struct op *o, const char *email);

#endif
