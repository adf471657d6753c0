/* health - is this process alive, is the whole chain ready: the same for every system
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/health.h"
#include "fcgi/service.h"
#include "shared/chat/op.h"
#include "shared/json.h"

/* Web servers are known to keep Authorization to themselves. Who sends one is told that it has come, and no more. */
enum err
health_alive(struct request *q, struct reply *r)
{
    json_open(&r->body, '{');
    json_kv(&r->body, "status", "ok");
    json_kv(&r->body, "version", PACKAGE_VERSION);
    if (q->authorization && *q->authorization)
        json_kv_bool(&r->body, "authorization", true);
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
health_ready(struct request *q, struct reply *r)
{
    struct op op;
    bool ready = service_op(q, &op) == ERR_OK && op_ready(&op) == ERR_OK;

    if (!ready)
        r->status = 503;
    json_open(&r->body, '{');
    json_kv(&r->body, "status", ready ? "ready" : "not_ready");
    json_close(&r->body, '}');
    return ERR_OK;
}
