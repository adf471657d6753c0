/* store_agent - rows of agents, and of what they have in a room: edges, memories, plans
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/store/store_room.h"

static struct db_row *
query_account(const struct store *s, enum query q, int64_t account)
{
    struct db_row *r = db_query(s->db, q, s->arena);

    db_bind_int(r, ":account", account);
    return r;
}

/* A statement about a room, and an agent in it unless that is 0. */
static struct db_row *
query_in(const struct store *s, enum query q, int64_t room, int64_t agent)
{
    struct db_row *r = db_query(s->db, q, s->arena);

    db_bind_int(r, ":conversation", room);
    if (agent != 0)
        db_bind_int(r, ":agent", agent);
    return r;
}

static enum err
count(struct db_row *r, int64_t *n_r)
{
    *n_r = 0;
    if (db_step(r))
        *n_r = db_int(r, 0);
    return db_done(r);
}

/* ---- agents ---- */

static struct agent
read_agent(struct db_row *r)
{
    return (struct agent){
        .id = db_int(r, 0),
        .name = db_text(r, 1),
        .character = db_text(r, 2),
        .avatar = db_text(r, 3),
        .mood = (enum mood)db_int(r, 4),
        .level = db_real(r, 5),
    };
}

static enum err
read_agents(const struct store *s, struct db_row *r, struct agent **list_r, size_t *n_r)
{
    size_t size = 0;

    *list_r = NULL;
    *n_r = 0;
    while (db_step(r)) {
        *list_r = arena_grow(s->arena, *list_r, *n_r, &size, sizeof **list_r);
        (*list_r)[(*n_r)++] = read_agent(r);
    }
    return db_done(r);
}

enum err
store_agent_insert(const struct store *s, int64_t account, struct agent *a)
{
    struct db_row *r = query_account(s, Q_AGENT_INSERT, account);

    db_bind_text(r, ":name", a->name);
    db_bind_text(r, ":character", a->character);
    db_bind_text(r, ":avatar", a->avatar);
    db_bind_int(r, ":mood", a->mood);
    db_bind_real(r, ":level", a->level);
    db_bind_int(r, ":now", s->now_ms);
    if (db_step(r))
        a->id = db_int(r, 0);
    return db_done(r);
}

enum err
store_agent_of_account(const struct store *s, int64_t account, int64_t id, struct agent *a_r)
{
    struct db_row *r = query_account(s, Q_AGENT_FIND, account);
    bool found;

    db_bind_int(r, ":agent", id);
    if ((found = db_step(r)))
        *a_r = read_agent(r);
    return store_found(db_done(r), found);
}

enum err
store_agent_own(const struct store *s, int64_t account, struct agent **list_r, size_t *n_r)
{
    return read_agents(s, query_account(s, Q_AGENT_OWN, account), list_r, n_r);
}

enum err
store_agent_delete_of(const struct store *s, int64_t account)
{
    return db_run(query_account(s, Q_AGENT_DELETE_OF, account), NULL);
}

enum err
store_agent_find(const struct store *s, int64_t room, int64_t id, struct agent *a_r,
                 bool *narrator_r)
{
    struct db_row *r = query_in(s, Q_AGENT_OF_ROOM, room, id);
    bool found;

    if ((found = db_step(r))) {
        *a_r = read_agent(r);
        if (narrator_r != NULL)
            *narrator_r = db_int(r, 6);
    }
    return store_found(db_done(r), found);
}

enum err
store_agent_list(const struct store *s, int64_t room, struct agent **list_r, size_t *n_r)
{
    return read_agents(s, query_in(s, Q_AGENT_IN_ROOM, room, 0), list_r, n_r);
}

enum err
store_agent_mood(const struct store *s, const struct agent *a)
{
    struct db_row *r = db_query(s->db, Q_AGENT_MOOD, s->arena);

    db_bind_int(r, ":agent", a->id);
    db_bind_int(r, ":mood", a->mood);
    db_bind_real(r, ":level", a->level);
    return db_run(r, NULL);
}

enum err
store_agent_link(const struct store *s, int64_t room, const struct agent *a, bool narrator)
{
    struct db_row *r = query_in(s, Q_ROOM_AGENT_INSERT, room, a->id);

    db_bind_text(r, ":name", a->name);
    db_bind_int(r, ":narrator", narrator);
    return db_run(r, NULL);
}

enum err
store_agent_unlink(const struct store *s, int64_t room, int64_t id)
{
    return db_run(query_in(s, Q_ROOM_AGENT_DELETE, room, id), NULL);
}

enum err
store_agent_delete_homeless(const struct store *s, int64_t id)
{
    struct db_row *r = db_query(s->db, Q_AGENT_DELETE_HOMELESS, s->arena);

    db_bind_int(r, ":agent", id);
    return db_run(r, NULL);
}

/* ---- edges ---- */

enum err
store_edge_set(const struct store *s, int64_t room, const struct room_edge *edge)
{
    struct db_row *r = query_in(s, Q_RELATIONSHIP_SET, room, 0);

    db_bind_int(r, ":low", edge->from);
    db_bind_int(r, ":high", edge->to);
    db_bind_real(r, ":level", edge->level);
    return db_run(r, NULL);
}

enum err
store_edge_list(const struct store *s, int64_t room, struct room_edge **list_r, size_t *n_r)
{
    struct db_row *r = query_in(s, Q_RELATIONSHIP_LIST, room, 0);
    size_t size = 0;

    *list_r = NULL;
    *n_r = 0;
    while (db_step(r)) {
        *list_r = arena_grow(s->arena, *list_r, *n_r, &size, sizeof **list_r);
        (*list_r)[(*n_r)++] =
            (struct room_edge){ .from = db_int(r, 0), .to = db_int(r, 1), .level = db_real(r, 2) };
    }
    return db_done(r);
}

enum err
store_link_list(const struct store *s, int64_t room, int64_t agent, struct agent_link **list_r,
                size_t *n_r)
{
    struct db_row *r = query_in(s, Q_RELATIONSHIP_OF, room, agent);
    size_t size = 0;

    *list_r = NULL;
    *n_r = 0;
    while (db_step(r)) {
        *list_r = arena_grow(s->arena, *list_r, *n_r, &size, sizeof **list_r);
        (*list_r)[(*n_r)++] =
            (struct agent_link){ .agent = db_int(r, 0), .name = db_text(r, 1),
                                 .level = db_real(r, 2) };
    }
    return db_done(r);
}

/* ---- memories ---- */

enum err
store_memory_insert(const struct store *s, int64_t room, int64_t agent, struct memory *m)
{
    struct db_row *r = query_in(s, Q_MEMORY_INSERT, room, agent);

    db_bind_text(r, ":content", m->content);
    db_bind_real(r, ":importance", m->importance);
    db_bind_int(r, ":now", m->at_ms);
    if (db_step(r))
        m->id = db_int(r, 0);
    return db_done(r);
}

enum err
store_memory_list(const struct store *s, int64_t room, int64_t agent, bool by_importance,
                  int64_t limit, int64_t offset, struct memory **list_r, size_t *n_r)
{
    struct db_row *r = query_in(s, by_importance ? Q_MEMORY_KEY : Q_MEMORY_LIST, room, agent);

    *list_r = arena_array(s->arena, (size_t)limit, sizeof **list_r);
    *n_r = 0;
    db_bind_int(r, ":limit", limit);
    if (!by_importance)
        db_bind_int(r, ":offset", offset);
    while (db_step(r))
        (*list_r)[(*n_r)++] =
            (struct memory){ .id = db_int(r, 0), .content = db_text(r, 1),
                             .importance = db_real(r, 2), .at_ms = db_int(r, 3) };
    return db_done(r);
}

enum err
store_memory_count(const struct store *s, int64_t room, int64_t agent, int64_t *n_r)
{
    return count(query_in(s, Q_MEMORY_COUNT, room, agent), n_r);
}

/* ---- plans ---- */

static struct plan
read_plan(struct db_row *r)
{
    return (struct plan){ .id = db_int(r, 0), .description = db_text(r, 1),
                          .status = (enum plan_status)db_int(r, 2) };
}

enum err
store_plan_insert(const struct store *s, int64_t room, int64_t agent, struct plan *p)
{
    struct db_row *r = query_in(s, Q_PLAN_INSERT, room, agent);

    db_bind_text(r, ":description", p->description);
    db_bind_int(r, ":status", p->status);
    if (db_step(r))
        p->id = db_int(r, 0);
    return db_done(r);
}

enum err
store_plan_find(const struct store *s, int64_t room, int64_t agent, int64_t id, struct plan *p_r)
{
    struct db_row *r = query_in(s, Q_PLAN_FIND, room, agent);
    bool found;

    db_bind_int(r, ":plan", id);
    if ((found = db_step(r)))
        *p_r = read_plan(r);
    return store_found(db_done(r), found);
}

enum err
store_plan_update(const struct store *s, const struct plan *p)
{
    struct db_row *r = db_query(s->db, Q_PLAN_UPDATE, s->arena);

    db_bind_int(r, ":plan", p->id);
    db_bind_text(r, ":description", p->description);
    db_bind_int(r, ":status", p->status);
    return db_run(r, NULL);
}

enum err
store_plan_count(const struct store *s, int64_t room, int64_t agent, int64_t *n_r)
{
    return count(query_in(s, Q_PLAN_COUNT, room, agent), n_r);
}

enum err
store_plan_list(const struct store *s, int64_t room, int64_t agent, int64_t newest,
                struct plan **list_r, size_t *n_r)
{
    struct db_row *r = query_in(s, newest != 0 ? Q_PLAN_NEWEST : Q_PLAN_LIST, room, agent);
    size_t size = 0;

    *list_r = NULL;
    *n_r = 0;
    if (newest != 0)
        db_bind_int(r, ":limit", newest);
    while (db_step(r)) {
        *list_r = arena_grow(s->arena, *list_r, *n_r, &size, sizeof **list_r);
        (*list_r)[(*n_r)++] = read_plan(r);
    }
    return db_done(r);
}
