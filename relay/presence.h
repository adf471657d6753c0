/* presence - which users this relay holds, and what the database knows of it
 *
 * Counts sockets by user. What differs from the rows in the database goes out in batches, one at
 * a time: whatever changes while one is written goes into the next. Pure: time is handed in
 * (monotonic), batches are fetched and reported back.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PRESENCE_H
#define RELAY_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/chat/op.h"

struct presence;

/* grace_ms: how long a user outlives his last socket, where there is a grace. */
struct presence *presence_new(int64_t grace_ms);
void presence_free(struct presence *p);

/* A socket of the user opened. key: his user channel. strict: no grace, and that his last socket closed is written
 * even when he is back before it was. The same for all sockets of a user. */
void presence_open(struct presence *p, const char *key, const char *system, const char *user,
                   bool strict);

/* One of them closed. */
void presence_close(struct presence *p, const char *key, int64_t now_ms);

/* Is his row in the database, and to stay there? */
bool presence_written(const struct presence *p, const char *key);

/* The changes to be written now; 0 when there are none or a batch is under way. They stay valid
 * until presence_done, in any thread. */
size_t presence_batch(struct presence *p, int64_t now_ms, const struct live_change **changes_r);

/* The batch was written, or was not: then its users are in the next one. */
void presence_done(struct presence *p, bool written);

/* The lease was lost, and with it perhaps the rows: all are written anew, or removed, who are here
 * or were. */
void presence_rewrite(struct presence *p);

/* When the next grace ends; INT64_MAX: none runs. */
int64_t presence_due(const struct presence *p);

/* Users held in memory. */
size_t presence_users(const struct presence *p);

#endif
