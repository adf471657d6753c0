/* test_history - durable streams: what survives, in which order, and what a kill or a full disk does
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "history_queries.h"
#include "relay/metrics.h"
#include "relay/push/stream.h"
#include "shared/db/db.h"
#include "shared/log.h"
#include "tests/unit/fake_timer.h"

enum { SIZE = 50, TTL = 1000, META = 10000, KEYS = 500, MANY = 200, PATIENCE_MS = 10000, KILLS = 12 };

static char dir[64], file[80];
static int64_t now = 1000000;
static int woken = -1;
static struct stream_store *store;
static int64_t bytes_max = 1 << 20, queue_max = 10000;
static const struct stream_rules durable = { .size = SIZE, .ttl_ms = TTL, .meta_ttl_ms = META, .durable = true };
static const struct stream_rules in_memory = { .size = SIZE, .ttl_ms = TTL, .meta_ttl_ms = META };

static char delivered[8192];
static uint64_t last_delivered;

static struct told {
    int calls, refused, failed;
    enum err e;
    struct stream_position at;
    size_t n;
    bool whole;
    uint64_t first;
    char first_data[32];
} told;

static int64_t
the_time(void)
{
    return now;
}

static void
on_deliver(void *arg, const char *channel, struct publication *p)
{
    size_t len = strlen(delivered);

    (void)arg;
    if (p->offset > 0 && strcmp(channel, "a") == 0)
        last_delivered = p->offset;
    snprintf(delivered + len, sizeof delivered - len, "%s:%s ", channel, publication_data(p));
}

static void
on_wake(void *arg)
{
    uint64_t one = 1;

    (void)arg;
    if (write(woken, &one, sizeof one) != sizeof one)
        abort();
}

static void
on_published(void *arg, enum err e, const struct stream_position *at)
{
    (void)arg;
    told.calls++;
    told.refused += e == ERR_BUSY;
    told.failed += e != ERR_OK;
    told.e = e;
    told.at = *at;
}

static void
on_history(void *arg, enum err e, const struct stream_history *h)
{
    (void)arg;
    told.e = e;
    told.at = h->top;
    told.n = h->n;
    told.whole = h->whole;
    told.first = h->n > 0 ? h->publications[0]->offset : 0;
    snprintf(told.first_data, sizeof told.first_data, "%s", h->n > 0 ? publication_data(h->publications[0]) : "");
}

static enum err
try_open(struct stream_store **s_r)
{
    struct stream_memory_options o = { .bytes_max = bytes_max, .idempotency_ms = KEYS, .file = file,
                                       .queue_max = queue_max, .wake = on_wake, .deliver = on_deliver,
                                       .now_ms = the_time };

    return stream_memory_new(&o, NULL, s_r);
}

static void
open_store(void)
{
    woken = eventfd(0, EFD_CLOEXEC);
    *delivered = '\0';
    told = (struct told){ 0 };
    assert_int_equal(try_open(&store), ERR_OK);
}

static void
close_store(void)
{
    store->calls->free(store);
    close(woken);
}

static void
reopen(void)
{
    close_store();
    open_store();
}

/* Collects until so many answers have come. */
static void
wait_for(int calls)
{
    struct pollfd p = { .fd = woken, .events = POLLIN };
    uint64_t n;

    while (told.calls < calls) {
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
        assert_int_equal(read(woken, &n, sizeof n), sizeof n);
        stream_memory_collect(store);
    }
}

static void
publish_as(struct stream_publish p, const char *data)
{
    p.publication = publication_new(data, strlen(data), NULL, NULL, false);
    store->calls->publish(store, &p, on_published, NULL);
    publication_unref(p.publication);
}

static void
publish(const char *channel, const char *data)
{
    publish_as((struct stream_publish){ .channel = channel, .rules = durable }, data);
}

static void
publish_and_wait(const char *channel, int n)
{
    int calls = told.calls;
    char data[16];

    for (int i = 1; i <= n; i++) {
        snprintf(data, sizeof data, "%d", i);
        publish(channel, data);
    }
    wait_for(calls + n);
    assert_int_equal(told.e, ERR_OK);
}

static void
recover(const char *channel, uint64_t offset)
{
    struct stream_query q = { .since = true, .offset = offset, .limit = -1 };

    store->calls->history(store, channel, &durable, &q, on_history, NULL);
}

static int64_t
figure(const char *name)
{
    struct sbuf text;
    struct metrics m = { &text };
    const char *at;
    long long n = -1;

    sbuf_init(&text, 1 << 20);
    stream_memory_metrics(store, &m);
    for (at = sbuf_str(&text); (at = strstr(at, name)); at++)
        if ((at == text.data || at[-1] == '\n') && sscanf(at + strlen(name), " %lld", &n) == 1)
            break;
    sbuf_fini(&text);
    return n;
}

/* The oldest publication of a stream in the closed file; 0: none. */
static int64_t
oldest_in_file(int64_t stream)
{
    struct arena *a = arena_new();
    struct db *db;
    struct db_row *r;
    int64_t n = 0;

    assert_int_equal(db_open_as(&db_schema_history, file, DB_OPEN, 1000, &db), ERR_OK);
    r = db_query(db, HISTORY_Q_PUBLICATION_OLDEST, a);
    db_bind_int(r, ":stream", stream);
    if (db_step(r))
        n = db_int(r, 0);
    assert_int_equal(db_done(r), ERR_OK);
    db_close(db);
    arena_free(a);
    return n;
}

static int
set_up(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/confab-unit-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/h.db", dir);
    now = 1000000;
    bytes_max = 1 << 20;
    queue_max = 10000;
    open_store();
    return 0;
}

static int
tear_down(void **state)
{
    char command[128];

    (void)state;
    close_store();
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

/* ---- what survives ---- */

static void
epoch_top_and_window_survive(void **state)
{
    char epoch[STREAM_EPOCH_SIZE];

    (void)state;
    publish_and_wait("a", 70);
    strcpy(epoch, told.at.epoch);
    reopen();
    recover("a", 65);
    assert_string_equal(told.at.epoch, epoch);
    assert_int_equal(told.at.offset, 70);
    assert_int_equal(told.n, 5);
    assert_true(told.whole);
    assert_string_equal(told.first_data, "66");
    recover("a", 20);
    assert_int_equal(told.n, SIZE);
    assert_true(told.whole);
    recover("a", 19);
    assert_false(told.whole);
    publish_and_wait("a", 1);
    assert_int_equal(told.at.offset, 71);
    now += TTL;
    reopen();
    recover("a", 71);
    assert_int_equal(told.at.offset, 71);
    assert_true(told.whole);
    recover("a", 70);
    assert_false(told.whole);
}

static void
a_position_before_the_first_publication_survives(void **state)
{
    char epoch[STREAM_EPOCH_SIZE];

    (void)state;
    recover("a", 0);
    strcpy(epoch, told.at.epoch);
    publish_and_wait("b", 1);
    reopen();
    recover("a", 0);
    assert_string_equal(told.at.epoch, epoch);
    publish_and_wait("a", 2);
    assert_string_equal(told.at.epoch, epoch);
    recover("a", 0);
    assert_true(told.whole);
}

static void
everything_of_a_publication_survives(void **state)
{
    struct publication *p = publication_new("{\"\xc3\xa4\":1}", 8, "{\"i\":1}", "{\"t\":1}", true);
    struct stream_publish in = { .channel = "a", .rules = durable, .publication = p };

    (void)state;
    store->calls->publish(store, &in, on_published, NULL);
    wait_for(1);
    assert_int_equal(p->refs, 2);
    publication_unref(p);
    reopen();
    recover("a", 0);
    assert_string_equal(told.first_data, "{\"\xc3\xa4\":1}");
    assert_int_equal(told.n, 1);
}

static void
keys_and_versions_survive(void **state)
{
    struct stream_publish key = { .channel = "a", .rules = durable, .idempotency_key = "k" };
    struct stream_publish version = { .channel = "b", .rules = durable, .version = 7, .version_epoch = "v" };

    (void)state;
    publish_as(key, "1");
    publish_as(version, "1");
    publish_and_wait("a", 1);
    reopen();
    publish_as(key, "2");
    assert_int_equal(told.calls, 1);
    assert_int_equal(told.at.offset, 1);
    publish_as(version, "2");
    assert_int_equal(told.calls, 2);
    assert_int_equal(told.at.offset, 1);
    assert_string_equal(delivered, "");
    now += KEYS;
    reopen();
    publish_as(key, "3");
    wait_for(1);
    assert_int_equal(told.at.offset, 3);
}

static void
removing_survives(void **state)
{
    (void)state;
    publish_and_wait("a", 10);
    publish("a", "11");
    store->calls->remove(store, "a", &durable, on_published, NULL);
    wait_for(12);
    assert_int_equal(told.at.offset, 11);
    reopen();
    recover("a", 11);
    assert_true(told.whole);
    recover("a", 10);
    assert_false(told.whole);
    assert_int_equal(told.n, 0);
    publish_and_wait("a", 1);
    assert_int_equal(told.at.offset, 12);
}

static void
a_file_is_for_one(void **state)
{
    struct stream_store *other;

    (void)state;
    assert_int_equal(try_open(&other), ERR_BUSY);
}

static void
what_is_no_such_file_is_refused(void **state)
{
    int fd;

    (void)state;
    close_store();
    fd = open(file, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "this is not a database, however long it may be: "
                               "it has to be longer than a header is, and that is a hundred bytes", 113), 113);
    close(fd);
    assert_int_equal(try_open(&store), ERR_INTERNAL);
    assert_int_equal(unlink(file), 0);
    open_store();
}

/* ---- order ---- */

static void
nothing_is_told_before_its_commit(void **state)
{
    (void)state;
    publish("a", "1");
    publish("a", "2");
    publish_as((struct stream_publish){ .channel = "m", .rules = in_memory }, "3");
    publish_as((struct stream_publish){ .channel = "a", .rules = durable, .skip_history = true }, "4");
    publish("a", "5");
    recover("a", 0);
    assert_int_equal(told.at.offset, 0);
    assert_int_equal(told.n, 0);
    assert_string_equal(delivered, "m:3 ");
    wait_for(5);
    assert_string_equal(delivered, "m:3 a:1 a:2 a:4 a:5 ");
    assert_int_equal(told.at.offset, 3);
    assert_int_equal(figure("confab_push_history_waiting"), 0);
}

static void
many_share_a_commit(void **state)
{
    (void)state;
    publish_and_wait("a", MANY);
    assert_int_equal(told.at.offset, MANY);
    assert_true(figure("confab_push_history_commit_seconds_count") < MANY / 2);
}

static void
a_repetition_waits_for_the_first(void **state)
{
    struct stream_publish key = { .channel = "a", .rules = durable, .idempotency_key = "k" };
    struct stream_publish version = { .channel = "b", .rules = durable, .version = 7 };

    (void)state;
    publish_as(key, "1");
    publish_as(key, "2");
    publish_as(version, "3");
    publish_as(version, "4");
    assert_int_equal(told.calls, 0);
    wait_for(4);
    assert_int_equal(told.failed, 0);
    assert_int_equal(told.at.offset, 1);
    assert_string_equal(delivered, "a:1 b:3 ");
}

static void
a_full_queue_refuses(void **state)
{
    (void)state;
    close_store();
    queue_max = 3;
    open_store();
    for (int i = 0; i < 5; i++)
        publish("a", "1");
    assert_int_equal(told.refused, 2);
    publish_as((struct stream_publish){ .channel = "m", .rules = in_memory }, "1");
    wait_for(6);
    assert_int_equal(told.refused, 2);
    publish_and_wait("a", 1);
    assert_int_equal(told.at.offset, 4);
}

static void
who_still_waits_is_answered_at_the_end(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        publish("a", "1");
    store->calls->free(store);
    assert_int_equal(told.calls, 20);
    assert_int_equal(told.failed, 0);
    close(woken);
    open_store();
    recover("a", 0);
    assert_int_equal(told.at.offset, 20);
    assert_true(told.whole);
}

/* ---- the file does not grow for ever ---- */

static void
what_leaves_the_window_leaves_the_file(void **state)
{
    struct stream_rules small = { .size = 3, .ttl_ms = TTL, .meta_ttl_ms = META, .durable = true };

    (void)state;
    publish_and_wait("a", SIZE + 10);
    close_store();
    assert_int_equal(oldest_in_file(1), 11);
    open_store();
    publish_as((struct stream_publish){ .channel = "a", .rules = small }, "1");
    wait_for(1);
    close_store();
    assert_int_equal(oldest_in_file(1), SIZE + 11 - 2);
    open_store();
    now += TTL;
    while (stream_memory_sweep(store) == 0)
        ;
    publish_and_wait("b", 1);
    close_store();
    assert_int_equal(oldest_in_file(1), 0);
    open_store();
    recover("a", SIZE + 11);
    assert_int_equal(told.at.offset, SIZE + 11);
}

static void
much_leaves_the_file_bit_by_bit(void **state)
{
    struct stream_rules large = { .size = 2000, .ttl_ms = TTL, .meta_ttl_ms = META, .durable = true };

    (void)state;
    for (int i = 0; i < 2000; i++)
        publish_as((struct stream_publish){ .channel = "a", .rules = large }, "1");
    store->calls->remove(store, "a", &durable, on_published, NULL);
    wait_for(2001);
    for (int i = 0; i < 6; i++)
        publish_and_wait("b", 1);
    close_store();
    assert_int_equal(oldest_in_file(1), 0);
    open_store();
}

static void
a_forgotten_stream_is_forgotten_in_the_file(void **state)
{
    char epoch[STREAM_EPOCH_SIZE];

    (void)state;
    publish_and_wait("a", 2);
    strcpy(epoch, told.at.epoch);
    now += META;
    while (stream_memory_sweep(store) == 0)
        ;
    assert_int_equal(figure("confab_push_streams"), 0);
    publish("a", "3");
    wait_for(3);
    assert_int_equal(told.at.offset, 1);
    assert_string_not_equal(told.at.epoch, epoch);
    strcpy(epoch, told.at.epoch);
    reopen();
    recover("a", 0);
    assert_int_equal(told.at.offset, 1);
    assert_string_equal(told.at.epoch, epoch);
    assert_string_equal(told.first_data, "3");
}

/* Its last answer finds the stream over, and there is no thread any more that could forget it in the file. */
static void
what_is_over_at_the_end_is_forgotten_later(void **state)
{
    (void)state;
    publish_and_wait("a", 2);
    store->calls->remove(store, "a", &durable, on_published, NULL);
    now += META;
    reopen();
    while (stream_memory_sweep(store) == 0)
        ;
    assert_int_equal(figure("confab_push_streams"), 0);
}

static void
a_stream_may_become_durable_and_cease_to_be(void **state)
{
    struct stream_publish volatile_one = { .channel = "a", .rules = in_memory };
    char epoch[STREAM_EPOCH_SIZE];

    (void)state;
    publish_as(volatile_one, "1");
    strcpy(epoch, told.at.epoch);
    publish("a", "2");
    wait_for(2);
    assert_int_equal(told.at.offset, 2);
    assert_string_equal(told.at.epoch, epoch);
    reopen();
    recover("a", 1);
    assert_string_equal(told.at.epoch, epoch);
    assert_true(told.whole);
    assert_int_equal(told.n, 1);
    recover("a", 0);
    assert_false(told.whole);
    publish_as(volatile_one, "3");
    assert_int_equal(told.at.offset, 3);
    assert_string_equal(told.at.epoch, epoch);
    reopen();
    recover("a", 0);
    assert_int_equal(told.at.offset, 0);
    assert_string_not_equal(told.at.epoch, epoch);
}

static void
what_the_memory_cannot_hold_stays_in_the_file(void **state)
{
    (void)state;
    publish_and_wait("a", SIZE);
    close_store();
    bytes_max = 2500;
    open_store();
    recover("a", 0);
    assert_int_equal(told.at.offset, SIZE);
    assert_false(told.whole);
    assert_in_range(told.n, 1, SIZE - 1);
    recover("a", SIZE - 1);
    assert_true(told.whole);
    publish_and_wait("a", 1);
    close_store();
    assert_int_equal(oldest_in_file(1), 2);     /* one in, one out */
    bytes_max = 1 << 20;
    open_store();
    recover("a", 1);
    assert_int_equal(told.n, SIZE);
    assert_true(told.whole);
}

/* ---- trouble ---- */

static void
limit_file_size(rlim_t bytes)
{
    struct rlimit r;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes == 0 ? r.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void
a_full_disk_fails_publications_and_is_got_over(void **state)
{
    struct stream_publish key = { .channel = "b", .rules = durable, .idempotency_key = "k" };

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    publish_and_wait("a", 5);
    limit_file_size(4096);
    for (int i = 0; i < 20; i++)
        publish("a", "lost");
    publish_as(key, "lost");
    publish_as(key, "lost");
    wait_for(5 + 22);
    limit_file_size(0);
    assert_int_equal(told.failed, 22);
    assert_int_equal(told.refused, 0);
    recover("a", 4);
    assert_int_equal(told.at.offset, 5);
    assert_int_equal(told.n, 1);
    publish_and_wait("a", 3);
    assert_int_equal(told.at.offset, 8);
    publish_as(key, "found");
    wait_for(5 + 22 + 3 + 1);
    assert_int_equal(told.at.offset, 1);
    assert_null(strstr(delivered, "lost"));
    assert_non_null(strstr(delivered, "b:found"));
    reopen();
    recover("a", 0);
    assert_int_equal(told.at.offset, 8);
    assert_int_equal(told.n, 8);
    assert_true(told.whole);
}

static void
what_comes_while_a_transaction_fails_fails_with_it(void **state)
{
    struct pollfd p = { .fd = woken, .events = POLLIN };

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    publish_and_wait("a", 5);
    limit_file_size(4096);
    publish("a", "lost");
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    limit_file_size(0);
    publish("a", "lost");       /* the loop has not heard of it yet, and counts on */
    wait_for(7);
    assert_int_equal(told.failed, 2);
    publish_and_wait("a", 1);
    assert_int_equal(told.at.offset, 6);
    assert_null(strstr(delivered, "lost"));
    reopen();
    recover("a", 0);
    assert_int_equal(told.at.offset, 6);
    assert_int_equal(told.n, 6);
    assert_true(told.whole);
}

/* ---- kills ---- */

/* What a child tells before it dies: what was delivered, what was acknowledged. */
struct word {
    uint64_t delivered, acknowledged;
    char epoch[STREAM_EPOCH_SIZE];
};

static int to_parent;

static void
tell_parent(struct word w)
{
    if (write(to_parent, &w, sizeof w) != sizeof w)
        _exit(1);
}

static void
child_delivers(void *arg, const char *channel, struct publication *p)
{
    (void)arg;
    (void)channel;
    tell_parent((struct word){ .delivered = p->offset });
}

static void
child_acknowledges(void *arg, enum err e, const struct stream_position *at)
{
    struct word w = { .acknowledged = at->offset };

    (void)arg;
    if (e != ERR_OK)
        _exit(2);
    memcpy(w.epoch, at->epoch, sizeof w.epoch);
    tell_parent(w);
}

/* Publishes, some at a time, until it is killed. */
static void
child(void)
{
    struct stream_memory_options o = { .bytes_max = bytes_max, .idempotency_ms = KEYS, .file = file, .queue_max = 100,
                                       .wake = on_wake, .deliver = child_delivers, .now_ms = the_time };
    struct stream_publish p = { .channel = "a", .rules = durable };
    uint64_t n;

    woken = eventfd(0, EFD_CLOEXEC);
    if (stream_memory_new(&o, NULL, &store) != ERR_OK)
        _exit(3);
    for (;;) {
        for (int i = 0; i < 5; i++) {
            p.publication = publication_new("1", 1, NULL, NULL, false);
            store->calls->publish(store, &p, child_acknowledges, NULL);
            publication_unref(p.publication);
        }
        if (read(woken, &n, sizeof n) != sizeof n)
            _exit(4);
        stream_memory_collect(store);
    }
}

/* Runs a child until it has said so many words (0: until it dies by itself) and checks what it left. */
static void
kill_and_look(int words, const char *fault)
{
    struct word w, most = { 0 };
    int fds[2], status, n = 0;
    pid_t pid;

    close_store();
    assert_int_equal(pipe(fds), 0);
    if ((pid = fork()) == 0) {
        close(fds[0]);
        to_parent = fds[1];
        if (fault)
            setenv("CONFAB_FAULT", fault, 1);
        child();
    }
    close(fds[1]);
    while (read(fds[0], &w, sizeof w) == sizeof w) {
        if (w.delivered > 0) {
            assert_true(w.delivered == most.delivered + 1 || most.delivered == 0);
            most.delivered = w.delivered;
        } else {
            assert_int_equal(w.acknowledged, most.delivered);
            most.acknowledged = w.acknowledged;
            memcpy(most.epoch, w.epoch, sizeof w.epoch);
        }
        if (words > 0 && ++n == words)
            kill(pid, SIGKILL);
    }
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    open_store();
    recover("a", 0);
    assert_true(told.at.offset >= most.delivered);
    if (*most.epoch)
        assert_string_equal(told.at.epoch, most.epoch);
    if (most.delivered > 0) {
        recover("a", most.delivered - 1);       /* what was delivered is there, and all since */
        assert_true(told.whole);
        assert_int_equal(told.n, told.at.offset - most.delivered + 1);
    }
}

static void
a_kill_loses_nothing_acknowledged(void **state)
{
    (void)state;
    for (int i = 1; i <= KILLS; i++)
        kill_and_look(i * 3, NULL);
}

#ifdef CONFAB_FAULT_POINTS
static void
a_kill_at_each_moment_loses_nothing(void **state)
{
    static const char *const moments[] = { "history.begun", "history.committed", "history.answered" };
    char fault[256], token[96];
    int fd;

    (void)state;
    publish_and_wait("a", 3);
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        snprintf(token, sizeof token, "%s/token", dir);
        snprintf(fault, sizeof fault, "%s:%s", moments[i], token);
        fd = open(token, O_CREAT | O_WRONLY, 0600);
        close(fd);
        kill_and_look(0, fault);
        assert_int_not_equal(access(token, F_OK), 0);
    }
}
#endif

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(epoch_top_and_window_survive),
        TEST(a_position_before_the_first_publication_survives),
        TEST(everything_of_a_publication_survives),
        TEST(keys_and_versions_survive),
        TEST(removing_survives),
        TEST(a_file_is_for_one),
        TEST(what_is_no_such_file_is_refused),
        TEST(nothing_is_told_before_its_commit),
        TEST(many_share_a_commit),
        TEST(a_repetition_waits_for_the_first),
        TEST(a_full_queue_refuses),
        TEST(who_still_waits_is_answered_at_the_end),
        TEST(what_leaves_the_window_leaves_the_file),
        TEST(much_leaves_the_file_bit_by_bit),
        TEST(a_forgotten_stream_is_forgotten_in_the_file),
        TEST(what_is_over_at_the_end_is_forgotten_later),
        TEST(a_stream_may_become_durable_and_cease_to_be),
        TEST(what_the_memory_cannot_hold_stays_in_the_file),
        TEST(a_full_disk_fails_publications_and_is_got_over),
        TEST(what_comes_while_a_transaction_fails_fails_with_it),
        TEST(a_kill_loses_nothing_acknowledged),
#ifdef CONFAB_FAULT_POINTS
        TEST(a_kill_at_each_moment_loses_nothing),
#endif
    };

    log_setup("test_history", LOG_LEVEL_ERROR, false);
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
