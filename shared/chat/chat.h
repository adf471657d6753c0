/* chat - what a chat system is made of, as the operations see it
 *
 * Conversations, participants, entries, positions: the nouns that every system
 * shares. Times are Unix milliseconds. Strings are valid UTF-8 without NUL and belong to the
 * arena of the operation that returned them. A NULL string is "none".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_CHAT_H
#define SHARED_CHAT_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/event.h"
#include "shared/field.h"
#include "shared/id.h"
#include "shared/sbuf.h"

enum entry_kind {
    ENTRY_SAID = 0,     /* by a user; counts as unread for the others */
    ENTRY_SYSTEM = 1,   /* by the system; never counts, cannot be changed */
    ENTRY_EVENT = 2,    /* something happened (rooms); never counts */
};

/* One entry of a conversation's ordered run. Within a conversation uid, n and at_ms rise together,
 * strictly; n is never used again, so it also serves as a position that outlives the entry. */
struct entry {
    int64_t id;                 /* unique over the whole database, rising */
    struct id uid;
    struct id conversation;     /* uid of the conversation */
    int64_t n;
    enum entry_kind kind;
    const char *author;         /* NULL for ENTRY_SYSTEM */
    const char *author_name;    /* present display name when still a participant; lists only */
    const char *content;
    int64_t at_ms;
    int64_t edited_ms;          /* 0: never */
    struct id reply_to;         /* not given: none, or what it answered is gone */
};

struct conversation {
    int64_t key;                /* row key, never shown */
    struct id uid;
    const char *object_type;    /* the host's thing it is about */
    const char *object_id;
    const char *object_url;
    const char *title;
    const char *meta;           /* JSON text as given */
    const char *created_by;
    int64_t created_ms;
    int64_t n_members;
};

/* How somebody became a participant. */
enum joined_as { JOINED_ADDED = 0, JOINED_SELF = 1 };

struct member {
    const char *user;
    const char *display_name;
    const char *company;
    const char *email;
    const char *phone;
    enum joined_as joined_as;
    int64_t joined_ms;
    bool notifications, archived, pinned, online;
    struct id read;             /* newest entry at or below the read position */
    int64_t unread;             /* ENTRY_SAID by others after the position */
};

/* A participant as a caller hands him in. */
struct member_new {
    const char *user;
    const char *display_name;
    const char *company;
    const char *email;
    const char *phone;
};

/* Three lists of texts (struct list of const char *). */
#define SCOPE_LEVELS 3
struct scope_lists {
    struct list level[SCOPE_LEVELS];
};

struct scope {
    struct id uid;
    struct scope_lists lists;
    int64_t created_ms;
};

enum member_switch { SWITCH_ARCHIVED, SWITCH_PINNED, SWITCH_NOTIFICATIONS };

/* ---- as a caller sees conversations ---- */

/* Who looks: a user, and what his scope header says. */
struct viewer {
    const char *user;
    const struct scope_lists *scopes;       /* NULL: no header, matches nothing, narrows nothing */
};

struct conversation_view {
    struct conversation c;
    bool is_member;
    bool can_join;              /* no member, scopes match */
    struct member me;           /* when is_member: flags and unread; names are left out */
    bool has_last;
    struct entry last;          /* newest entry; content only when is_member */
    struct member_new *members; /* user, display_name, company in order of joining */
    size_t n_members;
};

enum conversation_which { WHICH_PARTICIPATING = 1, WHICH_AVAILABLE = 2, WHICH_BOTH = 3 };
enum conversation_order { ORDER_ACTIVITY, ORDER_CREATION };

struct conversation_filter {
    enum conversation_which which;
    const char *object_type, *object_id;    /* NULL: any */
    const char *search;                     /* NULL or "": any */
    int archived;                           /* -1: any; participating only */
    enum conversation_order order;
    int64_t limit, offset;
};

/* ---- what the systems put into words ---- */

struct room_notice;
struct group_notice;
struct pair_notice;
struct op;

/* What an event is about, handed to the system that puts it into its own words. */
struct notice {
    enum event_kind kind;
    struct id conversation;
    const struct entry *entry;      /* ENTRY_* */
    const char *client_key;         /* ENTRY_NEW: client_message_id; NULL */
    const char *user;               /* READ, MEMBER_*, PRESENCE */
    struct id read;                 /* READ */
    bool online;                    /* PRESENCE */
    const struct room_notice *room; /* what a room's event is about (room.h); else NULL */
    const struct group_notice *group;   /* the same of conversations (group.h) */
    const struct pair_notice *pair;     /* the same of event chats (pair.h) */
};

enum system_entry { SYSTEM_CREATED, SYSTEM_JOINED, SYSTEM_LEFT };

/* One chat system, as far as the core must know it: its name, its words, and what presence means there. */
struct chat_system {
    const char *name;                       /* "mtchat" */
    const char *channel_prefix;             /* "dialog" */
    bool restart_grace;                     /* users of a relay that ended still count as online for a grace */
    bool tells_presence;                    /* EVENT_PRESENCE is said */
    /* NULL, or: what else a user's going offline over all relays does, in the transaction that notes it. */
    enum err (*offline)(struct op *o, const char *user);
    /* NULL, or: what a session is told first, as JSON; within the read of op_connect. */
    enum err (*first)(struct op *o, const char *user, const char **json_r);
    /* The event's JSON object, one line, without seq. */
    void (*write_event)(struct sbuf *out, const struct notice *n);
    /* Content of a system entry. */
    void (*write_system_entry)(struct sbuf *out, enum system_entry what,
                               const struct member_new *members, size_t n);
};

/* The table of systems; NULL for an unknown name. */
const struct chat_system *chat_system_find(const char *name);
extern const struct chat_system chat_mtchat, chat_rooms, chat_conversations, chat_eventchat;

/* The names of those with restart_grace, a JSON array, in the arena. */
char *chat_systems_graced(struct arena *a);

#endif
