/* entries - what is said and what happens in a room, and reading it
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/rooms/input.h"
#include "fcgi/rooms/rooms.h"
#include "fcgi/service.h"
#include "shared/json.h"
#include "shared/wire/rooms.h"

#define EVENT_TYPE_DEFAULT "user_event"

/* To the room, or to the agent that the path names. */
enum err
rooms_say(struct request *q, struct reply *r)
{
    const struct rooms_in_message *in = q->in;
    const struct rooms_path *path = ROOMS_PATH(q);
    struct room_entry entry;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_room_say(&op, ROOMS_ACTOR(q), path->room, path->agent, in->text, &entry);
    if (e != ERR_OK)
        return e;
    rooms_write_message(&r->body, &entry);
    return ERR_OK;
}

void
rooms_write_page(struct sbuf *out, const struct room_page *page)
{
    size_t i;

    json_open(out, '{');
    json_key(out, "messages");
    json_open(out, '[');
    for (i = 0; i < page->n; i++)
        rooms_write_list_message(out, &page->entries[i]);
    json_close(out, ']');
    json_kv_bool(out, "hasMore", page->more);
    json_close(out, '}');
}

/* after_id is a bound from above, whatever it is called. */
enum err
rooms_list_messages(struct request *q, struct reply *r)
{
    const struct rooms_in_page *in = q->in;
    int64_t limit = in->limit ? in->limit : ROOMS_PAGE_DEFAULT;
    int64_t before = in->has_bound ? in->bound : ROOM_NO_BOUND;
    struct room_page page;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_room_messages(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, before, limit, &page);
    if (e != ERR_OK)
        return e;
    rooms_write_page(&r->body, &page);
    return ERR_OK;
}

enum err
rooms_feed(struct request *q, struct reply *r)
{
    const struct rooms_in_page *in = q->in;
    int64_t limit = in->limit ? in->limit : ROOMS_PAGE_DEFAULT;
    struct room_page page;
    struct op op;
    size_t i;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_room_feed(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, limit, &page)) != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_key(&r->body, "items");
    json_open(&r->body, '[');
    for (i = 0; i < page.n; i++)
        rooms_write_feed_item(&r->body, &page.entries[i]);
    json_close(&r->body, ']');
    json_close(&r->body, '}');
    return ERR_OK;
}

static enum err
read_type(struct request *q, const struct rooms_in_event *in, const char **type_r)
{
    *type_r = in->type ? in->type : EVENT_TYPE_DEFAULT;
    if (!rooms_event_type_valid(*type_r))
        return err_fail(&q->fail, ERR_LIMIT, "type", "type holds only letters, digits and _.:-");
    return ERR_OK;
}

/* By the owner, or by a runner. */
enum err
rooms_happen(struct request *q, struct reply *r)
{
    const struct rooms_in_event *in = q->in;
    struct room_event_new new = { .description = in->description, .agents = in->agents.items,
                                  .n_agents = in->agents.n };
    bool runner = ROOMS_ACTOR(q)->kind != ACTOR_OWNER, repeat;
    struct room_entry entry;
    struct op op;
    enum err e;

    if ((e = read_type(q, in, &new.type)) != ERR_OK
        || (runner && (e = rooms_idempotency_key(q, &new.key)) != ERR_OK))
        return e;
    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_room_event(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, &new, &entry, &repeat);
    if (e != ERR_OK)
        return e;
    r->status = runner && !repeat ? 201 : 200;
    rooms_write_event(&r->body, &entry);
    return ERR_OK;
}

enum err
rooms_broadcast(struct request *q, struct reply *r)
{
    const struct rooms_in_event *in = q->in;
    struct room_entry entry;
    const char *type;
    struct op op;
    enum err e;

    if ((e = read_type(q, in, &type)) != ERR_OK || (e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_room_broadcast(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, type, in->description, &entry);
    if (e != ERR_OK)
        return e;
    rooms_write_event(&r->body, &entry);
    return ERR_OK;
}
