/* groups - conversations themselves: lists, making, removing, joining, looking on
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "fcgi/conversations/conversations.h"
#include "fcgi/conversations/input.h"
#include "fcgi/service.h"
#include "shared/json.h"
#include "shared/wire/conversations.h"

enum err
conversations_list(struct request *q, struct reply *r)
{
    const struct conversations_which *in = q->in;
    bool joined = !in->mode || strcmp(in->mode, "joined") == 0;
    struct group *groups;
    struct op op;
    size_t i, n;
    enum err e;

    if (!joined && strcmp(in->mode, "new") != 0)
        return err_fail(&q->fail, ERR_FIELD, "mode", "mode is joined or new");
    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_group_list(&op, q->user, joined, in->offset, &groups, &n)) != ERR_OK)
        return e;
    conversations_open(r);
    json_key(&r->body, "conversations");
    json_open(&r->body, '[');
    for (i = 0; i < n; i++)
        conversations_write_group(&r->body, &groups[i]);
    json_close(&r->body, ']');
    conversations_close(r);
    return ERR_OK;
}

enum err
conversations_new(struct request *q, struct reply *r)
{
    const struct conversations_made *in = q->in;
    int64_t id = 0;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_group_create(&op, q->user, in->name, &id)) != ERR_OK)
        return e;
    conversations_open(r);
    json_kv_int(&r->body, "conversation_id", id);
    conversations_close(r);
    return ERR_OK;
}

/* What is answered with a page, and what without. */
typedef enum err with_page(struct op *o, const char *user, int64_t group, struct group_page *page_r);
typedef enum err without(struct op *o, const char *user, int64_t group);

static enum err
answer_page(struct request *q, struct reply *r, with_page *run)
{
    struct group_page page;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = run(&op, q->user, conversations_group(q), &page)) != ERR_OK)
        return e;
    conversations_open(r);
    conversations_put_page(r, &page);
    conversations_close(r);
    return ERR_OK;
}

static enum err
answer(struct request *q, struct reply *r, without *run)
{
    struct op op;
    enum err e = service_op(q, &op);

    return conversations_done(r, e != ERR_OK ? e : run(&op, q->user, conversations_group(q)));
}

enum err
conversations_join(struct request *q, struct reply *r)
{
    return answer_page(q, r, op_group_join);
}

enum err
conversations_leave(struct request *q, struct reply *r)
{
    return answer(q, r, op_group_leave);
}

enum err
conversations_delete(struct request *q, struct reply *r)
{
    return answer(q, r, op_group_delete);
}

enum err
conversations_view(struct request *q, struct reply *r)
{
    return answer_page(q, r, op_group_view);
}

enum err
conversations_stop_view(struct request *q, struct reply *r)
{
    return answer(q, r, op_group_stop_view);
}

enum err
conversations_read(struct request *q, struct reply *r)
{
    return answer(q, r, op_group_read);
}

enum err
conversations_members(struct request *q, struct reply *r)
{
    struct profile *members;
    struct op op;
    size_t i, n;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_group_members(&op, q->user, conversations_group(q), &members, &n)) != ERR_OK)
        return e;
    conversations_open(r);
    json_key(&r->body, "members");
    json_open(&r->body, '[');
    for (i = 0; i < n; i++)
        conversations_write_profile(&r->body, &members[i]);
    json_close(&r->body, ']');
    conversations_close(r);
    return ERR_OK;
}
