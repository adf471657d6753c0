/* store_pair - named statements in and structs out: rows of event chat
 *
 * As store.h: nothing here knows a rule, results belong to the arena, "missing" is ERR_NOT_FOUND.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_STORE_STORE_PAIR_H
#define SHARED_STORE_STORE_PAIR_H

#include "shared/chat/pair.h"
#include "shared/chat/photo.h"
#include "shared/store/store.h"

/* ---- meetings ---- */

/* Fills in m->id. */
enum err store_meeting_insert(const struct store *s, struct meeting *m);
enum err store_meeting_find(const struct store *s, int64_t id, struct meeting *m_r);
enum err store_meeting_list(const struct store *s, int64_t offset, int64_t limit,
                            struct meeting **list_r, size_t *n_r);

/* ---- chats ---- */

/* What a chat that is a conversation already has besides. */
enum err store_pair_insert(const struct store *s, int64_t key, const char *chat, int64_t meeting,
                           const char *applicant, bool requested);

/* Where a party stands in its chat. */
struct pair_state {
    int64_t key;
    int64_t read_n;             /* up to which message it has read */
    int64_t last_n;             /* newest message */
    const char *other;          /* user id of the other party */
};

/* ERR_NOT_FOUND: no such chat, or user is no party of it. */
enum err store_pair_state(const struct store *s, const char *chat, const char *user,
                          struct pair_state *p_r);

enum err store_pair_of_applicant(const struct store *s, int64_t meeting, const char *applicant,
                                 int64_t *key_r);

/* Without messages. ERR_NOT_FOUND as above. */
enum err store_pair_view(const struct store *s, int64_t key, const char *user,
                         struct pair_view *v_r);

/* All of user's, by meeting, then in the order they were made; without messages. */
enum err store_pair_list(const struct store *s, const char *user, struct pair_view **list_r,
                         size_t *n_r);

enum err store_pair_request(const struct store *s, int64_t key);
enum err store_pair_grant(const struct store *s, int64_t key, bool granted);

/* ---- messages ---- */

/* Adds m to the chat of m->from and m->to; fills in n and at_ms. */
enum err store_pair_message_insert(const struct store *s, int64_t key, struct pair_message *m);

/* At most limit messages between these two right below number before, ascending. */
enum err store_pair_messages(const struct store *s, int64_t key, const char *const parties[2],
                             int64_t before, int64_t limit, struct pair_message **list_r,
                             size_t *n_r);

/* ---- photos (store_photo.c) ---- */

enum err store_photo_insert(const struct store *s, const struct photo *p, const char *user);

/* One that is stored. */
enum err store_photo_find(const struct store *s, const char *name, struct photo *p_r);

/* ERR_NOT_FOUND: there is none of that name. */
enum err store_photo_stored(const struct store *s, const struct photo *p);
enum err store_photo_delete(const struct store *s, const char *name);

/* Bytes of all of user's, announced ones counted. */
enum err store_photo_sum(const struct store *s, const char *user, int64_t *bytes_r);

/* At most limit that were announced before then and never stored. */
enum err store_photo_left(const struct store *s, int64_t before_ms, int64_t limit,
                          const char ***names_r, size_t *n_r);

#endif
