/* hook_item - events written as JSON
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/hook_item.h"

#include "relay/mem.h"
#include "shared/json.h"

static const char *const kind_names[] = {
    [HOOK_CONNECT] = "connect", [HOOK_DISCONNECT] = "disconnect",
    [HOOK_FIRST_JOIN] = "first_join", [HOOK_LAST_LEAVE] = "last_leave",
    [HOOK_OCCUPIED] = "occupied", [HOOK_VACATED] = "vacated",
};

static void
kv_given(struct sbuf *b, const char *name, const char *value)
{
    if (value)
        json_kv(b, name, value);
}

static void
open_event(struct sbuf *b, const char *type, int64_t now_ms)
{
    json_open(b, '{');
    json_kv(b, "type", type);
    json_kv_int(b, "time", now_ms);
}

static void
write_event(struct sbuf *b, int64_t now_ms, const struct hook_event *e)
{
    open_event(b, kind_names[e->kind], now_ms);
    kv_given(b, "client", e->client);
    kv_given(b, "user", e->user);
    kv_given(b, "channel", e->channel);
    if (e->code)
        json_kv_int(b, "code", e->code);
    kv_given(b, "reason", e->reason);
    json_close(b, '}');
}

/* Frees json. */
static struct hook_item *
item_of(struct sbuf *json, int64_t lost)
{
    struct hook_item *i;

    if (json->failed)
        arena_exhausted(json->len);     /* what is written is bounded where it came in */
    i = mem_new(sizeof *i + json->len + 1);
    i->lost = lost;
    memcpy(i->json, json->data, json->len);
    sbuf_fini(json);
    return i;
}

struct hook_item *
hook_item_new(int64_t now_ms, const struct hook_event *e)
{
    struct sbuf b;

    sbuf_init(&b, SIZE_MAX / 2);
    write_event(&b, now_ms, e);
    return item_of(&b, 0);
}

struct hook_item *
hook_item_lost(int64_t now_ms, int64_t n)
{
    struct sbuf b;

    sbuf_init(&b, SIZE_MAX / 2);
    hook_write_lost(&b, now_ms, n);
    return item_of(&b, n);
}

void
hook_items_free(struct hook_item *list)
{
    struct hook_item *i;

    while ((i = list)) {
        list = i->next;
        free(i);
    }
}

void
hook_write_lost(struct sbuf *b, int64_t now_ms, int64_t n)
{
    open_event(b, "lost", now_ms);
    json_kv_int(b, "count", n);
    json_close(b, '}');
}
