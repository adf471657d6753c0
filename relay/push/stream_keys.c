/* stream_keys - idempotency keys: a map, and a list in the order of time
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/stream_keys.h"

#include "relay/mem.h"

/* Behind the edge a channel's name has no control characters, so a line end parts it from the key. */
static size_t
text_size(const char *channel, const char *key)
{
    return strlen(channel) + 1 + strlen(key) + 1;
}

static void
put_text(char *to, const char *channel, const char *key)
{
    size_t len = strlen(channel);

    memcpy(to, channel, len);
    to[len] = '\n';
    memcpy(to + len + 1, key, strlen(key) + 1);
}

static struct stream_key *
find(struct stream_keys *k, const char *channel, const char *key)
{
    size_t size = text_size(channel, key);
    char on_stack[512], *text = size <= sizeof on_stack ? on_stack : mem_new(size);
    struct strmap_node *node;

    put_text(text, channel, key);
    node = strmap_find(&k->map, text);
    if (text != on_stack)
        free(text);
    return node ? STRMAP_OF(node, struct stream_key, node) : NULL;
}

void
stream_keys_init(struct stream_keys *k)
{
    *k = (struct stream_keys){ 0 };
    strmap_init(&k->map);
}

void
stream_keys_fini(struct stream_keys *k)
{
    while (k->oldest)
        stream_keys_remove(k, k->oldest);
    strmap_fini(&k->map);
}

struct stream_key *
stream_keys_find(struct stream_keys *k, const char *channel, const char *key, int64_t since_ms)
{
    struct stream_key *found = find(k, channel, key);

    return found && (found->time_ms > since_ms || !found->answered) ? found : NULL;
}

struct stream_key *
stream_keys_add(struct stream_keys *k, const char *channel, const char *key, int64_t now_ms,
                const struct stream_position *at)
{
    struct stream_key *new, *old = find(k, channel, key);
    size_t size = text_size(channel, key);

    if (old)
        stream_keys_remove(k, old);
    new = mem_new(sizeof *new + size);
    put_text(new->text, channel, key);
    new->time_ms = now_ms;
    if (at) {
        new->answered = true;
        new->at = *at;
    }
    new->node.key = new->text;
    strmap_add(&k->map, &new->node);
    new->prev = k->newest;
    *(k->newest ? &k->newest->next : &k->oldest) = new;
    k->newest = new;
    k->bytes += sizeof *new + size;
    return new;
}

void
stream_keys_remove(struct stream_keys *k, struct stream_key *key)
{
    strmap_remove(&k->map, &key->node);
    *(key->prev ? &key->prev->next : &k->oldest) = key->next;
    *(key->next ? &key->next->prev : &k->newest) = key->prev;
    k->bytes -= sizeof *key + strlen(key->text) + 1;
    free(key);
}

size_t
stream_keys_cost(const char *channel, const char *key)
{
    return sizeof(struct stream_key) + text_size(channel, key);
}
