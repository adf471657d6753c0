/* eventchat - its JSON, written from the core's structs, and its commands, read into them
 *
 * What docs/api/eventchat.md says, once for REST, for sockets and for the log. A body in the log is
 * {"event":NAME,"data":PAYLOAD}.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_WIRE_EVENTCHAT_H
#define SHARED_WIRE_EVENTCHAT_H

#include "shared/arena.h"
#include "shared/chat/pair.h"
#include "shared/err.h"
#include "shared/sbuf.h"

/* Names of events to clients. */
#define EVENTCHAT_INITIAL_DATA "initial_data"
#define EVENTCHAT_CHAT_UPDATES "chat_updates"
#define EVENTCHAT_CHAT_UNREAD "chat_unread"
#define EVENTCHAT_HISTORY "history"
#define EVENTCHAT_DEBUG_INFO "debug_info"

/* Bytes of a command's payload; what is larger is ERR_TOO_LARGE. */
#define EVENTCHAT_COMMAND_MAX (64 * 1024)

/* ---- errors ---- */

struct eventchat_error {
    const char *code;           /* "CHAT_NOT_FOUND" */
    int status;                 /* of HTTP */
    const char *text;           /* for people */
};

/* The one table. What no client can cause is INTERNAL, with 500, or 503 where coming again helps. */
struct eventchat_error eventchat_error_of(enum err e);

/* The sentence for people: fail's, when it speaks of e and that is the client's own fault, else the table's. */
const char *eventchat_reason(enum err e, const struct fail *fail);

/* ---- commands ---- */

/* Whose bucket of the rate limits a request or a command of user is taken from: fcgi/ and relay/ share it. */
char *eventchat_limit_key(struct arena *a, const char *user);
#define EVENTCHAT_LIMIT_WHAT "calls"

enum eventchat_verb { EVENTCHAT_SEND = 1, EVENTCHAT_READ, EVENTCHAT_LOAD };

struct eventchat_command {
    enum eventchat_verb verb;
    const char *chat;
    struct pair_message_new message;    /* EVENTCHAT_SEND; checked */
    int64_t n;                          /* READ: lastReadedMessageId; LOAD: lastMessageId */
};

/* Is it one of the three? */
bool eventchat_verb_named(const char *event, enum eventchat_verb *verb_r);

/* Reads a command's payload, JSON text. ERR_TOO_LARGE, ERR_MALFORMED (no JSON), ERR_FIELD and ERR_LIMIT, or what
 * pair_message_check says; fail->field is the path of the field: "chatId", "message.text". Pure: it may be
 * called on any thread. */
enum err eventchat_read_command(struct arena *a, enum eventchat_verb verb, const char *json, size_t len,
                                struct eventchat_command *c_r, struct fail *fail);

/* ---- payloads ---- */

void eventchat_write_event(struct sbuf *out, const struct meeting *m);      /* Event */
void eventchat_write_user(struct sbuf *out, const struct party *p);         /* User */
void eventchat_write_message(struct sbuf *out, const struct pair_message *m);
/* Members "event" and "eventOwnerId" of the open object. */
void eventchat_kv_event(struct sbuf *out, const struct meeting *m);
/* chat_updates; also the Chat of REST's answers. */
void eventchat_write_chat(struct sbuf *out, const struct pair_view *v);
/* chat_unread */
void eventchat_write_unread(struct sbuf *out, const char *chat, const struct pair_counts *counts);
/* history */
void eventchat_write_history(struct sbuf *out, const char *chat, const struct pair_history *h);
/* initial_data, and GET /chats: what op_pair_list listed, grouped by meeting. */
void eventchat_write_list(struct sbuf *out, const struct pair_view *list, size_t n);
/* debug_info; event NULL: none. fail may be NULL. */
void eventchat_write_debug_info(struct sbuf *out, enum err e, const struct fail *fail, const char *event);
/* What an acknowledgement says. ERR_OK: message_id 0 for one without. */
void eventchat_write_ack(struct sbuf *out, enum err e, const struct fail *fail, int64_t message_id);

#endif
