/* op_webhook - what is to be posted to webhooks: written down, claimed, settled
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/webhook.h"

#include <string.h>

#include "shared/chat/room_private.h"
#include "shared/log.h"

/* What the pauses between tries are multiplied with; after the last it is given up. */
static const int64_t pauses[] = { 1, 5, 25 };
#define PAUSES (sizeof pauses / sizeof *pauses)

#define SETTLING_MS 1000        /* of a claim, beside posting and waiting for the writers' line */
#define SHARE 4                 /* one account gets this part of the posts at once */

/* ---- writing down ---- */

static enum err
shed(struct op *o, int64_t key)
{
    struct store s = op_store(o);
    int64_t n;
    enum err e = store_webhook_shed(&s, key, o->config->rooms_webhook_queue, &n);

    if (e == ERR_OK && n > 0)
        log_event(LOG_LEVEL_WARNING, "webhook", "why", "too many wait: the oldest are given up", "key",
                  log_number(key), "dropped", log_number(n), NULL);
    return e;
}

enum err
room_tell_webhooks(struct op *o, int64_t room, const struct room_entry *entry)
{
    struct store s = op_store(o);
    int64_t *keys;
    size_t n;
    enum err e;

    if (!o->config->rooms_webhooks || entry->sender == NULL
        || strcmp(entry->sender, ROOM_SENDER_USER) != 0)
        return ERR_OK;
    e = store_webhook_insert(&s, room, entry, &keys, &n);
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        e = shed(o, keys[i]);
    return e;
}

/* ---- claiming ---- */

/* Those of them that nobody else has claimed meanwhile. */
static enum err
claim(struct op *o, const int64_t *ids, size_t n, struct webhook *list, size_t *n_r)
{
    const struct config *c = o->config;
    int64_t until = o->now_ms + c->rooms_webhook_timeout_ms + c->write_wait_ms + SETTLING_MS;
    struct store s = op_store(o);
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        e = store_webhook_claim(&s, ids[i], until, &list[*n_r]);
        *n_r += e == ERR_OK;
        if (e == ERR_NOT_FOUND)
            e = ERR_OK;
    }
    return tx_end(o, e);
}

enum err
op_webhook_claim(struct op *o, int64_t limit, struct webhook **list_r, size_t *n_r,
                 int64_t *next_ms_r)
{
    int64_t share = (o->config->rooms_webhook_posts + SHARE - 1) / SHARE, *ids;
    struct store s = op_store(o);
    size_t n;
    enum err e;

    *n_r = 0;
    *next_ms_r = 0;
    if ((e = store_webhook_pick(&s, share, limit, &ids, &n)) != ERR_OK)
        return e;
    *list_r = arena_array(o->arena, n, sizeof **list_r);
    if (n > 0)
        e = claim(o, ids, n, *list_r, n_r);
    return e == ERR_OK ? store_webhook_next(&s, next_ms_r) : e;
}

/* ---- settling ---- */

static enum err
settle(struct op *o, const struct webhook_result *r)
{
    struct store s = op_store(o);

    if (r->why == NULL)
        return store_webhook_delete(&s, r->id, r->until_ms);
    if (r->tries < (int64_t)PAUSES)
        return store_webhook_again(&s, r->id, r->until_ms,
                                   o->now_ms + pauses[r->tries] * o->config->rooms_webhook_pause_ms);
    log_event(LOG_LEVEL_WARNING, "webhook", "why", "given up", "key", log_number(r->key), "delivery",
              r->uid, "last", r->why, NULL);
    return store_webhook_delete(&s, r->id, r->until_ms);
}

enum err
op_webhook_settle(struct op *o, const struct webhook_result *results, size_t n)
{
    enum err e = tx_begin(o);

    if (e != ERR_OK)
        return e;
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        e = settle(o, &results[i]);
    return tx_end(o, e);
}
