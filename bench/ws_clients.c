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
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/measure.h"

#define OPENING_MAX 64                  /* handshakes under way at once */
#define POSTERS_MAX 64
#define READ_SIZE (1 << 20)
#define SILENCE_MS 20000                /* longer than this nothing came: something is lost */
#define MARK "bench:"

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
static atomic_int to_post, posting;
static sem_t go;
static char *buffer;

static void
die(const char *what)
{
    fprintf(stderr, "ws_clients: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct sockaddr_in
loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

/* ---- posting ---- */

static void
send_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n <= 0)
            die("sending a request");
        p += n;
        len -= (size_t)n;
    }
}

/* Reads one whole answer with a Content-Length, which must be a good one. */
static void
read_answer(int fd)
{
    char answer[16384], *end, *length;
    size_t len = 0, need = 0;

    while (need == 0 || len < need) {
        ssize_t n = read(fd, answer + len, sizeof(answer) - 1 - len);

        if (n <= 0)
            die("reading an answer");
        len += (size_t)n;
        answer[len] = '\0';
        if (need == 0 && (end = strstr(answer, "\r\n\r\n")) != NULL) {
            length = strcasestr(answer, "content-length:");
            if (strncmp(answer, "HTTP/1.1 200", 12) != 0 || !length || length > end) {
                fprintf(stderr, "ws_clients: refused: %s\n", answer);
                exit(1);
            }
            need = (size_t)(end + 4 - answer) + (size_t)atol(length + 15);
        }
    }
}

static void
post_one(int fd)
{
    char body[256], request[1024];
    int len;

    len = snprintf(body, sizeof(body), "{\"content\":\"" MARK "%lld ", (long long)measure_now());
    memset(body + len, 'x', 212 - (size_t)len);         /* 200 bytes of content */
    strcpy(body + 212, "\"}");
    len = snprintf(request, sizeof(request),
                   "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                   "Content-Length: %zu\r\n\r\n%s", options.target, strlen(body), body);
    send_all(fd, request, (size_t)len);
    read_answer(fd);
}

static void *
poster(void *arg)
{
    struct sockaddr_in address = loopback(options.post_port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    (void)arg;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("connecting to post");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    while (to_post-- > 0) {
        sem_wait(&go);
        post_one(fd);
    }
    close(fd);
    posting--;
    return NULL;
}

/* CPU seconds of all threads of the relay, so far. */
static double
relay_cpu(void)
{
    char path[300];
    DIR *tasks;
    struct dirent *task;
    long long ns, sum = 0;

    snprintf(path, sizeof(path), "/proc/%d/task", options.pid);
    if (options.pid == 0 || !(tasks = opendir(path)))
        return 0;
    while ((task = readdir(tasks)) != NULL) {
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", options.pid, task->d_name);
        if (task->d_name[0] == '.' || !(f = fopen(path, "r")))
            continue;
        if (fscanf(f, "%lld", &ns) == 1)
            sum += ns;
        fclose(f);
    }
    closedir(tasks);
    return (double)sum / 1e9;
}

/* ---- sockets ---- */

static void
open_next(void)
{
    struct sockaddr_in address = loopback(options.port);
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
            sem_post(&go);
    }
    while (posting > 0)
        sched_yield();
}

static void
measure_posts(double connect_seconds)
{
    pthread_t thread;
    double cpu = relay_cpu();
    int64_t start = measure_now();
    int i;

    sem_init(&go, 0, (unsigned)options.posters);
    to_post = options.messages;
    posting = options.posters;
    for (i = 0; i < options.posters; i++) {
        if (pthread_create(&thread, NULL, poster, NULL) != 0)
            die("thread");
        pthread_detach(thread);
    }
    deliver_all();
    printf("RESULT %lld %.6f %.6f %.1f %.1f %.3f\n", (long long)deliveries, relay_cpu() - cpu,
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
