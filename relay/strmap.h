/* strmap - structs found by a text
 *
 * A chained hash table of nodes that are embedded in the structs; it owns neither them nor
 * their keys. The hash is seeded, so that nobody outside can choose names that meet.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_STRMAP_H
#define RELAY_STRMAP_H

#include <stddef.h>
#include <stdint.h>

struct strmap_node {
    struct strmap_node *next;
    uint64_t hash;
    const char *key;            /* set by the caller before strmap_add; unchanged until removed */
};

struct strmap {
    struct strmap_node **slots;
    size_t n, n_slots;
    uint64_t seed;
};

void strmap_init(struct strmap *m);
void strmap_fini(struct strmap *m);         /* the nodes are the caller's */

/* The node with that key; NULL. */
struct strmap_node *strmap_find(const struct strmap *m, const char *key);

/* Adds a node whose key is not in the map. */
void strmap_add(struct strmap *m, struct strmap_node *node);

/* Removes a node that is in the map. */
void strmap_remove(struct strmap *m, struct strmap_node *node);

/* Calls each for every node; each may remove (and free) the node it is given, no other. */
void strmap_each(struct strmap *m, void (*each)(void *arg, struct strmap_node *node), void *arg);

/* The struct of type around a node that is its named member. */
#define STRMAP_OF(node, type, member) \
    ((type *)(void *)((char *)(node) - offsetof(type, member)))

#endif
