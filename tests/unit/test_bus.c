/* test_bus - pushes over ipc in a directory of the test's own
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

#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/bus.h"
#include "shared/when.h"

#define PATIENCE_MS 5000

static char directory[64];
static char endpoints[2][128];

static const char *
path_of(const char *endpoint)
{
    return endpoint + strlen("ipc://");
}

static int
make_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/test-bus-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    for (int i = 0; i < 2; i++)
        snprintf(endpoints[i], sizeof endpoints[i], "ipc://%s/%d.sock", directory, i);
    return 0;
}

static int
remove_directory(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        unlink(path_of(endpoints[i]));
    return rmdir(directory);
}

/* The next message within the test's patience. */
static void
await(struct bus_receiver *r, const char *wanted)
{
    int64_t until = when_monotonic_ms() + PATIENCE_MS;
    const void *p;
    size_t len;

    while (bus_receive(r, &p, &len) != ERR_OK) {
        struct pollfd fd = { bus_receiver_fd(r), POLLIN, 0 };

        assert_true(when_monotonic_ms() < until);
        poll(&fd, 1, 100);
    }
    assert_int_equal(len, strlen(wanted));
    assert_memory_equal(p, wanted, len);
}

static void
two_receivers_each_get_everything(void **state)
{
    struct bus_receiver *a = bus_receiver_new(endpoints[0], 1000, 1 << 20);
    struct bus_receiver *b = bus_receiver_new(endpoints[1], 1000, 1 << 20);
    const char *const to[] = { endpoints[0], endpoints[1] };
    struct bus_sender *s = bus_sender_new(1000);
    char text[16];

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    for (int i = 0; i < 100; i++)
        bus_send(s, to, 2, text, (size_t)snprintf(text, sizeof text, "m%d", i));
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "m%d", i);
        await(a, text);
        await(b, text);
    }
    bus_sender_free(s, 0);
    bus_receiver_free(a);
    bus_receiver_free(b);
}

static void
last_words_of_a_short_process_arrive(void **state)
{
    struct bus_receiver *r = bus_receiver_new(endpoints[0], 1000, 1 << 20);
    const char *const to[] = { endpoints[0] };
    struct bus_sender *s = bus_sender_new(1000);

    (void)state;
    bus_send(s, to, 1, "bye", 3);
    bus_sender_free(s, 1000);
    await(r, "bye");
    bus_receiver_free(r);
}

static void
dead_endpoint_blocks_nobody(void **state)
{
    struct bus_receiver *alive = bus_receiver_new(endpoints[1], 1000, 1 << 20);
    const char *const to[] = { endpoints[0], endpoints[1], "nonsense", endpoints[1] };
    struct bus_sender *s = bus_sender_new(10);
    int64_t start = when_monotonic_ms();

    (void)state;
    for (int i = 0; i < 100; i++) {
        bus_send(s, to, 4, "x", 1);     /* ten fill the dead one's queue */
        await(alive, "x");              /* once each, although named twice */
    }
    bus_sender_free(s, 50);
    assert_true(when_monotonic_ms() - start < PATIENCE_MS);
    bus_receiver_free(alive);
}

static void
full_queue_drops_the_newest(void **state)
{
    const char *const to[] = { endpoints[0] };
    struct bus_sender *s = bus_sender_new(10);
    struct bus_receiver *r;
    char text[16];
    const void *p;
    size_t len;

    (void)state;
    for (int i = 0; i < 50; i++)
        bus_send(s, to, 1, text, (size_t)snprintf(text, sizeof text, "m%d", i));
    r = bus_receiver_new(endpoints[0], 1000, 1 << 20);
    for (int i = 0; i < 10; i++) {
        snprintf(text, sizeof text, "m%d", i);
        await(r, text);
    }
    bus_send(s, to, 1, "later", 5);
    await(r, "later");
    assert_int_equal(bus_receive(r, &p, &len), ERR_NOT_FOUND);
    bus_sender_free(s, 0);
    bus_receiver_free(r);
}

/* Descriptors of this process: each socket of ZeroMQ has one for as long as it exists. */
static int
descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void
endpoint_not_listed_is_forgotten(void **state)
{
    int64_t until = when_monotonic_ms() + PATIENCE_MS;
    int without;
    const char *const both[] = { endpoints[0], endpoints[1] };
    struct bus_receiver *b = bus_receiver_new(endpoints[1], 1000, 1 << 20), *a;
    struct bus_sender *s = bus_sender_new(10);

    (void)state;
    bus_send(s, both + 1, 1, "first", 5);
    await(b, "first");
    without = descriptors();
    bus_send(s, both, 2, "old", 3);
    bus_send(s, both + 1, 1, "other", 5);       /* the first one's queue goes with its socket ... */
    while (descriptors() > without) {           /* ... which ZeroMQ takes apart in its own time */
        assert_true(when_monotonic_ms() < until);
        poll(NULL, 0, 1);
    }
    a = bus_receiver_new(endpoints[0], 1000, 1 << 20);
    bus_send(s, both, 2, "new", 3);
    await(a, "new");
    await(b, "old");
    await(b, "other");
    await(b, "new");
    bus_sender_free(s, 0);
    bus_receiver_free(a);
    bus_receiver_free(b);
}

static void
socket_file_is_private_and_replaced(void **state)
{
    struct bus_receiver *r;
    struct stat st;
    FILE *f;

    (void)state;
    unlink(path_of(endpoints[0]));          /* of a killed run that left something there */
    f = fopen(path_of(endpoints[0]), "w");
    assert_non_null(f);
    fclose(f);
    r = bus_receiver_new(endpoints[0], 1000, 1 << 20);
    assert_non_null(r);
    assert_int_equal(stat(path_of(endpoints[0]), &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
    bus_receiver_free(r);
    assert_null(bus_receiver_new("ipc:///nowhere/at/all", 10, 10));
}

static void
oversized_message_is_left_to_the_log(void **state)
{
    struct bus_receiver *r = bus_receiver_new(endpoints[0], 1000, 100);
    const char *const to[] = { endpoints[0] };
    struct bus_sender *s = bus_sender_new(10);
    char big[200] = { 0 };
    int64_t until = when_monotonic_ms() + PATIENCE_MS;
    const void *p;
    size_t len;

    (void)state;
    bus_send(s, to, 1, big, sizeof big);
    /* The peer's connection is cut; it comes back by itself. Until then pushes may be lost. */
    do {
        struct pollfd fd = { bus_receiver_fd(r), POLLIN, 0 };

        assert_true(when_monotonic_ms() < until);
        bus_send(s, to, 1, "ok", 2);
        poll(&fd, 1, 20);
    } while (bus_receive(r, &p, &len) != ERR_OK);
    assert_int_equal(len, 2);
    bus_sender_free(s, 0);
    bus_receiver_free(r);
}

static void
listening_is_told_from_dead(void **state)
{
    struct bus_receiver *r = bus_receiver_new(endpoints[0], 10, 1 << 20);
    const char *const to[] = { endpoints[0] };
    struct bus_sender *s = bus_sender_new(10);
    char long_path[300] = "ipc:///";

    (void)state;
    assert_true(bus_listening(endpoints[0]));
    bus_send(s, to, 1, "still fine", 10);       /* the question disturbs nobody */
    await(r, "still fine");
    bus_sender_free(s, 0);
    bus_receiver_free(r);
    assert_false(bus_listening(endpoints[0]));
    assert_false(bus_listening("ipc:///nowhere/at/all"));
    memset(long_path + strlen(long_path), 'x', sizeof long_path - 1 - strlen(long_path));
    assert_false(bus_listening(long_path));
    assert_true(bus_listening("tcp://127.0.0.1:1"));
}

static void
sender_with_nothing_to_say_opens_nothing(void **state)
{
    struct bus_sender *s = bus_sender_new(10);

    (void)state;
    bus_send(s, NULL, 0, "x", 1);
    bus_sender_free(s, 50);
    bus_sender_free(NULL, 50);
    bus_receiver_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_receivers_each_get_everything),
        cmocka_unit_test(last_words_of_a_short_process_arrive),
        cmocka_unit_test(dead_endpoint_blocks_nobody),
        cmocka_unit_test(full_queue_drops_the_newest),
        cmocka_unit_test(endpoint_not_listed_is_forgotten),
        cmocka_unit_test(socket_file_is_private_and_replaced),
        cmocka_unit_test(oversized_message_is_left_to_the_log),
        cmocka_unit_test(listening_is_told_from_dead),
        cmocka_unit_test(sender_with_nothing_to_say_opens_nothing),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
