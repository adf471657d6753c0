/* client_rpc - remote calls, which the application answers
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/callback.h"
#include "relay/push/client_private.h"

#define ANSWER_MAX (1u << 20)

static void
answered(struct push_client *c, const struct command *cmd, const struct callback_answer *a)
{
    struct sbuf line;

    if (a->error) {
        client_send_words(c, cmd->id, a);
        return;
    }
    sbuf_init(&line, ANSWER_MAX);
    reply_rpc(&line, cmd->id, a->data);
    client_send(c, &line);
}

void
client_rpc(struct push_client *c, const struct command *cmd)
{
    if (c->push->config->push_rpc)
        callback_ask(c, cmd, answered);
    else
        client_send_error(c, cmd->id, PUSH_NOT_AVAILABLE);
}
