/* stream_publish - one publication into the store: is there room, was it here before, which number
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/stream_private.h"

#include <string.h>

static void
refuse(struct stream_job *j)
{
    static const struct stream_position nowhere;

    j->m->refused++;
    j->done(j->arg, ERR_BUSY, &nowhere);
}

static bool
fits(struct memory *m, size_t more)
{
    return m->bytes + m->keys.bytes + more <= (size_t)m->o.bytes_max;
}

/* Is there room for it, where the oldest makes way in a full window? */
static bool
has_room(struct stream_job *j, struct stream *s)
{
    const struct stream_publish *in = j->in;
    bool keeps = in->rules.size > 0 && !in->skip_history;
    size_t more = in->idempotency_key ? stream_keys_cost(in->channel, in->idempotency_key) : 0;

    if (keeps)
        more += stream_cost(in->publication) + (s ? 0 : stream_size(in->channel));
    if (keeps && s && s->window.n > 0 && s->window.n >= (uint64_t)in->rules.size) {
        size_t less = stream_cost(window_get(&s->window, 0));

        more = more > less ? more - less : 0;
    }
    return more == 0 || fits(j->m, more);
}

/* A key that is known: the first answer again, when there is one. */
static bool
answered_before(struct stream_job *j)
{
    const struct stream_publish *in = j->in;
    struct stream_position at;
    struct stream_key *k;

    if (!in->idempotency_key)
        return false;
    k = stream_keys_find(&j->m->keys, in->channel, in->idempotency_key, j->now_ms - j->m->o.idempotency_ms);
    if (!k)
        return false;
    if (!k->answered) {
        stream_written_pass(j, stream_find(j->m, in->channel), PASS_KEY);
        return true;
    }
    at = k->at;
    j->done(j->arg, ERR_OK, &at);
    return true;
}

static void
deliver(struct stream_job *j, const struct stream_position *at)
{
    struct memory *m = j->m;

    if (j->in->idempotency_key) {
        stream_keys_add(&m->keys, j->in->channel, j->in->idempotency_key, j->now_ms, at);
        stream_due_arm(m, j->now_ms + m->o.idempotency_ms);
    }
    m->o.deliver(m->o.deliver_arg, j->in->channel, j->in->publication);
    j->done(j->arg, ERR_OK, at);
}

static void
publish_unkept(struct stream_job *j)
{
    static const struct stream_position nowhere;
    struct stream *s = stream_find(j->m, j->in->channel);

    j->in->publication->offset = 0;
    if (stream_pends(s))
        stream_written_pass(j, s, PASS_DELIVER);
    else
        deliver(j, &nowhere);
}

static bool
is_old(const struct stream_job *j, const struct stream *s)
{
    return j->in->version > 0 && s && j->in->version <= s->version
           && strcmp(stream_text(j->in->version_epoch), stream_text(s->version_epoch)) == 0;
}

static void
publish_kept(struct stream_job *j, struct stream *s)
{
    struct memory *m = j->m;
    struct publication *p = j->in->publication;
    struct stream_position at;

    if (s->top == 0 && !*s->epoch)
        memcpy(s->epoch, m->epoch, sizeof s->epoch);
    p->offset = ++s->top;
    window_push(&s->window, p);
    m->bytes += stream_cost(p);
    m->n_publications++;
    s->published_ms = j->now_ms;
    if (j->in->version > 0) {
        s->version = j->in->version;
        stream_set_text(&s->version_epoch, j->in->version_epoch);
    }
    stream_trim(m, s, j->now_ms);
    if (s->due_at == 0 || s->due_ms > j->now_ms + s->rules.ttl_ms)
        stream_due_set(m, s, stream_next_due(s, j->now_ms));
    at = stream_at(m, s, &j->in->rules);
    deliver(j, &at);
}

static void
publish_numbered(struct stream_job *j)
{
    struct memory *m = j->m;
    struct stream *s = stream_live(m, j->in->channel, &j->in->rules, j->now_ms);
    bool writes = m->file && (j->in->rules.durable || stream_pends(s));
    struct stream_position at;

    if (s && s->file)
        stream_written_settle(m, s);
    if (is_old(j, s)) {
        at = stream_at(m, s, &j->in->rules);
        if (stream_pends(s))
            stream_written_pass(j, s, PASS_POSITION);
        else
            j->done(j->arg, ERR_OK, &at);
        return;
    }
    if (writes && m->waiting >= m->o.queue_max) {
        refuse(j);
        return;
    }
    if (!s) {
        s = stream_get(m, j->in->channel);
        s->rules = j->in->rules;
    }
    stream_written_follow(m, s);
    if (writes)
        stream_written_publish(j, s);
    else
        publish_kept(j, s);
}

void
stream_publish(struct stream_store *store, const struct stream_publish *in, stream_published *done, void *arg)
{
    struct memory *m = (struct memory *)store;
    struct stream_job j = { m, in, done, arg, stream_now(m) };

    if (answered_before(&j))
        return;
    if (!has_room(&j, stream_find(m, in->channel))) {
        stream_memory_sweep(store);     /* a timer may be late */
        if (!has_room(&j, stream_find(m, in->channel))) {
            refuse(&j);
            return;
        }
    }
    in->publication->time_ms = j.now_ms;
    if (in->rules.size > 0 && !in->skip_history)
        publish_numbered(&j);
    else
        publish_unkept(&j);
}
