/* reply - what clients are told: structs into JSON, one line without its end
 *
 * Pure; every function appends to an sbuf and is named after what it writes. The one-way transports get pushes without
 * their envelope, which is what `bare` says.
 *
 * Source of the rules: docs/push/protocol.md, "Envelopes" to "Pushes".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_REPLY_H
#define RELAY_PUSH_REPLY_H

#include "relay/push/code.h"
#include "relay/push/publication.h"
#include "relay/push/stream.h"
#include "shared/sbuf.h"

/* How the publications of a subscription are written. */
enum reply_form {
    FORM_PLAIN,             /* data is JSON */
    FORM_STRING,            /* with deltas: data is a string that holds the payload ... */
    FORM_PATCH,             /* ... or, "delta":true, a patch to the one before */
};

struct reply_subscribe {
    int64_t ttl_s;                          /* 0: does not expire */
    bool recoverable, positioned, recovered, was_recovering, delta;
    const struct stream_position *position; /* NULL unless positioned or recovering */
    struct publication *const *publications;
    size_t n;
    const char *data;                       /* raw JSON, NULL */
};

/* One of connect's `subs`. */
struct reply_sub {
    const char *channel;
    struct reply_subscribe result;
};

struct reply_connect {
    const char *client;
    int64_t ttl_s;                          /* 0: does not expire */
    const char *data;
    const struct reply_sub *subs;
    size_t n_subs;
    int64_t ping_s;                         /* 0: none */
    bool pong;
    const char *session, *node;             /* NULL: not told */
};

void reply_error(struct sbuf *b, uint32_t id, enum push_error e);
/* ... that is the application's */
void reply_error_words(struct sbuf *b, uint32_t id, int code, const char *message, bool temporary);
/* {"id":id,"method":{}} */
void reply_empty(struct sbuf *b, uint32_t id, const char *method);
/* id 0: bare, {"connect":{...}} as the one-way transports want it */
void reply_connect(struct sbuf *b, uint32_t id, const struct reply_connect *r);
void reply_subscribe(struct sbuf *b, uint32_t id, const struct reply_subscribe *r);
/* refresh and sub_refresh; ttl_s 0: does not expire */
void reply_refresh(struct sbuf *b, uint32_t id, const char *method, int64_t ttl_s);
/* data: raw JSON or NULL */
void reply_rpc(struct sbuf *b, uint32_t id, const char *data);
void reply_history(struct sbuf *b, uint32_t id, const struct stream_history *h);
void reply_presence_open(struct sbuf *b, uint32_t id);
void reply_presence_one(struct sbuf *b, const struct stream_presence *who);
void reply_presence_close(struct sbuf *b);
void reply_presence_stats(struct sbuf *b, uint32_t id, int64_t n_clients, int64_t n_users);

/* ClientInfo; infos are raw JSON or NULL. */
void reply_client_info(struct sbuf *b, const char *user, const char *client, const char *conn_info,
                       const char *chan_info);

/* Pushes. patch: of FORM_PATCH. */
void reply_publication(struct sbuf *b, bool bare, const char *channel, const struct publication *p,
                       enum reply_form form, const char *patch, size_t patch_len);
void reply_join(struct sbuf *b, bool bare, const char *channel, const char *client_info, bool leave);
void reply_subscribed(struct sbuf *b, bool bare, const char *channel, const struct reply_subscribe *r);
void reply_unsubscribed(struct sbuf *b, bool bare, const char *channel, int code, const char *reason);
void reply_disconnect(struct sbuf *b, bool bare, int code, const char *reason);

/* The members of a publication, without braces: shared with the server API. */
void reply_publication_members(struct sbuf *b, const struct publication *p, enum reply_form form,
                               const char *patch, size_t patch_len);

#endif
