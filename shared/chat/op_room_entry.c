/* op_room_entry - what is said and what happens in a room
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "shared/chat/room_private.h"

/* Whose idempotency keys these are, in the core's table: those of messages and of events are
 * apart. */
#define KEYS_OF_MESSAGES "runner"
#define KEYS_OF_EVENTS "runner:event"
#define REQUEST_SIZE 32
#define AUTHOR_RUNNER "runner"
#define AUTHOR_VOICE "voice"

/* ---- writing ---- */

/* One entry to be: everything but id and time. */
struct writing {
    struct op *o;
    int64_t room;
    const char *author;
    struct room_entry *entry;
    const char *keys, *key;     /* whose idempotency key, and it; NULL: none */
};

/* *repeat_r: the key was used; the entry is the first one again. */
static enum err
look_up_key(const struct writing *w, bool *repeat_r)
{
    struct store s = op_store(w->o);
    struct idempotency known;
    enum err e;

    *repeat_r = false;
    if (w->key == NULL)
        return ERR_OK;
    e = store_idempotency_find(&s, w->room, w->keys, w->key, &known);
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (e == ERR_OK)
        e = store_room_entry_find(&s, w->room, known.entry, w->entry);
    *repeat_r = e == ERR_OK;
    return e;
}

/* A repeat gets the first answer whatever it says, so what was asked is not kept. */
static enum err
remember_key(const struct writing *w, const struct entry *e)
{
    static const uint8_t unused[REQUEST_SIZE];
    struct store s = op_store(w->o);
    struct idempotency i = { .request = unused, .entry = e->id, .uid = e->uid, .n = e->n,
                             .at_ms = e->at_ms };

    return w->key == NULL ? ERR_OK : store_idempotency_insert(&s, w->room, w->keys, w->key, &i);
}

/* Adds the entry, with its id and time, and tells of it. */
static enum err
append(const struct writing *w)
{
    struct store s = op_store(w->o);
    struct entry e = {
        .kind = w->entry->type != NULL ? ENTRY_EVENT : ENTRY_SAID,
        .author = w->author,
        .content = w->entry->text,
    };
    enum err err;

    if ((err = store_entry_insert(&s, w->room, 0, &e)) != ERR_OK)
        return err;
    w->entry->id = e.id;
    w->entry->at_ms = e.at_ms;
    if ((err = store_room_entry_insert(&s, w->room, w->entry)) == ERR_OK
        && (err = remember_key(w, &e)) == ERR_OK
        && (err = room_tell_webhooks(w->o, w->room, w->entry)) == ERR_OK)
        room_tell_entry(w->o, w->room, w->entry);
    return err;
}

static const char *
author_of(struct op *o, const struct room_actor *who)
{
    return who->kind == ACTOR_OWNER ? arena_printf(o->arena, "%lld", (long long)who->account)
                                    : AUTHOR_RUNNER;
}

/* ---- messages ---- */

static enum err
no_agents(struct op *o)
{
    return room_rule(o, "there is no agent in this room yet");
}

enum err
op_room_say(struct op *o, const struct room_actor *who, int64_t room, int64_t addressee,
            const char *text, struct room_entry *entry_r)
{
    struct writing w = { .o = o, .room = room, .author = author_of(o, who), .entry = entry_r };
    struct agent a;
    struct room r;
    enum err e;

    *entry_r = (struct room_entry){ .text = text, .sender = ROOM_SENDER_USER, .agent = addressee };
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, &r)) != ERR_OK
        || (addressee != 0 && (e = room_rights_agent(o, who, room, addressee, &a)) != ERR_OK))
        goto out;
    e = r.n_agents == 0 ? no_agents(o) : append(&w);
out:
    return tx_end(o, e);
}

/* Whose the runner's message is. */
static enum err
set_sender(struct op *o, int64_t room, const struct runner_message *in, struct writing *w)
{
    struct store s = op_store(o);
    struct agent a;
    enum err e;

    w->entry->sender = in->sender;
    if (in->agent == 0) {
        w->author = AUTHOR_VOICE;
        return in->sender != NULL && room_voice(in->sender)
                   ? ERR_OK : room_rule(o, "without an agent the sender must be a stage voice");
    }
    if ((e = store_agent_find(&s, room, in->agent, &a, NULL)) == ERR_NOT_FOUND)
        return room_rule(o, "the agent is not in this room");
    if (e != ERR_OK)
        return e;
    if (in->sender != NULL && strcmp(in->sender, a.name) != 0)
        return room_rule(o, "the sender is not the agent's name");
    w->entry->sender = a.name;
    w->author = arena_printf(o->arena, "agent:%lld", (long long)in->agent);
    return ERR_OK;
}

enum err
op_runner_say(struct op *o, const struct room_actor *who, int64_t room,
              const struct runner_message *in, struct room_entry *entry_r, bool *repeat_r)
{
    struct writing w = { .o = o, .room = room, .entry = entry_r, .keys = KEYS_OF_MESSAGES,
                         .key = in->key };
    struct room r;
    enum err e;

    *entry_r = (struct room_entry){ .text = in->text, .agent = in->agent };
    *repeat_r = false;
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, &r)) == ERR_OK
        && (e = look_up_key(&w, repeat_r)) == ERR_OK && !*repeat_r
        && (e = set_sender(o, room, in, &w)) == ERR_OK)
        e = append(&w);
    return tx_end(o, e);
}

/* ---- events ---- */

static bool
listed(const int64_t *ids, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* Fills in whom the event concerns: those wanted, each once, or all who are in the room. */
static enum err
set_agents(struct op *o, int64_t room, const int64_t *wanted, size_t n_wanted,
           struct room_entry *entry)
{
    struct store s = op_store(o);
    struct agent *agents;
    int64_t *here, *ids;
    size_t n_here, n = 0;
    enum err e;

    if ((e = store_agent_list(&s, room, &agents, &n_here)) != ERR_OK)
        return e;
    here = arena_array(o->arena, n_here, sizeof *here);
    for (size_t i = 0; i < n_here; i++)
        here[i] = agents[i].id;
    entry->agents = here;
    entry->n_agents = n_here;
    if (n_wanted == 0)
        return ERR_OK;
    ids = arena_array(o->arena, n_here, sizeof *ids);
    for (size_t i = 0; i < n_wanted; i++) {
        if (!listed(here, n_here, wanted[i]))
            return room_rule(o, "an agent of the event is not in this room");
        if (!listed(ids, n, wanted[i]))
            ids[n++] = wanted[i];
    }
    entry->agents = ids;
    entry->n_agents = n;
    return ERR_OK;
}

enum err
op_room_event(struct op *o, const struct room_actor *who, int64_t room,
              const struct room_event_new *in, struct room_entry *entry_r, bool *repeat_r)
{
    struct writing w = { .o = o, .room = room, .author = author_of(o, who), .entry = entry_r,
                         .keys = KEYS_OF_EVENTS, .key = in->key };
    struct room r;
    enum err e;

    *entry_r = (struct room_entry){ .text = in->description, .type = in->type };
    *repeat_r = false;
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, &r)) == ERR_OK
        && (e = look_up_key(&w, repeat_r)) == ERR_OK && !*repeat_r
        && (e = set_agents(o, room, in->agents, in->n_agents, entry_r)) == ERR_OK)
        e = append(&w);
    return tx_end(o, e);
}

/* Event types that are also said aloud. */
static bool
is_spoken(const char *type)
{
    return strcmp(type, "user_message") == 0 || strcmp(type, "chat") == 0;
}

enum err
op_room_broadcast(struct op *o, const struct room_actor *who, int64_t room, const char *type,
                  const char *description, struct room_entry *entry_r)
{
    struct room_entry said = { .text = description, .sender = ROOM_SENDER_USER };
    struct writing event = { .o = o, .room = room, .author = author_of(o, who), .entry = entry_r };
    struct writing message = { .o = o, .room = room, .author = event.author, .entry = &said };
    struct room r;
    enum err e;

    *entry_r = (struct room_entry){ .text = description, .type = type };
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, &r)) != ERR_OK
        || (is_spoken(type) && r.n_agents == 0 && (e = no_agents(o)) != ERR_OK)
        || (e = set_agents(o, room, NULL, 0, entry_r)) != ERR_OK
        || (e = append(&event)) != ERR_OK)
        goto out;
    if (is_spoken(type))
        e = append(&message);
out:
    return tx_end(o, e);
}

/* ---- reading ---- */

/* One more than the limit is read, to tell whether there is more. */
static enum err
read_page(struct op *o, const struct room_actor *who, int64_t room, enum room_pick pick,
          int64_t bound, int64_t limit, struct room_page *page)
{
    struct store s = op_store(o);
    struct room r;
    enum err e;

    *page = (struct room_page){ 0 };
    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = room_rights(o, who, room, &r)) == ERR_OK)
        e = store_room_entry_page(&s, room, pick, bound, limit + 1, &page->entries, &page->n);
    page->more = page->n > (size_t)limit;
    if (page->more)
        page->n = (size_t)limit;
    return db_end(o->db, e);
}

enum err
op_room_messages(struct op *o, const struct room_actor *who, int64_t room, int64_t before,
                 int64_t limit, struct room_page *page_r)
{
    return read_page(o, who, room, ROOM_MESSAGES_BEFORE, before, limit, page_r);
}

enum err
op_runner_messages(struct op *o, const struct room_actor *who, int64_t room, int64_t since,
                   int64_t limit, struct room_page *page_r)
{
    return read_page(o, who, room, ROOM_MESSAGES_SINCE, since, limit, page_r);
}

enum err
op_room_feed(struct op *o, const struct room_actor *who, int64_t room, int64_t limit,
             struct room_page *page_r)
{
    return read_page(o, who, room, ROOM_FEED, 0, limit, page_r);
}
