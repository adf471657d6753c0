/* push_publish - publishing, always faster than any server takes it
 *
 * Over ZeroMQ, or over one connection on which requests or lines follow each other without waiting for answers.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "bench/push_clients.h"

static void *bus;                       /* of ZeroMQ */
static int fd = -1;
static char *waiting;                   /* what the server has not taken */
static size_t waiting_len, waiting_size;
static int next_channel;

static void
append(const char *p, size_t len)
{
    if (waiting_len + len > waiting_size) {
        waiting_size = (waiting_len + len) * 2;
        if (!(waiting = realloc(waiting, waiting_size)))
            die("memory");
    }
    memcpy(waiting + waiting_len, p, len);
    waiting_len += len;
}

static void
open_bus(void)
{
    int forever = 0;

    bus = zmq_socket(zmq_ctx_new(), ZMQ_PUSH);
    if (!bus || zmq_setsockopt(bus, ZMQ_SNDHWM, &forever, sizeof forever) != 0 ||
        zmq_connect(bus, options.publish_to) != 0)
        die(options.publish_to);
}

void
publish_open(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int on = 1;

    if (!options.kind->publish) {
        open_bus();
        return;
    }
    address.sin_port = htons((uint16_t)atoi(options.publish_to));
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connecting to publish");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (options.kind->before_publishing)
        append(options.kind->before_publishing, strlen(options.kind->before_publishing));
}

/* A JSON object with the time in it. */
static size_t
make_data(char *out, int64_t time)
{
    size_t size = options.kind->data_size ? options.kind->data_size : DATA_SIZE;
    size_t len = (size_t)sprintf(out, "{\"t\":\"" MARK "%0*lld\",\"x\":\"", MARK_DIGITS, (long long)time);

    memset(out + len, 'x', size - len);
    memcpy(out + size - 2, "\"}", 2);
    return size;
}

static void
by_bus(int channel, const char *data, size_t len)
{
    char name[100];
    int n = snprintf(name, sizeof name, "%sc%05d", options.prefix, channel);

    if (zmq_send(bus, name, (size_t)n, ZMQ_SNDMORE) < 0 || zmq_send(bus, data, len, 0) < 0)
        die("publishing");
}

void
publish_one(int64_t time)
{
    char data[LINE_MAX_BYTES], line[2 * LINE_MAX_BYTES];
    size_t len = make_data(data, time);
    int channel = options.first + next_channel;

    next_channel = (next_channel + 1) % options.channels;
    if (bus)
        by_bus(channel, data, len);
    else
        append(line, options.kind->publish(line, sizeof line, channel, data, len));
}

/* Answers are not looked at, except that they must not be refusals. */
static void
read_answers(void)
{
    static char answers[65536];
    ssize_t n;

    while ((n = recv(fd, answers, sizeof answers - 1, MSG_DONTWAIT)) > 0) {
        answers[n] = '\0';
        if (strncmp(answers, "HTTP/1.1 4", 10) == 0 || strncmp(answers, "-ERR", 4) == 0) {
            fprintf(stderr, "push_clients: refused: %s\n", answers);
            exit(1);
        }
    }
    if (n == 0)
        die("the publisher's connection ended");
}

bool
publish_flush(void)
{
    ssize_t n;

    if (bus)
        return true;
    read_answers();
    while (waiting_len > 0) {
        n = send(fd, waiting, waiting_len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n < 0)
            die("publishing");
        waiting_len -= (size_t)n;
        memmove(waiting, waiting + n, waiting_len);
    }
    return true;
}
