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

/* Collects at most limit events from a statement's rows, and stops behind the one whose body passes
 * max_bytes: *cut_r. */
static enum err
collect(struct op *o, struct db_row *r, int64_t limit, size_t max_bytes, struct event **events_r,
        size_t *n_r, bool *cut_r)
{
    size_t size = 0, bytes = 0;
    enum err e = ERR_OK, end;

    *events_r = NULL;
    *n_r = 0;
    while (e == ERR_OK && *n_r < (size_t)limit && bytes <= max_bytes && db_step(r)) {
        *events_r = arena_grow(o->arena, *events_r, *n_r, &size, sizeof **events_r);
        e = eventlog_row(r, o->arena, &(*events_r)[*n_r]);
        bytes += (*events_r)[(*n_r)++].body_len;
    }
    *cut_r = bytes > max_bytes;
    end = db_done(r);
    return e == ERR_OK ? end : e;
}

static enum err
replay(struct op *o, const char *user, int64_t since, int64_t limit, size_t max_bytes,
       struct event **events_r, size_t *n_r, bool *cut_r)
{
    struct db_row *r = db_query(o->db, Q_EVENT_REPLAY, o->arena);

    db_bind_text(r, ":system", o->system->name);
    db_bind_text(r, ":user", user);
    db_bind_text(r, ":user_channel", tx_user_channel(o, user));
    db_bind_text(r, ":system_channel", channel_of_system(o->arena, o->system->name));
    db_bind_int(r, ":since", since);
    db_bind_int(r, ":limit", limit);
    return collect(o, r, limit, max_bytes, events_r, n_r, cut_r);
}

enum err
op_sync(struct op *o, const char *user, int64_t since, int64_t limit, struct sync_page *page_r)
{
    struct event *events = NULL;
    int64_t floor = 0;
    enum err e;

    *page_r = (struct sync_page){0};
    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    e = eventlog_state(o->db, o->arena, &page_r->seq, &floor);
    if (e == ERR_OK && since >= 0) {
        page_r->reload = since < floor || since > page_r->seq;
        if (!page_r->reload && since < page_r->seq)
            e = replay(o, user, since, limit + 1, READ_BYTES, &events, &page_r->n,
                       &page_r->more);
    }
    page_r->events = events;
    if (page_r->n > (size_t)limit) {
        page_r->n = (size_t)limit;
        page_r->more = true;
    }
    if (page_r->more)
        page_r->seq = events[page_r->n - 1].seq;
    return db_end(o->db, e);
}

enum err
op_ready(struct op *o)
{
    struct db_row *r;
    bool alive;
    enum err e;

    r = db_query(o->db, Q_RELAY_ENDPOINTS, o->arena);
    db_bind_int(r, ":now", o->now_ms);
    alive = db_step(r);
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
    bool cut;

    db_bind_int(r, ":after", after);
    db_bind_int(r, ":limit", limit);
    return collect(o, r, limit, READ_BYTES, events_r, n_r, &cut);
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
    int64_t floor = 0, max = o->config->resume_max;
    struct event *missed = NULL;
    bool cut;
    enum err e;

    *state_r = (struct connect_state){0};
    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = eventlog_state(o->db, o->arena, &state_r->head, &floor)) == ERR_OK)
        e = read_audience(o, user, state_r);
    if (e == ERR_OK && since >= floor && since <= state_r->head && since >= 0) {
        e = replay(o, user, since, max + 1, (size_t)o->config->ws_queue_bytes, &missed,
                   &state_r->n_missed, &cut);
        state_r->resumed = state_r->n_missed <= (size_t)max && !cut;
    }
    state_r->missed = missed;
    if (!state_r->resumed)
        state_r->n_missed = 0;
    return db_end(o->db, e);
}
