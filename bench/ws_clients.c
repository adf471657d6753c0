/* ws_clients - many WebSocket clients in one thread: they connect, listen and count
 *
 * Socket i is user u<i>. Once each has had its first frame, messages are POSTed over HTTP with the
 * time in their text, so many at once as there are posters, the next one when one has reached
 * everybody. Every socket's receipt of each is a sample. Prints READY, then
 *
 *     RESULT deliveries relay_cpu_seconds seconds p50_us p99_us connect_seconds
 *
 * Every frame must come to every socket; anything else ends the program with an error.
 * The handshake's key is RFC 6455's example, always; nobody is fooled by that here.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/posting.h"

#define OPENING_MAX 64                  /* handshakes under way at once */
#define READ_SIZE (1 << 20)
#define SILENCE_MS 20000                /* longer than this nothing came: something is lost */

struct client {
    int fd;
    bool upgraded, ready;
    char *rest;                         /* the beginning of a frame whose end has not come */
    size_t rest_len;
};

static struct {
    int port, post_port, n, messages, posters, pid;
    const char *target;
    bool hold;
} options = { .n = 1000, .messages = 10, .posters = 1 };

static struct client *clients;
static int epoll_fd, n_opened, n_opening, n_ready;
static struct samples samples;
static int64_t deliveries;
static char *buffer;

static void
die(const char *what)
{
    fprintf(stderr, "ws_clients: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- sockets ---- */

static void
open_next(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)options.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct client *c = &clients[n_opened];
    struct epoll_event e = { .events = EPOLLOUT, .data.ptr = c };

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket");
    if (connect(c->fd, (struct sockaddr *)&address, sizeof(address)) != 0 && errno != EINPROGRESS)
        die("connect");
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e);
    n_opened++;
    n_opening++;
}

static void
open_more(void)
{
    while (n_opening < OPENING_MAX && n_opened < options.n)
        open_next();
}

static void
shake_hands(struct client *c)
{
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
    char request[300];
    int len = snprintf(request, sizeof(request),
                       "GET /api/v1/ws?user_id=u%d HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                       "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                       "Sec-WebSocket-Version: 13\r\n\r\n", (int)(c - clients));

    if (send(c->fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        die("handshake");
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
}

static void
pong(struct client *c)
{
    static const char empty[6] = { (char)0x8a, (char)0x80 };

    if (send(c->fd, empty, sizeof(empty), MSG_NOSIGNAL) < 0)
        die("pong");
}

static void
frame(struct client *c, int opcode, char *p, size_t len, int64_t now)
{
    char *mark;

    if (opcode == 9) {
        pong(c);
    } else if (opcode == 8) {
        fprintf(stderr, "ws_clients: u%d was closed: %d %.*s\n", (int)(c - clients),
                len >= 2 ? (unsigned char)p[0] << 8 | (unsigned char)p[1] : 0,
                len >= 2 ? (int)len - 2 : 0, p + 2);
        exit(1);
    } else if (!c->ready) {
        c->ready = true;
        n_ready++;
        n_opening--;
        open_more();
    } else if ((mark = memmem(p, len, MARK, strlen(MARK))) != NULL) {
        measure_add(&samples, now - atoll(mark + strlen(MARK)));
        deliveries++;
    }
}

/* The frame at p, if all of it is there: its whole length, else 0. */
static size_t
one_frame(struct client *c, unsigned char *p, size_t len, int64_t now)
{
    size_t head = 2, n, i;

    if (len < 2)
        return 0;
    n = p[1] & 127;
    if (n >= 126) {
        size_t wide = n == 126 ? 2 : 8;

        head += wide;
        if (len < head)
            return 0;
        for (n = 0, i = 2; i < head; i++)
            n = n << 8 | p[i];
    }
    if (len < head + n)
        return 0;
    frame(c, p[0] & 15, (char *)p + head, n, now);
    return head + n;
}

static size_t
answer_to_handshake(struct client *c, size_t len)
{
    char *end = memmem(buffer, len, "\r\n\r\n", 4);

    if (!end)
        return 0;
    if (strncmp(buffer, "HTTP/1.1 101", 12) != 0) {
        fprintf(stderr, "ws_clients: no upgrade: %.*s\n", (int)len, buffer);
        exit(1);
    }
    c->upgraded = true;
    return (size_t)(end + 4 - buffer);
}

static void
keep_rest(struct client *c, const char *p, size_t len)
{
    char *rest = len ? realloc(c->rest, len) : NULL;

    if (len) {
        if (!rest)
            die("memory");
        memcpy(rest, p, len);
    } else {
        free(c->rest);
    }
    c->rest = rest;
    c->rest_len = len;
}

static void
readable(struct client *c)
{
    size_t len = c->rest_len, at = 0, used;
    int64_t now;
    ssize_t n;

    memcpy(buffer, c->rest ? c->rest : "", len);
    n = recv(c->fd, buffer + len, READ_SIZE - len, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("a socket ended");
    len += (size_t)n;
    now = measure_now();
    if (!c->upgraded)
        at = answer_to_handshake(c, len);
    while (c->upgraded && (used = one_frame(c, (unsigned char *)buffer + at, len - at, now)) > 0)
        at += used;
    if (at < len || c->rest)
        keep_rest(c, buffer + at, len - at);
}

/* Handles what has come. */
static void
turn(void)
{
    struct epoll_event events[512];
    int i, n = epoll_wait(epoll_fd, events, 512, SILENCE_MS);

    if (n == 0) {
        fprintf(stderr, "ws_clients: silence: %d of %d ready, %lld delivered\n", n_ready,
                options.n, (long long)deliveries);
        exit(1);
    }
    for (i = 0; i < n; i++) {
        struct client *c = events[i].data.ptr;

        if (events[i].events & EPOLLOUT)
            shake_hands(c);
        else
            readable(c);
    }
}

/* ---- the run ---- */

/* Standard input's end is the end. */
static void
hold(void)
{
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL }, events[64];
    char c;
    int i, n;

    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &e) != 0)
        die("standard input");
    while ((n = epoll_wait(epoll_fd, events, 64, -1)) >= 0) {
        for (i = 0; i < n; i++) {
            if (events[i].data.ptr)
                readable(events[i].data.ptr);
            else if (read(STDIN_FILENO, &c, 1) <= 0)
                return;
        }
    }
}

/* Until every message has reached everybody; each that has lets another one go. */
static void
deliver_all(void)
{
    int64_t done = 0;

    while (done < options.messages) {
        turn();
        for (; (done + 1) * options.n <= deliveries; done++)
            posting_go();
    }
    posting_end();
}

static void
measure_posts(double connect_seconds)
{
    struct posting posting = { .program = "ws_clients", .port = options.post_port, .target = options.target,
                               .headers = "", .field = "content" };
    double cpu = measure_cpu(options.pid);
    int64_t start = measure_now();

    posting_begin(&posting, options.posters, options.messages);
    deliver_all();
    printf("RESULT %lld %.6f %.6f %.1f %.1f %.3f\n", (long long)deliveries, measure_cpu(options.pid) - cpu,
           (double)(measure_now() - start) / 1e9, measure_percentile_us(&samples, 50),
           measure_percentile_us(&samples, 99), connect_seconds);
}

static void
read_options(int argc, char **argv)
{
    int c;

    while ((c = getopt(argc, argv, "c:p:t:n:m:w:r:k")) != -1) {
        switch (c) {
        case 'c': options.port = atoi(optarg); break;
        case 'p': options.post_port = atoi(optarg); break;
        case 't': options.target = optarg; break;
        case 'n': options.n = atoi(optarg); break;
        case 'm': options.messages = atoi(optarg); break;
        case 'w': options.posters = atoi(optarg); break;
        case 'r': options.pid = atoi(optarg); break;
        case 'k': options.hold = true; break;
        default: argc = 0;
        }
    }
    if (argc == 0 || options.port == 0 || options.n < 1 || options.posters < 1 ||
        options.posters > POSTERS_MAX || (!options.hold && (!options.post_port || !options.target))) {
        fprintf(stderr, "usage: ws_clients -c PORT -n SOCKETS [-r RELAY_PID] -k |\n"
                        "           -p POST_PORT -t TARGET [-m MESSAGES] [-w POSTERS]\n");
        exit(2);
    }
}

int
main(int argc, char **argv)
{
    struct rlimit files;
    int64_t start;
    double connect_seconds;

    read_options(argc, argv);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    clients = calloc((size_t)options.n, sizeof(*clients));
    buffer = malloc(READ_SIZE);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!clients || !buffer || epoll_fd < 0)
        die("start");
    start = measure_now();
    open_more();
    while (n_ready < options.n)
        turn();
    connect_seconds = (double)(measure_now() - start) / 1e9;
    printf("READY\n");
    fflush(stdout);
    if (options.hold)
        hold();
    else
        measure_posts(connect_seconds);
    return 0;
}
