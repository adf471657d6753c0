/* client_refresh - refresh, and the end of credentials
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/client_private.h"

#include <stddef.h>
#include <string.h>

#include "shared/when.h"

#define YEAR_MS (INT64_C(365) * 24 * 3600 * 1000)
#define ANSWER_MAX 1024

static void
on_expiry(struct wheel_entry *e)
{
    struct push_client *c
        = (void *)((char *)e - offsetof(struct push_client, deadline));

    client_close(c, CLOSE_CONNECTION_EXPIRED, NULL);
}

int64_t
client_expires(struct push_client *c, int64_t expires_ms)
{
    struct push *p = c->push;
    int64_t left = expires_ms - when_now_ms();

    wheel_clear(p->wheel, &c->deadline);
    if (!expires_ms)
        return 0;
    if (left > YEAR_MS)
        left = YEAR_MS;
    if (left < 0)
        left = 0;
    wheel_set(p->wheel, &c->deadline, left + p->config->push_expiry_grace_s * 1000, on_expiry);
    return left / 1000 + (left % 1000 > 0 || left == 0);
}

static void
answer(struct push_client *c, uint32_t id, int64_t expires_ms)
{
    struct sbuf line;

    sbuf_init(&line, ANSWER_MAX);
    reply_refresh(&line, id, "refresh", client_expires(c, expires_ms));
    client_send(c, &line);
}

static void
judged(struct client_check *k)
{
    struct push_client *c = k->client;
    const struct connection_token *t = &k->token;

    c->judging = false;
    if (c->state != CLIENT_CONNECTED)
        ;
    else if (k->err == ERR_TIMEOUT)
        client_close(c, CLOSE_CONNECTION_EXPIRED, NULL);
    else if (k->err != ERR_OK || strcmp(t->user, client_user_id(c)) != 0)
        client_close(c, CLOSE_INVALID_TOKEN, NULL);
    else if (t->expires_ms && t->expires_ms <= k->now_ms)
        client_send_error(c, k->id, PUSH_EXPIRED);
    else {
        if (t->info)
            client_set_info(c, t->info);
        answer(c, k->id, t->expires_ms);
    }
    client_input_resume(c);
    client_check_free(k);
}

void
client_refresh(struct push_client *c, const struct command *cmd)
{
    struct client_check *k;

    if (!*cmd->token) {
        client_close(c, CLOSE_BAD_REQUEST_CLOSE, NULL);
        return;
    }
    c->judging = true;
    k = client_check_new(c, cmd->id, cmd->token);
    k->judged = judged;
    client_check_start(k);
}
