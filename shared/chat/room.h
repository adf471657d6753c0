/* room - what the rooms system is made of, as its operations see it
 *
 * A room belongs to one account. In it are agents, what was said and what happened (entries
 * of one run: one sequence of ids, strictly rising times), one edge for each pair of
 * agents, memories, plans and the keys of runners, the outside programs that let agents
 * speak.
 *
 * Ids are row keys: positive, below 2^53. A NULL text is "none". Texts belong to the arena of the
 * operation that returned them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_ROOM_H
#define SHARED_CHAT_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"

#define ROOM_ID_MAX INT64_C(9007199254740991)

/* Close codes of sockets. */
#define ROOM_CLOSE_CREDENTIAL 4001
#define ROOM_CLOSE_ROOM 4003

/* What a user's own messages are called, and the three voices no agent has. */
#define ROOM_SENDER_USER "user"
#define ROOM_VOICE_NARRATOR "🎭 Рассказчик Нарратор"
#define ROOM_VOICE_SUMMARY "📊 Сводка Суммаризатор"
#define ROOM_VOICE_SYSTEM "Система"

/* Numbers are those of the database; each has its words in room.c. */
enum orchestration {
    ORCHESTRATION_SINGLE = 1, ORCHESTRATION_CIRCULAR, ORCHESTRATION_NARRATOR,
    ORCHESTRATION_FULL_CONTEXT,
};
enum mood { MOOD_HAPPY = 1, MOOD_NEUTRAL, MOOD_SAD, MOOD_ANGRY, MOOD_EXCITED };
enum plan_status { PLAN_PENDING = 1, PLAN_IN_PROGRESS, PLAN_DONE };

struct room {
    int64_t id;
    int64_t account;            /* whose it is */
    const char *name;
    const char *description;    /* NULL: never given; "" is one */
    double speed;
    enum orchestration orchestration;
    bool running;
    int64_t created_ms;
    int64_t updated_ms;         /* 0: never */
    int64_t n_agents;
};

struct agent {
    int64_t id;
    const char *name;
    const char *character;
    const char *avatar;         /* NULL: none */
    enum mood mood;
    double level;               /* of the mood */
};

struct memory {
    int64_t id;
    const char *content;
    double importance;
    int64_t at_ms;
};

struct plan {
    int64_t id;
    const char *description;
    enum plan_status status;
};

/* An edge; from < to. */
struct room_edge {
    int64_t from, to;
    double level;
};

/* The other agent of a pair, as one of them sees it. */
struct agent_link {
    int64_t agent;
    const char *name;
    double level;
};

/* A message or an event. */
struct room_entry {
    int64_t id;
    int64_t at_ms;
    const char *text;           /* an event's description */
    const char *sender;         /* message; NULL: it is an event */
    int64_t agent;              /* message: who spoke or is spoken to; 0: nobody in particular, or gone */
    const char *type;           /* event */
    const int64_t *agents;      /* event: whom it concerns */
    size_t n_agents;
};

/* What an event of the log says of a room (struct notice). */
struct room_notice {
    int64_t room;
    const struct room_entry *entry;     /* EVENT_ENTRY_NEW */
    const struct room_edge *edge;       /* EVENT_RELATIONSHIP */
    bool running;                       /* EVENT_ORCHESTRATION */
    enum orchestration orchestration;
};

/* ---- words and rules without rows (room.c) ---- */

/* Decimal digits of 1 to ROOM_ID_MAX. false: none, *id_r is 0. */
bool room_id_parse(const char *text, int64_t *id_r);

const char *orchestration_word(enum orchestration o);
const char *mood_word(enum mood m);
const char *plan_status_word(enum plan_status s);
bool orchestration_named(const char *word, enum orchestration *o_r);
bool mood_named(const char *word, enum mood *m_r);
bool plan_status_named(const char *word, enum plan_status *s_r);
double mood_level(enum mood m);         /* of the preset */

/* A name that clients would draw as the user or as a stage voice? */
bool room_name_reserved(struct arena *a, const char *name);

/* One of the three stage voices, literally? */
bool room_voice(const char *sender);

/* ---- channels (room.c) ---- */

enum room_socket { ROOM_SOCKET_CHAT = 1, ROOM_SOCKET_GRAPH, ROOM_SOCKET_RUNNER };

/* "room:<id>:chat", "room:<id>:graph", "room:<id>:runner"; room 0 with the last: "runner:all". */
char *room_channel(struct arena *a, int64_t room, enum room_socket kind);

/* "key:<id>"; closes only. The operator's key has none. */
char *room_key_channel(struct arena *a, int64_t key);

/* The reverse of room_channel: which room and kind; false for any other channel. */
bool room_of_channel(const char *channel, int64_t *room_r, enum room_socket *kind_r);

#endif
