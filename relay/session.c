/* session - a user's life through a port: connecting, hearing, ending
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/session.h"

#include "relay/mem.h"
#include "shared/fault.h"

#define FRAME_MAX (64u << 20)   /* bytes of one rendered event; more cannot come from a request */

static char *
copy(const char *text)
{
    return text ? mem_string(text) : NULL;
}

struct session *
session_new(const struct wire *wire, const struct wire_hello *hello, const char *address)
{
    struct session *s = mem_new(sizeof *s);
    struct id id = id_random();

    s->wire = wire;
    id_text(&id, s->id);
    s->address = mem_string(address);
    s->key = copy(hello->key);
    s->room = hello->room;
    s->refused_code = hello->close_code;
    s->refused_reason = hello->close_reason;
    s->since = hello->since;
    STAILQ_INIT(&s->waiting_messages);
    session_admit(s, hello);
    if (hello->stranger)
        s->state = SESSION_STRANGER;
    return s;
}

/* A stranger is counted by his address until he is known. */
void
session_admit(struct session *s, const struct wire_hello *hello)
{
    struct arena *a = arena_new();

    free(s->user);
    free(s->user_channel);
    free(s->counted);
    s->user = mem_string(hello->user);
    s->user_channel = mem_string(channel_of_user(a, s->wire->system, hello->user));
    s->counted = copy(hello->stranger ? s->address
                      : s->wire->fixed ? hello->counted
                                       : s->user_channel);
    s->counted_as_stranger = hello->stranger;
    s->name = copy(hello->name);
    s->picture = copy(hello->picture);
    s->expires_ms = hello->expires_ms;
    s->state = SESSION_OPENING;
    arena_free(a);
}

void
session_free(struct session *s)
{
    if (!s)
        return;
    free(s->user);
    free(s->user_channel);
    free(s->counted);
    free(s->address);
    free(s->key);
    free(s->name);
    free(s->picture);
    session_forget(s);
    free(s);
}

void
session_hear(struct session *s, struct frame *f)
{
    if (s->state == SESSION_LIVE)
        s->port.calls->send(s->port.at, f);
}

void
session_close(struct session *s, int code, const char *reason)
{
    if (s->state == SESSION_GONE || s->closing)
        return;
    s->state = SESSION_DOOMED;
    s->closing = true;
    s->port.calls->close(s->port.at, code, reason);
}

/* ---- to this client alone ---- */

void
session_say(struct session *s, const char *payload, size_t len)
{
    struct frame *f = frame_text(payload, len);

    if (!f) {
        session_close(s, CLOSE_LATER, "out of memory");
        return;
    }
    s->port.calls->send(s->port.at, f);
    frame_unref(f);
}

void
session_tell(struct session *s, const char *event, const char *payload)
{
    struct sbuf out;

    if (s->state != SESSION_LIVE && s->state != SESSION_STRANGER)
        return;
    sbuf_init(&out, FRAME_MAX);
    named_put(&out, s->wire->namespace, event, payload);
    if (!out.failed)
        session_say(s, out.data, out.len);
    sbuf_fini(&out);
}

void
session_ack(struct session *s, int64_t ack, const char *json)
{
    struct sbuf out;

    if (s->state != SESSION_LIVE || !s->port.calls->ack || ack == NAMED_NO_ACK)
        return;
    sbuf_init(&out, FRAME_MAX);
    sbuf_printf(&out, "[%s]", json);
    s->port.calls->ack(s->port.at, ack, sbuf_str(&out));
    sbuf_fini(&out);
}

/* ---- connecting ---- */

/* What happened between the state read from the database and where the audience stands, seen by one user. */
struct replay {
    struct session *s;
    const char **channels;
    size_t n;
    const struct event **heard;     /* in order */
    size_t n_heard;
    const struct event_operation *closed;   /* NULL: not closed */
};

static size_t
replay_find(const struct replay *r, const char *channel)
{
    size_t i = 0;

    while (i < r->n && strcmp(r->channels[i], channel) != 0)
        i++;
    return i;
}

static bool
replay_hears(const struct replay *r, const char *channel)
{
    size_t system = strlen("system:");

    if (replay_find(r, channel) < r->n)
        return true;
    if (r->s->wire->fixed)
        return false;
    return strcmp(channel, r->s->user_channel) == 0
        || (strncmp(channel, "system:", system) == 0
            && strcmp(channel + system, r->s->wire->system) == 0);
}

static void
replay_operate(struct replay *r, const struct event *e, const struct event_operation *op)
{
    bool mine = !r->s->wire->fixed && op->user && strcmp(e->system, r->s->wire->system) == 0
        && strcmp(op->user, r->s->user) == 0;
    size_t at = replay_find(r, op->channel);

    switch (op->verb) {
    case EVENT_JOIN:
        if (mine && at == r->n)
            r->channels[r->n++] = op->channel;
        break;
    case EVENT_LEAVE:
        if (mine && at < r->n)
            r->channels[at] = r->channels[--r->n];
        break;
    case EVENT_GONE:
        if (at < r->n)
            r->channels[at] = r->channels[--r->n];
        break;
    case EVENT_CLOSE:
        if (!r->closed && replay_hears(r, op->channel))
            r->closed = op;
        break;
    }
}

static void
replay_event(struct replay *r, const struct event *e)
{
    for (size_t i = 0; i < e->n_operations; i++)
        replay_operate(r, e, &e->operations[i]);
    if (r->closed || (e->except && strcmp(e->except, r->s->user) == 0
                      && strcmp(e->system, r->s->wire->system) == 0))
        return;
    for (size_t i = 0; i < e->n_channels; i++)
        if (replay_hears(r, e->channels[i])) {
            r->heard[r->n_heard++] = e;
            return;
        }
}

/* Runs (state->head, upto] through the user's channels. The arrays are the caller's to free. */
static void
replay_run(struct replay *r, const struct ring *ring, const struct connect_state *state,
           int64_t upto)
{
    size_t joins = 0;

    for (int64_t seq = state->head + 1; seq <= upto; seq++)
        joins += ring_get(ring, seq)->n_operations;
    r->channels = mem_new((state->n_channels + joins) * sizeof *r->channels);
    if (state->n_channels)
        memcpy(r->channels, state->channels, state->n_channels * sizeof *r->channels);
    r->n = state->n_channels;
    r->heard = mem_new((upto > state->head ? (size_t)(upto - state->head) : 0) *
                       sizeof *r->heard);
    for (int64_t seq = state->head + 1; seq <= upto && !r->closed; seq++)
        replay_event(r, ring_get(ring, seq));
}

/* The first frame and what follows it at once. They are queued as one piece, so that a queue
 * shorter than what was missed cannot turn a client away for ever. */
struct burst {
    struct frame **list;
    size_t n;
    struct sbuf text;
    bool failed;
};

static void
burst_add(struct burst *b)
{
    if (b->text.failed || !(b->list[b->n] = frame_text(b->text.data, b->text.len)))
        b->failed = true;
    else
        b->n++;
}

static void
burst_event(struct burst *b, const struct wire *wire, const struct event *e)
{
    if (e->body_len == 0)
        return;         /* erased since */
    sbuf_reset(&b->text);
    wire_put_event(&b->text, wire, e);
    if (b->text.failed || b->text.len > 0)
        burst_add(b);
}

static void
burst_send(struct burst *b, struct session *s)
{
    struct frame *all = b->failed ? NULL : frame_join(b->list, b->n);

    if (all)
        s->port.calls->send(s->port.at, all);
    else if (b->failed || b->n > 0)
        session_close(s, CLOSE_LATER, "out of memory");
    frame_unref(all);
    for (size_t i = 0; i < b->n; i++)
        frame_unref(b->list[i]);
    free(b->list);
    sbuf_fini(&b->text);
}

/* Events that are no longer there have no frame to count. */
static size_t
count_missed(const struct connect_state *state)
{
    size_t n = 0;

    for (size_t i = 0; i < state->n_missed; i++)
        n += state->missed[i].body_len > 0;
    return n;
}

/* A queue that one burst fills would be too slow at the next event. */
static bool
fits(const struct config *config, const struct connect_state *state)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < state->n_missed; i++)
        bytes += (int64_t)state->missed[i].body_len;
    return bytes <= config->ws_queue_bytes / 4 * 3;
}

static void
welcome(struct session *s, const struct config *config, const struct connect_state *state,
        const struct replay *r)
{
    bool resumed = state->resumed && fits(config, state);
    struct wire_welcome w = { s->user, s->room, state->head, s->since != WIRE_SINCE_NONE, resumed,
                              resumed ? count_missed(state) : 0, s->id, state->first };
    struct burst b = { .list = mem_new((1 + state->n_missed + r->n_heard) * sizeof *b.list) };

    sbuf_init(&b.text, FRAME_MAX);
    if (s->port.calls->accept)
        s->port.calls->accept(s->port.at);
    s->wire->write_welcome(&b.text, &w);
    if (b.text.failed || b.text.len > 0)
        burst_add(&b);
    for (size_t i = 0; resumed && i < state->n_missed; i++)
        burst_event(&b, s->wire, &state->missed[i]);
    for (size_t i = 0; i < r->n_heard; i++)
        burst_event(&b, s->wire, r->heard[i]);
    burst_send(&b, s);
}

static enum err
enter(struct session *s, struct audience *audience, const struct audience_state *state)
{
    if (!s->wire->fixed)
        return audience_join(audience, &s->hears, s->wire->system, s->user, state);
    audience_fix(audience, &s->hears, s->wire->system, s->user, state);
    return ERR_OK;
}

enum err
session_connected(struct session *s, struct audience *audience, const struct ring *ring,
                  const struct config *config, const struct connect_state *state)
{
    int64_t stands = audience_seq(audience), upto = state->head > stands ? state->head : stands;
    struct replay r = { .s = s };
    enum err e = ERR_OK;

    if (!ring_covers(ring, state->head, stands))
        return ERR_BUSY;
    replay_run(&r, ring, state, stands);
    if (!r.closed)
        e = enter(s, audience, &(struct audience_state){ r.channels, r.n, upto });
    if (e == ERR_OK) {
        FAULT("relay.connected");
        s->state = SESSION_LIVE;
        welcome(s, config, state, &r);
        if (r.closed)
            session_close(s, r.closed->code, r.closed->reason);
        else
            session_resume(s, config);
    }
    free(r.channels);
    free(r.heard);
    return e;
}

enum err
session_fixed_connected(struct session *s, struct audience *audience, const struct ring *ring,
                        const struct config *config, const struct room_connect *connect)
{
    struct connect_state state = { .head = connect->head, .n_channels = connect->n_channels };

    if (connect->close_code) {
        session_close(s, connect->close_code, connect->close_reason);
        return ERR_OK;
    }
    state.channels = (const char **)connect->channels;
    s->room = connect->room;
    return session_connected(s, audience, ring, config, &state);
}
