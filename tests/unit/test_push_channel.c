/* test_push_channel - fan-out, presence, slow readers, deltas, what clients and servers do with channels
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/push_channel_fixture.h"

#include "relay/push/glob.h"

/* ---- fan-out ---- */

static void
one_piece_a_turn(void **state)
{
    (void)state;
    quietly(ann, "a");
    world_publish("a", "1");
    world_publish("a", "{\"x\":\n2}");
    HEARS(ann, "");
    world_turn();
    assert_int_equal(ann->frames, 1);
    HEARS(ann, PUB("a", "\"data\":1") PUB("a", "\"data\":{\"x\": 2}"));
    world_turn();
    HEARS(ann, "");
    assert_int_equal(world.push.counters[PUSH_COUNT_DELIVERIES], 2);
    assert_int_equal(world.push.latency.count, 2);
}

static void
all_share_one_frame(void **state)
{
    (void)state;
    quietly(ann, "a");
    quietly(bob, "a");
    bob->c.bare = true;
    world_publish("a", "1");
    world_turn();
    HEARS(ann, PUB("a", "\"data\":1"));
    HEARS(bob, "{\"channel\":\"a\",\"pub\":{\"data\":1}}\n");
}

static void
who_comes_later_hears_only_what_is_later(void **state)
{
    (void)state;
    quietly(ann, "a");
    world_publish("a", "1");
    subscribe(bob, "a");
    HEARS(ann, PUB("a", "\"data\":1"));
    HEARS(bob, "{\"id\":1,\"subscribe\":{}}\n");
    world_publish("a", "2");
    peer_says(ann, "{\"id\":2,\"unsubscribe\":{\"channel\":\"a\"}}");
    HEARS(ann, PUB("a", "\"data\":2") "{\"id\":2,\"unsubscribe\":{}}\n");
    HEARS(bob, PUB("a", "\"data\":2"));
    world_turn();
    HEARS(bob, "");
}

static void
coalescing_waits_for_its_timer(void **state)
{
    (void)state;
    plain->coalesce_ms = 50;
    quietly(ann, "a");
    world_publish("a", "1");
    world_turn();
    world_publish("a", "2");
    world_turn();
    HEARS(ann, "");
    world_timers();
    world_turn();
    assert_int_equal(ann->frames, 1);
    HEARS(ann, PUB("a", "\"data\":1") PUB("a", "\"data\":2"));
    world_publish("a", "3");        /* pending when its last subscriber goes */
    peer_gone(ann);
    world_timers();
    world_turn();
    assert_int_equal(hub_channels(world.push.hub), 0);
}

/* One that leaves the row from its end or its middle breaks it for nobody. */
static void
channels_leave_in_the_publishers_order(void **state)
{
    (void)state;
    quietly(ann, "a");
    quietly(ann, "b");
    quietly(ann, "c");
    quietly(bob, "d");
    world_publish("c", "1");
    world_publish("d", "2");
    world_publish("a", "3");
    world_publish("d", "4");
    peer_free(bob);
    world_publish("b", "5");
    world_publish("c", "6");
    world_turn();
    HEARS(ann, PUB("c", "\"data\":1") PUB("c", "\"data\":6") PUB("a", "\"data\":3") PUB("b", "\"data\":5"));
    bob = peer_new("c-bob", "bob");
    quietly(bob, "d");
    world_publish("a", "7");
    world_publish("d", "8");
    peer_gone(bob);
    world_publish("b", "9");
    world_turn();
    HEARS(ann, PUB("a", "\"data\":7") PUB("b", "\"data\":9"));
}

static void
very_much_does_not_wait_for_the_turn(void **state)
{
    static char data[300 << 10];

    (void)state;
    world.config.push_data_max = sizeof data;
    memset(data, '1', sizeof data - 1);
    quietly(ann, "a");
    world_publish("a", data);
    assert_int_equal(ann->frames, 1);
    peer_gone(ann);                 /* and the empty channel goes with the turn */
    world_turn();
}

/* The flush ends the only subscription while the channel is at work; later it is let go. */
static void
a_channel_that_its_own_flush_emptied(void **state)
{
    static char data[300 << 10];

    (void)state;
    world.config.push_data_max = sizeof data;
    memset(data, '1', sizeof data - 1);
    kept->coalesce_ms = 50;
    quietly(ann, "h:a");
    world_store_lose("h:a");
    world_publish("h:a", data);
    assert_non_null(strstr(peer_heard(ann), "2500"));
    assert_int_equal(hub_channels(world.push.hub), 1);
    world_timers();
    world_turn();
    assert_int_equal(hub_channels(world.push.hub), 0);
}

static void
nobody_there_costs_nothing(void **state)
{
    (void)state;
    assert_int_equal(world_publish("a", "1"), PUSH_OK);
    assert_null(world.push.channels->due);
    assert_int_equal(hub_channels(world.push.hub), 0);
}

/* ---- presence, join and leave, hooks ---- */

#define SAYS(kind, who)                                                                              \
    "{\"push\":{\"channel\":\"a\",\"" kind "\":{\"info\":{\"user\":\"" who "\",\"client\":\"c-" who "\"}}}}\n"

static void
joins_come_before_leaves(void **state)
{
    (void)state;
    plain->join_leave = WHEN_ALWAYS;
    subscribe(ann, "a");
    HEARS(ann, "{\"id\":1,\"subscribe\":{}}\n" SAYS("join", "ann"));
    subscribe(bob, "a");
    HEARS(ann, SAYS("join", "bob"));
    peer_gone(bob);
    HEARS(ann, SAYS("leave", "bob"));
    peer_says(ann, "{\"id\":2,\"unsubscribe\":{\"channel\":\"a\"}}");
    HEARS(ann, "{\"id\":2,\"unsubscribe\":{}}\n");
}

static void
joins_are_for_those_who_ask(void **state)
{
    (void)state;
    plain->join_leave = WHEN_ALLOWED;
    subscribe(ann, "a");
    HEARS(ann, "{\"id\":1,\"subscribe\":{}}\n");
    peer_says(bob, "{\"id\":1,\"subscribe\":{\"channel\":\"a\",\"join_leave\":true}}");
    HEARS(ann, "");
    peer_heard(bob);
    peer_says(ann, "{\"id\":2,\"unsubscribe\":{\"channel\":\"a\"}}");
    HEARS(bob, SAYS("leave", "ann"));
    plain->join_leave = WHEN_OFF;
    quietly(ann, "a");
    HEARS(bob, "");
}

static void
presence_tells_who_is_there(void **state)
{
    (void)state;
    peer_says(ann, "{\"id\":3,\"presence\":{\"channel\":\"a\"}}");
    HEARS(ann, "{\"id\":3,\"error\":{\"code\":108,\"message\":\"not available\"}}\n");
    plain->presence = true;
    peer_says(ann, "{\"id\":3,\"presence\":{\"channel\":\"a\"}}");
    HEARS(ann, "{\"id\":3,\"error\":{\"code\":103,\"message\":\"permission denied\"}}\n");
    plain->presence_for = WHO_SUBSCRIBER;
    quietly(ann, "a");
    peer_says(ann, "{\"id\":3,\"presence\":{\"channel\":\"a\"}}");
    HEARS(ann, "{\"id\":3,\"presence\":{\"presence\":{\"c-ann\":{\"user\":\"ann\",\"client\":\"c-ann\"}}}}\n");
    quietly(bob, "a");
    peer_says(ann, "{\"id\":3,\"presence_stats\":{\"channel\":\"a\"}}");
    HEARS(ann, "{\"id\":3,\"presence_stats\":{\"num_clients\":2,\"num_users\":2}}\n");
    peer_gone(bob);
    peer_says(ann, "{\"id\":3,\"presence_stats\":{\"channel\":\"a\"}}");
    HEARS(ann, "{\"id\":3,\"presence_stats\":{\"num_clients\":1,\"num_users\":1}}\n");
}

static void
hooks_are_told_of_first_and_last(void **state)
{
    struct peer *again = peer_new("c-ann2", "ann");

    (void)state;
    plain->hooks = true;
    quietly(ann, "a");
    quietly(again, "a");
    quietly(bob, "a");
    peer_free(again);
    plain->hooks = false;           /* who was counted is still counted out */
    peer_gone(ann);
    peer_gone(bob);
    assert_string_equal(sbuf_str(&world.hooks), "occupied a\nfirst-join a ann\nfirst-join a bob\n"
                                                "last-leave a ann\nlast-leave a bob\nvacated a\n");
}

/* ---- slow readers ---- */

static void
the_latest_only(void **state)
{
    (void)state;
    kept->slow = SLOW_LATEST;
    quietly(ann, "h:a");
    quietly(bob, "h:a");
    ann->conn.behind = true;
    publish_n("h:a", 1, 3);
    world_turn();
    publish_n("h:a", 4, 4);
    world_turn();
    assert_int_equal(bob->frames, 2);
    HEARS(ann, "");
    ann->conn.behind = false;
    subscription_drained(&ann->c);
    HEARS(ann, PUB("h:a", "\"data\":4,\"offset\":4"));
    assert_int_equal(world.push.counters[PUSH_COUNT_SHED_SLOW_LATEST], 3);
    publish_n("h:a", 5, 5);
    world_turn();
    HEARS(ann, PUB("h:a", "\"data\":5,\"offset\":5"));
    subscription_drained(&ann->c);
    HEARS(ann, "");
}

static void
skip_and_recover(void **state)
{
    (void)state;
    kept->slow = SLOW_RECOVER;
    quietly(ann, "h:a");
    quietly(bob, "h:a");
    subscription_find(&bob->c, "h:a")->server_side = true;
    ann->conn.behind = bob->conn.behind = true;
    publish_n("h:a", 1, 2);
    world_turn();
    ann->conn.behind = bob->conn.behind = false;
    publish_n("h:a", 3, 3);
    world_turn();
    HEARS(ann, "");
    subscription_drained(&ann->c);
    subscription_drained(&bob->c);
    assert_non_null(strstr(peer_heard(ann), "\"code\":2500"));
    HEARS(bob, "!3010 insufficient state\n");
    assert_int_equal(world.push.counters[PUSH_COUNT_SHED_SLOW_RECOVER], 6);
    assert_string_equal(recover(ann, "h:a", "e0", 0, 0),
                        "{\"id\":1,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e0\","
                        "\"offset\":0,\"publications\":[{\"data\":1,\"offset\":1},{\"data\":2,\"offset\":2},"
                        "{\"data\":3,\"offset\":3}],\"recovered\":true,\"was_recovering\":true}}\n");
}

static void
the_others_queue_on(void **state)
{
    (void)state;
    quietly(ann, "a");
    ann->conn.behind = true;
    publish_n("a", 1, 1);
    world_turn();
    HEARS(ann, PUB("a", "\"data\":1"));
}

/* ---- deltas ---- */

#define LONG "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"

static void
with_delta(struct peer *p, const char *more)
{
    char line[400];

    snprintf(line, sizeof line, "{\"id\":1,\"subscribe\":{\"channel\":\"h:a\",\"delta\":\"fossil\"%s}}", more);
    peer_says(p, line);
}

static void
deltas_follow_a_whole_one(void **state)
{
    const char *heard;

    (void)state;
    kept->delta = true;
    with_delta(ann, "");
    assert_non_null(strstr(peer_heard(ann), "\"delta\":true"));
    quietly(bob, "h:a");
    world_publish("h:a", "\"" LONG "1\"");
    world_turn();
    HEARS(ann, PUB("h:a", "\"data\":\"\\\"" LONG "1\\\"\",\"offset\":1"));
    world_publish("h:a", "\"" LONG "2\"");
    world_turn();
    heard = peer_heard(ann);
    assert_non_null(strstr(heard, "\"delta\":true"));
    assert_null(strstr(heard, LONG));
    world_publish("h:a", "3");      /* no patch is shorter */
    world_turn();
    HEARS(ann, PUB("h:a", "\"data\":\"3\",\"offset\":3"));
    assert_null(strstr(peer_heard(bob), "delta"));
}

static void
deltas_within_a_turn_and_for_each_base(void **state)
{
    const char *heard;
    char first[2000];

    (void)state;
    kept->delta = true;
    with_delta(ann, "");
    world_publish("h:a", "\"" LONG "1\"");
    world_turn();
    with_delta(bob, "");
    peer_heard(ann);
    peer_heard(bob);
    world_publish("h:a", "\"" LONG "2\"");
    world_publish("h:a", "\"" LONG "3\"");
    world_turn();
    heard = peer_heard(ann);
    assert_null(strstr(heard, LONG));
    snprintf(first, sizeof first, "%s", strchr(heard, '\n') + 1);
    heard = peer_heard(bob);
    assert_non_null(strstr(heard, LONG "2"));
    assert_string_equal(strchr(heard, '\n') + 1, first);    /* the second is the same patch for both */
}

static void
deltas_go_on_from_what_was_recovered(void **state)
{
    const char *heard;

    (void)state;
    kept->delta = true;
    world_publish("h:a", "\"" LONG "1\"");
    with_delta(ann, ",\"recover\":true,\"epoch\":\"e0\"");
    assert_non_null(strstr(peer_heard(ann), "\"data\":\"\\\"" LONG));
    world_publish("h:a", "\"" LONG "2\"");
    world_turn();
    heard = peer_heard(ann);
    assert_non_null(strstr(heard, "\"delta\":true"));
    kept->slow = SLOW_LATEST;       /* what is left out is not a base */
    ann->conn.behind = true;
    world_publish("h:a", "\"" LONG "3\"");
    world_publish("h:a", "\"" LONG "4\"");
    world_turn();
    ann->conn.behind = false;
    subscription_drained(&ann->c);
    assert_non_null(strstr(peer_heard(ann), "\"delta\":true"));
}

/* ---- commands ---- */

static void
who_may_publish(void **state)
{
    static const struct { int who; bool subscribed; const char *user; bool may; } cases[] = {
        { WHO_NOBODY, true, "ann", false },     { WHO_SUBSCRIBER, false, "ann", false },
        { WHO_SUBSCRIBER, true, "", true },     { WHO_USER, false, "ann", true },
        { WHO_USER, true, "", false },          { WHO_ANYONE, false, "", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct peer *p = peer_new("c-x", cases[i].user);

        plain->publish = cases[i].who;
        if (cases[i].subscribed)
            quietly(p, "a");
        peer_says(p, "{\"id\":5,\"publish\":{\"channel\":\"a\",\"data\":{}}}");
        assert_string_equal(peer_heard(p),
                            cases[i].may ? "{\"id\":5,\"publish\":{}}\n"
                                         : "{\"id\":5,\"error\":{\"code\":103,\"message\":\"permission "
                                           "denied\"}}\n");
        peer_free(p);
    }
}

static void
who_published_is_told(void **state)
{
    (void)state;
    quietly(ann, "a");
    peer_says(bob, "{\"id\":5,\"publish\":{\"channel\":\"a\",\"data\":1}}");
    world_turn();
    HEARS(ann, PUB("a", "\"data\":1,\"info\":{\"user\":\"bob\",\"client\":\"c-bob\"}"));
    world.config.push_data_max = 3;
    peer_heard(bob);
    peer_says(bob, "{\"id\":5,\"publish\":{\"channel\":\"a\",\"data\":1234}}");
    HEARS(bob, "{\"id\":5,\"error\":{\"code\":107,\"message\":\"bad request\"}}\n");
}

static void
publishing_too_fast(void **state)
{
    (void)state;
    plain->publish_per_s = 2;
    for (int i = 0; i < 2; i++)
        peer_says(ann, "{\"id\":5,\"publish\":{\"channel\":\"a\",\"data\":1}}");
    HEARS(ann, "{\"id\":5,\"publish\":{}}\n{\"id\":5,\"publish\":{}}\n");
    peer_says(ann, "{\"id\":5,\"publish\":{\"channel\":\"b\",\"data\":1}}");
    HEARS(ann, "{\"id\":5,\"error\":{\"code\":111,\"message\":\"too many requests\",\"temporary\":true}}\n");
    assert_int_equal(world.push.counters[PUSH_COUNT_SHED_COMMANDS], 1);
    peer_says(ann, "{\"id\":5,\"publish\":{\"channel\":\"h:b\",\"data\":1}}");
    peer_says(bob, "{\"id\":5,\"publish\":{\"channel\":\"a\",\"data\":1}}");
    HEARS(ann, "{\"id\":5,\"publish\":{}}\n");
    HEARS(bob, "{\"id\":5,\"publish\":{}}\n");
}

static void
history_for_those_who_may(void **state)
{
    (void)state;
    publish_n("h:a", 1, 4);
    peer_says(ann, "{\"id\":6,\"history\":{\"channel\":\"a\"}}");
    HEARS(ann, "{\"id\":6,\"error\":{\"code\":108,\"message\":\"not available\"}}\n");
    peer_says(ann, "{\"id\":6,\"history\":{\"channel\":\"h:a\"}}");
    HEARS(ann, "{\"id\":6,\"error\":{\"code\":103,\"message\":\"permission denied\"}}\n");
    kept->history = WHO_ANYONE;
    peer_says(ann, "{\"id\":6,\"history\":{\"channel\":\"h:a\"}}");
    HEARS(ann, "{\"id\":6,\"history\":{\"publications\":[],\"epoch\":\"e0\",\"offset\":4}}\n");
    world.config.push_history_max = 2;
    peer_says(ann, "{\"id\":6,\"history\":{\"channel\":\"h:a\",\"limit\":-1,\"since\":{\"offset\":1,"
                   "\"epoch\":\"e0\"}}}");
    HEARS(ann, "{\"id\":6,\"history\":{\"publications\":[{\"data\":2,\"offset\":2},{\"data\":3,\"offset\":3}]"
               ",\"epoch\":\"e0\",\"offset\":4}}\n");
    peer_says(ann, "{\"id\":6,\"history\":{\"channel\":\"h:a\",\"limit\":5,\"since\":{\"offset\":1,"
                   "\"epoch\":\"x\"}}}");
    HEARS(ann, "{\"id\":6,\"error\":{\"code\":112,\"message\":\"unrecoverable position\"}}\n");
}

/* An answer may be as long as it is; who had one has to wait for the next second (client_input.c begins it). */
static void
long_answers_are_given_now_and_then(void **state)
{
    static const char busy[] = "{\"id\":6,\"error\":{\"code\":111,\"message\":\"too many requests\",\"temporary\":true}}\n";
    static const char history[] = "{\"id\":6,\"history\":{\"channel\":\"h:a\",\"limit\":-1}}";

    (void)state;
    kept->history = kept->presence_for = WHO_ANYONE;
    kept->presence = true;
    publish_n("h:a", 1, 4);
    world.config.push_bytes_per_s = 100;
    peer_says(ann, history);
    assert_non_null(strstr(peer_heard(ann), "\"publications\":["));
    peer_says(ann, history);
    HEARS(ann, busy);
    peer_says(ann, "{\"id\":6,\"presence\":{\"channel\":\"h:a\"}}");
    HEARS(ann, busy);
    assert_int_equal(world.push.counters[PUSH_COUNT_SHED_COMMANDS], 2);
    peer_says(bob, history);
    assert_non_null(strstr(peer_heard(bob), "\"publications\":["));
    ann->c.answer_bytes = 0;
    peer_says(ann, history);
    assert_non_null(strstr(peer_heard(ann), "\"publications\":["));
}

static void
commands_whose_client_is_gone(void **state)
{
    struct peer *eve = peer_new("c-eve", "eve");

    (void)state;
    kept->history = WHO_ANYONE;
    world.async = true;
    peer_says(eve, "{\"id\":6,\"history\":{\"channel\":\"h:a\"}}");
    peer_free(eve);
    world_store_answer();
}

/* ---- listing ---- */

static char listed[500];

static void
list_one(void *arg, const char *channel, int64_t n_clients)
{
    (void)arg;
    snprintf(listed + strlen(listed), sizeof listed - strlen(listed), "%s=%d ", channel, (int)n_clients);
}

static bool
list(const char *glob, const char *after, int64_t limit)
{
    bool more;

    listed[0] = '\0';
    op_channels(&world.push, glob, after, limit, list_one, NULL, &more);
    return more;
}

static void
channels_are_listed_in_pages(void **state)
{
    static const char *const names[] = { "d", "a", "c", "e", "b", "h:a", "h:b" };

    (void)state;
    for (size_t i = 0; i < 7; i++)
        quietly(ann, names[i]);
    quietly(bob, "a");
    assert_false(list("", "", 7));
    assert_string_equal(listed, "a=2 b=1 c=1 d=1 e=1 h:a=1 h:b=1 ");
    assert_true(list("", "", 3));
    assert_string_equal(listed, "a=2 b=1 c=1 ");
    assert_true(list("", "c", 3));
    assert_string_equal(listed, "d=1 e=1 h:a=1 ");
    assert_false(list("", "h:a", 3));
    assert_string_equal(listed, "h:b=1 ");
    assert_false(list("h:*", "", 10));
    assert_string_equal(listed, "h:a=1 h:b=1 ");
    assert_true(list("", "", 0));
    assert_string_equal(listed, "");
    world.config.push_list_max = 1;
    assert_true(list("", "", -1));
    assert_string_equal(listed, "a=2 ");
}

static void
globs(void **state)
{
    static const struct { const char *glob, *name; bool fits; } cases[] = {
        { "", "x", true },          { "*", "", true },          { "a*c", "abbc", true },
        { "a*c", "abbd", false },   { "?", "\xc3\xa4", true },  { "?", "ab", false },
        { "[a-c]x", "bx", true },   { "[!a-c]x", "bx", false }, { "[a-]", "-", true },
        { "{a,b}:*", "b:1", true }, { "{a,b}:*", "c:1", false },{ "x{,y}{1,2}", "xy2", true },
        { "x{,y}{1,2}", "x1", true },{ "\\*", "*", true },      { "\\*", "a", false },
        { "{a", "{a", true },       { "[a", "[a", true },       { "*a*b*c", "xxaxxbxxc", true },
        { "[\xc3\xa4-\xc3\xbc]", "\xc3\xb6", true },            { "a", "", false },
        { "\\{a,b}", "{a,b}", true }, { "[{]a", "{a", true },   { "\\", "\\", true },
    };
    struct arena *a = arena_new();
    struct glob g;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glob_compile(a, cases[i].glob, &g);
        if (glob_fits(&g, cases[i].name) != cases[i].fits)
            fail_msg("%s on %s", cases[i].glob, cases[i].name);
    }
    glob_compile(a, "{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}", &g);
    assert_int_equal(g.n, GLOB_MAX);
    glob_compile(a, arena_printf(a, "%*s", GLOB_BYTES, "x"), &g);
    assert_int_equal(g.n, 1);
    glob_compile(a, arena_printf(a, "%*s", GLOB_BYTES + 1, "x"), &g);
    assert_false(glob_fits(&g, arena_printf(a, "%*s", GLOB_BYTES + 1, "x")));
    arena_free(a);
}

/* ---- the server's operations ---- */

static void
on_told(void *arg, enum push_error e, const struct stream_history *h)
{
    *(int *)arg = e ? (int)e : (int)h->n;
}

static void
on_removed(void *arg, enum push_error e, const struct stream_position *at)
{
    *(int *)arg = e ? (int)e : (int)at->offset;
}

static void
operations_refuse(void **state)
{
    int r = -1;

    (void)state;
    assert_int_equal(world_publish("nowhere:a", "1"), PUSH_UNKNOWN_CHANNEL);
    assert_int_equal(world_publish("", "1"), PUSH_BAD_REQUEST);
    world.config.push_data_max = 2;
    assert_int_equal(world_publish("a", "123"), PUSH_BAD_REQUEST);
    assert_int_equal(world_publish("a", "12"), PUSH_OK);
    assert_string_equal(world_at.epoch, "");
    publish_n("h:a", 1, 2);
    assert_int_equal(world_at.offset, 2);
    assert_int_equal(world.push.counters[PUSH_COUNT_PUBLISHED], 3);
    op_history(&world.push, "a", &(struct stream_query){ .limit = 1 }, on_told, &r);
    assert_int_equal(r, PUSH_NOT_AVAILABLE);
    op_history(&world.push, "h:a", &(struct stream_query){ .limit = -1 }, on_told, &r);
    assert_int_equal(r, 2);
    op_history_remove(&world.push, "h:a", on_removed, &r);
    assert_int_equal(r, 2);
    op_history_remove(&world.push, "a", on_removed, &r);
    assert_int_equal(r, PUSH_NOT_AVAILABLE);
    op_history(&world.push, "h:a", &(struct stream_query){ .limit = -1 }, on_told, &r);
    assert_int_equal(r, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_piece_a_turn),
        T(all_share_one_frame),
        T(who_comes_later_hears_only_what_is_later),
        T(coalescing_waits_for_its_timer),
        T(channels_leave_in_the_publishers_order),
        T(very_much_does_not_wait_for_the_turn),
        T(a_channel_that_its_own_flush_emptied),
        T(nobody_there_costs_nothing),
        T(joins_come_before_leaves),
        T(joins_are_for_those_who_ask),
        T(presence_tells_who_is_there),
        T(hooks_are_told_of_first_and_last),
        T(the_latest_only),
        T(skip_and_recover),
        T(the_others_queue_on),
        T(deltas_follow_a_whole_one),
        T(deltas_within_a_turn_and_for_each_base),
        T(deltas_go_on_from_what_was_recovered),
        T(who_may_publish),
        T(who_published_is_told),
        T(publishing_too_fast),
        T(history_for_those_who_may),
        T(long_answers_are_given_now_and_then),
        T(commands_whose_client_is_gone),
        T(channels_are_listed_in_pages),
        T(operations_refuse),
        cmocka_unit_test(globs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
