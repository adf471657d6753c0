/* history - statements of schema/history, bound and read
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/history.h"

#include <fcntl.h>
#include <unistd.h>

#include "history_queries.h"
#include "relay/mem.h"
#include "shared/db/db.h"
#include "shared/db/migrate.h"
#include "shared/fault.h"
#include "shared/log.h"

#define PREDECESSOR_WAIT_MS 2000    /* for a relay that is just ending */
#define DELETE_MAX 500              /* publications, keys in one transaction beside what its changes push out */
#define PUSHED_OUT_MAX 100          /* publications that one change deletes itself */

struct history {
    struct db *db;
    struct arena *arena;            /* of a statement's results */
    int64_t keep_keys_ms;
    int64_t next_id;
    bool untidy;
    char epoch[STREAM_EPOCH_SIZE];
};

static struct db_row *
query(struct history *h, enum history_query q)
{
    return db_query(h->db, (int)q, h->arena);
}

static void
take_epoch(char epoch[STREAM_EPOCH_SIZE], const char *text)
{
    strncpy(epoch, text ? text : "", STREAM_EPOCH_SIZE - 1);
    epoch[STREAM_EPOCH_SIZE - 1] = '\0';
}

/* ---- opening ---- */

static enum err
read_facts(struct history *h)
{
    struct db_row *r = query(h, HISTORY_Q_EPOCH_GET);
    enum err e;

    if (db_step(r))
        take_epoch(h->epoch, db_text(r, 0));
    if ((e = db_done(r)) != ERR_OK)
        return e;
    r = query(h, HISTORY_Q_STREAM_LAST_ID);
    h->next_id = db_step(r) ? db_int(r, 0) + 1 : 1;
    return db_done(r);
}

/* What was published is nobody else's to read, whatever the umask. SQLite's other files take this one's mode. */
static void
create_private(const char *file)
{
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
}

enum err
history_open(const char *file, int64_t keep_keys_ms, struct history **h_r)
{
    struct history *h = mem_new(sizeof *h);
    int ran;
    enum err e;

    h->arena = arena_new();
    h->keep_keys_ms = keep_keys_ms;
    h->untidy = true;
    create_private(file);
    e = db_open_as(&db_schema_history, file, DB_CREATE | DB_ANY_VERSION | DB_ALONE, PREDECESSOR_WAIT_MS, &h->db);
    if (e == ERR_OK && (e = migrate_run(h->db, &ran)) == ERR_OK)
        e = read_facts(h);
    if (e != ERR_OK) {
        log_event(LOG_LEVEL_ERROR, "history", "file", file, "why", err_text(e), NULL);
        history_close(h);
        return e == ERR_BUSY ? ERR_BUSY : ERR_INTERNAL;
    }
    *h_r = h;
    return ERR_OK;
}

void
history_close(struct history *h)
{
    if (!h)
        return;
    db_close(h->db);
    arena_free(h->arena);
    free(h);
}

const char *
history_epoch(const struct history *h)
{
    return h->epoch;
}

int64_t
history_next_id(const struct history *h)
{
    return h->next_id;
}

/* ---- reading ---- */

static struct publication *
read_publication(struct db_row *r)
{
    const char *data = db_text(r, 2);
    struct publication *p = publication_new(data, strlen(data), db_text(r, 3), db_text(r, 4), db_int(r, 5) != 0);

    p->offset = (uint64_t)db_int(r, 0);
    p->time_ms = db_int(r, 1);
    return p;
}

static enum err
read_window(struct history *h, const struct durable_stream *row, const struct durable_reader *reader, void *arg)
{
    struct db_row *r = query(h, HISTORY_Q_PUBLICATION_WINDOW);
    uint64_t oldest = row->top + 1;
    bool more = true;
    enum err e;

    db_bind_int(r, ":stream", row->id);
    db_bind_int(r, ":first", (int64_t)row->first);
    while (more && db_step(r)) {
        struct publication *p = read_publication(r);

        more = reader->publication(arg, p);
        publication_unref(p);
        arena_reset(h->arena);
    }
    if ((e = db_done(r)) != ERR_OK)
        return e;
    r = query(h, HISTORY_Q_PUBLICATION_OLDEST);
    db_bind_int(r, ":stream", row->id);
    if (db_step(r) && !db_is_null(r, 0))
        oldest = (uint64_t)db_int(r, 0);
    reader->oldest(arg, oldest);
    return db_done(r);
}

static void
read_row(struct db_row *r, struct durable_stream *row)
{
    row->channel = db_text(r, 0);
    row->id = db_int(r, 1);
    take_epoch(row->epoch, db_text(r, 2));
    row->top = (uint64_t)db_int(r, 3);
    row->first = (uint64_t)db_int(r, 4);
    row->rules = (struct stream_rules){
        .size = db_int(r, 5), .ttl_ms = db_int(r, 6), .meta_ttl_ms = db_int(r, 7), .durable = true,
    };
    row->version = (uint64_t)db_int(r, 8);
    row->version_epoch = db_text(r, 9);
    row->published_ms = db_int(r, 10);
}

static enum err
read_streams(struct history *h, const struct durable_reader *reader, void *arg)
{
    struct arena *a = arena_new();
    struct db_row *r = db_query(h->db, HISTORY_Q_STREAM_ALL, a);
    enum err e = ERR_OK, done;

    while (e == ERR_OK && db_step(r)) {
        struct durable_stream row;

        read_row(r, &row);
        reader->stream(arg, &row);
        e = read_window(h, &row, reader, arg);
        arena_reset(a);
    }
    done = db_done(r);
    arena_free(a);
    return e != ERR_OK ? e : done;
}

static enum err
read_keys(struct history *h, const struct durable_reader *reader, void *arg, int64_t since_ms)
{
    struct db_row *r = query(h, HISTORY_Q_KEY_ALL);

    db_bind_int(r, ":since", since_ms);
    while (db_step(r)) {
        struct stream_position at = { .offset = (uint64_t)db_int(r, 4) };

        take_epoch(at.epoch, db_text(r, 3));
        reader->key(arg, db_text(r, 0), db_text(r, 1), db_int(r, 2), &at);
        arena_reset(h->arena);
    }
    return db_done(r);
}

enum err
history_read(struct history *h, const struct durable_reader *reader, void *arg, int64_t since_ms)
{
    enum err e = read_streams(h, reader, arg);

    if (e == ERR_OK)
        e = read_keys(h, reader, arg, since_ms);
    return e == ERR_OK ? ERR_OK : ERR_INTERNAL;
}

/* ---- writing ---- */

static enum err
drop(struct history *h, int64_t stream, uint64_t first, uint64_t last)
{
    struct db_row *r = query(h, HISTORY_Q_PUBLICATION_DROP);

    db_bind_int(r, ":stream", stream);
    db_bind_int(r, ":first", (int64_t)first);
    db_bind_int(r, ":last", (int64_t)last);
    return db_run(r, NULL);
}

/* What left the window: at once when it is little, else noted down. */
static enum err
write_gone(struct history *h, const struct durable_change *c)
{
    struct db_row *r;

    if (c->gone_from >= c->gone_to)
        return ERR_OK;
    if (c->gone_to - c->gone_from <= PUSHED_OUT_MAX)
        return drop(h, c->row.id, c->gone_from, c->gone_to);
    h->untidy = true;
    r = query(h, HISTORY_Q_GONE_PUT);
    db_bind_int(r, ":stream", c->row.id);
    db_bind_int(r, ":first", (int64_t)c->gone_from);
    db_bind_int(r, ":last", (int64_t)c->gone_to);
    return db_run(r, NULL);
}

static enum err
write_replaced(struct history *h, const struct durable_stream *row)
{
    struct db_row *r = query(h, HISTORY_Q_STREAM_REPLACED);
    int64_t n;
    enum err e;

    db_bind_text(r, ":channel", row->channel);
    db_bind_int(r, ":id", row->id);
    e = db_run(r, &n);
    h->untidy |= n > 0;
    return e;
}

static enum err
write_row(struct history *h, const struct durable_stream *row)
{
    struct db_row *r = query(h, HISTORY_Q_STREAM_PUT);

    db_bind_text(r, ":channel", row->channel);
    db_bind_int(r, ":id", row->id);
    db_bind_text(r, ":epoch", row->epoch);
    db_bind_int(r, ":top", (int64_t)row->top);
    db_bind_int(r, ":first", (int64_t)row->first);
    db_bind_int(r, ":size", row->rules.size);
    db_bind_int(r, ":ttl_ms", row->rules.ttl_ms);
    db_bind_int(r, ":meta_ttl_ms", row->rules.meta_ttl_ms);
    db_bind_int(r, ":version", (int64_t)row->version);
    db_bind_text(r, ":version_epoch", row->version_epoch ? row->version_epoch : "");
    db_bind_int(r, ":published_ms", row->published_ms);
    return db_run(r, NULL);
}

static enum err
write_publication(struct history *h, const struct durable_change *c)
{
    const struct publication *p = c->publication;
    struct db_row *r = query(h, HISTORY_Q_PUBLICATION_PUT);

    db_bind_int(r, ":stream", c->row.id);
    db_bind_int(r, ":offset", (int64_t)c->row.top);
    db_bind_int(r, ":time_ms", c->row.published_ms);
    db_bind_text_n(r, ":data", publication_data(p), p->data_len);
    db_bind_text(r, ":info", publication_info(p));
    db_bind_text(r, ":tags", publication_tags(p));
    db_bind_int(r, ":delta", p->delta);
    return db_run(r, NULL);
}

static enum err
write_key(struct history *h, const struct durable_change *c)
{
    struct db_row *r;

    if (!c->key)
        return ERR_OK;
    r = query(h, HISTORY_Q_KEY_PUT);
    db_bind_text(r, ":channel", c->row.channel);
    db_bind_text(r, ":key", c->key);
    db_bind_int(r, ":time_ms", c->row.published_ms);
    db_bind_text(r, ":epoch", c->row.epoch);
    db_bind_int(r, ":offset", (int64_t)c->row.top);
    return db_run(r, NULL);
}

static enum err
write_published(struct history *h, const struct durable_change *c)
{
    enum err e = c->fresh ? write_replaced(h, &c->row) : ERR_OK;

    if (e == ERR_OK)
        e = write_row(h, &c->row);
    if (e == ERR_OK)
        e = write_publication(h, c);
    if (e == ERR_OK)
        e = write_key(h, c);
    return e;
}

static enum err
write_trimmed(struct history *h, const struct durable_stream *row)
{
    struct db_row *r = query(h, HISTORY_Q_STREAM_TRIM);

    db_bind_text(r, ":channel", row->channel);
    db_bind_int(r, ":id", row->id);
    db_bind_int(r, ":first", (int64_t)row->first);
    return db_run(r, NULL);
}

static enum err
write_forgotten(struct history *h, const struct durable_stream *row)
{
    struct db_row *r = query(h, HISTORY_Q_STREAM_DELETE);
    enum err e;

    db_bind_text(r, ":channel", row->channel);
    db_bind_int(r, ":id", row->id);
    if ((e = db_run(r, NULL)) != ERR_OK)
        return e;
    r = query(h, HISTORY_Q_EPOCH_SET);
    db_bind_text(r, ":epoch", row->epoch);
    return db_run(r, NULL);
}

static enum err
write_change(struct history *h, const struct durable_change *c)
{
    enum err e = ERR_OK;

    switch (c->kind) {
    case DURABLE_PUBLISH:
        e = write_published(h, c);
        break;
    case DURABLE_TRIM:
        e = write_trimmed(h, &c->row);
        break;
    case DURABLE_FORGET:
        e = write_forgotten(h, &c->row);
        break;
    case DURABLE_PASS:
        return ERR_OK;
    }
    return e == ERR_OK ? write_gone(h, c) : e;
}

/* Some of one range that is noted down. */
static enum err
tidy(struct history *h)
{
    int64_t id = 0, stream = 0, first = 0, last = 0;
    struct db_row *r;
    enum err e;

    if (!h->untidy)
        return ERR_OK;
    r = query(h, HISTORY_Q_GONE_GET);
    if ((h->untidy = db_step(r))) {
        id = db_int(r, 0);
        stream = db_int(r, 1);
        first = db_int(r, 2);
        last = db_int(r, 3);
    }
    if ((e = db_done(r)) != ERR_OK || !h->untidy)
        return e;
    if ((e = drop(h, stream, (uint64_t)first, (uint64_t)(last - first > DELETE_MAX ? first + DELETE_MAX : last)))
        != ERR_OK)
        return e;
    r = query(h, last - first > DELETE_MAX ? HISTORY_Q_GONE_MOVE : HISTORY_Q_GONE_DELETE);
    db_bind_int(r, ":id", id);
    if (last - first > DELETE_MAX)
        db_bind_int(r, ":first", first + DELETE_MAX);
    return db_run(r, NULL);
}

static enum err
drop_keys(struct history *h, int64_t until_ms)
{
    struct db_row *r = query(h, HISTORY_Q_KEY_DROP);

    db_bind_int(r, ":until", until_ms);
    db_bind_int(r, ":n", DELETE_MAX);
    return db_run(r, NULL);
}

static enum err
write_all(struct history *h, const struct durable_change *first)
{
    int64_t now_ms = INT64_MIN;
    enum err e = ERR_OK;

    for (const struct durable_change *c = first; c && e == ERR_OK; c = c->next) {
        e = write_change(h, c);
        if (c->kind == DURABLE_PUBLISH)
            now_ms = c->row.published_ms;
    }
    if (e == ERR_OK && now_ms != INT64_MIN)
        e = drop_keys(h, now_ms - h->keep_keys_ms);
    return e == ERR_OK ? tidy(h) : e;
}

enum err
history_write(struct history *h, const struct durable_change *first)
{
    enum err e = db_begin_write(h->db);

    if (e == ERR_OK) {
        e = write_all(h, first);
        FAULT("history.begun");
        e = db_end(h->db, e);
    }
    if (e != ERR_OK) {
        h->untidy = true;
        return ERR_INTERNAL;
    }
    FAULT("history.committed");
    return ERR_OK;
}

bool
history_untidy(const struct history *h)
{
    return h->untidy;
}
