/* op_room - making, finding, changing and removing rooms, and starting the talk among their agents
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/room_private.h"

#define SPEED_FIRST 1.0
#define NARRATOR_NAME "Нарратор"
#define NARRATOR_CHARACTER \
    "Ты ведёшь рассказ. Ты не участник событий: ты видишь комнату целиком, описываешь обстановку, " \
    "связываешь сказанное и подталкиваешь действие, когда оно стоит на месте. Говоришь коротко и " \
    "образно, никому не приписываешь слов, которых он не произносил."

/* ---- making ---- */

static enum err
room_for_one_more(struct op *o, int64_t account)
{
    struct store s = op_store(o);
    int64_t n;
    enum err e = store_room_count(&s, account, &n);

    if (e == ERR_OK && n >= o->config->rooms_per_user)
        return err_fail(o->fail, ERR_RULE, NULL, "no more than %lld rooms",
                        (long long)o->config->rooms_per_user);
    return e;
}

static enum err
insert_narrator(struct op *o, struct room *room)
{
    struct store s = op_store(o);
    struct agent narrator = {
        .name = NARRATOR_NAME, .character = NARRATOR_CHARACTER,
        .mood = MOOD_NEUTRAL, .level = mood_level(MOOD_NEUTRAL),
    };
    enum err e;

    if ((e = store_agent_insert(&s, room->account, &narrator)) == ERR_OK)
        e = store_agent_link(&s, room->id, &narrator, true);
    room->n_agents = 1;
    return e;
}

static enum err
insert_room(struct op *o, struct room *room)
{
    struct store s = op_store(o);
    struct conversation c = {
        .uid = id_new(o->now_ms),
        .title = room->name,
        .created_by = arena_printf(o->arena, "%lld", (long long)room->account),
        .created_ms = o->now_ms,
    };
    enum err e;

    if ((e = store_conversation_insert(&s, &c)) != ERR_OK)
        return e;
    room->id = c.key;
    if ((e = store_room_insert(&s, room)) == ERR_OK
        && room->orchestration == ORCHESTRATION_NARRATOR)
        e = insert_narrator(o, room);
    return e;
}

enum err
op_room_create(struct op *o, int64_t account, const struct room_new *in, struct room *room_r)
{
    enum err e;

    *room_r = (struct room){
        .account = account,
        .name = in->name,
        .description = in->description,
        .speed = SPEED_FIRST,
        .orchestration = in->orchestration,
        .created_ms = o->now_ms,
    };
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_for_one_more(o, account)) == ERR_OK)
        e = insert_room(o, room_r);
    return tx_end(o, e);
}

/* ---- finding ---- */

enum err
op_room_list(struct op *o, const struct room_actor *who, struct room **rooms_r, size_t *n_r)
{
    struct store s = op_store(o);
    enum err e;

    *rooms_r = NULL;
    *n_r = 0;
    switch (who->kind) {
    case ACTOR_NOBODY:
        return ERR_OK;
    case ACTOR_OWNER:
        return store_room_list(&s, who->account, rooms_r, n_r);
    case ACTOR_RUNNER_OF_ALL:
        return store_room_list(&s, 0, rooms_r, n_r);
    case ACTOR_RUNNER:
        break;
    }
    *rooms_r = arena_alloc(o->arena, sizeof **rooms_r);
    e = store_room_find(&s, who->room, *rooms_r);
    *n_r = e == ERR_OK;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err
op_room_find(struct op *o, const struct room_actor *who, int64_t room, struct room *room_r)
{
    return room_rights(o, who, room, room_r);
}

/* ---- changing ---- */

enum err
op_room_change(struct op *o, const struct room_actor *who, int64_t room,
               const struct room_change *change, struct room *room_r)
{
    struct store s = op_store(o);
    enum err e;

    if (change->description == NULL && !change->has_speed)
        return room_rights(o, who, room, room_r);
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, room_r)) != ERR_OK)
        goto out;
    if (change->description != NULL)
        room_r->description = change->description;
    if (change->has_speed)
        room_r->speed = change->speed;
    room_r->updated_ms = o->now_ms;
    e = store_room_update(&s, room_r);
out:
    return tx_end(o, e);
}

static enum err
may_run(struct op *o, const struct room *room)
{
    if (room->orchestration == ORCHESTRATION_SINGLE)
        return room_rule(o, "agents of a room of type single do not talk among themselves");
    if (room->n_agents == 0)
        return room_rule(o, "there is no agent in this room");
    return ERR_OK;
}

enum err
op_room_run(struct op *o, const struct room_actor *who, int64_t room, bool running,
            struct room *room_r, bool *was_r)
{
    struct store s = op_store(o);
    enum err e;

    *was_r = false;
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, room_r)) != ERR_OK
        || (running && (e = may_run(o, room_r)) != ERR_OK)
        || (e = store_room_run(&s, room, running)) != ERR_OK)
        goto out;
    *was_r = room_r->running;
    room_r->running = running;
    room_tell_run(o, room_r);
out:
    return tx_end(o, e);
}

/* ---- removing ---- */

static enum err
close_sockets(struct op *o, int64_t room)
{
    struct store s = op_store(o);
    struct runner_key *keys;
    size_t n;
    enum err e = store_runner_list(&s, room, &keys, &n);

    tx_close(o, room_channel(o->arena, room, ROOM_SOCKET_CHAT), ROOM_CLOSE_ROOM, "room deleted");
    tx_close(o, room_channel(o->arena, room, ROOM_SOCKET_GRAPH), ROOM_CLOSE_ROOM, "room deleted");
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        tx_close(o, room_key_channel(o->arena, keys[i].id), ROOM_CLOSE_CREDENTIAL, "room deleted");
    return e;
}

enum err
room_remove(struct op *o, int64_t room)
{
    struct store s = op_store(o);
    struct agent *agents;
    size_t n;
    enum err e;

    if ((e = close_sockets(o, room)) != ERR_OK
        || (e = store_agent_list(&s, room, &agents, &n)) != ERR_OK
        || (e = store_conversation_delete(&s, room)) != ERR_OK)
        return e;
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        e = store_agent_delete_homeless(&s, agents[i].id);
    return e;
}

enum err
op_room_delete(struct op *o, const struct room_actor *who, int64_t room)
{
    struct room r;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, &r)) == ERR_OK)
        e = room_remove(o, room);
    return tx_end(o, e);
}
