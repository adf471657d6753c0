/* auth - who is calling
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/auth.h"

#include <string.h>

#include "fcgi/service.h"
#include "shared/utf8.h"

#define USER_MAX 255            /* code points of a user id */

static enum err
user_is_usable(struct request *q)
{
    size_t len = strlen(q->user);

    if (!utf8_valid(q->user, len))
        return err_fail(&q->fail, ERR_MALFORMED, "user_id", "the user id is not valid text");
    if (utf8_length(q->user, len) > USER_MAX)
        return err_fail(&q->fail, ERR_LIMIT, "user_id", "a user id has at most %d characters",
                        USER_MAX);
    return ERR_OK;
}

static enum err
trusted_user(struct request *q, const struct target *target)
{
    size_t i;

    for (i = 0; i < target->n_pairs; i++) {
        const struct pair *pair = &target->pairs[i];

        if (strcmp(pair->name, "user_id") == 0 || strcmp(pair->name, "sender_id") == 0) {
            q->user = pair->value;
            break;
        }
    }
    if (!q->user || !*q->user) {
        if (target->query_err)
            return err_fail(&q->fail, target->query_err, NULL, "the query is not well formed");
        return err_fail(&q->fail, ERR_FIELD, "user_id", "user_id is required");
    }
    return user_is_usable(q);
}

enum err
auth_user(struct request *q, const struct token_rules *rules, const struct target *target)
{
    const char *text;
    struct token token;
    enum err e;

    if (q->config->trusted)
        return trusted_user(q, target);
    text = token_of_scheme(q->authorization, "Bearer");
    if (!text)
        return ERR_UNAUTHORIZED;
    if ((e = token_verify(q->arena, text, rules, q->now_ms, &token)) != ERR_OK)
        return e;
    q->user = token.user;
    return user_is_usable(q);
}

enum err
auth_admin(struct request *q)
{
    const char *wanted = q->config->admin_token;
    const char *given = token_of_scheme(q->authorization, "Bearer");

    if (!wanted || !*wanted) {
        if (q->config->admin_api_allow_unprotected)
            return ERR_OK;
        return err_fail(&q->fail, ERR_FORBIDDEN, NULL, "no admin token is configured");
    }
    if (!given)
        return ERR_UNAUTHORIZED;
    if (!token_secret_equal(given, wanted))
        return ERR_FORBIDDEN;
    return ERR_OK;
}

enum err
auth_by_settings(struct request *q, const struct route *route, const struct target *target)
{
    switch (route->who) {
    case A_ANYONE:
        return ERR_OK;
    case A_USER:
        return auth_user(q, &q->service->rules, target);
    case A_ADMIN:
        return auth_admin(q);
    case A_MAYBE:
    case A_RUNNER:
    case A_ONLINE:
        break;
    }
    return ERR_INTERNAL;        /* the table is wrong: there are no such callers by the settings */
}
