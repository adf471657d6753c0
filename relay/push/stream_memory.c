/* stream_memory - the store in this process: numbers and windows
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/stream_private.h"

#include <sys/random.h>

#include "relay/io.h"
#include "relay/mem.h"
#include "relay/metrics.h"
#include "shared/when.h"

#define LOOK_AGAIN_MS 60000     /* at a stream that is over but for somebody present */
#define PENDING_AGAIN_MS 1000   /* ... but for what is being written */

int64_t
stream_now(const struct memory *m)
{
    return m->o.now_ms ? m->o.now_ms() : when_now_ms();
}

/* 40 bits, spelled so that nobody reads a number in it. */
void
stream_new_epoch(char epoch[STREAM_EPOCH_SIZE])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGH";
    static uint64_t again;
    unsigned char random[STREAM_EPOCH_SIZE - 1];

    if (getrandom(random, sizeof random, 0) != sizeof random) {
        again += (uint64_t)when_now_ms() * 0x9e3779b97f4a7c15u;
        memcpy(random, &again, sizeof random);
    }
    for (size_t i = 0; i < sizeof random; i++)
        epoch[i] = letters[random[i] % 32];
    epoch[sizeof random] = '\0';
}

void
stream_set_text(char **to, const char *text)
{
    if (strcmp(stream_text(*to), stream_text(text)) == 0)
        return;
    free(*to);
    *to = text && *text ? mem_string(text) : NULL;
}

/* ---- streams ---- */

size_t
stream_size(const char *channel)
{
    return sizeof(struct stream) + strlen(channel) + 1;
}

struct stream *
stream_find(struct memory *m, const char *channel)
{
    struct strmap_node *node = strmap_find(&m->streams, channel);

    return node ? STRMAP_OF(node, struct stream, node) : NULL;
}

struct stream *
stream_get(struct memory *m, const char *channel)
{
    struct stream *s = stream_find(m, channel);

    if (s)
        return s;
    s = mem_new(stream_size(channel));
    memcpy(s->channel, channel, strlen(channel) + 1);
    s->first = 1;
    s->node.key = s->channel;
    strmap_add(&m->streams, &s->node);
    m->bytes += stream_size(channel);
    return s;
}

size_t
stream_cost(const struct publication *p)
{
    return publication_size(p) + sizeof p;
}

static void
drop_oldest(struct memory *m, struct stream *s)
{
    struct publication *p = window_pop(&s->window);

    m->bytes -= stream_cost(p);
    m->n_publications--;
    s->first = p->offset + 1;
    publication_unref(p);
}

void
stream_drop_until(struct memory *m, struct stream *s, uint64_t first)
{
    while (s->window.n > 0 && window_get(&s->window, 0)->offset < first)
        drop_oldest(m, s);
    s->first = stream_later(s->first, first);
}

void
stream_free(struct memory *m, struct stream *s)
{
    stream_due_set(m, s, 0);
    while (s->window.n > 0)
        drop_oldest(m, s);
    m->bytes -= stream_size(s->channel);
    strmap_remove(&m->streams, &s->node);
    if (s->file)
        free(s->file->version_epoch);
    free(s->file);
    free(s->version_epoch);
    free(s);
}

void
stream_trim(struct memory *m, struct stream *s, int64_t now)
{
    uint64_t size = (uint64_t)s->rules.size;

    if (s->top > size)
        stream_drop_until(m, s, s->top - size + 1);
    while (s->window.n > 0 && window_get(&s->window, 0)->time_ms + s->rules.ttl_ms <= now)
        drop_oldest(m, s);
}

/* Epoch and top go. Those to come begin with another epoch, so that no position means two things. */
static void
forget(struct memory *m, struct stream *s)
{
    if (s->file)
        stream_written_forget(m, s);
    else
        stream_new_epoch(m->epoch);
    s->top = 0;
    s->first = 1;
    s->epoch[0] = '\0';
    s->version = 0;
    stream_set_text(&s->version_epoch, NULL);
}

int64_t
stream_next_due(const struct stream *s, int64_t now)
{
    int64_t due;

    if (s->top == 0)
        return stream_pends(s) ? now + PENDING_AGAIN_MS : 0;
    due = s->window.n > 0 ? window_get(&s->window, 0)->time_ms + s->rules.ttl_ms
                          : s->published_ms + s->rules.meta_ttl_ms;
    if (due > now)
        return due;
    return now + (stream_pends(s) ? PENDING_AGAIN_MS : LOOK_AGAIN_MS);
}

struct stream *
stream_refresh(struct memory *m, struct stream *s, int64_t now)
{
    if (s->top > 0) {
        stream_trim(m, s, now);
        if (s->window.n == 0 && s->n_present == 0 && !stream_pends(s)
            && s->published_ms + s->rules.meta_ttl_ms <= now)
            forget(m, s);
        else if (s->window.n == 0 && s->file)
            stream_written_trim(m, s);
    }
    if (s->top == 0 && s->n_present == 0 && !stream_pends(s)) {
        stream_free(m, s);
        return NULL;
    }
    if (s->due_at == 0 || s->due_ms <= now)
        stream_due_set(m, s, stream_next_due(s, now));
    return s;
}

struct stream_position
stream_at(const struct memory *m, const struct stream *s, const struct stream_rules *rules)
{
    struct stream_position at = { 0 };

    if (rules->size <= 0)
        return at;
    at.offset = s ? s->top : 0;
    if (s && *s->epoch)
        memcpy(at.epoch, s->epoch, sizeof at.epoch);
    else
        memcpy(at.epoch, m->file && rules->durable ? m->durable_epoch : m->epoch, sizeof at.epoch);
    return at;
}

struct stream *
stream_live(struct memory *m, const char *channel, const struct stream_rules *rules, int64_t now)
{
    struct stream *s = rules->size > 0 ? stream_find(m, channel) : NULL;

    if (!s)
        return NULL;
    s->rules = *rules;
    return stream_refresh(m, s, now);
}

/* ---- removing ---- */

static void
remove_window(struct stream_store *store, const char *channel, const struct stream_rules *rules,
              stream_published *done, void *arg)
{
    struct memory *m = (struct memory *)store;
    int64_t now = stream_now(m);
    struct stream *s = stream_live(m, channel, rules, now);
    struct stream_position at;

    if (s && s->file) {
        stream_written_remove(m, s, done, arg);
        return;
    }
    if (s) {
        stream_drop_until(m, s, s->top + 1);
        stream_due_set(m, s, stream_next_due(s, now));
    }
    at = stream_at(m, s, rules);
    done(arg, ERR_OK, &at);
}

/* ---- beginning and end ---- */

static void
free_node(void *arg, struct strmap_node *node)
{
    stream_free(arg, STRMAP_OF(node, struct stream, node));
}

static void
free_memory(struct stream_store *store)
{
    struct memory *m = (struct memory *)store;

    stream_written_free(m);
    if (m->timer)
        io_timer_free(m->timer);
    m->timer = NULL;
    strmap_each(&m->streams, free_node, m);
    strmap_fini(&m->streams);
    stream_keys_fini(&m->keys);
    free(m->due);
    free(m);
}

static const struct stream_store_calls calls = {
    .publish = stream_publish,
    .history = stream_tell,
    .remove = remove_window,
    .join = stream_join,
    .leave = stream_leave,
    .presence = stream_presence_tell,
    .free = free_memory,
};

enum err
stream_memory_new(const struct stream_memory_options *o, struct io *io, struct stream_store **s_r)
{
    struct memory *m = mem_new(sizeof *m);
    enum err e = ERR_OK;

    m->store.calls = &calls;
    m->o = *o;
    m->round = 1;
    stream_new_epoch(m->epoch);
    strmap_init(&m->streams);
    stream_keys_init(&m->keys);
    if (io)
        m->timer = io_timer_new(io, stream_due_timer, m);
    if (o->file && *o->file && (e = stream_load(m)) != ERR_OK) {
        free_memory(&m->store);
        return e;
    }
    *s_r = &m->store;
    return ERR_OK;
}

void
stream_memory_bound(struct stream_store *store, int64_t bytes_max, int64_t queue_max)
{
    struct memory *m = (struct memory *)store;

    m->o.bytes_max = bytes_max;
    m->o.queue_max = queue_max;
}

int64_t
stream_memory_bytes(const struct stream_store *store)
{
    const struct memory *m = (const struct memory *)store;

    return (int64_t)(m->bytes + m->keys.bytes);
}

void
stream_memory_metrics(struct stream_store *store, struct metrics *out)
{
    struct memory *m = (struct memory *)store;

    metrics_gauge(out, "push_streams", "channels that the store knows", (int64_t)m->streams.n);
    metrics_gauge(out, "push_history_publications", "publications kept", m->n_publications);
    metrics_gauge(out, "push_history_bytes", "memory of histories and idempotency keys",
                  (int64_t)(m->bytes + m->keys.bytes));
    metrics_gauge(out, "push_idempotency_keys", "idempotency keys remembered", (int64_t)m->keys.map.n);
    metrics_counter(out, "push_history_refused_total", "publications refused because memory or queue was full",
                    m->refused);
    if (m->file) {
        metrics_gauge(out, "push_history_waiting", "durable publications waiting for their commit", m->waiting);
        durable_metrics(m->file, out);
    }
}
