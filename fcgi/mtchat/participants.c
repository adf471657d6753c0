/* participants - joining, leaving, one's own switches, who is there
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/mtchat/input.h"
#include "fcgi/mtchat/mtchat.h"
#include "fcgi/service.h"
#include "shared/chat/op.h"
#include "shared/json.h"
#include "shared/wire/mtchat.h"

enum err
mtchat_join(struct request *q, struct reply *r)
{
    const struct viewer viewer = { q->user, q->scopes };
    struct member_new in = *(const struct member_new *)q->in;
    char id[ID_TEXT_SIZE];
    struct op op;
    enum err e;

    in.user = q->user;
    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_join(&op, &viewer, &MTCHAT_PATH(q)->id, &in)) != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_kv(&r->body, "status", "joined");
    json_kv(&r->body, "dialog_id", id_text(&MTCHAT_PATH(q)->id, id));
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
mtchat_leave(struct request *q, struct reply *r)
{
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_leave(&op, q->user, &MTCHAT_PATH(q)->id)) != ERR_OK)
        return e;
    mtchat_status(r, "left");
    return ERR_OK;
}

static enum err
turn(struct request *q, struct reply *r, enum member_switch which, bool on, const char *status)
{
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_member_switch(&op, q->user, &MTCHAT_PATH(q)->id, which, on)) != ERR_OK)
        return e;
    mtchat_status(r, status);
    return ERR_OK;
}

enum err
mtchat_archive(struct request *q, struct reply *r)
{
    return turn(q, r, SWITCH_ARCHIVED, true, "archived");
}

enum err
mtchat_unarchive(struct request *q, struct reply *r)
{
    return turn(q, r, SWITCH_ARCHIVED, false, "unarchived");
}

enum err
mtchat_pin(struct request *q, struct reply *r)
{
    return turn(q, r, SWITCH_PINNED, true, "pinned");
}

enum err
mtchat_unpin(struct request *q, struct reply *r)
{
    return turn(q, r, SWITCH_PINNED, false, "unpinned");
}

enum err
mtchat_notifications(struct request *q, struct reply *r)
{
    bool on = ((const struct in_switch *)q->in)->enabled;

    return turn(q, r, SWITCH_NOTIFICATIONS, on, on ? "enabled" : "disabled");
}

enum err
mtchat_read(struct request *q, struct reply *r)
{
    const struct in_read *in = q->in;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_read(&op, q->user, &MTCHAT_PATH(q)->id, &in->last_read)) != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_kv_bool(&r->body, "success", true);
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
mtchat_list_participants(struct request *q, struct reply *r)
{
    const struct viewer viewer = { q->user, q->scopes };
    const struct id *dialog = &MTCHAT_PATH(q)->id;
    struct member *members;
    struct op op;
    size_t n, i;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_member_list(&op, &viewer, dialog, &members, &n)) != ERR_OK)
        return e;
    mtchat_data_open(r);
    json_open(&r->body, '[');
    for (i = 0; i < n; i++)
        mtchat_write_participant(&r->body, dialog, &members[i], true);
    json_close(&r->body, ']');
    mtchat_data_close(r);
    return ERR_OK;
}
