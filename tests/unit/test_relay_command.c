/* test_relay_command - commands of eventchat, from a client's event to its answer, on a real database
 *
 * The worker is a list, run when a test says so; a port writes down what is sent; the log is followed by hand.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "relay/relay_private.h"
#include "shared/wire/eventchat.h"
#include "tests/unit/scratch.h"

#define OWNER "14"
#define APPLICANT "16"
#define NOW_MS 1700000000000

static char dir[SCRATCH_DIR], path[SCRATCH_PATH];
static struct db *db;
static struct config config;
static struct relay relay;
static struct relay_door door;
static struct session *session;
static struct arena *arena;
static char *chat;
static struct worker_job *posted[16];
static size_t n_posted;
static char out[8192];          /* payloads, one a line; "@5 [...]" for an acknowledgement */

/* ---- in place of the rest of the relay ---- */

void
worker_post(struct worker *w, struct worker_job *j)
{
    (void)w;
    posted[n_posted++] = j;
}

void
relay_stop_if_quiet(struct relay *r)
{
    (void)r;
}

static void
port_send(void *at, struct frame *f)
{
    (void)at;
    snprintf(out + strlen(out), sizeof out - strlen(out), "%.*s\n", (int)(f->len - f->payload),
             (const char *)f->bytes + f->payload);
}

static void
port_ack(void *at, int64_t ack, const char *args)
{
    (void)at;
    snprintf(out + strlen(out), sizeof out - strlen(out), "@%d %s\n", (int)ack, args);
}

static void
port_close(void *at, int code, const char *reason)
{
    (void)at;
    fail_msg("closed: %d %s", code, reason);
}

static const struct port_calls port_calls = { .send = port_send, .ack = port_ack, .close = port_close };

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
    (void)arg, (void)s, (void)code, (void)reason;
}

static const struct audience_calls audience_calls = { on_deliver, on_close };

/* ---- the world ---- */

static struct op
an_op(void)
{
    return (struct op){ .db = db, .arena = arena, .config = &config, .system = &chat_eventchat,
                        .now_ms = NOW_MS };
}

static void
make_chat(void)
{
    struct op o = an_op();
    struct meeting m = { .owner = OWNER, .name = "m", .location = "ONLINE" };
    struct pair_open open = { 0 };
    struct pair_view view;
    bool made;

    assert_int_equal(op_meeting_create(&o, &m), ERR_OK);
    assert_int_equal(op_pair_open(&o, APPLICANT, m.id, &open, &view, &made), ERR_OK);
    chat = arena_string(arena, view.chat);
}

static int64_t
head(void)
{
    struct op o = an_op();
    int64_t at, floor;

    assert_int_equal(op_log_head(&o, &at, &floor), ERR_OK);
    return at;
}

static int
setup(void **state)
{
    struct wire_hello hello = { .user = APPLICANT, .since = WIRE_SINCE_NONE };
    struct audience_state nothing = { 0 };

    (void)state;
    arena = arena_new();
    db = scratch_new(dir, path);
    config = (struct config){ .systems = "", .run = dir, .eventchat_commands_max = 3,
                              .eventchat_commands_bytes = 1 << 20, .eventchat_rate = 1000,
                              .eventchat_burst = 1000, .idempotency_keep_s = 60,
                              .log_keep_s = 60, .log_keep_events = 1000 };
    make_chat();
    relay = (struct relay){ .config = &config, .scratch = arena_new() };
    relay.audience = audience_new(head(), &audience_calls, NULL);
    relay.ring = ring_new(100, 1 << 20);
    relay_commands(&relay);
    door = (struct relay_door){ .relay = &relay, .wire = &wire_eventchat };
    session = session_new(&wire_eventchat, &hello, "127.0.0.1");
    session->door = &door;
    session->port = (struct port){ &port_calls, NULL };
    session->state = SESSION_LIVE;
    nothing.seq = head();
    assert_int_equal(audience_join(relay.audience, &session->hears, "eventchat", APPLICANT, &nothing), ERR_OK);
    n_posted = 0;
    out[0] = '\0';
    return 0;
}

static void
leave(void)
{
    if (!session)
        return;
    audience_leave(relay.audience, &session->hears);
    commands_left(relay.commands, &session->commands);
    session_free(session);
    session = NULL;
}

static int
teardown(void **state)
{
    (void)state;
    leave();
    relay_commands_close(&relay);
    relay_commands_free(&relay);
    audience_free(relay.audience);
    ring_free(relay.ring);
    arena_free(relay.scratch);
    arena_free(arena);
    db_close(db);
    scratch_remove(dir);
    return 0;
}

static void
says(const char *name, const char *data, int64_t ack)
{
    struct named_event e = { .name = name, .data = data, .size = data ? strlen(data) : 0, .ack = ack };

    relay_command(session, &e);
}

static void
sends(const char *text, int64_t ack)
{
    says("send_message", arena_printf(arena, "{\"chatId\":\"%s\",\"message\":{\"text\":\"%s\"}}", chat, text), ack);
}

static void
reads(int n, int64_t ack)
{
    says("read_messages", arena_printf(arena, "{\"chatId\":\"%s\",\"lastReadedMessageId\":%d}", chat, n), ack);
}

/* Runs the oldest job, and tells the loop. */
static void
work(void)
{
    struct worker_job *j = posted[0];
    struct op o = { .db = db, .config = &config, .now_ms = NOW_MS };

    assert_true(n_posted > 0);
    memmove(posted, posted + 1, --n_posted * sizeof *posted);
    j->arena = o.arena = arena_new();
    j->err = j->run(j, &o);
    o.arena = j->arena;
    j->done(j);
    arena_free(o.arena);
}

/* The relay is given the log up to its head. */
static void
follow(void)
{
    struct op o = an_op();
    struct event *events;
    size_t n;

    assert_int_equal(op_log_read(&o, audience_seq(relay.audience), 100, &events, &n), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        struct held *h = held_new(&events[i]);

        audience_apply(relay.audience, &h->event);
        ring_add(relay.ring, h);
        held_unref(h);
    }
}

static void
turn(void)
{
    commands_settle(relay.commands, audience_seq(relay.audience));
}

/* What was sent since, and where in it. */
static void
assert_out(const char *expected)
{
    assert_string_equal(out, expected);
    out[0] = '\0';
}

static void
assert_told(size_t n, const char *const *parts)
{
    const char *at = out;

    for (size_t i = 0; i < n; i++) {
        at = strstr(at, parts[i]);
        if (!at)
            fail_msg("no %s in %s", parts[i], out);
    }
    out[0] = '\0';
}

#define TOLD(...) \
    assert_told(sizeof (const char *[]){ __VA_ARGS__ } / sizeof (char *), (const char *const[]){ __VA_ARGS__ })

/* The owner says something by another way. */
static void
owner_sends(const char *text)
{
    struct op o = an_op();
    struct pair_message_new in = { .text = text };
    struct pair_message m;

    assert_int_equal(pair_message_check(arena, &in, NULL), ERR_OK);
    assert_int_equal(op_pair_send(&o, OWNER, chat, &in, &m), ERR_OK);
}

/* ---- tests ---- */

static void
the_answer_follows_the_log(void **state)
{
    (void)state;
    sends("hi", 5);
    assert_true(posted[0]->writes);
    work();
    turn();
    assert_out("");
    follow();
    turn();
    TOLD("chat_updates", "\"text\":\"hi\"", "chat_unread", "@5 [{\"ok\":true,\"messageId\":1}]");
    turn();
    assert_out("");
}

static void
refusals_of_the_operation(void **state)
{
    (void)state;
    says("send_message", "{\"chatId\":\"none\",\"message\":{\"text\":\"x\"}}", 5);
    work();
    turn();
    TOLD("{\"event\":\"debug_info\",\"data\":{\"code\":\"CHAT_NOT_FOUND\"", "\"event\":\"send_message\"",
         "@5 [{\"ok\":false,\"code\":\"CHAT_NOT_FOUND\"");
    says("load_history", NULL, NAMED_NO_ACK);
    work();
    turn();
    assert_null(strchr(out, '@'));
    TOLD("BAD_PAYLOAD", "\"event\":\"load_history\"");
}

static void
history_is_told_who_asks(void **state)
{
    (void)state;
    owner_sends("one");
    says("load_history", arena_printf(arena, "{\"chatId\":\"%s\",\"lastMessageId\":9}", chat), 6);
    assert_false(posted[0]->writes);
    work();
    turn();
    TOLD("{\"event\":\"history\"", "\"text\":\"one\"", "\"hasMore\":false", "@6 [{\"ok\":true}]");
}

static void
unchanged_counts_are_told(void **state)
{
    (void)state;
    owner_sends("one");
    follow();
    out[0] = '\0';
    reads(0, 5);
    work();
    turn();
    assert_out(arena_printf(arena, "{\"event\":\"chat_unread\",\"data\":{\"chatId\":\"%s\",\"myUnreadCount\":1,"
                                   "\"interlocutorUnreadCount\":0}}\n@5 [{\"ok\":true}]\n", chat));
    reads(1, 6);
    work();
    turn();
    assert_out("");
    follow();
    turn();
    TOLD("\"myUnreadCount\":0", "@6 [{\"ok\":true}]");
}

/* Read at the head of the log, told behind it: what came between the two knows better. */
static void
counts_are_never_older_than_what_was_heard(void **state)
{
    (void)state;
    reads(0, 5);
    work();
    owner_sends("meanwhile");
    follow();
    TOLD("chat_updates", "chat_unread", "\"myUnreadCount\":1");
    turn();
    assert_out("@5 [{\"ok\":true}]\n");
}

static void
what_others_heard_does_not_matter(void **state)
{
    char *mine = chat;

    (void)state;
    reads(0, 5);
    work();
    make_chat();            /* another chat of the same two */
    owner_sends("elsewhere");
    chat = mine;
    follow();
    out[0] = '\0';
    turn();
    TOLD("\"myUnreadCount\":0", "@5 [{\"ok\":true}]");
}

static void
bounds_are_told_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        sends("x", 1 + i);
    assert_out("");
    assert_int_equal(n_posted, 1);      /* one at a time */
    sends("x", 4);
    TOLD("RATE_LIMITED", "\"event\":\"send_message\"", "@4 [{\"ok\":false,\"code\":\"RATE_LIMITED\"");
    for (int i = 0; i < 3; i++)
        work();
    follow();
    out[0] = '\0';
    turn();
    TOLD("@1 ", "\"messageId\":1", "@2 ", "\"messageId\":2", "@3 ", "\"messageId\":3");
}

static void
too_large(void **state)
{
    struct named_event e = { .name = "send_message", .data = "{}", .size = EVENTCHAT_COMMAND_MAX + 1, .ack = 7 };

    (void)state;
    relay_command(session, &e);
    TOLD("PAYLOAD_TOO_LARGE", "@7 [{\"ok\":false,\"code\":\"PAYLOAD_TOO_LARGE\"");
    e.size--;
    relay_command(session, &e);
    assert_int_equal(n_posted, 1);
    work();
    turn();
    TOLD("BAD_PAYLOAD");
}

static void
a_share_of_each_user(void **state)
{
    char limits[SCRATCH_PATH + 8];

    (void)state;
    snprintf(limits, sizeof limits, "%s/limits", dir);
    relay.command_limits = ratelimit_open(limits);
    assert_non_null(relay.command_limits);
    config.eventchat_rate = 1;
    config.eventchat_burst = 2;
    sends("x", 1);
    sends("x", 2);
    assert_out("");
    sends("x", 3);
    TOLD("RATE_LIMITED", "@3 ");
}

static void
a_command_outlives_its_socket(void **state)
{
    struct op o = an_op();
    struct pair_history h;

    (void)state;
    sends("first", 1);
    sends("second", 2);
    leave();
    work();
    work();
    follow();
    turn();
    assert_out("");
    assert_int_equal(op_pair_history(&o, OWNER, chat, 100, &h), ERR_OK);
    assert_int_equal(h.n, 2);
    assert_true(commands_idle(relay.commands));
}

static void
what_never_ran_ends_with_the_relay(void **state)
{
    struct worker_job *j;

    (void)state;
    sends("first", 1);
    sends("second", 2);
    leave();
    relay_commands_close(&relay);
    j = posted[0];
    j->err = ERR_BUSY;
    j->done(j);
    assert_int_equal(n_posted, 1);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_answer_follows_the_log),
        T(refusals_of_the_operation),
        T(history_is_told_who_asks),
        T(unchanged_counts_are_told),
        T(counts_are_never_older_than_what_was_heard),
        T(what_others_heard_does_not_matter),
        T(bounds_are_told_at_once),
        T(too_large),
        T(a_share_of_each_user),
        T(a_command_outlives_its_socket),
        T(what_never_ran_ends_with_the_relay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
