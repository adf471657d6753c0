/* management - what the host's own server does: create, search, add, remove, scopes
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
mtchat_create(struct request *q, struct reply *r)
{
    const struct in_create *in = q->in;
    const struct conversation_new new = {
        in->object_type, in->object_id, in->object_url, in->title, in->meta,
        in->participants.items, in->participants.n, in->scopes.items, in->scopes.n,
    };
    struct conversation c;
    struct op op;
    enum err e;

    if ((int64_t)in->participants.n > q->config->participants_create_max)
        return err_fail(&q->fail, ERR_LIMIT, "participants", "at most %lld participants",
                        (long long)q->config->participants_create_max);
    if ((e = mtchat_check_scopes(q, &in->scopes)) != ERR_OK)
        return e;
    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_conversation_create(&op, &new, &c)) != ERR_OK)
        return e;
    mtchat_data_open(r);
    mtchat_write_dialog(&r->body, &c, false);
    mtchat_data_close(r);
    return ERR_OK;
}

enum err
mtchat_search(struct request *q, struct reply *r)
{
    const struct in_create *in = q->in;
    struct conversation c;
    struct op op;
    bool found;
    enum err e;

    if ((e = mtchat_check_scopes(q, &in->scopes)) != ERR_OK)
        return e;
    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_conversation_search(&op, in->object_type, in->object_id, in->scopes.items,
                               in->scopes.n, &c, &found);
    if (e != ERR_OK)
        return e;
    mtchat_data_open(r);
    if (found)
        mtchat_write_dialog(&r->body, &c, false);
    else
        json_null(&r->body);
    mtchat_data_close(r);
    return ERR_OK;
}

static void
write_scopes(struct sbuf *out, const struct id *dialog, const struct scope *scopes, size_t n)
{
    size_t i;

    json_open(out, '[');
    for (i = 0; i < n; i++)
        mtchat_write_scope(out, dialog, &scopes[i]);
    json_close(out, ']');
}

enum err
mtchat_inspect(struct request *q, struct reply *r)
{
    const struct id *dialog = &MTCHAT_PATH(q)->id;
    struct conversation_full full;
    struct op op;
    size_t i;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_conversation_inspect(&op, dialog, &full)) != ERR_OK)
        return e;
    mtchat_data_open(r);
    mtchat_write_dialog(&r->body, &full.c, true);
    json_key(&r->body, "participants");
    json_open(&r->body, '[');
    for (i = 0; i < full.n_members; i++)
        mtchat_write_participant(&r->body, dialog, &full.members[i], false);
    json_close(&r->body, ']');
    json_key(&r->body, "access_scopes");
    write_scopes(&r->body, dialog, full.scopes, full.n_scopes);
    json_close(&r->body, '}');
    mtchat_data_close(r);
    return ERR_OK;
}

enum err
mtchat_destroy(struct request *q, struct reply *r)
{
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    r->status = 204;
    return op_conversation_delete(&op, &MTCHAT_PATH(q)->id);
}

enum err
mtchat_add(struct request *q, struct reply *r)
{
    const struct id *dialog = &MTCHAT_PATH(q)->id;
    struct member member;
    struct op op;
    bool added;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_member_add(&op, dialog, q->in, &member, &added)) != ERR_OK)
        return e;
    r->status = 201;
    mtchat_data_open(r);
    mtchat_write_participant(&r->body, dialog, &member, false);
    mtchat_data_close(r);
    return ERR_OK;
}

enum err
mtchat_remove(struct request *q, struct reply *r)
{
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    r->status = 204;
    return op_member_remove(&op, &MTCHAT_PATH(q)->id, MTCHAT_PATH(q)->user_id);
}

enum err
mtchat_set_scopes(struct request *q, struct reply *r)
{
    const struct in_create *in = q->in;
    const struct id *dialog = &MTCHAT_PATH(q)->id;
    struct scope *scopes;
    struct op op;
    enum err e;

    if ((e = mtchat_check_scopes(q, &in->scopes)) != ERR_OK)
        return e;
    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_scopes_replace(&op, dialog, in->scopes.items, in->scopes.n, &scopes);
    if (e != ERR_OK)
        return e;
    mtchat_data_open(r);
    write_scopes(&r->body, dialog, scopes, in->scopes.n);
    mtchat_data_close(r);
    return ERR_OK;
}
