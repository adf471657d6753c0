/* pool - a few threads for work that would hold the loop
 *
 * For computing only: a job gets nothing but itself. Threads start with the first job, so that a relay which never
 * has one has none.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_POOL_H
#define RELAY_POOL_H

struct pool;

/* Embedded in what a job needs. */
struct pool_job {
    void (*run)(struct pool_job *j);    /* on a thread, or, when none can be started, on the loop */
    void (*done)(struct pool_job *j);   /* on the loop; frees the job */
    struct pool_job *next;
};

/* At most n_threads. wake(arg) is called from a thread when pool_collect has something to do. */
struct pool *pool_new(unsigned n_threads, void (*wake)(void *arg), void *arg);

/* Lets every job that was handed in run, and calls done for all. NULL is fine. */
void pool_free(struct pool *pool);

/* Hands in a job; they are begun in that order. From the loop. */
void pool_post(struct pool *pool, struct pool_job *j);

/* Calls done for each job that has run, in the order in which they ended. From the loop, when woken. */
void pool_collect(struct pool *pool);

#endif
