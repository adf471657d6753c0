/* test_hub - links in channels, and how long a channel lives
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

#include "relay/hub.h"

#define MANY 1000

static struct hub *hub;

static int
setup(void **state)
{
    (void)state;
    hub = hub_new();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    assert_int_equal(hub_channels(hub), 0);
    assert_int_equal(hub_links(hub), 0);
    hub_free(hub);
    return 0;
}

static void
channels_live_while_they_have_links(void **state)
{
    struct hub_link a = { 0 }, b = { 0 };
    struct hub_channel *c;

    (void)state;
    assert_null(hub_find(hub, "one"));
    c = hub_get(hub, "one");
    assert_ptr_equal(hub_get(hub, "one"), c);
    assert_string_equal(hub_name(c), "one");
    hub_add(c, &a);
    hub_add(c, &b);
    assert_int_equal(hub_count(c), 2);
    assert_int_equal(hub_links(hub), 2);
    hub_remove(hub, &a);
    assert_null(a.channel);
    hub_remove(hub, &a);                /* in none: nothing happens */
    assert_ptr_equal(hub_at(c, 0), &b);
    assert_ptr_equal(hub_find(hub, "one"), c);
    hub_remove(hub, &b);
    assert_null(hub_find(hub, "one"));
}

static void
data_keeps_a_channel(void **state)
{
    struct hub_link a = { 0 };
    struct hub_channel *c = hub_get(hub, "one");
    int data;

    (void)state;
    hub_set_data(c, &data);
    hub_add(c, &a);
    hub_remove(hub, &a);
    assert_ptr_equal(hub_find(hub, "one"), c);
    assert_ptr_equal(hub_data(c), &data);
    hub_release(hub, c);                /* still has it */
    assert_int_equal(hub_channels(hub), 1);
    hub_set_data(c, NULL);
    hub_add(c, &a);
    hub_release(hub, c);                /* has a link again */
    assert_int_equal(hub_channels(hub), 1);
    hub_remove(hub, &a);
    assert_int_equal(hub_channels(hub), 0);
    hub_release(hub, hub_get(hub, "never used"));
}

static void
links_may_be_removed_while_walking_from_the_end(void **state)
{
    static struct hub_link links[MANY];
    struct hub_channel *c = hub_get(hub, "one");
    size_t seen = 0;

    (void)state;
    memset(links, 0, sizeof links);
    for (size_t i = 0; i < MANY; i++)
        hub_add(c, &links[i]);
    for (size_t i = hub_count(c); i-- > 0; seen++)
        if ((size_t)(hub_at(c, i) - links) % 3)
            hub_remove(hub, hub_at(c, i));
    assert_int_equal(seen, MANY);
    assert_int_equal(hub_count(c), (MANY + 2) / 3);
    for (size_t i = 0; i < hub_count(c); i++) {
        assert_int_equal((hub_at(c, i) - links) % 3, 0);
        assert_int_equal(hub_at(c, i)->at, i);
    }
    for (size_t i = 0; i < MANY; i++)
        hub_remove(hub, &links[i]);
}

static bool
count_some(void *arg, struct hub_channel *c)
{
    int *left = arg;

    assert_int_equal(hub_count(c), 1);
    return --*left > 0;
}

static void
each_visits_all_until_it_is_told_to_end(void **state)
{
    static struct hub_link links[MANY];
    char name[16];
    int left = MANY + 1;

    (void)state;
    memset(links, 0, sizeof links);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "c%zu", i);
        hub_add(hub_get(hub, name), &links[i]);
    }
    assert_int_equal(hub_channels(hub), MANY);
    hub_each(hub, count_some, &left);
    assert_int_equal(left, 1);
    left = 10;
    hub_each(hub, count_some, &left);
    assert_int_equal(left, 0);
    for (size_t i = 0; i < MANY; i++)
        hub_remove(hub, &links[i]);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(channels_live_while_they_have_links),
        TEST(data_keeps_a_channel),
        TEST(links_may_be_removed_while_walking_from_the_end),
        TEST(each_visits_all_until_it_is_told_to_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
