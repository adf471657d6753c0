/* op_account - registering, logging in, tokens; and what the operator does with accounts
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "shared/chat/room_private.h"
#include "shared/password.h"
#include "shared/token.h"
#include "shared/utf8.h"

#define EXPIRED_AT_ONCE 20      /* old refresh tokens that go with each new one */

/* ---- words ---- */

char *
account_email(struct arena *a, const char *given)
{
    size_t len;
    const char *trimmed = utf8_trim(given, strlen(given), &len);

    return utf8_lower(a, arena_copy(a, trimmed, len));
}

static enum err
taken(struct op *o)
{
    return room_rule(o, "this e-mail address is registered already");
}

/* ---- passwords ---- */

static struct password_cost
cost_of(const struct op *o)
{
    return (struct password_cost){ .memory_kib = o->config->rooms_password_memory_kib,
                                   .passes = o->config->rooms_password_passes };
}

/* Takes a place among those who hash. */
static enum err
enter(struct op *o, int *place_r)
{
    enum err e = password_enter(arena_printf(o->arena, "%s/passwords", o->config->run),
                                o->config->rooms_password_processes, place_r);

    return e == ERR_RATE ? err_fail(o->fail, e, NULL, "too many are logging in, try again shortly")
                         : e;
}

static enum err
make_hash(struct op *o, const char *password, const char **hash_r)
{
    struct password_cost cost = cost_of(o);
    char *hash = arena_alloc(o->arena, PASSWORD_HASH_SIZE);
    int place;
    enum err e = enter(o, &place);

    if (e != ERR_OK)
        return e;
    e = password_hash(&cost, password, hash);
    password_leave(place);
    *hash_r = hash;
    return e;
}

/* *fresh_r: a hash at today's cost, when the stored one was made at another; else NULL. */
static enum err
check_password(struct op *o, const char *hash, const char *password, const char **fresh_r)
{
    struct password_cost cost = cost_of(o);
    char *fresh = arena_alloc(o->arena, PASSWORD_HASH_SIZE);
    int place;
    enum err e = enter(o, &place);

    *fresh_r = NULL;
    if (e != ERR_OK)
        return e;
    e = password_verify(&cost, hash, password);
    if (e == ERR_OK && password_outdated(&cost, hash)
        && (e = password_hash(&cost, password, fresh)) == ERR_OK)
        *fresh_r = fresh;
    password_leave(place);
    return e;
}

/* ---- tokens ---- */

static const char *
mint(struct op *o, int64_t account)
{
    const char *user = arena_printf(o->arena, "%lld", (long long)account), *text;
    int64_t now_s = o->now_ms / 1000;
    struct sbuf out;

    sbuf_init(&out, TOKEN_MAX);
    token_mint(&out, o->config->rooms_jwt_secret, "sub", user, now_s,
               now_s + o->config->rooms_token_s, ROOMS_AUDIENCE);
    text = arena_copy(o->arena, sbuf_str(&out), out.len);
    sbuf_fini(&out);
    return text;
}

/* Inside a transaction: a new pair for auth->account. */
static enum err
issue(struct op *o, const struct id *family, struct auth *auth)
{
    struct store s = op_store(o);
    uint8_t hash[OPAQUE_HASH_SIZE];
    struct refresh r = {
        .hash = hash, .account = { .id = auth->account.id }, .family = *family,
        .expires_ms = o->now_ms + o->config->rooms_refresh_s * 1000,
    };
    enum err e;

    auth->refresh = opaque_new(o->arena, "rt_");
    opaque_hash(auth->refresh, hash);
    if ((e = store_refresh_insert(&s, &r)) == ERR_OK)
        e = store_refresh_prune(&s, EXPIRED_AT_ONCE);
    auth->token = mint(o, auth->account.id);
    return e;
}

/* ---- registering and logging in ---- */

/* The name given, or the part of the address before the @. */
static const char *
username_of(struct op *o, const struct account_new *in)
{
    if (in->username != NULL && utf8_visible(in->username, strlen(in->username)))
        return in->username;
    return arena_copy(o->arena, in->email, strcspn(in->email, "@"));
}

enum err
op_account_register(struct op *o, const struct account_new *in, struct auth *auth)
{
    struct store s = op_store(o);
    struct id family = id_random();
    const char *hash;
    enum err e;

    *auth = (struct auth){ .account = { .email = in->email, .username = username_of(o, in),
                                        .active = true } };
    e = store_account_of_email(&s, in->email, &(struct account){ 0 }, &hash);
    if (e != ERR_NOT_FOUND)
        return e == ERR_OK ? taken(o) : e;
    if ((e = make_hash(o, in->password, &hash)) != ERR_OK || (e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = store_account_insert(&s, &auth->account, hash)) == ERR_EXISTS)
        e = taken(o);
    else if (e == ERR_OK)
        e = issue(o, &family, auth);
    return tx_end(o, e);
}

static enum err
no_login(struct op *o)
{
    return err_fail(o->fail, ERR_UNAUTHORIZED, NULL, "wrong e-mail address or password");
}

enum err
op_account_login(struct op *o, const char *email, const char *password, struct auth *auth)
{
    struct store s = op_store(o);
    struct id family = id_random();
    const char *hash = NULL, *fresh;
    enum err e;

    *auth = (struct auth){ 0 };
    e = store_account_of_email(&s, email, &auth->account, &hash);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    if ((e = check_password(o, hash, password, &fresh)) != ERR_OK)
        return e == ERR_UNAUTHORIZED ? no_login(o) : e;
    if (!auth->account.active)
        return err_fail(o->fail, ERR_FORBIDDEN, NULL, "this account is deactivated");
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if (fresh == NULL || (e = store_account_set_password(&s, auth->account.id, fresh)) == ERR_OK)
        e = issue(o, &family, auth);
    if (e == ERR_NOT_FOUND)             /* erased just now */
        e = no_login(o);
    return tx_end(o, e);
}

/* Inside a transaction: exchanges the token that was found. A refusal may still change rows,
 * so it comes by *refused_r. */
static enum err
exchange(struct op *o, const struct refresh *r, struct auth *auth, bool *refused_r)
{
    struct store s = op_store(o);
    enum err e;

    *refused_r = r->used || r->expires_ms <= o->now_ms || !r->account.active;
    if (r->used)
        return store_refresh_revoke_family(&s, &r->family);
    if (*refused_r)
        return ERR_OK;
    auth->account = r->account;
    if ((e = store_refresh_use(&s, r->hash)) == ERR_OK)
        e = issue(o, &r->family, auth);
    return e;
}

enum err
op_account_refresh(struct op *o, const char *refresh, struct auth *auth)
{
    struct store s = op_store(o);
    uint8_t hash[OPAQUE_HASH_SIZE];
    struct refresh r;
    bool refused = false;
    enum err e;

    *auth = (struct auth){ 0 };
    opaque_hash(refresh, hash);
    /* strangers' guesses are not worth the writers' turn */
    if ((e = store_refresh_find(&s, hash, &r)) == ERR_OK && (e = tx_begin(o)) == ERR_OK) {
        if ((e = store_refresh_find(&s, hash, &r)) == ERR_OK)
            e = exchange(o, &r, auth, &refused);
        e = tx_end(o, e);
    }
    return e == ERR_NOT_FOUND || (e == ERR_OK && refused) ? ERR_UNAUTHORIZED : e;
}

enum err
op_account_check(struct op *o, const char *user, struct account *account_r)
{
    struct store s = op_store(o);
    int64_t id;
    enum err e;

    if (!room_id_parse(user, &id))
        return ERR_UNAUTHORIZED;
    e = store_account_find(&s, id, account_r);
    return e == ERR_NOT_FOUND || (e == ERR_OK && !account_r->active) ? ERR_UNAUTHORIZED : e;
}

/* ---- by the operator ---- */

static enum err
find_by_email(struct op *o, const char *email, struct account *a)
{
    struct store s = op_store(o);
    const char *hash;
    enum err e = store_account_of_email(&s, email, a, &hash);

    return e == ERR_NOT_FOUND ? err_fail(o->fail, e, NULL, "no account has that e-mail address") : e;
}

/* Closes what the account and the runners of its rooms have open. */
static enum err
close_sockets(struct op *o, int64_t account, const char *reason)
{
    struct store s = op_store(o);
    char *user = arena_printf(o->arena, "%lld", (long long)account);
    int64_t *keys;
    size_t n;
    enum err e = store_runner_of_account(&s, account, &keys, &n);

    tx_close(o, tx_user_channel(o, user), ROOM_CLOSE_CREDENTIAL, reason);
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        tx_close(o, room_key_channel(o->arena, keys[i]), ROOM_CLOSE_CREDENTIAL, reason);
    return e;
}

enum err
op_account_activate(struct op *o, const char *email, bool active)
{
    struct store s = op_store(o);
    struct account a;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = find_by_email(o, email, &a)) == ERR_OK
        && (e = store_account_set_active(&s, a.id, active)) == ERR_OK && !active
        && (e = store_refresh_revoke_account(&s, a.id)) == ERR_OK)
        e = close_sockets(o, a.id, "account deactivated");
    return tx_end(o, e);
}

static enum err
remove_rooms(struct op *o, int64_t account)
{
    struct store s = op_store(o);
    struct room *rooms;
    size_t n;
    enum err e = store_room_list(&s, account, &rooms, &n);

    for (size_t i = 0; e == ERR_OK && i < n; i++)
        e = room_remove(o, rooms[i].id);
    return e;
}

enum err
op_account_erase(struct op *o, const char *email)
{
    struct store s = op_store(o);
    struct account a;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = find_by_email(o, email, &a)) == ERR_OK
        && (e = close_sockets(o, a.id, "account erased")) == ERR_OK
        && (e = remove_rooms(o, a.id)) == ERR_OK
        && (e = store_agent_delete_of(&s, a.id)) == ERR_OK)
        e = store_account_delete(&s, a.id);
    return tx_end(o, e);
}
