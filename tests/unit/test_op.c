/* test_op - the operations against a real database in a temporary folder
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/chat/op.h"
#include "shared/chat/tx.h"
#include "tests/unit/scratch.h"

/* One database and what every test says about it. */
struct world {
    char dir[SCRATCH_DIR], path[SCRATCH_PATH];
    struct config config;
    struct db *db;
    struct arena *arena;
    struct fail fail;
    struct op op;
    struct id dialog;
};

static const struct scope_lists acme = {
    .level = {{.items = (const char *[]){"acme"}, .n = 1}},
};
static const struct scope_lists acme_and_more = {
    .level = {{.items = (const char *[]){"other", "acme"}, .n = 2},
              {.items = (const char *[]){"sales"}, .n = 1}},
};
static const struct scope_lists nothing;

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    w->db = scratch_new(w->dir, w->path);
    w->config = (struct config){
        .log_keep_s = 3600, .log_keep_events = 100000, .idempotency_keep_s = 3600,
        .presence_max_members = 3, .lease_ms = 1000, .presence_restart_grace_ms = 500,
        .resume_max = 100,
    };
    w->arena = arena_new();
    w->op = (struct op){.db = w->db, .arena = w->arena, .config = &w->config,
                        .system = &chat_mtchat, .now_ms = 1700000000000, .fail = &w->fail};
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

/* A dialog of a, b and c with one scope. */
static void
make_dialog(struct world *w)
{
    const struct member_new members[] = {
        {.user = "a", .display_name = "A"}, {.user = "b", .display_name = "B"},
        {.user = "c", .display_name = "C"},
    };
    struct conversation_new in = {
        .object_type = "order", .object_id = "7", .title = "Стол №7",
        .members = members, .n_members = 3, .scopes = &acme, .n_scopes = 1,
    };
    struct conversation c;

    assert_int_equal(op_conversation_create(&w->op, &in, &c), ERR_OK);
    w->dialog = c.uid;
}

static struct entry
say(struct world *w, const char *user, const char *content)
{
    struct message_new in = {.content = content};
    struct entry e;

    w->op.now_ms += 10;
    assert_int_equal(op_message_send(&w->op, user, &w->dialog, &in, ERR_OK, &e), ERR_OK);
    return e;
}

static struct conversation_view
view(struct world *w, const char *user)
{
    struct viewer v = {.user = user};
    struct conversation_view view;

    assert_int_equal(op_conversation_get(&w->op, &v, &w->dialog, &view), ERR_OK);
    return view;
}

static struct sync_page
heard(struct world *w, const char *user, int64_t since)
{
    struct sync_page page;

    assert_int_equal(op_sync(&w->op, user, since, 100, &page), ERR_OK);
    return page;
}

/* ---- messages ---- */

static void
ids_and_times_rise_even_when_the_clock_goes_back(void **state)
{
    struct world *w = *state;
    struct entry first, second;

    make_dialog(w);
    first = say(w, "a", "one");
    w->op.now_ms -= 100000;
    second = say(w, "b", "two");
    assert_true(second.at_ms == first.at_ms + 1);
    assert_true(id_compare(&first.uid, &second.uid) < 0);
    assert_true(second.n == first.n + 1);
}

static void
unread_is_counted_and_follows_deletes(void **state)
{
    struct world *w = *state;
    struct entry first, second;

    make_dialog(w);
    first = say(w, "a", "one");
    second = say(w, "a", "two");
    assert_int_equal(view(w, "a").me.unread, 0);
    assert_int_equal(view(w, "b").me.unread, 2);
    assert_int_equal(op_message_delete(&w->op, "a", &w->dialog, &second.uid), ERR_OK);
    assert_int_equal(view(w, "b").me.unread, 1);
    assert_int_equal(op_read(&w->op, "b", &w->dialog, &first.uid), ERR_OK);
    assert_int_equal(view(w, "b").me.unread, 0);
}

static void
read_position_survives_the_entry_it_stood_on(void **state)
{
    struct world *w = *state;
    struct viewer b = {.user = "b"};
    struct member *members;
    struct entry first, second;
    size_t n;

    make_dialog(w);
    first = say(w, "a", "one");
    second = say(w, "a", "two");
    assert_int_equal(op_read(&w->op, "b", &w->dialog, &second.uid), ERR_OK);
    assert_int_equal(op_message_delete(&w->op, "a", &w->dialog, &second.uid), ERR_OK);
    assert_int_equal(op_member_list(&w->op, &b, &w->dialog, &members, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_int_equal(id_compare(&members[1].read, &first.uid), 0);
}

static void
a_read_that_changes_nothing_says_nothing(void **state)
{
    struct world *w = *state;
    struct entry first;
    int64_t before;

    make_dialog(w);
    first = say(w, "a", "one");
    say(w, "a", "two");
    assert_int_equal(op_read(&w->op, "b", &w->dialog, &first.uid), ERR_OK);
    before = heard(w, "b", -1).seq;
    assert_int_equal(op_read(&w->op, "b", &w->dialog, &first.uid), ERR_OK);
    assert_int_equal(heard(w, "b", -1).seq, before);
}

static void
a_key_makes_one_message(void **state)
{
    struct world *w = *state;
    uint8_t hash[32] = {1}, other[32] = {2};
    struct message_new in = {.content = "x", .key = "k", .request_hash = hash};
    struct entry first, again;
    int64_t head;

    make_dialog(w);
    assert_int_equal(op_message_send(&w->op, "a", &w->dialog, &in, ERR_OK, &first), ERR_OK);
    head = heard(w, "a", -1).seq;
    w->op.now_ms += 5000;
    assert_int_equal(op_message_send(&w->op, "a", &w->dialog, &in, ERR_OK, &again), ERR_OK);
    assert_int_equal(id_compare(&first.uid, &again.uid), 0);
    assert_true(first.at_ms == again.at_ms);
    assert_int_equal(heard(w, "a", -1).seq, head);
    in.request_hash = other;
    assert_int_equal(op_message_send(&w->op, "a", &w->dialog, &in, ERR_OK, &again), ERR_KEY_REUSED);
    in.request_hash = hash;     /* another user's key is another key */
    assert_int_equal(op_message_send(&w->op, "b", &w->dialog, &in, ERR_OK, &again), ERR_OK);
    assert_int_not_equal(id_compare(&first.uid, &again.uid), 0);
}

static void
refusals_come_in_order_and_change_nothing(void **state)
{
    struct world *w = *state;
    struct id stranger_id = id_new(1);
    struct message_new in = {.content = "x"};
    struct entry e, said;
    int64_t head;

    make_dialog(w);
    said = say(w, "a", "one");
    head = heard(w, "a", -1).seq;
    assert_int_equal(op_message_send(&w->op, "z", &stranger_id, &in, ERR_LIMIT, &e),
                     ERR_NO_CONVERSATION);
    assert_int_equal(op_message_send(&w->op, "z", &w->dialog, &in, ERR_LIMIT, &e), ERR_NOT_MEMBER);
    assert_int_equal(op_message_send(&w->op, "a", &w->dialog, &in, ERR_LIMIT, &e), ERR_LIMIT);
    in.reply_to = stranger_id;
    assert_int_equal(op_message_send(&w->op, "a", &w->dialog, &in, ERR_OK, &e), ERR_REFERENCE);
    assert_int_equal(op_message_edit(&w->op, "b", &w->dialog, &said.uid, "y", ERR_OK, &e),
                     ERR_NOT_AUTHOR);
    assert_int_equal(op_message_delete(&w->op, "z", &w->dialog, &said.uid), ERR_NOT_MEMBER);
    assert_int_equal(op_message_delete(&w->op, "a", &w->dialog, &stranger_id), ERR_NO_ENTRY);
    assert_int_equal(heard(w, "a", -1).seq, head);
}

static void
pages_have_exact_flags_and_positions_outlive_entries(void **state)
{
    struct world *w = *state;
    struct message_page page;
    struct entry e[5];

    make_dialog(w);             /* n 1 is "chat created" */
    for (int i = 0; i < 5; i++)
        e[i] = say(w, "a", "m");
    assert_int_equal(op_message_delete(&w->op, "a", &w->dialog, &e[2].uid), ERR_OK);

    assert_int_equal(op_message_page(&w->op, "b", &w->dialog, PAGE_LATEST, NULL, 5, &page), ERR_OK);
    assert_int_equal(page.n, 5);
    assert_false(page.more_before);
    assert_false(page.more_after);
    assert_int_equal(id_compare(&page.first_unread, &e[0].uid), 0);

    assert_int_equal(op_message_page(&w->op, "b", &w->dialog, PAGE_BEFORE, &e[2].uid, 2, &page),
                     ERR_OK);
    assert_int_equal(page.n, 2);
    assert_int_equal(id_compare(&page.entries[1].uid, &e[1].uid), 0);
    assert_true(page.more_before);
    assert_true(page.more_after);

    assert_int_equal(op_message_page(&w->op, "b", &w->dialog, PAGE_AFTER, &e[2].uid, 2, &page),
                     ERR_OK);
    assert_int_equal(page.n, 2);
    assert_int_equal(id_compare(&page.entries[0].uid, &e[3].uid), 0);
    assert_true(page.more_before);
    assert_false(page.more_after);

    assert_int_equal(op_message_page(&w->op, "b", &w->dialog, PAGE_AROUND, &e[2].uid, 2, &page),
                     ERR_NO_ENTRY);
    assert_int_equal(op_message_page(&w->op, "b", &w->dialog, PAGE_AROUND, &e[3].uid, 2, &page),
                     ERR_OK);
    assert_int_equal(page.n, 3);
    assert_false(page.first_unread.given);

    assert_int_equal(op_message_page(&w->op, "b", &w->dialog, PAGE_AFTER, &e[4].uid, 2, &page),
                     ERR_OK);
    assert_int_equal(page.n, 0);
    assert_true(page.more_before);
    assert_false(page.more_after);
    assert_int_equal(op_message_page(&w->op, "z", &w->dialog, PAGE_LATEST, NULL, 5, &page),
                     ERR_NOT_MEMBER);
}

static void
deleting_takes_the_text_out_of_the_log(void **state)
{
    struct world *w = *state;
    struct sync_page page;
    struct entry e;
    int64_t since;

    make_dialog(w);
    since = heard(w, "b", -1).seq;
    e = say(w, "a", "secret");
    assert_int_equal(op_message_edit(&w->op, "a", &w->dialog, &e.uid, "secret two", ERR_OK, &e),
                     ERR_OK);
    assert_int_equal(op_message_delete(&w->op, "a", &w->dialog, &e.uid), ERR_OK);
    page = heard(w, "b", since);
    assert_int_equal(page.n, 1);
    assert_int_equal(page.events[0].kind, EVENT_ENTRY_DELETED);
}

static void
quiet_dialogs_are_archived_for_those_who_let_them(void **state)
{
    struct world *w = *state;
    int64_t since, head;
    bool more;

    w->config.archive_after_secs = 100;
    make_dialog(w);
    since = heard(w, "a", -1).seq;
    w->op.now_ms += 101000;
    assert_int_equal(op_member_switch(&w->op, "b", &w->dialog, SWITCH_PINNED, true), ERR_OK);
    assert_int_equal(op_member_switch(&w->op, "c", &w->dialog, SWITCH_ARCHIVED, true), ERR_OK);
    assert_int_equal(op_member_switch(&w->op, "c", &w->dialog, SWITCH_ARCHIVED, false), ERR_OK);
    assert_int_equal(op_archive_idle(&w->op, 10, &more), ERR_OK);
    assert_true(view(w, "a").me.archived);
    assert_false(view(w, "b").me.archived);
    assert_false(view(w, "c").me.archived);
    assert_int_equal(heard(w, "a", since).n, 1);
    assert_int_equal(heard(w, "a", since).events[0].kind, EVENT_ARCHIVED);
    assert_int_equal(heard(w, "b", since).n, 0);
    head = heard(w, "a", -1).seq;
    assert_int_equal(op_archive_idle(&w->op, 10, &more), ERR_OK);
    assert_int_equal(heard(w, "a", -1).seq, head);
    say(w, "b", "back");
    assert_false(view(w, "a").me.archived);
    w->op.now_ms += 101000;
    assert_int_equal(op_archive_idle(&w->op, 1, &more), ERR_OK);
    assert_true(more);
}

/* ---- the audience ---- */

static void
one_hears_what_he_was_a_member_for(void **state)
{
    struct world *w = *state;
    struct member_new z = {.user = "z", .display_name = "Z", .company = ""};
    struct viewer viewer = {.user = "z", .scopes = &acme};
    struct sync_page page;
    int64_t since;

    make_dialog(w);
    say(w, "a", "before");
    since = heard(w, "z", -1).seq;
    assert_int_equal(op_join(&w->op, &viewer, &w->dialog, &z), ERR_OK);
    assert_int_equal(op_join(&w->op, &viewer, &w->dialog, &z), ERR_ALREADY_MEMBER);
    say(w, "a", "during");
    assert_int_equal(op_leave(&w->op, "z", &w->dialog), ERR_OK);
    say(w, "a", "after");
    page = heard(w, "z", since);
    /* joined (system message, event), during, farewell - and neither the system's word about
     * his leaving nor what came after */
    assert_int_equal(page.n, 4);
    assert_int_equal(page.events[0].kind, EVENT_ENTRY_NEW);
    assert_int_equal(page.events[1].kind, EVENT_MEMBER_JOINED);
    assert_int_equal(page.events[2].kind, EVENT_ENTRY_NEW);
    assert_int_equal(page.events[3].kind, EVENT_MEMBER_LEFT);
    assert_int_equal(heard(w, "stranger", since).n, 0);
    since = heard(w, "z", -1).seq;
    assert_int_equal(op_leave(&w->op, "z", &w->dialog), ERR_OK);
    assert_int_equal(heard(w, "z", -1).seq, since);
}

static void
deleting_a_dialog_tells_each_his_own_leaving(void **state)
{
    struct world *w = *state;
    struct connect_state connect;
    struct sync_page page;
    int64_t since;

    make_dialog(w);
    say(w, "a", "gone soon");
    since = heard(w, "b", -1).seq;
    assert_int_equal(op_conversation_delete(&w->op, &w->dialog), ERR_OK);
    assert_int_equal(op_conversation_delete(&w->op, &w->dialog), ERR_OK);
    page = heard(w, "b", since);
    assert_int_equal(page.n, 1);
    assert_non_null(strstr(arena_copy(w->arena, page.events[0].body, page.events[0].body_len),
                           "\"user_id\":\"b\""));
    assert_int_equal(op_connect(&w->op, "b", -1, &connect), ERR_OK);
    assert_int_equal(connect.n_channels, 0);
}

static void
scopes_match_as_the_contract_says(void **state)
{
    const struct scope_lists wrong = {
        .level = {{.items = (const char *[]){"ACME"}, .n = 1}},
    };
    const struct { const struct scope_lists *mine; enum err want; } cases[] = {
        {&acme, ERR_OK}, {&acme_and_more, ERR_OK}, {&nothing, ERR_OUT_OF_SCOPE},
        {&wrong, ERR_OUT_OF_SCOPE}, {NULL, ERR_OUT_OF_SCOPE},
    };
    struct world *w = *state;
    struct conversation_view v;
    struct scope *scopes;

    make_dialog(w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct viewer viewer = {.user = "z", .scopes = cases[i].mine};
        struct conversation_filter f = {.which = WHICH_AVAILABLE, .archived = -1, .limit = 10};
        struct conversation_view *views;
        size_t n;

        assert_int_equal(op_conversation_get(&w->op, &viewer, &w->dialog, &v), cases[i].want);
        assert_int_equal(op_conversation_list(&w->op, &viewer, &f, &views, &n), ERR_OK);
        assert_int_equal(n, cases[i].want == ERR_OK);
    }
    assert_int_equal(op_scopes_replace(&w->op, &w->dialog, &nothing, 1, &scopes), ERR_OK);
    struct viewer empty = {.user = "z", .scopes = &nothing};
    assert_int_equal(op_conversation_get(&w->op, &empty, &w->dialog, &v), ERR_OK);
    assert_int_equal(op_scopes_replace(&w->op, &w->dialog, NULL, 0, &scopes), ERR_OK);
    assert_int_equal(op_conversation_get(&w->op, &empty, &w->dialog, &v), ERR_OUT_OF_SCOPE);
}

static void
search_folds_every_script_and_takes_wildcards_literally(void **state)
{
    static const struct { const char *search; size_t n; } cases[] = {
        {"СТОЛ", 1}, {"стол №7", 1}, {"%", 0}, {"_", 0}, {"", 1}, {"nope", 0},
    };
    struct world *w = *state;
    struct viewer a = {.user = "a"};

    make_dialog(w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conversation_filter f = {.which = WHICH_PARTICIPATING, .archived = -1,
                                        .search = cases[i].search, .limit = 10};
        struct conversation_view *views;
        size_t n;

        assert_int_equal(op_conversation_list(&w->op, &a, &f, &views, &n), ERR_OK);
        assert_int_equal(n, cases[i].n);
    }
}

/* ---- the number of statements ---- */

static int64_t
statements_of_send(struct world *w)
{
    int64_t before = db_statements(w->db);

    say(w, "a", "x");
    return db_statements(w->db) - before;
}

static void
a_send_costs_the_same_in_a_large_dialog(void **state)
{
    struct world *w = *state;
    int64_t small;
    bool added;

    make_dialog(w);
    small = statements_of_send(w);
    for (int i = 0; i < 200; i++) {
        struct member_new m = {.user = arena_printf(w->arena, "m%d", i), .display_name = "M"};
        struct member member;

        assert_int_equal(op_member_add(&w->op, &w->dialog, &m, &member, &added), ERR_OK);
    }
    while (heard(w, "a", -1).seq % 256 > 250)     /* not in the one send that also prunes */
        say(w, "a", "x");
    assert_int_equal(statements_of_send(w), small);
    assert_true(small <= 16);
}

static void
lists_and_sync_are_a_fixed_number_of_statements(void **state)
{
    struct world *w = *state;
    struct viewer a = {.user = "a"};
    struct conversation_filter f = {.which = WHICH_PARTICIPATING, .archived = -1, .limit = 100};
    struct conversation_view *views;
    int64_t before;
    size_t n;

    for (int i = 0; i < 20; i++)
        make_dialog(w);
    before = db_statements(w->db);
    assert_int_equal(op_conversation_list(&w->op, &a, &f, &views, &n), ERR_OK);
    assert_int_equal(n, 20);
    assert_true(db_statements(w->db) - before <= 2);
    before = db_statements(w->db);
    heard(w, "a", 0);
    assert_true(db_statements(w->db) - before <= 2);
}

/* ---- presence ---- */

static void
change(struct world *w, const char *run, const char *user, bool online)
{
    struct live_change c = {.system = "mtchat", .user = user, .online = online};

    assert_int_equal(op_presence_apply(&w->op, run, &c, 1), ERR_OK);
}

static size_t
presence_events(struct world *w, int64_t since)
{
    struct event *events;
    size_t n, count = 0;

    assert_int_equal(op_log_read(&w->op, since, 100, &events, &n), ERR_OK);
    for (size_t i = 0; i < n; i++)
        count += events[i].kind == EVENT_PRESENCE;
    return count;
}

static void
presence_is_told_once_over_all_relays(void **state)
{
    struct world *w = *state;
    int64_t since;

    make_dialog(w);
    since = heard(w, "a", -1).seq;
    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    assert_int_equal(op_relay_start(&w->op, "r2", "run2", "ipc:///r2"), ERR_OK);
    change(w, "run1", "a", true);
    change(w, "run2", "a", true);
    assert_int_equal(presence_events(w, since), 1);
    change(w, "run1", "a", false);
    assert_int_equal(presence_events(w, since), 1);
    change(w, "run2", "a", false);
    assert_int_equal(presence_events(w, since), 2);
    /* live only: nobody who was away is told */
    assert_int_equal(heard(w, "b", since).n, 0);
}

static void
a_dead_relay_is_swept_and_a_restarted_one_is_not_at_once(void **state)
{
    struct world *w = *state;
    int64_t since;
    bool more;

    make_dialog(w);
    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    change(w, "run1", "a", true);
    since = heard(w, "a", -1).seq;
    assert_int_equal(op_relay_start(&w->op, "r1", "run2", "ipc:///r1"), ERR_OK);
    assert_int_equal(op_presence_sweep(&w->op, 10, &more), ERR_OK);
    assert_int_equal(presence_events(w, since), 0);
    w->op.now_ms += w->config.presence_restart_grace_ms + 1;
    assert_int_equal(op_presence_sweep(&w->op, 10, &more), ERR_OK);
    assert_int_equal(presence_events(w, since), 1);
    change(w, "run2", "a", true);
    assert_int_equal(presence_events(w, since), 2);
    w->op.now_ms += w->config.lease_ms + 1;     /* run2 is silent for longer than its lease */
    assert_int_equal(op_presence_sweep(&w->op, 10, &more), ERR_OK);
    assert_int_equal(presence_events(w, since), 3);
}

static void
nobody_is_told_of_himself(void **state)
{
    struct world *w = *state;
    struct event *events;
    int64_t since;
    size_t n;

    make_dialog(w);
    since = heard(w, "a", -1).seq;
    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    change(w, "run1", "a", true);
    assert_int_equal(op_log_read(&w->op, since, 100, &events, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_string_equal(events[0].except, "a");
}

/* Before anybody has swept. */
static void
rows_under_a_dead_lease_count_as_absent(void **state)
{
    struct world *w = *state;
    int64_t since;
    bool lost;

    make_dialog(w);
    since = heard(w, "a", -1).seq;
    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    assert_int_equal(op_relay_start(&w->op, "r2", "run2", "ipc:///r2"), ERR_OK);
    change(w, "run1", "a", true);
    w->op.now_ms += w->config.lease_ms - 1;
    assert_int_equal(op_relay_renew(&w->op, "r2", "run2", "ipc:///r2", &lost), ERR_OK);
    assert_false(lost);
    change(w, "run2", "a", true);
    assert_int_equal(presence_events(w, since), 1);
    w->op.now_ms += 1;
    change(w, "run2", "a", false);
    assert_int_equal(presence_events(w, since), 2);
}

/* However often its relay begins anew. */
static void
a_grace_is_given_once(void **state)
{
    struct world *w = *state;
    int64_t since;
    bool more, lost;

    make_dialog(w);
    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    change(w, "run1", "a", true);
    since = heard(w, "a", -1).seq;
    assert_int_equal(op_relay_start(&w->op, "r1", "run2", "ipc:///r1"), ERR_OK);
    w->op.now_ms += w->config.presence_restart_grace_ms - 1;
    assert_int_equal(op_relay_start(&w->op, "r1", "run3", "ipc:///r1"), ERR_OK);
    assert_int_equal(op_presence_sweep(&w->op, 10, &more), ERR_OK);
    assert_int_equal(presence_events(w, since), 0);
    w->op.now_ms += 1;
    assert_int_equal(op_presence_sweep(&w->op, 10, &more), ERR_OK);
    assert_int_equal(presence_events(w, since), 1);
    assert_int_equal(op_relay_renew(&w->op, "r1", "run2", "ipc:///r1", &lost), ERR_OK);
    assert_true(lost);          /* what has been followed does not come back by itself */
}

static void
a_lost_lease_is_told(void **state)
{
    struct world *w = *state;
    bool lost;

    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    assert_int_equal(op_relay_renew(&w->op, "r1", "run1", "ipc:///r1", &lost), ERR_OK);
    assert_false(lost);
    w->op.now_ms += w->config.lease_ms + 1;
    assert_int_equal(op_relay_renew(&w->op, "r1", "run1", "ipc:///r1", &lost), ERR_OK);
    assert_true(lost);
    assert_int_equal(op_ready(&w->op), ERR_BUSY);       /* a lease, but nobody listens */
}

static void
large_dialogs_do_not_carry_presence(void **state)
{
    struct world *w = *state;
    struct member_new d = {.user = "d", .display_name = "D"};
    struct member member;
    int64_t since;
    bool added;

    make_dialog(w);             /* three members, as many as presence_max_members allows */
    assert_int_equal(op_relay_start(&w->op, "r1", "run1", "ipc:///r1"), ERR_OK);
    since = heard(w, "a", -1).seq;
    change(w, "run1", "a", true);
    assert_int_equal(presence_events(w, since), 1);
    assert_int_equal(op_member_add(&w->op, &w->dialog, &d, &member, &added), ERR_OK);
    change(w, "run1", "b", true);
    assert_int_equal(presence_events(w, since), 1);
}

/* ---- the log ---- */

static void
pruning_moves_the_floor_and_old_cursors_reload(void **state)
{
    struct world *w = *state;
    int64_t since, head;
    bool more;

    make_dialog(w);
    since = heard(w, "a", -1).seq;
    for (int i = 0; i < 20; i++)
        say(w, "a", "x");
    w->config.log_keep_events = 10;
    assert_int_equal(op_prune(&w->op, &more), ERR_OK);
    head = heard(w, "a", -1).seq;
    assert_true(heard(w, "a", since).reload);
    assert_false(heard(w, "a", head - 10).reload);
    assert_true(heard(w, "a", head - 11).reload);
    assert_int_equal(heard(w, "a", head - 10).n, 10);
    assert_true(heard(w, "a", head + 1).reload);
}

static void
restoring_makes_every_old_cursor_reload(void **state)
{
    struct world *w = *state;
    int64_t head;

    make_dialog(w);
    head = heard(w, "a", -1).seq;
    assert_int_equal(op_log_restored(&w->op), ERR_OK);
    assert_true(heard(w, "a", head).reload);
    assert_true(heard(w, "a", -1).seq > head + INT64_C(4000000000));
    say(w, "a", "after");
    assert_int_equal(heard(w, "b", heard(w, "a", -1).seq - 1).n, 1);
}

static void
sync_pages_end_where_they_are_full(void **state)
{
    struct world *w = *state;
    struct notice n = {.kind = EVENT_READ, .user = "x"};
    struct sync_page page;
    int64_t since;

    make_dialog(w);
    since = heard(w, "b", -1).seq;
    for (int i = 0; i < 5; i++)
        say(w, "a", "x");
    assert_int_equal(tx_begin(&w->op), ERR_OK);
    tx_event_on(&w->op, &n, "dialog:x");
    assert_int_equal(tx_end(&w->op, ERR_OK), ERR_OK);
    assert_int_equal(op_sync(&w->op, "b", since, 3, &page), ERR_OK);
    assert_int_equal(page.n, 3);
    assert_true(page.more);
    assert_true(page.seq == page.events[2].seq);
    assert_int_equal(op_sync(&w->op, "b", page.seq, 3, &page), ERR_OK);
    assert_int_equal(page.n, 2);
    assert_false(page.more);
    assert_true(page.seq == page.events[1].seq + 1);    /* head: what others heard is behind him */
}

static void
what_goes_to_a_system_is_heard_by_all_of_it(void **state)
{
    struct world *w = *state;
    struct notice n = {.kind = EVENT_READ, .user = "x"};
    int64_t since = heard(w, "anybody", -1).seq;

    assert_int_equal(tx_begin(&w->op), ERR_OK);
    tx_event_on(&w->op, &n, "system:mtchat");
    tx_event_on(&w->op, &n, "system:other");
    assert_int_equal(tx_end(&w->op, ERR_OK), ERR_OK);
    assert_int_equal(heard(w, "anybody", since).n, 1);
}

/* Replays go through the log bit by bit. */
static void
what_others_heard_lies_between(void **state)
{
    struct world *w = *state;
    struct notice n = {.kind = EVENT_READ, .user = "x"};
    struct sync_page page;
    int64_t since;

    make_dialog(w);
    since = heard(w, "b", -1).seq;
    say(w, "a", "x");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tx_begin(&w->op), ERR_OK);
        for (int j = 0; j < 5000; j++)
            tx_event_on(&w->op, &n, "dialog:x");
        assert_int_equal(tx_end(&w->op, ERR_OK), ERR_OK);
        say(w, "a", "x");
    }
    page = heard(w, "b", since);
    assert_int_equal(page.n, 4);
    assert_true(page.seq == page.events[3].seq);
    for (size_t i = 1; i < page.n; i++)
        assert_true(page.events[i - 1].seq + 5000 < page.events[i].seq);
    assert_int_equal(heard(w, "x", since).n, 0);
}

static void
a_failed_transaction_takes_no_number(void **state)
{
    struct world *w = *state;
    struct notice n = {.kind = EVENT_READ, .user = "a"};
    int64_t head;

    make_dialog(w);
    head = heard(w, "a", -1).seq;
    assert_int_equal(tx_begin(&w->op), ERR_OK);
    tx_event_on(&w->op, &n, "dialog:x");
    assert_int_equal(tx_end(&w->op, ERR_LIMIT), ERR_LIMIT);
    assert_int_equal(heard(w, "a", -1).seq, head);
    assert_false(db_in_transaction(w->db));
}

/* As plain CGI does it: each opens the database, writes, and closes it as the last. */
static void
the_write_ahead_log_of_short_lived_writers_stays_short(void **state)
{
    struct world *w = *state;
    char wal[96];
    struct stat st;

    make_dialog(w);
    db_close(w->db);
    snprintf(wal, sizeof wal, "%s-wal", w->path);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(db_open(w->path, DB_SHORT, 1000, &w->db), ERR_OK);
        w->op.db = w->db;
        say(w, "a", "x");
        db_close(w->db);
        assert_true(stat(wal, &st) != 0 || st.st_size < 512 * 1024);
    }
    assert_int_equal(db_open(w->path, DB_OPEN, 1000, &w->db), ERR_OK);
}

static void
a_writer_waits_no_longer_than_it_was_told(void **state)
{
    struct world *w = *state;
    struct db *other;

    assert_int_equal(db_open(w->path, DB_OPEN, 30, &other), ERR_OK);
    assert_int_equal(db_begin_write(w->db), ERR_OK);
    assert_int_equal(db_begin_write(other), ERR_BUSY);
    assert_int_equal(db_end(w->db, ERR_OK), ERR_OK);
    assert_int_equal(db_begin_write(other), ERR_OK);
    db_end(other, ERR_BUSY);
    db_close(other);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(ids_and_times_rise_even_when_the_clock_goes_back),
        T(unread_is_counted_and_follows_deletes),
        T(read_position_survives_the_entry_it_stood_on),
        T(a_read_that_changes_nothing_says_nothing),
        T(a_key_makes_one_message),
        T(refusals_come_in_order_and_change_nothing),
        T(pages_have_exact_flags_and_positions_outlive_entries),
        T(deleting_takes_the_text_out_of_the_log),
        T(quiet_dialogs_are_archived_for_those_who_let_them),
        T(one_hears_what_he_was_a_member_for),
        T(deleting_a_dialog_tells_each_his_own_leaving),
        T(scopes_match_as_the_contract_says),
        T(search_folds_every_script_and_takes_wildcards_literally),
        T(a_send_costs_the_same_in_a_large_dialog),
        T(lists_and_sync_are_a_fixed_number_of_statements),
        T(presence_is_told_once_over_all_relays),
        T(a_dead_relay_is_swept_and_a_restarted_one_is_not_at_once),
        T(nobody_is_told_of_himself),
        T(rows_under_a_dead_lease_count_as_absent),
        T(a_grace_is_given_once),
        T(a_lost_lease_is_told),
        T(large_dialogs_do_not_carry_presence),
        T(pruning_moves_the_floor_and_old_cursors_reload),
        T(restoring_makes_every_old_cursor_reload),
        T(sync_pages_end_where_they_are_full),
        T(what_goes_to_a_system_is_heard_by_all_of_it),
        T(what_others_heard_lies_between),
        T(a_failed_transaction_takes_no_number),
        T(the_write_ahead_log_of_short_lived_writers_stays_short),
        T(a_writer_waits_no_longer_than_it_was_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
