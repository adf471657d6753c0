/* test_password - hashes of passwords, places of those who hash, and opaque credentials
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared/log.h"
#include "shared/opaque.h"
#include "shared/password.h"

static const struct password_cost cheap = { .memory_kib = 8, .passes = 1 };
static const struct password_cost dear = { .memory_kib = 16384, .passes = 2 };

static void
a_hash_fits_its_password_only(void **state)
{
    char one[PASSWORD_HASH_SIZE], two[PASSWORD_HASH_SIZE];

    (void)state;
    assert_int_equal(password_hash(&cheap, "пароль", one), ERR_OK);
    assert_int_equal(password_hash(&cheap, "пароль", two), ERR_OK);
    assert_memory_equal(one, "$argon2id$", 10);
    assert_string_not_equal(one, two);
    assert_int_equal(password_verify(&cheap, one, "пароль"), ERR_OK);
    assert_int_equal(password_verify(&dear, one, "пароль"), ERR_OK);
    assert_int_equal(password_verify(&cheap, one, "пароль "), ERR_UNAUTHORIZED);
    assert_int_equal(password_verify(&cheap, one, ""), ERR_UNAUTHORIZED);
    assert_int_equal(password_verify(&cheap, "no hash", "x"), ERR_UNAUTHORIZED);
    assert_false(password_outdated(&cheap, one));
    assert_true(password_outdated(&dear, one));
}

/* CPU time of the fastest of a few, in microseconds. */
static double
cost_of(const char *hash)
{
    double best = 1e9;

    for (int i = 0; i < 5; i++) {
        clock_t start = clock();
        double took;

        assert_int_equal(password_verify(&dear, hash, "wrong"), ERR_UNAUTHORIZED);
        took = (double)(clock() - start) * 1e6 / CLOCKS_PER_SEC;
        best = took < best ? took : best;
    }
    return best;
}

static void
nobodys_hash_costs_as_much(void **state)
{
    char hash[PASSWORD_HASH_SIZE];
    double real, dummy;

    (void)state;
    assert_int_equal(password_hash(&dear, "right", hash), ERR_OK);
    real = cost_of(hash);
    dummy = cost_of(NULL);
    assert_true(dummy > real * 0.6 && dummy < real * 1.6);
}

static void
places_are_shared_and_outlive_nobody(void **state)
{
    char path[] = "/tmp/test_password.XXXXXX";
    int fd = mkstemp(path), first, second, third, pipe_ends[2];
    pid_t child;
    char byte;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(password_enter(path, 2, &first), ERR_OK);
    assert_int_equal(pipe(pipe_ends), 0);
    if ((child = fork()) == 0) {
        close(pipe_ends[0]);
        password_leave(first);          /* a copy: the parent's still holds it */
        if (password_enter(path, 2, &second) != ERR_OK || write(pipe_ends[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    close(pipe_ends[1]);
    assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
    assert_int_equal(password_enter(path, 2, &third), ERR_RATE);
    assert_int_equal(third, -1);
    password_leave(third);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(password_enter(path, 2, &second), ERR_OK);
    assert_int_equal(password_enter(path, 2, &third), ERR_RATE);
    password_leave(first);
    assert_int_equal(password_enter(path, 2, &third), ERR_OK);
    password_leave(second);
    password_leave(third);
    close(pipe_ends[0]);
    close(fd);
    unlink(path);
    assert_int_equal(password_enter("/nowhere/passwords", 2, &first), ERR_BUSY);
}

static void
opaque_texts_are_long_and_differ(void **state)
{
    struct arena *a = arena_new();
    char *one = opaque_new(a, "rk_"), *two = opaque_new(a, "rk_");
    uint8_t hash_one[OPAQUE_HASH_SIZE], hash_two[OPAQUE_HASH_SIZE];

    (void)state;
    assert_int_equal(strlen(one), 3 + 43);
    assert_int_equal(strspn(one, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 46);
    assert_string_not_equal(one, two);
    opaque_hash(one, hash_one);
    opaque_hash(two, hash_two);
    assert_memory_not_equal(hash_one, hash_two, OPAQUE_HASH_SIZE);
    opaque_hash(one, hash_two);
    assert_memory_equal(hash_one, hash_two, OPAQUE_HASH_SIZE);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_fits_its_password_only),
        cmocka_unit_test(nobodys_hash_costs_as_much),
        cmocka_unit_test(places_are_shared_and_outlive_nobody),
        cmocka_unit_test(opaque_texts_are_long_and_differ),
    };

    log_setup("test_password", LOG_LEVEL_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
