/* stream_load - durable streams as the last run left them
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/stream_private.h"

#include <string.h>

#include "shared/log.h"

/* A start fills no more than three quarters of the memory: there must be room to publish. */
#define LOAD_SHARE(bytes) ((size_t)(bytes) / 4 * 3)

static void
read_stream(void *arg, const struct durable_stream *row)
{
    struct memory *m = arg;
    struct stream *s = stream_get(m, row->channel);

    memcpy(s->epoch, row->epoch, sizeof s->epoch);
    s->rules = row->rules;
    s->top = row->top;
    s->first = row->first;
    s->version = row->version;
    stream_set_text(&s->version_epoch, row->version_epoch);
    s->published_ms = row->published_ms;
    s->file = stream_written_file(m, s, row->id);
    s->file->written = true;
    m->loading = s;
    m->loading_full = false;
}

static bool
read_publication(void *arg, struct publication *p)
{
    struct memory *m = arg;
    struct stream *s = m->loading;
    uint64_t next = s->window.n > 0 ? window_get(&s->window, 0)->offset - 1 : s->top;

    if (p->offset != next || p->offset < s->first)
        return false;
    if (s->window.n >= (uint64_t)s->rules.size || p->time_ms + s->rules.ttl_ms <= stream_now(m)) {
        s->first = next + 1;
        return false;
    }
    if (m->bytes + stream_cost(p) > LOAD_SHARE(m->o.bytes_max)) {
        m->loading_full = true;
        return false;
    }
    window_push_oldest(&s->window, p);
    m->bytes += stream_cost(p);
    m->n_publications++;
    m->loaded++;
    return true;
}

/* Comes last of each stream. What the memory has no room for stays in the file until its time is over. */
static void
read_oldest(void *arg, uint64_t offset)
{
    struct memory *m = arg;
    struct stream *s = m->loading;
    uint64_t kept = s->window.n > 0 ? window_get(&s->window, 0)->offset : s->top + 1;

    if (m->loading_full)
        m->left += (int64_t)(kept - stream_later(offset, s->first));
    else
        s->first = kept;
    s->file->oldest = offset;
    s->file->first = s->first;
    stream_due_set(m, s, 1);    /* at once */
}

static void
read_key(void *arg, const char *channel, const char *key, int64_t time_ms, const struct stream_position *at)
{
    struct memory *m = arg;

    stream_keys_add(&m->keys, channel, key, time_ms, at);
    stream_due_arm(m, time_ms + m->o.idempotency_ms);
}

enum err
stream_load(struct memory *m)
{
    static const struct durable_reader reader = {
        .stream = read_stream,
        .publication = read_publication,
        .oldest = read_oldest,
        .key = read_key,
    };
    enum err e = durable_open(m->o.file, m->o.idempotency_ms, m->o.wake, m->o.wake_arg, &m->file);

    if (e != ERR_OK)
        return e;
    if ((e = durable_read(m->file, &reader, m, stream_now(m) - m->o.idempotency_ms)) != ERR_OK)
        return e;
    m->loading = NULL;
    m->next_id = durable_next_id(m->file);
    stream_written_begin(m);
    log_event(LOG_LEVEL_INFO, "history", "file", m->o.file, "streams", log_number((long long)m->streams.n),
              "publications", log_number(m->loaded), NULL);
    if (m->left > 0)
        log_event(LOG_LEVEL_WARNING, "history", "left", log_number(m->left), "why",
                  "no memory for these publications; they stay in the file until their time is over", NULL);
    return durable_start(m->file);
}
