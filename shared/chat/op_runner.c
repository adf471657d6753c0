/* op_runner - keys of runners, and what runners write besides messages: memories, plans, moods
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/room_private.h"
#include "shared/token.h"

/* How exactly it is known when a key was last used: one that is used all the time must not
 * make each of its reads a write. */
#define USED_EVERY_MS 60000

/* ---- keys ---- */

enum err
op_runner_key_create(struct op *o, const struct room_actor *who, int64_t room, const char *name,
                     const char *webhook_url, struct runner_key *k)
{
    struct store s = op_store(o);
    struct runner_key *keys;
    uint8_t hash[OPAQUE_HASH_SIZE];
    struct room r;
    size_t n;
    enum err e;

    *k = (struct runner_key){
        .room = room,
        .name = name,
        .key = opaque_new(o->arena, "rk_"),
        .webhook_url = webhook_url,
        .webhook_secret = webhook_url != NULL ? opaque_new(o->arena, "whs_") : NULL,
        .created_ms = o->now_ms,
    };
    opaque_hash(k->key, hash);
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, &r)) != ERR_OK
        || (e = store_runner_list(&s, room, &keys, &n)) != ERR_OK)
        goto out;
    if (n >= (size_t)o->config->rooms_runner_keys_max)
        e = err_fail(o->fail, ERR_RULE, NULL, "no more than %lld keys of runners in a room",
                     (long long)o->config->rooms_runner_keys_max);
    else
        e = store_runner_insert(&s, k, hash);
out:
    return tx_end(o, e);
}

enum err
op_runner_key_list(struct op *o, const struct room_actor *who, int64_t room,
                   struct runner_key **keys_r, size_t *n_r)
{
    struct store s = op_store(o);
    struct room r;
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, &r)) == ERR_OK)
        e = store_runner_list(&s, room, keys_r, n_r);
    return db_end(o->db, e);
}

enum err
op_runner_key_delete(struct op *o, const struct room_actor *who, int64_t room, int64_t key)
{
    struct store s = op_store(o);
    struct room r;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, &r)) != ERR_OK)
        goto out;
    if ((e = store_runner_delete(&s, room, key)) == ERR_NOT_FOUND)
        err_fail(o->fail, e, NULL, "no such runner of this room");
    else if (e == ERR_OK)
        tx_close(o, room_key_channel(o->arena, key), ROOM_CLOSE_CREDENTIAL, "key deleted");
out:
    return tx_end(o, e);
}

enum err
room_key_find(struct op *o, const char *key, struct runner_key *k, struct room_actor *who)
{
    const char *operators = o->config->runner_key;
    struct store s = op_store(o);
    uint8_t hash[OPAQUE_HASH_SIZE];
    enum err e;

    *who = (struct room_actor){ 0 };
    if (operators[0] != '\0' && token_secret_equal(key, operators)) {
        who->kind = ACTOR_RUNNER_OF_ALL;
        return ERR_OK;
    }
    opaque_hash(key, hash);
    if ((e = store_runner_find(&s, hash, k)) == ERR_OK)
        *who = (struct room_actor){ .kind = ACTOR_RUNNER, .key = k->id, .room = k->room };
    return e == ERR_NOT_FOUND ? ERR_UNAUTHORIZED : e;
}

void
room_key_used(struct op *o, const struct runner_key *k)
{
    struct store s = op_store(o);

    if (k->last_used_ms != 0 && o->now_ms - k->last_used_ms < USED_EVERY_MS)
        return;
    if (tx_begin(o) == ERR_OK)
        tx_end(o, store_runner_used(&s, k->id));
}

enum err
op_runner_check(struct op *o, const char *key, struct room_actor *who_r)
{
    struct runner_key k;
    enum err e = room_key_find(o, key, &k, who_r);

    if (e == ERR_OK && who_r->kind == ACTOR_RUNNER)
        room_key_used(o, &k);
    return e;
}

/* ---- memories, plans, moods ---- */

enum err
op_runner_remember(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
                   const char *content, double importance, struct memory *m)
{
    struct store s = op_store(o);
    struct agent a;
    enum err e;

    *m = (struct memory){ .content = content, .importance = importance, .at_ms = o->now_ms };
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights_agent(o, who, room, agent, &a)) == ERR_OK)
        e = store_memory_insert(&s, room, agent, m);
    return tx_end(o, e);
}

enum err
op_runner_plan(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
               const char *description, enum plan_status status, struct plan *p)
{
    struct store s = op_store(o);
    struct agent a;
    int64_t n;
    enum err e;

    *p = (struct plan){ .description = description, .status = status };
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights_agent(o, who, room, agent, &a)) != ERR_OK
        || (e = store_plan_count(&s, room, agent, &n)) != ERR_OK)
        goto out;
    if (n >= o->config->rooms_plans_max)
        e = err_fail(o->fail, ERR_RULE, NULL, "no more than %lld plans of one agent",
                     (long long)o->config->rooms_plans_max);
    else
        e = store_plan_insert(&s, room, agent, p);
out:
    return tx_end(o, e);
}

enum err
op_runner_plan_change(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
                      int64_t plan, const char *description, enum plan_status status,
                      struct plan *p)
{
    struct store s = op_store(o);
    struct agent a;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights_agent(o, who, room, agent, &a)) != ERR_OK)
        goto out;
    if ((e = store_plan_find(&s, room, agent, plan, p)) == ERR_NOT_FOUND)
        err_fail(o->fail, e, NULL, "no such plan of this agent");
    if (e != ERR_OK)
        goto out;
    if (description != NULL)
        p->description = description;
    if (status != 0)
        p->status = status;
    e = store_plan_update(&s, p);
out:
    return tx_end(o, e);
}

enum err
op_runner_mood(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
               enum mood mood, double level, struct agent *a)
{
    struct store s = op_store(o);
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights_agent(o, who, room, agent, a)) == ERR_OK) {
        a->mood = mood;
        a->level = level;
        e = store_agent_mood(&s, a);
    }
    return tx_end(o, e);
}
