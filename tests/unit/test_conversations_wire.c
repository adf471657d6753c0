/* test_conversations_wire - objects and bodies of events, byte by byte
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/wire/conversations.h"

static const struct profile anna = { "7", "Anna \"A\"", "https://x.org/a" };
static const struct profile nameless = { "8", "", "" };
static const struct group_message said = { 5, 3, { "8", "", "" }, "a\nb", 1700000000999 };
static const struct global_message whispered = { 6, "psst", 1700000000999 };

static void
is(struct sbuf *out, const char *wanted)
{
    assert_string_equal(sbuf_str(out), wanted);
    sbuf_reset(out);
}

static void
objects(void **state)
{
    struct group g = { .id = 3, .name = "Чай", .creator = "7", .n_members = 2, .n_viewers = 1 };
    struct sbuf out;

    (void)state;
    sbuf_init(&out, 4096);
    conversations_write_message(&out, &said);
    is(&out, "{\"id\":5,\"name\":\"id8\",\"avatar\":\"\",\"user_id\":8,\"message\":\"a\\nb\",\"time\":1700000000}");
    conversations_write_global(&out, &whispered);
    is(&out, "{\"id\":6,\"message\":\"psst\",\"time\":1700000000}");
    conversations_write_profile(&out, &anna);
    is(&out, "{\"user_id\":7,\"name\":\"Anna \\\"A\\\"\",\"avatar\":\"https://x.org/a\"}");
    conversations_write_group(&out, &g);
    is(&out, "{\"id\":3,\"name\":\"Чай\",\"members\":2,\"viewers\":1,\"creator_id\":7}");
    g.mine = true;
    g.unread = 4;
    g.last_text = g.last_picture = "";
    conversations_write_group(&out, &g);
    is(&out, "{\"id\":3,\"name\":\"Чай\",\"members\":2,\"viewers\":1,\"creator_id\":7,\"unreadCount\":4,"
             "\"message\":\"\",\"senderAvatar\":\"\"}");
    sbuf_fini(&out);
}

static void
events(void **state)
{
    static const struct {
        enum event_kind kind;
        struct group_notice g;
        const char *body;
    } cases[] = {
        { EVENT_ENTRY_NEW, { .group = 3, .message = &said, .message_event = "new_message" },
          "{\"event\":\"new_message\",\"data\":{\"conversation_id\":3,\"id\":5,\"name\":\"id8\",\"avatar\":\"\","
          "\"user_id\":8,\"message\":\"a\\nb\",\"time\":1700000000}}" },
        { EVENT_ENTRY_NEW, { .global = &whispered, .message_event = "said" },
          "{\"event\":\"said\",\"data\":{\"conversation_id\":0,\"id\":6,\"message\":\"psst\",\"time\":1700000000}}" },
        { EVENT_MEMBER_JOINED, { .group = 3, .who = &anna },
          "{\"event\":\"joined_conversation\",\"data\":{\"conversation_id\":3,\"user_id\":7,"
          "\"avatar\":\"https://x.org/a\",\"name\":\"Anna \\\"A\\\"\"}}" },
        { EVENT_MEMBER_LEFT, { .group = 3, .who = &anna },
          "{\"event\":\"leaved_conversation\",\"data\":{\"conversation_id\":3,\"user_id\":7}}" },
        { EVENT_GROUP_NEW, { .group = 3, .name = "Чай", .who = &nameless },
          "{\"event\":\"new_conversation\",\"data\":{\"conversation_id\":3,\"name\":\"Чай\",\"members\":1,"
          "\"senderAvatar\":\"\"}}" },
        { EVENT_GROUP_GONE, { .group = 3 },
          "{\"event\":\"delete_conversation\",\"data\":{\"conversation_id\":3}}" },
        { EVENT_VIEWERS, { .group = 3, .viewers = 2 },
          "{\"event\":\"conversationViewersChange\",\"data\":{\"conversation_id\":3,\"viewers\":2}}" },
    };
    struct sbuf out;

    (void)state;
    sbuf_init(&out, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct notice n = { .kind = cases[i].kind, .group = &cases[i].g };

        chat_conversations.write_event(&out, &n);
        is(&out, cases[i].body);
    }
    sbuf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects),
        cmocka_unit_test(events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
