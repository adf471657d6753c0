/* test_pool - jobs run off the loop and come back to it
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "relay/pool.h"

enum { JOBS = 100 };

struct job {
    struct pool_job job;
    int number;
    pthread_t by;
    bool ran, done;
};

static struct job jobs[JOBS];
static int n_done, order[JOBS];
static int wakes;                   /* an eventfd */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void
wake(void *arg)
{
    (void)arg;
    assert_int_equal(eventfd_write(wakes, 1), 0);
}

static void
run(struct pool_job *j)
{
    struct job *job = (struct job *)j;

    pthread_mutex_lock(&gate);
    job->by = pthread_self();
    job->ran = true;
    pthread_mutex_unlock(&gate);
}

static void
done(struct pool_job *j)
{
    struct job *job = (struct job *)j;

    assert_true(job->ran);
    assert_false(job->done);
    job->done = true;
    order[n_done++] = job->number;
}

static void
post(struct pool *pool, int n)
{
    for (int i = 0; i < n; i++) {
        jobs[i] = (struct job){ .job = { .run = run, .done = done }, .number = i };
        pool_post(pool, &jobs[i].job);
    }
}

static void
collect_all(struct pool *pool, int n)
{
    struct pollfd woken = { .fd = wakes, .events = POLLIN };
    eventfd_t count;

    while (n_done < n) {
        assert_int_equal(poll(&woken, 1, 10000), 1);
        assert_int_equal(eventfd_read(wakes, &count), 0);
        pool_collect(pool);
    }
}

static int
setup(void **state)
{
    (void)state;
    n_done = 0;
    wakes = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return wakes < 0;
}

static int
teardown(void **state)
{
    (void)state;
    return close(wakes);
}

static void
every_job_runs_elsewhere_and_comes_back(void **state)
{
    struct pool *pool = pool_new(3, wake, NULL);

    (void)state;
    post(pool, JOBS);
    collect_all(pool, JOBS);
    for (int i = 0; i < JOBS; i++)
        assert_false(pthread_equal(jobs[i].by, pthread_self()));
    pool_free(pool);
    assert_int_equal(n_done, JOBS);
}

static void
one_thread_keeps_the_order(void **state)
{
    struct pool *pool = pool_new(1, wake, NULL);

    (void)state;
    post(pool, JOBS);
    collect_all(pool, JOBS);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(order[i], i);
    pool_free(pool);
}

static void
what_is_left_ends_with_the_pool(void **state)
{
    struct pool *pool = pool_new(1, wake, NULL);

    (void)state;
    pthread_mutex_lock(&gate);      /* the first job waits */
    post(pool, JOBS);
    assert_int_equal(n_done, 0);
    pthread_mutex_unlock(&gate);
    pool_free(pool);
    assert_int_equal(n_done, JOBS);
}

static void
without_threads_the_loop_works(void **state)
{
    struct pool *pool = pool_new(0, wake, NULL);

    (void)state;
    post(pool, 2);
    assert_int_equal(n_done, 0);    /* done comes by pool_collect only */
    collect_all(pool, 2);
    pool_free(pool);
}

static void
a_pool_without_work_is_nothing(void **state)
{
    (void)state;
    pool_free(pool_new(4, wake, NULL));
    pool_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_job_runs_elsewhere_and_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(one_thread_keeps_the_order, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_left_ends_with_the_pool, setup, teardown),
        cmocka_unit_test_setup_teardown(without_threads_the_loop_works, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pool_without_work_is_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
