/* render - dialogs as one caller sees them
 *
 * What stands in an item depends on who looks: somebody who has not joined gets neither
 * messages nor anybody's state (docs/api/mtchat.md, "Dialog item").
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/mtchat/mtchat.h"
#include "shared/json.h"
#include "shared/when.h"
#include "shared/wire/mtchat.h"

static void
write_time(struct sbuf *out, const char *name, int64_t ms)
{
    char text[WHEN_TEXT_SIZE];

    json_kv(out, name, when_text(ms, text));
}

static void
write_own_state(struct sbuf *out, const struct member *me)
{
    json_kv_int(out, "unread_count", me->unread);
    json_kv_bool(out, "is_archived", me->archived);
    json_kv_bool(out, "is_pinned", me->pinned);
    json_kv_bool(out, "notifications_enabled", me->notifications);
}

static void
write_last_message(struct sbuf *out, const struct entry *last)
{
    char id[ID_TEXT_SIZE];

    json_key(out, "last_message");
    json_open(out, '{');
    json_kv(out, "id", id_text(&last->uid, id));
    json_kv(out, "content", last->content);
    if (last->kind == ENTRY_SAID) {
        json_kv(out, "sender_id", last->author);
        if (last->author_name)
            json_kv(out, "sender_name", last->author_name);
    }
    write_time(out, "sent_at", last->at_ms);
    json_kv(out, "message_type", last->kind == ENTRY_SYSTEM ? "system" : "user");
    json_close(out, '}');
}

static void
write_participants(struct sbuf *out, const struct member_new *members, size_t n)
{
    size_t i;

    json_key(out, "participants");
    json_open(out, '[');
    for (i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv(out, "user_id", members[i].user);
        if (members[i].display_name)
            json_kv(out, "display_name", members[i].display_name);
        if (members[i].company)
            json_kv(out, "company", members[i].company);
        json_close(out, '}');
    }
    json_close(out, ']');
}

void
mtchat_write_item(struct sbuf *out, const struct conversation_view *v, bool by_id)
{
    mtchat_write_dialog(out, &v->c, true);
    if (v->is_member || !by_id)
        json_kv_int(out, "participants_count", v->c.n_members);
    json_kv_bool(out, "i_am_participant", v->is_member);
    json_kv_bool(out, "can_join", v->can_join);
    if (v->is_member)
        write_own_state(out, &v->me);
    if (v->has_last && (v->is_member || !by_id))
        write_time(out, "last_message_at", v->last.at_ms);
    if (v->has_last && v->is_member)
        write_last_message(out, &v->last);
    if (v->n_members > 0 && (v->is_member || (v->can_join && !by_id)))
        write_participants(out, v->members, v->n_members);
    json_close(out, '}');
}
