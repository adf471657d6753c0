/* subscription_expire - subscriptions that last as long as their token
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/mem.h"
#include "relay/push/subscription_private.h"
#include "shared/when.h"

#define MS_PER_S 1000
#define TTL_MAX_S (365 * 86400)

struct subscription_expiry {
    struct wheel_entry entry;       /* first */
    struct subscription *subscription;
};

enum push_error
subscription_ttl(int64_t expires_ms, int64_t *ttl_s_r)
{
    int64_t left_ms = expires_ms - when_now_ms();

    *ttl_s_r = 0;
    if (expires_ms == 0)
        return PUSH_OK;
    if (left_ms <= 0)
        return PUSH_EXPIRED;
    *ttl_s_r = left_ms > TTL_MAX_S * (int64_t)MS_PER_S ? TTL_MAX_S
                                                       : (left_ms + MS_PER_S - 1) / MS_PER_S;
    return PUSH_OK;
}

static void
due(struct wheel_entry *e)
{
    struct subscription *s = ((struct subscription_expiry *)(void *)e)->subscription;

    if (s->server_side)
        client_close(s->client, CLOSE_SUBSCRIPTION_EXPIRED, NULL);
    else
        subscription_end(s, UNSUBSCRIBE_EXPIRED, NULL);
}

void
subscription_expires(struct subscription *s, int64_t expires_ms)
{
    struct push *p = s->client->push;
    int64_t ttl_s;

    if (expires_ms == 0) {
        if (s->expiry)
            wheel_clear(p->wheel, &s->expiry->entry);
        free(s->expiry);
        s->expiry = NULL;
        return;
    }
    if (!s->expiry) {
        s->expiry = mem_new(sizeof *s->expiry);
        s->expiry->subscription = s;
    }
    (void)subscription_ttl(expires_ms, &ttl_s);     /* over already: 0, only the grace is left */
    wheel_set(p->wheel, &s->expiry->entry, (ttl_s + p->config->push_expiry_grace_s) * MS_PER_S,
              due);
}

/* The subscription that cmd is about, once it has begun; NULL. */
static struct subscription *
begun(const struct push_client *c, const struct command *cmd)
{
    struct subscription *s = subscription_find(c, cmd->channel);

    return s && !s->start ? s : NULL;
}

static struct push_verdict
judge(const struct push_client *c, const struct command *cmd, enum err e,
      const struct subscription_token *t, int64_t *ttl_s_r)
{
    if (!begun(c, cmd))         /* it may have ended meanwhile */
        return (struct push_verdict){ .error = PUSH_DENIED };
    if (e == ERR_TIMEOUT)
        return (struct push_verdict){ .error = PUSH_EXPIRED };
    if (e != ERR_OK || !subscription_token_fits(c, t, cmd->channel))
        return (struct push_verdict){ .close = CLOSE_INVALID_TOKEN };
    return (struct push_verdict){ .error = subscription_ttl(t->expires_ms, ttl_s_r) };
}

static void
token_judged(struct push_client *c, const struct command *cmd, enum err e,
             const struct subscription_token *t)
{
    struct subscription *s;
    int64_t ttl_s = 0;
    struct sbuf b;

    if (client_judge(c, cmd->id, judge(c, cmd, e, t, &ttl_s)))
        return;
    s = begun(c, cmd);
    subscription_expires(s, t->expires_ms);
    if (t->info)
        subscription_set_info(s, t->info);
    sbuf_init(&b, 1024);
    reply_refresh(&b, cmd->id, "sub_refresh", ttl_s);
    client_send(c, &b);
}

void
subscription_command_refresh(struct push_client *c, const struct command *cmd)
{
    if (!begun(c, cmd))
        client_send_error(c, cmd->id, PUSH_DENIED);
    else if (!cmd->token[0])
        client_send_error(c, cmd->id, PUSH_BAD_REQUEST);
    else
        client_judge_token(c, cmd, token_judged);
}
