/* writer_lock - the line in which writers of one database wait
 *
 * An open-file-description lock on PATH-writer. The kernel wakes a waiter the moment the holder lets
 * go (or dies). Several threads of a process queue like several processes, each with a lock of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_DB_WRITER_LOCK_H
#define SHARED_DB_WRITER_LOCK_H

#include "shared/err.h"

struct writer_lock;

/* Opens (making it when missing) the lock file beside database. NULL on failure, logged. */
struct writer_lock *writer_lock_open(const char *database);
void writer_lock_close(struct writer_lock *l);  /* NULL is fine; also gives the lock back */

/* Waits at most wait_ms: a holder may be stopped, not dead. ERR_BUSY after that. */
enum err writer_lock_take(struct writer_lock *l, int wait_ms);
void writer_lock_give(struct writer_lock *l);

#endif
