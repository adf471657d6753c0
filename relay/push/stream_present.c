/* stream_present - who is in a channel
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/stream_private.h"

#include "relay/mem.h"

#define CROWD 1000              /* more are counted only now and then: it takes time, and the loop has to wait */
#define CROWD_MS 1000

void
stream_join(struct stream_store *store, const char *channel, struct stream_presence *who)
{
    struct stream *s = stream_get((struct memory *)store, channel);

    who->stream = s;
    who->prev = NULL;
    who->next = s->present;
    if (s->present)
        s->present->prev = who;
    s->present = who;
    s->n_present++;
    s->users_changed = true;
}

void
stream_leave(struct stream_store *store, struct stream_presence *who)
{
    struct memory *m = (struct memory *)store;
    struct stream *s = who->stream;

    if (!s)
        return;
    *(who->prev ? &who->prev->next : &s->present) = who->next;
    if (who->next)
        who->next->prev = who->prev;
    who->stream = NULL;
    who->prev = who->next = NULL;
    s->users_changed = true;
    if (--s->n_present == 0)
        stream_refresh(m, s, stream_now(m));
}

static bool
is_counted(const struct stream *s, int64_t now)
{
    if (s->users_ms == 0)
        return false;
    return !s->users_changed || (s->n_present > CROWD && now >= s->users_ms && now - s->users_ms < CROWD_MS);
}

static int64_t
count_users(const struct stream *s)
{
    struct strmap_node *nodes = mem_new((size_t)s->n_present * sizeof *nodes), *node = nodes;
    const struct stream_presence *p;
    struct strmap users;
    int64_t n;

    strmap_init(&users);
    for (p = s->present; p; p = p->next) {
        if (strmap_find(&users, p->user))
            continue;
        node->key = p->user;
        strmap_add(&users, node++);
    }
    n = (int64_t)users.n;
    strmap_fini(&users);
    free(nodes);
    return n;
}

static int64_t
users_of(struct stream *s, int64_t now)
{
    if (!is_counted(s, now)) {
        s->n_users = count_users(s);
        s->users_ms = now;
        s->users_changed = false;
    }
    return s->n_users < s->n_present ? s->n_users : s->n_present;
}

void
stream_presence_tell(struct stream_store *store, const char *channel,
                     void (*each)(void *arg, const struct stream_presence *who),
                     void (*done)(void *arg, enum err e, int64_t n_clients, int64_t n_users), void *arg)
{
    struct memory *m = (struct memory *)store;
    struct stream *s = stream_find(m, channel);

    if (!s || s->n_present == 0) {
        done(arg, ERR_OK, 0, 0);
        return;
    }
    for (const struct stream_presence *p = s->present; each && p; p = p->next)
        each(arg, p);
    done(arg, ERR_OK, s->n_present, users_of(s, stream_now(m)));
}
