/* api_write - results and answers of the server API as JSON
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/api.h"

#include "relay/push/reply.h"

void
api_write_name(struct sbuf *b, const char *name)
{
    json_string(b, name);
    sbuf_putc(b, ':');
}

void
api_write_error(struct sbuf *b, enum push_error e)
{
    json_open(b, '{');
    json_kv_int(b, "code", e);
    json_kv(b, "message", push_error_message(e));
    json_close(b, '}');
}

void
api_write_position(struct sbuf *b, const struct stream_position *at)
{
    json_open(b, '{');
    if (at->epoch[0]) {
        json_kv_int(b, "offset", (int64_t)at->offset);
        json_kv(b, "epoch", at->epoch);
    }
    json_close(b, '}');
}

void
api_write_history(struct sbuf *b, const struct stream_history *h)
{
    json_open(b, '{');
    json_key(b, "publications");
    json_open(b, '[');
    for (size_t i = 0; i < h->n; i++) {
        json_open(b, '{');
        reply_publication_members(b, h->publications[i], FORM_PLAIN, NULL, 0);
        json_close(b, '}');
    }
    json_close(b, ']');
    json_kv(b, "epoch", h->top.epoch);
    json_kv_int(b, "offset", (int64_t)h->top.offset);
    json_close(b, '}');
}

/* One process, one node. */
void
api_write_info(struct sbuf *b, const struct op_info *info)
{
    json_open(b, '{');
    json_key(b, "nodes");
    json_open(b, '[');
    json_open(b, '{');
    json_kv(b, "uid", info->uid);
    json_kv(b, "name", info->name);
    json_kv(b, "version", info->version);
    json_kv_int(b, "num_clients", info->clients);
    json_kv_int(b, "num_users", info->users);
    json_kv_int(b, "num_channels", info->channels);
    json_kv_int(b, "num_subs", info->subscriptions);
    json_kv_int(b, "uptime", info->uptime_s);
    json_close(b, '}');
    json_close(b, ']');
    json_close(b, '}');
}

void
api_write_connection(struct sbuf *b, const struct op_connection *c)
{
    json_open(b, '{');
    json_kv(b, "client", c->client);
    json_kv(b, "user", c->user);
    json_kv(b, "address", c->address);
    json_kv(b, "transport", c->transport);
    json_kv_int(b, "age", c->age_s);
    json_kv_int(b, "subscriptions", c->subscriptions);
    json_kv_int(b, "queued", c->queued);
    json_close(b, '}');
}

void
api_write_answer(struct sbuf *b, const struct api_call *c)
{
    if (!c->error && c->method == &api_batch) {
        sbuf_put(b, c->out.data, c->out.len);
        return;
    }
    json_open(b, '{');
    if (c->error) {
        json_key(b, "error");
        api_write_error(b, c->error);
    } else {
        json_key(b, "result");
        json_put_raw(b, sbuf_str(&c->out));
    }
    json_close(b, '}');
}

int
api_status(enum push_error e)
{
    switch (e) {
    case PUSH_UNKNOWN_CHANNEL:
    case PUSH_NO_METHOD:
        return 404;
    case PUSH_BAD_REQUEST:
    case PUSH_NOT_AVAILABLE:
        return 400;
    case PUSH_UNRECOVERABLE:
        return 416;
    case PUSH_CONCURRENT:
        return 409;
    default:
        return 500;
    }
}
