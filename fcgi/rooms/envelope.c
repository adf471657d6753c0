/* envelope - rooms' shape of errors: {"detail": sentence}, and where it is known "errors": who is to blame
 *
 * Clients show a detail as it stands, so it is a text always.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/rooms/rooms.h"
#include "shared/json.h"

/* Where rooms differ from err.def. */
static int
status_of(enum err e)
{
    switch (e) {
    case ERR_MALFORMED:
    case ERR_FIELD:
    case ERR_LIMIT:
    case ERR_TOO_MANY:
        return 422;
    case ERR_EXISTS:
        return 400;
    default:
        return err_status(e);
    }
}

static void
write_blame(struct sbuf *out, const struct request *q, enum err e)
{
    json_key(out, "errors");
    json_open(out, '[');
    json_open(out, '{');
    json_key(out, "loc");
    json_open(out, '[');
    json_string(out, q->part);
    json_string(out, q->fail.field);
    json_close(out, ']');
    json_kv(out, "msg", q->fail.why);
    json_kv(out, "type", err_word(e));
    json_close(out, '}');
    json_close(out, ']');
}

void
rooms_write_error(struct request *q, struct reply *r, const struct route *route, enum err e)
{
    /* What happened on our side is nobody's business. */
    bool told = q->fail.code == e && q->fail.why[0] && err_status(e) < 500;

    (void)route;
    r->status = status_of(e);
    json_open(&r->body, '{');
    json_kv(&r->body, "detail", told ? q->fail.why : err_text(e));
    if (told && q->fail.field && q->part)
        write_blame(&r->body, q, e);
    json_close(&r->body, '}');
}
