/* engine - Engine.IO sessions: their life, their queue, their heartbeat
 *
 * What ends a session only marks it: the turn's end answers what is held, closes what is open, tells the layer above
 * and frees it. So whoever calls in here never loses what he is working on.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/socketio/engine_private.h"

#include <assert.h>

#include "relay/mem.h"
#include "shared/log.h"
#include "shared/when.h"

#define CODE_NORMAL 1000
#define CODE_GOING_AWAY 1001
#define CODE_LATER 1013
#define PUNCTUAL_MS 10              /* a timer that is no later than this was on time */

void
engine_mark(struct engine_session *s)
{
    if (!s->marked)
        TAILQ_INSERT_TAIL(&s->engine->marked, s, entry);
    s->marked = true;
}

/* ---- heartbeat ---- */

static void
due_at(struct engine_session *s, int64_t at_ms, int64_t now_ms)
{
    s->due_ms = at_ms;
    io_timer_set(s->heartbeat, at_ms > now_ms ? at_ms - now_ms : 0);
}

static void
send_text(struct engine_session *s, const char *text, size_t len)
{
    struct frame *f = frame_text(text, len);

    engine_send(s, f);
    frame_unref(f);
}

/* Deadlines follow each other from when they were due, not from when we came to it; but where our loop was busy the
 * client must not suffer for it. */
static void
heartbeat_due(void *arg)
{
    static const char ping[] = { PACKET_PING };
    struct engine_session *s = arg;
    const struct config *c = s->engine->config;
    int64_t now = when_monotonic_ms(), at = now - s->due_ms <= PUNCTUAL_MS ? s->due_ms : now;

    if (now < s->due_ms) {
        due_at(s, s->due_ms, now);
    } else if (s->asked) {
        engine_close(s, "ping_timeout");
    } else {
        s->asked = true;
        s->next_ping_ms = at + c->sio_ping_interval_ms;
        due_at(s, at + c->sio_ping_timeout_ms, now);
        send_text(s, ping, sizeof ping);
    }
}

/* One that nobody asked for says nothing. */
static void
heard_pong(struct engine_session *s)
{
    if (!s->asked)
        return;
    s->asked = false;
    due_at(s, s->next_ping_ms, when_monotonic_ms());
}

/* ---- beginning ---- */

static void
queue_open_packet(struct engine_session *s)
{
    const struct config *c = s->engine->config;
    const struct packet_open o = {
        .sid = s->sid,
        .can_upgrade = s->state == ENGINE_POLLING,
        .ping_interval_ms = c->sio_ping_interval_ms,
        .ping_timeout_ms = c->sio_ping_timeout_ms,
        .max_payload = c->sio_max_payload,
    };
    struct sbuf text;

    sbuf_init(&text, 512);
    packet_put_open(&text, &o);
    send_text(s, text.data, text.len);
    sbuf_fini(&text);
}

struct engine_session *
engine_session_new(const struct engine_path *path, const struct io_request *r,
                   enum engine_state state)
{
    struct engine *e = path->engine;
    struct engine_session *s = mem_new(sizeof *s);
    struct id id = id_random();
    int64_t now = when_monotonic_ms();

    s->engine = e;
    s->path = path;
    s->state = state;
    s->node.key = id_text(&id, s->sid);
    strmap_add(&e->sids, &s->node);
    e->n_sessions++;
    outq_init(&s->queue);
    s->heartbeat = io_timer_new(e->io, heartbeat_due, s);
    due_at(s, now + e->config->sio_ping_interval_ms, now);
    queue_open_packet(s);
    s->user = path->calls->opened(path->arg, s, r);
    return s;
}

/* The map's hash is seeded and its keys are random: how long the look-up takes tells nothing of them. The clock is asked
 * here, too: a client may come to the moment at which its time was over. */
struct engine_session *
engine_find(const struct engine_path *path, const char *sid)
{
    struct strmap_node *node = strmap_find(&path->engine->sids, sid);
    struct engine_session *s = node ? STRMAP_OF(node, struct engine_session, node) : NULL;

    if (!s || s->path != path)
        return NULL;
    if (s->asked && when_monotonic_ms() >= s->due_ms) {
        engine_close(s, "ping_timeout");
        return NULL;
    }
    return s;
}

/* ---- the queue ---- */

void
engine_flush(struct engine_session *s)
{
    struct frame *f;

    if (!s->socket || !s->socket->conn)
        return;
    while ((f = outq_pop(&s->queue))) {
        conn_send(s->socket->conn, f);
        frame_unref(f);
    }
}

static enum err
queue_push(struct engine_session *s, struct frame *f)
{
    const struct config *c = s->engine->config;

    return outq_push(&s->queue, f, (uint32_t)c->sio_queue_packets, (size_t)c->sio_queue_bytes);
}

void
engine_send(struct engine_session *s, struct frame *f)
{
    enum err e;

    if (s->state == ENGINE_CLOSED)
        return;
    if (!f) {
        engine_close(s, "memory");
        return;
    }
    if (s->state == ENGINE_WEBSOCKET && s->socket && s->socket->conn) {
        conn_send(s->socket->conn, f);
        if (conn_code(s->socket->conn) != 0)    /* who does not read keeps his socket for long, but no session */
            engine_close(s, "too_slow");
        return;
    }
    if ((e = queue_push(s, f)) == ERR_TOO_SLOW && s->held) {
        engine_answer_held(s, true, NULL);      /* much at once is not yet slow */
        e = queue_push(s, f);
    }
    if (e == ERR_OK) {
        engine_mark(s);
        return;
    }
    outq_fini(&s->queue);
    engine_close(s, e == ERR_TOO_SLOW ? "too_slow" : "memory");
}

bool
engine_hear(struct engine_session *s, const struct packet *packet)
{
    if (s->state == ENGINE_CLOSED)
        return true;
    switch (packet->type) {
    case PACKET_PONG:
        heard_pong(s);
        return true;
    case PACKET_MESSAGE:
        return s->path->calls->message(s->user, packet->data, packet->len, packet->binary);
    case PACKET_CLOSE:
        s->farewell_noop = true;
        engine_close(s, "client");
        return true;
    default:
        return false;
    }
}

/* ---- ending ---- */

void
engine_set_stranger(struct engine_session *s, bool stranger)
{
    if (s->stranger == stranger)
        return;
    s->stranger = stranger;
    if (stranger)
        TAILQ_INSERT_TAIL(&s->engine->strangers, s, stranger_entry);
    else
        TAILQ_REMOVE(&s->engine->strangers, s, stranger_entry);
}

/* Who is honest says at once who he is. */
bool
engine_make_room(struct engine *e)
{
    if ((int64_t)e->n_sessions < e->config->sio_sessions_max)
        return true;
    if (TAILQ_EMPTY(&e->strangers))
        return false;
    engine_close(TAILQ_FIRST(&e->strangers), "crowd");
    return true;
}

void
engine_close(struct engine_session *s, const char *why)
{
    if (s->state == ENGINE_CLOSED)
        return;
    s->state = ENGINE_CLOSED;
    engine_set_stranger(s, false);
    if (!s->farewell_noop)
        strmap_remove(&s->engine->sids, &s->node);
    io_timer_free(s->heartbeat);
    s->heartbeat = NULL;
    if (s->receiving)
        io_exchange_on_gone(s->receiving, NULL, NULL);
    s->receiving = NULL;
    engine_mark(s);
    log_event(LOG_LEVEL_DEBUG, "sio_closed", "why", why, "path", s->path->path, NULL);
}

static void
finish(struct engine_session *s)
{
    struct engine *e = s->engine;
    int code = e->ending ? CODE_GOING_AWAY : CODE_NORMAL;

    if (s->held)
        engine_answer_held(s, !s->farewell_noop, s->farewell_noop ? "6" : "1");
    engine_flush(s);
    engine_socket_close(s->socket, code, NULL);
    engine_socket_close(s->probe, code, NULL);
    if (s->farewell_noop)
        strmap_remove(&e->sids, &s->node);
    s->path->calls->closed(s->user);
    outq_fini(&s->queue);
    free(s);
    e->n_sessions--;
}

static void
turn_ends(void *arg)
{
    struct engine *e = arg;
    struct engine_session *s;

    while ((s = TAILQ_FIRST(&e->marked))) {
        TAILQ_REMOVE(&e->marked, s, entry);
        s->marked = false;
        if (s->state == ENGINE_CLOSED)
            finish(s);
        else if (s->held && (s->queue.n > 0 || s->probed))
            engine_answer_held(s, true, s->queue.n == 0 ? "6" : NULL);
    }
    engine_maybe_ended(e);
}

void
engine_maybe_ended(struct engine *e)
{
    void (*ended)(void *arg) = e->ended;

    if (!ended || e->n_sessions > 0 || e->n_sockets > 0)
        return;
    e->ended = NULL;
    ended(e->ended_arg);
}

static void
end_one(void *arg, struct strmap_node *node)
{
    engine_close(STRMAP_OF(node, struct engine_session, node), arg);
}

void
engine_shut(struct engine *e, void (*done)(void *arg), void *arg)
{
    static char why[] = "shutdown";

    e->ending = true;
    e->ended = done;
    e->ended_arg = arg;
    strmap_each(&e->sids, end_one, why);
    engine_maybe_ended(e);
}

/* ---- the engine ---- */

static void
read_origins(struct engine *e)
{
    size_t len;
    const char *wrong
        = origin_list_read(e->arena, e->config->cors_allowed_origins, &e->origins, &len);

    if (wrong)
        log_event(LOG_LEVEL_WARNING, "origin_ignored", "setting", "cors_allowed_origins", "origin",
                  arena_copy(e->arena, wrong, len), "why", "it is not SCHEME://HOST[:PORT]", NULL);
}

struct engine *
engine_new(struct io *io, const struct config *config)
{
    struct engine *e = mem_new(sizeof *e);

    e->io = io;
    e->config = config;
    e->arena = arena_new();
    e->scratch = arena_new();
    e->rules = (struct io_rules){
        .queue_frames = config->sio_queue_packets,
        .queue_bytes = config->sio_queue_bytes,
        .slow_code = CODE_LATER,
        .slow_reason = "too slow",
        .message_max = config->sio_max_payload,
    };
    TAILQ_INIT(&e->marked);
    TAILQ_INIT(&e->strangers);
    strmap_init(&e->sids);
    read_origins(e);
    e->wheel = wheel_new(io);
    e->probe_answer = frame_text("3probe", strlen("3probe"));
    if (!e->probe_answer) {
        engine_free(e);
        return NULL;
    }
    io_on_turn(io, turn_ends, e);
    return e;
}

void
engine_free(struct engine *e)
{
    static char why[] = "end";

    if (!e)
        return;
    e->ended = NULL;
    strmap_each(&e->sids, end_one, why);
    turn_ends(e);
    strmap_fini(&e->sids);
    wheel_free(e->wheel);
    frame_unref(e->probe_answer);
    for (size_t i = 0; i < e->n_paths; i++) {
        free(e->paths[i].path);
        free((char *)e->services[2 * i + 1].path);
    }
    arena_free(e->arena);
    arena_free(e->scratch);
    free(e);
}

static struct io_service
service_of(struct engine_path *path, const char *name)
{
    return (struct io_service){
        .path = name,
        .body_max = path->engine->config->sio_max_payload,
        .request = engine_request,
        .announced = engine_announced,
        .arg = path,
        .holds = true,
    };
}

void
engine_serve(struct engine *e, const char *path, const struct engine_calls *calls, void *arg)
{
    struct engine_path *p;
    char *slashed;

    for (size_t i = 0; i < e->n_paths; i++)
        if (strcmp(e->paths[i].path, path) == 0)
            return;
    assert(e->n_paths < ENGINE_PATHS_MAX);
    p = &e->paths[e->n_paths];
    *p = (struct engine_path){ .engine = e, .path = mem_string(path), .calls = calls, .arg = arg };
    slashed = mem_new(strlen(path) + 2);
    strcpy(slashed, path);
    strcat(slashed, "/");
    e->services[2 * e->n_paths] = service_of(p, p->path);
    e->services[2 * e->n_paths + 1] = service_of(p, slashed);
    e->n_paths++;
}

const struct io_service *
engine_services(struct engine *e, size_t *n_r)
{
    *n_r = 2 * e->n_paths;
    return e->services;
}

size_t
engine_sessions(const struct engine *e)
{
    return e->n_sessions;
}

struct wheel *
engine_wheel(const struct engine *e)
{
    return e->wheel;
}
