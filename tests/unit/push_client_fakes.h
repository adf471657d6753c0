/* push_client_fakes - what clients of the push server stand on, stood in for
 *
 * Sockets, deadlines, subscriptions, tokens and the store: what is sent is written to out[], time passes when the test
 * says so. A token is its user's name, or a word of verdicts[]. Included once in a program, which wraps when_now_ms and
 * when_monotonic_ms.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_PUSH_CLIENT_FAKES_H
#define TESTS_UNIT_PUSH_CLIENT_FAKES_H

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
static int64_t store_bytes, owed_bytes;
static bool subscriptions_wait;     /* start_all answers when the test says so */
static struct push_verdict subscriptions_say;
static void (*subscriptions_done)(struct push_client *c, struct push_verdict v,
                                  const struct reply_sub *subs, size_t n);

/* ---- what stands in for the rest ---- */

int64_t __wrap_when_now_ms(void);
int64_t __wrap_when_monotonic_ms(void);

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

int
conn_code(const struct conn *c)
{
    return c->closed;
}

size_t
conn_queued(const struct conn *c)
{
    return c->queued;
}

size_t
conn_owed(const struct conn *c)
{
    return c->queued;
}

void
conn_clear(struct conn *c)
{
    (void)c;
    sprintf(out + strlen(out), "!clear\n");
}

void
conn_drop(struct conn *c)
{
    sprintf(out + strlen(out), "!gone\n");
    c->queued = 0;
}

int64_t
io_owed(const struct io *io)
{
    (void)io;
    return owed_bytes;
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

/* Good for the channel that it names. */
enum err
subscription_token_verify(struct arena *a, const struct token_keys *k, const char *text,
                          int64_t now_ms, struct subscription_token *t_r)
{
    (void)k, (void)now_ms;
    *t_r = (struct subscription_token){ .channel = arena_string(a, text) };
    return strcmp(text, "bad") == 0 ? ERR_UNAUTHORIZED : ERR_OK;
}

static inline void
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
COMMAND(subscription_command_unsubscribe, "unsubscribe")
COMMAND(subscription_command_refresh, "sub_refresh")
COMMAND(channel_command_publish, "publish")
COMMAND(channel_command_presence, "presence")
COMMAND(channel_command_presence_stats, "presence_stats")
COMMAND(channel_command_history, "history")

static inline void
on_token(struct push_client *c, const struct command *cmd, enum err e,
         const struct subscription_token *t)
{
    note(c, e == ERR_OK ? "subscribe" : "refused", e == ERR_OK ? t->channel : cmd->channel);
}

void
subscription_command_subscribe(struct push_client *c, const struct command *cmd)
{
    if (*cmd->token)
        client_judge_token(c, cmd, on_token);
    else
        note(c, "subscribe", cmd->channel);
}

/* ---- helpers ---- */

static inline void
on_wake(void *arg)
{
    (void)arg;
    n_wakes++;
}

static inline int
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
    store_bytes = owed_bytes = 0;
    subscriptions_wait = false;
    subscriptions_say = (struct push_verdict){ 0 };
    return 0;
}

static inline void
hang_up(struct push_client *c)
{
    c->io.calls->closed(&c->io);
}

static inline int
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
    arena_free(push->scratch);
    free(push);
    assert_int_equal(frame_bytes(), 0);
    return 0;
}

/* A request; the status is left in *a, whose buffers answer_free frees. */
static inline enum io_verdict
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

static inline void
answer_free(struct io_answer *a)
{
    sbuf_fini(&a->body);
    sbuf_fini(&a->headers);
}

static inline int
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

static inline struct push_client *
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

static inline struct push_client *
open_socket(int i)
{
    return open_request(&socket_request, i);
}

static inline struct push_client *
open_stream(int i, const char *path, const char *body)
{
    struct io_request r = { .method = "POST", .path = path, .query = "", .address = "192.0.2.1",
                            .body = body, .body_len = strlen(body) };

    return open_request(&r, i);
}

static inline void
say(struct push_client *c, const char *text)
{
    c->io.calls->message(&c->io, text, strlen(text), false);
}

/* What came out since the last time. Ids of clients are written as ID. */
static inline void
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

static inline struct push_client *
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

static inline void
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
