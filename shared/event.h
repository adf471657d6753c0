/* event - one thing that happened, as it stands in the log and travels on the bus
 *
 * An event carries who hears it (channels), what it does to audiences (operations) and a
 * body, the JSON object its system's clients get, rendered once by whoever caused it.
 * Operations count before the event is delivered.
 *
 * Bus message: one byte version (EVENT_VERSION), 16 bytes BLAKE2b MAC over the rest under the
 * database's bus key, 8 bytes seq big-endian, 4 bytes envelope length, envelope, body.
 * The log row holds the same envelope and body, so both are read by one decoder.
 * The MAC makes a push from anybody who cannot read the database worthless.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_EVENT_H
#define SHARED_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/sbuf.h"

#define EVENT_VERSION 1
#define EVENT_KEY_SIZE 32               /* bytes of the bus key */
#define EVENT_CHANNELS_MAX 65536
#define EVENT_CHANNEL_MAX 1280          /* bytes of one channel name: a user id has up to 255 code points */

enum event_kind {
#define EVENT(symbol, number, kept, meaning) EVENT_##symbol = number,
#include "shared/event.def"
#undef EVENT
};

enum event_verb {
    EVENT_JOIN = 1,     /* user receives channel from this seq on */
    EVENT_LEAVE,        /* user receives channel no longer */
    EVENT_GONE,         /* nobody receives channel any longer */
    EVENT_CLOSE,        /* sockets on channel are closed with code and reason */
};

struct event_operation {
    enum event_verb verb;
    const char *channel;
    const char *user;   /* JOIN, LEAVE: of the event's system */
    int code;           /* CLOSE: WebSocket close code */
    const char *reason; /* CLOSE: short plain words */
};

struct event {
    int64_t seq;                    /* 0 until numbered */
    int64_t at_ms;
    enum event_kind kind;
    const char *system;             /* "mtchat" */
    size_t n_channels;
    const char **channels;
    size_t n_operations;
    struct event_operation *operations;
    const char *except;             /* user who does not get it; NULL */
    int64_t about;                  /* entry it speaks of: erasing that empties the body; 0 */
    const char *request;            /* request id, for one grep from POST to socket; NULL */
    const char *body;               /* JSON object text, not NUL-terminated by contract */
    size_t body_len;                /* 0: erased; replay skips it */
};

/* Is this kind replayed to those who were away? Unknown kinds are not. */
bool event_kept(enum event_kind kind);

/* Name of a kind for logs. */
const char *event_name(enum event_kind kind);

/* Appends everything but seq and body. */
void event_envelope_write(struct sbuf *out, const struct event *e);

/* Reads an envelope into *e_r (strings in the arena). ERR_MALFORMED on anything unexpected; reads
 * never pass len. */
enum err event_envelope_read(struct arena *a, const void *p, size_t len, struct event *e_r);

/* The whole bus message. */
void event_message_write(struct sbuf *out, const struct event *e,
                         const uint8_t key[EVENT_KEY_SIZE]);

/* ERR_UNAUTHORIZED for a wrong MAC, ERR_MALFORMED for anything else unexpected. Body is a
 * copy in the arena. */
enum err event_message_read(struct arena *a, const void *p, size_t len,
                            const uint8_t key[EVENT_KEY_SIZE], struct event *e_r);

/* ---- channel names: what they are, in one place ---- */

/* "dialog:<uuid>" and the like: prefix, ':', id. */
char *channel_of(struct arena *a, const char *prefix, const char *id);
/* "user:<system>:<id>"; implicit, never in the audience table */
char *channel_of_user(struct arena *a, const char *system, const char *user);
/* "system:<system>"; implicit */
char *channel_of_system(struct arena *a, const char *system);

#endif
