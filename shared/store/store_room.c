/* store_room - rows of rooms, and of what was said and happened in them
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/store/store_room.h"

#include <stdint.h>
#include <stdlib.h>

#include "shared/json.h"

static struct db_row *
query_in(const struct store *s, enum query q, int64_t room)
{
    struct db_row *r = db_query(s->db, q, s->arena);

    db_bind_int(r, ":conversation", room);
    return r;
}

/* ---- rooms ---- */

static struct room
read_room(struct db_row *r)
{
    return (struct room){
        .id = db_int(r, 0),
        .account = db_int(r, 1),
        .name = db_text(r, 2),
        .description = db_text(r, 3),
        .speed = db_real(r, 4),
        .orchestration = (enum orchestration)db_int(r, 5),
        .running = db_int(r, 6),
        .created_ms = db_int(r, 7),
        .updated_ms = db_int(r, 8),
        .n_agents = db_int(r, 9),
    };
}

enum err
store_room_insert(const struct store *s, const struct room *room)
{
    struct db_row *r = query_in(s, Q_ROOM_INSERT, room->id);

    db_bind_int(r, ":account", room->account);
    db_bind_text(r, ":description", room->description);
    db_bind_int(r, ":orchestration", room->orchestration);
    return db_run(r, NULL);
}

enum err
store_room_find(const struct store *s, int64_t id, struct room *room_r)
{
    struct db_row *r = query_in(s, Q_ROOM_FIND, id);
    bool found;

    if ((found = db_step(r)))
        *room_r = read_room(r);
    return store_found(db_done(r), found);
}

enum err
store_room_list(const struct store *s, int64_t account, struct room **list_r, size_t *n_r)
{
    struct db_row *r = db_query(s->db, account != 0 ? Q_ROOM_LIST : Q_ROOM_LIST_ALL, s->arena);
    size_t size = 0;

    *list_r = NULL;
    *n_r = 0;
    if (account != 0)
        db_bind_int(r, ":account", account);
    while (db_step(r)) {
        *list_r = arena_grow(s->arena, *list_r, *n_r, &size, sizeof **list_r);
        (*list_r)[(*n_r)++] = read_room(r);
    }
    return db_done(r);
}

enum err
store_room_count(const struct store *s, int64_t account, int64_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_ROOM_COUNT, s->arena);

    *n_r = 0;
    db_bind_int(r, ":account", account);
    if (db_step(r))
        *n_r = db_int(r, 0);
    return db_done(r);
}

enum err
store_room_update(const struct store *s, const struct room *room)
{
    struct db_row *r = query_in(s, Q_ROOM_UPDATE, room->id);

    db_bind_text(r, ":description", room->description);
    db_bind_real(r, ":speed", room->speed);
    db_bind_int(r, ":now", s->now_ms);
    return db_run(r, NULL);
}

enum err
store_room_run(const struct store *s, int64_t id, bool running)
{
    struct db_row *r = query_in(s, Q_ROOM_RUN, id);

    db_bind_int(r, ":running", running);
    return db_run(r, NULL);
}

/* ---- messages and events ---- */

/* "[1,2]" and back; what is in the database we wrote ourselves. */
static const char *
ids_text(const struct store *s, const int64_t *ids, size_t n)
{
    struct sbuf b;
    char *text;

    sbuf_init(&b, SIZE_MAX);
    json_open(&b, '[');
    for (size_t i = 0; i < n; i++)
        json_int(&b, ids[i]);
    json_close(&b, ']');
    text = arena_copy(s->arena, sbuf_str(&b), b.len);
    sbuf_fini(&b);
    return text;
}

static const int64_t *
ids_of(const struct store *s, const char *text, size_t *n_r)
{
    const char *at = text, *element;
    int64_t *ids = NULL;
    size_t size = 0, len;

    *n_r = 0;
    while ((element = json_element(&at, &len)) != NULL) {
        ids = arena_grow(s->arena, ids, *n_r, &size, sizeof *ids);
        ids[(*n_r)++] = strtoll(element, NULL, 10);
    }
    return ids;
}

static struct room_entry
read_entry(const struct store *s, struct db_row *r)
{
    struct room_entry e = {
        .id = db_int(r, 0),
        .at_ms = db_int(r, 1),
        .text = db_text(r, 2),
        .sender = db_text(r, 3),
        .agent = db_int(r, 4),
        .type = db_text(r, 5),
    };

    if (e.type != NULL)
        e.agents = ids_of(s, db_text(r, 6), &e.n_agents);
    return e;
}

enum err
store_room_entry_insert(const struct store *s, int64_t room, const struct room_entry *e)
{
    struct db_row *r = query_in(s, Q_ROOM_ENTRY_INSERT, room);

    db_bind_int(r, ":entry", e->id);
    db_bind_text(r, ":sender", e->sender);
    if (e->agent != 0)
        db_bind_int(r, ":agent", e->agent);
    db_bind_text(r, ":type", e->type);
    if (e->type != NULL)
        db_bind_text(r, ":agents", ids_text(s, e->agents, e->n_agents));
    return db_run(r, NULL);
}

enum err
store_room_entry_find(const struct store *s, int64_t room, int64_t id, struct room_entry *e_r)
{
    struct db_row *r = query_in(s, Q_ROOM_ENTRY_FIND, room);
    bool found;

    db_bind_int(r, ":entry", id);
    if ((found = db_step(r)))
        *e_r = read_entry(s, r);
    return store_found(db_done(r), found);
}

enum err
store_room_entry_page(const struct store *s, int64_t room, enum room_pick pick, int64_t bound,
                      int64_t limit, struct room_entry **list_r, size_t *n_r)
{
    static const struct {
        enum query query;
        const char *bound;
    } picks[] = {
        [ROOM_MESSAGES_BEFORE] = { Q_ROOM_MESSAGE_BEFORE, ":before" },
        [ROOM_MESSAGES_SINCE] = { Q_ROOM_MESSAGE_SINCE, ":since" },
        [ROOM_FEED] = { Q_ROOM_FEED, NULL },
    };
    struct db_row *r = query_in(s, picks[pick].query, room);

    *list_r = arena_array(s->arena, (size_t)limit, sizeof **list_r);
    *n_r = 0;
    if (picks[pick].bound != NULL)
        db_bind_int(r, picks[pick].bound, bound);
    db_bind_int(r, ":limit", limit);
    while (db_step(r))
        (*list_r)[(*n_r)++] = read_entry(s, r);
    return db_done(r);
}

enum err
store_room_entry_unlink(const struct store *s, int64_t room, int64_t agent)
{
    struct db_row *r = query_in(s, Q_ROOM_ENTRY_UNLINK, room);

    db_bind_int(r, ":agent", agent);
    return db_run(r, NULL);
}
