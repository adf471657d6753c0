/* commands - a queue for each user, a queue of answers for each socket
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/commands.h"

#include <assert.h>

#include "relay/mem.h"
#include "relay/strmap.h"

/* One with commands that have not run. */
struct commands_user {
    struct strmap_node node;
    struct command *first, **last;
    struct commands_user *next_ready;
};

struct commands {
    struct commands_bounds bounds;
    struct commands_calls calls;
    void *arg;
    struct strmap users;
    struct commands_user *ready, **ready_last;  /* whose first may be started */
    struct command_socket *waiting;
    size_t bytes, running;
    bool closed;
};

struct commands *
commands_new(const struct commands_bounds *bounds, const struct commands_calls *calls, void *arg)
{
    struct commands *q = mem_new(sizeof *q);

    q->bounds = *bounds;
    q->calls = *calls;
    q->arg = arg;
    strmap_init(&q->users);
    q->ready_last = &q->ready;
    return q;
}

/* ---- one command ---- */

static void
end(struct commands *q, struct command *c)
{
    q->bytes -= c->bytes;
    q->calls.end(q->arg, c);
}

/* ---- the socket's side ---- */

static void
wait_for_answer(struct commands *q, struct command_socket *s)
{
    if (s->waiting_at)
        return;
    if ((s->next_waiting = q->waiting))
        s->next_waiting->waiting_at = &s->next_waiting;
    s->waiting_at = &q->waiting;
    q->waiting = s;
}

static void
unwait(struct command_socket *s)
{
    if (!s->waiting_at)
        return;
    *s->waiting_at = s->next_waiting;
    if (s->next_waiting)
        s->next_waiting->waiting_at = s->waiting_at;
    s->waiting_at = NULL;
}

static void
owe(struct commands *q, struct command_socket *s, struct command *c, size_t bytes)
{
    if (!s->first)
        s->last = &s->first;
    *s->last = c;
    s->last = &c->next_answer;
    s->n++;
    c->socket = s;
    c->bytes = bytes;
    q->bytes += bytes;
}

static struct command *
take_answer(struct command_socket *s)
{
    struct command *c = s->first;

    if (!(s->first = c->next_answer))
        s->last = &s->first;
    s->n--;
    c->socket = NULL;
    return c;
}

static void
settle(struct commands *q, struct command_socket *s, int64_t seq)
{
    struct command *c;

    while (s->first && !s->first->user && s->first->seq <= seq) {
        c = take_answer(s);
        q->calls.answer(q->arg, s, c);
        end(q, c);
    }
    if (!s->first || s->first->user)
        unwait(s);
}

void
commands_settle(struct commands *q, int64_t seq)
{
    struct command_socket *s, *next;

    for (s = q->waiting; s; s = next) {
        next = s->next_waiting;
        settle(q, s, seq);
    }
}

void
commands_left(struct commands *q, struct command_socket *s)
{
    struct command *c;

    unwait(s);
    while (s->first) {
        c = take_answer(s);
        if (!c->user)
            end(q, c);
    }
}

/* ---- the user's side ---- */

static void
make_ready(struct commands *q, struct commands_user *u)
{
    u->next_ready = NULL;
    *q->ready_last = u;
    q->ready_last = &u->next_ready;
}

static void
start(struct commands *q)
{
    struct commands_user *u;

    while (!q->closed && q->running < q->bounds.at_once && (u = q->ready)) {
        if (!(q->ready = u->next_ready))
            q->ready_last = &q->ready;
        q->running++;
        q->calls.start(q->arg, u->first);
    }
}

static struct commands_user *
user_of(struct commands *q, const char *name)
{
    struct strmap_node *node = strmap_find(&q->users, name);
    struct commands_user *u;

    if (node)
        return STRMAP_OF(node, struct commands_user, node);
    u = mem_new(sizeof *u);
    u->node.key = mem_string(name);
    u->last = &u->first;
    strmap_add(&q->users, &u->node);
    return u;
}

static void
user_free(struct commands *q, struct commands_user *u)
{
    strmap_remove(&q->users, &u->node);
    free((char *)u->node.key);
    free(u);
}

enum err
commands_take(struct commands *q, struct command_socket *s, const char *user, struct command *c,
              size_t bytes)
{
    struct commands_user *u;

    if (s->n >= q->bounds.per_socket)
        return ERR_RATE;
    if (q->closed || bytes > q->bounds.bytes || q->bytes > q->bounds.bytes - bytes)
        return ERR_BUSY;
    owe(q, s, c, bytes);
    u = user_of(q, user);
    if (!u->first)
        make_ready(q, u);
    *u->last = c;
    u->last = &c->next;
    c->user = u;
    start(q);
    return ERR_OK;
}

/* The user's next command, if there is one, stands behind those of others. */
static void
next_of(struct commands *q, struct commands_user *u)
{
    if (!(u->first = u->first->next))
        user_free(q, u);
    else
        make_ready(q, u);
}

void
commands_ran(struct commands *q, struct command *c, int64_t seq, size_t bytes)
{
    assert(c->user && c->user->first == c);
    next_of(q, c->user);
    c->user = NULL;
    c->seq = seq;
    c->bytes += bytes;
    q->bytes += bytes;
    q->running--;
    if (!c->socket)
        end(q, c);
    else if (c->socket->first == c)
        wait_for_answer(q, c->socket);
    start(q);
}

/* ---- the end ---- */

void
commands_close(struct commands *q)
{
    q->closed = true;
}

bool
commands_idle(const struct commands *q)
{
    return q->users.n == 0;
}

static void
drop(void *arg, struct strmap_node *node)
{
    struct commands *q = arg;
    struct commands_user *u = STRMAP_OF(node, struct commands_user, node);
    struct command *c, *next;

    for (c = u->first; c; c = next) {
        next = c->next;
        end(q, c);
    }
    user_free(q, u);
}

void
commands_free(struct commands *q)
{
    if (!q)
        return;
    q->closed = true;
    strmap_each(&q->users, drop, q);
    strmap_fini(&q->users);
    free(q);
}
