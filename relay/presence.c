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

/* Both graces are constant, so each list is in order of its ends. */
enum { GRACE_NONE, GRACE_NORMAL, GRACE_RESTART, GRACES };

struct user {
    struct strmap_node node;
    char *system, *user;
    int64_t sockets;
    bool written;               /* there is a row */
    bool flying, flying_online; /* in the batch under way, and as what */
    bool dirty;
    struct user *next_dirty;
    int grace;
    int64_t until_ms;
    struct user *prev, *next;   /* in the list of that grace */
};

struct presence {
    struct presence_rules rules;
    struct strmap users;
    struct user *dirty;
    struct { struct user *first, *last; } graces[GRACES];
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
wanted(const struct user *u)
{
    return u->sockets > 0 || u->grace != GRACE_NONE;
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
grace_begin(struct presence *p, struct user *u, int which, int64_t until_ms)
{
    u->grace = which;
    u->until_ms = until_ms;
    u->next = NULL;
    u->prev = p->graces[which].last;
    if (u->prev)
        u->prev->next = u;
    else
        p->graces[which].first = u;
    p->graces[which].last = u;
}

static void
grace_end(struct presence *p, struct user *u)
{
    if (u->grace == GRACE_NONE)
        return;
    if (u->prev)
        u->prev->next = u->next;
    else
        p->graces[u->grace].first = u->next;
    if (u->next)
        u->next->prev = u->prev;
    else
        p->graces[u->grace].last = u->prev;
    u->grace = GRACE_NONE;
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
    if (wanted(u) || u->written || u->flying || u->dirty)
        return;
    strmap_remove(&p->users, &u->node);
    user_free(u);
}

static void
end_graces(struct presence *p, int64_t now_ms)
{
    for (int i = GRACE_NORMAL; i < GRACES; i++) {
        struct user *u;

        while ((u = p->graces[i].first) && u->until_ms <= now_ms) {
            grace_end(p, u);
            mark(p, u);
        }
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
    u->flying = true;
    u->flying_online = wanted(u);
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
    mark(arg, u);
}

/* ---- public ---- */

struct presence *
presence_new(const struct presence_rules *rules)
{
    struct presence *p = mem_new(sizeof *p);

    p->rules = *rules;
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
presence_open(struct presence *p, const char *key, const char *system, const char *user)
{
    struct user *u = find(p, key);

    if (!u) {
        u = mem_new(sizeof *u);
        u->node.key = mem_string(key);
        u->system = mem_string(system);
        u->user = mem_string(user);
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
    bool settled = now_ms >= p->rules.settled_ms;
    int64_t grace = settled ? p->rules.grace_ms : p->rules.restart_grace_ms;

    if (!u || --u->sockets > 0)
        return;
    if (grace > 0)
        grace_begin(p, u, settled ? GRACE_NORMAL : GRACE_RESTART, now_ms + grace);
    else
        mark(p, u);
}

bool
presence_written(const struct presence *p, const char *key)
{
    const struct user *u = find(p, key);

    /* A row that the batch under way is about to remove does not count. */
    return u && u->written && !(u->flying && !u->flying_online);
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
        if (wanted(u) != u->written)
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
    int64_t due = INT64_MAX;

    for (int i = GRACE_NORMAL; i < GRACES; i++)
        if (p->graces[i].first && p->graces[i].first->until_ms < due)
            due = p->graces[i].first->until_ms;
    return due;
}

size_t
presence_users(const struct presence *p)
{
    return p->users.n;
}
