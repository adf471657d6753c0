/* hub - channels as arrays of links
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/hub.h"

#include "relay/mem.h"
#include "relay/strmap.h"

#define FIRST_SIZE 2            /* most channels are small: a dialog of two, a user's own */
#define SHRINK_MIN 16           /* arrays of fewer places are never made smaller */

struct hub_channel {
    struct strmap_node node;
    struct hub *hub;
    struct hub_link **links;
    size_t n, size;
    void *data;
};

struct hub {
    struct strmap channels;
    size_t n_links;
};

struct hub *
hub_new(void)
{
    struct hub *h = mem_new(sizeof *h);

    strmap_init(&h->channels);
    return h;
}

void
hub_free(struct hub *h)
{
    if (!h)
        return;
    strmap_fini(&h->channels);
    free(h);
}

struct hub_channel *
hub_find(const struct hub *h, const char *name)
{
    struct strmap_node *node = strmap_find(&h->channels, name);

    return node ? STRMAP_OF(node, struct hub_channel, node) : NULL;
}

struct hub_channel *
hub_get(struct hub *h, const char *name)
{
    struct hub_channel *c = hub_find(h, name);

    if (!c) {
        c = mem_new(sizeof *c);
        c->node.key = mem_string(name);
        c->hub = h;
        strmap_add(&h->channels, &c->node);
    }
    return c;
}

static void
resize(struct hub_channel *c, size_t size)
{
    c->links = mem_grow(c->links, size, sizeof *c->links);
    c->size = size;
}

void
hub_add(struct hub_channel *c, struct hub_link *k)
{
    if (c->n == c->size)
        resize(c, c->size ? c->size * 2 : FIRST_SIZE);
    k->channel = c;
    k->at = c->n++;
    c->links[k->at] = k;
    c->hub->n_links++;
}

void
hub_remove(struct hub *h, struct hub_link *k)
{
    struct hub_channel *c = k->channel;

    if (!c)
        return;
    c->links[k->at] = c->links[--c->n];
    c->links[k->at]->at = k->at;
    k->channel = NULL;
    h->n_links--;
    /* a quarter, not a half: one who comes and goes at the edge must not copy it each time */
    if (c->size >= SHRINK_MIN && c->n <= c->size / 4)
        resize(c, c->size / 2);
    hub_release(h, c);
}

const char *
hub_name(const struct hub_channel *c)
{
    return c->node.key;
}

size_t
hub_count(const struct hub_channel *c)
{
    return c->n;
}

struct hub_link *
hub_at(const struct hub_channel *c, size_t i)
{
    return c->links[i];
}

void
hub_set_data(struct hub_channel *c, void *data)
{
    c->data = data;
}

void *
hub_data(const struct hub_channel *c)
{
    return c->data;
}

void
hub_release(struct hub *h, struct hub_channel *c)
{
    if (c->n > 0 || c->data)
        return;
    strmap_remove(&h->channels, &c->node);
    free((char *)c->node.key);
    free(c->links);
    free(c);
}

void
hub_each(const struct hub *h, bool (*each)(void *arg, struct hub_channel *c), void *arg)
{
    const struct strmap_node *node;

    for (size_t i = 0; i < h->channels.n_slots; i++)
        for (node = h->channels.slots[i]; node; node = node->next)
            if (!each(arg, STRMAP_OF(node, struct hub_channel, node)))
                return;
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
