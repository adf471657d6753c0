/* subscription - its beginning by command, and its end
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/subscription_private.h"

#include "relay/mem.h"
#include "relay/push/callback.h"
#include "relay/push/tail.h"
#include "shared/when.h"

#define LINE_MAX_BYTES (256u << 20)

const char *
subscription_channel(const struct subscription *s)
{
    return hub_name(s->link.channel);
}

const char *
subscription_info(const struct subscription *s)
{
    return s->info ? s->info : s->client->client_info;
}

/* Along the client's subscriptions or the channel's, whichever are fewer. */
struct subscription *
subscription_find(const struct push_client *c, const char *channel)
{
    struct hub_channel *hub = hub_find(c->push->hub, channel);
    struct subscription *s;
    size_t n;

    if (!hub)
        return NULL;
    if ((n = hub_count(hub)) > c->n_subscriptions) {
        for (s = c->subscriptions; s && s->link.channel != hub; s = s->next)
            ;
        return s;
    }
    for (size_t i = 0; i < n; i++)
        if ((s = subscription_of(hub_at(hub, i)))->client == c)
            return s;
    return NULL;
}

/* ---- may it be? ---- */

static struct push_verdict
refuse(enum push_error e)
{
    return (struct push_verdict){ .error = e };
}

/* The channel's and the namespace's bounds. */
static bool
is_full(const struct push *p, const char *channel, const struct channel_options *o)
{
    const struct hub_channel *hub = hub_find(p->hub, channel);

    if (o->subscribers_max && hub && (int64_t)hub_count(hub) >= o->subscribers_max)
        return true;
    return o->subscriptions_max && channel_namespace_count(p, o->name) >= o->subscriptions_max;
}

enum push_error
subscription_check(const struct push_client *c, const char *channel,
                   const struct channel_options **options_r)
{
    struct push *p = c->push;

    switch (push_settings_channel(p->settings, channel, options_r)) {
    case CHANNEL_FINE:
        break;
    case CHANNEL_BAD_NAME:
        return PUSH_BAD_REQUEST;
    case CHANNEL_UNKNOWN:
        return PUSH_UNKNOWN_CHANNEL;
    }
    if (subscription_find(c, channel))
        return PUSH_SUBSCRIBED;
    if ((int64_t)c->n_subscriptions + c->n_asking >= p->config->push_channels_per_client)
        return PUSH_LIMIT;
    if (is_full(p, channel, *options_r)) {
        push_count(p, PUSH_COUNT_SHED_NAMESPACE);
        return PUSH_LIMIT;
    }
    return PUSH_OK;
}

bool
subscription_token_fits(const struct push_client *c, const struct subscription_token *t,
                        const char *channel)
{
    return strcmp(t->user, client_user_id(c)) == 0 && strcmp(t->channel, channel) == 0
           && (!t->client || strcmp(t->client, c->id) == 0);
}

static struct push_verdict
judge_token(const struct push_client *c, const struct subscription_token *t,
            struct subscription_plan *plan)
{
    int64_t ttl_s;

    if (!subscription_token_fits(c, t, plan->channel))
        return (struct push_verdict){ .close = CLOSE_INVALID_TOKEN };
    plan->expires_ms = t->expires_ms;
    plan->info = t->info;
    plan->override = t->override;
    return refuse(subscription_ttl(t->expires_ms, &ttl_s));
}

static struct push_verdict
judge_answer(const struct callback_answer *a, struct subscription_plan *plan)
{
    int64_t ttl_s;

    plan->expires_ms = a->expires_ms;
    plan->info = a->info;
    plan->data = a->data;
    return refuse(subscription_ttl(a->expires_ms, &ttl_s));
}

/* Nothing was given that decides it: the application does. */
static bool
is_to_be_asked(const struct push_client *c, const struct command *cmd,
               const struct channel_options *o)
{
    return o->authorize && !cmd->token[0] && !channel_is_private(cmd->channel)
           && !(o->user_limited && channel_lists_user(cmd->channel, client_user_id(c)));
}

/* Who may without a token or the application, in the order of the protocol. */
static struct push_verdict
judge(const struct push_client *c, const struct command *cmd, const struct channel_options *o)
{
    const char *user = client_user_id(c);

    if (channel_is_private(cmd->channel))
        return refuse(PUSH_DENIED);
    if (o->user_limited && strchr(cmd->channel, '#'))
        return refuse(channel_lists_user(cmd->channel, user) ? PUSH_OK : PUSH_DENIED);
    if (o->subscribe == SUBSCRIBE_ANYONE || (o->subscribe == SUBSCRIBE_USER && user[0]))
        return refuse(PUSH_OK);
    return refuse(PUSH_DENIED);
}

/* ---- in ---- */

static bool
overridden(enum token_flag flag, bool otherwise)
{
    return flag == FLAG_UNSET ? otherwise : flag == FLAG_ON;
}

static bool
granted(int when, bool wanted)
{
    return when == WHEN_ALWAYS || (when == WHEN_ALLOWED && wanted);
}

static void
set_features(struct subscription *s, const struct subscription_plan *plan)
{
    const struct channel_options *o = plan->options;
    const struct token_override *v = &plan->override;
    bool history = o->history_size > 0;

    s->server_side = plan->server_side;
    s->recoverable = history
                     && overridden(v->force_recovery, granted(o->recovery, plan->wants_recovery));
    s->positioned = s->recoverable
                    || (history && overridden(v->force_positioning,
                                              granted(o->positioning, plan->wants_position)));
    s->emits = overridden(v->join_leave, o->join_leave != WHEN_OFF);
    s->joins = overridden(v->force_push_join_leave, granted(o->join_leave, plan->wants_joins));
    s->delta = plan->delta && o->delta && history;
    if (overridden(v->presence, o->presence))
        s->presence = mem_new(sizeof *s->presence);
}

static void
link_in(struct subscription *s, struct push_client *c, const char *channel)
{
    struct channel *ch = channel_get(c->push, channel);

    channel_flush(ch);              /* those who are in get what was before s */
    hub_add(ch->hub, &s->link);
    ch->namespace->n++;
    s->next = c->subscriptions;
    if (s->next)
        s->next->prev = s;
    c->subscriptions = s;
    c->n_subscriptions++;
    c->push->n_subscriptions++;
}

static char *
copy(const char *text)
{
    return text ? mem_string(text) : NULL;
}

struct subscription *
subscription_new(struct push_client *c, const struct subscription_plan *plan)
{
    struct subscription *s = mem_new(sizeof *s);
    struct subscription_start *st = mem_new(sizeof *st);

    s->client = c;
    set_features(s, plan);
    s->start = st;
    st->s = s;
    st->client = c;
    client_ref(c);
    st->recover = plan->recover && s->recoverable;
    st->strict = plan->strict;
    st->cache = plan->options->recovery_mode == RECOVERY_CACHE;
    st->offset = plan->offset;
    st->epoch = mem_string(plan->epoch ? plan->epoch : "");
    st->info = copy(plan->info);
    st->data = copy(plan->data);
    st->expires_ms = plan->expires_ms;
    link_in(s, c, plan->channel);
    return s;
}

/* ---- out ---- */

/* From channel, client and clocks; the channel may be gone after channel_put. */
static struct channel *
unlink_out(struct subscription *s)
{
    struct push_client *c = s->client;
    struct channel *ch = channel_of(s);

    s->ending = true;
    channel_flush(ch);              /* s gets what was before its end */
    subscription_expires(s, 0);
    hub_remove(c->push->hub, &s->link);
    ch->namespace->n--;
    if (s->next)
        s->next->prev = s->prev;
    if (s->prev)
        s->prev->next = s->next;
    else
        c->subscriptions = s->next;
    c->n_subscriptions--;
    c->push->n_subscriptions--;
    return ch;
}

static void
subscription_free(struct subscription *s)
{
    if (s->start) {
        s->start->s = NULL;
        if (!s->start->asked)
            subscription_start_free(s->start);
    }
    publication_unref(s->base);
    publication_unref(s->owed);
    free(s->presence);
    free(s->info);
    free(s);
}

void
subscription_drop(struct subscription *s)
{
    channel_put(unlink_out(s));
    subscription_free(s);
}

static void
say_unsubscribed(struct subscription *s, const char *channel, int code, const char *reason)
{
    struct push_client *c = s->client;
    struct sbuf b;

    if (!c->conn)
        return;
    sbuf_init(&b, LINE_MAX_BYTES);
    reply_unsubscribed(&b, c->bare, channel, code,
                       reason ? reason : push_unsubscribe_reason((enum push_unsubscribe)code));
    client_send(c, &b);
}

static void
show_end(struct subscription *s, const char *channel, int code, const char *reason)
{
    if (tail_watched(s->client->push))
        tail_tell(s->client->push,
                  &(struct tail_event){ .kind = TAIL_UNSUBSCRIBE, .channel = channel,
                                        .user = client_user_id(s->client),
                                        .client = s->client->id, .code = code,
                                        .reason = reason });
}

void
subscription_end(struct subscription *s, int code, const char *reason)
{
    struct channel *ch = unlink_out(s);
    const char *channel = hub_name(ch->hub);

    if (code)
        say_unsubscribed(s, channel, code, reason);
    if (s->announced) {
        channel_leave(ch, s);
        show_end(s, channel, code, reason);
    }
    channel_put(ch);
    subscription_free(s);
}

void
subscription_end_all(struct push_client *c)
{
    while (c->subscriptions)
        subscription_end(c->subscriptions, 0, NULL);
    channel_rates_free(c);
}

/* ---- commands ---- */

/* The store has said where it begins. */
static void
command_ready(struct subscription_start *st, enum push_error e)
{
    struct subscription *s = st->s;
    struct push_client *c = st->client;
    struct reply_subscribe r;
    struct sbuf b;

    if (e != PUSH_OK) {
        uint32_t id = st->id;

        subscription_drop(s);
        client_send_error(c, id, e);
        return;
    }
    subscription_result(st, &r);
    sbuf_init(&b, LINE_MAX_BYTES);
    reply_subscribe(&b, st->id, &r);
    client_send(c, &b);
    subscription_live(s);
}

/* What lets a client in: a genuine token, the application, or, both NULL, the channel's options. */
struct grounds {
    const struct subscription_token *token;
    const struct callback_answer *answer;
};

static struct push_verdict
command_plan(struct push_client *c, const struct command *cmd, struct grounds by,
             struct subscription_plan *plan)
{
    struct push_verdict v;

    *plan = (struct subscription_plan){
        .channel = cmd->channel,
        .wants_recovery = cmd->recoverable || cmd->recover.recover,
        .wants_position = cmd->positioned,
        .wants_joins = cmd->join_leave,
        .delta = cmd->delta[0] != '\0',
        .recover = cmd->recover.recover,
        .strict = cmd->flag & COMMAND_FLAG_STRICT_RECOVERY,
        .offset = cmd->recover.offset,
        .epoch = cmd->recover.epoch,
    };
    v = refuse(subscription_check(c, cmd->channel, &plan->options));
    if (v.error)
        return v;
    if (by.token)
        return judge_token(c, by.token, plan);
    return by.answer ? judge_answer(by.answer, plan) : judge(c, cmd, plan->options);
}

static void
begin(struct push_client *c, const struct command *cmd, struct grounds by)
{
    struct subscription_plan plan;
    struct subscription *s;

    if (client_judge(c, cmd->id, command_plan(c, cmd, by, &plan)))
        return;
    s = subscription_new(c, &plan);
    s->start->id = cmd->id;
    s->start->ready = command_ready;
    subscription_ask(s->start);
}

static void
token_judged(struct push_client *c, const struct command *cmd, enum err e,
             const struct subscription_token *t)
{
    if (e == ERR_OK)
        begin(c, cmd, (struct grounds){ .token = t });
    else
        client_send_error(c, cmd->id, e == ERR_TIMEOUT ? PUSH_TOKEN_EXPIRED : PUSH_DENIED);
}

static void
application_answered(struct push_client *c, const struct command *cmd,
                     const struct callback_answer *a)
{
    if (a->error)
        client_send_words(c, cmd->id, a);
    else
        begin(c, cmd, (struct grounds){ .answer = a });
}

/* What is refused anyhow need not be verified or asked; afterwards all is looked at again, for it may have taken
 * long. */
void
subscription_command_subscribe(struct push_client *c, const struct command *cmd)
{
    const struct channel_options *o;
    enum push_error e = callback_asking(c, cmd->channel)
                            ? PUSH_SUBSCRIBED : subscription_check(c, cmd->channel, &o);

    if (client_judge(c, cmd->id, refuse(e)))
        return;
    if (cmd->token[0])
        client_judge_token(c, cmd, token_judged);
    else if (is_to_be_asked(c, cmd, o))
        callback_ask(c, cmd, application_answered);
    else
        begin(c, cmd, (struct grounds){ 0 });
}

/* One that only begins is answered, too: SDKs give the connection up when an answer stays away. The
 * error is a temporary one, so that it cannot end a later subscription of that name. */
void
subscription_command_unsubscribe(struct push_client *c, const struct command *cmd)
{
    uint32_t asked = callback_cancel(c, cmd->channel);
    struct subscription *s;
    struct sbuf b;

    if (asked)
        client_send_error(c, asked, PUSH_TOO_MANY);
    if ((s = subscription_find(c, cmd->channel))) {
        if (s->start && s->start->id)
            client_send_error(c, s->start->id, PUSH_TOO_MANY);
        subscription_end(s, 0, NULL);
    }
    sbuf_init(&b, LINE_MAX_BYTES);
    reply_empty(&b, cmd->id, "unsubscribe");
    client_send(c, &b);
}
