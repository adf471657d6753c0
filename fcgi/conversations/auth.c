/* auth - who calls conversations: a token's user, or whoever VK signed for
 *
 * SPDX-License-Identifier: MIT
 */

#include "fcgi/conversations/conversations.h"
#include "fcgi/service.h"
#include "shared/token.h"
#include "shared/vk.h"

static enum err
by_token(struct request *q, const char *text, struct conversations_caller *caller)
{
    const struct token_rules rules = config_conversations_rules(q->config);
    struct token token;
    enum err e = token_verify(q->arena, text, &rules, q->now_ms, &token);

    if (e != ERR_OK)
        return e;
    q->user = token.user;
    caller->name = token.name;
    caller->picture = token.picture;
    return ERR_OK;
}

static enum err
by_launch(struct request *q, const char *params)
{
    const struct vk_rules rules = config_vk_rules(q->config);

    return vk_verify(q->arena, params, &rules, q->now_ms, &q->user);
}

enum err
conversations_authenticate(struct request *q, const struct route *route, const struct target *target)
{
    struct conversations_caller *caller = arena_alloc(q->arena, sizeof *caller);
    const char *text;

    (void)target;
    q->caller = caller;
    if (route->who == A_ANYONE)
        return ERR_OK;
    if ((text = token_of_scheme(q->authorization, "Bearer")))
        return by_token(q, text, caller);
    if ((text = token_of_scheme(q->authorization, "VK")))
        return by_launch(q, text);
    return q->vk_params && *q->vk_params ? by_launch(q, q->vk_params) : ERR_UNAUTHORIZED;
}

enum err
conversations_limit(struct request *q, struct reply *r, const struct route *route)
{
    const struct limit limit = { q->config->conv_rate, q->config->conv_burst, false };

    (void)route;
    return service_limit(q, r, "calls", q->user, &limit);
}

enum err
conversations_admit(struct request *q)
{
    const struct conversations_caller *caller = CONVERSATIONS_CALLER(q);
    struct op op;
    enum err e;

    if (q->route->who == A_ANYONE)
        return ERR_OK;
    e = service_op(q, &op);
    if (e == ERR_OK)
        e = op_profile_note(&op, q->user, caller->name, caller->picture);
    return e == ERR_OK && q->route->who == A_ONLINE ? op_socket_needed(&op, q->user) : e;
}
