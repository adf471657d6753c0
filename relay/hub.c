/* hub - channels, listeners, and the links between them
 *
 * A link joins one channel and one listener. Channels keep theirs in an array, since delivery
 * walks it; a listener keeps its own in a list; and a hash table over the pair finds one, so that
 * every operation costs the same however many channels or listeners there are.
 *
 * An event names several channels and a listener may hear more than one of them: each event has
 * a stamp, which the listener takes on first delivery.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/hub.h"

#include <stdio.h>

#include "relay/mem.h"
#include "relay/strmap.h"

#define FIRST_SLOTS 256         /* of the link table; a power of two */
#define USER_PREFIX "user:"

struct hub_link {
    struct hub_channel *channel;
    struct hub_listener *listener;
    struct hub_link *next_here;         /* same slot of the table */
    struct hub_link *prev, *next;       /* same listener */
    size_t at;                          /* place in the channel's array */
};

struct hub_channel {
    struct strmap_node node;
    struct hub_link **links;
    size_t n, size;
};

struct hub_listener {
    struct strmap_node node;            /* key: his `user:` channel */
    char *system;
    const char *user;                   /* inside node.key */
    struct hub_link *links;
    struct hub_session *sessions;
    uint64_t stamp;                     /* of the last event he got */
    int64_t base;                       /* his channels are those of this seq, or of the hub's
                                           when that is later */
};

struct hub {
    const struct hub_calls *calls;
    void *arg;
    int64_t seq;
    uint64_t stamp;
    struct strmap channels, listeners;
    struct hub_link **table;
    size_t n_links, n_slots;
};

/* ---- links ---- */

static size_t
slot_of(const struct hub *h, const struct hub_channel *c, const struct hub_listener *l)
{
    uint64_t x = (uint64_t)(uintptr_t)c * 0x9e3779b97f4a7c15u ^ (uint64_t)(uintptr_t)l;

    x *= 0xd6e8feb86659fd93u;
    return (size_t)(x >> 20) & (h->n_slots - 1);
}

static struct hub_link *
link_find(const struct hub *h, const struct hub_channel *c, const struct hub_listener *l)
{
    struct hub_link *k = h->table[slot_of(h, c, l)];

    while (k && (k->channel != c || k->listener != l))
        k = k->next_here;
    return k;
}

static void
table_grow(struct hub *h)
{
    struct hub_link **old = h->table, *k, *next;
    size_t n = h->n_slots;

    h->n_slots = n * 2;
    h->table = mem_new(h->n_slots * sizeof *h->table);
    for (size_t i = 0; i < n; i++)
        for (k = old[i]; k; k = next) {
            size_t slot = slot_of(h, k->channel, k->listener);

            next = k->next_here;
            k->next_here = h->table[slot];
            h->table[slot] = k;
        }
    free(old);
}

static void
table_remove(struct hub *h, struct hub_link *k)
{
    struct hub_link **p = &h->table[slot_of(h, k->channel, k->listener)];

    while (*p != k)
        p = &(*p)->next_here;
    *p = k->next_here;
}

static struct hub_channel *
channel_find(const struct hub *h, const char *name)
{
    struct strmap_node *node = strmap_find(&h->channels, name);

    return node ? STRMAP_OF(node, struct hub_channel, node) : NULL;
}

static struct hub_channel *
channel_get(struct hub *h, const char *name)
{
    struct hub_channel *c = channel_find(h, name);

    if (!c) {
        c = mem_new(sizeof *c);
        c->node.key = mem_string(name);
        strmap_add(&h->channels, &c->node);
    }
    return c;
}

static void
channel_free(struct hub *h, struct hub_channel *c)
{
    strmap_remove(&h->channels, &c->node);
    free((char *)c->node.key);
    free(c->links);
    free(c);
}

static void
link_add(struct hub *h, struct hub_listener *l, const char *name)
{
    struct hub_channel *c = channel_get(h, name);
    struct hub_link *k;
    size_t slot;

    if (link_find(h, c, l))
        return;
    if (h->n_links >= h->n_slots)
        table_grow(h);
    k = mem_new(sizeof *k);
    k->channel = c;
    k->listener = l;
    slot = slot_of(h, c, l);
    k->next_here = h->table[slot];
    h->table[slot] = k;
    if ((k->next = l->links))
        k->next->prev = k;
    l->links = k;
    if (c->n == c->size) {
        c->size = c->size ? c->size * 2 : 2;
        c->links = mem_grow(c->links, c->size, sizeof *c->links);
    }
    k->at = c->n++;
    c->links[k->at] = k;
    h->n_links++;
}

/* The channel goes with its last link. */
static void
link_remove(struct hub *h, struct hub_link *k)
{
    struct hub_channel *c = k->channel;

    table_remove(h, k);
    if (k->prev)
        k->prev->next = k->next;
    else
        k->listener->links = k->next;
    if (k->next)
        k->next->prev = k->prev;
    c->links[k->at] = c->links[--c->n];
    c->links[k->at]->at = k->at;
    free(k);
    h->n_links--;
    if (c->n == 0)
        channel_free(h, c);
}

/* ---- listeners ---- */

static struct hub_listener *
listener_find(const struct hub *h, const char *user_channel)
{
    struct strmap_node *node = strmap_find(&h->listeners, user_channel);

    return node ? STRMAP_OF(node, struct hub_listener, node) : NULL;
}

static struct hub_listener *
listener_of(const struct hub *h, const char *system, const char *user)
{
    char name[EVENT_CHANNEL_MAX + 1];

    snprintf(name, sizeof name, USER_PREFIX "%s:%s", system, user);
    return listener_find(h, name);
}

static struct hub_listener *
listener_new(struct hub *h, const char *system, const char *user,
             const struct hub_audience *audience)
{
    struct hub_listener *l = mem_new(sizeof *l);
    char name[EVENT_CHANNEL_MAX + 1];

    snprintf(name, sizeof name, USER_PREFIX "%s:%s", system, user);
    l->node.key = mem_string(name);
    l->user = l->node.key + strlen(USER_PREFIX) + strlen(system) + 1;
    l->system = mem_string(system);
    l->base = audience->seq;
    strmap_add(&h->listeners, &l->node);
    snprintf(name, sizeof name, "system:%s", system);
    link_add(h, l, name);
    for (size_t i = 0; i < audience->n; i++)
        link_add(h, l, audience->channels[i]);
    return l;
}

static void
listener_free(struct hub *h, struct hub_listener *l)
{
    while (l->links)
        link_remove(h, l->links);
    strmap_remove(&h->listeners, &l->node);
    free((char *)l->node.key);
    free(l->system);
    free(l);
}

/* ---- operations ---- */

/* Does a listener whose channels are of a later state know this event's operations already? */
static bool
knows(const struct hub_listener *l, const struct event *e)
{
    return e->seq <= l->base;
}

static void
gone(struct hub *h, const struct event *e, struct hub_channel *c)
{
    /* From the end: a removal moves the last link into its place, which was seen already. c goes
     * with its last link, when i is 0. */
    for (size_t i = c->n; i-- > 0; )
        if (!knows(c->links[i]->listener, e))
            link_remove(h, c->links[i]);
}

static void
close_sessions(struct hub *h, const struct event *e, const struct event_operation *op,
               const struct hub_listener *l)
{
    for (struct hub_session *s = l->sessions; s; s = s->next)
        if (e->seq > s->from)
            h->calls->close(h->arg, s, op->code, op->reason);
}

static void
close_channel(struct hub *h, const struct event *e, const struct event_operation *op)
{
    struct hub_listener *l = listener_find(h, op->channel);
    struct hub_channel *c = channel_find(h, op->channel);

    if (l)
        close_sessions(h, e, op, l);
    for (size_t i = 0; c && i < c->n; i++)
        close_sessions(h, e, op, c->links[i]->listener);
}

static void
operate(struct hub *h, const struct event *e, const struct event_operation *op)
{
    struct hub_listener *l;
    struct hub_channel *c;
    struct hub_link *k;

    switch (op->verb) {
    case EVENT_JOIN:
        if ((l = listener_of(h, e->system, op->user)) && !knows(l, e))
            link_add(h, l, op->channel);
        break;
    case EVENT_LEAVE:
        if ((l = listener_of(h, e->system, op->user)) && !knows(l, e)
            && (c = channel_find(h, op->channel)) && (k = link_find(h, c, l)))
            link_remove(h, k);
        break;
    case EVENT_GONE:
        if ((c = channel_find(h, op->channel)))
            gone(h, e, c);
        break;
    case EVENT_CLOSE:
        close_channel(h, e, op);
        break;
    }
}

/* ---- delivery ---- */

static void
deliver(struct hub *h, const struct event *e, struct hub_listener *l)
{
    if (l->stamp == h->stamp)
        return;
    l->stamp = h->stamp;
    if (e->except && strcmp(e->except, l->user) == 0 && strcmp(e->system, l->system) == 0)
        return;
    for (struct hub_session *s = l->sessions; s; s = s->next)
        if (e->seq > s->from)
            h->calls->deliver(h->arg, s, e);
}

static void
deliver_channel(struct hub *h, const struct event *e, const char *name)
{
    struct hub_listener *l;
    struct hub_channel *c;

    if (strncmp(name, USER_PREFIX, strlen(USER_PREFIX)) == 0) {
        if ((l = listener_find(h, name)))
            deliver(h, e, l);
        return;
    }
    if ((c = channel_find(h, name)))
        for (size_t i = 0; i < c->n; i++)
            deliver(h, e, c->links[i]->listener);
}

/* ---- public ---- */

struct hub *
hub_new(int64_t seq, const struct hub_calls *calls, void *arg)
{
    struct hub *h = mem_new(sizeof *h);

    h->calls = calls;
    h->arg = arg;
    h->seq = seq;
    strmap_init(&h->channels);
    strmap_init(&h->listeners);
    h->n_slots = FIRST_SLOTS;
    h->table = mem_new(h->n_slots * sizeof *h->table);
    return h;
}

void
hub_free(struct hub *h)
{
    if (!h)
        return;
    strmap_fini(&h->channels);
    strmap_fini(&h->listeners);
    free(h->table);
    free(h);
}

void
hub_apply(struct hub *h, const struct event *e)
{
    h->seq = e->seq;
    for (size_t i = 0; i < e->n_operations; i++)
        operate(h, e, &e->operations[i]);
    h->stamp++;
    for (size_t i = 0; i < e->n_channels; i++)
        deliver_channel(h, e, e->channels[i]);
}

int64_t
hub_seq(const struct hub *h)
{
    return h->seq;
}

void
hub_skip(struct hub *h, int64_t seq)
{
    h->seq = seq;
}

enum err
hub_join(struct hub *h, struct hub_session *s, const char *system, const char *user,
         const struct hub_audience *audience)
{
    struct hub_listener *l = listener_of(h, system, user);

    /* His channels are those of a later state already: what s would hear between the two would
     * be judged by rights he did not have yet, or had no more. */
    if (l && audience->seq < l->base)
        return ERR_BUSY;
    if (!l)
        l = listener_new(h, system, user, audience);
    s->listener = l;
    s->from = audience->seq;
    s->prev = NULL;
    if ((s->next = l->sessions))
        s->next->prev = s;
    l->sessions = s;
    return ERR_OK;
}

void
hub_leave(struct hub *h, struct hub_session *s)
{
    struct hub_listener *l = s->listener;

    if (!l)
        return;
    if (s->prev)
        s->prev->next = s->next;
    else
        l->sessions = s->next;
    if (s->next)
        s->next->prev = s->prev;
    s->listener = NULL;
    s->prev = s->next = NULL;
    if (!l->sessions)
        listener_free(h, l);
}

size_t
hub_listeners(const struct hub *h)
{
    return h->listeners.n;
}

size_t
hub_channels(const struct hub *h)
{
    return h->channels.n;
}

size_t
hub_links(const struct hub *h)
{
    return h->n_links;
}
