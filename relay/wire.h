/* wire - how one system speaks on sockets
 *
 * A system is a constant struct of functions: bytes in, verdicts and bytes out. None of them does
 * I/O or keeps state, so each can be tested and fuzzed with strings.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_WIRE_H
#define RELAY_WIRE_H

#include "relay/io.h"
#include "shared/arena.h"
#include "shared/config.h"
#include "shared/event.h"
#include "shared/sbuf.h"

#define WIRE_SINCE_NONE (-1)
#define WIRE_SINCE_UNUSABLE INT64_MAX   /* given, but no seq: answered like one from the future */

/* What a handshake settled. */
struct wire_hello {
    const char *user;       /* arena */
    int64_t since;          /* a seq, WIRE_SINCE_NONE or WIRE_SINCE_UNUSABLE */
    int64_t expires_ms;     /* when the credential ends; 0: never */
};

/* What a session begins with. */
struct wire_welcome {
    const char *user;
    int64_t seq;
    bool asked;             /* since was given ... */
    bool resumed;           /* ... and can be honoured */
    size_t missed;          /* frames that follow, when resumed */
};

/* What a client's message was. */
enum wire_heard {
    WIRE_NOTHING,           /* fine, and nothing to do */
    WIRE_PING,              /* answer with pong */
    WIRE_BAD,               /* answer with bad; too many end the session */
};

struct wire {
    const char *system;
    const char *path;           /* decoded request path, matched exactly */
    const char *pong, *bad;     /* ready payloads */

    /* Decides by request and settings alone. true: *hello_r is filled. false: *answer is. */
    bool (*handshake)(struct arena *a, const struct config *config, const struct io_request *r,
                      int64_t now_ms, struct wire_hello *hello_r, struct io_answer *answer);

    /* Fills the answer that refuses with e, in the system's own words. */
    void (*refuse)(struct io_answer *answer, enum err e);

    void (*write_welcome)(struct sbuf *out, const struct wire_welcome *w);
    void (*write_event)(struct sbuf *out, const struct event *e);

    enum wire_heard (*message)(struct arena *a, const char *p, size_t len, bool binary);
};

/* The wires that config serves, one after the other; NULL behind the last. */
const struct wire *wire_served(const struct config *config, size_t i);

/* The wire at a raw request path among those config serves; NULL. */
const struct wire *wire_find(struct arena *a, const struct config *config, const char *path);

extern const struct wire wire_mtchat;

/* ---- helpers for wires ---- */

/* The first pair of that name in a raw query, percent-decoded; a '+' stays. A malformed escape stays,
 * too. ERR_NOT_FOUND: no such pair. ERR_LIMIT: it holds NUL or no valid UTF-8. */
enum err wire_query(struct arena *a, const char *query, const char *name, const char **value_r);

/* since=N as wire_hello has it. */
int64_t wire_since(struct arena *a, const char *query);

#endif
