/* client - one connection that speaks the client protocol
 *
 * Its life: new (accepted; only connect is run), connecting (the verdict is being found; later commands are parked
 * in order), connected, refused (an error answered connect: nothing more is run), closing, gone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_CLIENT_H
#define RELAY_PUSH_CLIENT_H

#include <sys/queue.h>

#include "relay/push/command.h"
#include "relay/push/push_private.h"
#include "relay/push/reply.h"

enum client_state {
    CLIENT_NEW, CLIENT_CONNECTING, CLIENT_CONNECTED, CLIENT_REFUSED, CLIENT_CLOSING, CLIENT_GONE,
};

enum client_transport {
    TRANSPORT_WEBSOCKET, TRANSPORT_HTTP_STREAM, TRANSPORT_SSE,
    TRANSPORT_UNI_WEBSOCKET, TRANSPORT_UNI_HTTP_STREAM, TRANSPORT_UNI_SSE,
};

/* All connected clients of one user id. */
struct client_user {
    struct strmap_node node;
    struct push_client *clients;
    int64_t n;
};

struct push_client {
    struct io_client io;                /* first */
    struct push *push;
    struct conn *conn;                  /* NULL: gone */
    LIST_ENTRY(push_client) entry;      /* of push->open or push->closing */
    unsigned refs;                      /* the connection's, and those of answers under way */
    uint8_t state;                      /* enum client_state */
    uint8_t transport;                  /* enum client_transport */
    bool bare;                          /* one-way: pushes without envelope */
    bool native;                        /* is kept alive by WebSocket pings */
    bool announced;                     /* hooks heard of it */
    bool judging;                       /* a token of a command is being judged */
    uint16_t close_code;                /* CLOSING and after: why; 0: it was not us */
    struct strmap_node by_id;           /* key: id */
    char id[37];
    struct client_user *user;           /* NULL until connect's credentials were found good */
    struct push_client *prev, *next;    /* of that user */
    const char *address;                /* admission's, counted there */
    char *info;                         /* raw JSON or NULL */
    char *client_info;                  /* ClientInfo without chan_info */
    char *close_reason;                 /* the application's; NULL: the table's */
    struct client_session *session;     /* emulated transports; NULL */
    struct client_check *connecting;    /* the credentials, until the verdict; NULL */
    struct sbuf *parked;                /* lines that wait for it, or for what is judged; NULL: none */
    int64_t opened_ms;                  /* monotonic */
    struct wheel_entry deadline;        /* stale before connect, expiry after */
    struct subscription *subscriptions; /* list */
    uint32_t n_subscriptions;
    struct callback_question *questions;    /* list: what the application is being asked for it */
    uint32_t n_questions;               /* ... with those that nobody waits for any more */
    uint32_t n_asking;                  /* subscriptions among the list */
    struct channel_rate *rates;         /* what it published lately (channel_commands.c) */
    uint32_t commands, command_bytes;   /* in the second that began at second_ms */
    int64_t answer_bytes;               /* ... of histories and lists it was given meanwhile */
    int64_t second_ms;
    uint32_t errors;                    /* in the minute that began at errors_ms */
    int64_t errors_ms;
};

static inline const char *
client_user_id(const struct push_client *c)
{
    return c->user ? c->user->node.key : "";
}

/* Keeps c's memory until client_unref; it may be gone meanwhile: look at c->conn. */
void client_ref(struct push_client *c);
void client_unref(struct push_client *c);

/* Queues one line, which is consumed (sbuf_fini). A failed buffer closes with 3004. */
void client_send(struct push_client *c, struct sbuf *line);
void client_send_frame(struct push_client *c, struct frame *f);
void client_send_error(struct push_client *c, uint32_t id, enum push_error e);

/* An error that the application answered, or why it could not be asked. Nothing the client could have avoided: it does
 * not count for push_errors_max. */
struct callback_answer;
void client_send_words(struct push_client *c, uint32_t id, const struct callback_answer *a);

/* Ends it: what is queued leaves first (but for 3008, where it is dropped), then the close frame (or the
 * disconnect push and the end of the stream). code is one of code.def or the application's; reason NULL: the table's. */
void client_close(struct push_client *c, int code, const char *reason);

/* Judges cmd's token for a channel, then calls judged with what verifying said (subscription_token_verify), unless the
 * client has gone: before this returns, or, when judging takes long, later. Commands behind it wait. cmd and t are
 * valid during the call; of cmd what subscribe and sub_refresh have. */
typedef void client_token_judged(struct push_client *c, const struct command *cmd, enum err e,
                                 const struct subscription_token *t);
void client_judge_token(struct push_client *c, const struct command *cmd,
                        client_token_judged *judged);

/* Runs a verdict: answers an error, or closes. true when there was one. */
bool client_judge(struct push_client *c, uint32_t id, struct push_verdict v);

/* The session secret is needed by op_*: "" for transports without one. */
const char *client_session_id(const struct push_client *c);

const char *client_transport_name(const struct push_client *c);

#endif
