/* test_pair - the operations of event chat against a real database in a temporary folder
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE             /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "shared/chat/pair.h"
#include "shared/chat/photo.h"
#include "shared/chat/profile.h"
#include "shared/wire/eventchat.h"
#include "tests/unit/scratch.h"

#define OWNER "14"
#define GUEST "16"
#define STRANGER "99"

/* One database, a meeting of OWNER's, and a chat that GUEST has opened. */
struct world {
    char dir[SCRATCH_DIR], path[SCRATCH_PATH];
    struct config config;
    struct db *db;
    struct arena *arena;
    struct fail fail;
    struct op op;
    struct meeting meeting;
    const char *chat;
    int64_t seen;               /* of the log */
};

static struct pair_view
open_chat(struct world *w, const char *user, bool request, const char *text, enum err wanted)
{
    struct pair_message_new said = { .text = text };
    struct pair_open in = { request, text != NULL ? &said : NULL };
    struct pair_view v = { 0 };
    bool made;

    if (text != NULL)
        assert_int_equal(pair_message_check(w->arena, &said, NULL), ERR_OK);
    w->op.now_ms += 10;
    assert_int_equal(op_pair_open(&w->op, user, w->meeting.id, &in, &v, &made), wanted);
    return v;
}

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    w->db = scratch_new(w->dir, w->path);
    w->config = (struct config){ .run = w->dir, .log_keep_s = 3600, .log_keep_events = 100000,
                                 .idempotency_keep_s = 3600, .eventchat_photos_max_bytes = 1000,
                                 .resume_max = 1000, .ws_queue_bytes = 1 << 20 };
    w->arena = arena_new();
    w->op = (struct op){ .db = w->db, .arena = w->arena, .config = &w->config,
                         .system = &chat_eventchat, .now_ms = 1700000000000, .fail = &w->fail };
    w->meeting = (struct meeting){ .owner = OWNER, .name = "Встреча", .location = "ONLINE",
                                   .from_s = 1, .to_s = 2 };
    assert_int_equal(op_meeting_create(&w->op, &w->meeting), ERR_OK);
    w->chat = open_chat(w, GUEST, false, NULL, ERR_OK).chat;
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

/* ---- helpers ---- */

static struct pair_message
say(struct world *w, const char *user, const char *text)
{
    struct pair_message_new in = { .text = text };
    struct pair_message m;

    w->op.now_ms += 10;
    assert_int_equal(pair_message_check(w->arena, &in, NULL), ERR_OK);
    assert_int_equal(op_pair_send(&w->op, user, w->chat, &in, &m), ERR_OK);
    return m;
}

/* Events since the last look: each one's frame begins so, and is for that user. */
struct said {
    const char *user, *event;
};

static const struct event *
heard(struct world *w, const struct said *wanted, size_t n)
{
    struct event *events;
    size_t got;

    assert_int_equal(op_log_read(&w->op, w->seen, 1000, &events, &got), ERR_OK);
    assert_int_equal(got, n);
    for (size_t i = 0; i < n; i++) {
        const char *begin = arena_printf(w->arena, "{\"event\":\"%s\",\"data\":{\"chatId\":", wanted[i].event);

        assert_int_equal(events[i].n_channels, 1);
        assert_string_equal(events[i].channels[0], channel_of_user(w->arena, "eventchat", wanted[i].user));
        assert_memory_equal(events[i].body, begin, strlen(begin));
        w->seen = events[i].seq;
    }
    return events;
}

static void
catch_up(struct world *w)
{
    int64_t floor;

    assert_int_equal(op_log_head(&w->op, &w->seen, &floor), ERR_OK);
}

static struct pair_view
only_chat(struct world *w, const char *user)
{
    struct pair_view *list;
    size_t n;

    assert_int_equal(op_pair_list(&w->op, user, &list, &n), ERR_OK);
    assert_int_equal(n, 1);
    return list[0];
}

static void
assert_counts(struct world *w, const char *user, int64_t mine, int64_t theirs)
{
    struct pair_view v = only_chat(w, user);

    assert_int_equal(v.unread.mine, mine);
    assert_int_equal(v.unread.theirs, theirs);
}

static bool
holds(const struct event *e, const char *text)
{
    return memmem(e->body, e->body_len, text, strlen(text)) != NULL;
}

/* ---- writing ---- */

static void
a_message_is_told_to_both_before_the_counts(void **state)
{
    static const struct said told[] = { { GUEST, "chat_updates" }, { OWNER, "chat_updates" },
                                        { GUEST, "chat_unread" }, { OWNER, "chat_unread" } };
    struct world *w = *state;
    struct pair_message m;
    struct pair_view v;

    catch_up(w);
    m = say(w, GUEST, "привет");
    assert_int_equal(m.n, 1);
    assert_string_equal(m.from, GUEST);
    assert_string_equal(m.to, OWNER);
    heard(w, told, 4);
    v = only_chat(w, OWNER);
    assert_int_equal(v.n_messages, 1);
    assert_string_equal(v.messages[0].text, "привет");
    assert_string_equal(v.messages[0].from, GUEST);
    assert_string_equal(v.messages[0].to, OWNER);
    assert_int_equal(v.messages[0].at_ms, m.at_ms);
}

static void
each_is_told_from_his_own_side(void **state)
{
    static const struct said told[] = { { OWNER, "chat_updates" }, { GUEST, "chat_updates" },
                                        { OWNER, "chat_unread" }, { GUEST, "chat_unread" } };
    struct world *w = *state;
    const struct event *e;

    say(w, GUEST, "1");
    catch_up(w);
    say(w, OWNER, "2");
    e = heard(w, told, 4);
    assert_true(holds(&e[0], "\"user\":{\"id\":16,\"name\":\"User 16\",\"imageUUID\":null}"));
    assert_true(holds(&e[1], "\"user\":{\"id\":14,"));
    assert_true(holds(&e[0], "\"myUnreadCount\":1,\"interlocutorUnreadCount\":1"));
    assert_true(holds(&e[2], "\"myUnreadCount\":1,\"interlocutorUnreadCount\":1"));
    assert_true(holds(&e[1], "\"messages\":[{\"messageId\":2,\"text\":\"2\""));
    assert_false(holds(&e[1], "\"messageId\":1,"));
}

static void
strangers_find_no_chat(void **state)
{
    struct world *w = *state;
    struct pair_message_new in = { .text = "x" };
    struct pair_history h;
    struct pair_message m;
    struct pair_counts c;
    struct pair_view v;
    bool changed;
    const struct {
        const char *user, *chat;
    } none[] = { { STRANGER, w->chat }, { GUEST, "nothing" }, { GUEST, "" } };

    assert_int_equal(pair_message_check(w->arena, &in, NULL), ERR_OK);
    say(w, GUEST, "secret");
    catch_up(w);
    for (size_t i = 0; i < 3; i++) {
        const char *user = none[i].user, *chat = none[i].chat;

        assert_int_equal(op_pair_send(&w->op, user, chat, &in, &m), ERR_NO_CONVERSATION);
        assert_int_equal(op_pair_read(&w->op, user, chat, 1, &c, &changed), ERR_NO_CONVERSATION);
        assert_int_equal(op_pair_read(&w->op, user, chat, 1000, &c, &changed), ERR_NO_CONVERSATION);
        assert_int_equal(op_pair_history(&w->op, user, chat, 5, &h), ERR_NO_CONVERSATION);
        assert_int_equal(h.n, 0);
        assert_int_equal(op_pair_grant(&w->op, user, chat, true, &v), ERR_NO_CONVERSATION);
    }
    heard(w, NULL, 0);
}

static void
photos_stand_in_the_message(void **state)
{
    struct world *w = *state;
    const char *first[] = { "a", "b" }, *second[] = { "b", "c" };
    struct pair_message_new in = { .photos = { first, 2 }, .attached = { second, 2 } };
    struct pair_message m;
    struct pair_view v;

    assert_int_equal(pair_message_check(w->arena, &in, NULL), ERR_OK);
    assert_int_equal(op_pair_send(&w->op, GUEST, w->chat, &in, &m), ERR_OK);
    v = only_chat(w, OWNER);
    assert_int_equal(v.messages[0].photos.n, 3);
    assert_string_equal(((const char **)v.messages[0].photos.items)[2], "c");
    assert_string_equal(v.messages[0].text, "");
}

static void
photos_are_looked_for_where_that_is_asked(void **state)
{
    struct world *w = *state;
    struct photo p = { .type = PHOTO_GIF, .bytes = 10 };
    const char *names[1];
    struct pair_message_new in = { .photos = { names, 1 } };
    struct pair_message m;

    w->config.eventchat_check_photos = true;
    assert_int_equal(op_photo_announce(&w->op, STRANGER, &p), ERR_OK);
    names[0] = p.name;
    assert_int_equal(pair_message_check(w->arena, &in, NULL), ERR_OK);
    catch_up(w);
    assert_int_equal(op_pair_send(&w->op, GUEST, w->chat, &in, &m), ERR_NO_ATTACHMENT);
    heard(w, NULL, 0);
    assert_int_equal(op_photo_stored(&w->op, &p), ERR_OK);
    assert_int_equal(op_pair_send(&w->op, GUEST, w->chat, &in, &m), ERR_OK);
    assert_int_equal(m.n, 1);
}

/* ---- reading ---- */

static void
reading_goes_forward_only(void **state)
{
    static const struct said told[] = { { OWNER, "chat_unread" }, { GUEST, "chat_unread" } };
    struct world *w = *state;
    struct pair_counts c;
    bool changed;

    for (int i = 0; i < 3; i++)
        say(w, GUEST, "to the owner");
    assert_counts(w, OWNER, 3, 0);
    assert_counts(w, GUEST, 0, 3);
    catch_up(w);
    assert_int_equal(op_pair_read(&w->op, OWNER, w->chat, 2, &c, &changed), ERR_OK);
    assert_true(changed);
    assert_int_equal(c.mine, 1);
    heard(w, told, 2);
    for (int64_t n = 0; n <= 2; n++) {
        assert_int_equal(op_pair_read(&w->op, OWNER, w->chat, n, &c, &changed), ERR_OK);
        assert_false(changed);
        assert_int_equal(c.mine, 1);
    }
    assert_int_equal(op_pair_read(&w->op, OWNER, w->chat, 4, &c, &changed), ERR_NO_ENTRY);
    assert_string_equal(w->fail.field, "lastReadedMessageId");
    heard(w, NULL, 0);
    assert_int_equal(op_pair_read(&w->op, OWNER, w->chat, 3, &c, &changed), ERR_OK);
    assert_true(changed);
    assert_counts(w, OWNER, 0, 0);
}

static void
own_messages_are_never_unread_and_writing_does_not_read(void **state)
{
    struct world *w = *state;
    struct pair_counts c;
    bool changed;

    say(w, GUEST, "1");
    say(w, OWNER, "2");
    assert_counts(w, OWNER, 1, 1);
    assert_counts(w, GUEST, 1, 1);
    assert_int_equal(op_pair_read(&w->op, GUEST, w->chat, 1, &c, &changed), ERR_OK);
    assert_false(changed);          /* it was his own */
    assert_int_equal(op_pair_read(&w->op, GUEST, w->chat, 2, &c, &changed), ERR_OK);
    assert_true(changed);
    assert_int_equal(c.mine, 0);
    assert_int_equal(c.theirs, 1);
    assert_counts(w, OWNER, 1, 0);
}

static void
history_goes_back_by_pages(void **state)
{
    struct world *w = *state;
    struct pair_history h;

    assert_int_equal(op_pair_history(&w->op, GUEST, w->chat, PAIR_ID_MAX, &h), ERR_OK);
    assert_int_equal(h.n, 0);
    assert_false(h.more);
    for (int i = 0; i < 2 * PAIR_PAGE + 1; i++)
        say(w, i % 2 ? OWNER : GUEST, "x");
    assert_int_equal(op_pair_history(&w->op, GUEST, w->chat, PAIR_ID_MAX, &h), ERR_OK);
    assert_int_equal(h.n, PAIR_PAGE);
    assert_true(h.more);
    assert_int_equal(h.messages[0].n, PAIR_PAGE + 2);
    assert_int_equal(h.messages[PAIR_PAGE - 1].n, 2 * PAIR_PAGE + 1);
    assert_int_equal(op_pair_history(&w->op, OWNER, w->chat, h.messages[0].n, &h), ERR_OK);
    assert_int_equal(h.messages[0].n, 2);
    assert_true(h.more);
    assert_int_equal(op_pair_history(&w->op, OWNER, w->chat, PAIR_PAGE + 1, &h), ERR_OK);
    assert_int_equal(h.n, PAIR_PAGE);
    assert_false(h.more);
    assert_int_equal(op_pair_history(&w->op, OWNER, w->chat, 1, &h), ERR_OK);
    assert_int_equal(h.n, 0);
    assert_false(h.more);
    assert_int_equal(only_chat(w, OWNER).messages[0].n, PAIR_PAGE + 2);
}

/* ---- chats ---- */

static void
a_chat_is_opened_once(void **state)
{
    static const struct said told[] = { { STRANGER, "chat_updates" }, { OWNER, "chat_updates" } };
    struct world *w = *state;
    struct pair_view v;

    catch_up(w);
    v = open_chat(w, GUEST, false, NULL, ERR_OK);
    assert_string_equal(v.chat, w->chat);
    heard(w, NULL, 0);
    v = open_chat(w, STRANGER, false, NULL, ERR_OK);
    assert_string_not_equal(v.chat, w->chat);
    assert_int_equal(strlen(v.chat), 43);
    heard(w, told, 2);
    open_chat(w, OWNER, false, NULL, ERR_OWN_MEETING);
    open_chat(w, OWNER, true, "mine", ERR_OWN_MEETING);
    w->meeting.id++;
    open_chat(w, GUEST, true, NULL, ERR_NO_MEETING);
    heard(w, NULL, 0);
}

static void
a_chat_becomes_a_request_once(void **state)
{
    static const struct said told[] = { { GUEST, "chat_updates" }, { OWNER, "chat_updates" },
                                        { GUEST, "chat_unread" }, { OWNER, "chat_unread" } };
    struct world *w = *state;
    struct pair_view v;

    catch_up(w);
    v = open_chat(w, GUEST, true, "please", ERR_OK);
    assert_true(v.requested);
    assert_false(v.granted);
    assert_int_equal(v.n_messages, 1);
    heard(w, told, 4);
    open_chat(w, GUEST, true, "again", ERR_REQUESTED);
    heard(w, NULL, 0);
    assert_int_equal(only_chat(w, GUEST).n_messages, 1);
}

static void
only_the_owner_grants_and_only_requests(void **state)
{
    static const struct said told[] = { { OWNER, "chat_updates" }, { GUEST, "chat_updates" } };
    struct world *w = *state;
    struct pair_view v;

    assert_int_equal(op_pair_grant(&w->op, OWNER, w->chat, true, &v), ERR_NOT_REQUESTED);
    assert_int_equal(op_pair_grant(&w->op, OWNER, w->chat, false, &v), ERR_NOT_REQUESTED);
    open_chat(w, GUEST, true, NULL, ERR_OK);
    assert_int_equal(op_pair_grant(&w->op, GUEST, w->chat, true, &v), ERR_FORBIDDEN);
    catch_up(w);
    assert_int_equal(op_pair_grant(&w->op, OWNER, w->chat, false, &v), ERR_OK);
    heard(w, NULL, 0);
    for (int granted = 1; granted >= 0; granted--) {
        for (int i = 0; i < 2; i++) {
            assert_int_equal(op_pair_grant(&w->op, OWNER, w->chat, granted, &v), ERR_OK);
            assert_int_equal(v.granted, granted);
            assert_int_equal(v.n_messages, 0);
        }
        heard(w, told, 2);
        assert_int_equal(only_chat(w, GUEST).granted, granted);
    }
}

static void
profiles_are_shown(void **state)
{
    struct world *w = *state;
    struct profile p;
    struct pair_view v = only_chat(w, OWNER);

    assert_null(v.other.name);
    assert_null(v.other.picture);
    assert_int_equal(op_profile_set(&w->op, GUEST, "Гость", "p1", &p), ERR_OK);
    v = only_chat(w, OWNER);
    assert_string_equal(v.other.user, GUEST);
    assert_string_equal(v.other.name, "Гость");
    assert_string_equal(v.other.picture, "p1");
}

static void
a_connecting_session_is_told_all_first(void **state)
{
    struct world *w = *state;
    struct connect_state c;

    assert_int_equal(op_connect(&w->op, STRANGER, -1, &c), ERR_OK);
    assert_string_equal(c.first, "[]");
    say(w, GUEST, "hello");
    assert_int_equal(op_connect(&w->op, OWNER, -1, &c), ERR_OK);
    assert_non_null(strstr(c.first, "\"text\":\"hello\""));
    assert_int_equal(c.first[0], '[');
}

/* ---- photos ---- */

static void
photos_of_a_user_have_a_bound(void **state)
{
    struct world *w = *state;
    struct photo a = { .type = PHOTO_PNG, .bytes = 600 }, b = { .type = PHOTO_PNG, .bytes = 401 };

    assert_int_equal(op_photo_announce(&w->op, GUEST, &a), ERR_OK);
    assert_int_equal(strlen(a.name), PHOTO_NAME_LENGTH);
    assert_int_equal(op_photo_announce(&w->op, GUEST, &b), ERR_TOO_LARGE);
    assert_int_equal(op_photo_announce(&w->op, OWNER, &b), ERR_OK);
    a.bytes = 500;
    assert_int_equal(op_photo_stored(&w->op, &a), ERR_OK);
    assert_int_equal(op_photo_announce(&w->op, GUEST, &b), ERR_OK);
}

static void
a_photo_is_there_once_it_is_stored(void **state)
{
    struct world *w = *state;
    struct photo p = { .type = PHOTO_WEBP, .bytes = 600 }, found;
    const char **names;
    size_t n;

    assert_int_equal(op_photo_announce(&w->op, GUEST, &p), ERR_OK);
    assert_int_equal(op_photo_find(&w->op, p.name, &found), ERR_NO_ATTACHMENT);
    assert_int_equal(op_photo_left(&w->op, &names, &n), ERR_OK);
    assert_int_equal(n, 0);
    w->op.now_ms += 2 * 3600 * 1000;
    assert_int_equal(op_photo_left(&w->op, &names, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_string_equal(names[0], p.name);
    assert_int_equal(op_photo_forget(&w->op, p.name), ERR_OK);
    assert_int_equal(op_photo_stored(&w->op, &p), ERR_INTERNAL);

    assert_int_equal(op_photo_announce(&w->op, GUEST, &p), ERR_OK);
    assert_int_equal(op_photo_stored(&w->op, &p), ERR_OK);
    assert_int_equal(op_photo_find(&w->op, p.name, &found), ERR_OK);
    assert_int_equal(found.type, PHOTO_WEBP);
    assert_int_equal(found.bytes, 600);
    w->op.now_ms += 2 * 3600 * 1000;
    assert_int_equal(op_photo_left(&w->op, &names, &n), ERR_OK);
    assert_int_equal(n, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_message_is_told_to_both_before_the_counts),
        T(each_is_told_from_his_own_side),
        T(strangers_find_no_chat),
        T(photos_stand_in_the_message),
        T(photos_are_looked_for_where_that_is_asked),
        T(reading_goes_forward_only),
        T(own_messages_are_never_unread_and_writing_does_not_read),
        T(history_goes_back_by_pages),
        T(a_chat_is_opened_once),
        T(a_chat_becomes_a_request_once),
        T(only_the_owner_grants_and_only_requests),
        T(profiles_are_shown),
        T(a_connecting_session_is_told_all_first),
        T(photos_of_a_user_have_a_bound),
        T(a_photo_is_there_once_it_is_stored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
