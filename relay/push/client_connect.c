/* client_connect - connect: credentials, limits, server-side subscriptions, the first reply
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/client_private.h"

#include <string.h>

#include "relay/push/admission.h"
#include "relay/push/subscription.h"
#include "relay/push/tail.h"
#include "shared/log.h"
#include "shared/when.h"

#define ANSWER_MAX (64u << 20)

/* Ends the connect: c->connecting goes, and with it what was parked is run or dropped. */
static void
decide(struct push_client *c)
{
    client_check_free(c->connecting);
    c->connecting = NULL;
    client_input_resume(c);
}

static void
refuse(struct push_client *c, struct push_verdict v)
{
    client_judge(c, c->connecting->id, v);
    client_refuse(c);
    decide(c);
}

/* ---- the reply ---- */

static void
reply(struct push_client *c, int64_t ttl_s, const struct reply_sub *subs, size_t n)
{
    struct push *p = c->push;
    struct reply_connect r = {
        .client = c->id,
        .ttl_s = ttl_s,
        .subs = subs,
        .n_subs = n,
        .ping_s = c->native ? 0 : p->config->push_ping_s,
        .pong = !c->native && !c->bare,
        .session = c->session ? c->session->secret : NULL,
        .node = c->session ? p->node : NULL,
    };
    struct sbuf line;

    sbuf_init(&line, ANSWER_MAX);
    reply_connect(&line, c->connecting->id, &r);
    client_send(c, &line);
}

static void
tell_connected(struct push_client *c)
{
    struct push *p = c->push;

    push_count(p, PUSH_COUNT_CONNECTS);
    c->announced = true;
    log_event(LOG_LEVEL_INFO, "push_connected", "user", client_user_id(c), "client", c->id,
              "address", c->address, "transport", client_transport_name(c), NULL);
    hook_tell(p->hook, &(struct hook_event){ .kind = HOOK_CONNECT, .client = c->id,
                                             .user = client_user_id(c) });
    tail_tell(p, &(struct tail_event){ .kind = TAIL_CONNECT, .client = c->id,
                                       .user = client_user_id(c), .info = c->client_info });
}

static void
subscribed(struct push_client *c, struct push_verdict v, const struct reply_sub *subs, size_t n)
{
    if (c->state != CLIENT_CONNECTING)
        return;             /* closed meanwhile */
    if (v.error || v.close) {
        refuse(c, v);
        return;
    }
    reply(c, client_expires(c, c->connecting->token.expires_ms), subs, n);
    if (c->state != CLIENT_CONNECTING)
        return;
    client_set_connected(c);
    tell_connected(c);
    subscription_started_all(c);
    decide(c);
}

/* ---- server-side subscriptions ---- */

/* What the client wants to go on from in that channel. */
static struct command_recover
recovery(const struct client_check *k, const char *channel)
{
    for (size_t i = 0; i < k->n_subs; i++)
        if (strcmp(k->subs[i].channel, channel) == 0)
            return k->subs[i];
    return (struct command_recover){ .channel = channel, .epoch = "" };
}

static void
subscribe(struct push_client *c)
{
    struct client_check *k = c->connecting;
    size_t n = k->token.n_subs;
    struct subscription_wish *wishes = arena_array(k->arena, n, sizeof *wishes);

    for (size_t i = 0; i < n; i++) {
        const struct token_subscription *s = &k->token.subs[i];

        wishes[i] = (struct subscription_wish){
            .channel = s->channel,
            .info = s->info,
            .data = s->data,
            .override = s->override,
            .recover = recovery(k, s->channel),
        };
    }
    subscription_start_all(c, wishes, n, subscribed);
}

/* ---- the verdict ---- */

static struct push_verdict
verdict(const struct client_check *k)
{
    const struct push *p = k->client->push;
    const struct connection_token *t = &k->token;

    if (k->err == ERR_TIMEOUT)
        return (struct push_verdict){ .error = PUSH_TOKEN_EXPIRED };
    if (k->err != ERR_OK)
        return (struct push_verdict){ .close = CLOSE_INVALID_TOKEN };
    if (!*t->user && !p->config->push_anonymous)
        return (struct push_verdict){ .close = CLOSE_DENIED_CLOSE };
    if (t->expires_ms && t->expires_ms <= k->now_ms)
        return (struct push_verdict){ .error = PUSH_EXPIRED };
    return (struct push_verdict){ .error = PUSH_OK };
}

static void
enter(struct push_client *c)
{
    struct push *p = c->push;
    const struct connection_token *t = &c->connecting->token;

    if (admission_memory_full(p)) {
        push_count(p, PUSH_COUNT_SHED_MEMORY);
        refuse(c, (struct push_verdict){ .error = PUSH_TOO_MANY });
    } else if (!client_register(c, t->user)) {
        push_count(p, PUSH_COUNT_SHED_USER);
        refuse(c, (struct push_verdict){ .close = CLOSE_CONNECTION_LIMIT });
    } else {
        client_set_info(c, t->info);
        subscribe(c);
    }
}

static void
judged(struct client_check *k)
{
    struct push_client *c = k->client;
    struct push_verdict v = verdict(k);

    c->connecting = k;
    client_ref(c);
    if (c->state != CLIENT_CONNECTING)
        decide(c);
    else if (v.error || v.close)
        refuse(c, v);
    else
        enter(c);
    client_unref(c);
}

/* The channels a client wants to go on from, in memory that lasts as long as the check. */
static void
keep_recovery(struct client_check *k, const struct command_connect *in)
{
    struct command_recover *subs = arena_array(k->arena, in->n_subs, sizeof *subs);

    for (size_t i = 0; i < in->n_subs; i++) {
        subs[i] = in->subs[i];
        subs[i].channel = arena_string(k->arena, in->subs[i].channel);
        subs[i].epoch = arena_string(k->arena, in->subs[i].epoch);
    }
    k->subs = subs;
    k->n_subs = in->n_subs;
}

void
client_connect(struct push_client *c, uint32_t id, const struct command_connect *in)
{
    bool anonymous = !*in->token;
    struct client_check *k;

    if (anonymous && !c->push->config->push_anonymous) {
        client_close(c, CLOSE_BAD_REQUEST_CLOSE, NULL);
        return;
    }
    c->state = CLIENT_CONNECTING;
    k = client_check_new(c, id, in->token);
    keep_recovery(k, in);
    k->judged = judged;
    k->token.user = "";
    if (anonymous)
        judged(k);
    else
        client_check_start(k);
}
