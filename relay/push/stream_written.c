/* stream_written - the loop's half of durable streams: hands changes to the writer, delivers and answers
 *
 * Numbers are given out when a change is handed in, but nobody is shown a number before its commit. When a transaction
 * fails its round ends: all that was handed in on the same ground fails, and numbers begin anew at what is committed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/stream_private.h"

#include "relay/mem.h"
#include "shared/fault.h"

struct stream_change {
    struct durable_change change;       /* first */
    struct stream_change *next_failed;
    struct stream *s;                   /* it stays while changes of it are pending; NULL: DURABLE_FORGET */
    enum stream_pass pass;
    struct publication *publication;
    struct stream_key *key;             /* to be answered, too */
    stream_published *done;             /* NULL: nobody asks */
    void *arg;
    char text[];                        /* channel, idempotency key, version epoch */
};

/* ---- handing in ---- */

static struct stream_change *
change_new(struct memory *m, enum durable_kind kind, const char *channel, const char *key, const char *version_epoch)
{
    size_t a = strlen(channel) + 1, b = strlen(stream_text(key)) + 1, c = strlen(stream_text(version_epoch)) + 1;
    struct stream_change *w = mem_new(sizeof *w + a + b + c);

    w->change.kind = kind;
    w->change.round = m->round;
    w->change.row.channel = memcpy(w->text, channel, a);
    memcpy(w->text + a, stream_text(key), b);
    w->change.row.version_epoch = memcpy(w->text + a + b, stream_text(version_epoch), c);
    w->change.key = key ? w->text + a : NULL;
    return w;
}

/* One of s: what its row will be. */
static struct stream_change *
change_of(struct memory *m, struct stream *s, enum durable_kind kind, const char *key)
{
    struct stream_change *w = change_new(m, kind, s->channel, key, s->version_epoch);
    struct durable_stream *row = &w->change.row;

    w->s = s;
    row->id = s->file->id;
    memcpy(row->epoch, s->epoch, sizeof row->epoch);
    row->rules = s->rules;
    row->top = s->file->top;
    row->first = s->file->first;
    row->version = s->version;
    row->published_ms = s->published_ms;
    s->file->pending++;
    return w;
}

static void
take_away(struct stream_change *w)
{
    struct stream_file *f = w->s->file;

    w->change.gone_from = f->oldest;
    w->change.gone_to = f->oldest = stream_later(f->oldest, f->first);
}

void
stream_written_settle(struct memory *m, struct stream *s)
{
    struct stream_file *f = s->file;

    if (f->round != m->round) {
        f->round = m->round;
        f->top = s->top;
        f->first = s->first;
        s->version = f->version;
        stream_set_text(&s->version_epoch, f->version_epoch);
    }
    f->first = stream_later(f->first, s->first);
}

static void
leave_file(struct memory *m, struct stream *s)
{
    struct stream_change *w = change_new(m, DURABLE_FORGET, s->channel, NULL, NULL);

    stream_new_epoch(m->durable_epoch);
    memcpy(w->change.row.epoch, m->durable_epoch, sizeof w->change.row.epoch);
    w->change.row.id = s->file->id;
    w->change.gone_from = s->file->oldest;
    w->change.gone_to = s->file->top + 1;
    free(s->file->version_epoch);
    free(s->file);
    s->file = NULL;
    durable_post(m->file, &w->change);
}

void
stream_written_forget(struct memory *m, struct stream *s)
{
    stream_written_settle(m, s);
    leave_file(m, s);
}

struct stream_file *
stream_written_file(const struct memory *m, const struct stream *s, int64_t id)
{
    struct stream_file *f = mem_new(sizeof *f);

    f->id = id;
    f->round = m->round;
    f->top = s->top;
    f->first = s->first;
    f->oldest = s->top + 1;
    f->version = s->version;
    stream_set_text(&f->version_epoch, s->version_epoch);
    return f;
}

void
stream_written_follow(struct memory *m, struct stream *s)
{
    if (stream_pends(s))
        return;
    if (s->file && !s->rules.durable)
        stream_written_forget(m, s);
    else if (!s->file && s->rules.durable && m->file)
        s->file = stream_written_file(m, s, m->next_id++);
}

/* in's key is known from now on, and answered with w. */
static void
take_key(struct stream_job *j, struct stream_change *w)
{
    if (j->in->idempotency_key)
        w->key = stream_keys_add(&j->m->keys, j->in->channel, j->in->idempotency_key, j->now_ms, NULL);
}

static void
hand_in(struct stream_job *j, struct stream_change *w)
{
    w->done = j->done;
    w->arg = j->arg;
    durable_post(j->m->file, &w->change);
}

void
stream_written_publish(struct stream_job *j, struct stream *s)
{
    struct memory *m = j->m;
    struct publication *p = j->in->publication;
    struct stream_file *f = s->file;
    uint64_t size = (uint64_t)s->rules.size;
    struct stream_change *w;

    stream_written_settle(m, s);
    if (!*s->epoch)
        memcpy(s->epoch, m->durable_epoch, sizeof s->epoch);
    if (j->in->version > 0) {
        s->version = j->in->version;
        stream_set_text(&s->version_epoch, j->in->version_epoch);
    }
    p->offset = ++f->top;
    if (f->top > size)
        f->first = stream_later(f->first, f->top - size + 1);
    w = change_of(m, s, DURABLE_PUBLISH, j->in->idempotency_key);
    w->change.fresh = !f->written;
    w->change.row.published_ms = j->now_ms;
    w->change.publication = w->publication = publication_ref(p);
    take_away(w);
    take_key(j, w);
    m->bytes += stream_cost(p);
    m->n_publications++;
    m->waiting++;
    hand_in(j, w);
}

void
stream_written_remove(struct memory *m, struct stream *s, stream_published *done, void *arg)
{
    struct stream_change *w;

    stream_written_settle(m, s);
    s->file->first = s->file->top + 1;
    w = change_of(m, s, DURABLE_TRIM, NULL);
    take_away(w);
    w->done = done;
    w->arg = arg;
    durable_post(m->file, &w->change);
}

void
stream_written_pass(struct stream_job *j, struct stream *s, enum stream_pass what)
{
    struct stream_change *w = change_of(j->m, s, DURABLE_PASS, j->in->idempotency_key);

    w->pass = what;
    w->publication = publication_ref(j->in->publication);
    if (what == PASS_DELIVER)
        take_key(j, w);
    hand_in(j, w);
}

void
stream_written_trim(struct memory *m, struct stream *s)
{
    struct stream_change *w;

    if (stream_pends(s))
        return;
    stream_written_settle(m, s);
    if (s->file->oldest >= s->file->first)
        return;
    w = change_of(m, s, DURABLE_TRIM, NULL);
    take_away(w);
    durable_post(m->file, &w->change);
}

/* ---- getting back ---- */

/* Answers, then frees w. Its stream may be gone by now. */
static void
answer(struct memory *m, struct stream_change *w, enum err e, const struct stream_position *at)
{
    bool delivers = w->change.kind == DURABLE_PUBLISH || (w->change.kind == DURABLE_PASS && w->pass == PASS_DELIVER);

    if (e == ERR_OK && delivers && !m->ending)
        m->o.deliver(m->o.deliver_arg, w->change.row.channel, w->publication);
    if (w->done)
        w->done(w->arg, e, at);
    publication_unref(w->publication);
    free(w);
}

static void
answer_key(struct memory *m, struct stream_change *w, const struct stream_position *at)
{
    if (!w->key)
        return;
    w->key->answered = true;
    w->key->at = *at;
    stream_due_arm(m, w->key->time_ms + m->o.idempotency_ms);
}

static void
failed(struct memory *m, struct stream_change *w)
{
    static const struct stream_position nowhere;
    struct stream *s = w->s;

    if (s->file->oldest > w->change.gone_from && w->change.gone_to > w->change.gone_from)
        s->file->oldest = w->change.gone_from;
    if (w->change.kind == DURABLE_PUBLISH) {
        m->bytes -= stream_cost(w->publication);
        m->n_publications--;
        m->refused++;
    }
    if (w->key)
        stream_keys_remove(&m->keys, w->key);
    if (s->top == 0)
        stream_refresh(m, s, stream_now(m));
    answer(m, w, w->change.err, &nowhere);
}

static void
published(struct memory *m, struct stream_change *w)
{
    struct stream *s = w->s;
    struct durable_stream *row = &w->change.row;
    struct stream_position at = { .offset = row->top };

    memcpy(at.epoch, row->epoch, sizeof at.epoch);
    s->file->written = true;
    s->top = row->top;
    s->published_ms = row->published_ms;
    window_push(&s->window, w->publication);
    stream_drop_until(m, s, row->first);
    s->file->version = row->version;
    stream_set_text(&s->file->version_epoch, row->version_epoch);
    if (s->due_at == 0 || s->due_ms > s->published_ms + s->rules.ttl_ms)
        stream_due_set(m, s, s->published_ms + s->rules.ttl_ms);
    answer_key(m, w, &at);
    answer(m, w, ERR_OK, &at);
}

static void
trimmed(struct memory *m, struct stream_change *w)
{
    struct stream_position at;

    stream_drop_until(m, w->s, w->change.row.first);
    at = stream_at(m, w->s, &w->change.row.rules);
    stream_refresh(m, w->s, stream_now(m));
    answer(m, w, ERR_OK, &at);
}

static void
passed(struct memory *m, struct stream_change *w)
{
    struct stream_position at = { 0 };
    struct stream_key *k;
    enum err e = ERR_OK;

    if (w->pass == PASS_DELIVER) {
        answer_key(m, w, &at);
    } else if (w->pass == PASS_POSITION) {
        e = w->change.err;
        at = stream_at(m, w->s, &w->change.row.rules);
    } else {
        k = stream_keys_find(&m->keys, w->change.row.channel, w->change.key, INT64_MIN);
        e = k && k->answered ? ERR_OK : ERR_INTERNAL;
        if (e == ERR_OK)
            at = k->at;
    }
    stream_refresh(m, w->s, stream_now(m));
    answer(m, w, e, &at);
}

/* What the disk could not take is handed in again when something else went well. */
static void
forget_again(struct memory *m)
{
    struct stream_change *w;

    while ((w = m->failed)) {
        m->failed = w->next_failed;
        w->change.round = m->round;
        memcpy(w->change.row.epoch, m->durable_epoch, sizeof w->change.row.epoch);
        durable_post(m->file, &w->change);
    }
}

static void
finish_forgotten(struct memory *m, struct stream_change *w)
{
    if (w->change.err == ERR_OK) {
        free(w);
    } else {
        w->next_failed = m->failed;
        m->failed = w;
    }
}

static void
finish(struct memory *m, struct stream_change *w)
{
    enum err e = w->change.err;

    if (e != ERR_OK && w->change.round == m->round)
        m->round++;
    if (w->change.kind == DURABLE_FORGET) {
        finish_forgotten(m, w);
        return;
    }
    w->s->file->pending--;
    m->waiting -= w->change.kind == DURABLE_PUBLISH;
    if (w->change.kind == DURABLE_PASS)
        passed(m, w);
    else if (e != ERR_OK)
        failed(m, w);
    else if (w->change.kind == DURABLE_PUBLISH)
        published(m, w);
    else
        trimmed(m, w);
}

void
stream_memory_collect(struct stream_store *store)
{
    struct memory *m = (struct memory *)store;
    struct durable_change *c, *next;
    bool wrote = false;

    if (!m->file)
        return;
    for (c = durable_take(m->file); c; c = next) {
        next = c->next;
        wrote |= c->err == ERR_OK && c->kind != DURABLE_PASS;
        finish(m, (struct stream_change *)c);
        FAULT("history.answered");
    }
    if (wrote && m->failed && !m->ending)
        forget_again(m);
}

/* ---- beginning and end ---- */

void
stream_written_begin(struct memory *m)
{
    struct stream_change *w;

    memcpy(m->durable_epoch, durable_epoch(m->file), sizeof m->durable_epoch);
    if (*m->durable_epoch)
        return;
    stream_new_epoch(m->durable_epoch);
    w = change_new(m, DURABLE_FORGET, "", NULL, NULL);
    memcpy(w->change.row.epoch, m->durable_epoch, sizeof w->change.row.epoch);
    durable_post(m->file, &w->change);
}

void
stream_written_free(struct memory *m)
{
    struct stream_change *w;

    if (!m->file)
        return;
    m->ending = true;
    for (int i = 0; i < 2; i++) {       /* an answer may hand in once more: that fails, with nobody to write it */
        durable_stop(m->file);
        stream_memory_collect(&m->store);
    }
    while ((w = m->failed)) {
        m->failed = w->next_failed;
        free(w);
    }
    durable_free(m->file);
    m->file = NULL;
}
