/* push_clients - what its files share: sockets, protocols, publishing
 *
 *   push_clients.c   sockets, the loop, runs
 *   push_kinds.c     how each server wants its clients to speak
 *   push_publish.c   how it is published to
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_PUSH_CLIENTS_H
#define BENCH_PUSH_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/measure.h"

#define MARK "bench:"                   /* in each publication, before the time in MARK_DIGITS digits */
#define MARK_DIGITS 19
#define DATA_SIZE 200                   /* bytes of a publication's data */
#define LINE_MAX_BYTES 1024

struct client {
    int fd;
    int i;
    bool upgraded, ready;
    int answers;                        /* of those it waits for before it is ready */
    char *rest;                         /* the beginning of a frame whose end has not come */
    size_t rest_len;
};

struct kind {
    const char *name;
    /* The target of the handshake. */
    void (*target)(const struct client *c, char *out, size_t size);
    /* What is said first; NULL: nothing. */
    void (*upgraded)(struct client *c);
    /* A frame before it is ready. */
    void (*greeting)(struct client *c, const char *p, size_t len);
    /* ... and after: how many publications are in it. */
    int (*publications)(struct client *c, const char *p, size_t len);
    /* Appends what publishes data to a channel; NULL: by ZeroMQ. */
    size_t (*publish)(char *out, size_t size, int channel, const char *data, size_t len);
    const char *before_publishing;      /* NULL: nothing */
    size_t data_size;                   /* of data; 0: DATA_SIZE */
};

struct options {
    const struct kind *kind;
    int port;                           /* where clients go */
    const char *publish_to;             /* a port, or an endpoint of ZeroMQ; NULL: nobody publishes */
    const char *prefix;                 /* of channels' names */
    int n, channels, each, first;       /* sockets; channels in all, on each socket, number of the first */
    int opening;                        /* handshakes under way at once */
    int pid;                            /* of the server */
};

extern struct options options;

/* ---- push_clients.c ---- */

_Noreturn void die(const char *what);
_Noreturn void complain(const struct client *c, const char *what, const char *p, size_t len);

/* One whole frame of a client, masked with zeros. */
void client_say(struct client *c, int opcode, const char *p, size_t len);
void client_ready(struct client *c);

/* ---- push_kinds.c ---- */

const struct kind *kind_find(const char *name);

/* The number of the j-th channel of socket i: spread, so that neighbours share few. */
int channel_of(int i, int j);

/* ---- push_publish.c ---- */

void publish_open(void);
void publish_one(int64_t time);         /* to the channel whose turn it is */
bool publish_flush(void);               /* false: the server did not take all yet */

#endif
