/* test_stream - the store in memory: offsets, windows, recovery, keys, versions, presence, time
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

#include "relay/metrics.h"
#include "relay/push/stream.h"
#include "tests/unit/fake_timer.h"

enum { SIZE = 5, TTL = 1000, META = 10000, KEYS = 500, MANY = 1200 };

static int64_t now;
static struct stream_store *store;
static const struct stream_rules rules = { .size = SIZE, .ttl_ms = TTL, .meta_ttl_ms = META };
static const struct stream_rules no_history;

static char delivered[4096];        /* "channel:data " for each */

/* What the last callback said. */
static struct told {
    int calls;
    enum err e;
    struct stream_position at;
    char data[4096];                /* "offset=data " for each */
    size_t n;
    bool whole;
    int64_t clients, users;
} told;

static int64_t
the_time(void)
{
    return now;
}

static void
on_deliver(void *arg, const char *channel, struct publication *p)
{
    size_t len = strlen(delivered);

    (void)arg;
    snprintf(delivered + len, sizeof delivered - len, "%s:%s ", channel, publication_data(p));
}

static void
on_published(void *arg, enum err e, const struct stream_position *at)
{
    (void)arg;
    told.calls++;
    told.e = e;
    told.at = *at;
}

static void
on_history(void *arg, enum err e, const struct stream_history *h)
{
    size_t len = 0;

    (void)arg;
    told = (struct told){ .calls = told.calls + 1, .e = e, .at = h->top, .n = h->n, .whole = h->whole };
    for (size_t i = 0; i < h->n; i++)
        len += (size_t)snprintf(told.data + len, sizeof told.data - len, "%d=%s ",
                                (int)h->publications[i]->offset, publication_data(h->publications[i]));
}

static void
open_store(int64_t bytes_max)
{
    struct stream_memory_options o = { .bytes_max = bytes_max, .idempotency_ms = KEYS, .deliver = on_deliver,
                                       .now_ms = the_time };

    now = 1000000;
    *delivered = '\0';
    told = (struct told){ 0 };
    assert_int_equal(stream_memory_new(&o, NULL, &store), ERR_OK);
}

static int
set_up(void **state)
{
    (void)state;
    open_store(1 << 20);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    store->calls->free(store);
    return 0;
}

static void
publish_as(struct stream_publish p, const char *data)
{
    int calls = told.calls;

    p.publication = publication_new(data, strlen(data), NULL, NULL, false);
    store->calls->publish(store, &p, on_published, NULL);
    publication_unref(p.publication);
    assert_true(told.calls > calls);
}

static void
publish(const char *channel, const char *data)
{
    publish_as((struct stream_publish){ .channel = channel, .rules = rules }, data);
}

static void
publish_numbers(const char *channel, int n)
{
    char data[16];

    for (int i = 1; i <= n; i++) {
        snprintf(data, sizeof data, "%d", i);
        publish(channel, data);
    }
}

static void
ask(const char *channel, struct stream_query q)
{
    store->calls->history(store, channel, &rules, &q, on_history, NULL);
}

static void
recover(const char *channel, uint64_t offset, const char *epoch)
{
    ask(channel, (struct stream_query){ .since = true, .offset = offset, .epoch = epoch, .limit = -1 });
}

/* Bytes and streams of the store, by its metrics. */
static int64_t
figure(const char *name)
{
    struct sbuf text;
    struct metrics m = { &text };
    const char *at;
    long long n = -1;

    sbuf_init(&text, 1 << 20);
    stream_memory_metrics(store, &m);
    for (at = sbuf_str(&text); (at = strstr(at, name)); at++)
        if ((at == text.data || at[-1] == '\n') && sscanf(at + strlen(name), " %lld", &n) == 1)
            break;
    sbuf_fini(&text);
    return n;
}

static void
sweep_all(void)
{
    while (stream_memory_sweep(store) == 0)
        ;
}

/* ---- publications ---- */

static void
line_ends_become_spaces(void **state)
{
    struct publication *p = publication_new("{\r\n\"a\":1\n}", 10, "{\n}", NULL, true);

    (void)state;
    assert_string_equal(publication_data(p), "{  \"a\":1 }");
    assert_string_equal(publication_info(p), "{ }");
    assert_null(publication_tags(p));
    assert_true(p->delta);
    publication_unref(publication_ref(p));
    publication_unref(p);
    publication_unref(NULL);
}

/* ---- numbers ---- */

static void
each_channel_counts_for_itself(void **state)
{
    char epoch[STREAM_EPOCH_SIZE];

    (void)state;
    publish("a", "1");
    assert_int_equal(told.at.offset, 1);
    assert_int_equal(strlen(told.at.epoch), STREAM_EPOCH_SIZE - 1);
    strcpy(epoch, told.at.epoch);
    publish("a", "2");
    assert_int_equal(told.at.offset, 2);
    assert_string_equal(told.at.epoch, epoch);
    publish("b", "3");
    assert_int_equal(told.at.offset, 1);
    assert_string_equal(delivered, "a:1 a:2 b:3 ");
}

static void
without_history_there_is_no_position(void **state)
{
    (void)state;
    publish_as((struct stream_publish){ .channel = "a", .rules = no_history }, "1");
    assert_int_equal(told.at.offset, 0);
    assert_string_equal(told.at.epoch, "");
    publish("a", "2");
    publish_as((struct stream_publish){ .channel = "a", .rules = rules, .skip_history = true }, "3");
    assert_int_equal(told.e, ERR_OK);
    assert_int_equal(told.at.offset, 0);
    publish("a", "4");
    assert_int_equal(told.at.offset, 2);
    assert_string_equal(delivered, "a:1 a:2 a:3 a:4 ");
    ask("a", (struct stream_query){ .limit = -1 });
    assert_string_equal(told.data, "1=2 2=4 ");
    store->calls->history(store, "a", &no_history, &(struct stream_query){ .limit = -1 }, on_history, NULL);
    assert_int_equal(told.n, 0);
    assert_string_equal(told.at.epoch, "");
}

/* ---- recovery ---- */

static void
a_position_in_the_window_recovers(void **state)
{
    char epoch[STREAM_EPOCH_SIZE];

    (void)state;
    publish_numbers("a", 7);            /* 3 to 7 are kept */
    strcpy(epoch, told.at.epoch);
    recover("a", 4, epoch);
    assert_true(told.whole);
    assert_string_equal(told.data, "5=5 6=6 7=7 ");
    assert_int_equal(told.at.offset, 7);
    recover("a", 2, NULL);              /* the oldest that can */
    assert_true(told.whole);
    assert_int_equal(told.n, 5);
    recover("a", 7, epoch);             /* nothing missed */
    assert_true(told.whole);
    assert_int_equal(told.n, 0);
}

static void
outside_of_the_window_nothing_is_whole(void **state)
{
    (void)state;
    publish_numbers("a", 7);
    recover("a", 1, "");
    assert_false(told.whole);
    recover("a", 8, "");
    assert_false(told.whole);
    assert_int_equal(told.n, 0);
    recover("a", UINT64_MAX, "");
    assert_false(told.whole);
    assert_int_equal(told.n, 0);
    recover("a", 7, "otherone");
    assert_int_equal(told.e, ERR_NOT_FOUND);
    assert_int_equal(told.at.offset, 7);
    assert_int_equal(told.n, 0);
}

static void
a_channel_never_published_to_has_a_position_that_holds(void **state)
{
    char epoch[STREAM_EPOCH_SIZE];

    (void)state;
    ask("a", (struct stream_query){ .limit = 0 });
    assert_int_equal(told.at.offset, 0);
    strcpy(epoch, told.at.epoch);
    assert_int_equal(strlen(epoch), STREAM_EPOCH_SIZE - 1);
    assert_int_equal(figure("confab_push_streams"), 0);
    publish_numbers("a", 2);
    recover("a", 0, epoch);
    assert_int_equal(told.e, ERR_OK);
    assert_true(told.whole);
    assert_string_equal(told.data, "1=1 2=2 ");
}

static void
history_takes_limit_since_and_reverse(void **state)
{
    (void)state;
    publish_numbers("a", 7);
    ask("a", (struct stream_query){ .limit = 2 });
    assert_string_equal(told.data, "3=3 4=4 ");
    ask("a", (struct stream_query){ .limit = 2, .reverse = true });
    assert_string_equal(told.data, "7=7 6=6 ");
    ask("a", (struct stream_query){ .limit = 2, .since = true, .offset = 5 });
    assert_string_equal(told.data, "6=6 7=7 ");
    ask("a", (struct stream_query){ .limit = 2, .since = true, .offset = 5, .reverse = true });
    assert_string_equal(told.data, "4=4 3=3 ");
    ask("a", (struct stream_query){ .limit = -1, .since = true, .offset = 3, .reverse = true });
    assert_int_equal(told.n, 0);
    ask("a", (struct stream_query){ .limit = -1, .since = true, .offset = 100, .reverse = true });
    assert_int_equal(told.n, 5);
    ask("a", (struct stream_query){ .limit = 0 });
    assert_int_equal(told.n, 0);
    assert_int_equal(told.at.offset, 7);
}

static void
removing_keeps_epoch_and_top(void **state)
{
    char epoch[STREAM_EPOCH_SIZE];

    (void)state;
    publish_numbers("a", 3);
    strcpy(epoch, told.at.epoch);
    store->calls->remove(store, "a", &rules, on_published, NULL);
    assert_int_equal(told.at.offset, 3);
    recover("a", 3, epoch);
    assert_true(told.whole);
    recover("a", 2, epoch);
    assert_false(told.whole);
    assert_int_equal(figure("confab_push_history_publications"), 0);
    publish("a", "4");
    assert_int_equal(told.at.offset, 4);
    assert_string_equal(told.at.epoch, epoch);
    store->calls->remove(store, "unknown", &rules, on_published, NULL);
    assert_int_equal(told.e, ERR_OK);
}

/* ---- time ---- */

static void
publications_last_for_their_ttl(void **state)
{
    (void)state;
    publish("a", "1");
    now += TTL - 1;
    publish("a", "2");
    recover("a", 0, "");
    assert_int_equal(told.n, 2);
    now += 1;
    recover("a", 0, "");
    assert_false(told.whole);
    assert_string_equal(told.data, "2=2 ");
    assert_int_equal(told.at.offset, 2);
    now += TTL;
    recover("a", 2, "");
    assert_true(told.whole);
    recover("a", 1, "");
    assert_false(told.whole);
}

static void
a_stream_is_forgotten_after_its_meta_ttl(void **state)
{
    char epoch[STREAM_EPOCH_SIZE];

    (void)state;
    publish("a", "1");
    strcpy(epoch, told.at.epoch);
    now += META - 1;
    ask("a", (struct stream_query){ .limit = 0 });
    assert_int_equal(told.at.offset, 1);
    assert_string_equal(told.at.epoch, epoch);
    now += 1;
    ask("a", (struct stream_query){ .limit = 0 });
    assert_int_equal(told.at.offset, 0);
    assert_string_not_equal(told.at.epoch, epoch);      /* so that offset 1 is not taken for the old one */
}

static void
idle_streams_go_by_themselves(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "channel-%d", i);
        publish(name, "1");
        *delivered = '\0';
    }
    assert_int_equal(figure("confab_push_streams"), MANY);
    assert_true(stream_memory_sweep(store) > 0);
    now += TTL;
    assert_int_equal(stream_memory_sweep(store), 0);    /* some at a time */
    assert_true(figure("confab_push_history_publications") > 0);
    sweep_all();
    assert_int_equal(figure("confab_push_history_publications"), 0);
    assert_int_equal(figure("confab_push_streams"), MANY);
    now += META;
    sweep_all();
    assert_int_equal(figure("confab_push_streams"), 0);
    assert_int_equal(figure("confab_push_history_bytes"), 0);
    assert_int_equal(stream_memory_sweep(store), -1);
}

static void
a_busy_stream_stays(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        publish("a", "1");
        now += META / 2;
        sweep_all();
        *delivered = '\0';
    }
    assert_int_equal(told.at.offset, 100);
}

static void
fire(void)
{
    assert_true(fake_timer.after_ms >= 0);
    now += fake_timer.after_ms;
    fake_timer.after_ms = -1;
    fake_timer.due(fake_timer.arg);
}

static void
one_timer_is_set_for_what_ends_next(void **state)
{
    struct stream_memory_options o = { .bytes_max = 1 << 20, .idempotency_ms = KEYS, .deliver = on_deliver,
                                       .now_ms = the_time };
    char name[16];
    int n = 0;

    (void)state;
    store->calls->free(store);
    assert_int_equal(stream_memory_new(&o, (struct io *)(void *)&o, &store), ERR_OK);
    assert_int_equal(fake_timer.after_ms, -1);
    publish("a", "1");
    assert_in_range(fake_timer.after_ms, TTL, TTL + TTL / 2);
    publish_as((struct stream_publish){ .channel = "b", .rules = no_history, .idempotency_key = "k" }, "1");
    assert_in_range(fake_timer.after_ms, KEYS, KEYS + KEYS / 2);
    fire();
    assert_int_equal(figure("confab_push_idempotency_keys"), 0);
    fire();
    assert_int_equal(figure("confab_push_history_publications"), 0);
    fire();
    assert_int_equal(figure("confab_push_streams"), 0);
    assert_int_equal(fake_timer.after_ms, -1);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%d", i);
        publish(name, "1");
        *delivered = '\0';
    }
    while (fake_timer.after_ms >= 0 && n++ < 20)
        fire();
    assert_int_equal(figure("confab_push_streams"), 0);
    assert_in_range(n, 4, 19);
}

/* ---- memory ---- */

static void
a_full_memory_refuses_and_serves_what_makes_room(void **state)
{
    int n = 0;

    (void)state;
    store->calls->free(store);
    open_store(4096);
    do {
        char name[16];

        snprintf(name, sizeof name, "c%d", n++);
        publish(name, "1");
    } while (told.e == ERR_OK && n < MANY);
    assert_int_equal(told.e, ERR_BUSY);
    assert_true(n > 3);
    assert_true(figure("confab_push_history_bytes") <= 4096);
    assert_int_equal(figure("confab_push_history_refused_total"), 1);
    publish_as((struct stream_publish){ .channel = "other", .rules = no_history }, "1");
    assert_int_equal(told.e, ERR_OK);
    publish_as((struct stream_publish){ .channel = "c0", .rules = { .size = 1, .ttl_ms = TTL, .meta_ttl_ms = META } },
               "2");
    assert_int_equal(told.e, ERR_OK);       /* in place of the one before */
    now += META;
    publish("new", "1");                    /* what is over goes first */
    assert_int_equal(told.e, ERR_OK);
}

static void
bounds_may_move(void **state)
{
    int n = 0;

    (void)state;
    store->calls->free(store);
    open_store(4096);
    do {
        char name[16];

        snprintf(name, sizeof name, "c%d", n++);
        publish(name, "1");
    } while (told.e == ERR_OK && n < MANY);
    assert_int_equal(told.e, ERR_BUSY);
    stream_memory_bound(store, 8192, 1);
    publish("more", "1");
    assert_int_equal(told.e, ERR_OK);
    n = (int)figure("confab_push_history_publications");
    stream_memory_bound(store, 2048, 1);
    publish("yet more", "1");
    assert_int_equal(told.e, ERR_BUSY);
    assert_int_equal(figure("confab_push_history_publications"), n);    /* what is there stays ... */
    now += META;
    publish("yet more", "1");                                           /* ... until its time is over */
    assert_int_equal(told.e, ERR_OK);
}

/* ---- keys and versions ---- */

static void
a_key_gives_the_first_answer_again(void **state)
{
    struct stream_publish p = { .channel = "a", .rules = rules, .idempotency_key = "k" };

    (void)state;
    publish_as(p, "1");
    publish("a", "2");
    publish_as(p, "3");
    assert_int_equal(told.e, ERR_OK);
    assert_int_equal(told.at.offset, 1);
    assert_string_equal(delivered, "a:1 a:2 ");
    p.channel = "b";                        /* keys belong to a channel */
    publish_as(p, "4");
    assert_string_equal(delivered, "a:1 a:2 b:4 ");
    now += KEYS;
    p.channel = "a";
    publish_as(p, "5");
    assert_int_equal(told.at.offset, 3);
    assert_int_equal(figure("confab_push_idempotency_keys"), 2);
    sweep_all();
    assert_int_equal(figure("confab_push_idempotency_keys"), 1);
    now += KEYS;
    sweep_all();
    assert_int_equal(figure("confab_push_idempotency_keys"), 0);
}

static void
a_key_serves_channels_without_history(void **state)
{
    struct stream_publish p = { .channel = "a", .rules = no_history, .idempotency_key = "k" };

    (void)state;
    publish_as(p, "1");
    publish_as(p, "2");
    assert_int_equal(told.e, ERR_OK);
    assert_string_equal(delivered, "a:1 ");
}

static void
an_old_version_is_not_published(void **state)
{
    struct stream_publish p = { .channel = "a", .rules = rules, .version = 5 };

    (void)state;
    publish_as(p, "1");
    publish_as(p, "2");
    assert_int_equal(told.e, ERR_OK);
    assert_int_equal(told.at.offset, 1);
    p.version = 4;
    publish_as(p, "3");
    p.version_epoch = "other";              /* counts anew */
    publish_as(p, "4");
    assert_int_equal(told.at.offset, 2);
    publish_as(p, "5");
    publish("a", "6");                      /* without a version: always */
    p.version = 6;
    publish_as(p, "7");
    assert_string_equal(delivered, "a:1 a:4 a:6 a:7 ");
}

/* ---- presence ---- */

static char present[256];

static void
on_each(void *arg, const struct stream_presence *who)
{
    (void)arg;
    strcat(strcat(present, who->client), " ");
}

static void
on_counted(void *arg, enum err e, int64_t clients, int64_t users)
{
    (void)arg;
    told.e = e;
    told.clients = clients;
    told.users = users;
}

static void
count(const char *channel)
{
    *present = '\0';
    store->calls->presence(store, channel, on_each, on_counted, NULL);
}

static void
users_present_count_once(void **state)
{
    struct stream_presence who[3] = {
        { .client = "c1", .user = "u1" }, { .client = "c2", .user = "u2" }, { .client = "c3", .user = "u1" },
    };

    (void)state;
    count("a");
    assert_int_equal(told.clients, 0);
    for (int i = 0; i < 3; i++)
        store->calls->join(store, "a", &who[i]);
    count("a");
    assert_int_equal(told.clients, 3);
    assert_int_equal(told.users, 2);
    assert_string_equal(present, "c3 c2 c1 ");
    store->calls->leave(store, &who[1]);
    store->calls->leave(store, &who[1]);
    count("a");
    assert_int_equal(told.clients, 2);
    assert_int_equal(told.users, 1);
    assert_string_equal(present, "c3 c1 ");
    store->calls->leave(store, &who[2]);
    store->calls->leave(store, &who[0]);
    assert_int_equal(figure("confab_push_streams"), 0);
    assert_int_equal(figure("confab_push_history_bytes"), 0);
}

/* Counting users takes time; in a crowd nobody can have it done as often as he asks. */
static void
a_crowd_is_counted_now_and_then(void **state)
{
    enum { CROWD = 1200 };
    static struct stream_presence who[CROWD];
    static char names[CROWD][8];

    (void)state;
    for (int i = 0; i < CROWD; i++) {
        sprintf(names[i], "u%d", i);
        who[i] = (struct stream_presence){ .client = names[i], .user = names[i] };
        if (i > 0)
            store->calls->join(store, "a", &who[i]);
    }
    store->calls->presence(store, "a", NULL, on_counted, NULL);
    assert_int_equal(told.users, CROWD - 1);
    store->calls->join(store, "a", &who[0]);
    store->calls->presence(store, "a", NULL, on_counted, NULL);
    assert_int_equal(told.clients, CROWD);
    assert_int_equal(told.users, CROWD - 1);
    now += 1000;
    store->calls->presence(store, "a", NULL, on_counted, NULL);
    assert_int_equal(told.users, CROWD);
    for (int i = 0; i < CROWD; i++) {
        store->calls->leave(store, &who[i]);
        if (i == 100 || i == 500) {
            store->calls->presence(store, "a", NULL, on_counted, NULL);
            assert_int_equal(told.users, CROWD - 1 - i);     /* never more than there are clients */
        }
    }
    assert_int_equal(figure("confab_push_streams"), 0);
}

static void
who_is_present_keeps_the_stream(void **state)
{
    struct stream_presence who = { .client = "c", .user = "u" };
    char epoch[STREAM_EPOCH_SIZE];

    (void)state;
    store->calls->join(store, "a", &who);
    publish("a", "1");
    strcpy(epoch, told.at.epoch);
    now += 2 * META;
    sweep_all();
    ask("a", (struct stream_query){ .limit = 0 });
    assert_int_equal(told.at.offset, 1);
    assert_string_equal(told.at.epoch, epoch);
    store->calls->leave(store, &who);
    assert_int_equal(figure("confab_push_streams"), 0);
}

/* ---- from within a callback ---- */

static void
again(void *arg, const char *channel, struct publication *p)
{
    on_deliver(arg, channel, p);
    if (p->offset < 20)
        publish_as((struct stream_publish){ .channel = channel, .rules = rules }, "1");
}

static void
one_may_publish_while_delivering(void **state)
{
    struct stream_memory_options o = { .bytes_max = 1 << 20, .idempotency_ms = KEYS, .deliver = again,
                                       .now_ms = the_time };
    struct stream_publish p = { .channel = "a", .rules = rules,
                                .publication = publication_new("1", 1, NULL, NULL, false) };

    (void)state;
    store->calls->free(store);
    assert_int_equal(stream_memory_new(&o, NULL, &store), ERR_OK);
    store->calls->publish(store, &p, on_published, NULL);
    publication_unref(p.publication);
    assert_int_equal(told.calls, 20);
    ask("a", (struct stream_query){ .limit = -1 });
    assert_int_equal(told.at.offset, 20);
    assert_int_equal(told.n, SIZE);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(line_ends_become_spaces),
        TEST(each_channel_counts_for_itself),
        TEST(without_history_there_is_no_position),
        TEST(a_position_in_the_window_recovers),
        TEST(outside_of_the_window_nothing_is_whole),
        TEST(a_channel_never_published_to_has_a_position_that_holds),
        TEST(history_takes_limit_since_and_reverse),
        TEST(removing_keeps_epoch_and_top),
        TEST(publications_last_for_their_ttl),
        TEST(a_stream_is_forgotten_after_its_meta_ttl),
        TEST(idle_streams_go_by_themselves),
        TEST(a_busy_stream_stays),
        TEST(one_timer_is_set_for_what_ends_next),
        TEST(a_full_memory_refuses_and_serves_what_makes_room),
        TEST(bounds_may_move),
        TEST(a_key_gives_the_first_answer_again),
        TEST(a_key_serves_channels_without_history),
        TEST(an_old_version_is_not_published),
        TEST(users_present_count_once),
        TEST(a_crowd_is_counted_now_and_then),
        TEST(who_is_present_keeps_the_stream),
        TEST(one_may_publish_while_delivering),
    };

    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
