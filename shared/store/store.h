/* store - named statements in and structs out: rows of conversations, participants, entries, scopes
 *
 * Nothing here knows a rule. Results belong to the arena. "Missing" is ERR_NOT_FOUND; the operations
 * say what that means to a caller.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_STORE_STORE_H
#define SHARED_STORE_STORE_H

#include "shared/arena.h"
#include "shared/chat/chat.h"
#include "shared/db/db.h"
#include "shared/err.h"

/* Where rows come from and go to, and for which system. */
struct store {
    struct db *db;
    struct arena *arena;
    const char *system;
    int64_t now_ms;
};

/* How a statement that reads one row ended: ERR_OK without a row is ERR_NOT_FOUND. */
static inline enum err
store_found(enum err e, bool found)
{
    return e == ERR_OK && !found ? ERR_NOT_FOUND : e;
}

/* ---- conversations (store_conversation.c) ---- */

enum err store_conversation_find(const struct store *s, const struct id *uid,
                                 struct conversation *c_r);

/* All conversations about an object, newest first. */
enum err store_conversation_of_object(const struct store *s, const char *object_type,
                                      const char *object_id, struct conversation **list_r,
                                      size_t *n_r);

/* Inserts c (uid, names, times given); fills in c->key. */
enum err store_conversation_insert(const struct store *s, struct conversation *c);

enum err store_conversation_delete(const struct store *s, int64_t key);

/* Brings "latest activity" back to what the newest entry says. */
enum err store_conversation_fall_back(const struct store *s, int64_t key);

/* Reads the ten columns that every statement about conversations begins with. */
void store_conversation_read(struct db_row *r, struct conversation *c_r);

/* ---- as a caller sees them (store_view.c) ---- */

/* One page of the viewer's own conversations; key 0: any. Without summaries of members. */
enum err store_view_member(const struct store *s, const struct viewer *viewer, int64_t key,
                           const struct conversation_filter *filter,
                           struct conversation_view **views_r, size_t *n_r);

/* One page of those he could join. */
enum err store_view_candidate(const struct store *s, const struct viewer *viewer,
                              const struct conversation_filter *filter,
                              struct conversation_view **views_r, size_t *n_r);

/* Fills in who is in each of them, by one statement. */
enum err store_view_summaries(const struct store *s, struct conversation_view *views, size_t n);

/* ---- participants (store_member.c) ---- */

/* A participant's own row, as rules need it. */
struct member_state {
    bool has_read;
    int64_t read_n, unread_n;
    bool archived, pinned, notifications;
    const char *display_name;
};

enum err store_member_state(const struct store *s, int64_t key, const char *user,
                            struct member_state *m_r);

/* Inserts and counts him. all_unread: every message so far is unread for him, else none is. */
enum err store_member_insert(const struct store *s, int64_t key, const struct member_new *in,
                             enum joined_as how, bool all_unread);

/* ERR_NOT_FOUND when he was none; *display_name_r is what he was called, NULL when nothing. */
enum err store_member_delete(const struct store *s, int64_t key, const char *user,
                             const char **display_name_r);

/* All rows, or one user's. Unread is counted for viewer's row only; for all when viewer is NULL. */
enum err store_member_list(const struct store *s, int64_t key, const char *user,
                           const char *viewer, struct member **members_r, size_t *n_r);

/* User ids in order of joining. */
enum err store_member_users(const struct store *s, int64_t key, const char ***users_r,
                            size_t *n_r);

enum err store_member_switch(const struct store *s, int64_t key, const char *user,
                             enum member_switch which, bool on);

/* Clears the archive flag of everybody; tells whose it was. */
enum err store_member_unarchive_all(const struct store *s, int64_t key, const char ***users_r,
                                    size_t *n_r);

/* Sets both positions to n. */
enum err store_member_set_read(const struct store *s, int64_t key, const char *user, int64_t n);

/* Is there an entry that counts as unread for user, above one position and up to another? */
enum err store_member_unread(const struct store *s, int64_t key, const char *user, int64_t above,
                             int64_t up_to, bool *some_r);

/* A participant's row that has been quiet for long. */
struct member_idle {
    int64_t key;                /* of the conversation */
    struct id conversation;
    const char *user;
};

/* At most limit of them, by conversation. */
enum err store_member_idle(const struct store *s, int64_t before_ms, int64_t limit,
                           struct member_idle **list_r, size_t *n_r);

/* ---- entries (store_entry.c) ---- */

/* Numbers, times and identifies e, inserts it, fills in id, uid, n and at_ms. reply_to_id: row
 * id of what it answers, 0 for none. */
enum err store_entry_insert(const struct store *s, int64_t key, int64_t reply_to_id,
                            struct entry *e);

enum err store_entry_find(const struct store *s, int64_t key, const struct id *conversation,
                          const struct id *uid, struct entry *e_r);

/* At most limit entries below (before true) or above n, nearest first. */
enum err store_entry_page(const struct store *s, int64_t key, const struct id *conversation,
                          bool before, int64_t n, int64_t limit, struct entry **list_r,
                          size_t *n_r);

/* Where uid stands: *n_r is its number, or that of the newest entry with a lesser uid (0: none) with
 * *exact_r false. */
enum err store_entry_position(const struct store *s, int64_t key, const struct id *uid,
                              int64_t *n_r, bool *exact_r);

/* Are there entries below first, above last? */
enum err store_entry_beyond(const struct store *s, int64_t key, int64_t first, int64_t last,
                            bool *below_r, bool *above_r);

/* uid of the newest entry at or below n; not given when there is none. */
enum err store_entry_at(const struct store *s, int64_t key, int64_t n, struct id *uid_r);

/* Replaces the content, keeping the old one in the edit history. */
enum err store_entry_edit(const struct store *s, int64_t id, const char *content);

enum err store_entry_delete(const struct store *s, int64_t id);

/* What a key was used for. request: 32 bytes. */
struct idempotency {
    const uint8_t *request;
    int64_t entry, n, at_ms;
    struct id uid;
};

enum err store_idempotency_find(const struct store *s, int64_t key, const char *user,
                                const char *word, struct idempotency *i_r);
enum err store_idempotency_insert(const struct store *s, int64_t key, const char *user,
                                  const char *word, const struct idempotency *i);

/* ---- scopes (store_scope.c) ---- */

enum err store_scope_insert(const struct store *s, int64_t key, const struct scope_lists *lists,
                            struct scope *scope_r);
enum err store_scope_list(const struct store *s, int64_t key, struct scope **scopes_r, size_t *n_r);
enum err store_scope_delete_all(const struct store *s, int64_t key);

/* Does a caller with these lists match any scope of it? NULL lists match nothing. */
enum err store_scope_matches(const struct store *s, int64_t key, const struct scope_lists *mine,
                             bool *match_r);

/* The caller's values as the JSON array that scope statements compare with; NULL for NULL. */
char *store_scope_pairs(const struct store *s, const struct scope_lists *mine);

#endif
