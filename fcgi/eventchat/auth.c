/* auth - who calls event chat, and how often he may
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/eventchat/eventchat.h"
#include "fcgi/service.h"
#include "shared/chat/profile.h"
#include "shared/wire/eventchat.h"

enum err
eventchat_authenticate(struct request *q, const struct route *route, const struct target *target)
{
    const struct token_rules rules = config_eventchat_rules(q->config);
    const char *text = token_of_scheme(q->authorization, "Bearer");
    struct token *token = arena_alloc(q->arena, sizeof *token);
    enum err e;

    (void)target;
    if (route->who == A_ANYONE)
        return ERR_OK;
    if (!text)
        return ERR_UNAUTHORIZED;
    if ((e = token_verify(q->arena, text, &rules, q->now_ms, token)) != ERR_OK)
        return e;
    q->user = token->user;
    q->caller = token;
    return ERR_OK;
}

/* What the credential claims is noted behind the limit: noting may write. */
enum err
eventchat_limit(struct request *q, struct reply *r, const struct route *route)
{
    const struct config *c = q->config;
    const struct limit limit = { c->eventchat_rate, c->eventchat_burst, false };
    const struct token *claims = EVENTCHAT_CALLER(q);
    struct op op;
    enum err e;

    (void)route;
    if (!claims)
        return ERR_OK;
    if ((e = service_limit(q, r, EVENTCHAT_LIMIT_WHAT, q->user, &limit)) != ERR_OK)
        return e;
    if (!claims->name && !claims->picture)
        return ERR_OK;
    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    return op_profile_note(&op, q->user, claims->name, claims->picture);
}
