/* eventlog - numbering, storing, reading and pruning events
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/eventlog.h"

#include <stdint.h>

#include "shared/log.h"
#include "shared/sbuf.h"

static enum err
take_numbers(struct db *db, struct arena *a, size_t n, int64_t *first_r)
{
    struct db_row *r = db_query(db, Q_LOG_ADVANCE, a);

    db_bind_int(r, ":n", (int64_t)n);
    if (db_step(r))
        *first_r = db_int(r, 0) - (int64_t)n + 1;
    return db_done(r);
}

static enum err
store_event(struct db *db, struct arena *a, const struct event *e)
{
    struct db_row *r = db_query(db, Q_EVENT_INSERT, a);
    struct sbuf envelope;
    enum err err;

    sbuf_init(&envelope, SIZE_MAX);
    event_envelope_write(&envelope, e);
    db_bind_int(r, ":seq", e->seq);
    db_bind_int(r, ":at", e->at_ms);
    if (e->about != 0)
        db_bind_int(r, ":about", e->about);
    db_bind_blob(r, ":envelope", envelope.data, envelope.len);
    db_bind_text_n(r, ":body", e->body, e->body_len);
    err = db_run(r, NULL);
    if (envelope.failed)
        err = ERR_NO_MEMORY;
    sbuf_fini(&envelope);
    return err;
}

/* What may be replayed is found by channel; live-only kinds never are. */
static enum err
index_event(struct db *db, struct arena *a, const struct event *e)
{
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && event_kept(e->kind) && i < e->n_channels; i++) {
        struct db_row *r = db_query(db, Q_EVENT_CHANNEL_INSERT, a);

        db_bind_text(r, ":channel", e->channels[i]);
        db_bind_int(r, ":seq", e->seq);
        err = db_run(r, NULL);
    }
    return err;
}

static enum err
apply_operation(struct db *db, struct arena *a, const struct event *e,
                const struct event_operation *op)
{
    struct db_row *r;

    switch (op->verb) {
    case EVENT_JOIN:
        r = db_query(db, Q_AUDIENCE_OPEN, a);
        break;
    case EVENT_LEAVE:
        r = db_query(db, Q_AUDIENCE_CLOSE, a);
        break;
    case EVENT_GONE:
        r = db_query(db, Q_AUDIENCE_GONE, a);
        break;
    default:
        return ERR_OK;          /* closing sockets concerns relays only */
    }
    db_bind_text(r, ":channel", op->channel);
    db_bind_int(r, ":seq", e->seq);
    if (op->verb != EVENT_GONE) {
        db_bind_text(r, ":system", e->system);
        db_bind_text(r, ":user", op->user);
    }
    return db_run(r, NULL);
}

enum err
eventlog_append(struct db *db, struct arena *a, struct event *events, size_t n)
{
    int64_t first = 0;
    enum err e;

    if ((e = take_numbers(db, a, n, &first)) != ERR_OK)
        return e;
    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        events[i].seq = first + (int64_t)i;
        if ((e = store_event(db, a, &events[i])) == ERR_OK)
            e = index_event(db, a, &events[i]);
        for (size_t j = 0; e == ERR_OK && j < events[i].n_operations; j++)
            e = apply_operation(db, a, &events[i], &events[i].operations[j]);
    }
    return e;
}

enum err
eventlog_row(struct db_row *r, struct arena *a, struct event *e_r)
{
    size_t envelope_len;
    const void *envelope = db_blob(r, 1, &envelope_len);

    *e_r = (struct event){ 0 };
    if (event_envelope_read(a, envelope, envelope_len, e_r) != ERR_OK) {
        log_event(LOG_LEVEL_ERROR, "event_row", "seq", log_number(db_int(r, 0)), NULL);
        return ERR_INTERNAL;
    }
    e_r->seq = db_int(r, 0);
    e_r->body = db_blob(r, 2, &e_r->body_len);
    return ERR_OK;
}

enum err
eventlog_state(struct db *db, struct arena *a, int64_t *head_r, int64_t *floor_r)
{
    struct db_row *r = db_query(db, Q_LOG_STATE, a);

    if (db_step(r)) {
        *head_r = db_int(r, 0);
        *floor_r = db_int(r, 1);
    }
    return db_done(r);
}

enum err
eventlog_erase(struct db *db, struct arena *a, int64_t entry)
{
    struct db_row *r = db_query(db, Q_EVENT_ERASE, a);

    db_bind_int(r, ":about", entry);
    return db_run(r, NULL);
}

/* ---- pruning ---- */

struct prune {
    struct event *events;       /* envelopes of what goes, oldest first */
    size_t n;
};

static enum err
prune_collect(struct db *db, struct arena *a, int64_t before_ms, int64_t newest_kept,
              int64_t limit, struct prune *p)
{
    struct db_row *r = db_query(db, Q_PRUNE_CANDIDATES, a);
    const void *envelope;
    size_t len;

    p->events = arena_array(a, (size_t)limit, sizeof *p->events);
    db_bind_int(r, ":limit", limit);
    while (db_step(r) && p->n < (size_t)limit) {
        struct event *e = &p->events[p->n];

        if (db_int(r, 1) >= before_ms && db_int(r, 0) >= newest_kept)
            break;
        envelope = db_blob(r, 2, &len);
        if (event_envelope_read(a, envelope, len, e) != ERR_OK)
            *e = (struct event){ 0 };     /* unreadable: it has no channels we could clear */
        e->seq = db_int(r, 0);
        p->n++;
    }
    return db_done(r);
}

static enum err
prune_up_to(struct db *db, struct arena *a, enum query q, const char *channel, int64_t floor)
{
    struct db_row *r = db_query(db, q, a);

    if (channel != NULL)
        db_bind_text(r, ":channel", channel);
    db_bind_int(r, ":floor", floor);
    return db_run(r, NULL);
}

enum err
eventlog_prune(struct db *db, struct arena *a, int64_t before_ms, int64_t keep, int64_t limit,
               bool *more_r)
{
    struct prune p = { 0 };
    int64_t head = 0, floor = 0;
    enum err e;

    if (more_r != NULL)
        *more_r = false;
    if ((e = eventlog_state(db, a, &head, &floor)) != ERR_OK
        || (e = prune_collect(db, a, before_ms, head - keep + 1, limit, &p)) != ERR_OK
        || p.n == 0)
        return e;
    floor = p.events[p.n - 1].seq;
    for (size_t i = 0; e == ERR_OK && i < p.n; i++)
        for (size_t j = 0; e == ERR_OK && j < p.events[i].n_channels; j++)
            e = prune_up_to(db, a, Q_EVENT_CHANNEL_PRUNE, p.events[i].channels[j], floor);
    if (e == ERR_OK)
        e = prune_up_to(db, a, Q_EVENT_PRUNE, NULL, floor);
    if (e == ERR_OK)
        e = prune_up_to(db, a, Q_AUDIENCE_PRUNE, NULL, floor);
    if (e == ERR_OK)
        e = prune_up_to(db, a, Q_LOG_SET_FLOOR, NULL, floor);
    if (more_r != NULL)
        *more_r = p.n == (size_t)limit;
    return e;
}
