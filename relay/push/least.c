/* least - the first so many by name
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/least.h"

#include <string.h>

static bool
is_above(const struct least *l, size_t i, size_t j)
{
    return strcmp(l->name(l->items[i]), l->name(l->items[j])) > 0;
}

static void
swap(struct least *l, size_t i, size_t j)
{
    void *item = l->items[i];

    l->items[i] = l->items[j];
    l->items[j] = item;
}

/* The root of the first n goes down to its place. */
static void
sink(struct least *l, size_t n)
{
    for (size_t i = 0, child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && is_above(l, child + 1, child))
            child++;
        if (!is_above(l, child, i))
            return;
        swap(l, i, child);
    }
}

void
least_offer(struct least *l, void *item)
{
    size_t i = l->n;

    if (i == l->max) {
        l->more = true;
        if (i > 0 && strcmp(l->name(item), l->name(l->items[0])) < 0) {
            l->items[0] = item;
            sink(l, i);
        }
        return;
    }
    l->items[l->n++] = item;
    for (; i > 0 && is_above(l, i, (i - 1) / 2); i = (i - 1) / 2)
        swap(l, i, (i - 1) / 2);
}

void
least_sort(struct least *l)
{
    for (size_t n = l->n; n > 1; n--) {
        swap(l, 0, n - 1);
        sink(l, n - 1);
    }
}
