/* auth - who calls rooms, what he may know, how often he may ask
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/http.h"
#include "fcgi/rooms/rooms.h"
#include "fcgi/service.h"
#include "shared/token.h"

/* How many seconds' worth of reads may come at once: a page that opens asks for the agents of each room. */
#define READ_BURST_S 20

/* A token says who registered once; whether he is still there and active only the database knows. */
static enum err
authenticate_user(struct request *q, const char *text, struct rooms_caller *caller)
{
    const struct token_rules rules = config_rooms_rules(q->config);
    struct token token;
    struct op op;
    enum err e;

    if ((e = token_verify(q->arena, text, &rules, q->now_ms, &token)) != ERR_OK)
        return e;
    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_account_check(&op, token.user, &caller->account)) != ERR_OK)
        return e;
    caller->actor.kind = ACTOR_OWNER;
    caller->actor.account = caller->account.id;
    q->user = token.user;
    return ERR_OK;
}

static enum err
authenticate_runner(struct request *q, const char *key, struct rooms_caller *caller)
{
    struct op op;
    enum err e = service_op(q, &op);

    return e != ERR_OK ? e : op_runner_check(&op, key, &caller->actor);
}

enum err
rooms_authenticate(struct request *q, const struct route *route, const struct target *target)
{
    const char *text = token_of_scheme(q->authorization, "Bearer");
    struct rooms_caller *caller;
    enum err e;

    (void)target;
    if (route->who == A_ANYONE || (route->who == A_MAYBE && !text))
        return ERR_OK;
    if (!text)
        return ERR_UNAUTHORIZED;
    caller = arena_alloc(q->arena, sizeof *caller);
    e = route->who == A_RUNNER ? authenticate_runner(q, text, caller)
                               : authenticate_user(q, text, caller);
    if (e == ERR_OK)
        q->caller = caller;
    return e;
}

static enum err
find_plan(struct request *q, struct op *op)
{
    const struct rooms_path *path = ROOMS_PATH(q);
    struct plan *plans;
    size_t i, n;
    enum err e = op_agent_plans(op, ROOMS_ACTOR(q), path->room, path->agent, &plans, &n);

    if (e != ERR_OK)
        return e;
    for (i = 0; i < n; i++) {
        if (plans[i].id == path->plan)
            return ERR_OK;
    }
    return err_fail(&q->fail, ERR_NOT_FOUND, NULL, "no such plan of this agent");
}

enum err
rooms_admit(struct request *q)
{
    const struct rooms_path *path = ROOMS_PATH(q);
    struct agent agent;
    struct room room;
    struct op op;
    enum err e;

    if (!path->room)
        return ERR_OK;
    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_room_find(&op, ROOMS_ACTOR(q), path->room, &room)) != ERR_OK || !path->agent)
        return e;
    if (path->plan)
        return find_plan(q, &op);
    return op_agent_find(&op, ROOMS_ACTOR(q), path->room, path->agent, &agent);
}

enum err
rooms_limit(struct request *q, struct reply *r, const struct route *route)
{
    int64_t rate = q->config->rooms_reads_per_s;
    const struct limit limit = { rate, rate * READ_BURST_S, false };

    if (route->method != M_GET || !q->user)
        return ERR_OK;
    return service_limit(q, r, "reads", q->user, &limit);
}

enum err
rooms_idempotency_key(struct request *q, const char **key_r)
{
    *key_r = q->idempotency_key;
    if (*key_r && !http_visible(*key_r, ROOMS_IDEMPOTENCY_KEY_MAX))
        return err_fail(&q->fail, ERR_LIMIT, NULL,
                        "an idempotency key is 1 to %d visible ASCII characters",
                        ROOMS_IDEMPOTENCY_KEY_MAX);
    return ERR_OK;
}
