/* test_push_client - a client's life: connect and its verdicts, what waits for it, refresh, and its limits
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/push_client_fakes.h"

/* ---- connect ---- */

static void
connect_then_the_rest_of_the_message(void **state)
{
    struct push_client *c = open_socket(0);

    (void)state;
    say(c, "{\"id\":1,\"connect\":{\"token\":\"ann\",\"name\":\"js\"}}\n"
           "{\"id\":2,\"subscribe\":{\"channel\":\"news\"}}\n{}");
    expect(HELLO PING "(started ann)\n(subscribe news)\n");
    assert_int_equal(push->n_clients, 1);
    assert_int_equal(n_hooks, 1);
    assert_int_equal(strlen(c->id), 36);
    assert_int_equal(c->id[14], '4');
    assert_string_equal(client_session_id(c), "");
    hang_up(c);
    expect("(ended ann)\n");
    assert_int_equal(n_hooks, 2);
}

static void
server_side_subscriptions_are_in_the_reply(void **state)
{
    struct push_client *c = open_socket(0);

    (void)state;
    say(c, "{\"id\":1,\"connect\":{\"token\":\"reader\",\"subs\":{\"other\":{},"
           "\"news\":{\"recover\":true,\"epoch\":\"xyz\",\"offset\":3}}}}");
    expect("(recover xyz)\n" HELLO ",\"subs\":{\"news\":{}}" PING "(started reader)\n");
}

static void
while_subscriptions_are_made_commands_wait(void **state)
{
    struct push_client *c = open_socket(0);

    (void)state;
    subscriptions_wait = true;
    say(c, "{\"id\":1,\"connect\":{\"token\":\"ann\"}}\n{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
    say(c, "{\"id\":3,\"subscribe\":{\"channel\":\"b\"}}");
    expect("");
    subscriptions_done(c, (struct push_verdict){ 0 }, NULL, 0);
    expect(HELLO PING "(started ann)\n(subscribe a)\n(subscribe b)\n");
}

static void
what_waits_is_bounded(void **state)
{
    struct push_client *c = open_socket(0);
    char text[600];

    (void)state;
    subscriptions_wait = true;
    say(c, "{\"id\":1,\"connect\":{\"token\":\"ann\"}}");
    sprintf(text, "{\"id\":2,\"publish\":{\"channel\":\"a\",\"data\":\"%0500d\"}}", 7);
    say(c, text);
    expect("");
    say(c, text);
    expect("!3013 too many requests\n");
    assert_int_equal(push->counters[PUSH_COUNT_SHED_COMMANDS], 1);
    subscriptions_done(c, (struct push_verdict){ 0 }, NULL, 0);
    expect("");         /* closed: the answer comes too late */
}

static void
refused_credentials(void **state)
{
    static const struct {
        const char *token, *want;
    } cases[] = {
        { "bad", "!3500 invalid token\n" },
        { "old", "{\"id\":1,\"error\":{\"code\":109,\"message\":\"token expired\"}}\n" },
        { "nobody", "!3507 permission denied\n" },
        { "", "!3501 bad request\n" },
        { "ann-past", "{\"id\":1,\"error\":{\"code\":110,\"message\":\"expired\"}}\n" },
    };
    char text[100];

    (void)state;
    config.push_anonymous = false;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct push_client *c = open_socket((int)i);

        sprintf(text, "{\"id\":1,\"connect\":{\"token\":\"%s\"}}\n{\"id\":2,\"history\":{\"channel\":\"a\"}}",
                cases[i].token);
        say(c, text);
        expect(cases[i].want);
    }
    assert_int_equal(push->n_clients, 0);
    assert_int_equal(n_hooks, 0);
}

static void
nothing_is_run_after_a_refusal(void **state)
{
    struct push_client *c = open_socket(0);

    (void)state;
    say(c, "{\"id\":1,\"connect\":{\"token\":\"old\"}}");
    out[0] = '\0';
    say(c, "{\"id\":2,\"connect\":{\"token\":\"ann\"}}");
    expect("");
    time_passes(c, 9999);
    expect("");
    time_passes(c, 1);
    expect("!3502 stale\n");
}

static void
refused_subscriptions_refuse_the_connect(void **state)
{
    struct push_client *c = open_socket(0);

    (void)state;
    subscriptions_say.error = PUSH_UNKNOWN_CHANNEL;
    say(c, "{\"id\":1,\"connect\":{\"token\":\"reader\"}}\n{\"id\":2,\"history\":{\"channel\":\"a\"}}");
    expect("{\"id\":1,\"error\":{\"code\":102,\"message\":\"unknown channel\"}}\n");
    assert_int_equal(n_hooks, 0);
}

static void
what_is_no_command_closes(void **state)
{
    static const char *const bad[] = {
        "", "\n \n", "nonsense", "[]", "{\"id\":1,\"history\":{\"channel\":\"a\"}}", "{}",
        "{\"connect\":{}}", "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"connect\":{}}",
        "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"ping\":{}}",
        "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"dance\":{}}",
        "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"refresh\":{}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct push_client *c = open_socket(0);

        conns[0].closed = 0;
        say(c, bad[i]);
        assert_non_null(strstr(out, "!3501 bad request\n"));
        out[0] = '\0';
        hang_up(c);
    }
    out[0] = '\0';
}

static void
features_we_lack(void **state)
{
    struct push_client *c = connected(0, "ann");

    (void)state;
    c->io.calls->message(&c->io, "\1\2", 2, true);
    expect("!3506 inappropriate protocol\n");
    c = connected(1, "ann");
    say(c, "{\"id\":2,\"rpc\":{\"method\":\"x\"}}\n{\"send\":{\"data\":1}}\n{\"id\":3,\"rpc\":{}}");
    expect("{\"id\":2,\"error\":{\"code\":108,\"message\":\"not available\"}}\n!3508 not available\n");
}

static void
who_never_connects_is_stale(void **state)
{
    struct push_client *c = open_socket(0);

    (void)state;
    assert_ptr_equal(c->io.rules, &push->new_rules);    /* nor is it pinged */
    time_passes(c, 9999);
    expect("");
    time_passes(c, 1);
    expect("!3502 stale\n");
}

/* ---- limits ---- */

static void
connections_of_a_user(void **state)
{
    struct push_client *c, *first;

    (void)state;
    config.push_clients_per_user = 2;
    first = connected(0, "ann");
    connected(1, "ann");
    c = open_socket(2);
    say(c, "{\"id\":1,\"connect\":{\"token\":\"ann\"}}");
    expect("!3504 connection limit\n");
    assert_int_equal(push->counters[PUSH_COUNT_SHED_USER], 1);
    hang_up(first);
    connected(3, "ann");
}

static void
connections_of_an_address(void **state)
{
    struct io_request other = socket_request;
    struct push_client *first;

    (void)state;
    config.push_clients_per_address = 2;
    first = open_socket(0);
    open_socket(1);
    assert_int_equal(status_of(&socket_request), 429);
    assert_int_equal(push->counters[PUSH_COUNT_SHED_ADDRESS], 1);
    other.address = "192.0.2.2";
    assert_int_equal(status_of(&other), 101);
    hang_up(first);
    for (int i = 0; i < 3; i++)         /* who is gone before it opened counts no more */
        assert_int_equal(status_of(&socket_request), 101);
    open_socket(2);
}

static void
connects_in_a_storm(void **state)
{
    (void)state;
    config.push_connects_per_s = 4;
    monotonic_ms += 10000;
    for (int i = 0; i < 4; i++)
        assert_int_equal(status_of(&socket_request), 101);
    assert_int_equal(status_of(&socket_request), 503);
    assert_int_equal(push->counters[PUSH_COUNT_SHED_ADMISSION], 1);
    monotonic_ms += 250;
    assert_int_equal(status_of(&socket_request), 101);
    assert_int_equal(status_of(&socket_request), 503);
}

static void
nobody_enters_while_draining(void **state)
{
    (void)state;
    push->draining = true;
    for (int i = 0; i < 2; i++) {       /* nor do all come again at once */
        struct io_answer a;
        struct io_client *client;

        assert_int_equal(ask(&socket_request, &a, &client), IO_ANSWER);
        assert_int_equal(a.status, 503);
        assert_non_null(strstr(sbuf_str(&a.headers), i == 0 ? "Retry-After: 1\r\n" : "Retry-After: 2\r\n"));
        answer_free(&a);
    }
}

static void
commands_of_a_second(void **state)
{
    struct push_client *c = connected(0, "ann");    /* its connect was the first */

    (void)state;
    for (int i = 0; i < 6; i++)     /* in the first second as many more as it may have channels */
        say(c, "{\"id\":2,\"history\":{\"channel\":\"a\"}}");
    assert_int_equal(conns[0].closed, 0);
    monotonic_ms += 1000;
    for (int i = 0; i < 5; i++)
        say(c, "{\"id\":2,\"history\":{\"channel\":\"a\"}}");
    assert_int_equal(conns[0].closed, 0);
    say(c, "{\"id\":2,\"history\":{\"channel\":\"a\"}}");
    assert_int_equal(conns[0].closed, 3013);
    assert_int_equal(push->counters[PUSH_COUNT_SHED_COMMANDS], 1);
}

static void
bytes_of_a_second(void **state)
{
    struct push_client *c = connected(0, "ann");
    char text[1000];

    (void)state;
    monotonic_ms += 1000;
    sprintf(text, "{\"id\":2,\"history\":{\"channel\":\"%0900d\"}}", 1);
    for (int i = 0; i < 4; i++)     /* the fourth passes the bound, the next meets it */
        say(c, text);
    assert_int_equal(conns[0].closed, 0);
    say(c, "{}");
    assert_int_equal(conns[0].closed, 3013);
}

static void
errors_of_a_minute(void **state)
{
    struct push_client *c = connected(0, "ann");

    (void)state;
    say(c, "{\"id\":2,\"rpc\":{}}\n{\"id\":3,\"rpc\":{}}\n{\"id\":4,\"rpc\":{}}");
    monotonic_ms += 60000;
    say(c, "{\"id\":5,\"rpc\":{}}\n{\"id\":6,\"rpc\":{}}\n{\"id\":7,\"rpc\":{}}");
    assert_int_equal(conns[0].closed, 0);
    say(c, "{\"id\":8,\"rpc\":{}}");
    assert_int_equal(conns[0].closed, 3509);
}

static void
memory_that_is_full(void **state)
{
    struct push_client *c = open_socket(0), *slow = connected(1, "bob");

    (void)state;
    store_bytes = config.push_memory_max - (int64_t)frame_bytes() - 1;
    conns[1].queued = 100;
    admission_shed(push);
    assert_int_equal(conns[1].closed, 0);
    store_bytes = config.push_memory_max;
    assert_int_equal(status_of(&socket_request), 503);
    say(c, "{\"id\":1,\"connect\":{\"token\":\"ann\"}}");
    expect("{\"id\":1,\"error\":{\"code\":111,\"message\":\"too many requests\",\"temporary\":true}}\n");
    admission_shed(push);
    assert_int_equal(slow->state, CLIENT_CLOSING);
    assert_int_equal(conns[1].closed, 3008);
    assert_int_equal(push->counters[PUSH_COUNT_SHED_MEMORY], 3);
    expect("!clear\n!3008 slow\n!gone\n");  /* its socket took nothing: no use to wait for it */
    admission_shed(push);       /* nobody else has anything waiting */
    assert_int_equal(conns[0].closed, 0);
    expect("");
    store_bytes = 0;
    owed_bytes = config.push_memory_max;        /* copies count */
    conns[1].queued = 100;      /* one that is being closed, and waits for its peer */
    admission_shed(push);
    expect("!gone\n");
}

/* ---- the end of credentials ---- */

static void
refresh_prolongs(void **state)
{
    struct push_client *c = open_socket(0);

    (void)state;
    say(c, "{\"id\":1,\"connect\":{\"token\":\"ann-60\"}}");
    expect(HELLO ",\"expires\":true,\"ttl\":60" PING "(started ann)\n");
    time_passes(c, 60000);
    say(c, "{\"id\":2,\"refresh\":{\"token\":\"ann-90\"}}");
    expect("{\"id\":2,\"refresh\":{\"expires\":true,\"ttl\":30}}\n");
    time_passes(c, 30000 + 24999);
    expect("");
    time_passes(c, 1);
    expect("!3005 connection expired\n");
}

static void
refresh_refused(void **state)
{
    static const struct {
        const char *token, *want;
    } cases[] = {
        { "old", "!3005 connection expired\n" },
        { "bad", "!3500 invalid token\n" },
        { "bob", "!3500 invalid token\n" },
        { "ann-past", "{\"id\":2,\"error\":{\"code\":110,\"message\":\"expired\"}}\n" },
        { "ann", "{\"id\":2,\"refresh\":{}}\n" },
    };
    char text[100];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct push_client *c = connected((int)i, "ann");

        sprintf(text, "{\"id\":2,\"refresh\":{\"token\":\"%s\"}}", cases[i].token);
        say(c, text);
        expect(cases[i].want);
    }
}

/* ---- tokens that take long ---- */

static void
long_verification_leaves_the_loop(void **state)
{
    struct push_client *c = open_socket(0), *gone = open_socket(1);

    (void)state;
    config.push_token_public_key = "key.pem";
    say(c, "{\"id\":1,\"connect\":{\"token\":\"ann\"}}\n{\"id\":2,\"history\":{\"channel\":\"a\"}}");
    say(gone, "{\"id\":1,\"connect\":{\"token\":\"bob\"}}");
    hang_up(gone);
    out[0] = '\0';
    assert_int_equal(c->state, CLIENT_CONNECTING);
    pool_free(push->pool);      /* runs what is left, and collects it */
    push->pool = pool_new(1, on_wake, NULL);
    expect(HELLO PING "(started ann)\n(history a)\n");
}

/* Runs and collects what was handed in before. */
static void
threads_are_done(void)
{
    struct pool *before = push->pool;

    push->pool = pool_new(1, on_wake, NULL);
    pool_free(before);
}

static void
one_token_at_a_time(void **state)
{
    struct push_client *c = connected(0, "ann");

    (void)state;
    config.push_token_public_key = "key.pem";
    say(c, "{\"id\":2,\"refresh\":{\"token\":\"ann\"}}\n{\"id\":3,\"subscribe\":{\"channel\":\"$a\",\"token\":\"$a\"}}\n"
           "{\"id\":4,\"history\":{\"channel\":\"$a\"}}\n{\"id\":5,\"subscribe\":{\"channel\":\"$b\",\"token\":\"bad\"}}");
    expect("");
    threads_are_done();
    expect("{\"id\":2,\"refresh\":{}}\n");
    say(c, "{\"id\":6,\"history\":{\"channel\":\"$b\"}}");
    expect("");
    threads_are_done();
    expect("(subscribe $a)\n(history $a)\n");
    threads_are_done();
    expect("(refused $b)\n(history $b)\n");
    monotonic_ms += 1000;
    say(c, "{\"id\":7,\"subscribe\":{\"channel\":\"$c\",\"token\":\"$c\"}}\n{\"id\":8,\"rpc\":{}}");
    client_close(c, 4001, "enough");
    expect("!4001 enough\n");
    threads_are_done();
    expect("");
}

static void
one_who_is_closed_while_verified(void **state)
{
    struct push_client *c = open_socket(0);

    (void)state;
    config.push_token_public_key = "key.pem";
    say(c, "{\"id\":1,\"connect\":{\"token\":\"ann\"}}\n{\"id\":2,\"history\":{\"channel\":\"a\"}}");
    time_passes(c, 10000);
    expect("!3502 stale\n");
    pool_free(push->pool);
    push->pool = pool_new(1, on_wake, NULL);
    expect("");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(connect_then_the_rest_of_the_message),
        TEST(server_side_subscriptions_are_in_the_reply),
        TEST(while_subscriptions_are_made_commands_wait),
        TEST(what_waits_is_bounded),
        TEST(refused_credentials),
        TEST(nothing_is_run_after_a_refusal),
        TEST(refused_subscriptions_refuse_the_connect),
        TEST(what_is_no_command_closes),
        TEST(features_we_lack),
        TEST(who_never_connects_is_stale),
        TEST(connections_of_a_user),
        TEST(connections_of_an_address),
        TEST(connects_in_a_storm),
        TEST(nobody_enters_while_draining),
        TEST(commands_of_a_second),
        TEST(bytes_of_a_second),
        TEST(errors_of_a_minute),
        TEST(memory_that_is_full),
        TEST(refresh_prolongs),
        TEST(refresh_refused),
        TEST(long_verification_leaves_the_loop),
        TEST(one_token_at_a_time),
        TEST(one_who_is_closed_while_verified),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
