/* command - what clients say: lines of JSON into structs
 *
 * Pure. Source of the rules: docs/push/protocol.md, "Envelopes" and the commands' own headings.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_COMMAND_H
#define RELAY_PUSH_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/err.h"

enum command_method {               /* in the order in which the first of several counts */
    COMMAND_PONG,                   /* {} */
    COMMAND_CONNECT, COMMAND_SUBSCRIBE, COMMAND_UNSUBSCRIBE, COMMAND_PUBLISH, COMMAND_PRESENCE,
    COMMAND_PRESENCE_STATS, COMMAND_HISTORY, COMMAND_PING, COMMAND_SEND, COMMAND_RPC,
    COMMAND_REFRESH, COMMAND_SUB_REFRESH,
    COMMAND_UNKNOWN,                /* an id and no method we know */
};

/* A position that a client wants to go on from. */
struct command_recover {
    const char *channel;
    bool recover;
    const char *epoch;              /* "" */
    uint64_t offset;
};

/* A connect request, also the whole input of the one-way transports. Raw JSON texts are NULL when not given. */
struct command_connect {
    const char *token, *data, *name, *version;      /* "" or, data, NULL */
    const struct command_recover *subs;
    size_t n_subs;
};

/* Absent texts are "", absent numbers 0, absent raw JSON NULL. All in the arena. */
struct command {
    uint32_t id;                    /* 0: none */
    enum command_method method;
    struct command_connect connect;
    const char *channel;            /* of all that name one */
    const char *token;              /* subscribe, refresh, sub_refresh */
    const char *data;               /* publish, send, rpc, subscribe: raw JSON */
    const char *rpc_method;
    struct command_recover recover; /* subscribe */
    bool positioned, recoverable, join_leave;
    const char *delta;              /* "" or what was asked for */
    int64_t flag;
    int64_t limit;                  /* history */
    bool since, reverse;
    const char *since_epoch;
    uint64_t since_offset;
};

#define COMMAND_FLAG_STRICT_RECOVERY 2      /* error 112 instead of a failed recovery */

/* A walk over the lines of one message, or of one /emulation body. */
struct command_reader {
    const char *at, *end;
    bool any;                       /* a command was read */
};

/* ERR_OK: *c_r is the next command. ERR_NOT_FOUND: no more. ERR_MALFORMED: no JSON object, a member of the wrong type, a
 * command without id that needs one, ... : the connection is to be closed with 3501, as it is for a message
 * without any command. Empty lines are skipped. */
enum err command_next(struct arena *a, struct command_reader *r, struct command *c_r);

/* A bare connect request. */
enum err command_connect_read(struct arena *a, const char *text, size_t len, struct command_connect *c_r);

#endif
