/* test_op - dialogs and messages: what is said, who hears it, what it costs
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

#include "tests/unit/op_world.h"

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

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
