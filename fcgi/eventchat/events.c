/* events - what users write to: made, found, listed
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/eventchat/eventchat.h"
#include "fcgi/service.h"
#include "shared/chat/pair.h"
#include "shared/json.h"
#include "shared/wire/eventchat.h"

#define LOCATION_DEFAULT "ONLINE"

static void
write_event(struct sbuf *out, const struct meeting *m)
{
    json_open(out, '{');
    eventchat_kv_event(out, m);
    json_close(out, '}');
}

static enum err
check_event(struct request *q, const struct eventchat_in_event *in)
{
    if (!eventchat_references(&in->icons))
        return err_fail(&q->fail, ERR_FIELD, "iconsUUIDs", "iconsUUIDs holds what is no reference");
    if (in->to_s < in->from_s)
        return err_fail(&q->fail, ERR_LIMIT, "dateToS", "dateToS must not be before dateFromS");
    return ERR_OK;
}

enum err
eventchat_create_event(struct request *q, struct reply *r)
{
    const struct eventchat_in_event *in = q->in;
    struct meeting m = {
        .owner = q->user,
        .name = in->name,
        .icons = in->icons,
        .location = in->location ? in->location : LOCATION_DEFAULT,
        .from_s = in->from_s,
        .to_s = in->to_s,
    };
    struct op op;
    enum err e;

    if ((e = check_event(q, in)) != ERR_OK || (e = service_op(q, &op)) != ERR_OK
        || (e = op_meeting_create(&op, &m)) != ERR_OK)
        return e;
    r->status = 201;
    write_event(&r->body, &m);
    return ERR_OK;
}

enum err
eventchat_list_events(struct request *q, struct reply *r)
{
    const struct eventchat_in_page *in = q->in;
    int64_t limit = in->limit ? in->limit : EVENTCHAT_PAGE_DEFAULT;
    struct meeting *list;
    struct op op;
    size_t i, n;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_meeting_list(&op, in->offset, limit, &list, &n)) != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_key(&r->body, "events");
    json_open(&r->body, '[');
    for (i = 0; i < n; i++)
        write_event(&r->body, &list[i]);
    json_close(&r->body, ']');
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
eventchat_get_event(struct request *q, struct reply *r)
{
    struct meeting m;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_meeting_get(&op, eventchat_event_id(q), &m)) != ERR_OK)
        return e;
    write_event(&r->body, &m);
    return ERR_OK;
}
