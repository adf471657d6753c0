/* conversations - its JSON, written from the core's structs
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/wire/conversations.h"

#include "shared/json.h"

/* Ids of users are the decimal texts of integers. */
static void
kv_user(struct sbuf *out, const char *user)
{
    json_key(out, "user_id");
    json_put_raw(out, user);
}

/* A user who said nothing of himself is shown by his id. */
static void
kv_name(struct sbuf *out, const struct profile *p)
{
    if (p->name[0] != '\0') {
        json_kv(out, "name", p->name);
        return;
    }
    json_key(out, "name");
    json_put_raw(out, "\"id");
    sbuf_puts(out, p->user);
    sbuf_putc(out, '"');
}

static void
kv_said(struct sbuf *out, const char *text, int64_t at_ms)
{
    json_kv(out, "message", text);
    json_kv_int(out, "time", at_ms / 1000);
}

static void
message_fields(struct sbuf *out, const struct group_message *m)
{
    json_kv_int(out, "id", m->id);
    kv_name(out, &m->author);
    json_kv(out, "avatar", m->author.picture);
    kv_user(out, m->author.user);
    kv_said(out, m->text, m->at_ms);
}

static void
global_fields(struct sbuf *out, const struct global_message *m)
{
    json_kv_int(out, "id", m->id);
    kv_said(out, m->text, m->at_ms);
}

void
conversations_write_message(struct sbuf *out, const struct group_message *m)
{
    json_open(out, '{');
    message_fields(out, m);
    json_close(out, '}');
}

void
conversations_write_global(struct sbuf *out, const struct global_message *m)
{
    json_open(out, '{');
    global_fields(out, m);
    json_close(out, '}');
}

void
conversations_write_group(struct sbuf *out, const struct group *g)
{
    json_open(out, '{');
    json_kv_int(out, "id", g->id);
    json_kv(out, "name", g->name);
    json_kv_int(out, "members", g->n_members);
    json_kv_int(out, "viewers", g->n_viewers);
    json_key(out, "creator_id");
    json_put_raw(out, g->creator);
    if (g->mine) {
        json_kv_int(out, "unreadCount", g->unread);
        json_kv(out, "message", g->last_text);
        json_kv(out, "senderAvatar", g->last_picture);
    }
    json_close(out, '}');
}

void
conversations_write_profile(struct sbuf *out, const struct profile *p)
{
    json_open(out, '{');
    kv_user(out, p->user);
    kv_name(out, p);
    json_kv(out, "avatar", p->picture);
    json_close(out, '}');
}

/* ---- events ---- */

static const char *
event_name_of(const struct notice *n)
{
    switch (n->kind) {
    case EVENT_ENTRY_NEW:
        return n->group->message_event;
    case EVENT_MEMBER_JOINED:
        return "joined_conversation";
    case EVENT_MEMBER_LEFT:
        return "leaved_conversation";
    case EVENT_GROUP_NEW:
        return "new_conversation";
    case EVENT_GROUP_GONE:
        return "delete_conversation";
    case EVENT_VIEWERS:
        return "conversationViewersChange";
    default:
        return "unknown";           /* nothing else is said in this system */
    }
}

static void
event_fields(struct sbuf *out, const struct notice *n)
{
    const struct group_notice *g = n->group;

    switch (n->kind) {
    case EVENT_ENTRY_NEW:
        if (g->global != NULL)
            global_fields(out, g->global);
        else
            message_fields(out, g->message);
        break;
    case EVENT_MEMBER_JOINED:
        kv_user(out, g->who->user);
        json_kv(out, "avatar", g->who->picture);
        kv_name(out, g->who);
        break;
    case EVENT_MEMBER_LEFT:
        kv_user(out, g->who->user);
        break;
    case EVENT_GROUP_NEW:
        json_kv(out, "name", g->name);
        json_kv_int(out, "members", 1);
        json_kv(out, "senderAvatar", g->who->picture);
        break;
    case EVENT_VIEWERS:
        json_kv_int(out, "viewers", g->viewers);
        break;
    default:
        break;
    }
}

static void
write_event(struct sbuf *out, const struct notice *n)
{
    json_open(out, '{');
    json_kv(out, "event", event_name_of(n));
    json_key(out, "data");
    json_open(out, '{');
    json_kv_int(out, "conversation_id", n->group->group);
    event_fields(out, n);
    json_close(out, '}');
    json_close(out, '}');
}

/* What the system says it says by events. */
static void
write_system_entry(struct sbuf *out, enum system_entry what, const struct member_new *members,
                   size_t n)
{
    (void)out, (void)what, (void)members, (void)n;
}

const struct chat_system chat_conversations = {
    .name = "conversations",
    .channel_prefix = "conversation",
    .offline = group_offline,
    .write_event = write_event,
    .write_system_entry = write_system_entry,
};
