/* op - what servers may do: the operations behind the HTTP API, ZeroMQ and, partly, clients
 *
 * Inputs are checked structs. Operations that depend on the store answer by callback, before they return or
 * later. Source of the rules: docs/push/protocol.md, "Server API".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_OP_H
#define RELAY_PUSH_OP_H

#include "relay/push/code.h"
#include "relay/push/push.h"
#include "relay/push/stream.h"

/* ---- channels (op_channel.c) ---- */

struct op_publish {
    const char *channel;
    const char *data;               /* raw JSON, valid */
    size_t data_len;
    const char *info;               /* ClientInfo of a client that publishes; NULL: a server */
    const char *tags;               /* raw JSON object or NULL */
    const char *idempotency_key;    /* NULL */
    uint64_t version;
    const char *version_epoch;      /* NULL */
    bool skip_history, delta;
};

typedef void op_published(void *arg, enum push_error e, const struct stream_position *at);

/* Too long data is PUSH_BAD_REQUEST, a full store PUSH_TOO_MANY. at->epoch is "" without history. */
void op_publish(struct push *p, const struct op_publish *in, op_published *done, void *arg);

typedef void op_told(void *arg, enum push_error e, const struct stream_history *h);
void op_history(struct push *p, const char *channel, const struct stream_query *q, op_told *done, void *arg);
void op_history_remove(struct push *p, const char *channel, op_published *done, void *arg);

/* each may be NULL; for stats only. PUSH_NOT_AVAILABLE when the channel has no presence. */
void op_presence(struct push *p, const char *channel,
                 void (*each)(void *arg, const struct stream_presence *who),
                 void (*done)(void *arg, enum push_error e, int64_t n_clients, int64_t n_users), void *arg);

/* Channels with subscribers whose name fits the glob ("" all: * ? [a-z] {a,b}), by name, after the
 * cursor, at most limit; *more_r: there are more. */
void op_channels(struct push *p, const char *glob, const char *after, int64_t limit,
                 void (*each)(void *arg, const char *channel, int64_t n_clients), void *arg, bool *more_r);

/* ---- clients (op_client.c) ---- */

/* Whom an operation means. Every given part must fit; user is always given ("": anonymous ones). */
struct op_whom {
    const char *user;
    const char *client;             /* NULL or "": any */
    const char *session;            /* NULL or "": any */
    const char *const *except;      /* client ids kept; NULL-terminated or NULL */
};

struct op_subscribe {
    const char *channel;
    const char *info, *data;        /* raw JSON or NULL */
    int64_t expires_s;              /* 0: never */
    struct token_override override;
    bool recover;
    uint64_t offset;
    const char *epoch;
};

enum push_error op_subscribe(struct push *p, const struct op_whom *whom, const struct op_subscribe *in);
enum push_error op_unsubscribe(struct push *p, const struct op_whom *whom, const char *channel);
/* code 3000 to 4999 and a clean reason are the caller's to check (push_reason_is_clean). */
enum push_error op_disconnect(struct push *p, const struct op_whom *whom, int code, const char *reason);
enum push_error op_refresh(struct push *p, const struct op_whom *whom, bool expired, int64_t expires_s,
                           const char *info);

/* Not empty, at most 123 bytes, UTF-8 without control characters, and nothing that parses as JSON. */
bool push_reason_is_clean(const char *reason);

struct op_info {
    const char *uid, *name, *version;
    int64_t clients, users, channels, subscriptions, uptime_s;
};
void op_info(struct push *p, struct op_info *info_r);

/* Open connections, by id after the cursor: for operators. user NULL: all. */
struct op_connection {
    const char *client, *user, *address, *transport;
    int64_t age_s, subscriptions, queued;
};
void op_connections(struct push *p, const char *user, const char *after, int64_t limit,
                    void (*each)(void *arg, const struct op_connection *c), void *arg, bool *more_r);

#endif
