/* push_clients - many subscribers and one publisher, for any of the servers that are compared
 *
 * Opens its sockets, each on some channels, says
 *
 *     READY connect_seconds server_cpu_seconds
 *
 * and does what standard input says, a line each, until it ends:
 *
 *     run WINDOW RATE SECONDS
 *
 * publishes for SECONDS: RATE a second, or as fast as WINDOW allows when RATE is 0, WINDOW being how many may be on
 * their way, and answers
 *
 *     RESULT deliveries server_cpu_seconds seconds p50_us p99_us
 *
 * Latency is taken at every sixteenth socket, from before the publication (with RATE: from when it was
 * due) to the receipt. Every publication must reach every subscriber before the next run.
 * The handshake's key is RFC 6455's example, always.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "bench/push_clients.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE (1 << 20)
#define SILENCE_MS 20000                /* longer than this nothing came: something is lost */
#define SAMPLED 16                      /* latency is taken at every such socket */
#define WARM_UP_NS 300000000LL
#define BURST 256                       /* publications between two looks at the sockets */
#define BURSTS 8                        /* a window is refilled in so many bursts, as a busy application would */
#define NS 1000000000LL

struct options options = { .prefix = "", .n = 1000, .channels = 1, .each = 1, .opening = 256 };

static struct client *clients;
static int epoll_fd, n_opened, n_opening, n_ready;
static struct samples samples;
static int64_t deliveries, published, heard_at;
static bool sampling;
static char *buffer;

void
die(const char *what)
{
    fprintf(stderr, "push_clients: %s: %s\n", what, strerror(errno));
    exit(1);
}

void
complain(const struct client *c, const char *what, const char *p, size_t len)
{
    fprintf(stderr, "push_clients: socket %d: %s: %.*s\n", c->i, what, (int)len, p);
    exit(1);
}

/* ---- opening ---- */

static void
open_next(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)options.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct client *c = &clients[n_opened];
    struct epoll_event e = { .events = EPOLLOUT, .data.ptr = c };
    int on = 1;

    c->i = n_opened;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
        die("connect");
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e);
    n_opened++;
    n_opening++;
}

static void
open_more(void)
{
    while (n_opening < options.opening && n_opened < options.n)
        open_next();
}

static void
shake_hands(struct client *c)
{
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
    char target[4096], request[5000];
    int len;

    options.kind->target(c, target, sizeof target);
    len = snprintf(request, sizeof request,
                   "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                   target);
    if (send(c->fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        die("handshake");
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
}

void
client_ready(struct client *c)
{
    c->ready = true;
    n_ready++;
    n_opening--;
    open_more();
}

void
client_say(struct client *c, int opcode, const char *p, size_t len)
{
    unsigned char frame[16384] = { (unsigned char)(0x80 | opcode) };
    size_t n = 2;

    frame[1] = (unsigned char)(0x80 | (len < 126 ? len : 126));
    if (len >= 126) {
        frame[n++] = (unsigned char)(len >> 8);
        frame[n++] = (unsigned char)len;
    }
    memset(frame + n, 0, 4);
    n += 4;
    memcpy(frame + n, p, len);
    if (send(c->fd, frame, n + len, MSG_NOSIGNAL) != (ssize_t)(n + len))
        die("sending");
}

/* ---- what comes ---- */

static void
take_sample(const char *p, size_t len)
{
    const char *mark = memmem(p, len, MARK, strlen(MARK));

    if (mark && (size_t)(p + len - mark) > strlen(MARK) + MARK_DIGITS)
        measure_add(&samples, heard_at - atoll(mark + strlen(MARK)));
}

static void
frame(struct client *c, int opcode, const char *p, size_t len)
{
    int n;

    if (opcode == 9) {
        client_say(c, 10, p, len);
    } else if (opcode == 8) {
        complain(c, "closed", len > 2 ? p + 2 : p, len > 2 ? len - 2 : 0);
    } else if (!c->ready) {
        options.kind->greeting(c, p, len);
    } else {
        n = options.kind->publications(c, p, len);
        deliveries += n;
        if (sampling && n > 0 && c->i % SAMPLED == 0)
            take_sample(p, len);
    }
}

/* The frame at p, if all of it is there: its whole length, else 0. */
static size_t
one_frame(struct client *c, const unsigned char *p, size_t len)
{
    size_t head = 2, n, i;

    if (len < 2)
        return 0;
    n = p[1] & 127;
    if (n >= 126) {
        head += n == 126 ? 2 : 8;
        if (len < head)
            return 0;
        for (n = 0, i = 2; i < head; i++)
            n = n << 8 | p[i];
    }
    if (len < head + n)
        return 0;
    frame(c, p[0] & 15, (const char *)p + head, n);
    return head + n;
}

static size_t
answer_to_handshake(struct client *c, size_t len)
{
    char *end = memmem(buffer, len, "\r\n\r\n", 4);

    if (!end)
        return 0;
    if (strncmp(buffer, "HTTP/1.1 101", 12) != 0)
        complain(c, "no upgrade", buffer, len);
    c->upgraded = true;
    if (options.kind->upgraded)
        options.kind->upgraded(c);
    return (size_t)(end + 4 - buffer);
}

static void
keep_rest(struct client *c, const char *p, size_t len)
{
    if (len) {
        if (!(c->rest = realloc(c->rest, len)))
            die("memory");
        memcpy(c->rest, p, len);
    } else {
        free(c->rest);
        c->rest = NULL;
    }
    c->rest_len = len;
}

static void
readable(struct client *c)
{
    size_t len = c->rest_len, at = 0, used;
    ssize_t n;

    memcpy(buffer, c->rest ? c->rest : "", len);
    n = recv(c->fd, buffer + len, READ_SIZE - len, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        complain(c, "ended", "", 0);
    len += (size_t)n;
    heard_at = measure_now();
    if (!c->upgraded)
        at = answer_to_handshake(c, len);
    while (c->upgraded && (used = one_frame(c, (unsigned char *)buffer + at, len - at)) > 0)
        at += used;
    if (at < len || c->rest)
        keep_rest(c, buffer + at, len - at);
}

/* Handles what has come within the time; false when standard input has something to say. */
static bool
turn(int wait_ms)
{
    struct epoll_event events[256];
    int i, n = epoll_wait(epoll_fd, events, 256, wait_ms);
    bool told = false;

    for (i = 0; i < n; i++) {
        struct client *c = events[i].data.ptr;

        if (!c)
            told = true;
        else if (events[i].events & EPOLLOUT)
            shake_hands(c);
        else
            readable(c);
    }
    return !told;
}

/* ---- a run ---- */

static void
listen_to_input(bool on)
{
    struct epoll_event e = { .events = EPOLLIN };

    if (epoll_ctl(epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, STDIN_FILENO, &e) != 0)
        die("standard input");
}

static int64_t
expected(void)
{
    return published * options.n * options.each / options.channels;
}

/* Publishes what may be published now. */
static void
publish_some(int64_t window, double rate, int64_t start, int64_t before)
{
    int64_t each = (int64_t)options.n * options.each / options.channels, now = measure_now();
    int64_t under_way = published - deliveries / each;

    if (rate == 0 && under_way > 0 && window - under_way < window / BURSTS)
        return;
    for (int i = 0; i < BURST && under_way < window; i++, under_way++) {
        int64_t due = rate > 0 ? start + (int64_t)((double)(published - before) * 1e9 / rate) : now;

        if (due > now)
            break;
        publish_one(due);
        published++;
    }
}

/* Waits for what is on its way. */
static void
settle(void)
{
    int64_t last = deliveries, since = measure_now();

    while (deliveries < expected()) {
        turn(publish_flush() ? 100 : 1);
        if (deliveries != last) {
            last = deliveries;
            since = measure_now();
        } else if (measure_now() - since > SILENCE_MS * 1000000LL) {
            fprintf(stderr, "push_clients: silence: %lld of %lld delivered\n", (long long)deliveries,
                    (long long)expected());
            exit(1);
        }
    }
}

static void
run(int64_t window, double rate, double seconds)
{
    int64_t start = measure_now(), begin = start + WARM_UP_NS, end = begin + (int64_t)(seconds * NS);
    int64_t now, before = published, first = 0;
    double cpu = 0;

    sampling = false;
    while ((now = measure_now()) < end) {
        if (!sampling && now >= begin) {
            measure_clear(&samples);
            sampling = true;
            begin = now;
            first = deliveries;
            cpu = measure_cpu(options.pid);
        }
        publish_some(window, rate, start, before);
        publish_flush();
        turn(0);        /* one who sleeps has to be woken, at the cost of the server that is measured */
    }
    cpu = measure_cpu(options.pid) - cpu;
    sampling = false;
    first = deliveries - first;
    settle();
    printf("RESULT %lld %.6f %.6f %.1f %.1f\n", (long long)first, cpu, (double)(now - begin) / NS,
           measure_percentile_us(&samples, 50), measure_percentile_us(&samples, 99));
    fflush(stdout);
}

static void
obey(void)
{
    double rate, seconds;
    long long window;
    char line[200];

    for (;;) {
        listen_to_input(true);
        while (turn(-1))
            ;
        listen_to_input(false);
        if (!fgets(line, sizeof line, stdin))
            return;
        if (sscanf(line, "run %lld %lf %lf", &window, &rate, &seconds) != 3 || window < 1)
            die("a line that says nothing");
        run(window, rate, seconds);
    }
}

/* ---- options ---- */

static void
read_options(int argc, char **argv)
{
    int c;

    while ((c = getopt(argc, argv, "k:c:p:x:n:g:e:f:o:r:")) != -1) {
        switch (c) {
        case 'k': options.kind = kind_find(optarg); break;
        case 'c': options.port = atoi(optarg); break;
        case 'p': options.publish_to = optarg; break;
        case 'x': options.prefix = optarg; break;
        case 'n': options.n = atoi(optarg); break;
        case 'g': options.channels = atoi(optarg); break;
        case 'e': options.each = atoi(optarg); break;
        case 'f': options.first = atoi(optarg); break;
        case 'o': options.opening = atoi(optarg); break;
        case 'r': options.pid = atoi(optarg); break;
        default: argc = 0;
        }
    }
    if (argc == 0 || !options.kind || options.port == 0 || options.n < 1 || options.each < 1 ||
        options.channels < options.each) {
        fprintf(stderr, "usage: push_clients -k KIND -c PORT [-p PORT | ENDPOINT] [-n SOCKETS] [-g CHANNELS]\n"
                        "           [-e CHANNELS_OF_EACH] [-f FIRST_CHANNEL] [-x PREFIX] [-o OPENING] [-r PID]\n");
        exit(2);
    }
}

int
main(int argc, char **argv)
{
    struct rlimit files;
    int64_t start;
    double cpu;

    read_options(argc, argv);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    setvbuf(stdin, NULL, _IONBF, 0);
    clients = calloc((size_t)options.n, sizeof *clients);
    buffer = malloc(READ_SIZE);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!clients || !buffer || epoll_fd < 0)
        die("start");
    cpu = measure_cpu(options.pid);
    start = measure_now();
    open_more();
    while (n_ready < options.n)
        turn(100);
    printf("READY %.6f %.6f\n", (double)(measure_now() - start) / NS, measure_cpu(options.pid) - cpu);
    fflush(stdout);
    if (options.publish_to)
        publish_open();
    obey();
    return 0;
}
