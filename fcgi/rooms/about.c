/* about - small calls of old clients: what is this, is it well, what may I still do
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "fcgi/rooms/rooms.h"
#include "fcgi/service.h"
#include "shared/json.h"
#include "shared/when.h"

enum err
rooms_about(struct request *q, struct reply *r)
{
    (void)q;
    json_open(&r->body, '{');
    json_kv(&r->body, "message", "Confab " PACKAGE_VERSION ": rooms");
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
rooms_test_database(struct request *q, struct reply *r)
{
    int64_t head, floor;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK || (e = op_log_head(&op, &head, &floor)) != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_kv(&r->body, "status", "ok");
    json_close(&r->body, '}');
    return ERR_OK;
}

/* No models run here, so nobody uses any up. */
enum err
rooms_usage(struct request *q, struct reply *r)
{
    char now[WHEN_TEXT_SIZE];

    json_open(&r->body, '{');
    json_key(&r->body, "today");
    json_string_n(&r->body, when_text(q->now_ms, now), strlen("YYYY-MM-DD"));
    json_kv_int(&r->body, "callCount", 0);
    json_kv(&r->body, "limitPerDay", NULL);
    json_kv_int(&r->body, "remaining", 0);
    json_kv_bool(&r->body, "limitExceeded", false);
    json_close(&r->body, '}');
    return ERR_OK;
}
