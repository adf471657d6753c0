/* relay_socket - sessions on WebSockets of their own, and strangers who say there who they are
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/mem.h"
#include "relay/relay_private.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/when.h"

#define SECOND_MS 1000
#define ANSWER_MAX 65536

/* ---- the port ---- */

static void
port_send(void *at, struct frame *f)
{
    conn_send(at, f);
}

static void
port_close(void *at, int code, const char *reason)
{
    conn_close(at, code, reason);
}

static const struct port_calls port_calls = { .send = port_send, .close = port_close };

/* ---- strangers ---- */

/* false: he said nothing of use. */
static bool
introduces_himself(struct relay *r, const struct session *s, const char *p, size_t len,
                   struct wire_hello *hello_r)
{
    struct wire_credential shown = { .query = "" };
    struct named_event e;

    if (named_read(r->scratch, p, len, &e) || strcmp(e.name, "auth") != 0 || !e.data
        || e.data[0] != '{')
        return false;
    shown.auth = e.data;
    return s->wire->named->identify(r->scratch, r->config, &shown, when_now_ms(), hello_r)
        == ERR_OK;
}

static void
turn_away(struct session *s)
{
    const struct wire_named *named = s->wire->named;
    struct sbuf out;

    sbuf_init(&out, ANSWER_MAX);
    if (named->write_bad(&out, WIRE_BAD_CREDENTIAL, NULL, NULL) && !out.failed)
        session_tell(s, named->bad_event, sbuf_str(&out));
    sbuf_fini(&out);
    session_close(s, CLOSE_CREDENTIAL, "unauthorized");
}

static void
too_late(struct wheel_entry *entry)
{
    turn_away((struct session *)(void *)((char *)entry - offsetof(struct session, late)));
}

static void
hear_stranger(struct relay *r, struct session *s, const char *p, size_t len, bool binary)
{
    struct wire_hello hello = { 0 };

    if (binary) {
        session_close(s, CLOSE_BINARY, "only text is understood");
        return;
    }
    if (!introduces_himself(r, s, p, len, &hello)) {
        turn_away(s);
        return;
    }
    wheel_clear(r->wheel, &s->late);
    relay_door_uncount(s);
    session_admit(s, &hello);
    if (relay_door_count(s))
        relay_session_known(s);
    else
        session_close(s, CLOSE_LATER, "too many connections of this user");
}

/* ---- connections ---- */

static void
on_abandoned(struct io_client *client)
{
    struct session *s = (struct session *)client;

    relay_door_uncount(s);
    session_free(s);
}

static void
on_opened(struct io_client *client, struct conn *c)
{
    struct session *s = (struct session *)client;
    struct relay *r = s->door->relay;

    s->port = (struct port){ &port_calls, c };
    relay_session_opened(s);
    if (s->state == SESSION_STRANGER)
        wheel_set(r->wheel, &s->late, r->config->socket_auth_wait_s * SECOND_MS, too_late);
    else
        relay_session_known(s);
}

static void
on_message(struct io_client *client, const char *p, size_t len, bool binary)
{
    struct session *s = (struct session *)client;
    struct relay *r = s->door->relay;

    if (s->state == SESSION_STRANGER)
        hear_stranger(r, s, p, len, binary);
    else
        session_message(s, r->config, r->scratch, when_monotonic_ms(), p, len, binary);
    arena_reset(r->scratch);
}

static void
on_closed(struct io_client *client)
{
    struct session *s = (struct session *)client;

    wheel_clear(s->door->relay->wheel, &s->late);
    relay_session_gone(s, conn_code(s->port.at));
}

const struct io_client_calls relay_client_calls = {
    .abandoned = on_abandoned,
    .opened = on_opened,
    .message = on_message,
    .closed = on_closed,
};
