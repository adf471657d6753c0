/* envelope - event chat's shape of errors: {"error":{"code","message","field"}}
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "fcgi/eventchat/eventchat.h"
#include "shared/json.h"
#include "shared/wire/eventchat.h"

/* A wrong frame is a wrong body: one that is JSON but no object has no field to blame, and neither a path nor a query
 * is a frame. */
static enum err
told_as(const struct request *q, enum err e)
{
    bool body = q->part && strcmp(q->part, "body") == 0;

    if (e == ERR_FIELD && q->fail.code == e && !q->fail.field && body)
        return ERR_MALFORMED;
    return e == ERR_MALFORMED && q->part && !body ? ERR_FIELD : e;
}

void
eventchat_write_error(struct request *q, struct reply *r, const struct route *route, enum err e)
{
    struct eventchat_error known = eventchat_error_of(told_as(q, e));

    (void)route;
    r->status = known.status;
    json_open(&r->body, '{');
    json_key(&r->body, "error");
    json_open(&r->body, '{');
    json_kv(&r->body, "code", known.code);
    json_kv(&r->body, "message", eventchat_reason(e, &q->fail));
    if (q->fail.code == e && q->fail.field)
        json_kv(&r->body, "field", q->fail.field);
    json_close(&r->body, '}');
    json_close(&r->body, '}');
}
