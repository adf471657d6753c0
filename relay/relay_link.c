/* relay_link - sessions in namespaces of Socket.IO
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/mem.h"
#include "relay/relay_private.h"
#include "shared/log.h"
#include "shared/when.h"

/* ---- the port ---- */

static void
port_accept(void *at)
{
    sio_accept(at);
}

static void
port_send(void *at, struct frame *f)
{
    sio_emit_frame(at, f);
}

static void
port_ack(void *at, int64_t ack, const char *args)
{
    sio_ack(at, ack, args);
}

/* The code has no place in this protocol. */
static void
port_close(void *at, int code, const char *reason)
{
    (void)code;
    sio_drop(at, reason);
}

static const struct port_calls port_calls = {
    .accept = port_accept, .send = port_send, .ack = port_ack, .close = port_close,
};

/* ---- joining ---- */

static void
refuse(struct sio_link *link, const struct relay_door *door, const char *address, enum err e)
{
    const struct wire_named *named = door->wire->named;

    log_event(LOG_LEVEL_INFO, "join_refused", "system", door->wire->system, "why", err_word(e),
              "address", address, NULL);
    if (e == ERR_RATE)
        sio_refuse(link, "Too many connections", named->too_many);
    else
        sio_refuse(link, "Unauthorized", named->unauthorized);
}

static void
let_in(struct sio_link *link, struct session *s)
{
    s->port = (struct port){ &port_calls, link };
    sio_set_user(link, s);
    relay_session_opened(s);
    relay_session_known(s);
}

static void
on_connect(void *arg, struct sio_link *link, const struct sio_connect *c)
{
    struct relay_door *door = arg;
    struct relay *r = door->relay;
    const struct wire_credential shown = { c->auth, c->authorization, c->query };
    struct wire_hello hello = { 0 };
    struct session *s;
    enum err e;

    if (r->stopping) {
        sio_drop(link, "going away");
        return;
    }
    e = door->wire->named->identify(r->scratch, r->config, &shown, when_now_ms(), &hello);
    if (e != ERR_OK) {
        refuse(link, door, c->address, ERR_UNAUTHORIZED);
    } else {
        s = relay_door_session(door, &hello, c->address);
        if (relay_door_count(s)) {
            let_in(link, s);
        } else {
            session_free(s);
            refuse(link, door, c->address, ERR_RATE);
        }
    }
    arena_reset(r->scratch);
}

static void
on_event(struct sio_link *link, const struct sio_event *e)
{
    struct session *s = sio_user(link);
    struct relay *r = s->door->relay;
    struct named_event heard;

    named_of_args(r->scratch, e->name, e->args, e->ack, &heard);
    session_event(s, r->config, when_monotonic_ms(), &heard);
    arena_reset(r->scratch);
}

static void
on_gone(struct sio_link *link)
{
    struct session *s = sio_user(link);

    if (s)
        relay_session_gone(s, 0);
}

static const struct sio_calls calls = {
    .connect = on_connect, .event = on_event, .gone = on_gone,
};

void
relay_serve_links(struct relay *r, struct socketio *o)
{
    for (size_t i = 0; i < r->n_doors; i++)
        if (r->doors[i].wire->namespace)
            socketio_serve(o, r->doors[i].wire->path, r->doors[i].wire->namespace, &calls,
                           &r->doors[i]);
}
