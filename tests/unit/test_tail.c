/* test_tail - what is committed at the worst moment is found all the same
 *
 * The linker puts __wrap_op_log_head in the place of op_log_head, so that a commit can be made
 * the moment after the tail has read the head.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "relay/tail.h"
#include "shared/chat/op.h"
#include "shared/chat/tx.h"
#include "tests/unit/scratch.h"

#define PATIENCE_MS 5000

struct world {
    char dir[SCRATCH_DIR], path[SCRATCH_PATH];
    struct config config;
    struct db *db;
    struct arena *arena;
    struct op op;
    struct tail *tail;
    int64_t opened;             /* head, as tail_open said it */
    int wakes;
    int64_t head;               /* the last one told */
    int64_t last;               /* of the page */
    size_t n_read;
};

static struct world *commits_after_head;

static void
commit(struct world *w, int n)
{
    struct notice notice = {.kind = EVENT_READ, .user = "a"};

    assert_int_equal(tx_begin(&w->op), ERR_OK);
    for (int i = 0; i < n; i++)
        tx_event_on(&w->op, &notice, "dialog:x");
    assert_int_equal(tx_end(&w->op, ERR_OK), ERR_OK);
}

enum err __real_op_log_head(struct op *o, int64_t *head_r, int64_t *floor_r);
enum err __wrap_op_log_head(struct op *o, int64_t *head_r, int64_t *floor_r);

enum err
__wrap_op_log_head(struct op *o, int64_t *head_r, int64_t *floor_r)
{
    struct world *w = commits_after_head;
    enum err e = __real_op_log_head(o, head_r, floor_r);

    commits_after_head = NULL;
    if (w != NULL)
        commit(w, 1);
    return e;
}

static void
on_wake(void *arg)
{
    struct world *w = arg;
    uint64_t one = 1;

    if (write(w->wakes, &one, sizeof one) < 0)
        abort();
}

static void
on_head(void *arg, int64_t head)
{
    struct world *w = arg;

    w->head = head;
}

static void
on_page(void *arg, const struct inbox_page *page)
{
    struct world *w = arg;

    assert_false(page->failed);
    w->n_read += page->n;
    if (page->n > 0)
        w->last = page->events[page->n - 1]->event.seq;
    if (page->full)
        tail_read(w->tail, w->last);
}

static const struct tail_calls calls = {on_wake, on_head, on_page};

static void
await_one(struct world *w)
{
    struct pollfd fd = {w->wakes, POLLIN, 0};
    uint64_t n;

    assert_true(poll(&fd, 1, PATIENCE_MS) > 0);
    assert_true(read(w->wakes, &n, sizeof n) == sizeof n);
    tail_collect(w->tail);
}

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    w->db = scratch_new(w->dir, w->path);
    w->config = (struct config){.log_keep_s = 3600, .log_keep_events = 100000, .tail_ms = 5,
                                .idempotency_keep_s = 3600, .write_wait_ms = 1000,
                                .database = w->path};
    w->arena = arena_new();
    w->op = (struct op){.db = w->db, .arena = w->arena, .config = &w->config,
                        .system = &chat_mtchat, .now_ms = 1700000000000};
    w->wakes = eventfd(0, EFD_CLOEXEC);
    *state = w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    commits_after_head = NULL;
    tail_free(w->tail);
    close(w->wakes);
    db_close(w->db);
    arena_free(w->arena);
    scratch_remove(w->dir);
    free(w);
    return 0;
}

/* Were the pragma read after the head, this commit would be told of only with the next one. */
static void
a_commit_just_after_the_head_was_read_is_noticed(void **state)
{
    struct world *w = *state;

    commit(w, 1);
    commits_after_head = w;
    assert_int_equal(tail_open(&w->config, &calls, w, &w->opened, &w->tail), ERR_OK);
    assert_null(commits_after_head);
    assert_int_equal(tail_start(w->tail), ERR_OK);
    while (w->head <= w->opened)
        await_one(w);
    assert_int_equal(w->head, w->opened + 1);
}

static void
commits_of_others_are_noticed(void **state)
{
    struct world *w = *state;

    assert_int_equal(tail_open(&w->config, &calls, w, &w->opened, &w->tail), ERR_OK);
    assert_int_equal(tail_start(w->tail), ERR_OK);
    for (int i = 1; i <= 3; i++) {
        commit(w, 1);
        while (w->head < w->opened + i)
            await_one(w);
    }
}

static void
a_long_log_is_read_page_by_page(void **state)
{
    struct world *w = *state;

    assert_int_equal(tail_open(&w->config, &calls, w, &w->opened, &w->tail), ERR_OK);
    commit(w, 1234);
    assert_int_equal(tail_start(w->tail), ERR_OK);
    tail_read(w->tail, w->opened);
    while (w->last < w->opened + 1234)
        await_one(w);
    assert_int_equal(w->n_read, 1234);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_commit_just_after_the_head_was_read_is_noticed),
        T(commits_of_others_are_noticed),
        T(a_long_log_is_read_page_by_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
