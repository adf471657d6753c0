/* tx - the write protocol
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/tx.h"

#include <string.h>

#include "shared/eventlog.h"
#include "shared/fault.h"
#include "shared/log.h"

/* Every so many events whoever writes removes a bounded bit of old log. */
#define PRUNE_EVERY 256
#define PRUNE_BIT 512

/* An operation, and in which system it counts. */
struct noted {
    struct event_operation operation;
    const char *system;
};

struct outbox {
    struct event *events;
    size_t n, size;
    struct noted *noted;
    size_t n_noted, size_noted;
};

enum err
tx_begin(struct op *o)
{
    o->outbox = arena_alloc(o->arena, sizeof *o->outbox);
    return db_begin_write(o->db);
}

void
tx_event(struct op *o, const struct notice *notice, const char *const *channels, size_t n)
{
    struct outbox *box = o->outbox;
    struct sbuf body;
    struct event *e;

    box->events = arena_grow(o->arena, box->events, box->n, &box->size, sizeof *box->events);
    e = &box->events[box->n++];
    *e = (struct event){
        .at_ms = o->now_ms,
        .kind = notice->kind,
        .system = o->system->name,
        .about = notice->entry != NULL && notice->kind != EVENT_ENTRY_DELETED
                     ? notice->entry->id : 0,
        .request = o->request,
        .n_channels = n,
    };
    e->channels = arena_array(o->arena, n, sizeof *e->channels);
    memcpy(e->channels, channels, n * sizeof *e->channels);
    sbuf_init(&body, SIZE_MAX);
    o->system->write_event(&body, notice);
    e->body = arena_copy(o->arena, sbuf_str(&body), body.len);
    e->body_len = body.len;
    sbuf_fini(&body);
}

void
tx_event_on(struct op *o, const struct notice *notice, const char *channel)
{
    tx_event(o, notice, &channel, 1);
}

void
tx_except(struct op *o, const char *user)
{
    o->outbox->events[o->outbox->n - 1].except = user;
}

void
tx_operation(struct op *o, enum event_verb verb, const char *user, const char *channel)
{
    struct outbox *box = o->outbox;

    box->noted = arena_grow(o->arena, box->noted, box->n_noted, &box->size_noted, sizeof *box->noted);
    box->noted[box->n_noted++] = (struct noted){
        .operation = { .verb = verb, .user = user, .channel = channel },
        .system = o->system->name,
    };
}

void
tx_close(struct op *o, const char *channel, int code, const char *reason)
{
    struct event_operation *op;

    tx_operation(o, EVENT_CLOSE, NULL, channel);
    op = &o->outbox->noted[o->outbox->n_noted - 1].operation;
    op->code = code;
    op->reason = reason;
}

char *
tx_channel(struct op *o, const struct id *conversation)
{
    char text[ID_TEXT_SIZE];

    return channel_of(o->arena, o->system->channel_prefix, id_text(conversation, text));
}

char *
tx_user_channel(struct op *o, const char *user)
{
    return channel_of_user(o->arena, o->system->name, user);
}

/* ---- ending ---- */

/* Where the events of this transaction go, and the key they are signed with. */
struct targets {
    const char **endpoints;
    size_t n, size;
    uint8_t key[EVENT_KEY_SIZE];
};

static enum err
read_targets(struct op *o, struct targets *t)
{
    struct db_row *r = db_query(o->db, Q_RELAY_ENDPOINTS, o->arena);
    enum err e;

    db_bind_int(r, ":now", o->now_ms);
    while (db_step(r)) {
        t->endpoints = arena_grow(o->arena, t->endpoints, t->n, &t->size, sizeof *t->endpoints);
        t->endpoints[t->n++] = db_text(r, 0);
    }
    if ((e = db_done(r)) == ERR_OK && t->n > 0)
        e = op_bus_key(o, t->key);
    return e;
}

enum err
tx_prune(struct op *o, int64_t limit, bool *more_r)
{
    struct db_row *r = db_query(o->db, Q_IDEMPOTENCY_PRUNE, o->arena);
    int64_t n_keys;
    enum err e;

    db_bind_int(r, ":before", o->now_ms - o->config->idempotency_keep_s * 1000);
    db_bind_int(r, ":limit", limit);
    if ((e = db_run(r, &n_keys)) == ERR_OK)
        e = eventlog_prune(o->db, o->arena, o->now_ms - o->config->log_keep_s * 1000,
                           o->config->log_keep_events, limit, more_r);
    if (e == ERR_OK && more_r != NULL && n_keys == limit)
        *more_r = true;
    return e;
}

static enum err
write_log(struct op *o, struct targets *t)
{
    struct outbox *box = o->outbox;
    enum err e;

    FAULT("write.rows");
    if ((e = eventlog_append(o->db, o->arena, box->events, box->n)) != ERR_OK)
        return e;
    FAULT("write.numbered");
    if (box->events[0].seq / PRUNE_EVERY != (box->events[0].seq + (int64_t)box->n) / PRUNE_EVERY)
        e = tx_prune(o, PRUNE_BIT, NULL);
    if (e == ERR_OK && o->bus != NULL)
        e = read_targets(o, t);
    return e;
}

static void
push(struct op *o, const struct targets *t)
{
    struct sbuf message;

    sbuf_init(&message, SIZE_MAX);
    for (size_t i = 0; i < o->outbox->n; i++) {
        sbuf_reset(&message);
        event_message_write(&message, &o->outbox->events[i], t->key);
        if (!message.failed)
            bus_send(o->bus, t->endpoints, t->n, message.data, message.len);
    }
    sbuf_fini(&message);
}

/* What operations of the system ride on: its first event, or one that nobody hears. */
static struct event *
carrier(struct op *o, const char *system)
{
    struct outbox *box = o->outbox;

    for (size_t i = 0; i < box->n; i++)
        if (strcmp(box->events[i].system, system) == 0)
            return &box->events[i];
    box->events = arena_grow(o->arena, box->events, box->n, &box->size, sizeof *box->events);
    box->events[box->n] = (struct event){
        .at_ms = o->now_ms, .kind = EVENT_CLOSING, .system = system,
        .request = o->request, .body = "",
    };
    return &box->events[box->n++];
}

static void
carry_operations(struct op *o)
{
    struct outbox *box = o->outbox;

    for (size_t i = 0; i < box->n_noted; i++) {
        struct event *e = carrier(o, box->noted[i].system);

        if (e->operations == NULL)
            e->operations = arena_array(o->arena, box->n_noted, sizeof *e->operations);
        e->operations[e->n_operations++] = box->noted[i].operation;
    }
}

enum err
tx_end(struct op *o, enum err e)
{
    struct targets t = { 0 };
    bool says;

    carry_operations(o);
    says = o->outbox->n > 0;
    if (e == ERR_OK && says)
        e = write_log(o, &t);
    e = db_end(o->db, e);
    if (e != ERR_OK || !says)
        return e;
    FAULT("write.committed");
    o->seq = o->outbox->events[o->outbox->n - 1].seq;
    if (t.n > 0)
        push(o, &t);
    FAULT("write.pushed");
    return ERR_OK;
}
