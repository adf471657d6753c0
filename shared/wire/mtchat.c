/* mtchat - its JSON, written from the core's structs
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/wire/mtchat.h"

#include "shared/json.h"
#include "shared/when.h"

/* What a leaver without a name is called. */
#define NAMELESS "\xe2\x80\x94"

static void
kv_id(struct sbuf *out, const char *name, const struct id *id)
{
    char text[ID_TEXT_SIZE];

    json_kv(out, name, id->given ? id_text(id, text) : NULL);
}

static void
kv_time(struct sbuf *out, const char *name, int64_t ms)
{
    char text[WHEN_TEXT_SIZE];

    json_kv(out, name, when_text(ms, text));
}

static void
kv_time_or_null(struct sbuf *out, const char *name, int64_t ms)
{
    if (ms != 0)
        kv_time(out, name, ms);
    else
        json_kv(out, name, NULL);
}

/* ---- objects ---- */

static void
message_fields(struct sbuf *out, const struct entry *e)
{
    kv_id(out, "id", &e->uid);
    kv_id(out, "dialog_id", &e->conversation);
    json_kv(out, "sender_id", e->author);
    json_kv(out, "content", e->content);
    kv_time(out, "sent_at", e->at_ms);
    json_kv(out, "message_type", e->kind == ENTRY_SYSTEM ? "system" : "user");
}

void
mtchat_write_message(struct sbuf *out, const struct entry *e, const char *client_key)
{
    json_open(out, '{');
    message_fields(out, e);
    kv_time_or_null(out, "last_edited_at", e->edited_ms);
    kv_id(out, "reply_to_id", &e->reply_to);
    if (client_key != NULL)
        json_kv(out, "client_message_id", client_key);
    json_close(out, '}');
}

void
mtchat_write_dialog(struct sbuf *out, const struct conversation *c, bool open)
{
    json_open(out, '{');
    kv_id(out, "id", &c->uid);
    json_kv(out, "object_id", c->object_id);
    json_kv(out, "object_type", c->object_type);
    json_kv(out, "title", c->title);
    json_kv(out, "object_url", c->object_url);
    json_kv(out, "created_by", c->created_by);
    kv_time(out, "created_at", c->created_ms);
    if (c->meta != NULL) {
        json_key(out, "meta");
        json_put_raw(out, c->meta);
    }
    if (!open)
        json_close(out, '}');
}

void
mtchat_write_participant(struct sbuf *out, const struct id *dialog, const struct member *m,
                         bool with_online)
{
    json_open(out, '{');
    kv_id(out, "dialog_id", dialog);
    json_kv(out, "user_id", m->user);
    kv_time(out, "joined_at", m->joined_ms);
    json_kv(out, "joined_as", m->joined_as == JOINED_SELF ? "joined" : "participant");
    json_kv_bool(out, "notifications_enabled", m->notifications);
    kv_id(out, "last_read_message_id", &m->read);
    json_kv_int(out, "unread_count", m->unread);
    json_kv(out, "display_name", m->display_name);
    json_kv(out, "company", m->company);
    json_kv(out, "email", m->email);
    json_kv(out, "phone", m->phone);
    json_kv_bool(out, "is_archived", m->archived);
    json_kv_bool(out, "is_pinned", m->pinned);
    if (with_online)
        json_kv_bool(out, "is_online", m->online);
    json_close(out, '}');
}

void
mtchat_write_scope(struct sbuf *out, const struct id *dialog, const struct scope *s)
{
    static const char *const names[SCOPE_LEVELS] = {
        "scope_level0", "scope_level1", "scope_level2",
    };

    json_open(out, '{');
    kv_id(out, "id", &s->uid);
    kv_id(out, "dialog_id", dialog);
    for (int level = 0; level < SCOPE_LEVELS; level++) {
        const struct list *l = &s->lists.level[level];

        json_key(out, names[level]);
        json_open(out, '[');
        for (size_t i = 0; i < l->n; i++)
            json_string(out, ((const char *const *)l->items)[i]);
        json_close(out, ']');
    }
    kv_time(out, "created_at", s->created_ms);
    json_close(out, '}');
}

/* ---- events ---- */

/* The flat fields cannot carry a quote; the whole message goes beside them when there is one. */
static void
write_new(struct sbuf *out, const struct notice *n)
{
    message_fields(out, n->entry);
    if (n->client_key != NULL)
        json_kv(out, "client_message_id", n->client_key);
    if (!n->entry->reply_to.given)
        return;
    json_key(out, "payload");
    json_open(out, '{');
    json_key(out, "message");
    mtchat_write_message(out, n->entry, n->client_key);
    json_close(out, '}');
}

static void
write_member(struct sbuf *out, const struct notice *n)
{
    kv_id(out, "dialog_id", &n->conversation);
    json_kv(out, "user_id", n->user);
}

static const char *
frame_type(enum event_kind kind)
{
    switch (kind) {
    case EVENT_ENTRY_NEW:
        return "message.new";
    case EVENT_ENTRY_EDITED:
        return "message.edited";
    case EVENT_ENTRY_DELETED:
        return "message.deleted";
    case EVENT_READ:
        return "message.read";
    case EVENT_MEMBER_JOINED:
        return "participant.joined";
    case EVENT_MEMBER_LEFT:
        return "participant.left";
    case EVENT_ARCHIVED:
        return "dialog.archived";
    case EVENT_UNARCHIVED:
        return "dialog.unarchived";
    case EVENT_PRESENCE:
        return "presence.update";
    default:            /* of other systems */
        break;              /* not of this system, or heard by nobody */
    }
    return "unknown";
}

static void
write_fields(struct sbuf *out, const struct notice *n)
{
    switch (n->kind) {
    case EVENT_ENTRY_NEW:
        write_new(out, n);
        break;
    case EVENT_ENTRY_EDITED:
        kv_id(out, "id", &n->entry->uid);
        kv_id(out, "dialog_id", &n->conversation);
        json_kv(out, "content", n->entry->content);
        kv_time(out, "last_edited_at", n->entry->edited_ms);
        break;
    case EVENT_ENTRY_DELETED:
        kv_id(out, "id", &n->entry->uid);
        kv_id(out, "dialog_id", &n->conversation);
        break;
    case EVENT_READ:
        write_member(out, n);
        kv_id(out, "last_read_message_id", &n->read);
        break;
    case EVENT_MEMBER_JOINED:
    case EVENT_MEMBER_LEFT:
        write_member(out, n);
        break;
    case EVENT_ARCHIVED:
    case EVENT_UNARCHIVED:
        kv_id(out, "dialog_id", &n->conversation);
        break;
    case EVENT_PRESENCE:
        json_kv(out, "user_id", n->user);
        json_kv_bool(out, "is_online", n->online);
        break;
    default:            /* of other systems */
        break;
    }
}

static void
write_event(struct sbuf *out, const struct notice *n)
{
    json_open(out, '{');
    json_kv(out, "type", frame_type(n->kind));
    write_fields(out, n);
    json_close(out, '}');
}

void
mtchat_write_frame(struct sbuf *out, const struct event *e)
{
    sbuf_printf(out, "{\"seq\":%lld,", (long long)e->seq);
    sbuf_put(out, e->body + 1, e->body_len - 1);        /* behind its '{' */
}

/* ---- system entries ---- */

static void
write_created(struct sbuf *out, const struct member_new *members, size_t n)
{
    json_kv(out, "event", "chat_created");
    json_key(out, "participants");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv(out, "name", members[i].display_name);
        if (members[i].company != NULL)
            json_kv(out, "company", members[i].company);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void
write_system_entry(struct sbuf *out, enum system_entry what, const struct member_new *members,
                   size_t n)
{
    const char *name = members[0].display_name;

    json_open(out, '{');
    switch (what) {
    case SYSTEM_CREATED:
        write_created(out, members, n);
        break;
    case SYSTEM_JOINED:
        json_kv(out, "event", "participant_joined");
        json_kv(out, "name", name);
        json_kv(out, "company", members[0].company);
        break;
    case SYSTEM_LEFT:
        json_kv(out, "event", "participant_left");
        json_kv(out, "name", name != NULL && name[0] != '\0' ? name : NAMELESS);
        break;
    }
    json_close(out, '}');
}

const struct chat_system chat_mtchat = {
    .name = "mtchat",
    .channel_prefix = "dialog",
    .restart_grace = true,
    .tells_presence = true,
    .write_event = write_event,
    .write_system_entry = write_system_entry,
};
