/* chats - opened, requested, granted, listed; what is said in them goes over sockets
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/eventchat/eventchat.h"
#include "fcgi/service.h"
#include "shared/chat/pair.h"
#include "shared/wire/eventchat.h"

static enum err
open_chat(struct request *q, struct reply *r, bool request)
{
    const struct eventchat_in_open *in = q->in;
    struct pair_message_new said = { .text = in->text };
    const struct pair_open how = { request, in->text ? &said : NULL };
    struct pair_view view;
    struct op op;
    bool made;
    enum err e;

    if (in->text && (e = pair_message_check(q->arena, &said, &q->fail)) != ERR_OK)
        return e;
    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_pair_open(&op, q->user, eventchat_event_id(q), &how, &view, &made)) != ERR_OK)
        return e;
    r->status = made ? 201 : 200;
    eventchat_write_chat(&r->body, &view);
    return ERR_OK;
}

enum err
eventchat_open_chat(struct request *q, struct reply *r)
{
    return open_chat(q, r, false);
}

enum err
eventchat_request(struct request *q, struct reply *r)
{
    return open_chat(q, r, true);
}

static enum err
grant(struct request *q, struct reply *r, bool granted)
{
    struct pair_view view;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_pair_grant(&op, q->user, EVENTCHAT_PATH(q)->chat, granted, &view)) != ERR_OK)
        return e;
    eventchat_write_chat(&r->body, &view);
    return ERR_OK;
}

enum err
eventchat_grant(struct request *q, struct reply *r)
{
    return grant(q, r, true);
}

enum err
eventchat_revoke(struct request *q, struct reply *r)
{
    return grant(q, r, false);
}

enum err
eventchat_list_chats(struct request *q, struct reply *r)
{
    struct pair_view *list;
    struct op op;
    size_t n;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_pair_list(&op, q->user, &list, &n)) != ERR_OK)
        return e;
    eventchat_write_list(&r->body, list, n);
    return ERR_OK;
}
