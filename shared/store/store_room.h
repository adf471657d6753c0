/* store_room - named statements in and structs out: rows of the rooms system
 *
 * As store.h: nothing here knows a rule, results belong to the arena, "missing" is ERR_NOT_FOUND.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_STORE_STORE_ROOM_H
#define SHARED_STORE_STORE_ROOM_H

#include "shared/chat/op_room.h"
#include "shared/chat/webhook.h"
#include "shared/store/store.h"

/* ---- accounts (store_account.c) ---- */

/* Fills in a->id. ERR_EXISTS: the address is taken. */
enum err store_account_insert(const struct store *s, struct account *a, const char *password);
enum err store_account_find(const struct store *s, int64_t id, struct account *a_r);
enum err store_account_of_email(const struct store *s, const char *email, struct account *a_r,
                                const char **password_r);
enum err store_account_set_password(const struct store *s, int64_t id, const char *password);
enum err store_account_set_active(const struct store *s, int64_t id, bool active);
enum err store_account_delete(const struct store *s, int64_t id);

/* A refresh token. hash: OPAQUE_HASH_SIZE bytes. */
struct refresh {
    const uint8_t *hash;
    struct account account;     /* to be inserted: the id only */
    struct id family;
    bool used;
    int64_t expires_ms;
};

enum err store_refresh_insert(const struct store *s, const struct refresh *r);
enum err store_refresh_find(const struct store *s, const uint8_t *hash, struct refresh *r_r);
enum err store_refresh_use(const struct store *s, const uint8_t *hash);
enum err store_refresh_revoke_family(const struct store *s, const struct id *family);
enum err store_refresh_revoke_account(const struct store *s, int64_t account);

/* Removes at most limit that have expired. */
enum err store_refresh_prune(const struct store *s, int64_t limit);

/* ---- rooms (store_room.c) ---- */

enum err store_room_insert(const struct store *s, const struct room *room);
enum err store_room_find(const struct store *s, int64_t id, struct room *room_r);

/* account 0: all. */
enum err store_room_list(const struct store *s, int64_t account, struct room **list_r, size_t *n_r);
enum err store_room_count(const struct store *s, int64_t account, int64_t *n_r);

/* Stores description and speed, and now as the time of the change. */
enum err store_room_update(const struct store *s, const struct room *room);
enum err store_room_run(const struct store *s, int64_t id, bool running);

/* ---- messages and events (store_room.c) ---- */

enum err store_room_entry_insert(const struct store *s, int64_t room, const struct room_entry *e);
enum err store_room_entry_find(const struct store *s, int64_t room, int64_t id,
                               struct room_entry *e_r);

enum room_pick {
    ROOM_MESSAGES_BEFORE,       /* an id, newest first */
    ROOM_MESSAGES_SINCE,        /* an id, oldest first */
    ROOM_FEED,                  /* messages and events, newest first; no bound */
};

/* At most limit of them. */
enum err store_room_entry_page(const struct store *s, int64_t room, enum room_pick pick,
                               int64_t bound, int64_t limit, struct room_entry **list_r, size_t *n_r);

/* The agent of entries of this room becomes nobody. */
enum err store_room_entry_unlink(const struct store *s, int64_t room, int64_t agent);

/* ---- agents (store_agent.c) ---- */

/* Fills in a->id. */
enum err store_agent_insert(const struct store *s, int64_t account, struct agent *a);

/* One of that account's, wherever it is. */
enum err store_agent_of_account(const struct store *s, int64_t account, int64_t id,
                                struct agent *a_r);
enum err store_agent_own(const struct store *s, int64_t account, struct agent **list_r, size_t *n_r);
enum err store_agent_delete_of(const struct store *s, int64_t account);

/* One that is in the room. *narrator_r (NULL is fine): it is that room's narrator. */
enum err store_agent_find(const struct store *s, int64_t room, int64_t id, struct agent *a_r,
                          bool *narrator_r);
enum err store_agent_list(const struct store *s, int64_t room, struct agent **list_r, size_t *n_r);
enum err store_agent_mood(const struct store *s, const struct agent *a);

/* Puts it into the room. ERR_EXISTS: it, or its name, is there. */
enum err store_agent_link(const struct store *s, int64_t room, const struct agent *a, bool narrator);

/* Takes it out, with what it has there. */
enum err store_agent_unlink(const struct store *s, int64_t room, int64_t id);

/* The agent goes if no room holds it. */
enum err store_agent_delete_homeless(const struct store *s, int64_t id);

/* ---- what agents have in a room (store_agent.c) ---- */

enum err store_edge_set(const struct store *s, int64_t room, const struct room_edge *edge);

/* Every pair. */
enum err store_edge_list(const struct store *s, int64_t room, struct room_edge **list_r, size_t *n_r);

/* One for each other agent. */
enum err store_link_list(const struct store *s, int64_t room, int64_t agent,
                         struct agent_link **list_r, size_t *n_r);

/* Fill in the id. */
enum err store_memory_insert(const struct store *s, int64_t room, int64_t agent, struct memory *m);
enum err store_plan_insert(const struct store *s, int64_t room, int64_t agent, struct plan *p);

/* by_importance: the most important first, else the newest. */
enum err store_memory_list(const struct store *s, int64_t room, int64_t agent, bool by_importance,
                           int64_t limit, int64_t offset, struct memory **list_r, size_t *n_r);
enum err store_memory_count(const struct store *s, int64_t room, int64_t agent, int64_t *n_r);

enum err store_plan_find(const struct store *s, int64_t room, int64_t agent, int64_t id,
                         struct plan *p_r);
enum err store_plan_update(const struct store *s, const struct plan *p);
enum err store_plan_count(const struct store *s, int64_t room, int64_t agent, int64_t *n_r);

/* newest 0: all, oldest first; else that many, newest first. */
enum err store_plan_list(const struct store *s, int64_t room, int64_t agent, int64_t newest,
                         struct plan **list_r, size_t *n_r);

/* ---- keys of runners (store_runner.c) ---- */

/* Fills in k->id; hash: OPAQUE_HASH_SIZE bytes. */
enum err store_runner_insert(const struct store *s, struct runner_key *k, const uint8_t *hash);
enum err store_runner_list(const struct store *s, int64_t room, struct runner_key **list_r,
                           size_t *n_r);

/* Ids of the keys of all rooms of an account. */
enum err store_runner_of_account(const struct store *s, int64_t account, int64_t **ids_r, size_t *n_r);

/* id, room and last_used_ms; not when the room's owner is not active. */
enum err store_runner_find(const struct store *s, const uint8_t *hash, struct runner_key *k_r);
enum err store_runner_used(const struct store *s, int64_t id);
enum err store_runner_delete(const struct store *s, int64_t room, int64_t id);

/* ---- messages for webhooks (store_webhook.c) ---- */

/* One for each webhook of the room; *keys_r: whose. */
enum err store_webhook_insert(const struct store *s, int64_t room, const struct room_entry *e,
                              int64_t **keys_r, size_t *n_r);

/* Removes a key's oldest beyond max. */
enum err store_webhook_shed(const struct store *s, int64_t key, int64_t max, int64_t *n_r);

/* When the first will be due of those that are not; 0: none. */
enum err store_webhook_next(const struct store *s, int64_t *at_ms_r);

/* At most limit that are due, one of each key and share of each account, counting what is claimed already. */
enum err store_webhook_pick(const struct store *s, int64_t share, int64_t limit, int64_t **ids_r,
                            size_t *n_r);

/* ERR_NOT_FOUND: it, or another of its key, was claimed meanwhile. */
enum err store_webhook_claim(const struct store *s, int64_t id, int64_t until_ms,
                             struct webhook *w_r);

/* ERR_OK also when the claim is no longer what it was. */
enum err store_webhook_delete(const struct store *s, int64_t id, int64_t until_ms);
enum err store_webhook_again(const struct store *s, int64_t id, int64_t until_ms, int64_t due_ms);

#endif
