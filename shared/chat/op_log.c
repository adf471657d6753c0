/* op_log - the log as clients, relays and operators read it
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "shared/chat/op.h"
#include "shared/chat/tx.h"
#include "shared/eventlog.h"
#include "shared/store/store.h"

/* Bytes of bodies that one read brings, about: a number of events does not bound their size. */
#define READ_BYTES (8 * 1024 * 1024)
/* Numbers of the log that one statement of a replay looks at: few at first, so that a page of a user
 * who has heard very much costs no more than a page; ever more, so that one who hears seldom is not
 * asked about for long. */
#define WINDOW_FIRST 2048
#define WINDOW_LARGEST 65536

/* Events being read. */
struct batch {
    struct event *events;
    size_t n, size;
    size_t bytes;
    size_t max, max_bytes;
};

static bool
is_full(const struct batch *b)
{
    return b->n >= b->max || b->bytes > b->max_bytes;
}

/* Adds a statement's rows until the batch is full: in bytes, behind the one that passes the bound. */
static enum err
collect(struct op *o, struct db_row *r, struct batch *b)
{
    enum err e = ERR_OK, end;

    while (e == ERR_OK && !is_full(b) && db_step(r)) {
        b->events = arena_grow(o->arena, b->events, b->n, &b->size, sizeof *b->events);
        e = eventlog_row(r, o->arena, &b->events[b->n]);
        b->bytes += b->events[b->n++].body_len;
    }
    end = db_done(r);
    return e == ERR_OK ? end : e;
}

static enum err
replay_window(struct op *o, const char *user, int64_t since, int64_t up_to, struct batch *b)
{
    struct db_row *r = db_query(o->db, Q_EVENT_REPLAY, o->arena);

    db_bind_text(r, ":system", o->system->name);
    db_bind_text(r, ":user", user);
    db_bind_text(r, ":user_channel", tx_user_channel(o, user));
    db_bind_text(r, ":system_channel", channel_of_system(o->arena, o->system->name));
    db_bind_int(r, ":since", since);
    db_bind_int(r, ":up_to", up_to);
    db_bind_int(r, ":limit", (int64_t)(b->max - b->n));
    return collect(o, r, b);
}

/* What the user was entitled to in (since, head]. */
static enum err
replay(struct op *o, const char *user, int64_t since, int64_t head, struct batch *b)
{
    int64_t window = WINDOW_FIRST, up_to;
    enum err e = ERR_OK;

    for (; e == ERR_OK && since < head && !is_full(b); since = up_to) {
        up_to = head - since > window ? since + window : head;
        e = replay_window(o, user, since, up_to, b);
        if (window < WINDOW_LARGEST)
            window *= 2;
    }
    return e;
}

enum err
op_sync(struct op *o, const char *user, int64_t since, int64_t limit, struct sync_page *page_r)
{
    struct batch b = { .max = (size_t)limit + 1, .max_bytes = READ_BYTES };
    int64_t floor = 0;
    enum err e;

    *page_r = (struct sync_page){ 0 };
    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    e = eventlog_state(o->db, o->arena, &page_r->seq, &floor);
    if (e == ERR_OK && since >= 0) {
        page_r->reload = since < floor || since > page_r->seq;
        if (!page_r->reload)
            e = replay(o, user, since, page_r->seq, &b);
    }
    page_r->events = b.events;
    page_r->n = b.n > (size_t)limit ? (size_t)limit : b.n;
    if ((page_r->more = is_full(&b)))
        page_r->seq = b.events[page_r->n - 1].seq;
    return db_end(o->db, e);
}

enum err
op_ready(struct op *o)
{
    struct db_row *r = db_query(o->db, Q_RELAY_ENDPOINTS, o->arena);
    bool alive = false;
    enum err e;

    db_bind_int(r, ":now", o->now_ms);
    while (!alive && db_step(r))
        alive = bus_listening(db_text(r, 0));
    e = db_done(r);
    return e == ERR_OK && !alive ? ERR_BUSY : e;
}

enum err
op_prune(struct op *o, bool *more_r)
{
    enum err e;

    *more_r = false;
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    return tx_end(o, tx_prune(o, 1000, more_r));
}

enum err
op_log_restored(struct op *o)
{
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    return tx_end(o, db_run(db_query(o->db, Q_LOG_RESTORED, o->arena), NULL));
}

enum err
op_log_head(struct op *o, int64_t *head_r, int64_t *floor_r)
{
    return eventlog_state(o->db, o->arena, head_r, floor_r);
}

enum err
op_log_read(struct op *o, int64_t after, int64_t limit, struct event **events_r, size_t *n_r)
{
    struct db_row *r = db_query(o->db, Q_EVENT_READ, o->arena);
    struct batch b = { .max = (size_t)limit, .max_bytes = READ_BYTES };
    enum err e;

    db_bind_int(r, ":after", after);
    db_bind_int(r, ":limit", limit);
    e = collect(o, r, &b);
    *events_r = b.events;
    *n_r = b.n;
    return e;
}

enum err
op_bus_key(struct op *o, uint8_t key_r[EVENT_KEY_SIZE])
{
    struct db_row *r = db_query(o->db, Q_SECRET_GET, o->arena);
    const void *value = NULL;
    size_t len = 0;
    enum err e;

    db_bind_text(r, ":name", "bus");
    if (db_step(r))
        value = db_blob(r, 0, &len);
    e = db_done(r);
    if (e == ERR_OK && len != EVENT_KEY_SIZE)
        return err_fail(o->fail, ERR_INTERNAL, NULL, "the database has no bus key");
    if (e == ERR_OK)
        memcpy(key_r, value, EVENT_KEY_SIZE);
    return e;
}

/* ---- connecting ---- */

static enum err
read_audience(struct op *o, const char *user, struct connect_state *state)
{
    struct db_row *r = db_query(o->db, Q_AUDIENCE_OF, o->arena);
    size_t size = 0;

    db_bind_text(r, ":system", o->system->name);
    db_bind_text(r, ":user", user);
    while (db_step(r)) {
        state->channels = arena_grow(o->arena, state->channels, state->n_channels, &size,
                                     sizeof *state->channels);
        state->channels[state->n_channels++] = db_text(r, 0);
    }
    return db_done(r);
}

enum err
op_connect(struct op *o, const char *user, int64_t since, struct connect_state *state_r)
{
    struct batch b = { .max = (size_t)o->config->resume_max + 1,
                       .max_bytes = (size_t)o->config->ws_queue_bytes };
    int64_t floor = 0;
    enum err e;

    *state_r = (struct connect_state){ 0 };
    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = eventlog_state(o->db, o->arena, &state_r->head, &floor)) == ERR_OK)
        e = read_audience(o, user, state_r);
    if (e == ERR_OK && since >= floor && since <= state_r->head && since >= 0) {
        e = replay(o, user, since, state_r->head, &b);
        state_r->resumed = !is_full(&b);
    }
    if (e == ERR_OK && o->system->first != NULL)
        e = o->system->first(o, user, &state_r->first);
    state_r->missed = b.events;
    state_r->n_missed = state_r->resumed ? b.n : 0;
    return db_end(o->db, e);
}
