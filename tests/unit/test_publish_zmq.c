/* test_publish_zmq - publications over ZeroMQ against real sockets, on a loop of the test's own
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

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "relay/push/publish_zmq.h"
#include "relay/push/publish_zmq_place.h"
#include "shared/when.h"
#include "tests/unit/push_api_fakes.h"

#define PATIENCE_MS 5000
#define WATCHES 4

/* ---- a loop ---- */

struct io_timer {
    void (*due)(void *arg);
    void *arg;
    bool set;
    struct io_timer *next;
};

static struct {
    int fd;
    void (*readable)(void *arg);
    void *arg;
} watches[WATCHES];
static size_t n_watches;
static struct io_timer *timers;

enum err
io_watch(struct io *io, int fd, void (*readable)(void *arg), void *arg)
{
    (void)io;
    assert_true(n_watches < WATCHES);
    watches[n_watches].fd = fd;
    watches[n_watches].readable = readable;
    watches[n_watches++].arg = arg;
    return ERR_OK;
}

struct io_timer *
io_timer_new(struct io *io, void (*due)(void *arg), void *arg)
{
    struct io_timer *t = mem_new(sizeof *t);

    (void)io;
    *t = (struct io_timer){ due, arg, false, timers };
    return timers = t;
}

void
io_timer_set(struct io_timer *t, int64_t after_ms)
{
    assert_int_equal(after_ms, 0);
    t->set = true;
}

void
io_timer_free(struct io_timer *t)
{
    struct io_timer **at = &timers;

    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    free(t);
}

/* One turn. Edges count: a watcher is called only when its descriptor says so. */
static void
turn(void)
{
    struct pollfd fds[WATCHES];
    struct io_timer *t;
    int wait_ms = 5;

    for (t = timers; t; t = t->next)
        if (t->set) {
            t->set = false;
            wait_ms = 0;
            t->due(t->arg);
        }
    for (size_t i = 0; i < n_watches; i++)
        fds[i] = (struct pollfd){ watches[i].fd, POLLIN, 0 };
    poll(fds, n_watches, wait_ms);
    for (size_t i = 0; i < n_watches; i++)
        if (fds[i].revents)
            watches[i].readable(watches[i].arg);
}

/* ---- publishers ---- */

static char directory[64], pull[128], router[128];
static void *context;

static int
setup(void **state)
{
    (void)state;
    fakes_begin();
    strcpy(directory, "/tmp/test-zmq-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    snprintf(pull, sizeof pull, "ipc://%s/zmq/pull", directory);
    snprintf(router, sizeof router, "ipc://%s/zmq/router", directory);
    fakes.config.push_publish_pull = pull;
    fakes.config.push_publish_router = router;
    context = zmq_ctx_new();
    return 0;
}

static int
teardown(void **state)
{
    char path[160];

    (void)state;
    publish_zmq_close(&fakes.push);
    zmq_ctx_term(context);
    n_watches = 0;
    assert_null(timers);
    for (int i = 0; i < 2; i++)
        unlink((i ? router : pull) + strlen("ipc://"));
    snprintf(path, sizeof path, "%s/zmq", directory);
    rmdir(path);
    fakes_end();
    return rmdir(directory);
}

static void *
dial(int type, const char *where)
{
    void *s = zmq_socket(context, type);
    int none = 0;

    zmq_setsockopt(s, ZMQ_LINGER, &none, sizeof none);
    assert_int_equal(zmq_connect(s, where), 0);
    return s;
}

/* Sends texts up to NULL as one message. */
static void
publish(void *s, ...)
{
    const char *text, *next;
    va_list ap;

    va_start(ap, s);
    for (text = va_arg(ap, const char *); text; text = next) {
        next = va_arg(ap, const char *);
        assert_true(zmq_send(s, text, strlen(text), next ? ZMQ_SNDMORE : 0) >= 0);
    }
    va_end(ap);
}

/* The next frame that comes to s while the loop turns; "" when none does in time. */
static const char *
await(void *s)
{
    static char text[4096];
    int64_t until = when_monotonic_ms() + PATIENCE_MS;
    int n;

    while ((n = zmq_recv(s, text, sizeof text - 1, ZMQ_DONTWAIT)) < 0) {
        if (when_monotonic_ms() > until)
            return "";
        turn();
    }
    text[n] = '\0';
    return text;
}

static void
await_seen(const char *wanted)
{
    int64_t until = when_monotonic_ms() + PATIENCE_MS;

    while (strcmp(fakes.seen, wanted) != 0 && when_monotonic_ms() < until)
        turn();
    assert_string_equal(fakes.seen, wanted);
}

static int64_t
refused_by(enum push_counter c)
{
    return fakes.push.counters[c];
}

/* ---- tests ---- */

static void
nothing_is_bound_unasked(void **state)
{
    (void)state;
    fakes.config.push_publish_pull = fakes.config.push_publish_router = "";
    assert_int_equal(publish_zmq_open(&fakes.push), ERR_OK);
    assert_null(fakes.push.zmq);
}

static void
pull_takes_in_order_and_counts_what_is_bad(void **state)
{
    struct stat st;
    void *s;

    (void)state;
    assert_int_equal(publish_zmq_open(&fakes.push), ERR_OK);
    assert_int_equal(stat(pull + strlen("ipc://"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    s = dial(ZMQ_PUSH, pull);
    publish(s, "a", "1", NULL);
    publish(s, "a", NULL);                              /* no data */
    publish(s, "a", "{", NULL);                         /* no JSON */
    publish(s, "a", "1", "[1]", NULL);                  /* no options */
    publish(s, "a", "1", "{\"version\":\"x\"}", NULL);
    publish(s, "a", "1", "{}", "surplus", NULL);
    publish(s, "1", "2", "3", "4", "5", "6", "7", "8", NULL);
    publish(s, "unknown:a", "1", NULL);
    publish(s, "\xff", "1", NULL);
    publish(s, "", "1", NULL);
    publish(s, "a\nb", "[ 2 ]", "{\"tags\":{\"t\":\"x\"}}", NULL);
    publish(s, "z", "0", NULL);
    await_seen("a=1;unknown:a=1;=1;a=[2] tags {\"t\":\"x\"};b=[2] tags {\"t\":\"x\"};z=0;");
    assert_int_equal(refused_by(PUSH_COUNT_BAD_PULL), 9);
    zmq_close(s);
}

static void
router_answers(void **state)
{
    void *req, *dealer;

    (void)state;
    assert_int_equal(publish_zmq_open(&fakes.push), ERR_OK);
    req = dial(ZMQ_REQ, router);
    publish(req, "a", "1", NULL);
    assert_string_equal(await(req), "{\"result\":{\"offset\":1,\"epoch\":\"epoch123\"}}");
    publish(req, "a", "{", NULL);
    assert_string_equal(await(req), "{\"error\":{\"code\":107,\"message\":\"bad request\"}}");
    publish(req, "a\nunknown:b", "1", NULL);
    assert_string_equal(await(req), "{\"result\":{\"responses\":[{\"result\":{\"offset\":2,\"epoch\":\"epoch123\"}},"
                                    "{\"error\":{\"code\":102,\"message\":\"unknown channel\"}}]}}");
    dealer = dial(ZMQ_DEALER, router);
    publish(dealer, "a", "1", NULL);                    /* without an envelope */
    assert_string_equal(await(dealer), "{\"result\":{\"offset\":4,\"epoch\":\"epoch123\"}}");
    publish(dealer, "id7", "", "a", "1", "{\"version\":4}", NULL);
    assert_string_equal(await(dealer), "id7");
    assert_string_equal(await(dealer), "");
    assert_string_equal(await(dealer), "{\"result\":{\"offset\":5,\"epoch\":\"epoch123\"}}");
    publish(dealer, "a", NULL);
    assert_string_equal(await(dealer), "{\"error\":{\"code\":107,\"message\":\"bad request\"}}");
    assert_int_equal(refused_by(PUSH_COUNT_BAD_ROUTER), 2);
    zmq_close(req);
    zmq_close(dealer);
}

static void
late_answers_find_their_way_or_are_lost(void **state)
{
    void *stays, *goes;
    struct sbuf text;
    struct metrics m = { &text };

    (void)state;
    fakes.hold = true;
    assert_int_equal(publish_zmq_open(&fakes.push), ERR_OK);
    goes = dial(ZMQ_DEALER, router);
    publish(goes, "goes", "1", NULL);
    await_seen("goes=1;");
    stays = dial(ZMQ_REQ, router);
    publish(stays, "stays", "1", NULL);
    await_seen("goes=1;stays=1;");
    zmq_close(goes);
    for (int i = 0; i < 40; i++)                        /* lets the relay's end notice; its loss is not ours to time */
        turn();
    fakes_answer();
    fakes_answer();
    assert_string_equal(await(stays), "{\"result\":{\"offset\":2,\"epoch\":\"epoch123\"}}");
    publish(stays, "stays", "2", NULL);
    await_seen("goes=1;stays=1;stays=2;");
    sbuf_init(&text, 1 << 16);
    publish_zmq_metrics(&fakes.push, &m);
    assert_non_null(strstr(sbuf_str(&text), "confab_push_zmq_waiting 1\n"));
    sbuf_fini(&text);
    publish_zmq_close(&fakes.push);                     /* before the answer: it goes nowhere */
    fakes_answer();
    zmq_close(stays);
}

static void
a_flood_is_taken_in_parts(void **state)
{
    int64_t until = when_monotonic_ms() + PATIENCE_MS;
    uint64_t before;
    void *s;

    (void)state;
    assert_int_equal(publish_zmq_open(&fakes.push), ERR_OK);
    s = dial(ZMQ_PUSH, pull);
    for (int i = 0; i < 900; i++)
        publish(s, "flood", "1", NULL);
    while (fakes.offset < 900 && when_monotonic_ms() < until) {
        before = fakes.offset;
        turn();
        assert_true(fakes.offset - before <= 3 * 256);  /* timer and watcher, each within its bound */
    }
    assert_int_equal(fakes.offset, 900);
    zmq_close(s);
}

static void
only_listed_keys_get_in(void **state)
{
    char server[41], server_secret[41], known[41], known_secret[41], other[41], other_secret[41];
    void *good, *bad;
    char list[100];

    (void)state;
    zmq_curve_keypair(server, server_secret);
    zmq_curve_keypair(known, known_secret);
    zmq_curve_keypair(other, other_secret);
    snprintf(list, sizeof list, " %s\n ", known);
    fakes.config.push_publish_pull = "";
    fakes.config.push_curve_secret_key = server_secret;
    fakes.config.push_curve_clients = list;
    assert_int_equal(publish_zmq_open(&fakes.push), ERR_OK);
    bad = zmq_socket(context, ZMQ_DEALER);
    zmq_setsockopt(bad, ZMQ_CURVE_SERVERKEY, server, 41);
    zmq_setsockopt(bad, ZMQ_CURVE_PUBLICKEY, other, 41);
    zmq_setsockopt(bad, ZMQ_CURVE_SECRETKEY, other_secret, 41);
    zmq_setsockopt(bad, ZMQ_LINGER, &(int){ 0 }, sizeof(int));
    zmq_connect(bad, router);
    publish(bad, "bad", "1", NULL);
    good = zmq_socket(context, ZMQ_DEALER);
    zmq_setsockopt(good, ZMQ_CURVE_SERVERKEY, server, 41);
    zmq_setsockopt(good, ZMQ_CURVE_PUBLICKEY, known, 41);
    zmq_setsockopt(good, ZMQ_CURVE_SECRETKEY, known_secret, 41);
    zmq_setsockopt(good, ZMQ_LINGER, &(int){ 0 }, sizeof(int));
    zmq_connect(good, router);
    publish(good, "good", "1", NULL);
    assert_string_equal(await(good), "{\"result\":{\"offset\":1,\"epoch\":\"epoch123\"}}");
    assert_string_equal(fakes.seen, "good=1;");
    zmq_close(good);
    zmq_close(bad);
}

static enum err
place(const char *endpoint)
{
    return publish_zmq_place(endpoint, endpoint + strlen("ipc://"));
}

static void
places(void **state)
{
    char path[256];

    (void)state;
    assert_int_equal(place("ipc:///tmp/confab.sock"), ERR_FIELD);       /* everybody's */
    assert_int_equal(place("ipc://relative"), ERR_FIELD);
    assert_int_equal(place("ipc:///socket"), ERR_FIELD);
    snprintf(path, sizeof path, "ipc://%s/nowhere/deep/sock", directory);
    assert_int_equal(place(path), ERR_FIELD);
    snprintf(path, sizeof path, "ipc://%s/own/sock", directory);
    assert_int_equal(place(path), ERR_OK);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path + strlen("ipc://")), 0);
}

static void
a_left_file_is_replaced_a_live_one_is_not(void **state)
{
    struct push second = fakes.push;
    char path[160];
    FILE *f;

    (void)state;
    snprintf(path, sizeof path, "%s/zmq", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_non_null(f = fopen(pull + strlen("ipc://"), "w"));
    fclose(f);
    assert_int_equal(publish_zmq_open(&fakes.push), ERR_OK);
    assert_int_equal(publish_zmq_open(&second), ERR_BUSY);
    assert_null(second.zmq);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_bound_unasked, setup, teardown),
        cmocka_unit_test_setup_teardown(pull_takes_in_order_and_counts_what_is_bad, setup, teardown),
        cmocka_unit_test_setup_teardown(router_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(late_answers_find_their_way_or_are_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flood_is_taken_in_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(only_listed_keys_get_in, setup, teardown),
        cmocka_unit_test_setup_teardown(places, setup, teardown),
        cmocka_unit_test_setup_teardown(a_left_file_is_replaced_a_live_one_is_not, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
