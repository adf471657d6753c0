/* channel_commands - what clients may do with channels beside hearing them
 *
 * The answer may come when the client has gone: whoever waits holds it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/mem.h"
#include "relay/push/channel.h"
#include "shared/when.h"

#define LINE_MAX_BYTES (256u << 20)
#define SECOND_MS 1000

/* A command whose answer is awaited. */
struct asked {
    struct push_client *client;     /* held */
    uint32_t id;
    struct sbuf line;
};

static struct asked *
asked_new(struct push_client *c, const struct command *cmd)
{
    struct asked *q = mem_new(sizeof *q);

    q->client = c;
    q->id = cmd->id;
    sbuf_init(&q->line, LINE_MAX_BYTES);
    client_ref(c);
    return q;
}

/* Answers with the line, or the error. */
static void
answer(struct asked *q, enum push_error e)
{
    struct push_client *c = q->client;

    if (!c->conn || e) {
        sbuf_fini(&q->line);
        if (c->conn)
            client_send_error(c, q->id, e);
    } else {
        c->answer_bytes += (int64_t)q->line.len;
        client_send(c, &q->line);
    }
    free(q);
    client_unref(c);
}

/* A short command may have a very long answer: after that the next has to wait for another second. */
static bool
has_much(struct push_client *c)
{
    if (c->answer_bytes < c->push->config->push_bytes_per_s)
        return false;
    push_count(c->push, PUSH_COUNT_SHED_COMMANDS);
    return true;
}

/* ---- who may ---- */

static bool
is_subscribed(const struct push_client *c, const char *channel)
{
    const struct subscription *s = subscription_find(c, channel);

    return s && !s->start;
}

static bool
may(const struct push_client *c, const char *channel, int who)
{
    switch ((enum channel_who)who) {
    case WHO_NOBODY:
        return false;
    case WHO_SUBSCRIBER:
        return is_subscribed(c, channel);
    case WHO_USER:
        return client_user_id(c)[0] != '\0';
    case WHO_ANYONE:
        return true;
    }
    return false;
}

/* The channel's options, or the reason why not. */
static struct push_verdict
look(const struct push_client *c, const struct command *cmd, const struct channel_options **o_r)
{
    struct push_verdict v = { .error = PUSH_OK };

    if (!cmd->channel[0])
        v.close = CLOSE_BAD_REQUEST_CLOSE;
    else
        switch (push_settings_channel(c->push->settings, cmd->channel, o_r)) {
        case CHANNEL_FINE:
            break;
        case CHANNEL_BAD_NAME:
            v.error = PUSH_BAD_REQUEST;
            break;
        case CHANNEL_UNKNOWN:
            v.error = PUSH_UNKNOWN_CHANNEL;
            break;
        }
    return v;
}

/* ---- publish ---- */

/* What one client has sent to one namespace in the second that began at second_ms. */
struct channel_rate {
    struct channel_rate *next;
    int64_t second_ms;
    int64_t n;
    char namespace[];
};

void
channel_rates_free(struct push_client *c)
{
    struct channel_rate *r;

    while ((r = c->rates)) {
        c->rates = r->next;
        free(r);
    }
}

static struct channel_rate *
rate_of(struct push_client *c, const char *namespace)
{
    size_t len = strlen(namespace) + 1;
    struct channel_rate *r;

    for (r = c->rates; r; r = r->next)
        if (strcmp(r->namespace, namespace) == 0)
            return r;
    r = mem_new(sizeof *r + len);
    memcpy(r->namespace, namespace, len);
    r->next = c->rates;
    c->rates = r;
    return r;
}

static bool
is_too_fast(struct push_client *c, const struct channel_options *o)
{
    int64_t now_ms = when_monotonic_ms();
    struct channel_rate *r;

    if (o->publish_per_s == 0)
        return false;
    r = rate_of(c, o->name);
    if (r->n == 0 || now_ms - r->second_ms >= SECOND_MS) {
        r->second_ms = now_ms;
        r->n = 0;
    }
    if (r->n >= o->publish_per_s)
        return true;
    r->n++;
    return false;
}

static struct push_verdict
judge_publish(struct push_client *c, const struct command *cmd)
{
    const struct channel_options *o;
    struct push_verdict v = look(c, cmd, &o);

    if (v.error || v.close)
        return v;
    if (!may(c, cmd->channel, o->publish)) {
        v.error = PUSH_DENIED;
    } else if (!cmd->data) {
        v.error = PUSH_BAD_REQUEST;
    } else if (is_too_fast(c, o)) {
        push_count(c->push, PUSH_COUNT_SHED_COMMANDS);
        v.error = PUSH_TOO_MANY;
    }
    return v;
}

static void
published(void *arg, enum push_error e, const struct stream_position *at)
{
    struct asked *q = arg;

    (void)at;
    if (!e)
        reply_empty(&q->line, q->id, "publish");
    answer(q, e);
}

void
channel_command_publish(struct push_client *c, const struct command *cmd)
{
    const struct subscription *s;
    struct op_publish in;

    if (client_judge(c, cmd->id, judge_publish(c, cmd)))
        return;
    s = subscription_find(c, cmd->channel);
    in = (struct op_publish){
        .channel = cmd->channel,
        .data = cmd->data,
        .data_len = strlen(cmd->data),
        .info = s && !s->start ? subscription_info(s) : c->client_info,
    };
    op_publish(c->push, &in, published, asked_new(c, cmd));
}

/* ---- presence ---- */

static struct push_verdict
judge_presence(struct push_client *c, const struct command *cmd)
{
    const struct channel_options *o;
    struct push_verdict v = look(c, cmd, &o);

    if (v.error || v.close)
        return v;
    if (!o->presence)
        v.error = PUSH_NOT_AVAILABLE;
    else if (!may(c, cmd->channel, o->presence_for))
        v.error = PUSH_DENIED;
    else if (has_much(c))
        v.error = PUSH_TOO_MANY;
    return v;
}

static void
presence_one(void *arg, const struct stream_presence *who)
{
    reply_presence_one(&((struct asked *)arg)->line, who);
}

static void
presence_done(void *arg, enum push_error e, int64_t n_clients, int64_t n_users)
{
    struct asked *q = arg;

    (void)n_clients, (void)n_users;
    reply_presence_close(&q->line);
    answer(q, e);
}

void
channel_command_presence(struct push_client *c, const struct command *cmd)
{
    struct asked *q;

    if (client_judge(c, cmd->id, judge_presence(c, cmd)))
        return;
    q = asked_new(c, cmd);
    reply_presence_open(&q->line, cmd->id);
    op_presence(c->push, cmd->channel, presence_one, presence_done, q);
}

static void
stats_done(void *arg, enum push_error e, int64_t n_clients, int64_t n_users)
{
    struct asked *q = arg;

    reply_presence_stats(&q->line, q->id, n_clients, n_users);
    answer(q, e);
}

void
channel_command_presence_stats(struct push_client *c, const struct command *cmd)
{
    if (client_judge(c, cmd->id, judge_presence(c, cmd)))
        return;
    op_presence(c->push, cmd->channel, NULL, stats_done, asked_new(c, cmd));
}

/* ---- history ---- */

static struct push_verdict
judge_history(struct push_client *c, const struct command *cmd)
{
    const struct channel_options *o;
    struct push_verdict v = look(c, cmd, &o);

    if (v.error || v.close)
        return v;
    if (o->history_size == 0)
        v.error = PUSH_NOT_AVAILABLE;
    else if (!may(c, cmd->channel, o->history))
        v.error = PUSH_DENIED;
    else if (has_much(c))
        v.error = PUSH_TOO_MANY;
    return v;
}

static void
history_told(void *arg, enum push_error e, const struct stream_history *h)
{
    struct asked *q = arg;

    if (!e)
        reply_history(&q->line, q->id, h);
    answer(q, e);
}

void
channel_command_history(struct push_client *c, const struct command *cmd)
{
    struct stream_query q = {
        .since = cmd->since,
        .offset = cmd->since_offset,
        .epoch = cmd->since_epoch,
        .limit = cmd->limit,
        .reverse = cmd->reverse,
    };

    if (client_judge(c, cmd->id, judge_history(c, cmd)))
        return;
    op_history(c->push, cmd->channel, &q, history_told, asked_new(c, cmd));
}
