/* test_hook - events reach an application, in order, whatever it answers
 *
 * The application is a small HTTP server in a thread of the test. It answers from a script, and keeps what it
 * got until the test has looked at it.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "relay/metrics.h"
#include "relay/push/hook.h"
#include "shared/json.h"
#include "shared/jws.h"
#include "shared/when.h"

#define PATIENCE_S   10
#define REQUESTS_MAX 64
#define REQUEST_MAX  (1 << 20)
#define SECRET       "hook secret"

/* ---- the application ---- */

struct request {
    char *head, *body;
};

static struct {
    pthread_t thread;
    int listening, quit[2];
    char url[64];
    pthread_mutex_t lock;           /* guards what follows */
    pthread_cond_t changed;
    struct request requests[REQUESTS_MAX];
    int n;
    int statuses[REQUESTS_MAX];     /* of the n-th answer; 0: 200 */
    const char *extra;              /* header lines of every answer */
    size_t answer_bytes;            /* of every answer's body */
    bool held;                      /* answers wait */
} app = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static struct timespec
deadline(void)
{
    struct timespec at;

    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += PATIENCE_S;
    return at;
}

/* A whole request; false at the end of the connection or of the test. */
static bool
receive(int fd, char *buffer, char **body_r)
{
    struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = app.quit[0], .events = POLLIN } };
    size_t len = 0, want = SIZE_MAX;
    const char *at;
    char *body = NULL;
    ssize_t n;

    while (len < want) {
        poll(fds, 2, -1);
        if (fds[1].revents || len == REQUEST_MAX || (n = read(fd, buffer + len, REQUEST_MAX - len)) <= 0)
            return false;
        len += (size_t)n;
        buffer[len] = '\0';
        if (!body && (body = strstr(buffer, "\r\n\r\n"))) {
            at = strcasestr(buffer, "\r\nContent-Length:");
            body += 4;
            want = (size_t)(body - buffer) + (size_t)atol(at + 17);
        }
    }
    body[-2] = '\0';
    *body_r = body;
    return true;
}

static void
answer(int fd, int status)
{
    static char body[8 << 20];
    char head[512];
    int n = snprintf(head, sizeof head, "HTTP/1.1 %d x\r\nContent-Length: %zu\r\n%s\r\n", status,
                     app.answer_bytes, app.extra ? app.extra : "");

    send(fd, head, (size_t)n, MSG_NOSIGNAL);
    send(fd, body, app.answer_bytes, MSG_NOSIGNAL);
}

static int
note(const char *head, const char *body)
{
    bool quit = false;
    int status;

    pthread_mutex_lock(&app.lock);
    assert_true(app.n < REQUESTS_MAX);
    app.requests[app.n] = (struct request){ strdup(head), strdup(body) };
    status = app.statuses[app.n] ? app.statuses[app.n] : 200;
    app.n++;
    pthread_cond_broadcast(&app.changed);
    while (app.held && !quit) {
        struct pollfd fd = { .fd = app.quit[0], .events = POLLIN };
        struct timespec soon;

        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_sec += 1;
        pthread_cond_timedwait(&app.changed, &app.lock, &soon);
        quit = poll(&fd, 1, 0) > 0;
    }
    pthread_mutex_unlock(&app.lock);
    return status;
}

static void *
serve(void *arg)
{
    struct pollfd fds[] = { { .fd = app.listening, .events = POLLIN }, { .fd = app.quit[0], .events = POLLIN } };
    char *buffer = malloc(REQUEST_MAX + 1), *body;
    int fd;

    (void)arg;
    while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
        if ((fd = accept(app.listening, NULL, NULL)) < 0)
            continue;
        while (receive(fd, buffer, &body))
            answer(fd, note(buffer, body));
        close(fd);
    }
    free(buffer);
    return NULL;
}

static void
hold(bool held)
{
    pthread_mutex_lock(&app.lock);
    app.held = held;
    pthread_cond_broadcast(&app.changed);
    pthread_mutex_unlock(&app.lock);
}

/* Waits for the i-th request, from 0. */
static const struct request *
request(int i)
{
    struct timespec until = deadline();

    pthread_mutex_lock(&app.lock);
    while (app.n <= i)
        if (pthread_cond_timedwait(&app.changed, &app.lock, &until) != 0)
            break;
    assert_true(app.n > i);
    pthread_mutex_unlock(&app.lock);
    return &app.requests[i];
}

/* ---- what the test says and looks at ---- */

static struct config config;
static struct arena *arena;
static struct hook *hook;

static void
tell(const char *user)
{
    hook_tell(hook, &(struct hook_event){ .kind = HOOK_CONNECT, .client = "c", .user = user });
}

static const struct json *
body_of(int i)
{
    const struct request *r = request(i);
    struct json *json;

    assert_int_equal(json_parse(arena, r->body, strlen(r->body), 16, &json, NULL), ERR_OK);
    return json;
}

static int64_t
number_of(const struct json *object, const char *name)
{
    int64_t n = -1;

    json_integer(json_get(object, name), &n);
    return n;
}

/* The users of a request's events, and how many were lost, in their order: "a b lost:2 ". */
static void
assert_events(int i, const char *wanted)
{
    const struct json *e = json_first(json_get(body_of(i), "events"));
    struct sbuf b;

    sbuf_init(&b, 65536);
    for (; e; e = json_next(e)) {
        assert_true(number_of(e, "time") > 1600000000000);
        if (strcmp(json_text(json_get(e, "type")), "lost") == 0)
            sbuf_printf(&b, "lost:%lld ", (long long)number_of(e, "count"));
        else
            sbuf_printf(&b, "%s ", json_text(json_get(e, "user")));
    }
    assert_string_equal(sbuf_str(&b), wanted);
    sbuf_fini(&b);
}

static bool
metric_is(const char *line)
{
    struct metrics m = { .out = &(struct sbuf){ .max = 65536 } };
    bool is;

    hook_metrics(hook, &m);
    is = strstr(sbuf_str(m.out), line) != NULL;
    sbuf_fini(m.out);
    return is;
}

static void
await_metric(const char *line)
{
    int64_t until = when_monotonic_ms() + PATIENCE_S * 1000;

    while (!metric_is(line) && when_monotonic_ms() < until)
        nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    assert_true(metric_is(line));
}

static void
start(void)
{
    hook = hook_new(&config);
    assert_non_null(hook);
}

/* ---- tests ---- */

static void
without_url_nothing_happens(void **state)
{
    (void)state;
    config.push_hook_url = "";
    hook = hook_new(&config);
    assert_null(hook);
    tell("a");
    hook_reload(hook, &config);
    hook_metrics(hook, NULL);
}

static void
an_event_has_what_applies(void **state)
{
    const struct json *e;

    (void)state;
    start();
    hook_tell(hook, &(struct hook_event){ .kind = HOOK_DISCONNECT, .client = "id", .user = "", .code = 3012,
                                          .reason = "no pong \"\n" });
    e = json_first(json_get(body_of(0), "events"));
    assert_string_equal(json_text(json_get(e, "type")), "disconnect");
    assert_string_equal(json_text(json_get(e, "client")), "id");
    assert_string_equal(json_text(json_get(e, "user")), "");
    assert_int_equal(number_of(e, "code"), 3012);
    assert_string_equal(json_text(json_get(e, "reason")), "no pong \"\n");
    assert_null(json_get(e, "channel"));
    hook_tell(hook, &(struct hook_event){ .kind = HOOK_OCCUPIED, .channel = "news" });
    e = json_first(json_get(body_of(1), "events"));
    assert_string_equal(json_text(json_get(e, "type")), "occupied");
    assert_string_equal(json_text(json_get(e, "channel")), "news");
    assert_null(json_get(e, "client"));
    assert_null(json_get(e, "code"));
}

static void
batches_are_in_order_and_numbered(void **state)
{
    const char *run;
    char user[16];
    int next = 1;

    (void)state;
    hold(true);
    start();
    tell("0");
    request(0);
    for (int i = 1; i <= 250; i++) {
        snprintf(user, sizeof user, "%d", i);
        tell(user);
    }
    hold(false);
    assert_events(0, "0 ");
    run = json_text(json_get(body_of(0), "run"));
    for (int i = 1; i <= 3; i++) {
        const struct json *body = body_of(i), *e;

        assert_int_equal(number_of(body, "batch"), i + 1);
        assert_string_equal(json_text(json_get(body, "run")), run);
        assert_int_equal(json_count(json_get(body, "events")), i < 3 ? 100 : 50);
        for (e = json_first(json_get(body, "events")); e; e = json_next(e))
            assert_int_equal(atoi(json_text(json_get(e, "user"))), next++);
    }
    await_metric("confab_push_hook_posted_total 251\n");
    assert_true(metric_is("confab_push_hook_events_total 251\n"));
    assert_true(metric_is("confab_push_hook_waiting 0\n"));
}

static void
a_failure_is_repeated_as_it_was(void **state)
{
    (void)state;
    app.statuses[0] = 500;
    app.statuses[1] = 429;
    app.statuses[2] = 302;
    app.extra = "Location: /elsewhere\r\n";
    start();
    tell("a");
    request(0);
    tell("b");
    for (int i = 1; i <= 3; i++) {
        assert_string_equal(request(i)->body, request(0)->body);
        assert_non_null(strstr(request(i)->head, "POST /hook HTTP/1.1\r\n"));
    }
    assert_events(4, "b ");
    await_metric("confab_push_hook_posted_total 2\n");
    assert_true(metric_is("confab_push_hook_retries_total 3\n"));
}

static void
what_is_refused_is_not_repeated(void **state)
{
    (void)state;
    app.statuses[0] = 400;
    start();
    tell("a");
    await_metric("confab_push_hook_lost_total{reason=\"refused\"} 1\n");
    tell("b");
    assert_events(1, "lost:1 b ");
    tell("c");
    assert_events(2, "c ");
    assert_int_equal(number_of(body_of(2), "batch"), 3);
}

static void
a_batch_is_given_up_in_time(void **state)
{
    int i = 0;

    (void)state;
    for (int k = 0; k < REQUESTS_MAX; k++)
        app.statuses[k] = 503;
    config.push_hook_give_up_s = 1;
    start();
    tell("a");
    request(0);
    tell("b");
    while (number_of(body_of(i), "batch") == 1)
        i++;
    assert_in_range(i, 2, 9);
    assert_events(i, "lost:1 b ");
    assert_true(metric_is("confab_push_hook_lost_total{reason=\"gave_up\"} 1\n"));
}

static void
a_full_queue_keeps_the_oldest_and_tells(void **state)
{
    (void)state;
    config.push_hook_queue = 3;
    hold(true);
    start();
    tell("a");
    request(0);
    for (int i = 0; i < 6; i++)
        tell((const char *[]){ "b", "c", "d", "e", "f", "g" }[i]);
    assert_true(metric_is("confab_push_hook_lost_total{reason=\"queue\"} 3\n"));
    assert_true(metric_is("confab_push_hook_waiting 3\n"));
    hold(false);
    assert_events(1, "b c d ");
    assert_events(2, "lost:3 ");
    tell("h");
    assert_events(3, "h ");
    await_metric("confab_push_hook_posted_total 5\n");
    assert_true(metric_is("confab_push_hook_events_total 8\n"));
}

static void
the_body_is_signed(void **state)
{
    char wanted[128] = "\r\nX-Confab-Signature: ";
    unsigned char mac[JWS_HS256_BYTES];
    const struct request *r;
    char *to = wanted + strlen(wanted);

    (void)state;
    config.push_hook_secret = SECRET;
    start();
    tell("a");
    r = request(0);
    jws_hs256(mac, SECRET, r->body, strlen(r->body));
    for (size_t i = 0; i < sizeof mac; i++)
        to += sprintf(to, "%02x", mac[i]);
    strcpy(to, "\r\n");
    assert_non_null(strstr(r->head, wanted));
    assert_non_null(strstr(r->head, "\r\nContent-Type: application/json\r\n"));
    config.push_hook_secret = "";
    hook_reload(hook, &config);
    tell("b");
    assert_null(strstr(request(1)->head, "X-Confab-Signature"));
}

static void
a_long_answer_is_cut(void **state)
{
    (void)state;
    app.answer_bytes = 8 << 20;
    start();
    tell("a");
    await_metric("confab_push_hook_posted_total 1\n");
    tell("b");
    assert_events(1, "b ");
}

static void
an_application_that_hangs_times_out(void **state)
{
    (void)state;
    config.push_hook_timeout_ms = 100;
    hold(true);
    start();
    tell("a");
    request(0);
    await_metric("confab_push_hook_retries_total 1\n");
    hold(false);
    await_metric("confab_push_hook_posted_total 1\n");
    assert_string_equal(request(1)->body, request(0)->body);
}

static void
stopping_waits_no_longer_than_told(void **state)
{
    int64_t began, took;

    (void)state;
    config.push_hook_linger_ms = 200;
    hold(true);
    start();
    tell("a");
    request(0);
    tell("b");
    began = when_monotonic_ms();
    hook_free(hook);
    hook = NULL;
    took = when_monotonic_ms() - began;
    assert_in_range(took, 190, 900);
}

static void
stopping_posts_what_is_queued(void **state)
{
    (void)state;
    app.statuses[1] = 500;          /* and tries again at once when told to stop */
    hold(true);
    start();
    tell("a");
    request(0);
    tell("b");
    tell("c");
    hold(false);
    hook_free(hook);
    hook = NULL;
    assert_events(2, "b c ");
}

static void
another_url_takes_over(void **state)
{
    (void)state;
    config.push_hook_url = "http://127.0.0.1:1/";       /* nobody there */
    start();
    tell("a");
    await_metric("confab_push_hook_retries_total 3\n");
    config.push_hook_url = app.url;
    hook_reload(hook, &config);
    assert_events(0, "a ");
    await_metric("confab_push_hook_posted_total 1\n");
    config.push_hook_url = "";
    hook_reload(hook, &config);
    tell("b");
    assert_true(metric_is("confab_push_hook_events_total 1\n"));
    config.push_hook_url = app.url;
    hook_reload(hook, &config);
    tell("c");
    assert_events(1, "c ");
}

static void
only_http(void **state)
{
    (void)state;
    config.push_hook_url = "file:///etc/hostname";
    start();
    tell("a");
    await_metric("confab_push_hook_lost_total{reason=\"refused\"} 1\n");
}

/* ---- the frame ---- */

static int
fresh(void **state)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;

    (void)state;
    app.n = 0;
    memset(app.statuses, 0, sizeof app.statuses);
    app.extra = NULL;
    app.answer_bytes = 0;
    app.held = false;
    app.listening = socket(AF_INET, SOCK_STREAM, 0);
    if (pipe(app.quit) < 0 || bind(app.listening, (struct sockaddr *)&at, sizeof at) < 0
        || listen(app.listening, 8) < 0 || getsockname(app.listening, (struct sockaddr *)&at, &len) < 0)
        return -1;
    snprintf(app.url, sizeof app.url, "http://127.0.0.1:%d/hook", ntohs(at.sin_port));
    config = (struct config){ .push_hook_url = app.url, .push_hook_secret = "", .push_hook_queue = 10000,
                              .push_hook_batch = 100, .push_hook_timeout_ms = 5000,
                              .push_hook_give_up_s = 60, .push_hook_linger_ms = 2000 };
    arena = arena_new();
    return pthread_create(&app.thread, NULL, serve, NULL);
}

static int
done(void **state)
{
    (void)state;
    config.push_hook_linger_ms = 0;
    hook_reload(hook, &config);
    hook_free(hook);
    hook = NULL;
    hold(false);
    if (write(app.quit[1], "q", 1) != 1)
        return -1;
    pthread_join(app.thread, NULL);
    for (int i = 0; i < app.n; i++) {
        free(app.requests[i].head);
        free(app.requests[i].body);
    }
    close(app.listening);
    close(app.quit[0]);
    close(app.quit[1]);
    arena_free(arena);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_url_nothing_happens), TEST(an_event_has_what_applies),
        TEST(batches_are_in_order_and_numbered), TEST(a_failure_is_repeated_as_it_was),
        TEST(what_is_refused_is_not_repeated), TEST(a_batch_is_given_up_in_time),
        TEST(a_full_queue_keeps_the_oldest_and_tells), TEST(the_body_is_signed),
        TEST(a_long_answer_is_cut), TEST(an_application_that_hangs_times_out),
        TEST(stopping_waits_no_longer_than_told), TEST(stopping_posts_what_is_queued),
        TEST(another_url_takes_over), TEST(only_http),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
