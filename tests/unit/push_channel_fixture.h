/* push_channel_fixture - two clients, a namespace that keeps nothing and one that keeps history
 *
 * Included by the tests of relay/push's channels.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_PUSH_CHANNEL_FIXTURE_H
#define TESTS_PUSH_CHANNEL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "relay/push/subscription_private.h"
#include "tests/unit/push_channel_world.h"

static struct peer *ann, *bob;
static struct channel_options *plain, *kept;

static int
setup(void **state)
{
    (void)state;
    world_new();
    plain = world_namespace("");
    kept = world_namespace("h");
    kept->history_size = 1000;
    kept->recovery = WHEN_ALWAYS;
    ann = peer_new("c-ann", "ann");
    bob = peer_new("c-bob", "bob");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    world_turn();
    peer_free(ann);
    peer_free(bob);
    assert_int_equal(world.push.n_subscriptions, 0);
    assert_int_equal(hub_channels(world.push.hub), 0);
    world_free();
    return 0;
}

#define HEARS(peer, text) assert_string_equal(peer_heard(peer), text)
#define PUB(channel, rest) "{\"push\":{\"channel\":\"" channel "\",\"pub\":{" rest "}}}\n"

static inline void
subscribe(struct peer *p, const char *channel)
{
    char line[400];

    snprintf(line, sizeof line, "{\"id\":1,\"subscribe\":{\"channel\":\"%s\"}}", channel);
    peer_says(p, line);
}

static inline void
quietly(struct peer *p, const char *channel)
{
    subscribe(p, channel);
    assert_null(strstr(peer_heard(p), "error"));
}

static inline void
publish_n(const char *channel, int from, int to)
{
    char data[16];

    for (int i = from; i <= to; i++) {
        snprintf(data, sizeof data, "%d", i);
        assert_int_equal(world_publish(channel, data), PUSH_OK);
    }
}

static inline const char *
recover(struct peer *p, const char *channel, const char *epoch, int offset, int flag)
{
    char line[400];

    snprintf(line, sizeof line,
             "{\"id\":1,\"subscribe\":{\"channel\":\"%s\",\"recover\":true,\"epoch\":\"%s\",\"offset\":%d,"
             "\"flag\":%d}}",
             channel, epoch, offset, flag);
    peer_says(p, line);
    return peer_heard(p);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
