/* worker - threads with the database
 *
 * The I/O loop hands out jobs and gets them back when done; nothing that can block runs on
 * the loop itself. Of the jobs that write one runs at a time: a thread that waits for the writer
 * lock behind another of the same process would only be missing for reads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_WORKER_H
#define RELAY_WORKER_H

#include <stdbool.h>

#include "shared/chat/op.h"
#include "shared/config.h"
#include "shared/err.h"

struct worker;

/* Embedded in what a job needs. Writing jobs are done in the order they were handed in. */
struct worker_job {
    enum err (*run)(struct worker_job *j, struct op *op);   /* on a worker; op->system is unset */
    void (*done)(struct worker_job *j);                     /* on the loop; frees the job */
    bool writes;
    enum err err;                   /* what run said; ERR_BUSY when it never ran (shutdown) */
    struct arena *arena;            /* op->arena: results live until done returns */
    struct worker_job *next;
};

/* Starts config->relay_workers threads, each with its own database handle. wake(arg) is called
 * from a worker when worker_collect has something to do. NULL when the database cannot be opened. */
struct worker *worker_new(const struct config *config, void (*wake)(void *arg), void *arg);

/* Waits for the jobs that run, and calls done for all that are left. NULL is fine. */
void worker_free(struct worker *w);

/* Hands in a job. From the loop. */
void worker_post(struct worker *w, struct worker_job *j);

/* Calls done for each finished job. From the loop, when woken. */
void worker_collect(struct worker *w);

#endif
