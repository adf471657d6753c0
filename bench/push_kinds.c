/* push_kinds - how each server wants its clients to speak
 *
 * Each adapter says no more than an ordinary client of that server would: it connects, subscribes, waits
 * until the server has said that it is subscribed, and then tells publications from the rest.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/push_clients.h"

#define TEXT 1
#define BINARY 2
#define NATS_SID 1000                   /* of the first subscription: all have four digits */

int
channel_of(int i, int j)
{
    return options.first + (int)(((long)i + (long)j * (options.channels / options.each + 1))
                                 % options.channels);
}

static bool
starts(const char *p, size_t len, const char *with)
{
    return len >= strlen(with) && memcmp(p, with, strlen(with)) == 0;
}

static bool
contains(const char *p, size_t len, const char *what)
{
    return memmem(p, len, what, strlen(what)) != NULL;
}

/* The names of c's channels with what stands between them. */
static size_t
names(const struct client *c, char *out, size_t size, const char *between)
{
    size_t len = 0;

    for (int j = 0; j < options.each; j++)
        len += (size_t)snprintf(out + len, size - len, "%s%sc%05d", j ? between : "", options.prefix,
                                channel_of(c->i, j));
    return len;
}

/* Of frames in which a publication stands alone. */
static int
marked(struct client *c, const char *p, size_t len)
{
    (void)c;
    return len > DATA_SIZE / 2 && contains(p, len, MARK);
}

/* ---- Confab: connect and subscribe in one message, one answer for each ---- */

static void
confab_target(const struct client *c, char *out, size_t size)
{
    (void)c;
    snprintf(out, size, "/connection/websocket");
}

static void
confab_upgraded(struct client *c)
{
    char text[8192];
    size_t len = (size_t)snprintf(text, sizeof text, "{\"id\":1,\"connect\":{\"name\":\"bench\"}}");

    for (int j = 0; j < options.each; j++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "\n{\"id\":%d,\"subscribe\":{\"channel\":\"%sc%05d\"}}", j + 2,
                                options.prefix, channel_of(c->i, j));
    client_say(c, TEXT, text, len);
}

static void
confab_greeting(struct client *c, const char *p, size_t len)
{
    const char *end = p + len;

    if (contains(p, len, "\"error\""))
        complain(c, "refused", p, len);
    for (; p && p < end; p = memmem(p + 1, (size_t)(end - p - 1), "{\"id\":", 6))
        c->answers += starts(p, (size_t)(end - p), "{\"id\":");
    if (c->answers == options.each + 1)
        client_ready(c);
}

static int
confab_publications(struct client *c, const char *p, size_t len)
{
    if (len > 2)
        return starts(p, len, "{\"push\":");
    client_say(c, TEXT, "{}", 2);       /* a ping, and its pong */
    return 0;
}

/* ---- the raw reference: channels by number ---- */

static void
raw_target(const struct client *c, char *out, size_t size)
{
    (void)c;
    snprintf(out, size, "/push");
}

static void
raw_upgraded(struct client *c)
{
    char text[1000] = "c=";
    size_t len = 2;

    for (int j = 0; j < options.each; j++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%d,", channel_of(c->i, j));
    client_say(c, TEXT, text, len);
}

/* Whatever comes first says that it is subscribed. */
static void
first_greeting(struct client *c, const char *p, size_t len)
{
    (void)p;
    (void)len;
    client_ready(c);
}

static int
always(struct client *c, const char *p, size_t len)
{
    (void)c;
    (void)p;
    return len > DATA_SIZE / 2;
}

/* ---- nchan: subscribed when it has upgraded ---- */

static void
nchan_target(const struct client *c, char *out, size_t size)
{
    size_t len = (size_t)snprintf(out, size, "/sub?id=");

    names(c, out + len, size - len, ",");
}

/* ---- ws: the same, but it says so ---- */

static void
ws_target(const struct client *c, char *out, size_t size)
{
    size_t len = (size_t)snprintf(out, size, "/?c=");

    names(c, out + len, size - len, ",");
}

/* ---- socket.io: open, connect, then an event that joins rooms and is acknowledged ---- */

static void
socketio_target(const struct client *c, char *out, size_t size)
{
    (void)c;
    snprintf(out, size, "/socket.io/?EIO=4&transport=websocket");
}

static void
socketio_greeting(struct client *c, const char *p, size_t len)
{
    char text[4096];
    size_t n;

    if (starts(p, len, "2")) {
        client_say(c, TEXT, "3", 1);
    } else if (starts(p, len, "0")) {
        client_say(c, TEXT, "40", 2);
    } else if (starts(p, len, "40")) {
        n = (size_t)snprintf(text, sizeof text, "420[\"join\",\"");
        n += names(c, text + n, sizeof text - n, ",");
        n += (size_t)snprintf(text + n, sizeof text - n, "\"]");
        client_say(c, TEXT, text, n);
    } else if (starts(p, len, "430")) {
        client_ready(c);
    } else {
        complain(c, "unexpected", p, len);
    }
}

static int
socketio_publications(struct client *c, const char *p, size_t len)
{
    if (len == 1 && p[0] == '2')
        client_say(c, TEXT, "3", 1);
    return marked(c, p, len);
}

/* ---- NATS: its text protocol in binary messages, cut anywhere ---- */

static void
nats_target(const struct client *c, char *out, size_t size)
{
    (void)c;
    snprintf(out, size, "/");
}

static void
nats_upgraded(struct client *c)
{
    char text[8192];
    size_t len = (size_t)snprintf(text, sizeof text, "CONNECT {\"verbose\":false}\r\n");

    for (int j = 0; j < options.each; j++)
        len += (size_t)snprintf(text + len, sizeof text - len, "SUB %sc%05d %d\r\n", options.prefix,
                                channel_of(c->i, j), NATS_SID + j);
    len += (size_t)snprintf(text + len, sizeof text - len, "PING\r\n");
    client_say(c, BINARY, text, len);
}

static void
nats_greeting(struct client *c, const char *p, size_t len)
{
    if (contains(p, len, "-ERR"))
        complain(c, "refused", p, len);
    if (contains(p, len, "PONG\r\n"))
        client_ready(c);
}

/* All are of one length, so that bytes tell how many they are. */
static int
nats_publications(struct client *c, const char *p, size_t len)
{
    static size_t bytes, each;
    int n;

    (void)p;
    if (len == 6 && starts(p, len, "PING\r\n")) {
        client_say(c, BINARY, "PONG\r\n", 6);
        return 0;
    }
    if (each == 0)
        each = (size_t)snprintf(NULL, 0, "MSG %sc00000 %d %d\r\n\r\n", options.prefix, NATS_SID,
                                DATA_SIZE) + DATA_SIZE;
    bytes += len;
    n = (int)(bytes / each);
    bytes %= each;
    return n;
}

/* ---- publishing ---- */

static size_t
nchan_publish(char *out, size_t size, int channel, const char *data, size_t len)
{
    return (size_t)snprintf(out, size, "POST /pub?id=%sc%05d HTTP/1.1\r\nHost: b\r\nContent-Length: %zu\r\n\r\n%.*s",
                            options.prefix, channel, len, (int)len, data);
}

static size_t
line_publish(char *out, size_t size, int channel, const char *data, size_t len)
{
    return (size_t)snprintf(out, size, "PUB %sc%05d %zu\r\n%.*s\r\n", options.prefix, channel, len,
                            (int)len, data);
}

static size_t
raw_publish(char *out, size_t size, int channel, const char *data, size_t len)
{
    return (size_t)snprintf(out, size, "PUB %d %zu\r\n%.*s\r\n", channel, len, (int)len, data);
}

static const struct kind kinds[] = {
    { .name = "confab", .target = confab_target, .upgraded = confab_upgraded, .greeting = confab_greeting,
      .publications = confab_publications },
    /* as long as what Confab writes around the data */
    { .name = "raw", .target = raw_target, .upgraded = raw_upgraded, .greeting = first_greeting, .publications = always,
      .publish = raw_publish,
      .data_size = DATA_SIZE + sizeof "{\"push\":{\"channel\":\"c00000\",\"pub\":{\"data\":}}}" - 1 },
    { .name = "nchan", .target = nchan_target, .upgraded = client_ready, .publications = marked,
      .publish = nchan_publish },
    { .name = "ws", .target = ws_target, .greeting = first_greeting, .publications = marked,
      .publish = line_publish },
    { .name = "socket.io", .target = socketio_target, .greeting = socketio_greeting,
      .publications = socketio_publications, .publish = line_publish },
    { .name = "nats", .target = nats_target, .upgraded = nats_upgraded, .greeting = nats_greeting,
      .publications = nats_publications, .publish = line_publish,
      .before_publishing = "CONNECT {\"verbose\":false}\r\n" },
    { 0 }
};

const struct kind *
kind_find(const char *name)
{
    const struct kind *k;

    for (k = kinds; k->name && strcmp(k->name, name) != 0; k++)
        ;
    return k->name ? k : NULL;
}
