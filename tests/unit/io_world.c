/* io_world - the real loop in a thread of its own, and blocking peers that talk to it
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/io_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 10 };

struct world world;
char world_dir[64];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static void (*loop_call)(void *arg);
static void *loop_arg;

/* ---- the layer above ---- */

static void
on_abandoned(struct io_client *client)
{
    ((struct world_client *)client)->abandoned++;
}

static void
on_opened(struct io_client *client, struct conn *c)
{
    struct world_client *w = (struct world_client *)client;

    assert_ptr_equal(conn_client(c), client);
    w->opened++;
    w->conn = c;
}

static void
on_message(struct io_client *client, const char *p, size_t len, bool binary)
{
    struct world_client *w = (struct world_client *)client;
    struct frame *f = frame_text(p, len);

    (void)binary;
    w->messages++;
    snprintf(w->last, sizeof w->last, "%.*s", (int)len, p);
    conn_send(w->conn, f);
    frame_unref(f);
}

static void
on_drained(struct io_client *client)
{
    struct world_client *w = (struct world_client *)client;

    assert_false(conn_behind(w->conn));
    w->drained++;
}

static void
on_closed(struct io_client *client)
{
    struct world_client *w = (struct world_client *)client;

    w->closed++;
    w->conn = NULL;
}

static const struct io_client_calls client_calls = {
    on_abandoned, on_opened, on_message, on_drained, on_closed
};

static void
exchange_gone(void *arg)
{
    (void)arg;
    world.gone++;
}

static struct io_client *
client_new(void)
{
    world.client = (struct world_client){ .io = { &client_calls, &world.rules } };
    return &world.client.io;
}

static enum io_verdict
on_request(void *arg, const struct io_request *r, struct io_exchange *x, struct io_answer *a,
           struct io_client **client_r)
{
    const char *header = io_header(r, "x-test");

    (void)arg;
    snprintf(world.said, sizeof world.said, "%s %s?%s [%.*s]%s%s%s", r->method, r->path, r->query,
             (int)r->body_len, r->body, header != NULL ? " " : "", header != NULL ? header : "",
             r->secure ? " secure" : "");
    a->status = 200;
    a->content_type = "text/plain";
    if (strcmp(r->path, "/ws") == 0 && r->upgrade) {
        sbuf_puts(&a->headers, "Sec-WebSocket-Protocol: test\r\n");
        *client_r = client_new();
        return IO_UPGRADE;
    }
    if (strcmp(r->path, "/lines") == 0 || strcmp(r->path, "/events") == 0) {
        a->stream = strcmp(r->path, "/lines") == 0 ? IO_STREAM_LINES : IO_STREAM_EVENTS;
        if (a->stream == IO_STREAM_EVENTS)
            sbuf_puts(&a->body, "\r\n");
        *client_r = client_new();
        return IO_STREAM;
    }
    if (strcmp(r->path, "/later") == 0 || (strcmp(r->path, "/held") == 0 && r->body_len == 0)) {
        io_exchange_on_gone(x, exchange_gone, NULL);
        world.exchange = x;
        return IO_LATER;
    }
    if (strcmp(r->path, "/last") == 0)
        a->close = true;
    sbuf_puts(&a->body, world.said);
    if (strcmp(r->path, "/now") == 0) {
        io_exchange_answer(x, a);
        return IO_LATER;
    }
    if (strcmp(r->path, "/big") == 0)
        for (int i = 0; i < 200000; i++)
            sbuf_puts(&a->body, "0123456789");
    return IO_ANSWER;
}

/* Takes every body, unless the query says no. */
static bool
on_announced(void *arg, const struct io_request *r, struct io_exchange *x, struct io_answer *a)
{
    (void)arg;
    if (strcmp(r->query, "no") == 0) {
        a->status = 409;
        return false;
    }
    io_exchange_on_gone(x, exchange_gone, NULL);
    return true;
}

static const struct io_service services[] = {
    { .path = "/told", .body_max = 5, .request = on_request, .announced = on_announced },
    { .path = "/held", .body_max = 5, .request = on_request, .holds = true },
    { .path = "/body", .body_max = 100000, .request = on_request },
    { .path = "/below/", .below = true, .request = on_request },
    { .path = "/tree", .below = true, .request = on_request },
    { .path = "/plain", .request = on_request },
    { .path = "/last", .request = on_request },
    { .path = "/later", .body_max = 100, .request = on_request },
    { .path = "/now", .body_max = 100, .request = on_request },
    { .path = "/big", .request = on_request },
    { .path = "/ws", .request = on_request },
    { .path = "/lines", .body_max = 100, .request = on_request },
    { .path = "/events", .request = on_request },
};

/* ---- the loop ---- */

static void
woken(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    if (loop_call != NULL)
        loop_call(loop_arg);
    loop_call = NULL;
    pthread_cond_signal(&done);
    pthread_mutex_unlock(&lock);
}

static void
count_turn(void *arg)
{
    (void)arg;
    world.turns++;
}

static void *
run(void *arg)
{
    io_run(arg);
    return NULL;
}

static int
start(const char *certificate, const char *key)
{
    struct io_listen_options o = {
        .where = "127.0.0.1:0", .tls_certificate = certificate, .tls_key = key,
        .services = services, .n_services = sizeof services / sizeof *services,
    };

    memset(&world, 0, sizeof world);
    world.config.relay_connections_max = 20;
    world.config.relay_handshake_s = 1;
    world.config.relay_tls_certificate = "";
    world.rules = (struct io_rules){
        .queue_frames = 1000, .queue_bytes = 1 << 20, .slow_code = 3008, .slow_reason = "slow",
        .message_max = 1000,
    };
    if ((world.io = io_new(&world.config)) == NULL
        || io_listen(world.io, &o, &world.listener) != ERR_OK)
        return -1;
    io_on_wake(world.io, woken, NULL);
    io_on_turn(world.io, count_turn, NULL);
    return pthread_create(&world.thread, NULL, run, world.io);
}

int
world_start(void **state)
{
    (void)state;
    return start(NULL, NULL);
}

int
world_start_tls(void **state)
{
    static char certificate[128], key[128];

    (void)state;
    snprintf(certificate, sizeof certificate, "%s/certificate.pem", world_dir);
    snprintf(key, sizeof key, "%s/key.pem", world_dir);
    return start(certificate, key);
}

int
world_stop(void **state)
{
    (void)state;
    io_stop(world.io);
    pthread_join(world.thread, NULL);
    io_free(world.io);
    return 0;
}

void
world_on_loop(void (*call)(void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    loop_call = call;
    loop_arg = arg;
    io_wake(world.io);
    while (loop_call != NULL)
        pthread_cond_wait(&done, &lock);
    pthread_mutex_unlock(&lock);
}

struct look {
    const int *figure;
    int value;
};

static void
look(void *arg)
{
    struct look *l = arg;

    l->value = *l->figure;
}

void
world_await(const int *figure, int n)
{
    struct timespec pause = { .tv_nsec = 2000000 };
    struct look l = { figure, 0 };

    for (int i = 0; i < PATIENCE_S * 500; i++) {
        world_on_loop(look, &l);
        if (l.value >= n)
            return;
        nanosleep(&pause, NULL);
    }
    fail_msg("%d did not become %d", l.value, n);
}

struct counter_look {
    enum io_counter counter;
    int64_t value;
};

static void
counter_look(void *arg)
{
    struct counter_look *l = arg;

    l->value = world.io->counters[l->counter];
}

int64_t
world_counter(enum io_counter counter)
{
    struct counter_look l = { counter, 0 };

    world_on_loop(counter_look, &l);
    return l.value;
}

static void
send_text(void *arg)
{
    struct frame *f = frame_text(arg, strlen(arg));

    assert_non_null(world.client.conn);
    conn_send(world.client.conn, f);
    frame_unref(f);
}

void
world_send(const char *text)
{
    world_on_loop(send_text, (void *)text);
}

struct ending {
    int code;
    const char *reason;
};

static void
close_now(void *arg)
{
    struct ending *e = arg;

    conn_close(world.client.conn, e->code, e->reason);
}

void
world_close(int code, const char *reason)
{
    struct ending e = { code, reason };

    world_on_loop(close_now, &e);
}

/* ---- peers ---- */

int
peer_port(void)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;

    assert_int_equal(getsockname(world.listener->fd, (struct sockaddr *)&at, &len), 0);
    return ntohs(at.sin_port);
}

int
peer_dial(void)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)peer_port()),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

void
peer_say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void
read_whole(int fd, void *p, size_t len)
{
    size_t n = 0;

    while (n < len) {
        ssize_t got = recv(fd, (char *)p + n, len - n, 0);

        if (got <= 0)
            fail_msg("%zu of %zu bytes came: %.*s", n, len, (int)n, (char *)p);
        n += (size_t)got;
    }
}

void
peer_expect(int fd, const char *text)
{
    char got[4096] = "";

    assert_true(strlen(text) < sizeof got);
    read_whole(fd, got, strlen(text));
    assert_string_equal(got, text);
}

const char *
peer_read_to(int fd, const char *text)
{
    static char got[65536];
    size_t n = 0;

    do {
        assert_true(n < sizeof got - 1);
        read_whole(fd, got + n, 1);
        got[++n] = '\0';
    } while (n < strlen(text) || strcmp(got + n - strlen(text), text) != 0);
    return got;
}

void
peer_expect_end(int fd)
{
    char byte;

    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

int
peer_websocket(const char *path)
{
    char head[512];
    int fd = peer_dial();

    snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path);
    peer_say(fd, head);
    peer_expect(fd, "HTTP/1.1 101");
    assert_non_null(strstr(peer_read_to(fd, "\r\n\r\n"), "Sec-WebSocket-Protocol: test\r\n"));
    return fd;
}

void
peer_frame(int fd, int opcode, const char *payload)
{
    size_t len = strlen(payload);
    unsigned char frame[200] = { (unsigned char)(0x80 | opcode), (unsigned char)(0x80 | len), 1, 2, 3, 4 };

    assert_true(len < 126);
    for (size_t i = 0; i < len; i++)
        frame[6 + i] = (unsigned char)payload[i] ^ frame[2 + i % 4];
    assert_int_equal(send(fd, frame, 6 + len, MSG_NOSIGNAL), 6 + len);
}

int
peer_read_frame(int fd, char *payload, size_t size)
{
    unsigned char head[8];
    size_t len;

    read_whole(fd, head, 2);
    len = head[1];
    if (len == 126) {
        read_whole(fd, head + 2, 2);
        len = (size_t)head[2] << 8 | head[3];
    } else if (len == 127) {
        read_whole(fd, head, 8);
        len = (size_t)head[5] << 16 | (size_t)head[6] << 8 | head[7];
        head[0] = 0x81;
    }
    assert_true(len < size);
    read_whole(fd, payload, len);
    payload[len] = '\0';
    return head[0] & 0x0f;
}
