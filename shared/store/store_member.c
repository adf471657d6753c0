/* store_member - rows of participants
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/store/store.h"
#include "shared/utf8.h"

/* A statement about one participant. */
static struct db_row *
query_of(const struct store *s, enum query q, int64_t key, const char *user)
{
    struct db_row *r = db_query(s->db, q, s->arena);

    db_bind_int(r, ":conversation", key);
    db_bind_text(r, ":user", user);
    return r;
}

enum err
store_member_state(const struct store *s, int64_t key, const char *user, struct member_state *m_r)
{
    struct db_row *r = query_of(s, Q_MEMBER_ME, key, user);
    bool found;

    if ((found = db_step(r)))
        *m_r = (struct member_state){
            .has_read = !db_is_null(r, 0),
            .read_n = db_int(r, 0),
            .unread_n = db_int(r, 1),
            .archived = db_int(r, 2),
            .pinned = db_int(r, 3),
            .notifications = db_int(r, 4),
            .display_name = db_text(r, 5),
        };
    return store_found(db_done(r), found);
}

static enum err
next_ordinal(const struct store *s, int64_t key, int64_t *ordinal_r)
{
    struct db_row *r = db_query(s->db, Q_CONVERSATION_NEXT_MEMBER, s->arena);

    db_bind_int(r, ":conversation", key);
    if (db_step(r))
        *ordinal_r = db_int(r, 0);
    return db_done(r);
}

enum err
store_member_insert(const struct store *s, int64_t key, const struct member_new *in,
                    enum joined_as how, bool all_unread)
{
    int64_t ordinal = 0;
    enum err e = next_ordinal(s, key, &ordinal);
    struct db_row *r;

    if (e != ERR_OK)
        return e;
    r = query_of(s, Q_MEMBER_INSERT, key, in->user);
    db_bind_text(r, ":system", s->system);
    db_bind_int(r, ":ordinal", ordinal);
    db_bind_int(r, ":joined_as", how);
    db_bind_int(r, ":now", s->now_ms);
    db_bind_text(r, ":display_name", in->display_name);
    db_bind_text(r, ":company", in->company);
    db_bind_text(r, ":company_folded", utf8_fold(s->arena, in->company));
    db_bind_text(r, ":email", in->email);
    db_bind_text(r, ":phone", in->phone);
    db_bind_int(r, ":all_unread", all_unread);
    return db_run(r, NULL);
}

enum err
store_member_delete(const struct store *s, int64_t key, const char *user,
                    const char **display_name_r)
{
    struct db_row *r = query_of(s, Q_MEMBER_DELETE, key, user);
    bool found;
    enum err e;

    if ((found = db_step(r)))
        *display_name_r = db_text(r, 0);
    if ((e = db_done(r)) != ERR_OK)
        return e;
    if (!found)
        return ERR_NOT_FOUND;
    r = db_query(s->db, Q_CONVERSATION_LESS_MEMBER, s->arena);
    db_bind_int(r, ":conversation", key);
    return db_run(r, NULL);
}

static void
read_member(struct db_row *r, struct member *m)
{
    *m = (struct member){
        .user = db_text(r, 0),
        .display_name = db_text(r, 1),
        .company = db_text(r, 2),
        .email = db_text(r, 3),
        .phone = db_text(r, 4),
        .joined_as = (enum joined_as)db_int(r, 5),
        .joined_ms = db_int(r, 6),
        .notifications = db_int(r, 7),
        .archived = db_int(r, 8),
        .pinned = db_int(r, 9),
        .read = db_id(r, 10),
        .unread = db_int(r, 11),
        .online = db_int(r, 12),
    };
}

enum err
store_member_list(const struct store *s, int64_t key, const char *user, const char *viewer,
                  struct member **members_r, size_t *n_r)
{
    struct db_row *r = query_of(s, Q_MEMBER_LIST, key, user);
    size_t size = 0;

    *members_r = NULL;
    *n_r = 0;
    db_bind_text(r, ":viewer", viewer);
    db_bind_int(r, ":now", s->now_ms);
    while (db_step(r)) {
        *members_r = arena_grow(s->arena, *members_r, *n_r, &size, sizeof **members_r);
        read_member(r, &(*members_r)[(*n_r)++]);
    }
    return db_done(r);
}

/* The first column of every row, as texts. */
static enum err
read_texts(const struct store *s, struct db_row *r, const char ***texts_r, size_t *n_r)
{
    size_t size = 0;

    *texts_r = NULL;
    *n_r = 0;
    while (db_step(r)) {
        *texts_r = arena_grow(s->arena, *texts_r, *n_r, &size, sizeof **texts_r);
        (*texts_r)[(*n_r)++] = db_text(r, 0);
    }
    return db_done(r);
}

enum err
store_member_users(const struct store *s, int64_t key, const char ***users_r, size_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_MEMBER_USERS, s->arena);

    db_bind_int(r, ":conversation", key);
    return read_texts(s, r, users_r, n_r);
}

enum err
store_member_unarchive_all(const struct store *s, int64_t key, const char ***users_r, size_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_MEMBER_UNARCHIVE_ALL, s->arena);

    db_bind_int(r, ":conversation", key);
    return read_texts(s, r, users_r, n_r);
}

enum err
store_member_switch(const struct store *s, int64_t key, const char *user,
                    enum member_switch which, bool on)
{
    static const enum query queries[] = {
        [SWITCH_ARCHIVED] = Q_MEMBER_SET_ARCHIVED,
        [SWITCH_PINNED] = Q_MEMBER_SET_PINNED,
        [SWITCH_NOTIFICATIONS] = Q_MEMBER_SET_NOTIFICATIONS,
    };
    struct db_row *r = query_of(s, queries[which], key, user);

    db_bind_int(r, ":on", on);
    if (which == SWITCH_ARCHIVED)
        db_bind_int(r, ":now", s->now_ms);
    return db_run(r, NULL);
}

enum err
store_member_set_read(const struct store *s, int64_t key, const char *user, int64_t n)
{
    struct db_row *r = query_of(s, Q_MEMBER_SET_READ, key, user);

    db_bind_int(r, ":n", n);
    return db_run(r, NULL);
}

enum err
store_member_unread(const struct store *s, int64_t key, const char *user, int64_t above,
                    int64_t up_to, bool *some_r)
{
    struct db_row *r = query_of(s, Q_MEMBER_UNREAD, key, user);

    db_bind_int(r, ":above", above);
    db_bind_int(r, ":up_to", up_to);
    if (db_step(r))
        *some_r = db_int(r, 0) != 0;
    return db_done(r);
}

enum err
store_member_idle(const struct store *s, int64_t before_ms, int64_t limit,
                  struct member_idle **list_r, size_t *n_r)
{
    struct db_row *r = db_query(s->db, Q_MEMBER_IDLE, s->arena);
    size_t size = 0;

    *list_r = NULL;
    *n_r = 0;
    db_bind_text(r, ":system", s->system);
    db_bind_int(r, ":before", before_ms);
    db_bind_int(r, ":limit", limit);
    while (db_step(r)) {
        *list_r = arena_grow(s->arena, *list_r, *n_r, &size, sizeof **list_r);
        (*list_r)[(*n_r)++] = (struct member_idle){
            .key = db_int(r, 0), .conversation = db_id(r, 1), .user = db_text(r, 2),
        };
    }
    return db_done(r);
}
