/* audience - listeners on the channels of a hub, moved by operations
 *
 * A place is a listener's link in a channel. The hub keeps a channel's places in an array, since
 * delivery walks it; a listener keeps its own in a list; and a hash table over the pair finds one, so
 * that every operation costs the same however many channels or listeners there are.
 *
 * An event names several channels and a listener may hear more than one of them: each event has
 * a stamp, which the listener takes on first delivery.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/audience.h"

#include <stdio.h>

#include "relay/hub.h"
#include "relay/mem.h"
#include "relay/strmap.h"

#define FIRST_SLOTS 256         /* of the table of places; a power of two */
#define USER_PREFIX "user:"

struct place {
    struct hub_link link;               /* first */
    struct audience_listener *listener;
    struct place *next_here;            /* same slot of the table */
    struct place *prev, *next;          /* same listener */
};

struct audience_listener {
    struct strmap_node node;            /* key: his `user:` channel; in the map unless fixed */
    char *system;
    const char *user;                   /* inside node.key */
    bool fixed;                         /* to its places: a session by itself */
    struct place *places;
    struct audience_session *sessions;
    uint64_t stamp;                     /* of the last event he got */
    int64_t base;                       /* his channels are those of this seq, or of the audience's
                                           when that is later */
};

struct audience {
    const struct audience_calls *calls;
    void *arg;
    int64_t seq;
    uint64_t stamp;
    struct hub *hub;
    struct strmap listeners;
    size_t n_listeners;                 /* fixed ones, too */
    struct place **table;
    size_t n_slots;
};

/* ---- places ---- */

static struct place *
place_of(struct hub_link *k)
{
    return (struct place *)k;
}

static struct audience_listener *
listener_at(const struct hub_channel *c, size_t i)
{
    return place_of(hub_at(c, i))->listener;
}

static size_t
slot_of(const struct audience *a, const struct hub_channel *c, const struct audience_listener *l)
{
    uint64_t x = (uint64_t)(uintptr_t)c * 0x9e3779b97f4a7c15u ^ (uint64_t)(uintptr_t)l;

    x *= 0xd6e8feb86659fd93u;
    return (size_t)(x >> 20) & (a->n_slots - 1);
}

static struct place *
place_find(const struct audience *a, const struct hub_channel *c, const struct audience_listener *l)
{
    struct place *p = a->table[slot_of(a, c, l)];

    while (p && (p->link.channel != c || p->listener != l))
        p = p->next_here;
    return p;
}

static void
table_add(struct audience *a, struct place *p)
{
    struct place **slot = &a->table[slot_of(a, p->link.channel, p->listener)];

    p->next_here = *slot;
    *slot = p;
}

static void
table_grow(struct audience *a)
{
    struct place **old = a->table, *p, *next;
    size_t n = a->n_slots;

    a->n_slots = n * 2;
    a->table = mem_new(a->n_slots * sizeof *a->table);
    for (size_t i = 0; i < n; i++)
        for (p = old[i]; p; p = next) {
            next = p->next_here;
            table_add(a, p);
        }
    free(old);
}

static void
table_remove(struct audience *a, struct place *p)
{
    struct place **at = &a->table[slot_of(a, p->link.channel, p->listener)];

    while (*at != p)
        at = &(*at)->next_here;
    *at = p->next_here;
}

static void
place_add(struct audience *a, struct audience_listener *l, const char *name)
{
    struct hub_channel *c = hub_get(a->hub, name);
    struct place *p;

    if (place_find(a, c, l))
        return;
    if (hub_links(a->hub) >= a->n_slots)
        table_grow(a);
    p = mem_new(sizeof *p);
    p->listener = l;
    hub_add(c, &p->link);
    table_add(a, p);
    if ((p->next = l->places))
        p->next->prev = p;
    l->places = p;
}

/* The channel goes with its last place. */
static void
place_remove(struct audience *a, struct place *p)
{
    table_remove(a, p);
    if (p->prev)
        p->prev->next = p->next;
    else
        p->listener->places = p->next;
    if (p->next)
        p->next->prev = p->prev;
    hub_remove(a->hub, &p->link);
    free(p);
}

/* ---- listeners ---- */

static struct audience_listener *
listener_find(const struct audience *a, const char *user_channel)
{
    struct strmap_node *node = strmap_find(&a->listeners, user_channel);

    return node ? STRMAP_OF(node, struct audience_listener, node) : NULL;
}

static struct audience_listener *
listener_of(const struct audience *a, const char *system, const char *user)
{
    char name[EVENT_CHANNEL_MAX + 1];

    snprintf(name, sizeof name, USER_PREFIX "%s:%s", system, user);
    return listener_find(a, name);
}

static struct audience_listener *
listener_new(struct audience *a, const char *system, const char *user,
             const struct audience_state *state)
{
    struct audience_listener *l = mem_new(sizeof *l);
    char name[EVENT_CHANNEL_MAX + 1];

    snprintf(name, sizeof name, USER_PREFIX "%s:%s", system, user);
    l->node.key = mem_string(name);
    l->user = l->node.key + strlen(USER_PREFIX) + strlen(system) + 1;
    l->system = mem_string(system);
    l->base = state->seq;
    for (size_t i = 0; i < state->n; i++)
        place_add(a, l, state->channels[i]);
    a->n_listeners++;
    return l;
}

static struct audience_listener *
user_new(struct audience *a, const char *system, const char *user,
         const struct audience_state *state)
{
    struct audience_listener *l = listener_new(a, system, user, state);
    char name[EVENT_CHANNEL_MAX + 1];

    strmap_add(&a->listeners, &l->node);
    snprintf(name, sizeof name, "system:%s", system);
    place_add(a, l, name);
    return l;
}

static void
listener_free(struct audience *a, struct audience_listener *l)
{
    while (l->places)
        place_remove(a, l->places);
    if (!l->fixed)
        strmap_remove(&a->listeners, &l->node);
    a->n_listeners--;
    free((char *)l->node.key);
    free(l->system);
    free(l);
}

static void
session_add(struct audience_listener *l, struct audience_session *s, int64_t from)
{
    s->listener = l;
    s->from = from;
    s->prev = NULL;
    if ((s->next = l->sessions))
        s->next->prev = s;
    l->sessions = s;
}

/* ---- operations ---- */

/* Does a listener whose channels are of a later state know this event's operations already? */
static bool
knows(const struct audience_listener *l, const struct event *e)
{
    return e->seq <= l->base;
}

static void
gone(struct audience *a, const struct event *e, struct hub_channel *c)
{
    /* From the end: a removal moves the last link into its place, which was seen already. c goes
     * with its last link, when i is 0. */
    for (size_t i = hub_count(c); i-- > 0; )
        if (!knows(listener_at(c, i), e))
            place_remove(a, place_of(hub_at(c, i)));
}

static void
close_sessions(struct audience *a, const struct event *e, const struct event_operation *op,
               const struct audience_listener *l)
{
    for (struct audience_session *s = l->sessions; s; s = s->next)
        if (e->seq > s->from)
            a->calls->close(a->arg, s, op->code, op->reason);
}

static void
close_channel(struct audience *a, const struct event *e, const struct event_operation *op)
{
    struct audience_listener *l = listener_find(a, op->channel);
    struct hub_channel *c = hub_find(a->hub, op->channel);

    if (l)
        close_sessions(a, e, op, l);
    for (size_t i = 0; c && i < hub_count(c); i++)
        close_sessions(a, e, op, listener_at(c, i));
}

static void
operate(struct audience *a, const struct event *e, const struct event_operation *op)
{
    struct audience_listener *l;
    struct hub_channel *c;
    struct place *p;

    switch (op->verb) {
    case EVENT_JOIN:
        if ((l = listener_of(a, e->system, op->user)) && !knows(l, e))
            place_add(a, l, op->channel);
        break;
    case EVENT_LEAVE:
        if ((l = listener_of(a, e->system, op->user)) && !knows(l, e)
            && (c = hub_find(a->hub, op->channel)) && (p = place_find(a, c, l)))
            place_remove(a, p);
        break;
    case EVENT_GONE:
        if ((c = hub_find(a->hub, op->channel)))
            gone(a, e, c);
        break;
    case EVENT_CLOSE:
        close_channel(a, e, op);
        break;
    }
}

/* ---- delivery ---- */

static void
deliver(struct audience *a, const struct event *e, struct audience_listener *l)
{
    if (l->stamp == a->stamp)
        return;
    l->stamp = a->stamp;
    if (e->except && strcmp(e->except, l->user) == 0 && strcmp(e->system, l->system) == 0)
        return;
    for (struct audience_session *s = l->sessions; s; s = s->next)
        if (e->seq > s->from)
            a->calls->deliver(a->arg, s, e);
}

static void
deliver_channel(struct audience *a, const struct event *e, const char *name)
{
    struct audience_listener *l;
    struct hub_channel *c;

    if (strncmp(name, USER_PREFIX, strlen(USER_PREFIX)) == 0 && (l = listener_find(a, name)))
        deliver(a, e, l);
    if ((c = hub_find(a->hub, name)))
        for (size_t i = 0; i < hub_count(c); i++)
            deliver(a, e, listener_at(c, i));
}

/* ---- public ---- */

struct audience *
audience_new(int64_t seq, const struct audience_calls *calls, void *arg)
{
    struct audience *a = mem_new(sizeof *a);

    a->calls = calls;
    a->arg = arg;
    a->seq = seq;
    a->hub = hub_new();
    strmap_init(&a->listeners);
    a->n_slots = FIRST_SLOTS;
    a->table = mem_new(a->n_slots * sizeof *a->table);
    return a;
}

void
audience_free(struct audience *a)
{
    if (!a)
        return;
    hub_free(a->hub);
    strmap_fini(&a->listeners);
    free(a->table);
    free(a);
}

void
audience_apply(struct audience *a, const struct event *e)
{
    a->seq = e->seq;
    for (size_t i = 0; i < e->n_operations; i++)
        operate(a, e, &e->operations[i]);
    a->stamp++;
    for (size_t i = 0; i < e->n_channels; i++)
        deliver_channel(a, e, e->channels[i]);
}

int64_t
audience_seq(const struct audience *a)
{
    return a->seq;
}

void
audience_skip(struct audience *a, int64_t seq)
{
    a->seq = seq;
}

enum err
audience_join(struct audience *a, struct audience_session *s, const char *system, const char *user,
              const struct audience_state *state)
{
    struct audience_listener *l = listener_of(a, system, user);

    /* His channels are those of a later state already: what s would hear between the two would
     * be judged by rights he did not have yet, or had no more. */
    if (l && state->seq < l->base)
        return ERR_BUSY;
    if (!l)
        l = user_new(a, system, user, state);
    session_add(l, s, state->seq);
    return ERR_OK;
}

void
audience_fix(struct audience *a, struct audience_session *s, const char *system, const char *user,
             const struct audience_state *state)
{
    struct audience_listener *l = listener_new(a, system, user, state);

    l->fixed = true;
    session_add(l, s, state->seq);
}

void
audience_leave(struct audience *a, struct audience_session *s)
{
    struct audience_listener *l = s->listener;

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
        listener_free(a, l);
}

size_t
audience_listeners(const struct audience *a)
{
    return a->n_listeners;
}

size_t
audience_channels(const struct audience *a)
{
    return hub_channels(a->hub);
}

size_t
audience_links(const struct audience *a)
{
    return hub_links(a->hub);
}
