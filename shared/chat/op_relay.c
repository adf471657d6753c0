/* op_relay - leases of relays, live sockets, and telling the world who is online
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/op.h"
#include "shared/chat/tx.h"
#include "shared/store/store.h"

/* ---- leases ---- */

static enum err
insert_run(struct op *o, const char *relay, const char *run, const char *endpoint)
{
    struct db_row *r = db_query(o->db, Q_RELAY_DELETE, o->arena);
    enum err e;

    db_bind_text(r, ":run", run);
    if ((e = db_run(r, NULL)) != ERR_OK)
        return e;
    r = db_query(o->db, Q_RELAY_INSERT, o->arena);
    db_bind_text(r, ":run", run);
    db_bind_text(r, ":name", relay);
    db_bind_text(r, ":endpoint", endpoint);
    db_bind_int(r, ":until", o->now_ms + o->config->lease_ms);
    return db_run(r, NULL);
}

/* run NULL: every run of that name. */
static enum err
retire(struct op *o, const char *relay, const char *run)
{
    struct db_row *r = db_query(o->db, Q_RELAY_RETIRE, o->arena);

    db_bind_text(r, ":name", relay);
    db_bind_text(r, ":run", run);
    db_bind_int(r, ":now", o->now_ms);
    db_bind_int(r, ":until", o->now_ms + o->config->presence_restart_grace_ms);
    return db_run(r, NULL);
}

enum err
op_relay_start(struct op *o, const char *relay, const char *run, const char *endpoint)
{
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = retire(o, relay, NULL)) == ERR_OK)
        e = insert_run(o, relay, run, endpoint);
    return tx_end(o, e);
}

enum err
op_relay_renew(struct op *o, const char *relay, const char *run, const char *endpoint,
               bool *lost_r)
{
    struct db_row *r;
    int64_t changed = 0;
    enum err e;

    *lost_r = false;
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    r = db_query(o->db, Q_RELAY_RENEW, o->arena);
    db_bind_text(r, ":run", run);
    db_bind_int(r, ":now", o->now_ms);
    db_bind_int(r, ":until", o->now_ms + o->config->lease_ms);
    if ((e = db_run(r, &changed)) == ERR_OK && changed == 0) {
        *lost_r = true;
        e = insert_run(o, relay, run, endpoint);
    }
    return tx_end(o, e);
}

enum err
op_relay_stop(struct op *o, const char *relay, const char *run)
{
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    return tx_end(o, retire(o, relay, run));
}

/* ---- presence ---- */

static struct db_row *
query_user(struct op *o, enum query q, const char *user)
{
    struct db_row *r = db_query(o->db, q, o->arena);

    db_bind_text(r, ":system", o->system->name);
    db_bind_text(r, ":user", user);
    return r;
}

/* Conversations that carry the user's presence. */
static enum err
presence_channels(struct op *o, const char *user, const char ***channels_r, size_t *n_r)
{
    struct db_row *r = query_user(o, Q_PRESENCE_CONVERSATIONS, user);
    size_t size = 0;

    *channels_r = NULL;
    *n_r = 0;
    db_bind_int(r, ":max_members", o->config->presence_max_members);
    while (db_step(r) && *n_r < EVENT_CHANNELS_MAX) {
        struct id uid = db_id(r, 0);

        *channels_r = arena_grow(o->arena, *channels_r, *n_r, &size, sizeof **channels_r);
        (*channels_r)[(*n_r)++] = tx_channel(o, &uid);
    }
    return db_done(r);
}

static enum err
say_presence(struct op *o, const char *user, bool online)
{
    struct notice n = { .kind = EVENT_PRESENCE, .user = user, .online = online };
    const char **channels;
    size_t n_channels;
    enum err e = presence_channels(o, user, &channels, &n_channels);

    if (e == ERR_OK && n_channels > 0) {
        tx_event(o, &n, channels, n_channels);
        tx_except(o, user);
    }
    return e;
}

/* Records what the world is told, and tells it. */
static enum err
tell_presence(struct op *o, const char *user, bool online)
{
    enum err e = db_run(query_user(o, online ? Q_PRESENCE_INSERT : Q_PRESENCE_DELETE, user), NULL);

    if (e == ERR_OK && !online && o->system->offline != NULL)
        e = o->system->offline(o, user);
    if (e == ERR_OK && o->system->tells_presence)
        e = say_presence(o, user, online);
    return e;
}

static enum err
compare(struct op *o, const char *user, bool *told_r, bool *is_r)
{
    struct db_row *r = query_user(o, Q_PRESENCE_COMPARE, user);

    db_bind_int(r, ":now", o->now_ms);
    db_bind_int(r, ":grace", o->system->restart_grace);
    if (db_step(r)) {
        *told_r = db_int(r, 0);
        *is_r = db_int(r, 1);
    }
    return db_done(r);
}

/* Who comes while the world is told of sockets that died with their relay has been offline in between,
 * though nobody swept yet. */
static enum err
bury_the_past(struct op *o, const char *user)
{
    bool told = false, is = false;
    enum err e = compare(o, user, &told, &is);

    return e == ERR_OK && told && !is ? tell_presence(o, user, false) : e;
}

static enum err
apply_change(struct op *o, const char *run, const struct live_change *change)
{
    struct db_row *r;
    bool told = false, is = false;
    enum err e;

    if ((o->system = chat_system_find(change->system)) == NULL)
        return ERR_OK;          /* a system that is no longer served */
    if (change->online && o->system->offline != NULL
        && (e = bury_the_past(o, change->user)) != ERR_OK)
        return e;
    r = query_user(o, change->online ? Q_LIVE_INSERT : Q_LIVE_DELETE, change->user);
    db_bind_text(r, ":run", run);
    if ((e = db_run(r, NULL)) != ERR_OK
        || (e = compare(o, change->user, &told, &is)) != ERR_OK
        || told == is)
        return e;
    return tell_presence(o, change->user, is);
}

enum err
op_presence_apply(struct op *o, const char *run, const struct live_change *changes, size_t n)
{
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        e = apply_change(o, run, &changes[i]);
    return tx_end(o, e);
}

/* ---- sweeping ---- */

static enum err
stale(struct op *o, int64_t limit, struct live_change **list_r, size_t *n_r)
{
    struct db_row *r = db_query(o->db, Q_PRESENCE_STALE, o->arena);
    size_t size = 0;

    *list_r = NULL;
    *n_r = 0;
    db_bind_int(r, ":now", o->now_ms);
    db_bind_text(r, ":graced", chat_systems_graced(o->arena));
    db_bind_int(r, ":limit", limit);
    while (db_step(r)) {
        *list_r = arena_grow(o->arena, *list_r, *n_r, &size, sizeof **list_r);
        (*list_r)[(*n_r)++] = (struct live_change){ .system = db_text(r, 0), .user = db_text(r, 1) };
    }
    return db_done(r);
}

static enum err
bury_dead_relays(struct op *o)
{
    struct db_row *r = db_query(o->db, Q_RELAY_DELETE_DEAD, o->arena);
    enum err e;

    db_bind_int(r, ":now", o->now_ms);
    if ((e = db_run(r, NULL)) == ERR_OK)
        e = db_run(db_query(o->db, Q_LIVE_DELETE_DEAD, o->arena), NULL);
    return e;
}

enum err
op_presence_sweep(struct op *o, int64_t limit, bool *more_r)
{
    struct live_change *list;
    size_t n;
    enum err e;

    *more_r = false;
    /* mostly there is nothing to do: find that out without taking the writers' turn */
    if ((e = stale(o, 1, &list, &n)) != ERR_OK || n == 0)
        return e;
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = bury_dead_relays(o)) == ERR_OK)
        e = stale(o, limit, &list, &n);
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        if ((o->system = chat_system_find(list[i].system)) != NULL)
            e = tell_presence(o, list[i].user, false);
    *more_r = n == (size_t)limit;
    return tx_end(o, e);
}
