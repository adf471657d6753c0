/* test_ratelimit - buckets, under a clock of our own, in one process and in several
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/ratelimit.h"

#define NOW INT64_C(1700000000000)

static char dir[] = "/tmp/test_ratelimit.XXXXXX";
static char path[64], link_path[64];

static int
make_dir(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/limits", dir);
    snprintf(link_path, sizeof(link_path), "%s/link", dir);
    return 0;
}

static int
remove_dir(void **state)
{
    (void)state;
    unlink(path);
    unlink(link_path);
    return rmdir(dir);
}

static int
take(struct ratelimit *r, const char *key, int64_t rate, int64_t burst, int64_t at, int n)
{
    int64_t wait;
    int taken = 0;

    while (n-- > 0)
        taken += ratelimit_take(r, key, rate, burst, at, &wait) == ERR_OK;
    return taken;
}

static void
a_bucket_empties_and_fills(void **state)
{
    struct ratelimit *r = ratelimit_open(path);
    int64_t wait = -1;
    struct stat st;

    (void)state;
    assert_non_null(r);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(take(r, "ann", 10, 5, NOW, 8), 5);
    assert_int_equal(ratelimit_take(r, "ann", 10, 5, NOW, &wait), ERR_RATE);
    assert_int_equal(wait, 100);
    assert_int_equal(ratelimit_take(r, "ann", 10, 5, NOW + 99, &wait), ERR_RATE);
    assert_int_equal(wait, 1);
    assert_int_equal(ratelimit_take(r, "ann", 10, 5, NOW + 100, &wait), ERR_OK);
    assert_int_equal(wait, 0);
    assert_int_equal(take(r, "ann", 10, 5, NOW + 350, 9), 2);
    assert_int_equal(take(r, "ann", 10, 5, NOW + 60000, 9), 5);
    assert_int_equal(take(r, "bob", 10, 5, NOW + 60000, 9), 5);
    ratelimit_close(r);
    ratelimit_close(NULL);
}

static void
slow_rates_count_by_the_minute(void **state)
{
    struct ratelimit *r = ratelimit_open(path);
    int64_t wait;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(ratelimit_take_slowly(r, "slow", 20, 3, NOW, &wait), ERR_OK);
    assert_int_equal(ratelimit_take_slowly(r, "slow", 20, 3, NOW, &wait), ERR_RATE);
    assert_int_equal(wait, 3000);
    assert_int_equal(ratelimit_take_slowly(r, "slow", 20, 3, NOW + 3000, &wait), ERR_OK);
    assert_int_equal(ratelimit_take_slowly(r, "slow", 20, 3, NOW + 3000, &wait), ERR_RATE);
    ratelimit_close(r);
}

static void
odd_rates_are_survived(void **state)
{
    struct ratelimit *r = ratelimit_open(path);

    (void)state;
    assert_int_equal(take(r, "one", 1, 1, NOW, 3), 1);
    assert_int_equal(take(r, "fast", 1000000, 1000000, NOW, 1000), 1000);
    assert_int_equal(take(r, "zero", 0, 0, NOW, 3), 1);
    ratelimit_close(r);
}

static void
a_clock_that_goes_back_stops_nobody(void **state)
{
    struct ratelimit *r = ratelimit_open(path);
    int64_t wait;

    (void)state;
    assert_int_equal(take(r, "eva", 10, 5, NOW + 3600000, 9), 5);
    assert_int_equal(ratelimit_take(r, "eva", 10, 5, NOW, &wait), ERR_RATE);
    assert_int_equal(wait, 100);
    assert_int_equal(take(r, "eva", 10, 5, NOW + 99, 9), 0);
    assert_int_equal(take(r, "eva", 10, 5, NOW + 100, 9), 1);
    assert_int_equal(take(r, "eva", 10, 5, NOW + 60000, 9), 5);
    assert_int_equal(take(r, "eva", 10, 5, NOW + 3600000, 9), 5);
    ratelimit_close(r);
}

static void
many_keys_are_kept_apart(void **state)
{
    struct ratelimit *r = ratelimit_open(path);
    int i, taken = 0;
    char key[32];

    (void)state;
    for (i = 0; i < 5000; i++) {
        snprintf(key, sizeof(key), "user %d", i);
        taken += take(r, key, 1, 2, NOW, 2);
    }
    assert_true(taken > 9980);      /* a few may share */
    for (; i < 200000; i++) {       /* more than the table holds: still never more than allowed */
        snprintf(key, sizeof(key), "user %d", i);
        assert_true(take(r, key, 1, 2, NOW, 3) <= 2);
    }
    ratelimit_close(r);
}

static void
processes_share(void **state)
{
    struct ratelimit *r;
    int i, status, total = 0;
    pid_t children[4];

    (void)state;
    unlink(path);
    for (i = 0; i < 4; i++) {       /* all of them race to make the file */
        children[i] = fork();
        if (children[i] == 0) {
            r = ratelimit_open(path);
            _exit(r == NULL ? 255 : take(r, "shared", 1, 200, NOW, 100));
        }
    }
    for (i = 0; i < 4; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 100);
        total += WEXITSTATUS(status);
    }
    assert_int_equal(total, 200);
}

static void
bad_files_are_handled(void **state)
{
    struct ratelimit *r;
    FILE *f = fopen(path, "w");

    (void)state;
    fputs("rubbish", f);
    fclose(f);
    r = ratelimit_open(path);       /* made anew */
    assert_non_null(r);
    assert_int_equal(take(r, "x", 1, 1, NOW, 2), 1);
    ratelimit_close(r);
    assert_int_equal(symlink(path, link_path), 0);
    assert_null(ratelimit_open(link_path));
    assert_null(ratelimit_open(dir));
    assert_null(ratelimit_open("/nonexistent/limits"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_empties_and_fills),
        cmocka_unit_test(slow_rates_count_by_the_minute),
        cmocka_unit_test(odd_rates_are_survived),
        cmocka_unit_test(a_clock_that_goes_back_stops_nobody),
        cmocka_unit_test(many_keys_are_kept_apart),
        cmocka_unit_test(processes_share),
        cmocka_unit_test(bad_files_are_handled),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
