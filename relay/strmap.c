/* strmap - chained hash table with embedded nodes
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/strmap.h"

#include <string.h>
#include <sys/random.h>

#include "relay/mem.h"

#define FIRST_SLOTS 64      /* a power of two, as every later size */

static uint64_t
mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    return x ^ x >> 32;
}

/* Eight bytes at a time, each round mixed with the seed's descendant. */
static uint64_t
hash_of(const struct strmap *m, const char *key)
{
    size_t len = strlen(key);
    uint64_t h = mix(m->seed ^ len), word;

    for (; len >= 8; key += 8, len -= 8) {
        memcpy(&word, key, 8);
        h = mix(h ^ word) + m->seed;
    }
    word = 0;
    memcpy(&word, key, len);
    return mix(h ^ word);
}

static void
grow(struct strmap *m)
{
    size_t n = m->n_slots * 2;
    struct strmap_node **slots = mem_new(n * sizeof *slots), *node, *next;

    for (size_t i = 0; i < m->n_slots; i++)
        for (node = m->slots[i]; node; node = next) {
            next = node->next;
            node->next = slots[node->hash & (n - 1)];
            slots[node->hash & (n - 1)] = node;
        }
    free(m->slots);
    m->slots = slots;
    m->n_slots = n;
}

void
strmap_init(struct strmap *m)
{
    m->n = 0;
    m->n_slots = FIRST_SLOTS;
    m->slots = mem_new(m->n_slots * sizeof *m->slots);
    if (getrandom(&m->seed, sizeof m->seed, GRND_NONBLOCK) != sizeof m->seed)
        m->seed = mix((uint64_t)(uintptr_t)m->slots);   /* only before the kernel has entropy */
}

void
strmap_fini(struct strmap *m)
{
    free(m->slots);
    m->slots = NULL;
    m->n = m->n_slots = 0;
}

struct strmap_node *
strmap_find(const struct strmap *m, const char *key)
{
    uint64_t hash = hash_of(m, key);
    struct strmap_node *node = m->slots[hash & (m->n_slots - 1)];

    while (node && (node->hash != hash || strcmp(node->key, key) != 0))
        node = node->next;
    return node;
}

void
strmap_add(struct strmap *m, struct strmap_node *node)
{
    struct strmap_node **slot;

    if (m->n >= m->n_slots)
        grow(m);
    node->hash = hash_of(m, node->key);
    slot = &m->slots[node->hash & (m->n_slots - 1)];
    node->next = *slot;
    *slot = node;
    m->n++;
}

void
strmap_remove(struct strmap *m, struct strmap_node *node)
{
    struct strmap_node **p = &m->slots[node->hash & (m->n_slots - 1)];

    while (*p != node)
        p = &(*p)->next;
    *p = node->next;
    node->next = NULL;
    m->n--;
}

void
strmap_each(struct strmap *m, void (*each)(void *arg, struct strmap_node *node), void *arg)
{
    struct strmap_node *node, *next;

    for (size_t i = 0; i < m->n_slots; i++)
        for (node = m->slots[i]; node; node = next) {
            next = node->next;
            each(arg, node);
        }
}
