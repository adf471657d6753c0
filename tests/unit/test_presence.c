/* test_presence - who is told to be here, in which batch; sockets counted by user
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "relay/limits.h"
#include "relay/presence.h"

#define GRACE 100

static struct presence *presence;
static char text[256];
static bool strict;

static int
setup(void **state)
{
    (void)state;
    presence = presence_new(0);
    strict = false;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    presence_free(presence);
    return 0;
}

static void
use_grace(void)
{
    presence_free(presence);
    presence = presence_new(GRACE);
}

static void
came(const char *user)
{
    char key[32];

    snprintf(key, sizeof key, "user:mtchat:%s", user);
    presence_open(presence, key, "mtchat", user, strict);
}

static void
left(const char *user, int64_t now)
{
    char key[32];

    snprintf(key, sizeof key, "user:mtchat:%s", user);
    presence_close(presence, key, now);
}

static bool
written(const char *user)
{
    char key[32];

    snprintf(key, sizeof key, "user:mtchat:%s", user);
    return presence_written(presence, key);
}

/* The next batch as "+ann -bob ". */
static const char *
batch(int64_t now)
{
    const struct live_change *changes;
    size_t n = presence_batch(presence, now, &changes);

    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(changes[i].system, "mtchat");
        strcat(strcat(strcat(text, changes[i].online ? "+" : "-"), changes[i].user), " ");
    }
    return text;
}

static void
first_and_last_socket_count(void **state)
{
    (void)state;
    came("ann");
    assert_false(written("ann"));
    assert_string_equal(batch(0), "+ann ");
    assert_false(written("ann"));
    presence_done(presence, true);
    assert_true(written("ann"));
    came("ann");
    assert_string_equal(batch(0), "");
    left("ann", 0);
    assert_string_equal(batch(0), "");
    left("ann", 0);
    assert_string_equal(batch(0), "-ann ");
    assert_false(written("ann"));       /* the row is on its way out: who comes now must wait */
    presence_done(presence, true);
    assert_int_equal(presence_users(presence), 0);
}

static void
one_batch_at_a_time(void **state)
{
    (void)state;
    came("ann");
    batch(0);
    came("bob");
    came("cyd");
    assert_string_equal(batch(0), "");
    presence_done(presence, true);
    batch(0);
    assert_true(strstr(text, "+bob ") && strstr(text, "+cyd ") && strlen(text) == 10);
    presence_done(presence, true);
}

static void
coming_and_going_between_batches_writes_nothing(void **state)
{
    (void)state;
    came("ann");
    left("ann", 0);
    assert_string_equal(batch(0), "");
    assert_int_equal(presence_users(presence), 0);
}

static void
changes_while_a_batch_flies_follow_in_the_next(void **state)
{
    (void)state;
    came("ann");
    batch(0);
    left("ann", 0);
    assert_string_equal(batch(0), "");
    presence_done(presence, true);
    assert_string_equal(batch(0), "-ann ");
    came("ann");
    presence_done(presence, true);
    assert_string_equal(batch(0), "+ann ");
    presence_done(presence, true);
    assert_true(written("ann"));
}

static void
failed_batch_is_written_again(void **state)
{
    (void)state;
    came("ann");
    batch(0);
    presence_done(presence, false);
    assert_false(written("ann"));
    assert_string_equal(batch(0), "+ann ");
    left("ann", 0);
    presence_done(presence, false);     /* it may have been committed all the same */
    assert_string_equal(batch(0), "-ann ");
    presence_done(presence, true);
    assert_int_equal(presence_users(presence), 0);
}

static void
grace_outlives_the_last_socket(void **state)
{
    (void)state;
    use_grace();
    came("ann");
    batch(600);
    presence_done(presence, true);
    assert_true(presence_due(presence) == INT64_MAX);
    left("ann", 600);
    assert_true(presence_due(presence) == 600 + GRACE);
    assert_string_equal(batch(699), "");
    came("ann");
    assert_true(written("ann"));        /* back in time: nobody notices */
    assert_string_equal(batch(900), "");
    left("ann", 900);
    assert_string_equal(batch(1000), "-ann ");
    presence_done(presence, true);
    assert_int_equal(presence_users(presence), 0);
}

static void
graces_end_in_the_order_they_began(void **state)
{
    (void)state;
    use_grace();
    came("ann");
    came("bob");
    batch(0);
    presence_done(presence, true);
    left("ann", 400);
    left("bob", 450);
    assert_true(presence_due(presence) == 400 + GRACE);
    assert_string_equal(batch(500), "-ann ");
    presence_done(presence, true);
    assert_true(presence_due(presence) == 450 + GRACE);
    assert_string_equal(batch(550), "-bob ");
}

static void
lost_lease_writes_everybody_anew(void **state)
{
    (void)state;
    came("ann");
    came("bob");
    batch(0);
    presence_done(presence, true);
    left("bob", 0);
    presence_rewrite(presence);
    assert_false(written("ann"));
    /* bob's row may be there still: nobody need have swept before the lease was taken anew */
    assert_string_equal(batch(0), "+ann -bob ");
    presence_done(presence, true);
    assert_true(written("ann"));
    assert_int_equal(presence_users(presence), 1);
    left("ann", 0);
    presence_rewrite(presence);
    came("ann");
    assert_false(written("ann"));
    assert_string_equal(batch(0), "+ann ");
}

static void
strict_ends_are_written_whoever_is_back(void **state)
{
    (void)state;
    use_grace();                        /* not for him */
    strict = true;
    came("ann");
    batch(0);
    presence_done(presence, true);
    left("ann", 0);
    came("ann");
    assert_true(presence_due(presence) == INT64_MAX);
    assert_false(written("ann"));       /* who is back waits */
    assert_string_equal(batch(0), "-ann ");
    presence_done(presence, true);
    assert_false(written("ann"));
    assert_string_equal(batch(0), "+ann ");
    left("ann", 0);                     /* while it flies */
    came("ann");
    presence_done(presence, true);
    assert_false(written("ann"));
    assert_string_equal(batch(0), "-ann ");
    presence_done(presence, false);     /* it did not end yet */
    assert_string_equal(batch(0), "-ann ");
    left("ann", 0);
    came("ann");                        /* no second end of what is over */
    presence_done(presence, true);
    assert_string_equal(batch(0), "+ann ");
    presence_done(presence, true);
    assert_true(written("ann"));
    left("ann", 0);
    assert_string_equal(batch(0), "-ann ");
    presence_done(presence, true);
    assert_int_equal(presence_users(presence), 0);
    came("ann");
    left("ann", 0);
    came("ann");                        /* nobody was told of him: there is nothing to end */
    assert_string_equal(batch(0), "+ann ");
    presence_done(presence, true);
}

static void
limits_count_by_user(void **state)
{
    struct limits *l = limits_new(2);

    (void)state;
    assert_true(limits_take(l, "ann"));
    assert_true(limits_take(l, "ann"));
    assert_false(limits_take(l, "ann"));
    assert_true(limits_take(l, "bob"));
    limits_give(l, "ann");
    assert_true(limits_take(l, "ann"));
    limits_give(l, "ann");
    limits_give(l, "ann");
    limits_give(l, "bob");
    assert_int_equal(limits_users(l), 0);
    limits_take(l, "left over");
    limits_free(l);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(first_and_last_socket_count),
        TEST(one_batch_at_a_time),
        TEST(coming_and_going_between_batches_writes_nothing),
        TEST(changes_while_a_batch_flies_follow_in_the_next),
        TEST(failed_batch_is_written_again),
        TEST(grace_outlives_the_last_socket),
        TEST(graces_end_in_the_order_they_began),
        TEST(lost_lease_writes_everybody_anew),
        TEST(strict_ends_are_written_whoever_is_back),
        cmocka_unit_test(limits_count_by_user),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
