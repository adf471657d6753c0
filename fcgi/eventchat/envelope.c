/* envelope - event chat's shape of errors: {"error":{"code","message","field"}}
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "fcgi/eventchat/eventchat.h"
#include "shared/json.h"
#include "shared/wire/eventchat.h"

/* A body that is JSON but no object has no field to blame: it is a wrong frame. */
static bool
is_no_object(const struct request *q, enum err e)
{
    return e == ERR_FIELD && q->fail.code == e && !q->fail.field && q->part
           && strcmp(q->part, "body") == 0;
}

void
eventchat_write_error(struct request *q, struct reply *r, const struct route *route, enum err e)
{
    enum err told = is_no_object(q, e) ? ERR_MALFORMED : e;
    struct eventchat_error known = eventchat_error_of(told);

    (void)route;
    r->status = known.status;
    json_open(&r->body, '{');
    json_key(&r->body, "error");
    json_open(&r->body, '{');
    json_kv(&r->body, "code", known.code);
    json_kv(&r->body, "message", told == e ? eventchat_reason(e, &q->fail) : known.text);
    if (q->fail.code == e && q->fail.field)
        json_kv(&r->body, "field", q->fail.field);
    json_close(&r->body, '}');
    json_close(&r->body, '}');
}
