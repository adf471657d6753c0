/* hook_item - one event as JSON, ready to be posted
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_HOOK_ITEM_H
#define RELAY_PUSH_HOOK_ITEM_H

#include <stdint.h>

#include "relay/push/hook.h"
#include "shared/sbuf.h"

struct hook_item {
    struct hook_item *next;
    int64_t lost;                   /* 0: an event; else it tells of so many that were lost */
    char json[];
};

struct hook_item *hook_item_new(int64_t now_ms, const struct hook_event *e);
struct hook_item *hook_item_lost(int64_t now_ms, int64_t n);
void hook_items_free(struct hook_item *list);       /* NULL is fine */

/* The JSON of hook_item_lost alone. */
void hook_write_lost(struct sbuf *b, int64_t now_ms, int64_t n);

#endif
