/* spaces - the rooms themselves: made, listed, changed, run, removed
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/rooms/input.h"
#include "fcgi/rooms/rooms.h"
#include "fcgi/service.h"
#include "shared/json.h"
#include "shared/wire/rooms.h"

enum err
rooms_list(struct request *q, struct reply *r)
{
    struct room *rooms;
    struct op op;
    size_t i, n;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_room_list(&op, ROOMS_ACTOR(q), &rooms, &n)) != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_key(&r->body, "rooms");
    json_open(&r->body, '[');
    for (i = 0; i < n; i++)
        rooms_write_room(&r->body, &rooms[i]);
    json_close(&r->body, ']');
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
rooms_create(struct request *q, struct reply *r)
{
    const struct rooms_in_room *in = q->in;
    struct room_new new = { in->name, in->description, ORCHESTRATION_SINGLE };
    struct room room;
    struct op op;
    enum err e;

    if (in->orchestration && !orchestration_named(in->orchestration, &new.orchestration))
        return err_fail(&q->fail, ERR_FIELD, "orchestration_type",
                        "orchestration_type is single, circular, narrator or full_context");
    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_room_create(&op, ROOMS_ACTOR(q)->account, &new, &room)) != ERR_OK)
        return e;
    r->status = 201;
    rooms_write_room(&r->body, &room);
    return ERR_OK;
}

enum err
rooms_get(struct request *q, struct reply *r)
{
    struct room room;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_room_find(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, &room)) != ERR_OK)
        return e;
    rooms_write_room(&r->body, &room);
    return ERR_OK;
}

static enum err
change(struct request *q, struct room *room_r)
{
    const struct rooms_in_room *in = q->in;
    const struct room_change wanted = { in->description, in->has_speed, in->speed };
    struct op op;
    enum err e = service_op(q, &op);

    return e != ERR_OK ? e : op_room_change(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, &wanted, room_r);
}

enum err
rooms_change(struct request *q, struct reply *r)
{
    struct room room;
    enum err e = change(q, &room);

    if (e == ERR_OK)
        rooms_write_room(&r->body, &room);
    return e;
}

enum err
rooms_set_speed(struct request *q, struct reply *r)
{
    struct room room;
    enum err e = change(q, &room);

    if (e != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_kv_double(&r->body, "speed", room.speed);
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
rooms_delete(struct request *q, struct reply *r)
{
    struct op op;
    enum err e = service_op(q, &op);

    r->status = 204;
    return e != ERR_OK ? e : op_room_delete(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room);
}

static enum err
run(struct request *q, bool running, struct room *room_r, bool *was_r)
{
    struct op op;
    enum err e = service_op(q, &op);

    return e != ERR_OK ? e
                       : op_room_run(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, running, room_r, was_r);
}

enum err
rooms_start(struct request *q, struct reply *r)
{
    struct room room;
    bool was;
    enum err e = run(q, true, &room, &was);

    if (e != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_kv(&r->body, "status", "started");
    json_kv_int(&r->body, "roomId", room.id);
    json_kv(&r->body, "orchestration_type", orchestration_word(room.orchestration));
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
rooms_stop(struct request *q, struct reply *r)
{
    struct room room;
    bool was;
    enum err e = run(q, false, &room, &was);

    if (e != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_kv(&r->body, "status", "stopped");
    json_kv_int(&r->body, "roomId", room.id);
    json_kv_bool(&r->body, "pipelineCancelled", was);
    json_close(&r->body, '}');
    return ERR_OK;
}
