/* test_eventchat - event chat's words, its commands, its rules of messages and photos: nothing with rows
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "shared/chat/photo.h"
#include "shared/sbuf.h"
#include "shared/wire/eventchat.h"

/* Everything a test needs to write and to read. */
struct pad {
    struct arena *arena;
    struct sbuf out;
    struct fail fail;
    struct eventchat_command c;
};

static int
set_up(void **state)
{
    struct pad *p = calloc(1, sizeof *p);

    p->arena = arena_new();
    sbuf_init(&p->out, SIZE_MAX);
    *state = p;
    return 0;
}

static int
tear_down(void **state)
{
    struct pad *p = *state;

    arena_free(p->arena);
    sbuf_fini(&p->out);
    free(p);
    return 0;
}

static void
assert_written(struct pad *p, const char *wanted)
{
    assert_string_equal(sbuf_str(&p->out), wanted);
    sbuf_reset(&p->out);
}

/* ---- words ---- */

static const char *const icons[] = { "u1" };
static const char *const photos[] = { "u3", "u4" };

#define EVENT_TEXT                                                                                 \
    "{\"id\":10,\"name\":\"Event \\\"name\\\"\",\"iconsUUIDs\":[\"u1\"],\"location\":\"ONLINE\","  \
    "\"dateFromS\":1741000000,\"dateToS\":1741003600}"
#define MESSAGE_TEXT                                                                               \
    "{\"messageId\":10,\"text\":\"Привет!\",\"photos\":[\"u3\",\"u4\"],"                           \
    "\"date\":\"2025-03-01T13:51:53.285Z\",\"fromUserId\":14,\"toUserId\":16}"
#define CHAT_HEAD "{\"chatId\":\"c1\","
#define CHAT_TAIL                                                                                  \
    "\"isRequestSended\":true,\"isAccessGranted\":false,"                                          \
    "\"user\":{\"id\":16,\"name\":\"User 16\",\"imageUUID\":null},\"messages\":[" MESSAGE_TEXT     \
    "],\"myUnreadCount\":10,\"interlocutorUnreadCount\":20}"

static struct pair_message message = {
    .n = 10, .text = "Привет!", .photos = { (void *)photos, 2 }, .at_ms = 1740837113285,
    .from = "14", .to = "16",
};

static const struct pair_view view = {
    .chat = "c1", .requested = true, .other = { .user = "16" }, .messages = &message, .n_messages = 1,
    .unread = { 10, 20 },
    .meeting = { .id = 10, .owner = "14", .name = "Event \"name\"", .icons = { (void *)icons, 1 },
                 .location = "ONLINE", .from_s = 1741000000, .to_s = 1741003600 },
};

static void
a_chat_has_every_key(void **state)
{
    struct pad *p = *state;

    eventchat_write_chat(&p->out, &view);
    assert_written(p, CHAT_HEAD "\"event\":" EVENT_TEXT ",\"eventOwnerId\":14," CHAT_TAIL);
}

static void
the_list_is_grouped_by_event(void **state)
{
    struct pad *p = *state;
    struct pair_view list[3] = { view, view, view };

    eventchat_write_list(&p->out, NULL, 0);
    assert_written(p, "[]");
    list[2].meeting.id = 11;
    eventchat_write_list(&p->out, list, 2);
    assert_written(p, "[{\"event\":" EVENT_TEXT ",\"eventOwnerId\":14,\"chats\":[" CHAT_HEAD CHAT_TAIL ","
                      CHAT_HEAD CHAT_TAIL "]}]");
    eventchat_write_list(&p->out, &list[1], 2);
    assert_non_null(strstr(sbuf_str(&p->out), "]},{\"event\":{\"id\":11,"));
}

static void
small_payloads(void **state)
{
    const struct pair_history h = { &message, 1, true };
    const struct party known = { "16", "Анна", "u2" };
    struct pad *p = *state;

    eventchat_write_unread(&p->out, "c1", &view.unread);
    assert_written(p, "{\"chatId\":\"c1\",\"myUnreadCount\":10,\"interlocutorUnreadCount\":20}");
    eventchat_write_history(&p->out, "c1", &h);
    assert_written(p, "{\"chatId\":\"c1\",\"messages\":[" MESSAGE_TEXT "],\"hasMore\":true}");
    eventchat_write_user(&p->out, &known);
    assert_written(p, "{\"id\":16,\"name\":\"Анна\",\"imageUUID\":\"u2\"}");
}

static void
the_log_holds_frames(void **state)
{
    const struct pair_notice said = { &view };
    struct notice n = { .kind = EVENT_PAIR_CHANGED, .pair = &said };
    struct pad *p = *state;

    chat_eventchat.write_event(&p->out, &n);
    assert_written(p, "{\"event\":\"chat_updates\",\"data\":" CHAT_HEAD "\"event\":" EVENT_TEXT
                      ",\"eventOwnerId\":14," CHAT_TAIL "}");
    n.kind = EVENT_PAIR_UNREAD;
    chat_eventchat.write_event(&p->out, &n);
    assert_written(p, "{\"event\":\"chat_unread\",\"data\":{\"chatId\":\"c1\",\"myUnreadCount\":10,"
                      "\"interlocutorUnreadCount\":20}}");
}

static void
refusals_say_what_the_client_did(void **state)
{
    struct fail fail = { ERR_FIELD, "chatId", "chatId is missing" };
    struct pad *p = *state;

    eventchat_write_debug_info(&p->out, ERR_FIELD, &fail, "send_message");
    assert_written(p, "{\"code\":\"BAD_PAYLOAD\",\"message\":\"chatId is missing\",\"event\":\"send_message\",\"field\":\"chatId\"}");
    eventchat_write_debug_info(&p->out, ERR_RATE, &fail, NULL);
    assert_written(p, "{\"code\":\"RATE_LIMITED\",\"message\":\"too many requests\",\"event\":null}");
    eventchat_write_ack(&p->out, ERR_FIELD, &fail, 0);
    assert_written(p, "{\"ok\":false,\"code\":\"BAD_PAYLOAD\",\"message\":\"chatId is missing\"}");
    eventchat_write_ack(&p->out, ERR_OK, NULL, 7);
    assert_written(p, "{\"ok\":true,\"messageId\":7}");
    eventchat_write_ack(&p->out, ERR_OK, NULL, 0);
    assert_written(p, "{\"ok\":true}");
    fail = (struct fail){ ERR_INTERNAL, NULL, "the disk is at /secret" };
    eventchat_write_ack(&p->out, ERR_INTERNAL, &fail, 0);
    assert_null(strstr(sbuf_str(&p->out), "secret"));
}

static void
every_error_has_a_code(void **state)
{
    (void)state;
    for (int e = 1; e < ERR_COUNT; e++) {
        struct eventchat_error known = eventchat_error_of((enum err)e);

        assert_non_null(known.code);
        assert_non_null(known.text);
        assert_in_range(known.status, 400, 503);
    }
    assert_string_equal(eventchat_error_of(ERR_NO_MEMORY).code, "INTERNAL");
    assert_int_equal(eventchat_error_of(ERR_NO_ATTACHMENT).status, 404);
    assert_string_equal(eventchat_error_of(ERR_NO_COMMAND).code, "UNKNOWN_EVENT");
}

/* ---- commands ---- */

static enum err
command(struct pad *p, const char *event, const char *json)
{
    enum eventchat_verb verb;

    p->fail = (struct fail){ 0 };
    assert_true(eventchat_verb_named(event, &verb));
    return eventchat_read_command(p->arena, verb, json, strlen(json), &p->c, &p->fail);
}

static void
assert_refused(struct pad *p, const char *event, const char *json, enum err e, const char *field)
{
    assert_int_equal(command(p, event, json), e);
    if (field != NULL)
        assert_string_equal(p->fail.field, field);
    else
        assert_null(p->fail.field);
}

static void
a_message_is_read(void **state)
{
    struct pad *p = *state;
    const char *const *all;
    enum eventchat_verb verb;

    assert_int_equal(command(p, "send_message",
                             "{\"chatId\":\"c\",\"more\":1,\"message\":{\"text\":\" hi \",\"photos\":[\"a\",\"b\",\"a\"],"
                             "\"attachedPhotos\":[\"c\",\"b\"],\"fromUserId\":7,\"date\":[]}}"), ERR_OK);
    assert_int_equal(p->c.verb, EVENTCHAT_SEND);
    assert_string_equal(p->c.chat, "c");
    assert_string_equal(p->c.message.text, " hi ");
    all = p->c.message.all.items;
    assert_int_equal(p->c.message.all.n, 3);
    assert_string_equal(all[0], "a");
    assert_string_equal(all[1], "b");
    assert_string_equal(all[2], "c");
    assert_int_equal(command(p, "send_message", "{\"chatId\":\"\",\"message\":{\"photos\":[],\"text\":\"x\"}}"), ERR_OK);
    assert_int_equal(command(p, "send_message", "{\"chatId\":\"c\",\"message\":{\"attachedPhotos\":[\"p\"]}}"), ERR_OK);
    assert_false(eventchat_verb_named("sendMessage", &verb));
    assert_false(eventchat_verb_named("", &verb));
}

static void
bad_messages_are_refused_by_name(void **state)
{
#define IN(message) "{\"chatId\":\"c\",\"message\":" message "}"
    static const struct {
        const char *json;
        enum err e;
        const char *field;
    } cases[] = {
        { "", ERR_MALFORMED, NULL },
        { "{", ERR_MALFORMED, NULL },
        { "[]", ERR_FIELD, NULL },
        { "null", ERR_FIELD, NULL },
        { "{\"message\":{\"text\":\"x\"}}", ERR_FIELD, "chatId" },
        { "{\"chatId\":5,\"message\":{\"text\":\"x\"}}", ERR_FIELD, "chatId" },
        { "{\"chatId\":\"c\"}", ERR_FIELD, "message" },
        { IN("[]"), ERR_FIELD, "message" },
        { IN("null"), ERR_FIELD, "message" },
        { IN("{}"), ERR_EMPTY, NULL },
        { IN("{\"text\":\" \\n\\u3000\",\"photos\":[]}"), ERR_EMPTY, NULL },
        { IN("{\"text\":5}"), ERR_FIELD, "message.text" },
        { IN("{\"text\":null,\"photos\":[\"a\"]}"), ERR_FIELD, "message.text" },
        { IN("{\"text\":\"x\",\"photos\":null}"), ERR_FIELD, "message.photos" },
        { IN("{\"text\":\"x\",\"attachedPhotos\":null}"), ERR_FIELD, "message.attachedPhotos" },
        { IN("{\"text\":\"a\\u0000b\"}"), ERR_LIMIT, "message.text" },
        { IN("{\"photos\":\"a\"}"), ERR_FIELD, "message.photos" },
        { IN("{\"photos\":[1]}"), ERR_FIELD, "message.photos" },
        { IN("{\"photos\":[\"\"]}"), ERR_LIMIT, "message.photos" },
        { IN("{\"photos\":[\"a b\"]}"), ERR_FIELD, "message.photos" },
        { IN("{\"attachedPhotos\":[\"../x\"]}"), ERR_FIELD, "message.attachedPhotos" },
        { IN("{\"photos\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"],\"attachedPhotos\":[\"7\",\"8\",\"9\",\"10\",\"11\"]}"),
          ERR_TOO_MANY, "message.photos" },
    };
    struct pad *p = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(p, "send_message", cases[i].json, cases[i].e, cases[i].field);
    assert_int_equal(command(p, "send_message", IN("{\"photos\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"],"
                             "\"attachedPhotos\":[\"7\",\"8\",\"9\",\"10\",\"1\"]}")), ERR_OK);
    assert_int_equal(p->c.message.all.n, 10);
}

/* json: a message of n times these bytes. */
static char *
long_message(struct pad *p, const char *piece, size_t n)
{
    struct sbuf text;
    char *json;

    sbuf_init(&text, SIZE_MAX);
    sbuf_puts(&text, "{\"chatId\":\"c\",\"message\":{\"text\":\"");
    for (size_t i = 0; i < n; i++)
        sbuf_puts(&text, piece);
    sbuf_puts(&text, "\"}}");
    json = arena_copy(p->arena, text.data, text.len);
    sbuf_fini(&text);
    return json;
}

static void
texts_are_measured_in_characters(void **state)
{
    struct pad *p = *state;

    assert_int_equal(command(p, "send_message", long_message(p, "🎭", PAIR_TEXT_MAX)), ERR_OK);
    assert_refused(p, "send_message", long_message(p, "x", PAIR_TEXT_MAX + 1), ERR_TEXT_LENGTH, "message.text");
    assert_refused(p, "send_message", long_message(p, "x", EVENTCHAT_COMMAND_MAX), ERR_TOO_LARGE, NULL);
}

static void
markers_are_bounded(void **state)
{
#define UP_TO(name, n) "{\"chatId\":\"c\",\"" name "\":" n "}"
#define READ_UP_TO(n) UP_TO("lastReadedMessageId", n)
#define BELOW(n) UP_TO("lastMessageId", n)
    static const char *const wrong[] = { "-1", "1.5", "\"1\"", "null", "true", "9007199254740992", "1e300", "[]" };
    struct pad *p = *state;

    assert_int_equal(command(p, "read_messages", READ_UP_TO("7")), ERR_OK);
    assert_int_equal(p->c.n, 7);
    assert_int_equal(command(p, "read_messages", READ_UP_TO("0")), ERR_OK);
    assert_int_equal(command(p, "load_history", BELOW("9007199254740991")), ERR_OK);
    assert_int_equal(p->c.n, PAIR_ID_MAX);
    assert_refused(p, "load_history", BELOW("0"), ERR_LIMIT, "lastMessageId");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *read = arena_printf(p->arena, READ_UP_TO("%s"), wrong[i]);
        const char *load = arena_printf(p->arena, BELOW("%s"), wrong[i]);

        assert_true(command(p, "read_messages", read) == ERR_FIELD || p->fail.code == ERR_LIMIT);
        assert_string_equal(p->fail.field, "lastReadedMessageId");
        assert_true(command(p, "load_history", load) == ERR_FIELD || p->fail.code == ERR_LIMIT);
        assert_string_equal(p->fail.field, "lastMessageId");
    }
    assert_refused(p, "read_messages", "{\"lastReadedMessageId\":1}", ERR_FIELD, "chatId");
    assert_refused(p, "load_history", "{\"chatId\":\"c\"}", ERR_FIELD, "lastMessageId");
}

/* ---- photos ---- */

static void
references_are_short_and_plain(void **state)
{
    char longest[PAIR_PHOTO_MAX + 2];

    (void)state;
    memset(longest, 'x', sizeof longest);
    longest[PAIR_PHOTO_MAX + 1] = '\0';
    assert_false(pair_photo_named(longest));
    assert_true(pair_photo_named(longest + 1));
    assert_true(pair_photo_named("aZ09_-"));
    assert_false(pair_photo_named(""));
    assert_false(pair_photo_named("a.b"));
    assert_false(pair_photo_named("a/b"));
    assert_false(pair_photo_named("é"));
}

static void
photos_are_known_by_their_first_bytes(void **state)
{
#define BYTES(text) text, sizeof(text) - 1
    static const struct {
        const char *bytes;
        size_t len;
        enum photo_type type;       /* 0: none */
    } cases[] = {
        { BYTES("\x89PNG\r\n\x1a\n....."), PHOTO_PNG },
        { BYTES("\x89PNG\r\n\x1a\n"), PHOTO_PNG },
        { BYTES("\x89PNG\r\n\x1a"), 0 },
        { BYTES("\xff\xd8\xff"), PHOTO_JPEG },
        { BYTES("\xff\xd8"), 0 },
        { BYTES("GIF87a"), PHOTO_GIF },
        { BYTES("GIF89a"), PHOTO_GIF },
        { BYTES("GIF88a"), 0 },
        { BYTES("RIFF\0\0\0\0WEBP"), PHOTO_WEBP },
        { BYTES("RIFF\0\0\0\0WAVE"), 0 },
        { BYTES("RIFF\0\0\0\0WEB"), 0 },
        { BYTES("<svg xmlns="), 0 },
        { BYTES(""), 0 },
    };
    enum photo_type type;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        type = 0;
        assert_int_equal(photo_sniff(cases[i].bytes, cases[i].len, &type), cases[i].type != 0);
        assert_int_equal(type, cases[i].type);
    }
    for (int t = PHOTO_PNG; t <= PHOTO_WEBP; t++) {
        assert_true(photo_type_named(photo_media_type((enum photo_type)t), &type));
        assert_int_equal(type, t);
    }
    assert_true(photo_type_named("Image/PNG ; q=1", &type));
    assert_false(photo_type_named("image/pngx", &type));
    assert_false(photo_type_named("image/svg+xml", &type));
    assert_false(photo_type_named("", &type));
    assert_false(photo_type_named(NULL, &type));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_chat_has_every_key),
        T(the_list_is_grouped_by_event),
        T(small_payloads),
        T(the_log_holds_frames),
        T(refusals_say_what_the_client_did),
        T(every_error_has_a_code),
        T(a_message_is_read),
        T(bad_messages_are_refused_by_name),
        T(texts_are_measured_in_characters),
        T(markers_are_bounded),
        T(references_are_short_and_plain),
        T(photos_are_known_by_their_first_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
