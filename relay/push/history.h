/* history - the SQLite file of durable streams: reading it at the start, one transaction at a time later
 *
 * Rows only; no thread, no queue. All that has left a window is deleted some at a time, in the transactions that
 * come anyhow, or in some for nothing else.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_HISTORY_H
#define RELAY_PUSH_HISTORY_H

#include "relay/push/stream_durable.h"

struct history;

/* As durable_open. */
enum err history_open(const char *file, int64_t keep_keys_ms, struct history **h_r);
void history_close(struct history *h);      /* NULL is fine */

enum err history_read(struct history *h, const struct durable_reader *r, void *arg, int64_t since_ms);
const char *history_epoch(const struct history *h);
int64_t history_next_id(const struct history *h);

/* Writes the changes (NULL: none) in one transaction, then deletes some of what is gone. Anything but
 * ERR_OK: nothing was written. */
enum err history_write(struct history *h, const struct durable_change *first);

/* Is there still something to be deleted? */
bool history_untidy(const struct history *h);

#endif
