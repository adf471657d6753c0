/* test_push_subscription - one client in one channel: who may, where it begins, how it ends
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/push_channel_fixture.h"

/* ---- who may ---- */

static void
who_may_subscribe(void **state)
{
    struct channel_options *o = world_namespace("t");
    struct peer *nobody = peer_new("c-0", "");

    (void)state;
    o->subscribe = SUBSCRIBE_TOKEN;
    o->user_limited = true;
    subscribe(ann, "t:x");
    HEARS(ann, "{\"id\":1,\"error\":{\"code\":103,\"message\":\"permission denied\"}}\n");
    subscribe(ann, "t:x#ann");
    HEARS(ann, "{\"id\":1,\"subscribe\":{}}\n");
    o->subscribe = SUBSCRIBE_ANYONE;
    subscribe(bob, "t:x#ann");
    HEARS(bob, "{\"id\":1,\"error\":{\"code\":103,\"message\":\"permission denied\"}}\n");
    o->subscribe = SUBSCRIBE_USER;
    quietly(bob, "t:y");
    subscribe(nobody, "t:y");
    HEARS(nobody, "{\"id\":1,\"error\":{\"code\":103,\"message\":\"permission denied\"}}\n");
    subscribe(ann, "$p");
    HEARS(ann, "{\"id\":1,\"error\":{\"code\":103,\"message\":\"permission denied\"}}\n");
    subscribe(ann, "nowhere:p");
    HEARS(ann, "{\"id\":1,\"error\":{\"code\":102,\"message\":\"unknown channel\"}}\n");
    peer_free(nobody);
}

static const char *
with_token(struct peer *p, const char *channel, const char *token)
{
    char line[400];

    snprintf(line, sizeof line, "{\"id\":1,\"subscribe\":{\"channel\":\"%s\",\"token\":\"%s\"}}", channel,
             token);
    peer_says(p, line);
    return peer_heard(p);
}

static void
tokens_open_what_they_name(void **state)
{
    (void)state;
    assert_string_equal(with_token(ann, "$p", "expired"),
                        "{\"id\":1,\"error\":{\"code\":109,\"message\":\"token expired\"}}\n");
    assert_string_equal(with_token(ann, "$p", "rubbish"),
                        "{\"id\":1,\"error\":{\"code\":103,\"message\":\"permission denied\"}}\n");
    assert_string_equal(with_token(ann, "$p", "ann $p * -1 *"),
                        "{\"id\":1,\"error\":{\"code\":110,\"message\":\"expired\"}}\n");
    assert_string_equal(with_token(ann, "$p", "ann $p c-ann 0 *"), "{\"id\":1,\"subscribe\":{}}\n");
    assert_string_equal(with_token(ann, "$q", "ann $q * 60 *"),
                        "{\"id\":1,\"subscribe\":{\"expires\":true,\"ttl\":60}}\n");
    assert_string_equal(with_token(bob, "$p", "ann $p * 0 *"), "!3500 invalid token\n");
    bob->conn.closed = 0;
    assert_string_equal(with_token(bob, "$p", "bob $q * 0 *"), "!3500 invalid token\n");
    bob->conn.closed = 0;
    assert_string_equal(with_token(bob, "$p", "bob $p c-ann 0 *"), "!3500 invalid token\n");
}

static void
names_and_limits(void **state)
{
    static char longest[300];

    (void)state;
    memset(longest, 'n', 256);
    subscribe(ann, longest);
    HEARS(ann, "{\"id\":1,\"error\":{\"code\":107,\"message\":\"bad request\"}}\n");
    longest[255] = '\0';
    quietly(ann, longest);
    subscribe(ann, longest);
    HEARS(ann, "{\"id\":1,\"error\":{\"code\":105,\"message\":\"already subscribed\"}}\n");
    world.config.push_channels_per_client = 2;
    quietly(ann, "b");
    subscribe(ann, "c");
    HEARS(ann, "{\"id\":1,\"error\":{\"code\":106,\"message\":\"limit exceeded\"}}\n");
    plain->subscribers_max = 1;
    subscribe(bob, "b");
    HEARS(bob, "{\"id\":1,\"error\":{\"code\":106,\"message\":\"limit exceeded\"}}\n");
    plain->subscribers_max = 0;
    plain->subscriptions_max = 2;
    subscribe(bob, "d");
    HEARS(bob, "{\"id\":1,\"error\":{\"code\":106,\"message\":\"limit exceeded\"}}\n");
    assert_int_equal(world.push.counters[PUSH_COUNT_SHED_NAMESPACE], 2);
    peer_says(ann, "{\"id\":2,\"unsubscribe\":{\"channel\":\"b\"}}");
    quietly(bob, "d");
}

static void
malformed_subscribes_close(void **state)
{
    (void)state;
    peer_says(ann, "{\"id\":1,\"subscribe\":{\"channel\":\"h:a\",\"delta\":\"xdelta\"}}");
    HEARS(ann, "!3501 bad request\n");
    subscribe(bob, "");
    HEARS(bob, "!3501 bad request\n");
}

/* ---- recovery ---- */

static void
positions_follow_each_other(void **state)
{
    (void)state;
    publish_n("h:a", 1, 2);
    subscribe(ann, "h:a");
    HEARS(ann, "{\"id\":1,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e0\","
               "\"offset\":2}}\n");
    publish_n("h:a", 3, 4);
    world_turn();
    HEARS(ann, PUB("h:a", "\"data\":3,\"offset\":3") PUB("h:a", "\"data\":4,\"offset\":4"));
    world_publish_with(&(struct op_publish){ .channel = "h:a", .data = "0", .data_len = 1,
                                             .skip_history = true });
    publish_n("h:a", 5, 5);
    world_turn();
    HEARS(ann, PUB("h:a", "\"data\":0") PUB("h:a", "\"data\":5,\"offset\":5"));
}

static void
missed_publications_are_recovered(void **state)
{
    (void)state;
    publish_n("h:a", 1, 3);
    assert_string_equal(
        recover(ann, "h:a", "e0", 1, 0),
        "{\"id\":1,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e0\",\"offset\":1,"
        "\"publications\":[{\"data\":2,\"offset\":2},{\"data\":3,\"offset\":3}],\"recovered\":true,"
        "\"was_recovering\":true}}\n");
    publish_n("h:a", 4, 4);
    world_turn();
    HEARS(ann, PUB("h:a", "\"data\":4,\"offset\":4"));
    assert_string_equal(recover(bob, "h:a", "", 4, 0),
                        "{\"id\":1,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e0\","
                        "\"offset\":4,\"recovered\":true,\"was_recovering\":true}}\n");
    assert_int_equal(world.push.counters[PUSH_COUNT_RECOVERED], 2);
}

#define FAILED(top)                                                                                 \
    "{\"id\":1,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e0\",\"offset\":" top \
    ",\"was_recovering\":true}}\n"
#define LOST "{\"id\":1,\"error\":{\"code\":112,\"message\":\"unrecoverable position\"}}\n"

static void
what_cannot_be_recovered(void **state)
{
    (void)state;
    publish_n("h:a", 1, 3);
    assert_string_equal(recover(ann, "h:a", "other", 1, 0), FAILED("3"));
    assert_string_equal(recover(bob, "h:a", "other", 1, 2), LOST);
    assert_string_equal(recover(bob, "h:a", "e0", 4, 2), LOST);     /* from the future */
    world_store_trim("h:a", 2);
    assert_string_equal(recover(bob, "h:a", "e0", 1, 3), LOST);     /* 2 has left the window */
    assert_null(strstr(recover(bob, "h:a", "e0", 2, 2), "error"));
    assert_int_equal(world.push.counters[PUSH_COUNT_NOT_RECOVERED], 4);
}

static void
not_more_than_the_limit_is_recovered(void **state)
{
    (void)state;
    world.config.push_history_max = 300;
    publish_n("h:a", 1, 301);
    assert_string_equal(recover(ann, "h:a", "e0", 0, 0), FAILED("301"));
    assert_non_null(strstr(recover(bob, "h:a", "e0", 1, 0), "\"recovered\":true"));
}

static void
recovery_is_for_those_who_may(void **state)
{
    (void)state;
    kept->recovery = WHEN_ALLOWED;
    subscribe(ann, "h:a");
    HEARS(ann, "{\"id\":1,\"subscribe\":{}}\n");
    peer_says(bob, "{\"id\":1,\"subscribe\":{\"channel\":\"h:a\",\"recoverable\":true}}");
    HEARS(bob, "{\"id\":1,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e0\","
               "\"offset\":0}}\n");
    kept->recovery = WHEN_OFF;
    kept->positioning = WHEN_ALLOWED;
    peer_says(bob, "{\"id\":1,\"subscribe\":{\"channel\":\"h:b\",\"positioned\":true,\"recover\":true}}");
    HEARS(bob, "{\"id\":1,\"subscribe\":{\"positioned\":true,\"epoch\":\"e0\",\"offset\":0}}\n");
}

static void
a_cache_gives_the_newest_only(void **state)
{
    (void)state;
    kept->recovery_mode = RECOVERY_CACHE;
    assert_string_equal(recover(ann, "h:a", "", 0, 0), FAILED("0"));
    publish_n("h:a", 1, 3);
    assert_string_equal(
        recover(bob, "h:a", "gone", 1, 0),
        "{\"id\":1,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e0\",\"offset\":3,"
        "\"publications\":[{\"data\":3,\"offset\":3}],\"recovered\":true,\"was_recovering\":true}}\n");
    peer_says(bob, "{\"id\":2,\"unsubscribe\":{\"channel\":\"h:a\"}}");
    peer_heard(bob);
    assert_string_equal(recover(bob, "h:a", "e0", 3, 0),
                        "{\"id\":1,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e0\","
                        "\"offset\":3,\"recovered\":true,\"was_recovering\":true}}\n");
}

static void
a_hole_ends_the_subscription(void **state)
{
    (void)state;
    kept->join_leave = WHEN_ALWAYS;
    quietly(bob, "h:a");
    quietly(ann, "h:a");
    peer_heard(bob);
    bob->c.bare = true;
    subscription_find(&bob->c, "h:a")->server_side = true;
    world_store_lose("h:a");
    publish_n("h:a", 1, 2);
    world_turn();
    HEARS(ann, "{\"push\":{\"channel\":\"h:a\",\"unsubscribe\":{\"code\":2500,\"reason\":\"insufficient "
               "state\"}}}\n");
    assert_null(subscription_find(&ann->c, "h:a"));
    assert_int_equal(bob->conn.closed, CLOSE_INSUFFICIENT_STATE);
    assert_null(strstr(peer_heard(bob), "pub"));
}

static void
a_stream_made_anew_is_a_hole(void **state)
{
    (void)state;
    publish_n("h:a", 1, 2);
    quietly(ann, "h:a");
    world_store_forget("h:a");
    publish_n("h:a", 1, 1);
    world_turn();
    assert_non_null(strstr(peer_heard(ann), "2500"));
}

static void
a_hole_within_one_turn_ends_everybody(void **state)
{
    (void)state;
    quietly(ann, "h:a");
    quietly(bob, "h:a");
    publish_n("h:a", 1, 1);
    world_store_lose("h:a");
    publish_n("h:a", 3, 3);
    world_turn();
    assert_non_null(strstr(peer_heard(ann), "2500"));
    assert_non_null(strstr(peer_heard(bob), "2500"));
    assert_int_equal(hub_channels(world.push.hub), 0);
}

static void
leaving_with_a_hole_pending(void **state)
{
    (void)state;
    quietly(ann, "h:a");
    world_store_lose("h:a");
    publish_n("h:a", 1, 1);
    peer_says(ann, "{\"id\":2,\"unsubscribe\":{\"channel\":\"h:a\"}}");
    assert_non_null(strstr(peer_heard(ann), "{\"id\":2,\"unsubscribe\":{}}\n"));
}

/* ---- while the store is asked ---- */

static void
nothing_falls_between(void **state)
{
    (void)state;
    world.async = true;
    publish_n("h:a", 1, 1);
    subscribe(ann, "h:a");
    publish_n("h:a", 2, 3);         /* in the answer already */
    world_turn();
    HEARS(ann, "");
    world_store_answer();
    HEARS(ann, "{\"id\":1,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e0\","
               "\"offset\":3}}\n");
    publish_n("h:a", 4, 4);
    world_turn();
    HEARS(ann, PUB("h:a", "\"data\":4,\"offset\":4"));
}

static void
what_the_answer_lacks_follows_it(void **state)
{
    (void)state;
    world.async = true;
    publish_n("h:a", 1, 1);
    subscribe(ann, "h:a");
    world_store_freeze();           /* the answer is as old as the question */
    publish_n("h:a", 2, 2);
    world_turn();
    publish_n("h:a", 3, 3);         /* pending in this turn */
    world_publish_with(&(struct op_publish){ .channel = "h:a", .data = "0", .data_len = 1,
                                             .skip_history = true });
    world_store_answer();
    HEARS(ann, "{\"id\":1,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e0\","
               "\"offset\":1}}\n" PUB("h:a", "\"data\":2,\"offset\":2")
               PUB("h:a", "\"data\":3,\"offset\":3") PUB("h:a", "\"data\":0"));
    publish_n("h:a", 4, 4);
    world_turn();
    HEARS(ann, PUB("h:a", "\"data\":4,\"offset\":4"));
}

static void
a_hole_in_what_was_held_back(void **state)
{
    (void)state;
    world.async = true;
    subscribe(ann, "h:a");
    world_store_freeze();
    world_store_lose("h:a");
    publish_n("h:a", 2, 2);
    world_store_answer();
    assert_non_null(strstr(peer_heard(ann), "\"code\":2500"));
    assert_null(subscription_find(&ann->c, "h:a"));
}

static void
unsubscribe_cancels_one_that_begins(void **state)
{
    (void)state;
    world.async = true;
    kept->join_leave = WHEN_ALWAYS;
    kept->presence = true;
    subscribe(ann, "h:a");
    peer_says(ann, "{\"id\":2,\"unsubscribe\":{\"channel\":\"h:a\"}}");
    HEARS(ann, "{\"id\":1,\"error\":{\"code\":111,\"message\":\"too many requests\",\"temporary\":true}}\n"
               "{\"id\":2,\"unsubscribe\":{}}\n");
    peer_says(ann, "{\"id\":3,\"subscribe\":{\"channel\":\"h:a\"}}");
    world_store_answer();
    HEARS(ann, "");
    world_store_answer();
    assert_non_null(strstr(peer_heard(ann), "{\"id\":3,\"subscribe\":{\"recoverable\":true"));
}

static void
the_client_may_be_gone_by_then(void **state)
{
    struct peer *eve = peer_new("c-eve", "eve");

    (void)state;
    world.async = true;
    subscribe(eve, "h:a");
    publish_n("h:a", 1, 1);
    peer_gone(eve);
    assert_int_equal(world.push.n_subscriptions, 0);
    peer_free(eve);
    world_store_answer();
}

static void
too_much_to_hold_back(void **state)
{
    (void)state;
    world.async = true;
    world.config.push_history_max = 3;
    subscribe(ann, "h:a");
    subscribe(bob, "h:b");
    publish_n("h:a", 1, 4);
    publish_n("h:b", 1, 3);
    world_turn();
    world_store_answer();
    world_store_answer();
    HEARS(ann, "{\"id\":1,\"error\":{\"code\":111,\"message\":\"too many requests\",\"temporary\":true}}\n");
    assert_null(subscription_find(&ann->c, "h:a"));
    assert_non_null(strstr(peer_heard(bob), "subscribe"));
}

static void
a_store_that_fails_is_temporary(void **state)
{
    (void)state;
    world.broken = ERR_INTERNAL;
    subscribe(ann, "h:a");
    HEARS(ann,
          "{\"id\":1,\"error\":{\"code\":100,\"message\":\"internal server error\",\"temporary\":true}}\n");
    assert_int_equal(world_publish("h:a", "1"), PUSH_INTERNAL);
    world.broken = ERR_BUSY;
    assert_int_equal(world_publish("h:a", "1"), PUSH_TOO_MANY);
    assert_int_equal(world.push.counters[PUSH_COUNT_SHED_STORE], 1);
}

/* ---- server-side ---- */

static struct push_verdict told;
static char entries[2000];
static int tellings;

static void
on_started(struct push_client *c, struct push_verdict v, const struct reply_sub *subs, size_t n)
{
    struct sbuf b;

    told = v;
    tellings++;
    sbuf_init(&b, sizeof entries - 1);
    for (size_t i = 0; i < n; i++) {
        sbuf_puts(&b, subs[i].channel);
        reply_subscribe(&b, 0, &subs[i].result);
    }
    snprintf(entries, sizeof entries, "%s", sbuf_str(&b));
    sbuf_fini(&b);
    if (!v.error && !v.close)
        subscription_started_all(c);
}

static void
connects_subs_are_all_or_none(void **state)
{
    struct subscription_wish wishes[] = { { .channel = "h:a" }, { .channel = "b", .data = "7" },
                                          { .channel = "h:a" }, { .channel = "nowhere:x" } };

    (void)state;
    subscription_start_all(&ann->c, wishes, 4, on_started);
    assert_int_equal(told.error, PUSH_UNKNOWN_CHANNEL);
    assert_int_equal(ann->c.n_subscriptions, 0);
    world.async = true;
    tellings = 0;
    subscription_start_all(&ann->c, wishes, 3, on_started);
    assert_int_equal(tellings, 0);
    publish_n("b", 1, 1);
    world_turn();
    HEARS(ann, "");
    world_store_answer();
    assert_int_equal(tellings, 1);
    assert_non_null(strstr(entries, "b{\"subscribe\":{\"data\":7}}"));
    assert_non_null(strstr(entries, "h:a{\"subscribe\":{\"recoverable\":true"));
    HEARS(ann, PUB("b", "\"data\":1"));
    assert_true(subscription_find(&ann->c, "b")->server_side);
    world.config.push_channels_per_client = 1;
    subscription_start_all(&bob->c, wishes, 2, on_started);
    assert_int_equal(told.close, CLOSE_CHANNEL_LIMIT);
    world.config.push_channels_per_client = 128;
    world.broken = ERR_INTERNAL;
    world.async = false;
    subscription_start_all(&bob->c, wishes, 3, on_started);
    assert_int_equal(told.error, PUSH_INTERNAL);
    assert_int_equal(bob->c.n_subscriptions, 0);
}

static void
a_client_that_leaves_while_connecting(void **state)
{
    struct subscription_wish wishes[] = { { .channel = "h:a" }, { .channel = "h:b" } };
    struct peer *eve = peer_new("c-eve", "eve");

    (void)state;
    world.async = true;
    tellings = 0;
    subscription_start_all(&eve->c, wishes, 2, on_started);
    world_store_answer();
    peer_free(eve);
    world_store_answer();
    assert_int_equal(tellings, 0);
    subscription_start_all(&ann->c, NULL, 0, on_started);
    assert_int_equal(tellings, 1);
}

static void
the_api_adds_one(void **state)
{
    struct subscription_wish w = { .channel = "h:a", .data = "{}", .info = "{\"n\":1}" };

    (void)state;
    publish_n("h:a", 1, 1);
    assert_int_equal(subscription_add(&ann->c, &w), PUSH_OK);
    HEARS(ann, "{\"push\":{\"channel\":\"h:a\",\"subscribe\":{\"recoverable\":true,\"positioned\":true,"
               "\"epoch\":\"e0\",\"offset\":1,\"data\":{}}}}\n");
    assert_string_equal(subscription_find(&ann->c, "h:a")->info,
                        "{\"user\":\"ann\",\"client\":\"c-ann\",\"chan_info\":{\"n\":1}}");
    assert_int_equal(subscription_add(&ann->c, &w), PUSH_SUBSCRIBED);
    subscription_end(subscription_find(&ann->c, "h:a"), UNSUBSCRIBE_SERVER, NULL);
    HEARS(ann, "{\"push\":{\"channel\":\"h:a\",\"unsubscribe\":{\"code\":2000,\"reason\":\"server "
               "unsubscribe\"}}}\n");
    w.override.force_recovery = FLAG_OFF;
    w.override.force_push_join_leave = FLAG_ON;
    assert_int_equal(subscription_add(&ann->c, &w), PUSH_OK);
    assert_false(subscription_find(&ann->c, "h:a")->positioned);
    assert_true(subscription_find(&ann->c, "h:a")->joins);
}

/* ---- expiry ---- */

static void
a_subscription_ends_with_its_grace(void **state)
{
    struct subscription_wish w = { .channel = "a", .expires_ms = INT64_MAX / 2 };

    (void)state;
    with_token(ann, "$p", "ann $p * 60 *");
    assert_int_equal(world_wheel_ms(), 85000);
    world_wheel();
    HEARS(ann, "{\"push\":{\"channel\":\"$p\",\"unsubscribe\":{\"code\":2501,\"reason\":\"subscription "
               "expired\"}}}\n");
    assert_int_equal(subscription_add(&bob->c, &w), PUSH_OK);
    assert_non_null(strstr(peer_heard(bob), "\"ttl\":31536000"));   /* a year at most */
    world_wheel();
    HEARS(bob, "!3006 subscription expired\n");
    w.expires_ms = 1;
    w.channel = "b";
    assert_int_equal(subscription_add(&ann->c, &w), PUSH_EXPIRED);
}

static const char *
refresh(struct peer *p, const char *token)
{
    char line[400];

    snprintf(line, sizeof line, "{\"id\":4,\"sub_refresh\":{\"channel\":\"$p\",\"token\":\"%s\"}}", token);
    peer_says(p, line);
    return peer_heard(p);
}

static void
sub_refresh_moves_the_end(void **state)
{
    (void)state;
    assert_string_equal(refresh(ann, "ann $p * 60 *"),
                        "{\"id\":4,\"error\":{\"code\":103,\"message\":\"permission denied\"}}\n");
    with_token(ann, "$p", "ann $p * 60 *");
    assert_string_equal(refresh(ann, ""),
                        "{\"id\":4,\"error\":{\"code\":107,\"message\":\"bad request\"}}\n");
    assert_string_equal(refresh(ann, "expired"),
                        "{\"id\":4,\"error\":{\"code\":110,\"message\":\"expired\"}}\n");
    assert_string_equal(refresh(ann, "ann $p * -5 *"),
                        "{\"id\":4,\"error\":{\"code\":110,\"message\":\"expired\"}}\n");
    assert_string_equal(refresh(ann, "ann $p * 100 {\\\"a\\\":1}"),
                        "{\"id\":4,\"sub_refresh\":{\"expires\":true,\"ttl\":100}}\n");
    assert_int_equal(world_wheel_ms(), 125000);
    assert_non_null(strstr(subscription_find(&ann->c, "$p")->info, "{\"a\":1}"));
    assert_string_equal(refresh(ann, "ann $p * 0 *"), "{\"id\":4,\"sub_refresh\":{}}\n");
    assert_int_equal(world_wheel_ms(), -1);
    assert_string_equal(refresh(ann, "bob $p * 0 *"), "!3500 invalid token\n");
    ann->conn.closed = 0;
    assert_string_equal(refresh(ann, "rubbish"), "!3500 invalid token\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(who_may_subscribe),
        T(tokens_open_what_they_name),
        T(names_and_limits),
        T(malformed_subscribes_close),
        T(positions_follow_each_other),
        T(missed_publications_are_recovered),
        T(what_cannot_be_recovered),
        T(not_more_than_the_limit_is_recovered),
        T(recovery_is_for_those_who_may),
        T(a_cache_gives_the_newest_only),
        T(a_hole_ends_the_subscription),
        T(a_stream_made_anew_is_a_hole),
        T(a_hole_within_one_turn_ends_everybody),
        T(leaving_with_a_hole_pending),
        T(nothing_falls_between),
        T(what_the_answer_lacks_follows_it),
        T(a_hole_in_what_was_held_back),
        T(unsubscribe_cancels_one_that_begins),
        T(the_client_may_be_gone_by_then),
        T(too_much_to_hold_back),
        T(a_store_that_fails_is_temporary),
        T(connects_subs_are_all_or_none),
        T(a_client_that_leaves_while_connecting),
        T(the_api_adds_one),
        T(a_subscription_ends_with_its_grace),
        T(sub_refresh_moves_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
