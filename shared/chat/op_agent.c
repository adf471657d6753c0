/* op_agent - agents in a room: adding, looking, removing
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "shared/chat/room_private.h"
#include "shared/utf8.h"

#define CHARACTER_STOCK \
    "Дружелюбный собеседник: слушает внимательно, отвечает по делу и не боится иметь своё мнение."

/* ---- adding ---- */

/* The agent to put into the room: one there is, or a new one. */
static enum err
take_agent(struct op *o, int64_t account, const struct agent_new *in, struct agent *a)
{
    struct store s = op_store(o);
    enum err e;

    if (in->existing != 0) {
        e = store_agent_of_account(&s, account, in->existing, a);
        return e == ERR_NOT_FOUND ? err_fail(o->fail, e, NULL, "no such agent") : e;
    }
    *a = (struct agent){
        .name = in->name,
        .character = in->character != NULL && utf8_visible(in->character, strlen(in->character))
                         ? in->character : CHARACTER_STOCK,
        .avatar = in->avatar,
        .mood = MOOD_NEUTRAL,
        .level = mood_level(MOOD_NEUTRAL),
    };
    return store_agent_insert(&s, account, a);
}

enum err
op_agent_add(struct op *o, const struct room_actor *who, int64_t room, const struct agent_new *in,
             struct agent *agent_r)
{
    struct store s = op_store(o);
    struct room r;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, &r)) != ERR_OK
        || (e = take_agent(o, who->account, in, agent_r)) != ERR_OK)
        goto out;
    if ((e = store_agent_link(&s, room, agent_r, false)) == ERR_EXISTS)
        e = room_rule(o, "an agent of that name is in this room already");
    else if (e == ERR_OK && r.n_agents >= o->config->rooms_agents_max)
        e = err_fail(o->fail, ERR_RULE, NULL, "no more than %lld agents in a room",
                     (long long)o->config->rooms_agents_max);
out:
    return tx_end(o, e);
}

/* ---- looking ---- */

enum err
op_agent_list(struct op *o, const struct room_actor *who, int64_t room, struct agent **agents_r,
              size_t *n_r)
{
    struct store s = op_store(o);
    struct room r;
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, &r)) == ERR_OK)
        e = store_agent_list(&s, room, agents_r, n_r);
    return db_end(o->db, e);
}

enum err
op_agent_find(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
              struct agent *agent_r)
{
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    return db_end(o->db, room_rights_agent(o, who, room, agent, agent_r));
}

enum err
op_agent_inspect(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
                 struct agent_full *full)
{
    struct store s = op_store(o);
    enum err e;

    *full = (struct agent_full){ 0 };
    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = room_rights_agent(o, who, room, agent, &full->agent)) == ERR_OK
        && (e = store_memory_list(&s, room, agent, true, AGENT_MEMORIES, 0, &full->memories,
                                  &full->n_memories)) == ERR_OK
        && (e = store_plan_list(&s, room, agent, AGENT_PLANS, &full->plans,
                                &full->n_plans)) == ERR_OK)
        e = store_link_list(&s, room, agent, &full->links, &full->n_links);
    return db_end(o->db, e);
}

enum err
op_agent_memories(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
                  int64_t limit, int64_t offset, struct memory **list_r, size_t *n_r,
                  int64_t *total_r)
{
    struct store s = op_store(o);
    struct agent a;
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = room_rights_agent(o, who, room, agent, &a)) == ERR_OK
        && (e = store_memory_list(&s, room, agent, false, limit, offset, list_r, n_r)) == ERR_OK)
        e = store_memory_count(&s, room, agent, total_r);
    return db_end(o->db, e);
}

enum err
op_agent_plans(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
               struct plan **list_r, size_t *n_r)
{
    struct store s = op_store(o);
    struct agent a;
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = room_rights_agent(o, who, room, agent, &a)) == ERR_OK)
        e = store_plan_list(&s, room, agent, 0, list_r, n_r);
    return db_end(o->db, e);
}

enum err
op_agent_own(struct op *o, int64_t account, struct agent **agents_r, size_t *n_r)
{
    struct store s = op_store(o);

    return store_agent_own(&s, account, agents_r, n_r);
}

/* ---- removing ---- */

enum err
op_agent_remove(struct op *o, const struct room_actor *who, int64_t room, int64_t agent)
{
    struct store s = op_store(o);
    struct agent a;
    bool narrator;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights_agent(o, who, room, agent, &a)) != ERR_OK
        || (e = store_agent_find(&s, room, agent, &a, &narrator)) != ERR_OK)
        goto out;
    if (narrator)
        e = room_rule(o, "the narrator stays in its room");
    else if ((e = store_room_entry_unlink(&s, room, agent)) == ERR_OK
             && (e = store_agent_unlink(&s, room, agent)) == ERR_OK)
        e = store_agent_delete_homeless(&s, agent);
out:
    return tx_end(o, e);
}
