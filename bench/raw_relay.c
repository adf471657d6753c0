/* raw_relay - PORT: the least a relay can do, for comparison
 *
 * One epoll loop. GET upgrades (every handshake answered as for RFC 6455's example key, the only
 * one that clients here send). On the path /push clients subscribe with a message, "c=" and numbers of channels, and
 * are answered; on others they are in channel 0 at once. The
 * body of a POST goes to channel 0 as one text frame; a connection may also publish by lines, as many as it
 * likes without answers: "PUB CHANNEL LENGTH", CRLF, data, CRLF. Frames of one turn are written with one call
 * per socket; what a socket does not take waits for it. No names, users, order, limits or database.
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
#include <sys/uio.h>
#include <unistd.h>

#define REQUEST_MAX 65536
#define CHANNELS_MAX 1000000
#define PLACES_MAX 64                   /* channels of one peer */

struct peer {
    int fd;
    bool is_socket;                     /* has upgraded */
    char *request;                      /* until then */
    size_t request_len;
    struct place *places;               /* its channels */
    unsigned n_places;
    unsigned *due;                      /* those in which something happened in this turn */
    unsigned n_due;
    char *late;                         /* what it has not taken yet */
    size_t late_len;
};

/* A channel of a peer, and where it is in the channel's list. */
struct place {
    unsigned channel, index;
};

struct channel {
    struct peer **peers;
    unsigned n, size;
    char *batch;                        /* the frames of this turn */
    size_t batch_len, batch_size;
};

static int epoll_fd;
static struct channel *channels;
static unsigned n_channels;
static unsigned *due_channels;
static unsigned n_due_channels;
static struct peer **due_peers;
static size_t n_due_peers, size_due_peers;

static void *
need(void *p)
{
    if (!p) {
        perror("raw_relay");
        exit(1);
    }
    return p;
}

/* Channel number c, with all below it. */
static struct channel *
channel_get(unsigned c)
{
    if (c >= n_channels) {
        unsigned n = c < 16 ? 16 : c * 2;

        channels = need(realloc(channels, n * sizeof(*channels)));
        due_channels = need(realloc(due_channels, n * sizeof(*due_channels)));
        memset(channels + n_channels, 0, (n - n_channels) * sizeof(*channels));
        n_channels = n;
    }
    return &channels[c];
}

static void
join(struct peer *p, unsigned number)
{
    struct channel *c = channel_get(number);

    if (c->n == c->size) {
        c->size = c->size ? c->size * 2 : 2;
        c->peers = need(realloc(c->peers, c->size * sizeof(struct peer *)));
    }
    p->places = need(realloc(p->places, (p->n_places + 1) * sizeof(*p->places)));
    p->due = need(realloc(p->due, (p->n_places + 1) * sizeof(*p->due)));
    p->places[p->n_places++] = (struct place){ number, c->n };
    c->peers[c->n++] = p;
}

static void
part(struct place *place)
{
    struct channel *c = &channels[place->channel];
    struct peer *last = c->peers[--c->n];
    unsigned i;

    c->peers[place->index] = last;
    for (i = 0; last->places[i].channel != place->channel; i++)
        ;
    last->places[i].index = place->index;
}

static void
drop(struct peer *p)
{
    unsigned i;

    for (i = 0; i < p->n_places; i++)
        part(&p->places[i]);
    close(p->fd);
    free(p->request);
    free(p->places);
    free(p->due);
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
    bool subscribes = strncmp(p->request, "GET /push ", 10) == 0;

    if (!subscribes)
        join(p, 0);
    p->is_socket = true;
    free(p->request);
    p->request = NULL;
    say(p, yes, sizeof(yes) - 1 - (subscribes ? 4 : 0));
}

/* A message of a client, of which only one is looked at: which channels it wants. */
static void
message(struct peer *p, unsigned char *frame, size_t len)
{
    size_t head = len >= 2 && (frame[1] & 127) == 126 ? 8 : 6, i;
    char *at = (char *)frame + head;

    if (len < head + 2)
        return;
    for (i = head; i < len; i++)
        frame[i] ^= frame[head - 4 + (i - head) % 4];
    if (strncmp(at, "c=", 2) != 0)
        return;
    for (at += 2; *at >= '0' && *at <= '9'; at += *at == ',') {
        unsigned long number = strtoul(at, &at, 10);

        if (number < CHANNELS_MAX && p->n_places < PLACES_MAX)
            join(p, (unsigned)number);
    }
    say(p, "\x81\x02{}", 4);
}

static void
publish(unsigned number, const char *body, size_t len)
{
    unsigned char head[4] = { 0x81, len < 126 ? (unsigned char)len : 126,
                              (unsigned char)(len >> 8), (unsigned char)len };
    size_t head_len = len < 126 ? 2 : 4;
    struct channel *c = channel_get(number);

    if (c->batch_len + head_len + len > c->batch_size) {
        c->batch_size = (c->batch_len + head_len + len) * 2;
        c->batch = need(realloc(c->batch, c->batch_size));
    }
    if (c->batch_len == 0)
        due_channels[n_due_channels++] = number;
    memcpy(c->batch + c->batch_len, head, head_len);
    memcpy(c->batch + c->batch_len + head_len, body, len);
    c->batch_len += head_len + len;
}

/* One whole request at the front of what is left is served: its length, 0: more must come. */
static size_t
serve(struct peer *p, char *request, size_t room)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    char *end = memmem(request, room, "\r\n\r\n", 4), *length;
    size_t used, body;

    if (!end)
        return 0;
    if (request[0] == 'G') {
        upgrade(p);
        return 0;
    }
    *end = '\0';
    length = strcasestr(request, "content-length:");
    *end = '\r';
    body = length && length < end ? (size_t)atol(length + 15) : 0;
    used = (size_t)(end + 4 - request) + body;
    if (room < used)
        return 0;
    publish(0, end + 4, body);
    say(p, ok, sizeof(ok) - 1);
    return used;
}

/* The same for a line that publishes. */
static size_t
serve_line(char *line, size_t room)
{
    char *end = memchr(line, '\n', room), *at;
    unsigned long channel, len;

    if (!end)
        return 0;
    channel = strtoul(line + 4, &at, 10);
    len = strtoul(at, NULL, 10);
    if (room < (size_t)(end + 1 - line) + len + 2)
        return 0;
    if (channel < CHANNELS_MAX)
        publish((unsigned)channel, end + 1, len);
    return (size_t)(end + 1 - line) + len + 2;
}

static void
serve_all(struct peer *p)
{
    size_t at = 0, used;

    while (at < p->request_len) {
        used = p->request[at] == 'P' && p->request[at + 1] == 'U' ? serve_line(p->request + at, p->request_len - at)
                                      : serve(p, p->request + at, p->request_len - at);
        if (p->is_socket)
            return;
        if (used == 0)
            break;
        at += used;
    }
    p->request_len -= at;
    memmove(p->request, p->request + at, p->request_len);
}

static void
readable(struct peer *p)
{
    char first[1024], *to = first;
    size_t room = sizeof(first) - 1;
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
    if (p->is_socket) {
        first[n] = '\0';
        message(p, (unsigned char *)first, (size_t)n);
        return;
    }
    p->request_len += (size_t)n;
    p->request[p->request_len] = '\0';
    serve_all(p);
}

static void
watch(struct peer *p, int how, unsigned events)
{
    struct epoll_event e = { .events = events, .data.ptr = p };

    epoll_ctl(epoll_fd, how, p->fd, &e);
}

/* Sends what its channels have for it, and keeps for later what is not taken. */
static void
give(struct peer *p)
{
    struct iovec pieces[PLACES_MAX];
    struct msghdr message = { .msg_iov = pieces };
    size_t len = 0, taken;
    unsigned i;
    ssize_t n;

    for (i = 0; i < p->n_due; i++) {
        struct channel *c = &channels[p->due[i]];

        pieces[i] = (struct iovec){ c->batch, c->batch_len };
        len += c->batch_len;
    }
    message.msg_iovlen = i;
    n = p->late_len > 0 ? 0 : i == 1 ? send(p->fd, pieces[0].iov_base, len, MSG_NOSIGNAL)
                                     : sendmsg(p->fd, &message, MSG_NOSIGNAL);
    taken = n < 0 ? 0 : (size_t)n;
    if (taken == len)
        return;
    if (p->late_len == 0)
        watch(p, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    p->late = need(realloc(p->late, p->late_len + len - taken));
    for (i = 0; i < p->n_due; i++) {
        size_t skip = taken < pieces[i].iov_len ? taken : pieces[i].iov_len;

        memcpy(p->late + p->late_len, (char *)pieces[i].iov_base + skip, pieces[i].iov_len - skip);
        p->late_len += pieces[i].iov_len - skip;
        taken -= skip;
    }
}

static void
give_all(void)
{
    unsigned i, k;

    for (i = 0; i < n_due_channels; i++) {
        struct channel *c = &channels[due_channels[i]];

        for (k = 0; k < c->n; k++) {
            struct peer *p = c->peers[k];

            if (n_due_peers == size_due_peers) {
                size_due_peers = size_due_peers ? size_due_peers * 2 : 1024;
                due_peers = need(realloc(due_peers, size_due_peers * sizeof(struct peer *)));
            }
            if (p->n_due == 0)
                due_peers[n_due_peers++] = p;
            p->due[p->n_due++] = due_channels[i];
        }
    }
    for (i = 0; i < n_due_peers; i++) {
        give(due_peers[i]);
        due_peers[i]->n_due = 0;
    }
    for (i = 0; i < n_due_channels; i++)
        channels[due_channels[i]].batch_len = 0;
    n_due_peers = n_due_channels = 0;
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

    for (i = 0; i < n; i++) {
        struct peer *p = events[i].data.ptr;

        if (!p)
            accept_all(listener);
        else if (events[i].events & EPOLLOUT)
            writable(p);
        else
            readable(p);
    }
    give_all();
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
