/* eventchat_command - what clients send over sockets, read into structs
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "shared/field.h"
#include "shared/json.h"
#include "shared/wire/eventchat.h"

#define JSON_DEPTH 16

#define AT(member) offsetof(struct eventchat_command, member)
#define IN_MESSAGE(member) offsetof(struct pair_message_new, member)
#define CHAT_ID { "chatId", F_TEXT, .offset = AT(chat), .max = PAIR_CHAT_ID_MAX, .flags = FIELD_REQUIRED }

static const struct field send_fields[] = { CHAT_ID, { 0 } };

static const struct field read_fields[] = {
    CHAT_ID,
    { "lastReadedMessageId", F_INT, .offset = AT(n), .min = 0, .max = PAIR_ID_MAX, .flags = FIELD_REQUIRED },
    { 0 },
};

static const struct field load_fields[] = {
    CHAT_ID,
    { "lastMessageId", F_INT, .offset = AT(n), .min = 1, .max = PAIR_ID_MAX, .flags = FIELD_REQUIRED },
    { 0 },
};

/* Lengths and numbers are for pair_message_check, which gives each refusal its own name. Bytes that a client put
 * somewhere arrive as null. */
static const struct field message_fields[] = {
    { "text", F_TEXT, .offset = IN_MESSAGE(text), .flags = FIELD_NOT_NULL },
    { "photos", F_LIST, .offset = IN_MESSAGE(photos), .flags = FIELD_NOT_NULL },
    { "attachedPhotos", F_LIST, .offset = IN_MESSAGE(attached), .flags = FIELD_NOT_NULL },
    { 0 },
};

static const struct {
    const char *event;
    enum eventchat_verb verb;
    const struct field *fields;
} verbs[] = {
    { "send_message", EVENTCHAT_SEND, send_fields },
    { "read_messages", EVENTCHAT_READ, read_fields },
    { "load_history", EVENTCHAT_LOAD, load_fields },
};

bool
eventchat_verb_named(const char *event, enum eventchat_verb *verb_r)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].event, event) == 0) {
            *verb_r = verbs[i].verb;
            return true;
        }
    }
    return false;
}

char *
eventchat_limit_key(struct arena *a, const char *user)
{
    return arena_printf(a, "%s:%s:%s", chat_eventchat.name, EVENTCHAT_LIMIT_WHAT, user);
}

/* Puts "message." in front of the field that was blamed. */
static enum err
blame_message(struct arena *a, enum err e, struct fail *fail)
{
    if (fail != NULL && e != ERR_OK && fail->field != NULL)
        fail->field = arena_printf(a, "message.%s", fail->field);
    return e;
}

static enum err
read_message(struct arena *a, const struct json *root, struct pair_message_new *m, struct fail *fail)
{
    const struct json *message = json_get(root, "message");
    enum err e;

    if (message == NULL || json_type(message) != JSON_OBJECT)
        return err_fail(fail, ERR_FIELD, "message", "message must be an object");
    e = field_read_json(a, message_fields, message, NULL, 0, m, fail);
    if (e == ERR_OK)
        e = pair_message_check(a, m, fail);
    return blame_message(a, e, fail);
}

enum err
eventchat_read_command(struct arena *a, enum eventchat_verb verb, const char *json, size_t len,
                       struct eventchat_command *c_r, struct fail *fail)
{
    struct json *root;
    enum err e;

    *c_r = (struct eventchat_command){ .verb = verb };
    if (len > EVENTCHAT_COMMAND_MAX)
        return err_fail(fail, ERR_TOO_LARGE, NULL, "a command has at most %d bytes", EVENTCHAT_COMMAND_MAX);
    if ((e = json_parse(a, json, len, JSON_DEPTH, &root, fail)) != ERR_OK)
        return e;
    if (json_type(root) != JSON_OBJECT)
        return err_fail(fail, ERR_FIELD, NULL, "the payload must be an object");
    if ((e = field_read_json(a, verbs[verb - 1].fields, root, json, len, c_r, fail)) != ERR_OK)
        return e;
    return verb == EVENTCHAT_SEND ? read_message(a, root, &c_r->message, fail) : ERR_OK;
}
