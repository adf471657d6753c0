/* agents - who is in a room, what he remembers and is about to do
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "fcgi/rooms/input.h"
#include "fcgi/rooms/rooms.h"
#include "fcgi/service.h"
#include "shared/json.h"
#include "shared/utf8.h"
#include "shared/wire/rooms.h"

enum err
rooms_list_agents(struct request *q, struct reply *r)
{
    struct agent *agents;
    struct op op;
    size_t i, n;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_agent_list(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, &agents, &n)) != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_key(&r->body, "agents");
    json_open(&r->body, '[');
    for (i = 0; i < n; i++)
        rooms_write_agent(&r->body, &agents[i]);
    json_close(&r->body, ']');
    json_close(&r->body, '}');
    return ERR_OK;
}

static enum err
judge_name(struct request *q, const char *name)
{
    size_t len;

    if (!name)
        return err_fail(&q->fail, ERR_FIELD, "name", "name is missing");
    utf8_trim(name, strlen(name), &len);
    if (len == 0)
        return err_fail(&q->fail, ERR_LIMIT, "name", "name must not be empty");
    if (utf8_length(name, strlen(name)) > ROOMS_AGENT_NAME_MAX)
        return err_fail(&q->fail, ERR_LIMIT, "name", "name is longer than %d characters",
                        ROOMS_AGENT_NAME_MAX);
    if (room_name_reserved(q->arena, name))
        return err_fail(&q->fail, ERR_LIMIT, "name", "this name is reserved");
    return ERR_OK;
}

enum err
rooms_add_agent(struct request *q, struct reply *r)
{
    const struct rooms_in_agent *in = q->in;
    const char *avatar = in->avatar && *in->avatar ? in->avatar : NULL;
    const struct agent_new new = { in->existing, in->name, in->character, avatar };
    struct agent agent;
    struct op op;
    enum err e;

    if (!in->existing && (e = judge_name(q, in->name)) != ERR_OK)
        return e;
    if (avatar && !rooms_url_valid(avatar))
        return err_fail(&q->fail, ERR_FIELD, "avatar", "avatar must be an http or https URL");
    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_agent_add(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, &new, &agent)) != ERR_OK)
        return e;
    r->status = 201;
    rooms_write_agent(&r->body, &agent);
    return ERR_OK;
}

enum err
rooms_get_agent(struct request *q, struct reply *r)
{
    const struct rooms_path *path = ROOMS_PATH(q);
    struct agent_full full;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_agent_inspect(&op, ROOMS_ACTOR(q), path->room, path->agent, &full)) != ERR_OK)
        return e;
    rooms_write_agent_full(&r->body, &full);
    return ERR_OK;
}

enum err
rooms_remove_agent(struct request *q, struct reply *r)
{
    const struct rooms_path *path = ROOMS_PATH(q);
    struct op op;
    enum err e = service_op(q, &op);

    r->status = 204;
    return e != ERR_OK ? e : op_agent_remove(&op, ROOMS_ACTOR(q), path->room, path->agent);
}

enum err
rooms_list_memories(struct request *q, struct reply *r)
{
    const struct rooms_in_page *in = q->in;
    const struct rooms_path *path = ROOMS_PATH(q);
    int64_t limit = in->limit ? in->limit : ROOMS_PAGE_DEFAULT, total;
    struct memory *memories;
    struct op op;
    size_t i, n;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_agent_memories(&op, ROOMS_ACTOR(q), path->room, path->agent, limit, in->offset,
                          &memories, &n, &total);
    if (e != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_key(&r->body, "memories");
    json_open(&r->body, '[');
    for (i = 0; i < n; i++)
        rooms_write_memory(&r->body, &memories[i]);
    json_close(&r->body, ']');
    json_kv_int(&r->body, "total", total);
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
rooms_list_plans(struct request *q, struct reply *r)
{
    const struct rooms_path *path = ROOMS_PATH(q);
    struct plan *plans;
    struct op op;
    size_t i, n;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_agent_plans(&op, ROOMS_ACTOR(q), path->room, path->agent, &plans, &n)) != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_key(&r->body, "plans");
    json_open(&r->body, '[');
    for (i = 0; i < n; i++)
        rooms_write_plan(&r->body, &plans[i]);
    json_close(&r->body, ']');
    json_close(&r->body, '}');
    return ERR_OK;
}

/* The catalogue of old clients, with numbers for ids; nobody sees another's. */
enum err
rooms_list_own_agents(struct request *q, struct reply *r)
{
    struct agent *agents = NULL;
    size_t i, n = 0;
    struct op op;
    enum err e;

    if (q->caller
        && ((e = service_op(q, &op)) != ERR_OK
            || (e = op_agent_own(&op, ROOMS_ACTOR(q)->account, &agents, &n)) != ERR_OK))
        return e;
    json_open(&r->body, '[');
    for (i = 0; i < n; i++) {
        json_open(&r->body, '{');
        json_kv_int(&r->body, "id", agents[i].id);
        json_kv(&r->body, "name", agents[i].name);
        json_kv(&r->body, "personality", agents[i].character);
        json_kv(&r->body, "avatar_url", agents[i].avatar);
        json_key(&r->body, "state_vector");
        rooms_write_mood(&r->body, agents[i].mood, agents[i].level);
        json_close(&r->body, '}');
    }
    json_close(&r->body, ']');
    return ERR_OK;
}
