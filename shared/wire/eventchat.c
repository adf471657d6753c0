/* eventchat - its JSON, written from the core's structs
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/wire/eventchat.h"

#include <stdlib.h>

#include "shared/json.h"
#include "shared/when.h"

/* ---- errors ---- */

static const struct eventchat_error errors[ERR_COUNT] = {
    [ERR_MALFORMED] = { "BAD_FRAME", 400, "it is not a JSON object of the right form" },
    [ERR_FIELD] = { "BAD_PAYLOAD", 400, "a field is missing or of the wrong type" },
    [ERR_LIMIT] = { "BAD_PAYLOAD", 400, "a field is out of its range" },
    [ERR_EMPTY] = { "MESSAGE_EMPTY", 400, "a message needs text or a photo" },
    [ERR_TEXT_LENGTH] = { "TEXT_TOO_LONG", 400, "the text is too long" },
    [ERR_TOO_MANY] = { "TOO_MANY_PHOTOS", 400, "a message has too many photos" },
    [ERR_FILE_SIZE] = { "BAD_PAYLOAD", 400, "the size of the file is not accepted" },
    [ERR_UNAUTHORIZED] = { "UNAUTHORIZED", 401, "a valid credential is required" },
    [ERR_FORBIDDEN] = { "FORBIDDEN", 403, "only the owner of the event may do that" },
    [ERR_NOT_FOUND] = { "NOT_FOUND", 404, "no such route" },
    [ERR_NO_CONVERSATION] = { "CHAT_NOT_FOUND", 404, "no such chat" },
    [ERR_NO_ENTRY] = { "MESSAGE_NOT_FOUND", 404, "no such message" },
    [ERR_NO_ATTACHMENT] = { "PHOTO_NOT_FOUND", 404, "no such photo" },
    [ERR_NO_MEETING] = { "EVENT_NOT_FOUND", 404, "no such event" },
    [ERR_NO_COMMAND] = { "UNKNOWN_EVENT", 404, "no such command" },
    [ERR_METHOD] = { "METHOD_NOT_ALLOWED", 405, "this path does not know that method" },
    [ERR_TIMEOUT] = { "BAD_FRAME", 408, "the request did not arrive in time" },
    [ERR_OWN_MEETING] = { "OWN_EVENT", 409, "the event is your own" },
    [ERR_REQUESTED] = { "ALREADY_REQUESTED", 409, "the request exists already" },
    [ERR_NOT_REQUESTED] = { "NOT_REQUESTED", 409, "the chat is not a request" },
    [ERR_TOO_LARGE] = { "PAYLOAD_TOO_LARGE", 413, "it is too large" },
    [ERR_TARGET] = { "BAD_PAYLOAD", 414, "the request target is too long" },
    [ERR_MEDIA_TYPE] = { "UNSUPPORTED_MEDIA", 415, "this kind of content is not accepted" },
    [ERR_RATE] = { "RATE_LIMITED", 429, "too many requests" },
    [ERR_BUSY] = { "INTERNAL", 503, "the storage is busy, try again shortly" },
    [ERR_OLD_SCHEMA] = { "INTERNAL", 503, "out of service for now" },
    [ERR_NOT_CONFIGURED] = { "INTERNAL", 503, "this feature is not configured" },
    [ERR_TOO_SLOW] = { "INTERNAL", 503, "try again shortly" },
};

struct eventchat_error
eventchat_error_of(enum err e)
{
    static const struct eventchat_error internal = { "INTERNAL", 500, "something is wrong on our side" };

    return (unsigned)e < ERR_COUNT && errors[e].code != NULL ? errors[e] : internal;
}

const char *
eventchat_reason(enum err e, const struct fail *fail)
{
    struct eventchat_error known = eventchat_error_of(e);

    /* what happened on our side is nobody's business */
    if (known.status < 500 && fail != NULL && fail->code == e && fail->why[0] != '\0')
        return fail->why;
    return known.text;
}

/* Members "code", "message" of the open object. */
static void
kv_error(struct sbuf *out, enum err e, const struct fail *fail)
{
    json_kv(out, "code", eventchat_error_of(e).code);
    json_kv(out, "message", eventchat_reason(e, fail));
}

void
eventchat_write_debug_info(struct sbuf *out, enum err e, const struct fail *fail, const char *event)
{
    json_open(out, '{');
    kv_error(out, e, fail);
    json_kv(out, "event", event);
    if (fail != NULL && fail->code == e && fail->field != NULL)
        json_kv(out, "field", fail->field);
    json_close(out, '}');
}

void
eventchat_write_ack(struct sbuf *out, enum err e, const struct fail *fail, int64_t message_id)
{
    json_open(out, '{');
    json_kv_bool(out, "ok", e == ERR_OK);
    if (e != ERR_OK)
        kv_error(out, e, fail);
    else if (message_id != 0)
        json_kv_int(out, "messageId", message_id);
    json_close(out, '}');
}

/* ---- objects ---- */

/* Users are decimal texts within, numbers outside. */
static int64_t
user_number(const char *user)
{
    return strtoll(user, NULL, 10);
}

static void
kv_texts(struct sbuf *out, const char *name, const struct list *list)
{
    const char *const *texts = list->items;

    json_key(out, name);
    json_open(out, '[');
    for (size_t i = 0; i < list->n; i++)
        json_string(out, texts[i]);
    json_close(out, ']');
}

void
eventchat_write_event(struct sbuf *out, const struct meeting *m)
{
    json_open(out, '{');
    json_kv_int(out, "id", m->id);
    json_kv(out, "name", m->name);
    kv_texts(out, "iconsUUIDs", &m->icons);
    json_kv(out, "location", m->location);
    json_kv_int(out, "dateFromS", m->from_s);
    json_kv_int(out, "dateToS", m->to_s);
    json_close(out, '}');
}

void
eventchat_kv_event(struct sbuf *out, const struct meeting *m)
{
    json_key(out, "event");
    eventchat_write_event(out, m);
    json_kv_int(out, "eventOwnerId", user_number(m->owner));
}

void
eventchat_write_user(struct sbuf *out, const struct party *p)
{
    json_open(out, '{');
    json_kv_int(out, "id", user_number(p->user));
    json_key(out, "name");
    if (p->name != NULL) {
        json_string(out, p->name);
    } else {
        sbuf_printf(out, "\"User %lld\"", (long long)user_number(p->user));
    }
    json_kv(out, "imageUUID", p->picture);
    json_close(out, '}');
}

void
eventchat_write_message(struct sbuf *out, const struct pair_message *m)
{
    char date[WHEN_TEXT_SIZE];

    json_open(out, '{');
    json_kv_int(out, "messageId", m->n);
    json_kv(out, "text", m->text);
    kv_texts(out, "photos", &m->photos);
    json_kv(out, "date", when_text(m->at_ms, date));
    json_kv_int(out, "fromUserId", user_number(m->from));
    json_kv_int(out, "toUserId", user_number(m->to));
    json_close(out, '}');
}

static void
kv_messages(struct sbuf *out, const struct pair_message *messages, size_t n)
{
    json_key(out, "messages");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        eventchat_write_message(out, &messages[i]);
    json_close(out, ']');
}

static void
kv_counts(struct sbuf *out, const struct pair_counts *counts)
{
    json_kv_int(out, "myUnreadCount", counts->mine);
    json_kv_int(out, "interlocutorUnreadCount", counts->theirs);
}

/* with_event: also which event it belongs to. */
static void
write_view(struct sbuf *out, const struct pair_view *v, bool with_event)
{
    json_open(out, '{');
    json_kv(out, "chatId", v->chat);
    if (with_event)
        eventchat_kv_event(out, &v->meeting);
    json_kv_bool(out, "isRequestSended", v->requested);
    json_kv_bool(out, "isAccessGranted", v->granted);
    json_key(out, "user");
    eventchat_write_user(out, &v->other);
    kv_messages(out, v->messages, v->n_messages);
    kv_counts(out, &v->unread);
    json_close(out, '}');
}

void
eventchat_write_chat(struct sbuf *out, const struct pair_view *v)
{
    write_view(out, v, true);
}

void
eventchat_write_unread(struct sbuf *out, const char *chat, const struct pair_counts *counts)
{
    json_open(out, '{');
    json_kv(out, "chatId", chat);
    kv_counts(out, counts);
    json_close(out, '}');
}

void
eventchat_write_history(struct sbuf *out, const char *chat, const struct pair_history *h)
{
    json_open(out, '{');
    json_kv(out, "chatId", chat);
    kv_messages(out, h->messages, h->n);
    json_kv_bool(out, "hasMore", h->more);
    json_close(out, '}');
}

void
eventchat_write_list(struct sbuf *out, const struct pair_view *list, size_t n)
{
    size_t i = 0;

    json_open(out, '[');
    while (i < n) {
        int64_t meeting = list[i].meeting.id;

        json_open(out, '{');
        eventchat_kv_event(out, &list[i].meeting);
        json_key(out, "chats");
        json_open(out, '[');
        for (; i < n && list[i].meeting.id == meeting; i++)
            write_view(out, &list[i], false);
        json_close(out, ']');
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* ---- the system ---- */

static void
write_event(struct sbuf *out, const struct notice *n)
{
    const struct pair_view *v = n->pair->view;
    bool changed = n->kind == EVENT_PAIR_CHANGED;

    json_open(out, '{');
    json_kv(out, "event", changed ? EVENTCHAT_CHAT_UPDATES : EVENTCHAT_CHAT_UNREAD);
    json_key(out, "data");
    if (changed)
        eventchat_write_chat(out, v);
    else
        eventchat_write_unread(out, v->chat, &v->unread);
    json_close(out, '}');
}

/* Nobody joins a chat of two, so no entry speaks of that. */
static void
write_system_entry(struct sbuf *out, enum system_entry what, const struct member_new *members, size_t n)
{
    (void)out, (void)what, (void)members, (void)n;
}

/* What a connecting session is told first: initial_data's payload. */
static enum err
first(struct op *o, const char *user, const char **json_r)
{
    struct pair_view *list;
    struct sbuf out;
    size_t n;
    enum err e = pair_list(o, user, &list, &n);

    if (e != ERR_OK)
        return e;
    sbuf_init(&out, SIZE_MAX);
    eventchat_write_list(&out, list, n);
    e = out.failed ? ERR_NO_MEMORY : ERR_OK;
    *json_r = arena_copy(o->arena, sbuf_str(&out), out.len);
    sbuf_fini(&out);
    return e;
}

const struct chat_system chat_eventchat = {
    .name = "eventchat",
    .channel_prefix = "chat",
    .write_event = write_event,
    .write_system_entry = write_system_entry,
    .first = first,
};
