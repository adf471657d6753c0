/* api_publish - publish and broadcast, by HTTP and by ZeroMQ
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/api.h"

#include <string.h>

struct publish_in {
    const char *channel;
    struct list channels;           /* broadcast */
    const char *data;               /* raw JSON */
    const char *tags;
    const char *idempotency_key;
    const char *version_epoch;
    int64_t version;
    bool skip_history, delta;
};

/* What became of one channel of a broadcast. */
struct part {
    struct api_call *call;
    enum push_error error;
    struct stream_position at;
};

#define PUBLISH_OPTIONS                                                                              \
    { "skip_history", F_BOOL, API_AT(publish_in, skip_history) },                                    \
    { "tags", F_RAW, API_AT(publish_in, tags) },                                                     \
    { "idempotency_key", F_TEXT, API_AT(publish_in, idempotency_key), .max = 1000 },                 \
    { "delta", F_BOOL, API_AT(publish_in, delta) },                                                  \
    { "version", F_INT, API_AT(publish_in, version), .max = INT64_MAX },                             \
    { "version_epoch", F_TEXT, API_AT(publish_in, version_epoch), .max = 1000 }

static const struct field option_fields[] = { PUBLISH_OPTIONS, { 0 } };

static const struct field publish_fields[] = {
    { "channel", F_TEXT, API_AT(publish_in, channel) },
    PUBLISH_OPTIONS,
    { 0 }
};

static const struct field broadcast_fields[] = {
    { "channels", F_LIST, API_AT(publish_in, channels), .min = 1 },
    PUBLISH_OPTIONS,
    { 0 }
};

static enum err
check_count(const struct api_call *c, const struct publish_in *in)
{
    return in->channels.n > (size_t)c->push->config->push_batch_max ? ERR_LIMIT : ERR_OK;
}

static enum err
check(struct api_call *c, const struct json *object, const char *text, size_t len)
{
    struct publish_in *in = c->in;
    enum err e;

    if ((e = api_check_tags(object, &in->tags)) != ERR_OK)
        return e;
    if ((e = api_read_raw(c, object, text, len, "data", "b64data", &in->data)) != ERR_OK)
        return e;
    if (!in->data)
        return ERR_LIMIT;
    return check_count(c, in);
}

static void
publish(struct api_call *c, const char *channel, op_published *done, void *arg)
{
    const struct publish_in *in = c->in;
    struct op_publish p = { .channel = channel, .data = in->data, .data_len = strlen(in->data),
                            .tags = in->tags, .version = (uint64_t)in->version,
                            .version_epoch = in->version_epoch,
                            .skip_history = in->skip_history, .delta = in->delta };

    if (in->idempotency_key && *in->idempotency_key)
        p.idempotency_key = in->idempotency_key;
    op_publish(c->push, &p, done, arg);
}

static void
published(void *arg, enum push_error e, const struct stream_position *at)
{
    struct api_call *c = arg;

    if (e == PUSH_OK)
        api_write_position(&c->out, at);
    api_done(c, e);
}

static void
run_publish(struct api_call *c)
{
    publish(c, ((struct publish_in *)c->in)->channel, published, c);
}

static void
finish_broadcast(struct api_call *c, const struct part *parts)
{
    const struct publish_in *in = c->in;

    json_open(&c->out, '{');
    json_key(&c->out, "responses");
    json_open(&c->out, '[');
    for (size_t i = 0; i < in->channels.n; i++) {
        json_open(&c->out, '{');
        json_key(&c->out, parts[i].error ? "error" : "result");
        if (parts[i].error)
            api_write_error(&c->out, parts[i].error);
        else
            api_write_position(&c->out, &parts[i].at);
        json_close(&c->out, '}');
    }
    json_close(&c->out, ']');
    json_close(&c->out, '}');
    api_done(c, PUSH_OK);
}

static void
part_published(void *arg, enum push_error e, const struct stream_position *at)
{
    struct part *part = arg;
    struct api_call *c = part->call;

    part->error = e;
    if (e == PUSH_OK)
        part->at = *at;
    if (--c->waiting == 0)
        finish_broadcast(c, c->state);
}

static void
run_broadcast(struct api_call *c)
{
    const struct publish_in *in = c->in;
    const char *const *names = in->channels.items;
    struct part *parts = arena_array(c->arena, in->channels.n, sizeof *parts);
    size_t n = in->channels.n;

    c->waiting = n + 1;             /* ours, so that the last answer does not end it under us */
    c->state = parts;
    for (size_t i = 0; i < n; i++) {
        parts[i].call = c;
        publish(c, names[i], part_published, &parts[i]);
    }
    if (--c->waiting == 0)
        finish_broadcast(c, parts);
}

const struct api_method api_publish = {
    "publish", publish_fields, sizeof(struct publish_in), { "channel" }, check, run_publish,
};

const struct api_method api_broadcast = {
    "broadcast", broadcast_fields, sizeof(struct publish_in), { "channels" }, check, run_broadcast,
};

static enum err
read_options(struct api_call *c, const char *text, size_t len)
{
    struct publish_in *in = c->in;
    struct json *json;
    enum err e;

    if ((e = json_parse(c->arena, text, len, (int)c->push->config->json_depth, &json, NULL)) != ERR_OK)
        return e;
    if (json_type(json) == JSON_ARRAY && !json_first(json))
        return ERR_OK;
    if ((e = field_read_json(c->arena, option_fields, json, text, len, in, NULL)) != ERR_OK)
        return e;
    return api_check_tags(json, &in->tags);
}

void
api_call_read_publish(struct api_call *c, const char *const *channels, size_t n, const char *data,
                      size_t data_len, const char *options, size_t options_len)
{
    struct publish_in *in = arena_alloc(c->arena, sizeof *in);

    c->method = n == 1 ? &api_publish : &api_broadcast;
    c->in = in;
    sbuf_init(&c->out, API_ANSWER_MAX);
    if (options && read_options(c, options, options_len) != ERR_OK)
        c->error = PUSH_BAD_REQUEST;
    in->channel = channels[0];
    in->channels = (struct list){ (void *)channels, n };
    in->data = json_compact(c->arena, data, data_len, (int)c->push->config->json_depth);
    if (!in->data || check_count(c, in) != ERR_OK)
        c->error = PUSH_BAD_REQUEST;
}
