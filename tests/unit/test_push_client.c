/* test_push_client - a client's life, with strings: connect and its verdicts, what waits for it, limits, refresh, the
 * fallback transports, and what servers do to clients
 *
 * Sockets, deadlines, subscriptions, tokens and the store are stood in for: what is sent is written down, time passes when
 * the test says so. A token here is its user's name, or a word of verdicts[].
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

#include "relay/mem.h"
#include "relay/push/admission.h"
#include "relay/push/client_private.h"
#include "relay/push/subscription.h"
#include "relay/push/tail.h"

struct conn {
    struct io_client *client;
    int closed;
    bool stream;
    size_t queued;
    int heard;
};

struct io_fields {
    const char *names[4], *values[4];
};

static char out[16384];             /* payloads, one a line; "!3501 reason" for a close */
static struct conn conns[8];
static struct config config;
static struct push *push;
static int64_t unix_ms = 1000000, monotonic_ms = 5000;
static int n_hooks, n_wakes;
static int64_t store_bytes;
static bool subscriptions_wait;     /* start_all answers when the test says so */
static struct push_verdict subscriptions_say;
static void (*subscriptions_done)(struct push_client *c, struct push_verdict v,
                                  const struct reply_sub *subs, size_t n);

/* ---- what stands in for the rest ---- */

int64_t
__wrap_when_now_ms(void)
{
    return unix_ms;
}

int64_t
__wrap_when_monotonic_ms(void)
{
    return monotonic_ms;
}

void
conn_send(struct conn *c, struct frame *f)
{
    struct frame *part;
    uint32_t at = 0;

    if (c->closed)
        return;
    if (c->queued && !c->client->rules->queue_bytes) {
        sprintf(out + strlen(out), "!%d dropped\n", c->client->rules->slow_code);
        c->closed = c->client->rules->slow_code;
        return;
    }
    while ((part = frame_part(f, &at))) {
        strncat(out, (const char *)part->bytes + part->payload, part->len - part->payload);
        strcat(out, "\n");
        frame_unref(part);
    }
}

void
conn_close(struct conn *c, int code, const char *reason)
{
    if (c->closed)
        return;
    c->closed = code;
    if (c->stream)
        strcat(out, "!end\n");
    else
        sprintf(out + strlen(out), "!%d %s\n", code, reason);
}

size_t
conn_queued(const struct conn *c)
{
    return c->queued;
}

void
conn_heard(struct conn *c)
{
    c->heard++;
}

const char *
io_header(const struct io_request *r, const char *name)
{
    for (int i = 0; r->fields && i < 4; i++)
        if (r->fields->names[i] && strcmp(r->fields->names[i], name) == 0)
            return r->fields->values[i];
    return NULL;
}

void
io_timer_set(struct io_timer *t, int64_t after_ms)
{
    (void)t, (void)after_ms;
}

void
wheel_set(struct wheel *w, struct wheel_entry *e, int64_t after_ms,
          void (*due)(struct wheel_entry *e))
{
    (void)w;
    e->due_ms = monotonic_ms + after_ms;
    e->due = due;
}

void
wheel_clear(struct wheel *w, struct wheel_entry *e)
{
    (void)w;
    e->due = NULL;
}

int64_t
stream_memory_bytes(const struct stream_store *s)
{
    (void)s;
    return store_bytes;
}

void
hook_tell(struct hook *h, const struct hook_event *e)
{
    (void)h, (void)e;
    n_hooks++;
}

void
tail_show(struct push *p, const struct tail_event *e)
{
    (void)p, (void)e;
}

size_t
hub_channels(const struct hub *h)
{
    (void)h;
    return 3;
}

struct push_settings *
push_settings_ref(struct push_settings *s)
{
    return s;
}

void
push_settings_unref(struct push_settings *s)
{
    (void)s;
}

const struct token_keys *
push_settings_keys(const struct push_settings *s)
{
    (void)s;
    return NULL;
}

bool
push_settings_origin(const struct push_settings *s, const char *origin, const char *host,
                     bool secure)
{
    (void)s, (void)host, (void)secure;
    return strcmp(origin, "https://good.test") == 0;
}

enum channel_fault
push_settings_channel(const struct push_settings *s, const char *channel,
                      const struct channel_options **o_r)
{
    (void)s, (void)o_r;
    return !*channel ? CHANNEL_BAD_NAME : strchr(channel, ':') ? CHANNEL_UNKNOWN : CHANNEL_FINE;
}

static const struct {
    const char *text;
    enum err err;
    const char *user;
    int64_t expires_ms;
} verdicts[] = {
    { "bad", ERR_UNAUTHORIZED, NULL, 0 },
    { "old", ERR_TIMEOUT, NULL, 0 },
    { "nobody", ERR_OK, "", 0 },
    { "ann-60", ERR_OK, "ann", 1060000 },
    { "ann-90", ERR_OK, "ann", 1090000 },
    { "ann-past", ERR_OK, "ann", 900000 },
};

enum err
connection_token_verify(struct arena *a, const struct token_keys *k, const char *text,
                        int64_t now_ms, struct connection_token *t_r)
{
    static const struct token_subscription news = { .channel = "news" };

    (void)k, (void)now_ms;
    *t_r = (struct connection_token){ .user = arena_string(a, text) };
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        if (strcmp(text, verdicts[i].text) == 0) {
            t_r->user = verdicts[i].user;
            t_r->expires_ms = verdicts[i].expires_ms;
            return verdicts[i].err;
        }
    if (strcmp(text, "reader") == 0) {
        t_r->subs = &news;
        t_r->n_subs = 1;
    }
    return ERR_OK;
}

static void
note(struct push_client *c, const char *what, const char *channel)
{
    (void)c;
    sprintf(out + strlen(out), "(%s %s)\n", what, channel);
}

void
subscription_start_all(struct push_client *c, const struct subscription_wish *wishes, size_t n,
                       void (*done)(struct push_client *c, struct push_verdict v,
                                    const struct reply_sub *subs, size_t n))
{
    struct reply_sub subs[4] = { 0 };

    for (size_t i = 0; i < n; i++) {
        subs[i].channel = wishes[i].channel;
        if (wishes[i].recover.recover)
            note(c, "recover", wishes[i].recover.epoch);
    }
    subscriptions_done = done;
    if (!subscriptions_wait)
        done(c, subscriptions_say, subs, n);
}

void
subscription_started_all(struct push_client *c)
{
    note(c, "started", client_user_id(c));
}

void
subscription_end_all(struct push_client *c)
{
    note(c, "ended", client_user_id(c));
}

void
subscription_drained(struct push_client *c)
{
    note(c, "drained", client_user_id(c));
}

enum push_error
subscription_add(struct push_client *c, const struct subscription_wish *wish)
{
    note(c, "add", wish->channel);
    return strcmp(wish->channel, "again") == 0 ? PUSH_SUBSCRIBED
           : strcmp(wish->channel, "full") == 0 ? PUSH_LIMIT : PUSH_OK;
}

struct subscription *
subscription_find(const struct push_client *c, const char *channel)
{
    static struct subscription here;

    (void)c;
    return strcmp(channel, "news") == 0 ? &here : NULL;
}

void
subscription_end(struct subscription *s, int code, const char *reason)
{
    (void)s;
    sprintf(out + strlen(out), "(end %d %s)\n", code, reason);
}

#define COMMAND(function, word)                                 \
    void function(struct push_client *c, const struct command *cmd) \
    {                                                           \
        note(c, word, cmd->channel);                            \
    }
COMMAND(subscription_command_subscribe, "subscribe")
COMMAND(subscription_command_unsubscribe, "unsubscribe")
COMMAND(subscription_command_refresh, "sub_refresh")
COMMAND(channel_command_publish, "publish")
COMMAND(channel_command_presence, "presence")
COMMAND(channel_command_presence_stats, "presence_stats")
COMMAND(channel_command_history, "history")

/* ---- helpers ---- */

static void
on_wake(void *arg)
{
    (void)arg;
    n_wakes++;
}

static int
setup(void **state)
{
    (void)state;
    config = (struct config){
        .push_token_public_key = "",
        .push_token_jwks = "",
        .push_anonymous = true,
        .push_ping_s = 25,
        .push_stale_s = 10,
        .push_expiry_grace_s = 25,
        .push_message_max = 1000,
        .push_channels_per_client = 2,
        .push_commands_per_s = 5,
        .push_bytes_per_s = 3000,
        .push_errors_max = 3,
        .push_connects_per_s = 100,
        .push_memory_max = 1 << 20,
    };
    push = mem_new(sizeof *push);
    push->config = &config;
    push->scratch = arena_new();
    push->limits = admission_new();
    push->pool = pool_new(1, on_wake, NULL);
    push->shed_rules.slow_code = CLOSE_SLOW;
    push->shed_rules.ping = frame_text("{}", 2);
    push->socket_rules.queue_bytes = push->stream_rules.queue_bytes = 1;
    push->new_rules = push->native_rules = push->one_way_rules = push->socket_rules;
    strcpy(push->node, "this-node");
    LIST_INIT(&push->open);
    LIST_INIT(&push->closing);
    strmap_init(&push->clients);
    strmap_init(&push->users);
    strmap_init(&push->sessions);
    memset(conns, 0, sizeof conns);
    out[0] = '\0';
    n_hooks = n_wakes = 0;
    unix_ms = 1000000;
    store_bytes = 0;
    subscriptions_wait = false;
    subscriptions_say = (struct push_verdict){ 0 };
    return 0;
}

static void
hang_up(struct push_client *c)
{
    c->io.calls->closed(&c->io);
}

static int
teardown(void **state)
{
    struct push_client *c;

    (void)state;
    while ((c = LIST_FIRST(&push->open)) || (c = LIST_FIRST(&push->closing)))
        hang_up(c);
    assert_int_equal(push->n_clients, 0);
    assert_int_equal(push->clients.n, 0);
    assert_int_equal(push->users.n, 0);
    assert_int_equal(push->sessions.n, 0);
    pool_free(push->pool);
    admission_free(push->limits);
    strmap_fini(&push->clients);
    strmap_fini(&push->users);
    strmap_fini(&push->sessions);
    frame_unref(push->shed_rules.ping);
    arena_free(push->scratch);
    free(push);
    assert_int_equal(frame_bytes(), 0);
    return 0;
}

/* A request; the status is left in *a, whose buffers answer_free frees. */
static enum io_verdict
ask(const struct io_request *r, struct io_answer *a, struct io_client **client_r)
{
    *a = (struct io_answer){ 0 };
    sbuf_init(&a->body, 4096);
    sbuf_init(&a->headers, 4096);
    *client_r = NULL;
    if (strcmp(r->path, "/emulation") == 0)
        return emulation_request(push, r, NULL, a, client_r);
    return client_request(push, r, NULL, a, client_r);
}

static void
answer_free(struct io_answer *a)
{
    sbuf_fini(&a->body);
    sbuf_fini(&a->headers);
}

static int
status_of(const struct io_request *r)
{
    struct io_answer a;
    struct io_client *client;
    enum io_verdict v = ask(r, &a, &client);

    answer_free(&a);
    if (client)
        client->calls->abandoned(client);
    return v == IO_ANSWER ? a.status : v == IO_UPGRADE ? 101 : 200;
}

static const struct io_request socket_request = {
    .method = "GET", .path = "/connection/websocket", .query = "", .upgrade = true,
    .address = "192.0.2.1", .body = "",
};

static struct push_client *
open_request(const struct io_request *r, int i)
{
    struct io_answer a;
    struct io_client *client;
    enum io_verdict v = ask(r, &a, &client);

    answer_free(&a);
    assert_true(v == IO_UPGRADE || v == IO_STREAM);
    conns[i].client = client;
    conns[i].stream = v == IO_STREAM;
    client->calls->opened(client, &conns[i]);
    return (struct push_client *)client;
}

static struct push_client *
open_socket(int i)
{
    return open_request(&socket_request, i);
}

static struct push_client *
open_stream(int i, const char *path, const char *body)
{
    struct io_request r = { .method = "POST", .path = path, .query = "", .address = "192.0.2.1",
                            .body = body, .body_len = strlen(body) };

    return open_request(&r, i);
}

static void
say(struct push_client *c, const char *text)
{
    c->io.calls->message(&c->io, text, strlen(text), false);
}

/* What came out since the last time. Ids of clients are written as ID. */
static void
expect(const char *want)
{
    for (struct push_client *c, *i = LIST_FIRST(&push->open); (c = i); i = LIST_NEXT(i, entry))
        for (char *at; (at = strstr(out, c->id)); ) {
            memcpy(at, "ID", 2);
            memmove(at + 2, at + 36, strlen(at + 36) + 1);
        }
    assert_string_equal(out, want);
    out[0] = '\0';
}

#define HELLO "{\"id\":1,\"connect\":{\"client\":\"ID\",\"version\":\"confab " PACKAGE_VERSION "\""
#define PING ",\"ping\":25,\"pong\":true}}\n"

static struct push_client *
connected(int i, const char *user)
{
    struct push_client *c = open_socket(i);
    char text[100];

    sprintf(text, "{\"id\":1,\"connect\":{\"token\":\"%s\"}}", user);
    say(c, text);
    assert_int_equal(c->state, CLIENT_CONNECTED);
    out[0] = '\0';
    return c;
}

static void
time_passes(struct push_client *c, int64_t ms)
{
    monotonic_ms += ms;
    unix_ms += ms;
    if (c->deadline.due && c->deadline.due_ms <= monotonic_ms) {
        void (*due)(struct wheel_entry *e) = c->deadline.due;

        c->deadline.due = NULL;
        due(&c->deadline);
    }
}

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
    assert_int_equal(status_of(&socket_request), 503);
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
    say(c, "{\"id\":2,\"rpc\":{}}\n{\"id\":3,\"rpc\":{}}");
    monotonic_ms += 60000;
    say(c, "{\"id\":4,\"rpc\":{}}\n{\"id\":5,\"rpc\":{}}");
    assert_int_equal(conns[0].closed, 0);
    say(c, "{\"id\":6,\"rpc\":{}}");
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
    expect("!3008 dropped\n");
    assert_int_equal(slow->state, CLIENT_CLOSING);
    assert_int_equal(push->counters[PUSH_COUNT_SHED_MEMORY], 3);
    admission_shed(push);       /* nobody else has anything waiting */
    assert_int_equal(conns[0].closed, 0);
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

/* ---- transports ---- */

static void
http_stream_and_emulation(void **state)
{
    struct push_client *c = open_stream(0, "/connection/http_stream",
                                        "{\"id\":1,\"connect\":{\"token\":\"ann\"}}\n");
    struct io_request r = { .method = "POST", .path = "/emulation", .query = "", .address = "" };
    char body[300];

    (void)state;
    assert_non_null(strstr(out, ",\"node\":\"this-node\""));
    assert_non_null(strstr(out, client_session_id(c)));
    assert_true(strlen(client_session_id(c)) >= 36);
    out[0] = '\0';

    sprintf(body, "{\"session\":\"%s\",\"node\":\"this-node\",\"data\":"
                  "\"{\\\"id\\\":2,\\\"history\\\":{\\\"channel\\\":\\\"a\\\"}}\\n{}\"}",
            client_session_id(c));
    r.body = body;
    r.body_len = strlen(body);
    assert_int_equal(status_of(&r), 204);
    expect("(history a)\n");
    assert_int_equal(conns[0].heard, 2);     /* as it connected, and now */

    client_close(c, CLOSE_FORCE_DISCONNECT, NULL);
    expect("{\"push\":{\"disconnect\":{\"code\":3503,\"reason\":\"force disconnect\"}}}\n!end\n");
}

static void
emulation_refused(void **state)
{
    struct push_client *c = open_stream(0, "/connection/sse", "{\"id\":1,\"connect\":{\"token\":\"old\"}}");
    struct io_request r = { .method = "POST", .path = "/emulation", .query = "", .address = "" };
    const char *session = client_session_id(c);
    struct {
        int status;
        const char *format;
    } cases[] = {
        { 400, "nonsense" },
        { 400, "[]" },
        { 400, "{\"session\":\"%s\",\"node\":\"this-node\"}" },
        { 400, "{\"session\":\"%s\",\"node\":1,\"data\":\"{}\"}" },
        { 404, "{\"session\":\"%s\",\"node\":\"other\",\"data\":\"{}\"}" },
        { 404, "{\"session\":\"x%s\",\"node\":\"this-node\",\"data\":\"{}\"}" },
        { 204, "{\"session\":\"%s\",\"node\":\"this-node\",\"data\":\"{}\"}" },
    };
    char body[300];

    (void)state;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(body, sizeof body, cases[i].format, session);
#pragma GCC diagnostic pop
        r.body = body;
        r.body_len = strlen(body);
        assert_int_equal(status_of(&r), cases[i].status);
    }
    /* the last reached one whose connect was refused */
    expect("{\"push\":{\"disconnect\":{\"code\":3501,\"reason\":\"bad request\"}}}\n!end\n");
    r.method = "GET";
    assert_int_equal(status_of(&r), 405);
}

static void
one_way_clients(void **state)
{
    struct push_client *c = open_stream(0, "/connection/uni_sse", "{\"token\":\"ann-60\"}");

    (void)state;
    expect("{\"connect\":{\"client\":\"ID\",\"version\":\"confab " PACKAGE_VERSION
           "\",\"expires\":true,\"ttl\":60,\"ping\":25}}\n(started ann)\n");
    assert_int_equal(op_refresh(push, &(struct op_whom){ .user = "ann" }, false, 1090, NULL), PUSH_OK);
    expect("{\"refresh\":{\"expires\":true,\"ttl\":90}}\n");
    client_close(c, 4001, "so long");
    expect("{\"disconnect\":{\"code\":4001,\"reason\":\"so long\"}}\n!end\n");

    open_stream(1, "/connection/uni_http_stream", "{\"token\":\"old\"}");
    expect("{\"disconnect\":{\"code\":3005,\"reason\":\"connection expired\"}}\n!end\n");
}

static void
one_way_socket(void **state)
{
    struct io_request r = socket_request;
    struct push_client *c;

    (void)state;
    r.path = "/connection/uni_websocket";
    c = open_request(&r, 0);
    expect("");
    say(c, "{\"token\":\"ann\"}");
    say(c, "whatever");
    expect("{\"connect\":{\"client\":\"ID\",\"version\":\"confab " PACKAGE_VERSION "\",\"ping\":25}}\n(started ann)\n");
    c = open_request(&r, 1);
    say(c, "nonsense");
    expect("!3501 bad request\n");
    r.query = "x=1&cf_connect=%7B%22token%22%3A%22ann%22%7D";
    open_request(&r, 2);
    assert_non_null(strstr(out, "{\"connect\":{\"client\":"));
}

static void
requests(void **state)
{
    static const struct {
        const char *method, *path, *query;
        bool upgrade;
        const char *name, *value, *body;
        int status;
    } cases[] = {
        { "GET", "/connection/websocket", "", true, NULL, NULL, "", 101 },
        { "GET", "/connection/websocket", "", false, NULL, NULL, "", 426 },
        { "POST", "/connection/websocket", "", false, NULL, NULL, "", 405 },
        { "GET", "/connection/websocket", "", true, "Origin", "https://good.test", "", 101 },
        { "GET", "/connection/websocket", "", true, "Origin", "https://evil.test", "", 403 },
        { "GET", "/connection/websocket", "format=protobuf", true, NULL, NULL, "", 400 },
        { "GET", "/connection/websocket", "a=b&cf_protocol=protobuf", true, NULL, NULL, "", 400 },
        { "GET", "/connection/websocket", "", true, "Sec-WebSocket-Protocol",
          "centrifuge-protobuf", "", 400 },
        { "GET", "/connection/websocket", "", true, "Sec-WebSocket-Protocol",
          "centrifuge-protobuf, centrifuge-json", "", 101 },
        { "POST", "/connection/http_stream", "", false, NULL, NULL, "{}", 200 },
        { "POST", "/connection/http_stream", "", false, NULL, NULL, "", 400 },
        { "GET", "/connection/http_stream", "", false, NULL, NULL, "", 405 },
        { "POST", "/connection/http_stream", "", false, "Origin", "https://evil.test", "{}", 403 },
        { "OPTIONS", "/connection/http_stream", "", false, "Origin", "https://good.test", "", 204 },
        { "OPTIONS", "/emulation", "", false, "Origin", "https://good.test", "", 204 },
        { "OPTIONS", "/emulation", "", false, "Origin", "https://evil.test", "", 403 },
        { "GET", "/connection/sse", "cf_connect=%7B%7D", false, NULL, NULL, "", 200 },
        { "GET", "/connection/sse", "", false, NULL, NULL, "", 400 },
        { "POST", "/connection/sse", "", false, NULL, NULL, "{}", 200 },
        { "PUT", "/connection/sse", "", false, NULL, NULL, "{}", 405 },
        { "GET", "/connection/uni_sse", "", false, NULL, NULL, "", 200 },
        { "GET", "/connection/uni_sse", "cf_connect=nonsense", false, NULL, NULL, "", 400 },
        { "POST", "/connection/uni_http_stream", "", false, NULL, NULL, "[]", 400 },
        { "GET", "/connection/other", "", false, NULL, NULL, "", 404 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct io_fields fields = { { cases[i].name ? cases[i].name : "X" }, { cases[i].value } };
        struct io_request r = { cases[i].method, cases[i].path, cases[i].query, cases[i].upgrade,
                                "192.0.2.1", cases[i].body, strlen(cases[i].body), false, &fields };

        if (status_of(&r) != cases[i].status)
            fail_msg("%s %s?%s: %d", r.method, r.path, r.query, status_of(&r));
    }
}

static void
headers_of_answers(void **state)
{
    struct io_fields fields = {
        { "Origin", "Access-Control-Request-Headers", "Sec-WebSocket-Protocol" },
        { "https://good.test", "content-type", "x,centrifuge-json" },
    };
    struct io_request r = { .method = "OPTIONS", .path = "/connection/http_stream", .query = "",
                            .body = "", .fields = &fields };
    struct io_answer a;
    struct io_client *client;

    (void)state;
    ask(&r, &a, &client);
    assert_string_equal(sbuf_str(&a.headers),
                        "Access-Control-Allow-Origin: https://good.test\r\n"
                        "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n"
                        "Access-Control-Allow-Methods: POST, OPTIONS\r\n"
                        "Access-Control-Allow-Headers: content-type\r\n");
    answer_free(&a);
    r = socket_request;
    r.fields = &fields;
    assert_int_equal(ask(&r, &a, &client), IO_UPGRADE);
    assert_non_null(strstr(sbuf_str(&a.headers), "Sec-WebSocket-Protocol: centrifuge-json\r\n"));
    answer_free(&a);
    client->calls->abandoned(client);
}

static void
native_pings(void **state)
{
    struct io_request r = socket_request;
    struct push_client *c;

    (void)state;
    r.query = "cf_ws_frame_ping_pong=true";
    c = open_request(&r, 0);
    say(c, "{\"id\":1,\"connect\":{\"token\":\"ann\"}}");
    expect(HELLO "}}\n(started ann)\n");
    assert_ptr_equal(c->io.rules, &push->native_rules);
}

/* ---- what servers do ---- */

static void
who_is_meant(void **state)
{
    struct push_client *a = connected(0, "ann"), *b = connected(1, "ann"), *o = connected(2, "bob");
    const char *except[] = { a->id, NULL };

    (void)state;
    assert_int_equal(op_disconnect(push, &(struct op_whom){ .user = "bob", .client = a->id }, 4000, "x"),
                     PUSH_OK);
    assert_int_equal(op_disconnect(push, &(struct op_whom){ .user = "ann", .session = "s" }, 4000, "x"),
                     PUSH_OK);
    assert_int_equal(op_disconnect(push, &(struct op_whom){ .user = "", .client = "" }, 4000, "x"), PUSH_OK);
    assert_int_equal(conns[0].closed + conns[1].closed + conns[2].closed, 0);
    op_disconnect(push, &(struct op_whom){ .user = "ann", .except = except }, 4000, "for now");
    expect("!4000 for now\n");
    assert_int_equal(conns[1].closed, 4000);
    assert_int_equal(b->state, CLIENT_CLOSING);
    op_disconnect(push, &(struct op_whom){ .user = "bob", .client = o->id }, 3503, "out");
    assert_int_equal(conns[2].closed, 3503);
    assert_int_equal(conns[0].closed, 0);
}

static void
subscribing_others(void **state)
{
    struct op_whom ann = { .user = "ann" };

    (void)state;
    connected(0, "ann");
    assert_int_equal(op_subscribe(push, &ann, &(struct op_subscribe){ .channel = "room" }), PUSH_OK);
    assert_int_equal(op_subscribe(push, &ann, &(struct op_subscribe){ .channel = "again" }), PUSH_OK);
    assert_int_equal(op_subscribe(push, &ann, &(struct op_subscribe){ .channel = "full" }), PUSH_LIMIT);
    assert_int_equal(op_subscribe(push, &ann, &(struct op_subscribe){ .channel = "no:way" }),
                     PUSH_UNKNOWN_CHANNEL);
    assert_int_equal(op_unsubscribe(push, &ann, "news"), PUSH_OK);
    assert_int_equal(op_unsubscribe(push, &ann, "room"), PUSH_OK);
    assert_int_equal(op_unsubscribe(push, &ann, ""), PUSH_BAD_REQUEST);
    expect("(add room)\n(add again)\n(add full)\n(end 2000 server unsubscribe)\n");
}

static void
refreshing_others(void **state)
{
    struct push_client *c = connected(0, "ann");
    struct op_whom ann = { .user = "ann" };

    (void)state;
    op_refresh(push, &ann, false, unix_ms / 1000 + 100, "{\"name\":\"Ann\"}");
    expect("");
    assert_non_null(strstr(c->client_info, "\"conn_info\":{\"name\":\"Ann\"}"));
    time_passes(c, 124000);
    expect("");
    time_passes(c, 2000);
    expect("!3005 connection expired\n");
    connected(1, "ann");
    op_refresh(push, &ann, true, 0, NULL);
    expect("!3005 connection expired\n");
    connected(2, "ann");
    op_refresh(push, &ann, false, 1, NULL);
    expect("!3005 connection expired\n");
}

static void
reasons(void **state)
{
    static const char *const bad[] = { "", "12", "true", "{}", "null", "\"x\"", " 7 ", "a\nb", "\xff" };
    char text[125];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(push_reason_is_clean(bad[i]));
    assert_true(push_reason_is_clean("going away"));
    memset(text, 'x', sizeof text);
    text[124] = '\0';
    assert_false(push_reason_is_clean(text));
    text[123] = '\0';
    assert_true(push_reason_is_clean(text));
}

static void
list_one(void *arg, const struct op_connection *c)
{
    strcat(arg, c->client);
    strcat(arg, " ");
}

static void
listing_in_pages(void **state)
{
    char all[400] = "", paged[400] = "", after[37] = "";
    struct op_info info;
    bool more = true;

    (void)state;
    for (int i = 0; i < 7; i++)
        connected(i, i < 5 ? "ann" : "bob");
    op_connections(push, NULL, "", 100, list_one, all, &more);
    assert_false(more);
    assert_int_equal(strlen(all), 7 * 37);
    do {
        op_connections(push, NULL, after, 3, list_one, paged, &more);
        memcpy(after, paged + strlen(paged) - 37, 36);
    } while (more);
    assert_string_equal(paged, all);
    paged[0] = '\0';
    op_connections(push, "bob", NULL, 100, list_one, paged, &more);
    assert_int_equal(strlen(paged), 2 * 37);
    op_info(push, &info);
    assert_int_equal(info.clients, 7);
    assert_int_equal(info.users, 2);
    assert_int_equal(info.channels, 3);
    assert_string_equal(info.uid, "this-node");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
        TEST(one_who_is_closed_while_verified),
        TEST(http_stream_and_emulation),
        TEST(emulation_refused),
        TEST(one_way_clients),
        TEST(one_way_socket),
        TEST(requests),
        TEST(headers_of_answers),
        TEST(native_pings),
        TEST(who_is_meant),
        TEST(subscribing_others),
        TEST(refreshing_others),
        TEST(reasons),
        TEST(listing_in_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
