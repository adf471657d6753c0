/* client_check - credentials, judged here or on a thread
 *
 * A shared key takes a few microseconds; a public one takes so long that a storm of connects would hold the loop, and
 * everybody on it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/client_private.h"

#include "relay/mem.h"
#include "shared/when.h"

static struct client_check *
check_of(struct pool_job *j)
{
    return (struct client_check *)j;
}

static void
judge(struct pool_job *j)
{
    struct client_check *k = check_of(j);
    const struct token_keys *keys = push_settings_keys(k->settings);

    if (k->cmd)
        k->err = subscription_token_verify(k->arena, keys, k->text, k->now_ms, &k->channel_token);
    else
        k->err = connection_token_verify(k->arena, keys, k->text, k->now_ms, &k->token);
}

static void
come_back(struct pool_job *j)
{
    struct client_check *k = check_of(j);
    struct push *p = k->client->push;

    if (k->client->conn)
        k->judged(k);
    else
        client_check_free(k);
    arena_reset(p->scratch);
}

static bool
takes_long(const struct push *p)
{
    return *p->config->push_token_public_key || *p->config->push_token_jwks;
}

struct client_check *
client_check_new(struct push_client *c, uint32_t id, const char *text)
{
    struct client_check *k = mem_new(sizeof *k);

    client_ref(c);
    k->client = c;
    k->settings = push_settings_ref(c->push->settings);
    k->arena = arena_new();
    k->text = arena_string(k->arena, text);
    k->now_ms = when_now_ms();
    k->id = id;
    return k;
}

void
client_check_free(struct client_check *k)
{
    if (!k)
        return;
    push_settings_unref(k->settings);
    arena_free(k->arena);
    client_unref(k->client);
    free(k);
}

void
client_check_start(struct client_check *k)
{
    k->job = (struct pool_job){ .run = judge, .done = come_back };
    if (takes_long(k->client->push)) {
        pool_post(k->client->push->pool, &k->job);
        return;
    }
    judge(&k->job);
    k->judged(k);
}

/* ---- tokens for channels ---- */

/* cmd in memory that lasts as long as the check. */
static const struct command *
keep_command(struct arena *a, const struct command *cmd)
{
    struct command *kept = arena_alloc(a, sizeof *kept);

    *kept = *cmd;
    kept->channel = kept->recover.channel = arena_string(a, cmd->channel);
    kept->recover.epoch = arena_string(a, cmd->recover.epoch);
    kept->delta = arena_string(a, cmd->delta);
    kept->token = arena_string(a, cmd->token);
    kept->data = NULL;          /* nobody looks at it */
    return kept;
}

static void
channel_judged(struct client_check *k)
{
    struct push_client *c = k->client;

    c->judging = false;
    if (c->state == CLIENT_CONNECTED)
        k->told(c, k->cmd, k->err, &k->channel_token);
    client_input_resume(c);
    client_check_free(k);
}

void
client_judge_token(struct push_client *c, const struct command *cmd, client_token_judged *judged)
{
    struct push *p = c->push;
    struct subscription_token t = { 0 };
    struct client_check *k;
    enum err e;

    if (!takes_long(p)) {
        e = subscription_token_verify(p->scratch, push_settings_keys(p->settings), cmd->token,
                                      when_now_ms(), &t);
        judged(c, cmd, e, &t);
        return;
    }
    c->judging = true;
    k = client_check_new(c, cmd->id, cmd->token);
    k->cmd = keep_command(k->arena, cmd);
    k->told = judged;
    k->judged = channel_judged;
    client_check_start(k);
}
