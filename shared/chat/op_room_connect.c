/* op_room_connect - what a socket of a room begins with, or why it is closed
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/room_private.h"
#include "shared/eventlog.h"

static void
refuse(struct room_connect *c, int code, const char *reason)
{
    c->close_code = code;
    c->close_reason = reason;
}

static void
hears(struct room_connect *c, const char *channel)
{
    c->channels[c->n_channels++] = channel;
}

/* The account of a good token, unless it is gone; then c refuses. */
static enum err
find_user(struct op *o, const struct room_hello *hello, struct account *a, struct room_connect *c)
{
    struct store s = op_store(o);
    enum err e = ERR_NOT_FOUND;
    int64_t id;

    if (hello->user != NULL && room_id_parse(hello->user, &id))
        e = store_account_find(&s, id, a);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && !a->active)) {
        refuse(c, ROOM_CLOSE_CREDENTIAL, "invalid token");
        return ERR_OK;
    }
    return e;
}

static enum err
connect_user(struct op *o, const struct room_hello *hello, struct room_connect *c)
{
    struct room_actor who = { .kind = ACTOR_OWNER };
    struct account a = { 0 };
    struct room room;
    enum err e = find_user(o, hello, &a, c);

    if (e != ERR_OK || c->close_code != 0)
        return e;
    who.account = a.id;
    e = room_rights(o, &who, hello->room, &room);
    if (e == ERR_NOT_FOUND) {
        refuse(c, ROOM_CLOSE_ROOM, "no such room");
        return ERR_OK;
    }
    if (e != ERR_OK)
        return e;
    c->room = room.id;
    c->user = hello->user;
    hears(c, room_channel(o->arena, room.id, hello->kind));
    hears(c, tx_user_channel(o, hello->user));
    return ERR_OK;
}

static enum err
connect_runner(struct op *o, const struct room_hello *hello, struct runner_key *k,
               struct room_connect *c)
{
    struct room_actor who;
    enum err e = hello->key != NULL ? room_key_find(o, hello->key, k, &who) : ERR_UNAUTHORIZED;

    if (e == ERR_UNAUTHORIZED) {
        refuse(c, ROOM_CLOSE_CREDENTIAL, "invalid key");
        return ERR_OK;
    }
    if (e != ERR_OK)
        return e;
    c->room = who.room;
    hears(c, room_channel(o->arena, who.room, ROOM_SOCKET_RUNNER));
    if (who.kind == ACTOR_RUNNER)
        hears(c, room_key_channel(o->arena, who.key));
    return ERR_OK;
}

enum err
op_room_connect(struct op *o, const struct room_hello *hello, struct room_connect *c)
{
    struct runner_key k = { 0 };
    int64_t floor;
    enum err e;

    *c = (struct room_connect){ .user = "" };
    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = eventlog_state(o->db, o->arena, &c->head, &floor)) == ERR_OK)
        e = hello->kind == ROOM_SOCKET_RUNNER ? connect_runner(o, hello, &k, c)
                                              : connect_user(o, hello, c);
    e = db_end(o->db, e);
    if (e == ERR_OK && k.id != 0)
        room_key_used(o, &k);
    return e;
}
