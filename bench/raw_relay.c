/* raw_relay - PORT: the least a relay can do, for comparison
 *
 * One epoll loop. GET upgrades (every handshake answered as for RFC 6455's example key, the only
 * one ws_clients sends); the body of a POST goes to all sockets as one text frame. Frames
 * of one turn are written with one call per socket; what a socket does not take waits for it.
 * No channels, users, order, limits or database.
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

#define REQUEST_MAX 4096

struct peer {
    int fd;
    bool is_socket;                     /* has upgraded */
    size_t index;                       /* in sockets */
    char *request;                      /* until then */
    size_t request_len;
    char *late;                         /* what it has not taken yet */
    size_t late_len;
};

static int epoll_fd;
static struct peer **sockets;
static size_t n_sockets, size_sockets;
static char *batch;                     /* the frames of this turn */
static size_t batch_len, batch_size;

static void *
need(void *p)
{
    if (!p) {
        perror("raw_relay");
        exit(1);
    }
    return p;
}

static void
drop(struct peer *p)
{
    if (p->is_socket) {
        sockets[p->index] = sockets[--n_sockets];
        sockets[p->index]->index = p->index;
    }
    close(p->fd);
    free(p->request);
    free(p->late);
    free(p);
}

static void
say(struct peer *p, const char *text, size_t len)
{
    if (send(p->fd, text, len, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
        perror("raw_relay: answer");
}

static void
upgrade(struct peer *p)
{
    static const char yes[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x02{}";

    if (n_sockets == size_sockets) {
        size_sockets = size_sockets ? size_sockets * 2 : 1024;
        sockets = need(realloc(sockets, size_sockets * sizeof(*sockets)));
    }
    p->is_socket = true;
    p->index = n_sockets;
    sockets[n_sockets++] = p;
    free(p->request);
    p->request = NULL;
    say(p, yes, sizeof(yes) - 1);
}

static void
broadcast(const char *body, size_t len)
{
    unsigned char head[4] = { 0x81, len < 126 ? (unsigned char)len : 126,
                              (unsigned char)(len >> 8), (unsigned char)len };
    size_t head_len = len < 126 ? 2 : 4;

    if (batch_len + head_len + len > batch_size) {
        batch_size = (batch_len + head_len + len) * 2;
        batch = need(realloc(batch, batch_size));
    }
    memcpy(batch + batch_len, head, head_len);
    memcpy(batch + batch_len + head_len, body, len);
    batch_len += head_len + len;
}

/* One whole request at the front of the buffer is served; false: more must come. */
static bool
serve(struct peer *p)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    char *end = memmem(p->request, p->request_len, "\r\n\r\n", 4), *length;
    size_t used, body;

    if (!end)
        return false;
    *end = '\0';
    if (p->request[0] == 'G') {
        upgrade(p);
        return false;
    }
    length = strcasestr(p->request, "content-length:");
    *end = '\r';
    body = length && length < end ? (size_t)atol(length + 15) : 0;
    used = (size_t)(end + 4 - p->request) + body;
    if (p->request_len < used)
        return false;
    broadcast(end + 4, body);
    say(p, ok, sizeof(ok) - 1);
    memmove(p->request, p->request + used, p->request_len - used);
    p->request_len -= used;
    return p->request_len > 0;
}

/* What upgraded clients send is only looked at for its end. */
static void
readable(struct peer *p)
{
    char ignored[256], *to = ignored;
    size_t room = sizeof(ignored);
    ssize_t n;

    if (!p->is_socket) {
        if (!p->request)
            p->request = need(malloc(REQUEST_MAX + 1));
        to = p->request + p->request_len;
        room = REQUEST_MAX - p->request_len;
    }
    n = recv(p->fd, to, room, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        drop(p);
        return;
    }
    if (p->is_socket)
        return;
    p->request_len += (size_t)n;
    p->request[p->request_len] = '\0';
    while (serve(p))
        ;
}

static void
watch(struct peer *p, int how, unsigned events)
{
    struct epoll_event e = { .events = events, .data.ptr = p };

    epoll_ctl(epoll_fd, how, p->fd, &e);
}

/* Sends, and keeps for later what is not taken. */
static void
give(struct peer *p, const char *text, size_t len)
{
    ssize_t n = p->late_len > 0 ? 0 : send(p->fd, text, len, MSG_NOSIGNAL);

    if (n < 0)
        n = 0;
    if ((size_t)n == len)
        return;
    if (p->late_len == 0)
        watch(p, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    p->late = need(realloc(p->late, p->late_len + len - (size_t)n));
    memcpy(p->late + p->late_len, text + n, len - (size_t)n);
    p->late_len += len - (size_t)n;
}

static void
writable(struct peer *p)
{
    ssize_t n = send(p->fd, p->late, p->late_len, MSG_NOSIGNAL);

    if (n <= 0)
        return;
    p->late_len -= (size_t)n;
    memmove(p->late, p->late + n, p->late_len);
    if (p->late_len > 0)
        return;
    free(p->late);
    p->late = NULL;
    watch(p, EPOLL_CTL_MOD, EPOLLIN);
}

static void
accept_all(int listener)
{
    int fd, on = 1;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct peer *p = need(calloc(1, sizeof(*p)));

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        p->fd = fd;
        watch(p, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static void
turn(int listener)
{
    struct epoll_event events[512];
    int i, n = epoll_wait(epoll_fd, events, 512, -1);
    size_t s;

    for (i = 0; i < n; i++) {
        struct peer *p = events[i].data.ptr;

        if (!p)
            accept_all(listener);
        else if (events[i].events & EPOLLOUT)
            writable(p);
        else
            readable(p);
    }
    for (s = 0; batch_len > 0 && s < n_sockets; s++)
        give(sockets[s], batch, batch_len);
    batch_len = 0;
}

int
main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event e = { .events = EPOLLIN };
    struct rlimit files;
    int listener, on = 1;

    if (argc != 2) {
        fprintf(stderr, "usage: raw_relay PORT\n");
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 4096) != 0 ||
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &e) != 0) {
        perror("raw_relay");
        return 1;
    }
    for (;;)
        turn(listener);
}
