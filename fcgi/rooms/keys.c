/* keys - runner keys of a room, as its owner handles them
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/rooms/input.h"
#include "fcgi/rooms/rooms.h"
#include "fcgi/service.h"
#include "shared/json.h"
#include "shared/wire/rooms.h"

static enum err
check_webhook(struct request *q, const struct config *config, const char *url)
{
    if (url && !config->rooms_webhooks)
        return err_fail(&q->fail, ERR_FIELD, "webhookUrl",
                        "webhooks are not available here: use the stream");
    if (url && !rooms_webhook_url_valid(url))
        return err_fail(&q->fail, ERR_FIELD, "webhookUrl",
                        "webhookUrl must be an http or https URL in ASCII, without credentials or fragment");
    return ERR_OK;
}

enum err
rooms_create_key(struct request *q, struct reply *r)
{
    const struct rooms_in_key *in = q->in;
    struct runner_key key;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = check_webhook(q, op.config, in->webhook_url)) != ERR_OK
        || (e = op_runner_key_create(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, in->name,
                                     in->webhook_url, &key)) != ERR_OK)
        return e;
    r->status = 201;
    rooms_write_runner_key(&r->body, &key);
    return ERR_OK;
}

enum err
rooms_list_keys(struct request *q, struct reply *r)
{
    struct runner_key *keys;
    struct op op;
    size_t i, n;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_runner_key_list(&op, ROOMS_ACTOR(q), ROOMS_PATH(q)->room, &keys, &n)) != ERR_OK)
        return e;
    json_open(&r->body, '{');
    json_key(&r->body, "runners");
    json_open(&r->body, '[');
    for (i = 0; i < n; i++)
        rooms_write_runner_key(&r->body, &keys[i]);
    json_close(&r->body, ']');
    json_close(&r->body, '}');
    return ERR_OK;
}

enum err
rooms_delete_key(struct request *q, struct reply *r)
{
    const struct rooms_path *path = ROOMS_PATH(q);
    struct op op;
    enum err e = service_op(q, &op);

    r->status = 204;
    return e != ERR_OK ? e : op_runner_key_delete(&op, ROOMS_ACTOR(q), path->room, path->key);
}
