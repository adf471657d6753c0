/* test_op_group - making and removing groups, joining and leaving, against a real database
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE                     /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/group_world.h"

#define NOWHERE 99999999

static struct group *
list(struct world *w, const char *user, bool mine, int64_t offset, size_t *n_r)
{
    struct group *groups;

    assert_int_equal(op_group_list(&w->op, user, mine, offset, &groups, n_r), ERR_OK);
    return groups;
}

static enum err
join(struct world *w, const char *user, int64_t group)
{
    struct group_page page;

    return op_group_join(&w->op, user, group, &page);
}

/* ---- making ---- */

static void
a_new_group_has_its_creator_and_first_words(void **state)
{
    struct world *w = *state;
    int64_t id = world_group(w, "1", "Еда");
    struct profile *members;
    struct group_page page;
    struct group *groups;
    size_t n;

    assert_string_equal(world_said(w), arena_printf(w->arena,
        "system:conversations {\"event\":\"new_conversation\",\"data\":{\"conversation_id\":%d,"
        "\"name\":\"Еда\",\"members\":1,\"senderAvatar\":\"\"}}\n", (int)id));
    groups = list(w, "1", true, 0, &n);
    assert_int_equal(n, 1);
    assert_int_equal(groups[0].id, id);
    assert_int_equal(groups[0].n_members, 1);
    assert_int_equal(groups[0].n_viewers, 0);
    assert_string_equal(groups[0].creator, "1");
    assert_int_equal(groups[0].unread, 0);
    assert_string_equal(groups[0].last_text, GROUP_FIRST_WORDS);
    assert_string_equal(groups[0].last_picture, "");
    assert_int_equal(op_group_page(&w->op, "1", id, 0, &page), ERR_OK);
    assert_int_equal(page.n, 1);
    assert_string_equal(page.messages[0].author.user, "1");
    assert_int_equal(op_group_members(&w->op, "1", id, &members, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_string_equal(members[0].user, "1");
    assert_true(world_hears(w, "1", id));
}

static void
a_name_is_one_of_its_creators(void **state)
{
    struct world *w = *state;
    int64_t id = world_group(w, "1", "name"), other;

    world_said(w);
    assert_int_equal(op_group_create(&w->op, "1", "name", &other), ERR_EXISTS);
    assert_string_equal(world_said(w), "");
    world_group(w, "1", "Name");
    world_group(w, "2", "name");
    assert_int_equal(op_group_delete(&w->op, "1", id), ERR_OK);
    assert_true(world_group(w, "1", "name") > id);
}

/* ---- removing ---- */

static void
its_creator_removes_it_member_or_not(void **state)
{
    struct world *w = *state;
    int64_t id = world_group(w, "1", "name");
    struct group_page page;

    assert_int_equal(join(w, "2", id), ERR_OK);
    assert_int_equal(op_group_leave(&w->op, "1", id), ERR_OK);
    assert_int_equal(op_group_delete(&w->op, "2", id), ERR_FORBIDDEN);
    assert_int_equal(op_group_delete(&w->op, "3", id), ERR_FORBIDDEN);
    assert_int_equal(op_group_view(&w->op, "3", id, &page), ERR_OK);
    world_said(w);
    assert_int_equal(op_group_delete(&w->op, "1", id), ERR_OK);
    assert_string_equal(world_said(w), arena_printf(w->arena,
        "system:conversations {\"event\":\"delete_conversation\",\"data\":{\"conversation_id\":%d}}\n",
        (int)id));
    assert_int_equal(op_group_delete(&w->op, "1", id), ERR_NO_CONVERSATION);
    assert_int_equal(op_group_page(&w->op, "2", id, 0, &page), ERR_NO_CONVERSATION);
    assert_false(world_hears(w, "2", id));
    assert_false(world_hears(w, "3", id));
    world_live(w, RUN, "3", false);         /* the end of his looking on went with it */
    assert_string_equal(world_said(w), "");
}

static void
what_is_removed_leaves_no_words_in_the_log(void **state)
{
    struct world *w = *state;
    int64_t id = world_group(w, "1", "name");
    struct event *events;
    size_t n;

    world_say(w, "1", id, "unrepeatable");
    assert_int_equal(op_group_delete(&w->op, "1", id), ERR_OK);
    assert_int_equal(op_log_read(&w->op, 0, 100, &events, &n), ERR_OK);
    for (size_t i = 0; i < n; i++)
        assert_true(events[i].body_len == 0
                    || memmem(events[i].body, events[i].body_len, "unrepeatable", 12) == NULL);
}

/* ---- joining and leaving ---- */

static void
joining_shows_what_was_said_and_leaves_it_read(void **state)
{
    struct world *w = *state;
    int64_t id = world_group(w, "1", "name");
    struct group_page page;
    struct group *groups;
    size_t n;

    assert_int_equal(op_profile_note(&w->op, "2", "Boris", "https://x.org/b.png"), ERR_OK);
    world_say(w, "1", id, "one");
    world_said(w);
    assert_int_equal(op_group_join(&w->op, "2", id, &page), ERR_OK);
    assert_int_equal(page.n, 2);
    assert_string_equal(page.messages[0].text, GROUP_FIRST_WORDS);
    assert_string_equal(page.messages[1].text, "one");
    assert_string_equal(world_said(w), arena_printf(w->arena,
        "system:conversations {\"event\":\"joined_conversation\",\"data\":{\"conversation_id\":%d,"
        "\"user_id\":2,\"avatar\":\"https://x.org/b.png\",\"name\":\"Boris\"}}\n", (int)id));
    groups = list(w, "2", true, 0, &n);
    assert_int_equal(groups[0].unread, 0);
    assert_int_equal(groups[0].n_members, 2);
    assert_true(world_hears(w, "2", id));
    assert_int_equal(op_group_join(&w->op, "2", id, &page), ERR_ALREADY_MEMBER);
}

static void
there_are_only_so_many_members(void **state)
{
    struct world *w = *state;
    int64_t id = world_group(w, "1", "name");

    world_live(w, RUN, "4", true);
    assert_int_equal(join(w, "2", id), ERR_OK);
    assert_int_equal(join(w, "3", id), ERR_OK);
    assert_int_equal(join(w, "4", id), ERR_FULL);
    assert_int_equal(op_group_leave(&w->op, "2", id), ERR_OK);
    assert_int_equal(join(w, "4", id), ERR_OK);
}

static void
the_last_member_takes_it_along(void **state)
{
    struct world *w = *state;
    int64_t id = world_group(w, "1", "name");
    struct group_page page;

    assert_int_equal(op_group_view(&w->op, "3", id, &page), ERR_OK);
    assert_int_equal(join(w, "2", id), ERR_OK);
    world_said(w);
    assert_int_equal(op_group_leave(&w->op, "1", id), ERR_OK);
    assert_string_equal(world_said(w), arena_printf(w->arena,
        "system:conversations {\"event\":\"leaved_conversation\",\"data\":{\"conversation_id\":%d,"
        "\"user_id\":1}}\n", (int)id));
    assert_false(world_hears(w, "1", id));
    assert_int_equal(op_group_leave(&w->op, "1", id), ERR_NOT_MEMBER);
    assert_int_equal(op_group_leave(&w->op, "2", id), ERR_OK);
    assert_string_equal(world_said(w), arena_printf(w->arena,
        "system:conversations {\"event\":\"leaved_conversation\",\"data\":{\"conversation_id\":%d,"
        "\"user_id\":2}}\n"
        "system:conversations {\"event\":\"delete_conversation\",\"data\":{\"conversation_id\":%d}}\n",
        (int)id, (int)id));
    assert_int_equal(op_group_leave(&w->op, "2", id), ERR_NO_CONVERSATION);
    assert_false(world_hears(w, "3", id));
}

/* ---- lists ---- */

static void
lists_are_of_ones_own_and_of_the_others(void **state)
{
    struct world *w = *state;
    int64_t a = world_group(w, "1", "aaa"), b = world_group(w, "2", "bbb"), c = world_group(w, "1", "ccc");
    struct group_page page;
    struct group *groups;
    size_t n;

    assert_int_equal(op_group_view(&w->op, "1", b, &page), ERR_OK);     /* looking on is no membership */
    groups = list(w, "1", true, 0, &n);
    assert_int_equal(n, 2);
    assert_int_equal(groups[0].id, a);
    assert_int_equal(groups[1].id, c);
    groups = list(w, "1", false, 0, &n);
    assert_int_equal(n, 1);
    assert_int_equal(groups[0].id, b);
    assert_int_equal(groups[0].n_viewers, 1);
    assert_false(groups[0].mine);
    groups = list(w, "3", false, 1, &n);
    assert_int_equal(n, 2);
    assert_int_equal(groups[0].id, b);
    list(w, "3", false, 3, &n);
    assert_int_equal(n, 0);
    list(w, "3", true, 0, &n);
    assert_int_equal(n, 0);
}

static void
pages_of_a_list_have_a_hundred(void **state)
{
    struct world *w = *state;
    struct group *groups;
    char name[32];
    size_t n;

    for (int i = 0; i < GROUP_PAGE + 5; i++) {
        snprintf(name, sizeof name, "group %d", i);
        world_group(w, "1", name);
    }
    for (int mine = 0; mine <= 1; mine++) {
        groups = list(w, mine ? "1" : "2", mine, 0, &n);
        assert_int_equal(n, GROUP_PAGE);
        assert_string_equal(groups[0].name, "group 0");
        groups = list(w, mine ? "1" : "2", mine, GROUP_PAGE, &n);
        assert_int_equal(n, 5);
        assert_string_equal(groups[4].name, "group 104");
    }
}

/* ---- rights ---- */

static void
nothing_goes_without_a_socket(void **state)
{
    struct world *w = *state;
    int64_t id = world_group(w, "1", "name"), n_id;
    struct global_page global;
    struct profile *members;
    struct group_page page;
    struct group *groups;
    size_t n;

    world_said(w);
    assert_int_equal(op_group_list(&w->op, "9", false, 0, &groups, &n), ERR_NO_SOCKET);
    assert_int_equal(op_group_members(&w->op, "9", id, &members, &n), ERR_NO_SOCKET);
    assert_int_equal(op_group_create(&w->op, "9", "name", &n_id), ERR_NO_SOCKET);
    assert_int_equal(op_group_delete(&w->op, "9", NOWHERE), ERR_NO_SOCKET);
    assert_int_equal(op_group_join(&w->op, "9", NOWHERE, &page), ERR_NO_SOCKET);
    assert_int_equal(op_group_leave(&w->op, "9", NOWHERE), ERR_NO_SOCKET);
    assert_int_equal(op_group_view(&w->op, "9", NOWHERE, &page), ERR_NO_SOCKET);
    assert_int_equal(op_group_stop_view(&w->op, "9", NOWHERE), ERR_NO_SOCKET);
    assert_int_equal(op_group_read(&w->op, "9", NOWHERE), ERR_NO_SOCKET);
    assert_int_equal(op_group_page(&w->op, "9", NOWHERE, 0, &page), ERR_NO_SOCKET);
    assert_int_equal(op_global_page(&w->op, "9", 0, &global), ERR_NO_SOCKET);
    assert_int_equal(op_group_send(&w->op, "9", NOWHERE, "x", &n_id), ERR_NO_SOCKET);
    assert_int_equal(op_global_send(&w->op, "9", "x", &n_id), ERR_NO_SOCKET);
    assert_string_equal(world_said(w), "");
    assert_false(world_hears(w, "9", GROUP_GLOBAL));
}

static void
the_chat_of_all_is_no_group(void **state)
{
    static const int64_t ids[] = { GROUP_GLOBAL, -1, NOWHERE };
    struct world *w = *state;
    struct profile *members;
    struct group_page page;
    int64_t id;
    size_t n;

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        assert_int_equal(op_group_delete(&w->op, "1", ids[i]), ERR_NO_CONVERSATION);
        assert_int_equal(join(w, "1", ids[i]), ERR_NO_CONVERSATION);
        assert_int_equal(op_group_leave(&w->op, "1", ids[i]), ERR_NO_CONVERSATION);
        assert_int_equal(op_group_view(&w->op, "1", ids[i], &page), ERR_NO_CONVERSATION);
        assert_int_equal(op_group_stop_view(&w->op, "1", ids[i]), ERR_NO_CONVERSATION);
        assert_int_equal(op_group_read(&w->op, "1", ids[i]), ERR_NO_CONVERSATION);
        assert_int_equal(op_group_page(&w->op, "1", ids[i], 0, &page), ERR_NO_CONVERSATION);
        assert_int_equal(op_group_members(&w->op, "1", ids[i], &members, &n), ERR_NO_CONVERSATION);
        assert_int_equal(op_group_send(&w->op, "1", ids[i], "x", &id), ERR_NO_CONVERSATION);
    }
    list(w, "1", false, 0, &n);
    assert_int_equal(n, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_new_group_has_its_creator_and_first_words),
        TEST(a_name_is_one_of_its_creators),
        TEST(its_creator_removes_it_member_or_not),
        TEST(what_is_removed_leaves_no_words_in_the_log),
        TEST(joining_shows_what_was_said_and_leaves_it_read),
        TEST(there_are_only_so_many_members),
        TEST(the_last_member_takes_it_along),
        TEST(lists_are_of_ones_own_and_of_the_others),
        TEST(pages_of_a_list_have_a_hundred),
        TEST(nothing_goes_without_a_socket),
        TEST(the_chat_of_all_is_no_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
