/* engine_socket - the WebSockets of sessions, and the move from polling to one
 *
 * The new WebSocket is tried first: only the answer to the probe goes there, everything else to polling, until the client
 * says that it has moved. Another one is closed, and so is one on which anything else is said; the session goes on.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/socketio/engine_private.h"

#include "relay/mem.h"

#define CODE_POLICY 1008

static const char probe[] = "2probe";

static bool
says(const char *p, size_t len, const char *text)
{
    return len == strlen(text) && memcmp(p, text, len) == 0;
}

void
engine_socket_close(struct engine_socket *w, int code, const char *reason)
{
    if (!w)
        return;
    w->session = NULL;
    wheel_clear(w->engine->wheel, &w->upgrade);
    if (w->conn)
        conn_close(w->conn, code, reason);
}

/* ---- moving ---- */

static void
give_up(struct engine_socket *w, const char *reason)
{
    w->session->probe = NULL;
    w->session->probed = false;
    engine_socket_close(w, CODE_POLICY, reason);
}

static void
upgrade_due(struct wheel_entry *entry)
{
    struct engine_socket *w
        = (struct engine_socket *)(void *)((char *)entry - offsetof(struct engine_socket, upgrade));

    give_up(w, "upgrade took too long");
}

/* The GET that is held ends with the turn, and the client, which waits for that, goes on. */
static void
answer_probe(struct engine_socket *w)
{
    w->session->probed = true;
    conn_send(w->conn, w->engine->probe_answer);
    engine_mark(w->session);
}

static void
move(struct engine_socket *w)
{
    struct engine_session *s = w->session;

    wheel_clear(w->engine->wheel, &w->upgrade);
    s->probe = NULL;
    s->probed = false;
    s->socket = w;
    s->state = ENGINE_WEBSOCKET;
    if (s->receiving)
        io_exchange_on_gone(s->receiving, NULL, NULL);
    s->receiving = NULL;
    if (s->held)
        engine_answer_held(s, false, "6");
    engine_flush(s);
}

static void
hear_probing(struct engine_socket *w, const char *p, size_t len, bool binary)
{
    static const char upgrade[] = { PACKET_UPGRADE, '\0' };

    if (!binary && says(p, len, probe))
        answer_probe(w);
    else if (!binary && says(p, len, upgrade))
        move(w);
    else
        give_up(w, "not a probe");
}

/* ---- the socket ---- */

static void
opened(struct io_client *client, struct conn *c)
{
    struct engine_socket *w = (struct engine_socket *)client;
    struct engine_session *s = w->session;

    w->conn = c;
    if (!s)
        conn_close(c, CODE_POLICY, "the session has a WebSocket already");
    else if (s->socket == w)
        engine_flush(s);
    else
        wheel_set(w->engine->wheel, &w->upgrade, w->engine->config->sio_upgrade_timeout_ms,
                  upgrade_due);
}

static void
message(struct io_client *client, const char *p, size_t len, bool binary)
{
    struct engine_socket *w = (struct engine_socket *)client;
    struct engine_session *s = w->session;
    struct arena *scratch = w->engine->scratch;
    struct packet packet = { .type = PACKET_MESSAGE, .data = p, .len = len, .binary = true };

    if (!s || s->state == ENGINE_CLOSED)
        return;
    if (s->probe == w)
        hear_probing(w, p, len, binary);
    else if ((!binary && !packet_read(scratch, p, len, &packet)) || !engine_hear(s, &packet))
        engine_close(s, "protocol");
    arena_reset(scratch);
}

static void
closed(struct io_client *client)
{
    struct engine_socket *w = (struct engine_socket *)client;
    struct engine_session *s = w->session;
    struct engine *e = w->engine;

    wheel_clear(e->wheel, &w->upgrade);
    if (s && s->probe == w) {
        s->probe = NULL;
        s->probed = false;
    } else if (s) {
        s->socket = NULL;
        engine_close(s, "socket_closed");
    }
    free(w);
    e->n_sockets--;
    engine_maybe_ended(e);
}

static const struct io_client_calls calls = {
    .abandoned = closed,
    .opened = opened,
    .message = message,
    .closed = closed,
};

struct io_client *
engine_socket_new(struct engine_session *s)
{
    struct engine_socket *w = mem_new(sizeof *w);

    w->io = (struct io_client){ &calls, &s->engine->rules };
    w->engine = s->engine;
    w->engine->n_sockets++;
    if (s->state == ENGINE_WEBSOCKET && !s->socket) {
        w->session = s;
        s->socket = w;
    } else if (s->state == ENGINE_POLLING && !s->probe) {
        w->session = s;
        s->probe = w;
    }
    return &w->io;
}
