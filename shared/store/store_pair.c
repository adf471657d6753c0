/* store_pair - rows of meetings, of chats of two and of their messages
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/store/store_pair.h"

#include <string.h>

#include "shared/json.h"

static struct db_row *
query_in(const struct store *s, enum query q, int64_t key)
{
    struct db_row *r = db_query(s->db, q, s->arena);

    db_bind_int(r, ":conversation", key);
    return r;
}

/* ---- lists of references, as JSON ---- */

static const char *
references_text(const struct store *s, const struct list *list)
{
    const char *const *texts = list->items;
    struct sbuf b;
    char *text;

    sbuf_init(&b, SIZE_MAX);
    json_open(&b, '[');
    for (size_t i = 0; i < list->n; i++)
        json_string(&b, texts[i]);
    json_close(&b, ']');
    text = arena_copy(s->arena, sbuf_str(&b), b.len);
    sbuf_fini(&b);
    return text;
}

/* We wrote it ourselves, and nothing in a reference needs an escape. */
static struct list
references_of(const struct store *s, const char *text)
{
    const char *at = text, *element, **items = NULL;
    struct list list = { 0 };
    size_t size = 0, len;

    while (text != NULL && (element = json_element(&at, &len)) != NULL) {
        items = arena_grow(s->arena, items, list.n, &size, sizeof *items);
        items[list.n++] = arena_copy(s->arena, element + 1, len - 2);
    }
    list.items = items;
    return list;
}

/* ---- meetings ---- */

/* Columns from column on: id, owner, name, icons, location, from_s, to_s. */
static struct meeting
read_meeting(const struct store *s, struct db_row *r, int column)
{
    return (struct meeting){
        .id = db_int(r, column),
        .owner = db_text(r, column + 1),
        .name = db_text(r, column + 2),
        .icons = references_of(s, db_text(r, column + 3)),
        .location = db_text(r, column + 4),
        .from_s = db_int(r, column + 5),
        .to_s = db_int(r, column + 6),
    };
}

enum err
store_meeting_insert(const struct store *s, struct meeting *m)
{
    struct db_row *r = db_query(s->db, Q_MEETING_INSERT, s->arena);

    db_bind_text(r, ":owner", m->owner);
    db_bind_text(r, ":name", m->name);
    db_bind_text(r, ":icons", references_text(s, &m->icons));
    db_bind_text(r, ":location", m->location);
    db_bind_int(r, ":from_s", m->from_s);
    db_bind_int(r, ":to_s", m->to_s);
    db_bind_int(r, ":now", s->now_ms);
    if (db_step(r))
        m->id = db_int(r, 0);
    return db_done(r);
}

enum err
store_meeting_find(const struct store *s, int64_t id, struct meeting *m_r)
{
    struct db_row *r = db_query(s->db, Q_MEETING_FIND, s->arena);
    bool found;

    db_bind_int(r, ":meeting", id);
    if ((found = db_step(r)))
        *m_r = read_meeting(s, r, 0);
    return store_found(db_done(r), found);
}

enum err
store_meeting_list(const struct store *s, int64_t offset, int64_t limit, struct meeting **list_r,
                   size_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_MEETING_LIST, s->arena);

    *list_r = arena_array(s->arena, (size_t)limit, sizeof **list_r);
    *n_r = 0;
    db_bind_int(r, ":offset", offset);
    db_bind_int(r, ":limit", limit);
    while (db_step(r))
        (*list_r)[(*n_r)++] = read_meeting(s, r, 0);
    return db_done(r);
}

/* ---- chats ---- */

enum err
store_pair_insert(const struct store *s, int64_t key, const char *chat, int64_t meeting,
                  const char *applicant, bool requested)
{
    struct db_row *r = query_in(s, Q_PAIR_INSERT, key);

    db_bind_text(r, ":token", chat);
    db_bind_int(r, ":meeting", meeting);
    db_bind_text(r, ":applicant", applicant);
    db_bind_int(r, ":requested", requested);
    return db_run(r, NULL);
}

enum err
store_pair_state(const struct store *s, const char *chat, const char *user, struct pair_state *p_r)
{
    struct db_row *r = db_query(s->db, Q_PAIR_STATE, s->arena);
    bool found;

    db_bind_text(r, ":token", chat);
    db_bind_text(r, ":user", user);
    if ((found = db_step(r)))
        *p_r = (struct pair_state){
            .key = db_int(r, 0), .read_n = db_int(r, 1), .last_n = db_int(r, 2),
            .other = db_text(r, 3),
        };
    return store_found(db_done(r), found);
}

enum err
store_pair_of_applicant(const struct store *s, int64_t meeting, const char *applicant,
                        int64_t *key_r)
{
    struct db_row *r = db_query(s->db, Q_PAIR_OF_APPLICANT, s->arena);
    bool found;

    db_bind_int(r, ":meeting", meeting);
    db_bind_text(r, ":applicant", applicant);
    if ((found = db_step(r)))
        *key_r = db_int(r, 0);
    return store_found(db_done(r), found);
}

/* An empty picture is none. */
static const char *
given(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static struct pair_view
read_view(const struct store *s, struct db_row *r)
{
    return (struct pair_view){
        .key = db_int(r, 0),
        .chat = db_text(r, 1),
        .requested = db_int(r, 2),
        .granted = db_int(r, 3),
        .meeting = read_meeting(s, r, 4),
        .other = { db_text(r, 11), given(db_text(r, 12)), given(db_text(r, 13)) },
        .unread = { db_int(r, 14), db_int(r, 15) },
    };
}

enum err
store_pair_view(const struct store *s, int64_t key, const char *user, struct pair_view *v_r)
{
    struct db_row *r = query_in(s, Q_PAIR_VIEW, key);
    bool found;

    db_bind_text(r, ":system", s->system);
    db_bind_text(r, ":user", user);
    if ((found = db_step(r)))
        *v_r = read_view(s, r);
    return store_found(db_done(r), found);
}

enum err
store_pair_list(const struct store *s, const char *user, struct pair_view **list_r, size_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_PAIR_LIST, s->arena);
    size_t size = 0;

    *list_r = NULL;
    *n_r = 0;
    db_bind_text(r, ":system", s->system);
    db_bind_text(r, ":user", user);
    while (db_step(r)) {
        *list_r = arena_grow(s->arena, *list_r, *n_r, &size, sizeof **list_r);
        (*list_r)[(*n_r)++] = read_view(s, r);
    }
    return db_done(r);
}

enum err
store_pair_request(const struct store *s, int64_t key)
{
    return db_run(query_in(s, Q_PAIR_REQUEST, key), NULL);
}

enum err
store_pair_grant(const struct store *s, int64_t key, bool granted)
{
    struct db_row *r = query_in(s, Q_PAIR_GRANT, key);

    db_bind_int(r, ":granted", granted);
    return db_run(r, NULL);
}

/* ---- messages ---- */

enum err
store_pair_message_insert(const struct store *s, int64_t key, struct pair_message *m)
{
    struct entry entry = { .kind = ENTRY_SAID, .author = m->from, .content = m->text };
    enum err e = store_entry_insert(s, key, 0, &entry);
    struct db_row *r;

    m->n = entry.n;
    m->at_ms = entry.at_ms;
    if (e != ERR_OK || m->photos.n == 0)
        return e;
    r = db_query(s->db, Q_PAIR_PHOTOS_INSERT, s->arena);
    db_bind_int(r, ":entry", entry.id);
    db_bind_text(r, ":photos", references_text(s, &m->photos));
    return db_run(r, NULL);
}

static struct pair_message
read_message(const struct store *s, struct db_row *r, const char *const parties[2])
{
    struct pair_message m = {
        .n = db_int(r, 0),
        .from = db_text(r, 1),
        .text = db_text(r, 2),
        .at_ms = db_int(r, 3),
        .photos = references_of(s, db_text(r, 4)),
    };

    m.to = parties[strcmp(m.from, parties[0]) == 0];
    return m;
}

enum err
store_pair_messages(const struct store *s, int64_t key, const char *const parties[2],
                    int64_t before, int64_t limit, struct pair_message **list_r, size_t *n_r)
{
    struct db_row *r = query_in(s, Q_PAIR_MESSAGES, key);
    struct pair_message *end = (struct pair_message *)arena_array(s->arena, (size_t)limit,
                                                                  sizeof **list_r) + limit;

    *list_r = end;
    *n_r = 0;
    db_bind_int(r, ":before", before);
    db_bind_int(r, ":limit", limit);
    /* newest first, so the list is filled from its end */
    for (; db_step(r); (*n_r)++)
        *--*list_r = read_message(s, r, parties);
    return db_done(r);
}
