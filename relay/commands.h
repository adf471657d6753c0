/* commands - what sockets ask for: run one at a time for each user, answered in order
 *
 * A command belongs to a user and came by one of his sockets. A user's commands are run one after the other, in the
 * order in which they came, whatever the number of his sockets; different users' side by side, but no more than a
 * few at once, so that what else waits for a worker gets its turn. A socket's commands are answered in the order in which
 * they came, each when the log was delivered up to what it caused. A command whose socket has left is run all the
 * same; its answer has nowhere to go.
 *
 * Pure: what runs commands, and what answers are, is the caller's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_COMMANDS_H
#define RELAY_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"

struct commands;
struct command_socket;

/* Embedded in what the caller runs; zeroed. All of it is private. */
struct command {
    struct command *next;               /* of its user */
    struct command *next_answer;        /* of its socket */
    struct commands_user *user;         /* NULL: it has run */
    struct command_socket *socket;      /* NULL: it has left */
    size_t bytes;
    int64_t seq;                        /* its answer follows the event with it */
};

/* Embedded in a socket's session; zeroed. */
struct command_socket {
    struct command *first, **last;      /* not answered yet */
    int64_t n;
    struct command_socket *next_waiting, **waiting_at;      /* first has run, its answer is not due yet */
};

struct commands_calls {
    /* To be run away from the loop. commands_ran follows, later. */
    void (*start)(void *arg, struct command *c);
    /* Its answer is due. It must not call back here. */
    void (*answer)(void *arg, struct command_socket *s, struct command *c);
    /* It is over: to be freed. */
    void (*end)(void *arg, struct command *c);
};

struct commands_bounds {
    int64_t per_socket;                 /* commands that were not answered yet */
    size_t bytes;                       /* of all commands and answers */
    size_t at_once;                     /* started and not ran */
};

struct commands *commands_new(const struct commands_bounds *bounds,
                              const struct commands_calls *calls, void *arg);

/* Its sockets have left, and nothing is running. Commands that were never started end. NULL is fine. */
void commands_free(struct commands *q);

/* A command of that size: it is started when the user's earlier ones have run. ERR_RATE: the socket has as many
 * as it may. ERR_BUSY: so have all together. Then the command stays the caller's. */
enum err commands_take(struct commands *q, struct command_socket *s, const char *user,
                       struct command *c, size_t bytes);

/* It has run, and its answer takes so many bytes more; it may be sent when the log was delivered up to seq. */
void commands_ran(struct commands *q, struct command *c, int64_t seq, size_t bytes);

/* Answers what is due where the log was delivered up to seq. */
void commands_settle(struct commands *q, int64_t seq);

/* The socket is gone. */
void commands_left(struct commands *q, struct command_socket *s);

/* Starts nothing any more. */
void commands_close(struct commands *q);

/* Has everything run that was taken? */
bool commands_idle(const struct commands *q);

#endif
