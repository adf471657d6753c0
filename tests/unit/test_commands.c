/* test_commands - one at a time for each user, answers in order, bounds
 *
 * The worker is a list here: what was started runs when a test says so.
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

#include "relay/commands.h"
#include "relay/mem.h"

#define PER_SOCKET 3
#define BYTES 1000
#define AT_ONCE 4
#define SIZE 10         /* bytes of one in these tests */

struct spoken {
    struct command command;     /* first */
    char word[32];
};

static struct commands *q;
static struct spoken *started[64];
static size_t n_started;
static char answers[1024];
static int alive;

static void
on_start(void *arg, struct command *c)
{
    (void)arg;
    started[n_started++] = (struct spoken *)c;
}

static void
on_answer(void *arg, struct command_socket *s, struct command *c)
{
    size_t len = strlen(answers);

    (void)arg, (void)s;
    snprintf(answers + len, sizeof answers - len, "%s ", ((struct spoken *)c)->word);
}

static void
on_end(void *arg, struct command *c)
{
    (void)arg;
    alive--;
    free(c);
}

static const struct commands_calls calls = { on_start, on_answer, on_end };

static int
setup(void **state)
{
    const struct commands_bounds bounds = { PER_SOCKET, BYTES, AT_ONCE };

    (void)state;
    q = commands_new(&bounds, &calls, NULL);
    n_started = 0;
    answers[0] = '\0';
    alive = 0;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    commands_free(q);
    return alive != 0;
}

static struct spoken *
word(const char *text)
{
    struct spoken *w = mem_new(sizeof *w);

    snprintf(w->word, sizeof w->word, "%s", text);
    alive++;
    return w;
}

static enum err
keep(struct spoken *w, enum err e)
{
    if (e != ERR_OK) {
        alive--;
        free(w);
    }
    return e;
}

static enum err
says(struct command_socket *s, const char *user, const char *text)
{
    struct spoken *w = word(text);

    return keep(w, commands_take(q, s, user, &w->command, SIZE));
}

/* Takes from what was started the one of that word, and says it has run. */
static void
ran(const char *text, int64_t seq)
{
    for (size_t i = 0; i < n_started; i++)
        if (strcmp(started[i]->word, text) == 0) {
            struct spoken *w = started[i];

            memmove(&started[i], &started[i + 1], (n_started - i - 1) * sizeof *started);
            n_started--;
            commands_ran(q, &w->command, seq, 0);
            return;
        }
    fail_msg("%s was not started", text);
}

static void
assert_started(const char *expected)
{
    char text[256] = "";

    for (size_t i = 0; i < n_started; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", started[i]->word);
    assert_string_equal(text, expected);
}

static void
assert_answers(const char *expected)
{
    assert_string_equal(answers, expected);
    answers[0] = '\0';
}

static void
one_users_commands_run_one_after_the_other(void **state)
{
    struct command_socket tab1 = { 0 }, tab2 = { 0 }, other = { 0 };

    (void)state;
    says(&tab1, "anna", "a1");
    says(&tab2, "anna", "a2");
    says(&tab1, "anna", "a3");
    says(&other, "ben", "b1");
    assert_started("a1 b1 ");
    ran("a1", 0);
    assert_started("b1 a2 ");
    ran("a2", 0);
    ran("a3", 0);
    ran("b1", 0);
    assert_true(commands_idle(q));
    commands_settle(q, 0);
    commands_left(q, &tab1);
    commands_left(q, &tab2);
    commands_left(q, &other);
}

static void
users_take_turns_where_few_may_run(void **state)
{
    struct command_socket s[AT_ONCE + 2];
    char user[16], text[32];

    (void)state;
    for (int i = 0; i < AT_ONCE + 2; i++) {
        s[i] = (struct command_socket){ 0 };
        snprintf(user, sizeof user, "u%d", i);
        for (int j = 0; j < 2; j++) {
            snprintf(text, sizeof text, "%d.%d", i, j);
            assert_int_equal(says(&s[i], user, text), ERR_OK);
        }
    }
    assert_started("0.0 1.0 2.0 3.0 ");
    ran("0.0", 0);
    assert_started("1.0 2.0 3.0 4.0 ");
    ran("1.0", 0);
    assert_started("2.0 3.0 4.0 5.0 ");
    ran("2.0", 0);
    assert_started("3.0 4.0 5.0 0.1 ");
    for (const char *const *left = (const char *const[]){ "3.0", "4.0", "5.0", "0.1", "1.1", "2.1", "3.1",
                                                          "4.1", "5.1", NULL }; *left; left++)
        ran(*left, 0);
    assert_true(commands_idle(q));
    for (int i = 0; i < AT_ONCE + 2; i++)
        commands_left(q, &s[i]);
}

static void
answers_wait_for_the_log_and_for_earlier_ones(void **state)
{
    struct command_socket s = { 0 };

    (void)state;
    says(&s, "anna", "1");
    says(&s, "anna", "2");
    commands_settle(q, 100);
    assert_answers("");
    ran("1", 105);
    ran("2", 0);
    commands_settle(q, 104);
    assert_answers("");
    commands_settle(q, 105);
    assert_answers("1 2 ");
    commands_settle(q, 106);
    assert_answers("");
}

static void
a_socket_has_so_many_and_no_more(void **state)
{
    struct command_socket s = { 0 }, tab2 = { 0 };

    (void)state;
    for (int i = 0; i < PER_SOCKET; i++)
        assert_int_equal(says(&s, "anna", "x"), ERR_OK);
    assert_int_equal(says(&s, "anna", "x"), ERR_RATE);
    assert_int_equal(says(&tab2, "anna", "y"), ERR_OK);
    ran("x", 0);
    assert_int_equal(says(&s, "anna", "x"), ERR_RATE);     /* until it was answered */
    commands_settle(q, 0);
    assert_int_equal(says(&s, "anna", "x"), ERR_OK);
    assert_int_equal(says(&s, "anna", "x"), ERR_RATE);
    assert_answers("x ");
    commands_left(q, &tab2);
    while (n_started)
        ran(started[0]->word, 0);
    commands_settle(q, 0);
    assert_answers("x x x ");
}

static void
all_together_have_so_many_bytes(void **state)
{
    struct command_socket s[BYTES / SIZE] = { 0 }, late = { 0 };
    struct spoken *w = word("large");

    (void)state;
    assert_int_equal(keep(w, commands_take(q, &late, "ben", &w->command, BYTES + 1)), ERR_BUSY);
    for (int i = 0; i < BYTES / SIZE; i++)
        assert_int_equal(says(&s[i], "anna", i ? "no" : "yes"), ERR_OK);
    assert_int_equal(says(&late, "ben", "x"), ERR_BUSY);
    ran("yes", 1);
    assert_int_equal(says(&late, "ben", "x"), ERR_BUSY);   /* an answer that waits has its bytes */
    commands_settle(q, 1);
    assert_int_equal(says(&late, "ben", "x"), ERR_OK);
    assert_int_equal(says(&late, "ben", "x"), ERR_BUSY);
    for (int i = 0; i < BYTES / SIZE; i++)
        commands_left(q, &s[i]);
    assert_int_equal(says(&late, "ben", "x"), ERR_BUSY);   /* what is to be run, too */
    while (n_started)
        ran(started[0]->word, 0);
    commands_settle(q, 0);
    assert_answers("yes x ");
}

static void
answers_count(void **state)
{
    struct command_socket s = { 0 };
    struct spoken *w = word("long");

    (void)state;
    assert_int_equal(commands_take(q, &s, "anna", &w->command, SIZE), ERR_OK);
    commands_ran(q, &w->command, 1, BYTES);
    n_started--;
    assert_int_equal(says(&s, "anna", "x"), ERR_BUSY);
    commands_settle(q, 1);
    assert_int_equal(says(&s, "anna", "x"), ERR_OK);
    ran("x", 0);
    commands_settle(q, 0);
    assert_answers("long x ");
}

static void
what_was_taken_is_run_though_the_socket_left(void **state)
{
    struct command_socket s = { 0 }, tab2 = { 0 };

    (void)state;
    says(&s, "anna", "1");
    says(&s, "anna", "2");
    says(&tab2, "anna", "3");
    commands_left(q, &s);
    memset(&s, 0xee, sizeof s);         /* its memory is another's now */
    ran("1", 5);
    ran("2", 6);
    ran("3", 7);
    commands_settle(q, 7);
    assert_answers("3 ");
    assert_int_equal(alive, 0);
}

static void
a_socket_leaves_between_run_and_answer(void **state)
{
    struct command_socket s = { 0 }, tab2 = { 0 };

    (void)state;
    says(&s, "anna", "1");
    says(&tab2, "anna", "2");
    ran("1", 5);
    ran("2", 6);
    commands_left(q, &s);
    assert_int_equal(alive, 1);
    commands_settle(q, 6);
    assert_answers("2 ");
}

static void
nothing_is_started_behind_the_close(void **state)
{
    struct command_socket s = { 0 };

    (void)state;
    says(&s, "anna", "1");
    says(&s, "anna", "2");
    commands_close(q);
    assert_int_equal(says(&s, "anna", "3"), ERR_BUSY);
    ran("1", 0);
    assert_started("");
    assert_false(commands_idle(q));
    commands_left(q, &s);
    assert_int_equal(alive, 1);         /* ends with the queue: see teardown */
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(one_users_commands_run_one_after_the_other),
        T(users_take_turns_where_few_may_run),
        T(answers_wait_for_the_log_and_for_earlier_ones),
        T(a_socket_has_so_many_and_no_more),
        T(all_together_have_so_many_bytes),
        T(answers_count),
        T(what_was_taken_is_run_though_the_socket_left),
        T(a_socket_leaves_between_run_and_answer),
        T(nothing_is_started_behind_the_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
