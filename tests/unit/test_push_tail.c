/* test_push_tail - who may watch, what fits, and that nothing is left behind
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

#include "relay/push/tail.h"
#include "tests/unit/push_api_fakes.h"

/* A connection takes notes. */
struct conn {
    char heard[1000];
    bool closed;
};

void
conn_send(struct conn *c, struct frame *f)
{
    size_t n = strlen(c->heard);

    snprintf(c->heard + n, sizeof c->heard - n, "%.*s\n", (int)(f->len - f->payload),
             (const char *)f->bytes + f->payload);
}

void
conn_close(struct conn *c, int code, const char *reason)
{
    (void)code, (void)reason;
    c->closed = true;
}

static int status;

static int
setup(void **state)
{
    (void)state;
    fakes_begin();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    assert_null(fakes.push.tail);
    fakes_end();
    return 0;
}

/* The watcher, when it is let in; else status says why not. */
static struct io_client *
watch(const char *query)
{
    struct io_request r = { .method = "GET", .path = "/admin/tail", .query = query, .body = "" };
    struct io_client *client = NULL;
    struct io_answer a = { 0 };
    enum io_verdict v;

    sbuf_init(&a.body, 1000);
    sbuf_init(&a.headers, 1000);
    v = tail_request(&fakes.push, &r, NULL, &a, &client);
    assert_int_equal(v == IO_STREAM, client != NULL);
    if (client)
        assert_int_equal(a.stream, IO_STREAM_LINES);
    status = a.status;
    sbuf_fini(&a.body);
    sbuf_fini(&a.headers);
    return client;
}

static void
tell(const char *channel, const char *user)
{
    tail_tell(&fakes.push, &(struct tail_event){ .kind = TAIL_JOIN, .channel = channel, .user = user,
                                                 .client = "c", .info = "{\"a\":1}" });
}

/* Takes the time off the front of each line. */
static void
heard(struct conn *c, const char *wanted)
{
    char text[1000] = "", *line = c->heard, *rest;

    for (; *line; line = strchr(line, '\n') + 1) {
        rest = strstr(line, "\"event\"");
        strncat(text, rest, (size_t)(strchr(rest, '\n') - rest) + 1);
    }
    assert_string_equal(text, wanted);
    c->heard[0] = '\0';
}

static void
only_with_the_key_and_one_subject(void **state)
{
    (void)state;
    assert_null(watch("channel=a&user=b"));
    assert_int_equal(status, 400);
    assert_null(watch(""));
    assert_int_equal(status, 400);
    assert_null(watch("channel=%ff"));
    assert_int_equal(status, 400);
    fakes.key_header = "wrong";
    assert_null(watch("channel=a"));
    assert_int_equal(status, 401);
}

static void
one_hears_what_fits(void **state)
{
    struct io_client *channel = watch("channel=a%3Ab"), *user = watch("x=1&user="), *closed = watch("user=u");
    struct conn one = { 0 }, two = { 0 };

    (void)state;
    tell("a:b", "");                    /* nobody is open yet */
    channel->calls->opened(channel, &one);
    user->calls->opened(user, &two);
    tell("a:b", "");
    tell("a:b", "u");
    tell("a", "");
    tell(NULL, NULL);
    heard(&one, "\"event\":\"join\",\"channel\":\"a:b\",\"user\":\"\",\"client\":\"c\",\"info\":{\"a\":1}}\n"
                "\"event\":\"join\",\"channel\":\"a:b\",\"user\":\"u\",\"client\":\"c\",\"info\":{\"a\":1}}\n");
    heard(&two, "\"event\":\"join\",\"channel\":\"a:b\",\"user\":\"\",\"client\":\"c\",\"info\":{\"a\":1}}\n"
                "\"event\":\"join\",\"channel\":\"a\",\"user\":\"\",\"client\":\"c\",\"info\":{\"a\":1}}\n");
    tail_tell(&fakes.push, &(struct tail_event){ .kind = TAIL_PUBLICATION, .channel = "a:b", .offset = 7,
                                                 .data = "[1]" });
    heard(&one, "\"event\":\"publication\",\"channel\":\"a:b\",\"offset\":7,\"data\":[1]}\n");
    tail_tell(&fakes.push, &(struct tail_event){ .kind = TAIL_DISCONNECT, .user = "", .code = 3008,
                                                 .reason = "slow" });
    heard(&two, "\"event\":\"disconnect\",\"user\":\"\",\"code\":3008,\"reason\":\"slow\"}\n");
    tail_end_all(&fakes.push);
    assert_true(one.closed && two.closed);
    closed->calls->abandoned(closed);
    user->calls->closed(user);
    tell("a:b", "");
    assert_int_equal(two.heard[0], '\0');
    assert_true(tail_watched(&fakes.push));
    channel->calls->closed(channel);
    assert_false(tail_watched(&fakes.push));
    tell("a:b", "");
}

static void
watchers_are_few(void **state)
{
    struct io_client *list[100];
    size_t n = 0;

    (void)state;
    while (n < 100 && (list[n] = watch("channel=a")))
        n++;
    assert_int_equal(n, 16);
    assert_int_equal(status, 503);
    while (n-- > 0)
        list[n]->calls->abandoned(list[n]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_with_the_key_and_one_subject, setup, teardown),
        cmocka_unit_test_setup_teardown(one_hears_what_fits, setup, teardown),
        cmocka_unit_test_setup_teardown(watchers_are_few, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
