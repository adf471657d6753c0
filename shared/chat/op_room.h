/* op_room - the operations of the rooms system
 *
 * As op.h; op->system is &chat_rooms. Each says who may call it. A room that is missing and
 * one that is not the caller's are the same ERR_NOT_FOUND; so are agents that are not in the
 * room where a path names them. ERR_RULE is a rule of the domain broken, its sentence in
 * op->fail. Inputs are checked structs: lengths, ranges and reserved names
 * (room_name_reserved) are the caller's to refuse; what needs rows is refused here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_OP_ROOM_H
#define SHARED_CHAT_OP_ROOM_H

#include "shared/chat/account.h"
#include "shared/chat/op.h"
#include "shared/chat/room.h"
#include "shared/opaque.h"

/* Who calls. A zeroed actor is nobody and may nothing. */
struct room_actor {
    enum { ACTOR_NOBODY = 0, ACTOR_OWNER, ACTOR_RUNNER, ACTOR_RUNNER_OF_ALL } kind;
    int64_t account;            /* OWNER: whose rooms it may know */
    int64_t key, room;          /* RUNNER: id of its key, and the only room it may know */
};

/* ---- rooms (op_room.c) ---- */

struct room_new {
    const char *name, *description;
    enum orchestration orchestration;
};

/* The account's own. A narrator room is born with its narrator. ERR_RULE: rooms_per_user. */
enum err op_room_create(struct op *o, int64_t account, const struct room_new *in,
                        struct room *room_r);

/* Anybody: all that the actor may know, by id. */
enum err op_room_list(struct op *o, const struct room_actor *who, struct room **rooms_r, size_t *n_r);

/* Owner or runner in scope; one read, so it also serves to ask for the room before the input
 * is looked at. */
enum err op_room_find(struct op *o, const struct room_actor *who, int64_t room,
                      struct room *room_r);

struct room_change {
    const char *description;    /* NULL leaves it, "" empties it */
    bool has_speed;
    double speed;
};

/* Owner. Changing nothing is fine and leaves updated_ms alone. */
enum err op_room_change(struct op *o, const struct room_actor *who, int64_t room,
                        const struct room_change *change, struct room *room_r);

/* Owner. Everything in it goes, and agents that are in no other room; its chat and graph
 * sockets are closed with 4003, those of its runner keys with 4001. */
enum err op_room_delete(struct op *o, const struct room_actor *who, int64_t room);

/* Owner. Tells runners, whether or not it changes anything. ERR_RULE (start): a room of type
 * single, or without agents. *was_r: it was running. */
enum err op_room_run(struct op *o, const struct room_actor *who, int64_t room, bool running,
                     struct room *room_r, bool *was_r);

/* ---- agents (op_agent.c) ---- */

struct agent_new {
    int64_t existing;           /* an agent of the account's; 0: a new one */
    const char *name;           /* with existing: ignored */
    const char *character;      /* NULL or blank: a stock text */
    const char *avatar;
};

/* Owner. ERR_NOT_FOUND: existing is none of his. ERR_RULE: it or its name is in the room already;
 * rooms_agents_max. */
enum err op_agent_add(struct op *o, const struct room_actor *who, int64_t room,
                      const struct agent_new *in, struct agent *agent_r);

/* Owner or runner. By id. */
enum err op_agent_list(struct op *o, const struct room_actor *who, int64_t room,
                       struct agent **agents_r, size_t *n_r);

/* Owner or runner; one read: is that agent in the room? */
enum err op_agent_find(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
                       struct agent *agent_r);

#define AGENT_MEMORIES 10
#define AGENT_PLANS 20

struct agent_full {
    struct agent agent;
    struct memory *memories;    /* the most important, then newest */
    size_t n_memories;
    struct plan *plans;         /* newest first */
    size_t n_plans;
    struct agent_link *links;   /* one for each other agent of the room, by id */
    size_t n_links;
};

/* Owner. */
enum err op_agent_inspect(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
                          struct agent_full *full_r);

/* Owner. It leaves this room: its edges, memories and plans here go, its messages stay without
 * it; it goes itself when no room holds it. Nothing is pushed. ERR_RULE: the narrator of a
 * narrator room. */
enum err op_agent_remove(struct op *o, const struct room_actor *who, int64_t room, int64_t agent);

/* Owner. Newest first; *total_r counts all. */
enum err op_agent_memories(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
                           int64_t limit, int64_t offset, struct memory **list_r, size_t *n_r,
                           int64_t *total_r);

/* Owner or runner. Oldest first. */
enum err op_agent_plans(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
                        struct plan **list_r, size_t *n_r);

/* All agents of the account, by id. */
enum err op_agent_own(struct op *o, int64_t account, struct agent **agents_r, size_t *n_r);

/* ---- messages and events (op_room_entry.c) ---- */

/* Owner. As the user; to the whole room (addressee 0) or to one agent. ERR_NOT_FOUND: the
 * addressee is not there. ERR_RULE: a room without agents. */
enum err op_room_say(struct op *o, const struct room_actor *who, int64_t room, int64_t addressee,
                     const char *text, struct room_entry *entry_r);

struct room_event_new {
    const char *type, *description;
    const int64_t *agents;      /* any order, repeats are dropped */
    size_t n_agents;            /* 0: all agents now in the room */
    const char *key;            /* idempotency key; NULL (always for owners) */
};

/* Owner or runner. ERR_RULE: an agent is not in the room. *repeat_r: the key was used in this
 * room for an event before; entry_r is the first one again. */
enum err op_room_event(struct op *o, const struct room_actor *who, int64_t room,
                       const struct room_event_new *in, struct room_entry *entry_r,
                       bool *repeat_r);

/* Owner. An event for all agents; of type user_message or chat also a message of the user's
 * behind it (ERR_RULE then: a room without agents). entry_r is the event. */
enum err op_room_broadcast(struct op *o, const struct room_actor *who, int64_t room,
                           const char *type, const char *description, struct room_entry *entry_r);

struct room_page {
    struct room_entry *entries;
    size_t n;
    bool more;                  /* exact */
};

#define ROOM_NO_BOUND INT64_MAX

/* Owner. Messages with an id below before (ROOM_NO_BOUND: any), newest first. */
enum err op_room_messages(struct op *o, const struct room_actor *who, int64_t room, int64_t before,
                          int64_t limit, struct room_page *page_r);

/* Owner. The newest messages and events, newest first. */
enum err op_room_feed(struct op *o, const struct room_actor *who, int64_t room, int64_t limit,
                      struct room_page *page_r);

/* ---- relationships (op_relation.c) ---- */

struct room_graph {
    struct room room;
    struct agent *agents;       /* by id */
    size_t n_agents;
    struct room_edge *edges;    /* every pair, by from, then to; 0 where nothing is stored */
    size_t n_edges;
};

/* Owner or runner. Writes nothing. */
enum err op_room_graph(struct op *o, const struct room_actor *who, int64_t room,
                       struct room_graph *graph_r);

/* Owner or runner; a and b in any order. ERR_RULE: the same agent twice, or one that is not in
 * the room. Each accepted call is told, also when nothing changed. */
enum err op_room_relate(struct op *o, const struct room_actor *who, int64_t room, int64_t a,
                        int64_t b, double level, struct room_edge *edge_r);

/* ---- runners (op_runner.c) ---- */

struct runner_key {
    int64_t id, room;
    const char *name;
    const char *key;            /* only when it was just made */
    const char *webhook_url;
    const char *webhook_secret; /* only when it was just made, with webhook_url */
    int64_t created_ms;
    int64_t last_used_ms;       /* 0: never; to about a minute */
};

/* Owner. ERR_RULE: rooms_runner_keys_max. */
enum err op_runner_key_create(struct op *o, const struct room_actor *who, int64_t room,
                              const char *name, const char *webhook_url, struct runner_key *key_r);

/* Owner. By id. */
enum err op_runner_key_list(struct op *o, const struct room_actor *who, int64_t room,
                            struct runner_key **keys_r, size_t *n_r);

/* Owner. Dead at once; its sockets are closed with 4001. ERR_NOT_FOUND. */
enum err op_runner_key_delete(struct op *o, const struct room_actor *who, int64_t room,
                              int64_t key);

/* Whose key is that: the operator's (setting runner_key) or one of a room's? Notes that it was
 * used. ERR_UNAUTHORIZED. */
enum err op_runner_check(struct op *o, const char *key, struct room_actor *who_r);

struct runner_message {
    const char *text;
    int64_t agent;              /* 0: a stage voice */
    const char *sender;         /* NULL: the agent's name */
    const char *key;            /* idempotency key; NULL */
};

/* Runner. ERR_RULE: the agent is not in the room, sender is not its name, or without agent no
 * stage voice. *repeat_r: the key was used in this room before; entry_r is the first message
 * again, nothing else happens. */
enum err op_runner_say(struct op *o, const struct room_actor *who, int64_t room,
                       const struct runner_message *in, struct room_entry *entry_r,
                       bool *repeat_r);

/* Runner. Messages with an id above since, oldest first. */
enum err op_runner_messages(struct op *o, const struct room_actor *who, int64_t room,
                            int64_t since, int64_t limit, struct room_page *page_r);

/* Runner. ERR_NOT_FOUND: the agent is not in the room (so for the others below). */
enum err op_runner_remember(struct op *o, const struct room_actor *who, int64_t room,
                            int64_t agent, const char *content, double importance,
                            struct memory *memory_r);

/* Runner. ERR_RULE: rooms_plans_max. */
enum err op_runner_plan(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
                        const char *description, enum plan_status status, struct plan *plan_r);

/* Runner. description NULL and status 0 leave what is there. ERR_NOT_FOUND: no such plan of
 * that agent. */
enum err op_runner_plan_change(struct op *o, const struct room_actor *who, int64_t room,
                               int64_t agent, int64_t plan, const char *description,
                               enum plan_status status, struct plan *plan_r);

/* Runner. */
enum err op_runner_mood(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
                        enum mood mood, double level, struct agent *agent_r);

/* ---- sockets (op_room_connect.c) ---- */

/* What a handshake brought; tokens are verified by the caller (token_verify,
 * config_rooms_rules). */
struct room_hello {
    enum room_socket kind;
    const char *user;           /* chat, graph: of a good token; NULL: there is none */
    int64_t room;               /* chat, graph: 0 when malformed */
    const char *key;            /* runner: as given; NULL: none */
};

#define ROOM_CHANNELS 2

struct room_connect {
    int64_t head;               /* newest seq: the session hears what comes after it */
    int close_code;             /* 0: welcome; else what to close with ... */
    const char *close_reason;   /* ... and why, short ASCII */
    const char *user;           /* who an event may except: "" for runners */
    const char *channels[ROOM_CHANNELS];    /* what it hears, then what closes it (nothing is delivered there) */
    size_t n_channels;
    int64_t room;               /* 0: runner of all rooms */
};

/* Credential first, then the room; all from one state of the database. ERR_OK also for a
 * refusal. */
enum err op_room_connect(struct op *o, const struct room_hello *hello,
                         struct room_connect *connect_r);

#endif
