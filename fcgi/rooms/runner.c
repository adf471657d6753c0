/* runner - the calls of a runner, the outside program that lets agents speak
 *
 * Listing rooms, events and relationships are the owner's handlers: spaces.c, entries.c, relations.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/rooms/input.h"
#include "fcgi/rooms/rooms.h"
#include "fcgi/service.h"
#include "shared/json.h"
#include "shared/wire/rooms.h"

#define IMPORTANCE_DEFAULT 0.5

enum err
rooms_runner_get(struct request *q, struct reply *r)
{
    struct room_graph graph;
    struct op op;
    size_t i;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_room_graph(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, &graph)) != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_key(&r->body, "room");
    rooms_write_room(&r->body, &graph.room);
    json_key(&r->body, "agents");
    json_open(&r->body, '[');
    for (i = 0; i < graph.n_agents; i++)
        rooms_write_agent_for_runner(&r->body, &graph.agents[i]);
    json_close(&r->body, ']');
    json_key(&r->body, "edges");
    json_open(&r->body, '[');
    for (i = 0; i < graph.n_edges; i++)
        rooms_write_edge(&r->body, &graph.edges[i], false);
    json_close(&r->body, ']');
    json_kv_bool(&r->body, "orchestrationRunning", graph.room.running);
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
rooms_runner_messages(struct request *q, struct reply *r)
{
    const struct rooms_in_page *in = q->in;
    int64_t limit = in->limit ? in->limit : ROOMS_RUNNER_PAGE_DEFAULT;
    struct room_page page;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_runner_messages(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, in->bound, limit, &page);
    if (e != ERR_OK)
        return e;
    rooms_write_page(&r->body, &page);
    return ERR_OK;
}

enum err
rooms_runner_say(struct request *q, struct reply *r)
{
    const struct rooms_in_message *in = q->in;
    struct runner_message new = { .text = in->text, .agent = in->agent, .sender = in->sender };
    struct room_entry entry;
    struct op op;
    bool repeat;
    enum err e;

    if ((e = rooms_idempotency_key(q, &new.key)) != ERR_OK || (e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_runner_say(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, &new, &entry, &repeat);
    if (e != ERR_OK)
        return e;
    r->status = repeat ? 200 : 201;
    rooms_write_message(&r->body, &entry);
    return ERR_OK;
}

enum err
rooms_runner_remember(struct request *q, struct reply *r)
{
    const struct rooms_in_memory *in = q->in;
    const struct rooms_path *path = ROOMS_PATH(q);
    double importance = in->has_importance ? in->importance : IMPORTANCE_DEFAULT;
    struct memory memory;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_runner_remember(&op, ROOMS_ACTOR(q), path->room, path->agent, in->content, importance,
                           &memory);
    if (e != ERR_OK)
        return e;
    r->status = 201;
    rooms_write_memory(&r->body, &memory);
    return ERR_OK;
}

/* The word into *status_r, which stays as it is without one. */
static enum err
read_status(struct request *q, const char *word, enum plan_status *status_r)
{
    if (word && !plan_status_named(word, status_r))
        return err_fail(&q->fail, ERR_FIELD, "status", "status is pending, in_progress or done");
    return ERR_OK;
}

enum err
rooms_runner_plan(struct request *q, struct reply *r)
{
    const struct rooms_in_plan *in = q->in;
    const struct rooms_path *path = ROOMS_PATH(q);
    enum plan_status status = PLAN_PENDING;
    struct plan plan;
    struct op op;
    enum err e;

    if ((e = read_status(q, in->status, &status)) != ERR_OK || (e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_runner_plan(&op, ROOMS_ACTOR(q), path->room, path->agent, in->description, status, &plan);
    if (e != ERR_OK)
        return e;
    r->status = 201;
    rooms_write_plan(&r->body, &plan);
    return ERR_OK;
}

enum err
rooms_runner_change_plan(struct request *q, struct reply *r)
{
    const struct rooms_in_plan *in = q->in;
    const struct rooms_path *path = ROOMS_PATH(q);
    enum plan_status status = 0;
    struct plan plan;
    struct op op;
    enum err e;

    if ((e = read_status(q, in->status, &status)) != ERR_OK || (e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_runner_plan_change(&op, ROOMS_ACTOR(q), path->room, path->agent, path->plan,
                              in->description, status, &plan);
    if (e != ERR_OK)
        return e;
    rooms_write_plan(&r->body, &plan);
    return ERR_OK;
}

enum err
rooms_runner_mood(struct request *q, struct reply *r)
{
    const struct rooms_in_mood *in = q->in;
    const struct rooms_path *path = ROOMS_PATH(q);
    struct agent agent;
    enum mood mood;
    double level;
    struct op op;
    enum err e;

    if (!mood_named(in->mood, &mood))
        return err_fail(&q->fail, ERR_FIELD, "mood",
                        "mood is happy, neutral, sad, angry or excited");
    level = in->has_level ? in->level : mood_level(mood);
    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_runner_mood(&op, ROOMS_ACTOR(q), path->room, path->agent, mood, level, &agent);
    if (e != ERR_OK)
        return e;
    rooms_write_mood(&r->body, agent.mood, agent.level);
    return ERR_OK;
}
