/* messages - what is said, in groups and in the chat of all
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/conversations/conversations.h"
#include "fcgi/conversations/input.h"
#include "fcgi/service.h"
#include "shared/json.h"
#include "shared/wire/conversations.h"

static enum err
list_global(struct request *q, struct reply *r, struct op *op, int64_t offset)
{
    struct global_page page;
    enum err e = op_global_page(op, q->user, offset, &page);

    if (e != ERR_OK)
        return e;
    conversations_open(r);
    json_key(&r->body, "messages");
    json_open(&r->body, '[');
    for (size_t i = 0; i < page.n; i++)
        conversations_write_global(&r->body, &page.messages[i]);
    json_close(&r->body, ']');
    conversations_close(r);
    return ERR_OK;
}

enum err
conversations_messages(struct request *q, struct reply *r)
{
    const struct conversations_page *in = q->in;
    struct group_page page;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if (in->chat == GROUP_GLOBAL)
        return list_global(q, r, &op, in->offset);
    if ((e = op_group_page(&op, q->user, in->chat, in->offset, &page)) != ERR_OK)
        return e;
    conversations_open(r);
    conversations_put_page(r, &page);
    conversations_close(r);
    return ERR_OK;
}

enum err
conversations_send(struct request *q, struct reply *r)
{
    const struct conversations_said *in = q->in;
    int64_t id = 0;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = in->group == GROUP_GLOBAL ? op_global_send(&op, q->user, in->text, &id)
                                  : op_group_send(&op, q->user, in->group, in->text, &id);
    if (e != ERR_OK)
        return e;
    conversations_open(r);
    json_kv_int(&r->body, "message_id", id);
    conversations_close(r);
    return ERR_OK;
}
