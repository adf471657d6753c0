/* presence - see the header
 *
 * A user is wanted online while he has sockets or a grace runs; `written` is what his row says.
 * Where the two differ he is queued in `dirty`; whether they still differ is looked at when the
 * batch is made, so a reconnect in between writes nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/presence.h"

#include "relay/mem.h"
#include "relay/strmap.h"

struct user {
    struct strmap_node node;
    char *system, *user;
    int64_t sockets;
    bool strict;
    bool over;                  /* strict: his last socket closed, which is to be written whoever came since */
    bool written;               /* there is a row */
    bool unsure;                /* or there may be one all the same */
    bool flying, flying_online; /* in the batch under way, and as what */
    bool dirty;
    struct user *next_dirty;
    bool grace;                 /* outlives his last socket until ... */
    int64_t until_ms;
    struct user *prev, *next;   /* in the list of graces */
};

struct presence {
    int64_t grace_ms;
    struct strmap users;
    struct user *dirty;
    struct user *first_grace, *last_grace;      /* in order of their ends: all last equally long */
    struct live_change *changes;
    struct user **flying;
    size_t n_flying, size;
};

static struct user *
find(const struct presence *p, const char *key)
{
    struct strmap_node *node = strmap_find(&p->users, key);

    return node ? STRMAP_OF(node, struct user, node) : NULL;
}

static bool
here(const struct user *u)
{
    return u->sockets > 0 || u->grace;
}

/* As what the next batch should have him. */
static bool
wanted(const struct user *u)
{
    return here(u) && !u->over;
}

static void
mark(struct presence *p, struct user *u)
{
    if (u->dirty)
        return;
    u->dirty = true;
    u->next_dirty = p->dirty;
    p->dirty = u;
}

static void
grace_begin(struct presence *p, struct user *u, int64_t until_ms)
{
    u->grace = true;
    u->until_ms = until_ms;
    u->next = NULL;
    u->prev = p->last_grace;
    if (u->prev)
        u->prev->next = u;
    else
        p->first_grace = u;
    p->last_grace = u;
}

static void
grace_end(struct presence *p, struct user *u)
{
    if (!u->grace)
        return;
    if (u->prev)
        u->prev->next = u->next;
    else
        p->first_grace = u->next;
    if (u->next)
        u->next->prev = u->prev;
    else
        p->last_grace = u->prev;
    u->grace = false;
}

static void
user_free(struct user *u)
{
    free((char *)u->node.key);
    free(u->system);
    free(u->user);
    free(u);
}

static void
forget_if_done(struct presence *p, struct user *u)
{
    if (here(u) || u->written || u->flying || u->dirty)
        return;
    strmap_remove(&p->users, &u->node);
    user_free(u);
}

static void
end_graces(struct presence *p, int64_t now_ms)
{
    struct user *u;

    while ((u = p->first_grace) && u->until_ms <= now_ms) {
        grace_end(p, u);
        mark(p, u);
    }
}

static void
fly(struct presence *p, struct user *u)
{
    if (p->n_flying == p->size) {
        p->size = p->size ? p->size * 2 : 64;
        p->changes = mem_grow(p->changes, p->size, sizeof *p->changes);
        p->flying = mem_grow(p->flying, p->size, sizeof *p->flying);
    }
    u->unsure = false;
    u->flying = true;
    u->flying_online = wanted(u);
    u->over = false;
    p->flying[p->n_flying] = u;
    p->changes[p->n_flying++] = (struct live_change){ u->system, u->user, u->flying_online };
}

static void
free_one(void *arg, struct strmap_node *node)
{
    (void)arg;
    user_free(STRMAP_OF(node, struct user, node));
}

static void
rewrite_one(void *arg, struct strmap_node *node)
{
    struct user *u = STRMAP_OF(node, struct user, node);

    u->written = false;
    u->unsure = true;       /* unless somebody has swept: who just left must be removed */
    mark(arg, u);
}

/* ---- public ---- */

struct presence *
presence_new(int64_t grace_ms)
{
    struct presence *p = mem_new(sizeof *p);

    p->grace_ms = grace_ms;
    strmap_init(&p->users);
    return p;
}

void
presence_free(struct presence *p)
{
    if (!p)
        return;
    strmap_each(&p->users, free_one, NULL);
    strmap_fini(&p->users);
    free(p->changes);
    free(p->flying);
    free(p);
}

void
presence_open(struct presence *p, const char *key, const char *system, const char *user,
              bool strict)
{
    struct user *u = find(p, key);

    if (!u) {
        u = mem_new(sizeof *u);
        u->node.key = mem_string(key);
        u->system = mem_string(system);
        u->user = mem_string(user);
        u->strict = strict;
        strmap_add(&p->users, &u->node);
    }
    if (u->sockets++ == 0) {
        grace_end(p, u);
        mark(p, u);
    }
}

void
presence_close(struct presence *p, const char *key, int64_t now_ms)
{
    struct user *u = find(p, key);

    if (!u || --u->sockets > 0)
        return;
    if (p->grace_ms > 0 && !u->strict) {
        grace_begin(p, u, now_ms + p->grace_ms);
        return;
    }
    u->over = u->strict;
    mark(p, u);
}

bool
presence_written(const struct presence *p, const char *key)
{
    const struct user *u = find(p, key);

    /* A row that this batch or the next one removes does not count. */
    return u && u->written && !u->over && !(u->flying && !u->flying_online);
}

size_t
presence_batch(struct presence *p, int64_t now_ms, const struct live_change **changes_r)
{
    struct user *u, *next;

    if (p->n_flying > 0)
        return 0;
    end_graces(p, now_ms);
    u = p->dirty;
    p->dirty = NULL;
    for (; u; u = next) {
        next = u->next_dirty;
        u->dirty = false;
        u->over = u->over && (u->written || u->unsure);     /* what nobody wrote needs no end */
        if (wanted(u) != u->written || u->unsure)
            fly(p, u);
        else
            forget_if_done(p, u);
    }
    *changes_r = p->changes;
    return p->n_flying;
}

void
presence_done(struct presence *p, bool written)
{
    size_t n = p->n_flying;

    p->n_flying = 0;
    for (size_t i = 0; i < n; i++) {
        struct user *u = p->flying[i];

        u->flying = false;
        if (!written && !u->flying_online)
            u->over = u->strict;
        /* When it failed, what came of it is unknown: whatever is wanted is written again. */
        u->written = written ? u->flying_online : !wanted(u);
        if (wanted(u) != u->written)
            mark(p, u);
        forget_if_done(p, u);
    }
}

void
presence_rewrite(struct presence *p)
{
    strmap_each(&p->users, rewrite_one, p);
}

int64_t
presence_due(const struct presence *p)
{
    return p->first_grace ? p->first_grace->until_ms : INT64_MAX;
}

size_t
presence_users(const struct presence *p)
{
    return p->users.n;
}
