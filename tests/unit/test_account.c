/* test_account - registering, logging in, tokens, and shutting people out
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/chat/op_room.h"
#include "shared/password.h"
#include "shared/token.h"
#include "tests/unit/scratch.h"

struct world {
    char dir[SCRATCH_DIR], path[SCRATCH_PATH];
    struct config config;
    struct db *db;
    struct arena *arena;
    struct fail fail;
    struct op op;
};

static int
set_up(void **state)
{
    static const char *const keys[] = { "0123456789abcdef0123456789abcdef", NULL };
    struct world *w = calloc(1, sizeof *w);

    w->db = scratch_new(w->dir, w->path);
    w->config = (struct config){
        .run = w->dir, .log_keep_s = 3600, .log_keep_events = 100000, .idempotency_keep_s = 3600,
        .rooms_jwt_secret = keys[0], .rooms_keys = keys, .rooms_token_s = 3600,
        .rooms_refresh_s = 7200, .rooms_password_memory_kib = 8, .rooms_password_passes = 1,
        .rooms_password_processes = 2, .rooms_per_user = 100, .rooms_agents_max = 4,
        .rooms_runner_keys_max = 2, .runner_key = "",
    };
    w->arena = arena_new();
    w->op = (struct op){ .db = w->db, .arena = w->arena, .config = &w->config,
                         .system = &chat_rooms, .now_ms = 1700000000000, .fail = &w->fail };
    *state = w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    db_close(w->db);
    arena_free(w->arena);
    scratch_remove(w->dir);
    free(w);
    return 0;
}

static struct auth
register_as(struct world *w, const char *email)
{
    struct account_new in = { .email = email, .password = "correct horse" };
    struct auth auth;

    assert_int_equal(op_account_register(&w->op, &in, &auth), ERR_OK);
    return auth;
}

static struct auth
log_in(struct world *w, const char *email)
{
    struct auth auth;

    assert_int_equal(op_account_login(&w->op, email, "correct horse", &auth), ERR_OK);
    return auth;
}

static enum err
judge(struct world *w, const char *text, struct token *token_r)
{
    struct token_rules rules = config_rooms_rules(&w->config);

    return token_verify(w->arena, text, &rules, w->op.now_ms, token_r);
}

static void
an_address_has_one_account(void **state)
{
    struct world *w = *state;
    struct account_new in = { .email = "anna@x.org", .username = " \n", .password = "correct horse" };
    struct auth auth;

    assert_string_equal(account_email(w->arena, " \tAnna@X.ORG\n"), "anna@x.org");
    assert_string_equal(account_email(w->arena, "ЖАНР@x.org"), "жанр@x.org");
    assert_int_equal(op_account_register(&w->op, &in, &auth), ERR_OK);
    assert_string_equal(auth.account.username, "anna");
    assert_int_equal(op_account_register(&w->op, &in, &auth), ERR_RULE);
    in.email = "b@x.org";
    in.username = "Б";
    assert_int_equal(op_account_register(&w->op, &in, &auth), ERR_OK);
    assert_string_equal(log_in(w, "b@x.org").account.username, "Б");
}

static void
tokens_are_ours_and_end(void **state)
{
    struct world *w = *state;
    struct auth auth = register_as(w, "anna@x.org");
    struct token_rules other = { .secrets = w->config.rooms_keys, .user_claim = "sub" };
    struct account account;
    struct token token;
    struct sbuf endless;

    assert_int_equal(judge(w, auth.token, &token), ERR_OK);
    assert_int_equal(op_account_check(&w->op, token.user, &account), ERR_OK);
    assert_int_equal(account.id, auth.account.id);
    assert_int_equal(judge(w, auth.refresh, &token), ERR_UNAUTHORIZED);
    /* no other system takes them, even under the same key */
    assert_int_equal(token_verify(w->arena, auth.token, &other, w->op.now_ms, &token), ERR_UNAUTHORIZED);
    w->op.now_ms += 3601 * 1000;
    assert_int_equal(judge(w, auth.token, &token), ERR_OK);         /* the leeway */
    w->op.now_ms += 4000;
    assert_int_equal(judge(w, auth.token, &token), ERR_UNAUTHORIZED);
    sbuf_init(&endless, TOKEN_MAX);
    token_mint(&endless, w->config.rooms_jwt_secret, "sub", "1", 1, 0, ROOMS_AUDIENCE);
    assert_int_equal(judge(w, sbuf_str(&endless), &token), ERR_UNAUTHORIZED);
    sbuf_fini(&endless);
    assert_int_equal(op_account_check(&w->op, "999", &account), ERR_UNAUTHORIZED);
    assert_int_equal(op_account_check(&w->op, "1 ", &account), ERR_UNAUTHORIZED);
}

static void
a_login_wants_the_very_password(void **state)
{
    struct world *w = *state;
    struct auth auth;

    register_as(w, "anna@x.org");
    assert_int_equal(op_account_login(&w->op, "anna@x.org", " correct horse", &auth), ERR_UNAUTHORIZED);
    assert_int_equal(op_account_login(&w->op, "nobody@x.org", "correct horse", &auth), ERR_UNAUTHORIZED);
    assert_int_equal(op_account_activate(&w->op, "anna@x.org", false), ERR_OK);
    assert_int_equal(op_account_login(&w->op, "anna@x.org", "wrong", &auth), ERR_UNAUTHORIZED);
    assert_int_equal(op_account_login(&w->op, "anna@x.org", "correct horse", &auth), ERR_FORBIDDEN);
    assert_int_equal(op_account_activate(&w->op, "anna@x.org", true), ERR_OK);
    log_in(w, "anna@x.org");
}

static void
a_refresh_token_is_good_once(void **state)
{
    struct world *w = *state;
    struct auth first = register_as(w, "anna@x.org"), elsewhere = log_in(w, "anna@x.org"), next, later;

    assert_int_equal(op_account_refresh(&w->op, first.refresh, &next), ERR_OK);
    assert_int_equal(next.account.id, first.account.id);
    assert_string_equal(next.account.email, "anna@x.org");
    assert_string_not_equal(next.refresh, first.refresh);
    assert_int_equal(op_account_refresh(&w->op, next.refresh, &later), ERR_OK);
    /* used again: it and all its descendants are void, other logins are not */
    assert_int_equal(op_account_refresh(&w->op, first.refresh, &next), ERR_UNAUTHORIZED);
    assert_int_equal(op_account_refresh(&w->op, later.refresh, &next), ERR_UNAUTHORIZED);
    assert_int_equal(op_account_refresh(&w->op, elsewhere.refresh, &next), ERR_OK);
    assert_int_equal(op_account_refresh(&w->op, "", &later), ERR_UNAUTHORIZED);
    assert_int_equal(op_account_refresh(&w->op, next.token, &later), ERR_UNAUTHORIZED);
    w->op.now_ms += 7200 * 1000;
    assert_int_equal(op_account_refresh(&w->op, next.refresh, &later), ERR_UNAUTHORIZED);
}

static void
whoever_is_shut_out_is_out_at_once(void **state)
{
    struct world *w = *state;
    struct auth auth = register_as(w, "anna@x.org"), next;
    struct room_actor anna = { .kind = ACTOR_OWNER, .account = auth.account.id }, who;
    struct room_new in = { .name = "x", .orchestration = ORCHESTRATION_NARRATOR };
    char *user = arena_printf(w->arena, "%lld", (long long)auth.account.id);
    struct account account;
    struct runner_key k;
    struct event *events;
    struct room room;
    size_t n;

    assert_int_equal(op_room_create(&w->op, anna.account, &in, &room), ERR_OK);
    assert_int_equal(op_runner_key_create(&w->op, &anna, room.id, "r", NULL, &k), ERR_OK);
    assert_int_equal(op_account_activate(&w->op, "nobody@x.org", false), ERR_NOT_FOUND);
    assert_int_equal(op_account_activate(&w->op, "anna@x.org", false), ERR_OK);
    assert_int_equal(op_account_check(&w->op, user, &account), ERR_UNAUTHORIZED);
    assert_int_equal(op_account_refresh(&w->op, auth.refresh, &next), ERR_UNAUTHORIZED);
    assert_int_equal(op_runner_check(&w->op, k.key, &who), ERR_UNAUTHORIZED);
    assert_int_equal(op_log_read(&w->op, 0, 10, &events, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(events[0].n_operations, 2);
    assert_string_equal(events[0].operations[0].channel, arena_printf(w->arena, "user:rooms:%s", user));
    assert_int_equal(events[0].operations[0].code, 4001);
    assert_string_equal(events[0].operations[1].channel, room_key_channel(w->arena, k.id));
    assert_int_equal(op_account_activate(&w->op, "anna@x.org", true), ERR_OK);
    assert_int_equal(op_account_check(&w->op, user, &account), ERR_OK);
    assert_int_equal(op_runner_check(&w->op, k.key, &who), ERR_OK);
}

static void
an_erased_account_leaves_nothing(void **state)
{
    struct world *w = *state;
    struct auth auth = register_as(w, "anna@x.org");
    struct room_actor anna = { .kind = ACTOR_OWNER, .account = auth.account.id };
    struct room_actor all = { .kind = ACTOR_RUNNER_OF_ALL };
    struct room_new in = { .name = "x", .orchestration = ORCHESTRATION_NARRATOR };
    struct room_entry e;
    struct agent *agents;
    struct room room, *rooms;
    size_t n;

    register_as(w, "boris@x.org");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(op_room_create(&w->op, anna.account, &in, &room), ERR_OK);
        assert_int_equal(op_room_say(&w->op, &anna, room.id, 0, "x", &e), ERR_OK);
    }
    assert_int_equal(op_account_erase(&w->op, "anna@x.org"), ERR_OK);
    assert_int_equal(op_account_erase(&w->op, "anna@x.org"), ERR_NOT_FOUND);
    assert_int_equal(op_room_list(&w->op, &all, &rooms, &n), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(op_agent_own(&w->op, anna.account, &agents, &n), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(op_account_refresh(&w->op, auth.refresh, &auth), ERR_UNAUTHORIZED);
    log_in(w, "boris@x.org");
    assert_true(register_as(w, "anna@x.org").account.id > 2);      /* its number is not given again */
}

static void
a_dearer_hash_replaces_a_cheap_one(void **state)
{
    struct world *w = *state;
    int64_t before;

    register_as(w, "anna@x.org");
    w->config.rooms_password_passes = 2;
    log_in(w, "anna@x.org");
    before = db_statements(w->db);
    log_in(w, "anna@x.org");
    assert_int_equal(db_statements(w->db) - before, 3);     /* find, token, prune: no other hash */
}

/* ---- at once ---- */

struct attempt {
    const struct world *w;
    pthread_barrier_t *start;
    enum err e;
};

static void *
register_at_once(void *arg)
{
    struct attempt *t = arg;
    struct account_new in = { .email = "anna@x.org", .password = "correct horse" };
    struct op op = t->w->op;
    struct auth auth;

    op.fail = NULL;
    op.arena = arena_new();
    assert_int_equal(db_open(t->w->path, DB_OPEN, 5000, &op.db), ERR_OK);
    pthread_barrier_wait(t->start);
    t->e = op_account_register(&op, &in, &auth);
    db_close(op.db);
    arena_free(op.arena);
    return NULL;
}

#define AT_ONCE 8

static void
of_several_at_once_one_gets_the_address(void **state)
{
    struct world *w = *state;
    struct attempt attempts[AT_ONCE];
    pthread_barrier_t start;
    pthread_t threads[AT_ONCE];
    int n_ok = 0;

    w->config.rooms_password_processes = AT_ONCE;
    pthread_barrier_init(&start, NULL, AT_ONCE);
    for (int i = 0; i < AT_ONCE; i++) {
        attempts[i] = (struct attempt){ .w = w, .start = &start };
        assert_int_equal(pthread_create(&threads[i], NULL, register_at_once, &attempts[i]), 0);
    }
    for (int i = 0; i < AT_ONCE; i++) {
        pthread_join(threads[i], NULL);
        n_ok += attempts[i].e == ERR_OK;
        assert_true(attempts[i].e == ERR_OK || attempts[i].e == ERR_RULE);
    }
    pthread_barrier_destroy(&start);
    assert_int_equal(n_ok, 1);
    log_in(w, "anna@x.org");
}

static void
beyond_so_many_one_is_told_to_come_again(void **state)
{
    struct world *w = *state;
    char *path = arena_printf(w->arena, "%s/passwords", w->dir);
    struct account_new in = { .email = "boris@x.org", .password = "correct horse" };
    struct auth auth;
    int first, second;

    register_as(w, "anna@x.org");
    assert_int_equal(password_enter(path, 2, &first), ERR_OK);
    assert_int_equal(password_enter(path, 2, &second), ERR_OK);
    assert_int_equal(op_account_login(&w->op, "anna@x.org", "correct horse", &auth), ERR_RATE);
    assert_int_equal(op_account_register(&w->op, &in, &auth), ERR_RATE);
    password_leave(first);
    log_in(w, "anna@x.org");
    password_leave(second);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(an_address_has_one_account),
        T(tokens_are_ours_and_end),
        T(a_login_wants_the_very_password),
        T(a_refresh_token_is_good_once),
        T(whoever_is_shut_out_is_out_at_once),
        T(an_erased_account_leaves_nothing),
        T(a_dearer_hash_replaces_a_cheap_one),
        T(of_several_at_once_one_gets_the_address),
        T(beyond_so_many_one_is_told_to_come_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
