/* store_account - rows of accounts and their refresh tokens
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/store/store_room.h"

/* A statement about one account. */
static struct db_row *
query_account(const struct store *s, enum query q, int64_t id)
{
    struct db_row *r = db_query(s->db, q, s->arena);

    db_bind_int(r, ":account", id);
    return r;
}

static struct account
read_account(struct db_row *r)
{
    return (struct account){
        .id = db_int(r, 0),
        .email = db_text(r, 1),
        .username = db_text(r, 2),
        .active = db_int(r, 3),
    };
}

enum err
store_account_insert(const struct store *s, struct account *a, const char *password)
{
    struct db_row *r = db_query(s->db, Q_ACCOUNT_INSERT, s->arena);

    db_bind_text(r, ":email", a->email);
    db_bind_text(r, ":username", a->username);
    db_bind_text(r, ":password", password);
    db_bind_int(r, ":now", s->now_ms);
    if (db_step(r))
        a->id = db_int(r, 0);
    return db_done(r);
}

enum err
store_account_find(const struct store *s, int64_t id, struct account *a_r)
{
    struct db_row *r = query_account(s, Q_ACCOUNT_FIND, id);
    bool found;

    if ((found = db_step(r)))
        *a_r = read_account(r);
    return store_found(db_done(r), found);
}

enum err
store_account_of_email(const struct store *s, const char *email, struct account *a_r,
                       const char **password_r)
{
    struct db_row *r = db_query(s->db, Q_ACCOUNT_OF_EMAIL, s->arena);
    bool found;

    db_bind_text(r, ":email", email);
    if ((found = db_step(r))) {
        *a_r = read_account(r);
        *password_r = db_text(r, 4);
    }
    return store_found(db_done(r), found);
}

enum err
store_account_set_password(const struct store *s, int64_t id, const char *password)
{
    struct db_row *r = query_account(s, Q_ACCOUNT_SET_PASSWORD, id);

    db_bind_text(r, ":password", password);
    return db_run(r, NULL);
}

enum err
store_account_set_active(const struct store *s, int64_t id, bool active)
{
    struct db_row *r = query_account(s, Q_ACCOUNT_SET_ACTIVE, id);

    db_bind_int(r, ":active", active);
    return db_run(r, NULL);
}

enum err
store_account_delete(const struct store *s, int64_t id)
{
    return db_run(query_account(s, Q_ACCOUNT_DELETE, id), NULL);
}

/* ---- refresh tokens ---- */

static struct db_row *
query_token(const struct store *s, enum query q, const uint8_t *hash)
{
    struct db_row *r = db_query(s->db, q, s->arena);

    db_bind_blob(r, ":hash", hash, OPAQUE_HASH_SIZE);
    return r;
}

enum err
store_refresh_insert(const struct store *s, const struct refresh *t)
{
    struct db_row *r = query_token(s, Q_REFRESH_INSERT, t->hash);

    db_bind_int(r, ":account", t->account.id);
    db_bind_id(r, ":family", &t->family);
    db_bind_int(r, ":expires", t->expires_ms);
    return db_run(r, NULL);
}

enum err
store_refresh_find(const struct store *s, const uint8_t *hash, struct refresh *t)
{
    struct db_row *r = query_token(s, Q_REFRESH_FIND, hash);
    bool found;

    if ((found = db_step(r)))
        *t = (struct refresh){
            .hash = hash,
            .account = { .id = db_int(r, 0), .email = db_text(r, 4), .username = db_text(r, 5),
                         .active = db_int(r, 6) },
            .family = db_id(r, 1),
            .used = db_int(r, 2),
            .expires_ms = db_int(r, 3),
        };
    return store_found(db_done(r), found);
}

enum err
store_refresh_use(const struct store *s, const uint8_t *hash)
{
    return db_run(query_token(s, Q_REFRESH_USE, hash), NULL);
}

enum err
store_refresh_revoke_family(const struct store *s, const struct id *family)
{
    struct db_row *r = db_query(s->db, Q_REFRESH_REVOKE_FAMILY, s->arena);

    db_bind_id(r, ":family", family);
    return db_run(r, NULL);
}

enum err
store_refresh_revoke_account(const struct store *s, int64_t account)
{
    return db_run(query_account(s, Q_REFRESH_REVOKE_ACCOUNT, account), NULL);
}

enum err
store_refresh_prune(const struct store *s, int64_t limit)
{
    struct db_row *r = db_query(s->db, Q_REFRESH_PRUNE, s->arena);

    db_bind_int(r, ":now", s->now_ms);
    db_bind_int(r, ":limit", limit);
    return db_run(r, NULL);
}
