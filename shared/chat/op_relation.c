/* op_relation - the graph of how agents of a room feel about each other
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/room_private.h"

enum err
op_room_graph(struct op *o, const struct room_actor *who, int64_t room, struct room_graph *g)
{
    struct store s = op_store(o);
    enum err e;

    *g = (struct room_graph){ 0 };
    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, &g->room)) == ERR_OK
        && (e = store_agent_list(&s, room, &g->agents, &g->n_agents)) == ERR_OK)
        e = store_edge_list(&s, room, &g->edges, &g->n_edges);
    return db_end(o->db, e);
}

enum err
op_room_relate(struct op *o, const struct room_actor *who, int64_t room, int64_t a, int64_t b,
               double level, struct room_edge *edge_r)
{
    struct store s = op_store(o);
    struct room r;
    enum err e;

    *edge_r = (struct room_edge){ .from = a < b ? a : b, .to = a < b ? b : a, .level = level };
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, &r)) != ERR_OK)
        goto out;
    if (a == b)
        e = room_rule(o, "an agent has no relationship with itself");
    else if ((e = store_edge_set(&s, room, edge_r)) == ERR_NOT_FOUND)
        e = room_rule(o, "both agents must be in the room");
    if (e == ERR_OK)
        room_tell_edge(o, room, edge_r);
out:
    return tx_end(o, e);
}
