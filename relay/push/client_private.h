/* client_private - between the files of client
 *
 *   client.c            its life: opened, sending, closing
 *   client_user.c       clients by id and by user
 *   client_input.c      messages into commands: rates, parking, dispatch
 *   client_check.c      credentials, judged here or on a thread
 *   client_connect.c    connect
 *   client_rpc.c        rpc
 *   client_refresh.c    refresh, and the end of credentials
 *   client_emulation.c  sessions of clients that send by POST /emulation
 *   client_transport.c  the requests that become clients
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_CLIENT_PRIVATE_H
#define RELAY_PUSH_CLIENT_PRIVATE_H

#include "relay/pool.h"
#include "relay/push/client.h"

/* ---- life ---- */

/* A client whose connection is to come. address is admission's, which the client gives back. first: what it is to run
 * when opened; NULL: nothing. */
struct push_client *client_new(struct push *p, enum client_transport transport, const char *address,
                               const char *first, size_t len);

static inline bool
client_is_stream(const struct push_client *c)
{
    return c->transport != TRANSPORT_WEBSOCKET && c->transport != TRANSPORT_UNI_WEBSOCKET;
}

/* Makes it one of its user's connections. false: he has as many as he may. */
bool client_register(struct push_client *c, const char *user);
void client_unregister(struct push_client *c);      /* fine for one that is not */

/* Raw JSON or NULL, copied. The client must have a user. */
void client_set_info(struct push_client *c, const char *info);

/* From now on it is pinged, and everything is run. */
void client_set_connected(struct push_client *c);

/* Nothing more is run; the stale deadline will close it. */
void client_refuse(struct push_client *c);

/* ---- input ---- */

/* Lines of commands as they came in. */
void client_input(struct push_client *c, const char *text, size_t len);

/* Something was judged: runs what was parked, or drops it. */
void client_input_resume(struct push_client *c);

/* ---- credentials ---- */

/* A token under judgement, and what its command will need then. */
struct client_check {
    struct pool_job job;
    struct push_client *client;         /* a reference */
    struct push_settings *settings;     /* a reference */
    struct arena *arena;
    void (*judged)(struct client_check *k);     /* on the loop; the client is not gone. Frees k, or keeps it */
    enum err err;
    struct connection_token token;
    const struct command *cmd;          /* it is one for a channel: whose token it is ... */
    struct subscription_token channel_token;
    client_token_judged *told;          /* ... and who wants to know; NULL */
    const char *text;
    int64_t now_ms;
    uint32_t id;                        /* of the command */
    const struct command_recover *subs; /* connect's */
    size_t n_subs;
};

struct client_check *client_check_new(struct push_client *c, uint32_t id, const char *text);
void client_check_free(struct client_check *k);     /* NULL is fine */

/* Calls judged before it returns, or later when judging takes long. */
void client_check_start(struct client_check *k);

/* ---- commands ---- */

void client_connect(struct push_client *c, uint32_t id, const struct command_connect *in);
void client_refresh(struct push_client *c, const struct command *cmd);
void client_rpc(struct push_client *c, const struct command *cmd);

/* New end of the credentials, 0: none; sets the deadline. Returns the seconds until then to tell, 0: none. */
int64_t client_expires(struct push_client *c, int64_t expires_ms);

/* ---- sessions ---- */

struct client_session {
    struct strmap_node node;            /* key: the secret */
    struct push_client *client;
    char secret[];
};

void client_session_open(struct push_client *c);
void client_session_close(struct push_client *c);   /* fine for one without */

/* ---- requests ---- */

/* Origin and CORS of the pages that may use us. false: *a is a refusal. */
bool client_origin(struct push *p, const struct io_request *r, struct io_answer *a);
/* An answer without body. */
enum io_verdict client_answer(struct io_answer *a, int status);

#endif
