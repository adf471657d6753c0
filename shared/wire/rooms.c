/* rooms - its JSON, written from the core's structs
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE             /* memmem */
#include "shared/wire/rooms.h"

#include <stdio.h>
#include <string.h>

#include "shared/json.h"
#include "shared/when.h"

/* ---- values ---- */

void
rooms_write_id(struct sbuf *out, int64_t id)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)id);
    json_string(out, id != 0 ? text : NULL);
}

void
rooms_kv_id(struct sbuf *out, const char *name, int64_t id)
{
    json_key(out, name);
    rooms_write_id(out, id);
}

/* 0 is null. */
static void
kv_time(struct sbuf *out, const char *name, int64_t ms)
{
    char text[WHEN_TEXT_SIZE];

    json_kv(out, name, ms != 0 ? when_text(ms, text) : NULL);
}

static const char *
or_empty(const char *s)
{
    return s != NULL ? s : "";
}

/* ---- people and places ---- */

void
rooms_write_auth(struct sbuf *out, const struct auth *auth)
{
    json_open(out, '{');
    rooms_kv_id(out, "id", auth->account.id);
    json_kv(out, "email", auth->account.email);
    json_kv(out, "username", auth->account.username);
    json_kv(out, "token", or_empty(auth->token));
    json_kv(out, "refreshToken", or_empty(auth->refresh));
    json_close(out, '}');
}

void
rooms_write_room(struct sbuf *out, const struct room *room)
{
    json_open(out, '{');
    rooms_kv_id(out, "id", room->id);
    json_kv(out, "name", room->name);
    json_kv(out, "description", room->description);
    json_kv_double(out, "speed", room->speed);
    json_kv(out, "orchestration_type", orchestration_word(room->orchestration));
    kv_time(out, "createdAt", room->created_ms);
    kv_time(out, "updatedAt", room->updated_ms);
    json_kv_int(out, "agentCount", room->n_agents);
    json_close(out, '}');
}

void
rooms_write_mood(struct sbuf *out, enum mood mood, double level)
{
    static const struct {
        const char *icon, *color;
    } looks[] = {
        [MOOD_HAPPY] = { "😊", "#4ade80" },
        [MOOD_NEUTRAL] = { "😐", "#94a3b8" },
        [MOOD_SAD] = { "😢", "#f87171" },
        [MOOD_ANGRY] = { "😠", "#ef4444" },
        [MOOD_EXCITED] = { "🤩", "#eab308" },
    };

    json_open(out, '{');
    json_kv(out, "mood", mood_word(mood));
    json_kv_double(out, "level", level);
    json_kv(out, "icon", looks[mood].icon);
    json_kv(out, "color", looks[mood].color);
    json_close(out, '}');
}

/* What every form of an agent begins with. */
static void
agent_fields(struct sbuf *out, const struct agent *a)
{
    rooms_kv_id(out, "id", a->id);
    json_kv(out, "name", a->name);
    json_kv(out, "avatar", a->avatar);
    json_key(out, "mood");
    rooms_write_mood(out, a->mood, a->level);
}

void
rooms_write_agent(struct sbuf *out, const struct agent *agent)
{
    json_open(out, '{');
    agent_fields(out, agent);
    json_close(out, '}');
}

void
rooms_write_agent_for_runner(struct sbuf *out, const struct agent *agent)
{
    json_open(out, '{');
    agent_fields(out, agent);
    json_kv(out, "character", agent->character);
    json_close(out, '}');
}

void
rooms_write_memory(struct sbuf *out, const struct memory *memory)
{
    json_open(out, '{');
    rooms_kv_id(out, "id", memory->id);
    json_kv(out, "content", memory->content);
    kv_time(out, "timestamp", memory->at_ms);
    json_kv_double(out, "importance", memory->importance);
    json_close(out, '}');
}

void
rooms_write_plan(struct sbuf *out, const struct plan *plan)
{
    json_open(out, '{');
    rooms_kv_id(out, "id", plan->id);
    json_kv(out, "description", plan->description);
    json_kv(out, "status", plan_status_word(plan->status));
    json_close(out, '}');
}

static void
write_link(struct sbuf *out, const struct agent_link *link)
{
    json_open(out, '{');
    rooms_kv_id(out, "agentId", link->agent);
    json_kv(out, "agentName", link->name);
    json_kv_double(out, "sympathyLevel", link->level);
    json_close(out, '}');
}

static void
open_list(struct sbuf *out, const char *name)
{
    json_key(out, name);
    json_open(out, '[');
}

void
rooms_write_agent_full(struct sbuf *out, const struct agent_full *full)
{
    json_open(out, '{');
    agent_fields(out, &full->agent);
    json_kv(out, "character", full->agent.character);
    open_list(out, "keyMemories");
    for (size_t i = 0; i < full->n_memories; i++)
        rooms_write_memory(out, &full->memories[i]);
    json_close(out, ']');
    open_list(out, "plans");
    for (size_t i = 0; i < full->n_plans; i++)
        rooms_write_plan(out, &full->plans[i]);
    json_close(out, ']');
    open_list(out, "relationships");
    for (size_t i = 0; i < full->n_links; i++)
        write_link(out, &full->links[i]);
    json_close(out, ']');
    json_close(out, '}');
}

void
rooms_write_edge(struct sbuf *out, const struct room_edge *edge, bool with_name)
{
    json_open(out, '{');
    rooms_kv_id(out, "from", edge->from);
    rooms_kv_id(out, "to", edge->to);
    if (with_name)
        json_kv(out, "agentName", NULL);
    json_kv_double(out, "sympathyLevel", edge->level);
    json_close(out, '}');
}

void
rooms_write_runner_key(struct sbuf *out, const struct runner_key *key)
{
    bool made = key->key != NULL;

    json_open(out, '{');
    rooms_kv_id(out, "id", key->id);
    rooms_kv_id(out, "roomId", key->room);
    json_kv(out, "name", key->name);
    if (made)
        json_kv(out, "key", key->key);
    json_kv(out, "webhookUrl", key->webhook_url);
    if (made)
        json_kv(out, "webhookSecret", key->webhook_secret);
    kv_time(out, "createdAt", key->created_ms);
    if (!made)
        kv_time(out, "lastUsedAt", key->last_used_ms);
    json_close(out, '}');
}

/* ---- messages and events ---- */

static void
agent_ids(struct sbuf *out, const struct room_entry *e)
{
    open_list(out, "agentIds");
    for (size_t i = 0; i < e->n_agents; i++)
        rooms_write_id(out, e->agents[i]);
    json_close(out, ']');
}

static void
message_fields(struct sbuf *out, const struct room_entry *e)
{
    rooms_kv_id(out, "id", e->id);
    json_kv(out, "text", e->text);
    json_kv(out, "sender", e->sender);
    rooms_kv_id(out, "agentId", e->agent);
    kv_time(out, "timestamp", e->at_ms);
}

/* type_name: what the event's own type is called. */
static void
event_fields(struct sbuf *out, const struct room_entry *e, const char *type_name)
{
    rooms_kv_id(out, "id", e->id);
    json_kv(out, type_name, e->type);
    agent_ids(out, e);
    json_kv(out, "description", e->text);
    kv_time(out, "timestamp", e->at_ms);
}

void
rooms_write_message(struct sbuf *out, const struct room_entry *entry)
{
    json_open(out, '{');
    message_fields(out, entry);
    json_kv(out, "agentResponse", NULL);
    json_close(out, '}');
}

void
rooms_write_list_message(struct sbuf *out, const struct room_entry *entry)
{
    json_open(out, '{');
    message_fields(out, entry);
    json_close(out, '}');
}

void
rooms_write_event(struct sbuf *out, const struct room_entry *entry)
{
    json_open(out, '{');
    event_fields(out, entry, "type");
    json_close(out, '}');
}

void
rooms_write_feed_item(struct sbuf *out, const struct room_entry *entry)
{
    json_open(out, '{');
    json_kv(out, "type", entry->type != NULL ? "event" : "message");
    if (entry->type != NULL)
        event_fields(out, entry, "eventType");
    else
        message_fields(out, entry);
    json_close(out, '}');
}

/* ---- frames ---- */

#define PAYLOAD "\"payload\":{"

/* Up to the payload's opening brace. */
static void
open_frame(struct sbuf *out, const char *type)
{
    json_open(out, '{');
    json_kv(out, "type", type);
    json_key(out, "payload");
    json_open(out, '{');
}

static void
close_frame(struct sbuf *out)
{
    json_close(out, '}');
    json_close(out, '}');
}

void
rooms_write_connected(struct sbuf *out, enum room_socket kind, int64_t room)
{
    static const char *const greetings[] = {
        [ROOM_SOCKET_CHAT] = "Подключено к чату комнаты",
        [ROOM_SOCKET_GRAPH] = "Подключено к графу отношений",
        [ROOM_SOCKET_RUNNER] = "Подключено к потоку исполнителя",
    };

    open_frame(out, "connected");
    if (kind == ROOM_SOCKET_RUNNER)
        json_kv(out, "scope", room != 0 ? "room" : "all");
    rooms_kv_id(out, "roomId", room);
    json_kv(out, "message", greetings[kind]);
    close_frame(out);
}

static void
write_entry(struct sbuf *out, const struct room_entry *e)
{
    if (e->type != NULL) {
        open_frame(out, "event");
        event_fields(out, e, "eventType");
    } else {
        open_frame(out, "message");
        message_fields(out, e);
        json_kv(out, "agentResponse", NULL);
    }
    close_frame(out);
}

static void
write_edge(struct sbuf *out, const struct room_notice *n)
{
    open_frame(out, "edge_update");
    rooms_kv_id(out, "roomId", n->room);
    rooms_kv_id(out, "from", n->edge->from);
    rooms_kv_id(out, "to", n->edge->to);
    json_kv_double(out, "sympathyLevel", n->edge->level);
    close_frame(out);
}

static void
write_run(struct sbuf *out, const struct room_notice *n)
{
    open_frame(out, "orchestration");
    json_kv_bool(out, "running", n->running);
    json_kv(out, "orchestration_type", orchestration_word(n->orchestration));
    close_frame(out);
}

static void
write_event(struct sbuf *out, const struct notice *n)
{
    switch (n->kind) {
    case EVENT_ENTRY_NEW:
        write_entry(out, n->room->entry);
        break;
    case EVENT_RELATIONSHIP:
        write_edge(out, n->room);
        break;
    case EVENT_ORCHESTRATION:
        write_run(out, n->room);
        break;
    default:
        break;                  /* rooms have no others */
    }
}

/* The id of the room an event happened in; 0 when it names none. */
static int64_t
room_of(const struct event *e)
{
    enum room_socket kind;
    int64_t room = 0;

    for (size_t i = 0; i < e->n_channels; i++)
        if (room_of_channel(e->channels[i], &room, &kind))
            break;
    return room;
}

/* The first "payload":{ is the frame's own: nothing before it comes from outside. */
void
rooms_write_runner_frame(struct sbuf *out, const struct event *e)
{
    const char *payload = memmem(e->body, e->body_len, PAYLOAD, strlen(PAYLOAD));
    size_t head;

    if (payload == NULL)
        return;
    head = (size_t)(payload - e->body) + strlen(PAYLOAD);
    sbuf_put(out, e->body, head);
    sbuf_printf(out, "\"roomId\":\"%lld\",", (long long)room_of(e));
    sbuf_put(out, e->body + head, e->body_len - head);
}

void
rooms_write_runner_message(struct sbuf *out, int64_t room, const struct room_entry *entry)
{
    open_frame(out, "message");
    rooms_kv_id(out, "roomId", room);
    message_fields(out, entry);
    json_kv(out, "agentResponse", NULL);
    close_frame(out);
}

const char *
rooms_frame_type(const struct event *e)
{
    static const char event[] = "{\"type\":\"event\"";

    switch (e->kind) {
    case EVENT_ENTRY_NEW:
        return e->body_len >= strlen(event) && memcmp(e->body, event, strlen(event)) == 0
                   ? "event" : "message";
    case EVENT_RELATIONSHIP:
        return "edge_update";
    case EVENT_ORCHESTRATION:
        return "orchestration";
    default:
        return "none";
    }
}

/* Rooms have no participants, hence no entries about them. */
static void
write_system_entry(struct sbuf *out, enum system_entry what, const struct member_new *members,
                   size_t n)
{
    (void)out, (void)what, (void)members, (void)n;
}

const struct chat_system chat_rooms = {
    .name = "rooms",
    .channel_prefix = "room",
    .write_event = write_event,
    .write_system_entry = write_system_entry,
};
