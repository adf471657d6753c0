/* eventlog - the log of what happened: the truth that the bus only announces
 *
 * Called inside a write transaction, last of all: the numbers it takes have no holes and stand in
 * commit order because nothing that can fail, other than the commit itself, follows them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_EVENTLOG_H
#define SHARED_EVENTLOG_H

#include "shared/arena.h"
#include "shared/db/db.h"
#include "shared/err.h"
#include "shared/event.h"

/* Gives the n events their numbers, stores them, and applies their operations to the audience
 * table as of each event's own number. */
enum err eventlog_append(struct db *db, struct arena *a, struct event *events, size_t n);

/* Fills *e_r from a row (seq, envelope, body). ERR_INTERNAL for an envelope nobody can read. */
enum err eventlog_row(struct db_row *r, struct arena *a, struct event *e_r);

/* Newest number, and the one above which events are still held. */
enum err eventlog_state(struct db *db, struct arena *a, int64_t *head_r, int64_t *floor_r);

/* Empties the bodies of events about an entry. */
enum err eventlog_erase(struct db *db, struct arena *a, int64_t entry);

/* Removes events older than before_ms, and those beyond the newest keep, from the old end, at
 * most limit; moves floor. *more_r (NULL is fine): the limit was reached. */
enum err eventlog_prune(struct db *db, struct arena *a, int64_t before_ms, int64_t keep,
                        int64_t limit, bool *more_r);

#endif
