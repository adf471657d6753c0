/* relations - how the agents of a room feel about each other; and what once was computed from it
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/rooms/input.h"
#include "fcgi/rooms/rooms.h"
#include "fcgi/service.h"
#include "shared/json.h"
#include "shared/wire/rooms.h"

static enum err
read_graph(struct request *q, struct room_graph *graph_r)
{
    struct op op;
    enum err e = service_op(q, &op);

    return e != ERR_OK ? e : op_room_graph(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, graph_r);
}

/* {"nodes":[Agent],"edges":[...]} */
static void
write_graph(struct sbuf *out, const struct room_graph *graph)
{
    size_t i;

    json_open(out, '{');
    json_key(out, "nodes");
    json_open(out, '[');
    for (i = 0; i < graph->n_agents; i++)
        rooms_write_agent(out, &graph->agents[i]);
    json_close(out, ']');
    json_key(out, "edges");
    json_open(out, '[');
    for (i = 0; i < graph->n_edges; i++)
        rooms_write_edge(out, &graph->edges[i], true);
    json_close(out, ']');
    json_close(out, '}');
}

/* "agent_ids": {name: id} */
static void
write_agent_ids(struct sbuf *out, const struct room_graph *graph)
{
    size_t i;

    json_key(out, "agent_ids");
    json_open(out, '{');
    for (i = 0; i < graph->n_agents; i++) {
        json_string(out, graph->agents[i].name);
        sbuf_putc(out, ':');
        rooms_write_id(out, graph->agents[i].id);
    }
    json_close(out, '}');
}

enum err
rooms_get_graph(struct request *q, struct reply *r)
{
    struct room_graph graph;
    enum err e = read_graph(q, &graph);

    if (e == ERR_OK)
        write_graph(&r->body, &graph);
    return e;
}

/* By the owner, or by a runner. */
enum err
rooms_relate(struct request *q, struct reply *r)
{
    const struct rooms_in_relation *in = q->in;
    struct room_edge edge;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_room_relate(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, in->a, in->b, in->level, &edge);
    if (e != ERR_OK)
        return e;
    rooms_write_edge(&r->body, &edge, false);
    return ERR_OK;
}

/* ---- shapes of what is not computed here; old clients know the calls ---- */

enum err
rooms_model(struct request *q, struct reply *r)
{
    struct room_graph graph;
    enum err e = read_graph(q, &graph);

    if (e != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_key(&r->body, "graph");
    write_graph(&r->body, &graph);
    json_key(&r->body, "history");
    json_put_raw(&r->body, "[]");
    json_key(&r->body, "stats");
    json_put_raw(&r->body, "{}");
    write_agent_ids(&r->body, &graph);
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
rooms_emotions(struct request *q, struct reply *r)
{
    struct room_graph graph;
    enum err e = read_graph(q, &graph);

    if (e != ERR_OK)
        return e;
    json_open(&r->body, '{');
    write_agent_ids(&r->body, &graph);
    json_key(&r->body, "states");
    json_put_raw(&r->body, "{}");
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
rooms_context(struct request *q, struct reply *r)
{
    struct room room;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_room_find(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, &room)) != ERR_OK)
        return e;
    json_put_raw(&r->body, "{\"summary\":\"\",\"stats\":{}}");
    return ERR_OK;
}
