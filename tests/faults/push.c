/* push - plays a process that pushes what it should not, for the fault tests
 *
 *     push DATABASE ENDPOINT WHAT...
 *
 * Each WHAT is one message on the bus, sent in the order given:
 *   SEQ          the logged event of that number, as its writer would have pushed it
 *   forged:SEQ   that number with other words, signed with a key of our own
 *   cut:SEQ      the logged event without its last bytes
 *   ahead:N      words under a number that the log has not, signed with the right key
 *   noise:LEN    that many bytes of nothing
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/arena.h"
#include "shared/bus.h"
#include "shared/chat/op.h"
#include "shared/db/db.h"
#include "shared/event.h"

#define QUEUE 1000
#define LINGER_MS 10000
#define WORDS "{\"type\":\"message.new\",\"content\":\"forged\"}"

struct pusher {
    struct op op;
    uint8_t key[EVENT_KEY_SIZE];
    const char *endpoint;
};

static void
fail(const char *what)
{
    fprintf(stderr, "push: %s\n", what);
    exit(1);
}

static struct event
logged(struct pusher *p, long long seq)
{
    struct event *events;
    size_t n;

    if (op_log_read(&p->op, seq - 1, 1, &events, &n) != ERR_OK || n != 1 || events[0].seq != seq)
        fail("no such event in the log");
    return events[0];
}

/* The logged event `pattern` under another number and with our words. */
static struct event
invented(struct pusher *p, long long pattern, long long seq)
{
    struct event e = logged(p, pattern);

    e.seq = seq;
    e.body = WORDS;
    e.body_len = strlen(WORDS);
    return e;
}

static void
send_event(struct pusher *p, const struct event *e, const uint8_t *key, size_t cut)
{
    struct sbuf message;

    sbuf_init(&message, SIZE_MAX);
    event_message_write(&message, e, key);
    if (message.failed)
        fail("the event cannot be written");
    bus_send(p->op.bus, &p->endpoint, 1, message.data, message.len - cut);
    sbuf_fini(&message);
}

static void
send_noise(struct pusher *p, size_t len)
{
    unsigned char *noise = malloc(len + 1);

    if (!noise)
        fail("no memory");
    for (size_t i = 0; i < len; i++)
        noise[i] = (unsigned char)(i * 37 + (i >> 3));
    if (len > 0)
        noise[0] = EVENT_VERSION;       /* so that it is looked at further */
    bus_send(p->op.bus, &p->endpoint, 1, noise, len);
    free(noise);
}

static void
send_what(struct pusher *p, const char *what)
{
    static const uint8_t other_key[EVENT_KEY_SIZE] = {1};
    const char *colon = strchr(what, ':');
    long long n = atoll(colon ? colon + 1 : what);
    struct event e;
    int64_t head, floor;

    if (!colon) {
        e = logged(p, n);
        send_event(p, &e, p->key, 0);
    } else if (strncmp(what, "forged:", 7) == 0) {
        e = invented(p, n, n);
        send_event(p, &e, other_key, 0);
    } else if (strncmp(what, "cut:", 4) == 0) {
        e = logged(p, n);
        send_event(p, &e, p->key, 3);
    } else if (strncmp(what, "ahead:", 6) == 0) {
        if (op_log_head(&p->op, &head, &floor) != ERR_OK)
            fail("no head");
        e = invented(p, head, head + n);
        send_event(p, &e, p->key, 0);
    } else if (strncmp(what, "noise:", 6) == 0) {
        send_noise(p, (size_t)n);
    } else {
        fail("unknown kind of message");
    }
}

int
main(int argc, char **argv)
{
    struct pusher p = {{0}, {0}, NULL};

    if (argc < 3)
        fail("usage: push DATABASE ENDPOINT WHAT...");
    p.endpoint = argv[2];
    p.op.arena = arena_new();
    p.op.bus = bus_sender_new(QUEUE);
    p.op.system = &chat_mtchat;
    if (db_open(argv[1], DB_OPEN, 1000, &p.op.db) != ERR_OK)
        fail("the database cannot be opened");
    if (op_bus_key(&p.op, p.key) != ERR_OK)
        fail("no bus key");
    for (int i = 3; i < argc; i++)
        send_what(&p, argv[i]);
    bus_sender_free(p.op.bus, LINGER_MS);
    db_close(p.op.db);
    arena_free(p.op.arena);
    return 0;
}
