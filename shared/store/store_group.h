/* store_group - named statements in and structs out: rows of groups, of viewers and of profiles
 *
 * As store.h: nothing here knows a rule, results belong to the arena, "missing" is ERR_NOT_FOUND.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_STORE_STORE_GROUP_H
#define SHARED_STORE_STORE_GROUP_H

#include "shared/chat/group.h"
#include "shared/store/store.h"

/* A group, and what a user is to it. */
struct group_place {
    struct group group;
    bool is_member, is_viewer;
};

enum err store_group_find(const struct store *s, int64_t id, const char *user,
                          struct group_place *place_r);

enum err store_group_list(const struct store *s, const char *user, bool mine, int64_t limit,
                          int64_t offset, struct group **list_r, size_t *n_r);

/* At most limit messages before the newest offset ones, oldest first. */
enum err store_group_page(const struct store *s, int64_t id, int64_t limit, int64_t offset,
                          struct group_page *page_r);
enum err store_global_page(const struct store *s, int64_t limit, int64_t offset,
                           struct global_page *page_r);

enum err store_group_members(const struct store *s, int64_t id, struct profile **list_r, size_t *n_r);

/* Sets a member's positions to the newest entry. */
enum err store_group_read(const struct store *s, int64_t id, const char *user);

enum err store_viewer_insert(const struct store *s, int64_t id, const char *user);
enum err store_viewer_delete(const struct store *s, int64_t id, const char *user);
enum err store_viewer_count(const struct store *s, int64_t id, int64_t *n_r);

/* What a user looks on at. */
enum err store_viewer_of(const struct store *s, const char *user, int64_t **ids_r, size_t *n_r);

/* Does he hear the channel? */
enum err store_hears(const struct store *s, const char *user, const char *channel, bool *hears_r);

/* Has he a socket on a relay that is there? */
enum err store_live(const struct store *s, const char *user, bool *live_r);

#endif
