/* room_rights - who may know which room, and who hears of what happens there
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/room_private.h"

static bool
may_know(const struct room_actor *who, const struct room *room)
{
    switch (who->kind) {
    case ACTOR_OWNER:
        return room->account == who->account;
    case ACTOR_RUNNER:
        return room->id == who->room;
    case ACTOR_RUNNER_OF_ALL:
        return true;
    case ACTOR_NOBODY:
        break;
    }
    return false;
}

enum err
room_rights(struct op *o, const struct room_actor *who, int64_t id, struct room *room_r)
{
    struct store s = op_store(o);
    enum err e = store_room_find(&s, id, room_r);

    if (e == ERR_NOT_FOUND || (e == ERR_OK && !may_know(who, room_r)))
        return err_fail(o->fail, ERR_NOT_FOUND, NULL, "no such room");
    return e;
}

enum err
room_rights_agent(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
                  struct agent *agent_r)
{
    struct store s = op_store(o);
    struct room r;
    enum err e = room_rights(o, who, room, &r);

    if (e == ERR_OK
        && (e = store_agent_find(&s, room, agent, agent_r, NULL)) == ERR_NOT_FOUND)
        err_fail(o->fail, e, NULL, "no such agent in this room");
    return e;
}

enum err
room_rule(struct op *o, const char *why)
{
    return err_fail(o->fail, ERR_RULE, NULL, "%s", why);
}

/* ---- telling ---- */

void
room_tell_entry(struct op *o, int64_t room, const struct room_entry *e)
{
    struct entry about = { .id = e->id };
    struct room_notice what = { .room = room, .entry = e };
    struct notice n = { .kind = EVENT_ENTRY_NEW, .entry = &about, .room = &what };
    const char *channels[] = {
        room_channel(o->arena, room, ROOM_SOCKET_CHAT),
        room_channel(o->arena, room, ROOM_SOCKET_RUNNER),
        room_channel(o->arena, 0, ROOM_SOCKET_RUNNER),
    };

    tx_event(o, &n, channels, sizeof channels / sizeof *channels);
}

void
room_tell_edge(struct op *o, int64_t room, const struct room_edge *edge)
{
    struct room_notice what = { .room = room, .edge = edge };
    struct notice n = { .kind = EVENT_RELATIONSHIP, .room = &what };

    tx_event_on(o, &n, room_channel(o->arena, room, ROOM_SOCKET_GRAPH));
}

void
room_tell_run(struct op *o, const struct room *room)
{
    struct room_notice what = { .room = room->id, .running = room->running,
                                .orchestration = room->orchestration };
    struct notice n = { .kind = EVENT_ORCHESTRATION, .room = &what };
    const char *channels[] = {
        room_channel(o->arena, room->id, ROOM_SOCKET_RUNNER),
        room_channel(o->arena, 0, ROOM_SOCKET_RUNNER),
    };

    tx_event(o, &n, channels, sizeof channels / sizeof *channels);
}
