/* client_input - messages into commands: rates, parking, dispatch
 *
 * While a token is judged (connect's, or a later command's) the rest of what a client said waits as the text it is,
 * in order. So nobody has more than one at the threads that judge.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/client_private.h"

#include "relay/mem.h"
#include "relay/push/subscription.h"
#include "shared/when.h"

#define SECOND_MS 1000

static bool
is_over(const struct push_client *c)
{
    return c->state == CLIENT_REFUSED || c->state == CLIENT_CLOSING || c->state == CLIENT_GONE;
}

static bool
has_to_wait(const struct push_client *c)
{
    return c->state == CLIENT_CONNECTING || c->judging;
}

static void
bad_request(struct push_client *c)
{
    client_close(c, CLOSE_BAD_REQUEST_CLOSE, NULL);
}

/* ---- rates ---- */

static void
too_much(struct push_client *c)
{
    push_count(c->push, PUSH_COUNT_SHED_COMMANDS);
    client_close(c, CLOSE_TOO_MANY_REQUESTS, NULL);
}

/* What was taken before counts, so that one long message may always be sent. */
static bool
take_bytes(struct push_client *c, size_t len)
{
    int64_t now = when_monotonic_ms();

    if (now - c->second_ms >= SECOND_MS) {
        c->second_ms = now;
        c->commands = c->command_bytes = 0;
        c->answer_bytes = 0;
    }
    if (c->command_bytes >= c->push->config->push_bytes_per_s)
        return false;
    c->command_bytes = len > UINT32_MAX - c->command_bytes ? UINT32_MAX
                                                           : c->command_bytes + (uint32_t)len;
    return true;
}

/* In its first second a client may come back to all its channels. */
static bool
take_command(struct push_client *c)
{
    const struct config *config = c->push->config;
    int64_t most = config->push_commands_per_s;

    if (c->second_ms - c->opened_ms < SECOND_MS)
        most += config->push_channels_per_client;
    push_count(c->push, PUSH_COUNT_COMMANDS);
    return ++c->commands <= most;
}

/* ---- commands ---- */

static void
run_connected(struct push_client *c, const struct command *cmd)
{
    switch (cmd->method) {
    case COMMAND_PONG:      /* io knows that it is alive; more than were asked for do no harm */
        break;
    case COMMAND_SUBSCRIBE:
        subscription_command_subscribe(c, cmd);
        break;
    case COMMAND_UNSUBSCRIBE:
        subscription_command_unsubscribe(c, cmd);
        break;
    case COMMAND_PUBLISH:
        channel_command_publish(c, cmd);
        break;
    case COMMAND_PRESENCE:
        channel_command_presence(c, cmd);
        break;
    case COMMAND_PRESENCE_STATS:
        channel_command_presence_stats(c, cmd);
        break;
    case COMMAND_HISTORY:
        channel_command_history(c, cmd);
        break;
    case COMMAND_SEND:
        client_close(c, CLOSE_NOT_AVAILABLE_CLOSE, NULL);
        break;
    case COMMAND_RPC:
        client_rpc(c, cmd);
        break;
    case COMMAND_REFRESH:
        client_refresh(c, cmd);
        break;
    case COMMAND_SUB_REFRESH:
        subscription_command_refresh(c, cmd);
        break;
    case COMMAND_CONNECT:
    case COMMAND_PING:
    case COMMAND_UNKNOWN:
        bad_request(c);
        break;
    }
}

static void
run(struct push_client *c, const struct command *cmd)
{
    if (!take_command(c))
        too_much(c);
    else if (c->state == CLIENT_CONNECTED)
        run_connected(c, cmd);
    else if (cmd->method == COMMAND_CONNECT)
        client_connect(c, cmd->id, &cmd->connect);
    else
        bad_request(c);
}

/* ---- lines ---- */

static void
park(struct push_client *c, const char *text, size_t len)
{
    size_t most = (size_t)c->push->config->push_message_max;

    if (!c->parked) {
        c->parked = mem_new(sizeof *c->parked);
        sbuf_init(c->parked, most);
    }
    sbuf_put(c->parked, text, len);
    sbuf_putc(c->parked, '\n');
    if (c->parked->failed)
        too_much(c);
}

static void
run_lines(struct push_client *c, const char *text, size_t len)
{
    struct command_reader r = { .at = text, .end = text + len };
    struct arena *scratch = c->push->scratch;
    struct command cmd;
    enum err e = ERR_OK;

    while (!is_over(c) && !has_to_wait(c) && (e = command_next(scratch, &r, &cmd)) == ERR_OK)
        run(c, &cmd);
    if (is_over(c))
        return;
    if (has_to_wait(c))
        park(c, r.at, (size_t)(r.end - r.at));
    else if (e != ERR_NOT_FOUND)
        bad_request(c);
}

/* A one-way client says what it wants once, without envelope. */
static void
run_bare(struct push_client *c, const char *text, size_t len)
{
    struct command_connect in;

    if (c->state != CLIENT_NEW)
        return;
    if (command_connect_read(c->push->scratch, text, len, &in) == ERR_OK)
        client_connect(c, 0, &in);
    else
        bad_request(c);
}

static bool
is_blank(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && strchr(" \t\r\n", text[i]) && text[i])
        i++;
    return i == len;
}

void
client_input(struct push_client *c, const char *text, size_t len)
{
    if (is_over(c))
        return;
    if (!take_bytes(c, len))
        too_much(c);
    else if (c->bare)
        run_bare(c, text, len);
    else if (is_blank(text, len))
        bad_request(c);
    else
        run_lines(c, text, len);
}

void
client_input_resume(struct push_client *c)
{
    struct sbuf *parked = c->parked;

    if (!parked || has_to_wait(c))
        return;
    c->parked = NULL;
    if (!is_over(c) && !is_blank(sbuf_str(parked), parked->len))
        run_lines(c, parked->data, parked->len);
    sbuf_fini(parked);
    free(parked);
}
