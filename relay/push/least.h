/* least - the first so many by name of all that are offered, without sorting all
 *
 * For pages of listings, where there may be very many. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_LEAST_H
#define RELAY_PUSH_LEAST_H

#include <stdbool.h>
#include <stddef.h>

/* name, items (room for max) and max are the caller's. */
struct least {
    const char *(*name)(const void *item);
    void **items;           /* until least_sort a heap, the greatest name first */
    size_t n, max;
    bool more;              /* something found no place */
};

void least_offer(struct least *l, void *item);

/* The items in the order of their names; nothing may be offered behind it. */
void least_sort(struct least *l);

#endif
