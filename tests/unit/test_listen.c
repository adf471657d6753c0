/* test_listen - socket files that are in the way, and addresses that are none
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
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/listen.h"

static char directory[] = "/tmp/test-listen-XXXXXX";
static char path[64];
static char where[80];

static int
make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof(path), "%s/sock", directory);
    snprintf(where, sizeof(where), "unix:%s", path);
    return 0;
}

static int
remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static mode_t
mode_of(const char *name)
{
    struct stat st;

    assert_int_equal(lstat(name, &st), 0);
    return st.st_mode;
}

static void
socket_file_is_for_the_group_whatever_the_umask(void **state)
{
    static const mode_t masks[] = { 0, 022, 077 };
    mode_t before = umask(0);
    int fd;

    (void)state;
    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        umask(masks[i]);
        assert_int_equal(listen_open(where, &fd), ERR_OK);
        assert_int_equal(mode_of(path) & 0777, 0660);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
    }
    umask(before);
}

static void
left_socket_file_is_replaced_a_live_one_is_not(void **state)
{
    int first, second;

    (void)state;
    assert_int_equal(listen_open(where, &first), ERR_OK);
    assert_int_equal(listen_open(where, &second), ERR_BUSY);
    close(first);               /* as a process that was killed does: the file stays */
    assert_int_equal(listen_open(where, &second), ERR_OK);
    close(second);
    unlink(path);
}

static void
file_that_is_no_socket_stays(void **state)
{
    int fd, file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    (void)state;
    assert_true(file >= 0);
    close(file);
    assert_int_equal(listen_open(where, &fd), ERR_BUSY);
    assert_true(S_ISREG(mode_of(path)));
    unlink(path);
}

static void
port_is_taken_or_free(void **state)
{
    struct sockaddr_in bound;
    socklen_t len = sizeof(bound);
    char again[32];
    int first, second;

    (void)state;
    assert_int_equal(listen_open("127.0.0.1:0", &first), ERR_OK);
    assert_int_equal(getsockname(first, (struct sockaddr *)&bound, &len), 0);
    snprintf(again, sizeof(again), "127.0.0.1:%d", ntohs(bound.sin_port));
    assert_int_equal(listen_open(again, &second), ERR_BUSY);
    close(first);
}

static void
what_is_no_place_is_refused(void **state)
{
    static const char *const bad[] = { "", "nonsense", "unix:", "127.0.0.1:port", "999.1.1.1.1:1" };
    char long_path[256] = "unix:/";
    int fd = -2;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_not_equal(listen_open(bad[i], &fd), ERR_OK);
    memset(long_path + 6, 'x', sizeof(long_path) - 7);
    assert_int_equal(listen_open(long_path, &fd), ERR_FIELD);
    assert_int_equal(fd, -2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(socket_file_is_for_the_group_whatever_the_umask),
        cmocka_unit_test(left_socket_file_is_replaced_a_live_one_is_not),
        cmocka_unit_test(file_that_is_no_socket_stays),
        cmocka_unit_test(port_is_taken_or_free),
        cmocka_unit_test(what_is_no_place_is_refused),
    };

    return cmocka_run_group_tests_name("listen", tests, make_directory, remove_directory);
}
