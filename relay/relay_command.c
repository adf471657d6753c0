/* relay_command - commands of eventchat's sockets, from a client's event to its answer
 *
 * The loop only looks at a command's name and size. A worker reads it, does it by the operation that REST uses, too, and
 * writes the answer; the loop hands that to the socket when the log was delivered up to what the command caused. So
 * a client hears first what happened, as everybody does, then what is for him alone, and last the
 * acknowledgement.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <string.h>

#include "relay/mem.h"
#include "relay/relay_private.h"
#include "shared/fault.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/when.h"
#include "shared/wire/eventchat.h"

#define AT_ONCE 32              /* commands at the workers: what else they do waits for no more than these */
#define ANSWER_MAX (64u << 20)
#define EVENT_DEPTH 32          /* nesting of an event's body */

struct chat_command {
    struct command command;     /* first */
    struct worker_job job;
    struct relay *relay;
    enum eventchat_verb verb;
    int64_t ack;
    char *name;                 /* the client's event */
    char *user;
    char *payload;              /* JSON */
    char request[ID_TEXT_SIZE];

    /* what came of it */
    const char *event;          /* which tells it the asking socket; NULL: none does */
    struct sbuf data;           /* that event's payload */
    struct sbuf ack_data;
    int64_t seq;                /* of the newest event it caused; or at which it was looked, where it changed nothing */
    char *unchanged;            /* the chat in which there was nothing to read; NULL */
};

static struct chat_command *
chat_command_of(struct worker_job *j)
{
    return (struct chat_command *)(void *)((char *)j - offsetof(struct chat_command, job));
}

/* ---- on a worker ---- */

/* How far the log was before: what comes later may know better than the answer. */
static enum err
read_unread(struct chat_command *c, struct op *op, const struct eventchat_command *in)
{
    struct pair_counts counts;
    int64_t head, floor;
    bool changed;
    enum err e;

    if ((e = op_log_head(op, &head, &floor)) != ERR_OK
        || (e = op_pair_read(op, c->user, in->chat, in->n, &counts, &changed)) != ERR_OK
        || changed)
        return e;
    c->seq = head;
    c->unchanged = mem_string(in->chat);
    c->event = EVENTCHAT_CHAT_UNREAD;
    eventchat_write_unread(&c->data, in->chat, &counts);
    return ERR_OK;
}

static enum err
load(struct chat_command *c, struct op *op, const struct eventchat_command *in)
{
    struct pair_history h;
    enum err e = op_pair_history(op, c->user, in->chat, in->n, &h);

    if (e != ERR_OK)
        return e;
    c->event = EVENTCHAT_HISTORY;
    eventchat_write_history(&c->data, in->chat, &h);
    return ERR_OK;
}

static enum err
obey(struct chat_command *c, struct op *op, const struct eventchat_command *in, int64_t *id_r)
{
    struct pair_message m;
    enum err e;

    switch (in->verb) {
    case EVENTCHAT_SEND:
        if ((e = op_pair_send(op, c->user, in->chat, &in->message, &m)) == ERR_OK)
            *id_r = m.n;
        return e;
    case EVENTCHAT_READ:
        return read_unread(c, op, in);
    case EVENTCHAT_LOAD:
        return load(c, op, in);
    }
    return ERR_INTERNAL;
}

static void
write_answer(struct chat_command *c, enum err e, const struct fail *fail, int64_t message_id)
{
    if (e != ERR_OK) {
        c->event = EVENTCHAT_DEBUG_INFO;
        sbuf_reset(&c->data);
        eventchat_write_debug_info(&c->data, e, fail, c->name);
    }
    if (c->ack != NAMED_NO_ACK)
        eventchat_write_ack(&c->ack_data, e, fail, message_id);
}

static enum err
command_run(struct worker_job *j, struct op *op)
{
    struct chat_command *c = chat_command_of(j);
    struct eventchat_command in;
    struct fail fail = { 0 };
    int64_t message_id = 0;
    enum err e;

    FAULT("command.taken");
    op->system = &chat_eventchat;
    op->fail = &fail;
    op->request = c->request;
    e = eventchat_read_command(op->arena, c->verb, c->payload, strlen(c->payload), &in, &fail);
    if (e == ERR_OK)
        e = obey(c, op, &in, &message_id);
    if (op->seq)
        c->seq = op->seq;
    write_answer(c, e, &fail, message_id);
    return e;
}

/* ---- back on the loop ---- */

static void
log_command(const struct chat_command *c, enum err e)
{
    bool ours = err_status(e) >= 500;

    if (ours || log_enabled(LOG_LEVEL_DEBUG))
        log_event(ours ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "command", "event",
                  c->name, "user", c->user, "why", err_word(e), "request", c->request,
                  NULL);
}

static void
command_done(struct worker_job *j)
{
    struct chat_command *c = chat_command_of(j);
    struct relay *r = c->relay;

    FAULT("command.done");
    log_command(c, j->err);
    commands_ran(r->commands, &c->command, c->seq, c->data.len + c->ack_data.len);
    if (r->stopping)
        relay_stop_if_quiet(r);
}

static void
on_start(void *arg, struct command *command)
{
    struct chat_command *c = (struct chat_command *)command;
    struct relay *r = arg;

    c->job.run = command_run;
    c->job.done = command_done;
    c->job.writes = c->verb != EVENTCHAT_LOAD;
    worker_post(r->worker, &c->job);
}

/* Does the event say how much of that chat is unread? */
static bool
tells_unread(struct arena *a, const struct event *e, const char *chat)
{
    struct json *v;
    const char *of;

    return e->kind == EVENT_PAIR_UNREAD
        && json_parse(a, e->body, e->body_len, EVENT_DEPTH, &v, NULL) == ERR_OK
        && (of = json_text(json_get(json_get(v, "data"), "chatId"))) && strcmp(of, chat) == 0;
}

static bool
hears(const struct event *e, const char *channel)
{
    for (size_t i = 0; i < e->n_channels; i++)
        if (strcmp(e->channels[i], channel) == 0)
            return true;
    return false;
}

/* Has the socket heard newer counts since? Behind them, those that were read would be wrong for good. */
static bool
superseded(const struct chat_command *c, const struct session *s)
{
    struct relay *r = c->relay;
    int64_t stands = audience_seq(r->audience);
    const struct event *e;
    bool found = false;

    if (!c->unchanged || !ring_covers(r->ring, c->seq, stands))
        return false;
    for (int64_t seq = c->seq + 1; seq <= stands && !found; seq++) {
        e = ring_get(r->ring, seq);
        found = hears(e, s->user_channel) && tells_unread(r->scratch, e, c->unchanged);
    }
    arena_reset(r->scratch);
    return found;
}

static void
on_answer(void *arg, struct command_socket *socket, struct command *command)
{
    struct chat_command *c = (struct chat_command *)command;
    struct session *s =
        (struct session *)(void *)((char *)socket - offsetof(struct session, commands));

    (void)arg;
    if (c->data.failed || c->ack_data.failed) {
        session_close(s, CLOSE_LATER, "out of memory");
        return;
    }
    if (c->event && !superseded(c, s))
        session_tell(s, c->event, sbuf_str(&c->data));
    session_ack(s, c->ack, sbuf_str(&c->ack_data));
}

static void
on_end(void *arg, struct command *command)
{
    struct chat_command *c = (struct chat_command *)command;

    (void)arg;
    free(c->name);
    free(c->user);
    free(c->payload);
    free(c->unchanged);
    sbuf_fini(&c->data);
    sbuf_fini(&c->ack_data);
    free(c);
}

static const struct commands_calls calls = { on_start, on_answer, on_end };

/* ---- what clients ask for ---- */

/* At once: it may overtake answers to what came before. */
static void
refuse(struct session *s, const struct named_event *e, enum err err)
{
    struct sbuf data;

    sbuf_init(&data, ANSWER_MAX);
    eventchat_write_debug_info(&data, err, NULL, e->name);
    session_tell(s, EVENTCHAT_DEBUG_INFO, sbuf_str(&data));
    sbuf_reset(&data);
    eventchat_write_ack(&data, err, NULL, 0);
    session_ack(s, e->ack, sbuf_str(&data));
    sbuf_fini(&data);
}

static bool
too_many(struct relay *r, const char *user)
{
    int64_t wait_ms;

    return r->command_limits
        && ratelimit_take(r->command_limits, eventchat_limit_key(r->scratch, user),
                          r->config->eventchat_rate, r->config->eventchat_burst, when_now_ms(),
                          &wait_ms) == ERR_RATE;
}

static struct chat_command *
command_new(const struct session *s, const struct named_event *e, enum eventchat_verb verb)
{
    struct chat_command *c = mem_new(sizeof *c);
    struct id id;

    c->relay = s->door->relay;
    c->verb = verb;
    c->ack = e->ack;
    c->name = mem_string(e->name);
    c->user = mem_string(s->user);
    c->payload = mem_string(e->data ? e->data : "null");
    id = id_new(when_now_ms());
    id_text(&id, c->request);
    sbuf_init(&c->data, ANSWER_MAX);
    sbuf_init(&c->ack_data, ANSWER_MAX);
    return c;
}

void
relay_command(struct session *s, const struct named_event *e)
{
    struct relay *r = s->door->relay;
    enum eventchat_verb verb;
    struct chat_command *c;

    if (!eventchat_verb_named(e->name, &verb))
        return;         /* the wire told that it is one */
    if (e->size > EVENTCHAT_COMMAND_MAX) {
        refuse(s, e, ERR_TOO_LARGE);
        return;
    }
    if (too_many(r, s->user)) {
        refuse(s, e, ERR_RATE);
        return;
    }
    c = command_new(s, e, verb);
    if (commands_take(r->commands, &s->commands, s->user_channel, &c->command,
                      sizeof *c + strlen(c->payload)) != ERR_OK) {
        on_end(r, &c->command);
        refuse(s, e, ERR_RATE);
    }
}

/* ---- beginning and end ---- */

static void
turn_ends(void *arg)
{
    struct relay *r = arg;

    commands_settle(r->commands, audience_seq(r->audience));
}

void
relay_commands(struct relay *r)
{
    const struct config *c = r->config;
    const struct commands_bounds bounds = { c->eventchat_commands_max,
                                            (size_t)c->eventchat_commands_bytes, AT_ONCE };
    char *path;

    r->commands = commands_new(&bounds, &calls, r);
    if (!config_serves(c, chat_eventchat.name))
        return;
    io_on_turn(r->io, turn_ends, r);
    path = arena_printf(r->scratch, "%s/limits", c->run);
    if (!(r->command_limits = ratelimit_open(path)))
        log_event(LOG_LEVEL_ERROR, "rate_limit_off", "path", path, "why", strerror(errno), NULL);
    arena_reset(r->scratch);
}

void
relay_commands_close(struct relay *r)
{
    if (r->commands)
        commands_close(r->commands);
}

void
relay_commands_free(struct relay *r)
{
    commands_free(r->commands);
    ratelimit_close(r->command_limits);
}
