/* limits - sockets by user
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/limits.h"

#include "relay/mem.h"
#include "relay/strmap.h"

struct holder {
    struct strmap_node node;
    int64_t n;
};

struct limits {
    struct strmap holders;
    int64_t per_user;
};

static struct holder *
find(const struct limits *l, const char *key)
{
    struct strmap_node *node = strmap_find(&l->holders, key);

    return node ? STRMAP_OF(node, struct holder, node) : NULL;
}

static void
drop(void *arg, struct strmap_node *node)
{
    struct holder *h = STRMAP_OF(node, struct holder, node);

    strmap_remove(arg, node);
    free((char *)h->node.key);
    free(h);
}

struct limits *
limits_new(int64_t per_user)
{
    struct limits *l = mem_new(sizeof *l);

    strmap_init(&l->holders);
    l->per_user = per_user;
    return l;
}

void
limits_free(struct limits *l)
{
    if (!l)
        return;
    strmap_each(&l->holders, drop, &l->holders);
    strmap_fini(&l->holders);
    free(l);
}

bool
limits_take(struct limits *l, const char *key)
{
    struct holder *h = find(l, key);

    if (h && h->n >= l->per_user)
        return false;
    if (!h) {
        h = mem_new(sizeof *h);
        h->node.key = mem_string(key);
        strmap_add(&l->holders, &h->node);
    }
    h->n++;
    return true;
}

void
limits_give(struct limits *l, const char *key)
{
    struct holder *h = find(l, key);

    if (h && --h->n == 0)
        drop(&l->holders, &h->node);
}

size_t
limits_users(const struct limits *l)
{
    return l->holders.n;
}
