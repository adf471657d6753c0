/* test_webhook - messages for webhooks: who is told, claims, tries; and addresses that strangers may name
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "relay/address.h"
#include "shared/chat/op_room.h"
#include "shared/chat/webhook.h"
#include "tests/unit/scratch.h"

#define URL "https://runner.example/hook?secret=1"
#define TIMEOUT_MS 5000
#define PAUSE_MS 1000
#define LEASE_MS (TIMEOUT_MS + 1000)    /* nobody waits for the writers' line here */
#define QUEUE 3
#define POSTS 8                         /* a quarter for each account */

/* Two accounts; anna's room with an agent. */
struct world {
    char dir[SCRATCH_DIR], path[SCRATCH_PATH];
    struct config config;
    struct db *db;
    struct arena *arena;
    struct op op;
    struct room_actor anna, boris;
    struct room room;
    struct agent agent;
};

static struct room_actor
make_account(struct world *w, const char *email)
{
    struct account_new in = { .email = email, .password = "correct horse" };
    struct auth auth;

    assert_int_equal(op_account_register(&w->op, &in, &auth), ERR_OK);
    return (struct room_actor){ .kind = ACTOR_OWNER, .account = auth.account.id };
}

static struct room
make_room(struct world *w, const struct room_actor *who, struct agent *agent_r)
{
    struct room_new in = { .name = "r", .orchestration = ORCHESTRATION_SINGLE };
    struct agent_new a = { .name = "A" };
    struct room room;

    assert_int_equal(op_room_create(&w->op, who->account, &in, &room), ERR_OK);
    assert_int_equal(op_agent_add(&w->op, who, room.id, &a, agent_r), ERR_OK);
    return room;
}

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    w->db = scratch_new(w->dir, w->path);
    w->config = (struct config){
        .run = w->dir, .log_keep_s = 3600, .log_keep_events = 100000, .idempotency_keep_s = 3600,
        .rooms_jwt_secret = "0123456789abcdef0123456789abcdef", .rooms_token_s = 3600,
        .rooms_refresh_s = 7200, .rooms_password_memory_kib = 8, .rooms_password_passes = 1,
        .rooms_password_processes = 4, .rooms_per_user = 10, .rooms_agents_max = 4,
        .rooms_runner_keys_max = 4, .rooms_webhooks = true, .rooms_webhook_timeout_ms = TIMEOUT_MS,
        .rooms_webhook_pause_ms = PAUSE_MS, .rooms_webhook_queue = QUEUE,
        .rooms_webhook_posts = POSTS, .runner_key = "",
    };
    w->arena = arena_new();
    w->op = (struct op){ .db = w->db, .arena = w->arena, .config = &w->config,
                         .system = &chat_rooms, .now_ms = 1700000000000 };
    w->anna = make_account(w, "anna@x.org");
    w->boris = make_account(w, "boris@x.org");
    w->room = make_room(w, &w->anna, &w->agent);
    *state = w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    db_close(w->db);
    arena_free(w->arena);
    scratch_remove(w->dir);
    free(w);
    return 0;
}

static struct runner_key
hook_in(struct world *w, const struct room_actor *who, int64_t room)
{
    struct runner_key k;

    assert_int_equal(op_runner_key_create(&w->op, who, room, "k", URL, &k), ERR_OK);
    return k;
}

static struct runner_key
hook(struct world *w)
{
    return hook_in(w, &w->anna, w->room.id);
}

static struct room_entry
say_in(struct world *w, const struct room_actor *who, int64_t room, int64_t agent)
{
    struct room_entry e;

    assert_int_equal(op_room_say(&w->op, who, room, agent, "\"hello\"", &e), ERR_OK);
    return e;
}

static struct room_entry
say(struct world *w)
{
    return say_in(w, &w->anna, w->room.id, 0);
}

/* How many were claimed; the first of them. */
static size_t
claim(struct world *w, int64_t limit, struct webhook *first_r, int64_t *next_r)
{
    struct webhook *list;
    int64_t next;
    size_t n;

    assert_int_equal(op_webhook_claim(&w->op, limit, &list, &n, &next), ERR_OK);
    if (first_r && n > 0)
        *first_r = list[0];
    if (next_r)
        *next_r = next;
    return n;
}

static struct webhook
claim_one(struct world *w)
{
    struct webhook h;

    assert_int_equal(claim(w, 10, &h, NULL), 1);
    return h;
}

static void
settle(struct world *w, const struct webhook *h, const char *why)
{
    const struct webhook_result r = { h->id, h->until_ms, h->uid, h->key, h->tries, why };

    assert_int_equal(op_webhook_settle(&w->op, &r, 1), ERR_OK);
}

/* ---- who is told ---- */

static void
each_webhook_of_the_room_is_told_of_what_the_user_says(void **state)
{
    struct world *w = *state;
    struct runner_key k = hook(w), plain;
    struct agent a;
    struct room other = make_room(w, &w->anna, &a);
    struct room_entry said;
    struct webhook h;

    assert_int_equal(op_runner_key_create(&w->op, &w->anna, w->room.id, "p", NULL, &plain), ERR_OK);
    say_in(w, &w->anna, other.id, 0);       /* no webhook there */
    assert_int_equal(claim(w, 10, NULL, NULL), 0);
    said = say_in(w, &w->anna, w->room.id, w->agent.id);
    h = claim_one(w);
    assert_int_equal(h.key, k.id);
    assert_int_equal(h.room, w->room.id);
    assert_string_equal(h.url, URL);
    assert_string_equal(h.secret, k.webhook_secret);
    assert_int_equal(h.entry.id, said.id);
    assert_int_equal(h.entry.at_ms, said.at_ms);
    assert_string_equal(h.entry.text, "\"hello\"");
    assert_string_equal(h.entry.sender, "user");
    assert_int_equal(h.entry.agent, w->agent.id);
    settle(w, &h, NULL);
    assert_int_equal(claim(w, 10, NULL, NULL), 0);
}

static void
agents_and_events_are_not_told_of(void **state)
{
    struct world *w = *state;
    struct runner_key k = hook(w);
    struct room_actor runner = { .kind = ACTOR_RUNNER, .key = k.id, .room = w->room.id };
    struct runner_message in = { .text = "t", .agent = w->agent.id };
    struct room_event_new event = { .type = "user_event", .description = "d" };
    struct room_entry e;
    bool repeat;

    assert_int_equal(op_runner_say(&w->op, &runner, w->room.id, &in, &e, &repeat), ERR_OK);
    assert_int_equal(op_room_event(&w->op, &w->anna, w->room.id, &event, &e, &repeat), ERR_OK);
    assert_int_equal(op_room_broadcast(&w->op, &w->anna, w->room.id, "user_event", "d", &e), ERR_OK);
    assert_int_equal(claim(w, 10, NULL, NULL), 0);
    assert_int_equal(op_room_broadcast(&w->op, &w->anna, w->room.id, "chat", "aloud", &e), ERR_OK);
    assert_string_equal(claim_one(w).entry.text, "aloud");
}

static void
nothing_is_written_where_it_is_off(void **state)
{
    struct world *w = *state;

    hook(w);
    w->config.rooms_webhooks = false;
    say(w);
    assert_int_equal(claim(w, 10, NULL, NULL), 0);
}

static void
a_message_that_is_not_stored_is_not_told(void **state)
{
    struct world *w = *state;
    struct room_entry e;

    hook(w);
    assert_int_equal(op_agent_remove(&w->op, &w->anna, w->room.id, w->agent.id), ERR_OK);
    assert_int_equal(op_room_say(&w->op, &w->anna, w->room.id, 0, "x", &e), ERR_RULE);
    assert_int_equal(claim(w, 10, NULL, NULL), 0);
}

static void
what_was_addressed_stays_so(void **state)
{
    struct world *w = *state;
    struct room_entry said;
    struct webhook h;

    hook(w);
    said = say_in(w, &w->anna, w->room.id, w->agent.id);
    assert_int_equal(op_agent_remove(&w->op, &w->anna, w->room.id, w->agent.id), ERR_OK);
    h = claim_one(w);
    assert_int_equal(h.entry.agent, said.agent);
}

/* ---- claims ---- */

static void
a_claim_is_for_one_and_ends_by_itself(void **state)
{
    struct world *w = *state;
    struct webhook h, again;
    int64_t next;

    hook(w);
    say(w);
    h = claim_one(w);
    assert_int_equal(h.until_ms, w->op.now_ms + LEASE_MS);
    assert_int_equal(claim(w, 10, NULL, &next), 0);
    assert_int_equal(next, h.until_ms);
    w->op.now_ms = h.until_ms - 1;
    assert_int_equal(claim(w, 10, NULL, NULL), 0);
    w->op.now_ms++;
    again = claim_one(w);
    assert_string_equal(again.uid, h.uid);
    assert_int_equal(again.tries, 0);       /* nobody knows of one */
    settle(w, &h, NULL);                    /* the first, after all: it is not his any more */
    w->op.now_ms = again.until_ms;
    assert_string_equal(claim_one(w).uid, h.uid);
}

static void
one_of_each_key_at_a_time(void **state)
{
    struct world *w = *state;
    struct runner_key a = hook(w);
    struct webhook *list, h;
    int64_t next;
    size_t n;

    hook(w);
    say(w);
    say(w);
    assert_int_equal(op_webhook_claim(&w->op, 10, &list, &n, &next), ERR_OK);
    assert_int_equal(n, 2);
    assert_int_not_equal(list[0].key, list[1].key);
    assert_int_equal(list[0].entry.id, list[1].entry.id);
    assert_string_not_equal(list[0].uid, list[1].uid);
    h = list[list[0].key == a.id ? 0 : 1];
    assert_int_equal(claim(w, 10, NULL, NULL), 0);
    settle(w, &h, NULL);
    assert_int_equal(claim_one(w).key, a.id);
    assert_int_equal(claim(w, 0, NULL, NULL), 0);
}

static void
nobody_gets_more_than_his_share(void **state)
{
    struct world *w = *state;
    struct room_actor *both[] = { &w->anna, &w->boris };
    struct webhook *list;
    struct agent a;
    int64_t next;
    size_t n;

    for (int i = 0; i < 8; i++) {
        struct room r = make_room(w, both[i / 4], &a);

        hook_in(w, both[i / 4], r.id);
        say_in(w, both[i / 4], r.id, 0);
    }
    assert_int_equal(op_webhook_claim(&w->op, 3, &list, &n, &next), ERR_OK);
    assert_int_equal(n, 3);                 /* as many as were wanted ... */
    assert_int_equal(claim(w, 10, NULL, NULL), 1);      /* ... and up to two of each account */
    assert_int_equal(claim(w, 10, NULL, NULL), 0);
    settle(w, &list[0], NULL);
    assert_int_equal(claim(w, 10, NULL, NULL), 1);
}

static void
tries_are_spaced_and_then_given_up(void **state)
{
    static const int64_t pauses[] = { PAUSE_MS, 5 * PAUSE_MS, 25 * PAUSE_MS };
    struct world *w = *state;
    struct webhook h, again;
    int64_t next;

    hook(w);
    say(w);
    h = claim_one(w);
    for (int i = 0; i < 3; i++) {
        w->op.now_ms += 100;
        settle(w, &h, "status 500");
        assert_int_equal(claim(w, 10, NULL, &next), 0);
        assert_int_equal(next, w->op.now_ms + pauses[i]);
        w->op.now_ms = next - 1;
        assert_int_equal(claim(w, 10, NULL, NULL), 0);
        w->op.now_ms = next;
        again = claim_one(w);
        assert_string_equal(again.uid, h.uid);
        assert_int_equal(again.tries, i + 1);
        h = again;
    }
    settle(w, &h, "status 500");
    w->op.now_ms += 1000000;
    assert_int_equal(claim(w, 10, NULL, &next), 0);
    assert_int_equal(next, 0);
}

static void
others_go_on_while_one_waits_to_be_tried_again(void **state)
{
    struct world *w = *state;
    struct room_entry second;
    struct webhook h;

    hook(w);
    say(w);
    h = claim_one(w);
    second = say(w);
    settle(w, &h, "status 500");
    assert_int_equal(claim_one(w).entry.id, second.id);
}

/* ---- bounds and ends ---- */

static void
the_oldest_are_given_up(void **state)
{
    struct world *w = *state;
    struct room_entry said[QUEUE + 2];
    struct webhook h;

    hook(w);
    for (int i = 0; i < QUEUE + 2; i++)
        said[i] = say(w);
    for (int i = 2; i < QUEUE + 2; i++) {
        h = claim_one(w);
        assert_int_equal(h.entry.id, said[i].id);
        settle(w, &h, NULL);
    }
    assert_int_equal(claim(w, 10, NULL, NULL), 0);
}

static void
they_go_with_key_and_room(void **state)
{
    struct world *w = *state;
    struct runner_key k = hook(w);
    struct webhook h;

    say(w);
    h = claim_one(w);
    assert_int_equal(op_runner_key_delete(&w->op, &w->anna, w->room.id, k.id), ERR_OK);
    settle(w, &h, "status 500");            /* nothing is left to be tried again */
    w->op.now_ms += 1000000;
    assert_int_equal(claim(w, 10, NULL, NULL), 0);
    hook(w);
    say(w);
    assert_int_equal(op_room_delete(&w->op, &w->anna, w->room.id), ERR_OK);
    assert_int_equal(claim(w, 10, NULL, NULL), 0);
}

static void
a_deactivated_owners_wait(void **state)
{
    struct world *w = *state;

    hook(w);
    say(w);
    assert_int_equal(op_account_activate(&w->op, "anna@x.org", false), ERR_OK);
    assert_int_equal(claim(w, 10, NULL, NULL), 0);
    assert_int_equal(op_account_activate(&w->op, "anna@x.org", true), ERR_OK);
    claim_one(w);
}

/* ---- addresses ---- */

static bool
is_public(const char *text)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return address_is_public((struct sockaddr *)&in, sizeof in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return address_is_public((struct sockaddr *)&in6, sizeof in6);
}

static void
only_the_open_internet_is_public(void **state)
{
    static const char *const fine[] = {
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
        "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
        "2a00:1450::1", "2606:4700::1111", "2001:200::1", "64:ff9b::8.8.8.8",
    };
    static const char *const refused[] = {
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
        "127.255.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1",
        "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
        "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::8.8.8.8", "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "100::1", "2001::1", "2001:1ff::1", "2001:db8::1",
        "2002:808:808::1", "3fff::1", "fc00::1", "fd12:3456::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "4000::1",
    };
    struct sockaddr_un local = { .sun_family = AF_UNIX };
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(0x08080808) } };

    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        if (!is_public(fine[i]))
            fail_msg("%s is public", fine[i]);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (is_public(refused[i]))
            fail_msg("%s is not public", refused[i]);
    assert_false(address_is_public((struct sockaddr *)&local, sizeof local));
    assert_false(address_is_public((struct sockaddr *)&in, sizeof in - 1));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(each_webhook_of_the_room_is_told_of_what_the_user_says),
        T(agents_and_events_are_not_told_of),
        T(nothing_is_written_where_it_is_off),
        T(a_message_that_is_not_stored_is_not_told),
        T(what_was_addressed_stays_so),
        T(a_claim_is_for_one_and_ends_by_itself),
        T(one_of_each_key_at_a_time),
        T(nobody_gets_more_than_his_share),
        T(tries_are_spaced_and_then_given_up),
        T(others_go_on_while_one_waits_to_be_tried_again),
        T(the_oldest_are_given_up),
        T(they_go_with_key_and_room),
        T(a_deactivated_owners_wait),
        cmocka_unit_test(only_the_open_internet_is_public),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
