/* test_io - the loop and its sockets, from the peers' side
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

#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/io_world.h"

enum { OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

/* ---- requests ---- */

static void
services_are_found_by_raw_path(void **state)
{
    static const struct {
        const char *path;
        int status;
    } cases[] = {
        { "/plain", 200 }, { "/plain?x", 200 }, { "/plain/", 404 }, { "/plai", 404 }, { "/%70lain", 404 },
        { "/", 404 }, { "/below/", 200 }, { "/below/x/y", 200 }, { "/belowx", 404 }, { "/below", 404 },
        { "/tree", 200 }, { "/tree/x", 200 }, { "/trees", 404 },
    };
    char line[128], answer[64];
    int fd = peer_dial();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(line, sizeof line, "GET %s HTTP/1.1\r\n\r\n", cases[i].path);
        snprintf(answer, sizeof answer, "HTTP/1.1 %d ", cases[i].status);
        peer_say(fd, line);
        peer_expect(fd, answer);
        peer_read_to(fd, "\r\n\r\n");
        if (cases[i].status == 200)
            peer_read_to(fd, "]");
    }
    close(fd);
}

static void
connections_are_kept_for_further_requests(void **state)
{
    int fd = peer_dial();

    (void)state;
    peer_say(fd, "GET /plain?1 HTTP/1.1\r\nX-Test: a\r\n\r\nHEAD /plain HTTP/1.1\r\n\r\n"
             "GET /plain?22 HTTP/1.1\r\nConnection: close\r\n\r\nGET /never HTTP/1.1\r\n\r\n");
    peer_expect(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 17\r\n\r\n"
                "GET /plain?1 [] a");
    peer_expect(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 15\r\n\r\n");
    peer_expect(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 16\r\n"
                "Connection: close\r\n\r\nGET /plain?22 []");
    peer_expect_end(fd);

    fd = peer_dial();
    peer_say(fd, "GET /plain HTTP/1.0\r\n\r\n");
    peer_read_to(fd, "Connection: close\r\n\r\nGET /plain? []");
    peer_expect_end(fd);

    fd = peer_dial();
    peer_say(fd, "GET /last HTTP/1.1\r\n\r\n");
    peer_read_to(fd, "Connection: close\r\n\r\nGET /last? []");
    peer_expect_end(fd);
}

static void
bodies_arrive_whole(void **state)
{
    static const char chunked[] = "POST /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        "4;note=\"x\"\r\nWiki\r\n00A\r\npedia\r\nabc\r\n0\r\nTrailer: x\r\n\r\n";
    char byte[2] = "";
    int fd = peer_dial();

    (void)state;
    peer_say(fd, "POST /body HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe");
    peer_say(fd, "lloGET /plain HTTP/1.1\r\n\r\n");
    peer_read_to(fd, "POST /body? [hello]");
    peer_read_to(fd, "GET /plain? []");
    for (const char *p = chunked; *p != '\0'; p++) {
        *byte = *p;
        peer_say(fd, byte);
    }
    peer_read_to(fd, "POST /body? [Wikipedia\r\nabc]");
    peer_say(fd, chunked);
    peer_say(fd, "GET /plain HTTP/1.1\r\n\r\n");
    peer_read_to(fd, "POST /body? [Wikipedia\r\nabc]");
    peer_read_to(fd, "GET /plain? []");
    peer_say(fd, "POST /body HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    peer_expect(fd, "HTTP/1.1 100 Continue\r\n\r\n");
    peer_say(fd, "ok");
    peer_read_to(fd, "POST /body? [ok]");
    close(fd);
}

static void
refused(const char *text, const char *answer)
{
    int fd = peer_dial();

    peer_say(fd, text);
    peer_expect(fd, answer);
    peer_read_to(fd, "Connection: close\r\n\r\n");
    peer_expect_end(fd);
}

static void
what_could_smuggle_or_flood_is_refused(void **state)
{
    int fd;

    (void)state;
    refused("POST /body HTTP/1.1\r\nContent-Length: 100001\r\n\r\n", "HTTP/1.1 413 ");
    refused("POST /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n", "HTTP/1.1 413 ");
    refused("POST /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "HTTP/1.1 400 ");
    refused("POST /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 400 ");
    refused("POST /body HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 400 ");
    refused("POST /body HTTP/1.1\r\nExpect: tea\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 417 ");
    /* its body would be the next request */
    refused("POST /nowhere HTTP/1.1\r\nContent-Length: 26\r\n\r\nGET /plain HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ");
    fd = peer_dial();
    peer_say(fd, "POST /plain HTTP/1.1\r\nContent-Length: 26\r\n\r\nGET /plain HTTP/1.1\r\n\r\n");
    peer_read_to(fd, "Connection: close\r\n\r\nPOST /plain? []");
    peer_expect_end(fd);
}

static void
unfinished_requests_are_ended(void **state)
{
    (void)state;
    refused("POST /body HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", "HTTP/1.1 408 ");
    refused("GET /", "HTTP/1.1 408 ");
}

static void
open_door(void *arg)
{
    const struct io_listen_options o = { .where = "127.0.0.1:0" };

    assert_int_equal(io_listen(world.io, &o, arg), ERR_OK);
}

static void
a_crowd_at_one_door_leaves_the_others_alone(void **state)
{
    enum { CROWD = IO_HANDSHAKES_MAX + 10 };
    static int fds[CROWD];
    struct io_listener *ours = world.listener;
    int fd = peer_dial();

    (void)state;
    world.config.relay_handshake_s = 300;
    peer_say(fd, "GET /plain HTTP/1.1\r\n\r\n");
    peer_read_to(fd, "GET /plain? []");     /* it stays, and is the longest unmoved */
    world_on_loop(open_door, &world.listener);
    for (int i = 0; i < CROWD; i++)
        fds[i] = peer_dial();
    peer_expect_end(fds[9]);                /* the longest unmoved go first */
    assert_true(world_counter(IO_REFUSED_CROWD) >= 10);
    world.listener = ours;
    peer_say(fd, "GET /plain HTTP/1.1\r\n\r\n");
    peer_read_to(fd, "GET /plain? []");
    for (int i = 0; i < CROWD; i++)
        close(fds[i]);
    close(fd);
}

static void
long_answers_wait_for_their_reader(void **state)
{
    static char bytes[2000000];
    int fd = peer_dial(), small = 65536;
    size_t n = 0;
    ssize_t got;

    (void)state;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    peer_say(fd, "GET /big HTTP/1.1\r\n\r\n");
    peer_read_to(fd, "GET /big? []");
    while (n < sizeof bytes && (got = recv(fd, bytes + n, sizeof bytes - n, 0)) > 0)
        n += (size_t)got;
    assert_int_equal(n, sizeof bytes);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(bytes[i], '0' + i % 10);
    peer_say(fd, "GET /plain HTTP/1.1\r\n\r\n");
    peer_read_to(fd, "GET /plain? []");
    close(fd);
}

/* ---- exchanges ---- */

static void
answer_exchange(void *arg)
{
    struct io_answer a = { .status = 200, .content_type = "text/plain" };

    sbuf_init(&a.body, 100);
    sbuf_puts(&a.body, arg);
    io_exchange_answer(world.exchange, &a);
    world.exchange = NULL;
    sbuf_fini(&a.body);
}

static void
exchanges_are_answered_later(void **state)
{
    int fd = peer_dial();

    (void)state;
    peer_say(fd, "POST /later HTTP/1.1\r\nContent-Length: 1\r\n\r\nxGET /plain HTTP/1.1\r\n\r\n");
    while (world_counter(IO_ANSWERED) == 0 && world.exchange == NULL)
        usleep(1000);
    world_on_loop(answer_exchange, (void *)"well");
    peer_expect(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nwell");
    peer_read_to(fd, "GET /plain? []");
    peer_say(fd, "POST /now HTTP/1.1\r\nContent-Length: 1\r\n\r\ny");
    peer_read_to(fd, "POST /now? [y]");
    close(fd);

    /* one that leaves is told of, and answered into the void */
    fd = peer_dial();
    peer_say(fd, "HEAD /later HTTP/1.1\r\n\r\n");
    close(fd);
    world_await(&world.gone, 1);
    world_on_loop(answer_exchange, (void *)"nobody");

    /* one that has shut its half only gets its answer */
    fd = peer_dial();
    peer_say(fd, "HEAD /later HTTP/1.1\r\n\r\n");
    shutdown(fd, SHUT_WR);
    world_await(&world.gone, 2);
    world_on_loop(answer_exchange, (void *)"still");
    peer_expect(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
    peer_expect_end(fd);

    /* what nobody answered before the end is answered behind it, see world_stop's order */
    fd = peer_dial();
    peer_say(fd, "GET /later HTTP/1.1\r\n\r\n");
    while (world.exchange == NULL)
        usleep(1000);
    close(fd);
}

static void
bodies_are_announced(void **state)
{
    int fd = peer_dial();

    (void)state;
    peer_say(fd, "POST /told HTTP/1.1\r\nContent-Length: 2\r\n\r\nok");
    peer_read_to(fd, "POST /told? [ok]");
    peer_say(fd, "GET /told HTTP/1.1\r\n\r\n");               /* nothing to announce */
    peer_read_to(fd, "GET /told? []");
    peer_say(fd, "POST /told?no HTTP/1.1\r\nContent-Length: 2\r\n\r\nok");
    peer_read_to(fd, "HTTP/1.1 409 ");
    peer_read_to(fd, "Connection: close\r\n\r\n");
    peer_expect_end(fd);
    assert_int_equal(world.gone, 0);

    fd = peer_dial();                                           /* the rest never comes */
    peer_say(fd, "POST /told HTTP/1.1\r\nContent-Length: 5\r\n\r\nok");
    close(fd);
    world_await(&world.gone, 1);
    fd = peer_dial();                                           /* or is too much, or nonsense */
    peer_say(fd, "POST /told HTTP/1.1\r\nContent-Length: 6\r\n\r\n");
    world_await(&world.gone, 2);
    peer_read_to(fd, "HTTP/1.1 413 ");
    close(fd);
    fd = peer_dial();
    peer_say(fd, "POST /told HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");
    world_await(&world.gone, 3);
    peer_read_to(fd, "HTTP/1.1 400 ");
    close(fd);
}

static void
held_answers_count_as_connections(void **state)
{
    struct io_exchange *held[20];
    int fds[20], fd = peer_dial();

    (void)state;
    for (int i = 0; i < 20; i++) {
        fds[i] = peer_dial();
        peer_say(fds[i], "HEAD /held HTTP/1.1\r\n\r\n");
        while (world.exchange == NULL)
            usleep(1000);
        held[i] = world.exchange;
        world.exchange = NULL;
    }
    peer_say(fd, "POST /held HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
    peer_read_to(fd, "POST /held? [x]");
    peer_say(fd, "GET /held HTTP/1.1\r\n\r\n");
    peer_read_to(fd, "HTTP/1.1 503 ");
    close(fd);
    for (int i = 0; i < 20; i++) {
        close(fds[i]);
        world_await(&world.gone, i + 1);
        world.exchange = held[i];
        world_on_loop(answer_exchange, (void *)"nobody");
    }
}

static int
stop_and_answer(void **state)
{
    int e = world_stop(state);

    if (world.exchange != NULL)
        answer_exchange((void *)"late");
    return e;
}

/* ---- streams ---- */

static void
send_joined(void *arg)
{
    struct frame *list[3] = { frame_text("one", 3), frame_text("two\ntwo", 7), frame_ping() };
    struct frame *joined = frame_join(list, 3);

    (void)arg;
    conn_send(world.client.conn, joined);
    conn_send(world.client.conn, list[0]);
    frame_unref(joined);
    for (int i = 0; i < 3; i++)
        frame_unref(list[i]);
}

static void
streams_carry_lines(void **state)
{
    int fd = peer_dial();

    (void)state;
    peer_say(fd, "POST /lines HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
    peer_expect(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
                "Connection: close\r\n\r\n");
    world_await(&world.client.opened, 1);
    assert_true(conn_is_stream(world.client.conn));
    world_on_loop(send_joined, NULL);
    peer_expect(fd, "10\r\none\ntwo\ntwo\none\n\r\n");      /* one chunk, whole lines */
    peer_say(fd, "what it says now is ignored");
    world_send("x");
    world_close(3000, "over");
    peer_expect(fd, "2\r\nx\n\r\n0\r\n\r\n");
    peer_expect_end(fd);
    world_await(&world.client.closed, 1);
}

static void
streams_carry_events(void **state)
{
    int fd = peer_dial();

    (void)state;
    peer_say(fd, "GET /events HTTP/1.1\r\n\r\n");
    peer_read_to(fd, "\r\n\r\n");
    peer_expect(fd, "2\r\n\r\n\r\n");
    world_await(&world.client.opened, 1);
    world_on_loop(send_joined, NULL);
    peer_expect(fd, "2c\r\ndata: one\n\ndata: two\n\ndata: two\n\ndata: one\n\n\r\n");
    close(fd);
    world_await(&world.client.closed, 1);       /* who leaves is noticed */

    fd = peer_dial();
    peer_say(fd, "GET /events HTTP/1.0\r\n\r\n");
    peer_read_to(fd, "Connection: close\r\n\r\n");
    peer_expect(fd, "\r\n");
    world_await(&world.client.opened, 1);
    world_send("a");
    peer_expect(fd, "data: a\n\n");
    world_close(3000, "over");
    peer_expect_end(fd);

    fd = peer_dial();
    peer_say(fd, "HEAD /events HTTP/1.1\r\n\r\n");
    world_await(&world.client.abandoned, 1);
    peer_read_to(fd, "\r\n\r\n");
    peer_expect_end(fd);
}

static void
a_stream_that_goes_on_talking_is_ended(void **state)
{
    static char much[5000];
    int fd = peer_dial();

    (void)state;
    memset(much, 'x', sizeof much - 1);
    peer_say(fd, "GET /events HTTP/1.1\r\n\r\n");
    world_await(&world.client.opened, 1);
    peer_say(fd, much);
    world_await(&world.client.closed, 1);
    close(fd);
}

/* ---- connections ---- */

static void
expect_close(int fd, int code, const char *reason)
{
    char payload[2000];

    while (peer_read_frame(fd, payload, sizeof payload) != OP_CLOSE)
        ;
    assert_int_equal((unsigned char)payload[0] << 8 | (unsigned char)payload[1], code);
    assert_string_equal(payload + 2, reason);
}

static void
websockets_echo_and_close(void **state)
{
    char payload[200];
    int fd = peer_websocket("/ws");

    (void)state;
    peer_frame(fd, OP_TEXT, "hello");
    assert_int_equal(peer_read_frame(fd, payload, sizeof payload), OP_TEXT);
    assert_string_equal(payload, "hello");
    peer_frame(fd, OP_PING, "p");
    assert_int_equal(peer_read_frame(fd, payload, sizeof payload), OP_PONG);
    world_on_loop(send_joined, NULL);
    peer_read_frame(fd, payload, sizeof payload);
    peer_read_frame(fd, payload, sizeof payload);
    assert_string_equal(payload, "two\ntwo");
    assert_int_equal(peer_read_frame(fd, payload, sizeof payload), OP_PING);
    peer_read_frame(fd, payload, sizeof payload);
    world_send("bye");
    world_close(3000, "over");
    assert_int_equal(peer_read_frame(fd, payload, sizeof payload), OP_TEXT);
    expect_close(fd, 3000, "over");
    peer_frame(fd, OP_CLOSE, "\x0b\xb8");
    world_await(&world.client.closed, 1);
    close(fd);
}

static void
messages_are_bounded_by_the_rules(void **state)
{
    char text[126] = "";
    int fd = peer_websocket("/ws");

    (void)state;
    world_await(&world.client.opened, 1);
    world.rules.message_max = 100;
    memset(text, 'x', 101);
    peer_frame(fd, OP_TEXT, text);
    expect_close(fd, 1009, "message is too long");
    close(fd);
}

/* A peer's Close frame: with a status it is echoed; without one it is answered with what the rules say. The socket
 * ends behind the answer. */
static void
a_close_frame_is_answered_by_the_rules(void **state)
{
    static const struct {
        const char *said;
        int rule, answer;       /* answer 0: none either */
    } cases[] = {
        { "", 0, 0 }, { "", 4003, 4003 }, { "\x03\xe8", 4003, 1000 }, { "\x03\xe9 bye", 4003, 1001 },
        { "\x0f\xa1", 0, 4001 },
    };
    char payload[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = peer_websocket("/ws");

        world.rules.bare_close_code = cases[i].rule;
        world_send("queued");
        assert_int_equal(peer_read_frame(fd, payload, sizeof payload), OP_TEXT);
        peer_frame(fd, OP_CLOSE, cases[i].said);
        payload[0] = payload[1] = 0;
        assert_int_equal(peer_read_frame(fd, payload, sizeof payload), OP_CLOSE);
        assert_int_equal((unsigned char)payload[0] << 8 | (unsigned char)payload[1], cases[i].answer);
        peer_expect_end(fd);
        world_await(&world.client.closed, 1);
    }
    world.rules.bare_close_code = 0;
}

static void
the_silent_are_closed_by_their_rules(void **state)
{
    struct frame *ping = frame_text("{}", 2);
    char payload[200];
    int fd;

    (void)state;
    world.rules.ping = ping;
    world.rules.ping_ms = 200;
    world.rules.answer_ms = 1000;
    world.rules.silent_code = 3012;
    world.rules.silent_reason = "no pong";
    fd = peer_websocket("/ws");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(peer_read_frame(fd, payload, sizeof payload), OP_TEXT);
        assert_string_equal(payload, "{}");
        peer_frame(fd, OP_PONG, "");
    }
    expect_close(fd, 3012, "no pong");
    close(fd);
    world_await(&world.client.closed, 1);

    /* dropped without a word where there is no code */
    world.rules.silent_code = 0;
    fd = peer_dial();
    peer_say(fd, "GET /lines HTTP/1.1\r\n\r\n");
    peer_read_to(fd, "\r\n\r\n");
    peer_read_to(fd, "3\r\n{}\n\r\n");
    world_await(&world.client.closed, 1);
    close(fd);
    assert_int_equal(world_counter(IO_DEAD_PEER), 2);
    assert_int_equal(world_stop(NULL), 0);
    frame_unref(ping);
    assert_int_equal(world_start(NULL), 0);
}

static void
send_much(void *arg)
{
    int n = *(int *)arg;
    static char bytes[1000];
    struct frame *f;

    memset(bytes, 'x', sizeof bytes);
    f = frame_text(bytes, sizeof bytes);
    for (int i = 0; i < n && world.client.conn != NULL; i++)
        conn_send(world.client.conn, f);
    frame_unref(f);
}

static int
slow_peer(const char *path, int buffer)
{
    int fd;

    if (strcmp(path, "/ws") == 0) {
        fd = peer_websocket(path);
    } else {
        fd = peer_dial();
        peer_say(fd, "GET /lines HTTP/1.1\r\n\r\n");
        peer_read_to(fd, "\r\n\r\n");
    }
    if (buffer > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    world_await(&world.client.opened, 1);
    return fd;
}

static void
is_behind(void *arg)
{
    *(int *)arg = world.client.conn != NULL && conn_behind(world.client.conn);
}

/* Sends until the peer is behind. */
static int
fill(void)
{
    int behind = 0, frames = 200, sent = 0;

    while (!behind) {
        world_on_loop(send_much, &frames);
        sent += frames;
        world_on_loop(is_behind, &behind);
    }
    return sent;
}

static void
a_quick_burst_is_not_slow(void **state)
{
    static const char *const paths[] = { "/ws", "/lines" };
    char payload[2000];
    int frames = 900, fd;

    (void)state;
    for (int i = 0; i < 2; i++) {
        world.rules.queue_frames = 10;
        fd = slow_peer(paths[i], 0);
        world_on_loop(send_much, &frames);
        for (int n = 0; n < frames; n++)
            if (i == 0)
                assert_int_equal(peer_read_frame(fd, payload, sizeof payload), OP_TEXT);
        assert_int_equal(world_counter(IO_TOO_SLOW), 0);
        close(fd);
        world_await(&world.client.closed, 1);
    }
}

static void
slow_readers_are_closed(void **state)
{
    static const char *const paths[] = { "/ws", "/lines" };
    int fd, frames = 1200;

    (void)state;
    for (int i = 0; i < 2; i++) {
        world.rules.queue_frames = 1000;            /* by frames */
        world.rules.queue_bytes = 1 << 30;
        fd = slow_peer(paths[i], 4096);
        fill();
        world_on_loop(send_much, &frames);
        assert_int_equal(world_counter(IO_TOO_SLOW), 3 * i + 1);
        world_await(&world.client.closed, 1);       /* it does not drain, so it is forced */
        close(fd);

        world.rules.queue_frames = 1000000;         /* by bytes */
        world.rules.queue_bytes = 500000;
        fd = slow_peer(paths[i], 4096);
        fill();
        world_on_loop(send_much, &frames);
        assert_int_equal(world_counter(IO_TOO_SLOW), 3 * i + 2);
        close(fd);
        world_await(&world.client.closed, 1);

        world.rules.queue_bytes = 1 << 30;          /* by taking nothing */
        world.rules.stall_ms = 300;
        fd = slow_peer(paths[i], 4096);
        fill();
        world_await(&world.client.closed, 1);
        assert_int_equal(world_counter(IO_STALLED), i + 1);
        world.rules.stall_ms = 0;
        close(fd);
        world.io->counters[IO_TOO_SLOW] = 3;
    }
}

/* It reads on, too late: what waited is gone, but not what its socket had in part. */
static void
a_slow_stream_is_told_why(void **state)
{
    static const char last[] = "\r\n9\r\ntoo slow\n\r\n0\r\n\r\n";
    struct frame *slow = frame_text("too slow", 8);
    static char bytes[65536 + sizeof last];
    int fd, frames = 1200;
    size_t kept = 0;
    ssize_t n;

    (void)state;
    world.rules.queue_frames = 1000;
    world.rules.queue_bytes = 1 << 30;
    world.rules.slow = slow;
    fd = slow_peer("/lines", 0);
    fill();
    world_on_loop(send_much, &frames);
    assert_int_equal(world_counter(IO_TOO_SLOW), 1);
    while ((n = recv(fd, bytes + kept, 65536, 0)) > 0) {
        size_t got = kept + (size_t)n;

        kept = got < sizeof last - 1 ? got : sizeof last - 1;
        memmove(bytes, bytes + got - kept, kept);
    }
    assert_int_equal(n, 0);
    assert_memory_equal(bytes, last, sizeof last - 1);
    close(fd);
    world_await(&world.client.closed, 1);
    world.rules.slow = NULL;
    frame_unref(slow);
}

static void
owed(void *arg)
{
    *(int64_t *)arg = io_owed(world.io);
}

static void
drop(void *arg)
{
    (void)arg;
    conn_drop(world.client.conn);
    assert_int_equal(conn_queued(world.client.conn), 0);    /* whoever looks for the slowest looks elsewhere now */
}

/* Also while it is being closed and patience has not ended. */
static void
copies_for_the_slow_are_counted_and_dropped(void **state)
{
    static const char *const paths[] = { "/ws", "/lines" };
    int64_t bytes;
    int fd;

    (void)state;
    world.rules.queue_bytes = 1 << 30;
    world.rules.queue_frames = 1000000;
    for (int i = 0; i < 4; i++) {
        fd = slow_peer(paths[i % 2], 4096);
        fill();
        world_on_loop(owed, &bytes);
        assert_true(bytes > 0);
        if (i >= 2)
            world_close(3001, "shutdown");
        world_on_loop(drop, NULL);
        world_await(&world.client.closed, 1);
        world_on_loop(owed, &bytes);
        assert_int_equal(bytes, 0);
        close(fd);
    }
}

static void
who_catches_up_is_told_of(void **state)
{
    static const char *const paths[] = { "/ws", "/lines" };
    static char bytes[65536];

    (void)state;
    world.rules.queue_bytes = 1 << 30;
    world.rules.queue_frames = 1000000;
    world.rules.stall_ms = 2000;
    for (int i = 0; i < 2; i++) {
        int fd = slow_peer(paths[i], 0);
        size_t left = (size_t)fill() * 1000;        /* at least */

        while (left > 0) {
            ssize_t n = recv(fd, bytes, sizeof bytes, 0);

            assert_true(n > 0);
            left -= (size_t)n < left ? (size_t)n : left;
        }
        world_await(&world.client.drained, 1);
        assert_int_equal(world.client.closed, 0);
        close(fd);
        world_await(&world.client.closed, 1);
    }
}

static void
connections_are_bounded(void **state)
{
    int fds[21];

    (void)state;
    for (int i = 0; i < 20; i++)
        fds[i] = peer_websocket("/ws");
    refused("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", "HTTP/1.1 503 ");
    refused("GET /lines HTTP/1.1\r\n\r\n", "HTTP/1.1 503 ");
    for (int i = 0; i < 20; i++)
        close(fds[i]);
}

/* ---- the loop ---- */

static void
unlisten(void *arg)
{
    (void)arg;
    io_unlisten(world.listener);
}

static void
a_drained_listener_ends_idle_peers(void **state)
{
    int idle = peer_dial(), busy = peer_dial(), socket = peer_websocket("/ws");
    char payload[100];

    (void)state;
    peer_say(idle, "GET /plain HTTP/1.1\r\n\r\n");
    peer_read_to(idle, "]");
    peer_say(busy, "GET /plain HT");
    world_on_loop(unlisten, NULL);
    peer_expect_end(idle);
    peer_say(busy, "TP/1.1\r\n\r\n");
    peer_read_to(busy, "Connection: close\r\n\r\nGET /plain? []");
    peer_expect_end(busy);
    peer_frame(socket, OP_TEXT, "still here");
    peer_read_frame(socket, payload, sizeof payload);
    assert_string_equal(payload, "still here");
    close(socket);
}

static void
write_metrics(void *arg)
{
    struct metrics m = { arg };

    io_metrics(world.io, &m);
}

static void
figures_are_told(void **state)
{
    struct sbuf out;
    int fd = peer_dial();

    (void)state;
    peer_say(fd, "GET /plain HTTP/1.1\r\n\r\n");
    peer_read_to(fd, "]");
    sbuf_init(&out, 100000);
    world_on_loop(write_metrics, &out);
    assert_non_null(strstr(sbuf_str(&out), "confab_requests_answered_total 1\n"));
    assert_non_null(strstr(sbuf_str(&out), "confab_requests_shed_total{reason=\"crowd\"} 0\n"));
    assert_null(strstr(sbuf_str(&out), "confab_loop_turn_seconds_count 0\n"));
    assert_non_null(strstr(sbuf_str(&out), "confab_loop_turn_seconds_count "));
    sbuf_fini(&out);
    close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_start, world_stop)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(services_are_found_by_raw_path),
        TEST(connections_are_kept_for_further_requests),
        TEST(bodies_arrive_whole),
        TEST(what_could_smuggle_or_flood_is_refused),
        TEST(unfinished_requests_are_ended),
        TEST(a_crowd_at_one_door_leaves_the_others_alone),
        TEST(long_answers_wait_for_their_reader),
        cmocka_unit_test_setup_teardown(bodies_are_announced, world_start, world_stop),
        cmocka_unit_test_setup_teardown(held_answers_count_as_connections, world_start, world_stop),
        cmocka_unit_test_setup_teardown(exchanges_are_answered_later, world_start, stop_and_answer),
        TEST(streams_carry_lines),
        TEST(streams_carry_events),
        TEST(a_stream_that_goes_on_talking_is_ended),
        TEST(websockets_echo_and_close),
        TEST(a_close_frame_is_answered_by_the_rules),
        TEST(messages_are_bounded_by_the_rules),
        TEST(the_silent_are_closed_by_their_rules),
        TEST(a_quick_burst_is_not_slow),
        TEST(slow_readers_are_closed),
        TEST(a_slow_stream_is_told_why),
        TEST(copies_for_the_slow_are_counted_and_dropped),
        TEST(who_catches_up_is_told_of),
        TEST(connections_are_bounded),
        TEST(a_drained_listener_ends_idle_peers),
        TEST(figures_are_told),
    };

    return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
