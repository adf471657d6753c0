/* health - is this process alive, is the whole chain ready
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/mtchat/mtchat.h"
#include "fcgi/service.h"
#include "shared/chat/op.h"
#include "shared/json.h"

enum err
mtchat_health(struct request *q, struct reply *r)
{
    (void)q;
    json_open(&r->body, '{');
    json_kv(&r->body, "status", "ok");
    json_kv(&r->body, "version", PACKAGE_VERSION);
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
mtchat_health_ready(struct request *q, struct reply *r)
{
    struct op op;
    bool ready = service_op(q, &op) == ERR_OK && op_ready(&op) == ERR_OK;

    if (!ready)
        r->status = 503;
    mtchat_status(r, ready ? "ready" : "not_ready");
    return ERR_OK;
}
