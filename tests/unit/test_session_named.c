/* test_session_named - sessions of systems of named events: strangers, what waits, what is answered, on either framing
 *
 * A port writes down what is sent.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "relay/session.h"
#include "tests/unit/relay_event.h"

static char out[65536];         /* payloads, one a line; "!1008 reason" for a close; "+" where it is accepted */
static struct config config;
static struct audience *audience;
static struct ring *ring;
static struct session *session;
static struct arena *scratch;
static bool closed;

static void
port_accept(void *at)
{
    (void)at;
    strcat(out, "+\n");
}

static void
port_send(void *at, struct frame *f)
{
    struct frame_view v;
    uint32_t next = 0;

    (void)at;
    assert_false(closed);
    while (frame_next(f, &next, &v)) {
        strncat(out, (const char *)v.payload, v.len);
        strcat(out, "\n");
    }
}

static void
port_ack(void *at, int64_t ack, const char *args)
{
    size_t len = strlen(out);

    (void)at;
    snprintf(out + len, sizeof out - len, "#%d %s\n", (int)ack, args);
}

static void
port_close(void *at, int code, const char *reason)
{
    size_t len = strlen(out);

    (void)at;
    assert_false(closed);
    closed = true;
    snprintf(out + len, sizeof out - len, "!%d %s\n", code, reason);
}

static const struct port_calls bare = { .send = port_send, .close = port_close };
static const struct port_calls joined = {
    .accept = port_accept, .send = port_send, .ack = port_ack, .close = port_close,
};

static void
on_deliver(void *arg, struct audience_session *s, const struct event *e)
{
    struct sbuf b;
    struct frame *f;

    (void)arg;
    sbuf_init(&b, 4096);
    wire_put_event(&b, session_of(s)->wire, e);
    f = frame_text(b.data, b.len);
    session_hear(session_of(s), f);
    frame_unref(f);
    sbuf_fini(&b);
}

static void
on_close(void *arg, struct audience_session *s, int code, const char *reason)
{
    (void)arg;
    session_close(session_of(s), code, reason);
}

static const struct audience_calls calls = { on_deliver, on_close };

/* A system with a command, which tells how to refuse. */
static struct wire wire;
static struct wire_named named;

static bool
is_command(const char *name)
{
    return strcmp(name, "do") == 0;
}

static void
write_nack(struct sbuf *json, enum wire_bad why, const char *name)
{
    sbuf_printf(json, "{\"ok\":false,\"why\":%d,\"name\":\"%s\"}", (int)why, name);
}

static void
obey(struct session *s, const struct named_event *e)
{
    session_tell(s, "did", e->data ? e->data : "null");
    session_ack(s, e->ack, "1");
}

static void
begin(const struct wire *as, const struct port_calls *port)
{
    struct wire_hello hello = { .user = port == &bare ? "" : "7", .since = WIRE_SINCE_NONE,
                                .stranger = port == &bare };

    if (session) {
        audience_leave(audience, &session->hears);
        session_free(session);
    }
    out[0] = '\0';
    closed = false;
    wire = *as;
    session = session_new(&wire, &hello, "127.0.0.1");
    session->port = (struct port){ port, NULL };
    session->command = obey;
    strcpy(session->id, "ID");
}

static void
admit(void)
{
    session_admit(session, &(struct wire_hello){ .user = "7", .since = WIRE_SINCE_NONE });
}

static int
setup(void **state)
{
    (void)state;
    config = (struct config){ .ws_queue_frames = 10, .ws_queue_bytes = 4096, .ws_message_max = 65536,
                              .ws_bad_frames_max = 3, .socket_frames_per_s = 100,
                              .socket_per_user = 64 };
    audience = audience_new(0, &calls, NULL);
    ring = ring_new(16, 1 << 20);
    scratch = arena_new();
    named = *wire_conversations.named;
    begin(&wire_conversations, &bare);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    audience_leave(audience, &session->hears);
    session_free(session);
    session = NULL;
    ring_free(ring);
    audience_free(audience);
    arena_free(scratch);
    return 0;
}

static void
say(int64_t seq, const char *channel)
{
    struct small s;
    struct held *h;

    small_event(&s, seq, channel);
    s.event.system = "conversations";
    s.event.body_len = (size_t)snprintf(s.body, sizeof s.body, "{\"event\":\"e\",\"data\":%d}",
                                        (int)seq);
    h = held_new(&s.event);
    audience_apply(audience, &h->event);
    ring_add(ring, h);
    held_unref(h);
}

static void
connected(int64_t head)
{
    struct connect_state state = { .head = head, .first = "[]" };

    assert_int_equal(session_connected(session, audience, ring, &config, &state), ERR_OK);
}

static void
hear_at(int64_t now, const char *text)
{
    session_message(session, &config, scratch, now, text, strlen(text), false);
    arena_reset(scratch);
}

static void
hear(const char *text)
{
    hear_at(0, text);
}

static void
event_at(int64_t now, const char *name, const char *data, int64_t ack)
{
    struct named_event e = { .name = name, .data = data, .size = strlen(name), .ack = ack };

    session_event(session, &config, now, &e);
}

#define CONNECTED "{\"event\":\"connected\",\"data\":{\"socket_id\":\"ID\",\"user_id\":7}}\n"
#define PONG(data) "{\"event\":\"pong\",\"data\":" data "}\n"
#define ERROR(text) "{\"event\":\"error\",\"data\":{\"code\":100,\"message\":\"" text "\"}}\n"

static void
strangers_hear_nothing(void **state)
{
    (void)state;
    assert_int_equal(session->state, SESSION_STRANGER);
    assert_true(session->counted_as_stranger);
    assert_string_equal(session->counted, "127.0.0.1");
    hear("{\"event\":\"ping\"}");
    assert_string_equal(out, "");
    admit();
    assert_int_equal(session->state, SESSION_OPENING);
    assert_false(session->counted_as_stranger);
    assert_string_equal(session->counted, "user:conversations:7");
    connected(0);
    say(1, "user:conversations:7");
    assert_string_equal(out, CONNECTED "{\"event\":\"e\",\"data\":1}\n");
}

static void
what_is_said_early_waits(void **state)
{
    (void)state;
    admit();
    hear("{\"event\":\"ping\",\"data\":[1,{\"a\":\"b\"}]}");
    hear("nonsense");
    say(1, "system:conversations");
    assert_string_equal(out, "");
    connected(0);
    assert_string_equal(out, CONNECTED "{\"event\":\"e\",\"data\":1}\n" PONG("[1,{\"a\":\"b\"}]")
                             ERROR("The frame is not valid JSON"));
    assert_int_equal(session->n_waiting, 0);
}

static void
what_waits_is_bounded(void **state)
{
    char text[50000] = "";

    (void)state;
    config.socket_frames_per_s = 1000000;
    admit();
    for (int i = 0; i < 1000; i++)
        hear("{\"event\":\"ping\"}");
    assert_string_equal(out, "");
    hear("{\"event\":\"ping\"}");
    assert_string_equal(out, "!1008 too many frames\n");
    begin(&wire_conversations, &bare);
    admit();
    memset(text, ' ', sizeof text - 1);
    for (int i = 0; i < 6; i++)
        hear(text);
    assert_string_equal(out, "!1008 too many frames\n");
}

static void
bad_frames_are_answered_and_counted(void **state)
{
    (void)state;
    admit();
    connected(0);
    out[0] = '\0';
    hear_at(60000, "[]");
    hear_at(61000, "{\"event\":\"what\"}");
    hear_at(62000, "{\"event\":\"auth\",\"data\":{\"token\":\"x\"}}");
    hear_at(63000, "{\"event\":\"ping\"}");
    assert_string_equal(out, ERROR("The frame is not a JSON object") ERROR("No such event")
                             ERROR("No such event") PONG("null"));
    out[0] = '\0';
    hear_at(119999, "{");
    assert_string_equal(out, ERROR("The frame is not valid JSON") "!1008 too many bad frames\n");
    hear_at(119999, "{\"event\":\"ping\"}");
    say(1, "user:conversations:7");
    assert_null(strstr(out, "pong"));
}

static void
a_minute_forgives(void **state)
{
    (void)state;
    admit();
    connected(0);
    for (int i = 0; i < 30; i++)
        hear_at(60000 + i * 20000, "{");
    assert_false(closed);
}

static void
bytes_are_refused(void **state)
{
    (void)state;
    admit();
    connected(0);
    out[0] = '\0';
    session_message(session, &config, scratch, 0, "{\"event\":\"ping\"}", 16, true);
    assert_string_equal(out, "!1003 only text is understood\n");
}

static void
frames_a_second_are_limited(void **state)
{
    (void)state;
    config.socket_frames_per_s = 5;
    admit();
    connected(0);
    for (int i = 0; i < 5; i++)
        hear_at(5000, "{\"event\":\"ping\"}");
    out[0] = '\0';
    hear_at(5999, "{\"event\":\"ping\"}");
    assert_string_equal(out, "!1008 too many frames\n");
}

static void
a_namespace_is_accepted_first(void **state)
{
    (void)state;
    begin(&wire_conversations_namespace, &joined);
    assert_int_equal(session->state, SESSION_OPENING);
    say(1, "system:conversations");
    assert_string_equal(out, "");
    connected(0);
    say(2, "user:conversations:7");
    assert_string_equal(out, "+\n42/conversations,[\"e\",1]\n42/conversations,[\"e\",2]\n");
    begin(&wire_conversations_path, &joined);
    connected(2);
    say(3, "user:conversations:7");
    assert_string_equal(out, "+\n42[\"e\",3]\n");
}

/* Nothing is to be sent, and that is no failure. */
static void
a_namespace_may_be_quiet(void **state)
{
    (void)state;
    begin(&wire_conversations_namespace, &joined);
    connected(0);
    assert_string_equal(out, "+\n");
    assert_int_equal(session->state, SESSION_LIVE);
}

static void
unknown_events_close_no_namespace(void **state)
{
    (void)state;
    begin(&wire_conversations_root, &joined);
    connected(0);
    out[0] = '\0';
    event_at(0, "ping", "1", 4);
    assert_string_equal(out, "42[\"error\",{\"code\":100,\"message\":\"No such event\"}]\n"
                             "#4 [{\"code\":100,\"message\":\"No such event\"}]\n");
    for (int i = 0; i < 90; i++)
        event_at(0, "what", NULL, NAMED_NO_ACK);
    assert_false(closed);
    for (int i = 0; i < 10; i++)
        event_at(0, "what", NULL, NAMED_NO_ACK);
    assert_true(closed);
}

static void
commands_are_handed_on(void **state)
{
    (void)state;
    begin(&wire_conversations, &bare);
    named.is_command = is_command;
    named.write_nack = write_nack;
    named.counts_unknown = false;
    wire.named = &named;
    admit();
    hear("{\"event\":\"do\",\"data\":{\"x\":1}}");
    connected(0);
    hear("{\"event\":\"do\"}");
    assert_string_equal(out, CONNECTED "{\"event\":\"did\",\"data\":{\"x\":1}}\n"
                             "{\"event\":\"did\",\"data\":null}\n");
    for (int i = 0; i < 20; i++)
        hear("{\"event\":\"done\"}");
    assert_false(closed);

    begin(&wire_conversations_path, &joined);
    wire.named = &named;
    connected(0);
    out[0] = '\0';
    event_at(0, "do", "2", 5);
    event_at(0, "done", "2", 6);
    assert_string_equal(out, "42[\"did\",2]\n#5 [1]\n"
                             "42[\"error\",{\"code\":100,\"message\":\"No such event\"}]\n"
                             "#6 [{\"ok\":false,\"why\":1,\"name\":\"done\"}]\n");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(strangers_hear_nothing),
        TEST(what_is_said_early_waits),
        TEST(what_waits_is_bounded),
        TEST(bad_frames_are_answered_and_counted),
        TEST(a_minute_forgives),
        TEST(bytes_are_refused),
        TEST(frames_a_second_are_limited),
        TEST(a_namespace_is_accepted_first),
        TEST(a_namespace_may_be_quiet),
        TEST(unknown_events_close_no_namespace),
        TEST(commands_are_handed_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
