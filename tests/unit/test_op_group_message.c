/* test_op_group_message - what is said in groups and in the chat of all, and reading it
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/group_world.h"

static int64_t
unread(struct world *w, const char *user)
{
    struct group *groups;
    size_t n;

    assert_int_equal(op_group_list(&w->op, user, true, 0, &groups, &n), ERR_OK);
    assert_int_equal(n, 1);
    return groups[0].unread;
}

static void
join(struct world *w, const char *user, int64_t group)
{
    struct group_page page;

    assert_int_equal(op_group_join(&w->op, user, group, &page), ERR_OK);
}

static void
members_say_and_read(void **state)
{
    struct world *w = *state;
    int64_t group = world_group(w, "1", "name"), id;
    struct group_page page;

    assert_int_equal(op_profile_note(&w->op, "1", "Anna", "http://x.org/a"), ERR_OK);
    world_said(w);
    id = world_say(w, "1", group, "  Привет\n");
    assert_string_equal(world_said(w), arena_printf(w->arena,
        "conversation:%d {\"event\":\"new_message\",\"data\":{\"conversation_id\":%d,\"id\":%d,"
        "\"name\":\"Anna\",\"avatar\":\"http://x.org/a\",\"user_id\":1,\"message\":\"  Привет\\n\","
        "\"time\":1700000000}}\n", (int)group, (int)group, (int)id));
    assert_int_equal(op_group_page(&w->op, "1", group, 0, &page), ERR_OK);
    assert_int_equal(page.n, 2);
    assert_int_equal(page.messages[1].id, id);
    assert_string_equal(page.messages[1].author.name, "Anna");
    assert_string_equal(page.messages[1].text, "  Привет\n");
}

static void
nobody_else_says_or_reads(void **state)
{
    struct world *w = *state;
    int64_t group = world_group(w, "1", "name"), id;
    struct profile *members;
    struct group_page page;
    size_t n;

    assert_int_equal(op_group_view(&w->op, "3", group, &page), ERR_OK);
    world_said(w);
    for (const char *user = "2"; *user; user = *user == '2' ? "3" : "") {
        assert_int_equal(op_group_send(&w->op, user, group, "x", &id), ERR_FORBIDDEN);
        assert_int_equal(op_group_page(&w->op, user, group, 0, &page), ERR_NOT_MEMBER);
        assert_int_equal(op_group_read(&w->op, user, group), ERR_NOT_MEMBER);
        assert_int_equal(op_group_members(&w->op, user, group, &members, &n), ERR_NOT_MEMBER);
    }
    assert_string_equal(world_said(w), "");
}

static void
pages_count_back_from_the_newest(void **state)
{
    struct world *w = *state;
    int64_t group = world_group(w, "1", "name");
    struct group_page page;

    for (int i = 1; i <= 120; i++)
        world_say(w, "1", group, arena_printf(w->arena, "%d", i));
    assert_int_equal(op_group_page(&w->op, "1", group, 0, &page), ERR_OK);
    assert_int_equal(page.n, GROUP_PAGE);
    assert_string_equal(page.messages[0].text, "21");
    assert_string_equal(page.messages[99].text, "120");
    assert_int_equal(op_group_page(&w->op, "1", group, 100, &page), ERR_OK);
    assert_int_equal(page.n, 21);
    assert_string_equal(page.messages[0].text, GROUP_FIRST_WORDS);
    assert_string_equal(page.messages[20].text, "20");
    assert_int_equal(op_group_page(&w->op, "1", group, 121, &page), ERR_OK);
    assert_int_equal(page.n, 0);
    assert_int_equal(op_group_page(&w->op, "1", group, INT64_MAX, &page), ERR_OK);
    assert_int_equal(page.n, 0);
    assert_int_equal(op_group_view(&w->op, "2", group, &page), ERR_OK);
    assert_int_equal(page.n, GROUP_VIEW_PAGE);
    assert_string_equal(page.messages[0].text, "71");
}

static void
unread_is_what_others_said_since_it_was_read(void **state)
{
    struct world *w = *state;
    int64_t group = world_group(w, "1", "name");
    struct group_page page;

    join(w, "2", group);
    world_say(w, "2", group, "one");
    world_say(w, "1", group, "mine");          /* neither counts nor moves the marker */
    assert_int_equal(unread(w, "1"), 1);
    assert_int_equal(unread(w, "2"), 1);
    assert_int_equal(op_group_page(&w->op, "1", group, 0, &page), ERR_OK);
    assert_int_equal(unread(w, "1"), 1);
    world_said(w);
    assert_int_equal(op_group_read(&w->op, "1", group), ERR_OK);
    assert_int_equal(op_group_read(&w->op, "1", group), ERR_OK);
    assert_string_equal(world_said(w), "");
    assert_int_equal(unread(w, "1"), 0);
    world_say(w, "2", group, "two");
    assert_int_equal(unread(w, "1"), 1);
    assert_int_equal(op_group_leave(&w->op, "2", group), ERR_OK);
    assert_int_equal(unread(w, "1"), 1);
    world_say(w, "1", group, "three");
    join(w, "2", group);                        /* leaving forgot where he was */
    assert_int_equal(unread(w, "2"), 0);
}

/* ---- the chat of all ---- */

static void
the_chat_of_all_knows_no_author(void **state)
{
    struct world *w = *state;
    struct global_page page;
    int64_t id;

    assert_int_equal(op_profile_note(&w->op, "1", "Anna", "http://x.org/a"), ERR_OK);
    world_said(w);
    id = world_say(w, "1", GROUP_GLOBAL, "psst");
    assert_string_equal(world_said(w), arena_printf(w->arena,
        "conversation:0 {\"event\":\"new_message\",\"data\":{\"conversation_id\":0,\"id\":%d,"
        "\"message\":\"psst\",\"time\":1700000000}}\n", (int)id));
    assert_int_equal(op_global_page(&w->op, "2", 0, &page), ERR_OK);
    assert_int_equal(page.n, 1);
    assert_int_equal(page.messages[0].id, id);
    assert_string_equal(page.messages[0].text, "psst");
    assert_int_equal(op_global_page(&w->op, "2", 1, &page), ERR_OK);
    assert_int_equal(page.n, 0);
}

static void
reading_subscribes_and_writing_does_not(void **state)
{
    struct world *w = *state;
    struct global_page page;
    int64_t head, floor, again;

    world_say(w, "1", GROUP_GLOBAL, "psst");
    assert_false(world_hears(w, "1", GROUP_GLOBAL));
    assert_int_equal(op_global_page(&w->op, "1", 0, &page), ERR_OK);
    assert_true(world_hears(w, "1", GROUP_GLOBAL));
    assert_int_equal(op_log_head(&w->op, &head, &floor), ERR_OK);
    assert_int_equal(op_global_page(&w->op, "1", 5, &page), ERR_OK);    /* once is enough */
    assert_int_equal(op_log_head(&w->op, &again, &floor), ERR_OK);
    assert_int_equal(again, head);
    assert_true(world_hears(w, "1", GROUP_GLOBAL));
    assert_false(world_hears(w, "2", GROUP_GLOBAL));
}

static void
the_last_socket_ends_the_subscription(void **state)
{
    struct world *w = *state;
    struct global_page page;

    world_live(w, "run", "1", true);
    assert_int_equal(op_global_page(&w->op, "1", 0, &page), ERR_OK);
    world_live(w, RUN, "1", false);
    assert_false(world_hears(w, "1", GROUP_GLOBAL));
    world_live(w, RUN, "1", true);
    assert_false(world_hears(w, "1", GROUP_GLOBAL));
}

static void
messages_have_ids_of_one_run(void **state)
{
    struct world *w = *state;
    int64_t group = world_group(w, "1", "name");
    int64_t a = world_say(w, "1", group, "a"), b = world_say(w, "1", GROUP_GLOBAL, "b"),
            c = world_say(w, "1", group, "c");

    assert_true(a < b && b < c);
}

static void
the_event_may_be_called_otherwise(void **state)
{
    struct world *w = *state;

    w->config.conv_message_event = "message";
    world_said(w);
    world_say(w, "1", GROUP_GLOBAL, "x");
    assert_non_null(strstr(world_said(w), "{\"event\":\"message\",\"data\":"));
}

/* ---- profiles ---- */

static void
profiles_are_as_they_are_when_read(void **state)
{
    struct world *w = *state;
    int64_t group = world_group(w, "1", "name");
    struct profile p;
    struct group_page page;

    assert_int_equal(op_profile_get(&w->op, "1", &p), ERR_OK);
    assert_string_equal(p.name, "");
    assert_string_equal(p.picture, "");
    assert_int_equal(op_profile_set(&w->op, "1", "Anna", NULL, &p), ERR_OK);
    assert_int_equal(op_profile_set(&w->op, "1", NULL, "http://x.org/a", &p), ERR_OK);
    assert_string_equal(p.name, "Anna");
    assert_string_equal(p.picture, "http://x.org/a");
    assert_int_equal(op_profile_note(&w->op, "1", "Anya", NULL), ERR_OK);
    assert_int_equal(op_group_page(&w->op, "1", group, 0, &page), ERR_OK);
    assert_string_equal(page.messages[0].author.name, "Anya");
    assert_string_equal(page.messages[0].author.picture, "http://x.org/a");
}

static void
noting_what_is_known_writes_nothing(void **state)
{
    struct world *w = *state;
    int64_t before;

    assert_int_equal(op_profile_note(&w->op, "1", "Anna", ""), ERR_OK);
    before = db_statements(w->db);
    assert_int_equal(op_profile_note(&w->op, "1", "Anna", ""), ERR_OK);
    assert_int_equal(db_statements(w->db), before + 1);
    assert_int_equal(op_profile_note(&w->op, "1", NULL, NULL), ERR_OK);
    assert_int_equal(db_statements(w->db), before + 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(members_say_and_read),
        TEST(nobody_else_says_or_reads),
        TEST(pages_count_back_from_the_newest),
        TEST(unread_is_what_others_said_since_it_was_read),
        TEST(the_chat_of_all_knows_no_author),
        TEST(reading_subscribes_and_writing_does_not),
        TEST(the_last_socket_ends_the_subscription),
        TEST(messages_have_ids_of_one_run),
        TEST(the_event_may_be_called_otherwise),
        TEST(profiles_are_as_they_are_when_read),
        TEST(noting_what_is_known_writes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
