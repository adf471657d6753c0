/* test_session - a peer's life, with strings: mtchat's handshake and frames, connecting while
 * the world moves, limits
 *
 * A port stands in for the sockets: what is sent is written down.
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
#include "shared/token.h"
#include "tests/unit/relay_event.h"

struct conn {
    int closed;
};

static char out[16384];         /* payloads, one a line; "!1008 reason" for a close */
static struct conn conn;
static struct config config;
static struct audience *audience;
static struct ring *ring;
static struct session *session;
static struct arena *scratch;

static void
port_send(void *at, struct frame *f)
{
    struct conn *c = at;
    struct frame *part;
    uint32_t next = 0;

    assert_false(c->closed);
    while ((part = frame_part(f, &next))) {
        strncat(out, (const char *)part->bytes + part->payload, part->len - part->payload);
        strcat(out, "\n");
        frame_unref(part);
    }
}

static void
port_close(void *at, int code, const char *reason)
{
    struct conn *c = at;
    size_t len = strlen(out);

    assert_false(c->closed);
    c->closed = code;
    snprintf(out + len, sizeof out - len, "!%d %s\n", code, reason);
}

static const struct port_calls port_calls = { .send = port_send, .close = port_close };

static void
on_deliver(void *arg, struct audience_session *s, const struct event *e)
{
    struct frame *f = frame_text(e->body, e->body_len);

    (void)arg;
    session_hear(session_of(s), f);
    frame_unref(f);
}

static void
on_close(void *arg, struct audience_session *s, int code, const char *reason)
{
    (void)arg;
    session_close(session_of(s), code, reason);
}

static const struct audience_calls calls = { on_deliver, on_close };

/* A wire that shows event bodies as they are. */
static void
write_body(struct sbuf *b, const struct event *e)
{
    sbuf_put(b, e->body, e->body_len);
}

static struct wire wire;

static void
begin(int64_t since)
{
    struct wire_hello hello = { .user = "ann", .since = since };

    session = session_new(&wire, &hello, "127.0.0.1");
    session->port = (struct port){ &port_calls, &conn };
}

static int
setup(void **state)
{
    (void)state;
    config = (struct config){ .ws_queue_frames = 10, .ws_queue_bytes = 4096,
                              .ws_bad_frames_max = 3, .ws_frames_per_s = 5 };
    wire = wire_mtchat;
    wire.write_event = write_body;
    out[0] = '\0';
    conn.closed = 0;
    audience = audience_new(0, &calls, NULL);
    ring = ring_new(16, 1 << 20);
    scratch = arena_new();
    begin(WIRE_SINCE_NONE);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    audience_leave(audience, &session->hears);
    session_free(session);
    ring_free(ring);
    audience_free(audience);
    arena_free(scratch);
    return 0;
}

static void
apply(const struct event *e)
{
    struct held *h = held_new(e);

    audience_apply(audience, &h->event);
    ring_add(ring, h);
    held_unref(h);
}

static void
say(int64_t seq, const char *channel)
{
    struct small s;

    apply(small_event(&s, seq, channel));
}

static void
operate(int64_t seq, enum event_verb verb, const char *channel, const char *user, const char *to)
{
    struct small s;

    apply(small_operation(&s, seq, verb, channel, user, to));
}

static enum err
connected(int64_t head, const char *channel)
{
    struct connect_state state = { .head = head, .channels = &channel,
                                   .n_channels = channel ? 1 : 0 };

    return session_connected(session, audience, ring, &config, &state);
}

static void
hear(const char *text)
{
    session_message(session, &config, scratch, 0, text, strlen(text), false);
    arena_reset(scratch);
}

#define HELLO(seq) "{\"type\":\"connected\",\"employee_id\":\"ann\",\"seq\":" #seq "}\n"
#define PONG "{\"type\":\"pong\"}\n"
#define BAD "{\"type\":\"error\",\"message\":\"Invalid message format\"}\n"

/* ---- connecting ---- */

static void
first_frame_then_live(void **state)
{
    (void)state;
    assert_int_equal(connected(0, "d:1"), ERR_OK);
    say(1, "d:1");
    assert_string_equal(out, HELLO(0) "{\"e\":1}\n");
}

static void
events_since_the_read_come_from_the_ring(void **state)
{
    (void)state;
    say(1, "d:1");
    say(2, "d:1");
    say(3, "d:2");
    say(4, "user:mtchat:ann");
    say(5, "system:mtchat");
    say(6, "system:rooms");
    assert_int_equal(connected(1, "d:1"), ERR_OK);
    say(7, "d:1");
    assert_string_equal(out, HELLO(1) "{\"e\":2}\n{\"e\":4}\n{\"e\":5}\n{\"e\":7}\n");
}

static void
operations_since_the_read_count(void **state)
{
    (void)state;
    operate(1, EVENT_JOIN, "d:2", "ann", "d:2");        /* from here he hears d:2 */
    say(2, "d:2");
    operate(3, EVENT_LEAVE, "d:1", "ann", "d:1");       /* no more d:1 */
    say(4, "d:1");
    operate(5, EVENT_GONE, "d:3", NULL, "d:3");
    operate(6, EVENT_JOIN, "d:4", "bob", "d:4");        /* somebody else */
    assert_int_equal(connected(0, "d:1"), ERR_OK);
    say(7, "d:1");
    say(8, "d:2");
    say(9, "d:4");
    assert_string_equal(out, HELLO(0) "{\"e\":1}\n{\"e\":2}\n{\"e\":8}\n");
}

static void
excepted_user_does_not_hear_the_ring_either(void **state)
{
    struct small s;

    (void)state;
    small_event(&s, 1, "d:1");
    s.event.except = "ann";
    apply(&s.event);
    connected(0, "d:1");
    assert_string_equal(out, HELLO(0));
}

static void
closed_by_what_happened_since_the_read(void **state)
{
    (void)state;
    say(1, "d:1");
    operate(2, EVENT_CLOSE, "d:1", NULL, NULL);
    say(3, "d:1");
    assert_int_equal(connected(0, "d:1"), ERR_OK);
    assert_string_equal(out, HELLO(0) "{\"e\":1}\n!4404 deleted\n");
    assert_null(session->hears.listener);
}

static void
ring_too_short_reads_again(void **state)
{
    (void)state;
    for (int64_t seq = 1; seq <= 20; seq++)
        say(seq, "d:1");
    assert_int_equal(connected(3, "d:1"), ERR_BUSY);
    assert_string_equal(out, "");
    assert_null(session->hears.listener);
    assert_int_equal(connected(19, "d:1"), ERR_OK);
    assert_string_equal(out, HELLO(19) "{\"e\":20}\n");
}

static void
state_ahead_of_the_audience(void **state)
{
    (void)state;
    say(1, "d:1");
    assert_int_equal(connected(3, "d:1"), ERR_OK);
    say(2, "d:1");
    operate(3, EVENT_JOIN, "d:1", "ann", "d:1");
    say(4, "d:1");
    assert_string_equal(out, HELLO(3) "{\"e\":4}\n");
}

static void
second_tab_with_an_older_state_reads_again(void **state)
{
    struct session *first = session;

    (void)state;
    connected(5, "d:1");                /* joined d:1 at 4, say */
    begin(WIRE_SINCE_NONE);
    out[0] = '\0';
    say(1, "d:9");
    assert_int_equal(connected(0, NULL), ERR_BUSY);
    assert_string_equal(out, "");
    say(2, "d:1");                      /* before the membership */
    assert_string_equal(out, "");
    audience_leave(audience, &first->hears);
    session_free(first);
}

static void
missed_events_stand_between_first_and_live(void **state)
{
    struct small a, b, gone;
    struct event missed[3];
    const char *channel = "d:1";

    (void)state;
    session_free(session);
    begin(1);
    missed[0] = *small_event(&a, 2, channel);
    missed[1] = *small_event(&gone, 3, channel);
    missed[1].body_len = 0;             /* erased */
    missed[2] = *small_event(&b, 4, channel);
    for (int64_t seq = 1; seq <= 5; seq++)
        say(seq, channel);
    session_connected(session, audience, ring, &config,
                      &(struct connect_state){ .head = 4, .channels = &channel, .n_channels = 1,
                                               .resumed = true, .missed = missed,
                                               .n_missed = 3 });
    assert_string_equal(out, "{\"type\":\"connected\",\"employee_id\":\"ann\",\"seq\":4,"
                             "\"resumed\":true,\"missed\":2}\n{\"e\":2}\n{\"e\":4}\n{\"e\":5}\n");
}

static void
what_cannot_be_resumed_says_so(void **state)
{
    (void)state;
    session_free(session);
    begin(WIRE_SINCE_UNUSABLE);
    connected(7, NULL);
    assert_string_equal(out, "{\"type\":\"connected\",\"employee_id\":\"ann\",\"seq\":7,"
                             "\"resumed\":false}\n");
}

static void
more_bytes_than_a_queue_holds_reload(void **state)
{
    struct small s;
    struct event missed[1] = { *small_event(&s, 1, "d:1") };

    (void)state;
    session_free(session);
    begin(0);
    missed[0].body_len = 4000;          /* never looked at */
    session_connected(session, audience, ring, &config,
                      &(struct connect_state){ .head = 1, .resumed = true, .missed = missed,
                                               .n_missed = 1 });
    assert_non_null(strstr(out, "\"resumed\":false"));
}

/* ---- fixed sessions ---- */

#define CHAT "{\"type\":\"connected\",\"payload\":{\"roomId\":\"1\",\"message\":\"Подключено к чату комнаты\"}}\n"

static void
begin_fixed(void)
{
    struct wire_hello hello = { .user = "7", .room = 1, .since = WIRE_SINCE_NONE, .counted = "1:7" };

    session_free(session);
    config.rooms_frames_per_s = 5;
    wire = wire_rooms_chat;
    session = session_new(&wire, &hello, "127.0.0.1");
    session->port = (struct port){ &port_calls, &conn };
}

/* Welcome to room 1, as read at head. */
static enum err
let_in(int64_t head)
{
    struct room_connect c = { .head = head, .user = "7", .n_channels = 2, .room = 1,
                              .channels = { "room:1:chat", "user:rooms:7" } };

    return session_fixed_connected(session, audience, ring, &config, &c);
}

static void
fixed_first_frame_then_live(void **state)
{
    (void)state;
    begin_fixed();
    say(1, "room:1:chat");
    assert_int_equal(let_in(1), ERR_OK);
    say(2, "room:1:chat");
    say(3, "room:12:chat");
    say(4, "room:1:graph");
    say(5, "system:rooms");
    assert_string_equal(out, CHAT "{\"e\":2}\n");
}

static void
fixed_hears_from_the_ring_what_came_since_the_read(void **state)
{
    (void)state;
    begin_fixed();
    say(1, "room:1:chat");
    say(2, "room:1:chat");
    operate(3, EVENT_JOIN, "room:2:chat", "7", "system:rooms");     /* nothing joins one that is fixed */
    say(4, "room:2:chat");
    operate(5, EVENT_LEAVE, "room:1:chat", "7", NULL);              /* nor leaves */
    say(6, "room:1:chat");
    assert_int_equal(let_in(1), ERR_OK);
    say(7, "room:1:chat");
    assert_string_equal(out, CHAT "{\"e\":2}\n{\"e\":6}\n{\"e\":7}\n");
}

static void
fixed_reads_again_when_the_ring_is_too_short(void **state)
{
    (void)state;
    begin_fixed();
    for (int64_t seq = 1; seq <= 20; seq++)
        say(seq, "room:1:chat");
    assert_int_equal(let_in(3), ERR_BUSY);
    assert_string_equal(out, "");
    assert_null(session->hears.listener);
    assert_int_equal(let_in(19), ERR_OK);
    assert_string_equal(out, CHAT "{\"e\":20}\n");
}

static void
fixed_state_ahead_of_the_audience(void **state)
{
    (void)state;
    begin_fixed();
    say(1, "room:1:chat");
    assert_int_equal(let_in(3), ERR_OK);
    say(2, "room:1:chat");
    operate(3, EVENT_CLOSE, "user:rooms:7", NULL, "room:1:chat");
    say(4, "room:1:chat");
    assert_string_equal(out, CHAT "{\"e\":4}\n");
}

static void
fixed_is_closed_by_what_happened_since_the_read(void **state)
{
    (void)state;
    begin_fixed();
    say(1, "room:1:chat");
    operate(2, EVENT_CLOSE, "user:rooms:7", NULL, NULL);
    say(3, "room:1:chat");
    assert_int_equal(let_in(0), ERR_OK);
    assert_string_equal(out, CHAT "{\"e\":1}\n!4404 deleted\n");
    assert_null(session->hears.listener);
}

static void
fixed_hears_a_gone_channel_no_more(void **state)
{
    (void)state;
    begin_fixed();
    say(1, "room:1:chat");
    operate(2, EVENT_GONE, "room:1:chat", NULL, NULL);
    say(3, "room:1:chat");
    assert_int_equal(let_in(0), ERR_OK);
    say(4, "room:1:chat");
    assert_string_equal(out, CHAT "{\"e\":1}\n");
}

static void
fixed_is_closed_live(void **state)
{
    (void)state;
    begin_fixed();
    let_in(0);
    operate(1, EVENT_CLOSE, "room:1:chat", NULL, "room:1:chat");
    say(2, "room:1:chat");
    hear("{\"type\":\"ping\"}");
    assert_string_equal(out, CHAT "!4404 deleted\n");
}

static void
fixed_is_refused_without_a_frame(void **state)
{
    struct room_connect c = { .head = 0, .close_code = 4003, .close_reason = "no such room" };

    (void)state;
    begin_fixed();
    hear("{\"type\":\"ping\"}");
    hear("nonsense");
    assert_int_equal(session_fixed_connected(session, audience, ring, &config, &c), ERR_OK);
    hear("{\"type\":\"ping\"}");
    say(1, "room:1:chat");
    assert_string_equal(out, "!4003 no such room\n");
    assert_null(session->hears.listener);
}

#define ROOM_PONG "{\"type\":\"pong\",\"payload\":{}}\n"
#define ROOM_BAD "{\"type\":\"error\",\"payload\":{\"message\":\"Only {\\\"type\\\":\\\"ping\\\"} is understood here\"}}\n"

static void
fixed_answers_each_message(void **state)
{
    char binary[] = "{\"type\":\"ping\"}";

    (void)state;
    begin_fixed();
    config.rooms_frames_per_s = 1000;
    hear("{\"type\":\"ping\"}");            /* waits for the first frame */
    hear("[1]");
    let_in(0);
    assert_string_equal(out, CHAT ROOM_PONG ROOM_BAD);
    out[0] = '\0';
    hear("{\"x\":1,\"type\":\"ping\",\"at\":5}");
    session_message(session, &config, scratch, 0, binary, strlen(binary), true);
    hear("{\"type\":\"pong\"}");
    hear("{\"type\":1}");
    hear("{}");
    hear("12");
    hear("");
    hear("{\"type\":\"ping\"}x");
    assert_string_equal(out, ROOM_PONG ROOM_BAD ROOM_BAD ROOM_BAD ROOM_BAD ROOM_BAD ROOM_BAD ROOM_BAD);
    out[0] = '\0';
    for (int i = 0; i < 100; i++)           /* however many */
        hear("nonsense");
    assert_int_equal(strlen(out), 100 * strlen(ROOM_BAD));
}

static void
fixed_frames_a_second_are_limited(void **state)
{
    char text[8192];

    (void)state;
    begin_fixed();
    let_in(0);
    memset(text, ' ', sizeof text);
    memcpy(text, "{}", 2);
    for (int second = 0; second < 3; second++)
        for (int i = 0; i < 5; i++)         /* a long one counts once, too */
            session_message(session, &config, scratch, 5000 + second * 1000, text, sizeof text, false);
    out[0] = '\0';
    session_message(session, &config, scratch, 7999, text, sizeof text, false);
    assert_string_equal(out, "!1008 too many frames\n");
}

/* ---- messages ---- */

static void
messages_are_answered(void **state)
{
    (void)state;
    connected(0, NULL);
    out[0] = '\0';
    hear("{\"type\":\"ping\"}");
    hear("{\"type\":\"subscribe\",\"dialog_id\":\"d:2\"}");
    hear("{\"type\":\"what\"}");
    hear("[]");
    assert_string_equal(out, PONG BAD);
    say(1, "d:2");
    assert_string_equal(out, PONG BAD);
}

static void
nothing_precedes_the_first_frame(void **state)
{
    (void)state;
    hear("{\"type\":\"ping\"}");
    hear("nonsense");
    assert_string_equal(out, "");
    connected(0, NULL);
    assert_string_equal(out, HELLO(0) PONG BAD);
}

static void
bad_frames_are_counted(void **state)
{
    (void)state;
    connected(0, NULL);
    out[0] = '\0';
    hear("{");
    hear("{\"type\":1}");
    assert_string_equal(out, BAD BAD);
    session_message(session, &config, scratch, 0, "{\"type\":\"ping\"}", 15, true);
    assert_string_equal(out, BAD BAD BAD "!1008 too many bad frames\n");
    hear("{\"type\":\"ping\"}");
    say(1, "user:mtchat:ann");
    assert_string_equal(out, BAD BAD BAD "!1008 too many bad frames\n");
}

static void
frames_a_second_are_limited(void **state)
{
    (void)state;
    connected(0, NULL);
    out[0] = '\0';
    for (int second = 0; second < 3; second++)
        for (int i = 0; i < 5; i++)
            session_message(session, &config, scratch, 5000 + second * 1000, "{\"type\":\"x\"}",
                            12, false);
    assert_string_equal(out, "");
    session_message(session, &config, scratch, 7999, "{\"type\":\"x\"}", 12, false);
    assert_string_equal(out, "!1008 too many frames\n");
}

/* Reading a long message takes long: it may be sent, but leaves no room for others. */
static void
long_frames_count_more(void **state)
{
    static const char text[8192] = "{\"type\":\"x\"}";
    char *message = arena_alloc(scratch, sizeof text);

    (void)state;
    memset(message, ' ', sizeof text);
    memcpy(message, text, strlen(text));
    connected(0, NULL);
    out[0] = '\0';
    session_message(session, &config, scratch, 5000, message, sizeof text, false);
    session_message(session, &config, scratch, 6000, message, sizeof text, false);
    assert_string_equal(out, "");
    session_message(session, &config, scratch, 6999, "{\"type\":\"x\"}", 12, false);
    assert_string_equal(out, "!1008 too many frames\n");
}

/* ---- handshake ---- */

static char answer_text[512];

/* "user since" for an upgrade, "status CODE" for a refusal. */
static const char *
knock(const char *method, const char *query, bool upgrade)
{
    struct io_request r = { .method = method, .path = "/api/v1/ws", .query = query,
                            .upgrade = upgrade };
    struct io_answer a = { 0 };
    struct wire_hello hello;
    struct arena *arena = arena_new();
    char code[40] = "";

    sbuf_init(&a.body, 1000);
    sbuf_init(&a.headers, 1000);
    if (wire_mtchat.handshake(arena, &config, &r, 1000000, &hello, &a)) {
        snprintf(answer_text, sizeof answer_text, "%s %lld", hello.user, (long long)hello.since);
    } else {
        sscanf(sbuf_str(&a.body), "{\"error\":{\"code\":\"%39[A-Z_]\"", code);
        assert_string_equal(a.content_type, "application/json");
        snprintf(answer_text, sizeof answer_text, "%d %s", a.status, code);
    }
    sbuf_fini(&a.body);
    sbuf_fini(&a.headers);
    arena_free(arena);
    return answer_text;
}

static void
trusted_handshake(void **state)
{
    static const struct { const char *query, *wanted; } rows[] = {
        { "user_id=ann", "ann -1" },
        { "x=1&user_id=ann&y", "ann -1" },
        { "user_id=a+b@x", "a+b@x -1" },
        { "user_id=a%20b%2Bc", "a b+c -1" },
        { "user_id=%D0%B6", "\xd0\xb6 -1" },
        { "user_id=100%", "100% -1" },
        { "user_id=%zz", "%zz -1" },
        { "user%5Fid=ann", "ann -1" },
        { "user_id=ann&user_id=bob", "ann -1" },
        { "user_id=ann&since=0", "ann 0" },
        { "user_id=ann&since=123456789012345678", "ann 123456789012345678" },
        { "user_id=ann&since=1234567890123456789", "ann 9223372036854775807" },
        { "user_id=ann&since=-1", "ann 9223372036854775807" },
        { "user_id=ann&since=", "ann 9223372036854775807" },
        { "user_id=ann&since=1x", "ann 9223372036854775807" },
        { "", "400 BAD_REQUEST" },
        { "user_id", "400 BAD_REQUEST" },
        { "user_id=", "400 BAD_REQUEST" },
        { "sender_id=ann", "400 BAD_REQUEST" },
        { "user_id=a%00b", "400 INVALID_INPUT" },
        { "user_id=%ff", "400 INVALID_INPUT" },
    };
    char query[400] = "user_id=";

    (void)state;
    config.trusted = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(knock("GET", rows[i].query, true), rows[i].wanted);
    memset(query + 8, 'x', 256);
    assert_string_equal(knock("GET", query, true), "400 INVALID_INPUT");
    assert_string_equal(knock("GET", "user_id=ann", false), "426 BAD_REQUEST");
    assert_string_equal(knock("POST", "user_id=ann", true), "405 METHOD_NOT_ALLOWED");
    assert_string_equal(knock("POST", "user_id=ann", false), "405 METHOD_NOT_ALLOWED");
}

static void
token_handshake(void **state)
{
    static const char *const keys[] = { "secret", NULL };
    struct sbuf query;

    (void)state;
    config.jwt_keys = keys;
    config.jwt_user_id_claim = "sub";
    config.jwt_check_exp = true;
    config.jwt_audience = "";
    sbuf_init(&query, 10000);
    assert_string_equal(knock("GET", "", true), "401 UNAUTHORIZED");
    assert_string_equal(knock("GET", "user_id=ann", true), "401 UNAUTHORIZED");
    assert_string_equal(knock("GET", "token=x.y.z", true), "401 UNAUTHORIZED");
    sbuf_puts(&query, "user_id=bob&token=");
    token_mint(&query, "secret", "sub", "ann", 900, 2000, NULL);
    assert_string_equal(knock("GET", sbuf_str(&query), true), "ann -1");
    sbuf_reset(&query);
    sbuf_puts(&query, "token=");
    token_mint(&query, "secret", "sub", "ann", 900, 950, NULL);
    assert_string_equal(knock("GET", sbuf_str(&query), true), "401 UNAUTHORIZED");
    sbuf_fini(&query);
}

static void
paths_match_exactly(void **state)
{
    (void)state;
    config.systems = "mtchat";
    assert_ptr_equal(wire_find(scratch, &config, "/api/v1/ws"), &wire_mtchat);
    assert_ptr_equal(wire_find(scratch, &config, "/api/v1/%77s"), &wire_mtchat);
    assert_null(wire_find(scratch, &config, "/api/v1/ws/"));
    assert_null(wire_find(scratch, &config, "/api/v1/wsx"));
    assert_null(wire_find(scratch, &config, "/api/v1/ws%00"));
    assert_null(wire_find(scratch, &config, "//api/v1/ws"));
    config.systems = "rooms";
    assert_null(wire_find(scratch, &config, "/api/v1/ws"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(first_frame_then_live),
        TEST(events_since_the_read_come_from_the_ring),
        TEST(operations_since_the_read_count),
        TEST(excepted_user_does_not_hear_the_ring_either),
        TEST(closed_by_what_happened_since_the_read),
        TEST(ring_too_short_reads_again),
        TEST(state_ahead_of_the_audience),
        TEST(second_tab_with_an_older_state_reads_again),
        TEST(missed_events_stand_between_first_and_live),
        TEST(what_cannot_be_resumed_says_so),
        TEST(more_bytes_than_a_queue_holds_reload),
        TEST(fixed_first_frame_then_live),
        TEST(fixed_hears_from_the_ring_what_came_since_the_read),
        TEST(fixed_reads_again_when_the_ring_is_too_short),
        TEST(fixed_state_ahead_of_the_audience),
        TEST(fixed_is_closed_by_what_happened_since_the_read),
        TEST(fixed_hears_a_gone_channel_no_more),
        TEST(fixed_is_closed_live),
        TEST(fixed_is_refused_without_a_frame),
        TEST(fixed_answers_each_message),
        TEST(fixed_frames_a_second_are_limited),
        TEST(messages_are_answered),
        TEST(nothing_precedes_the_first_frame),
        TEST(bad_frames_are_counted),
        TEST(frames_a_second_are_limited),
        TEST(long_frames_count_more),
        TEST(trusted_handshake),
        TEST(token_handshake),
        TEST(paths_match_exactly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
