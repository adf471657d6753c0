/* sio_clients - many Socket.IO clients in one thread, over WebSocket or long-polling: they connect, listen and count
 *
 * Client i says the i-th line of a file of tokens when it joins the namespace. When all have joined it says
 *
 *     READY connect_seconds server_cpu_seconds
 *
 * and does what standard input says, a line each, until it ends:
 *
 *     run MESSAGES POSTERS
 *
 * POSTs so many messages over HTTP with the time in their text, so many at once as there are posters, the next one when
 * one has reached everybody, and answers
 *
 *     RESULT deliveries server_cpu_seconds seconds p50_us p99_us
 *
 * Every message must come to every client; anything else ends the program with an error. Who polls has one connection,
 * on which it polls again as soon as it has an answer. The handshake's key is RFC 6455's example, always.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
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

#define OPENING_MAX 64                  /* joining at once */
#define READ_SIZE (1 << 20)
#define SILENCE_MS 20000                /* longer than this nothing came: something is lost */
#define SEPARATOR 0x1e
#define NS 1000000000LL

struct client {
    int fd, i;
    bool upgraded;                      /* WebSocket: the 101 has come */
    bool joined, poll_next;             /* polling: whether the answer awaited is to a POST */
    char sid[64];                       /* polling */
    char *token;
    char *rest;                         /* the beginning of what has not come to its end */
    size_t rest_len;
};

static struct {
    int port, post_port, n, pid;
    bool polling;
    const char *namespace, *tokens, *target, *headers;
} options = { .n = 1000, .namespace = "/", .headers = "" };

static struct client *clients;
static int epoll_fd, n_opened, n_opening, n_joined;
static struct samples samples;
static int64_t deliveries, heard_at;
static char *buffer;

static _Noreturn void
die(const char *what)
{
    fprintf(stderr, "sio_clients: %s: %s\n", what, strerror(errno));
    exit(1);
}

static _Noreturn void
complain(const struct client *c, const char *what, const char *p, size_t len)
{
    fprintf(stderr, "sio_clients: client %d: %s: %.*s\n", c->i, what, (int)len, p);
    exit(1);
}

static bool
starts(const char *p, size_t len, const char *with)
{
    return len >= strlen(with) && memcmp(p, with, strlen(with)) == 0;
}

static void
send_all(struct client *c, const char *p, size_t len)
{
    if (send(c->fd, p, len, MSG_NOSIGNAL) != (ssize_t)len)
        die("sending");
}

/* ---- saying packets ---- */

/* One text message, masked with zeros. */
static void
say_frame(struct client *c, const char *p, size_t len)
{
    char frame[4096] = { (char)0x81 };
    size_t n = 2;

    if (len > sizeof(frame) - 8)
        die("a token is too long");
    frame[1] = (char)(0x80 | (len < 126 ? len : 126));
    if (len >= 126) {
        frame[n++] = (char)(len >> 8);
        frame[n++] = (char)len;
    }
    memset(frame + n, 0, 4);
    n += 4;
    memcpy(frame + n, p, len);
    send_all(c, frame, n + len);
}

/* A GET, or with a packet a POST; another GET follows its answer. */
static void
exchange(struct client *c, const char *packet)
{
    char request[4096];
    int len = snprintf(request, sizeof(request), "%s /socket.io/?EIO=4&transport=polling%s%s HTTP/1.1\r\nHost: 127.0.0.1\r\n",
                       packet ? "POST" : "GET", c->sid[0] ? "&sid=" : "", c->sid);

    if (packet)
        len += snprintf(request + len, sizeof(request) - (size_t)len,
                        "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n%s", strlen(packet), packet);
    else
        len += snprintf(request + len, sizeof(request) - (size_t)len, "\r\n");
    if ((size_t)len >= sizeof(request))
        die("a token is too long");
    c->poll_next = packet != NULL;
    send_all(c, request, (size_t)len);
}

static void
say(struct client *c, const char *packet)
{
    if (options.polling)
        exchange(c, packet);
    else
        say_frame(c, packet, strlen(packet));
}

/* What stands between a packet's type and its JSON; nothing for /. */
static const char *
prefix(void)
{
    static char text[100];

    if (text[0] == '\0' && strcmp(options.namespace, "/") != 0)
        snprintf(text, sizeof(text), "%s,", options.namespace);
    return text;
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
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
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
connected(struct client *c)
{
    static const char upgrade[] = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                  "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
    if (options.polling)
        exchange(c, NULL);
    else
        send_all(c, upgrade, sizeof(upgrade) - 1);
}

/* ---- what comes ---- */

static void
take_sid(struct client *c, const char *p, size_t len)
{
    const char *sid = memmem(p, len, "\"sid\":\"", 7), *end;

    if (!sid || !(end = memchr(sid + 7, '"', (size_t)(p + len - sid - 7))) || (size_t)(end - sid - 7) >= sizeof(c->sid))
        complain(c, "no sid", p, len);
    memcpy(c->sid, sid + 7, (size_t)(end - sid - 7));
}

static void
greeting(struct client *c, const char *p, size_t len)
{
    char text[3000], begin[120];

    snprintf(begin, sizeof(begin), "40%s{", prefix());
    if (starts(p, len, "0{")) {
        take_sid(c, p, len);
        snprintf(text, sizeof(text), "40%s{\"token\":\"%s\"}", prefix(), c->token);
        say(c, text);
    } else if (starts(p, len, begin)) {
        c->joined = true;
        n_joined++;
        n_opening--;
        open_more();
    } else {
        complain(c, "unexpected", p, len);
    }
}

static void
packet(struct client *c, const char *p, size_t len)
{
    const char *mark;

    if (len == 1 && p[0] == '2') {
        say(c, "3");
    } else if (starts(p, len, "1") || starts(p, len, "41")) {
        complain(c, "closed", p, len);
    } else if (!c->joined) {
        greeting(c, p, len);
    } else if ((mark = memmem(p, len, MARK, strlen(MARK))) != NULL) {
        measure_add(&samples, heard_at - atoll(mark + strlen(MARK)));
        deliveries++;
    }
}

/* Each of these: how long what stands at p is, if all of it is there and was taken, else 0. */

static size_t
one_frame(struct client *c, char *p, size_t len)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t head = 2, n, i;

    if (len < 2)
        return 0;
    n = u[1] & 127;
    if (n >= 126) {
        head += n == 126 ? 2 : 8;
        if (len < head)
            return 0;
        for (n = 0, i = 2; i < head; i++)
            n = n << 8 | u[i];
    }
    if (len < head + n)
        return 0;
    if ((u[0] & 15) == 1)
        packet(c, p + head, n);
    else if ((u[0] & 15) == 8)
        complain(c, "closed", p + head, n);
    return head + n;
}

static size_t
handshake(struct client *c, char *p, size_t len)
{
    char *end = memmem(p, len, "\r\n\r\n", 4);

    if (!end)
        return 0;
    if (!starts(p, len, "HTTP/1.1 101"))
        complain(c, "no upgrade", p, len);
    c->upgraded = true;
    return (size_t)(end + 4 - p);
}

/* The packets of a poll; a ping's answer and joining are POSTs, else the next poll begins. */
static void
payload(struct client *c, const char *p, size_t len)
{
    const char *end = p + len, *next;
    bool was_post = c->poll_next;

    c->poll_next = false;
    if (was_post && !starts(p, len, "ok"))
        complain(c, "refused", p, len);
    for (; !was_post && p < end; p = next + 1) {
        next = memchr(p, SEPARATOR, (size_t)(end - p));
        if (!next)
            next = end;
        packet(c, p, (size_t)(next - p));
    }
    if (!c->poll_next)
        exchange(c, NULL);
}

static size_t
one_answer(struct client *c, char *p, size_t len)
{
    char *end = memmem(p, len, "\r\n\r\n", 4), *length;
    size_t head, n;

    if (!end)
        return 0;
    head = (size_t)(end + 4 - p);
    *end = '\0';
    length = strcasestr(p, "\ncontent-length:");
    if (!starts(p, head, "HTTP/1.1 200") || !length)
        complain(c, "refused", p, len);
    n = (size_t)atol(length + 16);
    *end = '\r';
    if (len < head + n)
        return 0;
    payload(c, p + head, n);
    return head + n;
}

static size_t
take(struct client *c, char *p, size_t len)
{
    return options.polling ? one_answer(c, p, len) : c->upgraded ? one_frame(c, p, len) : handshake(c, p, len);
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

    if (len)
        memcpy(buffer, c->rest, len);
    n = recv(c->fd, buffer + len, READ_SIZE - len, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        complain(c, "ended", "", 0);
    len += (size_t)n;
    heard_at = measure_now();
    while ((used = take(c, buffer + at, len - at)) > 0)
        at += used;
    if (at < len || c->rest)
        keep_rest(c, buffer + at, len - at);
}

/* Handles what has come; false when standard input has something to say. */
static bool
turn(int wait_ms)
{
    struct epoll_event events[512];
    int i, n = epoll_wait(epoll_fd, events, 512, wait_ms);
    bool told = false;

    if (n == 0) {
        fprintf(stderr, "sio_clients: silence: %d of %d joined, %lld delivered\n", n_joined, options.n,
                (long long)deliveries);
        exit(1);
    }
    for (i = 0; i < n; i++) {
        struct client *c = events[i].data.ptr;

        if (!c)
            told = true;
        else if (events[i].events & EPOLLOUT)
            connected(c);
        else
            readable(c);
    }
    return !told;
}

/* ---- a run ---- */

static void
run(int messages, int posters)
{
    struct posting posting = { .program = "sio_clients", .port = options.post_port, .target = options.target,
                               .headers = options.headers, .field = "text" };
    double cpu = measure_cpu(options.pid);
    int64_t start = measure_now(), first = deliveries, done = 0;

    measure_clear(&samples);
    posting_begin(&posting, posters, messages);
    while (done < messages) {
        turn(SILENCE_MS);
        for (; (done + 1) * options.n <= deliveries - first; done++)
            posting_go();
    }
    cpu = measure_cpu(options.pid) - cpu;
    start = measure_now() - start;
    posting_end();
    printf("RESULT %lld %.6f %.6f %.1f %.1f\n", (long long)(deliveries - first), cpu, (double)start / NS,
           measure_percentile_us(&samples, 50), measure_percentile_us(&samples, 99));
    fflush(stdout);
}

static void
listen_to_input(bool on)
{
    struct epoll_event e = { .events = EPOLLIN };

    if (epoll_ctl(epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, STDIN_FILENO, &e) != 0)
        die("standard input");
}

static void
obey(void)
{
    char line[200];
    int messages, posters;

    for (;;) {
        listen_to_input(true);
        while (turn(-1))
            ;
        listen_to_input(false);
        if (!fgets(line, sizeof(line), stdin))
            return;
        if (sscanf(line, "run %d %d", &messages, &posters) != 2 || messages < 1 || posters < 1 || posters > POSTERS_MAX)
            die("a line that says nothing");
        run(messages, posters);
    }
}

/* ---- beginning ---- */

static void
read_tokens(void)
{
    FILE *f = options.tokens ? fopen(options.tokens, "r") : NULL;
    char line[2600];

    for (int i = 0; i < options.n; i++) {
        if (options.tokens && (!f || !fgets(line, sizeof(line), f)))
            die(options.tokens);
        line[options.tokens ? strcspn(line, "\n") : 0] = '\0';
        if (!(clients[i].token = strdup(line)))
            die("memory");
    }
    if (f)
        fclose(f);
}

static void
read_options(int argc, char **argv)
{
    int c;

    while ((c = getopt(argc, argv, "c:n:s:u:p:t:a:r:P")) != -1) {
        switch (c) {
        case 'c': options.port = atoi(optarg); break;
        case 'n': options.n = atoi(optarg); break;
        case 's': options.namespace = optarg; break;
        case 'u': options.tokens = optarg; break;
        case 'p': options.post_port = atoi(optarg); break;
        case 't': options.target = optarg; break;
        case 'a': options.headers = optarg; break;
        case 'r': options.pid = atoi(optarg); break;
        case 'P': options.polling = true; break;
        default: argc = 0;
        }
    }
    if (argc == 0 || options.port == 0 || options.n < 1 || !options.post_port || !options.target) {
        fprintf(stderr, "usage: sio_clients -c PORT -p POST_PORT -t TARGET [-P] [-n CLIENTS] [-s NAMESPACE]\n"
                        "           [-u FILE_OF_TOKENS] [-a HEADER_LINES] [-r PID]\n");
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
    clients = calloc((size_t)options.n, sizeof(*clients));
    buffer = malloc(READ_SIZE);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!clients || !buffer || epoll_fd < 0)
        die("start");
    read_tokens();
    cpu = measure_cpu(options.pid);
    start = measure_now();
    open_more();
    while (n_joined < options.n)
        turn(SILENCE_MS);
    printf("READY %.6f %.6f\n", (double)(measure_now() - start) / NS, measure_cpu(options.pid) - cpu);
    fflush(stdout);
    obey();
    return 0;
}
