/* test_audience - who hears what, as operations move them
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "relay/audience.h"
#include "tests/unit/relay_event.h"

/* A session that writes down what it hears: "1 2 !4404 ". */
struct ear {
    struct audience_session link;       /* first */
    char heard[256];
};

static void
note(struct ear *e, const char *format, int n)
{
    size_t len = strlen(e->heard);

    snprintf(e->heard + len, sizeof e->heard - len, format, n);
}

static void
on_deliver(void *arg, struct audience_session *s, const struct event *e)
{
    (void)arg;
    note((struct ear *)s, "%d ", (int)e->seq);
}

static void
on_close(void *arg, struct audience_session *s, int code, const char *reason)
{
    (void)arg;
    assert_string_equal(reason, "deleted");
    note((struct ear *)s, "!%d ", code);
}

static const struct audience_calls calls = { on_deliver, on_close };
static struct audience *audience;
static struct ear ann, ann2, bob;
static struct small small;

static int
setup(void **state)
{
    (void)state;
    audience = audience_new(0, &calls, NULL);
    memset(&ann, 0, sizeof ann);
    memset(&ann2, 0, sizeof ann2);
    memset(&bob, 0, sizeof bob);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    audience_leave(audience, &ann.link);
    audience_leave(audience, &ann2.link);
    audience_leave(audience, &bob.link);
    assert_int_equal(audience_listeners(audience), 0);
    assert_int_equal(audience_channels(audience), 0);
    assert_int_equal(audience_links(audience), 0);
    audience_free(audience);
    return 0;
}

static enum err
join(struct ear *e, const char *user, int64_t seq, const char *channel)
{
    return audience_join(audience, &e->link, "mtchat", user,
                         &(struct audience_state){ &channel, channel ? 1 : 0, seq });
}

static void
say(int64_t seq, const char *channel)
{
    audience_apply(audience, small_event(&small, seq, channel));
}

static void
operate(int64_t seq, enum event_verb verb, const char *channel, const char *user, const char *to)
{
    audience_apply(audience, small_operation(&small, seq, verb, channel, user, to));
}

static void
channel_and_implicit_ones_are_heard(void **state)
{
    (void)state;
    join(&ann, "ann", 0, "d:1");
    join(&bob, "bob", 0, "d:2");
    say(1, "d:1");
    say(2, "d:2");
    say(3, "user:mtchat:ann");
    say(4, "system:mtchat");
    say(5, "system:rooms");
    say(6, "user:rooms:ann");
    say(7, "nobody");
    assert_string_equal(ann.heard, "1 3 4 ");
    assert_string_equal(bob.heard, "2 4 ");
    assert_true(audience_seq(audience) == 7);
}

static void
every_tab_hears_and_is_one_listener(void **state)
{
    (void)state;
    join(&ann, "ann", 0, "d:1");
    join(&ann2, "ann", 0, "d:1");
    assert_int_equal(audience_listeners(audience), 1);
    assert_int_equal(audience_links(audience), 2);        /* d:1 and system: */
    say(1, "d:1");
    audience_leave(audience, &ann.link);
    say(2, "d:1");
    assert_string_equal(ann.heard, "1 ");
    assert_string_equal(ann2.heard, "1 2 ");
}

static void
several_channels_are_heard_once(void **state)
{
    const char *both[] = { "d:1", "d:2", "user:mtchat:ann", "d:1" };
    struct event e = { .seq = 1, .system = "mtchat", .channels = both, .n_channels = 4 };

    (void)state;
    audience_join(audience, &ann.link, "mtchat", "ann", &(struct audience_state){ both, 2, 0 });
    audience_apply(audience, &e);
    assert_string_equal(ann.heard, "1 ");
}

static void
excepted_user_does_not_hear(void **state)
{
    (void)state;
    join(&ann, "ann", 0, "d:1");
    join(&bob, "bob", 0, "d:1");
    small_event(&small, 1, "d:1");
    small.event.except = "ann";
    audience_apply(audience, &small.event);
    small_event(&small, 2, "d:1");
    small.event.except = "ann";
    small.event.system = "rooms";       /* another system's ann */
    audience_apply(audience, &small.event);
    assert_string_equal(ann.heard, "2 ");
    assert_string_equal(bob.heard, "1 2 ");
}

static void
operations_count_before_delivery(void **state)
{
    (void)state;
    join(&ann, "ann", 0, NULL);
    join(&bob, "bob", 0, "d:1");
    operate(1, EVENT_JOIN, "d:1", "ann", "d:1");
    operate(2, EVENT_LEAVE, "d:1", "bob", "d:1");
    operate(3, EVENT_JOIN, "d:1", "ann", "d:1");        /* once more changes nothing */
    operate(4, EVENT_JOIN, "d:1", "stranger", "d:1");
    assert_string_equal(ann.heard, "1 2 3 4 ");
    assert_string_equal(bob.heard, "1 ");
    operate(5, EVENT_LEAVE, "d:1", "ann", "d:1");
    assert_string_equal(ann.heard, "1 2 3 4 ");
}

static void
operations_move_users_of_their_system_only(void **state)
{
    (void)state;
    join(&ann, "ann", 0, "d:1");
    small_operation(&small, 1, EVENT_LEAVE, "d:1", "ann", NULL);
    small.event.system = "rooms";
    audience_apply(audience, &small.event);
    say(2, "d:1");
    assert_string_equal(ann.heard, "2 ");
}

static void
gone_empties_the_channel(void **state)
{
    struct ear many[20];

    (void)state;
    memset(many, 0, sizeof many);
    for (int i = 0; i < 20; i++) {
        char name[16];

        snprintf(name, sizeof name, "u%d", i);
        join(&many[i], name, i % 3 ? 0 : 9, "d:1");     /* every third knows better */
    }
    operate(1, EVENT_GONE, "d:1", NULL, "d:1");
    say(10, "d:1");
    for (int i = 0; i < 20; i++) {
        assert_string_equal(many[i].heard, i % 3 ? "" : "10 ");
        audience_leave(audience, &many[i].link);
    }
}

static void
close_reaches_sessions_on_the_channel(void **state)
{
    (void)state;
    join(&ann, "ann", 0, "d:1");
    join(&ann2, "ann", 5, "d:1");       /* opened after the reason to close */
    join(&bob, "bob", 0, NULL);
    operate(1, EVENT_CLOSE, "d:1", NULL, NULL);
    operate(2, EVENT_CLOSE, "user:mtchat:bob", NULL, NULL);
    assert_string_equal(ann.heard, "!4404 ");
    assert_string_equal(ann2.heard, "");
    assert_string_equal(bob.heard, "!4404 ");
}

static void
session_ignores_what_its_state_contains(void **state)
{
    (void)state;
    join(&ann, "ann", 2, "d:1");        /* the database was ahead of the bus */
    say(1, "d:1");
    say(2, "d:1");
    say(3, "d:1");
    assert_string_equal(ann.heard, "3 ");
}

static void
listener_ignores_operations_its_state_contains(void **state)
{
    (void)state;
    /* read at 3: left at 1, came back at 3, left another channel for good at 2 */
    join(&ann, "ann", 3, "d:1");
    operate(1, EVENT_LEAVE, "d:1", "ann", NULL);
    operate(2, EVENT_JOIN, "d:2", "ann", NULL);
    operate(3, EVENT_GONE, "d:1", NULL, NULL);
    say(4, "d:1");
    say(5, "d:2");
    assert_string_equal(ann.heard, "4 ");
    operate(6, EVENT_LEAVE, "d:1", "ann", NULL);
    say(7, "d:1");
    assert_string_equal(ann.heard, "4 ");
}

static void
older_state_may_not_join_a_newer_listener(void **state)
{
    (void)state;
    assert_int_equal(join(&ann, "ann", 5, "d:1"), ERR_OK);
    /* at 3 he was no member of d:1 yet; from 4 on he would hear it by the listener's channels */
    assert_int_equal(join(&ann2, "ann", 3, NULL), ERR_BUSY);
    assert_null(ann2.link.listener);
    assert_int_equal(join(&ann2, "ann", 5, "d:1"), ERR_OK);
    say(4, "d:1");
    say(6, "d:1");
    assert_string_equal(ann2.heard, "6 ");
}

static void
later_tab_does_not_change_the_listener(void **state)
{
    (void)state;
    join(&ann, "ann", 0, "d:1");
    /* read at 2, after a leaving at 2 which is yet to be applied */
    join(&ann2, "ann", 2, NULL);
    say(1, "d:1");
    operate(2, EVENT_LEAVE, "d:1", "ann", "d:1");
    say(3, "d:1");
    assert_string_equal(ann.heard, "1 ");
    assert_string_equal(ann2.heard, "");
}

static void
many_links_are_found_again(void **state)
{
    char names[500][16];
    const char *list[500];

    (void)state;
    for (int i = 0; i < 500; i++) {
        snprintf(names[i], sizeof names[i], "d:%d", i);
        list[i] = names[i];
    }
    audience_join(audience, &ann.link, "mtchat", "ann", &(struct audience_state){ list, 500, 0 });
    audience_join(audience, &bob.link, "mtchat", "bob", &(struct audience_state){ list, 500, 0 });
    assert_int_equal(audience_links(audience), 2 * 501);
    for (int i = 0; i < 500; i++)
        operate(i + 1, EVENT_LEAVE, list[i], "ann", NULL);
    assert_int_equal(audience_links(audience), 501 + 1);
    for (int i = 0; i < 500; i++)
        operate(i + 501, EVENT_GONE, list[i], NULL, NULL);
    assert_int_equal(audience_links(audience), 2);
    assert_int_equal(audience_channels(audience), 1);
}

static void
fix(struct ear *e, const char *user, int64_t seq, const char *channel)
{
    audience_fix(audience, &e->link, "mtchat", user,
                 &(struct audience_state){ &channel, channel ? 1 : 0, seq });
}

static void
fixed_session_hears_its_channels_only(void **state)
{
    (void)state;
    fix(&ann, "ann", 0, "d:1");
    fix(&bob, "bob", 0, "user:mtchat:ann");     /* nothing is implicit, anything may be settled */
    say(1, "d:1");
    say(2, "system:mtchat");
    say(3, "user:mtchat:ann");
    assert_string_equal(ann.heard, "1 ");
    assert_string_equal(bob.heard, "3 ");
}

static void
fixed_session_is_not_moved_by_operations_on_its_user(void **state)
{
    (void)state;
    fix(&ann, "ann", 0, "d:1");
    operate(1, EVENT_JOIN, "d:2", "ann", "d:2");
    operate(2, EVENT_LEAVE, "d:1", "ann", "d:1");
    operate(3, EVENT_CLOSE, "user:mtchat:ann", NULL, NULL);
    assert_string_equal(ann.heard, "2 ");
}

static void
fixed_session_ends_with_its_channel(void **state)
{
    (void)state;
    fix(&ann, "ann", 0, "d:1");
    fix(&bob, "bob", 5, "d:1");         /* connected after both */
    operate(1, EVENT_CLOSE, "d:1", NULL, "d:1");
    operate(2, EVENT_GONE, "d:1", NULL, "d:1");
    say(6, "d:1");
    assert_string_equal(ann.heard, "!4404 1 ");
    assert_string_equal(bob.heard, "6 ");
}

/* As sockets of a room are: one channel to hear, others that only close. */
static void
fixed_session_is_closed_on_any_of_its_channels(void **state)
{
    const char *anns[] = { "room:1:chat", "user:rooms:7" }, *bobs[] = { "room:12:chat", "user:rooms:8" };

    (void)state;
    audience_fix(audience, &ann.link, "rooms", "7", &(struct audience_state){ anns, 2, 0 });
    audience_fix(audience, &ann2.link, "rooms", "7", &(struct audience_state){ anns, 2, 2 });
    audience_fix(audience, &bob.link, "rooms", "8", &(struct audience_state){ bobs, 2, 0 });
    say(1, "room:1:chat");
    operate(2, EVENT_CLOSE, "user:rooms:7", NULL, NULL);
    operate(3, EVENT_CLOSE, "room:12:chat", NULL, NULL);
    assert_string_equal(ann.heard, "1 !4404 ");
    assert_string_equal(ann2.heard, "");        /* connected after it */
    assert_string_equal(bob.heard, "!4404 ");
}

static void
fixed_sessions_of_a_user_are_apart(void **state)
{
    (void)state;
    join(&ann, "ann", 0, "d:1");
    fix(&ann2, "ann", 0, "d:1");        /* the same user: a listener each */
    fix(&bob, "bob", 0, "d:1");
    assert_int_equal(audience_listeners(audience), 3);
    operate(1, EVENT_LEAVE, "d:1", "ann", NULL);
    small_event(&small, 2, "d:1");
    small.event.except = "bob";
    audience_apply(audience, &small.event);
    small_event(&small, 3, "d:1");
    small.event.except = "ann";
    audience_apply(audience, &small.event);
    assert_string_equal(ann.heard, "");
    assert_string_equal(ann2.heard, "2 ");
    assert_string_equal(bob.heard, "3 ");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(channel_and_implicit_ones_are_heard),
        TEST(every_tab_hears_and_is_one_listener),
        TEST(several_channels_are_heard_once),
        TEST(excepted_user_does_not_hear),
        TEST(operations_count_before_delivery),
        TEST(operations_move_users_of_their_system_only),
        TEST(gone_empties_the_channel),
        TEST(close_reaches_sessions_on_the_channel),
        TEST(session_ignores_what_its_state_contains),
        TEST(listener_ignores_operations_its_state_contains),
        TEST(older_state_may_not_join_a_newer_listener),
        TEST(later_tab_does_not_change_the_listener),
        TEST(many_links_are_found_again),
        TEST(fixed_session_hears_its_channels_only),
        TEST(fixed_session_is_not_moved_by_operations_on_its_user),
        TEST(fixed_session_ends_with_its_channel),
        TEST(fixed_session_is_closed_on_any_of_its_channels),
        TEST(fixed_sessions_of_a_user_are_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
