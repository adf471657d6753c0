/* push_channel_world - clients, a store and clocks that stand in for the real ones around relay/push's channels
 *
 * What a client is sent is written down, a line each: payloads as they are, "!3008 reason" for a close.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_PUSH_CHANNEL_WORLD_H
#define TESTS_PUSH_CHANNEL_WORLD_H

#include "relay/push/channel.h"

struct conn {
    bool behind;
    int closed;
};

struct peer {
    struct push_client c;           /* first */
    struct conn conn;
    struct client_user user;
    struct sbuf out;
    size_t frames;                  /* conn_send calls */
};

struct world {
    struct push push;
    struct channel_options options[8];  /* by namespace name; [0] has none */
    size_t n_options;
    struct config config;
    bool async;                     /* the store answers by world_store_answer */
    enum err broken;                /* what the store says instead of an answer; 0 */
    struct sbuf hooks;              /* a line for each event */
    void (*turn)(void *arg);
    void *turn_arg;
};

extern struct world world;

void world_new(void);
void world_free(void);

/* Options of a namespace, all off. */
struct channel_options *world_namespace(const char *name);

/* A connected client. */
struct peer *peer_new(const char *id, const char *user);
void peer_gone(struct peer *p);     /* as when its connection closes */
void peer_free(struct peer *p);

/* What was sent since the last call. */
const char *peer_heard(struct peer *p);

/* A command as a line of JSON. */
void peer_says(struct peer *p, const char *json);

/* Publishes; the answer's error code. */
int world_publish(const char *channel, const char *json);
int world_publish_with(const struct op_publish *in);
/* Position of the last one. */
extern struct stream_position world_at;

void world_turn(void);              /* the end of a loop turn */
void world_timers(void);            /* all io timers that are set run */
void world_wheel(void);             /* all deadlines on the wheel run */
int64_t world_wheel_ms(void);       /* the last that was set: after what time */

/* Lets the store answer the oldest question. */
void world_store_answer(void);
/* ... and that answer will say what is true now. Only of a question for the position. */
void world_store_freeze(void);
/* As if the stream had been made anew. */
void world_store_forget(const char *channel);
/* Drops the oldest n of the window. */
void world_store_trim(const char *channel, size_t n);
/* Numbers that are given and never delivered. */
void world_store_lose(const char *channel);

#endif
