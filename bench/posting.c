/* posting - see the header
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "bench/posting.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/measure.h"

#define CONTENT_SIZE 200

static const struct posting *posting;
static pthread_t threads[POSTERS_MAX];
static int n_threads;
static atomic_int to_post;
static sem_t go;

static _Noreturn void
die(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", posting->program, what, strerror(errno));
    exit(1);
}

static int
dial(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)posting->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("connecting to post");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

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

/* Reads one whole answer with a Content-Length, which must be a good one. False: the server closes now, as web servers
 * do after so many requests. */
static bool
read_answer(int fd)
{
    char answer[16384], *end = NULL, *length, *closing;
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
                fprintf(stderr, "%s: refused: %s\n", posting->program, answer);
                exit(1);
            }
            need = (size_t)(end + 4 - answer) + (size_t)atol(length + 15);
        }
    }
    closing = strcasestr(answer, "connection: close");
    return !closing || closing > end;
}

static bool
post_one(int fd)
{
    char text[CONTENT_SIZE + 1], request[4096];
    int len = snprintf(text, sizeof(text), MARK "%lld ", (long long)measure_now());

    memset(text + len, 'x', CONTENT_SIZE - (size_t)len);
    text[CONTENT_SIZE] = '\0';
    len = snprintf(request, sizeof(request),
                   "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n%s"
                   "Content-Length: %zu\r\n\r\n{\"%s\":\"%s\"}", posting->target, posting->headers,
                   strlen(posting->field) + CONTENT_SIZE + strlen("{\"\":\"\"}"), posting->field, text);
    send_all(fd, request, (size_t)len);
    return read_answer(fd);
}

static void *
poster(void *arg)
{
    int fd = dial();

    (void)arg;
    while (to_post-- > 0) {
        sem_wait(&go);
        if (!post_one(fd)) {
            close(fd);
            fd = dial();
        }
    }
    close(fd);
    return NULL;
}

void
posting_begin(const struct posting *p, int posters, int messages)
{
    posting = p;
    sem_init(&go, 0, (unsigned)posters);
    to_post = messages;
    n_threads = posters;
    for (int i = 0; i < posters; i++)
        if (pthread_create(&threads[i], NULL, poster, NULL) != 0)
            die("thread");
}

void
posting_go(void)
{
    sem_post(&go);
}

void
posting_end(void)
{
    for (int i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
    sem_destroy(&go);
}
